"""``openstack bay rebuild|reboot|check``: what is done to the nodes of a bay, and nothing to what is wanted of it."""

import argparse
from typing import Any

from magnum.osc.commands import base
from magnum.osc.commands.bays import add_bay
from magnum.osc.commands.operations import described


class _Action(base.ShowOne):
    """An action; its answer is the operation."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """What every action takes."""
        parser = super().get_parser(prog_name)
        add_bay(parser)
        base.add_waiting(parser)
        return parser

    def act(self, parsed_args: argparse.Namespace, action: str, body: dict[str, Any]) -> base.One:
        """Ask for it, and wait unless told otherwise."""
        asked = self.client.post("bays", parsed_args.bay, "actions", action, body=body)
        operation: str = asked["operation"]
        if parsed_args.wait:
            return described(self.ended(operation, parsed_args.bay))
        return described(self.client.get("operations", operation))


class _OnNodes(_Action):
    """An action on nodes, some of them at a time."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Which nodes, and how many at a time."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--node",
            action="append",
            metavar="<node>",
            help="Name or id of a node; all of them if not given. Can be repeated.",
        )
        parser.add_argument(
            "--batch-size",
            type=base.count,
            metavar="<n>",
            help="So many at the same time; masters always go one at a time.",
        )
        return parser

    def on_nodes(self, parsed_args: argparse.Namespace, action: str) -> base.One:
        """Ask for it, for these nodes."""
        body = base.given(parsed_args, {"nodes": "node", "batch_size": "batch_size"})
        return self.act(parsed_args, action, body)


class RebuildBay(_OnNodes):
    """Make the nodes of a bay anew and wait until it is done."""

    examples = (
        "openstack bay rebuild first",
        "openstack bay rebuild first --node first-0d9c9f51-node-1 --batch-size 2",
    )

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """Ask for it."""
        return self.on_nodes(parsed_args, "rebuild")


class RebootBay(_OnNodes):
    """Restart the nodes of a bay and wait until it is done."""

    examples = ("openstack bay reboot first", "openstack bay reboot first --hard")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--hard", action="store_true", help="Switch them off and on; they are not asked."
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """Ask for it."""
        return self.on_nodes(parsed_args, "hard_reboot" if parsed_args.hard else "soft_reboot")


class CheckBay(_Action):
    """Look at a bay anew: what of it is there, and whether it is as it shall be."""

    examples = ("openstack bay check first",)

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """Ask for it."""
        return self.act(parsed_args, "check", {})
