"""How a Kubernetes bay becomes the parameters of a driver's ``templates/cluster.yaml``.

:class:`KubernetesTemplate` adds to :class:`ClusterTemplate` what all our Kubernetes drivers have: the options, the key
that signs service accounts' tokens, what cannot be built, and node scripts that are sent compressed.
"""

import base64
import gzip
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from magnum.drivers.common.cluster_template import ClusterTemplate
from magnum.drivers.contract import MASTER, InvalidOption, Work
from magnum.drivers.heat.stack import Launch

#: The last minor release whose kubelet runs on Docker without something between.
LAST_WITH_DOCKER = 23
#: Where an image keeps the manifest of a network driver, when no option names another.
MANIFEST = "/usr/share/magnum/kubernetes/{}.yaml"

_TAG = re.compile(r"v1\.([0-9]+)\.")
_SERVICE_ACCOUNT_KEY = "service-account-key"
_REFUSED = frozenset({"registry_enabled", "tls_disabled"})
#: Scripts that templates write compressed (``encoding: gz+b64``). Others are written as they are.
_PACKED = ("common/kubernetes/", "common/docker-")


class KubernetesTemplate(ClusterTemplate):
    """The template of a Kubernetes bay. ``packed`` tells which of the files it refers to are sent compressed."""

    mutable = frozenset({"node_count", "nodes_to_remove"})
    api_port = 6443
    network_drivers = frozenset({"flannel", "calico"})
    volume_drivers = frozenset({"cinder"})
    packed: ClassVar[tuple[str, ...]] = _PACKED

    def parameters(self, work: Work) -> Mapping[str, Any]:
        """Every parameter but the secret ones. What is refused altogether is none."""
        given = super().parameters(work)
        return {name: value for name, value in given.items() if name not in _REFUSED}

    def own_parameters(self, work: Work) -> Mapping[str, Any]:
        """What follows from options and baymodel together. Raises InvalidOption, NotSupported."""
        options = self.options.read(work.bay.labels)
        check(work, options)
        manifest = options["network_manifest"]
        if options["pods_network"] == "overlay" and not manifest:
            manifest = MANIFEST.format(work.baymodel.network_driver or "flannel")
        return {"network_manifest": manifest}

    def secret_parameters(self, work: Work) -> Mapping[str, Any]:
        """Beside the nodes' credential, the key that all masters sign tokens with."""
        key = work.secrets.kept(_SERVICE_ACCOUNT_KEY, new_key)
        return {**super().secret_parameters(work), "service_account_key": key}

    def launch(self, work: Work) -> Launch:
        """As the base has it, with the node scripts compressed: a server's user data may have 64 KiB only."""
        launch = super().launch(work)
        files = {
            name: _compressed(text) if self.is_packed(name) else text
            for name, text in launch.files.items()
        }
        return replace(launch, files=files)

    def is_packed(self, name: str) -> bool:
        """Whether a file that templates refer to is sent compressed."""
        return name.startswith(self.packed) and not name.endswith(".yaml")


def check(work: Work, options: Mapping[str, Any]) -> None:
    """Refuse what cannot be built. Raises InvalidOption, which names what stands in the way."""
    model = work.baymodel
    if model.tls_disabled:
        raise InvalidOption(
            "Kubernetes has no API without TLS: set tls_disabled to false.", option="tls_disabled"
        )
    if model.registry_enabled:
        raise InvalidOption(
            "This driver runs no registry: set registry_enabled to false.",
            option="registry_enabled",
        )
    if work.bay.discovery_url not in (None, "", "none"):
        raise InvalidOption(
            "The masters know each other without a discovery_url: leave it out.",
            option="discovery_url",
        )
    if work.group(MASTER).node_count % 2 == 0:
        raise InvalidOption(
            "etcd needs an odd number of masters: set master_count to 1, 3 or 5.",
            option="master_count",
        )
    if model.volume_driver == "cinder" and not options["cloud_provider_enabled"]:
        raise InvalidOption(
            "volume_driver cinder needs the option cloud_provider_enabled too.",
            option="volume_driver",
        )
    _check_runtime(model.docker_storage_driver, options)
    _check_sources(options)
    _check_addresses(options)


def _check_runtime(storage: str | None, options: Mapping[str, Any]) -> None:
    tag = _TAG.match(options["kube_tag"] or "")
    if options["container_runtime"] == "docker":
        if tag and int(tag[1]) > LAST_WITH_DOCKER:
            raise InvalidOption(
                f"Kubernetes runs on Docker up to v1.{LAST_WITH_DOCKER}: "
                "set container_runtime to containerd, or kube_tag to an older release.",
                option="container_runtime",
            )
    elif storage not in (None, "", "overlay", "overlay2", "btrfs"):
        raise InvalidOption(
            f"containerd keeps its data with overlay2 or btrfs, not '{storage}': change "
            "docker_storage_driver, or set container_runtime to docker.",
            option="docker_storage_driver",
        )


def _check_sources(options: Mapping[str, Any]) -> None:
    for name in ("kube", "etcd", "cni"):
        if bool(options[f"{name}_url"]) != bool(options[f"{name}_sha256"]):
            raise InvalidOption(
                f"{name}_url and {name}_sha256 belong together: give both or none.",
                option=f"{name}_url",
            )


def _check_addresses(options: Mapping[str, Any]) -> None:
    pods = _network("pods_network_cidr", options)
    services = _network("service_cluster_ip_range", options)
    if pods.version == services.version and pods.overlaps(services):
        raise InvalidOption(
            "pods_network_cidr and service_cluster_ip_range overlap.",
            option="service_cluster_ip_range",
        )
    if services.num_addresses < 16:
        raise InvalidOption(
            "service_cluster_ip_range has too few addresses: 16 at least.",
            option="service_cluster_ip_range",
        )
    if dns := options["dns_service_ip"]:
        try:
            inside = ipaddress.ip_address(dns) in services
        except ValueError:
            inside = False
        if not inside:
            raise InvalidOption(
                "dns_service_ip is no address of service_cluster_ip_range.", option="dns_service_ip"
            )


def _network(
    name: str, options: Mapping[str, Any]
) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(options[name])
    except ValueError as error:
        raise InvalidOption(f"The option {name} is not a network: {error}.", option=name) from error


def new_key() -> str:
    """A private key as PEM."""
    made = ec.generate_private_key(ec.SECP256R1())
    return made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def _compressed(text: str) -> str:
    """As cloud-init's ``gz+b64`` has it; the same for the same text."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
