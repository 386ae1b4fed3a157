"""What the tests on the cloud stand on: a tenant of their own, its view of our API, and what it holds in the cloud."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from keystoneauth1.adapter import Adapter
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

AUTH_URL = "http://127.0.0.1:5000/v3"

#: Seconds that one change of a cluster may take on a small and busy machine.
PATIENCE = 480.0


@dataclass(frozen=True)
class Tenant:
    """A project that only one test uses, with one member. ``session`` is the member's."""

    project_id: str
    user_id: str
    name: str
    password: str
    session: Session


def service(session: Session, service_type: str) -> Adapter:
    """A service of the cloud, by its type in the catalogue."""
    version = "3" if service_type == "identity" else None
    return Adapter(session, service_type=service_type, interface="public", version=version)


@contextlib.contextmanager
def tenant(admin: Session) -> Iterator[Tenant]:
    """A fresh project with one member; both are removed afterwards."""
    identity = service(admin, "identity")
    name, password = f"test-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    project = identity.post("/projects", json={"project": {"name": name, "domain_id": "default"}})
    project_id = project.json()["project"]["id"]
    user_id = add_member(admin, project_id, name, password)
    yield Tenant(project_id, user_id, name, password, member_session(name, password, project_id))
    identity.delete(f"/users/{user_id}", raise_exc=False)
    identity.delete(f"/projects/{project_id}")


@contextlib.contextmanager
def flavor(admin: Session, ident: str, vcpus: int = 1) -> Iterator[str]:
    """A flavor whose id begins so, and its id; it is removed afterwards, if it is still there."""
    compute = service(admin, "compute")
    ident = f"{ident}-{uuid.uuid4().hex[:8]}"
    made = {"id": ident, "name": ident, "vcpus": vcpus, "ram": 512, "disk": 1}
    compute.post("/flavors", json={"flavor": made})
    yield ident
    compute.delete(f"/flavors/{ident}", raise_exc=False)


def add_member(admin: Session, project_id: str, name: str, password: str) -> str:
    """Make a user with the role member in a project, and return its id."""
    identity = service(admin, "identity")
    body = {"user": {"name": name, "domain_id": "default", "password": password}}
    user_id: str = identity.post("/users", json=body).json()["user"]["id"]
    role = identity.get("/roles", params={"name": "member"}).json()["roles"][0]["id"]
    identity.put(f"/projects/{project_id}/users/{user_id}/roles/{role}")
    return user_id


def member_session(name: str, password: str, project_id: str) -> Session:
    """A session of a user in a project."""
    auth = v3.Password(
        AUTH_URL, username=name, password=password, user_domain_id="default", project_id=project_id
    )
    return Session(auth)


def application_credential(of: Tenant) -> Session:
    """A session that holds nothing but a new application credential of the tenant's member."""
    body = {"application_credential": {"name": f"key-{uuid.uuid4().hex[:8]}"}}
    made = service(of.session, "identity").post(
        f"/users/{of.user_id}/application_credentials", json=body
    )
    credential = made.json()["application_credential"]
    return Session(
        v3.ApplicationCredential(
            AUTH_URL,
            application_credential_id=credential["id"],
            application_credential_secret=credential["secret"],
        )
    )


class Magnum:
    """Our API as one caller sees it."""

    def __init__(self, session: Session, port: int) -> None:
        self._api = Adapter(
            session,
            endpoint_override=f"http://127.0.0.1:{port}/v1",
            additional_headers={"OpenStack-API-Version": "container-infra latest"},
        )

    def call(self, method: str, path: str, **options: Any) -> Any:
        """One request; the answer, whatever its status."""
        return self._api.request(path, method, raise_exc=False, **options)

    def make(self, path: str, **body: Any) -> Any:
        """POST a body that must be accepted; returns the answer's body."""
        answer = self.call("POST", path, json=body)
        assert answer.status_code in (201, 202), answer.text
        return answer.json()

    def baymodel(self, **changes: Any) -> str:
        """A small baymodel, of Swarm unless told otherwise; returns its uuid."""
        wanted = {
            "coe": "swarm",
            "image_id": "fedora-atomic",
            "keypair_id": None,
            "external_network_id": "public",
            "flavor_id": "m1.small",
            "master_flavor_id": "m1.small",
            "dns_nameserver": "8.8.8.8",
        }
        made: str = self.make("/baymodels", name="m", **{**wanted, **changes})["uuid"]
        return made

    def bay(self, uuid: str) -> dict[str, Any]:
        """A bay that must be there."""
        answer = self.call("GET", f"/bays/{uuid}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def settled(self, uuid: str, status: str) -> dict[str, Any]:
        """The bay, once it has come to this status. Fails on any other end."""

        def there() -> dict[str, Any] | None:
            seen = self.bay(uuid)
            if seen["status"].endswith("_IN_PROGRESS"):
                return None
            assert seen["status"] == status, (seen["status"], seen["status_reason"])
            return seen

        settled: dict[str, Any] = until(there)
        return settled

    def ask_for(self, uuid: str, nodes: int) -> None:
        """Ask for a number of nodes."""
        patch = [{"op": "replace", "path": "/node_count", "value": nodes}]
        answer = self.call("PATCH", f"/bays/{uuid}", json=patch)
        assert answer.status_code == 202, answer.text

    def scale(self, uuid: str, nodes: int) -> dict[str, Any]:
        """Bring a bay to a number of nodes and wait for it."""
        self.ask_for(uuid, nodes)
        return self.settled(uuid, "UPDATE_COMPLETE")

    def operation(self, bay: str) -> dict[str, Any]:
        """The latest operation of a bay, even if the bay has gone."""
        answer = self.call("GET", f"/bays/{bay}/operations")
        assert answer.status_code == 200, answer.text
        latest: dict[str, Any] = answer.json()["operations"][-1]
        return latest

    def act(self, uuid: str, action: str, **body: Any) -> dict[str, Any]:
        """Ask for an action on a bay and return the operation once it has ended."""
        asked = self.make(f"/bays/{uuid}/actions/{action}", **body)["operation"]

        def ended() -> dict[str, Any] | None:
            seen: dict[str, Any] = self.call("GET", f"/operations/{asked}").json()
            return seen if seen["state"] in ("DONE", "FAILED", "CANCELLED") else None

        found: dict[str, Any] = until(ended)
        return found

    def told(self, bay: str, code: str) -> dict[str, Any]:
        """The latest operation of a bay, once its error has this code. Fails when it ends in any other way."""

        def there() -> dict[str, Any] | None:
            operation = self.operation(bay)
            if operation["error"] and operation["error"]["code"] == code:
                return operation
            assert operation["state"] not in ("DONE", "FAILED", "CANCELLED"), operation
            return None

        found: dict[str, Any] = until(there)
        return found

    def timeline(self, bay: str) -> list[dict[str, Any]]:
        """A bay's events, the oldest first."""
        answer = self.call("GET", f"/bays/{bay}/events")
        assert answer.status_code == 200, answer.text
        events: list[dict[str, Any]] = answer.json()["events"]
        return events

    def delete(self, uuid: str) -> None:
        """Delete a bay and wait until it is gone."""
        assert self.call("DELETE", f"/bays/{uuid}").status_code == 204

        def gone() -> bool:
            answer = self.call("GET", f"/bays/{uuid}")
            assert answer.status_code == 404 or answer.json()["status"] == "DELETE_IN_PROGRESS", (
                answer.text
            )
            return bool(answer.status_code == 404)

        until(gone)


def until(condition: Callable[[], Any]) -> Any:
    """What a condition gives once it gives something true."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.5)
    return found


def holdings(admin: Session, of: Tenant) -> dict[str, list[str]]:
    """Names of everything that a project holds in Heat, Nova and Neutron, of each kind that there is any of."""
    compute, network = service(admin, "compute"), service(admin, "network")
    mine = {"project_id": of.project_id}
    found = {
        "stacks": [stack["stack_name"] for stack in stacks(of)],
        "servers": _names(compute, "/servers", "servers", {"all_tenants": "1", **mine}),
        "server groups": _names(
            service(of.session, "compute"), "/os-server-groups", "server_groups", {}
        ),
    }
    for kind in ("networks", "subnets", "routers", "ports", "floatingips"):
        found[kind] = _names(network, f"/v2.0/{kind}", kind, mine)
    groups = _names(network, "/v2.0/security-groups", "security_groups", mine)
    found["security groups"] = [name for name in groups if name != "default"]
    return {kind: names for kind, names in found.items() if names}


def _names(api: Adapter, path: str, key: str, params: dict[str, str]) -> list[str]:
    return [item.get("name") or item["id"] for item in api.get(path, params=params).json()[key]]


def stacks(of: Tenant) -> list[dict[str, Any]]:
    """The stacks of a project."""
    found: list[dict[str, Any]] = (
        service(of.session, "orchestration").get("/stacks").json()["stacks"]
    )
    return found


def roles_of_the_service(admin: Session, of: Tenant) -> list[str]:
    """Ids of the roles that the service user holds in a project."""
    identity = service(admin, "identity")
    user = identity.get("/users", params={"name": "magnum", "domain_id": "default"}).json()[
        "users"
    ][0]
    found = identity.get(
        "/role_assignments", params={"user.id": user["id"], "scope.project.id": of.project_id}
    )
    return [entry["role"]["id"] for entry in found.json()["role_assignments"]]
