"""Certificates and credentials (contract 2.5 and 2.6)."""

from typing import Final

from magnum.api.openapi.described import Argument, Described, Key, whole
from magnum.api.openapi.nouns import bays
from magnum.api.openapi.shapes import LINKS, TEXT, UUID, thing
from magnum.api.schemas.certificates import CREATE, TYPES

_OF = {"cluster_uuid": UUID, "bay_uuid": UUID}
_CA: Final = thing(
    "CaCertificate",
    "The certificate of a CA of a bay.",
    {**_OF, "pem": TEXT, "links": LINKS},
)
_SIGNED: Final = thing(
    "Certificate",
    "A certificate that a CA of a bay has signed, with the request for it.",
    {**_OF, "csr": TEXT, "pem": TEXT, "links": LINKS},
)


def described() -> dict[Key, Described]:
    """The routes; a bay is named in either spelling."""
    at = "/v1/certificates"
    kind = Argument({"type": "string", "enum": sorted(TYPES)}, "Which of the bay's CAs.")
    return {
        ("POST", at): Described(
            "Have a certificate signed.",
            {201: _SIGNED},
            body=whole(CREATE),
            errors=(409,),
            located=True,
        ),
        ("GET", f"{at}/{{}}"): Described(
            "Show the certificate of a CA.", {200: _CA}, {"ca_cert_type": kind}, errors=(409,)
        ),
        ("GET", f"{at}/{{}}/{{}}"): Described(
            "Show the certificate of a CA.", {200: _CA}, errors=(409,)
        ),
        ("PATCH", f"{at}/{{}}"): Described(
            "Replace the CA, and all certificates.", {202: bays.PLAINLY_ACCEPTED}, errors=(409,)
        ),
        ("PATCH", "/v1/credentials/{}"): Described(
            "Replace the credential that the nodes hold.",
            {202: bays.PLAINLY_ACCEPTED},
            errors=(409,),
        ),
    }
