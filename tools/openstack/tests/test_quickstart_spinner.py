"""Progress on a terminal and elsewhere."""

import io
import time

import pytest

from tools.openstack.console import Progress


class Terminal(io.StringIO):
    """A stdout that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def spin(monkeypatch: pytest.MonkeyPatch, out: io.StringIO) -> str:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", out)
    say = Progress()
    with say.waiting("boiling"):
        time.sleep(0.4)
        say("water")
    return out.getvalue()


def test_turns_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = spin(monkeypatch, Terminal())
    assert shown.count("boiling") >= 2
    assert shown.endswith("\r\033[K")  # nothing is left of it
    assert " s  water\n" in shown


def test_is_not_there_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = spin(monkeypatch, io.StringIO())
    assert "boiling" not in shown
    assert shown.count("\n") == 1


def test_goes_on_counting_in_another_process(capsys: pytest.CaptureFixture[str]) -> None:
    Progress(began=time.monotonic() - 100)("later")
    assert capsys.readouterr().out.startswith(" 100.")
