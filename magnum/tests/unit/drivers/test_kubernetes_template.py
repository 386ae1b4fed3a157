"""What the Kubernetes drivers refuse, what they keep secret, and that their three templates stay alike."""

import base64
import gzip
from dataclasses import replace
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from magnum.drivers.contract import InvalidOption
from magnum.drivers.heat.template import bundle
from magnum.tests.drivers import node_files, tree
from magnum.tests.drivers.heat_tree import tree as tree_of

NAMES = ["k8s_fedora_v1", "k8s_coreos_v1", "k8s_fedora_ironic_v1"]
#: Bytes of user data, before base64, that Nova takes.
LIMIT = 65535 // 4 * 3

each = pytest.mark.parametrize("name", NAMES)


def launch(name: str, labels: dict[str, str] | None = None, **changes: Any) -> Any:
    bay = {**changes.pop("bay", {}), "labels": labels or {}}
    return tree.heat_driver(name).definition.launch(tree.work(name, bay=bay, **changes))


@each
@pytest.mark.parametrize(
    ("labels", "changes", "kind", "word"),
    [
        ({}, {"baymodel": {"tls_disabled": True}}, InvalidOption, "tls_disabled"),
        ({}, {"baymodel": {"registry_enabled": True}}, InvalidOption, "registry_enabled"),
        ({}, {"bay": {"discovery_url": "http://x"}}, InvalidOption, "discovery_url"),
        ({}, {"master": {"node_count": 2}}, InvalidOption, "odd number"),
        ({}, {"baymodel": {"volume_driver": "cinder"}}, InvalidOption, "cloud_provider_enabled"),
        ({}, {"baymodel": {"network_driver": "cilium"}}, InvalidOption, "network_driver"),
        ({}, {"baymodel": {"docker_storage_driver": "devicemapper"}}, InvalidOption, "containerd"),
        ({"kube_tag": "v1.24.0", "container_runtime": "docker"}, {}, InvalidOption, "v1.23"),
        ({"kube_url": "https://example.com/k"}, {}, InvalidOption, "kube_sha256"),
        ({"etcd_sha256": "a" * 64}, {}, InvalidOption, "etcd_url"),
        ({"cni_url": "https://example.com/k"}, {}, InvalidOption, "cni_sha256"),
        ({"pods_network_cidr": "10.254.128.0/17"}, {}, InvalidOption, "overlap"),
        ({"pods_network_cidr": "10.244.0.1/16"}, {}, InvalidOption, "not a network"),
        ({"service_cluster_ip_range": "10.1.0.0/29"}, {}, InvalidOption, "too few"),
        ({"dns_service_ip": "10.0.0.10"}, {}, InvalidOption, "dns_service_ip"),
        ({"dns_service_ip": "10.254.0.999"}, {}, InvalidOption, "dns_service_ip"),
        ({"network_manifest": "https://example.com/x"}, {}, InvalidOption, "network_manifest"),
        ({"addon_manifests": "/a.yaml,$(id)"}, {}, InvalidOption, "addon_manifests"),
        ({"pause_image": "a b"}, {}, InvalidOption, "pause_image"),
    ],
)
def test_what_cannot_be_built_is_refused_in_words(
    name: str, labels: dict[str, str], changes: dict[str, Any], kind: type[Exception], word: str
) -> None:
    with pytest.raises(kind) as raised:
        launch(name, labels, **changes)
    assert word in str(raised.value)


@each
def test_no_discovery_is_needed_and_none_may_be_said(name: str) -> None:
    launch(name, bay={"discovery_url": "none"})


def test_bare_metal_has_no_volumes_and_no_default_flavor() -> None:
    name = "k8s_fedora_ironic_v1"
    with pytest.raises(InvalidOption, match="docker_volume_size"):
        launch(name, worker={"docker_volume_size": 3})
    with pytest.raises(InvalidOption, match="flavor_id"):
        launch(name, master={"flavor_id": None})


def test_bare_metal_is_in_as_many_networks_as_are_named() -> None:
    found = tree_of(launch("k8s_fedora_ironic_v1", {"extra_networks": "storage,\"x': y"}))
    for server in found.servers():
        _, *others = server.properties["networks"]
        assert others == [{"network": "storage"}, {"network": "\"x': y"}]
    kinds = {kind for _, kind, _ in found.everything()}
    assert not any("Cinder" in kind or "ServerGroup" in kind for kind in kinds)
    assert not any(
        "allowed_address_pairs" in given for _, kind, given in found.everything() if "Port" in kind
    )


@each
def test_the_network_driver_chooses_the_manifest(name: str) -> None:
    def manifest(labels: dict[str, str], driver: str | None) -> str | None:
        given = launch(name, labels, baymodel={"network_driver": driver}).parameters
        found: str | None = given.get("network_manifest")
        return found

    assert manifest({}, None) == manifest({}, "flannel")
    assert manifest({}, "calico") == "/usr/share/magnum/kubernetes/calico.yaml"
    assert manifest({"network_manifest": "/x.yaml"}, "calico") == "/x.yaml"
    assert manifest({"pods_network": "bridge"}, "calico") is None


@each
def test_pods_on_bridges_may_send_through_ports(name: str) -> None:
    def pairs(network: str) -> list[Any]:
        found = tree_of(launch(name, {"pods_network": network})).everything()
        return [
            given["allowed_address_pairs"]
            for _, kind, given in found
            if kind == "OS::Neutron::Port" and given.get("allowed_address_pairs")
        ]

    assert pairs("overlay") == []
    expected = [] if "ironic" in name else [[{"ip_address": "10.244.0.0/16"}]] * 2
    assert pairs("bridge") == expected


@each
def test_only_masters_get_the_key_of_service_accounts(name: str) -> None:
    made = launch(name)
    key = made.parameters["service_account_key"]
    assert load_pem_private_key(key.encode(), None) is not None
    for server in tree_of(made).servers():
        told = node_files.read(server.user_data).files["/etc/magnum/node.json"]
        assert ("service_account_key" in told.text) == ("-master-" in server.properties["name"])


@each
def test_an_update_sends_no_secret_and_keeps_the_masters(name: str) -> None:
    definition = tree.heat_driver(name).definition
    groups = {"node_groups", "node_group_count"} if definition.grouped else set()
    changes = definition.changes(tree.work(name)).keys()
    assert changes == {"node_count", "nodes_to_remove"} | groups


@each
def test_the_key_stays_the_same(name: str) -> None:
    definition, work = tree.heat_driver(name).definition, tree.work(name)
    first = definition.launch(work).parameters["service_account_key"]
    assert definition.launch(replace(work, attempt=2)).parameters["service_account_key"] == first


@each
def test_user_data_of_a_large_bay_fits_into_nova(name: str) -> None:
    """Everything that can be long is."""
    labels = {
        "kube_url": "https://example.com/" + "k" * 900,
        "kube_sha256": "a" * 64,
        "addon_manifests": ",".join(f"/usr/share/{'m' * 200}{index}.yaml" for index in range(20)),
    }
    proxies = {"http_proxy": "http://p/" + "x" * 240, "no_proxy": "10.0.0.0/8," * 23}
    made = launch(
        name,
        labels,
        baymodel=proxies,
        master={"node_count": 7},
        bay={"master_lb_enabled": True},
    )
    for server in tree_of(made).servers():
        assert len(server.user_data.encode()) < LIMIT


@each
def test_scripts_are_sent_compressed_and_whole(name: str) -> None:
    sent, kept = launch(name).files, bundle(f"magnum.drivers.{name}", "cluster.yaml").files
    script = "common/kubernetes/settings"
    assert gzip.decompress(base64.b64decode(sent[script])).decode() == kept[script]


def test_the_templates_of_the_three_drivers_are_alike() -> None:
    """They differ where machines do, and in more groups of nodes, which only the first one has."""
    fedora, coreos, ironic = (
        yaml.safe_load(bundle(f"magnum.drivers.{name}", "cluster.yaml").template) for name in NAMES
    )
    more = {"node_groups", "node_group_count"}
    assert more < fedora["parameters"].keys()
    for parameter in more:
        del fedora["parameters"][parameter]
    del fedora["resources"]["groups"], fedora["outputs"]["node_groups"]
    assert fedora["parameters"] == coreos["parameters"]
    assert fedora["outputs"] == coreos["outputs"] == ironic["outputs"]
    assert fedora["resources"].keys() == coreos["resources"].keys()
    assert fedora["parameters"].keys() - ironic["parameters"].keys() == {
        *("nodes_affinity_policy", "docker_volume_type"),
        *("master_docker_volume_size", "node_docker_volume_size"),
    }
    assert ironic["parameters"].keys() - fedora["parameters"].keys() == {"extra_networks"}
