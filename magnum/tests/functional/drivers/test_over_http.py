"""The Heat drivers through OpenStack's own clients, against the recording stand-in for a cloud (``tools/standin``)."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from heatclient import client as heat_client
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from magnum.drivers.conformance.fake_secrets import FakeSecrets
from magnum.drivers.contract import (
    Bay,
    BayModel,
    Blocked,
    CloudUnavailable,
    Done,
    Failed,
    NodeGroup,
    Outcome,
    StackChanged,
    Verb,
    Wait,
    Work,
)
from magnum.drivers.heat.errors import CloudError, NetworkGone
from magnum.drivers.heat.stack import Stack
from magnum.drivers.swarm_atomic_v1.driver import Driver
from tools.standin.client import StandIn

pytestmark = [pytest.mark.functional, pytest.mark.timeout(600)]

UUID = "5d12f6fd-a196-4bf0-ae4c-1f639a523a52"
PATIENCE = 240.0
SEARCHED = (("network", "ports"), ("compute", "servers"), ("volumev3", "volumes"))


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    place: Path = tmp_path_factory.mktemp("standin")
    with StandIn(place, seconds_per_stack=0.05) as found:
        yield found


class StandInClouds:
    """The real clients, pointed at the stand-in."""

    def __init__(self, standin: StandIn) -> None:
        who: dict[str, Any] = {"username": "magnum", "user_domain_name": "Default"}
        self._session = Session(
            auth=v3.Password(auth_url=standin.auth_url, project_id="p1", password="x", **who),
            timeout=60,
        )

    def heat(self) -> Any:
        return heat_client.Client("1", session=self._session, service_type="orchestration")

    def rest(self, service_type: str) -> Adapter | None:
        adapter = Adapter(self._session, service_type=service_type, interface="public")
        return adapter if adapter.get_endpoint() else None


@pytest.fixture
def work(standin: StandIn) -> Iterator[Work]:
    yield Work(
        bay=Bay(UUID, "my bay", "p1"),
        baymodel=BayModel("m", "m", "swarm", image_id="i", external_network_id="public"),
        node_groups=(
            NodeGroup("g1", "default-master", "master", 1),
            NodeGroup("g2", "default-worker", "worker", 2),
        ),
        clouds=StandInClouds(standin),
        poll_interval=0.02,
        secrets=FakeSecrets(),
    )
    standin.no_endings()
    standin.well()
    for stack in standin.live_stacks():
        standin.vanish(stack["id"])
    for service, collection in SEARCHED:
        standin.put(service, collection, [])


DRIVER = Driver()


def step(work: Work) -> tuple[Work, Outcome]:
    outcome: Outcome = getattr(DRIVER, f"bay_{work.verb}")(work)
    if isinstance(outcome, Wait | Blocked):
        stack_id = outcome.facts.stack_id or work.bay.stack_id
        work = replace(work, cursor=outcome.cursor, bay=replace(work.bay, stack_id=stack_id))
    return work, outcome


def run(work: Work, *until: type[Outcome]) -> tuple[Work, Any]:
    """Passes until an answer is one of these."""
    end = time.monotonic() + PATIENCE
    while True:
        work, outcome = step(work)
        if isinstance(outcome, until):
            return work, outcome
        assert not isinstance(outcome, Failed | Done), outcome
        assert time.monotonic() < end, outcome
        time.sleep(work.poll_interval)


def then(work: Work, verb: Verb) -> Work:
    return replace(work, verb=verb, cursor={})


def test_no_room_blocks_and_then_it_goes_on(standin: StandIn, work: Work) -> None:
    failed = {"path": "nodes / 1 / server", "type": "OS::Nova::Server"}
    failed["reason"] = "ResourceInError: No valid host was found."
    standin.ending(stack=UUID, action="CREATE", resources=[failed])
    standin.ending(stack=UUID, action="UPDATE", resources=[failed])
    work, blocked = run(work, Blocked)
    assert (blocked.code, blocked.seconds) == ("NO_CAPACITY", None)
    assert [fault.resource for fault in blocked.faults] == ["nodes / 1 / server"]
    tries = 0
    while not isinstance(blocked, Done):
        tries += blocked.seconds is None
        work, blocked = run(work, Blocked, Done)
    assert tries == 2
    assert blocked.facts.api_address
    (stack,) = standin.stacks(f"bay-{UUID}")
    assert stack["action"] == "UPDATE"


def test_a_deletion_ends_only_when_no_service_has_anything_of_the_bay(
    standin: StandIn, work: Work
) -> None:
    work, _ = run(work, Done)
    ours, others = f"magnum-{UUID}", "magnum-other"
    standin.put("network", "ports", [{"id": "p", "tags": [ours]}, {"id": "q", "tags": [others]}])
    volumes = [{"id": "v", "name": "x", "metadata": {"magnum_bay": UUID}}]
    standin.put("volumev3", "volumes", volumes)
    servers = [
        {"id": "s", "name": f"my-bay-{UUID[:8]}-node-0", "metadata": {"magnum_bay": UUID}},
        {"id": "t", "name": f"my-bay-{UUID[:8]}-node-0", "metadata": {"magnum_bay": "another"}},
    ]
    standin.put("compute", "servers", servers)
    work, blocked = run(then(work, Verb.DELETE), Blocked)
    assert blocked.code == "LEFTOVERS"
    # The server and the volume bear our metadata: they were deleted. The port is somebody's move.
    assert [(left.service, left.ident) for left in blocked.leftovers] == [("network", "p")]
    requests = standin.ledger(method="DELETE")
    paths = {entry["path"].rpartition("/")[2] for entry in requests}
    assert {"s", "v"} <= paths
    assert not {"t", "p", "q"} & paths
    for service, collection in SEARCHED:
        standin.put(service, collection, [])
    work, _ = run(work, Done)
    assert not standin.live_stacks()


def test_a_service_that_does_not_answer_proves_nothing_and_one_that_forbids_is_passed_over(
    standin: StandIn, work: Work
) -> None:
    work, _ = run(work, Done)
    work, _ = step(then(work, Verb.DELETE))
    with standin.behaving(service="network", path="ports", status=503):
        with pytest.raises(CloudUnavailable) as caught:
            run(work, Done)
        assert type(caught.value) is CloudError
    with standin.behaving(service="network", path="ports", status=403):
        run(work, Done)


def test_a_stack_that_somebody_else_changed(standin: StandIn, work: Work) -> None:
    work, _ = run(work, Done)
    (stack,) = standin.live_stacks()
    check = then(work, Verb.CHECK)
    assert isinstance(step(check)[1], Done)
    standin.change(stack["id"], parameters={"node_count": 5})
    with pytest.raises(StackChanged, match="node_count is 5, and not 2"):
        step(check)


def test_many_stacks_are_looked_at_with_one_request(standin: StandIn, work: Work) -> None:
    works = []
    for number in range(3):
        bay = replace(work.bay, uuid=f"{number:08d}{UUID[8:]}")
        works.append(step(replace(work, bay=bay))[0])
    ids = [str(one.bay.stack_id) for one in works]
    found = Stack(works[0]).look_at_all([*ids[:2], "00000000-0000-0000-0000-000000000000"])
    assert found.keys() == set(ids[:2])
    assert {view.name for view in found.values()} == {f"bay-{one.bay.uuid}" for one in works[:2]}


def test_a_network_that_is_gone_is_named_when_heat_refuses(standin: StandIn, work: Work) -> None:
    text = "Error validating value 'public': Unable to find network with name or id 'public'"
    with (
        standin.behaving(service="orchestration", method="POST", status=400, text=text),
        pytest.raises(NetworkGone) as caught,
    ):
        step(work)
    assert caught.value.code == "NETWORK_GONE"
