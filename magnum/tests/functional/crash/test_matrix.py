"""The crash matrix: a conductor is killed at every point of every verb, and another one finishes the work, once.

Real processes, real databases, real HTTP to the stand-in of Keystone and Heat. How many points there are is found out
by running each verb once to its end. On PostgreSQL every point is tried, on the others a part of them.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select

from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import secrets, session
from magnum.db.bays import BayNotFound
from magnum.db.models import UNFINISHED, Bay, BayModel, Event, Operation
from magnum.drivers.catalogue import catalogue
from magnum.drivers.contract import Verb
from magnum.lifecycle.node_groups import NewGroup
from magnum.lifecycle.node_groups import create as create_group
from magnum.lifecycle.submit import NewBay, act, check_bay, create_bay, delete_bay, update_bay
from magnum.tests import engine
from magnum.tests.functional.crash.doomed import End, Errand
from tools.openstack import config
from tools.standin import identity
from tools.standin.client import StandIn

DRIVER = "swarm_atomic_v1"
#: Verbs that do something to each node, and what Nova calls it.
OF_NODES = {"rebuild": "rebuild", "soft_reboot": "SOFT", "hard_reboot": "HARD"}
#: A node group comes. To the conductor that is an update.
GROUP = "nodegroup"
VERBS = ("create", "update", "delete", "check", GROUP, *OF_NODES)
#: First point that is tried, and every how many of them, by database. Odd steps meet what is before and what is after.
TRIED = {"postgresql": (0, 1), "mysql": (0, 5), "sqlite": (2, 5)}
#: Verbs that are the same code as another one, of which fewer points are tried: every how many of those.
SAMPLED = {"soft_reboot": 3, "hard_reboot": 3, GROUP: 2}
#: Seconds: of a lease, and until the other conductor must have finished everything.
LEASE, PATIENCE = 8, 240.0
PROJECT = identity.ident("project", "crash")


@dataclass(frozen=True)
class Doomed:
    """A bay with an operation whose conductor dies; ``dies_at`` is the number of the point, None for none.

    ``verb`` is one of :data:`VERBS`.
    """

    verb: str
    bay: Bay
    operation: Operation
    dies_at: int | None


class Ground:
    """A database, a cloud, and conductors on them."""

    def __init__(self, folder: Path, url: str, cloud: StandIn) -> None:
        self.cloud = cloud
        self._folder = folder
        self._config = folder / "magnum.conf"
        # Waiting for what may still come is another test's.
        own: config.Sections = {
            "DEFAULT": {"use_stderr": True},
            "database": {"connection": url.replace("%", "%%")},
            "conductor": {"sweep_interval": 0.3, "threads": 8},
            "lifecycle": {"lease_seconds": LEASE, "poll_interval": 0.3, "settle_seconds": 0.5},
        }
        self._config.write_text(config.render(config.merged(cloud.sections(), own)))
        self.baymodel: BayModel = engine.a_baymodel(
            engine.context(PROJECT),
            coe="swarm",
            cluster_distro="fedora-atomic",
            image_id="fedora-atomic",
            external_network_id="public",
            flavor_id="m1.small",
            master_flavor_id="m1.small",
        )

    @contextmanager
    def conductor(self) -> Iterator[None]:
        """An ordinary conductor; it ends in order with the block."""
        command = [sys.executable, "-W", "ignore", "-m", "magnum.cmd.conductor"]
        with (self._folder / "conductor.log").open("ab") as output:
            process = subprocess.Popen(
                [*command, "--config-file", str(self._config)],
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def run(self, errands: list[Errand]) -> list[End]:
        """Conductors that die."""
        command = [sys.executable, "-W", "ignore", "-m", "magnum.tests.functional.crash.doomed"]
        with (self._folder / "doomed.log").open("ab") as output:
            done = subprocess.run(
                [*command, str(self._folder), "--config-file", str(self._config)],
                input=json.dumps([asdict(errand) for errand in errands]).encode(),
                stdout=subprocess.PIPE,
                stderr=output,
                timeout=PATIENCE,
            )
        assert done.returncode == 0, (self._folder / "doomed.log").read_text()
        return [End(**end) for end in json.loads(done.stdout)]

    # --- bays ----------------------------------------------------------------------------------------------------

    def new_bay(self) -> Bay:
        """An accepted bay."""
        new = NewBay(
            "b", self.baymodel, catalogue().get(DRIVER), node_count=1, flavor_id="m1.small"
        )
        return create_bay(engine.context(PROJECT), new).bay

    def begin(self, verb: str, bay: Bay, dies_at: int | None) -> Doomed:
        """Accept an operation of a bay, which was just created or is complete."""
        asker, now = engine.context(PROJECT), engine.look(bay)
        match verb:
            case "update":
                update_bay(asker, now, 2)
            case "delete":
                delete_bay(asker, now)
            case "nodegroup":
                create_group(asker, now, NewGroup("gpu", flavor_id="m1.small"), queue=True)
            case "check":
                check_bay(service_context(), bay.uuid, 0)
            case "rebuild" | "soft_reboot" | "hard_reboot":
                act(asker, now, Verb(verb), {})
        return Doomed(verb, bay, engine.operations_of(bay)[-1], dies_at)


def settled() -> bool:
    with session.reader(service_context()) as db:
        going = select(Operation.id).where(Operation.state.in_(UNFINISHED)).limit(1)
        return db.scalar(going) is None


def until(condition: Callable[[], Any]) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + PATIENCE, "it took too long"
        time.sleep(0.1)
    return time.monotonic() - began


@pytest.fixture
def ground(tmp_path: Path, database_url: str) -> Iterator[Ground]:
    engine.use_database(database_url)
    CONF.set_override("max_clusters_per_project", -1, "quotas")
    try:
        with StandIn(tmp_path, seconds_per_stack=0.05) as cloud:
            yield Ground(tmp_path, database_url, cloud)
    finally:
        CONF.clear_override("max_clusters_per_project", "quotas")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_anywhere_it_is_finished_once(
    ground: Ground, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    complete = {verb: ground.new_bay() for verb in VERBS if verb != "create"}
    with ground.conductor():
        until(settled)
    tried = [ground.begin(verb, complete.get(verb) or ground.new_bay(), None) for verb in VERBS]
    points = {end.operation_id: end.points for end in ground.run([_errand(one) for one in tried])}
    assert settled()
    first, step = TRIED[make_url(database_url).get_backend_name()]
    numbers = {
        verb: range(first, len(points[ident]), step * SAMPLED.get(verb, 1))
        for verb, ident in ((one.verb, one.operation.id) for one in tried)
    }

    bays = {verb: [ground.new_bay() for _ in numbers[verb]] for verb in VERBS if verb != "create"}
    with ground.conductor():
        until(settled)
    bays["create"] = [ground.new_bay() for _ in numbers["create"]]
    doomed = [
        ground.begin(verb, bay, number)
        for verb in VERBS
        for bay, number in zip(bays[verb], numbers[verb], strict=True)
    ]
    ends = {end.operation_id: end for end in ground.run([_errand(one) for one in doomed])}
    with ground.conductor():
        seconds = until(settled)
    for one in doomed:
        _judge(ground, one, ends[one.operation.id])
    dead = [one for one in doomed if ends[one.operation.id].signal == signal.SIGKILL]
    assert len(dead) > 0.9 * len(doomed), "hardly anybody was killed"
    if step == 1:
        last = {end.points[-1] for end in ends.values()}
        assert "after POST /orchestration/v1/.../stacks" in last, "nobody died over a new stack"
        assert "before the commit of operations.write" in last, "nobody died while writing"
    with capsys.disabled():
        print(f"\n{len(dead)} killed; all was finished {seconds:.1f} s after another one came.")
        for one in tried:
            print(f"  {one.verb}: {len(points[one.operation.id])} points")


def _errand(one: Doomed) -> Errand:
    return Errand(one.operation.id, one.dies_at)


def _judge(ground: Ground, one: Doomed, end: End) -> None:
    verb, uuid = one.verb, one.bay.uuid
    died_at = f"{verb}, killed at point {one.dies_at}: {end.points[-1]}"
    with session.reader(service_context()) as db:
        told = select(Event.code).where(Event.operation_uuid == one.operation.uuid)
        codes = list(db.scalars(told.order_by(Event.id)))
        state = db.scalar(select(Operation.state).where(Operation.id == one.operation.id))
    assert state == "DONE", died_at
    assert codes == ["ACCEPTED", "DONE"], died_at
    made = ground.cloud.stacks(f"bay-{uuid}")
    assert len(made) == 1, died_at
    users = [user["id"] for user in ground.cloud.users() if user["name"] == f"bay-{uuid}"]
    kept = [row.name for row in secrets.all_of(service_context(), uuid)]
    if verb == "delete":
        assert (users, kept) == ([], []), died_at
        assert made[0]["deleted"] is not None, died_at
        with pytest.raises(BayNotFound):
            engine.look(one.bay)
        return
    assert sorted(kept) == ["ca", "node-credential"], died_at
    assert users == [engine.look(one.bay).bay_user_id], died_at
    wanted = "UPDATE" if verb in ("update", GROUP) else "CREATE"
    shown = "UPDATE" if verb in OF_NODES else wanted
    assert engine.look(one.bay).status == f"{shown}_COMPLETE", died_at
    assert (made[0]["action"], made[0]["status"]) == (wanted, "COMPLETE"), died_at
    if verb in OF_NODES:
        _judge_nodes(ground.cloud.servers(uuid), OF_NODES[verb], died_at)
    assert made[0]["parameters"]["node_count"] == ("2" if verb == "update" else "1"), died_at
    if verb == GROUP:
        (group,) = [group for group in engine.look(one.bay).node_groups if not group.is_default]
        assert group.status == "CREATE_COMPLETE", died_at
        placed = json.loads(made[0]["parameters"]["node_groups"])
        assert [found["uuid"] for found in placed] == [group.uuid], died_at


def _judge_nodes(servers: list[dict[str, Any]], action: str, died_at: str) -> None:
    """Every node once, in order; but one whose action was over when it was looked at again may have had it twice."""
    done = {one["name"]: [kind for _, kind in one["actions"]] for one in servers}
    assert len(done) == 2, died_at
    assert {kind for kinds in done.values() for kind in kinds} == {action}, died_at
    counts = sorted(len(kinds) for kinds in done.values())
    assert counts in ([1, 1], [1, 2]), f"{died_at}: {done}"
    assert {one["status"] for one in servers} == {"ACTIVE"}, died_at
    began = {one["metadata"]["magnum_role"]: one["actions"][0][0] for one in servers}
    assert began["master"] < began["worker"], died_at
