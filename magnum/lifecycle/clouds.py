"""A driver's way into the cloud: clients in the bay's project, with the service's roles there made sure of first."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keystoneauth1 import exceptions as keystone_exceptions

from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import projects
from magnum.drivers.contract import CloudUnavailable, DriverError
from magnum.identity import bay_users, breaker
from magnum.identity.bay_users import BayUsers, Credential, Endpoints
from magnum.identity.grants import Grants, RoleMissingError
from magnum.identity.sessions import ServiceIdentity, service_identity


class Refused(DriverError):
    """Keystone does not let the service in. Its operator has to put this right."""

    code = "CLOUD_REFUSED"


class NotSetUp(DriverError):
    """Something that only the operator can set up is missing; the operator's text says what."""

    code = "IDENTITY_NOT_SET_UP"


class Access:
    """Who we are in each project; one for each process. Remembers where the roles are granted."""

    def __init__(self, identity: ServiceIdentity) -> None:
        self._identity = identity
        self._grants = Grants(identity)
        self._bay_users = BayUsers(identity)
        self._granted: set[str] = set()
        self._lock = threading.Lock()

    def heat(self, project_id: str, request_id: str | None) -> Any:
        """A Heat client in a project, after making sure of the roles there.

        Raises CloudUnavailable where Keystone does not answer, Refused where it does not let us.
        """
        self._ensure(project_id, request_id)
        return self._identity.heat(project_id, request_id)

    def rest(self, project_id: str, service_type: str, request_id: str | None) -> Any:
        """An adapter for another service in a project; None where the catalogue has no such service.

        Raises as :meth:`heat` does.
        """
        self._ensure(project_id, request_id)
        with _asking_keystone(f"looking for the {service_type} service in project {project_id}"):
            return self._identity.rest(project_id, service_type, request_id)

    # --- what bays have of their own ------------------------------------------------------------------------------

    def key_manager(self, request_id: str | None) -> Any:
        """An adapter for Barbican in the service's own project; None where the catalogue has none.

        Raises CloudUnavailable and Refused as :meth:`heat` does.
        """
        with _asking_keystone("looking for the key-manager service"):
            return self._identity.at_home("key-manager", request_id)

    def endpoints(self) -> Endpoints:
        """Where nodes find Keystone and this service. Raises NotSetUp, CloudUnavailable, Refused."""
        with _asking_keystone("looking for the addresses that nodes need"):
            return self._bay_users.endpoints()

    def make_bay_user(self, bay: str, project_id: str, request_id: str | None) -> Credential:
        """A new credential of a bay's own user, who is made where he is not there. Raises as :meth:`endpoints`."""
        with _asking_keystone(f"making the own user of bay {bay}"):
            return self._bay_users.make(bay, project_id, request_id)

    def remove_bay_user(self, bay: str, user_id: str | None, request_id: str | None) -> None:
        """Remove a bay's own user, if there is one; None for an id that is not known. Raises as :meth:`endpoints`."""
        with _asking_keystone(f"removing the own user of bay {bay}"):
            self._bay_users.remove(bay, user_id, request_id)

    # --- when something is wrong, and at the end --------------------------------------------------------------------

    def doubt(self, project_id: str) -> None:
        """Something was refused there: fetch a new token and grant again at the next call.

        While a service does not answer at all, nothing of this would help, and Keystone is left alone.
        """
        if breaker.any_open():
            return
        with self._lock:
            self._granted.discard(project_id)
        self._identity.forget(project_id)

    def _ensure(self, project_id: str, request_id: str | None) -> None:
        if not CONF.identity.grant_roles or project_id in self._granted:
            return
        with _asking_keystone(f"granting roles in project {project_id}"):
            self._grants.grant(project_id, request_id)
        projects.mark_granted(service_context(request_id), project_id)
        with self._lock:
            self._granted.add(project_id)

    def leave(self, project_id: str) -> None:
        """Take the roles back in a project. Raises keystoneauth's exceptions and RoleMissingError."""
        with self._lock:
            self._granted.discard(project_id)
        self._grants.revoke(project_id)


@contextmanager
def _asking_keystone(doing: str) -> Iterator[None]:
    """Tell Keystone's troubles in the contract's words."""
    try:
        yield
    except (keystone_exceptions.Unauthorized, keystone_exceptions.Forbidden) as error:
        raise Refused(
            f"Keystone does not let the cluster service in ({doing}). Its operator has to put this right.",
            f"{doing}: {error}",
        ) from error
    except keystone_exceptions.ClientException as error:
        raise CloudUnavailable(
            f"The cloud's identity service does not answer as it should ({doing}).",
            f"{doing}: {type(error).__name__}: {error}",
        ) from error
    except bay_users.NotSetUp as error:
        text = f"The cluster service is not set up completely ({doing}). Its operator has to put this right."
        raise NotSetUp(text, str(error)) from error
    except RoleMissingError as error:
        raise DriverError("The service is not set up completely.", str(error)) from error


@functools.cache
def access() -> Access:
    """The access of this process, made at the first call."""
    return Access(service_identity())
