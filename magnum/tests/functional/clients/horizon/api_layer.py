"""Calls what the panels of magnum-ui call, for ``test_magnum_ui.py``. Runs in Horizon's environment.

The request is one of a user who has logged in through Horizon's own form, so its token is a real one.
"""

import inspect
import json
from typing import Any

import django  # type: ignore[import-not-found]

from magnum.tests.functional.clients.horizon.answering import answer

django.setup()

from django.test import Client, RequestFactory  # type: ignore[import-not-found] # noqa: E402
from django.urls import resolve  # type: ignore[import-not-found] # noqa: E402
from magnum_ui.api import magnum as functions  # type: ignore[import-not-found] # noqa: E402
from magnum_ui.api.rest import magnum as views  # type: ignore[import-not-found] # noqa: E402
from openstack_auth.utils import get_user  # type: ignore[import-not-found] # noqa: E402

_AJAX = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}


class Layer:
    """Both floors of the API layer, for one user. Knows what of them was never called."""

    def __init__(self) -> None:
        self._browser = Client(SERVER_NAME="127.0.0.1")
        self._left = {
            name
            for name, thing in inspect.getmembers(functions, callable)
            if inspect.getmodule(inspect.unwrap(thing)) is functions and not name.startswith("_")
        }
        self._left |= {
            f"{name}.{method}"
            for name, view in inspect.getmembers(views, inspect.isclass)
            if view.__module__ == views.__name__
            for method in ("get", "post", "patch", "delete")
            if hasattr(view, method)
        }

    def log_in(self, name: str, password: str) -> str:
        """Fill in Horizon's form; gives the region that the user has come to."""
        form = {"username": name, "password": password, "region": "default"}
        answered = self._browser.post("/auth/login/", form)
        if answered.status_code != 302:
            raise RuntimeError(f"the form answered {answered.status_code}")
        region: str = self._request().user.services_region
        return region

    def call(self, function: str, *given: Any, **named: Any) -> Any:
        """A function of ``magnum_ui.api.magnum``; an object of the client's is given as its dictionary."""
        self._left.discard(function)
        return _plain(getattr(functions, function)(self._request(), *given, **named))

    def rest(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A view under ``/api/container_infra``, as the panel's JavaScript asks it; gives status and body."""
        asked = self._request(method, f"/api/container_infra/{path}", body)
        view = resolve(asked.path)
        self._left.discard(f"{view.func.view_class.__name__}.{method}")
        answered = view.func(asked, *view.args, **view.kwargs)
        text = answered.content.decode()
        is_json = text and "json" in answered.headers["Content-Type"]
        return {"status": answered.status_code, "body": json.loads(text) if is_json else text}

    def left(self) -> list[str]:
        """Functions of the module and methods of the views that nothing has called."""
        return sorted(self._left)

    def _request(self, method: str = "get", path: str = "/", body: Any = None) -> Any:
        text = "" if body is None else json.dumps(body)
        request = RequestFactory(SERVER_NAME="127.0.0.1").generic(
            method.upper(), path, text, "application/json", **_AJAX
        )
        request.session = self._browser.session
        request.user = get_user(request)
        return request


def _plain(thing: Any) -> Any:
    if isinstance(thing, list):
        return [_plain(one) for one in thing]
    return thing.to_dict() if hasattr(thing, "to_dict") else thing


if __name__ == "__main__":
    layer = Layer()
    answer(
        {
            "log_in": layer.log_in,
            "call": lambda function, given, named: layer.call(function, *given, **named),
            "rest": layer.rest,
            "left": layer.left,
        }
    )
