"""An event as clients see it: one line of a bay's timeline."""

from typing import Any

from magnum.api.spelling import Spelling
from magnum.api.views import links
from magnum.db.models import Event


def full(event: Event, spelling: Spelling) -> dict[str, Any]:
    """All fields. ``id`` is a text, because clients need not know that it counts."""
    return {
        "id": str(event.id),
        spelling.bay_key: event.bay_uuid,
        "operation_id": event.operation_uuid,
        "code": event.code,
        "text": event.text,
        "created_at": links.moment(event.created_at),
    }
