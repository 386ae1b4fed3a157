"""What all commands share: their client, examples in their help, waiting, and how they end."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from osc_lib.command import command
from osc_lib.exceptions import CommandError

from magnum.osc import progress, situation, waiting
from magnum.osc.client import Client
from magnum.osc.columns import column, shown

#: Exit status of somebody who has interrupted, as shells have it: 128 and the signal's number.
INTERRUPTED: Final = 130

Row = tuple[Any, ...]
Table = tuple[Sequence[str], Iterable[Row]]
One = tuple[Sequence[str], Sequence[Any]]


class _Common(command.Command):
    """Of every command."""

    #: Command lines for the help.
    examples: tuple[str, ...] = ()
    #: What the command ends with where nothing else went wrong.
    exit_status = 0

    @property
    def client(self) -> Client:
        """The service of the user's cloud."""
        found: Client = self.app.client_manager.bays  # type: ignore[attr-defined]  # by our plugin
        return found

    def get_epilog(self) -> str:
        """The examples, so that help and documentation both show them as they are."""
        lines = "\n".join(f"    {example}" for example in self.examples)
        rest = super().get_epilog()
        return f"Examples::\n\n{lines}\n\n{rest}" if lines else rest

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The parser, whose help keeps the lines of the text around the options."""
        parser = super().get_parser(prog_name)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Do it; the status that the process ends with."""
        try:
            status = super().run(parsed_args)
        except waiting.Interrupted:
            return INTERRUPTED
        return status or self.exit_status

    def display(self) -> waiting.Display:
        """Where progress and remarks go."""
        return waiting.Display(self.app.stderr)

    def remark(self, text: str) -> None:
        """Say something that is no part of the answer."""
        self.display().say(text)

    def ended(self, operation: str, bay: str) -> dict[str, Any]:
        """Wait for an operation; if it does not succeed, say why, and have the command fail."""
        found = waiting.Waiter(self.client, self.display(), waiting.rest).wait(operation, bay)
        if found["state"] != progress.DONE:
            told = situation.of_operation(self.client, found)
            self.remark(situation.screen(told, datetime.now(UTC)))
            self.exit_status = 1
        return found


class Command(_Common):
    """A command whose answer is nothing, or text of its own."""


class Lister(_Common, command.Lister):
    """A command whose answer is a table."""


class ShowOne(_Common, command.ShowOne):
    """A command whose answer is one thing."""


def one(body: Mapping[str, Any], order: Iterable[str] = ()) -> One:
    """A body of the API for ShowOne; what ``order`` names comes first, links are left out."""
    names = [name for name in order if name in body]
    names += [name for name in body if name not in names and name != "links"]
    return names, [column(name, body[name]) for name in names]


def rows(bodies: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> Table:
    """Bodies of the API for a Lister.

    :param columns: headline to key.
    """
    return list(columns), [
        tuple(shown(body.get(key)) for key in columns.values()) for body in bodies
    ]


def add_waiting(parser: argparse.ArgumentParser) -> None:
    """Whether to wait."""
    parser.add_argument(
        "--wait",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="Wait until it is done and show how far it is, which is so unless you say --no-wait."
        " Ctrl-C ends the waiting, not the work.",
    )


def add_paging(parser: argparse.ArgumentParser, marker: str = "<uuid>") -> None:
    """Which part of a list; all of it where nothing is said."""
    parser.add_argument(
        "--limit", type=count, metavar="<n>", help="Show so many at most; all of them if not given."
    )
    parser.add_argument("--marker", metavar=marker, help="Show what comes after this one.")


def add_pairs(parser: argparse.ArgumentParser, flag: str, what: str) -> None:
    """An argument of the kind ``<name>=<value>`` that can be repeated; None where it is not given."""
    parser.add_argument(
        flag, type=pair, action="append", metavar="<name>=<value>", help=f"{what} Can be repeated."
    )


def pair(text: str) -> tuple[str, str]:
    """Read ``name=value``."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"<name>=<value> is wanted, not '{text}'")
    return name, value


def count(text: str) -> int:
    """Read a number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number above 0 is wanted, not '{text}'")
    return int(text)


def whole(text: str) -> int:
    """Read a number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a number from 0 on is wanted, not '{text}'")
    return int(text)


def given(parsed: argparse.Namespace, names: Mapping[str, str]) -> dict[str, Any]:
    """What was said, as a body.

    :param names: attribute of the body to argument.
    """
    values = {name: getattr(parsed, argument) for name, argument in names.items()}
    return {name: value for name, value in values.items() if value is not None}


def need(changes: Any) -> None:
    """Raise CommandError where nothing is to be changed."""
    if not changes:
        raise CommandError("Say what is to be changed; --help shows what can be.")
