"""Stand-ins for Nova, Neutron, Cinder and Octavia inside Heat: a Heat plugin for clouds that lack them.

``tools/quickstart`` runs a real Heat in a cloud of nothing but Keystone and Heat. This plugin takes over the
resource types of the absent services, so that the drivers' templates run there unchanged. What is real
and what is not:

* Each stand-in has the properties schema and the attributes of the real resource type, taken from the
  real class of the Heat that runs. A template with an unknown property, a wrong value or an attribute
  that does not exist fails here as it fails in a cloud.
* Nothing is made. A stand-in gets a random id; creating, updating and deleting it succeeds at once. An
  attribute is the property of the same name where there is one, and a plausible fact where somebody
  needs it (``FACTS``): addresses follow from the ids, so every server has its own, the same each time.
* A server does what its node would do (``node_report.py``): a moment after its creation it reports to
  the signal URL in its user data, through the real heat-api-cfn, and the stack's wait condition goes on.
* Custom constraints that would ask an absent service (does this flavor exist?) say yes to everything.

Heat loads it from one of its ``plugin_dirs`` and asks for the two mappings at the end.
"""

import hashlib
import importlib
import ipaddress
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

import yaml
from heat.engine import resource
from oslo_log import log

from tools.openstack import node_report

LOG = log.getLogger(__name__)

BOOT_TIME = 1.0  # seconds between a server's creation and its report
REPORT_ATTEMPTS = 5
REPORT_PAUSE = 2.0  # seconds between two attempts

FIXED = ipaddress.IPv4Network("10.0.0.0/8")
FLOATING = ipaddress.IPv4Network("172.16.0.0/12")

REAL_MODULES = (
    "nova.keypair",
    "nova.server",
    "nova.server_group",
    "neutron.floatingip",
    "neutron.net",
    "neutron.port",
    "neutron.router",
    "neutron.security_group",
    "neutron.security_group_rule",
    "neutron.subnet",
    "cinder.volume",
    "octavia.health_monitor",
    "octavia.l7policy",
    "octavia.l7rule",
    "octavia.listener",
    "octavia.loadbalancer",
    "octavia.pool",
    "octavia.pool_member",
)
ABSENT_SERVICES = ("cinder", "glance", "neutron", "nova", "octavia")

Fact = Callable[["StandIn"], Any]


class StandIn(resource.Resource):  # type: ignore[misc]  # Heat has no annotations
    """A resource that exists in Heat only. The schemas are set by ``_stand_in_for``."""

    def handle_create(self) -> None:
        """Take an id; that is all there is to it."""
        self.resource_id_set(str(uuid.uuid4()))

    def handle_update(self, json_snippet: Any, tmpl_diff: Any, prop_diff: Any) -> None:
        """Accept what the schema lets change in place; Heat replaces the resource for the rest."""

    def handle_delete(self) -> None:
        """Leave nothing behind."""

    def handle_check(self) -> None:
        """Be there."""

    def handle_suspend(self) -> None:
        """Nothing runs that could stop."""

    def handle_resume(self) -> None:
        """Nothing stopped."""

    def _resolve_attribute(self, name: str) -> Any:
        fact = FACTS.get(self.type(), {}).get(name) or COMMON_FACTS.get(name)
        if fact is not None:
            return fact(self)
        return self.properties[name] if name in self.properties_schema else None

    def _show_resource(self) -> dict[str, Any]:
        own = (name for name in self.attributes_schema if name not in self.base_attributes_schema)
        return {"id": self.resource_id, **{name: self._resolve_attribute(name) for name in own}}


class StandInServer(StandIn):
    """A server whose node reports to its stack, as a booted one does."""

    def handle_create(self) -> None:
        """Be created, and boot in the background."""
        super().handle_create()
        try:
            url = node_report.signal_url(self._user_data())
        except (
            ValueError,
            OSError,
            yaml.YAMLError,
        ) as error:  # not ours to judge: Nova takes anything
            LOG.warning("server %s: its user data cannot be read, %s", self.resource_id, error)
            return
        if url is None:
            return
        report = node_report.Report(unique_id=self.resource_id, reason="the stand-in node is up")
        boot = threading.Timer(BOOT_TIME, _report, [url, report])
        boot.daemon = True
        boot.start()

    def _user_data(self) -> str:
        """The user data as the node would get it; a software config is looked up, as the real server does."""
        text = self.properties["user_data"] or ""
        try:
            uuid.UUID(text)
        except ValueError:
            return str(text)
        config = self.rpc_client().show_software_config(self.context, text)
        return str(config["config"])


class Anything:
    """A custom constraint that every value meets."""

    def validate(self, value: Any, context: Any) -> bool:
        """Say yes."""
        return True

    def error(self, value: Any) -> str:
        """What Heat would show if the answer were no."""
        return f"{value!r} was refused by a constraint that refuses nothing"


def address(identity: str, network: ipaddress.IPv4Network = FIXED) -> str:
    """The address that belongs to an id: always the same one, and in practice nobody else's."""
    digest = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8])
    return str(network[1 + digest % (network.num_addresses - 2)])


def _report(url: str, report: node_report.Report) -> None:
    for attempt in range(1, REPORT_ATTEMPTS + 1):
        try:
            node_report.send(url, report)
        except node_report.ReportError as error:
            LOG.warning("server %s, report %d: %s", report.unique_id, attempt, error)
            time.sleep(REPORT_PAUSE)
        else:
            LOG.info("server %s reported to its stack", report.unique_id)
            return
    LOG.error("server %s gave up reporting; its stack will time out", report.unique_id)


def _server_networks(server: StandIn) -> dict[str, list[str]]:
    """Addresses by network. A server on a port has the address of the port."""
    found: dict[str, list[str]] = {}
    for number, item in enumerate(server.properties["networks"] or [{}]):
        port = item.get("port")
        given = item.get("fixed_ip")
        network = item.get("network") or item.get("subnet") or "private"
        own = address(port) if port else address(f"{server.resource_id}/{number}")
        found.setdefault(network, []).append(given or own)
    return found


def _server_addresses(server: StandIn) -> dict[str, list[dict[str, Any]]]:
    return {
        network: [{"addr": item, "version": 4, "OS-EXT-IPS:type": "fixed"} for item in items]
        for network, items in _server_networks(server).items()
    }


def _first_address(server: StandIn) -> str:
    return next(iter(_server_networks(server).values()))[0]


def _port_addresses(port: StandIn) -> list[dict[str, Any]]:
    wanted = port.properties["fixed_ips"] or [{}]
    return [
        {
            "subnet_id": item.get("subnet"),
            "ip_address": item.get("ip_address")
            or address(f"{port.resource_id}/{number}" if number else port.resource_id),
        }
        for number, item in enumerate(wanted)
    ]


def _mac_address(port: StandIn) -> str:
    digest = hashlib.sha256(str(port.resource_id).encode()).digest()
    return ":".join(["fa", "16", "3e", *(f"{byte:02x}" for byte in digest[:3])])


def _gateway(subnet: StandIn) -> str | None:
    given, cidr = subnet.properties["gateway_ip"], subnet.properties["cidr"]
    if given is not None or not cidr:
        return given or None
    return str(next(ipaddress.ip_network(cidr, strict=False).hosts()))


def _property(name: str) -> Fact:
    """A fact that is a property under another name."""
    return lambda standin: standin.properties[name]


COMMON_FACTS: Mapping[str, Fact] = {
    "name": lambda standin: standin.properties.get("name") or standin.physical_resource_name(),
    "status": lambda standin: "ACTIVE",
    "tenant_id": lambda standin: standin.context.project_id,
}
FACTS: Mapping[str, Mapping[str, Fact]] = {
    "OS::Nova::Server": {
        "accessIPv4": _first_address,
        "addresses": _server_addresses,
        "first_address": _first_address,
        "instance_name": lambda server: f"instance-{str(server.resource_id)[:8]}",
        "networks": _server_networks,
    },
    "OS::Nova::KeyPair": {"public_key": _property("public_key"), "private_key": lambda keypair: ""},
    "OS::Neutron::Subnet": {"gateway_ip": _gateway, "network_id": _property("network")},
    "OS::Neutron::Port": {
        "fixed_ips": _port_addresses,
        "mac_address": _mac_address,
        "network_id": _property("network"),
    },
    "OS::Neutron::FloatingIP": {
        "fixed_ip_address": lambda ip: (
            ip.properties["fixed_ip_address"]
            or (ip.properties["port_id"] and address(ip.properties["port_id"]))
        ),
        "floating_ip_address": lambda ip: (
            ip.properties["floating_ip_address"] or address(ip.resource_id, FLOATING)
        ),
        "floating_network_id": _property("floating_network"),
    },
    "OS::Cinder::Volume": {"status": lambda volume: "available"},
    "OS::Octavia::LoadBalancer": {
        "vip_address": lambda balancer: (
            balancer.properties["vip_address"] or address(_vip_port(balancer))
        ),
        "vip_port_id": lambda balancer: _vip_port(balancer),
        "vip_subnet_id": _property("vip_subnet"),
    },
    "OS::Octavia::Listener": {"default_pool_id": _property("default_pool")},
    "OS::Octavia::PoolMember": {"pool_id": _property("pool")},
}


def _vip_port(balancer: StandIn) -> str:
    return str(uuid.uuid5(uuid.UUID(balancer.resource_id), "vip"))


def _stand_in_for(real: type) -> type[StandIn]:
    """A class with the outside of a real resource type."""
    base = StandInServer if real.__name__ == "Server" else StandIn
    copied = ("properties_schema", "attributes_schema", "support_status")
    outside = {name: getattr(real, name) for name in copied}
    return type(f"StandIn{real.__name__}", (base,), {"__doc__": real.__doc__, **outside})


def resource_mapping() -> dict[str, type[StandIn]]:
    """What Heat asks a plugin for: resource types and their classes."""
    found: dict[str, type[StandIn]] = {}
    for name in REAL_MODULES:
        module = importlib.import_module(f"heat.engine.resources.openstack.{name}")
        for type_name, real in module.resource_mapping().items():
            found[type_name] = _stand_in_for(real)
    return found


def constraint_mapping() -> dict[str, type[Anything]]:
    """What Heat asks a plugin for: custom constraints and their classes."""
    names = (entry.name for entry in metadata.entry_points(group="heat.constraints"))
    return {name: Anything for name in names if name.split(".")[0] in ABSENT_SERVICES}
