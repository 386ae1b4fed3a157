"""Barbican (optional), which keeps secrets sealed in its database."""

from pathlib import Path
from typing import ClassVar

from tools.openstack import config, keystone
from tools.openstack.config import Sections
from tools.openstack.processes import Program
from tools.openstack.services.base import Service, silent


class Barbican(Service):
    """One API process. It reads ``~/.barbican/barbican.conf``, so it gets a home of its own."""

    name = "barbican"
    user = "barbican"
    databases = ("barbican",)
    port: ClassVar[int] = 9311
    catalogue = (keystone.Service("barbican", "key-manager", f"http://127.0.0.1:{port}"),)

    @property
    def config_file(self) -> Path:
        """In its private home."""
        return self.site.etc / "barbican" / ".barbican" / "barbican.conf"

    @property
    def environment(self) -> dict[str, str]:
        """The private home."""
        return {"HOME": str(self.site.etc / "barbican")}

    def sections(self) -> Sections:
        """``barbican.conf``."""
        return {
            **silent(),
            "DEFAULT": {"host_href": self.url.rstrip("/"), "db_auto_create": False},
            "database": self.database_section(),
            "secretstore": {"enabled_secretstore_plugins": "store_crypto"},
            "crypto": {"enabled_crypto_plugins": "simple_crypto"},
            "simple_crypto_plugin": {
                "kek": config.write_fernet_keys(self.site.data("barbican", "keys"))
            },
            "queue": {"enable": False},
            "keystone_authtoken": self.token_section(),
        }

    def migrations(self) -> list[tuple[str, ...]]:
        """One schema."""
        return [(self.site.script("barbican-db-manage"), "upgrade")]

    def programs(self) -> tuple[Program, ...]:
        """The API; its own WSGI module insists on a paste file under /etc, so the shipped one is loaded."""
        paste = self.site.shipped("barbican", "barbican-api-paste.ini")
        return (self.wsgi_program("barbican", self.port, f"paste:{paste}"),)
