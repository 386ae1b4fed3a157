"""The fault points of a conductor: before and after each commit, and before and after each HTTP request of a pass.

They are numbered as they come. What a process has reached stands in a file, line by line, whatever becomes of it.
"""

import os
import re
import signal
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from magnum.db import session

_IDENT = re.compile(
    r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}|[0-9a-f]{32}"
)


class Points:
    """Counts the points of the thread that makes it, and kills the process at one of them; None for none.

    :param record: file for the names of the points that were reached.
    """

    def __init__(self, record: Path, dies_at: int | None) -> None:
        self._record = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._dies_at = dies_at
        self._reached = 0
        self._thread = threading.current_thread()

    def reach(self, name: str) -> None:
        """The process has come to a point."""
        if threading.current_thread() is not self._thread:
            return
        os.write(self._record, f"{name}\n".encode())
        if self._reached == self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self._reached += 1

    def watch(self) -> None:
        """Put the points around commits and requests of this process, which has its database by now."""
        commit = session.engine().dialect.do_commit
        request = requests.Session.request

        def committing(connection: Any) -> None:
            name = _store_function()
            if name is None:  # a transaction that only reads
                commit(connection)
                return
            self.reach(f"before the commit of {name}")
            commit(connection)
            self.reach(f"after the commit of {name}")

        def requesting(sender: requests.Session, method: str, url: str, **more: Any) -> Any:
            name = f"{method} {_IDENT.sub('...', urlsplit(url).path)}"
            self.reach(f"before {name}")
            answer = request(sender, method, url, **more)
            self.reach(f"after {name}")
            return answer

        session.engine().dialect.do_commit = committing  # type: ignore[method-assign,assignment]
        requests.Session.request = requesting  # type: ignore[method-assign,assignment]


def _store_function() -> str | None:
    """The store's function that commits at this moment; None where it only reads."""
    frame: Any = sys._getframe(1)
    is_writing = False
    while frame is not None:
        module, function = str(frame.f_globals.get("__name__")), frame.f_code.co_name
        is_writing = is_writing or (module, function) == (session.__name__, "writer")
        inside = module.startswith("magnum.db.") and module != session.__name__
        if is_writing and inside:
            return f"{module.removeprefix('magnum.db.')}.{function.lstrip('_')}"
        frame = frame.f_back
    return None
