"""Background processes: real ones, small ones."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.openstack.console import Trouble
from tools.openstack.processes import Processes, Program, require_free_port

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(60)",
)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    here = Processes(tmp_path)
    yield here
    here.stop(*here.names(), patience=0)


def test_starts_once_and_stops(processes: Processes) -> None:
    assert processes.start(Program("one", SLEEP))
    pid = processes.pid("one")
    assert not processes.start(Program("one", SLEEP))
    assert processes.pid("one") == pid
    assert processes.stop("one") == ["one"]
    assert processes.pid("one") is None
    assert processes.names() == []


def test_another_tool_sees_the_process(processes: Processes, tmp_path: Path) -> None:
    processes.start(Program("one", SLEEP))
    assert Processes(tmp_path).pid("one") == processes.pid("one")


def test_a_reused_number_is_not_ours(processes: Processes, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "one.pid").write_text(f"{os.getpid()} 1\n")
    assert processes.pid("one") is None
    assert processes.stop("one") == []  # and this test is still alive


def test_kills_what_does_not_end_by_itself(processes: Processes) -> None:
    processes.start(Program("deaf", STUBBORN))
    while "deaf" not in processes.tail("deaf"):
        time.sleep(0.02)
    began = time.monotonic()
    assert processes.stop("deaf", patience=0.2) == ["deaf"]
    assert time.monotonic() - began < 5
    assert processes.pid("deaf") is None


def test_waiting_for_a_dead_process_shows_its_last_words(processes: Processes) -> None:
    processes.start(Program("brief", (sys.executable, "-c", "print('no such table')")))
    with pytest.raises(
        Trouble, match=r"brief ended before it could listen on port 1;(.|\n)*no such table"
    ):
        processes.wait_for_port("brief", 1, timeout=120)


def test_a_missing_executable_is_one_sentence(processes: Processes) -> None:
    with pytest.raises(Trouble, match="ghost cannot be started"):
        processes.start(Program("ghost", ("/nowhere/ghost",)))


def test_a_taken_port_is_named() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(Trouble, match=f"port {port}, needed for keystone, is taken"):
            require_free_port(port, "keystone")
    require_free_port(port, "keystone")
