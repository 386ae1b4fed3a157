"""The world of a Heat driver: the real Heat client, and behind it, without any network, a FakeHeat and a FakeNova.

Every request counts as a call and can be made to go wrong in each of the ways that a cloud has.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from heatclient import client as heat_client
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token
from requests.adapters import BaseAdapter

from magnum.drivers.conformance.fake_heat import Answer, FakeHeat, FakeHeatStack, refusal
from magnum.drivers.conformance.fake_nova import FakeNova, FakeServer
from magnum.drivers.conformance.readable import readable
from magnum.drivers.conformance.world import PROXY_SECRET, Fault, World
from magnum.drivers.contract import WORKER, Driver

_HEAT = "http://heat.invalid/v1/conformance-project"
_NOVA = "http://nova.invalid/v2.1"
_ECHO = f"Property error: http://someone:{PROXY_SECRET}@proxy.example.com:3128 is not a value."

_ANSWERS: Mapping[str, Answer] = {
    "500": refusal(500, "HTTPInternalServerError", f"Something is broken. {_ECHO}"),
    "503 of a proxy": (503, "<html><body>no backend</body></html>"),
    "404": refusal(404, "EntityNotFound", "The thing could not be found."),
    "409": refusal(409, "ActionInProgress", "Somebody is at it already."),
    "403": refusal(403, "Forbidden", "You are not allowed to."),
    "401": (401, {"error": {"message": "Authentication required", "code": 401}}),
    "400": refusal(400, "StackValidationFailed", _ECHO),
    "an answer that is no JSON": (200, "hello"),
    "an empty answer": (200, ""),
    "an answer of another shape": (200, {"stack": 7, "stacks": 7, "resources": 7, "servers": 7}),
    "a list for an object": (200, [1, 2]),
}
_RAISED: Mapping[str, Callable[[], Exception]] = {
    "no connection": lambda: requests.exceptions.ConnectionError("connection refused"),
    "no answer in time, and not done": lambda: requests.exceptions.ConnectTimeout("timed out"),
    "no answer in time, but done": lambda: requests.exceptions.ReadTimeout("timed out"),
}
_DONE = "no answer in time, but done"
#: After these the same call, made again, gets its answer; what the others mean is the driver's to say.
_PASSING = {*_RAISED, "500", "503 of a proxy", *(name for name in _ANSWERS if name[:2] == "an")}


class HeatWorld(World):
    """A bay in a cloud of FakeHeat and FakeNova. A driver's own ``World`` says what a stack's outputs are."""

    has_cloud = True
    faults: ClassVar[tuple[Fault, ...]] = tuple(
        Fault(name, name in _PASSING) for name in (*_ANSWERS, *_RAISED)
    )

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver)
        self.nova = FakeNova(self.loads)
        self.heat = FakeHeat(self.outputs, self._resources)
        self.clouds = FakeClouds(self._send)
        self._calls = 0
        self._broken: dict[int, Fault] = {}

    # --- for a driver's own world ---------------------------------------------------------------------------------

    def outputs(self, stack: FakeHeatStack) -> Mapping[str, Any]:
        """The outputs of a complete stack; those that are not given are null. ``stack.parameters`` may help."""
        return {}

    def servers(self, stack: FakeHeatStack) -> Iterable[FakeServer]:
        """The servers of a complete stack. They are in Nova and in the list of its resources."""
        return ()

    # --- what the suite asks --------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Heat and Nova come to the end of everything."""
        self.heat.settle()
        self.nova.settle()
        stacks = self.heat.stacks.values()
        alive = {server.ident for stack in stacks for server in self.servers(stack)}
        self.nova.keep(alive)

    def busy(self) -> bool:
        """Whether a stack or a server is being worked at."""
        return self.nova.busy() or any(stack.busy for stack in self.heat.stacks.values())

    def fail(self) -> bool:
        """What Heat and Nova are at fails."""
        failed = self.heat.fail("Resource CREATE failed: no luck")
        return self.nova.fail("no luck") or failed

    def clusters(self) -> Collection[str]:
        """The stacks that are there."""
        return tuple(self.heat.stacks)

    def workers(self) -> Collection[str]:
        """Nova's servers that our templates mark as workers."""
        return tuple(
            ident
            for ident, server in self.nova.servers.items()
            if server["metadata"]["magnum_role"] == WORKER
        )

    def picture(self) -> object:
        """Stacks with their states and parameters, and servers with theirs."""
        stacks = [
            (stack.name, stack.status, stack.template, json.dumps(stack.parameters, sort_keys=True))
            for stack in self.heat.stacks.values()
        ]
        return sorted(stacks), json.dumps(self.nova.servers, sort_keys=True)

    def readable(self) -> Iterator[tuple[str, str]]:
        """What Heat shows of the stacks."""
        for stack in self.heat.stacks.values():
            yield from readable(stack)

    def calls(self) -> int:
        """Requests so far."""
        return self._calls

    def break_call(self, number: int, fault: Fault) -> None:
        """Have one request go wrong."""
        self._broken[self._calls + number] = fault

    # --- requests -------------------------------------------------------------------------------------------------

    def _send(self, method: str, url: str, body: Any) -> Answer:
        self._calls += 1
        fault = self._broken.pop(self._calls, None)
        if fault is None or fault.name == _DONE:
            service = self.nova if url.startswith(_NOVA) else self.heat
            answer = service.answer(method, url, body)
        if fault is None:
            return answer
        if fault.name in _RAISED:
            raise _RAISED[fault.name]()
        return _ANSWERS[fault.name]

    def _resources(self, stack: FakeHeatStack) -> list[dict[str, Any]]:
        servers = list(self.servers(stack))
        self.nova.add(servers, self.bay.uuid)
        return [
            {
                "resource_name": server.name,
                "resource_type": "OS::Nova::Server",
                "resource_status": "CREATE_COMPLETE",
                "resource_status_reason": "state changed",
                "physical_resource_id": server.ident,
                "updated_time": "2026-01-01T00:00:00Z",
                "links": [{"rel": "stack", "href": f"{_HEAT}/stacks/{stack.name}/{stack.id}"}],
            }
            for server in servers
        ]


class FakeClouds:
    """Hands out real clients whose requests end in a function."""

    def __init__(self, send: Callable[[str, str, Any], Answer]) -> None:
        http = requests.Session()
        http.mount("http://", FakeTransport(send))
        self._session = Session(session=http)

    def heat(self) -> Any:
        """A client of FakeHeat."""
        return heat_client.Client(
            "1", session=self._session, auth=Token(_HEAT, "t"), service_type="orchestration"
        )

    def rest(self, service_type: str) -> Any:
        """An adapter for FakeNova; there is no other service."""
        if service_type != "compute":
            return None
        return Adapter(self._session, auth=Token(_NOVA, "t"), service_type="compute")


class FakeTransport(BaseAdapter):
    """Takes the place of the network under ``requests``."""

    def __init__(self, send: Callable[[str, str, Any], Answer]) -> None:
        super().__init__()
        self._send = send

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer a request."""
        url = str(request.url)
        body = json.loads(_text(request.body)) if request.body else None
        status, content = self._send(str(request.method), url, body)
        response = requests.Response()
        response.status_code = status
        response.url = url
        response.request = request
        response.headers["Content-Type"] = "application/json"
        text = content if isinstance(content, str) else json.dumps(content)
        response._content = b"" if content is None else text.encode()
        response.reason = urlsplit(url).path
        return response

    def close(self) -> None:
        """Nothing is open."""


def _text(body: object) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)
