"""``openstack bay model create|list|show|set|unset|delete``"""

import argparse
from typing import Any, Final, NamedTuple

from magnum.osc import options
from magnum.osc.commands import base
from magnum.osc.errors import ApiError


class _Attribute(NamedTuple):
    """An attribute of a model, and the argument that gives it."""

    name: str
    flag: str
    help: str
    kind: type = str
    metavar: str | None = None

    @property
    def dest(self) -> str:
        return "attribute_" + self.name


_ATTRIBUTES: Final = (
    _Attribute(
        "coe",
        "--coe",
        "The engine: swarm, kubernetes, mesos, ...; the driver's own if it has one only.",
    ),
    _Attribute(
        "driver",
        "--driver",
        "The driver, or <driver>@<version>; the best one that fits if not given.",
    ),
    _Attribute("image_id", "--image", "The image that its nodes boot."),
    _Attribute("keypair_id", "--keypair", "The key pair for its nodes."),
    _Attribute("flavor_id", "--flavor", "The flavor of its nodes."),
    _Attribute(
        "master_flavor_id", "--master-flavor", "The flavor of its masters.", metavar="<flavor>"
    ),
    _Attribute(
        "external_network_id",
        "--external-network",
        "The network that leads outside.",
        metavar="<network>",
    ),
    _Attribute(
        "fixed_network", "--fixed-network", "A network that is there already.", metavar="<network>"
    ),
    _Attribute(
        "fixed_subnet", "--fixed-subnet", "A subnet that is there already.", metavar="<subnet>"
    ),
    _Attribute(
        "dns_nameserver", "--dns-nameserver", "The name server of its nodes.", metavar="<address>"
    ),
    _Attribute(
        "network_driver", "--network-driver", "How containers are connected.", metavar="<name>"
    ),
    _Attribute("volume_driver", "--volume-driver", "How containers get volumes.", metavar="<name>"),
    _Attribute(
        "docker_volume_size",
        "--docker-volume-size",
        "A volume for Docker on each node.",
        int,
        "<GiB>",
    ),
    _Attribute(
        "docker_storage_driver",
        "--docker-storage-driver",
        "How Docker stores layers.",
        metavar="<name>",
    ),
    _Attribute(
        "apiserver_port", "--apiserver-port", "The port of the cluster's API.", int, "<port>"
    ),
    _Attribute("cluster_distro", "--distro", "The distribution, where the image does not say it."),
    _Attribute(
        "server_type",
        "--server-type",
        "What its nodes are: vm, or bm for bare metal.",
        metavar="{vm,bm}",
    ),
    _Attribute("http_proxy", "--http-proxy", "The proxy for HTTP.", metavar="<url>"),
    _Attribute("https_proxy", "--https-proxy", "The proxy for HTTPS.", metavar="<url>"),
    _Attribute("no_proxy", "--no-proxy", "Where no proxy is used.", metavar="<addresses>"),
    _Attribute(
        "insecure_registry", "--insecure-registry", "A registry without TLS.", metavar="<address>"
    ),
    _Attribute("tags", "--tags", "Words of your own, with commas."),
    _Attribute("registry_enabled", "--registry", "Whether it has a registry of its own.", bool),
    _Attribute(
        "tls_disabled", "--tls-disabled", "Whether the cluster's API goes without TLS.", bool
    ),
    _Attribute(
        "master_lb_enabled",
        "--master-lb",
        "Whether a load balancer stands before the masters.",
        bool,
    ),
    _Attribute("floating_ip_enabled", "--floating-ip", "Whether nodes get floating IPs.", bool),
    _Attribute(
        "public", "--public", "Whether all projects may use it; takes the right to publish.", bool
    ),
    _Attribute(
        "hidden",
        "--hidden",
        "Whether lists of others leave it out; takes the right to publish.",
        bool,
    ),
)
_SHORT: Final = {
    "UUID": "uuid",
    "Name": "name",
    "COE": "coe",
    "Driver": "driver",
    "Image": "image_id",
}
_LONG: Final = {
    **_SHORT,
    "Flavor": "flavor_id",
    "Master Flavor": "master_flavor_id",
    "Server Type": "server_type",
    "Public": "public",
    "Options": "options",
}
_ORDER: Final = ("name", "uuid", "coe", "driver", "image_id", "options", "labels")


class CreateModel(base.ShowOne):
    """Create a model that bays can be made after."""

    examples = (
        "openstack bay model create swarm --coe swarm --image fedora-atomic --external-network public"
        " --flavor m1.small --keypair mine",
        "openstack bay model create try --driver noop_v1 --image any --option noop_delay=10",
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="<name>", help="What it is called.")
        _add_attributes(parser, required=("image_id",))
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """Create it."""
        # Its key pair is the one thing that a request has to say even where there is none.
        body = {"name": parsed_args.name, "keypair_id": None, **_attributes(parsed_args)}
        if parsed_args.label:
            body["labels"] = dict(parsed_args.label)
        if parsed_args.option:
            driver = body.get("driver") or options.chosen_driver(self.client, _wish(body))
            body["options"] = options.read(self.client, driver, parsed_args.option)
        return base.one(self.client.post("baymodels", body=body), _ORDER)


class ListModels(base.Lister):
    """List the models that the project can use."""

    examples = ("openstack bay model list", "openstack bay model list --long")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("--long", action="store_true", help="Show more of each.")
        base.add_paging(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """All of them, or a page."""
        found = self.client.pages("baymodels", limit=parsed_args.limit, marker=parsed_args.marker)
        return base.rows(found, _LONG if parsed_args.long else _SHORT)


class ShowModel(base.ShowOne):
    """Show a model."""

    examples = ("openstack bay model show swarm",)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        _add_model(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """All that is known of it."""
        return base.one(self.client.get("baymodels", parsed_args.model), _ORDER)


class SetModel(base.ShowOne):
    """Change a model. While bays use it, only its name, tags and who sees it can be changed."""

    examples = ("openstack bay model set swarm --flavor m1.medium",)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        _add_model(parser)
        parser.add_argument("--name", metavar="<name>", help="What it is called from now on.")
        _add_attributes(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """Change it."""
        values = _attributes(parsed_args)
        if parsed_args.name is not None:
            values["name"] = parsed_args.name
        patch = [
            {"op": "replace", "path": f"/{name}", "value": value} for name, value in values.items()
        ]
        if parsed_args.label or parsed_args.option:
            model = self.client.get("baymodels", parsed_args.model)
            patch += _more(self, parsed_args, model)
        base.need(patch)
        return base.one(self.client.patch("baymodels", parsed_args.model, body=patch), _ORDER)


class UnsetModel(base.ShowOne):
    """Take attributes, labels or options of a model away."""

    examples = ("openstack bay model unset swarm --attribute keypair_id --label mine",)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        _add_model(parser)
        for flag, what in (
            ("--attribute", "An attribute, as `openstack bay model show` calls it."),
            ("--label", "A label."),
            ("--option", "An option."),
        ):
            parser.add_argument(
                flag, action="append", default=[], metavar="<name>", help=f"{what} Can be repeated."
            )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """Change it."""
        paths = [
            *(f"/{name}" for name in parsed_args.attribute),
            *(f"/labels/{name}" for name in parsed_args.label),
            *(f"/options/{name}" for name in parsed_args.option),
        ]
        base.need(paths)
        patch = [{"op": "remove", "path": path} for path in paths]
        return base.one(self.client.patch("baymodels", parsed_args.model, body=patch), _ORDER)


class DeleteModel(base.Command):
    """Delete models that no bay uses."""

    examples = ("openstack bay model delete swarm",)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument("models", nargs="+", metavar="<model>", help="Name or uuid.")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Delete them; one that is refused does not keep the others."""
        for model in parsed_args.models:
            try:
                self.client.delete("baymodels", model)
            except ApiError as error:
                self.remark(f"{model}: {error}")
                self.exit_status = 1


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="<model>", help="Name or uuid.")


def _add_attributes(parser: argparse.ArgumentParser, required: tuple[str, ...] = ()) -> None:
    for attribute in _ATTRIBUTES:
        details: dict[str, Any] = {"dest": attribute.dest, "default": None, "help": attribute.help}
        if attribute.kind is bool:
            parser.add_argument(attribute.flag, action=argparse.BooleanOptionalAction, **details)
            continue
        parser.add_argument(
            attribute.flag,
            type=base.count if attribute.kind is int else str,
            metavar=attribute.metavar or f"<{attribute.flag.lstrip('-')}>",
            required=attribute.name in required,
            **details,
        )
    base.add_pairs(parser, "--label", "A label.")
    base.add_pairs(parser, "--option", "An option of its driver, see `openstack bay driver show`.")


def _attributes(parsed_args: argparse.Namespace) -> dict[str, Any]:
    return base.given(parsed_args, {one.name: one.dest for one in _ATTRIBUTES})


def _wish(body: dict[str, Any]) -> dict[str, Any]:
    """What a placement is asked about."""
    names = ("driver", "coe", "server_type", "cluster_distro")
    return {name: body[name] for name in names if body.get(name) is not None}


def _more(
    command: SetModel, parsed_args: argparse.Namespace, model: dict[str, Any]
) -> list[dict[str, Any]]:
    """The changes of labels and options."""
    patch: list[dict[str, Any]] = []
    if parsed_args.label:
        labels = {**model["labels"], **dict(parsed_args.label)}
        patch.append({"op": "replace", "path": "/labels", "value": labels})
    if parsed_args.option:
        driver = model["driver"] or options.chosen_driver(command.client, _wish(model))
        patch += options.patch(options.read(command.client, driver, parsed_args.option))
    return patch
