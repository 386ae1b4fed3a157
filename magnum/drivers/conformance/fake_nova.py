"""FakeNova: servers in memory that can be looked at, listed, rebooted and rebuilt, in one project."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from magnum.drivers.conformance.fake_heat import Answer

_SERVER = re.compile(r"/servers/(?P<id>[^/]+)(?P<action>/action)?$")


@dataclass(frozen=True, slots=True)
class FakeServer:
    """A node of a stack. ``role`` is in its metadata, as our templates put it there."""

    name: str
    ident: str
    role: str


class FakeNova:
    """Stands for Nova's API. What it was asked for is under way until :meth:`settle`."""

    def __init__(self, zones: Iterable[str] = ()) -> None:
        self.servers: dict[str, dict[str, Any]] = {}
        self._zones = tuple(zones)

    def add(self, servers: Iterable[FakeServer], bay_uuid: str) -> None:
        """Have these servers; those that are there stay as they are."""
        for server in servers:
            self.servers.setdefault(
                server.ident,
                {
                    "id": server.ident,
                    "name": server.name,
                    "image": {"id": "an-image"},
                    "status": "ACTIVE",
                    "OS-EXT-STS:task_state": None,
                    "OS-EXT-STS:vm_state": "active",
                    "OS-EXT-STS:power_state": 1,
                    "metadata": {"magnum_bay": bay_uuid, "magnum_role": server.role},
                    "tags": [f"magnum-{bay_uuid}"],
                    "addresses": {},
                },
            )

    def keep(self, idents: Collection[str]) -> None:
        """Have no other servers than these."""
        self.servers = {ident: one for ident, one in self.servers.items() if ident in idents}

    def settle(self) -> None:
        """Everything that Nova is at ends well."""
        for server in self.servers.values():
            if server["OS-EXT-STS:task_state"]:
                server |= {"status": "ACTIVE", "OS-EXT-STS:task_state": None}

    def busy(self) -> bool:
        """Whether Nova is at a server."""
        return any(server["OS-EXT-STS:task_state"] for server in self.servers.values())

    def fail(self, reason: str) -> bool:
        """Have what Nova is at fail; False where it is at nothing."""
        busy = [one for one in self.servers.values() if one["OS-EXT-STS:task_state"]]
        for server in busy:
            fault = {"code": 500, "message": reason}
            server |= {"status": "ERROR", "OS-EXT-STS:task_state": None, "fault": fault}
        return bool(busy)

    def answer(self, method: str, url: str, body: Any) -> Answer:
        """What Nova answers to a request."""
        path = unquote(urlsplit(url).path)
        if path.endswith(("/servers", "/servers/detail")):
            return 200, {"servers": list(self.servers.values())}
        if path.endswith("/os-availability-zone"):
            zones = [{"zoneName": zone, "zoneState": {"available": True}} for zone in self._zones]
            return 200, {"availabilityZoneInfo": [{**zone, "hosts": None} for zone in zones]}
        if path.endswith("/os-server-groups"):
            return 200, {"server_groups": []}
        found = _SERVER.search(path)
        if found is None or found["id"] not in self.servers:
            return 404, {"itemNotFound": {"code": 404, "message": "Instance could not be found."}}
        server = self.servers[found["id"]]
        if not found["action"]:
            return 200, {"server": server}
        return self._act(server, body or {})

    def _act(self, server: dict[str, Any], body: Mapping[str, Any]) -> Answer:
        kind = str((body.get("reboot") or {}).get("type", "SOFT")).upper()
        known = {
            "reboot": ("HARD_REBOOT", "rebooting_hard")
            if kind == "HARD"
            else ("REBOOT", "rebooting"),
            "rebuild": ("REBUILD", "rebuilding"),
            "os-start": ("SHUTOFF", "powering-on"),
        }
        action = next((name for name in known if name in body), None)
        if action is None:
            message = f"There is no such action: {', '.join(body)}"
            return 400, {"badRequest": {"code": 400, "message": message}}
        if server["OS-EXT-STS:task_state"]:
            message = f"Cannot '{action}' instance while it is {server['status']}"
            return 409, {"conflictingRequest": {"code": 409, "message": message}}
        server["status"], server["OS-EXT-STS:task_state"] = known[action]
        return 202, None
