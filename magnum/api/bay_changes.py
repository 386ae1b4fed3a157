"""What a PATCH of a bay asks for (contract 2.2): another number of nodes, or other options. A preview asks the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from magnum.api import json_patch, options
from magnum.api.microversions import OPERATIONS, Version
from magnum.api.schemas import bays as schemas
from magnum.api.spelling import Spelling, Wording
from magnum.api.views import bays as view
from magnum.db.models import Bay
from magnum.drivers import catalogue
from magnum.drivers.contract import WORKER, Driver


@dataclass(frozen=True, slots=True)
class BayChange:
    """The size that the default worker group is to have, and the labels of the bay; None where they stay.

    ``is_other`` says that something of that is not so already, ``said`` that the size was named at all. ``health`` is
    what an agent in the cluster reports of it, as far as that is new.
    """

    node_count: int
    labels: dict[str, str] | None = None
    is_other: bool = False
    said: bool = False
    health: Mapping[str, Any] = field(default_factory=dict)


def read(
    bay: Bay,
    changes: tuple[json_patch.Change, ...],
    spelling: Spelling,
    version: Version,
) -> BayChange:
    """The change that a patch makes.

    Raises InvalidField for what cannot be changed once the bay is there.
    """
    current = view.full(bay, Wording(spelling, version, base=""))
    present = workers(bay)
    current["node_count"] = present
    if version >= OPERATIONS:
        changes, named = _with_options(bay, changes)
    else:
        named = frozenset()
    changed = json_patch.apply(changes, current, schemas.patch(spelling, version))
    free = {"node_count"} | (schemas.HEALTH if spelling.has_more(version) else frozenset())
    for name, (_, change) in changed.items():
        if name not in free and not (name == "labels" and change.index in named):
            raise change.refuse("it cannot be changed once the bay is there.")
    node_count = changed["node_count"][0] if "node_count" in changed else present
    labels = changed["labels"][0] if "labels" in changed else None
    if labels is not None and not _check_options(bay, changes, labels):
        labels = None
    said = any(change.path == ("node_count",) for change in changes)
    health = {name: value for name, (value, _) in changed.items() if name in schemas.HEALTH}
    return BayChange(node_count, labels, node_count != present or labels is not None, said, health)


def touched(
    changes: Iterable[json_patch.Change], spelling: Spelling, version: Version
) -> tuple[bool, bool]:
    """Whether a patch is about the cluster, and whether it is about its health. An empty one is about the cluster."""
    reports = schemas.HEALTH if spelling.has_more(version) else frozenset()
    names = {change.path[0] for change in changes}
    return bool(names - reports) or not names, bool(names & reports)


def workers(bay: Bay) -> int:
    """The size of the default worker group, which is the one that a patch means."""
    return next(g.node_count for g in bay.node_groups if g.is_default and g.role == WORKER)


def driver_of(bay: Bay) -> Driver | None:
    """The bay's driver, None where it is missing."""
    try:
        return catalogue.catalogue().get(bay.driver)
    except catalogue.DriverMissing:
        return None


def _with_options(
    bay: Bay, changes: tuple[json_patch.Change, ...]
) -> tuple[tuple[json_patch.Change, ...], frozenset[int]]:
    """The changes with those of options as changes of labels, and the places of these in the request."""
    named = frozenset(change.index for change in changes if change.path[0] == options.OPTIONS)
    for change in changes:
        if named and change.path[0] == "labels":
            raise change.refuse("it cannot be changed once the bay is there.")
    return options.in_labels(changes, bay.labels, driver_of(bay)), named


def _check_options(
    bay: Bay, changes: tuple[json_patch.Change, ...], labels: dict[str, str]
) -> bool:
    """Whether options change; only some may. They are compared as values: the same in other words is no change."""
    driver = driver_of(bay)
    if driver is None:
        return False
    before, after = (options.shown(those, driver) for those in (bay.labels, labels))
    other = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    at = {change.path[1]: change for change in changes if change.path[0] == "labels"}
    options.check_mutable(other, driver, at)
    return bool(other)
