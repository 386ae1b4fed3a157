"""What of a stack everybody in its project can read at Heat: parameters that are not hidden, and outputs.

Values are followed into the templates that are nested in it: a parameter that is hidden outside and not inside is
shown inside. What becomes of a value in a server is not looked at here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from magnum.drivers.conformance.fake_heat import FakeHeatStack, parsed

#: The name of a parameter, and the text of its value.
Values = Mapping[str, str]
#: A resource that does nothing but hand on a value.
_VALUE = "OS::Heat::Value"
#: Templates nest no deeper at Heat.
_DEEPEST = 5


def readable(stack: FakeHeatStack) -> Iterator[tuple[str, str]]:
    """Texts with the names of where they stand."""
    declared = stack.declared()
    values = {
        name: str(stack.parameters.get(name, (schema or {}).get("default", "")))
        for name, schema in declared.items()
    }
    yield "the stack's reason", stack.reason
    yield from ((f"output '{name}'", str(value)) for name, value in stack.outputs.items())
    yield from _of(parsed(stack.template), "the template", values, stack.files, 0)


def _of(
    template: Mapping[str, Any], name: str, values: Values, files: Mapping[str, str], depth: int
) -> Iterator[tuple[str, str]]:
    for parameter, schema in (template.get("parameters") or {}).items():
        if not (schema or {}).get("hidden"):
            yield f"parameter '{parameter}' of {name}", values.get(parameter, "")
    resources = template.get("resources") or {}
    for output, said in (template.get("outputs") or {}).items():
        found = _text((said or {}).get("value"), values, resources)
        yield f"output '{output}' of {name}", found
    if depth == _DEEPEST:
        return
    for kind, properties in _nested(resources):
        if kind in files:
            given = {key: _text(value, values, resources) for key, value in properties.items()}
            yield from _of(_read(files[kind]), kind, given, files, depth + 1)


def _read(text: str) -> Mapping[str, Any]:
    try:
        found = parsed(text)
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _nested(node: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Whatever has the file of a template for its type, with its properties."""
    if isinstance(node, Mapping):
        kind, properties = node.get("type"), node.get("properties")
        if isinstance(kind, str) and isinstance(properties, Mapping) and kind.endswith(".yaml"):
            yield kind, properties
        for value in node.values():
            yield from _nested(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nested(value)


def _text(node: Any, values: Values, resources: Mapping[str, Any]) -> str:
    """All that goes into a value, one after the other."""
    if isinstance(node, Mapping):
        return " ".join(_function(key, value, values, resources) for key, value in node.items())
    if isinstance(node, list):
        return " ".join(_text(value, values, resources) for value in node)
    return str(node)


def _function(key: str, given: Any, values: Values, resources: Mapping[str, Any]) -> str:
    first = given[0] if isinstance(given, list) and given else given
    if key == "get_param":
        return values.get(str(first), "")
    if key == "get_attr":
        resource = resources.get(str(first)) or {}
        handed_on = resource.get("properties") if resource.get("type") == _VALUE else None
        return _text(handed_on, values, resources) if handed_on else ""
    return _text(given, values, resources)
