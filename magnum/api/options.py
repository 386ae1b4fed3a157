"""Options of drivers in requests and answers: another view of the same labels, with types (from 1.15 on).

Labels are texts and may be anything; those that a driver declares must fit. Options are only what it declares.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from magnum.api.json_patch import Change
from magnum.api.schemas.base import pointer
from magnum.common import errors
from magnum.drivers import options
from magnum.drivers.contract import Driver, InvalidOption
from magnum.drivers.options import Options

#: The attribute.
OPTIONS = "options"


def check_labels(labels: Mapping[str, str], drivers: Iterable[Driver], field: str = "") -> None:
    """Raise InvalidField where labels fit none of these drivers, pointing at one label.

    :param field: what else to point at, where the request has no labels of its own.
    """
    refused: errors.InvalidField | None = None
    for driver in drivers:
        found = _misfit(labels, options.of(driver), driver, field)
        if found is None:
            return
        refused = refused or found
    if refused is not None:
        raise refused


def _misfit(
    labels: Mapping[str, str], known: Options, driver: Driver, field: str
) -> errors.InvalidField | None:
    for name in sorted(known.declared.keys() & labels.keys()):
        try:
            known.given({name: labels[name]})
        except InvalidOption as error:
            where = field or pointer(("labels", name))
            return errors.InvalidField(f"Driver {driver.name}: {error.text}", field=where)
    return None


def as_labels(wanted: Mapping[str, Any], driver: Driver) -> dict[str, str]:
    """Options of a request as labels. One that is null is left out. Raises InvalidField that points at one."""
    known = options.of(driver)
    return {
        name: _text(known, driver, name, value, pointer((OPTIONS, name)))
        for name, value in wanted.items()
        if value is not None
    }


def merged(
    labels: Mapping[str, str], given: Mapping[str, str] | None, chosen: Mapping[str, str]
) -> dict[str, str]:
    """Labels with the options over them. Raises InvalidField where the same request has one in both, differently.

    :param given: the request's own labels.
    """
    for name in chosen.keys() & (given or {}).keys():
        if (given or {})[name] != chosen[name]:
            raise errors.InvalidField(
                f"The option '{name}' is given as a label too, with another value",
                field=pointer((OPTIONS, name)),
            )
    return {**labels, **chosen}


def shown(labels: Mapping[str, str], driver: Driver | None) -> dict[str, Any]:
    """The options among labels as clients see them: those that are set, with their types."""
    if driver is None:
        return {}
    known = options.of(driver)
    return {
        name: known.given({name: labels[name]}, strict=False).get(name, labels[name])
        for name in known.declared
        if name in labels
    }


def in_labels(
    changes: tuple[Change, ...], labels: Mapping[str, str], driver: Driver | None
) -> tuple[Change, ...]:
    """The operations of a patch, with those on options turned into operations on labels.

    Options that are not set have a value all the same, so ``replace`` sets them as ``add`` does. Raises InvalidField.
    """
    found: list[Change] = []
    for change in changes:
        if change.path[0] != OPTIONS:
            found.append(change)
        elif driver is None:
            raise change.refuse("the driver that has the options is not there.")
        else:
            found.extend(_in_labels(change, labels, driver))
    return tuple(found)


def _in_labels(change: Change, labels: Mapping[str, str], driver: Driver) -> Iterable[Change]:
    known = options.of(driver)
    if len(change.path) > 2:
        raise change.refuse("there is nothing below it.")
    if len(change.path) == 2:
        yield _one(change, change.path[1], change.value, known, driver)
        return
    wanted = {} if change.op == "remove" else change.value
    if not isinstance(wanted, dict):
        raise change.refuse("the value is not an object.", "value")
    for name in sorted((known.declared.keys() & labels.keys()) - wanted.keys()):
        yield Change(change.index, "remove", ("labels", name), None)
    for name, value in wanted.items():
        yield _one(Change(change.index, "add", change.path, value), name, value, known, driver)


def _one(change: Change, name: str, value: Any, known: Options, driver: Driver) -> Change:
    if name not in known.declared:
        raise change.refuse(_unknown(known, driver, name))
    if change.op == "remove":
        return Change(change.index, "remove", ("labels", name), None)
    text = _text(known, driver, name, value, f"/{change.index}/value")
    return Change(change.index, "add", ("labels", name), text)


def check_mutable(names: Collection[str], driver: Driver, at: Mapping[str, Change]) -> None:
    """Raise InvalidField for options that are what they are once the cluster is there.

    :param at: where in the patch each is changed.
    """
    known = options.of(driver)
    for name in sorted(names):
        if not known.is_mutable(name):
            kind = known.declared[name].get("x-change", "fixed")
            change = at[name]
            raise errors.InvalidField(
                f"The option '{name}' is {kind}: it cannot be changed once the bay is there",
                field=f"/{change.index}/path",
            )


def _text(known: Options, driver: Driver, name: str, value: Any, field: str) -> str:
    if name not in known.declared:
        raise errors.InvalidField(_unknown(known, driver, name), field=field)
    fault = known.fault(name, value)
    if fault is not None:
        raise errors.InvalidField(f"The option '{name}' cannot be used: {fault}", field=field)
    return known.text(value)


def _unknown(known: Options, driver: Driver, name: str) -> str:
    there = ", ".join(sorted(known.declared)) or "none"
    return f"driver {driver.name} has no option {name!r}. Options: {there}"
