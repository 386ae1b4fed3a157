"""The application: the pipeline in code, and the preparation of a process that serves it."""

from collections.abc import Callable, Sequence
from wsgiref.types import WSGIApplication

import pecan
from oslo_log import log
from oslo_middleware import http_proxy_to_wsgi

from magnum.api import hooks, routes
from magnum.api.controllers.root import Root
from magnum.api.http import Request, Response
from magnum.api.middleware.auth import KeystoneAuth, OpenRoutes
from magnum.api.middleware.faults import Faults
from magnum.api.middleware.protocol import Protocol
from magnum.api.middleware.request_id import RequestId
from magnum.conf import CONF
from magnum.db import session
from magnum.drivers import catalogue
from magnum.lifecycle import hints
from magnum.policies import enforcer


def prepare(config_files: Sequence[str] | None, arguments: Sequence[str] = ()) -> None:
    """Read the configuration, set up the log, and point the process at its database and broker.

    :param config_files: None means oslo.config's usual places, such as /etc/magnum/magnum.conf.
    :param arguments: further arguments for oslo.config, such as ``--debug``; never the process's own.

    Raises oslo.config's errors for what cannot be read.
    """
    log.register_options(CONF)
    log.set_defaults(default_log_levels=[*log.get_default_log_levels(), "keystonemiddleware=INFO"])
    CONF(
        args=list(arguments),
        project="magnum",
        default_config_files=list(config_files or ()) or None,
    )
    log.setup(CONF, "magnum")
    session.configure()
    hints.start()


def make(auth: Callable[[WSGIApplication], WSGIApplication] = KeystoneAuth) -> WSGIApplication:
    """The application of a prepared process.

    :param auth: what stands before everything that needs a token; tests put something simpler there.
    """
    # Looked for now, so that what is wrong with a driver or a rule is in the log at start.
    catalogue.catalogue()
    enforcer.decisions()
    api: WSGIApplication = pecan.Pecan(
        Root(routes.table()),
        hooks=[hooks.ContextHook()],
        use_context_locals=False,
        force_canonical=False,
        guess_content_type_from_ext=False,
        default_renderer="json",
        request_cls=Request,
        response_cls=Response,
    )
    inner = Protocol(OpenRoutes(auth(api), api))
    return RequestId(_behind_proxy(Faults(inner)))


def _behind_proxy(app: WSGIApplication) -> WSGIApplication:
    """Believe a proxy's headers about the address of the service, where the operator says so."""
    proxied: WSGIApplication = http_proxy_to_wsgi.HTTPProxyToWSGI(app, {"oslo_config_config": CONF})
    enabled = CONF.oslo_middleware.enable_proxy_headers_parsing
    return proxied if enabled else app
