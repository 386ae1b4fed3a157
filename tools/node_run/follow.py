"""Boots a node for every server of a cloud: what a compute host would do for Nova, beside its fake driver.

Looks at Nova and Neutron about once a second and makes the nodes what the servers are: an ACTIVE server has a node
with its user data and addresses, a rebuild gives it a fresh disk, a reboot boots it again, a stopped one is shut down,
a deleted one is gone. A floating IP leads to its node from the moment that Neutron knows of it. What a server does
itself (``poweroff``) is not told to Nova.

A server can ask to be a fake one still, with its metadata or the id of its flavor, as ``fake_nodes.py`` has it:
``fake_nodes=fail`` and ``fake_nodes=report`` are reported in its name, ``fake_nodes=silent`` is left alone.

``python -P -m tools.node_run.follow`` with the administrator's ``OS_*`` variables. Told to end, it leaves the nodes
running, and finds them again when it comes back.
"""

import datetime
import os
import signal
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from keystoneauth1 import adapter, exceptions

from tools.node_run import image, nova_view, places, plan
from tools.node_run.host import host
from tools.node_run.node import Nodes
from tools.node_run.nova_view import OWNER, Cloud, Grid, Json
from tools.node_run.plan import Spec, Steps
from tools.openstack import fake_nodes, keystone
from tools.openstack.console import Progress, Trouble
from tools.openstack.fake_nodes import say

INTERVAL = 0.7  # seconds between two looks
ATTEMPTS = 3
AT_ONCE = 4

_T = TypeVar("_T")


class Follower:
    """Makes the nodes what the servers are, one look at a time."""

    def __init__(self, cloud: Cloud, nodes: Nodes, fakes: fake_nodes.FakeNodes) -> None:
        self._cloud = cloud
        self._nodes = nodes
        self._fakes = fakes
        self._asked: dict[str, tuple[str, list[Json]]] = {}  # `updated` and actions, by server
        self._failures: dict[tuple[str, str], int] = {}  # by key and root
        self._first = True

    def look(self) -> None:
        """One look, and what follows from it."""
        servers = []
        for one in self._cloud.servers():
            if fake_nodes.fate(one) is None:
                servers.append(one)
            else:
                self._fakes.attend(one)
        active = [one for one in servers if one["status"] == "ACTIVE"]
        ports = self._cloud.ports() if active else []
        grid = self._cloud.grid(ports) if active else Grid({}, {})
        specs = (self._spec(one, ports, grid) for one in active)
        wanted = [spec for spec in specs if spec is not None]
        off = {one["id"] for one in servers if nova_view.is_off(one)}
        busy = {one["id"] for one in servers} - off - _keys(wanted)
        known = self._nodes.all()
        present = {key: node.present for key, node in known.items() if node.spec.owner == OWNER}
        todo = plan.steps(
            filter(self._may_try, wanted), off, busy | _keys(wanted), present, self._first
        )
        if active:
            self._lay(wanted, ports, grid)
        self._do(todo)
        self._forget(_keys(wanted) | off | busy)
        self._first = False

    def _spec(self, server: Json, ports: list[Json], grid: Grid) -> Spec | None:
        """The node of a server; None when the server has just gone."""
        now = datetime.datetime.now(datetime.UTC)
        before, actions = self._asked.get(server["id"], (None, []))
        if nova_view.changed(server, before, now):
            told = self._cloud.actions(server["id"])
            if told is None:
                return None
            actions = told
            self._asked[server["id"]] = (server["updated"], actions)
        own = [port for port in ports if port["device_id"] == server["id"]]
        return nova_view.spec(server, actions, own, grid)

    def _may_try(self, spec: Spec) -> bool:
        return bool(spec.interfaces) and self._failures.get((spec.key, spec.root), 0) < ATTEMPTS

    def _lay(self, wanted: Iterable[Spec], ports: list[Json], grid: Grid) -> None:
        """Networks before nodes, and floating IPs as soon as they are known."""
        known = self._nodes.fabric.networks()
        inside = dict.fromkeys(card.network for spec in wanted for card in spec.interfaces)
        for key in inside:
            gateways = grid.gateways(key)
            if self._first or key not in known or set(gateways) - set(known[key].gateways):
                self._nodes.fabric.ensure(key, gateways, grid.mtu(key), owner=OWNER)
        if inside.keys() - known.keys():
            for external in grid.external():
                self._nodes.fabric.reach(external)
        floating_ips = self._cloud.floating_ips()
        for key in inside:
            self._nodes.fabric.translate(key, nova_view.floating(key, floating_ips, ports))
        for key, fronts in self._cloud.fronts(inside).items():
            self._nodes.fabric.balance(key, fronts)

    def _do(self, todo: Steps) -> None:
        """All steps; those of different nodes go on side by side."""
        steps = [(key, "", "is gone", _bound(self._nodes.remove, key)) for key in todo.remove]
        steps += [(key, "", "is shut down", _bound(self._nodes.stop, key)) for key in todo.stop]
        for verb, specs, work in (
            ("boots", todo.boot, self._nodes.boot),
            ("boots with a fresh disk", todo.renew, self._nodes.boot),
            ("boots again", todo.reboot, self._nodes.reboot),
        ):
            steps += [
                (spec.key, spec.root, f"{spec.name} {verb}", _bound(work, spec)) for spec in specs
            ]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(self._try, *step) for step in steps]:
                done.result()

    def _try(self, key: str, root: str, what: str, step: Callable[[], object]) -> None:
        try:
            step()
        except (Trouble, OSError) as error:
            self._failures[key, root] = self._failures.get((key, root), 0) + 1
            say(f"{key}: not done: {what}: {error}")
        else:
            self._failures.pop((key, root), None)
            say(f"{key}: {what}")

    def _forget(self, there: set[str]) -> None:
        """Drop what is known of servers that are gone, and the networks that they were in."""
        for server in [key for key in self._asked if key not in there]:
            del self._asked[server]
        for attempt in [key for key in self._failures if key[0] not in there]:
            del self._failures[attempt]
        used = {
            card.network for node in self._nodes.all().values() for card in node.spec.interfaces
        }
        for key, network in self._nodes.fabric.networks().items():
            if network.owner == OWNER and key not in used:
                self._nodes.fabric.drop(key)


def _keys(specs: Iterable[Spec]) -> set[str]:
    return {spec.key for spec in specs}


def _bound(work: Callable[[_T], object], given: _T) -> Callable[[], object]:
    return lambda: work(given)


def main() -> None:
    """Run until told to end. A cloud that does not answer is asked again."""
    os.umask(0o022)
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
    session = keystone.login(
        os.environ["OS_AUTH_URL"].removesuffix("/v3"),
        os.environ["OS_USERNAME"],
        os.environ["OS_PASSWORD"],
        os.environ["OS_PROJECT_NAME"],
    )
    region = os.environ["OS_REGION_NAME"]
    compute = adapter.Adapter(
        session,
        service_type="compute",
        region_name=region,
        default_microversion=nova_view.MICROVERSION,
    )
    network = adapter.Adapter(session, service_type="network", region_name=region)
    balancing = adapter.Adapter(session, service_type="load-balancer", region_name=region)
    quiet = Progress(quiet=True)
    nodes = Nodes(places.places(), host(quiet=True), lambda: image.image(quiet))
    nodes.fabric.hold(OWNER)
    nodes.fabric.raise_host()
    follower = Follower(Cloud(compute, network, balancing), nodes, fake_nodes.FakeNodes(compute))
    say("watching")
    while True:
        try:
            follower.look()
        except (exceptions.ClientException, Trouble) as error:
            say(f"this look was cut short: {error}")
        time.sleep(INTERVAL)


if __name__ == "__main__":
    main()
