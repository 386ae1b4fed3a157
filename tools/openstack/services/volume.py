"""Cinder (optional) with the in-tree driver that only logs."""

from typing import ClassVar

from tools.openstack import keystone
from tools.openstack.config import Sections
from tools.openstack.processes import Program
from tools.openstack.services.base import HOST, Service, silent


class Cinder(Service):
    """API, scheduler, and one volume host."""

    name = "cinder"
    user = "cinder"
    databases = ("cinder",)
    port: ClassVar[int] = 8776
    catalogue = (
        keystone.Service("cinderv3", "volumev3", f"http://127.0.0.1:{port}/v3/%(project_id)s"),
        keystone.Service("cinder", "block-storage", f"http://127.0.0.1:{port}/v3/%(project_id)s"),
    )

    def sections(self) -> Sections:
        """``cinder.conf``."""
        return {
            **silent(),
            "DEFAULT": {
                "transport_url": self.site.transport_url,
                "host": HOST,
                "my_ip": "127.0.0.1",
                "state_path": self.site.data("cinder"),
                "api_paste_config": self.site.shipped("cinder", "api-paste.ini"),
                "resource_query_filters_file": self.site.shipped("cinder", "resource_filters.json"),
                "enabled_backends": "fake",
                "quota_volumes": -1,
                "quota_gigabytes": -1,
                "glance_api_servers": "http://127.0.0.1:9292",
            },
            "fake": {
                "volume_driver": "cinder.tests.fake_driver.FakeLoggingVolumeDriver",
                "volume_backend_name": "fake",
            },
            "database": self.database_section(),
            "oslo_concurrency": {"lock_path": self.site.data("lock")},
            "coordination": {"backend_url": f"file://{self.site.data('cinder', 'coordination')}"},
            "service_user": self.identity_section(send_service_user_token=True),
            "keystone_authtoken": self.token_section(),
        }

    def migrations(self) -> list[tuple[str, ...]]:
        """One schema."""
        manage = self.site.script("cinder-manage")
        return [(manage, "--config-file", str(self.config_file), "db", "sync")]

    def programs(self) -> tuple[Program, ...]:
        """All three."""
        arguments = ("--config-file", str(self.config_file))
        target = "cinder.wsgi.api:application"
        return (
            self.console_program("cinder-scheduler"),
            self.console_program("cinder-volume"),
            self.wsgi_program("cinder-api", self.port, target, *arguments),
        )
