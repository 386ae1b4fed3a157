"""``openstack bay create|list|show|set|unset|delete``"""

import argparse
from typing import Any, Final

from osc_lib.exceptions import CommandError

from magnum.osc import options
from magnum.osc.columns import shown
from magnum.osc.commands import base
from magnum.osc.errors import ApiError

#: What stands first where one bay is shown.
_ORDER: Final = (
    *("name", "uuid", "status", "status_reason", "operation", "stale", "health_status"),
    *("health_status_reason", "api_address", "node_count", "master_count", "node_addresses"),
    *("master_addresses", "driver", "driver_version", "baymodel_id"),
)
_SHORT: Final = {
    "UUID": "uuid",
    "Name": "name",
    "Status": "status",
    "Nodes": "node_count",
    "Masters": "master_count",
    "Driver": "driver",
}
_LONG: Final = {
    **_SHORT,
    "Driver Version": "driver_version",
    "Model": "baymodel_id",
    "API Address": "api_address",
    "Status Reason": "status_reason",
}
#: Attributes of a new bay: key to argument.
_NEW: Final = {
    "name": "name",
    "baymodel_id": "model",
    "node_count": "node_count",
    "master_count": "master_count",
    "bay_create_timeout": "timeout",
    "keypair": "keypair",
    "flavor_id": "flavor",
    "master_flavor_id": "master_flavor",
    "docker_volume_size": "docker_volume_size",
    "fixed_network": "fixed_network",
    "fixed_subnet": "fixed_subnet",
    "discovery_url": "discovery_url",
    "floating_ip_enabled": "floating_ip",
    "master_lb_enabled": "master_lb",
}


class CreateBay(base.ShowOne):
    """Create a bay and wait until it is there."""

    examples = (
        "openstack bay create first --model swarm --node-count 3",
        "openstack bay create second --model swarm --option nodes_affinity_policy=anti-affinity --no-wait",
        "openstack bay create third --model swarm --dry-run",
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="<name>", help="What it is called.")
        parser.add_argument(
            "--model", metavar="<model>", required=True, help="The model that it is made after."
        )
        _add_counts(parser)
        _add_choices(parser)
        base.add_pairs(
            parser, "--option", "An option of its driver, see `openstack bay driver show`."
        )
        base.add_pairs(parser, "--label", "A label; labels take the place of the model's.")
        base.add_pairs(
            parser,
            "--hint",
            "Where it shall be: availability_zone (several with commas), spread, group, region.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Only show which driver it would get, and why; nothing is created.",
        )
        base.add_waiting(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """Create, and wait unless told otherwise."""
        hints = _hints(parsed_args)
        if parsed_args.dry_run:
            return base.one(self.client.post("placements", body=_wish(parsed_args, hints)))
        body = base.given(parsed_args, _NEW)
        if parsed_args.label:
            body["labels"] = dict(parsed_args.label)
        if parsed_args.option:
            driver = options.chosen_driver(self.client, _wish(parsed_args, hints))
            body["options"] = options.read(self.client, driver, parsed_args.option)
        if hints:
            body["hints"] = hints
        made = self.client.post("bays", body=body)
        if parsed_args.wait:
            self.ended(made["operation"], parsed_args.name)
        return base.one(self.client.get("bays", made["uuid"]), _ORDER)


class ListBays(base.Lister):
    """List the bays of the project."""

    examples = ("openstack bay list", "openstack bay list --long -f json")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("--long", action="store_true", help="Show more of each.")
        base.add_paging(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """All of them, or a page."""
        path = ("bays", "detail") if parsed_args.long else ("bays",)
        found = self.client.pages(
            *path, key="bays", limit=parsed_args.limit, marker=parsed_args.marker
        )
        return base.rows(found, _LONG if parsed_args.long else _SHORT)


class ShowBay(base.ShowOne):
    """Show a bay."""

    examples = ("openstack bay show first", "openstack bay show first -f value -c status")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        add_bay(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """All that is known of it."""
        return base.one(self.client.get("bays", parsed_args.bay), _ORDER)


class _ChangeBay(base.ShowOne):
    """Change what is wanted of a bay."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """What changing takes, whatever is changed."""
        parser = super().get_parser(prog_name)
        add_bay(parser)
        parser.add_argument(
            "--preview",
            action="store_true",
            help="Only show what would change in the cloud; nothing is changed.",
        )
        base.add_waiting(parser)
        return parser

    def change(self, parsed_args: argparse.Namespace, patch: list[dict[str, Any]]) -> base.One:
        """Have a patch done, or previewed."""
        base.need(patch)
        if parsed_args.preview:
            return _previewed(self.client.post("bays", parsed_args.bay, "preview", body=patch))
        asked = self.client.patch("bays", parsed_args.bay, body=patch)
        if asked["operation"] is None:
            self.remark("It is wanted so already: nothing is to be done.")
        elif parsed_args.wait:
            self.ended(asked["operation"], parsed_args.bay)
        return base.one(self.client.get("bays", asked["uuid"]), _ORDER)


class SetBay(_ChangeBay):
    """Change the number of a bay's nodes, or options of its driver, and wait until it is done."""

    examples = (
        "openstack bay set first --node-count 5",
        "openstack bay set first --node-count 2 --preview",
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--node-count", type=base.whole, metavar="<n>", help="So many nodes beside the masters."
        )
        base.add_pairs(parser, "--option", "An option of its driver that may be changed.")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """Change, and wait unless told otherwise."""
        patch: list[dict[str, Any]] = []
        if parsed_args.node_count is not None:
            patch.append({"op": "replace", "path": "/node_count", "value": parsed_args.node_count})
        if parsed_args.option:
            driver = self.client.get("bays", parsed_args.bay)["driver"]
            patch += options.patch(options.read(self.client, driver, parsed_args.option))
        return self.change(parsed_args, patch)


class UnsetBay(_ChangeBay):
    """Put options of a bay back to what its driver has by default, and wait until it is done."""

    examples = ("openstack bay unset first --option noop_delay",)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--option", action="append", metavar="<name>", help="An option. Can be repeated."
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """Change, and wait unless told otherwise."""
        return self.change(parsed_args, options.patch({}, parsed_args.option or ()))


class DeleteBay(base.Lister):
    """Delete bays and wait until nothing is left of them. There is no question before it."""

    examples = (
        "openstack bay delete first",
        "openstack bay delete first second --no-wait",
        "openstack bay delete --force first",
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("bays", nargs="+", metavar="<bay>", help="Name or uuid.")
        parser.add_argument(
            "--force",
            action="store_true",
            help="Let the deletion end though something is left in the cloud;"
            " `openstack bay operation show` then lists what.",
        )
        base.add_waiting(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """Ask for all deletions, then wait for each; one that is refused does not keep the others."""
        asked = []
        for bay in parsed_args.bays:
            try:
                force = True if parsed_args.force else None
                asked.append((bay, self.client.delete("bays", bay, force=force)))
            except ApiError as error:
                self.remark(f"{bay}: {error}")
                self.exit_status = 1
        table = []
        for bay, operation in asked:
            state, left = "PENDING", []
            if operation and parsed_args.wait:
                found = self.ended(operation, bay)
                state, left = found["state"], found["leftovers"]
            table.append((bay, operation, state, shown(left)))
        return ["Bay", "Operation", "State", "Left in the Cloud"], table


def add_bay(parser: argparse.ArgumentParser) -> None:
    """The argument that names a bay."""
    parser.add_argument("bay", metavar="<bay>", help="Name or uuid.")


def _add_counts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--node-count",
        type=base.whole,
        metavar="<n>",
        help="So many nodes beside the masters; 1 if not given.",
    )
    parser.add_argument(
        "--master-count", type=base.count, metavar="<n>", help="So many masters; 1 if not given."
    )
    parser.add_argument(
        "--timeout",
        type=base.whole,
        metavar="<minutes>",
        help="How long its creation may take at most; as the operator has set it if not given.",
    )
    parser.add_argument(
        "--docker-volume-size",
        type=base.count,
        metavar="<GiB>",
        help="A volume for Docker on each node.",
    )


def _add_choices(parser: argparse.ArgumentParser) -> None:
    for flag, metavar, what in (
        ("--keypair", "<keypair>", "The key pair for its nodes."),
        ("--flavor", "<flavor>", "The flavor of its nodes."),
        ("--master-flavor", "<flavor>", "The flavor of its masters."),
        ("--fixed-network", "<network>", "A network that is there already."),
        ("--fixed-subnet", "<subnet>", "A subnet that is there already."),
        ("--discovery-url", "<url>", "Where its nodes find each other, for drivers that use that."),
    ):
        model = "" if flag == "--discovery-url" else " The model's if not given."
        parser.add_argument(flag, metavar=metavar, help=what + model)
    for flag, what in (
        ("--floating-ip", "Whether its nodes get floating IPs."),
        ("--master-lb", "Whether a load balancer stands before its masters."),
    ):
        parser.add_argument(
            flag,
            action=argparse.BooleanOptionalAction,
            default=None,
            help=f"{what} As the model has it if not given.",
        )


def _hints(parsed_args: argparse.Namespace) -> dict[str, Any]:
    """The hints; several availability zones are a list."""
    hints: dict[str, Any] = dict(parsed_args.hint or ())
    if "," in hints.get("availability_zone", ""):
        hints["availability_zone"] = [
            zone.strip() for zone in hints["availability_zone"].split(",") if zone.strip()
        ]
    return hints


def _wish(parsed_args: argparse.Namespace, hints: dict[str, Any]) -> dict[str, Any]:
    """What a placement is asked about."""
    names = {"baymodel_id": "model", "node_count": "node_count", "master_count": "master_count"}
    wish = base.given(parsed_args, names)
    return {**wish, "hints": hints} if hints else wish


def _previewed(body: dict[str, Any]) -> base.One:
    """The changes by their kind, the empty kinds too."""
    kinds: dict[str, list[str]] = {
        kind: [] for kind in ("added", "deleted", "replaced", "updated", "unchanged")
    }
    for change in body["changes"]:
        kinds.setdefault(change["kind"], []).append(f"{change['resource']} ({change['type']})")
    if not any(kinds.values()):
        raise CommandError("The driver foresees nothing.")
    return list(kinds), [shown(found) for found in kinds.values()]
