"""Errors of the API as a user reads them: what is wrong, where, and what to do about it."""

from collections.abc import Mapping
from typing import Any, Final

from osc_lib.exceptions import CommandError

from magnum.osc.texts import plain

#: What to do about an error, by its ``reason``, which does not change.
_BY_REASON: Final = {
    "BAY_NOT_FOUND": "`openstack bay list` shows the bays of your project. One that has gone is found by its uuid"
    " only.",
    "BAYMODEL_NOT_FOUND": "`openstack bay model list` shows the models that you can use.",
    "DRIVER_NOT_FOUND": "`openstack bay driver list` shows the drivers.",
    "OPERATION_NOT_FOUND": "`openstack bay operation list <bay>` shows a bay's operations.",
    "ENDPOINT_NOT_FOUND": "`openstack bay ext <bay>` shows what its driver offers.",
    "NOT_CANCELLABLE": "What has begun ends by itself. The bay's deletion ends everything else.",
    "IN_USE": "`openstack bay list --long` shows which bay uses it.",
}

#: The same by status, where the reason has nothing of its own.
_BY_STATUS: Final = {
    400: "Say it in another way; --help shows what a command takes.",
    401: "Log in again: the token has expired, or never was one of this cloud.",
    403: "It takes another role in the project, or the cloud's operator.",
    406: "This server is too old for these commands: they need microversion 1.15 of the container-infra service.",
    409: "Look at what is there, and ask again.",
    503: "It is so for now. Nothing that was accepted is lost; try again in a while.",
}
#: Where an answer says what is wrong: ours, that about versions, and that of Keystone's middleware.
_TEXTS: Final = ("detail", "description", "title", "message")
_ON_THEIR_SIDE: Final = "Tell the cloud's operator the request's id."


class ApiError(CommandError):
    """An error that the API has answered with.

    :ivar status: of HTTP.
    :ivar reason: the code that does not change; empty where the answer has none.
    :ivar field: what of the request it is about, None where it says nothing of that.
    """

    def __init__(
        self,
        status: int,
        text: str,
        reason: str = "",
        field: str | None = None,
        request_id: str | None = None,
    ) -> None:
        self.status = status
        self.reason = reason
        self.field = field
        self.request_id = request_id
        super().__init__(_told(status, text, reason, field, request_id))

    @classmethod
    def of(cls, answer: Any) -> "ApiError":
        """The error in an answer, whoever has written it: the API, Keystone's middleware, a proxy."""
        request_id = answer.headers.get("X-Openstack-Request-Id")
        entry = _entry(answer)
        text = next((entry[key] for key in _TEXTS if entry.get(key)), None)
        return cls(
            answer.status_code,
            plain(str(text or answer.reason or "No reason was given.")),
            plain(str(entry.get("reason") or "")),
            entry.get("field"),
            request_id,
        )


def _entry(answer: Any) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:  # a proxy's page
        return {}
    found = body.get("errors") or [body.get("error")] if isinstance(body, dict) else [None]
    return found[0] if isinstance(found, list) and isinstance(found[0], dict) else {}


def _told(status: int, text: str, reason: str, field: str | None, request_id: str | None) -> str:
    lines = [text, f"  code: {reason or '-'} (HTTP {status})"]
    if field:
        lines.append(f"  field: {plain(field)}")
    if advice := _BY_REASON.get(reason) or _BY_STATUS.get(status):
        lines.append(f"  what to do: {advice}")
    elif status >= 500:
        lines.append(f"  what to do: {_ON_THEIR_SIDE}")
    if request_id:
        lines.append(f"  request: {plain(request_id)}")
    return "\n".join(lines)
