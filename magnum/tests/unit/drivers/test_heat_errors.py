"""Which error of the cloud's becomes which of the contract's, and what may be shown of it."""

import pytest
from heatclient import exc as heat
from keystoneauth1 import exceptions as keystone

from magnum.drivers import contract
from magnum.drivers.heat.errors import (
    LONGEST,
    AlreadyThere,
    CloudError,
    FlavorGone,
    ImageGone,
    NetworkGone,
    PermissionLost,
    Refused,
    clean,
    request_id,
    translated,
    without_request_id,
)
from magnum.tests.unit.drivers.fakes import http_error, not_found

STACK_QUOTA = "You have reached the maximum stacks per tenant, 512. Please delete some stacks."

CASES = [
    (not_found(), contract.NotFound),
    # Not Heat, but something on the way to it: no reason to believe that the stack is gone.
    (heat.HTTPNotFound("<html>no such page</html>"), contract.CloudUnavailable),
    (http_error(heat.HTTPNotFound, "no such page", None), contract.CloudUnavailable),
    (http_error(heat.HTTPConflict, "The Stack (x) already exists."), AlreadyThere),
    (http_error(heat.HTTPForbidden, "quota exceeded for stacks"), contract.QuotaExceeded),
    (
        http_error(heat.HTTPForbidden, "Maximum resources per stack exceeded."),
        contract.QuotaExceeded,
    ),
    (http_error(heat.HTTPForbidden, "You are not authorized to use create."), PermissionLost),
    (http_error(heat.HTTPUnauthorized, "This server could not verify you."), Refused),
    (http_error(heat.HTTPBadRequest, STACK_QUOTA), contract.QuotaExceeded),
    (
        http_error(heat.HTTPBadRequest, "Template size (9 bytes) exceeds maximum allowed size"),
        contract.BuildError,
    ),
    (
        http_error(
            heat.HTTPBadRequest,
            "Parameter 'master_flavor' is invalid: Error validating value 'x': "
            "No Flavor matching {'name': 'x'}. (HTTP 404)",
        ),
        FlavorGone,
    ),
    (
        http_error(heat.HTTPBadRequest, "The Flavor (m1.tiny) could not be found."),
        FlavorGone,
    ),
    (
        http_error(
            heat.HTTPBadRequest,
            "Parameter 'node_image' is invalid: Error validating value 'fedora 29': "
            "No images matching {'name': 'fedora 29'}.",
        ),
        ImageGone,
    ),
    (
        http_error(
            heat.HTTPBadRequest,
            "Property error: : resources.router.properties.external_gateway_info.network: : "
            "Error validating value 'public': Unable to find network with name or id 'public'",
        ),
        NetworkGone,
    ),
    (
        http_error(
            heat.HTTPBadRequest,
            "Parameter 'private_network_cidr' is invalid: Error validating value 'here': "
            "Invalid net cidr",
        ),
        contract.InvalidOption,
    ),
    (http_error(heat.HTTPBadRequest, "The template is invalid."), contract.BuildError),
    (
        http_error(heat.HTTPBadRequest, "Updating a stack when it is deleting is not supported."),
        contract.NotFound,
    ),
    (http_error(heat.HTTPOverLimit, "slow down"), contract.CloudUnavailable),
    (http_error(heat.HTTPInternalServerError, "Internal Error"), CloudError),
    (http_error(heat.HTTPBadGateway, "bad gateway"), CloudError),
    (http_error(heat.HTTPServiceUnavailable, "later"), CloudError),
    (heat.HTTPException("too many", 429), contract.CloudUnavailable),
    (heat.HTTPException("a new one", 418), contract.CloudUnavailable),
    (heat.CommunicationError("connection reset"), contract.CloudUnavailable),
    (heat.InvalidEndpoint("where?"), contract.CloudUnavailable),
    (keystone.Unauthorized("wrong password"), Refused),
    (keystone.Forbidden("no"), PermissionLost),
    (keystone.InternalServerError("oops"), CloudError),
    (keystone.ServiceUnavailable("later"), CloudError),
    (keystone.TooManyRequests("slow down"), contract.CloudUnavailable),
    (keystone.Conflict("busy"), AlreadyThere),
    (keystone.NotFound("keystone has no such path"), contract.CloudUnavailable),
    (keystone.EndpointNotFound("no orchestration"), contract.CloudUnavailable),
    (keystone.ConnectTimeout("30 seconds"), contract.CloudUnavailable),
    (keystone.ConnectFailure("refused"), contract.CloudUnavailable),
    (keystone.ConnectionError("certificate"), contract.CloudUnavailable),
    (TimeoutError("timed out"), contract.CloudUnavailable),
    (ConnectionResetError(), contract.CloudUnavailable),
]


@pytest.mark.parametrize(("error", "kind"), CASES, ids=lambda value: repr(value)[:60])
def test_translation(error: Exception, kind: type[contract.DriverError]) -> None:
    with pytest.raises(contract.DriverError) as caught, translated("creating the stack"):
        raise error
    assert type(caught.value) is kind
    assert "creating the stack" in caught.value.operator_text
    assert caught.value.text


def test_an_error_names_the_service_that_was_asked() -> None:
    for error in (keystone.InternalServerError("oops"), keystone.ConnectTimeout(), OSError()):
        with (
            pytest.raises(contract.CloudUnavailable, match="looking") as caught,
            translated("looking for ports", "network"),
        ):
            raise error
        assert "network service" in caught.value.text
        assert "looking for ports" in caught.value.text


REQUEST = "req-0a1b2c3d-aaaa-4bbb-8ccc-0123456789ab"


@pytest.mark.parametrize(
    "text",
    [
        f"Forbidden: no room (HTTP 403) (Request-ID: {REQUEST})",
        f"Conflict: no room\nNeutron server returns request_ids: ['{REQUEST}']",
        f"no room, see {REQUEST}.",
    ],
)
def test_the_id_of_the_request_is_found_and_taken_out(text: str) -> None:
    assert request_id(text) == REQUEST
    assert REQUEST not in without_request_id(text)
    assert "no room" in without_request_id(text)


def test_a_text_without_a_request() -> None:
    assert request_id("required-0a1b") == ""
    assert without_request_id("as it is (HTTP 404)") == "as it is (HTTP 404)"


def test_the_contracts_own_errors_pass_unchanged() -> None:
    error = contract.BuildError("as it is")
    with pytest.raises(contract.BuildError) as caught, translated("anything"):
        raise error
    assert caught.value is error


def test_an_error_of_our_own_code_is_not_taken_for_the_clouds() -> None:
    with pytest.raises(KeyError), translated("anything"):
        raise KeyError("a bug")


def test_texts_are_bounded_and_hold_no_secret() -> None:
    text = (
        "see http://me:hunter2@proxy/ and http://h/w?Signature=abc%3D&Timestamp=1 token=t0k\n\tend"
    )
    shown = clean(text)
    assert not {"hunter2", "abc", "t0k"} & set(shown.replace("=", " ").replace("&", " ").split())
    assert "hunter2" not in shown
    assert shown.endswith("end")
    assert "\n" not in shown
    assert len(clean("x" * 5000)) == LONGEST
