"""What OpenStackClient looks for in a plugin. The names are those that it expects."""

from argparse import ArgumentParser
from typing import Any, Final

from keystoneauth1.adapter import Adapter

from magnum.osc.client import SERVICE_TYPE, Client

#: The attribute of the client manager; the commands are the entry points ``openstack.bays.v1``.
API_NAME: Final = "bays"
API_VERSION_OPTION: Final = "os_bays_api_version"
DEFAULT_API_VERSION: Final = "1"
API_VERSIONS: Final = (DEFAULT_API_VERSION,)


def make_client(instance: Any) -> Client:
    """The client for the cloud that the user has named.

    :param instance: OpenStackClient's client manager. It knows the session, the region and the interface, and an
        address that clouds.yaml may give in the place of the catalogue's (``container_infra_endpoint_override``).
    """
    override = instance.get_configuration().get("container_infra_endpoint_override")
    return Client(
        Adapter(
            instance.session,
            service_type=SERVICE_TYPE,
            interface=instance.interface,
            region_name=instance.region_name,
            endpoint_override=override or None,
        )
    )


def build_option_parser(parser: ArgumentParser) -> ArgumentParser:
    """No options beside those that every command of OpenStackClient has."""
    return parser
