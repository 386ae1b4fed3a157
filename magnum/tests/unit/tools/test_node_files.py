"""What is written for nodes: control groups' places, the config drive, images for docker, the command's help."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tools.node_run import archives, cgroups, debian, places, seed
from tools.node_run.plan import Spec

LAUNCHER = places.CHECKOUT / "tools" / "nodes"


def test_a_group_is_made_below_ones_own_in_every_hierarchy() -> None:
    found = cgroups.own("9:name=systemd:/\n4:memory:/jobs/1\n3:cpu,cpuacct:/\n0::/\n")
    assert str(found["systemd"]) == "/sys/fs/cgroup/systemd"
    assert str(found["memory"]) == "/sys/fs/cgroup/memory/jobs/1"
    assert str(found["cpu,cpuacct"]) == "/sys/fs/cgroup/cpu,cpuacct"
    assert "" in found


def test_removing_a_group_waits_for_those_in_it(tmp_path: Path) -> None:
    (tmp_path / "g" / "deep" / "deeper").mkdir(parents=True)
    assert cgroups.remove([tmp_path / "g", tmp_path / "never"]) == []
    assert not (tmp_path / "g").exists()
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "file").touch()
    assert cgroups.remove([tmp_path / "busy"], patience=0.1) == [tmp_path / "busy"]


def test_a_node_finds_its_config_drive(tmp_path: Path) -> None:
    key = "5f0c9a5e-0000-0000-0000-000000000001"
    seed.write(tmp_path, Spec(key, "n1", b"#!/bin/sh\n", (), {"meta": {"a": "b"}}))
    drive = tmp_path / "var/lib/cloud/seed/config_drive/openstack/latest"
    told = json.loads((drive / "meta_data.json").read_text())
    assert (told["uuid"], told["hostname"], told["meta"]) == (key, "n1", {"a": "b"})
    assert (drive / "user_data").read_bytes() == b"#!/bin/sh\n"
    assert (drive / "user_data").stat().st_mode & 0o077 == 0
    assert (tmp_path / "etc/hostname").read_text() == "n1\n"


def test_a_name_is_made_an_id_where_there_is_no_server() -> None:
    one, two = (seed.meta_data(Spec(key, key, b"", ()))["uuid"] for key in ("n1", "n2"))
    assert one != two
    assert len(one) == 36


def test_an_image_names_its_layer_by_its_digest(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("x")
    archive = tmp_path / "image.tar"
    links = {"bin/other": "program"}
    archives.write(archive, "a/b:1", {"bin/program": program}, links=links, folders=("tmp",))
    with tarfile.open(archive) as tar:

        def text(name: str) -> bytes:
            member = tar.extractfile(name)
            assert member is not None
            return member.read()

        (manifest,) = json.loads(text("manifest.json"))
        layer = text(manifest["Layers"][0])
        configuration = json.loads(text(manifest["Config"]))
        assert manifest["RepoTags"] == ["a/b:1"]
        assert configuration["rootfs"]["diff_ids"] == [
            f"sha256:{hashlib.sha256(layer).hexdigest()}"
        ]
        (tmp_path / "layer.tar").write_bytes(layer)
    with tarfile.open(tmp_path / "layer.tar") as tar:
        modes = {member.name: member.mode for member in tar}
        assert modes["bin/program"] == 0o755
        assert modes["tmp"] == 0o1777
        assert tar.getmember("bin/other").linkname == "program"
    first = archive.read_bytes()
    archives.write(archive, "a/b:1", {"bin/program": program}, links=links, folders=("tmp",))
    assert archive.read_bytes() == first


def test_a_cached_thing_is_named_after_all_it_is_made_of() -> None:
    known = {
        debian.fingerprint(*parts) for parts in (("a", "b"), ("ab",), ("a", "b", "c"), ("b", "a"))
    }
    assert len(known) == 4


@pytest.mark.parametrize(
    "command",
    ["check", "image", "boot", "list", "sh", "kill", "reboot", "console", "down", "follow"],
)
def test_every_command_has_help(command: str) -> None:
    environment = {**os.environ, "PYTHON": sys.executable}
    words = [str(LAUNCHER), command, "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: tools/nodes {command}")
