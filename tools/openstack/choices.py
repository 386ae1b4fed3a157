"""What a person chose for a cloud: remembered in its state folder, so that every later command agrees."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from tools.openstack.config import write_private

OPTIONAL = ("cinder", "barbican", "octavia")
AUTH_URL = "http://127.0.0.1:5000"  # Keystone; like all ports, not a choice
MYSQL, POSTGRESQL = "mysql", "postgresql"


@dataclass(frozen=True)
class Choices:
    """The options of ``tools/cloud up``.

    :param db: kind of database server for our own service; the OpenStack services are always on MySQL.
    :param mysql_url: that server with an administrator.
    :param postgresql_url: likewise.
    :param rabbitmq_url: the broker with a user.
    :param extras: optional services, out of ``OPTIONAL``.
    :param fast: Heat's engine with short pauses.
    :param magnum: run our own service too.
    :param broker: tell our own service of the broker.
    :param nodes: boot a real node for every server, rather than report in its name.
    """

    db: str = MYSQL
    mysql_url: str = "mysql://root@127.0.0.1:3306"
    postgresql_url: str = "postgresql://root@127.0.0.1:5432"
    rabbitmq_url: str = "amqp://guest:guest@127.0.0.1:5672"
    extras: tuple[str, ...] = ()
    fast: bool = True
    magnum: bool = True
    broker: bool = True
    nodes: bool = False

    def changed_by(self, given: Mapping[str, Any]) -> "Choices":
        """These choices with what was ``given`` now (None = not given). Extras are only ever added."""
        news = {name: value for name, value in given.items() if value is not None}
        wanted = {*self.extras, *news.get("extras", ())}
        news["extras"] = tuple(name for name in OPTIONAL if name in wanted)
        return replace(self, **news)


def load(state: Path) -> Choices | None:
    """The choices of the cloud in this folder; None when there is no cloud."""
    try:
        saved = json.loads(_path(state).read_text())
    except FileNotFoundError:
        return None
    known = {field.name for field in fields(Choices)}  # an older cloud may remember other things
    kept = {name: value for name, value in saved.items() if name in known}
    return Choices(**{**kept, "extras": tuple(kept.get("extras", ()))})


def save(state: Path, choices: Choices) -> None:
    """Remember them."""
    write_private(_path(state), json.dumps(asdict(choices), indent=1) + "\n")


def suffix(state: Path) -> str:
    """A short name of the state folder, the same for every run, different for two clouds on a machine."""
    return hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:6]


def _path(state: Path) -> Path:
    return state / "cloud.json"
