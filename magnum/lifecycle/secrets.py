"""The secrets of one bay: what drivers are handed as ``Work.secrets``, what the API shows and signs, and their end.

Joins what makes and keeps secrets (:mod:`magnum.certs`), who the bay's user is (:mod:`magnum.identity.bay_users`) and
the rows in the database. Everything is made when it is asked for first, and only by who holds the bay's lease; two who
make the same at once end with one, because the database takes only one row.
"""

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from magnum.certs import authority
from magnum.certs import errors as certs_errors
from magnum.certs.authority import Authority
from magnum.certs.stores import Stores
from magnum.common import errors, lease
from magnum.common.context import RequestContext, service_context
from magnum.db import secrets as store
from magnum.db.bays import BayNotFound
from magnum.db.models import Bay, Secret
from magnum.drivers.contract import (
    Actor,
    Blocked,
    CloudUnavailable,
    DeleteFailed,
    DriverError,
    KeyPair,
    Leftover,
    NodeCredential,
    Outcome,
    Wait,
)
from magnum.identity import bay_users
from magnum.lifecycle import clouds
from magnum.lifecycle.clouds import Access

LOG = logging.getLogger(__name__)

#: Names of rows.
CA = "ca"
NODE_CREDENTIAL = "node-credential"
KEPT = "kept"

#: The kinds of CAs that a bay of an engine has from the beginning; the empty one is the cluster's own.
_KINDS: Mapping[str, tuple[str, ...]] = {"kubernetes": ("", "etcd", "front-proxy")}
_ORDINARY = ("",)

#: ``bay.bay_user_id`` of a bay whose user is about to be made.
_ABOUT_TO_BE = ""


class KeysNotSetUp(DriverError):
    """Secrets cannot be kept. The operator has to set something up; the operator's text says what."""

    code = "KEYS_NOT_SET_UP"


class StoreUnavailable(DriverError):
    """The place where secrets are kept does not answer."""

    code = "SECRET_STORE_UNAVAILABLE"
    actor = Actor.NOBODY


#: Waiting does not help against these: an operation is blocked, and somebody has to do something.
FOR_THE_OPERATOR = (KeysNotSetUp, clouds.NotSetUp)


class AuthorityMissing(errors.Conflict):
    """The bay has no such CA, or not yet."""

    code = "CA_NOT_READY"


class BaySecrets:
    """The secrets of one bay, see :class:`magnum.drivers.contract.Secrets`.

    Beside what that says, methods raise KeysNotSetUp, StoreUnavailable, and what :class:`Access` raises.
    """

    def __init__(
        self, bay: Bay, access: Callable[[], Access], request_id: str | None = None
    ) -> None:
        self._bay = bay
        self._access = access
        self._request_id = request_id
        self._stores = Stores(lambda: access().key_manager(request_id))
        self._context = service_context(request_id)

    @property
    def bay_uuid(self) -> str:
        """Whose they are."""
        return self._bay.uuid

    # --- what drivers see ------------------------------------------------------------------------------------------

    def authority(self, kind: str = "") -> str:
        """See the contract."""
        return str(self._authority(kind).public)

    def client(self, name: str, organization: str = "", kind: str = "") -> KeyPair:
        """See the contract."""
        found = self._authority(kind)
        with _told():
            signer = Authority(str(found.public), self._stores.reveal(found))
            made = signer.client(name, organization)
        return KeyPair(made.certificate, made.key, signer.pem)

    def node_credential(self) -> NodeCredential:
        """See the contract."""
        endpoints = self._access().endpoints()
        found = self._get(NODE_CREDENTIAL)
        if found is None:
            found = self._new_node_credential()
        with _told():
            known = json.loads(self._stores.reveal(found))
        return NodeCredential(
            known["id"], known["secret"], endpoints.auth_url, endpoints.service_url
        )

    def kept(self, name: str, make: Callable[[], str]) -> str:
        """See the contract."""
        full = f"{KEPT}:{name}"
        found = self._get(full)
        with _told():
            if found is None:
                found = self._put({"name": full}, make())
            return self._stores.reveal(found).decode()

    # --- making ----------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the CAs that such a bay has from the beginning, all of them in one go."""
        kinds = _KINDS.get(self._bay.baymodel.coe, _ORDINARY)
        lease.check()
        with _told():
            rows = [self._new_authority(kind) for kind in kinds]
            if not self._store(
                rows, {"ca_expires_at": rows[0]["expires_at"], "ca_warned_at": None}
            ):
                for kind in kinds:
                    self._authority(kind)

    def _authority(self, kind: str) -> Secret:
        found = self._get(_name(kind))
        if found is not None:
            return found
        lease.check()
        with _told():
            row = self._new_authority(kind)
            bay = {} if kind else {"ca_expires_at": row["expires_at"], "ca_warned_at": None}
            return self._put_row(row, bay)

    def _new_authority(self, kind: str) -> dict[str, Any]:
        made = authority.make(f"magnum-{self._bay.uuid}{f' {kind}' if kind else ''}"[:64])
        return {
            "name": _name(kind),
            "public": made.certificate,
            "expires_at": authority.expires_at(made.certificate),
            **self._stores.keep(self._bay.uuid, made.key),
        }

    def _new_node_credential(self) -> Secret:
        # Said before it is done, so that the bay's deletion knows that there may be a user.
        if self._bay.bay_user_id is None:
            store.note_bay_user(self._context, self._bay.uuid, _ABOUT_TO_BE)
            self._bay.bay_user_id = _ABOUT_TO_BE
        made = self._access().make_bay_user(self._bay.uuid, self._bay.project_id, self._request_id)
        text = json.dumps({"id": made.ident, "secret": made.secret})
        row = {"name": NODE_CREDENTIAL, "public": made.ident}
        with _told():
            return self._put(row, text, {"bay_user_id": made.user_id})

    def _get(self, name: str) -> Secret | None:
        return store.get(self._context, self._bay.uuid, name)

    def _put(
        self, row: Mapping[str, Any], text: str, bay: Mapping[str, Any] | None = None
    ) -> Secret:
        lease.check()
        return self._put_row({**row, **self._stores.keep(self._bay.uuid, text)}, bay)

    def _put_row(self, row: Mapping[str, Any], bay: Mapping[str, Any] | None = None) -> Secret:
        """The row as it stands in the database: ours, or that of who was first."""
        self._store([row], bay)
        found = self._get(row["name"])
        if found is None:  # removed again in the same moment, which only the bay's end does
            raise BayNotFound(f"Bay {self._bay.uuid} could not be found.")
        return found

    def _store(self, rows: list[Any], bay: Mapping[str, Any] | None = None) -> bool:
        """Store rows. Where they are not taken, what belongs to them is removed from its store."""
        stored = False
        try:
            stored = store.put(self._context, self._bay.uuid, rows, bay)
        finally:
            if not stored:
                for row in rows:
                    self._stores.forget(Secret(**row))
        return stored

    # --- the end ---------------------------------------------------------------------------------------------------

    def remove(self) -> None:
        """Remove all that the bay has of its own outside of the database: its user, and secrets in other stores.

        To be called when nothing of the cluster is left, as often as is needed; the rows go with the bay.
        """
        if self._bay.bay_user_id is not None:
            self._access().remove_bay_user(
                self._bay.uuid, self._bay.bay_user_id or None, self._request_id
            )
        used = {row.store for row in store.all_of(self._context, self._bay.uuid)}
        with _told():
            self._stores.forget_all(self._bay.uuid, used)

    def remains(self) -> tuple[Leftover, ...]:
        """What may be left where :meth:`remove` did not come to its end."""
        found = []
        if self._bay.bay_user_id is not None:
            name = bay_users.name_of(self._bay.uuid)
            found.append(Leftover("identity", "user", self._bay.bay_user_id or name, name))
        elsewhere = [row for row in store.all_of(self._context, self._bay.uuid) if row.ref]
        found += [
            Leftover("key-manager", "secret", str(row.ref), row.name)
            if row.store == "barbican"
            else Leftover(row.store, "secret", str(row.ref), row.name)
            for row in elsewhere
        ]
        return tuple(found)


def removed(
    secrets: BaySecrets, cursor: Mapping[str, Any], *, forced: bool, seconds_left: float
) -> Outcome | Exception | None:
    """Remove a bay's secrets at the end of its deletion. None where all are gone, else what becomes of the pass.

    A forced deletion ends with what it could not remove, except that a cloud that is silent is asked again until the
    deadline.
    """
    try:
        secrets.remove()
    except DriverError as error:
        silent = isinstance(error, CloudUnavailable | StoreUnavailable)
        LOG.warning(
            "Bay %s: its own user or secrets could not be removed: %s", secrets.bay_uuid, error
        )
        if forced and (not silent or seconds_left <= 0):
            text = f"What the bay had of its own could not be removed: {error.text}"
            failed = DeleteFailed(text, error.operator_text, secrets.remains())
            return Wait(0, cursor, trouble=failed)
        if silent:
            return error
        return Blocked(
            error.code,
            error.actor,
            error.text,
            error.operator_text,
            cursor=cursor,
            leftovers=secrets.remains(),
        )
    return None


# --- what the API asks -----------------------------------------------------------------------------------------------


def certificate(context: RequestContext, bay: Bay, kind: str = "") -> str:
    """The certificate of one of a bay's CAs. Raises AuthorityMissing."""
    return str(_known_authority(context, bay, kind).public)


def sign(context: RequestContext, bay: Bay, request: str, kind: str = "") -> str:
    """Have a signing request signed by one of a bay's CAs.

    Raises AuthorityMissing, RequestRefused, and what stores raise (:mod:`magnum.certs.errors`).
    """
    found = _known_authority(context, bay, kind)
    stores = Stores(lambda: _for_callers(lambda: clouds.access().key_manager(context.request_id)))
    return Authority(str(found.public), stores.reveal(found)).sign(request)


def _known_authority(context: RequestContext, bay: Bay, kind: str) -> Secret:
    found = store.get(context, bay.uuid, _name(kind))
    if found is None and kind:
        raise AuthorityMissing(f"The bay has no CA of the type {kind}.")
    if found is None:
        raise AuthorityMissing(
            "The bay has no CA yet. It is made when the bay's creation begins; a bay that was made before bays had"
            " CAs gets one with its next operation."
        )
    return found


def _name(kind: str) -> str:
    return f"{CA}:{kind}" if kind else CA


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Tell the troubles of stores in the contract's words."""
    try:
        yield
    except certs_errors.StoreUnavailable as error:
        raise StoreUnavailable(error.text, error.operator_text) from error
    except (certs_errors.NotSetUp, certs_errors.SecretLost) as error:
        raise KeysNotSetUp(error.text, error.operator_text) from error


def _for_callers(ask: Callable[[], Any]) -> Any:
    """Tell Keystone's troubles as those of a store, as callers of the API read them."""
    try:
        return ask()
    except DriverError as error:
        raise certs_errors.StoreUnavailable(error.operator_text) from error
