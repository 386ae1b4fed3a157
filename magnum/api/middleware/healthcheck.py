"""``GET /healthcheck``: whether this process wants to be asked. For load balancers, without a token (contract 2.11)."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oslo_middleware import healthcheck
from oslo_middleware.opts import list_opts_healthcheck

from magnum.conf import CONF

PATH = "/healthcheck"

#: While this file is there, the process says that it does not want to be asked.
DISABLING_FILE = "/etc/magnum/healthcheck_disable"


class Healthcheck:
    """Send the one path to oslo.middleware's application, and all others past it."""

    def __init__(self, app: WSGIApplication) -> None:
        for group, options in list_opts_healthcheck():
            CONF.register_opts(options, group=group)
        CONF.set_default("backends", ["disable_by_file"], group="healthcheck")
        CONF.set_default("disable_by_file_path", DISABLING_FILE, group="healthcheck")
        self._app = app
        # It sends on whom it does not answer: callers from outside of ``allowed_source_ranges``.
        self._check: WSGIApplication = healthcheck.Healthcheck(app, {"oslo_config_config": CONF})

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = environ.get("PATH_INFO", "").rstrip("/") == PATH
        app = self._check if asked and environ["REQUEST_METHOD"] in ("GET", "HEAD") else self._app
        return app(environ, start_response)
