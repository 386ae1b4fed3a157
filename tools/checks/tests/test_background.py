"""Environments are made in the background, the cloud's first, and give way to tests."""

import os
import threading
from pathlib import Path

import pytest

from tools.checks import background
from tools.openstack import cloud_cli, venvs
from tools.openstack.console import Progress, Trouble


def test_environments_of_clients_come_after_the_clouds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / background.CLIENTS
    folder.mkdir(parents=True)
    for name in ("two.txt", "one.txt", "notes.rst"):
        (folder / name).touch()
    built: list[tuple[Path, int]] = []

    def cached(requirements: Path, say: Progress) -> Path:
        built.append((requirements, os.nice(0)))
        if requirements.name == "one.txt":
            raise Trouble("There is no such version.")
        return tmp_path

    monkeypatch.setattr(venvs, "cached", cached)
    before = os.nice(0)
    thread = threading.Thread(target=background._environments, args=(tmp_path,))
    thread.start()
    thread.join(100)

    assert [path for path, _ in built] == [
        cloud_cli.REQUIREMENTS,
        folder / "one.txt",
        folder / "two.txt",
    ]
    assert [nice for _, nice in built] == [before, before + 5, before + 5]
    assert os.nice(0) == before
