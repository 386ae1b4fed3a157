"""Groups of nodes beside those that every cluster has: they live in one resource of the stack, each at its place.

A place is a number that stays with its group. Where a group has gone, the place stays and has no nodes; the next group
takes it. So nothing that is there is touched when others come and go. Which group has which place is read from the
stack's own parameter.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from magnum.drivers.contract import GroupFacts, NodeGroup, NotSupported, Work

#: Parameters of the templates: the groups by their places, and how many places there are. The first is an output too.
PARAMETER: Final = "node_groups"
COUNT: Final = "node_group_count"

#: What stands at a place that no group has.
EMPTY: Final[Mapping[str, Any]] = {
    "uuid": "",
    "label": "",
    "node_count": 0,
    "image": "",
    "flavor": "",
    "docker_volume_size": 0,
    "options": {},
}


def entry(
    group: NodeGroup, *, image: str, flavor: str, options: Mapping[str, Any]
) -> dict[str, Any]:
    """What the template is told of a group. ``flavor`` may be empty: then it is that of other nodes."""
    return {
        "uuid": group.uuid,
        "label": label(group),
        "node_count": group.node_count,
        "image": image,
        "flavor": flavor,
        "docker_volume_size": group.docker_volume_size or 0,
        "options": dict(options),
    }


def label(group: NodeGroup) -> str:
    """What the names of its servers have in them: fit for host names, and no other group's of the bay."""
    words = re.sub(r"[^a-z0-9]+", "-", group.name.lower()).strip("-")[:11].strip("-")
    return f"{words or 'group'}-{group.uuid[:4].lower()}"


def shown(parameters: Mapping[str, str]) -> list[dict[str, Any]]:
    """The groups by their places, as a stack shows them."""
    try:
        found = json.loads(parameters.get(PARAMETER) or "[]")
    except ValueError:
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def places(parameters: Mapping[str, str], wanted: Iterable[str]) -> list[str]:
    """Which group has which place, by uuids: those that are there stay, new ones take what is empty.

    A place that is about to be empty is not taken in the same update: its nodes are another group's until then.
    """
    ordered = list(wanted)
    present = [str(one.get("uuid") or "") for one in shown(parameters)]
    new = [uuid for uuid in ordered if uuid not in present]
    found = [
        uuid if uuid in ordered else new.pop(0) if new and not uuid else "" for uuid in present
    ]
    return found + new


def order(work: Work, parameters: Mapping[str, str]) -> list[str]:
    """The places of a bay's groups. Raises NotSupported where the stack was launched from a template without any."""
    wanted = uuids(work)
    if wanted and PARAMETER not in parameters:
        raise NotSupported(
            "This cluster was made before its driver had node groups: only a new bay can have them."
        )
    return places(parameters, wanted)


def at(given: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """Parameters with the groups at their places; others as they are."""
    if PARAMETER not in given:
        return dict(given)
    return {**given, PARAMETER: placed(given[PARAMETER], order), COUNT: len(order)}


def placed(entries: Sequence[Mapping[str, Any]], order: Sequence[str]) -> list[dict[str, Any]]:
    """The groups at their places."""
    by_uuid = {one["uuid"]: one for one in entries}
    return [dict(by_uuid.get(uuid, EMPTY)) for uuid in order]


def uuids(work: Work) -> list[str]:
    """Those of the groups that the bay is to have beside the default ones."""
    return [group.uuid for group in work.node_groups if not group.is_default]


def facts(work: Work, outputs: Mapping[str, Any]) -> dict[str, GroupFacts]:
    """What a stack says of the groups, by their names."""
    names = {group.uuid: group.name for group in work.node_groups if not group.is_default}
    return {
        names[one["uuid"]]: GroupFacts(_addresses(one), one.get("stack_id"))
        for one in _told(outputs)
        if one.get("uuid") in names
    }


def members(work: Work, name: str, outputs: Mapping[str, Any]) -> Mapping[str, str] | None:
    """The servers of a group by their numbers in it; None where the stack does not say."""
    mine = {group.uuid for group in work.node_groups if group.name == name}
    for one in _told(outputs):
        if one.get("uuid") in mine and isinstance(one.get("nodes"), Mapping):
            nodes: Mapping[str, str] = one["nodes"]
            return nodes
    return None


def _told(outputs: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = outputs.get(PARAMETER)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _addresses(told: Mapping[str, Any]) -> tuple[str, ...] | None:
    listed = told.get("addresses")
    if not isinstance(listed, list):
        return None
    return tuple(str(address) for address in listed if address)
