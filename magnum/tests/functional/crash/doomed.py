"""A conductor that dies where it is told to: it works on one operation until that has ended, or until SIGKILL.

``python -m magnum.tests.functional.crash.doomed FOLDER --config-file FILE`` reads the errands as JSON from its standard
input, forks a process for each, a few at a time, and prints how each of them ended.
"""

import json
import os
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from oslo_log import log
from sqlalchemy import select

from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import session
from magnum.db.models import UNFINISHED, Operation
from magnum.drivers.catalogue import catalogue
from magnum.lifecycle import clouds
from magnum.lifecycle.passes import Worker
from magnum.tests.functional.crash.points import Points

#: Processes at a time.
_SIDE_BY_SIDE = 4


@dataclass(frozen=True)
class Errand:
    """An operation to work on, and the number of the point to die at; None for none."""

    operation_id: int
    dies_at: int | None = None


@dataclass(frozen=True)
class End:
    """How an errand ended: the signal that killed its process, 0 for none, and the points it had reached."""

    operation_id: int
    signal: int
    points: list[str]


def main(arguments: list[str]) -> None:
    """Run all errands."""
    folder, *options = arguments
    log.register_options(CONF)
    CONF(options, project="magnum", default_config_files=[])
    log.setup(CONF, "magnum")
    catalogue().get("swarm_atomic_v1")  # imported once, for all processes
    errands = [Errand(**given) for given in json.load(sys.stdin)]
    running: dict[int, Errand] = {}
    ends: list[End] = []
    while errands or running:
        while errands and len(running) < _SIDE_BY_SIDE:
            errand = errands.pop(0)
            running[_begin(errand, Path(folder))] = errand
        process, status = os.wait()
        errand = running.pop(process)
        assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, errand
        points = _record(Path(folder), errand).read_text().splitlines()
        signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        ends.append(End(errand.operation_id, signal, points))
    json.dump([asdict(end) for end in ends], sys.stdout)


def _record(folder: Path, errand: Errand) -> Path:
    return folder / f"points-{errand.operation_id}"


def _begin(errand: Errand, folder: Path) -> int:
    """Fork the process of an errand. Nothing has been connected to yet, so that nothing is shared."""
    process = os.fork()
    if process:
        return process
    status = os.EX_SOFTWARE
    try:
        _work(errand, folder)
        status = 0
    finally:
        os._exit(status)
    raise AssertionError("not reached")


def _work(errand: Errand, folder: Path) -> None:
    session.configure()
    Points(_record(folder, errand), errand.dies_at).watch()
    worker = Worker(clouds.access)
    threading.Thread(target=_renew, args=(worker,), daemon=True).start()
    while _is_unfinished(errand.operation_id):
        seconds = worker.run(errand.operation_id)
        time.sleep(0.1 if seconds is None else seconds)


def _is_unfinished(operation_id: int) -> bool:
    with session.reader(service_context()) as db:
        return db.scalar(select(Operation.state).where(Operation.id == operation_id)) in UNFINISHED


def _renew(worker: Worker) -> None:
    while True:
        time.sleep(CONF.lifecycle.lease_seconds / 3)
        worker.renew()


if __name__ == "__main__":
    main(sys.argv[1:])
