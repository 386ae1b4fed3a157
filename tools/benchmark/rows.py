"""The rows: each function sets its own stage, measures, and returns lines of the report."""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magnum.db.models import Bay
from tools.benchmark import content, stage
from tools.benchmark.content import Tenant, complete_fleet, statuses
from tools.benchmark.load import Request, in_turn, measure
from tools.benchmark.placing import row as placing_row
from tools.benchmark.stage import API, Stage
from tools.benchmark.table import Row, milliseconds
from tools.openstack.console import Progress

FIRST, SECOND = "conductor-1", "conductor-2"
#: Callers at the same time.
_AT_ONCE = 8


@dataclass(frozen=True)
class Scale:
    """How much is measured, and with which servers. ``broker`` is None where there is none."""

    postgresql: str
    broker: str | None
    folder: Path
    say: Progress
    bays: int
    fleet: int
    rounds: int
    seconds: float
    #: Seconds until an idle fleet is measured. A hundred bays are looked at for the first time in little more than a
    #: minute; what comes then is what such a fleet takes.
    settle: float = 75.0

    @contextmanager
    def stage(self, name: str, **wanted: Any) -> Iterator[Stage]:
        """A stage for one row."""
        self.say(name)
        folder = self.folder / name.replace(" ", "-")
        with stage.standing(self.postgresql, folder, self.say, **wanted) as ready:
            yield ready


# --- requests --------------------------------------------------------------------------------------------------------


def api(scale: Scale) -> Iterator[Row]:
    """Reads beside the floor, each pair sent in turn; then how fast bays are accepted, without a conductor."""
    with scale.stage("api", seconds_per_stack=0.1) as ready:
        bay = complete_fleet(ready.project, scale.bays)
        port, floor, headers = ready.api(), ready.floor(), ready.headers()
        measure(lambda _: Request(port, "/v1/bays?limit=1", headers=headers), 40, _AT_ONCE)
        for what, path, limit, times in (
            ("GET one", f"/v1/bays/{bay.uuid}", 1, 3),
            ("list 100", "/v1/bays?limit=100", 100, 2),
            ("list 1000", "/v1/bays?limit=1000", 1000, 2),
        ):
            mine, theirs = Request(port, path, headers=headers), Request(floor, f"/?limit={limit}")
            took, least = in_turn(scale.rounds, mine, theirs)
            measured = f"{milliseconds(took)}, {took / least:.2f} x floor ({milliseconds(least)})"
            yield Row(what, measured, f"{times} x floor")
        yield from _accepting(port, headers, bay.baymodel_id)


def _accepting(port: int, headers: dict[str, str], baymodel: str) -> Iterator[Row]:
    def post(number: int) -> Request:
        body = {"name": f"posted-{number}", "baymodel_id": baymodel}
        return Request(port, "/v1/bays", "POST", headers, body, 202)

    for who, count, at_once in (("one caller", 50, 1), (f"{_AT_ONCE} callers", 400, _AT_ONCE)):
        times = measure(post, count, at_once)
        measured = (
            f"median {milliseconds(times.median)}, p95 {milliseconds(times.p95)}, "
            f"{times.rate:.0f} accepted/s"
        )
        yield Row(f"POST, conductors stopped, {who}", measured, "p95 60 ms, 150 accepted/s")


# --- doing nothing ---------------------------------------------------------------------------------------------------


def idle(scale: Scale) -> Iterator[Row]:
    """What a conductor takes while there is nothing to do."""
    for number in (100, scale.fleet):
        with scale.stage(f"idle {number}") as ready:
            complete_fleet(ready.project, number)
            ready.conductors(FIRST)
            time.sleep(scale.settle)
            cpu, before, began = ready.cpu(FIRST), ready.statements(FIRST), time.monotonic()
            time.sleep(scale.seconds)
            took = time.monotonic() - began
            after = ready.statements(FIRST)
            sent, transactions = ((b - a) * 60 / took for a, b in zip(before, after, strict=True))
            load = (ready.cpu(FIRST) - cpu) / took * 100
            yield Row(
                f"idle, {number} complete bays, per minute",
                f"{sent:.0f} statements in {transactions:.0f} transactions, {load:.2f} % of a core",
                "60 statements, 0.3 %",
            )


# --- many bays -------------------------------------------------------------------------------------------------------


def thousand(scale: Scale) -> Iterator[Row]:
    """Many bays at once on two conductors: asked for directly, then over the API."""
    with scale.stage("thousand", broker=scale.broker) as ready:
        tenant = Tenant(ready.project)
        yield from _many(
            ready, scale.bays, "directly", lambda: _at_once(tenant.create, range(scale.bays))
        )
    with scale.stage("thousand api", broker=scale.broker, seconds_per_stack=0.1) as ready:
        port, headers, model = ready.api(), ready.headers(), Tenant(ready.project).baymodel.uuid

        def post(number: int) -> Request:
            body = {"name": f"bay-{number}", "baymodel_id": model}
            return Request(port, "/v1/bays", "POST", headers, body, 202)

        yield from _many(
            ready, scale.bays, "over the API", lambda: measure(post, scale.bays, _AT_ONCE)
        )


def _at_once(do: Callable[[Any], Any], things: Iterable[Any]) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(do, things))


def _many(ready: Stage, number: int, how: str, ask: Callable[[], Any]) -> Iterator[Row]:
    both = (FIRST, SECOND)
    ready.conductors(*both)
    cpu, sent, began = ready.cpu(*both), ready.statements(*both)[0], time.monotonic()
    ask()
    accepted = time.monotonic() - began
    settled = ready.until(lambda: _count("CREATE_COMPLETE") == number, 0.2) - began
    took = ready.cpu(*both) - cpu, ready.statements(*both)[0] - sent
    yield Row(
        f"{number} bays created and settled, {how}",
        f"{settled:.1f} s; {number / accepted:.0f} accepted/s, {number / settled:.0f} settled/s",
        "60 s",
    )
    yield Row(
        "  conductors, for each",
        f"{took[0] / number:.4f} s of CPU, {took[1] / number:.1f} statements",
    )
    tenant = Tenant(ready.project)
    began = time.monotonic()
    _at_once(lambda uuid: tenant.delete(Bay(uuid=uuid, project_id=ready.project)), list(statuses()))
    gone = ready.until(lambda: not statuses(), 0.2) - began
    yield Row(f"{number} bays deleted, directly", f"{gone:.1f} s")
    cpu = (ready.cpu(*both) - cpu) / number
    yield Row("CPU of conductors for a bay's life (noop)", f"{cpu:.4f} s", "0.10 s")


def _count(status: str) -> int:
    return Counter(statuses().values())[status]


# --- with Heat -------------------------------------------------------------------------------------------------------


def life(scale: Scale) -> Iterator[Row]:
    """What ten bays take from POST to deletion, with a GET when they are complete."""
    number = 10
    with scale.stage("life", seconds_per_stack=3.0, broker=scale.broker, events=True) as ready:
        standin = ready.standin
        assert standin is not None
        ready.conductors(FIRST)
        port, headers = ready.api(), ready.headers()
        model = Tenant(ready.project, content.SWARM).baymodel.uuid

        def ask(method: str, bay: str = "", body: Any = None, status: int = 200) -> None:
            path = f"/v1/bays/{bay}" if bay else "/v1/bays"
            measure(lambda _: Request(port, path, method, headers, body, status), 1)

        def lives(many: int) -> None:
            for one in range(many):
                ask("POST", body={"name": f"bay-{one}", "baymodel_id": model}, status=202)
            ready.until(lambda: _count("CREATE_COMPLETE") == many, 0.2)
            for bay in statuses():
                ask("GET", bay)
            for bay in statuses():
                ask("DELETE", bay, status=204)
            ready.until(lambda: not statuses(), 0.2)

        lives(1)  # tokens, roles and connections are there now
        names = (FIRST, API)
        seen, cpu, sent = len(standin.ledger()), ready.cpu(FIRST), ready.statements(*names)[0]
        lives(number)
        asked = Counter(entry["service"] for entry in standin.ledger(since=seen))
        heat, keystone = asked.pop("orchestration"), asked.pop("identity", 0)
        others = ", ".join(f"{count / number:.1f} {name}" for name, count in asked.items())
        yield Row(
            "one bay's life (Heat), statements / Heat / Keystone requests",
            f"{(ready.statements(*names)[0] - sent) / number:.1f} / {heat / number:.1f} / "
            f"{keystone / number:.1f}{'; ' + others if others else ''}",
            "60 / 4 / 3",
        )
        took = (ready.cpu(FIRST) - cpu) / number
        yield Row("CPU of the conductor for a bay's life (Heat)", f"{took:.3f} s", "0.10 s")


def kill(scale: Scale) -> Iterator[Row]:
    """One of two conductors is killed while its requests to Heat are under way."""
    number = 20
    with scale.stage("kill", seconds_per_stack=3.0, broker=scale.broker) as ready:
        standin = ready.standin
        assert standin is not None
        tenant = Tenant(ready.project, content.SWARM)
        ready.conductors(FIRST)
        standin.behave(service="orchestration", method="POST", hang=2.0, do=True, lasts=4.0)
        for one in range(number):
            tenant.create(one)
        ready.until(lambda: len(standin.ledger(service="orchestration", method="POST")) >= 8)
        ready.kill(FIRST)
        killed = time.monotonic()
        ready.conductors(SECOND)
        last = ready.until(lambda: _count("CREATE_COMPLETE") == number, 0.1) - killed
        stacks = Counter(found["name"] for found in standin.stacks())
        yield Row(
            "conductor killed (-9) under 20 creations",
            f"{_count('CREATE_COMPLETE')} of {number} complete, {len(stacks)} stacks for them, "
            f"at most {max(stacks.values())} each; the last {last:.0f} s after the kill",
            "20 of 20, one stack each, 30 s + one sweep (+ 3 s of Heat, + one poll)",
        )


def events(scale: Scale) -> Iterator[Row]:
    """How long after Heat the database says complete, with Heat's events and without."""
    for heard in (True, False):
        if heard and scale.broker is None:
            continue
        wanted = {"broker": scale.broker, "seconds_per_stack": 7.0, "events": heard}
        with scale.stage(f"events {'on' if heard else 'off'}", **wanted) as ready:
            late = _lateness(ready, 20, heard)
        yield Row(
            f"20 bays, Heat complete -> API complete, {'with' if heard else 'without'} events",
            f"median {statistics.median(late):.2f} s, worst {max(late):.2f} s",
            "median 1 s, worst 3 s" if heard else "one poll interval (5 s)",
        )


def _lateness(ready: Stage, number: int, heard: bool) -> list[float]:
    standin = ready.standin
    assert standin is not None
    tenant = Tenant(ready.project, content.SWARM)
    ready.conductors(FIRST, heat_events={"enabled": str(heard), "topics": ready.folder.name})
    time.sleep(2)  # it listens a moment after it is at work
    for one in range(number):
        tenant.create(one)
    seen: dict[str, float] = {}

    def look() -> bool:
        moment = time.time()
        for bay, status in statuses().items():
            if status == "CREATE_COMPLETE":
                seen.setdefault(f"bay-{bay}", moment)
        return len(seen) == number

    ready.until(look, 0.02)
    ended = {
        stack["name"]: next(at for at, *what in stack["history"] if what == ["CREATE", "COMPLETE"])
        for stack in standin.stacks()
    }
    return [seen[name] - ended[name] for name in seen]


def placing(scale: Scale) -> Iterator[Row]:
    """Choosing among many drivers."""
    yield placing_row()


ALL: dict[str, Callable[[Scale], Iterator[Row]]] = {
    "api": api,
    "life": life,
    "idle": idle,
    "thousand": thousand,
    "kill": kill,
    "events": events,
    "placing": placing,
}
