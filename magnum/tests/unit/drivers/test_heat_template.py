"""Reading a driver's templates: every file that is referred to, under the name it is referred by."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from magnum.drivers.contract import Work
from magnum.drivers.heat.template import TemplateDefinition, bundle
from magnum.tests.unit.drivers.fakes import make_work

MAIN = """
heat_template_version: 2018-03-02
resources:
  group:
    type: OS::Heat::ResourceGroup
    properties: {resource_def: {type: inner.yaml}}
  config: {properties: {config: {get_file: scripts/a.sh}}}
"""
INNER = """
heat_template_version: 2018-03-02
parameters: {type: {type: string, default: not-a-file}}
resources:
  - {get_file: scripts/a.sh}
  - {get_file: common/lib.sh}
  - {type: deeper.yaml}
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    templates = tmp_path / "driver_for_template_test" / "templates"
    (templates / "scripts").mkdir(parents=True)
    (templates.parent / "__init__.py").touch()
    (templates / "main.yaml").write_text(MAIN)
    (templates / "inner.yaml").write_text(INNER)
    (templates / "deeper.yaml").write_text("resources: {again: {type: inner.yaml}}")
    (templates / "scripts" / "a.sh").write_text("echo $(not yaml: {")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    bundle.cache_clear()
    return "driver_for_template_test"


def test_every_file_is_found_once_at_every_depth(package: str) -> None:
    found = bundle(package, "main.yaml")
    assert found.template == MAIN
    assert list(found.files) == ["common/lib.sh", "deeper.yaml", "inner.yaml", "scripts/a.sh"]
    assert found.files["scripts/a.sh"] == "echo $(not yaml: {"
    assert "node_value" in found.files["common/lib.sh"]


def test_a_file_that_is_not_there_is_named(package: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"other\.yaml"):
        bundle(package, "other.yaml")


def test_what_is_none_is_left_to_the_template(package: str) -> None:
    class Definition(TemplateDefinition):
        main = "main.yaml"
        mutable = frozenset({"b", "d"})

        def parameters(self, work: Work) -> dict[str, Any]:
            return {"a": 1, "b": 0, "c": None, "d": None}

    Definition.package = package
    assert Definition().launch(make_work()).parameters == {"a": 1, "b": 0}
    assert Definition().changes(make_work()) == {"b": 0}


def test_our_templates_parse() -> None:
    found = bundle("magnum.drivers.swarm_atomic_v1", "cluster.yaml")
    assert yaml.safe_load(found.template)["resources"]
    for name, text in found.files.items():
        if name.endswith(".yaml"):
            assert yaml.safe_load(text)["resources"], name
