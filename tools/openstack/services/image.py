"""Glance with a store of plain files."""

from pathlib import Path
from typing import ClassVar

from tools.openstack import keystone
from tools.openstack.config import Sections
from tools.openstack.processes import Program
from tools.openstack.services.base import Service, silent


class Glance(Service):
    """One API process."""

    name = "glance"
    user = "glance"
    databases = ("glance",)
    port: ClassVar[int] = 9292
    catalogue = (keystone.Service("glance", "image", f"http://127.0.0.1:{port}"),)

    @property
    def environment(self) -> dict[str, str]:
        """The application looks for ``glance-api.conf`` in this folder."""
        return {"OS_GLANCE_CONFIG_DIR": str(self.config_file.parent)}

    @property
    def config_file(self) -> Path:
        """The name is fixed in Glance."""
        return self.site.etc / "glance" / "glance-api.conf"

    def sections(self) -> Sections:
        """``glance-api.conf``."""

        def store(name: str) -> dict[str, str]:
            return {"filesystem_store_datadir": f"{self.site.data('glance', name)}/"}

        return {
            **silent(),
            "DEFAULT": {
                "enabled_backends": "files:file",
                "worker_self_reference_url": self.url.rstrip("/"),
            },
            "database": self.database_section(),
            "paste_deploy": {
                "flavor": "keystone",
                "config_file": self.site.shipped("glance", "glance-api-paste.ini"),
            },
            "glance_store": {"default_backend": "files"},
            "files": store("images"),
            "os_glance_staging_store": store("staging"),
            "os_glance_tasks_store": store("tasks"),
            "keystone_authtoken": self.token_section(),
        }

    def migrations(self) -> list[tuple[str, ...]]:
        """One schema."""
        manage = self.site.script("glance-manage")
        return [(manage, "--config-file", str(self.config_file), "db_sync")]

    def programs(self) -> tuple[Program, ...]:
        """The API."""
        return (self.wsgi_program("glance", self.port, "glance.wsgi.api:application"),)
