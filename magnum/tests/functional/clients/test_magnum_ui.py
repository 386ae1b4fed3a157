"""The API layer of magnum-ui as it is on the index: every function, and every view that its panels ask.

The panel's JavaScript is not here, but bodies are those that it sends; ``test_horizon.py`` has it, with a cluster on
the real Heat. Clusters here are of the driver that builds nothing: this is about what is asked and answered.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from magnum.tests.functional.clients.conftest import Place
from magnum.tests.functional.clients.environments import Account
from magnum.tests.functional.clients.horizon import dashboard
from magnum.tests.functional.clients.horizon.child import Child, Refused, child
from magnum.tests.functional.clients.horizon.dashboard import Dashboard
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant
from tools.openstack import config

pytestmark = pytest.mark.timeout(6 * client.PATIENCE)

#: What the wizard sends beside what was filled in.
WIZARD = {"discovery_url": None, "create_timeout": 60, "rollback": False}
LABELS = {"auto_scaling_enabled": False, "auto_healing_enabled": True, "availability_zone": "nova"}


class Layer:
    """The layer for one user who has logged in."""

    def __init__(self, program: Child) -> None:
        self._program = program

    def log_in(self, account: Account) -> str:
        """Through Horizon's form; gives the region that the account has come to."""
        region: str = self._program.ask("log_in", name=account.name, password=account.password)
        return region

    def call(self, function: str, *given: Any, **named: Any) -> Any:
        """A function of ``magnum_ui.api.magnum``."""
        return self._program.ask("call", function=function, given=given, named=named)

    def rest(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """The body that a view answers with a status."""
        answered = self._program.ask("rest", method=method, path=path, body=body)
        assert answered["status"] == status, answered
        return answered["body"]

    @property
    def left(self) -> set[str]:
        """What of the layer was never called."""
        return set(self._program.ask("left"))


@pytest.fixture(scope="module")
def horizon() -> Dashboard:
    return dashboard.made()


@pytest.fixture
def layer(horizon: Dashboard, place: Place, tmp_path: Path) -> Iterator[Callable[[Account], Layer]]:
    """Logs an account in."""

    def log_in(account: Account) -> Layer:
        module = f"{dashboard.PACKAGE}.api_layer"
        log = tmp_path / f"{account.name}.log"
        program = child(horizon.python, module, horizon.variables(place.region), log)
        started = Layer(stack.enter_context(program))
        assert started.log_in(account) == place.region
        return started

    with contextlib.ExitStack() as stack:
        yield log_in


def test_every_function_and_every_view(
    layer: Callable[[Account], Layer],
    place: Place,
    passwords: config.Passwords,
    tenant: Tenant,
) -> None:
    keypair = {"name": "panel", "public_key": _public_key()}
    client.service(tenant.session, "compute").post("/os-keypairs", json={"keypair": keypair})
    member, admin = layer(Account.of_tenant(tenant)), layer(Account.of_person("admin", passwords))
    api = place.api(tenant.session)
    member.call("magnumclient")

    networks = member.rest("get", "networks/")["items"]
    template = {
        "name": "panel",
        "coe": "noop",
        "flavor_id": "m1.small",
        "master_flavor_id": "m1.small",
        "image_id": "fedora-coreos",
        "keypair_id": "panel",
        "docker_storage_driver": "overlay2",
        "network_driver": "flannel",
        "external_network_id": next(one["id"] for one in networks if one["is_router_external"]),
        "floating_ip_enabled": True,
        "labels": "kube_tag=v1.31.2,noop_delay=1",
    }
    made = _templates(member, template)

    wanted = {"cluster_template_id": made, "keypair": "panel", **WIZARD}
    labels = {**LABELS, "kube_tag": "v1.31.2"}
    body = {**wanted, "name": "kept", "labels": labels, "node_count": 1, "master_count": 1}
    kept = member.rest("post", "clusters/", body, 201)["uuid"]
    short = member.call("cluster_create", **{**wanted, "name": "short-lived"})["uuid"]
    assert {one["uuid"] for one in member.call("cluster_list")} == {kept, short}
    member.call("cluster_delete", short)
    client.until(lambda: len(member.call("cluster_list")) == 1)
    assert api.settled(kept, "CREATE_COMPLETE")["labels"] == {
        "auto_scaling_enabled": "False",
        "auto_healing_enabled": "True",
        "availability_zone": "nova",
        "kube_tag": "v1.31.2",
    }
    _looks(member, kept)
    _certificates(member, kept)
    _changes(member, api, kept)
    newer = [
        member.call("cluster_template_create", **{**template, "labels": f"kube_tag={tag}"})["uuid"]
        for tag in ("v1.32.0", "v1.33.0")
    ]
    _upgrades(member, api, kept, newer)
    _quotas(admin, tenant.project_id)

    member.rest("delete", "clusters/", [kept], 204)
    client.until(lambda: not member.rest("get", "clusters/")["items"])
    member.rest("delete", "cluster_templates/", [made, *newer], 204)
    assert member.rest("get", "cluster_templates/") == {"items": []}
    for path in ("flavor_minimums/", "available_addons/", "ingress_controllers/"):
        member.rest("get", path)  # what Horizon's own settings say; nothing of ours is asked
    assert not member.left & admin.left


def _templates(member: Layer, wanted: dict[str, Any]) -> str:
    """Make, change and delete templates; gives the one that stays."""
    made: str = member.rest("post", "cluster_templates/", wanted, 201)["uuid"]
    other = member.call("cluster_template_create", **{**wanted, "name": "other"})["uuid"]
    assert {one["uuid"] for one in member.call("cluster_template_list")} == {made, other}
    assert {one["id"] for one in member.rest("get", "cluster_templates/")["items"]} == {made, other}

    shown = member.rest("get", f"cluster_templates/{made}")
    assert shown["labels"] == {"kube_tag": "v1.31.2", "noop_delay": "1"}
    assert (shown["floating_ip_enabled"], shown["public"]) == (True, False)
    # The panel sends all that it showed: a number for a text, "False" for false, nothing for what was emptied.
    ticks = ("public", "hidden", "registry_enabled", "tls_disabled", "master_lb_enabled")
    changed = {**wanted, **dict.fromkeys(ticks, False), "name": "changed", "server_type": "vm"}
    changed |= {"labels": "kube_tag=v1.31.2", "dns_nameserver": "9.9.9.9", "docker_volume_size": 5}
    member.rest("patch", f"cluster_templates/{made}", changed, 201)
    seen = member.call("cluster_template_show", made)
    assert (seen["name"], seen["dns_nameserver"], seen["docker_volume_size"]) == (
        "changed",
        "9.9.9.9",
        5,
    )
    assert seen["labels"] == {"kube_tag": "v1.31.2"}
    del changed["docker_volume_size"]
    assert member.call("cluster_template_update", made, **changed)["docker_volume_size"] is None
    member.call("cluster_template_delete", other)
    return made


def _looks(member: Layer, cluster: str) -> None:
    """What the table and the page of details show."""
    shown = member.rest("get", f"clusters/{cluster}")
    assert shown == member.rest("get", "clusters/")["items"][-1] | shown
    assert {**member.call("cluster_show", cluster), "id": cluster} == {**shown, "uuid": cluster}
    assert "cluster_id" in shown and "stack_id" not in shown  # the words of 1.13
    assert shown["api_address"]
    assert len(shown["node_addresses"]) == len(shown["master_addresses"]) == 1
    assert member.call("stats_list")["clusters"] == 1
    assert member.rest("get", "stats/")["stats"] == {"clusters": 1, "nodes": 2}


def _certificates(member: Layer, cluster: str) -> None:
    """Certificates of the cluster's CA: signed for a key of ours, and for the one that the layer makes."""
    config = member.rest("get", f"clusters/{cluster}/config")
    assert member.call("cluster_config", cluster)["ca"] == config["ca"]
    assert member.call("cluster_config_download", cluster)[0] == "kept"
    member.rest("get", f"clusters/{cluster}/config/download")

    assert member.rest("get", f"certificates/{cluster}")["pem"] == config["ca"]
    assert member.call("certificate_show", cluster)["pem"] == config["ca"]
    csr = {"cluster_uuid": cluster, "csr": _csr()}
    pems = [
        config["cert"],
        member.rest("post", "certificates/", csr, 201)["pem"],
        member.call("certificate_create", **csr)["pem"],
    ]
    authority = x509.load_pem_x509_certificate(config["ca"].encode())
    for pem in pems:
        x509.load_pem_x509_certificate(pem.encode()).verify_directly_issued_by(authority)


def _changes(member: Layer, api: Magnum, cluster: str) -> None:
    """More and fewer nodes, and what no driver of the tree can do: that is refused with a reason."""
    resize = member.rest("get", f"clusters/{cluster}/resize")
    groups = {one["name"]: one for one in resize["nodegroups"]}
    assert groups["default-worker"]["node_count"] == 1 and resize["cluster"]["id"] == cluster
    assert {one["name"] for one in member.call("nodegroup_list", cluster)} == {*groups}

    asked = {"node_count": 2, "nodegroup": "default-worker"}
    assert member.rest("post", f"clusters/{cluster}/resize", asked)["uuid"] == cluster
    assert api.settled(cluster, "UPDATE_COMPLETE")["node_count"] == 2
    member.call("cluster_resize", cluster, 1)
    assert api.settled(cluster, "UPDATE_COMPLETE")["node_count"] == 1
    member.rest("patch", f"clusters/{cluster}", {"node_count": 2, "rollback": False}, 201)
    assert api.settled(cluster, "UPDATE_COMPLETE")["node_count"] == 2
    member.call("cluster_update", cluster, node_count=1, rollback=False)
    assert api.settled(cluster, "UPDATE_COMPLETE")["node_count"] == 1
    # Nothing to change is an empty PATCH, after which this client falls over any answer that is no error.
    with pytest.raises(Refused, match="StringIO"):
        member.call("cluster_update", cluster, node_count=1, rollback=False)
    assert api.bay(cluster)["status"] == "UPDATE_COMPLETE"

    for function in ("certificate_rotate", "credential_rotate"):
        with pytest.raises(Refused, match=r"BadRequest: .*(support|cannot)"):
            member.call(function, cluster)
    # Horizon makes a 500 of what the client raises, and the panel a message of its text.
    said = member.rest("delete", f"certificates/{cluster}", [cluster], 500)
    assert "HTTP 400" in said
    assert "HTTP 400" in member.rest("patch", f"credentials/{cluster}", None, 500)
    assert api.bay(cluster)["status"] == "UPDATE_COMPLETE"


def _upgrades(member: Layer, api: Magnum, cluster: str, templates: list[str]) -> None:
    """To newer templates, by each floor once."""
    body = {"cluster_template": templates[0], "max_batch_size": 1, "nodegroup": "default-worker"}
    assert member.rest("post", f"clusters/{cluster}/upgrade", body)["uuid"] == cluster
    assert api.settled(cluster, "UPDATE_COMPLETE")["baymodel_id"] == templates[0]
    member.call("cluster_upgrade", cluster, templates[1])
    assert api.settled(cluster, "UPDATE_COMPLETE")["baymodel_id"] == templates[1]


def _quotas(admin: Layer, project: str) -> None:
    """The administrator's panel."""
    path = f"quotas/{project}/Cluster"
    assert admin.rest("get", path)["hard_limit"] == 20
    body = {"project_id": project, "resource": "Cluster", "hard_limit": 3}
    assert admin.rest("post", "quotas/", body, 201)["hard_limit"] == 3
    assert project in [one["project_id"] for one in admin.rest("get", "quotas/")["items"]]
    assert project in [one["project_id"] for one in admin.call("quotas_list")]
    admin.rest("patch", path, {**body, "hard_limit": 4}, 201)
    assert admin.call("quotas_show", project, "Cluster")["hard_limit"] == 4
    admin.rest("delete", path, body, 204)
    assert admin.call("quotas_create", **body)["hard_limit"] == 3
    assert admin.call("quotas_update", project, "Cluster", hard_limit=5)["hard_limit"] == 5
    admin.call("quotas_delete", project, "Cluster")
    assert project not in [one["project_id"] for one in admin.call("quotas_list")]


def _csr() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "panel")])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _public_key() -> str:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return key.public_bytes(encoding, form).decode()
