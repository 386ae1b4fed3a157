"""The floor: one SELECT of the same rows and one ``json.dumps``, behind the same WSGI server as the API.

Nothing that serves these rows in Python over HTTP can be much faster, so ratios to it say what our layers cost,
whatever the machine. Run by gunicorn; ``BENCH_DATABASE`` is a libpq URL, ``BENCH_PROJECT`` the project to show.
"""

import json
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

import psycopg2
from psycopg2.extras import RealDictCursor

_local = threading.local()


def _cursor() -> Any:
    if not hasattr(_local, "connection"):
        _local.connection = psycopg2.connect(os.environ["BENCH_DATABASE"])
        _local.connection.autocommit = True
    return _local.connection.cursor(cursor_factory=RealDictCursor)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """``/?limit=N`` answers N bays of the project as JSON."""
    limit = int(parse_qs(environ["QUERY_STRING"]).get("limit", ["1"])[0])
    with _cursor() as cursor:
        cursor.execute(
            "SELECT * FROM bay WHERE project_id = %s ORDER BY id LIMIT %s",
            (os.environ["BENCH_PROJECT"], limit),
        )
        body = json.dumps({"bays": cursor.fetchall()}, default=str).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]
