"""Fakes for tests of the Heat drivers: a Heat that keeps stacks in memory and records each request."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from heatclient import exc
from heatclient.v1.resources import Resource
from heatclient.v1.stacks import Stack

from magnum.drivers.conformance.fake_secrets import FakeSecrets
from magnum.drivers.contract import Bay, BayModel, NodeGroup, Verb, Work

UUID = "5d12f6fd-a196-4bf0-ae4c-1f639a523a52"


def http_error(
    cls: Callable[..., Exception], message: str, kind: str | None = "Error"
) -> Exception:
    """An exception of the Heat client, made from a body as Heat writes it; not Heat's if ``kind`` is None."""
    inner = {"message": message} if kind is None else {"message": message, "type": kind}
    return cls(message=json.dumps({"error": inner}))


def not_found(what: str = "The Stack could not be found.") -> Exception:
    return http_error(exc.HTTPNotFound, what, "EntityNotFound")


@dataclass
class FakeHeatStack:
    """One stack. Tests move it on by setting ``status``."""

    id: str
    name: str
    tags: str
    status: str = "CREATE_IN_PROGRESS"
    reason: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    resources: list[dict[str, Any]] = field(default_factory=list)

    def shown(self, *, details: bool, outputs: bool) -> dict[str, Any]:
        """As Heat shows it: parameters as text, and in details only; outputs only where asked for."""
        facts: dict[str, Any] = {
            "id": self.id,
            "stack_name": self.name,
            "stack_status": self.status,
            "stack_status_reason": self.reason,
            "tags": self.tags.split(","),
        }
        if details:
            facts["parameters"] = {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in self.parameters.items()
            }
        if details and outputs:
            facts["outputs"] = [
                {"output_key": key, "output_value": value} for key, value in self.outputs.items()
            ]
        return facts


class FakeHeat:
    """Stands for ``heatclient.v1.client.Client`` in one project. ``requests`` is what was asked of it.

    ``errors`` maps a method's name to exceptions that its next calls raise, in order. With
    ``lose_answers`` a creation happens, but its answer gets lost.
    """

    def __init__(self) -> None:
        self.kept: dict[str, FakeHeatStack] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.errors: dict[str, list[Exception]] = {}
        self.lose_answers = False
        self.stacks = FakeHeatStacks(self)
        self.resources = FakeHeatResources(self)

    def note(self, method: str, **given: Any) -> None:
        """Record a request, and raise what was ordered for it."""
        self.requests.append((method, json.loads(json.dumps(given))))
        if self.errors.get(method):
            raise self.errors[method].pop(0)

    def count(self, method: str | None = None) -> int:
        """How many requests there were."""
        return sum(1 for name, _ in self.requests if method in (None, name))

    def at(self, url: str) -> FakeHeatStack:
        """The stack at a canonical address: name and id."""
        name, _, stack_id = url.partition("/")
        assert stack_id, f"{url} is not canonical: Heat would answer with a redirect"
        if stack_id not in self.kept or self.kept[stack_id].name != name:
            raise not_found()
        return self.kept[stack_id]

    def only(self) -> FakeHeatStack:
        """The one stack there is."""
        (stack,) = self.kept.values()
        return stack


class FakeHeatStacks:
    """Stands for the client's ``stacks``."""

    def __init__(self, heat: FakeHeat) -> None:
        self._heat = heat

    def create(self, **given: Any) -> dict[str, Any]:
        self._heat.note("create", **given)
        if any(stack.name == given["stack_name"] for stack in self._heat.kept.values()):
            message = f"The Stack ({given['stack_name']}) already exists."
            raise http_error(exc.HTTPConflict, message, "StackExists")
        stack_id = f"stack-{self._heat.count('create')}"
        self._heat.kept[stack_id] = FakeHeatStack(
            stack_id, given["stack_name"], given["tags"], parameters=dict(given["parameters"])
        )
        if self._heat.lose_answers:
            raise exc.CommunicationError("timed out")
        return {"stack": {"id": stack_id, "links": []}}

    def get(self, url: str, resolve_outputs: bool = True) -> Stack:
        self._heat.note("get", url=url, resolve_outputs=resolve_outputs)
        shown = self._heat.at(url).shown(details=True, outputs=resolve_outputs)
        return Stack(self, shown, loaded=True)

    def list(
        self, tags: str | None = None, filters: dict[str, list[str]] | None = None
    ) -> Iterator[Stack]:
        asked = {"tags": tags} if filters is None else {"filters": filters}
        self._heat.note("list", **asked)
        wanted = (filters or {}).get("id")
        for stack in list(self._heat.kept.values()):
            if (tags is None or tags in stack.tags.split(",")) and stack.id in (
                wanted or [stack.id]
            ):
                yield Stack(self, stack.shown(details=False, outputs=False), loaded=True)

    def update(self, url: str, **given: Any) -> None:
        self._heat.note("update", url=url, **given)
        stack = self._heat.at(url)
        stack.parameters.update(given["parameters"])
        stack.status = "UPDATE_IN_PROGRESS"

    def delete(self, url: str) -> None:
        self._heat.note("delete", url=url)
        self._heat.at(url).status = "DELETE_IN_PROGRESS"


class FakeHeatResources:
    """Stands for the client's ``resources``."""

    def __init__(self, heat: FakeHeat) -> None:
        self._heat = heat

    def list(self, url: str, **given: Any) -> list[Resource]:
        self._heat.note("resources", url=url, **given)
        wanted = given["filters"]["status"]
        return [
            Resource(self, facts, loaded=True)
            for facts in self._heat.at(url).resources
            if facts["resource_status"].partition("_")[2] in wanted
        ]


class FakeAnswer:
    """Stands for a response of ``requests``; with a body of None it is not JSON."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def json(self) -> Any:
        if self._body is None:
            raise ValueError("not JSON")
        return self._body


class FakeService:
    """Stands for an adapter for Nova, Neutron, Cinder or Octavia: lists what a test has put into ``things``.

    ``things`` are by the last part of the path that is a collection. It ignores every filter, so
    what is found depends on the driver alone. ``asked`` are paths with their parameters. ``errors``
    are raised by path, an answer that is no list is put into ``answers``. ``deleted`` are the paths
    that were to be deleted; with ``lingers`` what is deleted stays in the lists.
    """

    def __init__(self, endpoint: str = "http://cloud/v2.1", **things: list[dict[str, Any]]) -> None:
        self.endpoint = endpoint
        self.things = things
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.errors: dict[str, Exception] = {}
        self.answers: dict[str, Any] = {}
        self.deleted: list[str] = []
        self.lingers = False

    def get_endpoint(self) -> str:
        return self.endpoint

    def get(self, path: str, params: dict[str, Any], headers: dict[str, str]) -> FakeAnswer:
        self.asked.append((path, params))
        collection = path.removesuffix("/detail").rpartition("/")[2]
        collection = collection.replace("-", "_").removeprefix("os_")
        if collection in self.errors:
            raise self.errors[collection]
        if path == "/os-availability-zone" and collection not in self.answers:
            return FakeAnswer({"availabilityZoneInfo": []})
        if collection in self.answers:
            return FakeAnswer(self.answers[collection])
        return FakeAnswer({collection: list(self.things.get(collection, []))})

    def delete(self, path: str) -> FakeAnswer:
        self.deleted.append(path)
        if path in self.errors:
            raise self.errors[path]
        place, _, ident = path.rpartition("/")
        kept = self.things[place.rpartition("/")[2]]
        (thing,) = [thing for thing in kept if thing["id"] == ident]
        if not self.lingers:
            kept.remove(thing)
        return FakeAnswer(None)


class FakeHeatClouds:
    """Hands out one FakeHeat, and other services where a test has given some."""

    def __init__(self, heat: FakeHeat, services: dict[str, FakeService] | None = None) -> None:
        self._heat = heat
        self.services = services or {}

    def heat(self) -> FakeHeat:
        return self._heat

    def rest(self, service_type: str) -> FakeService | None:
        return self.services.get(service_type)


def resource(
    name: str,
    kind: str,
    status: str,
    reason: str = "",
    *,
    owner: str = "stack-1",
    resource_id: str = "",
    updated: str = "2026-01-01T00:00:00Z",
) -> dict[str, Any]:
    """A resource as Heat lists it."""
    return {
        "resource_name": name,
        "resource_type": kind,
        "resource_status": status,
        "resource_status_reason": reason,
        "physical_resource_id": resource_id,
        "updated_time": updated,
        "links": [
            {"rel": "self", "href": f"http://heat/v1/p/stacks/any/{owner}/resources/{name}"},
            {"rel": "stack", "href": f"http://heat/v1/p/stacks/any/{owner}"},
        ],
    }


def make_work(
    heat: FakeHeat | None = None,
    *,
    verb: Verb = Verb.CREATE,
    bay: dict[str, Any] | None = None,
    baymodel: dict[str, Any] | None = None,
    master: dict[str, Any] | None = None,
    worker: dict[str, Any] | None = None,
    services: dict[str, FakeService] | None = None,
    **given: Any,
) -> Work:
    """A Work of a swarm bay with one master and one worker; arguments change parts of it."""
    given.setdefault("secrets", FakeSecrets())
    a_bay: dict[str, Any] = {"uuid": UUID, "name": "my-bay", "project_id": "p1"}
    a_model: dict[str, Any] = {
        "uuid": "m1",
        "name": "model",
        "coe": "swarm",
        "image_id": "atomic",
        "external_network_id": "public",
    }
    a_master: dict[str, Any] = {"uuid": "g1", "name": "default-master", "role": "master"}
    a_worker: dict[str, Any] = {"uuid": "g2", "name": "default-worker", "role": "worker"}
    return Work(
        bay=Bay(**(a_bay | (bay or {}))),
        baymodel=BayModel(**(a_model | (baymodel or {}))),
        node_groups=(
            NodeGroup(**({"node_count": 1} | a_master | (master or {}))),
            NodeGroup(**({"node_count": 1} | a_worker | (worker or {}))),
        ),
        clouds=FakeHeatClouds(heat or FakeHeat(), services),
        verb=verb,
        **given,
    )
