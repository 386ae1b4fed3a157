"""``openstack bay driver list|show``"""

import argparse
from collections.abc import Mapping
from typing import Any

from cliff.columns import FormattableColumn

from magnum.osc import schema
from magnum.osc.columns import Lines
from magnum.osc.commands import base
from magnum.osc.texts import one_line, plain


class ListDrivers(base.Lister):
    """List the drivers, each of which knows how one kind of cluster is built."""

    examples = ("openstack bay driver list",)

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """All that can be used; an operator also sees the others."""
        bodies = self.client.get("drivers")["drivers"]
        columns = ["Name", "Version", "Provides", "Verbs", "Usable", "Reason"]
        return columns, [
            (
                body["name"],
                body.get("driver_version"),
                Lines([_offer(one) for one in body.get("provides", [])]),
                ", ".join(body.get("verbs", [])),
                body["usable"],
                one_line(body.get("reason") or ""),
            )
            for body in bodies
        ]


class ShowDriver(base.ShowOne):
    """Show a driver: what it provides, its options and its endpoints."""

    examples = (
        "openstack bay driver show swarm_atomic_v1",
        "openstack bay driver show noop_v1 -f json -c options",
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("driver", metavar="<driver>", help="Its name.")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """The options in the place of their schema."""
        body = self.client.get("drivers", parsed_args.driver)
        if not body["usable"]:
            return base.one(body)
        declared = body.pop("schema").get("properties", {})
        endpoints = body.pop("endpoints")
        provides = Lines([_offer(one) for one in body.pop("provides")])
        names, values = base.one(body, ("name", "driver_version", "template_version", "contract"))
        more = {
            "provides": provides,
            "options": _Options([option(name, told) for name, told in declared.items()]),
            "endpoints": _Endpoints(endpoints),
        }
        return [*names, *more], [*values, *more.values()]


def option(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    """An option: its name, type, default, what is allowed, what changing it does, and what it is for."""
    limits = {key: declared[key] for key in declared if key != "default"}
    return {
        "name": name,
        "type": schema.kind(declared),
        "default": declared.get("default"),
        "allowed": schema.constraints(limits) or None,
        "change": declared.get("x-change", "fixed"),
        "help": declared.get("description"),
    }


def _offer(offer: Mapping[str, Any]) -> str:
    return f"{offer['coe']} on {offer['server_type']}, {offer['os_distro']}"


class _Options(FormattableColumn[list[dict[str, Any]]]):
    """Options, each on a line with its help below."""

    def human_readable(self) -> str:
        """For people."""
        return plain("\n".join(_told(one) for one in self._value))


class _Endpoints(FormattableColumn[list[dict[str, Any]]]):
    """Endpoints, each on a line."""

    def human_readable(self) -> str:
        """For people."""
        lines = (f"{one['name']} ({one['method']}): {one['help']}" for one in self._value)
        return plain("\n".join(lines))


def _told(one: Mapping[str, Any]) -> str:
    default = "none" if one["default"] is None else one["default"]
    facts = [str(one["type"]), f"default {default}", one["change"], one["allowed"]]
    line = f"{one['name']}: {', '.join(fact for fact in facts if fact)}"
    return f"{line}\n    {one['help']}" if one["help"] else line
