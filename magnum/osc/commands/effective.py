"""``openstack bay effective``: what a bay is made of, and where each value comes from."""

import argparse

from magnum.osc.columns import shown
from magnum.osc.commands import base
from magnum.osc.commands.bays import add_bay


class ShowEffective(base.Lister):
    """Show every attribute, option and label of a bay with its value, and where that comes from."""

    examples = ("openstack bay effective first",)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        add_bay(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """One row for each."""
        body = self.client.get("bays", parsed_args.bay, "effective")
        kinds = (("attribute", "attributes"), ("option", "options"), ("label", "labels"))
        return ["Kind", "Name", "Value", "Origin", "Change"], [
            (kind, name, shown(told["value"]), told["origin"], told.get("change"))
            for kind, key in kinds
            for name, told in body[key].items()
        ]
