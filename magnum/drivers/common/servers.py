"""The bay's servers by name, for those who compare a running cluster with its machines."""

from collections.abc import Mapping

from magnum.drivers.contract import DriverError, Work
from magnum.drivers.heat.nodes import Nodes, Server

Servers = Mapping[str, Server]


def servers_of(work: Work) -> Servers | None:
    """Nova's servers of the bay; None where Nova does not tell."""
    try:
        return {server.name: server for server in Nodes(work).all()}
    except DriverError:
        return None


def of_the_group(servers: Servers, work: Work) -> Servers:
    """Those of the group that a scaling is about; of the default ones where it names none."""
    name = work.parameters.get("nodegroup")
    meant = {
        group.uuid for group in work.node_groups if group.name == name and not group.is_default
    }
    group = next(iter(meant), "")
    return {name: server for name, server in servers.items() if server.group == group}
