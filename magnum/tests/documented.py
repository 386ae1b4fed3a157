"""Every answer that a test gets is held against the OpenAPI document of the version in use."""

import functools
import json
from datetime import datetime
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from webtest import TestResponse

from magnum.api import errors as api_errors
from magnum.api import routes
from magnum.api.http import ASKED, SEGMENTS
from magnum.api.microversions import DEFAULT, MAXIMUM, Version
from magnum.api.middleware import healthcheck
from magnum.api.openapi import document
from magnum.api.openapi.paths import place
from magnum.api.routing import Route, Router
from magnum.common import errors

#: What is answered where no route is found. It is in no operation, and looks as errors do.
_BEFORE_ROUTES: Final = {401, 404, 405, 406, 503}

FORMATS: Final = FormatChecker(["uuid"])


@FORMATS.checks("date-time", ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@FORMATS.checks("uri")
def _is_url(value: object) -> bool:
    return not isinstance(value, str) or value.startswith(("http://", "https://"))


class Undocumented(AssertionError):
    """An answer is not as the document says. The mistake may be on either side."""


def check(answer: TestResponse) -> None:
    """Raise Undocumented where the document does not know such an answer."""
    environ = answer.request.environ
    if environ.get("PATH_INFO", "").rstrip("/") == healthcheck.PATH:
        return  # neither JSON nor under versions
    asked = environ.get(ASKED, DEFAULT)
    version = asked.version if asked.served else MAXIMUM
    found = _route(environ["REQUEST_METHOD"], environ.get(SEGMENTS), version)
    try:
        if found is None:
            _check_without_route(answer, version)
        else:
            _check(answer, found, version)
    except Undocumented as error:
        raise Undocumented(
            f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO')} at {version}: {error}"
            f"\n{answer.status} {answer.text[:2000]}"
        ) from None


def _route(method: str, segments: tuple[str, ...] | None, version: Version) -> Route | None:
    if segments is None:
        return None
    try:
        return _router().match(method, segments, version)[0]
    except (api_errors.RouteNotFound, errors.MethodNotAllowed, errors.NotAcceptable):
        return None


@functools.cache
def _router() -> Router:
    return Router(routes.table())


@functools.cache
def of(version: Version) -> dict[str, Any]:
    """The document of a version."""
    return document.of(routes.table(), version, "http://localhost")


def resolved(node: dict[str, Any], version: Version) -> dict[str, Any]:
    """What a reference refers to; anything else as it is."""
    while "$ref" in node:
        found: Any = of(version)
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def _check_without_route(answer: TestResponse, version: Version) -> None:
    if answer.status_int not in _BEFORE_ROUTES:
        raise Undocumented("there is no such route")
    name = document.error_name(answer.status_int)
    _check_answer(answer, of(version)["components"]["responses"][name], version)


def _check(answer: TestResponse, route: Route, version: Version) -> None:
    item = of(version)["paths"][place(route).path]
    operation = item[route.method.lower()]
    response = operation["responses"].get(str(answer.status_int))
    if response is None:
        raise Undocumented(f"status {answer.status_int} is not among {[*operation['responses']]}")
    _check_answer(answer, resolved(response, version), version)
    if answer.status_int < 400:
        _check_request(answer, operation, version)


def _check_answer(answer: TestResponse, response: dict[str, Any], version: Version) -> None:
    for name, header in response["headers"].items():
        if resolved(header, version)["required"] and name not in answer.headers:
            raise Undocumented(f"the header {name} is missing")
    content = response.get("content")
    if content is None:
        if answer.body or answer.content_type:
            raise Undocumented("there is a body")
        return
    if answer.content_type != "application/json":
        raise Undocumented(f"the body is of type {answer.content_type}")
    if answer.request.method == "HEAD":
        return
    schema = content["application/json"]["schema"]
    for error in _validator(json.dumps(schema), version).iter_errors(answer.json):
        raise Undocumented(f"at {error.json_path}: {error.message[:1000]}")


@functools.cache
def _validator(schema: str, version: Version) -> Draft202012Validator:
    whole = {**json.loads(schema), "components": of(version)["components"]}
    return Draft202012Validator(whole, format_checker=FORMATS)


def _check_request(answer: TestResponse, operation: dict[str, Any], version: Version) -> None:
    """What was accepted is documented: arguments, and the keys of a body."""
    parameters = [resolved(one, version) for one in operation["parameters"]]
    query = [one for one in parameters if one["in"] == "query"]
    if not any(one["schema"]["type"] == "object" for one in query):
        unknown = set(answer.request.GET) - {one["name"] for one in query}
        if unknown:
            raise Undocumented(f"the arguments {unknown} were accepted")
    body = operation.get("requestBody")
    sent = answer.request.body
    if body is None or not sent:
        return
    schema = body["content"]["application/json"]["schema"]
    given = json.loads(sent)
    is_closed = isinstance(given, dict) and schema.get("additionalProperties") is False
    if is_closed and (unknown := given.keys() - schema["properties"]):
        raise Undocumented(f"the keys {unknown} were accepted")
