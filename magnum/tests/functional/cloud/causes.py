"""Causes of failure that are made on the real cloud, each in a project of its own, and what has to be told of them."""

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, ClassVar

from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session

from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Tenant
from tools.openstack import fake_nodes


class Scene:
    """Where a cause happens: a project with a network for the nodes. What is made here goes when ``stack`` closes."""

    def __init__(self, admin: Session, stack: ExitStack) -> None:
        self.admin = admin
        self.tenant: Tenant = stack.enter_context(client.tenant(admin))
        self._stack = stack
        self._project = self.tenant.project_id
        self.compute, self.network, self.image = (
            client.service(admin, kind) for kind in ("compute", "network", "image")
        )
        self.fixed_network = self.a_network("10.9.0.0/24")
        self.flavor = self.a_flavor()

    def later(self, undo: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        """Do this when all is over; whatever it is done to may have gone."""
        self._stack.callback(undo, *arguments, **options, raise_exc=False)

    def a_network(self, cidr: str, **fields: Any) -> str:
        """A network of the project with one subnet; returns its id."""
        wanted = {"name": f"test-{uuid.uuid4().hex[:8]}", "project_id": self._project, **fields}
        answer = self.network.post("/v2.0/networks", json={"network": wanted})
        made: str = answer.json()["network"]["id"]
        self.later(self.network.delete, f"/v2.0/networks/{made}")
        self.a_subnet(made, cidr)
        return made

    def a_subnet(self, network: str, cidr: str) -> None:
        """One more subnet of a network."""
        subnet = {
            "network_id": network,
            "project_id": self._project,
            "ip_version": 4,
            "cidr": cidr,
            "enable_dhcp": False,
        }
        self.network.post("/v2.0/subnets", json={"subnet": subnet})

    def an_image(self) -> str:
        """An image like those of the cloud; returns its id."""
        wanted = {
            "name": f"test-{uuid.uuid4().hex[:8]}",
            "os_distro": "fedora-atomic",
            "disk_format": "raw",
            "container_format": "bare",
            "visibility": "public",
        }
        made: str = self.image.post("/v2/images", json=wanted).json()["id"]
        self.later(self.image.delete, f"/v2/images/{made}")
        content = {"Content-Type": "application/octet-stream"}
        self.image.put(f"/v2/images/{made}/file", data=b"\0" * 1024, headers=content)
        return made

    def a_flavor(self, ident: str = f"{fake_nodes.FATE}-report", vcpus: int = 1) -> str:
        """A flavor whose id begins so; returns its id. Unless told otherwise, its servers never boot and report."""
        return self._stack.enter_context(client.flavor(self.admin, ident, vcpus))

    def limit_nova(self, **limits: int) -> None:
        """Set the project's quotas of Nova."""
        self.compute.put(f"/os-quota-sets/{self._project}", json={"quota_set": limits})

    def limit_neutron(self, **limits: int) -> None:
        """Set the project's quotas of Neutron."""
        self.network.put(f"/v2.0/quotas/{self._project}", json={"quota": limits})

    def tagged_port(self, bay: str) -> str:
        """A port that bears a bay's tag though the bay's stack does not have it; returns its id."""
        fields = {"network_id": self.fixed_network, "project_id": self._project}
        made: str = self.network.post("/v2.0/ports", json={"port": fields}).json()["port"]["id"]
        self.later(self.network.delete, f"/v2.0/ports/{made}")
        self.network.put(f"/v2.0/ports/{made}/tags/magnum-{bay}")
        return made

    def mine(self, service_type: str) -> Adapter:
        """A service as the project's member sees it."""
        return client.service(self.tenant.session, service_type)


@dataclass(frozen=True)
class Told:
    """What an operation has to say: where it stands, its error, words in its text, and of the part that failed.

    ``place`` is a regular expression for the part's place in the template; empty where no part of the cluster failed,
    because the cloud refused the whole. ``has_request_id`` says whether the cloud names its request.
    """

    state: str
    code: str
    actor: str
    words: tuple[str, ...]
    place: str = ""
    type: str = ""
    has_request_id: bool = False


class Cause:
    """A cause. ``can_be_mended`` says whether the bay is to be complete in the end."""

    told: ClassVar[Told]
    can_be_mended: ClassVar[bool] = False

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def baymodel(self) -> dict[str, Any]:
        """Make what the bay shall use; returns the fields of its baymodel that name it."""
        return {}

    def strike(self) -> None:
        """Let it happen. The request for the bay was accepted, and nothing is built yet."""

    def mend(self) -> None:
        """Put it right."""


_SERVER = "(masters|nodes) / 0 / server"


class NoInstances(Cause):
    """Nova's quota has no room for a server."""

    told = Told(
        "BLOCKED",
        "QUOTA_EXCEEDED",
        "user",
        ("Quota exceeded for instances: Requested 1, but already used 0 of 0 instances",),
        _SERVER,
        "OS::Nova::Server",
        has_request_id=True,
    )
    can_be_mended = True

    def strike(self) -> None:
        self.scene.limit_nova(instances=0)

    def mend(self) -> None:
        self.scene.limit_nova(instances=10)


class NoSecurityGroups(Cause):
    """Neutron's quota has no room for a security group."""

    told = Told(
        "BLOCKED",
        "QUOTA_EXCEEDED",
        "user",
        ("Quota exceeded for resources: ['security_group']",),
        "secgroup_(nodes|masters)",
        "OS::Neutron::SecurityGroup",
        has_request_id=True,
    )

    def strike(self) -> None:
        self.scene.limit_neutron(security_group=1)


class NoValidHost(Cause):
    """The flavor is larger than any compute host."""

    told = Told(
        "BLOCKED",
        "NO_CAPACITY",
        "operator",
        ("No valid host was found",),
        _SERVER,
        "OS::Nova::Server",
    )

    def baymodel(self) -> dict[str, Any]:
        self.scene.limit_nova(cores=-1)
        huge = self.scene.a_flavor(vcpus=5000)
        return {"flavor_id": huge, "master_flavor_id": huge}


class ImageGone(Cause):
    """The image is deleted."""

    told = Told(
        "FAILED",
        "IMAGE_GONE",
        "user",
        ("Parameter 'master_image' is invalid", "No images matching"),
    )

    def baymodel(self) -> dict[str, Any]:
        self._image = self.scene.an_image()
        return {"image_id": self._image}

    def strike(self) -> None:
        self.scene.image.delete(f"/v2/images/{self._image}")


class FlavorGone(Cause):
    """The flavor of the masters is deleted."""

    told = Told(
        "FAILED",
        "FLAVOR_GONE",
        "user",
        ("Parameter 'master_flavor' is invalid", "No Flavor matching"),
    )

    def baymodel(self) -> dict[str, Any]:
        self._flavor = self.scene.a_flavor()
        return {"master_flavor_id": self._flavor}

    def strike(self) -> None:
        self.scene.compute.delete(f"/flavors/{self._flavor}")


class NetworkGone(Cause):
    """The network of the nodes is deleted."""

    told = Told(
        "FAILED",
        "NETWORK_GONE",
        "user",
        ("Unable to find network with name or id",),
        "master_ports",
        "OS::Heat::ResourceGroup",
    )

    def strike(self) -> None:
        self.scene.network.delete(f"/v2.0/networks/{self.scene.fixed_network}")


class NoFloatingIPs(Cause):
    """The external network has one address, and the router takes it."""

    told = Told(
        "BLOCKED",
        "FLOATING_IPS_EXHAUSTED",
        "operator",
        ("No more IP addresses available on network",),
        "(masters|nodes) / 0 / floating_ip",
        "OS::Neutron::FloatingIP",
        has_request_id=True,
    )

    def baymodel(self) -> dict[str, Any]:
        external = self.scene.a_network("172.30.0.0/30", **{"router:external": True})
        return {
            "external_network_id": external,
            "floating_ip_enabled": True,
            "fixed_network": None,
        }


class NodeSilent(Cause):
    """A node never reports."""

    told = Told(
        "FAILED",
        "NODE_NOT_REPORTED",
        "user",
        ("did not report in time",),
        "masters / 0 / reported",
        "OS::Heat::WaitCondition",
    )

    def baymodel(self) -> dict[str, Any]:
        silent = self.scene.a_flavor(f"{fake_nodes.FATE}-silent")
        return {"master_flavor_id": silent, "labels": {"node_timeout": "60"}}


class NodeFailed(Cause):
    """A node reports that its setup failed."""

    told = Told(
        "FAILED",
        "NODE_FAILED",
        "user",
        ("A node reported that its setup failed", "fake_nodes=fail"),
        "masters / 0 / reported",
        "OS::Heat::WaitCondition",
    )

    def baymodel(self) -> dict[str, Any]:
        return {"master_flavor_id": self.scene.a_flavor(f"{fake_nodes.FATE}-fail")}


#: What Heat says within seconds.
SOON_TOLD: tuple[type[Cause], ...] = (
    ImageGone,
    FlavorGone,
    NoSecurityGroups,
    NetworkGone,
    NoInstances,
    NodeFailed,
)
#: What Heat tries again by itself for a minute or more.
LATE_TOLD: tuple[type[Cause], ...] = (NodeSilent, NoFloatingIPs, NoValidHost)
CAUSES = SOON_TOLD + LATE_TOLD
