"""Octavia (optional) with drivers that do nothing: load balancers that exist in its database only.

Their addresses are real ones: ports of Neutron, on which floating IPs can be put. What forwards connections, where
nodes are real, is ``tools.node_run.balance``.
"""

import subprocess
from pathlib import Path
from typing import ClassVar

from tools.openstack import config, keystone
from tools.openstack.config import Sections
from tools.openstack.console import Trouble
from tools.openstack.processes import Program
from tools.openstack.services.base import SCRIPTS, Service, silent


class Octavia(Service):
    """API and worker, with the amphora provider."""

    name = "octavia"
    user = "octavia"
    databases = ("octavia",)
    port: ClassVar[int] = 9876
    catalogue = (keystone.Service("octavia", "load-balancer", f"http://127.0.0.1:{port}"),)

    def configure(self) -> bool:
        """Write the configuration, and the throw-away certificates without which it does not start."""
        folder = self._certificates
        if not (folder / "client.pem").exists():
            password = self.site.passwords["octavia ca"]
            _self_signed(folder, "ca", "-passout", f"pass:{password}")
            _self_signed(folder, "client", "-nodes")
        # The API asks Neutron; the worker, which would plug what was never made, does not (octavia_worker.py).
        driver = {"network_driver": "allowed_address_pairs_driver"}
        asks_neutron = config.write(self._api_config, {"controller_worker": driver})
        return super().configure() or asks_neutron

    def sections(self) -> Sections:
        """``octavia.conf``."""
        ca, client = self._certificates / "ca.crt", self._certificates / "client.pem"
        sockets = self.site.data("octavia")
        return {
            **silent(),
            "DEFAULT": {"transport_url": self.site.transport_url},
            "api_settings": {
                "enabled_provider_drivers": "amphora:does nothing",
                "default_provider_driver": "amphora",
                "auth_strategy": "keystone",
            },
            "database": self.database_section(),
            "health_manager": {
                "heartbeat_key": self.site.passwords["octavia heartbeat"],
                "bind_ip": "127.0.0.1",
                "controller_ip_port_list": "127.0.0.1:5555",
            },
            "certificates": {
                "cert_generator": "local_cert_generator",
                "cert_manager": "noop_cert_manager",
                "ca_certificate": ca,
                "ca_private_key": self._certificates / "ca.key",
                "ca_private_key_passphrase": self.site.passwords["octavia ca"],
                "server_certs_key_passphrase": self.site.passwords["octavia certificates"],
            },
            "haproxy_amphora": {"server_ca": ca, "client_cert": client},
            "controller_worker": {
                "client_ca": ca,
                **{
                    f"{part}_driver": f"{part}_noop_driver"
                    for part in ("amphora", "compute", "network", "image", "volume")
                },
                "amp_boot_network_list": "00000000-0000-0000-0000-0000000000b1",
                "amp_flavor_id": "1",
                "amp_image_tag": "amphora",
                "amp_secgroup_list": "",
                "loadbalancer_topology": "SINGLE",
                "workers": 1,
            },
            "oslo_messaging": {"topic": "octavia_prov", "rpc_thread_pool_size": 4},
            "driver_agent": {
                f"{kind}_socket_path": sockets / f"{kind}.sock"
                for kind in ("status", "stats", "get")
            },
            "service_auth": self.identity_section(),
            "neutron": {"region_name": config.REGION},
            "keystone_authtoken": self.token_section(),
        }

    def migrations(self) -> list[tuple[str, ...]]:
        """One schema."""
        manage = self.site.script("octavia-db-manage")
        return [(manage, "--config-file", str(self.config_file), "upgrade", "head")]

    def programs(self) -> tuple[Program, ...]:
        """Both."""
        arguments = ("--config-file", str(self.config_file))
        target = "octavia.wsgi.api:application"
        script = (self.site.script("python"), "-P", str(SCRIPTS / "octavia_worker.py"))
        api = (*arguments, "--config-file", str(self._api_config))
        return (
            Program("octavia-worker", (*script, *arguments), self.environment),
            self.wsgi_program("octavia-api", self.port, target, *api),
        )

    @property
    def _api_config(self) -> Path:
        return self.config_file.with_name("api.conf")

    @property
    def _certificates(self) -> Path:
        return self.site.data("octavia", "certificates")


def _self_signed(folder: Path, name: str, *options: str) -> None:
    """A key and a certificate ``<name>.key``, ``<name>.crt``, and both together in ``<name>.pem``."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    command = f"openssl req -x509 -newkey rsa:2048 -days 3650 -subj /CN={name}".split()
    files = ("-keyout", str(key), "-out", str(certificate))
    done = subprocess.run([*command, *options, *files], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Trouble(f"openssl could not make a certificate for Octavia: {done.stderr.strip()}")
    (folder / f"{name}.pem").write_text(certificate.read_text() + key.read_text())
