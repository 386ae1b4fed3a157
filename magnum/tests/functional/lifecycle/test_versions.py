"""Versions of a driver side by side, in directories: old bays keep what they were born with, whatever becomes of it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import operations
from magnum.db.bays import BayNotFound
from magnum.db.models import Bay, Operation, State
from magnum.drivers import catalogue
from magnum.drivers.authoring import fork
from magnum.drivers.catalogue import Shelf
from magnum.drivers.conformance.candidate import candidate
from magnum.drivers.contract import Verb
from magnum.lifecycle import submit
from magnum.lifecycle.passes import Worker
from magnum.tests import engine
from magnum.tests.keys import forget_key_ring, use_key_ring
from magnum.tests.unit.drivers.fakes import FakeHeat
from magnum.tests.unit.drivers.test_heat_nodes import FakeNova

#: A small driver with Heat that is forked.
TINY = Path(__file__).parents[2] / "unit" / "cmd" / "tiny_v1"
#: What a newer version of a driver's ``template_def.py`` has more: a parameter that it sends with every update.
MORE = """

class WithMore({base}):
    mutable = {base}.mutable | {{"{option}"}}

    def parameters(self, work):
        return {{**super().parameters(work), "{option}": "y"}}
"""


class FakeAccess:
    """The way into a cloud of a FakeHeat and a FakeNova. Nothing else is searched for what a deletion may leave."""

    def __init__(self) -> None:
        self.fake_heat = FakeHeat()
        self.nova = FakeNova()
        self.has_nova = False

    def heat(self, project_id: str, request_id: str | None) -> FakeHeat:
        return self.fake_heat

    def rest(self, project_id: str, service_type: str, request_id: str | None) -> Any:
        return self.nova if self.has_nova and service_type == "compute" else None

    def doubt(self, project_id: str) -> None:
        """Nothing is remembered that could be doubted."""

    def leave(self, project_id: str) -> None:
        """No roles were granted."""


class House:
    """A path of drivers' directories, a cloud, and a conductor that watches the one and works in the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cloud = FakeAccess()
        self.shelf = Shelf()
        self.worker = Worker(lambda: self.cloud, lambda name: self.shelf.catalogue().get(name))  # type: ignore[arg-type, return-value]

    def install(self, name: str, version: str, option: str = "") -> None:
        """Have a driver in this version, a fork of ours; ``option`` is one more mutable parameter."""
        shutil.rmtree(self.path / name, ignore_errors=True)
        folder = fork.fork(candidate(str(TINY)), name, self.path)
        _edit(folder / "version.py", f'version = "{fork.FIRST_VERSION}"', f'version = "{version}"')
        if not option:
            return
        _edit(
            folder / "templates" / "cluster.yaml",
            "\nparameters:\n",
            f"\nparameters:\n  {option}: {{type: string, default: x}}\n",
        )
        definition, driver = folder / "template_def.py", folder / "driver.py"
        made = re.search(r"definition = (\w+)\(\)", driver.read_text())
        assert made is not None, (
            "the driver makes its definition in another way than this test knows"
        )
        more = MORE.format(base=made[1], option=option)
        definition.write_text(definition.read_text() + more)
        _edit(driver, f"import {made[1]}\n", f"import {made[1]}, WithMore\n")
        _edit(driver, made[0], "definition = WithMore()")

    def remove(self, name: str) -> None:
        shutil.rmtree(self.path / name)

    def bay(self, driver: str) -> Bay:
        """A bay of a driver, complete."""
        model = engine.a_baymodel(image_id="image", external_network_id="public")
        found = self.shelf.catalogue().get(driver)
        new = submit.NewBay(name="bay", baymodel=model, driver=found)
        bay = submit.create_bay(engine.context(), new).bay
        self.work()
        assert engine.look(bay).status == "CREATE_COMPLETE"
        return bay

    def work(self) -> None:
        """Let Heat finish what it is at, and the conductor see it, until nothing more happens or all are blocked."""
        for _ in range(12):
            engine.make_due()
            for operation_id in operations.due(service_context(), 100):
                self.worker.run(operation_id)
            for stack in list(self.cloud.fake_heat.kept.values()):
                if stack.status == "DELETE_IN_PROGRESS":
                    del self.cloud.fake_heat.kept[stack.id]
                stack.status = stack.status.replace("IN_PROGRESS", "COMPLETE")

    def asked(self, bay: Bay) -> dict[str, Any]:
        """What the last update of a bay's stack sent."""
        sent = [
            given["parameters"]
            for method, given in self.cloud.fake_heat.requests
            if method == "update" and bay.uuid in given["url"]
        ]
        last: dict[str, Any] = sent[-1]
        return last


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, f"{file.name} is not what this test takes it for: no {old!r}"
    file.write_text(text.replace(old, new, 1))


def versions(bay: Bay) -> tuple[str, str, str]:
    seen = engine.look(bay)
    return seen.driver, seen.driver_version, seen.template_version


def last(bay: Bay) -> Operation:
    return engine.operations_of(bay)[-1]


@pytest.fixture
def house(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    engine.use_database(database_url)
    path = tmp_path / "drivers"
    path.mkdir(mode=0o755)
    use_key_ring(tmp_path)
    CONF.set_override("paths", [str(path)], "drivers")
    CONF.set_override("refresh_seconds", 0, "drivers")
    made = House(path)
    monkeypatch.setattr(catalogue, "catalogue", made.shelf.catalogue)
    yield made
    forget_key_ring()
    CONF.clear_override("paths", "drivers")
    CONF.clear_override("refresh_seconds", "drivers")


def scale(bay: Bay, count: int) -> None:
    submit.update_bay(engine.context(), engine.look(bay), count)


def test_a_life_through_bumps_new_versions_removal_and_return(house: House) -> None:
    house.install("mine_v1", "1.0.0")
    old = house.bay("mine_v1")
    assert versions(old) == ("mine_v1", "1.0.0", "1.0.0")

    # A smaller change in place: new bays get it, the old one keeps what it was launched from.
    house.install("mine_v1", "1.1.0", option="new_option")
    house.shelf.catalogue()
    new = house.bay("mine_v1")
    assert versions(new) == ("mine_v1", "1.1.0", "1.1.0")
    assert versions(old) == ("mine_v1", "1.0.0", "1.0.0")
    for bay in (old, new):
        scale(bay, 3)
    house.work()
    assert {engine.look(bay).status for bay in (old, new)} == {"UPDATE_COMPLETE"}
    assert "new_option" not in house.asked(old) and house.asked(old)["node_count"] == 3
    assert house.asked(new)["new_option"] == "y"

    # A larger one beside it.
    house.install("mine_v2", "2.0.0")
    house.shelf.catalogue()
    newest = house.bay("mine_v2")
    assert versions(newest) == ("mine_v2", "2.0.0", "2.0.0")
    house.cloud.has_nova = True
    submit.act(engine.context(), engine.look(old), Verb.REBUILD, {})
    house.work()
    assert (last(old).verb, last(old).state) == ("rebuild", State.DONE)
    assert {action for _, action in house.cloud.nova.actions} == {"rebuild"}
    house.cloud.has_nova = False
    submit.check_bay(service_context(), old.uuid, 0)
    house.work()
    assert (last(old).verb, last(old).state) == ("check", State.DONE)

    # Gone: what it has made is still there, and what is asked of it waits for the operator.
    house.remove("mine_v1")
    house.shelf.catalogue()
    scale(new, 5)
    submit.delete_bay(engine.context(), engine.look(old))
    house.work()
    assert (last(old).state, last(old).error_code) == (State.BLOCKED, "DRIVER_MISSING")
    assert last(old).error_actor == "operator"
    seen = engine.look(new)
    assert seen.status == "UPDATE_IN_PROGRESS"
    assert (seen.status_reason or "").startswith("DRIVER_MISSING")
    assert engine.look(newest).status == "CREATE_COMPLETE"

    # Back: it goes on by itself.
    house.install("mine_v1", "1.1.0", option="new_option")
    house.shelf.catalogue()
    house.work()
    assert engine.look(new).status == "UPDATE_COMPLETE"
    assert last(old).state == State.DONE
    with pytest.raises(BayNotFound):
        engine.look(old)


def test_a_bay_shows_what_it_was_launched_from_not_what_was_there_when_it_was_asked_for(
    house: House,
) -> None:
    house.install("mine_v1", "1.0.0")
    model = engine.a_baymodel(image_id="image", external_network_id="public")
    found = house.shelf.catalogue().get("mine_v1")
    new = submit.NewBay(name="bay", baymodel=model, driver=found)
    bay = submit.create_bay(engine.context(), new).bay
    house.install("mine_v1", "1.1.0")
    house.shelf.catalogue()
    house.work()
    assert versions(bay) == ("mine_v1", "1.1.0", "1.1.0")
