"""``openstack bay why``: one screen about what a bay is doing or stuck on, since when, and whose move it is."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from cliff.formatters.base import SingleFormatter

from magnum.osc import situation
from magnum.osc.columns import Shown
from magnum.osc.commands import base
from magnum.osc.commands.bays import add_bay


class Why(base.ShowOne):
    """Tell what a bay is doing or stuck on, since when, whose move it is, and what to do."""

    examples = ("openstack bay why first", "openstack bay why first -f json")

    @property
    def formatter_namespace(self) -> str:
        """The formats: those of OpenStackClient, and a screen."""
        return "magnum.osc.formatter.why"

    @property
    def formatter_default(self) -> str:
        """The screen."""
        return "screen"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        add_bay(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """All that there is to tell."""
        told = situation.gather(self.client, parsed_args.bay)
        return list(told), [
            Shown(value) if isinstance(value, dict | list) else value for value in told.values()
        ]


class Screen(SingleFormatter):
    """Writes what ``openstack bay why`` has found as one screen of text."""

    def add_argument_group(self, parser: argparse.ArgumentParser) -> None:
        """No options of its own."""

    def emit_one(
        self,
        column_names: Sequence[str],
        data: Sequence[Any],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        """Write it. Columns that were chosen make no difference: it is one text."""
        told = {
            name: value.machine_readable() if isinstance(value, Shown) else value
            for name, value in zip(column_names, data, strict=True)
        }
        stdout.write(f"{situation.screen(told, datetime.now(UTC))}\n")
