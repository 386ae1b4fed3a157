"""Our own service on somebody's OpenStack: its configuration, its database schema, its two processes.

Used by every tool that runs the checkout: the tool says where Keystone and the database are, this module
knows what the service wants to be told. It runs the console scripts of a virtual environment in which the
checkout is installed (``venvs.of_checkout``).
"""

from dataclasses import dataclass, field
from pathlib import Path

from tools.openstack import config, keystone
from tools.openstack.config import Sections, Value
from tools.openstack.processes import LOOPBACK, Processes, Program, check

API = "magnum-api"
CONDUCTOR = "magnum-conductor"
USER = "magnum"
PORT = 9511
DOMAIN = "magnum"  # where the bays' own users live
DOMAIN_ADMIN = "magnum_domain_admin"


@dataclass(frozen=True)
class Settings:
    """What the service has to be told about its surroundings.

    :param state: folder for its configuration and working files.
    :param venv: environment whose ``bin`` has ``magnum-conductor``, ``magnum-db-manage`` and ``gunicorn``.
    :param auth_url: Keystone without a version.
    :param password: of the Keystone user ``magnum``.
    :param database: SQLAlchemy URL.
    :param transport_url: oslo.messaging URL of a broker; None = no broker, the sweeper finds the work.
    :param heat_transport_url: the broker on which Heat sends notifications, if that is not ``transport_url``.
    :param port: loopback port of the API.
    :param absent_services: catalogue types (``image``, ``compute``, ...) that this cloud does not have.
    :param poll_interval: seconds between two looks at a stack.
    :param sweep_interval: seconds between two looks for due operations.
    :param address: where users and nodes find the API and Keystone; the API listens there beside loopback.
    :param extra: more sections and options; they win over the ones above.
    """

    state: Path
    venv: Path
    auth_url: str
    password: str
    database: str
    transport_url: str | None = None
    heat_transport_url: str | None = None
    port: int = PORT
    absent_services: tuple[str, ...] = ()
    poll_interval: int = 5
    sweep_interval: int = 2
    address: str = LOOPBACK
    extra: Sections = field(default_factory=dict)

    @property
    def config_file(self) -> Path:
        """Where ``write_config`` puts the configuration."""
        return self.state / "etc" / "magnum.conf"

    @property
    def keys(self) -> Path:
        """The key ring that seals the bays' secrets in the database."""
        return self.state / "etc" / "magnum-keys"


def wanted(password: str, domain_admin_password: str, port: int = PORT) -> keystone.Wanted:
    """What the service needs in Keystone: its user, its catalogue entries, the domain of the bays' users.

    :param port: where the API listens.
    """
    url = f"http://127.0.0.1:{port}/v1"
    return keystone.Wanted(
        domains=(keystone.Domain(DOMAIN, "users of bays"),),
        projects=(keystone.Project("service"),),
        roles=("admin", "service"),
        users=(
            keystone.User(USER, password),
            keystone.User(DOMAIN_ADMIN, domain_admin_password, domain=DOMAIN),
        ),
        grants=(
            keystone.Grant(USER, "admin", project="service"),
            keystone.Grant(USER, "service", project="service"),
            keystone.Grant(DOMAIN_ADMIN, "admin", domain=DOMAIN, user_domain=DOMAIN),
        ),
        services=(
            keystone.Service("magnum", "container-infra", url),
            keystone.Service("magnum", "container", url),
        ),
    )


def write_config(settings: Settings) -> bool:
    """Write ``magnum.conf`` and the key ring; says whether the configuration changed."""
    settings.state.mkdir(parents=True, exist_ok=True)
    # As `magnum-key-manage setup` does, without the second that its imports take.
    config.write_fernet_keys(settings.keys)
    return config.write(settings.config_file, _sections(settings))


def upgrade_database(settings: Settings, log: Path) -> None:
    """Bring the schema to the newest version (nothing happens when it is).

    :param log: where the output of the migration goes.
    :raises Trouble: with the end of that output when it fails.
    """
    manage = settings.venv / "bin" / "magnum-db-manage"
    check([str(manage), "--config-file", str(settings.config_file), "upgrade"], log)


def programs(settings: Settings) -> tuple[Program, Program]:
    """The API under gunicorn (two workers of eight threads) and the conductor."""
    scripts = settings.venv / "bin"
    # Many clients look every two seconds, after which gunicorn hangs up unless told otherwise: some would just miss it.
    command = (
        f"{scripts / 'gunicorn'} --workers 2 --threads 8 --worker-class gthread --keep-alive 75"
    )
    addresses = dict.fromkeys((LOOPBACK, settings.address))
    binds = (f"--bind={address}:{settings.port}" for address in addresses)
    api = Program(
        API,
        (*command.split(), *binds, "magnum.wsgi.api:application"),
        {
            "OS_MAGNUM_CONFIG_FILES": str(settings.config_file),
            # Where gunicorn puts its control socket; else all of a user's share one in his home.
            "XDG_RUNTIME_DIR": str(settings.state / "run"),
        },
        settings.port,
    )
    conductor = Program(
        CONDUCTOR, (str(scripts / CONDUCTOR), "--config-file", str(settings.config_file))
    )
    return api, conductor


def runs(processes: Processes) -> bool:
    """Whether both processes run."""
    return None not in (processes.pid(API), processes.pid(CONDUCTOR))


def start(settings: Settings, processes: Processes, timeout: float = 240.0) -> None:
    """Start API and conductor where they do not run, and wait until the API answers.

    :raises Trouble: when one of them ends early, with the end of its log.
    """
    for program in programs(settings):
        processes.start(program)
    processes.wait_for_http(API, f"http://127.0.0.1:{settings.port}/", timeout)


def stop(processes: Processes) -> None:
    """Stop both. The conductor may take a moment: it finishes its step and gives its leases back."""
    processes.stop(API, CONDUCTOR, patience=30.0)


def _sections(settings: Settings) -> Sections:
    default: dict[str, Value] = {"state_path": settings.state / "magnum"}
    if settings.transport_url is not None:
        default["transport_url"] = settings.transport_url
    events: dict[str, Value] = {}
    if settings.heat_transport_url is not None:
        events["transport_url"] = settings.heat_transport_url
    cloud: dict[str, Value] = {}
    if settings.absent_services:
        cloud["absent_services"] = settings.absent_services
    sections: Sections = {
        "DEFAULT": default,
        "api": {"host": "127.0.0.1", "port": settings.port},
        "certificates": {"key_ring": settings.keys},
        "conductor": {"sweep_interval": settings.sweep_interval},
        "database": {"connection": settings.database},
        "keystone_authtoken": {
            **config.token_check(
                settings.auth_url, USER, settings.password, service_type="container-infra"
            ),
            "www_authenticate_uri": settings.auth_url.replace(LOOPBACK, settings.address),
        },
        "keystone_auth": {
            **config.identity(settings.auth_url, USER, settings.password),
            "region_name": config.REGION,
        },
        "cloud": cloud,
        "heat_client": {"endpoint_type": "public"},
        "heat_events": events,
        "lifecycle": {"poll_interval": settings.poll_interval},
        "trust": {"trustee_domain_name": DOMAIN},
    }
    return config.merged(sections, settings.extra)
