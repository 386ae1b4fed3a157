"""What a driver's ``api.py`` declares: endpoints of its own below its bays.

The API shows and checks them, and a conductor runs their handlers: nothing of a driver runs in the API.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .work import Work


class Who(enum.StrEnum):
    """Who may call an endpoint by default: in the bay's project, or only the cloud's administrator."""

    READER = "reader"
    MEMBER = "member"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: ``<method> /v1/bays/<bay>/ext/<driver>/<name>``.

    ``handler`` is called in a conductor with the work on the bay and the checked request, and returns the answer. It
    has to come back within seconds; it raises the contract's errors. ``help`` is one sentence for a command line.
    ``request`` and ``response`` are JSON schemas of objects; a GET takes its request from the query, as text.
    The answer of one that is ``secret`` is never logged nor kept.
    """

    name: str
    help: str
    handler: Callable[[Work, Mapping[str, Any]], Mapping[str, Any]]
    method: str = "GET"
    request: Mapping[str, Any] = field(
        default_factory=lambda: {"type": "object", "additionalProperties": False}
    )
    response: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    who: Who = Who.MEMBER
    secret: bool = False
