"""The child's side of ``child.py``: reads questions, one line of JSON each, and answers them in the same way.

Imports nothing but the standard library: it runs in environments that have nothing of ours.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any


def answer(handlers: Mapping[str, Callable[..., Any]]) -> None:
    """Answer until the parent closes the pipe. A handler gets the question's arguments by name."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what libraries print belongs into the log
        for line in sys.stdin:
            question = json.loads(line)
            try:
                reply = {"answer": handlers[question["what"]](**question["arguments"])}
            except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told
                traceback.print_exc()
                reply = {"refused": f"{type(error).__name__}: {error}"}
            print(json.dumps(reply, default=str), file=answers, flush=True)
