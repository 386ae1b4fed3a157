"""What is particular to the templates of the Swarm drivers; what all drivers have is in ``test_every_template.py``."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnum.drivers.common.cluster_template import name_prefix
from magnum.drivers.contract import Facts, InvalidOption, Work
from magnum.drivers.heat.template import bundle
from magnum.tests.drivers import node_files, tree
from magnum.tests.drivers.heat_tree import FakeHeatTree, Server
from magnum.tests.drivers.heat_tree import tree as tree_of
from magnum.tests.unit.drivers.fakes import UUID
from magnum.tests.unit.drivers.hot import load

both = pytest.mark.parametrize("name", ["swarm_atomic_v1", "swarm_atomic_v2"])


def made(name: str, work: Work | None = None) -> FakeHeatTree:
    """The tree of stacks of a bay."""
    work = work or tree.work(name)
    return tree_of(tree.heat_driver(name).definition.launch(work))


def servers(found: FakeHeatTree) -> dict[str, Server]:
    """Its servers by their names without what all have in common."""
    shown = {str(one.properties["name"]): one for one in found.servers()}
    return {name.partition(f"-{UUID[:8]}-")[2]: one for name, one in shown.items()}


def told(server: Server) -> dict[str, Any]:
    """What is in a server's node.json."""
    return content(server, "/etc/magnum/node.json")


def content(server: Server, path: str) -> dict[str, Any]:
    """A file of JSON on a server."""
    found: dict[str, Any] = json.loads(node_files.read(server.user_data).files[path].text)
    return found


class NoSecrets:
    """Stands for secrets of which none may be asked for."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"it asks for {name}")


# --- what nodes are told ----------------------------------------------------------------------------


@both
def test_every_node_knows_who_it_is_and_where_the_masters_are(name: str) -> None:
    found = servers(made(name, tree.work(name, master={"node_count": 3}, worker={"node_count": 2})))
    assert found.keys() == {"master-0", "master-1", "master-2", "node-0", "node-1"}
    known = {key: told(one) for key, one in found.items()}
    (masters,) = {tuple(one["masters"]) for one in known.values()}
    assert len(masters) == 3
    for key, one in known.items():
        role, _, index = key.partition("-")
        assert (one["role"], one["index"]) == ({"node": "worker"}.get(role, role), int(index))
        assert one["name"].endswith(key)
        if role == "master":
            assert one["address"] == masters[int(index)]
        else:
            assert one["address"] not in masters
        assert one["api_addresses"][0] == one["address"]
        assert one["tls"] is True
        assert one["swarm_address_pool"] == "10.100.0.0/16"


@both
def test_a_balancer_is_in_every_masters_certificate(name: str) -> None:
    found = servers(made(name, tree.work(name, bay={"master_lb_enabled": True})))
    alone = servers(made(name))
    more = set(told(found["master-0"])["api_addresses"]) - set(
        told(alone["master-0"])["api_addresses"]
    )
    assert len(more) >= 2  # its own address, and its floating IP
    assert len(told(found["node-0"])["api_addresses"]) == len(
        told(alone["node-0"])["api_addresses"]
    )


@both
def test_without_tls_no_credential_is_made(name: str) -> None:
    work = tree.work(name, baymodel={"tls_disabled": True})
    found = servers(made(name, replace(work, secrets=NoSecrets())))
    assert told(found["master-0"])["tls"] is False
    assert content(found["master-0"], "/etc/magnum/credential.json") == {}


@both
def test_only_managers_of_version_2_are_drained(name: str) -> None:
    found = servers(made(name))
    drained = {key: told(one).get("managers_drained", False) for key, one in found.items()}
    assert set(drained.values()) == {name.endswith("v2")}


@both
def test_nodes_take_their_zones_in_turn(name: str) -> None:
    work = tree.work(name, master={"node_count": 3}, worker={"node_count": 3})
    site = {"masters": "a,b", "workers": "c"}
    found = servers(made(name, replace(work, bay=replace(work.bay, site=site))))
    zones = {key: one.properties["availability_zone"] for key, one in found.items()}
    assert [zones[f"master-{index}"] for index in range(3)] == ["a", "b", "a"]
    assert [zones[f"node-{index}"] for index in range(3)] == ["c"] * 3
    assert servers(made(name))["node-0"].properties["availability_zone"] is None


# --- who may talk to whom ---------------------------------------------------------------------------


def ports(name: str, groups: list[str]) -> set[int]:
    """The TCP ports that some security groups open to everybody."""
    template = load(bundle(f"magnum.drivers.{name}", "cluster.yaml").template)
    return {
        rule["port_range_min"]
        for group in groups
        for rule in template["resources"][group]["properties"]["rules"]
        if rule["protocol"] == "tcp" and "remote_mode" not in rule
        if isinstance(rule["port_range_min"], int)
    }


def test_what_is_open_to_everybody() -> None:
    first, second = "swarm_atomic_v1", "swarm_atomic_v2"
    assert ports(first, ["secgroup_nodes"]) == {22, 30000}
    assert ports(second, ["secgroup_nodes"]) == {22}
    assert ports(second, ["secgroup_services"]) == {30000}
    template = load(bundle(f"magnum.drivers.{second}", "cluster.yaml").template)["resources"]
    masters = template["master_ports"]["properties"]["resource_def"]["properties"]
    assert masters["security_groups"] == [
        {"get_resource": "secgroup_nodes"},
        {"get_resource": "secgroup_masters"},
    ]


# --- refusals ---------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"baymodel": {"image_id": None}}, "image_id"),
        ({"baymodel": {"external_network_id": None}}, "external_network_id"),
        ({"baymodel": {"network_driver": "flannel"}}, "flannel"),
        ({"baymodel": {"network_driver": "other"}}, "network_driver"),
        ({"baymodel": {"volume_driver": "rexray"}}, "rexray"),
        ({"baymodel": {"volume_driver": "cinder"}}, "volume_driver"),
        ({"bay": {"discovery_url": "http://d/1"}}, "discovery_url"),
        ({"bay": {"fixed_subnet": "s"}}, "fixed_network"),
        ({"bay": {"master_lb_enabled": True, "fixed_network": "n"}}, "fixed_subnet"),
        ({"bay": {"labels": {"node_timeout": "soon"}}}, "node_timeout"),
        ({"bay": {"labels": {"swarm_address_pool": "all"}}}, "swarm_address_pool"),
        ({"bay": {"labels": {"private_network_cidr": "here"}}}, "private_network_cidr"),
    ],
)
def test_what_cannot_be_built_is_refused_by_name(
    name: str, changes: dict[str, Any], word: str
) -> None:
    with pytest.raises(InvalidOption, match=word):
        made(name, tree.work(name, **changes))


@both
def test_what_old_clients_send_is_taken(name: str) -> None:
    work = tree.work(name, bay={"discovery_url": "none"}, baymodel={"network_driver": "docker"})
    assert servers(made(name, work))


# --- secrets, facts and names -----------------------------------------------------------------------


@both
def test_a_change_sends_no_secret_and_asks_for_none(name: str) -> None:
    work = replace(tree.work(name), secrets=NoSecrets())
    definition = tree.heat_driver(name).definition
    assert definition.changes(work).keys() == {
        *("master_count", "node_count", "nodes_to_remove", "node_groups", "node_group_count")
    }
    assert "nodes_to_remove" not in definition.lasting(work)


@both
@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("172.24.4.9", None, "tcp://172.24.4.9:2376"),
        ("2001:db8::1", 6000, "tcp://[2001:db8::1]:6000"),
        (None, None, None),
    ],
)
def test_api_address(name: str, host: str | None, port: int | None, url: str | None) -> None:
    work = tree.work(name, baymodel={"apiserver_port": port})
    facts: Facts = tree.heat_driver(name).definition.facts(work, "s1", {"api_address": host})
    assert facts.api_address == url
    # Not known: what is recorded stays.
    assert facts.node_groups["default-worker"].addresses is None


@given(st.one_of(st.none(), st.text(max_size=300)))
def test_names_of_servers_are_fit_for_hosts(name: str | None) -> None:
    prefix = name_prefix(name, UUID)
    assert re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", prefix)
    assert len(f"{prefix}-master-1000") <= 63
    assert UUID[:8] in prefix
