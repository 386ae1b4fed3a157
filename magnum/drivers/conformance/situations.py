"""The situations in which a running cluster is asked: none is there, it refuses, says nothing, or talks nonsense."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from magnum.drivers.conformance.silence import WAYS, cluster_that
from magnum.drivers.conformance.trial import Trial

#: Seconds that a question to a cluster may take, and what a busy machine is allowed besides.
LONGEST = 10.0 + 2.0
_PLACE = re.compile(r"^(?P<scheme>[a-z]+://)?[^/]*")


def situations() -> Iterator[str | None]:
    """All of them; None is before the creation."""
    yield None
    yield from WAYS


@contextmanager
def at_a_cluster_that(situation: str | None, one: Trial) -> Iterator[None]:
    """Have the bay's cluster be where it behaves so; its own address is given a place on this machine."""
    if situation is None:
        yield
        return
    with cluster_that(situation) as place:
        known = one.world.bay.api_address or "https://"
        found = _PLACE.match(known)
        scheme = (found["scheme"] if found else None) or ""
        one.world.bay = replace(one.world.bay, api_address=f"{scheme}{place}")
        yield
