"""The ledger: every request that came in, what was done with it, and what was answered."""

import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tools.standin.wire import IDENTITY, Request

#: Longest text of a body that is kept, in characters.
_LONGEST = 500


@dataclass(slots=True)
class Entry:
    """One request. Times are seconds since 1970; ``answered`` is None where the answer was lost or is still to come.

    ``user`` is the name of who asked, by his token. ``rule`` is the id of the rule of misbehaviour that applied.
    ``carried_out`` says whether the service did it.
    """

    number: int
    began: float
    service: str
    method: str
    path: str
    query: Mapping[str, list[str]]
    body: Any
    request_id: str | None
    user: str | None
    rule: int | None = None
    carried_out: bool = False
    answered: int | None = None
    ended: float | None = None
    error: str | None = None


@dataclass
class Ledger:
    """All entries, in the order in which the requests came. Safe from many threads."""

    entries: list[Entry] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, request: Request, user: str | None) -> Entry:
        """Note a request of a user that has just come in."""
        with self._lock:
            entry = Entry(
                number=len(self.entries),
                began=time.time(),
                service=request.service,
                method=request.method,
                path=request.path,
                query=dict(request.query),
                body=_summary(request.body),
                request_id=request.headers.get("x-openstack-request-id"),
                user=user,
            )
            self.entries.append(entry)
        return entry

    def last_change(self) -> float:
        """When the last request that changes something ended; now, where one is not answered yet."""
        with self._lock:
            changes = [entry for entry in self.entries if entry.method not in ("GET", "HEAD")]
        found = [entry for entry in changes if entry.service != IDENTITY]
        return max((entry.ended or time.time() for entry in found), default=0.0)

    def shown(self, since: int = 0) -> list[dict[str, Any]]:
        """Entries from a number on, as plain data."""
        with self._lock:
            found = self.entries[since:]
        return [asdict(entry) for entry in found]


def _summary(body: Any) -> Any:
    """A body without what is long or secret: templates and files are counted, a login is left out."""
    if not isinstance(body, dict):
        return body if body is None else str(body)[:_LONGEST]
    if "auth" in body:
        return {"auth": "***"}
    long = {name: f"({len(str(body[name]))} characters)" for name in body if _is_long(body[name])}
    return {**body, **long}


def _is_long(value: Any) -> bool:
    return len(str(value)) > 4 * _LONGEST
