"""Our own processes as clients see them (contract 2.7)."""

from typing import Any

from magnum.api.views import links
from magnum.db.services import Seen


def one(seen: Seen) -> dict[str, Any]:
    """A process."""
    service = seen.service
    return {
        "id": service.id,
        "host": service.host,
        "binary": service.binary,
        "state": "up" if seen.up else "down",
        "report_count": service.report_count,
        "disabled": service.disabled,
        "disabled_reason": service.disabled_reason,
        "created_at": links.moment(service.created_at),
        "updated_at": links.moment(service.updated_at),
    }
