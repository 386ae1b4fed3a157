"""Configuration files and passwords."""

import stat
from pathlib import Path

from tools.openstack import config


def test_render_writes_sections_lists_booleans_and_escapes_dollars() -> None:
    text = config.render({"DEFAULT": {"debug": False, "drivers": ("a", "b")}, "db": {"url": "x$y"}})
    assert text == "[DEFAULT]\ndebug = false\ndrivers = a,b\n\n[db]\nurl = x$$y\n"


def test_write_is_private_and_reports_changes(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "a.conf"
    assert config.write(path, {"DEFAULT": {"a": 1}})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not config.write(path, {"DEFAULT": {"a": 1}})
    assert config.write(path, {"DEFAULT": {"a": 2}})


def test_merged_puts_options_together() -> None:
    result = config.merged({"a": {"x": 1, "y": 1}}, {"a": {"y": 2}, "b": {"z": 3}})
    assert result == {"a": {"x": 1, "y": 2}, "b": {"z": 3}}


def test_passwords_are_made_once(tmp_path: Path) -> None:
    path = tmp_path / "passwords.json"
    first = config.Passwords(path)["heat"]
    assert len(first) == 32
    assert config.Passwords(path)["heat"] == first
    assert config.Passwords(path)["nova"] != first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_openrc_can_be_sourced() -> None:
    text = config.openrc(auth_url="http://h:5000", username="u", password="p", project="q")
    assert "export OS_AUTH_URL=http://h:5000/v3\n" in text
    assert "export OS_PROJECT_NAME=q\n" in text
