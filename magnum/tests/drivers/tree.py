"""The drivers of the tree, found by their directories, and a bay for each: new drivers come in by themselves."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import magnum.drivers
from magnum.drivers.conformance.fake_secrets import FakeSecrets
from magnum.drivers.conformance.world import NoClouds
from magnum.drivers.contract import (
    ANY_DISTRO,
    MASTER,
    WORKER,
    Bay,
    BayModel,
    Driver,
    NodeGroup,
    Provides,
    Work,
)
from magnum.drivers.heat.driver import HeatDriver
from magnum.drivers.heat.template import TEMPLATES

ROOT = Path(magnum.drivers.__file__).parent
#: Every directory that has a driver's name, whatever is in it.
FOLDERS = sorted(path for path in ROOT.glob("*_v[0-9]*") if path.is_dir())
NAMES = [path.name for path in FOLDERS]
#: Those that build with Heat.
HEAT = [path.name for path in FOLDERS if (path / TEMPLATES).is_dir()]

UUID = "5d12f6fd-a196-4bf0-ae4c-1f639a523a52"
#: Of all these bays: making keys takes its time, and two bays that differ in one thing differ in no other.
SECRETS = FakeSecrets()
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBXwTestsOfAllDriversHaveThisKeyAndNobodyHasItsOtherHalf"


def driver(name: str) -> Driver:
    """A new instance of a driver."""
    found = importlib.import_module(f"magnum.drivers.{name}.driver").Driver()
    assert isinstance(found, Driver)
    return found


def heat_driver(name: str) -> HeatDriver:
    """A new instance of a driver that builds with Heat."""
    found = driver(name)
    assert isinstance(found, HeatDriver)
    return found


def provided(name: str) -> Provides:
    """The first of the kinds of cluster that a driver builds."""
    return min(driver(name).provides, key=repr)


def work(
    name: str,
    *,
    bay: dict[str, Any] | None = None,
    baymodel: dict[str, Any] | None = None,
    master: dict[str, Any] | None = None,
    worker: dict[str, Any] | None = None,
    parameters: dict[str, Any] | None = None,
) -> Work:
    """The creation of a bay that a driver can build; the arguments change it. Secrets are :data:`SECRETS`."""
    kind = provided(name)
    distro = None if kind.os_distro == ANY_DISTRO else kind.os_distro
    plain = Work(
        bay=Bay(uuid=UUID, name="my-bay", project_id="p1", ssh_public_key=KEY),
        baymodel=BayModel(
            uuid="m1",
            name="model",
            coe=kind.coe,
            server_type=kind.server_type,
            cluster_distro=distro,
            image_id="an-image",
            external_network_id="public",
            dns_nameserver="8.8.8.8",
        ),
        node_groups=(
            NodeGroup("g1", "default-master", MASTER, 1, flavor_id="m1.small"),
            NodeGroup("g2", "default-worker", WORKER, 1, flavor_id="m1.small"),
        ),
        clouds=NoClouds(),
        parameters=parameters or {},
        secrets=SECRETS,
    )
    masters, workers = plain.node_groups
    return replace(
        plain,
        bay=replace(plain.bay, **(bay or {})),
        baymodel=replace(plain.baymodel, **(baymodel or {})),
        node_groups=(replace(masters, **(master or {})), replace(workers, **(worker or {}))),
    )
