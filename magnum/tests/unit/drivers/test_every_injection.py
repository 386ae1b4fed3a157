"""Hostile values in every text that people choose, for every driver: on nodes they are the same texts, nothing else.

A value is never put into a script, a unit or YAML: what is on the node is a file of the repository as it is, or data
in JSON, whose texts are the values themselves. Each hostile value carries a token, so that it is found wherever it
went. How the steps handle the data is tried by running them: ``test_node_scripts.py`` and the drivers' own tests.
"""

import base64
import gzip
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from magnum.drivers.common.options import Options
from magnum.drivers.contract import Bay, BayModel, InvalidOption, NotSupported
from magnum.drivers.heat.template import bundle
from magnum.tests.drivers import node_files, tree
from magnum.tests.drivers.heat_tree import FakeHeatTree
from magnum.tests.drivers.heat_tree import tree as tree_of
from magnum.tests.drivers.node_files import CLOUD_CONFIG, IGNITION, SHELL

NASTY = (
    '"', "'", "`id`", "$(touch /tmp/x)", "${HOME}", "\n", "\r\n", "\\", "\\n", "%s", "%%", "%i",
    "\n- path: /etc/passwd\n  content: x", ": {", "}]", "#", "&a", "*a", "!!python/object", "|", ">",
    "--==boundary==", "#!/bin/sh", "JSON", "URL", "%index%", "{get_param: bay_uuid}", "$signed",
    '{"get_param": "bay_uuid"}', 'WAIT_SIGNAL_URL="http://evil"', "\u2028", "é", "\x00", "\x7f", "\x1b[2J",
    "\U0001f600", " ", "\t", ",", "EOF\n", "PYTHON\n", "';DROP", "../../etc", "@", "=", "\ufeff", "null", "0x10",
)  # fmt: skip
hostile = (
    st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=8)), min_size=1, max_size=6)
    .map("".join)
    .filter(bool)
)
#: Not what people choose, or what decides which driver it is.
NOT_CHOSEN = {"uuid", "project_id", "stack_id", "api_address", "driver_version", "template_version"}
NOT_CHOSEN |= {"coe", "server_type", "cluster_distro"}
#: Bays on which different things are told to nodes.
BAYS: tuple[dict[str, dict[str, Any]], ...] = (
    {"bay": {"fixed_network": "n", "fixed_subnet": "s"}},
    {"master": {"docker_volume_size": 3}, "worker": {"docker_volume_size": 3}},
    {"baymodel": {"tls_disabled": True}},
    {"baymodel": {"registry_enabled": True}},
)

with_heat = pytest.mark.parametrize("name", tree.HEAT)
Field = tuple[str, str]


def chosen() -> list[Field]:
    """Every attribute of a bay, a baymodel and a node group that is a text."""
    kinds = (("bay", Bay), ("baymodel", BayModel))
    found = [
        (part, one.name)
        for part, kind in kinds
        for one in fields(kind)
        if get_type_hints(kind)[one.name] in (str, str | None) and one.name not in NOT_CHOSEN
    ]
    groups = [(part, name) for part in ("master", "worker") for name in ("flavor_id", "image_id")]
    return [*found, *groups]


def changes(values: Mapping[Field, str], before: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Arguments of :func:`tree.work` with the values set; labels go by ("label", name)."""
    found: dict[str, dict[str, Any]] = {part: dict(given) for part, given in before.items()}
    for (part, name), value in values.items():
        if part == "label":
            found.setdefault("bay", {}).setdefault("labels", {})[name] = value
        else:
            found.setdefault(part, {})[name] = value
    return found


def build(
    name: str, values: Mapping[Field, str], before: Mapping[str, dict[str, Any]]
) -> FakeHeatTree:
    """The tree of a bay with the values. What the driver refuses is raised."""
    made = tree.work(name, **changes(values, before))
    launch = tree.heat_driver(name).definition.launch(made)
    kept = bundle(f"magnum.drivers.{name}", tree.heat_driver(name).definition.main)
    assert launch.template == kept.template
    assert {file: unpacked(text) for file, text in launch.files.items()} == kept.files
    assert json.loads(json.dumps(launch.parameters)) == launch.parameters
    return tree_of(launch)


def taken(
    name: str, values: Mapping[Field, str], before: Mapping[str, dict[str, Any]]
) -> dict[Field, str]:
    """Those of the values that the driver does not refuse."""
    found: dict[Field, str] = {}
    for field, value in values.items():
        try:
            made = tree.work(name, **changes({field: value}, before))
            tree.heat_driver(name).definition.launch(made)
        except (InvalidOption, NotSupported):
            continue
        found[field] = value
    return found


def unpacked(text: str) -> str:
    """A file as it is in the repository; long ones are sent compressed."""
    if not re.fullmatch(r"H4sI[A-Za-z0-9+/]+=*", text):
        return text
    return gzip.decompress(base64.b64decode(text)).decode()


def texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def skeleton(value: Any) -> Any:
    """A value without its texts: keys, lengths of lists, types."""
    if isinstance(value, Mapping):
        return {key: skeleton(inner) for key, inner in value.items()}
    return [skeleton(inner) for inner in value] if isinstance(value, list) else type(value)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=st.sampled_from(BAYS), drawn=st.lists(hostile, min_size=12, max_size=12))
@with_heat
def test_hostile_values_stay_values(
    name: str, before: dict[str, dict[str, Any]], drawn: list[str]
) -> None:
    labels = [
        ("label", option) for option in Options(f"magnum.drivers.{name}").schema["properties"]
    ]
    named = [*chosen(), *labels]
    tokens = [f"tOk{index:03}" for index in range(len(named))]
    tried = zip(named, tokens, itertools.cycle(drawn))
    try:
        build(name, {}, before)
    except (InvalidOption, NotSupported):
        return  # the driver has no such bays
    values = taken(name, {field: token + text + token for field, token, text in tried}, before)
    harmless = {field: re.sub(r"[^tOk0-9,]", "x", value) for field, value in values.items()}
    attacked, plain = build(name, values, before), build(name, harmless, before)
    for one, other in zip(attacked.servers(), plain.servers(), strict=True):
        check(one.user_data, other.user_data, attacked.files, values)


def check(
    user_data: str, harmless: str, shipped: Mapping[str, str], values: Mapping[Field, str]
) -> None:
    """One node: it has the same files as with harmless values, and the values are only in data."""
    node, other = node_files.read(user_data), node_files.read(harmless)
    assert [kind for kind, _ in node.parts] == [kind for kind, _ in other.parts]
    assert {path: file.mode for path, file in node.files.items()} == {
        path: file.mode for path, file in other.files.items()
    }
    assert skeleton(list(node.configs)) == skeleton(list(other.configs))
    ours = {unpacked(text) for text in shipped.values()}
    for kind, text in node.parts:
        assert kind in (CLOUD_CONFIG, IGNITION) or (kind == SHELL and text in ours)
    for path, file in node.files.items():
        if file.text in ours:
            continue
        if file.text == other.files[path].text:  # the same whatever is chosen
            continue
        told, expected = json.loads(file.text), json.loads(other.files[path].text)
        assert skeleton(told) == skeleton(expected), path
        no_others(told, values, path)
    for config in node.configs:
        outside = {key: value for key, value in config.items() if key not in FILES}
        no_others(outside, values, "user data")


#: Where user data has the files, which are looked at by themselves.
FILES = {"write_files", "storage", "systemd"}


def no_others(told: Any, values: Mapping[Field, str], where: str) -> None:
    """Every text with a token in it is the value that has the token, or a part of it between commas."""
    known = {value[:6]: value for value in values.values()}
    for text in texts(told):
        for token in set(re.findall(r"tOk\d{3}", text)):
            value = known[token]
            parts = [part.strip() for part in value.split(",")]
            whole = (value, ",".join(parts))
            assert text in whole or text in parts, f"{where}: {text!r} is not {value!r}"


#: What nodes are told, as ``node.json`` has it under the same name.
TOLD = ("http_proxy", "https_proxy", "no_proxy", "insecure_registry")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(given_values=st.fixed_dictionaries({("baymodel", field): hostile for field in TOLD}))
@with_heat
def test_what_nodes_are_told_is_exactly_what_people_wrote(
    name: str, given_values: dict[Field, str]
) -> None:
    values = taken(name, given_values, {})
    for server in build(name, values, {}).servers():
        told = json.loads(node_files.read(server.user_data).files["/etc/magnum/node.json"].text)
        for (_, field), value in values.items():
            assert told[field] == value


@with_heat
def test_the_index_of_a_group_is_not_put_into_what_people_wrote(name: str) -> None:
    """Heat replaces its own text for the index wherever it stands, and so it is one that nobody can guess."""
    text = "http://proxy/%index%"
    found = build(name, {("baymodel", "http_proxy"): text}, {})
    for server in found.servers():
        told = json.loads(node_files.read(server.user_data).files["/etc/magnum/node.json"].text)
        assert told["http_proxy"] == text
    for stack in found.stacks():
        for resource, declared in stack.template["resources"].items():
            if declared["type"] == "OS::Heat::ResourceGroup":
                properties = stack.properties(resource)
                holds_people_s = any(text in leaf for leaf in texts(properties["resource_def"]))
                assert not holds_people_s or tree.UUID in properties.get("index_var", ""), resource
