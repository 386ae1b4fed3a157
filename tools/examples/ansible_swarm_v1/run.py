"""One run of a playbook, in a process of its own: ``python run.py PRIVATE_DATA_DIR IDENT PLAYBOOK``.

The driver starts it and does not wait for it. It has inherited a lock from the driver and holds it until it ends, so
whether it runs can be seen from any process of this machine. SIGTERM has ansible-runner stop the playbook.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import ansible_runner


def main(private: str, ident: str, playbook: str) -> int:
    """Run it. ansible-runner leaves ``rc`` and ``status`` below ``artifacts/IDENT``, which is what the driver reads."""
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

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
    return int(done.rc or 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
