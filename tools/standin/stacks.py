"""The stand-in's stacks: what they are, how they come to an end by themselves, and what became of those that are gone.

An action begins at once and ends after its time, as told by an :class:`Ending` or else well. A newer action takes the
place of one that is under way, as Heat's deletion does.
"""

import heapq
import itertools
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.standin import template
from tools.standin.template import Nodes

CREATE, UPDATE, DELETE, CHECK = "CREATE", "UPDATE", "DELETE", "CHECK"
IN_PROGRESS, COMPLETE, FAILED = "IN_PROGRESS", "COMPLETE", "FAILED"


@dataclass(slots=True)
class Ending:
    """How an action of a stack shall end.

    :param stack: regular expression that is looked for in the stack's name, tags and parameters.
    :param action: CREATE, UPDATE, DELETE or CHECK.
    :param status: COMPLETE or FAILED.
    :param resources: what failed: mappings with ``path`` ("workers / 1 / server"), ``type``, ``reason`` and, where
        it is not FAILED, ``status``.
    :param seconds: until the end; None for the usual time.
    :param never: the action does not end at all.
    :param times: for how many actions this holds; None for all.
    """

    stack: str = ""
    action: str = CREATE
    status: str = FAILED
    reason: str = ""
    resources: Sequence[Mapping[str, str]] = ()
    seconds: float | None = None
    never: bool = False
    times: int | None = 1


@dataclass(slots=True)
class Stack:
    """One stack. Times are seconds since 1970; ``history`` is (time, action, status) of every change."""

    id: str
    name: str
    project: str
    user: str
    tags: list[str]
    template: Mapping[str, Any]
    given: dict[str, Any]
    timeout_mins: int | None
    created: float
    nodes: Nodes
    updated: float | None = None
    deleted: float | None = None
    action: str = CREATE
    status: str = IN_PROGRESS
    reason: str = ""
    failed: Sequence[Mapping[str, str]] = ()
    history: list[tuple[float, str, str]] = field(default_factory=list)
    turn: int = 0
    behind_our_back: bool = False

    @property
    def parameters(self) -> dict[str, str]:
        """As Heat shows them."""
        return template.as_text(self.template, self.given)

    def shown(self) -> dict[str, Any]:
        """For a test: what it was and what became of it."""
        names = ("id", "name", "project", "tags", "created", "updated", "deleted", "action")
        more = ("status", "reason", "history", "behind_our_back")
        return {
            **{name: getattr(self, name) for name in (*names, *more)},
            "parameters": self.parameters,
        }


Notify = Callable[[Stack], None]


class Stacks:
    """All stacks that ever were. Its methods may be called from many threads; each is atomic.

    :param seconds: how long an action takes.
    :param notify: is called with the lock held, after each change of a stack's action or status.
    """

    def __init__(self, seconds: float, notify: Notify = lambda stack: None) -> None:
        self.seconds = seconds
        self.lock = threading.RLock()
        self.ever: dict[str, Stack] = {}
        self.endings: list[Ending] = []
        self._notify = notify
        self._live: dict[str, Stack] = {}
        self._due: list[tuple[float, int, str, int, Ending | None]] = []
        self._order = itertools.count()
        self._more = threading.Condition(self.lock)
        threading.Thread(target=self._run, name="stacks", daemon=True).start()

    # --- what Heat is asked --------------------------------------------------------------------------------------

    def live(self) -> list[Stack]:
        """The stacks that are there, the newest first."""
        return list(reversed(self._live.values()))

    def find(self, project: str, name_or_id: str) -> Stack | None:
        """A stack that is there, by id or by name."""
        found = self._live.get(name_or_id)
        if found is not None and found.project == project:
            return found
        both = (project, name_or_id)
        return next((s for s in self._live.values() if (s.project, s.name) == both), None)

    def create(self, project: str, user: str, body: Mapping[str, Any]) -> Stack:
        """Begin with a new stack; the caller has made sure that its name is free."""
        ident = str(uuid.uuid4())
        stack = Stack(
            id=ident,
            name=body["stack_name"],
            project=project,
            user=user,
            tags=_tags(body),
            template=_template(body),
            given=given(body),
            timeout_mins=body.get("timeout_mins"),
            created=time.time(),
            nodes=Nodes(ident),
        )
        with self.lock:
            self.ever[ident] = self._live[ident] = stack
            self.begin(stack, CREATE)
        return stack

    def begin(self, stack: Stack, action: str) -> None:
        """Let an action of a stack begin; it ends by itself."""
        with self._more:
            stack.turn += 1
            if action != CREATE:
                stack.updated = time.time()
            self._set(stack, action, IN_PROGRESS, f"Stack {action} started")
            ending = self._ending(stack, action)
            if ending is not None and ending.never:
                return
            seconds = self.seconds
            if ending is not None and ending.seconds is not None:
                seconds = ending.seconds
            end = time.monotonic() + seconds
            heapq.heappush(self._due, (end, next(self._order), stack.id, stack.turn, ending))
            self._more.notify_all()

    def vanish(self, stack: Stack) -> None:
        """Let a stack be gone at once, as if somebody had deleted it long ago."""
        with self.lock:
            stack.turn += 1
            stack.behind_our_back = True
            self._gone(stack)

    # --- how things go on ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._more:
                while not self._due:
                    self._more.wait()
                left = self._due[0][0] - time.monotonic()
                if left > 0:
                    self._more.wait(left)
                    continue
                _, _, ident, turn, ending = heapq.heappop(self._due)
                stack = self.ever[ident]
                if stack.turn == turn:
                    self._end(stack, ending)

    def _end(self, stack: Stack, ending: Ending | None) -> None:
        status = COMPLETE if ending is None else ending.status
        stack.failed = () if ending is None else ending.resources
        if stack.action == DELETE and status == COMPLETE:
            self._set(stack, DELETE, COMPLETE, "Stack DELETE completed successfully")
            self._gone(stack)
            return
        stack.nodes.resize(stack.parameters)
        usual = f"Stack {stack.action} completed successfully" if status == COMPLETE else ""
        told = "" if ending is None else ending.reason
        self._set(stack, stack.action, status, told or usual or _why(stack))

    def _set(self, stack: Stack, action: str, status: str, reason: str) -> None:
        stack.action, stack.status, stack.reason = action, status, reason
        stack.history.append((time.time(), action, status))
        self._notify(stack)

    def _gone(self, stack: Stack) -> None:
        stack.deleted = time.time()
        self._live.pop(stack.id, None)

    def _ending(self, stack: Stack, action: str) -> Ending | None:
        for ending in self.endings:
            texts = (stack.name, *stack.tags, *map(str, stack.given.values()))
            named = any(re.search(ending.stack, text) for text in texts)
            if named and ending.action == action and ending.times != 0:
                if ending.times is not None:
                    ending.times -= 1
                return ending
        return None


def given(body: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a request, wherever they stand; JSON where a text of JSON was sent."""
    environment = body.get("environment") or {}
    found = {**(environment.get("parameters") or {}), **(body.get("parameters") or {})}
    return {name: _plain(value) for name, value in found.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _tags(body: Mapping[str, Any]) -> list[str]:
    tags = body.get("tags") or ""
    return [tag for tag in tags.split(",") if tag]


def _template(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found = body.get("template")
    return found if isinstance(found, dict) else template.parsed(found or "")


def _why(stack: Stack) -> str:
    """Heat's own words for a stack in which resources failed: the first of them, with its place."""
    if not stack.failed:
        return f"Resource {stack.action} failed"
    first = stack.failed[0]
    names = first["path"].split(" / ")
    place = "".join(f"[{n}]" if n.isdigit() else f".resources.{n}" for n in names)
    return f"Resource {stack.action} failed: {place.lstrip('.')}: {first['reason']}"
