"""``magnum-key-manage``: the key ring that seals bays' secrets in the database, from a shell."""

import argparse
import grp
import os
import pwd
import sys
from pathlib import Path

from oslo_config import cfg
from oslo_db import exception as db_exception
from oslo_log import log
from sqlalchemy import exc as sqlalchemy_exception

from magnum.certs import rotation, sealing
from magnum.certs.sealing import STAGED, Key
from magnum.common import errors
from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import secrets as store
from magnum.db import session

_DESCRIPTION = """\
Make and rotate the keys that seal the secrets of bays in the database ([certificates] key_ring).

A rotation on one machine: rotate, reseal, retire. On several machines that each have a copy of the ring: rotate on one,
copy the ring to all others, then reseal, and retire on all. Between these steps everything goes on working."""


class Refused(Exception):
    """The command cannot do what it was asked for; the text says why."""


def _directory() -> Path:
    return Path(CONF.certificates.key_ring)


def _owner(arguments: argparse.Namespace) -> tuple[int, int] | None:
    """Who the files shall belong to: as it is said, else as the directory does."""
    try:
        if arguments.user is not None:
            entry = pwd.getpwnam(arguments.user)
            group = entry.pw_gid
            if arguments.group is not None:
                group = grp.getgrnam(arguments.group).gr_gid
            return entry.pw_uid, group
        if arguments.group is not None:
            return os.getuid(), grp.getgrnam(arguments.group).gr_gid
    except KeyError as error:
        raise Refused(f"There is no such user or group: {error}") from error
    if os.getuid() == 0 and _directory().is_dir():
        status = _directory().stat()
        return status.st_uid, status.st_gid
    return None


def _setup(arguments: argparse.Namespace) -> int:
    if rotation.setup(_directory(), _owner(arguments)):
        print(f"The key ring {_directory()} is made.")
    else:
        print(f"The key ring {_directory()} is there already.")
    return 0


def _rotate(arguments: argparse.Namespace) -> int:
    key = rotation.rotate(_directory(), _owner(arguments))
    print(f"Key {key.number} ({key.name}) seals from now on.")
    print("Next: have the same ring on all machines, then run `magnum-key-manage reseal`.")
    return 0


def _reseal(arguments: argparse.Namespace) -> int:
    ring = sealing.KeyRing(_directory())
    done = rotation.reseal(
        service_context(), ring, lambda count: print(f"{count} sealed anew", flush=True)
    )
    newest = ring.known()[0]
    print(f"All is sealed with key {newest.number} ({newest.name}); {done} had to be sealed anew.")
    return 0


def _retire(arguments: argparse.Namespace) -> int:
    free, used = rotation.retirable(service_context(), _directory())
    for key in free:
        (_directory() / str(key.number)).unlink(missing_ok=True)
        print(f"Key {key.number} ({key.name}) is removed: nothing is sealed with it.")
    for key, count in used:
        print(f"Key {key.number} ({key.name}) stays: {count} are sealed with it. Run reseal first.")
    if not free and not used:
        print("There is no old key.")
    return 1 if used else 0


def _status(arguments: argparse.Namespace) -> int:
    keys = sealing.KeyRing(_directory()).known()
    known = {key.name for key in keys}
    print(f"Key ring {_directory()}")
    for position, key in enumerate(keys):
        count = store.count_sealed(service_context(), f"{key.name}{sealing.MARK}")
        print(f"  {key.number:>4}  {key.name}  {_part(key, position):<20}  {count} sealed with it")
    missing = [name for name in store.sealing_keys(service_context()) if name not in known]
    for name in missing:
        print(f"     ?  {name}  MISSING: something is sealed with it that nobody can open")
    return 1 if missing else 0


def _part(key: Key, position: int) -> str:
    if position == 0:
        return "seals"
    return "seals next" if key.number == STAGED else "opens only"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="magnum-key-manage",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config-file",
        action="append",
        metavar="PATH",
        help="configuration file; may be given several times",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    setup = commands.add_parser("setup", help="make the key ring; harmless when it is there")
    setup.set_defaults(run=_setup)
    rotate = commands.add_parser("rotate", help="let the next key seal, and make one after it")
    rotate.set_defaults(run=_rotate)
    for one in (setup, rotate):
        one.add_argument(
            "--user",
            help="whose the files shall be, such as magnum; by default who owns the directory",
        )
        one.add_argument("--group", help="the same for their group")
    commands.add_parser(
        "reseal",
        help="seal with the newest key what an older one has sealed; may be broken off and run again",
    ).set_defaults(run=_reseal)
    commands.add_parser(
        "retire",
        help="remove old keys with which nothing is sealed any more; 1 where one has to stay",
    ).set_defaults(run=_retire)
    commands.add_parser(
        "status", help="every key and how much it has sealed; 1 where one is missing"
    ).set_defaults(run=_status)
    return parser


def main() -> int:
    """Run the command. Returns the exit code."""
    arguments = _parser().parse_args()
    log.register_options(CONF)
    try:
        CONF(args=[], project="magnum", default_config_files=arguments.config_file)
        CONF.set_override("max_retries", 0, group="database")
        session.configure()
        return int(arguments.run(arguments))
    except cfg.Error as error:
        print(f"Cannot read the configuration: {error}", file=sys.stderr)
    except OSError as error:
        print(f"The key ring cannot be written or read: {error}", file=sys.stderr)
    except (db_exception.DBError, sqlalchemy_exception.SQLAlchemyError) as error:
        print(
            f"The database does not do it: {error}\nLook at [database] connection in the configuration.",
            file=sys.stderr,
        )
    except errors.MagnumError as error:
        print(error.operator_text, file=sys.stderr)
    except Refused as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
