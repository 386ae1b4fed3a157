"""What the suite tries of monitors, scalers and endpoints at clusters that do not answer, over real sockets."""

from pathlib import Path

import pytest

from magnum.drivers.conformance import alongside, endpoints
from magnum.drivers.conformance.candidate import candidate
from magnum.drivers.conformance.cases import cases
from magnum.tests.unit.conformance.spoiled import (
    IN_TREE,
    Spoiling,
    copy_of_good,
    expect,
    of_the_tree,
)

SLOW = "has not come back"
SPOILED: list[Spoiling] = [
    (
        "looks_at_the_cluster",
        "monitor.py",
        "except OSError",
        "except KeyError",
        "not an exception of the contract",
    ),
    (
        "looks_at_the_cluster",
        "monitor.py",
        "said = type(error).__name__.encode()",
        "from magnum.drivers.contract import CloudUnavailable; raise CloudUnavailable('No.')",
        "raises nothing",
    ),
    ("looks_at_the_cluster", "monitor.py", "timeout=1", "timeout=99", SLOW),
    (
        "looks_at_the_cluster",
        "monitor.py",
        "HealthStatus.UNHEALTHY",
        "HealthStatus.HEALTHY",
        "cannot have answered",
    ),
    (
        "looks_at_the_cluster",
        "monitor.py",
        "HealthStatus.UNHEALTHY",
        "'BAD'",
        "which is no HealthStatus",
    ),
    (
        "looks_at_the_cluster",
        "monitor.py",
        ', {"api": "it does not answer"})',
        ")",
        "no reason says why",
    ),
    (
        "looks_at_the_cluster",
        "monitor.py",
        '"it does not answer"}',
        '"it does not answer"}, {"cpu": 17}',
        "not between 0 and 1",
    ),
    (
        "looks_at_the_cluster",
        "monitor.py",
        '"it does not answer"',
        "work.secrets.client('look').key",
        "private key",
    ),
    (
        "looks_at_the_cluster",
        "monitor.py",
        "return Health(HealthStatus.UN",
        "return dict(z=1) or Health(HealthStatus.UN",
        "answered a dict, which is no Health",
    ),
    ("says_which_nodes_may_go", "scale.py", "[:count]", "", "more than were asked for"),
    (
        "says_which_nodes_may_go",
        "scale.py",
        'f"node-{number}"',
        'f"master-{number}"',
        "is no worker",
    ),
    ("says_which_nodes_may_go", "scale.py", 'f"node-{number}"', '"node-0"', "a node twice"),
    (
        "says_which_nodes_may_go",
        "scale.py",
        "cluster = ask(",
        "__import__('time').sleep(99)\n            cluster = ask(",
        SLOW,
    ),
    ("says_which_nodes_may_go", "scale.py", "return 0 if", "return -1 if", "not a number of nodes"),
    (
        "says_which_nodes_may_go",
        "scale.py",
        "return tuple(reversed(nodes))",
        "ask(work, 'resize', name_of(work), 9) if cluster else None\n        return tuple(reversed(nodes))",
        "changed the cloud",
    ),
    (
        "answers_a_question[GET info]",
        "api.py",
        'return {"nodes"',
        'return {"bodes"',
        "not what its response schema says",
    ),
    (
        "answers_a_question[GET info]",
        "api.py",
        'raise NotFound("There is no cluster.")',
        'cluster["nodes"]',
        "raised TypeError",
    ),
    (
        "answers_a_question[GET info]",
        "api.py",
        'return {"nodes"',
        'ask(work, "resize", name_of(work), 9)\n    return {"nodes"',
        "a GET has changed the cloud",
    ),
    (
        "answers_a_question[GET info]",
        "api.py",
        "cluster = ask(",
        "__import__('time').sleep(99)\n    cluster = ask(",
        SLOW,
    ),
    (
        "answers_a_question[GET info]",
        "api.py",
        'return {"nodes": cluster["nodes"]}',
        'return {"nodes": {1}}',
        "is not JSON",
    ),
    (
        "answers_a_question[POST token]",
        "api.py",
        "secret=True",
        "secret=False",
        "declare the endpoint as secret",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_TREE)
def test_a_driver_of_the_tree_passes(name: str) -> None:
    for case in of_the_tree(name, connects=True):
        case.run()


def test_the_driver_that_is_spoiled_below_passes(tmp_path: Path) -> None:
    tried = [case for case in cases(candidate(str(copy_of_good(tmp_path)))) if case.connects]
    assert len(tried) == 4
    for case in tried:
        case.run()


@pytest.mark.parametrize("spoiling", SPOILED)
def test_a_spoiled_driver_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoiling: Spoiling
) -> None:
    if spoiling[-1] == SLOW:
        for module in (alongside, endpoints):
            monkeypatch.setattr(module, "LONGEST", 0.5)
    expect(tmp_path, spoiling)
