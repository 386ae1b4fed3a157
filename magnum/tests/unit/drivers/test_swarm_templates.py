"""The templates of swarm_atomic_v1: whole, consistent, and closed against hostile values."""

import email
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from magnum.drivers.contract import Bay, BayModel, InvalidOption, NotSupported, Work
from magnum.drivers.heat.search import Mark
from magnum.drivers.heat.template import bundle
from magnum.drivers.swarm_atomic_v1.driver import Driver
from magnum.drivers.swarm_atomic_v1.template_def import OPTIONS, name_prefix
from magnum.tests.unit.drivers.fakes import UUID, make_work
from magnum.tests.unit.drivers.hot import FakeHeatEngine, load, user_data

BUNDLE = bundle("magnum.drivers.swarm_atomic_v1", "cluster.yaml")
CLUSTER = load(BUNDLE.template)
NODE = load(BUNDLE.files["node.yaml"])
GROUPS = ("masters", "nodes")

#: What Nova takes of user data, before base64.
LONGEST_USER_DATA = 65535 * 3 // 4


def engines(work: Work, group: str = "masters") -> tuple[FakeHeatEngine, FakeHeatEngine]:
    """The cluster's template and one node's, with the parameters of a bay."""
    launch = Driver.definition.launch(work)
    cluster = FakeHeatEngine(launch.template, launch.files, launch.parameters)
    given = cluster.properties(group)["resource_def"]["properties"]
    return cluster, FakeHeatEngine(launch.files["node.yaml"], launch.files, given)


# --- parameters -----------------------------------------------------------------------------------


def test_what_the_definition_gives_is_what_the_template_declares() -> None:
    assert Driver.definition.parameters(make_work()).keys() == CLUSTER["parameters"].keys()


def test_what_the_groups_give_is_what_the_node_declares() -> None:
    for group in GROUPS:
        given = CLUSTER["resources"][group]["properties"]["resource_def"]["properties"]
        assert given.keys() == NODE["parameters"].keys()


@pytest.mark.parametrize("template", [CLUSTER, NODE], ids=["cluster", "node"])
def test_every_parameter_and_condition_is_used(template: dict[str, Any]) -> None:
    text = json.dumps({**template, "parameters": None}, default=str)
    for name in template["parameters"]:
        assert f'{{"get_param": "{name}"}}' in text, name
    for name in template["conditions"]:
        uses = text.replace(f'"{name}": {{', "")
        assert f'"{name}"' in uses, name


def test_what_may_change_is_declared() -> None:
    assert Driver.definition.mutable <= CLUSTER["parameters"].keys()


def test_what_may_change_does_not_reach_a_nodes_first_boot() -> None:
    """Otherwise scaling would write the user data of nodes that run anew."""
    one, many = (
        engines(make_work(worker={"node_count": count}, parameters={"nodes_to_remove": removed}))
        for count, removed in ((1, []), (5, ["x"]))
    )
    for resource in ("settings", "user_data", "server"):
        assert one[1].properties(resource) == many[1].properties(resource)


def test_options_have_the_defaults_of_the_template() -> None:
    for name, declared in OPTIONS.schema["properties"].items():
        assert declared["x-change"] in ("mutable", "replaces-nodes", "fixed")
        if "default" in declared:
            assert CLUSTER["parameters"][name]["default"] == declared["default"]
        allowed = [
            constraint["allowed_values"]
            for constraint in CLUSTER["parameters"][name].get("constraints", [])
            if "allowed_values" in constraint
        ]
        assert allowed == ([declared["enum"]] if "enum" in declared else [])


# --- every combination ----------------------------------------------------------------------------

SWITCHES = list(
    itertools.product(
        ["own network", "existing network", "existing subnet"],
        [False, True],  # load balancer
        [False, True],  # floating IPs
        [None, 5],  # volume
        [False, True],  # external network
    )
)


@pytest.mark.parametrize(("network", "balanced", "floating", "volume", "external"), SWITCHES)
def test_every_combination_is_refused_clearly_or_hangs_together(
    network: str, balanced: bool, floating: bool, volume: int | None, external: bool
) -> None:
    """What is referred to is there; what was not asked for is not."""
    work = make_work(
        bay={
            "master_lb_enabled": balanced,
            "floating_ip_enabled": floating,
            "fixed_network": None if network == "own network" else "net",
            "fixed_subnet": "sub" if network == "existing subnet" else None,
        },
        baymodel={"external_network_id": "public" if external else None},
        master={"docker_volume_size": volume},
    )
    if (floating and not external) or (balanced and network == "existing network"):
        with pytest.raises(InvalidOption, match=r"external|fixed_subnet"):
            Driver.definition.launch(work)
        return
    cluster, master = engines(work)
    for engine in (cluster, master):
        for name in engine.resources():
            if "properties" in engine.template["resources"][name]:
                engine.properties(name)
        engine.resolve(engine.template["outputs"])
    types = {resource["type"] for resource in cluster.resources().values()}
    types |= {resource["type"] for resource in master.resources().values()}
    assert ("OS::Neutron::Net" in types) == (network == "own network")
    assert ("OS::Neutron::Router" in types) == (network == "own network" and external)
    assert ("OS::Neutron::FloatingIP" in types) == floating
    assert ("OS::Octavia::LoadBalancer" in types) == balanced
    assert ("OS::Octavia::PoolMember" in types) == balanced
    assert ("OS::Cinder::Volume" in types) == (volume is not None)
    port = master.properties("port")
    expected = {"own network": "<private_subnet>", "existing subnet": "sub"}.get(network)
    assert port["fixed_ips"] == ([{"subnet": expected}] if expected else None)


def test_nodes_are_never_behind_the_balancer() -> None:
    _, node = engines(make_work(bay={"master_lb_enabled": True}), "nodes")
    assert "member" not in node.resources()


def test_only_masters_open_the_api() -> None:
    cluster, master = engines(make_work())
    _, node = engines(make_work(), "nodes")
    assert master.parameters["security_groups"] == ["<secgroup_nodes>", "<secgroup_masters>"]
    assert node.parameters["security_groups"] == ["<secgroup_nodes>"]
    (rule,) = cluster.properties("secgroup_masters")["rules"]
    assert rule == {"protocol": "tcp", "port_range_min": 2376, "port_range_max": 2376}


def test_the_groups_have_their_own_flavor_image_and_volume() -> None:
    work = make_work(
        master={"flavor_id": "big", "image_id": "m-image", "docker_volume_size": 7},
        worker={"flavor_id": "small"},
    )
    (_, master), (_, node) = engines(work), engines(work, "nodes")
    wanted = ("flavor", "image", "docker_volume_size")
    assert [master.parameters[name] for name in wanted] == ["big", "m-image", 7]
    assert [node.parameters[name] for name in wanted] == ["small", "atomic", 0]


def test_every_node_reports_after_its_server_was_made() -> None:
    waiting = NODE["resources"]["reported"]
    assert waiting["type"] == "OS::Heat::WaitCondition"
    assert waiting["depends_on"] == ["server"]
    assert waiting["properties"]["handle"] == {"get_resource": "report"}


def test_a_node_can_be_removed_by_its_servers_id() -> None:
    assert NODE["outputs"]["OS::stack_id"]["value"] == {"get_resource": "server"}
    (policy,) = CLUSTER["resources"]["nodes"]["properties"]["removal_policies"]
    assert policy == {"resource_list": {"get_param": "nodes_to_remove"}}


#: Types that have neither a name nor tags in their service, or go with what they are a part of.
NO_MARK = (
    "OS::Heat::",
    "AWS::CloudFormation::",
    "OS::Neutron::RouterInterface",
    "OS::Octavia::Listener",
    "OS::Octavia::Pool",
    "OS::Octavia::HealthMonitor",
    "OS::Cinder::VolumeAttachment",
    "node.yaml",
)


def test_everything_that_is_made_is_found_by_the_search_of_a_deletion() -> None:
    work = make_work(
        bay={"master_lb_enabled": True, "name": "Café"}, master={"docker_volume_size": 1}
    )
    marked = set()
    for engine in engines(work):
        for name, made in engine.resources().items():
            if made["type"].startswith(NO_MARK):
                continue
            properties = engine.properties(name)
            shown = {**properties, **properties.get("value_specs", {})}
            assert Mark(UUID).is_on(shown), name
            marked.add(made["type"])
    assert {kind.rpartition("::")[2] for kind in marked} == {
        *("Net", "Subnet", "Router", "Port", "FloatingIP", "SecurityGroup"),
        *("Server", "ServerGroup", "Volume", "LoadBalancer"),
    }
    cluster, _ = engines(work)
    assert UUID[:8] in cluster.parameters["name_prefix"]  # by which Nova is asked for servers


def test_proxies_may_hold_a_password_and_are_hidden() -> None:
    for name in ("http_proxy", "https_proxy"):
        assert CLUSTER["parameters"][name]["hidden"] is True
    assert NODE["parameters"]["options"]["hidden"] is True


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"baymodel": {"image_id": None}}, "image_id"),
        ({"baymodel": {"external_network_id": None}}, "external_network_id"),
        ({"bay": {"fixed_subnet": "s"}}, "fixed_network"),
        ({"bay": {"labels": {"node_timeout": "soon"}}}, "node_timeout"),
        ({"bay": {"labels": {"node_timeout": "1"}}}, "node_timeout"),
        ({"bay": {"labels": {"nodes_affinity_policy": "none"}}}, "nodes_affinity_policy"),
        ({"bay": {"labels": {"private_network_cidr": "here"}}}, "private_network_cidr"),
    ],
)
def test_what_cannot_be_built_is_refused_by_name(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(InvalidOption, match=word):
        Driver.definition.launch(make_work(**changes))


def test_more_node_groups_are_refused() -> None:
    work = make_work()
    extra = replace(work.node_groups[1], name="gpu", is_default=False)
    with pytest.raises(NotSupported):
        Driver.definition.launch(replace(work, node_groups=(*work.node_groups, extra)))


# --- outputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("172.24.4.9", None, "tcp://172.24.4.9:2376"),
        ("2001:db8::1", 6000, "tcp://[2001:db8::1]:6000"),
        (None, None, None),
    ],
)
def test_api_address(host: str | None, port: int | None, url: str | None) -> None:
    work = make_work(baymodel={"apiserver_port": port})
    facts = Driver.definition.facts(work, "s1", {"api_address": host})
    assert facts.api_address == url
    assert (
        facts.node_groups["default-worker"].addresses is None
    )  # not known: what is recorded stays


def test_every_output_that_is_read_is_there() -> None:
    asked: set[str] = set()

    class Recording(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            asked.add(key)
            return default

    Driver.definition.facts(make_work(), "s1", Recording())
    assert asked <= CLUSTER["outputs"].keys()


# --- hostile values -------------------------------------------------------------------------------

NASTY = (
    '"', "'", "`id`", "$(touch /tmp/x)", "${HOME}", "\n", "\r\n", "\\", "\\n", "%s", "%%", "%i",
    "\n- path: /etc/passwd\n  content: x", ": {", "}]", "#", "&a", "*a", "!!python/object", "|", ">",
    "--==boundary==", "#!/bin/sh", "JSON", "URL", "%index-in-group%", "{get_param: bay_uuid}",
    'WAIT_SIGNAL_URL="http://evil"', "\u2028", "é", "\x00", "\x7f", "\U0001f600", " ", "\t",
)  # fmt: skip

hostile = (
    st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=8)), min_size=1, max_size=6)
    .map("".join)
    .filter(bool)
)


def of(kind: type, *free: str) -> st.SearchStrategy[dict[str, str]]:
    """Hostile values for every field of text, but for the ``free`` ones."""
    hints = get_type_hints(kind)
    names = [
        field.name
        for field in fields(kind)
        if hints[field.name] in (str, str | None) and field.name not in free
    ]
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, hostile))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(of(Bay, "uuid", "stack_id"), of(BayModel, "uuid", "coe", "server_type"), hostile)
def test_hostile_values_stay_values(
    bay: dict[str, str], model: dict[str, str], volume_type: str
) -> None:
    model = {"external_network_id": "x", "image_id": "y", **model}
    bay = {"fixed_network": "n", "fixed_subnet": "s", "name": "b", "project_id": "p", **bay}
    work = make_work(
        bay={**bay, "labels": {"docker_volume_type": volume_type}},
        baymodel=model,
        master={"docker_volume_size": 1},
    )
    launch = Driver.definition.launch(work)

    # Texts are the files as they are on disk: nothing was put into them.
    assert (launch.template, launch.files) == (BUNDLE.template, BUNDLE.files)
    assert launch.environment == {}
    assert json.loads(json.dumps(launch.parameters)) == launch.parameters

    # On the node the same values come out of the JSON, and nothing else changed.
    for group in GROUPS:
        _, node = engines(work, group)
        _check_user_data(user_data(node), node, bay, model)


def _check_user_data(
    text: str, node: FakeHeatEngine, bay: Mapping[str, str], model: Mapping[str, str]
) -> None:
    cloud, script = (
        (part.get_content_type(), str(part.get_payload()))
        for part in email.message_from_string(text).walk()
        if not part.is_multipart()
    )
    assert script == ("text/x-shellscript", BUNDLE.files["common/run-steps"])
    assert cloud[0] == "text/cloud-config"
    config = load(cloud[1])
    assert config.keys() == {"ssh_authorized_keys", "write_files"}
    key = bay.get("ssh_public_key")
    assert config["ssh_authorized_keys"] == ([key] if key else [])

    files = {item["path"]: item for item in config["write_files"]}
    assert len(files) == len(config["write_files"])
    assert files["/etc/sysconfig/heat-params"]["content"] == 'WAIT_SIGNAL_URL="<report>"\n'
    told = json.loads(files["/etc/magnum/node.json"]["content"])
    for name in ("http_proxy", "https_proxy", "no_proxy", "insecure_registry"):
        assert told[name] == model.get(name, "")
    assert told["docker_storage_driver"] == model.get("docker_storage_driver", "")
    assert told["name"] == node.parameters["name"]
    assert told["bay_uuid"] == UUID
    for path, item in files.items():
        if path.startswith("/opt/magnum/"):
            assert item["content"] in BUNDLE.files.values()


def test_user_data_has_room_to_grow() -> None:
    long = "x" * 255
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "no_proxy"), long)
    work = make_work(
        bay={"ssh_public_key": "ssh-rsa " + "A" * 720},
        baymodel=proxies | {"insecure_registry": long},
    )
    assert len(user_data(engines(work)[1])) < LONGEST_USER_DATA // 2


@given(st.one_of(st.none(), hostile, st.text(max_size=300)))
def test_names_of_servers_are_fit_for_hosts(name: str | None) -> None:
    prefix = name_prefix(name, UUID)
    (constraint,) = CLUSTER["parameters"]["name_prefix"]["constraints"]
    assert re.fullmatch(constraint["allowed_pattern"], prefix)
    assert len(f"{prefix}-master-1000") <= 63
    assert UUID[:8] in prefix
