"""Fields and options that do not go together: refused when a bay is asked for, with a pointer to where it was said."""

from typing import Any

import pytest

from magnum.drivers import catalogue
from magnum.drivers.k8s_fedora_v1.driver import Driver as KubernetesDriver
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.tests.api import BEFORE_OPERATIONS, Client, a_bay, a_model

KUBERNETES = {"coe": "kubernetes", "cluster_distro": "fedora-atomic"}
WITHOUT_TLS = {"tls_disabled": True}
ON_DOCKER = {"container_runtime": "docker", "kube_tag": "v1.31.2"}


@pytest.fixture(autouse=True)
def known(drivers: catalogue.Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver whose options depend on each other, and one that refuses nothing."""
    made = catalogue.Catalogue([NoopDriver(), KubernetesDriver()])
    monkeypatch.setattr(catalogue, "catalogue", lambda: made)


@pytest.mark.parametrize("version", [None, BEFORE_OPERATIONS, "container-infra latest"])
@pytest.mark.parametrize(
    ("model", "bay", "where", "said"),
    [
        ({"volume_driver": "cinder"}, {}, "/baymodel_id", "cloud_provider_enabled"),
        (WITHOUT_TLS, {}, "/baymodel_id", "tls_disabled"),
        ({"labels": ON_DOCKER}, {}, "/baymodel_id", "container_runtime"),
        ({}, {"labels": ON_DOCKER}, "/labels/container_runtime", "container_runtime"),
        ({}, {"master_count": 2, "master_lb_enabled": True}, "/master_count", "master_count"),
        ({}, {"discovery_url": "http://x/"}, "/discovery_url", "discovery_url"),
        ({"external_network_id": None}, {}, "/baymodel_id", "external_network_id"),
    ],
)
def test_a_combination_that_cannot_be_built_is_a_bad_request(
    demo: Client,
    model: dict[str, Any],
    bay: dict[str, Any],
    where: str,
    said: str,
    version: str | None,
) -> None:
    uuid = a_model(demo, **{**KUBERNETES, **model})["uuid"]

    error = demo.error(
        "POST", "/v1/bays", {"baymodel_id": uuid, **bay}, status=400, version=version
    )

    assert error.get("field") == where
    assert said in error["detail"] or said in error["title"]
    assert demo("GET", "/v1/bays").json["bays"] == []


def test_options_of_the_request_are_pointed_at(demo: Client) -> None:
    uuid = a_model(demo, **KUBERNETES)["uuid"]
    body = {"baymodel_id": uuid, "options": ON_DOCKER}
    error = demo.error("POST", "/v1/bays", body, status=400)
    assert error["field"] == "/options/container_runtime"


def test_what_goes_together_is_accepted(demo: Client) -> None:
    labels = {"cloud_provider_enabled": "true"}
    uuid = a_model(demo, **KUBERNETES, volume_driver="cinder", labels=labels)["uuid"]
    assert a_bay(demo, baymodel_id=uuid, master_count=3, master_lb_enabled=True)


def test_a_cluster_says_cluster_template(demo: Client) -> None:
    uuid = a_model(demo, **KUBERNETES, volume_driver="cinder")["uuid"]
    error = demo.error("POST", "/v1/clusters", {"cluster_template_id": uuid}, status=400)
    assert error["field"] == "/cluster_template_id"
