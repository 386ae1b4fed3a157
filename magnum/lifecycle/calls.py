"""Calls: questions to a bay's driver that a conductor answers at once, outside the queue of operations.

The API asks with :func:`ask`; :mod:`magnum.lifecycle.answers` is the conductor's side. In between lies a row of the
database, with request and answer sealed, so that it works without a broker and no secret lies open anywhere. It is
asked once at most: a call that a conductor has begun with is never given to another one.
"""

import json
import threading
from collections.abc import Mapping
from typing import Any, Final

import tenacity

from magnum.certs import sealing
from magnum.common import errors
from magnum.common.context import RequestContext
from magnum.conf import CONF
from magnum.db import calls as store
from magnum.db.bays import BayNotFound
from magnum.db.models import Bay, Call
from magnum.lifecycle import hints

#: The call that is no endpoint of a driver's: what a change would do. Endpoints are ``<METHOD> <name>``.
PREVIEW: Final = "preview"

#: Seconds that a request waits for its turn where too many wait already.
_TURN = 2.0


class CallsBusy(errors.Unavailable):
    """Too many requests of this process wait for drivers."""

    code = "CALLS_BUSY"


class CallTimeout(errors.Unavailable):
    """No answer came in time; the text says whether the driver was asked."""

    code = "CALL_TIMEOUT"


class CallRefused(errors.MagnumError):
    """What a driver, or the conductor, answered in the place of what was asked for."""

    def __init__(self, code: str, text: str, status: int) -> None:
        super().__init__(text)
        self.code = code
        self.status = status


def ask(
    context: RequestContext, bay: Bay, what: str, request: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Ask a bay's driver through a conductor, and wait for the answer.

    :param what: :data:`PREVIEW`, or the method and name of an endpoint.

    Raises CallRefused with what the driver says instead, CallTimeout, CallsBusy, BayNotFound where it has gone.
    """
    turns = _turns()
    if not turns.acquire(timeout=_TURN):
        raise CallsBusy("Too many requests wait for drivers. Try again in a moment.")
    try:
        call = _asked(context, bay, what, request)
    finally:
        turns.release()
    if call is None:
        raise BayNotFound(f"Bay {bay.uuid} could not be found.")
    if call.answer is None:
        raise CallTimeout(_silence(call))
    answer = json.loads(sealing.unseal(call.answer))
    if (error := answer.get("error")) is not None:
        raise CallRefused(error["code"], error["text"], error["status"])
    found: Mapping[str, Any] = answer["ok"]
    return found


def _asked(context: RequestContext, bay: Bay, what: str, request: Mapping[str, Any]) -> Call | None:
    """The call as it stood in the end: answered, or not in time. Its row is gone."""
    sealed = sealing.seal(json.dumps(request))
    seconds = CONF.api.call_timeout
    ident, _ = store.create(context, bay, what, sealed, seconds)
    hints.look_at_call(ident)
    wait = tenacity.Retrying(
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_exponential(multiplier=0.01, exp_base=1.5, max=0.4),
        retry=tenacity.retry_if_result(lambda answer: answer is None),
        retry_error_callback=lambda _: None,
    )
    wait(store.answer, context, ident)
    return store.withdraw(context, ident)


def _silence(call: Call) -> str:
    """What is known of a call that nobody has answered."""
    if call.owner is None:
        return "No conductor took the request up in time. Nothing was done. Try again later."
    return (
        f"The bay's driver did not answer within {CONF.api.call_timeout:g} seconds."
        " What was asked for may have been done, or not."
    )


_made: dict[int, threading.BoundedSemaphore] = {}
_lock = threading.Lock()


def _turns() -> threading.BoundedSemaphore:
    """How many may wait at the same time in this process."""
    size = CONF.api.max_calls
    with _lock:
        return _made.setdefault(size, threading.BoundedSemaphore(size))
