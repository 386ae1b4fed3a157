"""A certificate as clients see it (contract 2.5)."""

from typing import Any

from magnum.api.views import links


def full(bay_uuid: str, pem: str, base: str, csr: str | None = None) -> dict[str, Any]:
    """The certificate of a bay's CA; or one that it has signed, with the request for it.

    :param base: URL of the application.
    """
    body = {"cluster_uuid": bay_uuid, "bay_uuid": bay_uuid}
    if csr is not None:
        body["csr"] = csr
    return {**body, "pem": pem, "links": links.of(base, "certificates", bay_uuid)}
