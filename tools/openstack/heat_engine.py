"""A Heat engine with short pauses, for machines where nothing real has to be waited for.

``python -P tools/openstack/heat_engine.py --config-file heat.conf`` is ``heat-engine`` with two pauses cut:
one second after every resource that nothing depends on (now none), and one second between two looks at a
resource in progress (now half of one). Nothing else differs. A script for the environments that hold Heat; it
imports nothing of ours. Checked against Heat 27; a Heat without these two places fails at the start.
"""

import importlib
import time
import types
from typing import Any

LONGEST_PAUSE = 0.5  # seconds; less makes an engine that waits for nodes busy


def shorten_pauses() -> None:
    """Cut the two pauses in this process. Call it before the engine starts."""
    stack: Any = importlib.import_module("heat.engine.stack")
    scheduler: Any = importlib.import_module("heat.engine.scheduler")
    clock = types.SimpleNamespace(**vars(time))
    clock.sleep = lambda seconds: time.sleep(0)
    stack.time = clock
    runner = scheduler.TaskRunner
    sleep = runner._sleep
    runner._sleep = lambda self, wait: sleep(self, min(wait, LONGEST_PAUSE) if wait else wait)


def main() -> None:
    """Run as a script."""
    # First of all: importing it chooses the threading backend of oslo.service.
    engine: Any = importlib.import_module("heat.cmd.engine")
    shorten_pauses()
    engine.main()


if __name__ == "__main__":
    main()
