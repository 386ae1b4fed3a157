"""What a bay is doing or stuck on, since when, and whose move it is: gathered here, written in :func:`screen`."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from magnum.osc import progress
from magnum.osc.client import Client
from magnum.osc.errors import ApiError
from magnum.osc.texts import ago, one_line

#: Operations and events that are looked at, the latest ones.
_OPERATIONS: Final = 20
_EVENTS: Final = 50
#: Events that are shown.
_SHOWN_EVENTS: Final = 5
#: Seconds after which something that nobody has begun is worth asking about.
_LONG_UNBEGUN: Final = 60.0

#: After these an operation goes on undisturbed.
_SMOOTH: Final = frozenset({"ACCEPTED", "RESUMED"})


def gather(client: Client, bay: str) -> dict[str, Any]:
    """Everything that ``openstack bay why`` tells, as data.

    :param bay: name or uuid; a bay that has gone is found by its uuid.

    Raises ApiError.
    """
    found = _bay(client, bay)
    ident = found["uuid"] if found else bay
    latest = list(
        client.pages("bays", ident, "operations", limit=_OPERATIONS, sort_dir="desc", sort_key="id")
    )
    operation = _present(found, latest)
    events = _events(client, operation)
    return {
        "bay": (found or {}).get("name") or ident,
        "uuid": ident,
        "status": found["status"] if found else "gone",
        "status_reason": (found or {}).get("status_reason"),
        "health_status": (found or {}).get("health_status"),
        "health_status_reason": (found or {}).get("health_status_reason"),
        "stale": (found or {}).get("stale", False),
        "operation": operation,
        "since": since(operation, events),
        "whose_move": whose_move(operation),
        "what_to_do": ((operation or {}).get("error") or {}).get("help"),
        "waiting": [
            {"uuid": one["uuid"], "verb": one["verb"]}
            for one in reversed(latest)
            if one["state"] == progress.PENDING and one["uuid"] != (operation or {}).get("uuid")
        ],
        "events": events[-_SHOWN_EVENTS:],
    }


def of_operation(client: Client, operation: Mapping[str, Any]) -> dict[str, Any]:
    """The same for the bay of an operation that has just ended, about that operation."""
    told = gather(client, operation["bay_id"])
    events = _events(client, operation)
    return told | {
        "operation": operation,
        "since": since(operation, events),
        "whose_move": whose_move(operation),
        "what_to_do": (operation["error"] or {}).get("help"),
        "events": events[-_SHOWN_EVENTS:],
    }


def since(operation: Mapping[str, Any] | None, events: Iterable[Mapping[str, Any]]) -> str | None:
    """Since when it is as it is: the first of the events that have said the same without a break."""
    if operation is None:
        return None
    if operation["state"] in progress.ENDED:
        found: str | None = operation["finished_at"]
        return found
    began: str | None = None
    code: str | None = None
    for event in events if operation["error"] else ():
        if event["code"] in _SMOOTH:
            began, code = None, None
        elif event["code"] != code:
            began, code = event["created_at"], event["code"]
    return began or operation["started_at"] or operation["created_at"]


def whose_move(operation: Mapping[str, Any] | None) -> str:
    """``user``, ``operator`` or ``nobody``: the last means that it goes on by itself, or that nothing is to be done."""
    error = (operation or {}).get("error") or {}
    if (operation or {}).get("state") == "RUNNING":  # tried again, whoever could help
        return "nobody"
    return error.get("actor") or "nobody"


def screen(told: Mapping[str, Any], now: datetime) -> str:
    """One screen for people."""
    lines = [f"{told['bay']} ({told['uuid']}): {told['status']}"]
    if told["health_status"]:
        lines.append(f"  Health: {told['health_status']}{_ailing(told['health_status_reason'])}")
    if told["stale"]:
        lines.append("  What is shown of it may be out of date.")
    operation = told["operation"]
    lines += ["  Nothing is known of what was done about it."] if operation is None else []
    if operation is not None:
        lines += _work(operation, told, now)
    for one in told["waiting"]:
        lines.append(f"  Waits behind it: {one['verb']} ({one['uuid']})")
    if told["events"]:
        lines.append("  Last events:")
        lines += [f"    {progress.happened(event)}" for event in told["events"]]
    return "\n".join([*lines, *_next(told)])


def _work(operation: Mapping[str, Any], told: Mapping[str, Any], now: datetime) -> list[str]:
    ended = operation["state"] in progress.ENDED
    verb = operation["verb"].replace("_", " ")
    head = f"Last work: {verb}" if ended else f"At work: {verb}"
    lines = [f"  {head} ({operation['uuid']})"]
    state = f"  State: {operation['state']}"
    if told["since"]:
        state += f" since {ago(told['since'], now)}"
    if place := progress.where(operation):
        state += f", at: {one_line(place)}"
    lines.append(state)
    lines += _obstacle(operation, told["whose_move"])
    lines += _parts(operation)
    if not ended:
        lines += _outlook(operation, now)
    return lines


def _obstacle(operation: Mapping[str, Any], whose: str) -> list[str]:
    error = operation["error"]
    if error is None:
        return []
    words = {"user": "yours", "operator": "the cloud operator's", "nobody": "nobody's"}
    again = ", it is tried again by itself" if operation["state"] == "RUNNING" else ""
    lines = [f"  Why: {error['code']}: {one_line(error['text'] or '')}"]
    lines.append(f"  Whose move: {words.get(whose, whose)}{again}")
    if error.get("help"):
        lines.append(f"  What to do: {one_line(error['help'])}")
    if error.get("operator_text"):
        lines.append(f"  For the operator: {one_line(error['operator_text'])}")
    if error.get("request_id"):
        lines.append(f"  Tell the operator: {one_line(error['request_id'])}")
    return lines


def _parts(operation: Mapping[str, Any]) -> list[str]:
    lines = []
    for fault in operation["faults"]:
        what = f"{fault['resource']} ({fault['type']}): {fault['text']}"
        lines.append(f"  Failed part: {one_line(what)}")
    for left in operation["leftovers"]:
        words = " ".join(
            str(left[key]) for key in ("service", "kind", "name", "id") if left.get(key)
        )
        lines.append(f"  Still in the cloud: {one_line(words)}")
    return lines


def _outlook(operation: Mapping[str, Any], now: datetime) -> list[str]:
    lines = []
    if operation["next_look_at"]:
        lines.append(f"  Next look: {ago(operation['next_look_at'], now)}")
    if operation["deadline"]:
        lines.append(f"  Deadline: {ago(operation['deadline'], now)}; it ends then, done or not")
    waited = (now - datetime.fromisoformat(operation["created_at"])).total_seconds()
    unbegun = operation["state"] == progress.PENDING and operation["next_look_at"] is not None
    if unbegun and waited > _LONG_UNBEGUN:
        lines.append("  Nobody has begun it: ask the operator whether a conductor runs.")
    return lines


def _next(told: Mapping[str, Any]) -> list[str]:
    operation = told["operation"]
    if operation is None or operation["state"] in progress.ENDED:
        return []
    return [
        f"  To wait for it: openstack bay operation wait {operation['uuid']}",
        f"  To follow the bay: openstack bay event list --follow {told['uuid']}",
    ]


def _ailing(reasons: Any) -> str:
    """The parts that are not well."""
    if not isinstance(reasons, dict):
        return ""
    ill = [f"{part}: {why}" for part, why in reasons.items() if why != "ok"]
    return f" ({one_line(', '.join(ill))})" if ill else ""


def _bay(client: Client, ident: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.get("bays", ident)
    except ApiError as error:
        if error.status != 404:
            raise
        return None
    return found


def _present(bay: Mapping[str, Any] | None, latest: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The operation at work, or else the last one."""
    short = (bay or {}).get("operation")
    if short is not None:
        for one in latest:
            if one["uuid"] == short["uuid"]:
                return one
    running = [one for one in latest if one["state"] not in progress.ENDED]
    return running[-1] if running else next(iter(latest), None)


def _events(client: Client, operation: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The latest events of an operation, the oldest first."""
    if operation is None:
        return []
    latest = client.pages("operations", operation["uuid"], "events", limit=_EVENTS, sort_dir="desc")
    return list(reversed(list(latest)))
