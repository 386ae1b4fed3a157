"""Every command ``openstack coe ...`` of python-magnumclient 4.8.1 and of the newest."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from keystoneauth1.session import Session

from magnum.tests.functional.clients import commands
from magnum.tests.functional.clients.commands import Commands
from magnum.tests.functional.clients.conftest import Place
from magnum.tests.functional.clients.environments import Account, Shell
from magnum.tests.functional.clients.pki import request_file
from magnum.tests.functional.clients.tls import kubernetes_settings
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant, until

#: A cluster is built, changed six times and deleted.
pytestmark = pytest.mark.timeout(6 * client.PATIENCE)

#: How the two lines say what shall change.
CHANGES: dict[str, dict[str, tuple[str, ...]]] = {
    "4.8.1": {
        "template": ("t", "replace", "labels=c=3", "name=u"),
        "cluster": ("c1", "replace", "node_count=2"),
        "group": ("c1", "more", "replace", "max_node_count=4"),
    },
    "5.0.0": {
        "template": ("t", "--label", "c=3", "--no-label", "a", "--no-label", "b", "--name", "u"),
        "cluster": ("c1", "--node-count", "2"),
        "group": ("c1", "more", "--max-nodes", "4"),
    },
}


@pytest.mark.parametrize("version", CHANGES)
def test_every_command(
    version: str,
    shell: Callable[..., Shell],
    place: Place,
    tenant: Tenant,
    keypair: str,
    admin: Session,
    reporting: dict[str, str],
    tmp_path: Path,
) -> None:
    requirements = f"magnumclient-{version}"
    coe = commands.openstack(shell(requirements, Account.of_tenant(tenant)))
    flavors = ("--flavor", reporting["flavor_id"], "--master-flavor", reporting["master_flavor_id"])
    steps = Steps(coe, place.api(tenant.session), CHANGES[version], flavors)
    template = steps.make_template("m", "--keypair", keypair)
    uuid = steps.create("c1", "m")

    # While it is built.
    offered = commands.offered(coe.shell.run("openstack", "help", "coe").well())
    steps.templates()
    steps.administration(coe.as_user(shell(requirements, "admin")), place.api(admin), tenant)

    steps.api.settled(uuid, "CREATE_COMPLETE")
    steps.look(uuid, template)
    steps.certificates(uuid, tmp_path)
    steps.refused(offered)
    steps.scale(uuid)
    steps.groups(uuid)
    steps.delete(uuid)
    coe("cluster template delete", "m")
    assert coe.tried == offered


@dataclass(frozen=True)
class Steps:
    """What is tried, on one cluster.

    :param coe: the commands, run by an ordinary user.
    :param api: our API as the same user sees it.
    :param changes: one of ``CHANGES``.
    :param flavors: options of a template whose nodes are reported for.
    """

    coe: Commands
    api: Magnum
    changes: dict[str, tuple[str, ...]]
    flavors: tuple[str, ...]

    def get(self, path: str) -> dict[str, object]:
        """What our API has, asked without the client."""
        answer = self.api.call("GET", path)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found

    def make_template(self, name: str, *more: str) -> str:
        """Create a template of Kubernetes; returns its uuid."""
        fields = ("--coe", "kubernetes", "--image", "fedora-atomic", "--external-network", "public")
        made = self.coe("cluster template create", name, *fields, *self.flavors, *more)
        assert f"Request to create cluster template {name} accepted" in made
        return str(self.get(f"/clustertemplates/{name}")["uuid"])

    def templates(self) -> None:
        """All that can be done with templates."""
        options = ("--labels", "a=1,b=2", "--docker-volume-size", "5", "--tags", "x,y")
        more = ("--network-driver", "flannel", "--volume-driver", "cinder", "--tls-disabled")
        uuid = self.make_template("t", *options, *more)
        there = self.get(f"/clustertemplates/{uuid}")
        assert there["labels"] == {"a": "1", "b": "2"}
        assert (there["docker_volume_size"], there["tls_disabled"]) == (5, True)
        tags = str(there["tags"])
        assert set(tags.split(",")) == {"x", "y"}

        listed = {row["uuid"]: row["name"] for row in self.coe.rows("cluster template list")}
        assert listed[uuid] == "t"
        shown = self.coe.shown("cluster template show", "t")
        assert (shown["uuid"], shown["coe"], shown["tags"]) == (uuid, "kubernetes", tags)

        self.coe("cluster template update", *self.changes["template"])
        there = self.get(f"/clustertemplates/{uuid}")
        assert (there["name"], there["labels"]) == ("u", {"c": "3"})
        self.coe("cluster template delete", "u")
        assert self.api.call("GET", f"/clustertemplates/{uuid}").status_code == 404

    def administration(self, admins: Commands, api: Magnum, tenant: Tenant) -> None:
        """Services, quotas and figures."""
        assert [row["binary"] for row in admins.rows("service list")] == ["magnum-conductor"]
        self.coe.run("service list").refused("403")
        project = tenant.project_id
        of = ("--project-id", project, "--resource", "Cluster")

        def limit() -> int:
            found: int = api.call("GET", f"/quotas/{project}/Cluster").json()["hard_limit"]
            return found

        before = limit()
        admins("quotas create", *of, "--hard-limit", "3")
        assert limit() == 3
        assert admins.shown("quotas show", *of)["hard_limit"] == "3"
        listed = {row["project_id"] for row in admins.rows("quotas list", "--all-tenants")}
        assert project in listed
        admins("quotas update", *of, "--hard-limit", "4")
        assert limit() == 4
        admins("quotas delete", *of)
        assert limit() == before
        assert self.coe.shown("stats list", project) == {"clusters": "1", "nodes": "2"}

    def create(self, name: str, template: str) -> str:
        """Ask for a cluster; returns its uuid."""
        words = ("--cluster-template", template, "--labels", "x=1", "--merge-labels")
        said = self.coe("cluster create", name, *words, "--node-count", "1", "--timeout", "30")
        found = re.search(r"Request to create cluster (\S+) accepted", said)
        assert found, said
        assert self.get(f"/clusters/{name}")["uuid"] == found[1]
        return found[1]

    def look(self, uuid: str, template: str) -> None:
        """See a cluster that is there."""
        (row,) = self.coe.rows("cluster list")
        assert (row["uuid"], row["status"]) == (uuid, "CREATE_COMPLETE")
        shown = self.coe.shown("cluster show", "c1")
        there = self.get(f"/clusters/{uuid}")
        assert shown["cluster_template_id"] == template
        assert shown["api_address"] == there["api_address"]
        assert shown["node_addresses"] == str(there["node_addresses"])
        assert (shown["node_count"], shown["labels"]) == ("1", "{'x': '1'}")

    def certificates(self, uuid: str, folder: Path) -> None:
        """See the CA, have it sign, and let the client write settings with a key of its own."""
        authority = x509.load_pem_x509_certificate(self.coe("ca show", "c1").encode())
        signed = self.coe("ca sign", "c1", str(request_file(folder, "somebody")))
        x509.load_pem_x509_certificate(signed.encode()).verify_directly_issued_by(authority)
        said = self.coe("cluster config", "c1", "--dir", str(folder))
        assert said.strip() == f"export KUBECONFIG={folder}/config"
        kubernetes_settings(folder).belong_to(self.api, uuid)
        self.coe.run("cluster config", "c1", "--dir", str(folder)).refused("exists")
        self.coe("cluster config", "c1", "--dir", str(folder), "--force", "--use-keystone")
        (user,) = yaml.safe_load((folder / "config").read_text())["users"]
        assert "OS_TOKEN" in str(user), user

    def refused(self, offered: set[str]) -> None:
        """What no driver of ours does is refused with a reason, and nothing begins."""
        self.coe.run("ca rotate", "c1").refused("cannot rotate_ca")
        self.coe.run("cluster upgrade", "c1", "m").refused("cannot upgrade")
        if "credential rotate" in offered:
            # The client tells of it and ends well.
            said = self.coe.run("credential rotate", "c1").output
            assert "Credential rotation failed" in said and "cannot rotate_credentials" in said, (
                said
            )
        assert self.get("/clusters/c1")["status"] == "CREATE_COMPLETE"

    def scale(self, uuid: str) -> None:
        """Have two nodes, and one less again."""
        self.coe("cluster update", *self.changes["cluster"])
        settled = self.api.settled(uuid, "UPDATE_COMPLETE")
        assert (settled["node_count"], len(settled["node_addresses"])) == (2, 2)
        self.coe("cluster resize", "c1", "1")
        settled = self.api.settled(uuid, "UPDATE_COMPLETE")
        assert (settled["node_count"], len(settled["node_addresses"])) == (1, 1)

    def groups(self, uuid: str) -> None:
        """A node group of one's own."""
        said = self.coe("nodegroup create", "c1", "more", "--node-count", "1", "--max-nodes", "3")
        assert "accepted" in said
        path = f"/clusters/{uuid}/nodegroups/more"
        self.api.settled(uuid, "UPDATE_COMPLETE")
        listed = {row["name"]: row["role"] for row in self.coe.rows("nodegroup list", "c1")}
        assert listed == {
            "default-master": "master",
            "default-worker": "worker",
            "more": "worker",
        }
        shown = self.coe.shown("nodegroup show", "c1", "more")
        assert (shown["node_count"], shown["max_node_count"]) == ("1", "3")
        self.coe("nodegroup update", *self.changes["group"])
        assert self.get(path)["max_node_count"] == 4
        self.api.settled(uuid, "UPDATE_COMPLETE")
        self.coe("nodegroup delete", "c1", "more")
        until(lambda: self.api.call("GET", path).status_code == 404)

    def delete(self, uuid: str) -> None:
        """Delete a cluster and see that it goes."""
        self.coe("cluster delete", "c1")
        until(lambda: self.api.call("GET", f"/clusters/{uuid}").status_code == 404)
