"""The node programs ``settings`` and ``runtime``, run as on a node: what they write for which release."""

import json
import os
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SCRIPTS = Path(str(resources.files("magnum.drivers.common") / "templates/kubernetes"))

NODE: dict[str, Any] = {
    "name": "kube-master-1",
    "role": "master",
    "index": 1,
    "address": "10.0.0.12",
    "masters": ["10.0.0.11", "10.0.0.12", "10.0.0.13"],
    "api_port": 6443,
    "api_addresses": ["10.0.0.12", "10.0.0.100", "172.24.4.9"],
    "api_server": "10.0.0.100",
    "bay_uuid": "5d12f6fd-a196-4bf0-ae4c-1f639a523a52",
    "pods_network_cidr": "10.244.0.0/16",
    "service_cluster_ip_range": "10.254.0.0/16",
    "dns_service_ip": "",
    "dns_cluster_domain": "cluster.local",
    "container_runtime": "containerd",
    "cgroup_driver": "systemd",
    "pause_image": "registry.k8s.io/pause:3.9",
    "masters_schedulable": False,
    "cloud_provider_enabled": False,
    "service_account_key": "the key\n",
    "docker_storage_driver": "",
    "insecure_registry": "",
}
WORKER = {**NODE, "role": "worker", "name": "kube-node-0", "address": "10.0.0.20"}

hostile = st.text(
    st.sampled_from("\"'\\$`{}[]()<>|&;#%!*?~:,= \t\x7f\u00e9\u2028")
    | st.characters(codec="utf-8"),
    max_size=40,
).filter(lambda text: "\n" not in text)


def run(
    folder: Path, script: str, node: dict[str, Any], *words: str
) -> "subprocess.CompletedProcess[str]":
    """A program with a node.json; what it writes is below the folder."""
    told = folder / "node.json"
    told.write_text(json.dumps(node))
    places = {"KUBERNETES_HOME": str(folder / "k"), "RUNTIME_ETC": str(folder / "etc")}
    return subprocess.run(
        [sys.executable, str(SCRIPTS / script), *words],
        env={**os.environ, "NODE_JSON": str(told), **places},
        capture_output=True,
        text=True,
        check=False,
    )


def written(folder: Path, node: dict[str, Any], version: str = "v1.31.2") -> Path:
    done = run(folder, "settings", node, version)
    assert done.returncode == 0, done.stderr
    return folder / "k"


def arguments(home: Path, program: str) -> dict[str, str]:
    """A program's arguments, by name; each line is one."""
    lines = (home / "arguments" / program).read_text(encoding="utf-8").split("\n")[:-1]
    return {line.partition("=")[0]: line.partition("=")[2] for line in lines}


def shown(home: Path, name: str) -> Any:
    return json.loads((home / name).read_text())


def test_a_master_has_all_parts_and_asks_its_own_api(tmp_path: Path) -> None:
    home = written(tmp_path, NODE)
    programs = {path.name for path in (home / "arguments").iterdir()}
    control = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}
    assert programs == control | {"kubelet", "kube-proxy"}
    for name in ("kubelet", "proxy", "admin", "scheduler", "controller-manager"):
        told = shown(home, f"{name}.conf")
        assert told["clusters"][0]["cluster"]["server"] == "https://10.0.0.12:6443"
        assert told["users"][0]["user"]["client-key"] == f"/etc/kubernetes/pki/{name}.key"
    assert (home / "pki/sa.key").read_text() == "the key\n"
    assert (home / "pki/sa.key").stat().st_mode & 0o777 == 0o600
    assert not list(home.rglob("*.new"))


def test_a_worker_has_no_part_of_a_master_and_asks_the_balancer(tmp_path: Path) -> None:
    home = written(tmp_path, {**WORKER, "service_account_key": ""})
    assert {path.name for path in (home / "arguments").iterdir()} == {"kubelet", "kube-proxy"}
    assert {path.name for path in home.glob("*.conf")} == {"kubelet.conf", "proxy.conf"}
    assert not (home / "pki").exists()
    server = shown(home, "kubelet.conf")["clusters"][0]["cluster"]["server"]
    assert server == "https://10.0.0.100:6443"


def test_etcd_s_members_are_the_masters(tmp_path: Path) -> None:
    told = arguments(written(tmp_path, NODE), "etcd")
    assert told["--name"] == "master-1"
    members = told["--initial-cluster"].split(",")
    assert members[1] == "master-1=https://10.0.0.12:2380"
    assert len(members) == 3
    assert told["--client-cert-auth"] == told["--peer-client-cert-auth"] == "true"


def test_certificates_name_all_that_they_have_to(tmp_path: Path) -> None:
    home = written(tmp_path, NODE)
    api = (home / "names/apiserver").read_text().split(",")
    assert {"10.0.0.12", "10.0.0.100", "172.24.4.9", "127.0.0.1", "10.254.0.1"} <= set(api)
    assert {"kubernetes", "kubernetes.default.svc.cluster.local", "kube-master-1"} <= set(api)
    assert (home / "names/kubelet").read_text() == "kube-master-1,10.0.0.12"


@pytest.mark.parametrize("name", ["kube-apiserver", "kube-controller-manager", "kube-scheduler"])
@pytest.mark.parametrize("version", ["v1.20.2", "v1.34.1"])
def test_no_argument_is_of_some_releases_only(tmp_path: Path, name: str, version: str) -> None:
    """What came after 1.20, or went away since; the list is of what other installers still pass."""
    gone = {
        *("--insecure-port", "--port", "--enable-swagger-ui", "--kubelet-https", "--cloud-config"),
        *("--authorization-policy-file", "--experimental-cluster-signing-duration", "--address"),
    }
    assert not gone & arguments(written(tmp_path, NODE, version), name).keys()


@pytest.mark.parametrize(
    ("version", "given", "absent", "in_file"),
    [
        ("v1.20.2", {"--container-runtime", "--container-runtime-endpoint"}, set(), set()),
        ("v1.23.9", {"--container-runtime", "--container-runtime-endpoint"}, set(), set()),
        ("v1.26.0", {"--container-runtime-endpoint"}, {"--container-runtime"}, set()),
        (
            "v1.34.1",
            set(),
            {"--container-runtime", "--container-runtime-endpoint", "--network-plugin"},
            {"containerRuntimeEndpoint"},
        ),
    ],
)
def test_the_kubelet_is_told_of_containerd_in_its_release_s_way(
    tmp_path: Path, version: str, given: set[str], absent: set[str], in_file: set[str]
) -> None:
    home = written(tmp_path, WORKER, version)
    told = arguments(home, "kubelet").keys()
    assert given <= told and not absent & told
    assert in_file <= shown(home, "kubelet.json").keys()
    assert bool(in_file) == ("containerRuntimeEndpoint" in shown(home, "kubelet.json"))


def test_docker_is_for_old_releases_only(tmp_path: Path) -> None:
    old = {**NODE, "container_runtime": "docker"}
    told = arguments(written(tmp_path, old, "v1.20.2"), "kubelet")
    assert told["--network-plugin"] == "cni"
    refused = run(tmp_path, "settings", old, "v1.24.0")
    assert refused.returncode == 1
    assert "Kubernetes 1.24 does not run on Docker" in refused.stderr


@pytest.mark.parametrize(
    ("version", "argument", "key"),
    [
        ("v1.20.2", "node-role.kubernetes.io/master=:NoSchedule", None),
        ("v1.31.2", None, "control-plane"),
    ],
)
def test_masters_are_tainted_unless_they_are_for_all(
    tmp_path: Path, version: str, argument: str | None, key: str | None
) -> None:
    home = written(tmp_path, NODE, version)
    assert arguments(home, "kubelet").get("--register-with-taints") == argument
    taints = shown(home, "kubelet.json").get("registerWithTaints")
    expected = [{"key": f"node-role.kubernetes.io/{key}", "effect": "NoSchedule"}] if key else None
    assert taints == expected
    home = written(tmp_path, {**NODE, "masters_schedulable": True}, version)
    assert "--register-with-taints" not in arguments(home, "kubelet")
    assert not shown(home, "kubelet.json").get("registerWithTaints")


def test_an_external_cloud_provider_is_waited_for(tmp_path: Path) -> None:
    home = written(tmp_path, {**NODE, "cloud_provider_enabled": True})
    for program in ("kubelet", "kube-controller-manager"):
        assert arguments(home, program)["--cloud-provider"] == "external"


def test_the_dns_is_the_tenth_service_unless_it_is_named(tmp_path: Path) -> None:
    assert shown(written(tmp_path, WORKER), "kubelet.json")["clusterDNS"] == ["10.254.0.10"]
    named = written(tmp_path, {**WORKER, "dns_service_ip": "10.254.3.3"})
    assert shown(named, "kubelet.json")["clusterDNS"] == ["10.254.3.3"]


def test_addresses_of_ipv6_stand_in_brackets(tmp_path: Path) -> None:
    six = {**NODE, "address": "fd00::2", "masters": ["fd00::1", "fd00::2"], "index": 1}
    home = written(tmp_path, six)
    assert shown(home, "admin.conf")["clusters"][0]["cluster"]["server"] == "https://[fd00::2]:6443"


@pytest.mark.parametrize("version", ["", "1", "v2.0.1", "v1.x", "$(id)"])
def test_what_is_no_version_is_refused(tmp_path: Path, version: str) -> None:
    assert run(tmp_path, "settings", NODE, version).returncode == 1


CHOSEN = ("dns_cluster_domain", "pause_image", "name", "cgroup_driver", "pods_network_cidr")


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(hostile, min_size=len(CHOSEN), max_size=len(CHOSEN)))
def test_hostile_values_stay_in_their_argument(tmp_path: Path, values: list[str]) -> None:
    """The options' schema lets none of these through; the program does not rely on it."""
    node = {**NODE, **dict(zip(CHOSEN, values, strict=True))}
    done = run(tmp_path, "settings", node, "v1.20.2")
    assert done.returncode == 0, done.stderr
    home = tmp_path / "k"
    plain = written(tmp_path, NODE, "v1.20.2")
    names = {
        program: list(arguments(plain, program))
        for program in ("etcd", "kubelet", "kube-apiserver")
    }
    run(tmp_path, "settings", node, "v1.20.2")
    for program, expected in names.items():
        assert list(arguments(home, program)) == expected
    assert arguments(home, "kubelet")["--hostname-override"] == node["name"]
    assert shown(home, "kubelet.json")["clusterDomain"] == node["dns_cluster_domain"]


def test_a_line_break_in_an_argument_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "settings", {**NODE, "name": "a\n--anonymous-auth=true"}, "v1.31.2")
    assert done.returncode == 1
    assert "a line break" in done.stderr


# --- runtime ---------------------------------------------------------------------------------------------------------


def containerd(folder: Path, **changes: str) -> dict[str, Any]:
    done = run(folder, "runtime", {**NODE, **changes}, "containerd")
    assert done.returncode == 0, done.stderr
    return tomllib.loads((folder / "etc/containerd/config.toml").read_text(encoding="utf-8"))


def test_containerd_s_configuration(tmp_path: Path) -> None:
    told = containerd(tmp_path, cgroup_driver="cgroupfs", docker_storage_driver="btrfs")
    cri = told["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == NODE["pause_image"]
    assert cri["containerd"]["snapshotter"] == "btrfs"
    assert cri["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is False
    assert cri["cni"]["bin_dir"] == "/opt/cni/bin"


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=hostile)
def test_hostile_values_stay_texts_of_containerd_s(tmp_path: Path, value: str) -> None:
    cri = containerd(tmp_path, pause_image=value)["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == value


def test_insecure_registries_are_asked_without_tls(tmp_path: Path) -> None:
    containerd(tmp_path, insecure_registry="registry.example.com:5000, other")
    place = tmp_path / "etc/containerd/certs.d"
    assert {path.name for path in place.iterdir()} == {"registry.example.com:5000", "other"}
    told = tomllib.loads((place / "registry.example.com:5000/hosts.toml").read_text())
    assert told["server"] == "http://registry.example.com:5000"
    assert told["host"]["https://registry.example.com:5000"]["skip_verify"] is True


@pytest.mark.parametrize("name", ["../../etc", "a/b", 'x"\n[host]', "$(id)", "-x", ":5000"])
def test_what_is_no_registry_is_refused(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, "runtime", {**NODE, "insecure_registry": name}, "containerd")
    assert done.returncode == 1
    assert "not the name of a registry" in done.stderr


def test_docker_keeps_what_the_image_says(tmp_path: Path) -> None:
    place = tmp_path / "etc/docker/daemon.json"
    place.parent.mkdir(parents=True)
    place.write_text('{"log-driver": "journald"}')
    assert run(tmp_path, "runtime", NODE, "docker").returncode == 0
    assert json.loads(place.read_text()) == {
        "log-driver": "journald",
        "exec-opts": ["native.cgroupdriver=systemd"],
    }
