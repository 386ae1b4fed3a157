"""How a Mesos cluster is: Marathon, the masters and every node, as the leading master and Nova see them."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from magnum.drivers.common.mesos.cluster import MESOS_PORT, Agent, Masters, Node, Silent, nodes
from magnum.drivers.contract import MASTER, DriverError, Facts, Health, HealthStatus, Work

#: What a part is that is as it should be.
OK = "ok"
#: Measurements of the leading master, each a part of one.
_SHARES = {
    "cpu": "master/cpus_percent",
    "memory": "master/mem_percent",
    "disk": "master/disk_percent",
}


def api(work: Work) -> tuple[str, int] | None:
    """Host and port of Marathon; None where the bay has none yet."""
    found = urlsplit(work.bay.api_address or "")
    try:
        return (found.hostname, found.port) if found.hostname and found.port else None
    except ValueError:
        return None


def masters_hosts(work: Work, known: Iterable[Node]) -> tuple[str, ...]:
    """Addresses at which a master may answer: the API's first, unless that is a load balancer's."""
    place = api(work)
    first = [place[0]] if place and not work.bay.master_lb_enabled else []
    others = [address for one in known if one.role == MASTER for address in one.addresses]
    return tuple(dict.fromkeys([*first, *others]))


class Monitor:
    """Looks at Mesos's own API and at Marathon's, with a certificate of the bay where they have TLS."""

    def look(self, work: Work) -> Health:
        """How the cluster is. Raises nothing: what does not answer is the reason."""
        place = api(work)
        if place is None:
            return Health(HealthStatus.UNKNOWN, {"api": "the bay has no address of its API yet"})
        try:
            known = nodes(work)
        except DriverError as error:
            known, trouble = (), {"nova": error.text}
        else:
            trouble = {}
        try:
            with Masters(work) as masters:
                return _look(work, masters, place, known, trouble)
        except (DriverError, OSError, ValueError) as error:
            said = error.text if isinstance(error, DriverError) else type(error).__name__
            return Health(HealthStatus.UNKNOWN, {"api": f"no certificate to ask it with: {said}"})


def _look(
    work: Work,
    masters: Masters,
    place: tuple[str, int],
    known: tuple[Node, ...],
    trouble: Mapping[str, str],
) -> Health:
    reasons = dict(trouble)
    facts = Facts()
    measured: Mapping[str, Any] = {}
    try:
        if masters.get(*place, "/ping") != "pong":
            raise Silent("an answer that makes no sense")
        reasons["api"] = OK
    except Silent as error:
        reasons["api"] = str(error)
    try:
        host, measured = masters.leader(masters_hosts(work, known))
        agents = masters.agents(host)
        version = masters.get(host, MESOS_PORT, "/version")
        if isinstance(version, Mapping) and version.get("version"):
            facts = Facts(coe_version=str(version["version"])[:64])
        reasons["mesos"] = OK
        reasons |= _nodes(known, agents)
    except Silent as error:
        reasons["mesos"] = str(error)
    good = all(said == OK for said in reasons.values())
    status = HealthStatus.HEALTHY if good else HealthStatus.UNHEALTHY
    return Health(status, reasons, _utilisation(measured), facts)


def _nodes(known: Iterable[Node], agents: Iterable[Agent]) -> dict[str, str]:
    """Each node by its name, with what is wrong with it."""
    of_node = {agent.node: agent for agent in agents if agent.node}
    found = {}
    for node in known:
        agent = of_node.get(node.name)
        if node.status != "ACTIVE":
            found[node.name] = f"its server is {node.status}"
        elif node.role == MASTER:
            found[node.name] = OK
        elif agent is None:
            found[node.name] = "its agent is not with the masters"
        else:
            found[node.name] = OK if agent.active else "its agent does not answer the masters"
    return found


def _utilisation(measured: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: min(1.0, max(0.0, float(measured[key])))
        for name, key in _SHARES.items()
        if isinstance(measured.get(key), int | float)
    }
