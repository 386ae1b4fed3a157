"""What tests of conductor processes share: a fresh database of each kind, and the processes on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from magnum.tests import engine
from magnum.tests.functional.conductor.bus import Bus
from magnum.tests.functional.conductor.processes import Conductors


@pytest.fixture
def database(database_url: str) -> str:
    """URL of a database with the newest schema, which this process uses too."""
    engine.use_database(database_url)
    return database_url


@pytest.fixture
def conductors(tmp_path: Path, database: str) -> Iterator[Conductors]:
    """Starts conductors; what is left of them is killed afterwards."""
    found = Conductors(tmp_path, database)
    yield found
    found.end()


@pytest.fixture
def bus(rabbit_url: str) -> Iterator[Bus]:
    """Where Heat sends its notifications."""
    made = Bus(rabbit_url)
    yield made
    made.remove(f"{made.topic}-telemetry")
