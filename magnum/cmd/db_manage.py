"""``magnum-db-manage``: the database's schema, from a shell."""

import argparse
import sys

from oslo_config import cfg
from oslo_db import exception as db_exception
from oslo_log import log
from sqlalchemy import exc as sqlalchemy_exception

from magnum.conf import CONF
from magnum.db import migrations, session


def _version(arguments: argparse.Namespace) -> None:
    print(migrations.version(session.engine()) or "empty")


def _upgrade(arguments: argparse.Namespace) -> None:
    migrations.upgrade(session.engine(), arguments.revision)
    _version(arguments)


def _stamp(arguments: argparse.Namespace) -> None:
    migrations.stamp(session.engine(), arguments.revision)
    _version(arguments)


def _revision(arguments: argparse.Namespace) -> None:
    migrations.revision(session.engine(), arguments.message, autogenerate=arguments.autogenerate)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="magnum-db-manage",
        description="Create, upgrade or look at the schema of Magnum's database ([database] connection).",
    )
    parser.add_argument(
        "--config-file",
        action="append",
        metavar="PATH",
        help="configuration file; may be given several times",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version", help="print the revision the database stands at").set_defaults(
        run=_version
    )
    upgrade = commands.add_parser(
        "upgrade", help="bring the database to a revision; harmless when it is there"
    )
    upgrade.add_argument("revision", nargs="?", default="head", help="default: the newest")
    upgrade.set_defaults(run=_upgrade)
    stamp = commands.add_parser(
        "stamp", help="say that the database stands at a revision, change nothing else"
    )
    stamp.add_argument("revision")
    stamp.set_defaults(run=_stamp)
    revision = commands.add_parser(
        "revision", help="write a new migration into the source tree (for developers)"
    )
    revision.add_argument("-m", "--message", required=True)
    revision.add_argument("--autogenerate", action="store_true", help="fill it from the models")
    revision.set_defaults(run=_revision)
    return parser


def main() -> int:
    """Run the command. Returns the exit code."""
    arguments = _parser().parse_args()
    log.register_options(CONF)
    try:
        CONF(args=[], project="magnum", default_config_files=arguments.config_file)
        CONF.set_override("max_retries", 0, group="database")
        session.configure()
        arguments.run(arguments)
    except cfg.ConfigFilesNotFoundError as error:
        print(f"Cannot read the configuration: {error}", file=sys.stderr)
        return 1
    except (db_exception.DBError, sqlalchemy_exception.SQLAlchemyError) as error:
        print(
            f"The database does not do it: {error}\nLook at [database] connection in the configuration.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
