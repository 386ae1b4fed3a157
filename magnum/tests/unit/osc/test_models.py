"""``openstack bay model ...`` and ``openstack bay driver ...``"""

import pytest

from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.tests.unit.osc.osc import Osc

CREATE = ("bay", "model", "create")


def test_everything_that_is_said_of_a_new_model_arrives(osc: Osc) -> None:
    made = osc.json(
        *(*CREATE, "full", "--coe", "swarm", "--image", "i", "--keypair", "k", "--flavor", "f"),
        *("--master-flavor", "m", "--external-network", "e", "--fixed-network", "n"),
        *("--fixed-subnet", "s", "--dns-nameserver", "8.8.8.8", "--network-driver", "docker"),
        *("--docker-volume-size", "5", "--docker-storage-driver", "overlay2"),
        *("--apiserver-port", "6443", "--distro", "fedora-atomic", "--server-type", "vm"),
        *("--http-proxy", "http://p", "--https-proxy", "https://p", "--no-proxy", "10.0.0.1"),
        *("--insecure-registry", "r:5000", "--tags", "a,b", "--registry", "--tls-disabled"),
        *("--master-lb", "--no-floating-ip", "--label", "x=y"),
    )
    expected = {
        "coe": "swarm",
        "image_id": "i",
        "keypair_id": "k",
        "flavor_id": "f",
        "master_flavor_id": "m",
        "external_network_id": "e",
        "fixed_network": "n",
        "fixed_subnet": "s",
        "dns_nameserver": "8.8.8.8",
        "network_driver": "docker",
        "docker_volume_size": 5,
        "docker_storage_driver": "overlay2",
        "apiserver_port": 6443,
        "cluster_distro": "fedora-atomic",
        "server_type": "vm",
        "http_proxy": "http://p",
        "https_proxy": "https://p",
        "no_proxy": "10.0.0.1",
        "insecure_registry": "r:5000",
        "tags": "a,b",
        "registry_enabled": True,
        "tls_disabled": True,
        "master_lb_enabled": True,
        "floating_ip_enabled": False,
        "labels": {"x": "y"},
    }
    assert {name: made[name] for name in expected} == expected
    assert osc.json("bay", "model", "show", "full") == made


@pytest.mark.parametrize("chosen", [("--driver", "noop_v1"), ("--coe", "noop")])
def test_options_are_typed_whether_the_driver_is_named_or_found(
    osc: Osc, chosen: tuple[str, str]
) -> None:
    made = osc.json(*CREATE, "m", "--image", "i", *chosen, "--option", "noop_delay=3")
    assert made["options"] == {"noop_delay": 3}
    changed = osc.json("bay", "model", "set", "m", "--option", "noop_delay=4", "--label", "a=b")
    assert changed["options"] == {"noop_delay": 4}
    assert changed["labels"]["a"] == "b"
    left = osc.json("bay", "model", "unset", "m", "--option", "noop_delay", "--label", "a")
    assert left["labels"] == {}


def test_attributes_change_and_go(osc: Osc) -> None:
    osc(*CREATE, "m", "--image", "i", "--driver", "noop_v1", "--keypair", "k")
    words = ("bay", "model", "set", "m", "--name", "n", "--flavor", "f", "--registry")
    changed = osc.json(*words)
    assert (changed["name"], changed["flavor_id"], changed["registry_enabled"]) == ("n", "f", True)
    gone = osc.json("bay", "model", "unset", "n", "--attribute", "keypair_id")
    assert gone["keypair_id"] is None
    for noun in ("set", "unset"):
        assert "Say what is to be changed" in osc("bay", "model", noun, "n", code=1).err


def test_models_are_listed_and_deleted(osc: Osc) -> None:
    for name in ("one", "two"):
        osc(*CREATE, name, "--image", "i", "--driver", "noop_v1")
    assert [one["Name"] for one in osc.json("bay", "model", "list", "--long")] == ["one", "two"]
    assert [one["Name"] for one in osc.json("bay", "model", "list", "--limit", "1")] == ["one"]
    osc("bay", "create", "b", "--model", "one", "--no-wait")
    ended = osc("bay", "model", "delete", "one", "missing", "two", code=1)
    assert "code: IN_USE" in ended.err
    assert "missing: Baymodel missing could not be found." in ended.err
    assert [one["Name"] for one in osc.json("bay", "model", "list")] == ["one"]


def test_drivers_show_their_options_with_type_default_help_and_what_a_change_does(
    osc: Osc,
) -> None:
    listed = {one["Name"]: one for one in osc.json("bay", "driver", "list")}
    assert listed["noop_v1"]["Version"] == NoopDriver.version
    assert "create" in listed["noop_v1"]["Verbs"]
    shown = osc.json("bay", "driver", "show", "noop_v1")
    options = {one["name"]: one for one in shown["options"]}
    assert options["noop_delay"] == {
        "name": "noop_delay",
        "type": "number",
        "default": 0,
        "allowed": "at least 0, at most 86400",
        "change": "mutable",
        "help": "Seconds that each verb takes.",
    }
    assert options["noop_health"]["allowed"] == "one of HEALTHY, UNHEALTHY, UNKNOWN"
    for people in osc("bay", "driver", "show", "noop_v1").out, osc("bay", "driver", "list").out:
        assert "noop on vm" in people
    assert "`openstack bay driver list`" in osc("bay", "driver", "show", "nope", code=1).err
