"""Every driver of the tree is a complete directory: its files, its entry point, its options, its text for people."""

import configparser
import re
from pathlib import Path

import pytest

from magnum.drivers.authoring.validate import validate
from magnum.drivers.common.options import Options
from magnum.drivers.conformance.border import CHANGES
from magnum.drivers.contract import CONTRACT_VERSION, Verb
from magnum.drivers.heat.driver import HeatDriver
from magnum.tests.drivers import tree

CHECKOUT = Path(__file__).parents[4]
FILES = ("__init__.py", "driver.py", "version.py", "schema.json", "README.rst")
#: What a driver that builds with Heat has besides.
HEAT_FILES = ("template_def.py", "templates/cluster.yaml")
#: What every driver that builds with Heat can do.
HEAT_VERBS = {
    *(Verb.CREATE, Verb.UPDATE, Verb.DELETE, Verb.CHECK),
    *(Verb.REBUILD, Verb.SOFT_REBOOT, Verb.HARD_REBOOT),
}

every = pytest.mark.parametrize("name", tree.NAMES)
with_heat = pytest.mark.parametrize("name", tree.HEAT)


@every
def test_the_directory_is_complete(name: str) -> None:
    wanted = [*FILES, *(HEAT_FILES if name in tree.HEAT else ())]
    empty = {"__init__.py"}
    for file in wanted:
        path = tree.ROOT / name / file
        assert path.is_file(), file
        assert path.name in empty or path.read_text(encoding="utf-8").strip(), f"{file} is empty"


@every
def test_the_author_s_checks_find_nothing(name: str) -> None:
    """Imports, references in templates, shellcheck, the schema: what ``magnum-driver-manage validate`` looks at."""
    found = validate(tree.ROOT / name)
    assert found.findings == ()
    assert all("Heat" in note for note in found.notes), found.notes


@every
def test_its_entry_point_is_there(name: str) -> None:
    setup = configparser.ConfigParser()
    setup.read(CHECKOUT / "setup.cfg")
    lines = setup["entry_points"]["magnum.drivers"].split("\n")
    points = dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in lines if line.strip())
    assert points.get(name) == f"magnum.drivers.{name}.driver:Driver"


@every
def test_it_is_who_its_directory_says(name: str) -> None:
    driver = tree.driver(name)
    assert driver.name == name
    assert driver.contract == CONTRACT_VERSION
    assert re.fullmatch(r"\d+\.\d+\.\d+", driver.version)
    assert driver.provides


@every
def test_every_option_says_what_changing_it_does(name: str) -> None:
    for option, declared in Options(f"magnum.drivers.{name}").schema["properties"].items():
        assert declared.get("x-change") in CHANGES, option
        assert declared.get("description", "").strip(), option


@every
def test_every_option_is_in_its_readme(name: str) -> None:
    text = (tree.ROOT / name / "README.rst").read_text(encoding="utf-8")
    options = Options(f"magnum.drivers.{name}").schema["properties"]
    assert [option for option in options if f"``{option}``" not in text] == []


@with_heat
def test_a_heat_driver_has_all_verbs_of_its_kind(name: str) -> None:
    driver = tree.driver(name)
    assert isinstance(driver, HeatDriver)
    assert type(driver).verbs() >= HEAT_VERBS
    assert "orchestration" in driver.services


@pytest.mark.parametrize("part", ["monitor", "scaler", "endpoints"])
@every
def test_what_a_file_brings_is_what_the_driver_shows(name: str, part: str) -> None:
    """A forgotten ``monitor = ...`` in driver.py would leave the file without effect."""
    file = {"monitor": "monitor.py", "scaler": "scale.py", "endpoints": "api.py"}[part]
    assert bool(getattr(tree.driver(name), part)) == (tree.ROOT / name / file).is_file()


def test_no_two_drivers_are_for_the_same_kind_of_cluster_unless_versions_of_one() -> None:
    """A bay whose maker names no driver gets the one that is for it."""
    seen: dict[object, str] = {}
    for name in tree.HEAT:
        for kind in tree.driver(name).provides:
            word = name.rpartition("_v")[0]
            assert seen.setdefault(kind, word) == word, kind
