"""The tutorial driver: no cloud, but delays and faults on demand. Read it first to write your own.

A driver is one class. The conductor calls a verb with a ``Work`` that says what is wanted, and the
verb answers with an outcome: ``Done``, ``Wait`` (call me again), ``Blocked`` or ``Failed``. Nothing
is kept between two calls but the *cursor*, which the driver puts into ``Wait`` and finds in the
``Work`` of the next call. So any conductor can go on where another one stopped.
"""

import ipaddress
import itertools
import time
from collections.abc import Callable

from magnum.drivers import contract
from magnum.drivers.common.options import Options
from magnum.drivers.contract import (
    ANY_DISTRO,
    MASTER,
    Actor,
    Blocked,
    Change,
    CloudUnavailable,
    Done,
    Facts,
    Failed,
    GroupFacts,
    Outcome,
    Preview,
    Progress,
    Provides,
    Verb,
    Wait,
    Work,
)

from . import api, monitor, version

#: Addresses that are nobody's: set aside for documentation by RFC 5737.
ADDRESSES = tuple(str(host) for host in ipaddress.ip_network("192.0.2.0/24").hosts())

OPTIONS = Options(__package__)


class Driver(contract.Driver):
    """Pretends to build clusters. Its options are the labels described in ``schema.json``."""

    name = "noop_v1"
    version = version.version
    provides = frozenset({Provides(server_type="vm", os_distro=ANY_DISTRO, coe="noop")})
    # Its bays may have more groups of nodes than the two that all have, and labels on their nodes.
    node_groups = True
    node_labels = True
    endpoints = api.ENDPOINTS
    monitor = monitor.MONITOR

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives seconds since 1970: it must mean the same to every conductor."""
        self._clock = clock

    # Each verb a driver defines is one it has; all others answer a clear 400 by themselves.

    def bay_create(self, work: Work) -> Outcome:
        """Make up the cluster."""
        return self._pretend(Verb.CREATE, work)

    def bay_update(self, work: Work) -> Outcome:
        """Make up what has changed: ``work.node_groups`` are those that there are to be, old ones and new ones."""
        return self._pretend(Verb.UPDATE, work)

    def bay_upgrade(self, work: Work) -> Outcome:
        """Make up that all nodes are what the new baymodel says."""
        return self._pretend(Verb.UPGRADE, work)

    def bay_delete(self, work: Work) -> Outcome:
        """Forget the cluster. A real driver would prove here that nothing is left."""
        return self._pretend(Verb.DELETE, work)

    def observe(self, work: Work) -> Facts:
        """The made-up addresses: masters first, then the other groups in their order."""
        supply = itertools.cycle(ADDRESSES)
        groups = sorted(work.node_groups, key=lambda group: group.role != MASTER)
        facts = {
            group.name: GroupFacts(addresses=tuple(itertools.islice(supply, group.node_count)))
            for group in groups
        }
        # The first address of all is a master's, and the cluster's API is there.
        return Facts(api_address=f"tcp://{ADDRESSES[0]}:2375", node_groups=facts)

    def preview(self, work: Work) -> Preview:
        """What an update would change: nodes come and go at the end of each group, and the others stay."""
        # A real driver asks its cloud what is there. This one believes what the service says of it.
        present = work.parameters.get("node_counts", {})
        changes = []
        for group in work.node_groups:
            wanted = group.node_count
            there = present.get(group.name, wanted)
            for index in range(max(there, wanted)):
                kind = "deleted" if index >= wanted else "added" if index >= there else "unchanged"
                changes.append(Change(kind, f"{group.name} / {index}", "Noop::Node"))
        return Preview(tuple(changes))

    def _pretend(self, verb: Verb, work: Work) -> Outcome:
        """Let the delay pass, then have the fault that was ordered, or succeed."""
        options = OPTIONS.read(work.bay.labels, strict=verb is not Verb.DELETE)

        # 1. Take some time. The first call starts the clock; the later ones find it in the cursor.
        #    Were the cursor lost, the delay would only begin again: the verb is repeatable.
        due = work.cursor.get("due", self._clock() + options["noop_delay"])
        seconds_left = due - self._clock()
        if seconds_left > 0:
            return Wait(
                seconds=min(seconds_left, work.poll_interval),
                cursor={"due": due},
                progress=Progress(stage=f"pretending to {verb}"),
            )

        # 2. Have a fault. The first two are answers: the driver knows what is wrong. The other two
        #    are raised: the cloud did not answer, and the driver itself is at fault.
        if verb in options["noop_fail"]:
            text = f"The option noop_fail says that '{verb}' fails."
            return Failed(code="NOOP_FAILED", actor=Actor.USER, text=text)
        if verb in options["noop_block"] and not self._block_is_over(due, options):
            text = f"The option noop_block says that '{verb}' is blocked."
            return Blocked(code="NOOP_BLOCKED", actor=Actor.USER, text=text, cursor={"due": due})
        if verb in options["noop_unavailable"]:
            raise CloudUnavailable(
                f"The option noop_unavailable says that '{verb}' finds no cloud."
            )
        if verb in options["noop_crash"]:
            raise RuntimeError(f"the option noop_crash says that '{verb}' has a bug")

        # 3. Done. Facts are what was observed; of a deleted cluster there is nothing to observe.
        return Done() if verb is Verb.DELETE else Done(facts=self.observe(work))

    def _block_is_over(self, blocked_since: float, options: dict[str, float | None]) -> bool:
        seconds = options["noop_block_seconds"]
        return seconds is not None and self._clock() >= blocked_since + seconds
