"""For tests: the stand-in as a process of its own, and all that one may tell and ask it."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools.openstack import config
from tools.openstack.config import Sections
from tools.openstack.processes import child_environment
from tools.standin.wire import REGION

CHECKOUT = Path(__file__).resolve().parents[2]
#: Seconds that the process may take to come up.
_PATIENCE = 60.0
#: Longer than any rule hangs; control itself answers at once.
_TIMEOUT = 60.0


class StandInError(Exception):
    """The stand-in did not come up, or did not understand."""


class StandIn:
    """Starts the stand-in; ends it with the block.

    :param folder: for its port file and its log.
    :param seconds_per_stack: how long an action of a stack takes.
    :param notify: broker for Heat's notifications, None for none.
    :param services: types that the catalogue names; None for all.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seconds_per_stack: float = 0.2,
        notify: str | None = None,
        topic: str = "notifications",
        seed: int = 0,
        services: Sequence[str] | None = None,
        token_life: float = 3600.0,
        port: int = 0,
    ) -> None:
        self._port_file = folder / "standin.port"
        self._log = folder / "standin.log"
        self._keys = folder / "keys"
        self._options = {
            "--port": str(port),
            "--port-file": str(self._port_file),
            "--seconds-per-stack": str(seconds_per_stack),
            "--seed": str(seed),
            "--topic": topic,
            "--token-life": str(token_life),
        }
        if notify:
            self._options["--notify"] = notify
        if services is not None:
            self._options["--services"] = ",".join(services)
        self._process: subprocess.Popen[bytes] | None = None
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.port = 0

    # --- the process ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it and wait until it answers. The key ring of :meth:`sections` is made with it."""
        config.write_fernet_keys(self._keys)
        self._port_file.unlink(missing_ok=True)
        options = [word for pair in self._options.items() for word in pair]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tools.standin", *options],
                cwd=CHECKOUT,
                stdout=log,
                stderr=log,
                env=child_environment({}),
                start_new_session=True,
            )
        end = time.monotonic() + _PATIENCE
        while not self._port_file.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise StandInError(
                    f"the stand-in did not come up:\n{self._log.read_text(errors='replace')}"
                )
            time.sleep(0.05)
        self.port = int(self._port_file.read_text())

    def stop(self) -> None:
        """End it; all that it knew is gone."""
        if self._process is not None and self._process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
            self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send its process a signal: SIGSTOP lets every service hang."""
        assert self._process is not None, "it has not been started"
        self._process.send_signal(number)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # --- how ours find it ----------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def auth_url(self) -> str:
        """Where its Keystone is."""
        return f"{self.url}/identity"

    def sections(self) -> Sections:
        """What API and conductor have to be told about it."""
        return {
            "keystone_auth": {
                **config.identity(self.auth_url, "magnum", "secret"),
                "region_name": REGION,
            },
            "keystone_authtoken": config.token_check(
                self.auth_url, "magnum", "secret", "container-infra"
            ),
            "cloud": {"absent_services": "image,compute,network,volume"},
            "certificates": {"key_ring": self._keys},
            "trust": {"trustee_domain_name": "magnum"},
        }

    def config(self) -> str:
        """The same as the text of a configuration file."""
        return config.render(self.sections())

    def token(self, user: str = "demo", project: str = "demo") -> str:
        """A token of anybody, for a request to the API."""
        identity = {
            "methods": ["password"],
            "password": {"user": {"name": user, "domain": {"id": "default"}, "password": "x"}},
        }
        scope = {"project": {"name": project, "domain": {"id": "default"}}}
        asked = self._request(
            "POST", "/identity/v3/auth/tokens", {"auth": {"identity": identity, "scope": scope}}
        )
        return str(asked.headers["X-Subject-Token"])

    # --- misbehaviour --------------------------------------------------------------------------------------------

    def behave(self, **rule: Any) -> int:
        """Add a rule (fields of :class:`tools.standin.rules.Rule`) and return its id."""
        return int(self._control("POST", "rules", rule))

    @contextmanager
    def behaving(self, **rule: Any) -> Iterator[int]:
        """A rule for the time of a block."""
        number = self.behave(**rule)
        try:
            yield number
        finally:
            self.well(number)

    def well(self, rule: int | None = None) -> None:
        """End a rule, or all of them."""
        self._control("DELETE", "rules" if rule is None else f"rules/{rule}")

    def rules(self) -> dict[int, dict[str, Any]]:
        """All rules that were not ended by hand, with how often they ``applied``."""
        found: dict[str, dict[str, Any]] = self._control("GET", "rules")
        return {int(number): rule for number, rule in found.items()}

    def ending(self, **ending: Any) -> None:
        """How a stack's next action shall end (fields of :class:`tools.standin.stacks.Ending`)."""
        self._control("POST", "endings", ending)

    def no_endings(self) -> None:
        """From now on every action ends well."""
        self._control("DELETE", "endings")

    def bus(self, **reliability: float) -> None:
        """Have notifications lost and doubled, with the probabilities ``lose`` and ``double``."""
        self._control("PUT", "bus", reliability)

    def revoke_tokens(self) -> None:
        """Make every token invalid that was given out so far."""
        self._control("DELETE", "tokens")

    def seconds_per_stack(self, seconds: float) -> None:
        """How long an action takes that begins from now on."""
        self._control("PUT", "seconds", seconds)

    # --- content -------------------------------------------------------------------------------------------------

    def put(self, service: str, collection: str, things: Sequence[Mapping[str, Any]]) -> None:
        """What a list of another service holds, for example ("network", "ports", [...]). Each thing has an ``id``."""
        self._control("PUT", f"things/{service}/{collection}", list(things))

    def elsewhere(self, service_type: str, url: str) -> None:
        """Where the catalogue says that a service is which the stand-in does not have: ours, for example."""
        self._control("PUT", "elsewhere", {service_type: url})

    def vanish(self, stack_id: str) -> None:
        """Let a stack be gone behind everybody's back."""
        self._control("DELETE", f"stacks/{stack_id}")

    def change(self, stack_id: str, **values: Any) -> None:
        """Change a stack behind everybody's back: ``parameters``, ``action``, ``status``, ``reason``."""
        self._control("PUT", f"stacks/{stack_id}", values)

    # --- what it knows -------------------------------------------------------------------------------------------

    def ledger(self, since: int = 0, **fields: Any) -> list[dict[str, Any]]:
        """The requests so far (:class:`tools.standin.ledger.Entry`), those with these fields."""
        entries: list[dict[str, Any]] = self._control("GET", f"ledger?since={since}")
        return [entry for entry in entries if fields.items() <= entry.items()]

    def stacks(self, name: str | None = None) -> list[dict[str, Any]]:
        """All stacks that ever were, oldest first; those of a name, if one is given."""
        found: list[dict[str, Any]] = self._control("GET", "stacks")
        return [stack for stack in found if name in (None, stack["name"])]

    def live_stacks(self, name: str | None = None) -> list[dict[str, Any]]:
        """The stacks that are there."""
        return [stack for stack in self.stacks(name) if stack["deleted"] is None]

    def servers(self, bay_uuid: str | None = None) -> list[dict[str, Any]]:
        """The servers of the stacks, of one bay if one is given; ``actions`` are (time, action) of what was done."""
        found: list[dict[str, Any]] = self._control("GET", "servers")
        return [one for one in found if bay_uuid in (None, one["metadata"]["magnum_bay"])]

    def change_server(self, ident: str, **values: Any) -> None:
        """Have a server in a ``status`` (SHUTOFF), or its next action end in ERROR with the text ``fault``."""
        self._control("PUT", f"servers/{ident}", values)

    def quiet(self) -> float:
        """Seconds for which nobody has changed anything; 0 while a request hangs or a stack is in progress."""
        return float(self._control("GET", "quiet"))

    def grants(self) -> list[list[str]]:
        """[project, user, role] of every grant that stands."""
        found: list[list[str]] = self._control("GET", "grants")
        return found

    def users(self) -> list[dict[str, Any]]:
        """The users that somebody has made and not removed."""
        found: list[dict[str, Any]] = self._control("GET", "users")
        return found

    def secrets(self) -> dict[str, list[str]]:
        """Everything that its Keystone gave out, or was told, and that nobody else may see: by kind."""
        found: dict[str, list[str]] = self._control("GET", "secrets")
        return found

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        with self._request(method, f"/control/{path}", body) as answer:
            return json.loads(answer.read())

    def _request(self, method: str, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            return self._opener.open(request, timeout=_TIMEOUT)
        except urllib.error.HTTPError as error:
            with error:
                raise StandInError(f"{method} {path}: {error.read().decode()}") from error
