"""The circuit breaker: a service of the cloud that does not answer is left alone for a while, instead of being asked
by every operation in turn.

There is one circuit for each service type and region in a process, kept by the library ``circuitbreaker``, which
counts failures in a row. After too many of them the circuit is open and nothing is sent. When its time is over, one
request at a time is let through to see whether the service answers again. No lock is held while a request is under
way.
"""

import logging
import threading
from dataclasses import dataclass
from time import monotonic
from types import TracebackType

import circuitbreaker
from keystoneauth1 import exceptions as keystone_exceptions
from requests import Response
from requests import exceptions as requests_exceptions

from magnum.conf import CONF

LOG = logging.getLogger(__name__)

#: The type of Keystone, and of all that is asked to get a token. A cloud has one Keystone for all regions.
IDENTITY = "identity"


class CircuitOpen(keystone_exceptions.ConnectFailure):
    """The service is not asked at present. For who asks, it is as if there were no connection."""


class Broken(Exception):
    """Raised inside a circuit for an answer that counts as a failure."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"answered {response.status_code}")
        self.response = response


class Circuit(circuitbreaker.CircuitBreaker):  # type: ignore[misc]
    """The way to one service: a context manager around each request. Raises CircuitOpen where none may be made.

    What counts as a failure is any exception of ``requests``, and :class:`Broken`. An answer below 500 shows that the
    service is there, even if it is a refusal or "too many requests"; it closes the circuit.
    """

    def __init__(self, service: str, region: str | None) -> None:
        self.title = f"The {service} service" + (f" in region {region}" if region else "")
        self._recovery = CONF.breaker.recovery_seconds
        super().__init__(
            CONF.breaker.failure_threshold,
            self._recovery,
            (requests_exceptions.RequestException, Broken),
            name=f"{service} {region or ''}".strip(),
        )
        self._lock = threading.Lock()
        #: Until then, on the monotonic clock, the last probe has the way for itself.
        self._probed_until = 0.0

    def check(self) -> None:
        """Raise CircuitOpen where a request would not be let through now."""
        with self._lock:
            self._refuse()

    def __enter__(self) -> None:
        with self._lock:
            self._refuse()
            if self.state == circuitbreaker.STATE_HALF_OPEN:
                self._probed_until = monotonic() + self._recovery

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            before = self.state
            super().__exit__(kind, error, traceback)
            after = self.state
        if before != after:
            self._log(after)

    def shown(self) -> tuple[bool, float, float]:
        """Whether it is closed, when it was opened last, and for how many seconds more it is open."""
        with self._lock:
            is_open = self.state == circuitbreaker.STATE_OPEN
            seconds = max(0.0, self._opened + self._recovery - monotonic()) if is_open else 0.0
            return self.closed, self._opened, seconds

    def _refuse(self) -> None:
        state = self.state
        if state == circuitbreaker.STATE_OPEN:
            raise CircuitOpen(
                f"{self.title} is not asked before {self.open_until:%H:%M:%S} UTC,"
                f" because it failed {self.failure_count} times in a row; {self._last()}"
            )
        if state == circuitbreaker.STATE_HALF_OPEN and monotonic() < self._probed_until:
            raise CircuitOpen(
                f"{self.title} failed {self.failure_count} times in a row, and another request sees whether it is"
                f" back; {self._last()}"
            )

    def _last(self) -> str:
        failure = self.last_failure
        words = str(failure) if isinstance(failure, Broken) else type(failure).__name__
        return f"the last time: {words}"

    def _log(self, state: str) -> None:
        if state == circuitbreaker.STATE_CLOSED:
            LOG.warning("%s answers again.", self.title)
        else:
            LOG.error(
                "%s failed %s times in a row and is left alone for %g s; %s",
                self.title,
                self.failure_count,
                self._recovery,
                self._last(),
            )


def circuit(service: str | None, region: str | None) -> Circuit:
    """The circuit of a service. No service means that a token is asked for, or a service's address."""
    if service in (None, IDENTITY):
        return _circuit(IDENTITY, None)
    return _circuit(str(service), region)


@dataclass(frozen=True, slots=True)
class Shown:
    """A circuit as it is at a moment; no region is the empty text. ``opened`` is on the monotonic clock.

    ``open_seconds`` is the time until it may be tried, 0 where it may be now. It is ``closed`` once a try went well.
    """

    service: str
    region: str
    closed: bool
    opened: float
    open_seconds: float


def circuits() -> tuple[Shown, ...]:
    """All circuits of this process."""
    return tuple(
        Shown(service, region or "", *circuit.shown())
        for (service, region), circuit in list(_circuits.items())
    )


def any_open() -> bool:
    """Whether some service is known not to answer."""
    return any(not circuit.closed for circuit in list(_circuits.values()))


_circuits: dict[tuple[str, str | None], Circuit] = {}
_making = threading.Lock()


def _circuit(service: str, region: str | None) -> Circuit:
    key = (service, region)
    with _making:
        if key not in _circuits:
            _circuits[key] = Circuit(service, region)
        return _circuits[key]


def forget() -> None:
    """Make all circuits anew, with the present configuration. For tests."""
    with _making:
        _circuits.clear()
