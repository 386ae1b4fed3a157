"""A driver's way into the cloud: clients in the bay's project, with the service's roles there made sure of first."""

import functools
import threading
from typing import Any

from keystoneauth1 import exceptions as keystone_exceptions

from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import projects
from magnum.drivers.contract import CloudUnavailable, DriverError
from magnum.identity.grants import Grants, RoleMissingError
from magnum.identity.sessions import ServiceIdentity, service_identity


class Access:
    """Who we are in each project; one for each process. Remembers where the roles are granted."""

    def __init__(self, identity: ServiceIdentity) -> None:
        self._identity = identity
        self._grants = Grants(identity)
        self._granted: set[str] = set()
        self._lock = threading.Lock()

    def heat(self, project_id: str, request_id: str | None) -> Any:
        """A Heat client in a project, after making sure of the roles there."""
        self._ensure(project_id)
        return self._identity.heat(project_id, request_id)

    def rest(self, project_id: str, service_type: str, request_id: str | None) -> Any:
        """An adapter for another service in a project; None where the catalogue has no such service."""
        self._ensure(project_id)
        return self._identity.rest(project_id, service_type, request_id)

    def doubt(self, project_id: str) -> None:
        """Something was refused there: fetch a new token and grant again at the next call."""
        with self._lock:
            self._granted.discard(project_id)
        self._identity.forget(project_id)

    def _ensure(self, project_id: str) -> None:
        if not CONF.identity.grant_roles or project_id in self._granted:
            return
        context = service_context()
        try:
            self._grants.grant(project_id)
        except keystone_exceptions.ClientException as error:
            raise CloudUnavailable(
                "Keystone does not let the service into the project at the moment.",
                f"granting roles in project {project_id}: {error}",
            ) from error
        except RoleMissingError as error:
            raise DriverError("The service is not set up completely.", str(error)) from error
        projects.mark_granted(context, project_id)
        with self._lock:
            self._granted.add(project_id)

    def leave(self, project_id: str) -> None:
        """Take the roles back in a project. Raises keystoneauth's exceptions and RoleMissingError."""
        with self._lock:
            self._granted.discard(project_id)
        self._grants.revoke(project_id)


@functools.cache
def access() -> Access:
    """The access of this process, made at the first call."""
    return Access(service_identity())
