"""A bay's secrets from its first pass to its end, on every kind of database."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from cryptography import x509
from oslo_utils import timeutils
from sqlalchemy import func, select

from magnum.certs import rotation
from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import clock, operations, session
from magnum.db import secrets as store
from magnum.db.bays import BayNotFound
from magnum.db.models import Bay, Operation, Secret, State
from magnum.drivers.contract import (
    CloudUnavailable,
    Done,
    DriverError,
    Facts,
    NodeCredential,
    Outcome,
    Wait,
    Work,
)
from magnum.identity.bay_users import Credential, Endpoints
from magnum.lifecycle import clouds
from magnum.lifecycle.clouds import Access
from magnum.lifecycle.passes import Worker
from magnum.lifecycle.secrets import BaySecrets
from magnum.lifecycle.submit import NewBay, create_bay, delete_bay, update_bay
from magnum.tests import engine
from magnum.tests.api import Settings
from magnum.tests.engine import ScriptedDriver
from magnum.tests.keys import forget_key_ring, use_key_ring

R = TypeVar("R")


@pytest.fixture(autouse=True)
def database(database_url: str) -> Iterator[None]:
    engine.use_database(database_url)
    yield
    session.engine().dispose()


@pytest.fixture(autouse=True)
def keys(tmp_path: Path) -> Iterator[Path]:
    yield use_key_ring(tmp_path)
    forget_key_ring()


@pytest.fixture
def settings() -> Iterator[Settings]:
    found = Settings()
    yield found
    found.undo()


class FakeKeystone:
    """Stands for the service's access to the cloud, which has nothing but bays' users here."""

    def __init__(self) -> None:
        self.users: dict[str, list[str]] = {}
        self.removed: list[tuple[str, str | None]] = []
        self.trouble: Exception | None = None
        self._lock = threading.Lock()

    def endpoints(self) -> Endpoints:
        """Where nodes find everything."""
        return Endpoints("http://keystone/v3", "http://magnum/v1")

    def make_bay_user(self, bay: str, project_id: str, request_id: str | None) -> Credential:
        """A new credential each time."""
        if self.trouble:
            raise self.trouble
        with self._lock:
            secrets = self.users.setdefault(bay, [])
            secrets.append(f"secret-{len(secrets)}")
            return Credential(f"user-of-{bay}", f"id-{len(secrets) - 1}", secrets[-1])

    def remove_bay_user(self, bay: str, user_id: str | None, request_id: str | None) -> None:
        """One that is not there is fine."""
        if self.trouble:
            raise self.trouble
        self.removed.append((bay, user_id))
        self.users.pop(bay, None)

    def doubt(self, project_id: str) -> None:
        """Nothing is remembered."""

    leave = doubt


def a_worker(driver: ScriptedDriver, keystone: FakeKeystone | None = None) -> Worker:
    access = cast(Access, keystone or FakeKeystone())
    return Worker(lambda: access, lambda name: driver)


def secrets_of(bay: Bay, keystone: FakeKeystone | None = None) -> BaySecrets:
    access = cast(Access, keystone or FakeKeystone())
    return BaySecrets(engine.look(bay), lambda: access)


def rows(bay: Bay) -> dict[str, Secret]:
    return {row.name: row for row in store.all_of(service_context(), bay.uuid)}


def all_rows() -> int:
    with session.reader(service_context()) as db:
        return db.scalar(select(func.count()).select_from(Secret)) or 0


def the_operation(bay: Bay) -> Operation:
    return engine.operations_of(bay)[-1]


def asking(ask: Callable[[Work], object], then: Outcome | None = None) -> Callable[[Work], Outcome]:
    """A step of a driver that asks for a secret."""

    def step(work: Work) -> Outcome:
        ask(work)
        return then or Done()

    return step


# --- the CA ----------------------------------------------------------------------------------------------------------


def test_the_first_pass_of_a_bay_makes_its_ca() -> None:
    driver = ScriptedDriver(Wait(1))
    bay = engine.a_bay(driver)
    worker = a_worker(driver)
    worker.run(the_operation(bay).id)
    (made,) = rows(bay).values()
    assert made.name == "ca"
    assert made.store == "database"
    assert made.public is not None
    assert made.expires_at == engine.look(bay).ca_expires_at
    assert "PRIVATE" not in str(made.sealed)
    engine.run_all(worker)
    assert rows(bay)["ca"].public == made.public


def test_a_kubernetes_bay_has_its_three_cas_from_the_beginning() -> None:
    driver = ScriptedDriver()
    model = engine.a_baymodel(coe="kubernetes")
    bay = create_bay(engine.context(), NewBay(name="b", baymodel=model, driver=driver)).bay
    engine.run_all(a_worker(driver))
    assert sorted(rows(bay)) == ["ca", "ca:etcd", "ca:front-proxy"]
    assert len({row.public for row in rows(bay).values()}) == 3


def test_a_bay_without_tls_gets_none() -> None:
    driver = ScriptedDriver()
    model = engine.a_baymodel(tls_disabled=True)
    bay = create_bay(engine.context(), NewBay(name="b", baymodel=model, driver=driver)).bay
    engine.run_all(a_worker(driver))
    assert rows(bay) == {}


def test_a_driver_sees_the_same_in_every_pass_and_process() -> None:
    seen: list[Any] = []
    ask = asking(lambda work: seen.append(work.secrets.authority()), Wait(0))
    driver = ScriptedDriver(ask, ask)
    engine.a_bay(driver)
    for _ in range(2):
        worker = a_worker(driver)
        engine.make_due()
        for operation_id in operations.due(service_context(), 10):
            worker.run(operation_id)
    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_a_client_certificate_is_signed_by_the_ca() -> None:
    pairs: list[Any] = []
    driver = ScriptedDriver(asking(lambda work: pairs.append(work.secrets.client("magnum", "o"))))
    bay = engine.a_bay(driver)
    engine.run_all(a_worker(driver))
    (pair,) = pairs
    assert pair.authority == rows(bay)["ca"].public
    certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(pair.authority.encode()))
    assert pair.key not in repr(pair)


def test_another_kind_of_ca_is_made_when_it_is_asked_for() -> None:
    bay = engine.a_bay(ScriptedDriver())
    found = secrets_of(bay).authority("etcd")
    assert rows(bay)["ca:etcd"].public == found
    assert engine.look(bay).ca_expires_at is None, "that is the end of the cluster's own"


# --- two at once -----------------------------------------------------------------------------------------------------


def at_once(do: Callable[[], R], count: int) -> list[R]:
    barrier = threading.Barrier(count)

    def begin(_: int) -> R:
        barrier.wait()
        return do()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


@pytest.mark.parametrize(
    "ask",
    [
        lambda one: one.authority(),
        lambda one: one.authority("etcd"),
        lambda one: one.node_credential(),
        lambda one: one.kept("token", lambda: str(threading.get_ident())),
    ],
)
def test_conductors_that_make_the_same_at_once_end_with_one(
    ask: Callable[[BaySecrets], object],
) -> None:
    bay, keystone = engine.a_bay(ScriptedDriver()), FakeKeystone()
    found = at_once(lambda: ask(secrets_of(bay, keystone)), 6)
    assert len(set(found)) == 1
    assert len(rows(bay)) == 1


def test_who_loses_removes_what_he_made_elsewhere(settings: Settings, tmp_path: Path) -> None:
    settings("certificates", cert_manager_type="local", storage_path=str(tmp_path / "files"))
    bay = engine.a_bay(ScriptedDriver())
    at_once(lambda: secrets_of(bay).authority(), 6)
    assert len(list((tmp_path / "files" / bay.uuid).iterdir())) == 1


def test_preparing_a_bay_that_has_some_of_them_makes_the_rest() -> None:
    driver, model = ScriptedDriver(), engine.a_baymodel(coe="kubernetes")
    bay = create_bay(engine.context(), NewBay(name="b", baymodel=model, driver=driver)).bay
    etcd = secrets_of(bay).authority("etcd")
    secrets_of(bay).prepare()
    assert sorted(rows(bay)) == ["ca", "ca:etcd", "ca:front-proxy"]
    assert rows(bay)["ca:etcd"].public == etcd
    assert engine.look(bay).ca_expires_at == rows(bay)["ca"].expires_at


def test_nothing_is_kept_for_a_bay_that_has_gone(settings: Settings, tmp_path: Path) -> None:
    settings("certificates", cert_manager_type="local", storage_path=str(tmp_path / "files"))
    driver = ScriptedDriver()
    bay = engine.a_bay(driver)
    late = secrets_of(bay)
    delete_bay(engine.context(), engine.look(bay))
    engine.run_all(a_worker(driver))
    with pytest.raises(BayNotFound):
        late.authority()
    assert all_rows() == 0
    assert list((tmp_path / "files").glob("*/*")) == []


# --- what nodes hold, and what drivers keep --------------------------------------------------------------------------


def test_the_nodes_credential_is_made_once_and_sealed() -> None:
    got: list[NodeCredential] = []
    ask = asking(lambda work: got.append(work.secrets.node_credential()), Wait(0))
    driver, keystone = ScriptedDriver(ask, ask), FakeKeystone()
    bay = engine.a_bay(driver)
    engine.run_all(a_worker(driver, keystone))
    assert got == [NodeCredential("id-0", "secret-0", "http://keystone/v3", "http://magnum/v1")] * 2
    assert engine.look(bay).bay_user_id == f"user-of-{bay.uuid}"
    assert "secret-0" not in str(vars(rows(bay)["node-credential"]))
    assert "secret-0" not in repr(got)


def test_a_credential_whose_secret_was_lost_is_made_anew() -> None:
    bay, keystone = engine.a_bay(ScriptedDriver()), FakeKeystone()
    secrets_of(bay, keystone).node_credential()
    row = rows(bay)["node-credential"]
    with session.writer(service_context()) as db:
        db.delete(row)
    assert secrets_of(bay, keystone).node_credential().secret == "secret-1"
    assert secrets_of(bay, keystone).node_credential().secret == "secret-1"


def test_what_a_driver_keeps_is_made_once() -> None:
    bay = engine.a_bay(ScriptedDriver())
    made = iter(("first", "second"))
    assert secrets_of(bay).kept("token", lambda: next(made)) == "first"
    assert secrets_of(bay).kept("token", lambda: next(made)) == "first"
    assert secrets_of(bay).kept("other", lambda: next(made)) == "second"


# --- what is not set up ----------------------------------------------------------------------------------------------


def test_a_driver_that_needs_no_secrets_works_without_a_key_ring(
    settings: Settings, tmp_path: Path
) -> None:
    settings("certificates", key_ring=str(tmp_path / "nowhere"))
    driver = ScriptedDriver()
    bay = engine.a_bay(driver)
    engine.run_all(a_worker(driver))
    assert engine.look(bay).status == "CREATE_COMPLETE"
    assert engine.look(bay).ca_expires_at is None


def test_one_that_needs_them_is_blocked_until_there_is_a_key_ring(
    settings: Settings, tmp_path: Path
) -> None:
    settings("certificates", key_ring=str(tmp_path / "later"))
    driver = ScriptedDriver(*[asking(lambda work: work.secrets.authority())] * 2)
    bay = engine.a_bay(driver)
    worker = a_worker(driver)
    worker.run(the_operation(bay).id)
    blocked = the_operation(bay)
    assert (blocked.state, blocked.error_code) == (State.BLOCKED, "KEYS_NOT_SET_UP")
    assert blocked.error_actor == "operator"
    assert "magnum-key-manage setup" in str(blocked.error_operator_text)
    assert "later" not in str(blocked.error_text)
    rotation.setup(tmp_path / "later")
    engine.run_all(worker)
    assert engine.look(bay).status == "CREATE_COMPLETE"
    assert engine.look(bay).ca_expires_at is not None


def test_one_that_needs_a_user_is_blocked_until_there_is_a_domain() -> None:
    keystone = FakeKeystone()
    keystone.trouble = clouds.NotSetUp("Not set up.", "No domain is configured.")
    driver = ScriptedDriver(*[asking(lambda work: work.secrets.node_credential())] * 2)
    bay = engine.a_bay(driver)
    worker = a_worker(driver, keystone)
    worker.run(the_operation(bay).id)
    blocked = the_operation(bay)
    assert (blocked.state, blocked.error_code) == (State.BLOCKED, "IDENTITY_NOT_SET_UP")
    assert blocked.error_actor == "operator"
    keystone.trouble = None
    engine.run_all(worker)
    assert engine.look(bay).status == "CREATE_COMPLETE"


def test_a_bay_from_before_gets_its_ca_with_the_next_operation() -> None:
    driver = ScriptedDriver()
    bay = engine.a_bay(driver)
    engine.run_all(a_worker(driver))
    row = rows(bay)["ca"]
    with session.writer(service_context()) as db:
        db.execute(session.changing(Bay).values(ca_expires_at=None))
        db.delete(row)
    update_bay(engine.context(), engine.look(bay), 3)
    engine.run_all(a_worker(driver))
    assert engine.look(bay).ca_expires_at == rows(bay)["ca"].expires_at


# --- the end ---------------------------------------------------------------------------------------------------------


def a_bay_with_a_user(keystone: FakeKeystone) -> tuple[Bay, ScriptedDriver]:
    driver = ScriptedDriver(asking(lambda work: work.secrets.node_credential()))
    bay = engine.a_bay(driver)
    engine.run_all(a_worker(driver, keystone))
    return bay, driver


def test_the_user_goes_when_all_else_has_gone_and_the_rows_with_the_bay() -> None:
    keystone = FakeKeystone()
    bay, driver = a_bay_with_a_user(keystone)
    there: list[bool] = []
    driver.answers = [asking(lambda work: there.append(bay.uuid in keystone.users), Wait(0))] * 3
    delete_bay(engine.context(), engine.look(bay))
    engine.run_all(a_worker(driver, keystone))
    assert there == [True] * 3
    assert keystone.users == {}
    assert keystone.removed == [(bay.uuid, f"user-of-{bay.uuid}")]
    assert all_rows() == 0
    with pytest.raises(BayNotFound):
        engine.look(bay)


def test_a_user_whose_making_was_broken_off_is_looked_for() -> None:
    keystone = FakeKeystone()
    bay = engine.a_bay(driver := ScriptedDriver())
    store.note_bay_user(service_context(), bay.uuid, "")
    keystone.users[bay.uuid] = ["nobody knows it"]
    delete_bay(engine.context(), engine.look(bay))
    engine.run_all(a_worker(driver, keystone))
    assert keystone.removed == [(bay.uuid, None)]
    assert keystone.users == {}


def test_a_user_goes_of_whose_making_nobody_has_seen_the_end() -> None:
    keystone = FakeKeystone()
    make = keystone.make_bay_user

    def answer_is_lost(*whose: Any) -> Credential:
        make(*whose)
        raise CloudUnavailable("The connection broke off.")

    keystone.make_bay_user = answer_is_lost  # type: ignore[assignment, method-assign]
    driver = ScriptedDriver(asking(lambda work: work.secrets.node_credential()))
    bay = engine.a_bay(driver)
    worker = a_worker(driver, keystone)
    worker.run(the_operation(bay).id)
    assert the_operation(bay).state == State.RUNNING
    assert bay.uuid in keystone.users
    delete_bay(engine.context(), engine.look(bay))
    engine.run_all(worker)
    assert keystone.users == {}


def test_a_bay_that_never_had_a_user_asks_keystone_nothing() -> None:
    keystone = FakeKeystone()
    bay = engine.a_bay(driver := ScriptedDriver())
    engine.run_all(a_worker(driver, keystone))
    delete_bay(engine.context(), engine.look(bay))
    engine.run_all(a_worker(driver, keystone))
    assert keystone.removed == []


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (CloudUnavailable("Keystone is silent."), State.RUNNING),
        (clouds.Refused("Keystone refuses."), State.BLOCKED),
        (clouds.NotSetUp("No domain."), State.BLOCKED),
    ],
)
def test_a_deletion_goes_on_until_the_user_has_gone(trouble: DriverError, state: State) -> None:
    keystone = FakeKeystone()
    bay, driver = a_bay_with_a_user(keystone)
    keystone.trouble = trouble
    delete_bay(engine.context(), engine.look(bay))
    worker = a_worker(driver, keystone)
    for _ in range(3):
        engine.make_due()
        worker.run(the_operation(bay).id)
        waiting = the_operation(bay)
        assert (waiting.state, waiting.error_code) == (state, trouble.code)
        assert engine.look(bay).status == "DELETE_IN_PROGRESS"
        assert "node-credential" in rows(bay)
    keystone.trouble = None
    engine.run_all(worker)
    assert keystone.users == {}
    with pytest.raises(BayNotFound):
        engine.look(bay)


def test_a_forced_deletion_lists_the_user_that_it_leaves() -> None:
    keystone = FakeKeystone()
    bay, driver = a_bay_with_a_user(keystone)
    keystone.trouble = clouds.Refused("Keystone refuses.")
    delete_bay(engine.context(), engine.look(bay), force=True)
    engine.run_all(a_worker(driver, keystone))
    done = the_operation(bay)
    assert done.state == State.DONE
    assert done.leftovers == [
        {
            "service": "identity",
            "kind": "user",
            "ident": f"user-of-{bay.uuid}",
            "name": f"bay-{bay.uuid}",
        }
    ]
    assert all_rows() == 0


def test_a_forced_deletion_asks_a_silent_keystone_again_until_its_deadline() -> None:
    keystone = FakeKeystone()
    bay, driver = a_bay_with_a_user(keystone)
    keystone.trouble = CloudUnavailable("Keystone is silent.")
    delete_bay(engine.context(), engine.look(bay), force=True)
    worker = a_worker(driver, keystone)
    worker.run(the_operation(bay).id)
    assert the_operation(bay).state == State.RUNNING
    engine.make_due(deadline=clock.now(-1))
    worker.run(the_operation(bay).id)
    done = the_operation(bay)
    assert done.state == State.DONE
    assert [left["service"] for left in done.leftovers or ()] == ["identity"]


def test_secrets_elsewhere_go_too(settings: Settings, tmp_path: Path) -> None:
    settings("certificates", cert_manager_type="local", storage_path=str(tmp_path / "files"))
    keystone = FakeKeystone()
    bay, driver = a_bay_with_a_user(keystone)
    assert len(list((tmp_path / "files" / bay.uuid).iterdir())) == 2
    delete_bay(engine.context(), engine.look(bay))
    engine.run_all(a_worker(driver, keystone))
    assert list((tmp_path / "files").iterdir()) == []


# --- budget and expiry -----------------------------------------------------------------------------------------------


def test_a_life_with_a_ca_costs_few_statements() -> None:
    """The budget is 60 for creation, one look, and deletion; see test_engine.py."""
    driver, keystone = ScriptedDriver(), FakeKeystone()
    engine.a_bay(driver)  # the project's row is there
    worker = a_worker(driver, keystone)
    engine.run_all(worker)

    def life(*creation: engine.Answer) -> int:
        driver.answers = [*creation, Done(), Wait(1), Done()]
        with engine.statements() as sent:
            bay = engine.a_bay(driver)
            _pass(worker, 2)
            delete_bay(engine.context(), engine.look(bay))
            _pass(worker, 2)
        with pytest.raises(BayNotFound):
            engine.look(bay)
        of_the_test = 4 + 1 + 1  # letting time pass, a baymodel, a look
        return len(sent) - of_the_test

    waits = Wait(1, facts=Facts(stack_id="s"))
    plain = life(waits)
    swarm = life(asking(lambda work: work.secrets.node_credential(), waits))
    assert plain <= 60
    assert swarm <= 60


def _pass(worker: Worker, times: int) -> None:
    for _ in range(times):
        with session.writer(service_context()) as db:
            due = Operation.next_run_at.is_not(None)
            db.execute(session.changing(Operation).values(next_run_at=clock.now(-1)).where(due))
        for operation_id in operations.due(service_context(), 10):
            worker.run(operation_id)


def test_an_end_that_is_near_is_told_once_for_each_ca(settings: Settings) -> None:
    driver = ScriptedDriver()
    bay, other = engine.a_bay(driver), engine.a_bay(driver)
    worker = a_worker(driver)
    engine.run_all(worker)
    worker.tidy()
    assert "CA_EXPIRES_SOON" not in engine.events_of(bay)
    near = timeutils.utcnow().replace(year=timeutils.utcnow().year + 1)
    with session.writer(service_context()) as db:
        mine = session.changing(Bay).where(Bay.uuid == bay.uuid)
        db.execute(mine.values(ca_expires_at=near))
    settings("certificates", warn_days=400)
    at_once(worker.tidy, 3)
    worker.tidy()
    assert engine.events_of(bay).count("CA_EXPIRES_SOON") == 1
    assert "CA_EXPIRES_SOON" not in engine.events_of(other)
    with session.writer(service_context()) as db:
        db.execute(session.changing(Bay).values(ca_warned_at=None))  # as a new CA does
    worker.tidy()
    assert engine.events_of(bay).count("CA_EXPIRES_SOON") == 2


def test_nothing_secret_is_in_what_the_database_shows(keys: Path) -> None:
    """Opened with the key ring alone: what is in the rows otherwise is public."""
    keystone = FakeKeystone()
    bay, _ = a_bay_with_a_user(keystone)
    secrets_of(bay, keystone).kept("token", lambda: "the-drivers-own-secret")
    text = json.dumps([vars(row) for row in rows(bay).values()], default=str)
    assert "the-drivers-own-secret" not in text
    assert "secret-0" not in text
    assert "PRIVATE" not in text
    assert CONF.certificates.key_ring == str(keys)
