"""The one way in which requests leave for the cloud, ours and a caller's: :class:`GuardedSession`."""

import logging
from contextvars import ContextVar
from typing import Any, cast

import requests
from keystoneauth1 import loading
from keystoneauth1.session import Session
from requests.adapters import BaseAdapter

from magnum.common import lease
from magnum.conf import CONF
from magnum.conf.identity import AUTH_GROUP
from magnum.identity import breaker

LOG = logging.getLogger(__name__)

#: The circuit of the request that this thread is about to send.
_circuit: ContextVar[breaker.Circuit] = ContextVar("circuit")


class GuardedSession(Session):
    """A session that sends nothing once the lease of this thread's work is over, nor to a service that does not answer.

    Raises LeaseLost and CircuitOpen beside what keystoneauth raises. Every request has a timeout.
    """

    def __init__(self, *, timeout: float, broken_from: int = 500, **options: Any) -> None:
        """``timeout`` is in seconds. Answers of status ``broken_from`` and above count as failures of the service."""
        super().__init__(timeout=timeout, **options)
        for prefix, adapter in list(self.session.adapters.items()):
            self.session.mount(prefix, _Guard(adapter, timeout, broken_from))

    def request(self, url: str, method: str, *rest: Any, **options: Any) -> requests.Response:
        """As keystoneauth's. A token that has to be fetched first is a request of its own, to Keystone.

        keystoneauth would log the bodies of requests and answers, which hold what no log may have.
        """
        asked = options.get("endpoint_filter") or {}
        circuit = breaker.circuit(asked.get("service_type"), asked.get("region_name"))
        circuit.check()
        token = _circuit.set(circuit)
        try:
            answer: requests.Response = super().request(
                url, method, *rest, **{**options, "log": False}
            )
        finally:
            _circuit.reset(token)
        LOG.debug(
            "%s %s answered %s, request %s",
            method,
            answer.url,
            answer.status_code,
            answer.headers.get("x-openstack-request-id"),
        )
        return answer


class _Guard(BaseAdapter):
    """The last thing before the network: what was found out while a token was fetched is out of date here."""

    def __init__(self, adapter: BaseAdapter, timeout: float, broken_from: int) -> None:
        super().__init__()
        self._adapter = adapter
        self._timeout = timeout
        self._broken_from = broken_from

    def send(
        self, request: requests.PreparedRequest, *rest: Any, **options: Any
    ) -> requests.Response:
        """Called by requests for each request, each redirect and each repetition."""
        options["timeout"] = options.get("timeout") or self._timeout
        lease.check()
        try:
            with _circuit.get():
                response = self._adapter.send(request, *rest, **options)
                if not options.get("stream"):
                    _ = response.content  # read here, because that may get stuck as well
                if response.status_code >= self._broken_from:
                    raise breaker.Broken(response)
        except breaker.Broken as broken:
            return broken.response
        return response

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()


class _Loader(loading.session.Session):
    """Makes a guarded session from the options of keystoneauth."""

    plugin_class = GuardedSession


def guarded_session(timeout: float, broken_from: int = 500) -> GuardedSession:
    """A session with the options of ``[keystone_auth]`` for certificates and the like, but no identity of its own."""
    made = _Loader().load_from_conf_options(
        CONF, AUTH_GROUP, timeout=timeout, broken_from=broken_from
    )
    return cast(GuardedSession, made)
