"""What an update of a bay's stack would change, as Heat says it, without changing anything.

Heat's own preview of nested stacks is of little use: there no reference is resolved, so that every resource with one
counts as replaced, and it breaks off where a nested stack would be added (both seen in 2026). Asked about one stack
alone it is right. So each nested stack that a change reaches is asked about by itself, with the parameters that it
would be given; members of a group are all alike, and one is asked for all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from magnum.drivers.contract import Change, CloudUnavailable, Preview
from magnum.drivers.heat.decisions import is_applied
from magnum.drivers.heat.errors import translated
from magnum.drivers.heat.stack import NESTED_DEPTH, Launch, ResourceView

#: Heat's words for what would become of a resource.
KINDS = ("added", "deleted", "replaced", "updated", "unchanged")
ADDED, DELETED, REPLACED, UPDATED, UNCHANGED = KINDS

_GROUP = "OS::Heat::ResourceGroup"
_SEPARATOR = " / "
#: What Heat shows of a parameter that is hidden.
_HIDDEN = "******"

Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the update would be: parameters on top of the stack as it is, or also another template with its files."""

    parameters: Mapping[str, Any]
    launch: Launch | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """What would become of one resource."""

    kind: str
    place: Place
    type: str


@dataclass(frozen=True, slots=True)
class _Reached:
    """A resource as a change reaches it: its definition before and after, and the parameters around it that change."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    changes: Mapping[str, Any]

    @property
    def properties(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.after.get("properties") or {}
        return found

    @property
    def type(self) -> str:
        return str(self.after.get("type"))

    @property
    def is_touched(self) -> bool:
        """Whether anything about it may change."""
        return self.before != self.after or bool(_named(self.after) & self.changes.keys())

    def passed_on(self) -> dict[str, Any] | None:
        """The parameters that change for what is inside of it; None where that cannot be told."""
        found = {}
        for name, value in self.properties.items():
            if not _named(value) & self.changes.keys():
                continue
            if not isinstance(value, dict) or value.keys() != {"get_param"}:
                return None
            if not isinstance(value["get_param"], str):
                return None
            found[name] = self.changes[value["get_param"]]
        return found


class _Tree:
    """The resources that there are, by the place of what they are in."""

    def __init__(self, root_id: str, resources: Sequence[ResourceView]) -> None:
        owners = {resource.owner for resource in resources}
        nested = {one.resource_id: one for one in resources if one.resource_id in owners}
        self._in: dict[Place, list[ResourceView]] = {}
        self._stacks = {root_id: ()} | {ident: _place(ident, nested) for ident in nested}
        for resource in resources:
            if resource.owner in self._stacks:
                self._in.setdefault(self._stacks[resource.owner], []).append(resource)

    def inside(self, place: Place) -> list[ResourceView]:
        """What is directly in a nested stack; nothing where the place is no nested stack."""
        return self._in.get(place, [])

    def below(self, place: Place, kind: str) -> Iterator[_Entry]:
        """All that is in a nested stack, at every depth, with one fate."""
        for resource in self.inside(place):
            here = (*place, resource.name)
            yield _Entry(kind, here, resource.type)
            yield from self.below(here, kind)


class Previewer:
    """Asks Heat about the stack of one bay."""

    def __init__(self, heat: Any, name: str, stack_id: str) -> None:
        self._heat = heat
        self._root = f"{name}/{stack_id}"
        self._stack_id = stack_id
        self._before: Mapping[str, str] = {}
        self._after: Mapping[str, str] = {}
        self._is_new = False

    def preview(self, asked: Asked, present: Mapping[str, Any]) -> Preview:
        """What would change.

        :param present: the stack's parameters now, as Heat shows them.

        Raises what :func:`magnum.drivers.heat.errors.translated` does.
        """
        with translated("looking at the stack"):
            listed = self._heat.resources.list(self._root, nested_depth=NESTED_DEPTH)
            before = self._heat.stacks.template(self._root)
            self._before = self._heat.stacks.files(self._root)
        self._tree = _Tree(self._stack_id, tuple(ResourceView.of(one) for one in listed))
        self._is_new = asked.launch is not None
        self._after = self._before if asked.launch is None else asked.launch.files
        changes = _changed(asked.parameters, present)
        text = None if asked.launch is None else asked.launch.template
        entries = self._walk(self._root, (), before, text, changes)
        told = sorted(entries, key=lambda entry: [_as_number(name) for name in entry.place])
        return Preview(
            tuple(Change(one.kind, _SEPARATOR.join(one.place), one.type) for one in told)
        )

    def _walk(
        self, url: str, place: Place, before: Any, text: str | None, changes: Mapping[str, Any]
    ) -> list[_Entry]:
        """What becomes of everything in one stack, and in those nested in it.

        :param text: its new template; None where it keeps the one that it had.
        """
        after = before if text is None else yaml.safe_load(text)
        entries: list[_Entry] = []
        for kind, name, type_ in self._ask(url, text, changes):
            here = (*place, name)
            # A group without members is one too: Heat counts it as updated with every change.
            if kind in (UPDATED, UNCHANGED) and (type_ == _GROUP or self._tree.inside(here)):
                reached = _Reached(_resource(before, name), _resource(after, name), changes)
                entries += self._container(here, reached)
            else:
                entries.append(_Entry(kind, here, type_))
                if kind in (DELETED, REPLACED):
                    entries += self._tree.below(here, kind)
        return entries

    def _ask(
        self, url: str, text: str | None, changes: Mapping[str, Any]
    ) -> list[tuple[str, str, str]]:
        """What Heat says of one stack alone: kind, name and type of each resource directly in it."""
        body: dict[str, Any] = {"existing": True, "parameters": dict(changes)}
        if text is not None:
            body |= {"template": text, "files": dict(self._after)}
        with translated("previewing the update of the stack"):
            answer = self._heat.stacks.preview_update(url, **body)
        try:
            found = answer["resource_changes"]
            return [
                (kind, str(one["resource_name"]), str(one["resource_type"]))
                for kind in KINDS
                for one in found.get(kind) or ()
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise CloudUnavailable(
                "The cloud's orchestration service gave an answer that makes no sense.",
                f"previewing the update of the stack: {error!r}",
            ) from error

    def _container(self, place: Place, reached: _Reached) -> list[_Entry]:
        """A nested stack that stays, and what is in it. It counts as updated where something in it changes."""
        inside = (
            self._group(place, reached) if reached.type == _GROUP else self._nested(place, reached)
        )
        if inside is None:  # it changes, and how cannot be told
            return [_Entry(UPDATED, place, reached.type)]
        is_changed = any(entry.kind != UNCHANGED for entry in inside)
        return [_Entry(UPDATED if is_changed else UNCHANGED, place, reached.type), *inside]

    def _nested(self, place: Place, reached: _Reached) -> list[_Entry] | None:
        before, after = (files.get(reached.type) for files in (self._before, self._after))
        if after is None or before is None:
            return None if reached.is_touched else list(self._tree.below(place, UNCHANGED))
        passed_on = reached.passed_on()
        if passed_on is None:
            return None
        if not passed_on and before == after and reached.before == reached.after:
            return list(self._tree.below(place, UNCHANGED))
        url = self._url(place)
        text = after if self._is_new else None
        return self._walk(url, place, yaml.safe_load(before), text, passed_on)

    def _url(self, place: Place) -> str:
        """Where Heat has the nested stack of a place: under its id alone it sends us on, to the same."""
        (found,) = [one for one in self._tree.inside(place[:-1]) if one.name == place[-1]]
        return found.resource_id

    def _group(self, place: Place, reached: _Reached) -> list[_Entry]:
        members = sorted(self._tree.inside(place), key=lambda one: _as_number(one.name))
        size = self._size(reached, len(members))
        going = set(_going(reached, members, size))
        staying = [one for one in members if one.name not in going]
        entries = [
            entry
            for one in members
            if one.name in going
            for entry in (
                _Entry(DELETED, (*place, one.name), one.type),
                *self._tree.below((*place, one.name), DELETED),
            )
        ]
        if staying:
            entries += self._alike(place, reached, staying)
        numbers = [int(one.name) for one in members if one.name.isdecimal()]
        first = max(numbers, default=-1) + 1
        kind = str(_inner(reached.after).get("type"))
        new = range(first, first + max(0, size - len(staying)))
        return entries + [_Entry(ADDED, (*place, str(number)), kind) for number in new]

    def _alike(
        self, place: Place, reached: _Reached, members: Sequence[ResourceView]
    ) -> list[_Entry]:
        """Members of a group that stay: what becomes of the first becomes of all."""
        first = (*place, members[0].name)
        one = _Reached(_inner(reached.before), _inner(reached.after), reached.changes)
        if self._tree.inside(first):
            told = self._container(first, one)
        else:
            told = [_Entry(UPDATED if one.is_touched else UNCHANGED, first, members[0].type)]
        return [
            replace(entry, place=(*place, member.name, *entry.place[len(first) :]))
            for member in members
            for entry in told
        ]

    def _size(self, reached: _Reached, present: int) -> int:
        count = reached.properties.get("count")
        parameter = count.get("get_param") if isinstance(count, dict) else None
        wanted = reached.changes.get(parameter, present) if isinstance(parameter, str) else present
        return int(wanted)


def _place(stack_id: str, nested: Mapping[str, ResourceView]) -> Place:
    names: list[str] = []
    while (around := nested.get(stack_id)) is not None and len(names) < 2 * NESTED_DEPTH:
        names.append(around.name)
        stack_id = around.owner
    return tuple(reversed(names))


def _resource(template: Any, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (template.get("resources") or {}).get(name) or {}
    return found


def _inner(group: Mapping[str, Any]) -> Mapping[str, Any]:
    """What each member of a group is made from."""
    found: Mapping[str, Any] = (group.get("properties") or {}).get("resource_def") or {}
    return found


def _changed(wanted: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that would have another value. What is hidden counts as the same: nobody can see it."""
    return {
        name: value
        for name, value in wanted.items()
        if present.get(name) != _HIDDEN and not is_applied({name: value}, present)
    }


def _named(value: Any) -> frozenset[str]:
    """The parameters that a part of a template names, at every depth."""
    if isinstance(value, dict):
        own = value.get("get_param")
        name = own[0] if isinstance(own, list) and own else own
        here = {name} if isinstance(name, str) else set()
        return frozenset(here.union(*(_named(inner) for inner in value.values())))
    if isinstance(value, list):
        return frozenset().union(*(_named(inner) for inner in value))
    return frozenset()


def _going(reached: _Reached, members: Sequence[ResourceView], size: int) -> list[str]:
    """Names of the members that go: those that are named, and then those with the highest numbers."""
    asked: set[str] = set()
    for policy in reached.properties.get("removal_policies") or ():
        listed = policy.get("resource_list") if isinstance(policy, dict) else None
        if isinstance(listed, dict):
            listed = reached.changes.get(str(listed.get("get_param")), ())
        asked.update(map(str, listed or ()))
    going = [one.name for one in members if asked & {one.name, one.resource_id}]
    rest = [one.name for one in members if one.name not in going]
    return going + rest[max(0, min(size, len(rest))) :]


def _as_number(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdecimal() else (-1, name)
