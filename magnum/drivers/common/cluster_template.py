"""What the template definitions of all drivers of virtual machines and bare metal have in common.

:class:`ClusterTemplate` gives the parameters that stand in every such driver's ``cluster.yaml`` and go on to the
shared templates (``common/network.yaml``, ``common/balancer.yaml``, ``common/server.yaml``), refuses what none of them
can build, and reads the outputs that all of them have. A driver adds its own parameters and refusals.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, ClassVar

from magnum.drivers.common.options import Options
from magnum.drivers.contract import (
    MASTER,
    WORKER,
    Facts,
    GroupFacts,
    InvalidOption,
    NodeGroup,
    NotSupported,
    Work,
)
from magnum.drivers.heat import groups, sites
from magnum.drivers.heat.stack import Launch
from magnum.drivers.heat.template import TemplateDefinition


class ClusterTemplate(TemplateDefinition):
    """The template of a cluster of masters and workers.

    ``options`` are the driver's own, from its ``schema.json``. ``scheme`` is that of the API's address without TLS and
    with it, ``api_port`` the port where the baymodel names none. ``network_drivers`` and ``volume_drivers`` are those
    that it can build; a volume driver that nobody asked for is always fine.
    """

    mutable = frozenset({"master_count", "node_count", "nodes_to_remove"})
    orders = frozenset({"nodes_to_remove"})

    options: ClassVar[Options]
    scheme: ClassVar[tuple[str, str]] = ("http", "https")
    api_port: ClassVar[int]
    network_drivers: ClassVar[frozenset[str]] = frozenset()
    volume_drivers: ClassVar[frozenset[str]] = frozenset()

    def own_parameters(self, work: Work) -> Mapping[str, Any]:
        """The driver's parameters beside the shared ones and its options. Raises InvalidOption."""
        return {}

    def parameters(self, work: Work) -> Mapping[str, Any]:
        """Every parameter but the secret ones; None where the template's default is to hold."""
        self.refuse(work)
        return {
            **_identity(work),
            **_nodes(work),
            **_network(work),
            **(self._groups(work) if self.grouped else {}),
            "docker_storage_driver": work.baymodel.docker_storage_driver,
            "api_port": self.port(work),
            "tls_disabled": work.baymodel.tls_disabled,
            "http_proxy": work.baymodel.http_proxy,
            "https_proxy": work.baymodel.https_proxy,
            "no_proxy": work.baymodel.no_proxy,
            "insecure_registry": work.baymodel.insecure_registry,
            "registry_enabled": work.baymodel.registry_enabled,
            **self.options.read(work.bay.labels),
            **self.own_parameters(work),
        }

    def secret_parameters(self, work: Work) -> Mapping[str, Any]:
        """What only a creation sends, since Heat keeps it: parameters that the template declares as ``hidden``."""
        if work.baymodel.tls_disabled:
            return {}
        return {"node_credential": asdict(work.secrets.node_credential())}

    def launch(self, work: Work) -> Launch:
        """Everything that the stack is created from, secrets included."""
        launch = super().launch(work)
        return replace(launch, parameters={**launch.parameters, **self.secret_parameters(work)})

    def facts(self, work: Work, stack_id: str, outputs: Mapping[str, Any]) -> Facts:
        """Addresses of the API and of the nodes."""
        host = outputs.get("api_address")
        others = groups.facts(work, outputs)
        addresses = {MASTER: outputs.get("master_addresses"), WORKER: outputs.get("node_addresses")}
        return Facts(
            stack_id=stack_id,
            api_address=self.url(work, str(host)) if host else None,
            node_groups={
                work.group(role).name: GroupFacts(_known(listed), stack_id)
                for role, listed in addresses.items()
            }
            | others,
        )

    def members(
        self, work: Work, name: str, outputs: Mapping[str, Any]
    ) -> Mapping[str, str] | None:
        """As the base has it: the templates say it of the workers and of each other group."""
        if name == work.group(WORKER).name:
            found = outputs.get("node_refs_map")
            return found if isinstance(found, Mapping) else None
        return groups.members(work, name, outputs)

    def _groups(self, work: Work) -> Mapping[str, Any]:
        """The groups beside those that every cluster has, in no place yet."""
        workers = work.group(WORKER)
        others = [
            groups.entry(
                group,
                image=group.image_id or work.baymodel.image_id or "",
                flavor=group.flavor_id or workers.flavor_id or "",
                options=self.group_options(group),
            )
            for group in work.node_groups
            if not group.is_default
        ]
        return {groups.PARAMETER: others, groups.COUNT: len(others)}

    def group_options(self, group: NodeGroup) -> Mapping[str, Any]:
        """What the nodes of a group are told beside what all nodes are."""
        return {}

    def port(self, work: Work) -> int:
        """The port of the cluster's API."""
        return work.baymodel.apiserver_port or self.api_port

    def url(self, work: Work, host: str) -> str:
        """The address of the cluster's API on a host."""
        scheme = self.scheme[not work.baymodel.tls_disabled]
        shown = f"[{host}]" if ":" in host else host
        return f"{scheme}://{shown}:{self.port(work)}"

    def refuse(self, work: Work) -> None:
        """Refuse what the templates cannot build, before the cloud does in its own words. Raises InvalidOption."""
        bay, model = work.bay, work.baymodel
        if {group.role for group in work.node_groups if group.is_default} != {MASTER, WORKER}:
            raise NotSupported("A cluster has a default group of masters and one of workers.")
        if not all(group.is_default for group in work.node_groups) and not self.grouped:
            raise NotSupported("This driver has no node groups beside the default ones.")
        if not all(group.image_id or model.image_id for group in work.node_groups):
            raise InvalidOption(
                "The baymodel names no image for the nodes: set image_id.", option="image_id"
            )
        if bay.floating_ip_enabled and not model.external_network_id:
            raise InvalidOption(
                "Floating IPs need an external network: set external_network_id in the baymodel, "
                "or floating_ip_enabled to false.",
                option="floating_ip_enabled",
            )
        if bay.fixed_subnet and not bay.fixed_network:
            raise InvalidOption(
                "The option fixed_subnet needs fixed_network beside it.", option="fixed_subnet"
            )
        if bay.master_lb_enabled and bay.fixed_network and not bay.fixed_subnet:
            raise InvalidOption(
                "A load balancer on an existing network needs fixed_subnet too.",
                option="fixed_network",
            )
        _one_of("network_driver", model.network_driver, self.network_drivers)
        _one_of("volume_driver", model.volume_driver, self.volume_drivers)


def name_prefix(name: str | None, uuid: str) -> str:
    """What the names of a bay's servers begin with: fit for host names, and the bay's alone."""
    words = re.sub(r"[^a-z0-9]+", "-", (name or "").lower()).strip("-")[:32].strip("-")
    return f"{words or 'bay'}-{uuid[:8].lower()}"


def _identity(work: Work) -> dict[str, Any]:
    bay = work.bay
    return {
        "bay_uuid": bay.uuid,
        "bay_tag": f"magnum-{bay.uuid}",
        "name_prefix": name_prefix(bay.name, bay.uuid),
        "ssh_public_key": bay.ssh_public_key,
    }


def _nodes(work: Work) -> dict[str, Any]:
    masters, workers = work.group(MASTER), work.group(WORKER)
    return {
        "master_count": masters.node_count,
        "node_count": workers.node_count,
        "master_image": masters.image_id or work.baymodel.image_id,
        "node_image": workers.image_id or work.baymodel.image_id,
        "master_flavor": masters.flavor_id,
        "node_flavor": workers.flavor_id,
        "nodes_to_remove": list(work.parameters.get("nodes_to_remove") or ()),
        "master_docker_volume_size": masters.docker_volume_size,
        "node_docker_volume_size": workers.docker_volume_size,
        **dict.fromkeys((sites.MASTER_ZONES, sites.NODE_ZONES)),
        **sites.parameters(work.bay.site),
    }


def _network(work: Work) -> dict[str, Any]:
    bay, model = work.bay, work.baymodel
    return {
        "external_network": model.external_network_id,
        "fixed_network": bay.fixed_network,
        "fixed_subnet": bay.fixed_subnet,
        "dns_nameservers": model.dns_nameserver,
        "floating_ip_enabled": bay.floating_ip_enabled,
        "master_lb_enabled": bay.master_lb_enabled,
    }


def _one_of(option: str, value: str | None, possible: frozenset[str]) -> None:
    if not value or value in possible:
        return
    raise InvalidOption(
        f"This driver has no {option} {json.dumps(value)}: it has {', '.join(sorted(possible)) or 'none'}.",
        option=option,
    )


def _known(listed: object) -> tuple[str, ...] | None:
    if not isinstance(listed, list):
        return None
    return tuple(str(address) for address in listed if address)
