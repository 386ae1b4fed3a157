"""Placement, which Nova's scheduler asks."""

from typing import ClassVar

from tools.openstack import keystone
from tools.openstack.config import Sections
from tools.openstack.processes import Program
from tools.openstack.services.base import Service


class Placement(Service):
    """One API process."""

    name = "placement"
    user = "placement"
    databases = ("placement",)
    port: ClassVar[int] = 8778
    catalogue = (keystone.Service("placement", "placement", f"http://127.0.0.1:{port}"),)

    @property
    def environment(self) -> dict[str, str]:
        """The application looks for ``placement.conf`` in this folder."""
        return {"OS_PLACEMENT_CONFIG_DIR": str(self.config_file.parent)}

    def sections(self) -> Sections:
        """``placement.conf``."""
        return {
            "placement_database": self.database_section(),
            "keystone_authtoken": self.token_section(),
        }

    def migrations(self) -> list[tuple[str, ...]]:
        """One schema."""
        manage = self.site.script("placement-manage")
        return [(manage, "--config-file", str(self.config_file), "db", "sync")]

    def programs(self) -> tuple[Program, ...]:
        """The API."""
        target = "placement.wsgi.api:application"
        return (self.wsgi_program("placement", self.port, target),)
