"""A node group as clients see it (contract 2.3)."""

from typing import Any

from magnum.api.microversions import NODE_LABELS
from magnum.api.spelling import Wording
from magnum.api.views import labels, links
from magnum.db.models import Bay, NodeGroup


def short(group: NodeGroup, bay: Bay) -> dict[str, Any]:
    """What a list shows of a group. ``bay`` is the one that it belongs to."""
    return {
        "uuid": group.uuid,
        "name": group.name,
        "flavor_id": group.flavor_id,
        "image_id": group.image_id,
        "node_count": group.node_count,
        "min_node_count": group.min_node_count,
        "max_node_count": group.max_node_count,
        "role": group.role,
        "is_default": group.is_default,
        "stack_id": group.stack_id,
        "status": status(group, bay),
        "merge_labels": False,
    }


def full(group: NodeGroup, bay: Bay, wording: Wording) -> dict[str, Any]:
    """All fields."""
    spelling = wording.spelling
    reason = bay.status_reason if group.status is None else group.status_reason
    body = {
        "id": group.id,
        **short(group, bay),
        spelling.bay_key: bay.uuid,
        "project_id": group.project_id,
        "docker_volume_size": group.docker_volume_size,
        "labels": group.labels,
        **labels.compared(group.labels, bay.labels),
        "node_addresses": group.node_addresses,
        "status_reason": reason,
        "version": group.version,
        "links": links.of(wording.base, f"{spelling.bays}/{bay.uuid}/nodegroups", group.uuid),
        "created_at": links.moment(group.created_at),
        "updated_at": links.moment(group.updated_at),
    }
    if wording.version >= NODE_LABELS:
        body |= {"node_labels": group.node_labels, "node_taints": group.node_taints}
    return body


def status(group: NodeGroup, bay: Bay) -> str:
    """A group's status: the bay's, where it has none of its own or where the bay as a whole is lost or going."""
    if group.status is None or bay.status.startswith("DELETE") or bay.status == "CREATE_FAILED":
        return bay.status
    return group.status
