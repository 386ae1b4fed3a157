"""A bay that was built and has to go on: what can be done to it, and to the service that looks after it."""

import configparser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session

from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.causes import Scene
from magnum.tests.functional.cloud.client import Magnum
from magnum.tests.functional.cloud.conftest import Service


@dataclass(frozen=True)
class Life:
    """A bay, its service, and the Keystone user that the service is: nobody else is disturbed when it loses a right."""

    service: Service
    scene: Scene
    api: Magnum
    bay: str
    service_user: str

    @property
    def identity(self) -> Adapter:
        """Keystone, for the administrator."""
        return client.service(self.scene.admin, "identity")

    def rest(self) -> dict[str, Any]:
        """The bay, once nothing is under way."""

        def settled() -> dict[str, Any] | None:
            bay = self.api.bay(self.bay)
            return None if bay["status"].endswith("_IN_PROGRESS") else bay

        found: dict[str, Any] = client.until(settled)
        return found

    def change(self) -> None:
        """Ask for two nodes, or for one where there are two; as soon as nothing is under way."""
        self.api.ask_for(self.bay, 1 if self.rest()["node_count"] == 2 else 2)

    def stack(self) -> str:
        """Path of the bay's stack in Heat."""
        return f"/stacks/bay-{self.bay}/{self.api.bay(self.bay)['stack_id']}"

    def checked(self, code: str) -> dict[str, Any]:
        """The check that found this out, once the bay says it."""

        def said() -> bool:
            return bool((self.api.bay(self.bay)["status_reason"] or "").startswith(f"{code}: "))

        client.until(said)
        operation = self.api.operation(self.bay)
        assert (operation["verb"], operation["state"]) == ("check", "FAILED"), operation
        assert operation["error"]["code"] == code
        return operation

    def give(self, role: str) -> None:
        """Give the service's user a role in the bay's project."""
        self.identity.put(grant(self.identity, self.service_user, self._project, role))

    def take_all_roles(self) -> None:
        """Take every role in the bay's project from the service's user."""
        held = {"user.id": self.service_user, "scope.project.id": self._project}
        found = self.identity.get("/role_assignments", params=held).json()["role_assignments"]
        of_user = f"/projects/{self._project}/users/{self.service_user}"
        for entry in found:
            self.identity.delete(f"{of_user}/roles/{entry['role']['id']}")

    @property
    def _project(self) -> str:
        return self.scene.tenant.project_id


def a_service_user(admin: Session, name: str, password: str) -> str:
    """A user with the rights of our service; returns its id."""
    identity = client.service(admin, "identity")
    body = {"user": {"name": name, "domain_id": "default", "password": password}}
    user: str = identity.post("/users", json=body).json()["user"]["id"]
    project = identity.get("/projects", params={"name": "service"}).json()["projects"][0]["id"]
    for role in ("admin", "service"):
        identity.put(grant(identity, user, project, role))
    return user


def grant(identity: Adapter, user: str, project: str, role: str) -> str:
    """Path of a role of a user in a project."""
    found = identity.get("/roles", params={"name": role}).json()["roles"][0]["id"]
    return f"/projects/{project}/users/{user}/roles/{found}"


def bus_of_heat(state: Path) -> str:
    """The broker of the cloud's Heat, as oslo.messaging writes it."""
    told = configparser.RawConfigParser(strict=False)
    told.read(state / "etc" / "heat" / "heat.conf")
    return str(told["DEFAULT"]["transport_url"])
