"""The check of requirements finds what is missing and what is too much."""

from pathlib import Path

from tools.checks import requirements

PROVIDERS = {"yaml": ["PyYAML"], "oslo_config": ["oslo.config"], "six": ["six"]}


def _module(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_names_are_read_from_a_requirement_file(tmp_path: Path) -> None:
    path = _module(
        tmp_path / "requirements.txt",
        "# comment\nPyYAML>=6.0\noslo.service[threading]>=4.2  # why\n\nsix ; python_version > '3'\n",
    )

    assert requirements.required(path) == {"pyyaml", "oslo-service", "six"}


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    path = _module(
        tmp_path / "module.py",
        "import yaml.nodes\nfrom . import sibling\ndef f():\n    from oslo_config import cfg\n",
    )

    assert set(requirements.imported([path])) == {"yaml", "oslo_config"}


def test_an_import_that_is_not_required_is_a_complaint() -> None:
    where = Path("magnum/x.py")
    modules = {"yaml": where, "six": where, "nowhere": where, "os": where, "magnum": where}

    complaints, used = requirements.compare(modules, {"pyyaml"}, PROVIDERS)

    assert complaints == [
        "magnum/x.py: imports nowhere, which no requirement provides",
        "magnum/x.py: imports six, but ['six'] is not required",
    ]
    assert used == {"pyyaml"}


def test_the_plugin_may_import_what_its_extra_names_and_the_service_may_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "magnum" / "osc").mkdir(parents=True)
    for folder in ("tools", "doc"):
        (tmp_path / folder).mkdir()
    _module(tmp_path / "conftest.py", "")
    _module(tmp_path / "setup.cfg", "[extras]\nosc =\n    hypothesis>=1\n")
    _module(tmp_path / "magnum" / "osc" / "plugin.py", "import hypothesis\nimport pytest\n")
    _module(tmp_path / "magnum" / "service.py", "import hypothesis\n")
    for name in ("requirements.txt", "test-requirements.txt", "doc/requirements.txt"):
        _module(tmp_path / name, "")

    complaints = requirements.check(tmp_path)

    assert complaints == [
        f"{tmp_path}/magnum/service.py: imports hypothesis, but ['hypothesis'] is not required",
        f"{tmp_path}/magnum/osc/plugin.py: imports pytest, but ['pytest'] is not required",
    ]


def test_a_requirement_that_nothing_imports_is_a_complaint(tmp_path: Path) -> None:
    for folder in ("magnum", "tools", "doc"):
        (tmp_path / folder).mkdir()
    _module(tmp_path / "conftest.py", "import pytest\n")
    _module(tmp_path / "magnum" / "module.py", "import yaml\n")
    _module(tmp_path / "requirements.txt", "PyYAML\nstevedore\n")
    _module(tmp_path / "test-requirements.txt", "pytest\nmypy\nhypothesis\n")
    _module(tmp_path / "doc" / "requirements.txt", "sphinx\n")

    assert requirements.check(tmp_path) == [
        "requirements.txt: nothing in magnum/ imports stevedore",
        "test-requirements.txt or doc/requirements.txt: nothing uses hypothesis",
    ]
