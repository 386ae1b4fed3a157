"""How a request finds its handler. What there is to find stands in :mod:`magnum.api.routes`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from magnum.api import errors as api_errors
from magnum.api.microversions import MINIMUM, OPERATIONS, Version
from magnum.common import errors

Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path.

    ``path`` is relative to the application, ``{}`` stands for one free segment. ``handler`` is called with the
    request, the response to fill in, and the free segments; it returns the response. ``policy`` names the rule that
    the handler asks; None means that anybody may, without a token. Below the version ``since`` there is no such route.
    """

    method: str
    path: str
    handler: Handler
    policy: str | None = None
    since: Version = MINIMUM

    @property
    def segments(self) -> tuple[str, ...]:
        """The path in pieces."""
        return tuple(segment for segment in self.path.split("/") if segment)


@dataclass(slots=True)
class _Node:
    fixed: dict[str, "_Node"] = field(default_factory=dict)
    free: "_Node | None" = None
    routes: dict[str, Route] = field(default_factory=dict)


class Router:
    """Finds the route of a request. A fixed segment goes before a free one."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._root = _Node()
        for route in self.routes:
            node = self._root
            for segment in route.segments:
                if segment == "{}":
                    node.free = node.free or _Node()
                    node = node.free
                else:
                    node = node.fixed.setdefault(segment, _Node())
            if route.method in node.routes:
                raise ValueError(f"two routes for {route.method} {route.path}")
            node.routes[route.method] = route

    def match(
        self, method: str, segments: Iterable[str], version: Version = MINIMUM
    ) -> tuple[Route, list[str]]:
        """The route and the values of its free segments.

        HEAD is answered as GET is. Raises NotAcceptable for a path that came with a later version (contract 1.2),
        RouteNotFound for one that is unknown, our own below the version that has them among these, NotMethod for a
        known path without the method.
        """
        node: _Node | None = self._root
        values = []
        for segment in segments:
            assert node is not None
            if (fixed := node.fixed.get(segment)) is not None:
                node = fixed
            else:
                node = node.free
                values.append(segment)
            if node is None:
                break
        route = node.routes.get("GET" if method == "HEAD" else method) if node is not None else None
        if route is not None and version >= route.since:
            return route, values
        if node is not None and (later := _later(node, version)) is not None:
            raise errors.NotAcceptable(
                f"Version {version} of the API does not have this yet. It came with {later}."
            )
        served = (
            [one.method for one in node.routes.values() if version >= one.since] if node else []
        )
        if not served:
            raise api_errors.RouteNotFound("There is no such path.")
        raise api_errors.NotMethod(method, tuple(sorted(served)))


def _later(node: _Node, version: Version) -> Version | None:
    """The version that a path came with, where that is later than the one in use and the path is not our own."""
    since = min((route.since for route in node.routes.values()), default=MINIMUM)
    return since if version < since < OPERATIONS else None
