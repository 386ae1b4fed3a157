"""Nova with the fake virt driver: servers become ACTIVE and nothing boots."""

import shutil
from typing import ClassVar

import sqlalchemy as sa

from tools.openstack import broker, config, keystone
from tools.openstack.config import Section, Sections
from tools.openstack.processes import Program
from tools.openstack.services.base import AUTH_URL, HOST, Service, silent

_UNLIMITED = ("instances", "cores", "ram", "server_groups", "server_group_members", "key_pairs")


class Nova(Service):
    """API, conductor, scheduler, and one compute host."""

    name = "nova"
    user = "nova"
    databases = ("nova_api", "nova_cell0", "nova_cell1")
    port: ClassVar[int] = 8774
    catalogue = (keystone.Service("nova", "compute", f"http://127.0.0.1:{port}/v2.1"),)

    @property
    def environment(self) -> dict[str, str]:
        """The application looks for ``nova.conf`` and ``api-paste.ini`` in this folder."""
        return {"OS_NOVA_CONFIG_DIR": str(self.config_file.parent)}

    def configure(self) -> bool:
        """Write the configuration; the paste file has to lie beside it."""
        changed = super().configure()
        shutil.copy(self.site.shipped("nova", "api-paste.ini"), self.config_file.parent)
        return changed

    def sections(self) -> Sections:
        """``nova.conf``."""
        return {
            **silent(),
            "DEFAULT": {
                "transport_url": self.site.transport_url,
                # fake.FakeDriver refuses its second start: it does not remember who it was.
                "compute_driver": "fake.FakeDriverWithoutFakeNodes",
                "host": HOST,
                "my_ip": "127.0.0.1",
                "state_path": self.site.data("nova"),
                "reserved_host_memory_mb": 0,
                "concurrency_backend": "threading",
                "default_green_pool_size": 100,
                "periodic_fuzzy_delay": 0,  # else the compute host is found up to a minute later
            },
            "api_database": self.database_section("nova_api"),
            # That of cell1; `nova-manage db sync` then does cell0 and cell1 together.
            "database": self.database_section("nova_cell1"),
            "oslo_concurrency": {"lock_path": self.site.data("lock")},
            "vnc": {"enabled": False},
            "quota": dict.fromkeys(_UNLIMITED, -1),
            "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 3},
            "conductor": {"workers": 1},
            "glance": {"region_name": config.REGION},
            "cinder": {"os_region_name": config.REGION, **self._as("cinder")},
            "cache": {"enabled": True, "backend": "dogpile.cache.memory"},
            "service_user": self.identity_section(send_service_user_token=True),
            "placement": self._as("placement"),
            "neutron": self._as("neutron"),
            "keystone_authtoken": self.token_section(),
        }

    def migrations(self) -> list[tuple[str, ...]]:
        """The API's schema, the two cells, and their schemas.

        Cell1 is what the configuration says; cell0 is given as a template that Nova fills from it, because a
        command line shows its passwords to everybody on the machine.
        """
        manage = (self.site.script("nova-manage"), "--config-file", str(self.config_file))
        cell0 = "{scheme}://{username}:{password}@{hostname}:{port}/%snova_cell0?{query}"
        where = f"--database_connection={cell0 % self.site.databases.prefix}"
        commands = [
            (*manage, "api_db", "sync"),
            (*manage, "cell_v2", "map_cell0", where),
            (*manage, "db", "sync"),
        ]
        if not self._knows_cell1():
            commands.append((*manage, "cell_v2", "create_cell", "--name=cell1"))
        return commands

    def programs(self) -> tuple[Program, ...]:
        """The API."""
        return (self.wsgi_program("nova-api", self.port, "nova.wsgi.osapi_compute:application"),)

    def late_programs(self) -> tuple[Program, ...]:
        """Conductor and scheduler, which end at once when Placement does not answer."""
        return (self.console_program("nova-conductor"), self.console_program("nova-scheduler"))

    def last_programs(self) -> tuple[Program, ...]:
        """The compute host, which asks the conductor when it starts."""
        return (self.console_program("nova-compute"),)

    def last_may_start(self) -> bool:
        """Whether the conductor listens; a question that nobody hears costs ten seconds."""
        return broker.has_listener(self.site.transport_url, "conductor")

    def host_is_mapped(self) -> bool:
        """Whether the scheduler has found the compute host."""
        return self._count("host_mappings") > 0

    def _knows_cell1(self) -> bool:
        try:
            return self._count("cell_mappings") > 1
        except sa.exc.SQLAlchemyError:
            return False  # not even the table

    def _count(self, table: str) -> int:
        with self.site.databases.engine("nova_api").connect() as connection:
            count = sa.select(sa.func.count()).select_from(sa.table(table))
            return int(connection.execute(count).scalar_one())

    def _as(self, user: str) -> Section:
        credentials = config.identity(AUTH_URL, user, self.site.passwords[user])
        return {**credentials, "region_name": config.REGION}
