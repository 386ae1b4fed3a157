"""The same life with real processes: API and conductor, drivers in directories, clusters of the stand-in cloud.

Nothing is restarted in it, and nothing is asked but what a user and an operator ask: HTTP, and the authors' command.
"""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from magnum.drivers import directories
from magnum.tests import engine
from magnum.tests.functional.conductor.processes import until
from magnum.tests.functional.lifecycle.service import Service
from tools.standin.client import StandIn

#: What the template of 1.1.0 has more.
NEW_PARAMETER = "motto"


def raise_version(service: Service) -> None:
    """mine_v1 is 1.1.0 from now on, and its template has one more parameter, which it sends with every update."""
    folder = service.drivers / "mine_v1"
    definition = folder / "template_def.py"
    _edit(
        folder / "templates" / "cluster.yaml",
        "\nparameters:\n",
        f"\nparameters:\n  {NEW_PARAMETER}: {{type: string, default: none}}\n",
    )
    made = re.search(r"definition = (\w+)\(\)", (folder / "driver.py").read_text())
    assert made is not None, "the driver makes its definition in another way than this test knows"
    definition.write_text(definition.read_text() + _WITH_A_MOTTO.format(base=made[1]))
    _edit(folder / "driver.py", f"import {made[1]}\n", f"import {made[1]}, WithAMotto\n")
    _edit(folder / "driver.py", made[0], "definition = WithAMotto()")
    # Last: whoever looks in between finds nothing that calls itself 1.1.0.
    _edit(folder / "version.py", 'version = "1.0.0"', 'version = "1.1.0"')


_WITH_A_MOTTO = """

class WithAMotto({base}):
    mutable = {base}.mutable | {{"motto"}}

    def parameters(self, work):
        return {{**super().parameters(work), "motto": "onwards"}}
"""


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, f"{file.name} is not what this test takes it for: no {old!r}"
    file.write_text(text.replace(old, new, 1))


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    engine.use_database(database_url)
    with StandIn(tmp_path, seconds_per_stack=0.3) as cloud:
        made = Service(tmp_path, database_url, cloud)
        try:
            until(made.is_up)
            yield made
        finally:
            made.end()


def in_use(service: Service, name: str, version: str) -> Callable[[], bool]:
    """Whether the API shows a driver in a version."""
    return lambda: (
        name in str(found := service.ask("GET", f"/drivers/{name}")) and version in str(found)
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_old_bays_live_through_every_change_of_their_driver(service: Service) -> None:
    service.manage("new", "mine_v1", "--from", "swarm_atomic_v1", "--to", str(service.drivers))
    old, going, idle = (service.bay(name, "mine_v1") for name in ("old", "going", "idle"))
    assert service.versions("old") == ("mine_v1", "1.0.0", "1.0.0")

    # The same driver, a little newer, in the same place.
    raise_version(service)
    until(in_use(service, "mine_v1", "1.1.0"))
    time.sleep(
        directories.RESTED_SECONDS + 0.5
    )  # the conductor has not looked since, and takes what has rested
    newer = service.bay("newer", "mine_v1")
    assert service.versions("newer") == ("mine_v1", "1.1.0", "1.1.0")
    assert service.sent(newer)[NEW_PARAMETER] == "onwards"

    # Another one beside it.
    service.manage("new", "mine_v2", "--from", "mine_v1", "--to", str(service.drivers))
    service.bay("newest", "mine_v2")
    assert service.versions("newest") == ("mine_v2", "1.0.0", "1.0.0")

    # Every verb works on the old bays, with the template that they were launched from.
    for name in ("old", "newer"):
        service.resize(name, 3)
        service.until_status(name, "UPDATE_COMPLETE")
    assert service.sent(old)["node_count"] == "3" and NEW_PARAMETER not in service.sent(old)
    assert service.sent(newer)["node_count"] == "3" and NEW_PARAMETER in service.sent(newer)
    status, found = service.ask("POST", "/bays/old/actions/rebuild", {})
    assert status == 202, found
    until(lambda: service.operation("old")["state"] == "DONE")
    assert service.operation("old")["verb"] == "rebuild"
    rebuilt = [[kind for _, kind in server["actions"]] for server in service.cloud.servers(old)]
    assert rebuilt == [["rebuild"]] * 4
    assert service.ask("DELETE", "/bays/going")[0] in (202, 204)
    until(lambda: service.ask("GET", "/bays/going")[0] == 404)
    assert service.cloud.live_stacks(f"bay-{going}") == []
    assert service.versions("old") == ("mine_v1", "1.0.0", "1.0.0")

    # The old driver is taken away: its bays are listed, what is asked of them waits for the operator.
    kept = service.drivers.parent / "kept"
    shutil.move(service.drivers / "mine_v1", kept)
    until(
        lambda: (
            service.ask("POST", "/baymodels", {"name": "no", "driver": "mine_v1", "image_id": "i"})[
                0
            ]
            == 400
        )
    )
    # The other driver works, and the conductor sees meanwhile what is gone.
    service.resize("newest", 2)
    service.until_status("newest", "UPDATE_COMPLETE")
    service.resize("old", 2)
    assert service.ask("DELETE", "/bays/newer")[0] in (202, 204)
    for name in ("old", "newer"):
        until(lambda name=name: service.operation(name)["state"] == "BLOCKED")  # type: ignore[misc]
        blocked = service.operation(name)
        assert blocked["error"]["code"] == "DRIVER_MISSING", blocked
        assert blocked["error"]["actor"] == "operator", blocked
        assert service.get(f"/bays/{name}")["status_reason"].startswith("DRIVER_MISSING")
    listed = {bay["name"]: bay["status"] for bay in service.get("/bays")["bays"]}
    assert listed == {
        "old": "UPDATE_IN_PROGRESS",
        "newer": "DELETE_IN_PROGRESS",
        "idle": "CREATE_COMPLETE",
        "newest": "UPDATE_COMPLETE",
    }
    assert service.sent(old)["node_count"] == "3"

    # And is back: the work goes on by itself.
    shutil.move(kept, service.drivers / "mine_v1")
    service.until_status("old", "UPDATE_COMPLETE")
    assert service.sent(old)["node_count"] == "2" and NEW_PARAMETER not in service.sent(old)
    until(lambda: service.ask("GET", "/bays/newer")[0] == 404)
    assert service.cloud.live_stacks(f"bay-{newer}") == []
    service.resize("idle", 2)
    service.until_status("idle", "UPDATE_COMPLETE")
    assert NEW_PARAMETER not in service.sent(idle)
