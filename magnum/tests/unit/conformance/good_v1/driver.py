"""A small driver that passes the suite; the tests spoil one line of it at a time."""

from typing import Any

from magnum.drivers import contract
from magnum.drivers.common.options import Options
from magnum.drivers.contract import (
    WORKER,
    Actor,
    CloudUnavailable,
    Done,
    Facts,
    Failed,
    GroupFacts,
    NotFound,
    Outcome,
    Progress,
    Provides,
    Wait,
    Work,
)

from .version import version as release

OPTIONS = Options(__package__)


class Driver(contract.Driver):
    """Keeps clusters in a cloud that has nothing else."""

    name = "good_v1"
    version = release
    provides = frozenset({Provides("vm", "a-distro", "good")})

    def bay_create(self, work: Work) -> Outcome:
        OPTIONS.read(work.bay.labels)
        cluster = _ask(work, "get", _name(work))
        if cluster is None:
            _ask(work, "create", _name(work), work.group(WORKER).node_count)
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
        return Facts(api_address="tcp://192.0.2.1:2376", node_groups=groups)

    def _look(self, work: Work, stage: str) -> Outcome:
        cluster = _ask(work, "get", _name(work))
        if cluster is None or cluster["state"] == "busy":
            return Wait(1, {"asked": True}, Progress(stage))
        if cluster["state"] == "failed":
            return Failed("BUILD_FAILED", Actor.USER, "The cloud gave up.")
        return Done(self.observe(work))


def _name(work: Work) -> str:
    return f"bay-{work.bay.uuid}"


def _ask(work: Work, what: str, *given: Any) -> Any:
    try:
        return getattr(work.clouds.rest("clusters"), what)(*given)
    except OSError as error:
        raise CloudUnavailable("The cloud did not answer.", type(error).__name__) from error
