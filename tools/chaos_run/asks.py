"""The people of a run: they ask for bays, over HTTP and directly, and remember what was accepted.

Whoever gets no answer asks again until he has one, as a person would; so at the end it is known of each request whether
it was accepted. Requests about one bay are made one after the other.
"""

import heapq
import itertools
import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exception

from magnum.common import errors
from magnum.common.context import RequestContext
from magnum.conf import CONF
from magnum.db import baymodels, bays, session
from magnum.db.bays import BayNotFound
from magnum.db.models import Bay, BayModel, Operation
from magnum.drivers.catalogue import catalogue
from magnum.lifecycle import hints, submit
from tools.chaos_run.ground import Ground
from tools.chaos_run.plan import Ask, Plan, Verb
from tools.standin import identity
from tools.standin.client import StandInError

LOG = logging.getLogger(__name__)

PROJECT = "chaos"
DRIVER = "swarm_atomic_v1"
#: People who ask at the same time.
_PEOPLE = 6
#: Seconds between two tries of somebody who got no answer, and until he gives up waiting for one.
_PAUSE, _TIMEOUT = 0.5, 60.0


class NoAnswer(Exception):
    """Nobody knows whether the request was accepted."""


class Refused(Exception):
    """The service said no."""


@dataclass(slots=True)
class Wanted:
    """What was accepted of one bay. ``nodes`` is the number that was accepted last."""

    name: str
    uuid: str | None = None
    nodes: int = 0
    deleted: bool = False
    scaled: int = 0
    cancelled: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


class People:
    """Carries out the requests of a plan."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self.wanted = [Wanted(name(number)) for number in range(plan.bays)]
        self.unanswered = 0
        self.left = len(plan.asks)
        self._ground = ground
        self._waiting: list[tuple[float, int, Ask]] = []
        self._behind: dict[int, list[Ask]] = {}
        self._numbers = itertools.count()
        self._more = threading.Condition()
        self._broken: list[BaseException] = []
        for ask in plan.asks:
            self._behind.setdefault(ask.bay, []).append(ask)
        for asks in self._behind.values():
            self._put(asks.pop(0))
        self._model = _prepare(ground)

    def run(self) -> None:
        """Begin; the plan's time begins now."""
        self._began = time.monotonic()
        for number in range(_PEOPLE):
            threading.Thread(target=self._person, name=f"person-{number}", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether all requests were answered within so many seconds. Raises what broke one of the people."""
        with self._more:
            done = self._more.wait_for(lambda: self._broken or not self.left, timeout=seconds)
        if self._broken:
            raise self._broken[0]
        return bool(done)

    # --- one person ----------------------------------------------------------------------------------------------

    def _put(self, ask: Ask) -> None:
        heapq.heappush(self._waiting, (ask.at, next(self._numbers), ask))

    def _person(self) -> None:
        try:
            while (ask := self._next()) is not None:
                self._until_answered(ask)
                with self._more:
                    self.left -= 1
                    if self._behind[ask.bay]:
                        self._put(self._behind[ask.bay].pop(0))
                    self._more.notify_all()
        except BaseException as error:
            with self._more:
                self._broken.append(error)
                self._more.notify_all()
            raise

    def _next(self) -> Ask | None:
        with self._more:
            while self.left:
                if not self._waiting:
                    self._more.wait()
                    continue
                left = self._waiting[0][0] - (time.monotonic() - self._began)
                if left <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._more.wait(left)
        return None

    def _until_answered(self, ask: Ask) -> None:
        wanted = self.wanted[ask.bay]
        doer = _OverHttp(self._ground, self._model) if ask.over_http else _Directly(self._model)
        while True:
            try:
                _DO[ask.verb](doer, ask, wanted)
                return
            except Refused as error:
                wanted.refused.append(f"{ask.verb}: {error}")
                return
            except NoAnswer as error:
                LOG.info("%s: no answer: %s", ask, error)
                self.unanswered += 1
                time.sleep(_PAUSE)


def name(number: int) -> str:
    """Name of a bay; no other name holds it, so that a stack's parameters tell which bay it is of."""
    return f"chaos-{number:04}-b"


# --- two ways to ask -------------------------------------------------------------------------------------------------


class _Directly:
    """Asks as the API does, in this process."""

    def __init__(self, model: BayModel) -> None:
        self._model = model
        # A new one for each request: it has the request's id.
        self._context = _context()

    def find(self, bay_name: str) -> str | None:
        """Uuid of a bay, None where there is none of this name."""
        found = self._call(lambda: bays.get(self._context, bay_name))
        return None if found is None else str(found.uuid)

    def create(self, bay_name: str, nodes: int) -> str:
        """Ask for a new bay; its uuid."""
        driver = catalogue().get(DRIVER)
        new = submit.NewBay(
            bay_name, self._model, driver, node_count=nodes, create_timeout=60, flavor_id="m1.small"
        )
        made = self._call(lambda: submit.create_bay(self._context, new))
        return str(made.bay.uuid)

    def scale(self, uuid: str, nodes: int) -> str | None:
        """Ask for another number of nodes; the operation's uuid, None where there is none."""
        bay: Bay | None = self._call(lambda: bays.get(self._context, uuid))
        if bay is None:
            raise Refused("the bay is gone")
        done: str | None = self._call(
            lambda: submit.update_bay(self._context, bay, nodes, queue=True)
        )
        return done

    def delete(self, uuid: str) -> None:
        """Ask for a bay's deletion; one that is gone is fine."""
        bay = self._call(lambda: bays.get(self._context, uuid))
        if bay is not None:
            self._call(lambda: submit.delete_bay(self._context, bay))

    def cancel(self, operation: str) -> bool:
        """Take a change back; whether that was possible."""
        try:
            with session.reader(self._context) as db:
                found = db.scalar(sa.select(Operation).where(Operation.uuid == operation))
            if found is None:
                return False
            self._call(lambda: submit.cancel(self._context, found))
        except Refused:
            return False
        except db_exception.DBError as error:
            raise NoAnswer(str(error)) from error
        return True

    def _call(self, do: Callable[[], Any]) -> Any:
        try:
            return do()
        except BayNotFound:
            return None
        except errors.MagnumError as error:
            raise Refused(str(error)) from error
        except (db_exception.DBError, sa.exc.SQLAlchemyError) as error:
            raise NoAnswer(str(error)) from error


class _OverHttp:
    """Asks the API."""

    def __init__(self, ground: Ground, model: BayModel) -> None:
        self._ground = ground
        self._model = model

    def find(self, bay_name: str) -> str | None:
        """Uuid of a bay, None where there is none of this name."""
        status, body = self._request("GET", f"/v1/bays/{bay_name}")
        return None if status == 404 else str(body["uuid"])

    def create(self, bay_name: str, nodes: int) -> str:
        """Ask for a new bay; its uuid."""
        body = {"name": bay_name, "baymodel_id": self._model.uuid, "node_count": nodes}
        return str(self._request("POST", "/v1/bays", body)[1]["uuid"])

    def scale(self, uuid: str, nodes: int) -> str | None:
        """Ask for another number of nodes."""
        change = [{"op": "replace", "path": "/node_count", "value": nodes}]
        status, _ = self._request("PATCH", f"/v1/bays/{uuid}", change)
        if status == 404:
            raise Refused("the bay is gone")
        return None

    def delete(self, uuid: str) -> None:
        """Ask for a bay's deletion; one that is gone is fine."""
        self._request("DELETE", f"/v1/bays/{uuid}")

    def cancel(self, operation: str) -> bool:
        """Not asked for over HTTP: the answer to a change does not name its operation."""
        return False

    def _request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._ground.api_url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("OpenStack-API-Version", "container-infra latest")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            request.add_header("X-Auth-Token", self._ground.standin.token("alice", PROJECT))
            with opener.open(request, timeout=_TIMEOUT) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            if error.code == 404:
                return 404, None
            if error.code in (400, 403, 409):
                raise Refused(f"{error.code}: {text}") from error
            raise NoAnswer(f"{error.code}: {text}") from error
        except (OSError, ValueError, StandInError) as error:
            raise NoAnswer(repr(error)) from error


_Doer = _Directly | _OverHttp


def _create(doer: _Doer, ask: Ask, wanted: Wanted) -> None:
    # Asked a second time where the first brought no answer: names are not unique, so it is looked for first.
    wanted.uuid = doer.find(wanted.name) or doer.create(wanted.name, ask.nodes)
    wanted.nodes = ask.nodes


def _scale(doer: _Doer, ask: Ask, wanted: Wanted) -> None:
    assert wanted.uuid is not None
    doer.scale(wanted.uuid, ask.nodes)
    wanted.nodes = ask.nodes
    wanted.scaled += 1


def _scale_and_cancel(doer: _Doer, ask: Ask, wanted: Wanted) -> None:
    assert wanted.uuid is not None
    operation = doer.scale(wanted.uuid, ask.nodes)
    before, wanted.nodes = wanted.nodes, ask.nodes
    wanted.scaled += 1
    if operation is None:
        return
    try:
        taken_back = doer.cancel(operation)
    except NoAnswer:
        taken_back = _is_cancelled(operation)
    if taken_back:
        wanted.nodes = before
        wanted.cancelled.append(operation)


def _delete(doer: _Doer, ask: Ask, wanted: Wanted) -> None:
    assert wanted.uuid is not None
    doer.delete(wanted.uuid)
    wanted.deleted = True


_DO: dict[Verb, Callable[[_Doer, Ask, Wanted], None]] = {
    Verb.CREATE: _create,
    Verb.SCALE: _scale,
    Verb.SCALE_AND_CANCEL: _scale_and_cancel,
    Verb.DELETE: _delete,
}


def _is_cancelled(operation: str) -> bool:
    """Whether an operation was taken back, from the database as soon as that answers."""
    while True:
        try:
            with session.reader(_context()) as db:
                state = db.scalar(sa.select(Operation.state).where(Operation.uuid == operation))
            return state == "CANCELLED"
        except (db_exception.DBError, sa.exc.SQLAlchemyError):
            time.sleep(_PAUSE)


def _context() -> RequestContext:
    return RequestContext(
        user_id=identity.ident("user", "alice"),
        project_id=identity.ident("project", PROJECT),
        roles=["member", "reader"],
        overwrite=False,
    )


def _prepare(ground: Ground) -> BayModel:
    """Let this process ask directly, and make the one baymodel."""
    CONF([], default_config_files=[], default_config_dirs=[])
    CONF.set_override("transport_url", ground.broker_url)
    CONF.set_override("max_clusters_per_project", -1, "quotas")
    hints.start()
    return baymodels.create(
        _context(),
        {
            "name": "chaos",
            "coe": "swarm",
            "driver": DRIVER,
            "cluster_distro": "fedora-atomic",
            "image_id": "fedora-atomic",
            "external_network_id": "public",
            "flavor_id": "m1.small",
            "master_flavor_id": "m1.small",
        },
    )
