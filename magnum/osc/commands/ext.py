"""``openstack bay ext``: what a driver brings beside the usual, as commands made from what the service says of it.

Nothing here knows any driver: names, help and arguments come from ``GET /v1/bays/<bay>/ext``.
"""

import argparse
from collections.abc import Sequence
from typing import Any, Final

from osc_lib.exceptions import CommandError

from magnum.osc import schema
from magnum.osc.columns import shown
from magnum.osc.commands import base
from magnum.osc.texts import one_line

_HELP: Final = frozenset({"-h", "--help"})
#: What stands before the name of an argument that OpenStackClient has an option of the same name for.
_PREFIX: Final = "arg-"

_Endpoint = dict[str, Any]


class BayExt(base.Lister):
    """Show what a bay's driver offers beside the usual, or call one of these endpoints.

    Without an endpoint, they are listed. With one, what follows it are its arguments; --help after it shows them.
    """

    examples = (
        "openstack bay ext first",
        "openstack bay ext first noop_v1/echo --help",
        "openstack bay ext first echo --text hello --times 2 -f json",
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """A parser that leaves what an endpoint takes to the parser of that endpoint."""
        parser = super().get_parser(prog_name)
        _add_names(parser)
        print_help = parser.print_help

        def help_for_words(file: Any = None) -> None:
            """The help of the endpoint, where one is named: ``openstack help`` hands the words on to nobody."""
            known = self._named_in_command_line(parser)
            if known is None or known.endpoint is None:
                print_help(file)
            else:
                self.app.prepare_to_run_command(self)  # who only asks for help has not logged in
                self._call(known).get_parser(prog_name).print_help(file)

        parser.print_help = help_for_words  # type: ignore[method-assign]
        parser.parse_args = _TwoSteps(parser).read  # type: ignore[method-assign, assignment]
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """List the endpoints, or call one."""
        if parsed_args.endpoint is None:
            return super().run(parsed_args)
        call = self._call(parsed_args)
        return call.run(call.get_parser(parsed_args.prog).parse_args(parsed_args.words))

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """One row for each endpoint."""
        found = self.client.get("bays", parsed_args.bay, "ext")["endpoints"]
        return ["Endpoint", "Method", "Arguments", "Help", "Who"], [
            (
                f"{one['driver']}/{one['name']}",
                one["method"],
                _usage(one),
                one_line(one["help"]),
                one["who"],
            )
            for one in found
        ]

    def _call(self, parsed_args: argparse.Namespace) -> "_CallEndpoint":
        """The endpoint that is named, as a command. Raises CommandError."""
        call = _CallEndpoint(self.app, self.app_args)
        found = self.client.get("bays", parsed_args.bay, "ext")["endpoints"]
        call.endpoint = _find(found, parsed_args)
        return call

    def _named_in_command_line(self, parser: argparse.ArgumentParser) -> argparse.Namespace | None:
        """What the whole command line says behind the command's own words; None where that is nothing."""
        _, words = self.app.parser.parse_known_args(self.app.command_options)
        words = [word for word in words if word not in _HELP]
        if "ext" not in words or not words[words.index("ext") + 1 :]:
            return None
        return _names(parser, words[words.index("ext") + 1 :])[0]


class _TwoSteps:
    """Reads the names of bay and endpoint, and keeps all words for the second step."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser

    def read(self, args: Sequence[str] = ()) -> argparse.Namespace:
        """What ``parse_args`` of a parser does; words after the endpoint are not judged here."""
        words = [word for word in args if word not in _HELP]
        if not words:
            self._help_if(args)
        known, rest = _names(self._parser, words)
        if known.endpoint is None:
            self._help_if(len(words) < len(args))
            if rest:
                self._parser.error(f"unrecognized arguments: {' '.join(rest)}")
        known.words, known.prog = list(args), self._parser.prog
        return known

    def _help_if(self, wanted: object) -> None:
        if wanted:
            self._parser.print_help()
            self._parser.exit()


class _CallEndpoint(base.ShowOne):
    """One endpoint as a command. Its answer is shown as any other."""

    endpoint: _Endpoint

    def get_description(self) -> str:
        """What the driver says of it."""
        who = f"By default it takes the role {self.endpoint['who']}."
        secret = " Its answer is secret." if self.endpoint["secret"] else ""
        return f"{one_line(self.endpoint['help'])}\n{who}{secret}"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments, as the schema of its request has them."""
        parser = super().get_parser(prog_name)
        _add_names(parser, both=True)
        asked = self.endpoint["request"]
        for name, declared in asked.get("properties", {}).items():
            required = name in asked.get("required", ())
            argument = schema.argument(name, declared, required=required)
            if _is_taken(argument.flag, parser, self.app.parser):
                argument = schema.argument(name, declared, required=required, prefix=_PREFIX)
            parser.add_argument(argument.flag, dest=_dest(name), **argument.details)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """Call it with what was said."""
        properties = self.endpoint["request"].get("properties", {})
        asked = {name: getattr(parsed_args, _dest(name)) for name in properties}
        asked = {name: value for name, value in asked.items() if value is not None}
        path = ("bays", parsed_args.bay, "ext", self.endpoint["driver"], self.endpoint["name"])
        if self.endpoint["method"] == "GET":
            answer = self.client.get(*path, **asked)
        else:
            answer = self.client.post(*path, body=asked)
        return list(answer), [shown(value) for value in answer.values()]


def _names(
    parser: argparse.ArgumentParser, words: list[str]
) -> tuple[argparse.Namespace, list[str]]:
    """The names of bay and endpoint among the words, and what the parser cannot place."""
    known, rest = parser.parse_known_args(words)
    if known.endpoint is None and rest and not rest[0].startswith("-"):
        known.endpoint = rest[0]  # options between the two names keep argparse from seeing it
    return known, rest


def _add_names(parser: argparse.ArgumentParser, *, both: bool = False) -> None:
    parser.add_argument("bay", metavar="<bay>", help="Name or uuid.")
    parser.add_argument(
        "endpoint",
        nargs=None if both else "?",
        metavar="<endpoint>",
        help="<driver>/<name>, or <name>; its arguments follow. All are listed if not given.",
    )
    parser.add_argument(
        "--method",
        choices=("GET", "POST"),
        help="Which, where there are two endpoints of one name.",
    )


def _is_taken(
    flag: str, parser: argparse.ArgumentParser, everywhere: argparse.ArgumentParser
) -> bool:
    """Whether the command has an option of this name, or OpenStackClient would take it for one of its own."""
    negative = flag.replace("--", "--no-", 1)
    own = parser._option_string_actions  # argparse has no other way to ask
    common = everywhere._option_string_actions
    return any(
        name in own or any(option.startswith(name) for option in common)
        for name in (flag, negative)
    )


def _dest(name: str) -> str:
    """Where argparse keeps the value: nowhere near the values of the options that all commands have."""
    return f"asked of endpoint: {name}"


def _find(endpoints: Sequence[_Endpoint], parsed_args: argparse.Namespace) -> _Endpoint:
    """The endpoint that is meant. Raises CommandError."""
    driver, _, name = parsed_args.endpoint.rpartition("/")
    fits = [one for one in endpoints if one["name"] == name and driver in ("", one["driver"])]
    if parsed_args.method:
        fits = [one for one in fits if one["method"] == parsed_args.method]
    if not fits:
        there = ", ".join(f"{one['driver']}/{one['name']}" for one in endpoints) or "nothing"
        raise CommandError(f"The bay's driver has no such endpoint. It offers {there}.")
    if len(fits) > 1:
        raise CommandError("There are two of this name: say --method GET or --method POST.")
    return fits[0]


def _usage(endpoint: _Endpoint) -> str:
    """Its arguments in short, optional ones in brackets."""
    asked = endpoint["request"]
    words = []
    for name, declared in asked.get("properties", {}).items():
        flag = f"--{name.replace('_', '-')}"
        word = flag if schema.kind(declared) == "boolean" else f"{flag} <{schema.kind(declared)}>"
        words.append(word if name in asked.get("required", ()) else f"[{word}]")
    return " ".join(words)
