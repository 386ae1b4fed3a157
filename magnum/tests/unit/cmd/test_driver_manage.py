"""``magnum-driver-manage``: what it lists, what its forks are, and what it finds wrong."""

import importlib.util
import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from magnum.cmd import driver_manage
from magnum.conf import CONF
from magnum.drivers import catalogue, directories
from magnum.drivers.authoring import scripts
from magnum.drivers.authoring.validate import validate

Run = Callable[..., tuple[int, str, str]]
IN_TREE = Path(catalogue.__file__).parent
#: A driver with Heat that these tests spoil.
TINY = Path(__file__).parent / "tiny_v1"


@pytest.fixture
def drivers(tmp_path: Path) -> Path:
    """An empty ``[drivers] paths``."""
    path = tmp_path / "drivers"
    path.mkdir(mode=0o755)
    return path


@pytest.fixture
def run(
    drivers: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Run the command as a shell would: exit status, output, errors."""
    config = drivers.parent / "magnum.conf"
    config.write_text(f"[drivers]\npaths = {drivers}\n")
    # Other tests hold settings of this process.
    monkeypatch.setattr(logging, "disable", lambda level: None)

    def run(*words: str) -> tuple[int, str, str]:
        line = ["magnum-driver-manage", "--config-file", str(config), *words]
        monkeypatch.setattr(sys, "argv", line)
        try:
            status = driver_manage.main()
        except SystemExit as error:
            status = int(str(error.code))
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    yield run
    CONF.reset()


def forked(run: Run, drivers: Path, other: str = "", name: str = "herd_v2") -> Path:
    other = other or str(put(TINY, drivers.parent / "elsewhere"))
    status, out, err = run("new", name, "--from", other, "--to", str(drivers))
    assert (status, err) == (0, ""), out + err
    return drivers / name


def put(source: Path, place: Path) -> Path:
    """A copy of a driver's directory, with rights that the service takes."""
    copied = place / source.name
    shutil.copytree(
        source, copied, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
    )
    for path in (place, copied, *copied.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o022)
    return copied


def listed(run: Run, *words: str) -> dict[str, dict[str, str]]:
    status, out, _ = run("list-drivers", "-f", "json", *words)
    assert status == 0
    return {row["Name"]: row for row in json.loads(out)}


# --- list-drivers, show ------------------------------------------------------------------------------------------


def test_the_list_has_the_columns_that_operators_know_first(run: Run) -> None:
    status, out, _ = run("list-drivers", "-d", "-p")
    head = [cell.strip() for cell in out.splitlines()[1].strip("|").split("|")]
    assert status == 0
    assert head[:5] == ["Name", "Server_Type", "OS", "COE", "Template Path"]
    row = next(line for line in out.splitlines() if "swarm_atomic_v1" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:4] == ["swarm_atomic_v1", "vm", "fedora-atomic", "swarm"]
    assert cells[4].endswith("swarm_atomic_v1/templates/cluster.yaml")


def test_the_list_tells_sources_and_what_is_broken_and_why(run: Run, drivers: Path) -> None:
    forked(run, drivers, "noop_v1", "mine_v1")
    broken = forked(run, drivers, "noop_v1", "torn_v1")
    (broken / "driver.py").write_text("import nothing_of_this_name\n")
    found = listed(run, "-p")
    assert found["noop_v1"]["Source"] == "entry point"
    assert (found["mine_v1"]["Source"], found["mine_v1"]["State"]) == ("directory", "usable")
    assert found["mine_v1"]["Path"] == str(drivers / "mine_v1")
    assert found["torn_v1"]["State"] == "broken"
    assert "nothing_of_this_name" in found["torn_v1"]["Reason"]


def test_a_driver_that_is_disabled_is_listed_as_such(run: Run, drivers: Path) -> None:
    forked(run, drivers, "noop_v1", "mine_v1")
    config = drivers.parent / "magnum.conf"
    config.write_text(config.read_text() + "disabled_drivers = mine_v1, swarm_atomic_v1\n")
    found = listed(run)
    states = {name: row["State"] for name, row in found.items()}
    disabled = {name for name, state in states.items() if state == "disabled"}
    assert disabled == {"mine_v1", "swarm_atomic_v1"}
    assert states["noop_v1"] == "usable"


def test_columns_can_be_chosen_in_every_format(run: Run) -> None:
    status, out, _ = run("list-drivers", "-d", "-f", "value", "-c", "Name", "-c", "coe")
    assert (status, "noop_v1 noop" in out.splitlines()) == (0, True)
    _, out, _ = run("list-drivers", "-f", "csv", "-c", "Name")
    assert out.splitlines()[0] == '"Name"'
    assert '"noop_v1"' in out.splitlines()
    status, _, err = run("list-drivers", "-c", "Colour")
    assert status == 1
    assert "no column Colour; there are Name, " in err


def test_one_driver_is_shown_by_name_and_by_directory(run: Run, drivers: Path) -> None:
    path = forked(run, drivers)
    for name in ("herd_v2", str(path)):
        status, out, _ = run("show", name)
        assert status == 0
        assert out.startswith("herd_v2 1.0.0\n")
        assert "provides   vm / tiny-distro / tiny" in out
        assert "patience  integer, fixed, default 900" in out
        assert "besides    monitor, scaler" in out
        assert "services   orchestration" in out
        assert "GET size  for members\n      How many nodes the cluster has." in out
    shown = json.loads(run("show", "-f", "json", "herd_v2")[1])
    assert (shown["name"], shown["path"]) == ("herd_v2", str(path))
    assert "create" in shown["verbs"]
    assert {"monitor", "scaler"} <= set(shown["besides"])
    (endpoint,) = shown["endpoints"]
    assert (endpoint["name"], endpoint["who"], endpoint["secret"]) == ("size", "member", False)
    assert endpoint["response"]["properties"] == {"nodes": {"type": "integer"}}


def test_a_name_that_is_not_there_is_told_with_those_that_are(run: Run) -> None:
    status, _, err = run("show", "nobody_v1")
    assert status == 1
    assert err.startswith("There is no driver and no directory 'nobody_v1'. Drivers: ")
    assert " noop_v1, swarm_atomic_v1" in err


# --- new ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["noop_v1", "tiny_v1"])
def test_a_fork_is_a_driver_of_its_own(run: Run, drivers: Path, other: str) -> None:
    path = forked(run, drivers, "" if other == TINY.name else other)
    folder = directories.look([str(drivers)])["herd_v2"]
    driver = directories.Directories(lambda: [str(drivers)]).driver(folder, catalogue.fault_of)
    assert not isinstance(driver, str), driver
    assert (driver.name, driver.version) == ("herd_v2", "1.0.0")
    assert validate(path).findings == ()
    readme = (path / "README.rst").read_text()
    assert readme.startswith("=======\nherd_v2\n=======\n")
    assert other not in readme
    assert other not in (path / "schema.json").read_text()


def test_a_fork_of_a_packaged_driver_imports_its_own_modules(run: Run, drivers: Path) -> None:
    source = forked(run, drivers, "noop_v1", "first_v1")
    text = (source / "driver.py").read_text()
    assert "from . import " in text
    package = f"{directories.PACKAGE}.first_v1"
    absolute = text.replace("from . import ", f"from {package} import ")
    from magnum.drivers.authoring import fork

    changed = fork._relative_imports(absolute, package)
    assert changed == text


def test_a_fork_goes_to_the_first_path_of_the_configuration(run: Run, drivers: Path) -> None:
    status, out, _ = run("new", "mine_v1", "--from", "noop_v1")
    assert status == 0
    assert (drivers / "mine_v1" / "driver.py").is_file()
    assert "paths =" not in out  # the service finds it as it is


def test_a_fork_elsewhere_comes_with_what_to_configure(run: Run, tmp_path: Path) -> None:
    _, out, _ = run("new", "mine_v1", "--from", "noop_v1", "--to", str(tmp_path / "other"))
    assert f"{tmp_path / 'drivers'},{tmp_path / 'other'}" in out


@pytest.mark.parametrize("name", ["mine", "Mine_v1", "mine-v1", "mine_v", "../mine_v1", "v1"])
def test_a_fork_needs_a_name_that_the_service_takes(run: Run, drivers: Path, name: str) -> None:
    status, _, err = run("new", name, "--from", "noop_v1")
    assert status == 1
    assert "such as mine_v1" in err
    assert list(drivers.iterdir()) == []


def test_a_fork_overwrites_nothing(run: Run, drivers: Path) -> None:
    path = forked(run, drivers, "noop_v1", "mine_v1")
    (path / "driver.py").write_text("mine")
    status, _, err = run("new", "mine_v1", "--from", "swarm_atomic_v1")
    assert (status, (path / "driver.py").read_text()) == (1, "mine")
    assert "is there already" in err


# --- validate ----------------------------------------------------------------------------------------------------

#: File, what is replaced, by what, and what has to be said, with the line where there is one.
WRONG = [
    ("version.py", 'driver = "herd"', 'driver = "horde"', "version.py: driver is 'horde'"),
    ("version.py", 'version = "1.0.0"', "", "does not set version"),
    ("driver.py", "version = release", 'version = "2.0.0"', "that of version.py is 1.0.0"),
    ("driver.py", '"herd_v2"', '"else_v2"', "calls itself 'else_v2'"),
    ("driver.py", "from .version", "from .verzion", "ModuleNotFoundError"),
    (
        "driver.py",
        "from magnum.drivers.contract",
        "from magnum.db import session\nfrom magnum.drivers.contract",
        "It imports magnum.db.session.",
    ),
    ("template_def.py", "API_PORT = 2376", "API_PORT = (", "template_def.py:"),
    ("schema.json", '"type": "object",', '"type": "object"', "schema.json:5: It is no JSON"),
    ("schema.json", '"type": "integer"', '"type": "int"', "It is no JSON Schema"),
    ("schema.json", '"default": 900', '"default": 9', "default of patience is not allowed"),
    ("schema.json", '"x-change": "fixed"', '"x-change": "hard"', "does not say what changing it"),
    ("templates/node.yaml", "{get_param: image}", "{get_param: imago}", "no parameter imago"),
    ("templates/node.yaml", "{get_resource: volume}", "{get_resource: v}", "no resource v."),
    ("templates/node.yaml", "get_file: begin", "get_file: r", "There is no file r."),
    ("templates/node.yaml", "condition: has_volume", "condition: b", "There is no condition b."),
    ("templates/node.yaml", "depends_on: [server]", "depends_on: [s]", "no resource s."),
    (
        "templates/node.yaml",
        "type: OS::Nova::Server\n",
        "type: OS::Nova::Server\n    type: X\n",
        "twice",
    ),
    (
        "templates/node.yaml",
        "  flavor: {type: string}",
        "  flavour: {type: string}",
        "no parameter flavor",
    ),
    (
        "templates/node.yaml",
        "parameters:\n",
        "parameters:\n  more: {type: string}\n",
        "needs the parameter more",
    ),
    (
        "templates/cluster.yaml",
        "heat_template_version",
        "# heat_template_version",
        "no heat_template_version",
    ),
    ("templates/cluster.yaml", "type: node.yaml", "type: nod.yaml", "There is no file nod.yaml"),
    ("templates/cluster.yaml", "outputs:\n", "outputs:\n - [\n", "It is no YAML"),
    (
        "templates/cluster.yaml",
        "outputs:\n",
        "outputs:\n  shown: {value: {get_param: token}}\n",
        "can read it in output 'shown' of the template",
    ),
    (
        "templates/node.yaml",
        "token: {type: string, hidden: true}",
        "token: {type: string}",
        "can read it in parameter 'token' of node.yaml",
    ),
    (
        "driver.py",
        "    endpoints = ENDPOINTS\n",
        "",
        "api.py: It is not used: the driver's 'endpoints'",
    ),
    ("driver.py", "    monitor = TinyMonitor()\n", "", "monitor.py: It is not used"),
    ("driver.py", "    scaler = TinyScaler()\n", "", "scale.py: It is not used"),
    ("monitor.py", "def look(", "def see(", "monitor.py: The monitor has no method 'look'"),
    ("scale.py", "def missing(", "def lacks(", "scale.py: The scaler has no method 'missing'"),
    ("api.py", "How many nodes the cluster has.", "", "its help should be one line"),
    ("api.py", '"size",', '"How Big",', "small letters, digits and hyphens"),
]


@pytest.mark.parametrize(("file", "old", "new", "said"), WRONG)
def test_what_is_wrong_is_found(
    run: Run, drivers: Path, file: str, old: str, new: str, said: str
) -> None:
    path = forked(run, drivers)
    text = (path / file).read_text()
    assert old in text
    (path / file).write_text(text.replace(old, new, 1))
    status, out, _ = run("validate", str(path))
    assert status == 1
    assert said in out


@pytest.mark.parametrize(
    "name", ["driver.py", "version.py", "schema.json", "README.rst", "templates/cluster.yaml"]
)
def test_every_file_is_needed(run: Run, drivers: Path, name: str) -> None:
    path = forked(run, drivers)
    (path / name).unlink()
    status, out, _ = run("validate", str(path))
    assert (status, f"{path}/{name}: There is n" in out) == (1, True)


def test_a_finding_tells_the_line(run: Run, drivers: Path) -> None:
    path = forked(run, drivers)
    template = path / "templates" / "node.yaml"
    text = template.read_text()
    template.write_text(text.replace("{get_param: image}", "{get_param: imago}"))
    line = text[: text.index("{get_param: image}")].count("\n") + 1
    assert f"{path}/templates/node.yaml:{line}: " in run("validate", str(path))[1]


@pytest.mark.skipif(scripts.shellcheck() is None, reason="shellcheck is not installed")
def test_scripts_are_looked_at(run: Run, drivers: Path) -> None:
    path = forked(run, drivers)
    script = path / "templates" / "prepare"
    script.write_text("#!/bin/sh\ncd /nowhere\necho $undefined_thing\n")
    status, out, _ = run("validate", str(path))
    assert status == 1
    assert f"{path}/templates/prepare:2: " in out
    assert "SC2164" in out


def test_without_shellcheck_that_is_said(
    run: Run, drivers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = forked(run, drivers)
    (path / "templates" / "prepare").write_text("#!/bin/sh\n")
    monkeypatch.setattr(scripts, "shellcheck", lambda: None)
    status, out, _ = run("validate", str(path))
    assert (status, "note: shellcheck is not installed" in out) == (0, True)


def test_a_directory_that_others_may_write_is_found(run: Run, drivers: Path) -> None:
    path = forked(run, drivers)
    (path / "driver.py").chmod(0o666)
    status, out, _ = run("validate", str(path))
    assert (status, "may be written by others" in out) == (1, True)


def test_a_folder_that_is_no_driver_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "else.py").write_text("def (")
    status, out, _ = run("validate", str(tmp_path))
    assert (status, out.count("\n")) == (1, 2)


@pytest.mark.parametrize(
    "name", sorted(path.parent.name for path in IN_TREE.glob("*_v[0-9]*/driver.py"))
)
def test_a_driver_of_the_tree_is_well(tmp_path: Path, name: str) -> None:
    assert validate(put(IN_TREE / name, tmp_path / "drivers")).findings == ()


def test_a_part_without_its_file_is_found(run: Run, drivers: Path) -> None:
    path = forked(run, drivers)
    driver = path / "driver.py"
    driver.write_text(driver.read_text().replace("from .monitor import", "from .other import"))
    (path / "monitor.py").rename(path / "other.py")
    status, out, _ = run("validate", str(path))
    assert (status, "monitor.py: The driver has 'monitor', and there is no such file" in out) == (
        1,
        True,
    )


# --- diff --------------------------------------------------------------------------------------------------------


def test_two_versions_are_compared(run: Run, drivers: Path) -> None:
    path = forked(run, drivers)
    changes = (
        ("version.py", "1.0.0", "1.1.0"),
        ("schema.json", '"default": 900', '"default": 600'),
        ("api.py", "        _size,\n", "        _size,\n        who=Who.READER,\n"),
        ("api.py", "import Endpoint, Work", "import Endpoint, Who, Work"),
        ("driver.py", "    scaler = TinyScaler()\n", ""),
        ("driver.py", '{"orchestration"}', '{"orchestration", "compute"}'),
        (
            "templates/node.yaml",
            "parameters:\n",
            "parameters:\n  more: {type: string, default: x}\n",
        ),
        (
            "templates/node.yaml",
            "resources:\n",
            "resources:\n  r: {type: OS::Heat::RandomString}\n",
        ),
    )
    for file, old, new in changes:
        text = (path / file).read_text()
        (path / file).write_text(text.replace(old, new, 1))
    found = json.loads(
        run("diff", str(drivers.parent / "elsewhere" / "tiny_v1"), str(path), "-f", "json")[1]
    )
    assert "~ version: 1.0.0 -> 1.1.0" in found["identity"]
    assert found["endpoints"] == ['~ GET size: who "member" -> "reader"']
    assert found["beside the verbs"] == ["- scaler"]
    assert found["services"] == ["+ compute"]
    assert found["options"] == ["~ patience: default 900 -> 600"]
    assert found["template parameters"] == ["+ node.yaml: more"]
    assert found["resources"] == ["+ OS::Heat::RandomString: 0 -> 1"]
    assert "~ templates/node.yaml" in found["files"]


def test_what_is_the_same_has_no_difference(run: Run) -> None:
    assert run("diff", "noop_v1", "noop_v1")[1] == "no difference\n"


# --- conformance


@pytest.fixture
def without_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def hidden(name: str) -> object:
        return None if name == "pytest" else find(name)

    monkeypatch.setattr(importlib.util, "find_spec", hidden)


@pytest.mark.usefixtures("without_pytest")
def test_the_suite_runs_without_pytest(run: Run, drivers: Path) -> None:
    path = forked(run, drivers, "noop_v1", "mine_v1")
    status, out, _ = run("conformance", "mine_v1")
    assert status == 0
    assert out.startswith(f"trying mine_v1 1.0.0 from {path}\n")
    assert " passed" in out
    text = (path / "driver.py").read_text()
    (path / "driver.py").write_text(text.replace("return Done() if verb", "return None if verb"))
    status, out, _ = run("conformance", "mine_v1")
    assert (status, "FAILED reaches_its_end[delete]: " in out) == (1, True)
    status, _, err = run("conformance", "mine_v1", "--", "-x")
    assert (status, "need pytest" in err) == (1, True)


def test_the_suite_runs_with_pytest() -> None:
    command = [sys.executable, "-m", "magnum.cmd.driver_manage", "conformance", "noop_v1"]
    command += ["--", "-k", "says_who_it_is or declares"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "3 passed" in done.stdout) == (0, True), done.stdout + done.stderr


# --- the command -------------------------------------------------------------------------------------------------


def test_only_the_suite_takes_arguments_for_pytest(run: Run) -> None:
    status, _, err = run("list-drivers", "--", "-x")
    assert status == 2
    assert "only conformance" in err


def test_a_configuration_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["magnum-driver-manage", "--config-file", "/no/such", "list-drivers"]
    monkeypatch.setattr(sys, "argv", line)
    monkeypatch.setattr(logging, "disable", lambda level: None)
    assert driver_manage.main() == 1
    assert "Cannot read the configuration" in capsys.readouterr().err
