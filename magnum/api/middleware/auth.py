"""The token check: keystonemiddleware in front of everything but discovery, and the tokens that a process remembers."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import webob.exc
from keystoneauth1 import exceptions as keystone_exceptions
from keystonemiddleware import auth_token

from magnum.api.http import SEGMENTS
from magnum.api.microversions import SERVICES
from magnum.common import errors
from magnum.common.remembered import Remembered
from magnum.conf import CONF

#: What needs no token: discovery, and what the API is like.
OPEN = frozenset({(), ("v1",), ("v1", "openapi.json")})

_CACHE = "magnum.tokens"


class OpenRoutes:
    """Send what is open past the token check."""

    def __init__(self, checked: WSGIApplication, app: WSGIApplication) -> None:
        self._checked = checked
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        app = self._app if environ[SEGMENTS] in OPEN else self._checked
        return app(environ, start_response)


class _TokenCheck(auth_token.AuthProtocol):  # type: ignore[misc]
    """keystonemiddleware, with Keystone's troubles told as ours are."""

    def fetch_token(self, token: str, **kwargs: Any) -> Any:
        """What Keystone says of a token. Raises Unavailable where it says nothing."""
        try:
            return super().fetch_token(token, **kwargs)
        except (webob.exc.HTTPServiceUnavailable, keystone_exceptions.ClientException) as error:
            raise errors.Unavailable(
                "The identity service does not answer. Try again later.",
                f"Cannot check a token: {error}. Look at [keystone_authtoken] and at Keystone.",
            ) from error


class KeystoneAuth:
    """The token check as this process is configured (``[keystone_authtoken]``).

    Without memcached, keystonemiddleware asks Keystone again in every thread and warns of its own stopgap; so it is
    given a memory of this process. Keys come hashed, values are Keystone's answers without the token.
    """

    def __init__(self, app: WSGIApplication) -> None:
        _set_defaults()
        settings: dict[str, Any] = {"oslo_config_config": CONF}
        self._tokens: Remembered[str, bytes] | None = None
        if not CONF.keystone_authtoken.memcached_servers:
            self._tokens = Remembered(CONF.api.token_cache_size)
            settings["cache"] = _CACHE
        self._check: WSGIApplication = _TokenCheck(app, settings)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._tokens is not None:
            environ[_CACHE] = self._tokens
        return self._check(environ, start_response)


def _set_defaults() -> None:
    """Our defaults for keystonemiddleware's options: a timeout, and the service type that access rules name."""
    for group, options in auth_token.list_opts():
        CONF.register_opts(options, group=group)
    CONF.set_default("http_connect_timeout", 10, group="keystone_authtoken")
    CONF.set_default("service_type", SERVICES[0], group="keystone_authtoken")
    CONF.set_default("service_token_roles_required", True, group="keystone_authtoken")
