"""A driver without Heat: a cluster is what an Ansible playbook makes of it.

The contract asks for two things that a playbook has not by itself: not to block, and to be found again after a restart.
Both are in ``runs.py``; here is only what each verb wants. What counts is what is observed, never that a run has ended.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from magnum.drivers import contract
from magnum.drivers.common.options import Options
from magnum.drivers.contract import (
    ANY_DISTRO,
    MASTER,
    Actor,
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

from .runs import Runs
from .version import version as release

OPTIONS = Options(__package__)
PLAYBOOKS = Path(__file__).with_name("playbooks")
APPLY, REMOVE = PLAYBOOKS / "apply.yml", PLAYBOOKS / "remove.yml"


class Driver(contract.Driver):
    """Makes Swarm clusters with Ansible. Its options are the labels described in ``schema.json``."""

    name = "ansible_swarm_v1"
    version = release
    template_version = release
    provides = frozenset({Provides(server_type="vm", os_distro=ANY_DISTRO, coe="ansible-swarm")})

    def bay_create(self, work: Work) -> Outcome:
        """Have the playbook make the cluster."""
        return _apply(work)

    def bay_update(self, work: Work) -> Outcome:
        """Have the playbook bring the cluster to the number of nodes that is wanted now."""
        return _apply(work)

    def bay_delete(self, work: Work) -> Outcome:
        """Stop what is being made, have the playbook take the cluster away, and forget the runs."""
        runs = Runs(work.bay.uuid)
        ident = work.cursor.get("ident")
        if runs.is_running():
            if ident is None:
                runs.stop()
            return Wait(work.poll_interval, dict(work.cursor), Progress("removing the nodes"))
        if not runs.cluster.exists():
            runs.forget()
            return Done()
        if failure := _failure(runs, ident):
            return failure
        ident = runs.start(REMOVE, {"cluster": str(runs.cluster)}, forks=5)
        return Wait(work.poll_interval, {"ident": ident}, Progress("removing the nodes"))

    def observe(self, work: Work) -> Facts:
        """The nodes that have joined. Raises NotFound where there is no cluster."""
        runs = Runs(work.bay.uuid)
        if not runs.cluster.exists():
            raise NotFound("The cluster is not there.")
        return _facts(work, runs.nodes())


def _apply(work: Work) -> Outcome:
    options = OPTIONS.read(work.bay.labels)
    runs = Runs(work.bay.uuid)
    wanted = {node["name"]: node for node in _nodes(work)}
    if runs.is_running():
        progress = Progress("making the nodes", len(runs.nodes()), len(wanted))
        return Wait(work.poll_interval, dict(work.cursor), progress)
    if runs.nodes() == wanted:
        return Done(_facts(work, wanted))
    if failure := _failure(runs, work.cursor.get("ident")):
        return failure
    # Nothing runs and the cluster is not what it should be: it never ran, it was killed, or it ran for something else.
    variables = {
        "cluster": str(runs.cluster),
        "nodes": list(wanted.values()),
        "pause": options["ansible_pause"],
    }
    ident = runs.start(APPLY, variables, options["ansible_forks"])
    progress = Progress("making the nodes", len(runs.nodes()), len(wanted))
    return Wait(work.poll_interval, {"ident": ident}, progress)


def _failure(runs: Runs, ident: str | None) -> Failed | None:
    """The failure of the run that this operation has started."""
    result = runs.result(ident) if ident else None
    if result is None or result.successful:
        return None
    text = f"The playbook did not get to its end: {result.reason}."
    return Failed("PLAYBOOK_FAILED", Actor.OPERATOR, text, f"{text} Run: {ident}.")


def _nodes(work: Work) -> Iterator[Mapping[str, Any]]:
    """The nodes that are wanted. Their addresses are made up: 192.0.2.0/24 is nobody's."""
    numbers = {group.name: number for number, group in enumerate(work.node_groups)}
    for group in work.node_groups:
        for index in range(group.node_count):
            yield {
                "name": f"{group.name}-{index}",
                "group": group.name,
                "role": group.role,
                "address": f"192.0.2.{numbers[group.name] * 100 + index % 100 + 1}",
            }


def _facts(work: Work, nodes: Mapping[str, Mapping[str, Any]]) -> Facts:
    masters = [node["address"] for node in nodes.values() if node["role"] == MASTER]
    return Facts(
        api_address=f"tcp://{masters[0]}:2376" if masters else None,
        node_groups={
            group.name: GroupFacts(
                addresses=tuple(
                    node["address"]
                    for _, node in sorted(nodes.items())
                    if node["group"] == group.name
                )
            )
            for group in work.node_groups
        },
    )
