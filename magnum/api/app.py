"""The application: the pipeline in code, and the preparation of a process that serves it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from wsgiref.types import WSGIApplication

import pecan.core
from oslo_log import log
from oslo_middleware import http_proxy_to_wsgi

from magnum.api import hooks, routes
from magnum.api.http import SEGMENTS, Request, Response
from magnum.api.middleware.auth import KeystoneAuth, OpenRoutes
from magnum.api.middleware.faults import Faults
from magnum.api.middleware.healthcheck import Healthcheck
from magnum.api.middleware.measured import Measured
from magnum.api.middleware.protocol import Protocol
from magnum.api.middleware.request_id import RequestId
from magnum.api.routing import Handler, Route, Router
from magnum.common import metrics
from magnum.conf import CONF, opts
from magnum.db import session
from magnum.drivers import catalogue
from magnum.lifecycle import figures, hints
from magnum.policies import enforcer


class Application(pecan.core.PecanBase):  # type: ignore[misc]
    """Pecan, with a table of routes in the place of its search through attributes of objects.

    The search takes any attribute for a path, query arguments for methods, and a large part of a request's time.
    """

    def __init__(self, table: Iterable[Route]) -> None:
        super().__init__(
            None, hooks=[hooks.ContextHook()], request_cls=Request, response_cls=Response
        )
        self._router = Router(table)

    def find_controller(self, state: Any) -> tuple[Handler, list[str], dict[str, Any]]:
        """Called by Pecan for the handler and its arguments. Raises RouteNotFound, NotMethod."""
        request: Request = state.request
        route, segments = self._router.match(
            request.method, request.environ[SEGMENTS], request.version
        )
        request.route = route
        self.handle_hooks(self.hooks, "before", state)
        return route.handler, segments, {}

    def invoke_controller(
        self, handler: Handler, segments: list[str], _: dict[str, Any], state: Any
    ) -> None:
        """Called by Pecan to have the request handled."""
        state.response = handler(state.request, state.response, *segments)


def prepare(config_files: Sequence[str] | None, arguments: Sequence[str] = ()) -> None:
    """Read the configuration, set up the log, and point the process at its database and broker.

    :param config_files: None means oslo.config's usual places, such as /etc/magnum/magnum.conf.
    :param arguments: further arguments for oslo.config, such as ``--debug``; never the process's own.

    Raises oslo.config's errors for what cannot be read, and for values that their options do not take.
    """
    log.register_options(CONF)
    CONF(
        args=list(arguments),
        project="magnum",
        default_config_files=list(config_files or ()) or None,
    )
    opts.check(CONF)
    log.setup(CONF, "magnum")
    # Nobody waits minutes for an answer: without a database it is 503, and the next request tries again.
    CONF.set_default("max_retries", 0, group="database")
    session.configure()
    hints.start()


def make(auth: Callable[[WSGIApplication], WSGIApplication] = KeystoneAuth) -> WSGIApplication:
    """The application of a prepared process.

    :param auth: what stands before everything that needs a token; tests put something simpler there.
    """
    # Looked for now, so that what is wrong with a driver or a rule is in the log at start.
    catalogue.catalogue()
    enforcer.decisions()
    api = Application(routes.table())
    inner = Protocol(OpenRoutes(auth(api), api))
    whole = RequestId(_behind_proxy(Faults(Healthcheck(inner))))
    if not metrics.are_shown():
        return whole
    figures.serve_api()
    return Measured(whole)


def _behind_proxy(app: WSGIApplication) -> WSGIApplication:
    """Believe a proxy's headers about the address of the service, where the operator says so."""
    proxied: WSGIApplication = http_proxy_to_wsgi.HTTPProxyToWSGI(app, {"oslo_config_config": CONF})
    enabled = CONF.oslo_middleware.enable_proxy_headers_parsing
    return proxied if enabled else app
