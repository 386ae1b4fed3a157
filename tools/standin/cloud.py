"""The stand-in as a whole, without HTTP: which service a request is for, and what a test may tell it (``/control``)."""

import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from tools.standin import accounts, template
from tools.standin.heat import Heat
from tools.standin.identity import Identity, refused
from tools.standin.ledger import Ledger
from tools.standin.notifier import Bus, Reliability
from tools.standin.nova import Nova
from tools.standin.rules import Rules
from tools.standin.stacks import IN_PROGRESS, Ending, Stacks
from tools.standin.things import Things
from tools.standin.wire import IDENTITY, ORCHESTRATION, Answer, Request

#: What a wrong word in a test's instructions ends in.
_WRONG = (TypeError, ValueError, KeyError, LookupError, re.error)


@dataclass
class Cloud:
    """All that the stand-in knows."""

    stacks: Stacks
    rules: Rules
    identity: Identity
    bus: Bus | None = None
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self._heat = Heat(self.stacks)
        self._nova = Nova(self.stacks)
        self.things = Things(self._nova)

    def answer(self, request: Request) -> Answer:
        """Carry out a request as the service that it is for."""
        if request.service == IDENTITY:
            return self.identity.answer(request)
        project = self.identity.project_of(request.headers.get("x-auth-token"))
        is_discovery = request.path.count("/") < 2 or request.path.endswith("/")
        if project is None and not (is_discovery and request.method == "GET"):
            return self.error(request, 401, "Authentication required")
        if request.service == ORCHESTRATION:
            return self._heat.answer(request, project or "")
        return self.things.answer(request, project)

    def error(self, request: Request, status: int, text: str) -> Answer:
        """An error in the words of the service that a request is for."""
        if request.service == IDENTITY:
            return refused(status, text)
        if request.service == ORCHESTRATION and status != 401:
            return template.error(status, "StandInMisbehaves", text)
        return Answer(status, {"error": {"code": status, "message": text}})

    # --- what a test says and asks -------------------------------------------------------------------------------

    def control(self, method: str, words: list[str], body: Any, since: int) -> Answer:
        """Carry out what a test wants; a wrong instruction is answered 400."""
        routes: dict[tuple[str, str], Callable[..., Any]] = {
            ("GET", "ledger"): lambda: self.ledger.shown(since),
            ("GET", "stacks"): self._shown_stacks,
            ("GET", "quiet"): self._quiet,
            ("GET", "grants"): lambda: sorted(self.identity.grants),
            ("GET", "users"): lambda: [
                accounts.of_user(user) for user in self.identity.accounts.users.values()
            ],
            ("GET", "secrets"): lambda: {
                kind: sorted(found) for kind, found in self.identity.accounts.secrets.items()
            },
            ("PUT", "elsewhere"): self.identity.elsewhere.update,
            ("GET", "rules"): self.rules.shown,
            ("GET", "servers"): self._nova.told,
            ("PUT", "servers"): self._nova.change,
            ("POST", "rules"): lambda: self.rules.add(**body),
            ("DELETE", "rules"): lambda *ids: self.rules.end(*map(int, ids)),
            ("POST", "endings"): self._add_ending,
            ("DELETE", "endings"): self._no_endings,
            ("PUT", "things"): self._put_things,
            ("PUT", "stacks"): self._change_stack,
            ("DELETE", "stacks"): self._vanish,
            ("PUT", "seconds"): self._set_seconds,
            ("PUT", "bus"): self._set_bus,
            ("DELETE", "tokens"): self.identity.revoke_all,
        }
        do = routes.get((method, words[0] if words else ""))
        if do is None:
            return Answer(404, {"error": f"there is no {method} {'/'.join(words)}"})
        given = [body] if method in ("PUT", "POST") and words[0] != "rules" else []
        try:
            return Answer(200, do(*words[1:], *given))
        except _WRONG as wrong:
            return Answer(400, {"error": f"{type(wrong).__name__}: {wrong}"})

    def _quiet(self) -> float:
        with self.stacks.lock:
            busy = any(stack.status == IN_PROGRESS for stack in self.stacks.live())
        return 0.0 if busy else time.time() - self.ledger.last_change()

    def _shown_stacks(self) -> list[dict[str, Any]]:
        with self.stacks.lock:
            return [stack.shown() for stack in self.stacks.ever.values()]

    def _add_ending(self, body: dict[str, Any]) -> None:
        ending = Ending(**body)
        re.compile(ending.stack)
        with self.stacks.lock:
            self.stacks.endings.append(ending)

    def _no_endings(self) -> None:
        with self.stacks.lock:
            self.stacks.endings.clear()

    def _put_things(self, service: str, collection: str, body: list[dict[str, Any]]) -> None:
        self.things.kept[service, collection] = body

    def _change_stack(self, ident: str, body: dict[str, Any]) -> None:
        """Change a stack as somebody else would: its parameters, its action and status."""
        with self.stacks.lock:
            stack = self.stacks.ever[ident]
            stack.behind_our_back = True
            stack.given = {**stack.given, **body.pop("parameters", {})}
            stack.nodes.resize(stack.parameters)
            if not body.keys() <= {"action", "status", "reason"}:
                raise ValueError(f"a stack has no {', '.join(body)}")
            for name, value in body.items():
                setattr(stack, name, value)

    def _vanish(self, ident: str) -> None:
        with self.stacks.lock:
            self.stacks.vanish(self.stacks.ever[ident])

    def _set_seconds(self, body: float) -> None:
        self.stacks.seconds = float(body)

    def _set_bus(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.bus is None:
            raise ValueError("the stand-in was started without --notify")
        self.bus.reliability = Reliability(**body)
        return asdict(self.bus.reliability)
