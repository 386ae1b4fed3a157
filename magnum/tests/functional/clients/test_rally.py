"""rally-openstack as it is on the index: its scenarios for our service, and its own cleaning up afterwards.

Left out are the scenarios ``K8sPods.*``: they talk to the Kubernetes of a cluster, and no node boots here.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from magnum.tests.functional.clients.conftest import Place
from magnum.tests.functional.clients.environments import Account, Shell
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Tenant

RALLY = "rally-openstack-4.1.0"

#: Its scenarios for us, and how often each is run. Only the last makes a cluster each time.
ITERATIONS = {
    "MagnumClusterTemplates.list_cluster_templates": 2,
    "MagnumClusters.list_clusters": 2,
    "MagnumClusters.create_and_list_clusters": 1,
}

#: The first pause is five seconds unless told otherwise: for real nodes.
SETTINGS = """
[database]
connection = sqlite:///rally.sqlite
[openstack]
magnum_cluster_create_prepoll_delay = 1.0
"""


def environment(account: Account, region: str) -> dict[str, Any]:
    """The cloud as ``rally env create`` wants it: users that exist, and no administrator."""
    user = {
        "username": account.name,
        "password": account.password,
        "project_name": account.project,
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    cloud = {"auth_url": client.AUTH_URL, "region_name": region, "endpoint_type": "public"}
    return {"existing@openstack": {**cloud, "users": [user]}}


def task(template: dict[str, Any]) -> dict[str, Any]:
    """Each scenario as often as ``ITERATIONS`` says, after the contexts that it needs."""
    contexts: dict[str, Any] = {"cluster_templates": template}

    def subtask(scenario: str, contexts: Any, **arguments: Any) -> dict[str, Any]:
        times = ITERATIONS[scenario]
        workload = {
            "scenario": {scenario: arguments},
            "runner": {"constant": {"times": times, "concurrency": times}},
            "contexts": contexts,
        }
        return {"title": scenario, "workloads": [workload]}

    with_cluster = {**contexts, "clusters": {"node_count": 1}}
    return {
        "version": 2,
        "title": "our service",
        "subtasks": [
            subtask("MagnumClusterTemplates.list_cluster_templates", contexts, limit=1),
            subtask("MagnumClusters.list_clusters", with_cluster, limit=1),
            subtask("MagnumClusters.create_and_list_clusters", contexts, node_count=1),
        ],
    }


@pytest.mark.timeout(5 * client.PATIENCE)
def test_scenarios_and_their_cleanup(
    shell: Callable[..., Shell], tenant: Tenant, place: Place, reporting: dict[str, str]
) -> None:
    account = Account.of_tenant(tenant)
    rally = shell(RALLY, account)
    rally.folder.mkdir(parents=True)
    template = {
        "coe": "swarm",
        "image_id": "fedora-atomic",
        "external_network_id": "public",
        "dns_nameserver": "8.8.8.8",
        **reporting,
    }
    for name, content in (
        ("env.json", json.dumps(environment(account, place.region))),
        ("task.json", json.dumps(task(template))),
        ("rally.conf", SETTINGS),
    ):
        (rally.folder / name).write_text(content)

    def run(*command: str) -> str:
        ended = rally.run(
            "rally", "--config-file", "rally.conf", *command, patience=4 * client.PATIENCE
        )
        assert ended.code == 0, ended
        return ended.output

    run("db", "create")
    run("env", "create", "--name", "cloud", "--spec", "env.json")
    run("task", "start", "task.json")
    report = run("task", "report", "--json")
    (ran,) = json.loads(report[report.index("{") :])["tasks"]
    counted = {}
    for subtask in ran["subtasks"]:
        (workload,) = subtask["workloads"]
        counted[subtask["title"]] = workload["total_iteration_count"]
        assert workload["failed_iteration_count"] == 0, workload
        for context in workload["contexts_results"]:
            assert (context["setup"]["error"], context["cleanup"]["error"]) == (None, None), context
    assert counted == ITERATIONS

    api = place.api(tenant.session)
    assert api.call("GET", "/bays").json()["bays"] == []
    assert api.call("GET", "/baymodels").json()["baymodels"] == []
    assert client.service(tenant.session, "compute").get("/os-keypairs").json()["keypairs"] == []
