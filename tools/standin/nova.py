"""The stand-in's servers: the nodes of every complete stack, with what Nova is at with them and for how long.

A stack's servers are there while it is. They keep id, name and image through every action: reboots, rebuild, start.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.standin.stacks import DELETE, Stack, Stacks
from tools.standin.template import MASTERS, NODES
from tools.standin.wire import Answer, Request

#: What a server shows while Nova is at it, in turn: status and task.
_PHASES: Mapping[str, Sequence[tuple[str, str]]] = {
    "SOFT": (("REBOOT", "reboot_pending"), ("REBOOT", "reboot_started")),
    "HARD": (("HARD_REBOOT", "reboot_pending_hard"), ("HARD_REBOOT", "reboot_started_hard")),
    "rebuild": (
        ("REBUILD", "rebuilding"),
        ("REBUILD", "rebuild_block_device_mapping"),
        ("REBUILD", "rebuild_spawning"),
    ),
    "os-start": (("SHUTOFF", "powering-on"),),
}
_ROLES = {MASTERS: "master", NODES: "worker"}
_WORDS = {MASTERS: "master", NODES: "node"}
_IMAGES = {MASTERS: "master_image", NODES: "node_image"}
_PATH = re.compile(r"/v2\.1(?:/[0-9a-f]{32})?/servers(?:/(?P<id>[^/]+))?(?P<action>/action)?")


@dataclass(slots=True)
class Doing:
    """What has been done with a server. ``actions`` are (time, action) of all that Nova took on.

    ``fault`` makes the next action end in ERROR with this text; ``status`` is what the server shows while Nova is at
    nothing. One that ``is_gone`` was deleted behind Heat's back.
    """

    actions: list[tuple[float, str]] = field(default_factory=list)
    until: float = 0.0
    began: float = 0.0
    fault: str = ""
    status: str = "ACTIVE"
    failed: str = ""
    is_gone: bool = False

    def now(self) -> tuple[str, str | None]:
        """Status and task at this moment."""
        moment = time.monotonic()
        if moment < self.until:
            phases = _PHASES[self.actions[-1][1]]
            part = (moment - self.began) / (self.until - self.began)
            return phases[min(int(part * len(phases)), len(phases) - 1)]
        return self.status, None

    def begin(self, action: str, seconds: float) -> None:
        """Let an action begin; it ends by itself."""
        self.actions.append((time.time(), action))
        self.began = time.monotonic()
        self.until = self.began + seconds
        self.status = "ERROR" if self.fault else "ACTIVE"
        self.failed, self.fault = self.fault, ""


class Nova:
    """Answers requests about servers. Safe from many threads: it holds the stacks' lock."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks
        self._doing: dict[str, Doing] = {}
        #: Seconds that an action takes; None for as long as one of a stack.
        self.seconds: float | None = None

    def servers(self, project: str | None) -> list[dict[str, Any]]:
        """Every server of a project; of all projects for None."""
        with self._stacks.lock:
            return [
                shown
                for stack in self._stacks.live()
                if project in (None, stack.project)
                for shown in self._of(stack)
            ]

    def _of(self, stack: Stack) -> Iterator[dict[str, Any]]:
        if stack.action == DELETE:
            return
        parameters = stack.parameters
        prefix = parameters.get("name_prefix", stack.name)
        for group, index in stack.nodes.all():
            ident = stack.nodes.server(group, index)
            doing = self._doing.setdefault(ident, Doing())
            if doing.is_gone:
                continue
            status, task = doing.now()
            image = parameters.get(_IMAGES[group])
            shown: dict[str, Any] = {
                "id": ident,
                "name": f"{prefix}-{_WORDS[group]}-{index}",
                "tenant_id": stack.project,
                "status": status,
                "OS-EXT-STS:task_state": task,
                "OS-EXT-STS:vm_state": "error" if status == "ERROR" else "active",
                "OS-EXT-STS:power_state": 1,
                "image": {"id": image} if image else "",
                "tags": list(stack.tags),
                "metadata": {
                    "magnum_bay": parameters.get("bay_uuid", ""),
                    "magnum_role": _ROLES[group],
                },
                "addresses": {},
            }
            if status == "ERROR":
                shown["fault"] = {"code": 500, "message": doing.failed}
            yield shown

    def answer(self, request: Request, project: str | None) -> Answer | None:
        """Carry out a request about one of these servers; None where it is about something else."""
        found = _PATH.fullmatch(request.path)
        if found is None or found["id"] in (None, "detail"):
            return None
        shown = next((one for one in self.servers(project) if one["id"] == found["id"]), None)
        if shown is None:
            return None
        if not found["action"]:
            if request.method == "DELETE":
                self._doing[shown["id"]].is_gone = True
                return Answer(204)
            return Answer(200, {"server": shown})
        return self._act(shown, request.body if isinstance(request.body, dict) else {})

    def _act(self, shown: Mapping[str, Any], body: Mapping[str, Any]) -> Answer:
        action = next((name for name in ("reboot", "rebuild", "os-start") if name in body), None)
        if action is None:
            return _refused(400, "badRequest", f"There is no such action: {json.dumps(body)}")
        kind = body["reboot"].get("type") if action == "reboot" else action
        if kind not in _PHASES:
            return _refused(400, "badRequest", f"Invalid type of reboot: {kind}")
        with self._stacks.lock:
            doing = self._doing[shown["id"]]
            status, task = doing.now()
            if task or (kind == "SOFT" and status != "ACTIVE"):
                text = f"Cannot '{action}' instance {shown['id']} while it is in {task or status}"
                return _refused(409, "conflictingRequest", text)
            doing.begin(kind, self._stacks.seconds if self.seconds is None else self.seconds)
        return Answer(202, {"server": shown} if action == "rebuild" else None)

    # --- what a test says and asks -------------------------------------------------------------------------------

    def told(self) -> list[dict[str, Any]]:
        """Every server that is there, with all that was done with it."""
        with self._stacks.lock:
            known = self.servers(None)
            return [{**one, "actions": list(self._doing[one["id"]].actions)} for one in known]

    def change(self, ident: str, body: dict[str, Any]) -> None:
        """Have a server in a ``status``, or its next action end in ERROR with a ``fault``."""
        if not body.keys() <= {"status", "fault"}:
            raise ValueError(f"of a server nobody can set {', '.join(body)}")
        with self._stacks.lock:
            doing = self._doing[ident]
            for name, value in body.items():
                setattr(doing, name, value)


def _refused(status: int, kind: str, text: str) -> Answer:
    return Answer(status, {kind: {"code": status, "message": text}})
