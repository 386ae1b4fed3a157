"""A baymodel as clients see it (contract 2.1)."""

from typing import Any

from magnum.api.spelling import Spelling
from magnum.api.views import links
from magnum.db.models import BayModel


def full(baymodel: BayModel, spelling: Spelling, base: str) -> dict[str, Any]:
    """All fields; lists show them too.

    :param base: URL of the application.
    """
    return {
        "uuid": baymodel.uuid,
        "name": baymodel.name,
        "coe": baymodel.coe,
        "driver": baymodel.driver,
        "image_id": baymodel.image_id,
        "keypair_id": baymodel.keypair_id,
        "flavor_id": baymodel.flavor_id,
        "master_flavor_id": baymodel.master_flavor_id,
        "external_network_id": baymodel.external_network_id,
        "fixed_network": baymodel.fixed_network,
        "fixed_subnet": baymodel.fixed_subnet,
        "dns_nameserver": baymodel.dns_nameserver,
        "network_driver": baymodel.network_driver,
        "volume_driver": baymodel.volume_driver,
        "docker_volume_size": baymodel.docker_volume_size,
        "docker_storage_driver": baymodel.docker_storage_driver,
        "apiserver_port": baymodel.apiserver_port,
        "cluster_distro": baymodel.cluster_distro,
        "http_proxy": baymodel.http_proxy,
        "https_proxy": baymodel.https_proxy,
        "no_proxy": baymodel.no_proxy,
        "insecure_registry": baymodel.insecure_registry,
        "registry_enabled": baymodel.registry_enabled,
        "tls_disabled": baymodel.tls_disabled,
        "public": baymodel.public,
        "hidden": baymodel.hidden,
        "server_type": baymodel.server_type,
        "master_lb_enabled": baymodel.master_lb_enabled,
        "floating_ip_enabled": baymodel.floating_ip_enabled,
        "labels": baymodel.labels,
        "tags": baymodel.tags,
        "project_id": baymodel.project_id,
        "user_id": baymodel.user_id,
        "links": links.of(base, spelling.baymodels, baymodel.uuid),
        "created_at": links.moment(baymodel.created_at),
        "updated_at": links.moment(baymodel.updated_at),
    }
