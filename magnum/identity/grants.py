"""The roles that the service grants itself in a bay's project, and takes back after the last bay."""

from keystoneauth1.adapter import Adapter

from magnum.conf import CONF
from magnum.identity.sessions import ServiceIdentity


class RoleMissingError(Exception):
    """A role of ``[identity] granted_roles`` does not exist in Keystone."""


class Grants:
    """Grants and revokes; both may be done twice without harm."""

    def __init__(self, identity: ServiceIdentity) -> None:
        self._identity = identity
        self._role_ids: dict[str, str] = {}

    def grant(self, project_id: str, request_id: str | None) -> None:
        """Give the service user its roles in a project.

        :param request_id: id of the request that this is done for, which Keystone's log then has too.

        Raises RoleMissingError, and keystoneauth's exceptions where Keystone refuses or does not answer.
        """
        keystone = self._identity.keystone(request_id)
        for role in CONF.identity.granted_roles:
            keystone.put(self._path(keystone, project_id, role))

    def revoke(self, project_id: str) -> None:
        """Take the roles back; a grant, or a project, that is not there any more is fine."""
        keystone = self._identity.keystone(None)
        for role in CONF.identity.granted_roles:
            answer = keystone.delete(self._path(keystone, project_id, role), raise_exc=False)
            if answer.status_code != 404:
                answer.raise_for_status()
        self._identity.forget(project_id)

    def _path(self, keystone: Adapter, project_id: str, role: str) -> str:
        user_id = self._identity.user_id()
        return f"/projects/{project_id}/users/{user_id}/roles/{self._role_id(keystone, role)}"

    def _role_id(self, keystone: Adapter, name: str) -> str:
        if name not in self._role_ids:
            found = keystone.get("/roles", params={"name": name}).json()["roles"]
            if not found:
                raise RoleMissingError(
                    f"Keystone has no role '{name}'; make it, or change [identity]/granted_roles."
                )
            self._role_ids[name] = found[0]["id"]
        return self._role_ids[name]
