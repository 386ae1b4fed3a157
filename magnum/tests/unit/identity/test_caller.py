"""What only the caller can see, asked of a small cloud with the caller's token."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from magnum.common import errors
from magnum.conf import CONF
from magnum.identity import breaker
from magnum.identity import caller as module
from magnum.identity.caller import Caller
from magnum.tests.clouds import UUID, FakeCloud

ASK: dict[str, Callable[[Caller, str], Any]] = {
    "image": lambda caller, ident: caller.image(ident, "/image_id"),
    "flavor": lambda caller, ident: caller.check_flavor(ident, "/flavor_id"),
    "external": lambda caller, ident: caller.check_external_network(ident, "/external_network_id"),
    "network": lambda caller, ident: caller.check_network(ident, "/fixed_network"),
    "subnet": lambda caller, ident: caller.check_subnet(ident, "/fixed_subnet"),
    "keypair": lambda caller, ident: caller.public_key(ident, "/keypair_id"),
}
FIELD = {
    "image": "/image_id",
    "flavor": "/flavor_id",
    "external": "/external_network_id",
    "network": "/fixed_network",
    "subnet": "/fixed_subnet",
    "keypair": "/keypair_id",
}
REAL_SESSION = module._session
THERE = {
    "image": "fedora",
    "flavor": "1",
    "external": "public",
    "network": "private",
    "subnet": "sub",
    "keypair": "key",
}
EVERY = pytest.mark.parametrize("kind", sorted(ASK))


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    """The cloud behind the session of all callers."""
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    made = FakeCloud(
        images=[
            {"id": UUID.format(1), "name": "fedora", "os_distro": "fedora-atomic"},
            {
                "id": UUID.format(2),
                "name": "chosen",
                "os_distro": "fedora-atomic",
                "magnum_driver": "swarm_atomic_v1",
            },
            {"id": UUID.format(3), "name": "plain"},
            {"id": UUID.format(4), "name": "twin", "os_distro": "a"},
            {"id": UUID.format(5), "name": "twin", "os_distro": "b"},
        ],
        flavors=[{"id": "1", "name": "m1.small"}, {"id": UUID.format(6), "name": "large"}],
        networks=[
            {"id": UUID.format(7), "name": "public", "router:external": "True"},
            {"id": UUID.format(8), "name": "private", "router:external": "False"},
            {"id": UUID.format(9), "name": "twin", "router:external": "True"},
            {"id": UUID.format(0), "name": "twin", "router:external": "True"},
        ],
        subnets=[{"id": UUID.format(1), "name": "sub"}],
        keypairs={"key": "ssh-ed25519 AAAA", "my key/1": "ssh-rsa BBBB"},
    )
    session = made.session()
    monkeypatch.setattr(module, "_session", lambda: session)
    CONF.set_override("remember", 0, group="cloud")
    module._answers.clear()
    yield made
    for option in ("absent_services", "endpoint_type", "remember"):
        CONF.clear_override(option, group="cloud")
    module._answers.clear()


@pytest.mark.parametrize("ident", ["fedora", UUID.format(1)])
def test_an_image_says_its_distribution(cloud: FakeCloud, ident: str) -> None:
    found = Caller(cloud.context()).image(ident, "/image_id")
    assert found == module.Image(UUID.format(1), "fedora-atomic", None)


def test_an_image_may_ask_for_a_driver(cloud: FakeCloud) -> None:
    found = Caller(cloud.context()).image("chosen", "/image_id")
    assert found is not None
    assert found.driver == "swarm_atomic_v1"


def test_an_image_without_a_distribution_is_refused(cloud: FakeCloud) -> None:
    with pytest.raises(errors.InvalidField, match="os_distro") as caught:
        Caller(cloud.context()).image("plain", "/image_id")
    assert caught.value.field == "/image_id"


@pytest.mark.parametrize(
    ("kind", "ident"),
    [
        ("flavor", "1"),
        ("flavor", "m1.small"),
        ("flavor", UUID.format(6)),
        ("external", "public"),
        ("external", UUID.format(7)),
        ("network", "private"),
        ("network", "public"),
        ("subnet", "sub"),
        ("subnet", UUID.format(1)),
    ],
)
def test_what_is_there_is_accepted(cloud: FakeCloud, kind: str, ident: str) -> None:
    ASK[kind](Caller(cloud.context()), ident)
    assert cloud.asked


@pytest.mark.parametrize("name", ["key", "my key/1"])
def test_the_public_half_of_a_keypair(cloud: FakeCloud, name: str) -> None:
    assert Caller(cloud.context()).public_key(name, "/keypair_id") == cloud.keypairs[name]


@EVERY
@pytest.mark.parametrize(
    "ident", ["nothing", "99999999-2222-3333-4444-555555555555", "../admin", "a?b"]
)
def test_what_is_not_there_is_refused(cloud: FakeCloud, kind: str, ident: str) -> None:
    expected = errors.NotFound if kind == "keypair" else errors.InvalidField
    with pytest.raises(expected) as caught:
        ASK[kind](Caller(cloud.context()), ident)
    assert caught.value.field == FIELD[kind]
    assert ident in caught.value.text


@pytest.mark.parametrize("ident", ["private", UUID.format(8)])
def test_an_external_network_is_external(cloud: FakeCloud, ident: str) -> None:
    with pytest.raises(errors.InvalidField):
        Caller(cloud.context()).check_external_network(ident, "/external_network_id")


@pytest.mark.parametrize("kind", ["image", "external", "network"])
def test_an_ambiguous_name_is_a_conflict(cloud: FakeCloud, kind: str) -> None:
    with pytest.raises(errors.Conflict) as caught:
        ASK[kind](Caller(cloud.context()), "twin")
    assert caught.value.field == FIELD[kind]


@EVERY
def test_a_service_that_is_absent_is_not_asked(cloud: FakeCloud, kind: str) -> None:
    CONF.set_override("absent_services", ["image", "compute", "network"], group="cloud")
    assert ASK[kind](Caller(cloud.context()), "nothing") is None
    assert cloud.asked == []


@EVERY
def test_a_service_that_is_not_in_the_catalogue_is_503(cloud: FakeCloud, kind: str) -> None:
    cloud.services = ()
    with pytest.raises(errors.Unavailable, match="absent_services"):
        ASK[kind](Caller(cloud.context()), "x")


@EVERY
@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (requests.exceptions.ConnectionError("10.0.0.1 refused"), errors.Unavailable),
        (requests.exceptions.ReadTimeout("slow"), errors.Unavailable),
        ((500, {"error": "broken"}), errors.Unavailable),
        ((503, "<html>proxy</html>"), errors.Unavailable),
        ((200, "<html>login</html>"), errors.Unavailable),
        ((200, {}), errors.Unavailable),
        ((200, [1]), errors.Unavailable),
        ((401, {"error": {"code": 401, "message": "no"}}), errors.Forbidden),
        ((403, {"error": {"code": 403, "message": "no"}}), errors.Forbidden),
    ],
)
def test_troubles_of_the_cloud_are_told(
    cloud: FakeCloud, kind: str, trouble: Any, expected: type[errors.MagnumError]
) -> None:
    cloud.trouble = trouble
    with pytest.raises(expected) as caught:
        ASK[kind](Caller(cloud.context()), "1")
    assert "10.0.0.1" not in caught.value.text


@pytest.mark.parametrize("kind", ["image", "flavor", "external", "network", "subnet"])
def test_what_was_found_is_remembered_for_this_caller_alone(cloud: FakeCloud, kind: str) -> None:
    CONF.set_override("remember", 60, group="cloud")
    there = {"image": "fedora", "flavor": "1", "external": "public"}.get(kind, "sub")
    cloud.networks.append({"id": UUID.format(3), "name": "sub", "router:external": "False"})
    for _ in range(3):
        ASK[kind](Caller(cloud.context()), there)
    assert len(cloud.asked) == 1
    ASK[kind](Caller(cloud.context(user="u2")), there)
    ASK[kind](Caller(cloud.context(project="p2")), there)
    assert len(cloud.asked) == 3


@pytest.mark.parametrize("kind", ["image", "flavor", "network", "keypair"])
def test_what_was_not_found_is_asked_for_again(cloud: FakeCloud, kind: str) -> None:
    CONF.set_override("remember", 60, group="cloud")
    for _ in range(2):
        cloud.asked.clear()
        with pytest.raises(errors.MagnumError):
            ASK[kind](Caller(cloud.context()), "nothing")
        assert cloud.asked


def test_a_keypair_is_asked_for_every_time(cloud: FakeCloud) -> None:
    CONF.set_override("remember", 60, group="cloud")
    for key in ("ssh-rsa OLD", "ssh-rsa NEW"):
        cloud.keypairs["key"] = key
        assert Caller(cloud.context()).public_key("key", "/keypair_id") == key


def test_the_operator_chooses_the_interface(cloud: FakeCloud) -> None:
    CONF.set_override("endpoint_type", "internal", group="cloud")
    Caller(cloud.context()).check_network("private", "/fixed_network")
    assert [host for host, _ in cloud.asked] == ["network.internal"]


@pytest.fixture
def guarded(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    """The cloud behind the session that callers really have."""
    REAL_SESSION.cache_clear()
    monkeypatch.setattr(module, "_session", REAL_SESSION)
    breaker.forget()
    for adapter in REAL_SESSION().session.adapters.values():
        monkeypatch.setattr(adapter, "_adapter", cloud)
    yield cloud
    REAL_SESSION.cache_clear()
    breaker.forget()


@EVERY
def test_a_service_that_does_not_answer_is_left_alone(guarded: FakeCloud, kind: str) -> None:
    guarded.trouble = requests.exceptions.ConnectTimeout("slow")
    for _ in range(10):
        with pytest.raises(errors.Unavailable) as caught:
            ASK[kind](Caller(guarded.context()), "1")
    assert len(guarded.asked) == CONF.breaker.failure_threshold
    assert "CircuitOpen" in caught.value.operator_text
    assert "CircuitOpen" not in caught.value.text


@EVERY
def test_a_question_that_a_service_trips_over_keeps_nobody_from_asking(
    guarded: FakeCloud, kind: str
) -> None:
    guarded.trouble = (500, {"error": "broken"})
    for _ in range(10):
        with pytest.raises(errors.Unavailable):
            ASK[kind](Caller(guarded.context()), "1")
    guarded.trouble = None
    ASK[kind](Caller(guarded.context()), THERE[kind])
