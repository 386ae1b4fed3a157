"""What a bay tells when the real cloud will not have it: step, resource, the cloud's own words, whose move it is.

All causes are made beside each other, because Heat takes its time to give up; the life of one more bay goes on
meanwhile, with whatever can befall it later.
"""

import datetime
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from keystoneauth1.session import Session

from magnum.lifecycle.failures import advice
from magnum.tests.functional.cloud import causes, client
from magnum.tests.functional.cloud.causes import Cause, Scene
from magnum.tests.functional.cloud.client import Magnum
from magnum.tests.functional.cloud.conftest import STATE, running
from magnum.tests.functional.cloud.lives import Life, a_service_user, bus_of_heat
from tools.openstack import config
from tools.openstack.config import Sections

pytestmark = pytest.mark.timeout(4 * client.PATIENCE)

#: Scenes that are set at the same time.
AT_ONCE = 4
#: Tries again soon, so that nobody has to wait long.
SOON: Sections = {"lifecycle": {"blocked_interval": 5, "retry_longest": 5, "settle_seconds": 5}}

#: Seconds between two looks at a stack by the service that listens to Heat.
POLL_INTERVAL = 60

# --- bays that cannot be built ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Victim:
    """A bay that a cause has befallen, and its owner's view of our API."""

    cause: Cause
    api: Magnum
    bay: str


Victims = dict[type[Cause], Victim]


@pytest.fixture(scope="module")
def victims(
    passwords: config.Passwords, admin: Session, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Victims]:
    """A bay for each cause. The cause strikes when the bay is accepted and nothing of it is built."""
    folder = tmp_path_factory.mktemp("failures")
    database = f"sqlite:///{folder}/magnum.sqlite"
    with ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as pool:
        service = stack.enter_context(running(folder, passwords, database, SOON))
        service.stop_conductor()
        scenes = list(pool.map(lambda _: Scene(admin, stack), causes.CAUSES))
        made = list(pool.map(_victim, causes.CAUSES, scenes, [service.port] * len(scenes)))
        stack.callback(_remove, made)
        service.start()
        yield {type(victim.cause): victim for victim in made}


def _victim(kind: type[Cause], scene: Scene, port: int) -> Victim:
    cause = kind(scene)
    api = Magnum(scene.tenant.session, port)
    victim = Victim(cause, api, _a_bay(api, scene, **cause.baymodel()))
    cause.strike()
    return victim


def _a_bay(api: Magnum, scene: Scene, **fields: Any) -> str:
    """Ask for a small bay: one master and one node in the scene's network, without floating IPs."""
    small = {
        "fixed_network": scene.fixed_network,
        "floating_ip_enabled": False,
        "external_network_id": None,
        "flavor_id": scene.flavor,
        "master_flavor_id": scene.flavor,
    }
    model = api.baymodel(**{**small, **fields})
    made: str = api.make("/bays", name="b1", baymodel_id=model, node_count=1)["uuid"]
    return made


def _remove(victims: Iterable[Victim]) -> None:
    """What the tests have left."""
    for victim in victims:
        victim.api.call("DELETE", f"/bays/{victim.bay}?force=true")
    client.until(lambda: not any(_is_there(victim) for victim in victims))


def _is_there(victim: Victim) -> bool:
    return bool(victim.api.call("GET", f"/bays/{victim.bay}").status_code == 200)


@pytest.fixture(scope="module")
def life(
    victims: Victims,
    passwords: config.Passwords,
    admin: Session,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Life]:
    """A bay that is asked for while the others fail. Its service listens to Heat."""
    folder = tmp_path_factory.mktemp("life")
    with ExitStack() as stack:
        scene = Scene(admin, stack)
        name, password = f"service-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
        user = a_service_user(admin, name, password)
        stack.callback(client.service(admin, "identity").delete, f"/users/{user}")
        extra = config.merged(
            SOON,
            {
                "keystone_auth": {"username": name, "password": password},
                "lifecycle": {"check_quiet": 1},
                # Begins so that the cloud's limit for queues that nobody reads holds for it.
                "heat_events": {
                    "transport_url": bus_of_heat(STATE),
                    "pool": "notifications-test",
                    "poll_interval": POLL_INTERVAL,
                },
            },
        )
        database = f"sqlite:///{folder}/magnum.sqlite"
        service = stack.enter_context(running(folder, passwords, database, extra))
        api = Magnum(scene.tenant.session, service.port)
        made = Life(service, scene, api, _a_bay(api, scene), user)
        stack.callback(_remove, [Victim(Cause(scene), api, made.bay)])
        yield made


# --- what is told of bays that cannot be built -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", causes.SOON_TOLD, ids=lambda kind: kind.__name__)
def test_it_is_told_and_goes_on_by_itself_once_mended(victims: Victims, kind: type[Cause]) -> None:
    victim = victims[kind]
    _tells(victim)
    if kind.can_be_mended:
        _goes_on(victim)


def _tells(victim: Victim) -> None:
    told = victim.cause.told
    operation = _told(victim.api, victim.bay, told.code)
    error = operation["error"]
    assert (operation["verb"], operation["state"]) == ("create", told.state)
    assert (error["actor"], error["help"]) == (told.actor, advice(told.code))
    assert re.search("[Cc]reating", error["text"])
    for words in told.words:
        assert words in error["text"]
    if told.place:
        _tells_the_part(operation, told)
    print(f"{told.code} {_seconds(operation, victim.api.timeline(victim.bay))} s after the start")
    if told.state == "BLOCKED" and not victim.cause.can_be_mended:  # no more tries, please
        assert victim.api.call("DELETE", f"/bays/{victim.bay}").status_code == 204


def _tells_the_part(operation: dict[str, Any], told: causes.Told) -> None:
    fault = operation["faults"][0]
    assert re.fullmatch(told.place, fault["resource"])
    assert fault["type"] == told.type
    assert f"'{fault['resource']}' ({fault['type']})" in operation["error"]["text"]
    assert fault["text"] in operation["error"]["text"]
    assert bool(fault["request_id"]) == told.has_request_id
    assert not told.has_request_id or operation["error"]["request_id"] == fault["request_id"]


def _seconds(operation: dict[str, Any], timeline: list[dict[str, Any]]) -> int:
    """From the operation's start to the event that tells of its end, or of what it waits for."""
    told = next(event for event in timeline if event["code"] in ("BLOCKED", "FAILED"))
    moments = (operation["started_at"], told["created_at"])
    began, ended = (datetime.datetime.fromisoformat(moment) for moment in moments)
    return round((ended - began).total_seconds())


def _goes_on(victim: Victim) -> None:
    victim.cause.mend()
    bay = victim.api.settled(victim.bay, "CREATE_COMPLETE")
    assert (bay["status_reason"], len(bay["node_addresses"])) == (None, 1)
    operation = victim.api.operation(victim.bay)
    assert (operation["state"], operation["error"], operation["faults"]) == ("DONE", None, [])
    codes = [event["code"] for event in victim.api.timeline(victim.bay)]
    assert codes.index("BLOCKED") < codes.index("DONE")


# --- what befalls a bay later ----------------------------------------------------------------------------------------


def test_a_finished_stack_is_seen_at_once(life: Life) -> None:
    heat = life.scene.mine("orchestration")
    client.until(lambda: life.api.bay(life.bay)["stack_id"])
    stack = life.stack()
    ended = _when(lambda: heat.get(stack).json()["stack"]["stack_status"] == "CREATE_COMPLETE")
    seen = _when(lambda: life.api.bay(life.bay)["status"] == "CREATE_COMPLETE")
    print(f"Heat had finished, and {seen - ended:.2f} s later the API said so")
    assert (
        seen - ended < POLL_INTERVAL / 2
    )  # how long it would take without notifications, on an average


def test_keystone_refuses_the_service(life: Life) -> None:
    life.rest()
    account = f"/users/{life.service_user}"
    life.identity.patch(account, json={"user": {"enabled": False}})
    try:
        life.service.tell_conductor({})  # so that it has to log in
        life.change()
        assert "granting roles in project" in _is_blocked(life, "CLOUD_REFUSED", "operator")
    finally:
        life.identity.patch(account, json={"user": {"enabled": True}})
    life.api.settled(life.bay, "UPDATE_COMPLETE")


def test_the_role_in_the_project_is_taken_away(life: Life) -> None:
    life.rest()
    life.take_all_roles()
    life.give("reader")
    try:
        life.service.tell_conductor({"identity": {"grant_roles": False}})
        life.change()
        text = _is_blocked(life, "PERMISSION_LOST", "operator")
        assert "orchestration" in text and "updating the stack" in text
    finally:
        life.give("member")
    life.api.settled(life.bay, "UPDATE_COMPLETE")


def test_the_driver_is_missing(life: Life) -> None:
    life.rest()
    life.service.tell_conductor({"drivers": {"disabled_drivers": "swarm_atomic_v1"}})
    life.change()
    assert "swarm_atomic_v1" in _is_blocked(life, "DRIVER_MISSING", "operator")
    life.service.tell_conductor({"drivers": {"disabled_drivers": ""}})
    life.api.settled(life.bay, "UPDATE_COMPLETE")


def test_somebody_changes_the_stack(life: Life) -> None:
    nodes = life.rest()["node_count"]
    change = {"existing": True, "parameters": {"node_count": nodes - 1}}
    life.scene.mine("orchestration").patch(life.stack(), json=change)
    operation = life.checked("STACK_CHANGED")
    assert operation["error"]["help"] == advice("STACK_CHANGED")
    assert "node_count" in operation["error"]["text"]
    mended = life.api.scale(life.bay, nodes)
    assert (mended["status_reason"], len(mended["node_addresses"])) == (None, nodes)


def test_somebody_deletes_the_stack(life: Life) -> None:
    life.rest()
    life.scene.mine("orchestration").delete(life.stack())
    operation = life.checked("STACK_GONE")
    assert operation["error"]["help"] == advice("STACK_GONE")
    assert life.api.bay(life.bay)["status"] == "CHECK_FAILED"
    life.api.delete(life.bay)


def _is_blocked(life: Life, code: str, actor: str) -> str:
    """Waits until the present update is blocked with a code; returns the text."""
    operation = _told(life.api, life.bay, code)
    error = operation["error"]
    assert (operation["verb"], operation["state"]) == ("update", "BLOCKED")
    assert (error["actor"], error["help"]) == (actor, advice(code))
    text: str = error["text"]
    print(f"{code}: {text}")
    return text


def _told(api: Magnum, bay: str, code: str) -> dict[str, Any]:
    """The operation that says this, while its bay says the same: it may be trying again at any moment."""

    def both() -> dict[str, Any] | None:
        operation = api.told(bay, code)
        seen = api.bay(bay)
        same = seen["status_reason"] == f"{code}: {operation['error']['text']}"
        failed = seen["status"].endswith("_FAILED")
        return operation if same and failed == (operation["state"] == "FAILED") else None

    found: dict[str, Any] = client.until(both)
    return found


def _when(condition: Callable[[], bool]) -> float:
    """The moment at which something came true, to a twentieth of a second."""
    end = time.monotonic() + client.PATIENCE
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)
    return time.monotonic()


# --- what takes Heat long --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", causes.LATE_TOLD, ids=lambda kind: kind.__name__)
def test_it_is_told_when_heat_has_given_up(victims: Victims, kind: type[Cause]) -> None:
    _tells(victims[kind])


# --- deletions prove themselves --------------------------------------------------------------------------------------


def test_a_leftover_holds_the_deletion_up_until_it_is_gone(victims: Victims) -> None:
    victim = victims[causes.ImageGone]
    port = victim.cause.scene.tagged_port(victim.bay)
    assert victim.api.call("DELETE", f"/bays/{victim.bay}").status_code == 204
    operation = victim.api.told(victim.bay, "LEFTOVERS")
    assert (operation["state"], operation["error"]["actor"]) == ("BLOCKED", "user")
    assert [(left["service"], left["kind"], left["ident"]) for left in operation["leftovers"]] == [
        ("network", "port", port)
    ]
    assert port in operation["error"]["text"]
    victim.cause.scene.mine("network").delete(f"/v2.0/ports/{port}")
    client.until(lambda: victim.api.operation(victim.bay)["state"] == "DONE")
    assert not _is_there(victim)


def test_force_ends_a_deletion_and_lists_what_it_leaves(victims: Victims) -> None:
    victim = victims[causes.FlavorGone]
    port = victim.cause.scene.tagged_port(victim.bay)
    assert victim.api.call("DELETE", f"/bays/{victim.bay}?force=true").status_code == 204
    client.until(lambda: not _is_there(victim))
    operation = victim.api.operation(victim.bay)
    assert operation["state"] == "DONE"
    assert [left["ident"] for left in operation["leftovers"]] == [port]
    victim.cause.scene.mine("network").delete(f"/v2.0/ports/{port}")


def test_bays_that_failed_leave_nothing(victims: Victims, admin: Session) -> None:
    left = [victim for victim in victims.values() if _is_there(victim)]
    for victim in left:
        # Some are being deleted already, and may be gone by now.
        assert victim.api.call("DELETE", f"/bays/{victim.bay}").status_code in (204, 404)

    def all_gone() -> bool:
        there = [victim for victim in left if _is_there(victim)]
        for victim in there:
            _clear(victim)
        return not there

    client.until(all_gone)
    for victim in victims.values():
        held = client.holdings(admin, victim.cause.scene.tenant)
        assert held.keys() <= {"networks", "subnets"}, held  # the scene's own


def _clear(victim: Victim) -> None:
    """Remove what a deletion waits for, as its user would. Heat has been seen to leave a server behind that it was
    trying to make again when the deletion came.
    """
    places = {"server": ("compute", "/servers"), "port": ("network", "/v2.0/ports")}
    for thing in victim.api.operation(victim.bay)["leftovers"]:
        service, path = places[thing["kind"]]
        print(f"Heat left a {thing['kind']}: {thing['name']}")
        victim.cause.scene.mine(service).delete(f"{path}/{thing['ident']}", raise_exc=False)
