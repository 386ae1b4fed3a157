"""Secrets in Barbican, over its version 1 API. They lie in the project of the session that the caller hands in.

All secrets of a bay have the same name, so that those are found too whose row never came to be.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from keystoneauth1 import exceptions as keystone

from magnum.certs.errors import NotSetUp, SecretLost, StoreUnavailable
from magnum.db.models import Secret

_TEXT = "text/plain"
#: Most secrets of a bay that one request shows.
_PAGE = 100
#: Pages at most: a Barbican that shows the same again and again must not hold a deletion for ever.
_PAGES = 20


class Barbican:
    """See :class:`magnum.certs.stores.Store`."""

    def __init__(self, adapter: Callable[[], Any]) -> None:
        self._adapter = adapter

    def keep(self, bay_uuid: str, text: str) -> dict[str, str]:
        """See :class:`~magnum.certs.stores.Store`."""
        with self._asking("keeping a secret") as (barbican, at):
            body = {
                "name": _name(bay_uuid),
                "secret_type": "opaque",
                "payload": text,
                "payload_content_type": _TEXT,
            }
            made = barbican.post(f"{at}/secrets", json=body).json()["secret_ref"]
            return {"ref": str(made).rstrip("/").rpartition("/")[2]}

    def reveal(self, secret: Secret) -> bytes:
        """See :class:`~magnum.certs.stores.Store`."""
        with self._asking("reading a secret") as (barbican, at):
            try:
                answer = barbican.get(
                    f"{at}/secrets/{secret.ref}/payload", headers={"Accept": _TEXT}
                )
            except keystone.NotFound as error:
                raise SecretLost(f"Barbican has no secret {secret.ref}.") from error
            content: bytes = answer.content
            return content

    def forget(self, secret: Secret) -> None:
        """See :class:`~magnum.certs.stores.Store`."""
        with self._asking("removing a secret") as (barbican, at):
            self._remove(barbican, at, str(secret.ref))

    def forget_all(self, bay_uuid: str) -> None:
        """See :class:`~magnum.certs.stores.Store`."""
        with self._asking("removing a bay's secrets") as (barbican, at):
            for _ in range(_PAGES):
                query = {"name": _name(bay_uuid), "limit": str(_PAGE)}
                found = barbican.get(f"{at}/secrets", params=query).json()["secrets"]
                mine = [one for one in found if one["name"] == _name(bay_uuid)]
                if not mine:
                    return
                for one in mine:
                    self._remove(barbican, at, str(one["secret_ref"]).rpartition("/")[2])

    def _remove(self, barbican: Any, at: str, ident: str) -> None:
        try:
            barbican.delete(f"{at}/secrets/{ident}")
        except keystone.NotFound:
            pass

    @contextmanager
    def _asking(self, doing: str) -> Iterator[tuple[Any, str]]:
        """Barbican's adapter and the path of its version 1 there. Tells its troubles in our words."""
        adapter = self._adapter()
        if adapter is None:
            raise NotSetUp(
                "[certificates] cert_manager_type is barbican, but the service catalogue has no key-manager."
            )
        try:
            parts = urlsplit(adapter.get_endpoint() or "").path.split("/")
            yield adapter, "" if "v1" in parts else "/v1"
        except (keystone.Unauthorized, keystone.Forbidden) as error:
            raise NotSetUp(
                f"Barbican refuses this service ({doing}): {error}. Its user needs a role there, such as creator."
            ) from error
        except keystone.ClientException as error:
            raise StoreUnavailable(f"{doing}: {type(error).__name__}: {error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise StoreUnavailable(
                f"{doing}: Barbican gave an answer that makes no sense"
            ) from error


def _name(bay_uuid: str) -> str:
    return f"magnum-{bay_uuid}"
