"""Why a stack failed: the innermost resource, its place, and what kind of cause it is."""

from typing import Any

import pytest

from magnum.drivers.contract import Actor, Fault
from magnum.drivers.heat.diagnosis import LONGEST_FAULT, MOST_FAULTS, Cause, diagnose
from magnum.drivers.heat.stack import ResourceView, StackView
from magnum.tests.unit.drivers.fakes import resource

WAIT = "OS::Heat::WaitCondition"
SERVER = "OS::Nova::Server"
PORT = "OS::Neutron::Port"
FLOATING_IP = "OS::Neutron::FloatingIP"
NO_ADDRESS = "IpAddressGenerationFailureClient: No more IP addresses available on network 5."


def cause(reason: str, *listed: dict[str, Any], action: str = "CREATE") -> Cause:
    class Shown:
        def __init__(self, facts: dict[str, Any]) -> None:
            self._info = facts

    view = StackView("stack-1", "bay-1", action, "FAILED", reason, {})
    return diagnose(view, [ResourceView.of(Shown(facts)) for facts in listed])


def around(inner: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """The group and the node around a resource of stack-3, as Heat repeats its reason there."""
    reason = f"resources[1]: resources.{inner['resource_name']}: ..."
    return (
        resource(
            "nodes", "OS::Heat::ResourceGroup", "CREATE_FAILED", reason, resource_id="stack-2"
        ),
        resource("1", "node.yaml", "CREATE_FAILED", reason, owner="stack-2", resource_id="stack-3"),
        inner,
    )


@pytest.mark.parametrize(
    ("kind", "reason", "code", "actor"),
    [
        (WAIT, "WaitConditionTimeout: 0 of 1 received", "NODE_NOT_REPORTED", Actor.USER),
        (WAIT, "WaitConditionFailure: step 40 failed: no space", "NODE_FAILED", Actor.USER),
        (SERVER, "Forbidden: Quota exceeded for cores", "QUOTA_EXCEEDED", Actor.USER),
        (
            "OS::Cinder::Volume",
            "OverLimit: VolumeSizeExceedsAvailableQuota",
            "QUOTA_EXCEEDED",
            Actor.USER,
        ),
        (SERVER, "ResourceInError: No valid host was found.", "NO_CAPACITY", Actor.OPERATOR),
        (SERVER, "Exceeded maximum number of retries.", "NO_CAPACITY", Actor.OPERATOR),
        (FLOATING_IP, NO_ADDRESS, "FLOATING_IPS_EXHAUSTED", Actor.OPERATOR),
        (
            "OS::Neutron::Router",
            "ExternalIpAddressExhaustedClient: Unable to find any IP address on external network 5.",
            "FLOATING_IPS_EXHAUSTED",
            Actor.OPERATOR,
        ),
        (PORT, NO_ADDRESS, "BUILD_FAILED", Actor.USER),  # of a network of the user's own choice
        (
            FLOATING_IP,
            "OverQuotaClient: Quota exceeded for resources: ['floatingip'].",
            "QUOTA_EXCEEDED",
            Actor.USER,
        ),
        (SERVER, "BadRequest: Image 7 could not be found. (HTTP 400)", "IMAGE_GONE", Actor.USER),
        (
            SERVER,
            "Error validating value '7': No images matching {'name'",
            "IMAGE_GONE",
            Actor.USER,
        ),
        (SERVER, "BadRequest: Flavor m1.x could not be found.", "FLAVOR_GONE", Actor.USER),
        (SERVER, "No Flavor matching {'name': 'm1.x'}. (HTTP 404)", "FLAVOR_GONE", Actor.USER),
        (PORT, "Unable to find network with name or id 'n'", "NETWORK_GONE", Actor.USER),
        (PORT, "NetworkNotFoundClient: Network n could not be found.", "NETWORK_GONE", Actor.USER),
        (PORT, "NotFound: Subnet s could not be found.", "NETWORK_GONE", Actor.USER),
        (SERVER, "Worker went down during resource CREATE", "CLOUD_RESTARTED", Actor.NOBODY),
        (WAIT, "Engine went down during stack CREATE", "CLOUD_RESTARTED", Actor.NOBODY),
        (
            PORT,
            "Property error: network: Error validating value 'x'",
            "INVALID_OPTION",
            Actor.USER,
        ),
        (SERVER, "BadRequest: something new", "BUILD_FAILED", Actor.USER),
    ],
)
def test_the_kind_of_cause(kind: str, reason: str, code: str, actor: Actor) -> None:
    inner = resource("it", kind, "CREATE_FAILED", reason, owner="stack-3", resource_id="r")
    found = cause("Resource CREATE failed: ...", *around(inner))
    assert (found.code, found.actor) == (code, actor)
    for words in ("'nodes / 1 / it'", kind, reason):
        assert words in found.text
    assert "stack-1" in found.operator_text


def test_the_order_of_the_listing_does_not_matter() -> None:
    inner = resource("server", SERVER, "CREATE_FAILED", "no luck", owner="stack-3")
    listed = around(inner)
    assert cause("", *listed) == cause("", *reversed(listed))


def test_what_was_stopped_for_anothers_sake_is_not_to_blame() -> None:
    stopped = resource(
        "a_volume",
        "OS::Cinder::Volume",
        "CREATE_FAILED",
        "CREATE aborted (Task create from ...)",
        updated="2026-01-01T00:00:00Z",
    )
    busy = resource("a_router", "OS::Neutron::Router", "CREATE_IN_PROGRESS", "state changed")
    guilty = resource(
        "z_port", "OS::Neutron::Port", "CREATE_FAILED", "no", updated="2026-01-01T09:00:00Z"
    )
    assert "z_port" in cause("Resource CREATE failed", stopped, busy, guilty).text


def test_of_two_kinds_of_failure_the_earlier_one_is_named() -> None:
    late = resource("a", SERVER, "CREATE_FAILED", "b", updated="2026-01-01T00:00:09Z")
    early = resource("z", SERVER, "CREATE_FAILED", "Quota", updated="2026-01-01T00:00:01Z")
    for listed in ((late, early), (early, late)):
        assert cause("", *listed).code == "QUOTA_EXCEEDED"
        assert [fault.resource for fault in cause("", *listed).faults] == ["z", "a"]


def in_group(group: str, second: int, reason: str) -> tuple[dict[str, Any], ...]:
    """A group of one node, and its server that failed at some time."""
    status = ("CREATE_FAILED", "resources: ...")
    return (
        resource(group, "OS::Heat::ResourceGroup", *status, resource_id=f"{group}-2"),
        resource("0", "node.yaml", *status, owner=f"{group}-2", resource_id=f"{group}-3"),
        resource(
            *("server", SERVER, "CREATE_FAILED", reason),
            owner=f"{group}-3",
            updated=f"2026-01-01T00:00:{second:02}Z",
        ),
    )


@pytest.mark.parametrize("reason", ["No valid host was found", "Quota exceeded for cores"])
def test_the_same_failure_in_another_order_of_time_has_the_same_text(reason: str) -> None:
    """Masters and nodes are made at the same time: which of them fails first changes with each try."""
    one = cause("failed", *in_group("masters", 1, reason), *in_group("nodes", 2, reason))
    other = cause("failed", *in_group("nodes", 1, reason), *in_group("masters", 2, reason))
    assert one == other
    assert "'masters / 0 / server'" in one.text
    places = [fault.resource for fault in one.faults]
    assert places == ["masters / 0 / server", "nodes / 0 / server"]


def test_a_stack_out_of_time_names_the_node_that_did_not_report() -> None:
    server = resource("server", SERVER, "CREATE_IN_PROGRESS", owner="stack-9")
    report = resource("reported", WAIT, "CREATE_IN_PROGRESS", "state changed", owner="stack-3")
    found = cause("Timed out", server, *around(report))
    assert found.code == "NODE_NOT_REPORTED"
    assert "'nodes / 1 / reported'" in found.text
    assert "Timed out" in found.text


def test_a_stack_out_of_time_without_a_node_to_blame() -> None:
    found = cause("Timed out", resource("router", "OS::Neutron::Router", "CREATE_IN_PROGRESS"))
    assert (found.code, found.actor) == ("TIMED_OUT", Actor.OPERATOR)
    assert cause("Timed out").code == "TIMED_OUT"


def test_a_stack_that_somebody_stopped_blames_no_resource() -> None:
    waiting = resource("reported", WAIT, "CREATE_IN_PROGRESS", "state changed")
    found = cause("Stack CREATE cancelled", waiting)
    assert found.code == "BUILD_FAILED"
    assert "Stack CREATE cancelled" in found.text


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("", "BUILD_FAILED"),
        ("Quota exceeded", "QUOTA_EXCEEDED"),
        ("Engine went down during stack UPDATE", "CLOUD_RESTARTED"),
        ("odd", "BUILD_FAILED"),
    ],
)
def test_without_any_resource_the_stacks_words_stand(reason: str, code: str) -> None:
    found = cause(reason)
    assert found.code == code
    assert found.faults == ()
    assert (reason or "no reason given") in found.text


@pytest.mark.parametrize(
    ("status", "word"), [("CREATE_FAILED", "Creating"), ("UPDATE_FAILED", "Updating")]
)
def test_the_text_names_the_step(status: str, word: str) -> None:
    assert f"{word} resource 'it'" in cause("", resource("it", SERVER, status, "no luck")).text


def test_every_part_that_failed_is_named_once_the_blamed_one_first() -> None:
    request = "req-0a1b2c3d-aaaa-4bbb-8ccc-0123456789ab"
    inner = resource(
        *("server", SERVER, "CREATE_FAILED", f"Forbidden: Quota exceeded (Request-ID: {request})"),
        owner="stack-3",
        updated="2026-01-01T00:00:01Z",
    )
    other = resource(
        *("router", "OS::Neutron::Router", "CREATE_FAILED", "no such network"),
        updated="2026-01-01T00:00:02Z",
    )
    stopped = resource("volume", "OS::Cinder::Volume", "CREATE_FAILED", "CREATE aborted")
    busy = resource("port", PORT, "CREATE_IN_PROGRESS", "state changed")
    assert cause("failed", other, *around(inner), stopped, busy).faults == (
        Fault("nodes / 1 / server", SERVER, "Forbidden: Quota exceeded", request),
        Fault("router", "OS::Neutron::Router", "no such network"),
    )


def test_of_a_stack_out_of_time_the_faults_are_what_was_open() -> None:
    report = resource("reported", WAIT, "CREATE_IN_PROGRESS", "state changed", owner="stack-3")
    faults = cause("Timed out", *around(report)).faults
    assert faults == (Fault("nodes / 1 / reported", WAIT, "Timed out"),)


def test_faults_are_bounded_and_hold_no_secret() -> None:
    words = "see http://me:hunter2@proxy/ " + "x" * 2000
    many = [resource(f"s{n:03}", SERVER, "CREATE_FAILED", words) for n in range(50)]
    faults = cause("", *many).faults
    assert len(faults) == MOST_FAULTS
    assert all(len(fault.text) == LONGEST_FAULT for fault in faults)
    assert "hunter2" not in str(faults)


def test_a_circle_in_what_heat_lists_does_not_hang() -> None:
    one = resource("a", "T", "CREATE_FAILED", "x", owner="s-b", resource_id="s-a")
    two = resource("b", "T", "CREATE_FAILED", "x", owner="s-a", resource_id="s-b")
    leaf = resource("leaf", SERVER, "CREATE_FAILED", "x", owner="s-a")
    assert "leaf" in cause("", one, two, leaf).text
