"""One run of a playbook, in a process of its own: ``python run.py PRIVATE_DATA_DIR IDENT PLAYBOOK``.

The driver starts it and does not wait for it. It has inherited a lock from the driver and holds it until it ends, so
whether it runs can be seen from any process of this machine. SIGTERM has ansible-runner stop the playbook.

ansible-runner kills the process of the playbook, but the task that is under way runs in a session of its own and would
go on. So this process has itself made the parent of what is orphaned below it (Linux), and ends that before itself.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path
from types import FrameType

import ansible_runner

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def main(private: str, ident: str, playbook: str) -> int:
    """Run it. ansible-runner leaves ``rc`` and ``status`` below ``artifacts/IDENT``, which is what the driver reads."""
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, stop)
    Path(private, "pid").write_text(str(os.getpid()), encoding="ascii")
    # ansible-playbook lies beside the Python of its environment.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = ansible_runner.run(
        private_data_dir=private,
        ident=ident,
        playbook=playbook,
        quiet=True,
        cancel_callback=lambda: bool(stopped),
    )
    end_children()
    return int(done.rc or 0)


def end_children() -> None:
    """Kill every process below this one; each that is orphaned by it becomes a child, and is next."""
    while True:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
        if not children.split():
            return
        for child in map(int, children.split()):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
