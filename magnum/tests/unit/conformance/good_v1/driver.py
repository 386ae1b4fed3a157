"""A small driver that passes the suite; the tests spoil one line of it at a time."""

import secrets
from typing import Any

from magnum.drivers import contract
from magnum.drivers.common.options import Options
from magnum.drivers.contract import (
    WORKER,
    Actor,
    Change,
    Done,
    Facts,
    Failed,
    GroupFacts,
    NotFound,
    Outcome,
    Preview,
    Progress,
    Provides,
    Wait,
    Work,
)

from .api import ENDPOINTS
from .cloud import ask as _ask
from .cloud import name_of as _name
from .monitor import GoodMonitor
from .scale import GoodScaler
from .version import version as release

OPTIONS = Options(__package__)


class Driver(contract.Driver):
    """Keeps clusters in a cloud that has nothing else."""

    name = "good_v1"
    version = release
    provides = frozenset({Provides("vm", "a-distro", "good")})
    endpoints = ENDPOINTS
    monitor = GoodMonitor()
    scaler = GoodScaler()

    def refuse(self, work: Work) -> None:
        OPTIONS.read(work.bay.labels)

    def bay_create(self, work: Work) -> Outcome:
        OPTIONS.read(work.bay.labels)
        cluster = _ask(work, "get", _name(work))
        if cluster is None:
            _ask(work, "create", _name(work), work.group(WORKER).node_count, **_given(work))
        return self._look(work, "creating")

    def bay_update(self, work: Work) -> Outcome:
        if not work.cursor.get("asked"):
            _ask(work, "resize", _name(work), work.group(WORKER).node_count)
        return self._look(work, "resizing")

    def bay_delete(self, work: Work) -> Outcome:
        cluster = _ask(work, "get", _name(work))
        if cluster is None:
            return Done()
        _ask(work, "delete", _name(work))
        return Wait(1, {"asked": True}, Progress("deleting"))

    def observe(self, work: Work) -> Facts:
        cluster = _ask(work, "get", _name(work))
        if cluster is None:
            raise NotFound("There is no cluster.")
        groups = {work.group(WORKER).name: GroupFacts(addresses=("192.0.2.2",) * cluster["nodes"])}
        return Facts(
            api_address="tcp://192.0.2.1:2376", node_groups=groups, site=_site(work, cluster)
        )

    def preview(self, work: Work) -> Preview:
        cluster = _ask(work, "get", _name(work))
        if cluster is None:
            raise NotFound("There is no cluster.")
        return Preview((Change("updated", "cluster", "Clusters::Cluster"),))

    def _look(self, work: Work, stage: str) -> Outcome:
        cluster = _ask(work, "get", _name(work))
        if cluster is None or cluster["state"] == "busy":
            site = _site(work, cluster) if cluster else None
            return Wait(1, {"asked": True}, Progress(stage), Facts(site=site))
        if cluster["state"] == "failed":
            return Failed("BUILD_FAILED", Actor.USER, "The cloud gave up.")
        return Done(self.observe(work))


def _given(work: Work) -> dict[str, str]:
    """What only the cluster gets to know, and the zone that it is made in."""
    token = work.secrets.kept("token", lambda: secrets.token_urlsafe(24))
    credential = work.secrets.node_credential()
    zone = work.bay.site.get("zone") or min(work.loads, key=lambda name: work.loads[name].bays)
    return {"hidden": f"{token} {credential.secret}", "zone": zone, "shown": "nothing"}


def _site(work: Work, cluster: dict[str, Any]) -> dict[str, str]:
    """Where it is, as the cloud says."""
    return {"zone": cluster["zone"]}
