"""When the environment of a checkout is up to date."""

from pathlib import Path

import pytest

from tools.openstack import venvs
from tools.openstack.console import Progress


@pytest.fixture(name="installed")
def steps(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What pip was asked for; nothing is installed."""
    asked: list[list[str]] = []
    monkeypatch.setattr(venvs, "create", lambda folder: folder.mkdir(parents=True))
    monkeypatch.setattr(venvs, "interpreter_matches", Path.exists)
    monkeypatch.setattr(venvs, "install", lambda folder, step, say: asked.append(step))
    return asked


@pytest.mark.parametrize("name", ["setup.cfg", "requirements.txt"])
def test_it_is_renewed_when_the_package_is_described_anew(
    tmp_path: Path, installed: list[list[str]], name: str
) -> None:
    quiet = Progress(quiet=True)
    (tmp_path / name).write_text("before")
    assert not venvs.is_current(tmp_path)
    for _ in range(2):
        venvs.of_checkout(tmp_path, quiet)
        assert venvs.is_current(tmp_path)
    assert len(installed) == 1
    (tmp_path / name).write_text("after")
    assert not venvs.is_current(tmp_path)
    venvs.of_checkout(tmp_path, quiet)
    assert venvs.is_current(tmp_path)
    assert len(installed) == 2
