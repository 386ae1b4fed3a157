"""``magnum-driver-manage``: see, fork, check, try and compare drivers from a shell, without a database or a cloud."""

import argparse
import csv
import importlib.util
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from oslo_config import cfg

from magnum.conf import CONF
from magnum.drivers import directories
from magnum.drivers.authoring import compare, fork, listing, showing, validate
from magnum.drivers.authoring.fork import NotForked
from magnum.drivers.authoring.listing import Listed
from magnum.drivers.conformance import plain
from magnum.drivers.conformance.candidate import Candidate, Unusable, candidate
from magnum.version import version_string

PLUGIN = "magnum.drivers.conformance.plugin"


class Refused(Exception):
    """The command cannot be done; the text says what to do."""


Row = Mapping[str, str]

# --- list-drivers ----------------------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace) -> int:
    rows = [row for one in listing.drivers() for row in _rows(one, arguments)]
    columns = list(rows[0]) if rows else []
    if arguments.column:
        by_lower = {name.lower(): name for name in columns}
        unknown = [name for name in arguments.column if name.lower() not in by_lower]
        if unknown:
            known = ", ".join(columns)
            raise Refused(f"There is no column {', '.join(unknown)}; there are {known}.")
        columns = [by_lower[name.lower()] for name in arguments.column]
    print(_FORMATS[arguments.format](columns, rows))
    return 0


def _rows(one: Listed, arguments: argparse.Namespace) -> list[Row]:
    """One row for each driver; in detail, one for each kind of cluster that it provides."""
    name = {"Name": one.name}
    rest = {"Template Path": one.template, "Path": one.path} if arguments.paths else {}
    rest |= {"Version": one.version, "State": one.state, "Source": one.source}
    if arguments.details:
        rest |= {"Template Version": one.template_version, "Module": one.module}
    rest |= {"Reason": one.reason}
    if not arguments.details:
        return [name | rest]
    if not one.provides:
        return [name | {"Server_Type": "", "OS": "", "COE": ""} | rest]
    return [
        name | {"Server_Type": kind.server_type, "OS": kind.os_distro, "COE": kind.coe} | rest
        for kind in one.provides
    ]


def _table(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """A table with a frame. A column that is empty everywhere is left out."""
    if not rows:
        return "There are no drivers."
    shown = [name for name in columns if any(row[name] for row in rows)] or list(columns)
    widths = [max(len(name), *(len(row[name]) for row in rows)) for name in shown]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"

    def line(cells: Sequence[str]) -> str:
        padded = (f" {cell:<{width}} " for cell, width in zip(cells, widths, strict=True))
        return "|" + "|".join(padded) + "|"

    body = [line([row[name] for name in shown]) for row in rows]
    return "\n".join([rule, line(shown), rule, *body, rule])


def _csv(columns: Sequence[str], rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row[name] for name in columns] for row in rows)
    return text.getvalue().rstrip("\n")


_FORMATS: Mapping[str, Callable[[Sequence[str], Sequence[Row]], str]] = {
    "table": _table,
    "json": lambda columns, rows: json.dumps(
        [{name: row[name] for name in columns} for row in rows], indent=2
    ),
    "csv": _csv,
    "value": lambda columns, rows: "\n".join(
        " ".join(row[name] for name in columns) for row in rows
    ),
}

# --- show ------------------------------------------------------------------------------------------------------


def _show(arguments: argparse.Namespace) -> int:
    found = _known(arguments.name)
    if arguments.format == "json":
        print(json.dumps(showing.data(found), indent=2))
    else:
        print(*showing.lines(found), sep="\n")
    return 0


def _known(name: str) -> Candidate:
    """A driver by its directory, or by its name as this configuration has it."""
    if Path(name).is_dir():
        return _loaded(name)
    listed = {one.name: one for one in listing.drivers()}
    if name not in listed:
        known = ", ".join(sorted(listed)) or "none"
        raise Refused(f"There is no driver and no directory '{name}'. Drivers: {known}.")
    if listed[name].source == listing.DIRECTORY:
        return _loaded(listed[name].path)
    return _loaded(name)


def _loaded(place: str) -> Candidate:
    try:
        return candidate(place)
    except Unusable as error:
        raise Refused(f"{place}: {error}") from error


# --- new -------------------------------------------------------------------------------------------------------


def _new(arguments: argparse.Namespace) -> int:
    other = _known(arguments.other)
    place = Path(arguments.to) if arguments.to else _writable()
    made = fork.fork(other, arguments.name, place)
    print(f"{made} is a copy of {other.name} {other.make().version}.")
    status = _report(made, validate.validate(made))
    known = made.parent.resolve() in {Path(path).resolve() for path in CONF.drivers.paths}
    if not known:
        paths = ",".join([*CONF.drivers.paths, str(made.parent.resolve())])
        print(f"The service finds it once its configuration says:\n  [drivers]\n  paths = {paths}")
    print(f"Try it with: magnum-driver-manage conformance {made.name if known else made}")
    return status


def _writable() -> Path:
    """The first configured path that can be written to, else the folder one is in."""
    for path in map(Path, CONF.drivers.paths):
        if path.is_dir() and os.access(path, os.W_OK):
            return path
    return Path.cwd()


# --- validate, conformance, diff -------------------------------------------------------------------------------


def _validate(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.directory)
    if not folder.is_dir():
        folder = _known(arguments.directory).path
    heat = _heat() if arguments.heat else None
    return _report(folder, validate.validate(folder, heat))


def _report(folder: Path, report: validate.Report) -> int:
    for finding in report.findings:
        print(f"{folder}/{finding}")
    for note in report.notes:
        print(f"note: {note}")
    count = len(report.findings)
    print(
        f"{folder}: {count} finding{'' if count == 1 else 's'}"
        if count
        else f"{folder}: all is well"
    )
    return 1 if count else 0


def _heat() -> Any:
    """A Heat client for the cloud that clouds.yaml or the variables OS_* name."""
    import openstack.config
    import openstack.exceptions
    from heatclient import client
    from keystoneauth1 import exceptions as keystone

    try:
        region = openstack.config.get_cloud_region()
        return client.Client(
            "1",
            session=region.get_session(),
            service_type="orchestration",
            region_name=region.get_region_name(),
            interface=region.get_interface("orchestration"),
        )
    except (openstack.exceptions.SDKException, keystone.ClientException) as error:
        raise Refused(
            f"There is no cloud to ask: {error} Set OS_CLOUD to one of clouds.yaml, or the variables OS_*."
        ) from error


def _conformance(arguments: argparse.Namespace) -> int:
    """The suite by pytest, in a process of its own and with no settings of others; without pytest, by itself."""
    found = _known(arguments.driver)
    print(f"trying {found.name} {found.make().version} from {found.path}", flush=True)
    if importlib.util.find_spec("pytest") is None:
        if arguments.pytest:
            raise Refused(
                f"Arguments behind -- need pytest: {sys.executable} -m pip install pytest"
            )
        return 0 if plain.run(found, print) else 1
    place = found.name if _is_installed(found) else str(found.path)
    command = [sys.executable, "-m", "pytest", "-p", PLUGIN, "-p", "no:cacheprovider"]
    command += ["-c", os.devnull, "--rootdir", str(found.path), "-q", "-W", "ignore"]
    command += [f"--driver-dir={place}", *arguments.pytest]
    return subprocess.run(command, check=False).returncode


def _is_installed(found: Candidate) -> bool:
    return not type(found.make()).__module__.startswith(f"{directories.PACKAGE}.")


def _diff(arguments: argparse.Namespace) -> int:
    differences = compare.compare(_known(arguments.one), _known(arguments.other))
    if arguments.format == "json":
        print(json.dumps(differences, indent=2))
        return 0
    for heading, lines in differences.items():
        if lines:
            print(heading, *(f"  {line}" for line in lines), sep="\n")
    if not any(differences.values()):
        print("no difference")
    return 0


# --- the command -----------------------------------------------------------------------------------------------

_DESCRIPTION = """\
See, fork, check, try and compare the drivers of Magnum. Needs neither a database nor a cloud.

Drivers are found where the service finds them: in the directories of [drivers] paths, and among the installed
packages. A driver is named by its name or, everywhere below, by the path of its directory."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="magnum-driver-manage",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version_string())
    parser.add_argument(
        "--config-file",
        action="append",
        metavar="PATH",
        help="the service's configuration file; may be given several times",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_looking(commands)
    _add_making(commands)
    return parser


def _add_looking(commands: Any) -> None:
    listed = commands.add_parser("list-drivers", help="every driver, and why one is not usable")
    listed.add_argument(
        "-d", "--details", action="store_true", help="the kinds of cluster each provides"
    )
    listed.add_argument(
        "-p", "--paths", action="store_true", help="where drivers and templates are"
    )
    listed.add_argument("-f", "--format", choices=_FORMATS, default="table")
    listed.add_argument("-c", "--column", action="append", help="only this column; may be repeated")
    listed.set_defaults(run=_list)

    shown = commands.add_parser("show", help="one driver: versions, verbs, endpoints, options")
    shown.add_argument("name", metavar="NAME")
    shown.add_argument("-f", "--format", choices=("text", "json"), default="text")
    shown.set_defaults(run=_show)

    diff = commands.add_parser("diff", help="what differs between two drivers or two versions")
    diff.add_argument("one", metavar="A", help="name or directory")
    diff.add_argument("other", metavar="B", help="name or directory")
    diff.add_argument("-f", "--format", choices=("text", "json"), default="text")
    diff.set_defaults(run=_diff)


def _add_making(commands: Any) -> None:
    new = commands.add_parser("new", help="a driver of your own: a working copy of another one")
    new.add_argument("name", metavar="NAME", help="such as mine_v1")
    new.add_argument(
        "--from", dest="other", required=True, metavar="OTHER", help="name or directory"
    )
    new.add_argument(
        "--to",
        metavar="DIR",
        help="where its directory is made; by default the first of [drivers] paths that can be written to, "
        "else the folder you are in",
    )
    new.set_defaults(run=_new)

    checked = commands.add_parser(
        "validate", help="look at a directory without running its verbs; 1 if something is wrong"
    )
    checked.add_argument("directory", metavar="DIR", help="directory or name")
    checked.add_argument(
        "--heat",
        action="store_true",
        help="have a Heat look at the templates: that of OS_CLOUD (clouds.yaml) or of the variables OS_*",
    )
    checked.set_defaults(run=_validate)

    tried = commands.add_parser(
        "conformance",
        help="run the conformance suite; 1 if a case fails",
        epilog="What stands behind -- goes to pytest: conformance DIR -- -x -k repeated",
    )
    tried.add_argument("driver", metavar="DIR", help="directory or name")
    tried.set_defaults(run=_conformance)


def main() -> int:
    """Run the command. Returns the exit code."""
    words = sys.argv[1:]
    split = words.index("--") if "--" in words else len(words)
    parser = _parser()
    arguments = parser.parse_args(words[:split])
    arguments.pytest = words[split + 1 :]
    if arguments.pytest and arguments.command != "conformance":
        parser.error("only conformance takes arguments behind --")
    logging.disable(logging.CRITICAL)  # what the catalogue has to say is in the answers
    try:
        CONF(args=[], project="magnum", default_config_files=arguments.config_file)
        return int(arguments.run(arguments))
    except cfg.Error as error:
        print(f"Cannot read the configuration: {error}", file=sys.stderr)
    except (Refused, NotForked) as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
