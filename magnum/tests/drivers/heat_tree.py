"""A whole tree of stacks as Heat makes it of a template: nested templates, groups, conditions, attributes, user data.

FakeHeatTree is a :class:`FakeHeatEngine` that goes on into the templates that a template names. Functions that it does
not know are errors, so that nobody believes in a value that was never worked out.
"""

import email.mime.multipart
import email.mime.text
import functools
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
import yaql  # type: ignore[import-untyped]

from magnum.drivers.heat.stack import Launch
from magnum.tests.unit.drivers.hot import FakeHeatEngine

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_GROUP = "OS::Heat::ResourceGroup"
_PSEUDO = {"OS::stack_name": "bay-stack", "OS::stack_id": "stack-id", "OS::project_id": "project"}


@dataclass(frozen=True)
class Server:
    """One server of the tree. ``place`` is where it stands, such as ``masters/0/server``."""

    place: str
    properties: Mapping[str, Any]
    user_data: str


def tree(launch: Launch) -> "FakeHeatTree":
    """The tree that a launch would make."""
    return FakeHeatTree(launch.template, launch.files, launch.parameters)


class FakeHeatTree(FakeHeatEngine):
    """One stack of the tree."""

    def __init__(
        self,
        template: str,
        files: Mapping[str, str],
        parameters: Mapping[str, Any],
        place: str = "",
        known: "dict[str, FakeHeatTree] | None" = None,
    ) -> None:
        super().__init__(template, files, parameters)
        self.place = place
        #: The stack that each reference of the whole tree leads to.
        self._known = {} if known is None else known
        for name, declared in self.template["parameters"].items():
            self.parameters[name] = _of_type(self.parameters[name], declared["type"])
        self._children: dict[str, list[FakeHeatTree]] = {}

    # --- the tree -------------------------------------------------------------------------------------------------

    def children(self, name: str) -> list["FakeHeatTree"]:
        """The stacks below one resource; none where it is not a template or a group of such."""
        if name not in self._children:
            self._children[name] = [
                FakeHeatTree(
                    self.files[kind], self.files, properties, f"{self.place}{place}/", self._known
                )
                for place, kind, properties in self._members(name)
                if kind.endswith(".yaml")
            ]
        return self._children[name]

    def _members(self, name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """What stands for a resource: itself, or the members of the group that it is."""
        resource = self.template["resources"][name]
        properties = self.resolve(resource.get("properties") or {})
        if resource["type"] != _GROUP:
            yield name, resource["type"], properties
            return
        inner = properties["resource_def"]
        word = properties.get("index_var", "%index%")
        for index in range(int(properties.get("count", 1))):
            made = _replaced_in(inner.get("properties") or {}, word, str(index))
            yield f"{name}/{index}", inner["type"], made

    def stacks(self) -> Iterator["FakeHeatTree"]:
        """This stack, and all below it."""
        yield self
        for name in self.resources():
            for child in self.children(name):
                yield from child.stacks()

    def everything(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Place, type and properties of each resource of the tree that is no template and no group of templates."""
        for stack in self.stacks():
            for name in stack.resources():
                for place, kind, properties in stack._members(name):
                    if not kind.endswith(".yaml"):
                        yield f"{stack.place}{place}", kind, properties

    def servers(self) -> Iterator[Server]:
        """Every server, with its user data as Heat would give it to Nova."""
        for stack in self.stacks():
            for name, resource in stack.resources().items():
                if resource["type"] == "OS::Nova::Server":
                    properties = stack.properties(name)
                    text = stack._text(properties.get("user_data", ""))
                    yield Server(f"{stack.place}{name}", properties, text)

    def shape(self) -> tuple[str, ...]:
        """What is made, without the values: two trees of one shape differ in parameters only."""
        return tuple(sorted(f"{place} {kind}" for place, kind, _ in self.everything()))

    def output(self, name: str) -> Any:
        """One output."""
        return self.resolve(self.template["outputs"][name]["value"])

    # --- user data ------------------------------------------------------------------------------------------------

    def _text(self, value: str) -> str:
        """A text, or what the resource that it refers to makes."""
        if value not in self._known:
            return value
        stack, name = self._known[value], value[1:-1].rpartition("/")[2]
        properties = stack.properties(name)
        match stack.template["resources"][name]["type"]:
            case "OS::Heat::CloudConfig":
                dumped = yaml.dump(properties["cloud_config"], Dumper=_DUMPER)
                return f"#cloud-config\n{dumped}"
            case "OS::Heat::SoftwareConfig":
                assert properties.get("group", "Heat::Ungrouped") == "Heat::Ungrouped"
                config = properties["config"]
                return config if isinstance(config, str) else json.dumps(config)
            case "OS::Heat::MultipartMime":
                return stack._multipart(properties["parts"])
            case kind:
                raise AssertionError(f"{kind} is no user data that is known here")

    def _multipart(self, parts: list[dict[str, str]]) -> str:
        texts = [self._text(part["config"]) for part in parts]
        # Heat takes a boundary by chance; here the same parts shall give the same text.
        boundary = hashlib.sha256("".join(texts).encode()).hexdigest()
        message = email.mime.multipart.MIMEMultipart(boundary=boundary)
        for part, text in zip(parts, texts, strict=True):
            charset = "us-ascii" if text.isascii() else "utf-8"
            message.attach(email.mime.text.MIMEText(text, part["subtype"], _charset=charset))
        return message.as_string()

    # --- functions that one template alone does not need -----------------------------------------------------------

    def condition(self, node: Any) -> bool:
        """Whether a condition holds."""
        if isinstance(node, bool):
            return node
        if isinstance(node, dict) and "contains" in node:
            value, sequence = (self.resolve(part) for part in node["contains"])
            return value in sequence
        if isinstance(node, dict) and "get_param" in node:
            return bool(self.resolve(node))
        return super().condition(node)

    def _get_param(self, name: Any) -> Any:
        first, *path = name if isinstance(name, list) else [name]
        if first in _PSEUDO:
            return _PSEUDO[first]
        return functools.reduce(_step, self.resolve(path), self.parameters[first])

    def _get_resource(self, name: str) -> str:
        super()._get_resource(name)
        reference = f"<{self.place}{name}>"
        self._known[reference] = self
        return reference

    def _get_attr(self, path: list[Any]) -> Any:
        name, *rest = self.resolve(path)
        assert name in self.resources(), f"{name} is not there under these conditions"
        resource = self.template["resources"][name]
        if resource["type"] == "OS::Heat::Value":
            return functools.reduce(_step, rest[1:], self.properties(name)["value"])
        if resource["type"] == _GROUP:
            return self._of_group(name, *rest)
        if children := self.children(name):
            return functools.reduce(_step, rest[1:], children[0].output(rest[0]))
        return _seen(f"{self.place}{name}", resource["type"], rest)

    def _of_group(self, name: str, attribute: str, *rest: Any) -> Any:
        members = list(self._members(name))
        if attribute == "refs":
            return [f"<{self.place}{place}>" for place, _, _ in members]
        if attribute == "refs_map":
            return {str(i): f"<{self.place}{place}>" for i, (place, _, _) in enumerate(members)}
        if attribute.startswith("resource."):
            _, index, *inner = attribute.split(".", 2)
            return self._of_member(name, int(index), *inner, *rest)
        return [self._of_member(name, index, attribute, *rest) for index in range(len(members))]

    def _of_member(self, name: str, index: int, *path: Any) -> Any:
        place, kind, _ = list(self._members(name))[index]
        if not path:
            return f"<{self.place}{place}>"
        if children := self.children(name):
            return functools.reduce(_step, path[1:], children[index].output(path[0]))
        return _seen(f"{self.place}{place}", kind, list(path))

    def _list_join(self, given: list[Any]) -> str:
        lists = [self.resolve(part) for part in given[1:]]
        parts = itertools.chain.from_iterable(part or [] for part in lists)
        return str(given[0]).join(p if isinstance(p, str) else json.dumps(p) for p in parts)

    def _list_concat(self, given: list[Any]) -> list[Any]:
        return [value for part in given for value in self.resolve(part) or []]

    def _list_concat_unique(self, given: list[Any]) -> list[Any]:
        return list(dict.fromkeys(self._list_concat(given)))

    def _map_merge(self, given: Any) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for part in self.resolve(given):
            merged |= part or {}
        return merged

    def _str_replace(self, given: dict[str, Any]) -> str:
        params = self.resolve(given["params"])
        pairs = [(key, _as_text(params[key])) for key in sorted(params, key=len, reverse=True)]
        return _replaced(str(self.resolve(given["template"])), pairs)

    _str_replace_strict = _str_replace
    _str_replace_vstrict = _str_replace

    def _str_split(self, given: list[Any]) -> Any:
        parts = str(self.resolve(given[1])).split(self.resolve(given[0]))
        return parts[int(given[2])] if len(given) > 2 else parts

    def _digest(self, given: list[Any]) -> str:
        return hashlib.new(given[0], str(self.resolve(given[1])).encode()).hexdigest()

    def _yaql(self, given: dict[str, Any]) -> Any:
        """By the library that Heat has it from."""
        context = yaql.create_context()
        context["$"] = {"data": self.resolve(given["data"])}
        return _yaql_engine()(given["expression"]).evaluate(context=context)

    def _repeat(self, given: dict[str, Any]) -> list[Any]:
        names, lists = zip(*self.resolve(given["for_each"]).items(), strict=True)
        template = self.resolve(given["template"])
        found = []
        for values in itertools.product(*lists):
            made = template
            for name, value in zip(names, values, strict=True):
                made = value if made == name else _replaced_in(made, name, str(value))
            found.append(made)
        return found


@functools.cache
def _yaql_engine() -> Any:
    return yaql.factory.YaqlFactory().create()


def _of_type(value: Any, kind: str) -> Any:
    """A parameter's value as Heat reads it."""
    if not isinstance(value, str):
        return value
    match kind:
        case "comma_delimited_list":
            return [part.strip() for part in value.split(",")] if value else []
        case "json":
            return json.loads(value) if value else {}
        case "number":
            return float(value) if "." in value else int(value)
        case "boolean":
            return value.lower() in ("t", "true", "on", "y", "yes", "1")
    return value


def _seen(place: str, kind: str, path: list[Any]) -> Any:
    """An attribute of a thing that there is no cloud for: an address where it is one, else a mark."""
    number = int(hashlib.sha256(place.encode()).hexdigest(), 16) % 240 + 10
    if kind == "OS::Neutron::Port":
        addresses = [{"ip_address": f"10.0.0.{number}", "subnet_id": "subnet"}]
        return (
            functools.reduce(_step, path[1:], addresses) if path[0] == "fixed_ips" else f"<{place}>"
        )
    if path and path[0] in ("floating_ip_address", "vip_address"):
        return f"172.24.4.{number}"
    return f"<{'.'.join([place, *map(str, path)])}>"


def _step(value: Any, key: Any) -> Any:
    if isinstance(value, list):
        return value[int(key)]
    return value.get(key) if isinstance(value, Mapping) else value


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _replaced(text: str, pairs: list[tuple[str, str]]) -> str:
    """Every key replaced; what was put in is not looked at again."""
    if not pairs:
        return text
    (key, value), *rest = pairs
    return value.join(_replaced(part, rest) for part in text.split(key))


def _replaced_in(value: Any, word: str, by: str) -> Any:
    """A value with a text replaced in it, wherever it stands."""
    if isinstance(value, str):
        return value.replace(word, by)
    if isinstance(value, Mapping):
        return {
            _replaced_in(key, word, by): _replaced_in(inner, word, by)
            for key, inner in value.items()
        }
    return [_replaced_in(inner, word, by) for inner in value] if isinstance(value, list) else value
