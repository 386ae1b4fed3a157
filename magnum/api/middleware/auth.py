"""The token check: keystonemiddleware in front of everything but discovery, and the tokens that a process remembers."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import webob.exc
from keystoneauth1 import exceptions as keystone_exceptions
from keystonemiddleware import auth_token

from magnum.api.http import SEGMENTS
from magnum.api.microversions import SERVICES
from magnum.common import errors
from magnum.conf import CONF

#: What needs no token: discovery.
OPEN = frozenset({(), ("v1",)})

_CACHE = "magnum.tokens"


class OpenRoutes:
    """Send what is open past the token check."""

    def __init__(self, checked: WSGIApplication, app: WSGIApplication) -> None:
        self._checked = checked
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        app = self._app if environ[SEGMENTS] in OPEN else self._checked
        return app(environ, start_response)


class RememberedTokens:
    """What Keystone said of a token, for a while: the part of memcached's interface that keystonemiddleware uses.

    Without one, keystonemiddleware asks Keystone at every request in a second thread and warns of its own stopgap.
    Keys come hashed, values are Keystone's answers without the token. The oldest goes when ``size`` is reached.
    """

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """The value, or None where there is none or it is too old."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            until, value = entry
            if self._clock() < until:
                return value
            del self._entries[key]
            return None

    def set(self, key: str, value: bytes, time: int = 0) -> None:
        """Remember a value for ``time`` seconds; a time of 0 or less remembers nothing."""
        with self._lock:
            self._entries.pop(key, None)
            if time <= 0:
                return
            while self._entries and len(self._entries) >= self._size:
                self._entries.popitem(last=False)
            if self._size > 0:
                self._entries[key] = (self._clock() + time, value)


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
    """The token check as this process is configured (``[keystone_authtoken]``)."""

    def __init__(self, app: WSGIApplication) -> None:
        _set_defaults()
        settings: dict[str, Any] = {"oslo_config_config": CONF}
        self._tokens: RememberedTokens | None = None
        if not CONF.keystone_authtoken.memcached_servers:
            self._tokens = RememberedTokens(CONF.api.token_cache_size)
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
