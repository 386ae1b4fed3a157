"""Certificates of a bay's CAs: shown, signed and rotated (contract 2.5), in both spellings of a bay at once."""

from collections.abc import Mapping
from typing import Any

from magnum.api.controllers.base import Request, Response, authorize, owner, sees_all_projects
from magnum.api.controllers.bays import check_driver_can
from magnum.api.schemas.certificates import BAY_KEYS, CREATE, TYPES
from magnum.api.views import certificates as view
from magnum.common import errors
from magnum.db import bays as store
from magnum.db.models import Bay
from magnum.drivers.contract import Verb
from magnum.lifecycle import secrets, submit

_TYPE = "ca_cert_type"


class TlsDisabled(errors.BadRequest):
    """The bay's baymodel says that its cluster goes without TLS."""

    code = "TLS_DISABLED"


class CertificatesController:
    """Certificates."""

    def show(
        self, request: Request, response: Response, ident: str, kind: str | None = None
    ) -> Response:
        """``GET /{bay}`` and ``GET /{bay}/{type}``: the certificate of a CA."""
        asked = request.query(() if kind else (_TYPE,)).get(_TYPE)
        if asked is not None and asked not in TYPES:
            raise errors.BadRequest(f"{_TYPE} must be one of {', '.join(TYPES)}", field=_TYPE)
        if kind is not None and kind not in TYPES:
            raise errors.NotFound(f"There is no type {kind!a} of CA.")
        bay = self._find(request, ident)
        pem = secrets.certificate(request.caller, bay, TYPES[kind or asked or "kubernetes"])
        return response.send(view.full(bay.uuid, pem, request.base))

    def create(self, request: Request, response: Response) -> Response:
        """``POST``: 201 and the certificate for a signing request."""
        request.query()
        wanted = CREATE.read(request.document())
        ident, field = _named(wanted)
        try:
            bay = self._find(request, ident)
        except (errors.NotFound, errors.Conflict) as error:
            raise errors.InvalidField(error.text, field=field) from error
        kind = TYPES[wanted.get(_TYPE) or "kubernetes"]
        pem = secrets.sign(request.caller, bay, wanted["csr"], kind)
        body = view.full(bay.uuid, pem, request.base, wanted["csr"])
        return response.send_created(body, body["links"][0]["href"])

    def rotate(self, request: Request, response: Response, ident: str) -> Response:
        """``PATCH /{bay}``: 202 and the bay's uuid. There may be a body of any kind; it is not read."""
        request.query()
        bay = self._find(request, ident)
        check_driver_can(bay, Verb.ROTATE_CA)
        submit.act(request.caller, bay, Verb.ROTATE_CA, {})
        return response.send_accepted({"uuid": bay.uuid}, None)

    def _find(self, request: Request, ident: str) -> Bay:
        """A bay with CAs that the caller may do this to. Raises NotFound, Conflict, Forbidden, TlsDisabled."""
        bay = store.get(request.caller, ident, all_projects=sees_all_projects(request))
        authorize(request, {**owner(bay), "bay_user_id": bay.bay_user_id})
        if bay.baymodel.tls_disabled:
            raise TlsDisabled(
                "The bay has no certificates, because TLS is disabled in its baymodel."
            )
        return bay


def _named(wanted: Mapping[str, Any]) -> tuple[str, str]:
    """The bay that a request names, and where it does so. Raises InvalidField."""
    named = {key: wanted[key] for key in BAY_KEYS if wanted.get(key) is not None}
    if not named:
        raise errors.InvalidField(
            f"Invalid '/{BAY_KEYS[0]}': it is required", field=f"/{BAY_KEYS[0]}"
        )
    if len(set(named.values())) > 1:
        raise errors.InvalidField(
            f"{' and '.join(BAY_KEYS)} name different things", field=f"/{BAY_KEYS[1]}"
        )
    key, ident = next(iter(named.items()))
    return str(ident), f"/{key}"
