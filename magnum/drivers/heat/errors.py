"""Heat's and Keystone's errors as the contract's: final only where asking again cannot help.

Whatever is not known is :class:`CloudUnavailable` and thus transient. Nothing else in the Heat
drivers knows the clients' exceptions.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from heatclient import exc as heat
from keystoneauth1 import exceptions as keystone

from magnum.drivers.contract import (
    BuildError,
    CloudUnavailable,
    DriverError,
    InvalidOption,
    NotFound,
    QuotaExceeded,
)

#: Longest text that is taken over from the cloud, in characters.
LONGEST = 1000

_SECRETS = (
    (re.compile(r"(?i)\b(signature|token|password|secret)=[^&\s\"']+"), r"\1=***"),
    (re.compile(r"://[^/\s:@]+:[^/\s@]+@"), "://***@"),
)
_NO_ROOM = re.compile(r"(?i)quota|exceed|reached the maximum stacks")
_BAD_VALUE = re.compile(r"(?i)error validating value|property error|parameter '[^']+' is invalid")
_GOING = re.compile(r"(?i)when it is delet")
#: A limit on a project, in a "bad request". Other limits, such as a template's length, are not it.
_NO_ROOM_400 = re.compile(r"(?i)\bquota\b|reached the maximum stacks")


class Refused(DriverError):
    """The cloud does not let the service in. It blocks, for the operator to put right."""

    code = "CLOUD_REFUSED"


class AlreadyThere(DriverError):
    """Heat has something of this name, or is not ready for another request on it."""

    code = "CONFLICT"


def clean(text: object) -> str:
    """A text of the cloud's that can be shown: one line, bounded, what looks like a secret masked."""
    words = " ".join(str(text).split())
    for pattern, instead in _SECRETS:
        words = pattern.sub(instead, words)
    return words if len(words) <= LONGEST else words[: LONGEST - 4] + " ..."


def is_no_room(text: str) -> bool:
    """Whether the cloud's words speak of a quota."""
    return bool(_NO_ROOM.search(text))


def is_bad_value(text: str) -> bool:
    """Whether the cloud's words blame a value that it was given."""
    return bool(_BAD_VALUE.search(text))


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what Heat's client raises inside into the contract's exceptions.

    ``doing`` says what was tried, for example "creating the stack". The contract's own exceptions
    pass as they are.
    """
    try:
        yield
    except heat.HTTPException as error:
        raise _of_heat(error, doing) from error
    except (keystone.Unauthorized, keystone.Forbidden) as error:
        raise _refused(doing, error) from error
    except (heat.BaseException, keystone.ClientException, OSError) as error:
        raise _unavailable(doing, error) from error


def _of_heat(error: Any, doing: str) -> DriverError:
    said = clean(_message(error))
    whole = f"{doing}: Heat answered {error.code}: {said}"
    match error.code:
        case 400 if _NO_ROOM_400.search(said):
            return QuotaExceeded(f"There is no room for the cluster's stack: {said}", whole)
        case 400 if is_bad_value(said):
            return InvalidOption(f"The cloud does not accept a value: {said}", whole)
        case 400 if _GOING.search(said):
            return NotFound("The cluster's stack is being deleted.", whole)
        case 400:
            return BuildError(f"Heat does not accept the request: {said}", whole)
        case 403 if is_no_room(said):
            return QuotaExceeded(f"There is no room for the cluster's stack: {said}", whole)
        case 401 | 403:
            return _refused(doing, error)
        case 404 if _heat_itself(error):
            return NotFound("The cluster's stack is not there any more.", whole)
        case 409:
            return AlreadyThere(f"Heat sees a conflict: {said}", whole)
        case _:
            return _unavailable(doing, error)


def _heat_itself(error: Any) -> bool:
    """Whether Heat answered, and not something before it that knows no such address."""
    body = error.error.get("error") if isinstance(error.error, dict) else None
    return isinstance(body, dict) and "type" in body


def _message(error: Any) -> str:
    body = error.error.get("error") if isinstance(error.error, dict) else None
    if isinstance(body, dict) and body.get("message"):
        return str(body["message"])
    return str(error)


def _refused(doing: str, error: Exception) -> Refused:
    return Refused(
        "The cloud does not let the cluster service in. Its operator has to put this right.",
        f"{doing}: {clean(error)}",
    )


def _unavailable(doing: str, error: Exception) -> CloudUnavailable:
    code = getattr(error, "code", None) or getattr(error, "http_status", None)
    what = f"answered {code}" if isinstance(code, int) else "did not answer"
    kind = type(error).__name__
    return CloudUnavailable(
        f"The cloud's orchestration service {what} ({doing}).", f"{doing}: {kind}: {clean(error)}"
    )
