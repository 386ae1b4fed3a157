"""``openstack bay certificate show|sign``"""

import argparse
from typing import Final

from magnum.osc.commands import base
from magnum.osc.commands.bays import add_bay

_TYPES: Final = ("kubernetes", "etcd", "front-proxy")


class _Certificate(base.ShowOne):
    """A certificate, written as a file has it unless another format is wanted."""

    @property
    def formatter_default(self) -> str:
        """The bare text."""
        return "value"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Of which bay, and of which of its authorities."""
        parser = super().get_parser(prog_name)
        add_bay(parser)
        parser.add_argument(
            "--type",
            choices=_TYPES,
            help="Which of its certificate authorities, where it has several.",
        )
        return parser


class ShowCertificate(_Certificate):
    """Show the certificate of a bay's certificate authority."""

    examples = ("openstack bay certificate show first > ca.pem",)

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """The text of the certificate."""
        body = self.client.get("certificates", parsed_args.bay, ca_cert_type=parsed_args.type)
        return ["pem"], [body["pem"].rstrip()]


class SignCertificate(_Certificate):
    """Have a bay's certificate authority sign a request."""

    examples = ("openstack bay certificate sign first --csr client.csr > client.pem",)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--csr",
            type=argparse.FileType(encoding="utf-8"),
            required=True,
            metavar="<file>",
            help="The request, in PEM; - is standard input.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.One:
        """The text of the new certificate."""
        with parsed_args.csr as file:
            wanted = {"bay_uuid": parsed_args.bay, "csr": file.read()}
        if parsed_args.type:
            wanted["ca_cert_type"] = parsed_args.type
        return ["pem"], [self.client.post("certificates", body=wanted)["pem"].rstrip()]
