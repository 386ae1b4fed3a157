"""Tells the metrics how long each request took. Stands before everything else, and only where metrics are shown."""

import time
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from magnum.common import metrics
from magnum.lifecycle import figures


class Measured:
    """Measure the requests of a process, from their coming to their answer's first byte."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        figures.serve_api()  # a server may have forked since the application was made
        begun = time.monotonic()
        statuses: list[int] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            statuses.append(int(status.split(maxsplit=1)[0]))
            return start_response(status, headers, exc_info)

        answer = self._app(environ, start)
        status = statuses[-1] if statuses else 0
        metrics.request_answered(environ["REQUEST_METHOD"], status, time.monotonic() - begun)
        return answer
