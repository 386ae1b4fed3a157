"""The stand-in as OpenStack's own clients see it: Keystone's session, Heat's client, and Heat's notifications."""

import os
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import requests
from heatclient import client as heat_client
from heatclient import exc
from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import ConnectFailure, ConnectTimeout, EndpointNotFound
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from magnum.common import threads
from tools.checks import servers
from tools.standin.client import StandIn, StandInError

PATIENCE = 240.0
TEMPLATE = resources.files("magnum.drivers.swarm_atomic_v1").joinpath("templates/cluster.yaml")
NEEDED = {
    "bay_uuid": "u",
    "bay_tag": "magnum-u",
    "name_prefix": "bay",
    "master_image": "i",
    "node_image": "i",
    "node_count": 2,
}


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(tmp_path, seconds_per_stack=0.1) as found:
        yield found


def plugin(standin: StandIn, project: str = "p1") -> v3.Password:
    who: dict[str, Any] = {"username": "magnum", "user_domain_name": "Default", "password": "x"}
    return v3.Password(auth_url=standin.auth_url, project_id=project, **who)


@pytest.fixture
def heat(standin: StandIn) -> Any:
    auth = plugin(standin)
    return heat_client.Client(
        "1", session=Session(timeout=60), auth=auth, service_type="orchestration"
    )


def create(heat: Any, name: str = "bay-u", **changes: Any) -> str:
    parameters = {**NEEDED, **changes}
    text = TEMPLATE.read_text(encoding="utf-8")
    made = heat.stacks.create(
        stack_name=name, tags="magnum-u", template=text, files={}, parameters=parameters
    )
    return str(made["stack"]["id"])


def until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
    return found


def settled(heat: Any, ident: str) -> Any:
    def look() -> Any:
        stack = heat.stacks.get(ident)
        return None if stack.stack_status.endswith("IN_PROGRESS") else stack

    return until(look)


def test_a_stack_from_creation_to_deletion(standin: StandIn, heat: Any) -> None:
    ident = create(heat)
    stack = settled(heat, f"bay-u/{ident}")
    outputs = {output["output_key"]: output["output_value"] for output in stack.outputs}
    assert stack.stack_status == "CREATE_COMPLETE"
    assert len(outputs["node_addresses"]) == 2
    assert outputs["api_address"] == outputs["master_addresses"][0]
    assert stack.parameters["node_count"] == "2"
    assert stack.parameters["nodes_to_remove"] == "[]"

    heat.stacks.update(f"bay-u/{ident}", existing=True, parameters={"node_count": 4})
    stack = settled(heat, "bay-u")  # by its name, which costs a redirect
    assert (stack.stack_status, stack.parameters["node_count"]) == ("UPDATE_COMPLETE", "4")
    assert stack.parameters["bay_uuid"] == "u"

    assert [found.id for found in heat.stacks.list(tags="magnum-u")] == [ident]
    assert [found.id for found in heat.stacks.list(filters={"id": [ident, "x"]})] == [ident]
    assert list(heat.stacks.list(tags="other")) == []

    heat.stacks.delete(f"bay-u/{ident}")
    until(lambda: not list(heat.stacks.list(tags="magnum-u")))
    with pytest.raises(exc.HTTPNotFound):
        heat.stacks.get(f"bay-u/{ident}")
    (gone,) = standin.stacks("bay-u")
    assert gone["deleted"] > gone["created"]
    assert [change[1:] for change in gone["history"]] == [
        [action, status]
        for action in ("CREATE", "UPDATE", "DELETE")
        for status in ("IN_PROGRESS", "COMPLETE")
    ]


def test_nodes_that_are_named_are_the_ones_to_go(heat: Any) -> None:
    ident = create(heat, node_count=3)

    def servers_of(stack: Any) -> dict[str, str]:
        outputs = {output["output_key"]: output["output_value"] for output in stack.outputs}
        found: dict[str, str] = outputs["node_refs_map"]
        return found

    before = servers_of(settled(heat, f"bay-u/{ident}"))
    changes = {"node_count": 2, "nodes_to_remove": [before["1"]]}
    heat.stacks.update(f"bay-u/{ident}", existing=True, parameters=changes)
    after = servers_of(settled(heat, f"bay-u/{ident}"))
    assert after == {"0": before["0"], "2": before["2"]}


def test_heats_refusals(heat: Any) -> None:
    ident = create(heat)
    with pytest.raises(exc.HTTPConflict, match=r"The Stack \(bay-u\) already exists"):
        create(heat)
    with pytest.raises(exc.HTTPConflict, match="already has an action"):
        heat.stacks.update(f"bay-u/{ident}", existing=True, parameters={"node_count": 4})
    with pytest.raises(exc.HTTPBadRequest, match="was not defined in template"):
        create(heat, "other", colour="red")
    with pytest.raises(exc.HTTPNotFound):
        heat.stacks.delete("bay-u/3f5d5bd2-0000-0000-0000-000000000000")


def test_a_stack_that_shall_fail_names_the_resources(standin: StandIn, heat: Any) -> None:
    standin.ending(
        stack="magnum-u",
        resources=[
            {"path": "nodes / 1 / server", "type": "OS::Nova::Server", "reason": "No valid host"}
        ],
    )
    ident = create(heat)
    stack = settled(heat, f"bay-u/{ident}")
    assert stack.stack_status == "CREATE_FAILED"
    assert "nodes[1].resources.server: No valid host" in stack.stack_status_reason
    filters = {"status": ["FAILED", "IN_PROGRESS"]}
    found = heat.resources.list(f"bay-u/{ident}", nested_depth=5, filters=filters)
    by_id = {resource.physical_resource_id: resource for resource in found}
    (server,) = (r for r in found if r.resource_type == "OS::Nova::Server")
    owner = next(link["href"] for link in server.links if link["rel"] == "stack").split("/")[-1]
    assert by_id[owner].resource_name == "1"
    assert create(heat, "another")  # it held for one stack
    assert settled(heat, "another").stack_status == "CREATE_COMPLETE"


def test_misbehaviour(standin: StandIn, heat: Any) -> None:
    with (
        standin.behaving(service="orchestration", status=503, times=1),
        pytest.raises(exc.HTTPServiceUnavailable),
    ):
        list(heat.stacks.list())
    assert list(heat.stacks.list()) == []

    with (
        standin.behaving(method="POST", path="/stacks", do=True, lose=True),
        pytest.raises(ConnectFailure),
    ):
        create(heat)
    (made,) = standin.stacks()
    assert made["name"] == "bay-u"

    heat.http_client.session.timeout = 2
    with (
        standin.behaving(method="POST", path="/stacks", body="late", hang=2.5, do=True),
        pytest.raises(ConnectTimeout),
    ):
        create(heat, "late")
    until(lambda: standin.stacks("late"))


def test_a_rule_that_makes_no_sense_is_refused(standin: StandIn) -> None:
    with pytest.raises(StandInError, match="status or lose"):
        standin.behave(service="orchestration")
    with pytest.raises(StandInError, match="TypeError"):
        standin.behave(servize="orchestration", status=500)


def test_the_ledger_has_every_request_with_its_id(standin: StandIn) -> None:
    adapter = Adapter(
        Session(),
        auth=plugin(standin),
        service_type="network",
        interface="public",
        global_request_id="req-9b8d7c5e-0000-4000-8000-000000000001",
    )
    standin.put("network", "ports", [{"id": "a", "tags": ["t"]}, {"id": "b", "tags": []}])
    assert [p["id"] for p in adapter.get("/v2.0/ports?tags=t").json()["ports"]] == ["a"]
    (entry,) = standin.ledger(service="network", path="/v2.0/ports")
    assert entry["request_id"] == "req-9b8d7c5e-0000-4000-8000-000000000001"
    assert (entry["method"], entry["answered"], entry["query"]) == ("GET", 200, {"tags": ["t"]})
    (login,) = standin.ledger(path="/v3/auth/tokens")
    assert login["body"] == {"auth": "***"}


def test_tokens_can_be_checked_and_revoked(standin: StandIn) -> None:
    token = standin.token("alice", "p")
    headers = {"X-Auth-Token": standin.token("magnum"), "X-Subject-Token": token}

    def check() -> requests.Response:
        url = f"{standin.auth_url}/v3/auth/tokens"
        return requests.get(url, headers=headers, timeout=PATIENCE)

    assert check().json()["token"]["user"]["name"] == "alice"
    standin.revoke_tokens()
    assert check().status_code == 404


def test_a_service_that_is_left_out_is_not_in_the_catalogue(tmp_path: Path) -> None:
    with StandIn(tmp_path, services=["identity", "orchestration"]) as standin:
        session = Session(auth=plugin(standin))
        assert session.get_endpoint(service_type="orchestration")
        with pytest.raises(EndpointNotFound):
            session.get_endpoint(service_type="compute")


@pytest.mark.rabbit
def test_heats_notifications(tmp_path: Path) -> None:
    threads.choose()
    import oslo_messaging
    from oslo_config import cfg

    url = os.environ.get(servers.RABBITMQ.variable, servers.RABBITMQ.urls[0])
    topic = f"standin-test-{os.getpid()}"
    seen: list[tuple[str, str, dict[str, Any]]] = []

    class Endpoint:
        def info(self, context: Any, publisher: str, event: str, body: Any, meta: Any) -> None:
            seen.append((publisher, event, body))

        error = info

    conf = cfg.ConfigOpts()
    conf([], default_config_files=[], default_config_dirs=[])
    transport = oslo_messaging.get_notification_transport(conf, url=url)
    target = oslo_messaging.Target(topic=topic, exchange="heat")
    listener = oslo_messaging.get_notification_listener(
        transport, [target], [Endpoint()], executor="threading"
    )
    listener.start()
    try:
        with StandIn(tmp_path, seconds_per_stack=0.1, notify=url, topic=topic) as standin:
            auth = plugin(standin)
            heat = heat_client.Client("1", session=Session(), auth=auth)
            standin.ending(stack="bay-u", action="UPDATE", reason="no luck")
            ident = create(heat)
            until(lambda: len(seen) == 2)
            heat.stacks.update(f"bay-u/{ident}", existing=True, parameters={})
            until(lambda: len(seen) == 4)
    finally:
        listener.stop()
        listener.wait()
        transport.cleanup()
    names = ("create.start", "create.end", "update.start", "update.error")
    assert [event for _, event, _ in seen] == [f"orchestration.stack.{name}" for name in names]
    publisher, _, last = seen[-1]
    assert publisher == "orchestration.standin"
    assert last["stack_identity"] == ident
    assert (last["state"], last["state_reason"]) == ("UPDATE_FAILED", "no luck")
    assert (last["tenant_id"], last["tags"]) == ("p1", ["magnum-u"])


# --- servers -----------------------------------------------------------------------------------------------------


@pytest.fixture
def nova(standin: StandIn, heat: Any) -> Adapter:
    settled(heat, create(heat))
    return Adapter(Session(timeout=60), auth=plugin(standin), service_type="compute")


def listed(nova: Adapter) -> dict[str, dict[str, Any]]:
    found = nova.get("/servers/detail", params={"tags": "magnum-u"}, microversion="2.26")
    return {one["name"]: one for one in found.json()["servers"]}


def act(nova: Adapter, name: str, action: dict[str, Any]) -> int:
    ident = listed(nova)[name]["id"]
    answer = nova.post(
        f"/servers/{ident}/action", json=action, microversion="2.26", raise_exc=False
    )
    return int(answer.status_code)


def test_a_stacks_nodes_are_servers(nova: Adapter) -> None:
    found = listed(nova)
    assert sorted(found) == ["bay-master-0", "bay-node-0", "bay-node-1"]
    assert {one["status"] for one in found.values()} == {"ACTIVE"}
    assert found["bay-master-0"]["metadata"] == {"magnum_bay": "u", "magnum_role": "master"}
    assert found["bay-master-0"]["image"] == {"id": "i"}
    other = nova.get("/servers/detail", params={"tags": "magnum-x"}, microversion="2.26")
    assert other.json()["servers"] == []


@pytest.mark.parametrize(
    ("action", "status", "tasks"),
    [
        ({"reboot": {"type": "SOFT"}}, "REBOOT", ["reboot_pending", "reboot_started"]),
        (
            {"reboot": {"type": "HARD"}},
            "HARD_REBOOT",
            ["reboot_pending_hard", "reboot_started_hard"],
        ),
        (
            {"rebuild": {"imageRef": "i"}},
            "REBUILD",
            ["rebuilding", "rebuild_block_device_mapping", "rebuild_spawning"],
        ),
    ],
)
def test_an_action_goes_through_its_states(
    standin: StandIn, nova: Adapter, action: dict[str, Any], status: str, tasks: list[str]
) -> None:
    before = listed(nova)["bay-node-0"]
    standin.seconds_per_stack(1.0)
    assert act(nova, "bay-node-0", action) == 202
    assert act(nova, "bay-node-0", action) == 409
    seen: list[str] = []

    def is_over() -> bool:
        now = listed(nova)["bay-node-0"]
        task = now["OS-EXT-STS:task_state"]
        if task:
            assert now["status"] == status
        if task and task not in seen:
            seen.append(task)
        return not task

    until(is_over)
    assert seen == tasks
    assert listed(nova)["bay-node-0"] == before
    (acted,) = [one for one in standin.servers("u") if one["actions"]]
    assert (acted["name"], len(acted["actions"])) == ("bay-node-0", 1)


def test_an_action_can_go_wrong_and_a_stopped_server_is_started(
    standin: StandIn, nova: Adapter
) -> None:
    first, second = (listed(nova)[f"bay-node-{number}"]["id"] for number in range(2))
    standin.change_server(first, fault="No valid host was found.")
    standin.change_server(second, status="SHUTOFF")
    assert act(nova, "bay-node-1", {"reboot": {"type": "SOFT"}}) == 409
    assert act(nova, "bay-node-1", {"os-start": None}) == 202
    assert act(nova, "bay-node-0", {"rebuild": {"imageRef": "i"}}) == 202
    broken = until(lambda: listed(nova)["bay-node-0"].get("fault"))
    assert broken["message"] == "No valid host was found."
    until(lambda: listed(nova)["bay-node-1"]["status"] == "ACTIVE")
    assert act(nova, "bay-node-0", {"dance": None}) == 400
