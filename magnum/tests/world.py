"""A small world in which every route has something to succeed on: what project p1 has, and a request for each route."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from wsgiref.types import WSGIApplication

import pytest
from webtest import TestResponse

from magnum.api import app
from magnum.api.routing import Route
from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import bays, session
from magnum.drivers import catalogue
from magnum.identity import projects
from magnum.lifecycle.secrets import BaySecrets
from magnum.policies import enforcer
from magnum.tests.api import (
    EVERYTHING,
    MEMBER,
    MODEL,
    Client,
    Settings,
    a_bay,
    a_model,
    operations_of,
    replace,
    settle,
    stands,
    trusting,
)
from magnum.tests.calls import AskedDriver, no_cloud
from magnum.tests.keys import a_request, forget_key_ring, use_key_ring

#: The own user of the bay, and the domain of such users.
NODE, NODES_DOMAIN = "the-bays-own-user", "the-domain-of-bays-users"

_ADMIN = "admin,manager,member,reader"
#: By persona (:mod:`magnum.tests.personas`): what the token check says of it.
IDENTITIES: Final[dict[str, dict[str, str]]] = {
    "nobody": {},
    "guest": {"Project_Id": "p1", "User_Id": "u1", "Roles": "guest"},
    "reader": {"Project_Id": "p1", "User_Id": "u3", "Roles": "reader"},
    "member": {"Project_Id": "p1", "User_Id": "u4", "Roles": MEMBER},
    "creator": {"Project_Id": "p1", "User_Id": "u1", "Roles": MEMBER},
    "manager": {"Project_Id": "p1", "User_Id": "u5", "Roles": "manager,member,reader"},
    "admin": {"Project_Id": "p0", "User_Id": "u0", "Roles": _ADMIN},
    "system": {"User_Id": "u0", "Roles": _ADMIN, "System_Scope": "all"},
    "stranger": {"Project_Id": "p2", "User_Id": "u2", "Roles": MEMBER},
    "node": {"Project_Id": "p1", "User_Id": NODE, "Roles": MEMBER, "User_Domain_Id": NODES_DOMAIN},
}


class AbleDriver(AskedDriver):
    """A driver that can do all that can be asked for."""

    node_groups = node_labels = True
    bay_rotate_ca = bay_rotate_credentials = bay_upgrade = AskedDriver.bay_create


@dataclass(frozen=True)
class Things:
    """Uuids of what p1 has.

    ``bay`` is complete, with a CA, a user of its own and a node group of its own; ``waiting`` is an operation of
    another bay, not begun yet. No bay uses the baymodel ``spare``, which is private; everybody may use ``public``. The
    rest is what they are like where they are not made by :meth:`of`.
    """

    bay: str
    group: str
    waiting: str
    spare: str
    public: str
    csr: str
    project: str = "p1"
    driver: str = AbleDriver.name

    @classmethod
    def of(cls, creator: Client, admin: Client) -> "Things":
        """Make them. Needs a key ring."""
        public = a_model(admin, name="public", public=True)["uuid"]
        spare = a_model(creator, name="spare")["uuid"]
        bay = _complete(creator, a_bay(creator, baymodel_id=public))
        busy = _complete(creator, a_bay(creator, baymodel_id=public, name="busy"))
        more = replace("/node_count", 2)
        waiting = creator("PATCH", f"/v1/bays/{busy}", more, status=202).json["operation"]
        admin("POST", "/v1/quotas", {"project_id": "p1", "hard_limit": 100}, status=201)
        path = f"/v1/clusters/{bay}/nodegroups"
        group = creator("POST", path, {"name": "gpu"}, status=202).json
        stands(group["operation"], state="DONE", next_run_at=None)
        _settle_group(bay)
        return cls(bay, group["uuid"], waiting, spare, public, a_request())

    def path(self, route: Route, ident: str | None = None) -> str:
        """The path of a route to what it is about. Raises KeyError for one that leads to something unknown.

        :param ident: what stands in the first free segment, in the place of a uuid.
        """
        endpoint = "info" if route.method == "GET" else "echo"
        known = {
            **dict.fromkeys(
                ("bays", "clusters", "certificates", "credentials"), (self.bay, "kubernetes")
            ),
            **dict.fromkeys(("baymodels", "clustertemplates"), (self.spare,)),
            "nodegroups": (self.group,),
            "operations": (self.waiting,),
            "ext": (self.driver, endpoint),
            "drivers": (self.driver,),
            "quotas": (self.project, "Cluster"),
        }
        filled, noun, free = [], "", 0
        for segment in route.segments:
            if segment == "{}":
                filled.append(ident or known[noun][free])
                ident = None
                free += 1
            else:
                filled.append(segment)
                noun, free = segment, 0
        return "/" + "/".join(filled)

    def body(self, route: Route) -> Any:
        """A body with which the route succeeds. Raises KeyError where there is none for a POST or PATCH."""
        if route.method in ("GET", "DELETE"):
            return None
        bodies: dict[str | None, Any] = {
            "baymodel:create": MODEL,
            "clustertemplate:create": MODEL,
            "bay:create": {"baymodel_id": self.public},
            "cluster:create": {"cluster_template_id": self.public},
            "bay:resize": {"node_count": 2},
            "cluster:resize": {"node_count": 2},
            "bay:upgrade": {"baymodel": self.public},
            "cluster:upgrade": {"cluster_template": self.public},
            "nodegroup:create": {"name": "more"},
            "nodegroup:update": replace("/max_node_count", 9),
            "placement:create": {"baymodel_id": self.public},
            "certificate:create": {"cluster_uuid": self.bay, "csr": self.csr},
            "quota:create": {"project_id": "p3"},
            "quota:update": {"hard_limit": 99},
            **dict.fromkeys(("bay:update", "cluster:update"), replace("/node_count", 2)),
            **dict.fromkeys(("baymodel:update", "clustertemplate:update"), replace("/name", "it")),
            **dict.fromkeys(_WITHOUT_BODY),
        }
        return bodies[route.policy]


_WITHOUT_BODY: Final = (
    *("action:rebuild", "action:soft_reboot", "action:hard_reboot", "action:check"),
    *("certificate:rotate_ca", "credential:rotate", "preview:create", "ext:call_post"),
)


def _complete(creator: Client, uuid: str) -> str:
    """Bring a new bay to what a conductor makes of it. Returns its uuid."""
    stands(operations_of(uuid)[0], state="DONE", next_run_at=None)
    bay = bays.get(service_context(), uuid, all_projects=True)
    BaySecrets(bay, no_cloud).prepare()
    settle(uuid, api_address="https://192.0.2.1:6443", bay_user_id=NODE)
    return uuid


def _settle_group(bay: str) -> None:
    settle(bay)
    with session.engine().begin() as connection:
        connection.exec_driver_sql("UPDATE nodegroup SET status = 'CREATE_COMPLETE'")


class Database:
    """A file that is put back when somebody has written into it. The service keeps its connections to it."""

    def __init__(self, folder: Path, empty: Path) -> None:
        path = shutil.copy(empty, folder / "magnum.sqlite")
        session.configure(f"sqlite:///{path}")
        # It is told of what others write, and not of what it writes itself.
        self._watch = sqlite3.connect(path)
        self._kept = sqlite3.connect(":memory:")
        self.keep()

    def keep(self) -> None:
        """What it holds now is what it is put back to."""
        self._watch.backup(self._kept)
        self._version = self._data_version()

    def changed(self) -> bool:
        """Whether somebody has written since it was last put back."""
        return self._data_version() != self._version

    def put_back(self) -> None:
        """As it was when it was kept, if that is not so."""
        if self.changed():
            self._kept.backup(self._watch)
            self._version = self._data_version()

    def close(self) -> None:
        """Close all connections."""
        self._watch.close()
        self._kept.close()
        session.engine().dispose()

    def _data_version(self) -> int:
        (version,) = self._watch.execute("PRAGMA data_version").fetchone()
        return int(version)


@dataclass(frozen=True)
class World:
    """The service with what p1 has, and everybody who asks it."""

    database: Database
    things: Things
    clients: dict[str, Client]
    config: Settings
    wsgi: WSGIApplication

    def caller(self, **identity: str) -> Client:
        """Somebody else. Header names are those that keystonemiddleware would set."""
        return Client(self.wsgi, **identity)

    def answer(self, who: str | Client, method: str, path: str, body: Any = None) -> TestResponse:
        """Ask, in the world as it was made. What is refused must have changed nothing."""
        self.database.put_back()
        client = self.clients[who] if isinstance(who, str) else who
        found = client(method, path, body)
        if found.status_int >= 300:
            assert not self.database.changed(), found.text
        return found

    def ask(self, who: str | Client, route: Route) -> TestResponse:
        """Send the request of a route."""
        return self.answer(who, route.method, self.things.path(route), self.things.body(route))


@contextmanager
def made(folder: Path, empty: Path) -> Iterator[World]:
    """The world, in a folder of its own.

    :param empty: a database file with the schema and nothing else.
    """
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    config, known = Settings(), catalogue.Catalogue([AbleDriver()])
    with pytest.MonkeyPatch.context() as patch, ExitStack() as after:
        after.callback(enforcer.decisions.cache_clear)
        after.callback(config.undo)
        after.callback(forget_key_ring)
        config("cloud", absent_services=EVERYTHING)
        config("trust", trustee_domain_id=NODES_DOMAIN)
        use_key_ring(folder)
        patch.setattr(catalogue, "catalogue", lambda: known)
        patch.setattr(projects, "exists", lambda ident, request_id: True)
        enforcer.decisions.cache_clear()
        database = Database(folder, empty)
        after.callback(database.close)
        wsgi = app.make(auth=trusting)
        clients = {who: Client(wsgi, **identity) for who, identity in IDENTITIES.items()}
        clients["nobody"].headers.clear()
        things = Things.of(clients["creator"], clients["admin"])
        database.keep()
        yield World(database, things, clients, config, wsgi)
