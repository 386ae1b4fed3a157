"""Tools for tests of calls: a key ring, a driver with endpoints of many kinds, and a thread that answers."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from magnum.common.context import service_context
from magnum.conductor.calls import Calls
from magnum.db import calls as store
from magnum.drivers.catalogue import DriverMissing
from magnum.drivers.contract import (
    Change,
    CloudUnavailable,
    Driver,
    Endpoint,
    InvalidOption,
    NotFound,
    Preview,
    Who,
    Work,
)
from magnum.lifecycle.answers import Answerer
from magnum.tests.api import SwarmDriver

OPEN = {"type": "object"}
TEXT = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
#: What no log may have.
SECRET = "s3cr3t-value"


def key_ring(folder: Path) -> Path:
    """A directory with two keys."""
    folder.mkdir(exist_ok=True)
    for number in range(2):
        (folder / str(number)).write_bytes(Fernet.generate_key())
    return folder


def _raises(error: Exception) -> Callable[[Work, Mapping[str, Any]], Mapping[str, Any]]:
    def handler(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
        raise error

    return handler


def _returns(answer: Any) -> Callable[[Work, Mapping[str, Any]], Mapping[str, Any]]:
    def handler(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = answer
        return found

    return handler


def _seen(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"bay": work.bay.uuid, "request": dict(request)}


#: The request of an endpoint that takes values of every type.
TYPED = {
    "type": "object",
    "properties": {
        "count": {"type": "integer", "minimum": 1},
        "ratio": {"type": "number"},
        "flag": {"type": "boolean"},
        "words": {"type": "array", "items": {"type": "string", "maxLength": 5}},
        "name": {"type": ["string", "null"]},
    },
    "additionalProperties": False,
}


def endpoints() -> tuple[Endpoint, ...]:
    """Endpoints that do well, badly, and not at all."""
    return (
        Endpoint("info", "See what came in.", _seen, request=TYPED, who=Who.READER),
        Endpoint("echo", "Say it again.", _seen, "POST", TYPED),
        Endpoint("both", "Read it.", _seen, who=Who.READER),
        Endpoint("both", "Write it.", _seen, "POST", OPEN, who=Who.ADMIN),
        Endpoint(
            "token",
            "Fetch a secret.",
            _returns({"text": SECRET}),
            "POST",
            {"type": "object", "properties": {"password": {"maxLength": 3}}},
            TEXT,
            secret=True,
        ),
        Endpoint(
            "not-json", "Answer what is no JSON.", _returns({"text": object()}), response=TEXT
        ),
        Endpoint("misfit", "Answer wrongly.", _returns({"text": 1, SECRET: 2}), response=TEXT),
        Endpoint("nothing", "Answer nothing.", _returns(None)),
        Endpoint("refuses", "Refuse.", _raises(InvalidOption("Not this one."))),
        Endpoint("away", "Find no cloud.", _raises(CloudUnavailable("No cloud.", "host x"))),
        Endpoint("gone", "Find no cluster.", _raises(NotFound("It has gone."))),
        Endpoint("breaks", "Break.", _raises(RuntimeError(SECRET))),
    )


class AskedDriver(SwarmDriver):
    """A driver that can be asked things. Its previews tell what was handed to it."""

    endpoints = endpoints()

    def preview(self, work: Work) -> Preview:
        """The node counts, labels and template that it is asked about."""
        counts = {group.name: str(group.node_count) for group in work.node_groups}
        return Preview(
            (
                Change(
                    "updated", "counts", ",".join(f"{k}={v}" for k, v in sorted(counts.items()))
                ),
                Change(
                    "updated", "labels", ",".join(f"{k}={v}" for k, v in work.bay.labels.items())
                ),
                Change("updated", "template", str(work.parameters.get("template"))),
            )
        )


def no_cloud() -> Any:
    """An access to clouds, where there is none."""
    raise AssertionError("this test has no cloud")


def an_answerer(*drivers: Driver, owner: str = "c1", most_slow: int = 2) -> Answerer:
    """The conductor's side, which knows these drivers."""
    known = {driver.name: driver for driver in drivers}

    def find(name: str) -> Driver:
        try:
            return known[name]
        except KeyError:
            raise DriverMissing(name, known) from None

    return Answerer(no_cloud, owner, most_slow, find)


@contextmanager
def answering(*drivers: Driver, threads: int = 4) -> Iterator[Calls]:
    """While the block runs, a thread looks for calls as a conductor does, and has them answered."""
    pool = Calls(an_answerer(*drivers, most_slow=max(1, threads // 2)), threads)
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            if room := pool.free():
                for ident in store.waiting(service_context(), room):
                    pool.submit(ident)
            time.sleep(0.02)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield pool
    finally:
        over.set()
        thread.join()
        pool.drain(5)
