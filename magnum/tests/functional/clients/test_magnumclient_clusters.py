"""Every command of python-magnumclient 2 about clusters: ``magnum cluster-*``, ``ca-*``, ``quotas-*``, ``stats-*``."""

from collections.abc import Callable
from pathlib import Path

import pytest
from keystoneauth1.session import Session

from magnum.tests.functional.clients import commands
from magnum.tests.functional.clients.commands import Commands
from magnum.tests.functional.clients.conftest import Place
from magnum.tests.functional.clients.environments import Account, Shell
from magnum.tests.functional.clients.magnumclient_steps import CLUSTERS, Steps
from magnum.tests.functional.clients.tls import swarm_settings
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant

#: A cluster is built, changed and deleted.
pytestmark = pytest.mark.timeout(3 * client.PATIENCE)

VERSIONS = ("2.3.1", "2.10.0", "2.17.0")

#: Commands about the other nouns, which ``test_magnumclient_bays`` tries.
OLDER = ("bay-", "baymodel-", "bash-completion")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_command_about_clusters(
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
    magnum = commands.magnum(shell(requirements, Account.of_tenant(tenant)))
    fields = {
        "--keypair-id": keypair,
        "--flavor-id": reporting["flavor_id"],
        "--master-flavor-id": reporting["master_flavor_id"],
    }
    steps = Steps(magnum, place.api(tenant.session), CLUSTERS, fields)
    steps.make_model("m")
    uuid = steps.create("c1", "m")

    # While it is built.
    offered = commands.offered(magnum("help", but="usage:"))
    steps.models()
    admins = magnum.as_user(commands.magnum(shell(requirements, "admin")).shell)
    assert [row["binary"] for row in admins.rows("service-list")] == ["magnum-conductor"]
    if commands.of_nouns(offered, "quotas-"):
        quotas(admins, place.api(admin), tenant.project_id)
        counted = magnum.shown("stats-list", "--project-id", tenant.project_id)
        assert counted == {"clusters": "1", "nodes": "2"}

    steps.api.settled(uuid, "CREATE_COMPLETE")
    steps.look(uuid, "c1")
    steps.look_long("c1")
    steps.certificates("c1", tmp_path)
    configure(steps, uuid, version, tmp_path)
    if "ca-rotate" in offered:
        # No driver of ours does it, and the client has to say so.
        magnum.run("ca-rotate", "--cluster", "c1").refused("cannot rotate_ca")
    steps.scale(uuid, "c1")
    steps.delete(uuid, "c1")
    magnum("cluster-template-delete", "m")
    assert magnum.tried == offered - commands.of_nouns(offered, *OLDER)


def configure(steps: Steps, uuid: str, version: str, folder: Path) -> None:
    """Have the client write a key, a certificate and the CA, and say how Docker finds them."""
    words = ("cluster-config", "--dir", str(folder), "c1")
    if version == "2.3.1":
        # It makes a request of bytes, which on Python 3 is none, whatever the server.
        steps.magnum.run(*words).refused("bytes is not JSON serializable")
        return
    swarm_settings(steps.magnum(*words), folder).belong_to(steps.api, uuid)
    steps.magnum.run(*words).refused("exists")


def quotas(magnum: Commands, api: Magnum, project: str) -> None:
    """All that an administrator can do with a project's quota."""
    of = ("--project-id", project, "--resource", "Cluster")

    def limit() -> int:
        found: int = api.call("GET", f"/quotas/{project}/Cluster").json()["hard_limit"]
        return found

    before = limit()
    magnum("quotas-create", *of, "--hard-limit", "3")
    assert limit() == 3
    assert magnum.shown("quotas-show", *of)["hard_limit"] == "3"
    listed = magnum.rows("quotas-list", "--all-tenants")
    assert project in {row["project_id"] for row in listed}
    magnum("quotas-update", *of, "--hard-limit", "4")
    assert limit() == 4
    magnum("quotas-delete", *of)
    assert limit() == before
