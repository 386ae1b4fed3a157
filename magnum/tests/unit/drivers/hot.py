"""The part of Heat's template language that our node data uses, resolved as Heat resolves it.

A fake engine for tests without a Heat: a function it does not know is an error. What it does with
``str_replace`` (maps become JSON), ``map_merge`` and ``CloudConfig`` (a YAML dump) was compared with
the real Heat.
"""

import email.mime.multipart
import email.mime.text
import functools
import json
from collections.abc import Mapping
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def load(text: str) -> Any:
    """YAML as a value; the C loader, where it was built, is much faster."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - one of the safe ones


_load_template = functools.cache(load)


class FakeHeatEngine:
    """Resolves values of one template with given parameters.

    ``attributes`` are what resources are known to have, by path (``network.subnet``).
    """

    def __init__(
        self,
        template: str,
        files: Mapping[str, str],
        parameters: Mapping[str, Any],
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        self.attributes = attributes or {}
        self.template = _load_template(template)
        self.files = files
        declared = self.template["parameters"]
        unknown = parameters.keys() - declared.keys()
        assert not unknown, f"not declared: {unknown}"
        self.parameters = {
            name: parameters.get(name, schema.get("default")) for name, schema in declared.items()
        }
        absent = [
            name
            for name, schema in declared.items()
            if name not in parameters and "default" not in schema
        ]
        assert not absent, f"neither given nor a default: {absent}"

    def resources(self) -> dict[str, Any]:
        """The resources whose condition holds."""
        return {
            name: resource
            for name, resource in self.template["resources"].items()
            if "condition" not in resource or self.condition(resource["condition"])
        }

    def properties(self, resource: str) -> Any:
        """A resource's properties, resolved."""
        return self.resolve(self.template["resources"][resource]["properties"])

    def condition(self, node: Any) -> bool:
        """Whether a condition holds, by name or as an expression."""
        if isinstance(node, str):
            return self.condition(self.template["conditions"][node])
        ((function, given),) = node.items()
        match function:
            case "equals":
                left, right = (self.resolve(value) for value in given)
                return bool(left == right)
            case "not":
                return not self.condition(given)
            case "and":
                return all(self.condition(part) for part in given)
            case "or":
                return any(self.condition(part) for part in given)
        raise AssertionError(f"unknown condition {function}")

    def resolve(self, node: Any) -> Any:
        """A value of the template, with its functions resolved."""
        if isinstance(node, list):
            return [self.resolve(value) for value in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, given),) = node.items()
            handler = getattr(self, f"_{function}", None)
            if handler is not None:
                return handler(given)
        return {key: self.resolve(value) for key, value in node.items()}

    def _get_param(self, given: str | list[Any]) -> Any:
        name, *path = self.resolve(given if isinstance(given, list) else [given])
        value = self.parameters[name]
        for key in path:
            value = value[int(key) if isinstance(value, list) else key]
        return value

    def _get_resource(self, name: str) -> str:
        assert name in self.resources(), f"{name} is not there under these conditions"
        return f"<{name}>"

    def _get_attr(self, path: list[Any]) -> Any:
        assert path[0] in self.resources(), f"{path[0]} is not there under these conditions"
        name = ".".join(map(str, path))
        return self.attributes.get(name, f"<{name}>")

    def _get_file(self, name: str) -> str:
        return self.files[name]

    def _if(self, given: list[Any]) -> Any:
        condition, yes, no = given
        return self.resolve(yes if self.condition(condition) else no)

    def _list_join(self, given: list[Any]) -> str:
        return str(given[0]).join(map(str, self.resolve(given[1])))

    def _map_merge(self, given: list[Any]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for part in self.resolve(given):
            merged |= part
        return merged

    def _list_concat_unique(self, given: list[Any]) -> list[Any]:
        return list(dict.fromkeys(value for part in self.resolve(given) for value in part))

    def _yaql(self, given: dict[str, Any]) -> Any:
        assert given["expression"] == "$.data.zones[$.data.index mod $.data.zones.len()]"
        data = self.resolve(given["data"])
        return data["zones"][int(data["index"]) % len(data["zones"])]

    def _str_replace(self, given: dict[str, Any]) -> str:
        (key,) = given["params"]
        value = self.resolve(given["params"][key])
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        return text.join(str(self.resolve(given["template"])).split(key))


def cloud_config(config: Mapping[str, Any]) -> str:
    """What an ``OS::Heat::CloudConfig`` makes of its properties."""
    return "#cloud-config\n" + yaml.dump(config["cloud_config"], Dumper=_DUMPER)


def user_data(cluster: FakeHeatEngine, node: FakeHeatEngine) -> str:
    """The user data that ``common/server.yaml`` makes of the driver's steps, its own settings and a script."""
    message = email.mime.multipart.MIMEMultipart()
    texts = {
        node.parameters["files"]: cloud_config(cluster.properties("files")),
        "<settings>": cloud_config(node.properties("settings")),
    }
    for part in node.properties("user_data")["parts"]:
        text = texts.get(part["config"], part["config"])
        message.attach(email.mime.text.MIMEText(text, part["subtype"], _charset="us-ascii"))
    return message.as_string()
