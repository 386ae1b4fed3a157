"""``openstack bay operation list|show|cancel|wait``"""

import argparse
from collections.abc import Mapping
from typing import Any, Final

from magnum.osc import progress
from magnum.osc.columns import shown
from magnum.osc.commands import base
from magnum.osc.errors import ApiError

_ORDER: Final = (
    *("uuid", "bay_id", "verb", "state", "stage", "done", "total", "error", "faults", "leftovers"),
    *("created_at", "started_at", "finished_at", "deadline", "next_look_at"),
)
_ENDED: Final = {
    "UUID": "uuid",
    "Bay": "bay_id",
    "Verb": "verb",
    "State": "state",
    "Finished At": "finished_at",
}


def described(operation: Mapping[str, Any]) -> base.One:
    """An operation for ShowOne."""
    return base.one(operation, _ORDER)


class ListOperations(base.Lister):
    """List what is being done, was done and waits to be done about a bay, the oldest first."""

    examples = ("openstack bay operation list first",)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "bay", metavar="<bay>", help="Name or uuid; by its uuid, also one that has gone."
        )
        base.add_paging(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """All of them, or a page."""
        found = self.client.pages(
            *("bays", parsed_args.bay, "operations"),
            limit=parsed_args.limit,
            marker=parsed_args.marker,
        )
        columns = ["UUID", "Verb", "State", "Progress", "Code", "Created At", "Finished At"]
        return columns, [
            (
                one["uuid"],
                one["verb"],
                one["state"],
                shown(progress.where(one)),
                (one["error"] or {}).get("code"),
                one["created_at"],
                one["finished_at"],
            )
            for one in found
        ]


class ShowOperation(base.ShowOne):
    """Show an operation."""

    examples = ("openstack bay operation show 6b2f7b7e-6c3e-4c39-9f0c-3a0f4d2f8f11",)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("operation", metavar="<operation>", help="Its uuid.")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """All that is known of it."""
        return described(self.client.get("operations", parsed_args.operation))


class CancelOperation(base.Lister):
    """Take back operations that have not begun; the bay is then wanted as it was before."""

    examples = ("openstack bay operation cancel 6b2f7b7e-6c3e-4c39-9f0c-3a0f4d2f8f11",)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("operations", nargs="+", metavar="<operation>", help="Its uuid.")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """Cancel them; one that is refused does not keep the others."""
        cancelled = []
        for operation in parsed_args.operations:
            try:
                self.client.delete("operations", operation)
                cancelled.append(self.client.get("operations", operation))
            except ApiError as error:
                self.remark(f"{operation}: {error}")
                self.exit_status = 1
        return base.rows(cancelled, _ENDED)


class WaitForOperation(base.Lister):
    """Wait until operations have ended, and show meanwhile how far they are."""

    examples = ("openstack bay operation wait 6b2f7b7e-6c3e-4c39-9f0c-3a0f4d2f8f11",)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("operations", nargs="+", metavar="<operation>", help="Its uuid.")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """Wait for each; the command fails if one does."""
        ended = [self.ended(one, self._bay_of(one)) for one in parsed_args.operations]
        return base.rows(ended, _ENDED)

    def _bay_of(self, operation: str) -> str:
        """What the operation's bay is called; its uuid where it has gone."""
        bay: str = self.client.get("operations", operation)["bay_id"]
        try:
            return str(self.client.get("bays", bay)["name"] or bay)
        except ApiError as error:
            if error.status != 404:
                raise
            return bay
