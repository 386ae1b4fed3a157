"""How a Swarm bay becomes the parameters of ``templates/cluster.yaml``, and how outputs become facts."""

import re
from collections.abc import Mapping
from typing import Any

from magnum.drivers.common.options import Options
from magnum.drivers.contract import (
    MASTER,
    WORKER,
    Facts,
    GroupFacts,
    InvalidOption,
    NotSupported,
    Work,
)
from magnum.drivers.heat.template import TemplateDefinition

API_PORT = 2376

OPTIONS = Options(__package__)


class SwarmTemplate(TemplateDefinition):
    """The template of a Swarm bay."""

    package = __package__
    mutable = frozenset({"master_count", "node_count", "nodes_to_remove"})
    orders = frozenset({"nodes_to_remove"})

    def parameters(self, work: Work) -> Mapping[str, Any]:
        """Every parameter of the template; None where the template's default is to hold."""
        _check(work)
        bay, model = work.bay, work.baymodel
        masters, workers = work.group(MASTER), work.group(WORKER)
        return {
            "bay_uuid": bay.uuid,
            "bay_tag": f"magnum-{bay.uuid}",
            "name_prefix": name_prefix(bay.name, bay.uuid),
            "ssh_public_key": bay.ssh_public_key,
            "master_count": masters.node_count,
            "node_count": workers.node_count,
            "master_image": masters.image_id or model.image_id,
            "node_image": workers.image_id or model.image_id,
            "master_flavor": masters.flavor_id,
            "node_flavor": workers.flavor_id,
            "nodes_to_remove": list(work.parameters.get("nodes_to_remove") or ()),
            "master_docker_volume_size": masters.docker_volume_size,
            "node_docker_volume_size": workers.docker_volume_size,
            "docker_storage_driver": model.docker_storage_driver,
            "external_network": model.external_network_id,
            "fixed_network": bay.fixed_network,
            "fixed_subnet": bay.fixed_subnet,
            "dns_nameservers": model.dns_nameserver,
            "floating_ip_enabled": bay.floating_ip_enabled,
            "master_lb_enabled": bay.master_lb_enabled,
            "api_port": _api_port(work),
            "http_proxy": model.http_proxy,
            "https_proxy": model.https_proxy,
            "no_proxy": model.no_proxy,
            "insecure_registry": model.insecure_registry,
            **OPTIONS.read(bay.labels),
        }

    def facts(self, work: Work, stack_id: str, outputs: Mapping[str, Any]) -> Facts:
        """Addresses of the API and of the nodes."""
        host = outputs.get("api_address")
        addresses = {MASTER: outputs.get("master_addresses"), WORKER: outputs.get("node_addresses")}
        return Facts(
            stack_id=stack_id,
            api_address=_url(str(host), _api_port(work)) if host else None,
            node_groups={
                work.group(role).name: GroupFacts(_known(listed), stack_id)
                for role, listed in addresses.items()
            },
        )


def name_prefix(name: str | None, uuid: str) -> str:
    """What the names of a bay's servers begin with: fit for host names, and the bay's alone."""
    words = re.sub(r"[^a-z0-9]+", "-", (name or "").lower()).strip("-")[:32].strip("-")
    return f"{words or 'bay'}-{uuid[:8].lower()}"


def _check(work: Work) -> None:
    """Refuse what the template cannot build, before the cloud does in its own words."""
    bay, model = work.bay, work.baymodel
    if not all(group.is_default for group in work.node_groups):
        raise NotSupported("This driver has no node groups beside the default ones.")
    if not all(group.image_id or model.image_id for group in work.node_groups):
        raise InvalidOption("The baymodel names no image for the nodes: set image_id.")
    if bay.floating_ip_enabled and not model.external_network_id:
        raise InvalidOption(
            "Floating IPs need an external network: set external_network_id in the baymodel, "
            "or floating_ip_enabled to false."
        )
    if bay.fixed_subnet and not bay.fixed_network:
        raise InvalidOption("The option fixed_subnet needs fixed_network beside it.")
    if bay.master_lb_enabled and bay.fixed_network and not bay.fixed_subnet:
        raise InvalidOption("A load balancer on an existing network needs fixed_subnet too.")


def _api_port(work: Work) -> int:
    return work.baymodel.apiserver_port or API_PORT


def _url(host: str, port: int) -> str:
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


def _known(listed: object) -> tuple[str, ...] | None:
    if not isinstance(listed, list):
        return None
    return tuple(str(address) for address in listed if address)
