"""What a person chose for a cloud: remembered in its state folder, so that every later command agrees."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tools.openstack.config import write_private
from tools.openstack.console import Trouble

OPTIONAL = ("cinder", "barbican", "octavia")
DEFAULT_URLS = {
    "mysql": "mysql://root@127.0.0.1:3306",
    "postgresql": "postgresql://root@127.0.0.1:5432",
}
DEFAULT_RABBITMQ = "amqp://guest:guest@127.0.0.1:5672"


@dataclass(frozen=True)
class Choices:
    """The options of ``tools/cloud up``.

    :param db: kind of database server.
    :param db_url: that server with its administrator.
    :param rabbitmq_url: the broker with a user.
    :param extras: optional services, out of ``OPTIONAL``.
    :param fast: Heat's engine with short pauses.
    :param magnum: run our own service too.
    """

    db: str = "mysql"
    db_url: str = DEFAULT_URLS["mysql"]
    rabbitmq_url: str = DEFAULT_RABBITMQ
    extras: tuple[str, ...] = ()
    fast: bool = True
    magnum: bool = True

    def changed_by(self, given: dict[str, object]) -> "Choices":
        """These choices with what was ``given`` now (None = not given).

        :raises Trouble: when the database server would change under a cloud that has its data there.
        """
        news = {name: value for name, value in given.items() if value is not None}
        db = news.get("db", self.db)
        if db != self.db:
            raise Trouble(
                f"this cloud keeps its data in {self.db}; run `tools/cloud down --wipe` first, or choose "
                "another folder with --state."
            )
        return replace(self, **news)  # type: ignore[arg-type]


def load(state: Path) -> Choices | None:
    """The choices of the cloud in this folder; None when there is no cloud."""
    try:
        saved = json.loads(_path(state).read_text())
    except FileNotFoundError:
        return None
    return Choices(**{**saved, "extras": tuple(saved["extras"])})


def save(state: Path, choices: Choices) -> None:
    """Remember them."""
    write_private(_path(state), json.dumps(asdict(choices), indent=1) + "\n")


def first(given: dict[str, object]) -> Choices:
    """The choices for a new cloud."""
    db = str(given.get("db") or "mysql")
    return Choices(db=db, db_url=DEFAULT_URLS[db]).changed_by(given)


def suffix(state: Path) -> str:
    """A short name of the state folder, the same for every run, different for two clouds on a machine."""
    return hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:6]


def _path(state: Path) -> Path:
    return state / "cloud.json"
