"""The service's own identity, and its sessions in the projects where bays live.

Heat is called with the service's own password, scoped to the bay's project: never with the caller's token, and never
over a trust, because both die with the caller (``design.md``, section 6). A token is fetched once for each project and
kept until it expires.
"""

import functools
from typing import Any, cast

from heatclient import client as heat_client
from keystoneauth1 import loading
from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import EmptyCatalog, EndpointNotFound
from keystoneauth1.identity import BaseIdentityPlugin, v3
from keystoneauth1.plugin import BaseAuthPlugin

from magnum.conf import CONF
from magnum.conf.identity import AUTH_GROUP
from magnum.identity.guarded import guarded_session

#: How many projects' tokens a process keeps.
_KEPT = 1000


class ServiceIdentity:
    """The user that ``[keystone_auth]`` names. Safe to share between threads."""

    def __init__(self) -> None:
        # Never longer than one call may take; one session, so that Keystone and the endpoints are discovered once.
        self._keystone_session = guarded_session(CONF.identity.timeout)
        self._heat_session = guarded_session(CONF.heat_client.timeout)
        self._home = loading.load_auth_from_conf_options(CONF, AUTH_GROUP)
        self.in_project = functools.lru_cache(_KEPT)(self._in_project)

    def keystone(self, request_id: str | None) -> Adapter:
        """Keystone's API, in the service's own project; ``request_id`` as for :meth:`heat`."""
        return Adapter(
            self._keystone_session,
            auth=self._home,
            service_type="identity",
            interface="public",
            region_name=CONF[AUTH_GROUP].region_name,
            min_version="3",
            max_version="3.latest",
            global_request_id=request_id,
        )

    def keystone_as(
        self, user_id: str, password: str, project_id: str, request_id: str | None
    ) -> Adapter:
        """Keystone's API as another user, with a token for a project."""
        endpoint = str(self.keystone(request_id).get_endpoint())
        who = v3.Password(
            auth_url=endpoint,
            user_id=user_id,
            password=password,
            project_id=project_id,
            include_catalog=False,
        )
        return Adapter(
            self._keystone_session,
            auth=who,
            endpoint_override=endpoint,
            service_type="identity",
            global_request_id=request_id,
        )

    def address(self, service_type: str, interface: str, region: str | None) -> str | None:
        """Where a service is by the service's own catalogue, as it stands there; None where it is not in it."""
        access = cast(BaseIdentityPlugin, self._home).get_access(self._keystone_session)
        try:
            url: str | None = access.service_catalog.url_for(
                service_type=service_type,
                interface=interface,
                region_name=region or CONF[AUTH_GROUP].region_name,
            )
        except (EndpointNotFound, EmptyCatalog):
            return None
        return url

    def at_home(self, service_type: str, request_id: str | None) -> Adapter | None:
        """An adapter for a service in the service's own project; None where the catalogue has no such service.

        Raises keystoneauth's exceptions where there is no token to be had.
        """
        adapter = Adapter(
            self._keystone_session,
            auth=self._home,
            service_type=service_type,
            interface="public",
            region_name=CONF[AUTH_GROUP].region_name,
            global_request_id=request_id,
        )
        try:
            return adapter if adapter.get_endpoint() else None
        except EndpointNotFound:
            return None

    def user_id(self) -> str:
        """Id of the service user."""
        return cast(str, self._keystone_session.get_user_id(auth=self._home))

    def _in_project(self, project_id: str) -> BaseAuthPlugin:
        """The service's credential, scoped to another project. It needs a role there to be of use."""
        plugin = loading.load_auth_from_conf_options(
            CONF,
            AUTH_GROUP,
            project_id=project_id,
            project_name=None,
            project_domain_id=None,
            project_domain_name=None,
        )
        return cast(BaseAuthPlugin, plugin)

    def forget(self, project_id: str) -> None:
        """Drop the token for a project: the next call fetches a new one."""
        self.in_project(project_id).invalidate()

    def heat(self, project_id: str, request_id: str | None) -> Any:
        """A Heat client in a project; ``request_id`` is passed on, so that Heat's log can be joined with ours."""
        return heat_client.Client(
            "1",
            session=self._heat_session,
            auth=self.in_project(project_id),
            service_type="orchestration",
            interface=CONF.heat_client.endpoint_type.removesuffix("URL"),
            region_name=CONF.heat_client.region_name or CONF[AUTH_GROUP].region_name,
            global_request_id=request_id,
        )

    def rest(self, project_id: str, service_type: str, request_id: str | None) -> Adapter | None:
        """An adapter for a service in a project; None where the token's catalogue has no such service.

        Raises keystoneauth's exceptions where there is no token to be had, or one without any catalogue.
        """
        adapter = Adapter(
            self._heat_session,
            auth=self.in_project(project_id),
            service_type=service_type,
            interface=CONF.heat_client.endpoint_type.removesuffix("URL"),
            region_name=CONF.heat_client.region_name or CONF[AUTH_GROUP].region_name,
            global_request_id=request_id,
        )
        try:
            return adapter if adapter.get_endpoint() else None
        except EndpointNotFound:
            return None


@functools.cache
def service_identity() -> ServiceIdentity:
    """The identity of this process, made at the first call from the configuration."""
    return ServiceIdentity()
