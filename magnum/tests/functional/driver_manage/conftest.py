"""What tests of directories of drivers share: a place for them that conductor processes and this process watch."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from magnum.conf import CONF
from magnum.drivers import catalogue
from magnum.drivers.contract import Driver
from magnum.tests import engine
from magnum.tests.functional.conductor import processes
from magnum.tests.functional.conductor.processes import Conductors, until


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty path of ``[drivers] paths``, as this process has it configured too."""
    path = tmp_path / "drivers"
    path.mkdir(mode=0o755)
    CONF.set_override("paths", [str(path)], "drivers")
    CONF.set_override("refresh_seconds", 0.1, "drivers")
    monkeypatch.setattr(processes, "PATIENCE", 400.0)  # Ansible takes its time on a busy machine
    yield path
    CONF.clear_override("paths", "drivers")
    CONF.clear_override("refresh_seconds", "drivers")


@pytest.fixture
def conductors(tmp_path: Path, place: Path) -> Iterator[Conductors]:
    """Starts conductor processes on SQLite; what is left of them is killed afterwards."""
    url = f"sqlite:///{tmp_path}/magnum.sqlite"
    engine.use_database(url)
    found = Conductors(tmp_path, url)
    yield found
    found.end()


@pytest.fixture
def settings(place: Path) -> str:
    """The rest of a conductor's configuration."""
    return f"[heat_events]\nenabled = false\n[drivers]\npaths = {place}\nrefresh_seconds = 0.1\n"


@pytest.fixture
def driver(place: Path) -> Callable[[str, str], Driver]:
    """Waits until this process has taken up a driver of a name and version."""

    def wait(name: str, version: str) -> Driver:
        def found() -> Driver | None:
            known = catalogue.catalogue()
            if name not in known.names():
                return None
            driver = known.get(name)
            return driver if driver.version == version else None

        one = until(found)
        assert isinstance(one, Driver)
        return one

    return wait


def put(source: Path, place: Path) -> Path:
    """Copy a driver's directory to a path of drivers."""
    target = place / source.name
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (target, *target.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o022)
    return target
