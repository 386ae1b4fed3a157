"""The cloud as a whole: brings its services up in a good order, takes them down, says how they are.

The order of ``up``: servers, configuration, Keystone; then each service's migrations and processes side by side,
and the seeding of Keystone beside them; then what needs living APIs (content, the compute host, our own
service). Everything is idempotent: what is there stays.
"""

import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session

from tools.openstack import (
    accounts,
    broker,
    choices,
    config,
    content,
    databases,
    keystone,
    magnum,
    nodes,
    servers,
    venvs,
)
from tools.openstack.choices import Choices
from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import (
    LOOPBACK,
    Processes,
    Program,
    check,
    http_status,
    require_free_port,
)
from tools.openstack.services.base import AUTH_URL, Service, Site
from tools.openstack.services.compute import Nova
from tools.openstack.services.identity import Keystone
from tools.openstack.services.image import Glance
from tools.openstack.services.keymanager import Barbican
from tools.openstack.services.loadbalancer import Octavia
from tools.openstack.services.network import Neutron
from tools.openstack.services.orchestration import Heat
from tools.openstack.services.placement import Placement
from tools.openstack.services.volume import Cinder

# Those that take longest to prepare come first.
ALWAYS: tuple[type[Service], ...] = (Nova, Neutron, Glance, Heat, Placement)
OPTIONAL: dict[str, type[Service]] = {"cinder": Cinder, "barbican": Barbican, "octavia": Octavia}
FAKE_NODES = "fake-nodes"
AT_ONCE = 4  # services prepared side by side


class Cloud:
    """One cloud, by its state folder.

    :param checkout: the top of the source tree whose service is run.
    :param venv: the environment of the OpenStack services (this very process runs in it).
    """

    def __init__(
        self, state: Path, checkout: Path, venv: Path, chosen: Choices, say: Progress
    ) -> None:
        self.state = state
        self.checkout = checkout
        self.chosen = chosen
        self.say = say
        self.processes = Processes(state)
        self.passwords = config.Passwords(state / "passwords.json")
        self.ground = servers.Ground(state / "data", choices.suffix(state), self.processes, say)
        self.virtual_host = f"magnum_{self.ground.suffix}"
        owner = (f"{self.virtual_host}_", self.passwords["database"])
        self.databases = databases.MariaDB(sa.make_url(chosen.mysql_url), *owner)
        self.postgresql = databases.PostgreSQL(sa.make_url(chosen.postgresql_url), *owner)
        ours = {choices.MYSQL: self.databases, choices.POSTGRESQL: self.postgresql}
        self.own_databases: databases.Databases = ours[chosen.db]
        self.venv = venv

    # Up.

    def up(self) -> None:
        """Bring everything up that is not.

        :raises Trouble: when a port is taken, a process ends, or a service refuses what is asked of it.
        """
        try:
            self._up()
        except ClientException as error:
            raise Trouble(
                f"a service of the cloud refused a request ({error}); its log is in {self.state / 'log'}."
            ) from error

    def _up(self) -> None:
        image = nodes.prepare(self.say) if self.chosen.nodes else None
        self._require_free_ports()
        before = choices.load(self.state)
        choices.save(self.state, self.chosen)
        site = self._site(self._servers())
        first = Keystone(site)
        others = [kind(site) for kind in self._kinds()]
        self._stop_outdated([first, *others], before)
        if before is not None and before.nodes and not self.chosen.nodes:
            nodes.down(self.say)
        self._prepare(first)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            seeded = pool.submit(self._seed_keystone, others)
            started = [pool.submit(self._prepare, service) for service in others]
            _finish([seeded, *started])
        self._furnish(others)
        if self.chosen.magnum:
            self.start_magnum(site)
        else:
            magnum.stop(self.processes)
        if image is not None:
            image.result()
        self.say("the cloud is up")

    def _stop_outdated(self, services: list[Service], before: Choices | None) -> None:
        """Write all configurations, and stop what runs with another one."""
        outdated = [
            program.name
            for service in services
            if service.configure()
            for program in service.all_programs()
        ]
        if before is not None and before.fast != self.chosen.fast:
            outdated.append("heat-engine")
        if before is not None and before.nodes != self.chosen.nodes:  # they listen elsewhere
            outdated += [program.name for program in self._programs(services[0].site)]
            outdated += [magnum.API, FAKE_NODES, nodes.NAME]
        for name in self.processes.stop(*outdated):
            self.say(f"{name} is told something new, so it starts again")

    def _servers(self) -> str:
        """Broker and database server; returns the URL for oslo.messaging."""
        servers.ensure_rabbitmq(self.ground, self.chosen.rabbitmq_url)
        servers.ensure_mariadb(self.ground, self.chosen.mysql_url)
        self.databases.ensure_user()
        if self.own_databases is not self.databases:
            servers.ensure_postgresql(self.ground, self.chosen.postgresql_url)
            self.own_databases.ensure_user()
        url = broker.ensure_virtual_host(self.ground, self.chosen.rabbitmq_url, self.virtual_host)
        self.say("RabbitMQ and the database server answer")
        return url

    def _prepare(self, service: Service) -> None:
        """Migrate a service's databases if they are new (or its version is), start it, wait for its ports."""
        fresh = [self.databases.create(name) for name in service.databases]
        stamp = self.state / "done" / f"{service.name}-{self.venv.name}"
        if any(fresh) or not stamp.exists():
            began = time.monotonic()
            for command in service.migrations():
                log = self.processes.log(f"{service.name}-setup")
                check(command, log, service.migration_environment)
            service.after_migrations()
            stamp.parent.mkdir(exist_ok=True)
            stamp.touch()
            self.say(f"{service.name}: databases made in {time.monotonic() - began:.1f} s")
        self._start(service.programs())
        self.say(f"{service.name} answers")

    def _start(self, programs: Iterable[Program]) -> None:
        programs = tuple(programs)
        for program in programs:
            self.processes.start(program)
        for program in programs:
            if program.port is not None:
                self.processes.wait_for_port(program.name, program.port)

    def _seed_keystone(self, services: list[Service]) -> None:
        extras = frozenset(self.chosen.extras)
        site = services[0].site
        wish = accounts.wanted(services, self.passwords, extras)
        if self.chosen.magnum:
            own = magnum.wanted(self.passwords[magnum.USER], self.passwords[magnum.DOMAIN_ADMIN])
            wish = keystone.plus(wish, own)
        wish = accounts.public(wish, site)
        made = keystone.seed(self._session("admin"), AUTH_URL, wish)
        self.say(f"Keystone knows everybody ({made} things were new)")

    def _furnish(self, services: list[Service]) -> None:
        """What needs living APIs: the late processes, and what users shall find."""
        admin, demo = self._session("admin"), self._session("demo")
        for service in services:
            self._start(service.late_programs())  # they get ready beside the next steps
        for service in services:
            for entry in service.catalogue[:1]:
                content.warm_up(admin, entry.type, "/")
        content.flavors(admin)
        content.images(admin)
        content.external_network(admin)
        content.keypair(demo, self.state / content.KEYPAIR)
        self.say("flavors, images, network and keypair are there")
        for service in services:
            for program in service.late_programs():
                self._wait_for(program.name, service.last_may_start)
            self._start(service.last_programs())
        self._wait_for("heat-engine", lambda: content.engine_is_up(admin))
        if "cinder" in self.chosen.extras:
            self._wait_for("cinder-volume", lambda: content.volumes_are_up(admin))
        nova = next(service for service in services if isinstance(service, Nova))
        self._wait_for(
            "nova-compute", lambda: content.compute_is_up(admin) and nova.host_is_mapped()
        )
        self.processes.start(self._machines())
        self._require_life([program.name for program in self._programs(nova.site)])
        self.say("Heat's engine, the compute host and the nodes are at work")

    def _require_life(self, names: Iterable[str]) -> None:
        """A process that ended on its own after it was started must not go unnoticed."""
        for name in names:
            if self.processes.pid(name) is None:
                raise Trouble(
                    f"{name} has ended; the end of {self.processes.log(name)}:\n{self.processes.tail(name)}"
                )

    def _wait_for(self, name: str, ready: Callable[[], bool], timeout: float = 300.0) -> None:
        deadline = time.monotonic() + timeout
        while not _is_true(ready):
            if self.processes.pid(name) is None or time.monotonic() > deadline:
                raise Trouble(
                    f"{name} did not become ready; the end of {self.processes.log(name)}:\n"
                    f"{self.processes.tail(name)}"
                )
            time.sleep(0.3)

    # Our own service.

    def start_magnum(self, site: Site | None = None) -> None:
        """Install the checkout if need be, upgrade the schema, start API and conductor.

        Both are left alone when they run, would be told nothing new, and the package is described as it was.
        """
        settings = self._magnum_settings(site or self._site(self._servers()))
        changed = magnum.write_config(settings)
        changed |= not venvs.is_current(self.checkout)
        if magnum.runs(self.processes) and not changed:
            self.say("magnum runs (`tools/cloud restart magnum` takes changed code)")
            return
        magnum.stop(self.processes)
        venvs.of_checkout(self.checkout, self.say)
        self.own_databases.create("magnum")
        magnum.upgrade_database(settings, self.processes.log("magnum-setup"))
        magnum.start(settings, self.processes)
        self.say("magnum answers")

    def _magnum_settings(self, site: Site) -> magnum.Settings:
        roles = ("member", "heat_stack_owner", *accounts.member_roles(self.chosen.extras))
        return magnum.Settings(
            state=self.state,
            venv=venvs.checkout_path(self.checkout),
            auth_url=AUTH_URL,
            password=self.passwords[magnum.USER],
            database=self.own_databases.url("magnum"),
            transport_url=site.transport_url if self.chosen.broker else None,
            heat_transport_url=site.transport_url,
            poll_interval=2,
            address=site.address,
            extra={"identity": {"granted_roles": roles}},
        )

    def restart(self, name: str) -> None:
        """Restart ``magnum`` (API and conductor), with the code as it is now, or one process by its name."""
        if name == "magnum":
            magnum.stop(self.processes)
            self.say("magnum is stopped")
            self.start_magnum()
            return
        site = self._site(self._servers())
        programs = {program.name: program for program in self._programs(site)}
        if name not in programs:
            known = ", ".join(["magnum", *sorted(programs)])
            raise Trouble(f"there is no process {name!r}; there are {known}.")
        self.processes.stop(name)
        self._start([programs[name]])
        self.say(f"{name} is restarted")

    # Down.

    def down(self, wipe: bool) -> None:
        """Stop what was started here; ``wipe`` also drops databases, virtual host and state folder."""
        running = self.processes.names()
        services = [name for name in running if name not in servers.NAMES]
        self.processes.stop(*services, patience=20.0)
        self.say(f"{len(services)} processes stopped")
        if self.chosen.nodes:
            nodes.down(self.say)
        if wipe:
            self._wipe()
        for name in servers.NAMES:
            if name in running:
                self.processes.stop(name, patience=30.0)
                self.say(f"{name} stopped")
        if wipe:
            shutil.rmtree(servers.postgresql_data(self.ground), ignore_errors=True)
            shutil.rmtree(self.state)
            self.say(f"{self.state} is gone")

    def _wipe(self) -> None:
        """Drop what lies outside the state folder. Servers of our own go as a whole, with their data."""
        started = self.processes.names()
        # On both: our own service may have used either.
        held = {servers.MARIADB: self.databases, servers.POSTGRESQL: self.postgresql}
        for name, kind in held.items():
            dropped = kind.drop_all() if name not in started else []
            if dropped:
                self.say(f"{len(dropped)} databases dropped on {kind.server}")
        if servers.RABBITMQ not in started:
            broker.delete_virtual_host(self.ground, self.virtual_host)

    # How it is.

    def status(self) -> list["Row"]:
        """One row for each process that should run or was started."""
        programs = {program.name: program for program in self._programs(self._site(""))}
        if self.chosen.magnum:
            programs[magnum.API] = Program(magnum.API, (), port=magnum.PORT)
            programs[magnum.CONDUCTOR] = Program(magnum.CONDUCTOR, ())
        rows = []
        for name in [*programs, *(set(self.processes.names()) - set(programs))]:
            port = programs[name].port if name in programs else None
            pid = self.processes.pid(name)
            answer = http_status(f"http://127.0.0.1:{port}/") if port and pid else None
            rows.append(Row(name, pid, port, answer))
        return rows

    # Parts.

    def _site(self, transport_url: str) -> Site:
        return Site(
            state=self.state,
            venv=self.venv,
            passwords=self.passwords,
            databases=self.databases,
            transport_url=transport_url,
            fast=self.chosen.fast,
            address=nodes.ADDRESS if self.chosen.nodes else LOOPBACK,
            extras=frozenset(self.chosen.extras),
        )

    def _kinds(self) -> list[type[Service]]:
        return [*ALWAYS, *(OPTIONAL[name] for name in self.chosen.extras)]

    def _programs(self, site: Site) -> list[Program]:
        """All processes of the cloud, without our own service."""
        found: list[Program] = []
        kinds: list[type[Service]] = [Keystone, *self._kinds()]
        for kind in kinds:
            service = kind(site)
            found += service.all_programs()
        return [*found, self._machines()]

    def _machines(self) -> Program:
        """Who sees to it that servers do something."""
        admin = config.environment(
            auth_url=AUTH_URL,
            username="admin",
            password=self.passwords["admin"],
            project="admin",
        )
        name, module = FAKE_NODES, "tools.openstack.fake_nodes"
        if self.chosen.nodes:
            name, module = nodes.NAME, nodes.MODULE
        command = (str(self.venv / "bin" / "python"), "-P", "-m", module)
        return Program(name, command, {**admin, "PYTHONPATH": str(self.checkout)})

    def _session(self, name: str) -> Session:
        return accounts.session(name, AUTH_URL, self.passwords)

    def _require_free_ports(self) -> None:
        """Find a taken port before anything is started."""
        programs = self._programs(self._site(""))
        if self.chosen.magnum:
            programs.append(Program(magnum.API, (), port=magnum.PORT))
        advice = (
            "stop it, or, if it belongs to another cloud, run `tools/cloud down` in that checkout (--state DIR "
            "names a folder elsewhere)"
        )
        for program in programs:
            if program.port is not None and self.processes.pid(program.name) is None:
                require_free_port(program.port, program.name, advice)


@dataclass(frozen=True)
class Row:
    """How one process is.

    :param pid: None when it does not run.
    :param answer: HTTP status of its root page; None when it has no port or does not answer.
    """

    name: str
    pid: int | None
    port: int | None
    answer: int | None

    @property
    def well(self) -> bool:
        """Whether it runs, and answers if it should."""
        return self.pid is not None and (
            self.port is None or (self.answer is not None and self.answer < 500)
        )


def _is_true(ready: Callable[[], bool]) -> bool:
    """What ``ready`` says; a service that refuses the question is not ready."""
    try:
        return ready()
    except ClientException:
        return False


def _finish(futures: list["Future[None]"]) -> None:
    """Wait for all; at the first error, what was not begun is given up."""
    done, waiting = wait(futures, return_when=FIRST_EXCEPTION)
    for future in waiting:
        future.cancel()
    for future in done:
        future.result()
