"""Keystone, the first service of the cloud."""

from collections.abc import Mapping
from typing import ClassVar

from tools.openstack import config
from tools.openstack.config import Sections
from tools.openstack.processes import Program
from tools.openstack.services.base import AUTH_URL, Service, silent


class Keystone(Service):
    """Fernet tokens that live for a day; cheap password hashes, since Heat makes a user per signal."""

    name = "keystone"
    databases = ("keystone",)
    port: ClassVar[int] = 5000

    def configure(self) -> bool:
        """Write the configuration and the keys."""
        for keys in ("fernet", "credential"):
            config.write_fernet_keys(self.site.data("keystone", keys))
        return super().configure()

    def sections(self) -> Sections:
        """``keystone.conf``."""
        return {
            **silent(),
            "database": self.database_section(),
            "token": {"expiration": 86400},
            "fernet_tokens": {"key_repository": self.site.data("keystone", "fernet")},
            "fernet_receipts": {"key_repository": self.site.data("keystone", "fernet")},
            "credential": {"key_repository": self.site.data("keystone", "credential")},
            "identity": {"password_hash_rounds": 4},
            "cache": {"enabled": True, "backend": "dogpile.cache.memory"},
        }

    @property
    def migration_environment(self) -> Mapping[str, str]:
        """The administrator's password, which a command line would show to everybody on the machine."""
        return {"OS_BOOTSTRAP_PASSWORD": self.site.passwords["admin"]}

    def migrations(self) -> list[tuple[str, ...]]:
        """Schema, then the administrator, the default roles and Keystone's own catalogue entry."""
        manage = (self.site.script("keystone-manage"), "--config-file", str(self.config_file))
        urls = (f"--bootstrap-{kind}-url={AUTH_URL}/v3" for kind in ("admin", "internal", "public"))
        region = f"--bootstrap-region-id={config.REGION}"
        return [(*manage, "db_sync"), (*manage, "bootstrap", region, *urls)]

    def programs(self) -> tuple[Program, ...]:
        """One API process."""
        arguments = ("--config-file", str(self.config_file))
        target = "keystone.wsgi.api:application"
        return (self.wsgi_program("keystone", self.port, target, *arguments),)
