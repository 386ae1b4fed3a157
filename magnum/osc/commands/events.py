"""``openstack bay event list``: the timeline of a bay."""

import argparse
import json
from collections.abc import Iterator
from typing import Any, Final

from magnum.osc import progress, waiting
from magnum.osc.commands import base

_COLUMNS: Final = {"ID": "id", "Time": "created_at", "Code": "code", "Text": "text"}
_LONG: Final = {**_COLUMNS, "Operation": "operation_id"}


class ListEvents(base.Lister):
    """List what has happened to a bay, the oldest first; it outlives the bay."""

    examples = (
        "openstack bay event list first",
        "openstack bay event list first --follow",
        "openstack bay event list first --follow -f json",
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "bay", metavar="<bay>", help="Name or uuid; by its uuid, also one that has gone."
        )
        parser.add_argument(
            "--follow",
            action="store_true",
            help="Go on and show what happens, a line for each event, until Ctrl-C;"
            " with -f json, each line is a JSON object.",
        )
        parser.add_argument("--long", action="store_true", help="Show more of each.")
        base.add_paging(parser, "<id>")
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """A table, or lines without an end."""
        if not parsed_args.follow:
            return super().run(parsed_args)
        try:
            self._follow(parsed_args)
        except KeyboardInterrupt:
            return base.INTERRUPTED
        return 0

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """All of them, or a page."""
        found = self._after(parsed_args.bay, parsed_args.marker, parsed_args.limit)
        return base.rows(found, _LONG if parsed_args.long else _COLUMNS)

    def _follow(self, parsed_args: argparse.Namespace) -> None:
        """Write what has happened, and then what happens. With a limit, so many of them."""
        # Its name finds it no longer once the bay has gone, and its deletion is what one may be waiting for.
        bay, marker, left = self._uuid(parsed_args.bay), parsed_args.marker, parsed_args.limit
        pause, patience = waiting.FIRST_PAUSE, waiting.Patience()
        while True:
            seen = marker
            try:
                for event in self._after(bay, marker, left):
                    self._write(event, as_json=parsed_args.formatter == "json")
                    marker = event["id"]
                    left = None if left is None else left - 1
                patience.reward()
            except waiting.AWAY as error:
                patience.bear(error)
            if left == 0:
                return
            grown = min(pause * waiting.GROWTH, waiting.LONGEST_PAUSE)
            pause = waiting.FIRST_PAUSE if marker != seen else grown
            waiting.rest(pause)

    def _write(self, event: dict[str, Any], *, as_json: bool) -> None:
        line = json.dumps(event) if as_json else progress.happened(event)
        self.app.stdout.write(f"{line}\n")
        self.app.stdout.flush()

    def _after(self, bay: str, marker: str | None, limit: int | None) -> Iterator[dict[str, Any]]:
        return self.client.pages("bays", bay, "events", marker=marker, limit=limit)

    def _uuid(self, bay: str) -> str:
        """The uuid of a bay; an operation of it knows that even where the bay has gone."""
        latest = next(self.client.pages("bays", bay, "operations", limit=1), None)
        return bay if latest is None else str(latest["bay_id"])
