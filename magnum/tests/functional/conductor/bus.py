"""Heat's side of the notification bus: a topic of a test's own on a real RabbitMQ."""

import uuid
from typing import Any
from urllib.parse import urlsplit

import oslo_messaging
from kombu import connection as kombu_connection
from oslo_config import cfg


class Bus:
    """A topic of the test's own on the broker, and what was declared there, to be removed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.topic = f"test-{uuid.uuid4().hex[:8]}"
        self.pool = f"{self.topic}-magnum"
        self._conf = cfg.ConfigOpts()
        self._conf([], default_config_files=[], default_config_dirs=[])
        self._notifiers: list[Any] = []

    def send(self, event: str, payload: Any, level: str = "info") -> None:
        """Say what Heat would say."""
        if not self._notifiers:
            oslo_messaging.set_transport_defaults("heat")
            transport = oslo_messaging.get_notification_transport(self._conf, url=self.url)
            oslo_messaging.set_transport_defaults("openstack")  # it holds for the whole process
            self._notifiers.append(
                oslo_messaging.Notifier(
                    transport, "orchestration.host", driver="messagingv2", topics=[self.topic]
                )
            )
        getattr(self._notifiers[0], level)({}, event, payload)

    def sections(self, url: str | None = None) -> str:
        """What a conductor has to be told."""
        return (
            f"[heat_events]\ntransport_url = {url or self.url}\n"
            f"topics = {self.topic}\npool = {self.pool}\n"
        )

    def remove(self, *pools: str) -> None:
        """Remove the queues."""
        address = urlsplit(self.url)
        names = [self.pool, *pools, f"{self.topic}.info", f"{self.topic}.error"]
        broker = f"amqp://{address.netloc}/{address.path[1:] or '/'}"
        with kombu_connection.Connection(broker) as connection:
            for name in names:
                connection.channel().queue_delete(name)
