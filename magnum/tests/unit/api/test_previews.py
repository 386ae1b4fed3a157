"""``POST /{bay}/preview``: what a change would do, asked of the driver through a conductor."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from magnum.drivers import catalogue
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.tests.api import Client, FixedDriver, Settings, a_bay, a_model, operations_of, replace
from magnum.tests.calls import AskedDriver, answering, key_ring


@pytest.fixture(autouse=True)
def asked(
    drivers: catalogue.Catalogue,
    database: None,
    config: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Drivers that preview and one that does not, and somebody who answers."""
    config("certificates", key_ring=str(key_ring(tmp_path / "keys")))
    known = (AskedDriver(), NoopDriver(), FixedDriver())
    made = catalogue.Catalogue(known)
    monkeypatch.setattr(catalogue, "catalogue", lambda: made)
    with answering(*known):
        yield


def preview(client: Client, bay: str, body: Any = None, query: str = "") -> dict[str, str]:
    answer = client("POST", f"/v1/bays/{bay}/preview{query}", body, status=200).json
    return {change["resource"]: change["type"] for change in answer["changes"]}


def test_the_driver_is_asked_about_the_bay_as_it_would_be(demo: Client) -> None:
    bay = a_bay(demo, node_count=2, labels={"a": "1"})
    as_it_stands = {
        "counts": "default-master=1,default-worker=2",
        "labels": "a=1",
        "template": "own",
    }
    assert preview(demo, bay) == as_it_stands
    assert preview(demo, bay, []) == as_it_stands
    larger = preview(demo, bay, replace("/node_count", 5), "?template=current")
    assert larger["counts"] == "default-master=1,default-worker=5"
    assert larger["template"] == "current"
    # Nothing of that is kept.
    assert (
        demo("GET", f"/v1/clusters/{bay}/effective").json["attributes"]["node_count"]["value"] == 2
    )
    assert len(operations_of(bay)) == 1


def test_the_tutorials_driver_previews(demo: Client) -> None:
    model = a_model(demo, coe="noop", cluster_distro=None)
    bay = a_bay(demo, baymodel_id=model["uuid"], node_count=2)

    def kinds(count: int) -> list[str]:
        body = replace("/node_count", count)
        answer = demo("POST", f"/v1/clusters/{bay}/preview", body, status=200).json
        return [change["kind"] for change in answer["changes"]]

    assert kinds(3) == ["unchanged", "unchanged", "unchanged", "added"]
    assert kinds(1) == ["unchanged", "unchanged", "deleted"]
    option = replace("/options/noop_delay", 1)
    demo("POST", f"/v1/bays/{bay}/preview", option, status=200)


def test_what_cannot_be_asked_is_refused(demo: Client) -> None:
    bay = a_bay(demo)
    path = f"/v1/bays/{bay}/preview"
    assert demo.error("POST", f"{path}?template=newest", status=400)["field"] == "template"
    assert demo.error("POST", path, replace("/name", "x"), status=400)["field"] == "/0/path"
    assert demo.error("POST", path, {"node_count": 2}, status=400)


def test_a_driver_that_cannot_says_so(demo: Client) -> None:
    model = a_model(demo, driver="fixed_test_v1", coe="mesos", cluster_distro="flatcar")
    bay = a_bay(demo, baymodel_id=model["uuid"])
    assert demo.error("POST", f"/v1/bays/{bay}/preview", status=400)["reason"] == "NOT_SUPPORTED"
