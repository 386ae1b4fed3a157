"""Requests for quotas (contract 2.8)."""

from typing import Any, Final

from magnum.api.schemas.base import Schema, integer, mandatory, text
from magnum.db.projects import CLUSTER

#: What a quota's limit is where a request does not say one.
DEFAULT_LIMIT: Final = 1

_PROPERTIES: dict[str, Any] = {
    "project_id": mandatory(text()),
    "resource": {"type": ["string", "null"], "enum": [CLUSTER, None]},
    "hard_limit": integer(0),
}
_READ_ONLY = ("id", "created_at", "updated_at")

CREATE: Final = Schema(_PROPERTIES, required=("project_id",), read_only=_READ_ONLY)
#: The project and the resource stand in the path; clients repeat them in the body.
CHANGE: Final = Schema({**_PROPERTIES, "project_id": text()}, read_only=_READ_ONLY)
