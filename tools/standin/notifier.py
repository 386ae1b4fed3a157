"""What the stand-in's Heat says on the notification bus: ``orchestration.stack.<action>.<start|end|error>``.

Messages go out in a thread of their own, so that a broker that is down holds up nothing; what it does not take is
dropped, as it may be with a real Heat. A test can have messages lost and doubled.
"""

import logging
import queue
import random
import threading
from dataclasses import dataclass
from typing import Any

from tools.standin.stacks import COMPLETE, IN_PROGRESS, Stack
from tools.standin.wire import in_iso

LOG = logging.getLogger(__name__)

EXCHANGE, PUBLISHER = "heat", "orchestration.standin"


@dataclass(slots=True)
class Reliability:
    """How messages get on: the probability that one is lost, and that one is sent twice."""

    lose: float = 0.0
    double: float = 0.0


class Bus:
    """Sends messages to a topic of a broker (URL as oslo.messaging writes it)."""

    def __init__(self, url: str, topic: str, seed: int) -> None:
        self.reliability = Reliability()
        self._url, self._topic = url, topic
        self._chance = random.Random(seed)
        self._waiting: queue.SimpleQueue[tuple[str, str, dict[str, Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="notifications", daemon=True).start()

    def tell(self, stack: Stack) -> None:
        """Say that a stack's action has begun or come to an end."""
        suffix = {IN_PROGRESS: "start", COMPLETE: "end"}.get(stack.status, "error")
        level = "error" if suffix == "error" else "info"
        event = f"orchestration.stack.{stack.action.lower()}.{suffix}"
        if self._chance.random() < self.reliability.lose:
            return
        for _ in range(2 if self._chance.random() < self.reliability.double else 1):
            self._waiting.put((level, event, _payload(stack)))

    def _run(self) -> None:
        # Late: most tests need no bus. Threads have to be chosen before oslo.messaging looks for them.
        from magnum.common import threads

        threads.choose()
        import oslo_messaging
        from oslo_config import cfg

        conf = cfg.ConfigOpts()
        conf([], default_config_files=[], default_config_dirs=[])
        oslo_messaging.set_transport_defaults(EXCHANGE)
        transport = oslo_messaging.get_notification_transport(conf, url=self._url)
        notifier = oslo_messaging.Notifier(
            transport, publisher_id=PUBLISHER, driver="messagingv2", topics=[self._topic], retry=2
        )
        while True:
            level, event, payload = self._waiting.get()
            # The driver logs what the broker does not take, and drops it.
            getattr(notifier, level)({}, event, payload)


def _payload(stack: Stack) -> dict[str, Any]:
    return {
        "tenant_id": stack.project,
        "user_id": stack.user,
        "user_identity": stack.user,
        "username": stack.user,
        "stack_identity": stack.id,
        "stack_name": stack.name,
        "state": f"{stack.action}_{stack.status}",
        "state_reason": stack.reason,
        "create_at": in_iso(stack.created),
        "updated_at": in_iso(stack.updated) if stack.updated else None,
        "description": stack.template.get("description") or "",
        "tags": stack.tags,
    }
