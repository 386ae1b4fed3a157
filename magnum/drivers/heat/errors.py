"""The cloud's errors as the contract's: final only where asking again cannot help.

Whatever is not known is :class:`CloudUnavailable` and thus transient. Nothing else in the Heat
drivers knows the clients' exceptions, or by which words the cloud says what went wrong.
"""

import re
import traceback
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
#: How clients name the request that failed, at the end of their texts.
_REQUEST = re.compile(
    r"\s*\(Request-ID: (req-[0-9a-fA-F-]{36})\)"
    r"|\s*Neutron server returns request_ids: \['(req-[0-9a-fA-F-]{36})'\]"
    r"|\b(req-[0-9a-fA-F-]{36})"
)


class Refused(DriverError):
    """The cloud does not let the service in. It blocks, for the operator to put right."""

    code = "CLOUD_REFUSED"


class PermissionLost(Refused):
    """The cloud knows the service but forbids what it has to do, as when its role was taken away."""

    code = "PERMISSION_LOST"


class AlreadyThere(DriverError):
    """The cloud has something of this name, or is not ready for another request on it."""

    code = "CONFLICT"


class NameTaken(AlreadyThere):
    """Heat itself says that the project has a stack of this name."""


class CloudError(CloudUnavailable):
    """A service of the cloud answered with an error of its own. Transient."""

    code = "CLOUD_ERROR"


class CloudRestarted(CloudUnavailable):
    """Heat gave up because it was stopped itself. It is asked to go on."""

    code = "CLOUD_RESTARTED"


class ImageGone(InvalidOption):
    """The image of the nodes is not there any more."""

    code = "IMAGE_GONE"


class FlavorGone(InvalidOption):
    """A flavor of the nodes is not there any more."""

    code = "FLAVOR_GONE"


class NetworkGone(InvalidOption):
    """A network or subnet that the cluster is to use is not there any more."""

    code = "NETWORK_GONE"


#: What the words of Heat, Nova, Glance and Neutron say is not there, with a sentence for the user.
_GONE: tuple[tuple[re.Pattern[str], type[InvalidOption], str], ...] = (
    (
        re.compile(
            r"(?i)\bno images? (?:found|matching)\b|\bimage\b.{0,300}? could not be found\b"
        ),
        ImageGone,
        "The image of the nodes is not there any more.",
    ),
    (
        re.compile(
            r"(?i)\bno flavors? (?:found|matching)\b|\bflavor\b.{0,300}? could not be found\b"
        ),
        FlavorGone,
        "The flavor of the nodes is not there any more.",
    ),
    (
        re.compile(
            r"(?i)\bunable to find (?:network|subnet)\b|\bno (?:network|subnet)s? (?:found|matching)\b"
            r"|\b(?:network|subnet)\b.{0,300}? could not be found\b"
        ),
        NetworkGone,
        "A network or subnet of the cluster is not there any more.",
    ),
)


def clean(text: object) -> str:
    """A text of the cloud's that can be shown: one line, bounded, what looks like a secret masked."""
    words = " ".join(str(text).split())
    for pattern, instead in _SECRETS:
        words = pattern.sub(instead, words)
    return words if len(words) <= LONGEST else words[: LONGEST - 4] + " ..."


def request_id(text: str) -> str:
    """The id of the request that a text of the cloud's names; empty where it names none."""
    found = _REQUEST.search(text)
    return next(filter(None, found.groups())) if found else ""


def without_request_id(text: str) -> str:
    """The text as it would be of any other request: a cause that stays has the same words each time."""
    return _REQUEST.sub("", text)


def is_no_room(text: str) -> bool:
    """Whether the cloud's words speak of a quota."""
    return bool(_NO_ROOM.search(text))


def is_bad_value(text: str) -> bool:
    """Whether the cloud's words blame a value that it was given."""
    return bool(_BAD_VALUE.search(text))


def gone(text: str) -> tuple[type[InvalidOption], str] | None:
    """What the cloud's words say is not there any more, as an error and a sentence for the user."""
    for pattern, error, saying in _GONE:
        if pattern.search(text):
            return error, saying
    return None


@contextmanager
def translated(doing: str, service: str = "orchestration") -> Iterator[None]:
    """Turn what a cloud's client raises inside into the contract's exceptions.

    ``doing`` says what was tried, for example "creating the stack", ``service`` which service of
    the cloud was asked. The contract's own exceptions pass as they are.
    """
    try:
        yield
    except heat.HTTPException as error:
        raise _of_heat(error, doing) from error
    except (keystone.Unauthorized, keystone.Forbidden) as error:
        raise _refused(doing, service, error) from error
    except keystone.Conflict as error:
        whole = f"{doing}: {clean(error)}"
        raise AlreadyThere(f"The cloud's {service} service sees a conflict.", whole) from error
    except (heat.BaseException, keystone.ClientException, OSError) as error:
        raise _unavailable(doing, service, error) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if not _inside_client(error):
            raise
        # Heat's client stumbles so over an answer that is not what it expects, such as a proxy's page.
        whole = f"{doing}: {type(error).__name__}: {clean(error)}"
        text = f"The cloud's {service} service gave an answer that makes no sense ({doing})."
        raise CloudUnavailable(text, whole) from error


def _inside_client(error: Exception) -> bool:
    """Whether it was Heat's client that raised it, and not our own code."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals.get("__name__")).startswith("heatclient.")


def _of_heat(error: Any, doing: str) -> DriverError:
    said = clean(_message(error))
    whole = f"{doing}: Heat answered {error.code}: {said}"
    match error.code:
        case 400 if _NO_ROOM_400.search(said):
            return QuotaExceeded(f"There is no room for the cluster's stack: {said}", whole)
        case 400 if (missing := gone(said)) is not None:
            kind, saying = missing
            return kind(f"{saying} {doing.capitalize()} failed: {said}", whole)
        case 400 if is_bad_value(said):
            return InvalidOption(f"The cloud does not accept a value: {said}", whole)
        case 400 if _GOING.search(said):
            return NotFound("The cluster's stack is being deleted.", whole)
        case 400:
            return BuildError(f"Heat does not accept the request: {said}", whole)
        case 403 if is_no_room(said):
            return QuotaExceeded(f"There is no room for the cluster's stack: {said}", whole)
        case 401 | 403:
            return _refused(doing, "orchestration", error)
        case 404 if _heat_itself(error):
            return NotFound("The cluster's stack is not there any more.", whole)
        case 409 if _heat_itself(error) and error.error["error"]["type"] == "StackExists":
            return NameTaken(f"Heat sees a conflict: {said}", whole)
        case 409:
            return AlreadyThere(f"Heat sees a conflict: {said}", whole)
        case _:
            return _unavailable(doing, "orchestration", error)


def _heat_itself(error: Any) -> bool:
    """Whether Heat answered, and not something before it that knows no such address."""
    body = error.error.get("error") if isinstance(error.error, dict) else None
    return isinstance(body, dict) and "type" in body


def _message(error: Any) -> str:
    body = error.error.get("error") if isinstance(error.error, dict) else None
    if isinstance(body, dict) and body.get("message"):
        return str(body["message"])
    return str(error)


def _status(error: Exception) -> int | None:
    """The HTTP status that came with an error of either client; None where there was no answer."""
    code = getattr(error, "code", None) or getattr(error, "http_status", None)
    return code if isinstance(code, int) else None


def _refused(doing: str, service: str, error: Exception) -> Refused:
    whole = f"{doing}: {type(error).__name__}: {clean(error)}"
    if _status(error) == 403:
        return PermissionLost(
            f"The cloud's {service} service forbids the cluster service what it has to do ({doing}). "
            "The cloud's operator has to put this right.",
            whole,
        )
    return Refused(
        f"The cloud does not let the cluster service in ({doing}). "
        "The cloud's operator has to put this right.",
        whole,
    )


def _unavailable(doing: str, service: str, error: Exception) -> CloudUnavailable:
    status = _status(error)
    whole = f"{doing}: {type(error).__name__}: {clean(error)}"
    if status is None:
        text = f"The cloud's {service} service did not answer ({doing})."
        return CloudUnavailable(text, whole)
    text = f"The cloud's {service} service answered {status} ({doing})."
    return CloudError(text, whole) if status >= 500 else CloudUnavailable(text, whole)
