"""What a request names is looked for in the cloud, at the right moment (contract 2.1, "Order of checks")."""

from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from sqlalchemy import select

from magnum.api import app
from magnum.db import session
from magnum.db.models import Bay
from magnum.drivers import catalogue
from magnum.identity import caller as caller_module
from magnum.tests.api import MEMBER, Client, Settings, trusting
from magnum.tests.clouds import UUID, FakeCloud

MODEL = {"name": "model", "coe": "swarm", "image_id": "fedora", "keypair_id": "key"}


@pytest.fixture
def cloud(config: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    """A cloud with one of each."""
    config("cloud", absent_services=[], remember=0)
    made = FakeCloud(
        images=[
            {"id": UUID.format(1), "name": "fedora", "os_distro": "fedora-atomic"},
            {
                "id": UUID.format(2),
                "name": "special",
                "os_distro": "flatcar",
                "magnum_driver": "fixed_test_v1",
            },
            {"id": UUID.format(3), "name": "haiku", "os_distro": "haiku"},
        ],
        flavors=[{"id": "1", "name": "small"}],
        networks=[
            {"id": UUID.format(4), "name": "public", "router:external": "True"},
            {"id": UUID.format(5), "name": "private", "router:external": "False"},
        ],
        subnets=[{"id": UUID.format(6), "name": "sub"}],
        keypairs={"key": "ssh-ed25519 AAAA"},
    )
    opened = made.session()
    monkeypatch.setattr(caller_module, "_session", lambda: opened)
    yield made


@pytest.fixture
def wsgi(database: None, drivers: catalogue.Catalogue, cloud: FakeCloud) -> WSGIApplication:
    """The application, with the token's plugin where keystonemiddleware would put it."""
    token_auth = cloud.context().token_auth

    def auth(inner: WSGIApplication) -> WSGIApplication:
        trusted = trusting(inner)

        def check(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            environ["keystone.token_auth"] = token_auth
            return trusted(environ, start_response)

        return check

    return app.make(auth=auth)


@pytest.fixture
def demo(wsgi: WSGIApplication) -> Client:
    """A member of project p1."""
    return Client(wsgi, Project_Id="p1", User_Id="u1", Roles=MEMBER)


def post(client: Client, status: int = 201, **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client(
        "POST", "/v1/baymodels", {**MODEL, **fields}, status=status
    ).json
    return answer


def test_the_image_says_the_distribution(demo: Client) -> None:
    assert post(demo, cluster_distro="something else")["cluster_distro"] == "fedora-atomic"
    assert post(demo)["driver"] is None


def test_the_image_may_choose_the_driver(demo: Client) -> None:
    made = post(demo, image_id="special", coe="mesos")
    assert made["driver"] == "fixed_test_v1"
    error = post(demo, 400, image_id="special", coe="swarm")["errors"][0]
    assert error["field"] == "/coe"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image_id", "nothing"),
        ("image_id", "haiku"),
        ("flavor_id", "nothing"),
        ("master_flavor_id", "nothing"),
        ("external_network_id", "private"),
        ("fixed_network", "nothing"),
        ("fixed_subnet", "nothing"),
    ],
)
def test_what_is_not_there_is_400(demo: Client, field: str, value: str) -> None:
    assert post(demo, 400, **{field: value})["errors"][0]["field"] == f"/{field}"


def test_the_keypair_of_a_baymodel_is_not_looked_for(demo: Client) -> None:
    post(demo, keypair_id="nothing")


def test_a_wrong_request_and_a_wrong_caller_cost_the_cloud_nothing(
    demo: Client, caller: Any, cloud: FakeCloud
) -> None:
    post(demo, 400, network_driver="calico")
    post(demo, 400, driver="nothing_v1")
    post(caller(roles="reader"), 403)
    assert cloud.asked == []


def test_the_right_to_publish_is_asked_last(demo: Client, cloud: FakeCloud) -> None:
    post(demo, 400, image_id="nothing", public=True)
    post(demo, 403, public=True)


def test_a_cloud_that_does_not_answer_is_503(demo: Client, cloud: FakeCloud) -> None:
    cloud.trouble = (500, {})
    error = post(demo, 503)["errors"][0]
    assert error["reason"] == "UNAVAILABLE"
    assert "image" in error["detail"]


def test_a_patch_looks_for_what_it_names_only(demo: Client, cloud: FakeCloud) -> None:
    uuid = post(demo)["uuid"]
    cloud.asked.clear()
    path = f"/v1/baymodels/{uuid}"

    def patch(name: str, value: str, status: int) -> dict[str, Any]:
        body = [{"op": "replace", "path": f"/{name}", "value": value}]
        answer: dict[str, Any] = demo("PATCH", path, body, status=status).json
        return answer

    patch("no_proxy", "x", 200)
    assert cloud.asked == []
    patch("flavor_id", "small", 200)
    assert {host for host, _ in cloud.asked} == {"compute.public"}
    for name in ("image_id", "flavor_id", "external_network_id", "fixed_network", "fixed_subnet"):
        assert patch(name, "nothing", 400)["errors"][0]["field"] == "/0/value"
    # Its distribution is not what the baymodel's engine is built on.
    assert patch("image_id", "haiku", 400)["errors"][0]["field"] == "/0/value"


def a_bay(client: Client, status: int, **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client(
        "POST", "/v1/bays", {"baymodel_id": "model", **fields}, status=status
    ).json
    return answer


def test_a_bay_keeps_the_public_half_of_the_keypair(demo: Client) -> None:
    post(demo)
    uuid = a_bay(demo, 202)["uuid"]
    with session.engine().connect() as connection:
        stored = connection.execute(
            select(Bay.ssh_public_key, Bay.keypair).where(Bay.uuid == uuid)
        ).one()
    assert tuple(stored) == ("ssh-ed25519 AAAA", "key")
    assert "AAAA" not in demo("GET", f"/v1/bays/{uuid}").text


def test_an_unknown_keypair_is_404(demo: Client) -> None:
    post(demo, keypair_id="nothing")
    error = a_bay(demo, 404)["errors"][0]
    assert error["field"] == "/baymodel_id"
    assert "nothing" in error["detail"]


@pytest.mark.parametrize(
    "field", ["flavor_id", "master_flavor_id", "fixed_network", "fixed_subnet"]
)
def test_a_bays_own_choice_is_looked_for(demo: Client, field: str) -> None:
    post(demo)
    assert a_bay(demo, 400, **{field: "nothing"})["errors"][0]["field"] == f"/{field}"


@pytest.mark.parametrize("kind", ["images", "flavors", "networks", "subnets"])
def test_what_a_baymodel_names_may_be_gone(demo: Client, cloud: FakeCloud, kind: str) -> None:
    post(
        demo,
        flavor_id="small",
        master_flavor_id="small",
        external_network_id="public",
        fixed_network="private",
        fixed_subnet="sub",
    )
    a_bay(demo, 202)
    getattr(cloud, kind).clear()
    assert a_bay(demo, 400)["errors"][0]["field"] == "/baymodel_id"
