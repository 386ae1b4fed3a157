"""What users of the cloud find in it: flavors, images, an external network, a keypair. Idempotent.

Every function begins with a plain list request, which is also what warms an API up: a fresh Neutron can refuse
the first two requests with 403 when they arrive together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from keystoneauth1 import adapter, session

from tools.openstack import config
from tools.openstack.config import write_private

KEYPAIR = "demo-key"
NETWORK = "public"


@dataclass(frozen=True)
class Flavor:
    """Memory in MiB, disk in GiB."""

    name: str
    vcpus: int
    ram: int
    disk: int


FLAVORS = (
    Flavor("m1.tiny", 1, 512, 1),
    Flavor("m1.small", 1, 2048, 20),
    Flavor("m1.medium", 2, 4096, 40),
)
# Each is also its os_distro: those that drivers of the tree ask for, and another one.
IMAGES = ("fedora-atomic", "fedora", "coreos", "fedora-coreos", "ubuntu", "centos")


def flavors(admin: session.Session) -> None:
    """``FLAVORS``, public."""
    api = _api(admin, "compute")
    known = _names(api, "/flavors", "flavors")
    for flavor in FLAVORS:
        if flavor.name not in known:
            api.post("/flavors", json={"flavor": vars(flavor)})


def images(admin: session.Session) -> None:
    """``IMAGES``, public, of one kilobyte each: nothing ever boots them."""
    api = _api(admin, "image")
    known = {item["name"]: item for item in _items(api, "/v2/images", "images")}
    for name in IMAGES:
        image: Mapping[str, Any] | None = known.get(name)
        if image is None:
            body = {
                "name": name,
                "os_distro": name,
                "architecture": "x86_64",
                "disk_format": "raw",
                "container_format": "bare",
                "visibility": "public",
            }
            image = api.post("/v2/images", json=body).json()
        if image["status"] == "queued":
            headers = {"Content-Type": "application/octet-stream"}
            api.put(f"/v2/images/{image['id']}/file", data=b"\0" * 1024, headers=headers)


def external_network(admin: session.Session) -> None:
    """``NETWORK``: flat, external, with a subnet of a thousand addresses."""
    api = _api(admin, "network")
    networks = {item["name"]: item["id"] for item in _items(api, "/v2.0/networks", "networks")}
    if NETWORK not in networks:
        body = {
            "name": NETWORK,
            "router:external": True,
            "provider:network_type": "flat",
            "provider:physical_network": "public",
        }
        answer = api.post("/v2.0/networks", json={"network": body}).json()
        networks[NETWORK] = answer["network"]["id"]
    if not _names(api, f"/v2.0/subnets?network_id={networks[NETWORK]}", "subnets"):
        body = {
            "name": "public-subnet",
            "network_id": networks[NETWORK],
            "ip_version": 4,
            "cidr": "172.24.4.0/22",
            "gateway_ip": "172.24.4.1",
            "enable_dhcp": False,
        }
        api.post("/v2.0/subnets", json={"subnet": body})


def keypair(demo: session.Session, private_key: Path) -> None:
    """``KEYPAIR`` of user demo; its private half goes into a file of mode 0600."""
    api = _api(demo, "compute")
    known = {item["keypair"]["name"] for item in _items(api, "/os-keypairs", "keypairs")}
    if KEYPAIR in known:
        return
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    write_private(private_key, private.decode())
    api.post("/os-keypairs", json={"keypair": {"name": KEYPAIR, "public_key": public.decode()}})


def compute_is_up(admin: session.Session) -> bool:
    """Whether the compute host is alive, and Placement knows what it has."""
    services = _items(_api(admin, "compute"), "/os-services?binary=nova-compute", "services")
    providers = _items(_api(admin, "placement"), "/resource_providers", "resource_providers")
    return any(item["state"] == "up" for item in services) and bool(providers)


def engine_is_up(admin: session.Session) -> bool:
    """Whether Heat's engine is alive."""
    services = _items(_api(admin, "orchestration"), "/services", "services")
    return any(item["status"] == "up" for item in services)


def volumes_are_up(admin: session.Session) -> bool:
    """Whether Cinder's volume host has reported what it can hold; before that, a volume waits for minutes."""
    api = _api(admin, "block-storage")
    pools = _items(api, "/scheduler-stats/get_pools?detail=True", "pools")
    return bool(pools)


def warm_up(admin: session.Session, service_type: str, path: str) -> None:
    """One quiet request with a token."""
    _api(admin, service_type).get(path, raise_exc=False)


def _api(who: session.Session, service_type: str) -> adapter.Adapter:
    return adapter.Adapter(who, service_type=service_type, region_name=config.REGION)


def _items(api: adapter.Adapter, path: str, collection: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get(path).json()[collection]
    return items


def _names(api: adapter.Adapter, path: str, collection: str) -> set[str]:
    return {item["name"] for item in _items(api, path, collection)}
