"""Neutron without agents: networks, ports and routers that exist in its database only."""

import datetime
import json
from typing import ClassVar

import sqlalchemy as sa

from tools.openstack import keystone
from tools.openstack.config import Sections
from tools.openstack.processes import Program
from tools.openstack.services.base import HOST, Service, silent

_COUNTED = ("network", "subnet", "port", "router", "floatingip")
_UNLIMITED = (*_COUNTED, "security_group", "security_group_rule")
_AGENT_ID = "00000000-0000-0000-0000-0000000000a1"


class Neutron(Service):
    """One API process. Ports and floating IPs stay DOWN, which Heat and Nova do not mind."""

    name = "neutron"
    user = "neutron"
    databases = ("neutron",)
    port: ClassVar[int] = 9696
    catalogue = (keystone.Service("neutron", "network", f"http://127.0.0.1:{port}"),)

    @property
    def environment(self) -> dict[str, str]:
        """The application looks for its files in this folder."""
        folder = str(self.config_file.parent)
        return {"OS_NEUTRON_CONFIG_DIR": folder, "OS_NEUTRON_CONFIG_FILES": self.config_file.name}

    def sections(self) -> Sections:
        """``neutron.conf``, with what is usually in ``ml2_conf.ini``."""
        return {
            **silent(),
            "DEFAULT": {
                "transport_url": self.site.transport_url,
                "core_plugin": "ml2",
                "service_plugins": "router",
                "api_paste_config": self.site.shipped("neutron", "api-paste.ini"),
                "state_path": self.site.data("neutron"),
                "notify_nova_on_port_status_changes": False,
                "notify_nova_on_port_data_changes": False,
                "dhcp_agent_notification": False,
                "agent_down_time": 2147483,  # seconds; the most that is allowed
                "rpc_workers": 0,
            },
            "database": self.database_section(),
            "oslo_concurrency": {"lock_path": self.site.data("lock")},
            "ml2": {
                "type_drivers": "flat,vxlan",
                "tenant_network_types": "vxlan",
                "mechanism_drivers": "openvswitch",
                "extension_drivers": "port_security",
            },
            "ml2_type_flat": {"flat_networks": "public"},
            "ml2_type_vxlan": {"vni_ranges": "1:2000"},
            "quotas": {"default_quota": -1, **{f"quota_{noun}": -1 for noun in _UNLIMITED}},
            "keystone_authtoken": self.token_section(),
        }

    def migrations(self) -> list[tuple[str, ...]]:
        """One schema."""
        manage = self.site.script("neutron-db-manage")
        return [(manage, "--config-file", str(self.config_file), "upgrade", "heads")]

    def after_migrations(self) -> None:
        """Note an Open vSwitch agent that never needs a process.

        The mechanism driver binds a port only on a host with a living agent; this one's heartbeat lies in the
        future.
        """
        long_ago = datetime.datetime(2020, 1, 1)  # noqa: DTZ001 - the column has no time zone
        configuration = {
            "bridge_mappings": {"public": "br-ex"},
            "tunnel_types": ["vxlan"],
            "tunneling_ip": "127.0.0.1",
            "datapath_type": "system",
            "ovs_hybrid_plug": False,
            "vhostuser_socket_dir": "/run",
            "integration_bridge": "br-int",
        }
        engine = self.site.databases.engine("neutron")
        agents = sa.Table("agents", sa.MetaData(), autoload_with=engine)
        with engine.begin() as connection:
            connection.execute(agents.delete().where(agents.c.id == _AGENT_ID))
            connection.execute(
                agents.insert().values(
                    id=_AGENT_ID,
                    agent_type="Open vSwitch agent",
                    binary="neutron-openvswitch-agent",
                    topic="N/A",
                    host=HOST,
                    admin_state_up=True,
                    created_at=long_ago,
                    started_at=long_ago,
                    heartbeat_timestamp=long_ago.replace(year=2099),
                    configurations=json.dumps(configuration),
                    load=0,
                )
            )

    def programs(self) -> tuple[Program, ...]:
        """The API."""
        return (self.wsgi_program("neutron", self.port, "neutron.wsgi.api:application"),)
