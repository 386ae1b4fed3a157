"""Previews of updates: which nested stacks Heat is asked about, with what, and what is told of those it is not."""

from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from heatclient import exc as heat

from magnum.drivers.contract import BuildError, CloudUnavailable
from magnum.drivers.heat.preview import Asked, Previewer
from magnum.drivers.heat.stack import Launch

GROUP, SERVER = "OS::Heat::ResourceGroup", "OS::Nova::Server"
TEMPLATE: dict[str, Any] = yaml.safe_load("""
resources:
  fixed: {type: OS::Heat::RandomString}
  network:
    type: network.yaml
    properties: {dns: {get_param: dns}}
  others:
    type: OS::Heat::ResourceGroup
    properties: {count: {get_param: others}, resource_def: {type: node.yaml}}
  ports:
    type: OS::Heat::ResourceGroup
    properties:
      count: 1
      resource_def: {type: OS::Neutron::Port, properties: {name: {get_param: prefix}}}
  workers:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: n}
      removal_policies: [{resource_list: {get_param: going}}]
      resource_def:
        type: node.yaml
        properties:
          flavor: {get_param: flavor}
          name: {list_join: ["-", [{get_param: prefix}, node]]}
""")
FILES = {"node.yaml": "resources: {server: {}}", "network.yaml": "resources: {net: {}}"}
#: What there is: name, type, id, and the stack that it is in.
RESOURCES = (
    ("fixed", "OS::Heat::RandomString", "r1", "root"),
    ("network", "network.yaml", "network-id", "root"),
    ("net", "OS::Neutron::Net", "net1", "network-id"),
    ("others", GROUP, "others-id", "root"),
    ("ports", GROUP, "ports-id", "root"),
    ("0", "OS::Neutron::Port", "port1", "ports-id"),
    ("workers", GROUP, "group-id", "root"),
    ("0", "node.yaml", "node0-id", "group-id"),
    ("2", "node.yaml", "node2-id", "group-id"),
    ("server", SERVER, "s0", "node0-id"),
    ("server", SERVER, "s2", "node2-id"),
)
PRESENT = {
    "n": "2",
    "others": "0",
    "flavor": "small",
    "dns": "8.8.8.8",
    "prefix": "bay",
    "key": "******",
}
#: Heat's word on the whole stack: it counts every nested stack as updated.
TOP = {
    "unchanged": [("fixed", "OS::Heat::RandomString")],
    "updated": [
        ("network", "network.yaml"),
        *((group, GROUP) for group in ("others", "ports", "workers")),
    ],
}


def listed(name: str, kind: str, ident: str, owner: str) -> Any:
    links = [{"rel": "stack", "href": f"http://heat/stacks/x/{owner}"}]
    named = {"resource_name": name, "resource_type": kind, "physical_resource_id": ident}
    return SimpleNamespace(_info={**named, "links": links})


class FakePreviewClient:
    """Answers previews of stacks by their names as the test laid down, and keeps what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"bay/root": TOP, **{f"{k}-id": v for k, v in answers.items()}}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.stacks = self.resources = self

    def list(self, url: str, nested_depth: int) -> Any:
        assert (url, nested_depth) == ("bay/root", 5)
        return [listed(*one) for one in RESOURCES]

    def template(self, url: str) -> Any:
        return TEMPLATE

    def files(self, url: str) -> Any:
        return FILES

    def preview_update(self, url: str, existing: bool, parameters: Any, **more: Any) -> Any:
        assert existing
        self.asked.append((url, parameters))
        found = self.answers[url]
        if not isinstance(found, dict):
            return found
        return {
            "resource_changes": {
                kind: [{"resource_name": name, "resource_type": type_} for name, type_ in one]
                for kind, one in found.items()
            }
        }


def told(client: Any, asked: Asked, kinds: str = "added deleted replaced updated") -> list[str]:
    preview = Previewer(client, "bay", "root").preview(asked, PRESENT)
    return [f"{one.kind} {one.resource}" for one in preview.changes if one.kind in kinds.split()]


def test_what_no_change_reaches_stays_and_is_not_asked_about() -> None:
    client = FakePreviewClient()
    same = Asked({"n": 2, "flavor": "small", "key": "s3cr3t"})
    assert told(client, same) == []
    assert told(client, same, "unchanged") == [
        *("unchanged fixed", "unchanged network", "unchanged network / net"),
        *("unchanged others", "unchanged ports", "unchanged ports / 0", "unchanged workers"),
        *("unchanged workers / 0", "unchanged workers / 0 / server"),
        *("unchanged workers / 2", "unchanged workers / 2 / server"),
    ]
    assert client.asked == [("bay/root", {})] * 2


def test_one_node_is_asked_about_for_all_and_shows_in_all_around_it() -> None:
    client = FakePreviewClient(node0={"replaced": [("server", SERVER)]})
    assert told(client, Asked({"flavor": "large"})) == [
        "updated workers",
        *("updated workers / 0", "replaced workers / 0 / server"),
        *("updated workers / 2", "replaced workers / 2 / server"),
    ]
    assert client.asked == [
        ("bay/root", {"flavor": "large"}),
        ("node0-id", {"flavor": "large"}),
    ]


def test_a_change_that_comes_to_nothing_inside_is_none() -> None:
    client = FakePreviewClient(network={"unchanged": [("net", "OS::Neutron::Net")]})
    assert told(client, Asked({"dns": "1.1.1.1"})) == []
    assert client.asked[1] == ("network-id", {"dns": "1.1.1.1"})


def test_the_first_members_of_a_group_are_added() -> None:
    assert told(FakePreviewClient(), Asked({"others": 1})) == ["updated others", "added others / 0"]


def test_nodes_that_come_are_numbered_on() -> None:
    client = FakePreviewClient()
    assert told(client, Asked({"n": 4})) == [
        "updated workers",
        "added workers / 3",
        "added workers / 4",
    ]


@pytest.mark.parametrize(
    ("going", "name"), [([], "2"), (["0"], "0"), (["node0-id"], "0"), (["nothing"], "2")]
)
def test_the_nodes_that_go_are_the_named_ones_or_the_last(going: list[str], name: str) -> None:
    assert told(FakePreviewClient(), Asked({"n": 1, "going": going})) == [
        "updated workers",
        f"deleted workers / {name}",
        f"deleted workers / {name} / server",
    ]


def test_a_named_node_is_replaced_by_another_where_the_number_stays() -> None:
    assert told(FakePreviewClient(), Asked({"n": 2, "going": ["0"]})) == [
        "updated workers",
        *("deleted workers / 0", "deleted workers / 0 / server"),
        "added workers / 3",
    ]


def test_where_it_cannot_be_told_what_changes_inside_the_whole_is_said_to() -> None:
    """The name of a node is made from a parameter; what becomes of it only Heat could work out."""
    assert told(FakePreviewClient(), Asked({"prefix": "other"})) == [
        *("updated ports", "updated ports / 0"),
        *("updated workers", "updated workers / 0", "updated workers / 2"),
    ]


def test_what_is_replaced_takes_all_that_is_in_it_along() -> None:
    client = FakePreviewClient()
    client.answers["bay/root"] = {"replaced": [("network", "network.yaml")]}
    assert told(client, Asked({})) == ["replaced network", "replaced network / net"]


def test_another_template_is_tried_on_every_stack_that_it_changes() -> None:
    files = {**FILES, "network.yaml": "resources: {net: {}, more: {}}"}
    launch = Launch(yaml.safe_dump(TEMPLATE), files, {"n": 2}, {})
    client = FakePreviewClient(network={"added": [("more", "OS::Neutron::Net")]})
    assert told(client, Asked(launch.parameters, launch)) == [
        "updated network",
        "added network / more",
    ]
    assert [url for url, _ in client.asked] == ["bay/root", "network-id"]


def test_what_heat_refuses_is_told() -> None:
    class Refusing(FakePreviewClient):
        def preview_update(self, url: str, existing: bool, parameters: Any, **more: Any) -> Any:
            raise heat.HTTPBadRequest("no")

    with pytest.raises(BuildError):
        told(Refusing(), Asked({"n": "many"}))


@pytest.mark.parametrize("rubbish", [None, [], "x", {"resource_changes": ["x"]}])
def test_rubbish_is_told_as_such(rubbish: Any) -> None:
    client = FakePreviewClient()
    client.answers["bay/root"] = [rubbish]
    with pytest.raises(CloudUnavailable, match="previewing the update"):
        told(client, Asked({}))
