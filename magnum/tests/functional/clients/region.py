"""A region of Keystone's catalogue in which our service is a test's own and everything else is the cloud's."""

import contextlib
from collections.abc import Iterator

from keystoneauth1.session import Session

from magnum.tests.functional.cloud import client
from tools.openstack import config, keystone

#: The types under which clients look for us: old ones and new ones (rest-contract.md, 4.1).
OURS = ("container-infra", "container")


@contextlib.contextmanager
def region(admin: Session, name: str, url: str) -> Iterator[None]:
    """Have a region with the endpoints of the cloud's own, but for ours, which are at ``url``.

    Unmodified clients are led to a service by the region alone.
    """
    identity = client.service(admin, "identity")
    # A busy Keystone with many threads has been seen to refuse the administrator a single one of these requests.
    identity.retriable_status_codes, identity.status_code_retries = [403], 5
    identity.post("/regions", json={"region": {"id": name}})
    made: list[str] = []
    try:
        types = {one["id"]: one["type"] for one in identity.get("/services").json()["services"]}
        known = identity.get("/endpoints", params={"region_id": config.REGION}).json()["endpoints"]
        wanted = [
            (one["service_id"], one["interface"], one["url"])
            for one in known
            if types[one["service_id"]] not in OURS
        ]
        wanted += [
            (service, interface, url)
            for service, kind in types.items()
            if kind in OURS
            for interface in keystone.INTERFACES
        ]
        for service, interface, address in wanted:
            body = {
                "service_id": service,
                "interface": interface,
                "url": address,
                "region_id": name,
            }
            answer = identity.post("/endpoints", json={"endpoint": body})
            made.append(answer.json()["endpoint"]["id"])
        yield
    finally:
        for endpoint in made:
            identity.delete(f"/endpoints/{endpoint}")
        identity.delete(f"/regions/{name}")
