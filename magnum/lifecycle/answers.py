"""The conductor's side of calls: find the driver, call its handler, and seal what comes of it.

See :mod:`magnum.lifecycle.calls` for the side that asks. Whatever a handler does, its caller gets an answer of a known
shape, without a traceback; and no value of a request or of an answer gets into a log, for both may be secret.
"""

import json
import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from magnum.certs import sealing
from magnum.common import errors
from magnum.common.context import service_context
from magnum.db import calls as store
from magnum.db.calls import Taken
from magnum.db.models import Bay
from magnum.drivers import endpoints
from magnum.drivers.catalogue import DriverMissing, catalogue
from magnum.drivers.contract import (
    Actor,
    CloudUnavailable,
    Driver,
    DriverError,
    InvalidOption,
    NodeGroup,
    NotSupported,
    Preview,
    Verb,
    Work,
)
from magnum.lifecycle import handed
from magnum.lifecycle.calls import PREVIEW
from magnum.lifecycle.clouds import Access
from magnum.lifecycle.secrets import BaySecrets

LOG = logging.getLogger(__name__)

#: A handler that takes longer, in seconds, is slow, and does not count as at work any more: see :meth:`Answerer.slow`.
SLOW: Final = 5.0
#: The longest answer, in characters; what some databases keep of a text, sealed, is less than twice that.
_LONGEST: Final = 4 * 2**20

#: The statuses of HTTP that tell a caller whose fault it is.
_BAD_REQUEST, _CONFLICT, _BAD_GATEWAY, _UNAVAILABLE = 400, 409, 502, 503

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Running:
    """A handler at work: whose it is, and since when on the monotonic clock."""

    driver: str
    began: float


class Answerer:
    """Answers calls. One for each process; its methods may be called from many threads."""

    def __init__(
        self,
        access: Callable[[], Access],
        owner: str,
        most_slow: int,
        find_driver: Callable[[str], Driver] | None = None,
    ) -> None:
        """``most_slow`` is how many handlers of one driver may be slow at once, until it is not asked any more."""
        self._access = access
        self._owner = owner
        self._most_slow = most_slow
        self._find_driver = find_driver or (lambda name: catalogue().get(name))
        self._running: dict[int, _Running] = {}
        self._lock = threading.Lock()

    def slow(self, driver: str | None = None) -> int:
        """How many handlers, of one driver or of all, have been at work for longer than they should be."""
        limit = time.monotonic() - SLOW
        with self._lock:
            return sum(
                1
                for one in self._running.values()
                if one.began < limit and driver in (None, one.driver)
            )

    def answer(self, call_id: int) -> bool:
        """Answer a call, if it is to be had. False where it was not, or nobody waits for it any more."""
        taken = store.take(service_context(), call_id, self._owner)
        if taken is None:
            return False
        context = service_context(taken.call.request_id)
        text = json.dumps(self._answer(taken))
        if store.store_answer(context, call_id, sealing.seal(text)):
            return True
        LOG.warning("Nobody waits any more for %s of bay %s.", *_named(taken))
        return False

    def _answer(self, taken: Taken) -> Answer:
        bay = taken.bay
        if bay is None:
            return _error("BAY_NOT_FOUND", "The bay has gone.", 404)
        try:
            driver = self._find_driver(bay.driver)
        except DriverMissing as error:
            LOG.error("Bay %s: %s", bay.uuid, error)
            text = f"The driver {bay.driver} that this bay was made with is not there."
            return _error("DRIVER_MISSING", text, _UNAVAILABLE)
        if self.slow(driver.name) >= self._most_slow:
            LOG.error(
                "The driver %s does not answer calls; it is not asked any more for now.",
                driver.name,
            )
            text = f"The driver {driver.name} does not answer at present. Nothing was done."
            return _error("DRIVER_HANGS", text, _UNAVAILABLE)
        with self._lock:
            self._running[taken.call.id] = _Running(driver.name, time.monotonic())
        try:
            return self._ask(driver, taken, bay)
        finally:
            with self._lock:
                del self._running[taken.call.id]

    def _ask(self, driver: Driver, taken: Taken, bay: Bay) -> Answer:
        try:
            request = json.loads(sealing.unseal(taken.call.request))
        except errors.MagnumError as error:
            LOG.error("%s of bay %s cannot be read: %s", *_named(taken), error)
            return _error(error.code, error.text, error.status)
        request_id = taken.call.request_id
        clouds = handed.LateClouds(self._access, bay.project_id, request_id)
        secrets = BaySecrets(bay, self._access, request_id)
        work = handed.work(bay, clouds, secrets, verb=Verb.CHECK)
        try:
            if taken.call.endpoint == PREVIEW:
                return _preview(driver, _as_asked(work, request))
            method, _, name = taken.call.endpoint.partition(" ")
            return _endpoint(driver, name, method, work, request)
        except DriverError as error:
            LOG.warning("The driver refused %s of bay %s: %s", *_named(taken), error)
            clouds.doubt_after(error.code)
            return _refusal(error)
        except errors.MagnumError as error:  # the bay has gone meanwhile
            LOG.warning("%s of bay %s cannot be done: %s", *_named(taken), error)
            return _error(error.code, error.text, error.status)
        except Exception as error:  # noqa: BLE001 - the driver's border: whatever comes out of it is an answer
            # Not what the error says: a secret may be in it.
            where = "".join(traceback.format_tb(error.__traceback__))
            LOG.error(
                "The driver failed at %s of bay %s: %s at\n%s", *_named(taken), _kind(error), where
            )
            text = f"The driver {driver.name} has met a fault of its own. The operator finds it in the log."
            return _error("DRIVER_ERROR", text, _BAD_GATEWAY)


def _endpoint(
    driver: Driver, name: str, method: str, work: Work, request: Mapping[str, Any]
) -> Answer:
    """Call a handler, between the checks of what goes in and of what comes out."""
    endpoint = endpoints.find(driver, name, method)
    # The API has checked both; but a driver may be changed while it is in use.
    if endpoint is None:
        raise NotSupported(f"The driver {driver.name} has no endpoint {name} at present.")
    if endpoints.misfit(endpoint.request, request) is not None:
        raise InvalidOption(f"The driver {driver.name} takes another request at present.")
    found = endpoint.handler(work, request)
    fault = _fault_of(found, endpoint.response)
    if fault is None:
        return {"ok": found}
    LOG.error("The driver %s answered %s %s wrongly: %s", driver.name, method, name, fault)
    text = f"The driver {driver.name} gave an answer that makes no sense. The operator finds it in the log."
    return _error("DRIVER_ERROR", text, _BAD_GATEWAY)


def _fault_of(found: object, schema: Mapping[str, Any]) -> str | None:
    """What is wrong with an answer, without any value of it."""
    try:
        longest = len(json.dumps(found, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        return f"it is not JSON ({_kind(error)})"
    if longest > _LONGEST:
        return f"it is longer than {_LONGEST} characters"
    misfit = endpoints.misfit(schema, found)
    if misfit is None:
        return None
    return f"at '{misfit.json_path}' it breaks the rule '{misfit.validator}' of its schema"


def _preview(driver: Driver, work: Work) -> Answer:
    found: object = driver.preview(work)
    if not isinstance(found, Preview):
        raise TypeError("a preview was asked for")
    return {"ok": {"changes": [asdict(change) for change in found.changes]}}


def _as_asked(work: Work, request: Mapping[str, Any]) -> Work:
    """The bay as the change would make it."""
    groups: Mapping[str, Mapping[str, Any]] = request["groups"]

    def changed(group: NodeGroup) -> NodeGroup:
        return replace(group, **groups.get(group.name, {}))

    return replace(
        work,
        verb=Verb.UPDATE,
        bay=replace(work.bay, **request["bay"]),
        node_groups=tuple(changed(group) for group in work.node_groups),
        parameters=request["parameters"],
    )


def _refusal(error: DriverError) -> Answer:
    """A contract's error as a caller sees it."""
    if isinstance(error, NotSupported | InvalidOption):
        status = _BAD_REQUEST
    elif isinstance(error, CloudUnavailable) or error.actor is not Actor.USER:
        status = _UNAVAILABLE
    else:
        status = _CONFLICT
    return _error(error.code, error.text, status)


def _error(code: str, text: str, status: int) -> Answer:
    return {"error": {"code": code, "text": text, "status": status}}


def _named(taken: Taken) -> tuple[str, str]:
    return taken.call.endpoint, taken.call.bay_uuid


def _kind(error: BaseException) -> str:
    return type(error).__name__
