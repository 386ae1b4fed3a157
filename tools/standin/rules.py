"""Misbehaviour: which requests are answered wrongly, late, or not at all.

A rule says which requests it is for and what happens to them. The first rule that fits applies, once in each request.
"""

import itertools
import random
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tools.standin.wire import Request

ANY = "*"


@dataclass(slots=True)
class Rule:
    """What to do with the requests that fit.

    :param service: type in the catalogue; ``*`` for each.
    :param method: of HTTP; ``*`` for each.
    :param path: regular expression that is looked for in the path.
    :param body: regular expression that is looked for in the body's text.
    :param hang: seconds to wait; before the request is carried out, or behind it where ``hang_after`` is set.
    :param do: whether the request is carried out.
    :param lose: whether the connection is closed without an answer.
    :param status: what is answered instead of the service's own answer.
    :param text: the words of that answer.
    :param times: how often it applies; None for always.
    :param probability: how likely it applies to a request that fits.
    :param lasts: seconds until it ends by itself; None for never.
    """

    service: str = ANY
    method: str = ANY
    path: str = ""
    body: str = ""
    hang: float = 0.0
    hang_after: bool = False
    do: bool = False
    lose: bool = False
    status: int | None = None
    text: str = "misbehaving as told"
    times: int | None = None
    probability: float = 1.0
    lasts: float | None = None
    applied: int = 0
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        re.compile(self.path), re.compile(self.body)
        if not (self.do or self.lose or self.status):
            raise ValueError("a rule that does nothing has to say what is answered: status or lose")

    @property
    def is_over(self) -> bool:
        """Whether it will never apply again."""
        used_up = self.times is not None and self.applied >= self.times
        return used_up or (self.lasts is not None and time.monotonic() > self.began + self.lasts)

    def fits(self, request: Request) -> bool:
        """Whether the request is one of those it is for."""
        return (
            self.service in (ANY, request.service)
            and self.method in (ANY, request.method)
            and re.search(self.path, request.path) is not None
            and (not self.body or re.search(self.body, str(request.body)) is not None)
        )


class Rules:
    """The rules by their ids. Safe from many threads; chance comes from a seed."""

    def __init__(self, seed: int) -> None:
        self._rules: dict[int, Rule] = {}
        self._numbers = itertools.count(1)
        self._chance = random.Random(seed)
        self._lock = threading.Lock()

    def add(self, **wanted: Any) -> int:
        """Add a rule behind the others and return its id. Raises TypeError, ValueError and re.error."""
        rule = Rule(**wanted)
        with self._lock:
            number = next(self._numbers)
            self._rules[number] = rule
        return number

    def end(self, number: int | None = None) -> None:
        """End a rule, or all of them. Requests that already hang go on hanging."""
        with self._lock:
            if number is None:
                self._rules.clear()
            else:
                self._rules.pop(number, None)

    def match(self, request: Request) -> tuple[int, Rule] | None:
        """The rule that applies to a request, counted as applied."""
        with self._lock:
            for number, rule in self._living():
                if rule.fits(request) and self._chance.random() < rule.probability:
                    rule.applied += 1
                    return number, rule
        return None

    def shown(self) -> dict[int, dict[str, Any]]:
        """The rules as plain data, those that are over too, with the number of times they applied."""
        with self._lock:
            return {number: asdict(rule) for number, rule in self._rules.items()}

    def _living(self) -> Iterator[tuple[int, Rule]]:
        return ((number, rule) for number, rule in self._rules.items() if not rule.is_over)
