"""The cloud's own virtual host on RabbitMQ, so that two clouds on one broker do not hear each other."""

import importlib
from typing import Any
from urllib.parse import urlsplit

from tools.openstack.servers import Ground, rabbitmqctl

# Heat's notifications lie in a queue of their own whether anybody listens or not; the oldest go.
_LIMIT = ("^notifications", '{"max-length":20000}', "--apply-to", "queues")


def ensure_virtual_host(ground: Ground, url: str, name: str) -> str:
    """The oslo.messaging URL of virtual host ``name``, created when it is not there.

    Where we may not create it, the broker's default host is used and a line says so.

    :param url: of the broker with a user, ``amqp://guest:guest@127.0.0.1:5672``.
    """
    user = urlsplit(url).username or "guest"
    if not _opens(url, name):
        made = (
            rabbitmqctl(ground, "add_vhost", name)
            and rabbitmqctl(ground, "set_permissions", "-p", name, user, ".*", ".*", ".*")
            and rabbitmqctl(ground, "set_policy", "-p", name, "limit", *_LIMIT)
        )
        if not made:
            ground.say(
                "no virtual host can be created on RabbitMQ; using /, as any other cloud would"
            )
            name = ""
    return f"rabbit://{urlsplit(url).netloc}/{name}"


def delete_virtual_host(ground: Ground, name: str) -> None:
    """Delete it, and all its queues, if it is there."""
    rabbitmqctl(ground, "delete_vhost", name)


def has_listener(transport_url: str, queue: str) -> bool:
    """Whether somebody reads from a queue of the virtual host that the URL names."""
    connection = _connection(transport_url, urlsplit(transport_url).path[1:] or "/")
    try:
        connection.connect()
        return bool(connection.channel().queue_declare(queue, passive=True).consumer_count)
    except _errors():
        return False
    finally:
        connection.close()


def _opens(url: str, name: str) -> bool:
    connection = _connection(url, name)
    try:
        connection.connect()
    except _errors():
        return False
    finally:
        connection.close()
    return True


def _connection(url: str, virtual_host: str) -> Any:
    address = urlsplit(url)
    return importlib.import_module("amqp").Connection(
        host=f"{address.hostname}:{address.port}",
        userid=address.username or "guest",
        password=address.password or "guest",
        virtual_host=virtual_host,
        connect_timeout=10,
    )


def _errors() -> tuple[type[Exception], ...]:
    return (importlib.import_module("amqp.exceptions").AMQPError,)
