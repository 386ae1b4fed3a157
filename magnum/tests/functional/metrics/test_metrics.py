"""Metrics of the API's workers over HTTP, and figures of the database only when somebody asks for them."""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from oslo_utils import timeutils
from prometheus_client.parser import text_string_to_metric_families

from magnum.common.context import service_context
from magnum.db import figures, session
from magnum.db.models import Bay
from magnum.drivers.contract import Actor, Blocked
from magnum.lifecycle.figures import Fleet
from magnum.tests import engine
from magnum.tests.engine import ScriptedDriver
from magnum.tests.functional.conductor.processes import until
from tools.openstack.processes import free_port

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def scrape(port: int) -> Samples:
    """What a process shows."""
    with _OPENER.open(f"http://127.0.0.1:{port}/metrics", timeout=120) as answer:
        text = answer.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


@pytest.fixture
def database(database_url: str) -> str:
    engine.use_database(database_url)
    return database_url


def test_figures_of_a_database(database: str) -> None:
    blocked = Blocked("QUOTA_EXCEEDED", Actor.USER, "There is no room.")
    waiting, blocking = engine.a_bay(ScriptedDriver()), engine.a_bay(ScriptedDriver())
    worker = engine.a_worker(ScriptedDriver(blocked))
    worker.run(engine.operations_of(blocking)[0].id)
    found = figures.look(service_context(), 90)
    assert found.operations == {("create", "PENDING", ""): 1, ("create", "BLOCKED", "user"): 1}
    assert found.bays == {("CREATE_IN_PROGRESS", ""): 2}
    assert (found.ca_seconds, found.ca_expiring) == (None, 0)
    moment = timeutils.utcnow()
    with session.writer(service_context()) as db:
        for bay, days in ((waiting, 30), (blocking, 300)):
            row = session.changing(Bay).where(Bay.uuid == bay.uuid)
            db.execute(
                row.values(ca_expires_at=moment + timedelta(days=days), health_status="HEALTHY")
            )
    found = figures.look(service_context(), 90)
    assert found.ca_expiring == 1
    assert found.ca_seconds == pytest.approx(30 * 86400, abs=60)
    assert found.bays == {("CREATE_IN_PROGRESS", "HEALTHY"): 2}


def test_a_look_is_four_statements_and_none_is_sent_without_one(database: str) -> None:
    with engine.statements() as sent:
        fleet = Fleet()
        assert sent == []
        list(fleet.collect())
    assert len(sent) == 4


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    session.configure(f"sqlite:///{tmp_path}/empty.sqlite")
    (answers,) = Fleet().collect()
    assert answers.name == "magnum_database_answers"
    assert [sample.value for sample in answers.samples] == [0.0]


def free_row(length: int) -> int:
    """The first of some ports in a row on which nobody listens now.

    They are below those that systems give to connections: one of these would be taken from the row before it is used.
    """
    for first in range(22000 + 10 * (os.getpid() % 500), 32000, length):
        with ExitStack() as stack:
            try:
                for port in range(first, first + length):
                    probe = stack.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports in a row")


@contextmanager
def gunicorn(folder: Path, *options: str) -> Iterator[tuple[int, int]]:
    """The API with two workers; its port and the first of its metrics."""
    port, shown = free_port(), free_row(4)
    config, log = folder / "magnum.conf", folder / "api.log"
    config.write_text(
        f"[DEFAULT]\nstate_path = {folder}\n[metrics]\nport = {shown}\n"
        f"[database]\nconnection = sqlite:///{folder}/api.sqlite\n"
        "[keystone_authtoken]\nwww_authenticate_uri = http://127.0.0.1:1\n"
    )
    command = [sys.executable, "-W", "ignore", "-m", "gunicorn", "--workers", "2"]
    command += ["--env", f"OS_MAGNUM_CONFIG_FILES={config}", "--bind", f"127.0.0.1:{port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--graceful-timeout", "2", *options, "magnum.wsgi.api:application"],
            stdout=output,
            stderr=output,
        )
    try:
        yield port, shown
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["", "preload"])
def test_each_worker_of_the_api_has_its_own(tmp_path: Path, options: tuple[str, ...]) -> None:
    with gunicorn(tmp_path, *options) as (port, shown):

        def ask() -> bool:
            try:
                with _OPENER.open(f"http://127.0.0.1:{port}/", timeout=120) as answer:
                    answer.read()
                return True
            except OSError:
                return False

        def both() -> list[Samples]:
            ask()
            try:
                # With --preload the first port is that of the process that forked the workers.
                first = shown + len(options)
                return [scrape(number) for number in (first, first + 1)]
            except OSError:
                return []

        until(ask)
        found = until(both)
        asked = {"method": "GET", "status": "200"}
        until(
            lambda: (
                ask()
                and all(value(one, "magnum_api_request_seconds_count", **asked) for one in both())
            )
        )
        names = [next(labels for name, labels in one if name == "magnum_process") for one in found]
        assert len(set(names)) == 2
        assert all(dict(labels)["service"] == "api" for labels in names)
        # The API's workers send no statement for metrics.
        assert value(found[0], "magnum_database_answers") is None
