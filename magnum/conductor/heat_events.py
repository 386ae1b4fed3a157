"""What Heat says on the notification bus: a stack has come to an end, or somebody has touched one.

Heat sends ``orchestration.stack.<action>.<start|end|error>`` for every stack, also for those nested in a bay's. The
end of an action wakes the bay's operation; where none is at work, the bay is looked at, because then somebody else has
done it. An event says only where to look: it may be lost, doubled, old or forged, and costs one look at most. Polling
goes on all the while, but slowly where Heat is heard.
"""

import logging
import re
from collections.abc import Callable
from time import monotonic
from typing import Any

import oslo_messaging as messaging
from oslo_db import exception as db_exception
from sqlalchemy.exc import SQLAlchemyError

from magnum.common.context import service_context
from magnum.conductor.pool import Pool
from magnum.conf import CONF
from magnum.db import operations
from magnum.lifecycle import submit

LOG = logging.getLogger(__name__)

#: Threads of a process that handle events; each event is a statement or two.
_THREADS = 2

_EVENT = re.compile(r"orchestration\.stack\.([a-z_]+)\.(start|end|error)", re.ASCII)
_BAYS_STACK = re.compile(
    r"bay-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.ASCII
)
#: What somebody else may do to the stack of a bay. Nobody but us creates one.
_TOUCHING = frozenset({"update", "delete", "suspend", "resume", "check", "rollback", "restore"})


class Flow:
    """Whether Heat is heard in this process, and how often stacks are looked at therefore."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._heard_at: float | None = None

    def heard(self) -> None:
        """Heat has said something, of whatever stack."""
        self._heard_at = self._clock()

    def poll_interval(self) -> float:
        """Seconds between two looks at a stack in progress."""
        often: float = CONF.lifecycle.poll_interval
        seldom: float = CONF.heat_events.poll_interval
        trusted = CONF.heat_events.trusted_seconds
        if self._heard_at is None or self._clock() - self._heard_at > trusted:
            return often
        return max(often, seldom)


class Endpoint:
    """What oslo.messaging calls for each notification, by its priority."""

    def __init__(self, pool: Pool, flow: Flow) -> None:
        self._pool = pool
        self._flow = flow

    def info(
        self, context: Any, publisher: Any, event_type: Any, payload: Any, metadata: Any
    ) -> None:
        """An action has begun, or ended well."""
        self._hear(event_type, payload)

    def error(
        self, context: Any, publisher: Any, event_type: Any, payload: Any, metadata: Any
    ) -> None:
        """An action has failed."""
        self._hear(event_type, payload)

    def _hear(self, event_type: Any, payload: Any) -> None:
        event = _EVENT.fullmatch(event_type) if isinstance(event_type, str) else None
        if event is None:
            return
        self._flow.heard()
        name = payload.get("stack_name") if isinstance(payload, dict) else None
        stack = _BAYS_STACK.fullmatch(name) if isinstance(name, str) else None
        action, phase = event.groups()
        if stack is None or phase == "start":
            return
        try:
            self._act(stack[1], action)
        except (db_exception.DBError, SQLAlchemyError) as error:
            LOG.error(
                "Heat's word that the %s of stack %s has ended is lost, and polling finds it out: %s",
                action,
                name,
                error,
            )

    def _act(self, bay_uuid: str, action: str) -> None:
        context = service_context()
        woken = operations.wake(context, bay_uuid)
        if not woken and action in _TOUCHING:
            check = submit.check_bay(context, bay_uuid, CONF.lifecycle.check_quiet)
            if check is not None:
                LOG.info("Bay %s is looked at: Heat tells of its stack's %s.", bay_uuid, action)
                woken = [check]
        for operation_id in woken:
            self._pool.submit(operation_id)


def listen(pool: Pool, flow: Flow) -> Any:
    """Begin to listen, as configured; waits for the broker. Each event goes to one of all conductors.

    Returns oslo.messaging's listener, None where nothing is listened to.
    """
    options = CONF.heat_events
    if not options.enabled or not (options.transport_url or CONF.transport_url):
        return None
    try:
        transport = messaging.get_notification_transport(
            CONF, options.transport_url or CONF.transport_url
        )
        targets = [
            messaging.Target(topic=topic, exchange=options.exchange) for topic in options.topics
        ]
        server = messaging.get_notification_listener(
            transport,
            targets,
            [Endpoint(pool, flow)],
            executor="threading",
            pool=options.pool or None,
        )
        server.start(override_pool_size=_THREADS)
    except messaging.MessagingException as error:
        LOG.error(
            "Heat cannot be listened to, so stacks are polled. Look at [heat_events]: %s", error
        )
        return None
    LOG.info("Heat is listened to on %s.", ", ".join(options.topics))
    return server
