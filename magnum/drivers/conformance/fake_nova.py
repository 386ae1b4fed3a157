"""FakeNova: servers in memory that can be looked at, listed and rebooted, in one project."""

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from magnum.drivers.conformance.fake_heat import Answer

_SERVER = re.compile(r"/servers/(?P<id>[^/]+)(?P<action>/action)?$")


class FakeNova:
    """Stands for Nova's API. A reboot is under way until :meth:`settle`."""

    def __init__(self) -> None:
        self.servers: dict[str, dict[str, Any]] = {}
        self.reboots: dict[str, list[str]] = {}

    def add(self, servers: Mapping[str, str], bay_uuid: str) -> None:
        """Have these servers, by name and id; those that are there stay as they are."""
        for name, ident in servers.items():
            self.servers.setdefault(
                ident,
                {
                    "id": ident,
                    "name": name,
                    "status": "ACTIVE",
                    "OS-EXT-STS:task_state": None,
                    "OS-EXT-STS:vm_state": "active",
                    "OS-EXT-STS:power_state": 1,
                    "metadata": {"magnum_bay": bay_uuid},
                    "tags": [f"magnum-{bay_uuid}"],
                    "addresses": {},
                },
            )

    def keep(self, idents: Collection[str]) -> None:
        """Have no other servers than these."""
        self.servers = {ident: one for ident, one in self.servers.items() if ident in idents}

    def settle(self) -> None:
        """Every reboot ends."""
        for server in self.servers.values():
            server |= {"status": "ACTIVE", "OS-EXT-STS:task_state": None}

    def busy(self) -> bool:
        """Whether a server is being rebooted."""
        return any(server["status"] != "ACTIVE" for server in self.servers.values())

    def answer(self, method: str, url: str, body: Any) -> Answer:
        """What Nova answers to a request."""
        path = unquote(urlsplit(url).path)
        if path.endswith(("/servers", "/servers/detail")):
            return 200, {"servers": list(self.servers.values())}
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
        if "reboot" not in body:
            message = f"There is no such action: {', '.join(body)}"
            return 400, {"badRequest": {"code": 400, "message": message}}
        if server["status"] != "ACTIVE":
            message = f"Cannot 'reboot' instance while it is in task_state {server['status']}"
            return 409, {"conflictingRequest": {"code": 409, "message": message}}
        kind = str(body["reboot"].get("type", "SOFT")).upper()
        self.reboots.setdefault(server["id"], []).append(kind)
        hard = kind == "HARD"
        server["status"] = "HARD_REBOOT" if hard else "REBOOT"
        server["OS-EXT-STS:task_state"] = "rebooting_hard" if hard else "rebooting"
        return 202, None
