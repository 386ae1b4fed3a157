"""A real Keystone and a real Heat that need no database server and no broker: one process each.

``python -P -m tools.openstack.embedded keystone|heat ...`` runs in an environment that holds both services.
Keystone is its own WSGI application. Heat's process holds heat-api, heat-api-cfn and the engine, which
talk over oslo.messaging's in-process transport (``transport_url = fake://``); Heat runs its engine on
native threads, which is what makes one process possible. The configuration files are written by
``quickstart_cloud.py``. Checked against the versions in ``quickstart-requirements.txt``.
"""

import argparse
import importlib
import multiprocessing
import os
import signal
import sys
import threading
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Any

from tools.openstack import heat_engine, sqlite, wsgi

PASSWORD_VARIABLE = "EMBEDDED_ADMIN_PASSWORD"  # not in the arguments, where `ps` would show it


@dataclass(frozen=True)
class Keystone:
    """How to run Keystone.

    :param config_file: its keystone.conf.
    :param database: its SQLite file.
    :param port: loopback port of its API.
    :param ready: file that remembers for which version schema and first administrator were made.
    :param region: of the catalogue.
    """

    config_file: Path
    database: Path
    port: int
    ready: Path
    region: str


@dataclass(frozen=True)
class Heat:
    """How to run Heat.

    :param config_file: its heat.conf.
    :param database: its SQLite file.
    :param port: loopback port of its API.
    :param ready: file that remembers for which version the schema was made.
    :param cfn_port: loopback port of the CloudFormation-compatible API, where nodes report.
    """

    config_file: Path
    database: Path
    port: int
    ready: Path
    cfn_port: int


def run_keystone(settings: Keystone) -> None:
    """Serve Keystone until the process is told to end; make its database first where that is missing."""
    core = importlib.import_module("keystone.server.flask.core")
    if not _is_ready(settings.ready, "keystone"):
        # In a child, because what makes the first administrator loads the backends, and one process can
        # do that only once; a fork, because the child then has all modules already.
        child = multiprocessing.get_context("fork").Process(target=_bootstrap, args=(settings,))
        child.start()
        child.join()
        if child.exitcode != 0:
            sys.exit(f"Keystone's database could not be prepared (status {child.exitcode})")
        _now_ready(settings.ready, "keystone")
    os.environ.pop(PASSWORD_VARIABLE, None)
    sys.argv = ["keystone"]  # Keystone parses it
    application = core.initialize_application(
        name="public",
        config_files=[str(settings.config_file)],
        post_log_configured_function=_install_in_keystone,
    )
    wsgi.serve(application, settings.port, "keystone")


def run_heat(settings: Heat) -> None:
    """Serve both APIs and the engine until the process is told to end."""
    # Before anything else of OpenStack: it decides how all of oslo.service runs.
    backend = importlib.import_module("oslo_service.backend")
    backend.init_backend(backend.BackendType.THREADING)
    config = _configure_heat(settings.config_file)
    sqlite.install(importlib.import_module("heat.db.api").context_manager)
    if not _is_ready(settings.ready, "openstack-heat"):
        migration = importlib.import_module("heat.db.migration")
        sqlite.migrate(settings.database, lambda engine: migration.db_sync(engine=engine))
        _now_ready(settings.ready, "openstack-heat")
    heat_engine.shorten_pauses()
    conf = importlib.import_module("oslo_config.cfg").CONF
    topic = importlib.import_module("heat.rpc.api").ENGINE_TOPIC
    engine = importlib.import_module("heat.engine.service").EngineService(conf.host, topic)
    engine.start()
    cfn = threading.Thread(
        target=wsgi.serve,
        args=(config.load_paste_app("heat-api-cfn"), settings.cfn_port, "heat-cfn"),
        daemon=True,
    )
    cfn.start()
    wsgi.serve(config.load_paste_app("heat-api"), settings.port, "heat")


def _is_ready(marker: Path, package: str) -> bool:
    """Whether the database was made, or brought up to date, for this version of the service."""
    return marker.exists() and marker.read_text() == metadata.version(package)


def _now_ready(marker: Path, package: str) -> None:
    marker.write_text(metadata.version(package))


def _bootstrap(settings: Keystone) -> None:
    """Keystone's schema, its first administrator, the standard roles, and its own catalogue entry."""
    server = importlib.import_module("keystone.server")
    sys.argv = ["keystone"]
    server.configure(config_files=[str(settings.config_file)])
    _install_in_keystone()
    upgrades = importlib.import_module("keystone.common.sql.upgrades")
    sqlite.migrate(
        settings.database, lambda engine: upgrades.offline_sync_database_to_version(engine=engine)
    )
    work = importlib.import_module("keystone.cmd.bootstrap").Bootstrapper()
    work.admin_username = "admin"
    work.admin_password = os.environ[PASSWORD_VARIABLE]
    work.project_name = "admin"
    work.admin_role_name = "admin"
    work.service_name = "keystone"
    work.region_id = settings.region
    # Without a version: heat-api-cfn appends /v3/ec2tokens to it.
    work.public_url = work.internal_url = work.admin_url = f"http://127.0.0.1:{settings.port}"
    work.bootstrap()


def _install_in_keystone() -> None:
    core: Any = importlib.import_module("keystone.common.sql.core")
    sqlite.install(core._get_main_context_manager())  # Keystone has no public name for it


def _configure_heat(config_file: Path) -> Any:
    """What ``heat-engine`` and ``heat-api`` do before they start; returns ``heat.common.config``."""
    importlib.import_module("oslo_i18n").enable_lazy()
    conf = importlib.import_module("oslo_config.cfg").CONF
    log = importlib.import_module("oslo_log.log")
    config = importlib.import_module("heat.common.config")
    importlib.import_module("heat.common.crypt")  # registers an option that the next steps read
    log.register_options(conf)
    conf(["--config-file", str(config_file)], project="heat", prog="heat-embedded")
    log.setup(conf, "heat")
    config.set_config_defaults()
    importlib.import_module("heat.common.messaging").setup()
    config.startup_sanity_check()
    importlib.import_module("heat.engine.template")._get_template_extension_manager()
    return config


def _leave(number: int, frame: FrameType | None) -> None:
    """End at once: the engine's threads would keep the process alive, and its state is in the database."""
    os._exit(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="embedded", description=(__doc__ or "").splitlines()[0])
    services = parser.add_subparsers(dest="service", required=True)
    keystone = services.add_parser("keystone", help="the Identity service")
    keystone.add_argument("--region", required=True)
    heat = services.add_parser("heat", help="the Orchestration service: both APIs and the engine")
    heat.add_argument("--cfn-port", type=int, required=True)
    for service in (keystone, heat):
        service.add_argument("--config-file", type=Path, required=True)
        service.add_argument("--database", type=Path, required=True)
        service.add_argument("--port", type=int, required=True)
        service.add_argument("--ready", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    """Run as a module."""
    options = _arguments()
    common = (options.config_file, options.database, options.port, options.ready)
    signal.signal(signal.SIGTERM, _leave)
    if options.service == "keystone":
        run_keystone(Keystone(*common, options.region))
    else:
        run_heat(Heat(*common, options.cfn_port))


if __name__ == "__main__":
    main()
