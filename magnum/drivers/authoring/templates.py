"""Static checks of a Heat driver's templates: every reference in them leads somewhere.

Only what Heat itself would find wrong is found here, without a Heat and with the line. What needs one, such as the
properties of resource types, is left to ``validate --heat``.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from magnum.drivers.authoring.findings import Finding
from magnum.drivers.heat.template import COMMON, TEMPLATES

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast
#: The ``templates/`` that drivers share.
SHARED = Path(__file__).parents[1] / "common" / TEMPLATES
#: Parameters that Heat gives every template.
PSEUDO = frozenset({"OS::stack_name", "OS::stack_id", "OS::project_id"})


def templates(folder: Path) -> Iterator[Finding]:
    """Every template below ``templates/``, each file that has a version of HOT in it."""
    for path in sorted((folder / TEMPLATES).rglob("*.yaml")):
        name = str(path.relative_to(folder))
        try:
            root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 0
            said = getattr(error, "problem", None) or error
            yield Finding(name, line, f"It is no YAML: {said}.", "Correct it.")
            continue
        if isinstance(root, MappingNode):
            yield from _Template(folder, name, root).findings()
        else:
            yield Finding(name, 1, "It is no template.", "A template is a YAML mapping.")


def parameters(text: str) -> Mapping[str, bool]:
    """The parameters of a template, and whether each has a default."""
    root = yaml.compose(text, Loader=_LOADER)
    declared = _at(root, "parameters") if isinstance(root, MappingNode) else None
    return {name: _at(node, "default") is not None for name, node in _items(declared)}


def _items(node: Node | None) -> Iterator[tuple[str, Node]]:
    """Keys and values of a mapping, with merged ones (``<<``) after its own."""
    if not isinstance(node, MappingNode):
        return
    merged: list[Node] = []
    own: set[str] = set()
    for key, value in node.value:
        if isinstance(key, ScalarNode) and key.tag.endswith(":merge"):
            merged += value.value if isinstance(value, SequenceNode) else [value]
        elif isinstance(key, ScalarNode):
            own.add(key.value)
            yield key.value, value
    for other in merged:
        yield from ((name, value) for name, value in _items(other) if name not in own)


def _at(node: Node | None, key: str) -> Node | None:
    return next((value for name, value in _items(node) if name == key), None)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _text(node: Node | None) -> str | None:
    return str(node.value) if isinstance(node, ScalarNode) else None


class _Template:
    """One template of a driver."""

    def __init__(self, folder: Path, name: str, root: MappingNode) -> None:
        self._folder = folder
        self._name = name
        self._root = root
        self._parameters = {key for key, _ in _items(_at(root, "parameters"))} | PSEUDO
        self._resources = {key for key, _ in _items(_at(root, "resources"))}
        self._conditions = {key for key, _ in _items(_at(root, "conditions"))}

    def findings(self) -> Iterator[Finding]:
        if _at(self._root, "heat_template_version") is None:
            yield self._found(self._root, "It has no heat_template_version.", "Begin with one.")
        if not self._resources:
            yield self._found(self._root, "It has no resources.", "Write them.")
        yield from self._duplicates(self._root, set())
        seen: set[int] = set()
        for section in ("conditions", "resources", "outputs"):
            for _, node in _items(_at(self._root, section)):
                yield from self._walk(node, seen)
        for _, node in _items(_at(self._root, "resources")):
            yield from self._resource(node)

    def _found(self, node: Node, text: str, advice: str) -> Finding:
        return Finding(self._name, _line(node), text, advice)

    def _duplicates(self, node: Node, seen: set[int]) -> Iterator[Finding]:
        """YAML takes the last of two equal keys and says nothing."""
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, SequenceNode):
            for value in node.value:
                yield from self._duplicates(value, seen)
        if isinstance(node, MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                name = _text(key)
                if name in keys:
                    text = f"The key {name} is there twice."
                    yield self._found(key, text, "The last one counts: drop the other.")
                keys.add(str(name))
                yield from self._duplicates(value, seen)

    def _walk(self, node: Node, seen: set[int]) -> Iterator[Finding]:
        """The functions below a node. An aliased node is looked at once."""
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, SequenceNode):
            for value in node.value:
                yield from self._walk(value, seen)
        for key, value in _items(node):
            yield from self._function(key, value)
            yield from self._walk(value, seen)

    def _function(self, key: str, given: Node) -> Iterator[Finding]:
        first = given.value[0] if isinstance(given, SequenceNode) and given.value else given
        name = _text(first)
        if name is None:
            return
        match key:
            case "get_param" if name not in self._parameters:
                text, advice = f"There is no parameter {name}.", "Declare it under parameters."
                yield self._found(given, text, advice)
            case "get_resource" | "get_attr" if name not in self._resources:
                text, advice = f"There is no resource {name}.", "Name one of this template."
                yield self._found(given, text, advice)
            case "get_file" if not self._file(name).is_file():
                advice = f"Put it below templates/, or name a shared one as {COMMON}<file>."
                yield self._found(given, f"There is no file {name}.", advice)
            case "if" | "condition" if isinstance(first, ScalarNode):
                if name not in self._conditions | {"true", "false"}:
                    text, advice = f"There is no condition {name}.", "Declare it under conditions."
                    yield self._found(given, text, advice)

    def _file(self, name: str) -> Path:
        if name.startswith(COMMON):
            return SHARED / name.removeprefix(COMMON)
        return self._folder / TEMPLATES / name

    def _resource(self, node: Node) -> Iterator[Finding]:
        kind = _text(_at(node, "type"))
        if kind is None:
            yield self._found(node, "A resource has no type.", "Set it.")
        depends = _at(node, "depends_on")
        for needed in depends.value if isinstance(depends, SequenceNode) else [depends]:
            name = _text(needed)
            if needed is not None and name not in self._resources:
                text, advice = f"There is no resource {name}.", "Correct depends_on."
                yield self._found(needed, text, advice)
        yield from self._nested(node)
        yield from self._nested(_at(_at(node, "properties"), "resource_def"))

    def _nested(self, node: Node | None) -> Iterator[Finding]:
        """A resource that is a template of ours gets the parameters that this one has."""
        kind = _text(_at(node, "type"))
        if node is None or kind is None or not kind.endswith(".yaml"):
            return
        path = self._file(kind)
        if not path.is_file():
            yield self._found(node, f"There is no file {kind}.", "Put it below templates/.")
            return
        try:
            declared = parameters(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, ValueError):
            return  # said of that file
        given = dict(_items(_at(node, "properties")))
        for name in sorted(given.keys() - declared.keys()):
            text, advice = f"{kind} has no parameter {name}.", "Declare it there, or drop it here."
            yield self._found(given[name], text, advice)
        for name, has_default in declared.items():
            if not has_default and name not in given:
                advice = "Give it, or give it a default there."
                yield self._found(node, f"{kind} needs the parameter {name}.", advice)
