"""A bay as clients see it (contract 2.2)."""

from collections.abc import Mapping
from typing import Any

from magnum.api.spelling import Wording
from magnum.api.views import labels, links, operations
from magnum.db.bays import BayLine
from magnum.db.models import Bay, Operation
from magnum.drivers import catalogue
from magnum.drivers.contract import MASTER

_FAILED = "_FAILED"


def short(bay: Bay | BayLine, wording: Wording) -> dict[str, Any]:
    """What a list shows of a bay."""
    spelling = wording.spelling
    body = {
        "uuid": bay.uuid,
        "name": bay.name,
        spelling.baymodel_key: bay.baymodel_id,
        "docker_volume_size": bay.docker_volume_size,
        "labels": bay.labels,
        "master_flavor_id": bay.master_flavor_id,
        "flavor_id": bay.flavor_id,
        "node_count": bay.node_count,
        "master_count": bay.master_count,
        spelling.timeout_key: bay.create_timeout,
        "status": bay.status,
        spelling.stack_key(wording.version): bay.stack_id,
        "floating_ip_enabled": bay.floating_ip_enabled,
        "driver": bay.driver,
        "driver_version": bay.driver_version,
        "template_version": bay.template_version,
        "links": links.of(wording.base, spelling.bays, bay.uuid),
    }
    if spelling.has_more(wording.version):
        body |= {
            "keypair": bay.keypair,
            "health_status": bay.health_status,
            # It says how labels were given once, which is not kept.
            "merge_labels": False,
        }
    return body


def full(bay: Bay, wording: Wording) -> dict[str, Any]:
    """All fields but the faults, see :func:`one`."""
    masters: list[str] = []
    workers: list[str] = []
    for group in bay.node_groups:
        addresses = masters if group.role == MASTER else workers
        addresses.extend(group.node_addresses)
    body = {
        **short(bay, wording),
        "status_reason": bay.status_reason or _driver_missing(bay),
        "discovery_url": bay.discovery_url,
        "api_address": bay.api_address,
        "coe_version": bay.coe_version,
        "container_version": bay.container_version,
        "node_addresses": workers,
        "master_addresses": masters,
        "fixed_network": bay.fixed_network,
        "fixed_subnet": bay.fixed_subnet,
        "master_lb_enabled": bay.master_lb_enabled,
        "created_at": links.moment(bay.created_at),
        "updated_at": links.moment(bay.updated_at),
    }
    if wording.spelling.has_more(wording.version):
        body |= {
            "project_id": bay.project_id,
            "user_id": bay.user_id,
            "health_status_reason": bay.health_status_reason,
            **labels.compared(bay.labels, bay.baymodel.labels),
        }
    return body


def one(bay: Bay, wording: Wording) -> dict[str, Any]:
    """All fields; and of a bay that has failed its faults: of node groups, and of parts of the cluster."""
    body = full(bay, wording)
    if bay.status.endswith(_FAILED):
        body[wording.spelling.faults_key] = {
            **{group.name: group.status_reason for group in bay.node_groups if group.status_reason},
            **{fault["resource"]: _told(fault) for fault in bay.faults or ()},
        }
    return body


def age(bay: Bay) -> dict[str, Any]:
    """For which generation of the bay it was last observed, and when (from microversion 1.15 on)."""
    return {
        "generation": bay.generation,
        "observed_generation": bay.observed_generation,
        "observed_at": links.moment(bay.observed_at),
    }


def running(bay: Bay) -> dict[str, Any]:
    """Where one bay is, how it is, and how it came there (from 1.15 on)."""
    return {
        "hints": bay.hints or {},
        "placement": bay.placement,
        "site": bay.site or {},
        "utilisation": bay.utilisation or {},
        "ca_expires_at": links.moment(bay.ca_expires_at),
    }


def present(
    bay: Bay, operation: Operation | None, base: str, *, for_operator: bool
) -> dict[str, Any]:
    """What is being done about the bay, and whether what is shown of it may be out of date (from 1.15 on).

    That is so where nothing is under way and the last observation was for an older generation, or where the present
    operation's last look at the cloud did not succeed.
    """
    if operation is None:
        return {"operation": None, "stale": bay.observed_generation != bay.generation}
    return {
        "operation": operations.short(operation, base, for_operator=for_operator),
        "stale": operation.attempts > 0 and operation.error_code is not None,
    }


def accepted(bay: Bay) -> dict[str, Any]:
    """What an asynchronous request is answered with."""
    return {"uuid": bay.uuid}


def _told(fault: Mapping[str, str]) -> str:
    """A fault in one line, as the contract has it (2.2)."""
    told = f"{fault['type']}: {fault['text']}"
    return f"{told} ({fault['request_id']})" if fault.get("request_id") else told


def _driver_missing(bay: Bay) -> str | None:
    """What is to be known of a bay at which nobody can work, because its driver is not there."""
    if bay.driver in catalogue.catalogue():
        return None
    text = f"The driver {bay.driver} that this bay was made with is not there."
    return f"DRIVER_MISSING: {text}"
