"""magnum-tempest-plugin as it is on the index: all its tests of the API, with and without roles enforced."""

import configparser
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from magnum.tests.functional.clients.conftest import Place
from magnum.tests.functional.clients.environments import Account, Shell
from magnum.tests.functional.cloud import client
from tools.openstack import config

TEMPEST = "tempest-plugin-2.12.0"
TESTS = "magnum_tempest_plugin.tests.api.v1"

#: Left out, as rest-contract.md (7, line 8) does: the first talks to the Kubernetes of a real cluster and then waits
#: for five minutes, the second asks for zero nodes without a header, which is too old a version for that.
LEFT_OUT = ("test_create_list_sign_delete_clusters", "test_create_cluster_with_zero_nodes")

#: How many tests each of its classes has without those.
WANTED = {
    "test_cluster.ClusterTest": 5,
    "test_cluster_template.ClusterTemplateTest": 19,
    "test_cluster_template_admin.ClusterTemplateAdminTest": 2,
    "test_magnum_service.MagnumServiceTest": 2,
    "rbac.test_cluster.ClusterTest": 5,
    "rbac.test_cluster_template.ClusterTemplateTest": 19,
    "rbac.test_cluster_template_admin.ClusterTemplateAdminTest": 2,
    "rbac.test_magnum_service.MagnumServiceTest": 2,
}

#: What each of tempest's processes runs. The class of clusters makes a user for all its tests and has it removed after
#: the first one, which goes unnoticed only where all processes of a service keep tokens in one memcached: so each of
#: its tests has a process, and a user, to itself. The other classes are spread over those.
WORKERS = (
    (r"v1\.test_cluster\..*for_nonexisting_cluster_template", r"v1\.test_cluster_template\."),
    (r"v1\.test_cluster\..*with_nonexisting_flavor", r"rbac\.test_cluster\."),
    (r"v1\.test_cluster\..*with_zero_masters", r"rbac\.test_cluster_template\."),
    (r"v1\.test_cluster\..*update_cluster", r"test_cluster_template_admin\."),
    (r"v1\.test_cluster\..*delete_cluster", r"test_magnum_service\."),
)

#: A line for each test: `{0} module.Class.test [0.123456s] ... ok`.
RESULT = re.compile(
    rf"^\{{\d+\}} {re.escape(TESTS)}\.(?P<group>\S+)\.(?P<test>test_\w+) \[\S+\] \.\.\. (?P<result>\w+)",
    re.M,
)


def settings(admin: Account, region: str, flavors: dict[str, str], folder: Path) -> Path:
    """tempest.conf: it makes its own projects and users, as the administrator."""
    told = configparser.RawConfigParser()
    told.read_dict(
        {
            "auth": {
                "admin_username": admin.name,
                "admin_password": admin.password,
                "admin_project_name": admin.project,
                "admin_domain_name": "Default",
                "create_isolated_networks": "false",
            },
            "identity": {"uri_v3": client.AUTH_URL, "region": region},
            "service_available": {"cinder": "false", "swift": "false", "magnum": "true"},
            "enforce_scope": {"magnum": "true"},
            "magnum": {
                "coe": "kubernetes",
                "image_id": "fedora-coreos",
                "nic_id": "public",
                "copy_logs": "false",
                **flavors,
            },
            "oslo_concurrency": {"lock_path": str(folder / "locks")},
        }
    )
    path = folder / "tempest.conf"
    with path.open("w") as written:
        told.write(written)
    return path


@pytest.mark.timeout(5 * client.PATIENCE)
def test_all_of_the_plugins_tests(
    shell: Callable[..., Shell],
    passwords: config.Passwords,
    place: Place,
    reporting: dict[str, str],
) -> None:
    tempest = shell(TEMPEST, "admin")
    tempest.run("tempest", "init", "work").well()
    account = Account.of_person("admin", passwords)
    path = settings(account, place.region, reporting, tempest.folder)
    workers = tempest.folder / "workers.yaml"
    workers.write_text(json.dumps([{"worker": regexes} for regexes in WORKERS]))
    ended = tempest.run(
        *("tempest", "run", "--config-file", str(path), "--workspace", "work"),
        *("--regex", re.escape(TESTS), "--exclude-regex", "|".join(LEFT_OUT)),
        *("--worker-file", str(workers)),
        patience=4 * client.PATIENCE,
    )
    ran = [found.groupdict() for found in RESULT.finditer(ended.output)]
    print(*(f"{one['group']}.{one['test']}: {one['result']}" for one in ran), sep="\n")
    assert [one for one in ran if one["result"] != "ok"] == [], ended.output
    assert Counter(one["group"] for one in ran) == WANTED
    assert ended.code == 0, ended.output
