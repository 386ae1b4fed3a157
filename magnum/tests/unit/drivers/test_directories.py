"""Drivers in directories: found, taken up while the process runs, refused, and broken without harm."""

import os
import py_compile
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from magnum.conf import CONF
from magnum.drivers import directories
from magnum.drivers.catalogue import Catalogue, DriverMissing, Shelf

SOURCE = """
from magnum.drivers import contract
from .version import version as release

class Driver(contract.Driver):
    name = "{name}"
    version = release
    provides = frozenset({{contract.Provides("vm", "distro", "mine")}})
"""


class Clock:
    """Moves on at every look, further than the refresh."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 10.0
        return self.now


class Place:
    """A path with drivers in it, and a process that watches it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shelf = Shelf(Clock())

    def write(self, name: str = "mine_v1", version: str = "1.0.0", source: str = SOURCE) -> Path:
        folder = self.path / name
        folder.mkdir(mode=0o755, exist_ok=True)
        for file, text in (
            ("driver.py", source.format(name=name)),
            ("version.py", f"version = '{version}'\n"),
        ):
            (folder / file).write_text(text)
            (folder / file).chmod(0o644)
        return folder

    def now(self) -> Catalogue:
        """What the process has, after it has had the time to look twice."""
        self.shelf.catalogue()
        return self.shelf.catalogue()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    path = tmp_path / "drivers"
    path.mkdir(mode=0o755)
    CONF.set_override("paths", [str(path)], "drivers")
    CONF.set_override("enabled_drivers", ["mine_v1", "other_v1", "noop_v1"], "drivers")
    yield Place(path)
    CONF.clear_override("paths", "drivers")
    CONF.clear_override("enabled_drivers", "drivers")


def test_a_directory_is_a_driver(place: Place) -> None:
    place.write()
    assert place.now().get("mine_v1").version == "1.0.0"


def test_it_comes_changes_and_goes_without_a_restart(place: Place) -> None:
    assert "mine_v1" not in place.now().names()
    place.write()
    first = place.now().get("mine_v1")
    place.write(version="1.1.0")
    second = place.now().get("mine_v1")
    assert (first.version, second.version) == ("1.0.0", "1.1.0")
    assert type(first) is not type(second)  # who is at work with the old one keeps it
    shutil.rmtree(place.path / "mine_v1")
    with pytest.raises(DriverMissing):
        place.now().get("mine_v1")


def test_what_did_not_change_is_not_made_anew(place: Place) -> None:
    place.write()
    first = place.now().get("mine_v1")
    place.write("other_v1")
    assert place.now().names() == ("mine_v1", "noop_v1", "other_v1")
    assert place.now().get("mine_v1") is first


def test_a_directory_that_is_being_written_is_not_taken_up_yet(place: Place) -> None:
    place.write()
    place.now()
    for minor in range(1, 4):
        place.write(version=f"1.{minor}.0")
        assert place.shelf.catalogue().get("mine_v1").version == "1.0.0"
    assert place.now().get("mine_v1").version == "1.3.0"


def test_one_that_has_rested_is_taken_up_at_the_first_look(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.shelf.catalogue()
    place.write()
    assert "mine_v1" not in place.shelf.catalogue().names()
    place.write(version="1.1.0")
    monkeypatch.setattr(directories, "RESTED_SECONDS", -1.0)
    assert place.shelf.catalogue().get("mine_v1").version == "1.1.0"


def test_what_python_compiled_of_an_earlier_state_is_not_used(place: Place) -> None:
    folder = place.write()
    py_compile.compile(str(folder / "version.py"))
    before = (folder / "version.py").stat()
    place.write(version="1.1.0")
    os.utime(folder / "version.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert place.now().get("mine_v1").version == "1.1.0"


def test_nothing_is_written_into_a_directory(place: Place) -> None:
    folder = place.write()
    assert "mine_v1" in place.now().names()
    assert sorted(path.name for path in folder.iterdir()) == ["driver.py", "version.py"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def (", "SyntaxError"),
        ("x = 1", "Driver"),
        ("Driver = int", "is not a magnum.drivers.contract.Driver"),
        (SOURCE.replace("{name}", "else_v1"), "calls itself 'else_v1'"),
    ],
)
def test_a_broken_one_is_listed_with_its_reason_and_stops_nothing(
    place: Place, source: str, reason: str
) -> None:
    place.write(source=source)
    place.write("other_v1")
    found = place.now()
    assert reason in found.broken()["mine_v1"]
    assert "other_v1" in found.names()
    place.write()
    assert "mine_v1" in place.now().names()


@pytest.mark.parametrize("which", [".", "driver.py", "version.py", ".."])
def test_what_others_may_write_is_refused_until_that_is_put_right(place: Place, which: str) -> None:
    folder = place.write()
    culprit = (folder / which).resolve()
    mode = culprit.stat().st_mode
    culprit.chmod(mode | 0o002)
    assert "may be written by others" in place.now().broken()["mine_v1"]
    culprit.chmod(mode)
    if which == "..":  # not a part of the driver, so another look needs a change of it
        place.write(version="1.0.1")
    assert "mine_v1" in place.now().names()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user_is_refused(place: Place) -> None:
    os.chown(place.write() / "version.py", 12345, 12345)
    assert "belongs to user 12345" in place.now().broken()["mine_v1"]


def test_a_directory_goes_before_an_installed_driver_of_the_name(place: Place) -> None:
    assert place.now().get("noop_v1").version == "1.0.0"
    place.write("noop_v1", version="9.0.0")
    assert place.now().get("noop_v1").version == "9.0.0"
    shutil.rmtree(place.path / "noop_v1")
    assert place.now().get("noop_v1").version == "1.0.0"


def test_a_broken_directory_does_not_bring_the_installed_one_back(place: Place) -> None:
    place.write("noop_v1", source="def (")
    assert "noop_v1" not in place.now().names()
    assert "SyntaxError" in place.now().broken()["noop_v1"]


def test_the_first_path_wins(place: Place, tmp_path: Path) -> None:
    second = Place(tmp_path / "more")
    second.path.mkdir(mode=0o755)
    second.write(version="2.0.0")
    CONF.set_override("paths", [str(place.path), str(second.path), "/no/such"], "drivers")
    assert place.now().get("mine_v1").version == "2.0.0"
    place.write()
    assert place.now().get("mine_v1").version == "1.0.0"


def test_other_folders_and_files_are_not_looked_at(place: Place) -> None:
    (place.path / "README").write_text("hello")
    (place.path / "notes").mkdir()
    bad = place.write("not-a-name")
    assert directories.look([str(place.path)]) == {}
    assert bad.exists()


def test_files_beside_the_code_are_found(place: Place) -> None:
    source = (
        SOURCE
        + "    from importlib import resources\n"
        + "    template_version = resources.files(__package__).joinpath('note.txt').read_text()\n"
    )
    folder = place.write(source=source)
    (folder / "note.txt").write_text("7")
    assert place.now().get("mine_v1").template_version == "7"
