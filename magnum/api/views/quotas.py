"""Quotas as clients see them (contract 2.8)."""

from typing import Any

from magnum.api.views import links
from magnum.db.models import Quota


def full(quota: Quota) -> dict[str, Any]:
    """A project's own quota."""
    return {
        "id": quota.id,
        **default(quota.project_id, quota.resource, quota.hard_limit),
        "created_at": links.moment(quota.created_at),
        "updated_at": links.moment(quota.updated_at),
    }


def default(project_id: str, resource: str, hard_limit: int) -> dict[str, Any]:
    """What holds for a project that has no quota of its own."""
    return {"project_id": project_id, "resource": resource, "hard_limit": hard_limit}
