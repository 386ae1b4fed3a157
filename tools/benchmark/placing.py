"""The row of placement: many requests against many drivers. Pure, so it needs no server at all."""

import itertools
import time

from magnum.conf import CONF
from magnum.drivers.contract import Provides
from magnum.drivers.placement import Candidate, Wish, decide
from magnum.lifecycle import placement
from tools.benchmark.table import Row

REQUESTS = 10_000
CANDIDATES = 50

_COES = ("swarm", "kubernetes", "mesos")
_DISTROS = ("fedora-atomic", "coreos", "ubuntu", "*")


def row() -> Row:
    """How long one decision takes, with the filters and weighers of the default configuration."""
    CONF([], default_config_files=[], default_config_dirs=[])
    rules = placement.rules()
    candidates = [_candidate(number) for number in range(CANDIDATES)]
    wishes = itertools.cycle(
        Wish("p1", server_type="vm", coe=coe, os_distro=distro)
        for coe in _COES
        for distro in (*_DISTROS[:3], None)
    )
    began = time.perf_counter()
    found = sum(
        decide(wish, candidates, rules).chosen is not None
        for wish in itertools.islice(wishes, REQUESTS)
    )
    seconds = time.perf_counter() - began
    return Row(
        f"{REQUESTS} placements among {CANDIDATES} drivers",
        f"{seconds:.1f} s; {seconds / REQUESTS * 1e6:.0f} us each, {found} placed",
    )


def _candidate(number: int) -> Candidate:
    offer = Provides("vm", _DISTROS[number % 4], _COES[number % 3])
    return Candidate(
        driver=f"driver_v{number}",
        version=f"{number % 7}.{number % 5}.0",
        provides=frozenset({offer}),
        bays=number * 13 % 100,
        own_bays=number % 4,
        room=100 if number % 5 else None,
    )
