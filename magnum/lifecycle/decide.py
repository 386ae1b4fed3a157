"""What a pass writes, decided from what the driver answered. Pure: no database, no clock, no chance of its own."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from magnum.db.clock import now
from magnum.db.models import Operation, State
from magnum.db.operations import Outcome as Writing
from magnum.drivers.contract import (
    Actor,
    Blocked,
    BuildError,
    DeleteFailed,
    Done,
    DriverError,
    Facts,
    Failed,
    InvalidOption,
    Leftover,
    NotFound,
    NotSupported,
    Outcome,
    Progress,
    QuotaExceeded,
    StackChanged,
    Verb,
    Wait,
)
from magnum.lifecycle import statuses

#: Characters that a bay's zones may have.
_ZONE = 255

#: Errors that asking again cannot mend. All others are transient until the deadline; unknown ones too.
_FINAL = (NotSupported, InvalidOption, BuildError, NotFound, StackChanged)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the decision needs to know of the operation: its verb, attempts so far, and seconds to its deadline.

    ``shown`` is the bay's present status. ``forced`` marks a deletion that ends whatever it leaves behind; ``stack_id``
    is then what is known to be there.
    """

    verb: Verb
    state: State
    generation: int
    attempts: int
    seconds_left: float
    last_error: str | None = None
    shown: str = ""
    forced: bool = False
    stack_id: str | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait, in seconds: when blocked, and after a number of transient errors in a row (1 for the first)."""

    blocked: float
    retry: Callable[[int], float]


def outcome_of(error: Exception) -> Outcome | None:
    """The outcome that an exception from a driver stands for; None where it is transient."""
    if isinstance(error, QuotaExceeded):
        return Blocked(error.code, error.actor, error.text, error.operator_text)
    if isinstance(error, _FINAL):
        return Failed(error.code, error.actor, error.text, error.operator_text)
    return None


def decide(standing: Standing, answer: Outcome | Exception, pace: Pace) -> Writing:
    """What is written after a pass: the operation's new columns, the bay's, and when to look again."""
    if isinstance(answer, Exception):
        outcome: _Outcome = outcome_of(answer) or _Retry.of(answer)
    else:
        outcome = answer
    if standing.forced:  # before it is too late, because this tells what is left
        outcome = _let_go(standing, outcome)
    if not isinstance(outcome, Done | Failed | _LetGo) and standing.seconds_left <= 0:
        outcome = _too_late(standing, outcome)
        if standing.forced:
            outcome = _let_go(standing, outcome)
    if standing.verb is Verb.CHECK:
        return _of_a_check(standing, _written(standing, outcome, pace))
    return _written(standing, outcome, pace)


def _written(standing: Standing, outcome: "_Outcome", pace: Pace) -> Writing:
    match outcome:
        case Done():
            return _done(standing, outcome)
        case _LetGo():
            return _gone(outcome)
        case Failed():
            return _failed(standing, outcome)
        case Blocked():
            return _blocked(standing, outcome, pace)
        case Wait(trouble=None):
            return _wait(standing, outcome)
        case Wait():
            return _wait_in_trouble(
                standing, outcome, _Retry.of(cast(DriverError, outcome.trouble))
            )
        case _Retry():
            return _retry(standing, outcome, pace)


def news(
    writing: Writing, shown: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]
) -> Writing:
    """The writing without what the bay and its groups show already: a look that sees nothing new writes nothing."""
    bay = _differing(writing.bay, shown)
    if bay.keys() <= {"observed_at"} and writing.next_in is not None:
        bay = {}
    changed = {
        name: _differing(values, groups.get(name, {})) for name, values in writing.groups.items()
    }
    return replace(
        writing, bay=bay, groups={name: values for name, values in changed.items() if values}
    )


def _differing(values: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    absent = object()
    return {
        name: value
        for name, value in values.items()
        if name == "observed_at" or shown.get(name, absent) != value
    }


@dataclass(frozen=True, slots=True)
class _Retry:
    """A transient error: the same step again, later."""

    code: str
    text: str
    operator_text: str

    @classmethod
    def of(cls, error: Exception) -> "_Retry":
        if isinstance(error, DriverError):
            return cls(error.code, error.text, error.operator_text)
        # What an unknown error says may hold anything, so the user is told only of what kind it was.
        kind = type(error).__name__
        return cls(
            "DRIVER_ERROR", f"The driver stumbled ({kind}); it is tried again.", f"{kind}: {error}"
        )


@dataclass(frozen=True, slots=True)
class _LetGo:
    """A forced deletion that ends though something is, or may be, left."""

    reason: str
    leftovers: tuple[Leftover, ...]


_Outcome = Outcome | _Retry | _LetGo


def _let_go(standing: Standing, outcome: _Outcome) -> _Outcome:
    """A forced deletion ends where another would have to wait for somebody. A cloud that is silent is asked again."""
    leftovers: tuple[Leftover, ...] = ()
    match outcome:
        case Blocked():
            leftovers = outcome.leftovers
        case Wait(trouble=DeleteFailed()):
            leftovers = cast(DeleteFailed, outcome.trouble).leftovers
        case Failed():
            pass
        case _:
            return outcome
    if not leftovers and standing.stack_id is not None:
        leftovers = (Leftover("orchestration", "stack", standing.stack_id),)
    found = outcome.trouble if isinstance(outcome, Wait) else outcome
    assert isinstance(found, Blocked | Failed | DeleteFailed)
    return _LetGo(statuses.reason(found.code, found.text), leftovers)


def _too_late(standing: Standing, outcome: _Outcome) -> Failed:
    text = "The time for it ran out."
    known = standing.last_error
    trouble = (
        _Retry.of(outcome.trouble) if isinstance(outcome, Wait) and outcome.trouble else outcome
    )
    if isinstance(trouble, Blocked | _Retry):
        known = statuses.reason(trouble.code, trouble.text)
    if known:
        text = f"{text} Last known trouble: {known}"
    actor = outcome.actor if isinstance(outcome, Blocked) else Actor.OPERATOR
    return Failed("DEADLINE_EXCEEDED", actor, text)


def _done(standing: Standing, done: Done) -> Writing:
    # All of what was to be done is done, whatever the last pass counted.
    operation: dict[str, Any] = {"state": State.DONE, "done": Operation.total, **_NO_ERROR}
    if standing.verb is Verb.DELETE:
        return Writing(operation, None, event=("DONE", "The bay is deleted."), bay_gone=True)
    bay: dict[str, Any] = {
        "status": statuses.status(standing.verb, State.DONE),
        "status_reason": None,
        "faults": None,
        "observed_generation": standing.generation,
        "observed_at": now(),
        **_bay_facts(done.facts),
    }
    event = ("DONE", f"The {standing.verb} is complete.")
    return Writing(operation, None, bay, _group_facts(done.facts), event)


def _gone(let_go: _LetGo) -> Writing:
    named = ", ".join(f"{left.kind} {left.ident}" for left in let_go.leftovers)
    text = (
        f"The bay is deleted by force. Left in the cloud: {named or 'nothing that is known'}."
        f" What stood in the way: {let_go.reason}"
    )
    operation = {
        "state": State.DONE,
        **_NO_ERROR,
        "leftovers": [asdict(left) for left in let_go.leftovers],
    }
    return Writing(operation, None, event=("DONE", text), bay_gone=True)


def _of_a_check(standing: Standing, writing: Writing) -> Writing:
    """A look changes the bay's status only where the cluster has gone, or was gone and is back.

    Nothing is under way that a status in progress would tell of, and a cloud that does not answer says nothing.
    """
    bay = dict(writing.bay)
    failed = writing.operation["state"] == State.FAILED
    back = standing.shown == statuses.status(Verb.CHECK, State.FAILED)
    if failed and writing.operation["error_code"] not in (NotFound.code, StackChanged.code):
        bay = {}
    elif failed and writing.operation["error_code"] == StackChanged.code:
        bay.pop("status", None)
        if standing.shown.endswith(State.FAILED):  # a change that failed halfway says more
            bay = {}
    elif writing.next_in is not None or not (failed or back):
        for name in ("status", "faults"):
            bay.pop(name, None)
        if writing.next_in is not None or standing.shown.endswith(State.FAILED):
            bay.pop("status_reason", None)
    return replace(writing, bay=bay)


def _failed(standing: Standing, failed: Failed) -> Writing:
    faults = [asdict(fault) for fault in failed.faults]
    bay = {
        "status": statuses.status(standing.verb, State.FAILED),
        "status_reason": statuses.reason(failed.code, failed.text),
        "faults": faults,
        **_bay_facts(failed.facts),
    }
    operation = {
        "state": State.FAILED,
        "faults": faults,
        **_error(failed.code, failed.actor, failed.text, failed.operator_text),
    }
    return Writing(
        operation,
        None,
        bay,
        _group_facts(failed.facts),
        ("FAILED", statuses.reason(failed.code, failed.text)),
    )


def _blocked(standing: Standing, blocked: Blocked, pace: Pace) -> Writing:
    reason = statuses.reason(blocked.code, blocked.text)
    news = standing.state is not State.BLOCKED or standing.last_error != reason
    operation = {
        "state": State.BLOCKED,
        "attempts": standing.attempts + 1,
        "faults": [asdict(fault) for fault in blocked.faults],
        "leftovers": [asdict(left) for left in blocked.leftovers],
        **_error(blocked.code, blocked.actor, blocked.text, blocked.operator_text),
    }
    if blocked.cursor:
        operation["cursor"] = dict(blocked.cursor)
    bay: dict[str, Any] = _bay_facts(blocked.facts)
    if news:
        bay |= {"status": statuses.status(standing.verb, State.BLOCKED), "status_reason": reason}
    return Writing(
        operation,
        _before_deadline(standing, pace.blocked if blocked.seconds is None else blocked.seconds),
        bay,
        _group_facts(blocked.facts),
        ("BLOCKED", reason) if news else None,
    )


def _wait(standing: Standing, wait: Wait) -> Writing:
    operation: dict[str, Any] = {
        "state": State.RUNNING,
        "cursor": dict(wait.cursor),
        "attempts": 0,
        **_NO_ERROR,
    }
    event = None
    bay = {"status": statuses.status(standing.verb, State.RUNNING), **_bay_facts(wait.facts)}
    if standing.last_error is not None:
        event = ("RESUMED", "What stood in the way is gone.")
        bay["status_reason"] = None
    if wait.progress is not None:
        operation |= {
            "stage": wait.progress.stage,
            "done": wait.progress.done,
            "total": wait.progress.total,
        }
        bay["status_reason"] = _in_words(wait.progress)
    return Writing(
        operation, _before_deadline(standing, wait.seconds), bay, _group_facts(wait.facts), event
    )


def _retry(standing: Standing, retry: _Retry, pace: Pace) -> Writing:
    return _troubled(standing, retry, pace.retry(standing.attempts + 1))


def _wait_in_trouble(standing: Standing, wait: Wait, retry: _Retry) -> Writing:
    """As after a transient error, with the pace, the cursor and the facts that the driver gave."""
    troubled = _troubled(standing, retry, wait.seconds)
    return replace(
        troubled,
        operation={**troubled.operation, "cursor": dict(wait.cursor)},
        bay={**troubled.bay, **_bay_facts(wait.facts)},
        groups=_group_facts(wait.facts),
    )


def _troubled(standing: Standing, retry: _Retry, delay: float) -> Writing:
    reason = statuses.reason(retry.code, retry.text)
    news = standing.last_error != reason
    operation = {
        "state": State.RUNNING,
        "attempts": standing.attempts + 1,
        **_error(retry.code, Actor.NOBODY, retry.text, retry.operator_text),
    }
    return Writing(
        operation,
        _before_deadline(standing, delay),
        {
            "status": statuses.status(standing.verb, State.RUNNING),
            **({"status_reason": reason} if news else {}),
        },
        event=("RETRYING", reason) if news else None,
    )


def _before_deadline(standing: Standing, seconds: float) -> float:
    """Somebody looks again at the deadline at the latest, because that is when the operation must end."""
    return max(0.0, min(seconds, standing.seconds_left))


_NO_ERROR: Mapping[str, None] = {
    "error_code": None,
    "error_actor": None,
    "error_text": None,
    "error_operator_text": None,
    "faults": None,
    "leftovers": None,
}


def _error(code: str, actor: Actor, text: str, operator_text: str) -> dict[str, str]:
    return {
        "error_code": code,
        "error_actor": actor.value,
        "error_text": text,
        "error_operator_text": operator_text or text,
    }


def _in_words(progress: Progress) -> str:
    if progress.total is None:
        return progress.stage
    return f"{progress.stage}: {progress.done or 0} of {progress.total}"


def _bay_facts(facts: Facts) -> dict[str, Any]:
    known = {
        "stack_id": facts.stack_id,
        "api_address": facts.api_address,
        "coe_version": facts.coe_version,
        "container_version": facts.container_version,
        "driver_version": facts.driver_version,
        "template_version": facts.template_version,
        "site": None if facts.site is None else dict(facts.site),
        "zone": None if facts.site is None else _zone(facts.site),
    }
    known = {name: value for name, value in known.items() if value is not None}
    return {**known, "observed_at": now()} if known else {}


def _zone(site: Mapping[str, str]) -> str | None:
    """The zones of a site as they are counted: as many as the column has room for."""
    listed = site.get("zones", "")[: _ZONE + 1]
    return (listed if len(listed) <= _ZONE else listed.rpartition(",")[0][:_ZONE]) or None


def _group_facts(facts: Facts) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    for name, group in facts.node_groups.items():
        values: dict[str, Any] = {}
        if group.addresses is not None:
            values["node_addresses"] = list(group.addresses)
        if group.stack_id is not None:
            values["stack_id"] = group.stack_id
        if values:
            groups[name] = values
    return groups
