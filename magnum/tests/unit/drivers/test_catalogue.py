"""The catalogue, on real entry points: throw-away distributions on sys.path, some of them broken."""

import configparser
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stevedore import ExtensionManager

import magnum.drivers
from magnum.drivers import contract
from magnum.drivers.catalogue import (
    Catalogue,
    DriverMissing,
    Findings,
    Selection,
    entry_points,
    load,
)
from magnum.drivers.contract import ANY_DISTRO, Provides
from magnum.drivers.noop_v1.driver import Driver as Noop

GOOD = """
from magnum.drivers import contract

class Driver(contract.Driver):
    name = "{name}"
    version = "1.2.3"
    provides = frozenset({{contract.Provides("vm", "distro", "{coe}")}})
"""

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with one driver of the given name and source text."""
    made: list[str] = []

    def one(name: str, source: str) -> None:
        site = tmp_path / f"site{len(made)}"
        module = f"catalogue_test_{len(made)}_{name}"
        site.mkdir()
        made.append(module)
        (site / f"{module}.py").write_text(source)
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[magnum.drivers]\n{name} = {module}:Driver\n")
        monkeypatch.syspath_prepend(str(site))
        importlib.invalidate_caches()

    monkeypatch.setattr(ExtensionManager, "ENTRY_POINT_CACHE", {})  # stevedore's, for the process
    yield one
    for module in made:
        sys.modules.pop(module, None)


def only(*names: str) -> Selection:
    return Selection(enabled=frozenset(names))


def test_a_good_driver_is_found(install: Install) -> None:
    install("good_v1", GOOD.format(name="good_v1", coe="swarm"))
    found = load(only("good_v1"))
    assert found.names() == ("good_v1",)
    assert found.get("good_v1").version == "1.2.3"
    assert found.broken() == {}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("assert False, 'not here'", "AssertionError: not here"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def def", "SyntaxError"),
        ("", "AttributeError"),
        ("class Driver: pass", "is not a magnum.drivers.contract.Driver"),
        (GOOD.format(name="other_v1", coe="swarm"), "calls itself 'other_v1'"),
        (GOOD.format(name="bad_v1", coe="swarm").replace("version", "vresion"), "its version"),
        (GOOD.format(name="bad_v1", coe="swarm") + "    contract = (2, 0)\n", "version 2.0"),
        (GOOD.format(name="bad_v1", coe="x").replace("provides", "offers"), "provides nothing"),
        (
            GOOD.format(name="bad_v1", coe="x") + "    def __init__(self):\n        1 / 0\n",
            "ZeroDivisionError",
        ),
    ],
)
def test_a_broken_driver_is_listed_and_stops_nothing(
    install: Install, source: str, reason: str
) -> None:
    install("bad_v1", source)
    install("good_v1", GOOD.format(name="good_v1", coe="swarm"))
    found = load(only("bad_v1", "good_v1"))
    assert found.names() == ("good_v1",)
    assert reason in found.broken()["bad_v1"]
    with pytest.raises(DriverMissing) as missing:
        found.get("bad_v1")
    assert reason in missing.value.reason
    assert missing.value.known == ("good_v1",)


def test_two_packages_with_one_name_are_both_refused(install: Install) -> None:
    install("twin_v1", GOOD.format(name="twin_v1", coe="swarm"))
    install("twin_v1", GOOD.format(name="twin_v1", coe="swarm"))
    found = load(only("twin_v1"))
    assert found.names() == ()
    assert "several packages" in found.broken()["twin_v1"]


def test_what_is_not_selected_is_not_imported(install: Install) -> None:
    install("good_v1", GOOD.format(name="good_v1", coe="swarm"))
    install("off_v1", GOOD.format(name="off_v1", coe="swarm"))
    both = frozenset({"good_v1", "off_v1"})
    found = load(Selection(enabled=both, disabled=frozenset({"off_v1"})))
    assert found.names() == ("good_v1",)
    assert found.broken() == {}
    assert not [name for name in sys.modules if name.endswith("_off_v1")]


def test_without_a_list_all_installed_drivers_are_used(install: Install) -> None:
    install("good_v1", GOOD.format(name="good_v1", coe="swarm"))
    assert "good_v1" in load(Selection()).names()


def test_an_enabled_driver_that_nobody_has_is_broken() -> None:
    found = load(only("gone_v7"))
    assert found.names() == ()
    assert "no installed package" in found.broken()["gone_v7"]


def test_find_and_coes() -> None:
    class Swarm(contract.Driver):
        name = "swarm_x_v2"
        version = "1"
        provides = frozenset({Provides("vm", "d", "swarm"), Provides("bm", "d", "swarm")})

    class Older(Swarm):
        name = "swarm_x_v1"
        provides = frozenset({Provides("vm", "d", "swarm")})

    found = Catalogue(drivers=[Swarm(), Noop(), Older()])
    assert found.names() == ("noop_v1", "swarm_x_v1", "swarm_x_v2")
    assert [d.name for d in found.find("vm", "d", "swarm")] == ["swarm_x_v1", "swarm_x_v2"]
    assert [d.name for d in found.find("bm", "d", "swarm")] == ["swarm_x_v2"]
    assert found.find("vm", "d", "kubernetes") == ()
    assert found.provided_coes() == {"noop", "swarm"}


def test_the_first_source_that_has_a_name_wins() -> None:
    noop = Noop()
    found = load(
        Selection(),
        sources=[
            lambda _: Findings(broken={"x_v1": "bad"}),
            lambda _: Findings(drivers=(noop,)),
            lambda _: Findings(drivers=(Noop(),), broken={"x_v1": "also bad", "noop_v1": "no"}),
        ],
    )
    assert found.get("noop_v1") is noop
    assert found.broken() == {"x_v1": "bad"}


def test_the_project_registers_each_driver_directory_it_has() -> None:
    home = Path(magnum.drivers.__file__).parent
    directories = {d.name for d in home.iterdir() if re.fullmatch(r"[a-z0-9_]+_v\d+", d.name)}
    setup = configparser.ConfigParser()
    setup.read(home.parent.parent / "setup.cfg")
    lines = setup["entry_points"]["magnum.drivers"].split("\n")
    registered = dict(re.split(r"\s*=\s*", line) for line in lines if line)
    assert registered == {name: f"magnum.drivers.{name}.driver:Driver" for name in directories}
    for name, target in registered.items():
        module, _, attribute = target.partition(":")
        assert (home / name / "driver.py").exists()
        assert getattr(importlib.import_module(module), attribute).name == name


def test_entry_points_raises_nothing_when_there_are_none() -> None:
    assert entry_points(only("nobody_v0")).drivers == ()


def test_a_driver_that_does_not_care_boots_any_distribution() -> None:
    assert Provides("vm", ANY_DISTRO, "noop").boots("fedora-atomic")
    assert not Provides("vm", "ubuntu", "noop").boots("fedora-atomic")


def test_such_a_driver_is_found_for_any_distribution() -> None:
    found = Catalogue([Noop()])
    assert [driver.name for driver in found.find("vm", "fedora-atomic", "noop")] == ["noop_v1"]
    assert found.find("bm", "fedora-atomic", "noop") == ()
