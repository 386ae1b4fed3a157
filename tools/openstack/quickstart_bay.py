"""A bay made as a user makes one: requests to the API, and a look at its stack in Heat now and then.

Runs in an environment that has keystoneauth1. It knows the API from the outside only; nothing of
``magnum/`` is imported.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from keystoneauth1 import adapter, exceptions, session

from tools.openstack.config import REGION
from tools.openstack.console import Progress, Trouble

NEWEST_API = {"OpenStack-API-Version": "container-infra latest"}
POLL = 0.4  # seconds between two looks at the bay
PATIENCE = 300.0  # seconds until a bay in progress is given up
IN_PROGRESS, FAILED = "_IN_PROGRESS", "_FAILED"


@dataclass(frozen=True)
class Bay:
    """A bay as the API shows it, as far as a quickstart is interested.

    :param stack_id: Heat's id of its stack; None for a driver that builds no stack.
    :param faults: what went wrong, by node group.
    """

    uuid: str
    name: str
    status: str
    status_reason: str | None
    driver: str
    driver_version: str | None
    stack_id: str | None
    api_address: str | None
    master_addresses: tuple[str, ...]
    node_addresses: tuple[str, ...]
    faults: Mapping[str, str]

    @property
    def failed(self) -> bool:
        """Whether it ended badly."""
        return self.status.endswith(FAILED)

    @property
    def in_progress(self) -> bool:
        """Whether something is still being done to it."""
        return self.status.endswith(IN_PROGRESS)


class Client:
    """The few requests of a quickstart, as one user."""

    def __init__(self, user: session.Session) -> None:
        self._magnum = adapter.Adapter(
            user,
            service_type="container-infra",
            region_name=REGION,
            additional_headers=NEWEST_API,
        )
        self._heat = adapter.Adapter(user, service_type="orchestration", region_name=REGION)

    def ensure_baymodel(self, driver: str) -> str:
        """The uuid of the quickstart's baymodel for a driver; made when it is missing.

        Image, flavors and network are names that the API takes as they are: the services that would know
        them are absent (``[cloud] absent_services``).
        """
        name = f"quickstart-{driver}"
        for known in self._get("/baymodels")["baymodels"]:
            if known["name"] == name:
                return str(known["uuid"])
        body = {
            "name": name,
            "driver": driver,
            "image_id": "an-image",
            "flavor_id": "a-flavor",
            "master_flavor_id": "a-flavor",
            "external_network_id": "public",
            "keypair_id": None,
        }
        return str(self._post("/baymodels", body)["uuid"])

    def create(self, name: str, baymodel: str) -> Bay:
        """Ask for a bay of one master and one node."""
        body = {"name": name, "baymodel_id": baymodel, "master_count": 1, "node_count": 1}
        return self.show(str(self._post("/bays", body)["uuid"]))

    def named(self, name: str) -> Bay | None:
        """The user's bay of that name."""
        for item in self._get("/bays")["bays"]:
            if item["name"] == name:
                return self.show(item["uuid"])
        return None

    def show(self, uuid: str) -> Bay:
        """The bay as it is now."""
        body = self._get(f"/bays/{uuid}")
        return Bay(
            uuid=body["uuid"],
            name=body["name"],
            status=body["status"],
            status_reason=body["status_reason"],
            driver=body["driver"],
            driver_version=body["driver_version"],
            stack_id=body["stack_id"],
            api_address=body["api_address"],
            master_addresses=tuple(body["master_addresses"] or ()),
            node_addresses=tuple(body["node_addresses"] or ()),
            faults=body.get("bay_faults") or {},
        )

    def stack_name(self, stack_id: str) -> str:
        """What Heat calls the stack."""
        return str(self._heat.get(f"/stacks/{stack_id}").json()["stack"]["stack_name"])

    def finished_parts(self, stack_id: str) -> Iterator[str]:
        """Names of the stack's own resources that are complete (those of nested stacks are not listed)."""
        for part in self._heat.get(f"/stacks/{stack_id}/resources").json()["resources"]:
            if part["resource_status"] == "CREATE_COMPLETE":
                yield str(part["resource_name"])

    def _get(self, path: str) -> Any:
        return self._magnum.get(path).json()

    def _post(self, path: str, body: Mapping[str, object]) -> Any:
        try:
            return self._magnum.post(path, json=body).json()
        except exceptions.HttpError as error:
            raise Trouble(f"the API refused POST {path}: {_detail(error)}") from error


def launch(client: Client, driver: str, say: Progress) -> Bay:
    """A bay of the driver, followed until nothing more happens to it.

    A complete one of an earlier run is taken as it is, one in progress is followed to its end. One that
    failed stays for whoever wants to see why; the next gets a number.

    :raises Trouble: when the API refuses it or it does not end.
    """
    baymodel = client.ensure_baymodel(driver)
    number = 1
    while True:
        name = f"quickstart-{driver}" + (f"-{number}" if number > 1 else "")
        bay = client.named(name)
        if bay is None:
            say(f"asking for bay {name}: one master, one node, driver {driver}")
            return follow(client, client.create(name, baymodel), say)
        if bay.in_progress:
            say(f"bay {name} of an earlier run is {bay.status}")
            return follow(client, bay, say)
        if not bay.failed:
            say(f"bay {name} is there from an earlier run")
            return bay
        number += 1


def follow(client: Client, bay: Bay, say: Progress) -> Bay:
    """Look at the bay until it is not in progress any more, one line for every change.

    :raises Trouble: when that takes longer than ``PATIENCE``.
    """
    deadline = time.monotonic() + PATIENCE
    seen: tuple[str, str | None] | None = None
    parts: set[str] = set()
    with say.waiting(f"bay {bay.name}"):
        while True:
            if (bay.status, bay.status_reason) != seen:
                seen = (bay.status, bay.status_reason)
                say(f"bay {bay.name}: {bay.status}" + (f", {seen[1]}" if seen[1] else ""))
            if bay.stack_id is not None:
                new = [part for part in client.finished_parts(bay.stack_id) if part not in parts]
                parts.update(new)
                if new:
                    say(f"  Heat has made {', '.join(sorted(new))}")
            if not bay.in_progress:
                return bay
            if time.monotonic() > deadline:
                raise Trouble(
                    f"bay {bay.name} is {bay.status} for more than {PATIENCE:.0f} s "
                    f"({bay.status_reason}); the logs are in .state/quickstart/log"
                )
            time.sleep(POLL)
            bay = client.show(bay.uuid)


def _detail(error: exceptions.HttpError) -> str:
    """What the API says is wrong, in its own words."""
    try:
        body: Any = error.response.json() if error.response is not None else None
        return str(body["errors"][0]["detail"])
    except (KeyError, IndexError, TypeError, ValueError):
        return str(error)
