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
    """Resolves values of one template with given parameters."""

    def __init__(
        self, template: str, files: Mapping[str, str], parameters: Mapping[str, Any]
    ) -> None:
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

    def _get_param(self, name: str) -> Any:
        return self.parameters[name]

    def _get_resource(self, name: str) -> str:
        assert name in self.resources(), f"{name} is not there under these conditions"
        return f"<{name}>"

    def _get_attr(self, path: list[Any]) -> str:
        assert path[0] in self.resources(), f"{path[0]} is not there under these conditions"
        return f"<{'.'.join(map(str, path))}>"

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

    def _str_replace(self, given: dict[str, Any]) -> str:
        (key,) = given["params"]
        value = self.resolve(given["params"][key])
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        return text.join(str(self.resolve(given["template"])).split(key))


def user_data(node: FakeHeatEngine) -> str:
    """The user data of ``node.yaml``: its CloudConfig as YAML, and what MultipartMime makes of it."""
    message = email.mime.multipart.MIMEMultipart()
    config = node.properties("settings")["cloud_config"]
    dumped = "#cloud-config\n" + yaml.dump(config, Dumper=_DUMPER)
    for part in node.properties("user_data")["parts"]:
        text = dumped if part["config"] == "<settings>" else part["config"]
        message.attach(email.mime.text.MIMEText(text, part["subtype"], _charset="us-ascii"))
    return message.as_string()
