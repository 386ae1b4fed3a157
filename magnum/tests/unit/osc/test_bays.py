"""``openstack bay create|list|show|set|unset|delete`` and ``effective``: what is asked, and what becomes of it."""

from collections.abc import Callable

import pytest

from magnum.conf import CONF
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.tests.calls import answering
from magnum.tests.unit.osc.conftest import World
from magnum.tests.unit.osc.osc import Osc


@pytest.fixture
def noop_model(osc: Osc) -> str:
    """A model of the tutorial's driver."""
    made = osc.json("bay", "model", "create", "noop", "--driver", "noop_v1", "--image", "any")
    return str(made["name"])


def a_bay(osc: Osc, model: str, name: str = "first", *more: str) -> str:
    """A bay that is there. Returns its uuid."""
    made = osc.json("bay", "create", name, "--model", model, *more)
    assert made["status"] == "CREATE_COMPLETE"
    return str(made["uuid"])


def test_everything_that_is_said_of_a_new_bay_arrives(osc: Osc, noop_model: str) -> None:
    made = osc.json(
        *("bay", "create", "first", "--model", noop_model, "--no-wait"),
        *("--node-count", "3", "--master-count", "2", "--master-lb", "--timeout", "7"),
        *("--keypair", "mine", "--flavor", "f1", "--master-flavor", "f2"),
        *("--docker-volume-size", "4", "--fixed-network", "n", "--fixed-subnet", "s"),
        *("--discovery-url", "http://d", "--no-floating-ip", "--label", "a=b", "--label", "c="),
        *("--hint", "availability_zone=az1,az2", "--hint", "spread=all"),
    )
    expected = {
        "name": "first",
        "node_count": 3,
        "master_count": 2,
        "master_lb_enabled": True,
        "bay_create_timeout": 7,
        "keypair": "mine",
        "flavor_id": "f1",
        "master_flavor_id": "f2",
        "docker_volume_size": 4,
        "fixed_network": "n",
        "fixed_subnet": "s",
        "discovery_url": "http://d",
        "floating_ip_enabled": False,
        "labels": {"a": "b", "c": ""},
        "hints": {"availability_zone": ["az1", "az2"], "spread": "all"},
    }
    assert {name: made[name] for name in expected} == expected


def test_options_are_typed_by_the_schema_of_the_driver(osc: Osc, noop_model: str) -> None:
    made = osc.json(
        *("bay", "create", "first", "--model", noop_model, "--no-wait"),
        *("--option", "noop_delay=2", "--option", "noop_block=update,delete"),
    )
    assert made["options"] == {"noop_delay": 2, "noop_block": ["update", "delete"]}


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("noop_delay=soon", "The option 'noop_delay' cannot be 'soon': a number is wanted."),
        ("noop_delay=-1", "field: /options/noop_delay"),
        ("noop_dealy=1", "Options: noop_block"),
    ],
)
def test_an_option_that_cannot_be_is_refused(
    osc: Osc, noop_model: str, option: str, told: str
) -> None:
    ended = osc("bay", "create", "first", "--model", noop_model, "--option", option, code=1)
    assert told in ended.err
    assert osc.json("bay", "list") == []


def test_a_dry_run_shows_the_choice_of_a_driver_and_makes_nothing(
    osc: Osc, noop_model: str
) -> None:
    words = ("bay", "create", "first", "--model", noop_model, "--dry-run")
    tried = osc.json(*words)
    assert tried["driver"] == "noop_v1"
    assert {one["driver"] for one in tried["candidates"]} > {"noop_v1", "scripted_v1"}
    assert "scripted_v1 1.0.0: no, named: the request names noop_v1" in osc(*words).out
    assert osc.json("bay", "list") == []


def test_a_list_follows_its_pages(
    osc: Osc, noop_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        osc("bay", "create", f"b{number}", "--model", noop_model, "--no-wait")
    CONF.set_override("max_limit", 2, group="api")
    try:
        osc.transport.sent.clear()
        assert [one["Name"] for one in osc.json("bay", "list")] == [f"b{n}" for n in range(5)]
        assert len(osc.transport.sent) == 3
        three = osc.json("bay", "list", "--limit", "3")
        assert [one["Name"] for one in three] == ["b0", "b1", "b2"]
        rest = osc.json("bay", "list", "--marker", three[-1]["UUID"], "--long")
        assert [one["Name"] for one in rest] == ["b3", "b4"]
        assert rest[0]["Driver Version"] == NoopDriver.version
    finally:
        CONF.clear_override("max_limit", group="api")


def test_a_bay_is_shown_by_name_and_by_uuid(osc: Osc, noop_model: str) -> None:
    uuid = a_bay(osc, noop_model)
    assert osc.json("bay", "show", "first") == osc.json("bay", "show", uuid)
    assert osc("bay", "show", "first", "-f", "value", "-c", "status").out == "CREATE_COMPLETE\n"
    assert "noop_v1 " in osc("bay", "show", "first").out


def test_nodes_and_options_change(osc: Osc, noop_model: str) -> None:
    a_bay(osc, noop_model)
    changed = osc.json(
        "bay", "set", "first", "--node-count", "4", "--option", "noop_health=UNHEALTHY"
    )
    assert changed["status"] == "UPDATE_COMPLETE"
    assert (changed["node_count"], changed["options"]) == (4, {"noop_health": "UNHEALTHY"})
    assert len(changed["node_addresses"]) == 4
    assert osc.json("bay", "unset", "first", "--option", "noop_health")["options"] == {}


def test_what_is_wanted_already_makes_no_work(osc: Osc, model: str, world: World) -> None:
    a_bay(osc, model)
    a_change = ("bay", "set", "first", "--node-count", "2")
    osc(*a_change)
    operations = len(osc.json("bay", "operation", "list", "first"))
    ended = osc(*a_change)
    assert "nothing is to be done" in ended.err
    assert len(osc.json("bay", "operation", "list", "first")) == operations


def test_a_change_of_nothing_is_refused_here(osc: Osc, noop_model: str) -> None:
    a_bay(osc, noop_model)
    for words in (("bay", "set", "first"), ("bay", "unset", "first")):
        assert "Say what is to be changed" in osc(*words, code=1).err


def test_a_preview_changes_nothing(osc: Osc, noop_model: str, noop: NoopDriver) -> None:
    a_bay(osc, noop_model, "first", "--node-count", "2")
    with answering(noop):
        seen = osc.json("bay", "set", "first", "--node-count", "1", "--preview")
    assert len(seen["deleted"]) == 1
    assert len(seen["unchanged"]) == 2
    assert seen["added"] == seen["replaced"] == []
    assert osc.json("bay", "show", "first")["node_count"] == 2


def test_several_bays_are_deleted_and_one_that_is_not_there_does_not_matter(
    osc: Osc, noop_model: str
) -> None:
    for name in ("first", "second"):
        a_bay(osc, noop_model, name)
    ended = osc("bay", "delete", "first", "missing", "second", "-f", "json", code=1)
    assert [(one["Bay"], one["State"]) for one in ended.json] == [
        ("first", "DONE"),
        ("second", "DONE"),
    ]
    assert "missing: Bay missing could not be found." in ended.err
    assert "`openstack bay list` shows the bays" in ended.err
    assert osc.json("bay", "list") == []


def test_a_deletion_that_nobody_waits_for_goes_on(osc: Osc, noop_model: str, world: World) -> None:
    uuid = a_bay(osc, noop_model)
    asked = osc.json("bay", "delete", uuid, "--no-wait")
    assert asked[0]["State"] == "PENDING"
    world.step()
    assert osc.json("bay", "operation", "show", asked[0]["Operation"])["state"] == "DONE"


def test_a_forced_deletion_says_so_to_the_service(
    openstack: Callable[..., Osc], osc: Osc, noop_model: str
) -> None:
    a_bay(osc, noop_model)
    asked = osc("bay", "delete", "first", "--force", "--no-wait", code=None)
    deletes = [one for one in osc.transport.sent if one.startswith("DELETE")]
    assert deletes == ["DELETE /v1/bays/first?force=true"]
    if asked.code:  # the operator's right by default
        assert "FORBIDDEN" in asked.err


def test_what_a_bay_is_made_of_has_an_origin(osc: Osc, noop_model: str) -> None:
    a_bay(osc, noop_model, "first", "--option", "noop_delay=0", "--label", "mine=yes")
    found = {(one["Kind"], one["Name"]): one for one in osc.json("bay", "effective", "first")}
    assert found["option", "noop_delay"]["Origin"] == "bay"
    assert found["option", "noop_delay"]["Change"] == "mutable"
    assert found["option", "noop_health"]["Value"] == "HEALTHY"
    assert found["attribute", "image_id"]["Origin"] == "baymodel"
    assert found["label", "mine"]["Value"] == "yes"


def test_an_error_says_what_where_and_what_to_do(osc: Osc, noop_model: str) -> None:
    ended = osc("bay", "create", "no spaces", "--model", noop_model, code=1)
    lines = ended.err.splitlines()
    assert lines[0].startswith("Invalid '/name'")
    assert lines[1:4] == [
        "  code: INVALID_FIELD (HTTP 400)",
        "  field: /name",
        "  what to do: Say it in another way; --help shows what a command takes.",
    ]
    assert lines[4].startswith("  request: req-")
    assert ended.out == ""


def test_who_may_only_look_is_told_so(openstack: Callable[..., Osc], noop_model: str) -> None:
    reader = openstack(user="u3", roles="reader")
    ended = reader("bay", "create", "first", "--model", noop_model, code=1)
    assert "code: FORBIDDEN (HTTP 403)" in ended.err
    assert "what to do: It takes another role" in ended.err
