"""Whether a project exists, asked of Keystone with the service's own identity."""

import re

from keystoneauth1 import exceptions as keystone_exceptions

from magnum.common import errors
from magnum.identity.sessions import service_identity

#: What can be an id, and can stand in a path.
_ID = re.compile(r"[A-Za-z0-9_-]+")


def exists(project_id: str, request_id: str | None) -> bool:
    """Whether Keystone has a project of this id. Raises Unavailable where it does not say."""
    if not _ID.fullmatch(project_id):
        return False
    try:
        answer = (
            service_identity().keystone(request_id).get(f"/projects/{project_id}", raise_exc=False)
        )
    except keystone_exceptions.ClientException as error:
        raise _silent(f"{type(error).__name__}: {error}") from error
    if answer.status_code in (200, 404):
        return bool(answer.status_code == 200)
    raise _silent(f"GET /projects/{project_id} was answered {answer.status_code}")


def _silent(why: str) -> errors.Unavailable:
    return errors.Unavailable("The identity service does not say whether the project exists.", why)
