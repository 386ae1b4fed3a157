"""What tests of the lifecycle share: a world with a judge, and the machine that acts in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from magnum.tests.functional.lifecycle.judge import Judge
from magnum.tests.functional.lifecycle.lives import Lives, machine
from magnum.tests.functional.lifecycle.world import a_world


@pytest.fixture
def lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Lives]]:
    """The class of the state machine, bound to a fresh world."""
    judge = Judge()
    with a_world(tmp_path, monkeypatch, judge.wrote) as world:
        judge.world = world
        yield machine(world, judge)
