"""Requests over kept-alive connections, and how long each took. Loopback only, bounded in number."""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request to a loopback port; ``body`` is sent as JSON. ``expected`` is the status that counts as success."""

    port: int
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    expected: int = 200


@dataclass(frozen=True)
class Times:
    """Seconds that each request took, and that all took together."""

    each: tuple[float, ...]
    together: float

    @property
    def median(self) -> float:
        """The middle one, in seconds."""
        return statistics.median(self.each)

    @property
    def p95(self) -> float:
        """What 95 of 100 stay below, in seconds."""
        return statistics.quantiles(self.each, n=20)[-1] if len(self.each) > 1 else self.each[0]

    @property
    def rate(self) -> float:
        """Requests in a second."""
        return len(self.each) / self.together


def measure(make: Callable[[int], Request], count: int, at_once: int = 1) -> Times:
    """Send ``count`` requests over ``at_once`` connections. Raises RuntimeError on an unexpected status."""
    local = threading.local()
    opened: list[http.client.HTTPConnection] = []

    def one(number: int) -> float:
        request = make(number)
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", request.port, timeout=60)
            opened.append(local.connection)
        body = None if request.body is None else json.dumps(request.body)
        headers = {**request.headers, **({"Content-Type": "application/json"} if body else {})}
        began = time.perf_counter()
        local.connection.request(request.method, request.path, body, headers)
        answer = local.connection.getresponse()
        text = answer.read()
        took = time.perf_counter() - began
        if answer.status != request.expected:
            raise RuntimeError(f"{request.method} {request.path}: {answer.status} {text[:300]!r}")
        return took

    began = time.perf_counter()
    try:
        with ThreadPoolExecutor(at_once) as pool:
            each = tuple(pool.map(one, range(count)))
    finally:
        for connection in opened:
            connection.close()
    return Times(each, time.perf_counter() - began)


def in_turn(pairs: int, *requests: Request) -> list[float]:
    """Median seconds of each of several requests, sent in turn, so that a machine's moods hit all alike."""
    taken: list[list[float]] = [[] for _ in requests]
    for _ in range(pairs):
        for number, request in enumerate(requests):
            taken[number].append(measure(lambda _, request=request: request, 3).median)  # type: ignore[misc]
    return [statistics.median(times) for times in taken]
