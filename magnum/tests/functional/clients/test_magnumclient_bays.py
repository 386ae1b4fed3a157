"""Every command of python-magnumclient 2 about bays: ``magnum bay-*``, ``baymodel-*``, ``ca-*``, and those of its time.

What the service itself has lost since (pods, replication controllers, services, containers: gone in 3.0.0) is refused,
and says so.
"""

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from magnum.tests.functional.clients import commands
from magnum.tests.functional.clients.commands import Commands
from magnum.tests.functional.clients.conftest import Place
from magnum.tests.functional.clients.environments import Account, Shell
from magnum.tests.functional.clients.magnumclient_steps import BAYS, Steps
from magnum.tests.functional.clients.tls import swarm_settings
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Tenant

#: A bay is built, changed and deleted.
pytestmark = pytest.mark.timeout(3 * client.PATIENCE)

VERSIONS = ("2.0.0", "2.3.1", "2.10.0", "2.17.0")

#: The one whose bay is asked for as scripts do that set MAGNUM_API_VERSION.
PINNED = "2.17.0"

#: Commands about the other nouns, which ``test_magnumclient_clusters`` tries.
NEWER = ("cluster-", "quotas-", "stats-", "ca-rotate")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_command_about_bays(
    version: str,
    shell: Callable[..., Shell],
    place: Place,
    tenant: Tenant,
    keypair: str,
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
    steps = Steps(magnum, place.api(tenant.session), BAYS, fields)
    steps.make_model("m")
    # Scripts that pin the first version of the API get the whole bay at once.
    pinned = magnum.with_variables(MAGNUM_API_VERSION="1.1") if version == PINNED else magnum
    uuid = dataclasses.replace(steps, magnum=pinned).create("b1", "m")

    # While it is built.
    offered = commands.offered(magnum("help", but="usage:"))
    assert commands.of_nouns(offered, *NEWER) or version == "2.0.0"
    assert offered < set(magnum("bash-completion").split()) | {"help", "bash-completion"}
    gone = commands.of_nouns(offered, *commands.GONE)
    assert bool(gone) == (version == "2.0.0")
    steps.models()
    services = magnum.as_user(commands.magnum(shell(requirements, "admin")).shell)
    assert [row["binary"] for row in services.rows("service-list")] == ["magnum-conductor"]
    magnum.run("service-list").refused("403")

    steps.api.settled(uuid, "CREATE_COMPLETE")
    steps.look(uuid, "b1")
    steps.certificates("b1", tmp_path)
    try_the_gone(magnum, gone, "b1", tmp_path)
    if "bay-config" in offered:
        steps.look_long("b1")
        configure(steps, uuid, version, tmp_path)
    steps.scale(uuid, "b1")
    steps.delete(uuid, "b1")
    magnum("baymodel-delete", "m")
    assert magnum.tried == offered - commands.of_nouns(offered, *NEWER)


def configure(steps: Steps, uuid: str, version: str, folder: Path) -> None:
    """Have the client write a key, a certificate and the CA, and say how Docker finds them."""
    words = ("bay-config", "--dir", str(folder), "b1")
    if version == "2.3.1":
        # It calls itself with a word that it does not know, whatever the server.
        steps.magnum.run(*words).refused("unexpected keyword argument .*bay_uuid")
        return
    swarm_settings(steps.magnum(*words), folder).belong_to(steps.api, uuid)
    steps.magnum.run(*words).refused("exists")
    swarm_settings(steps.magnum(*words, "--force"), folder).belong_to(steps.api, uuid)


def try_the_gone(magnum: Commands, gone: set[str], bay: str, folder: Path) -> None:
    """Run the commands for what is gone: each says that there is no such thing."""
    manifest = folder / "manifest.yaml"
    manifest.write_text("kind: Pod\n")
    per_verb = {
        "create": ("--manifest", str(manifest)),
        "show": ("x",),
        "delete": ("x",),
        "update": ("x", "replace", "a=b"),
    }

    def words(command: str) -> tuple[str, ...]:
        noun, _, verb = command.rpartition("-")
        if noun != "container":
            return (command, "--bay", bay, *per_verb.get(verb, ()))
        if verb == "create":
            return (command, "--image", "i", "--bay", bay)
        if verb == "list":
            return (command, "--bay", bay)
        return (command, *(("--command", "ls") if verb == "exec" else ()), "x")

    # Each is mostly the start of a program and a wait for Keystone.
    with ThreadPoolExecutor(2) as pool:
        for ended in pool.map(lambda one: magnum.run(*words(one)), sorted(gone)):
            # Deleting several things, the client tells of each and ends well.
            assert "Not Found (HTTP 404)" in ended.output, ended
            assert "Traceback" not in ended.output, ended
