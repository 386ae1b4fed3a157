"""What is tried of a driver that says of itself that its bays may have more groups of nodes than the default ones."""

from collections.abc import Collection
from dataclasses import replace

from magnum.drivers.conformance.candidate import Candidate
from magnum.drivers.conformance.trial import Trial, Unfit, same, trial
from magnum.drivers.contract import NodeGroup, Verb

_GROUP = NodeGroup(
    "c3f3a5de-5b0c-4c55-8f8e-0f4f2c1d7a10",
    "conformance",
    "conformance",
    2,
    flavor_id="a-flavor",
    image_id="an-image",
    is_default=False,
)
_OTHER = replace(_GROUP, uuid="d1b1c0aa-0d0c-4ad9-9c83-54b0b0e9d6c2", name="another", node_count=1)


def keeps_node_groups(candidate: Candidate) -> None:
    """Groups come, change their size and go with updates, each of which may be repeated; a deletion takes them all."""
    with trial(candidate) as one:
        one.finish(Verb.CREATE)
        smaller = replace(_GROUP, node_count=0)
        for more in ((_GROUP,), (_GROUP, _OTHER), (smaller, _OTHER), (_OTHER,), (), (_GROUP,)):
            _update(one, more)
        one.world.ask(Verb.DELETE)
        one.finish(Verb.DELETE)
        if left := one.world.clusters():
            raise Unfit(f"after the deletion of a bay with a node group there is {', '.join(left)}")


def _update(one: Trial, more: Collection[NodeGroup]) -> None:
    """An update to the default groups and these, three times: with a call made twice, whole, and whole again."""
    default = tuple(group for group in one.world.node_groups if group.is_default)
    one.world.node_groups = (*default, *more)
    names = [group.name for group in one.world.node_groups]
    where = f"'update' to the node groups {', '.join(names)}"
    ends = [one.finish(Verb.UPDATE, twice=twice) for twice in (2, 0, 0)]
    if not all(same(ends[0], end) for end in ends):
        raise Unfit(f"{where} has another end when it is repeated: {ends}")
    told = ends[0].facts.node_groups
    if strangers := told.keys() - set(names):
        raise Unfit(f"{where}: the facts tell of {', '.join(strangers)}, which is not there")
    if told and (silent := set(names) - told.keys()):
        raise Unfit(f"{where}: the facts tell nothing of {', '.join(silent)}, but of others")
