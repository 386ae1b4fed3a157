"""The suite of driver conformance: drivers that are right pass it, and for every rule there is one that breaks it."""

import errno
import socket
from pathlib import Path

import pytest

from magnum.drivers.conformance import trial
from magnum.drivers.conformance.candidate import Unusable, candidate
from magnum.drivers.conformance.cases import OF_EVERY_VERB, OF_THE_WHOLE, OF_WORK, Case, cases
from magnum.tests.unit.conformance.spoiled import (
    IN_TREE,
    Spoiling,
    copy_of_good,
    expect,
    of_the_tree,
)

SPOILED: list[Spoiling] = [
    ("says_who_it_is", "version.py", '"1.0.0"', '"latest"', "should be like 1.0.0"),
    (
        "declares_its_options",
        "schema.json",
        '"default": 1',
        '"default": 0',
        "default is not allowed",
    ),
    ("declares_its_options", "schema.json", '"fixed"', '"sometimes"', "x-change should be"),
    (
        "deletes_from_anywhere",
        "driver.py",
        '_ask(work, "delete", _name(work))\n        return Wait(1, {"asked": True}, Progress("deleting"))',
        "return Done()",
        "there is still bay-",
    ),
    (
        "observes",
        "driver.py",
        'return Facts(\n            api_address="tcp',
        'return Facts() or dict(\n            api_address="tcp',
        "no fact at all",
    ),
    ("observes", "driver.py", "raise NotFound(", "return Facts() or (", "should raise NotFound"),
    (
        "reaches_its_end[create]",
        "driver.py",
        "return Done(self.ob",
        "return Wait(1) or (self.ob",
        "does not end",
    ),
    (
        "can_be_repeated[create]",
        "driver.py",
        "if cluster is None:\n            _ask(",
        "if not work.cursor:\n            import os\n            _ask(work, 'create', os.urandom(4).hex(), 1)\n"
        "        if cluster is None:\n            _ask(",
        "2 clusters",
    ),
    (
        "can_be_repeated[create]",
        "driver.py",
        "if cluster is None:\n            _ask(",
        "if not work.cursor and cluster:\n            return Failed('THERE', Actor.USER, 'It is there.')\n"
        "        if cluster is None:\n            _ask(",
        "another end",
    ),
    (
        "survives_restarts[update]",
        "driver.py",
        'if not work.cursor.get("asked"):',
        'if not getattr(OPTIONS, "asked", False):\n            OPTIONS.asked = True',
        "does not end|another end",
    ),
    (
        "does_not_block[create]",
        "driver.py",
        "OPTIONS.read(",
        "import time; time.sleep(0.25); OPTIONS.read(",
        "took 0.2",
    ),
    (
        "does_not_block[create]",
        "driver.py",
        "OPTIONS.read(",
        "t = __import__('threading'); t.Thread(target=t.Event().wait, args=(2,), name='stray').start(); OPTIONS.read(",
        "leaves threads behind: stray",
    ),
    (
        "is_done_only_at_the_end[create]",
        "driver.py",
        'cluster["state"] == "busy"',
        "not work.cursor",
        "Done while the cloud is still at it",
    ),
    (
        "stands_broken_calls[create]",
        "cloud.py",
        "except OSError",
        "except KeyError",
        "raised ConnectionError",
    ),
    (
        "stands_broken_calls[create]",
        "cloud.py",
        "raise contract.CloudUnavailable(",
        "raise contract.BuildError(",
        "this passes, and yet",
    ),
    (
        "says_no_secret[create]",
        "driver.py",
        '{"asked": True}, Progress(stage)',
        '{"proxy": work.baymodel.http_proxy}, Progress(stage)',
        "planted-proxy-secret",
    ),
    (
        "says_no_secret[create]",
        "driver.py",
        "OPTIONS.read(",
        "__import__('logging').getLogger('d').warning('labels: %s', work.bay.labels); OPTIONS.read(",
        "planted-label-secret",
    ),
    (
        "says_no_secret[update]",
        "driver.py",
        '"The cloud gave up."',
        'f"The cloud gave up: {dict(work.parameters)}"',
        "planted-parameter-secret",
    ),
    (
        "tells_a_failure[create]",
        "driver.py",
        '== "failed"',
        '== "never"',
        "Done though the cloud said",
    ),
    (
        "refuses_what_it_has_not[rebuild]",
        "driver.py",
        "def _look(",
        "def _not_supported(self, verb):\n        raise contract.BuildError('No.')\n\n    def _look(",
        "does not have 'rebuild', but answers BuildError",
    ),
    (
        "refuses_by_values_alone",
        "driver.py",
        "def refuse(self, work: Work) -> None:",
        "def refuse(self, work: Work) -> None:\n        work.clouds.rest('compute')",
        "raised LookupError",
    ),
    (
        "refuses_by_values_alone",
        "driver.py",
        "def refuse(self, work: Work) -> None:",
        "def refuse(self, work: Work) -> None:\n        raise contract.InvalidOption('Never.', option='x')",
        "against a bay that the driver can build",
    ),
    (
        "refuses_a_wrong_value[good_size]",
        "driver.py",
        "read(work.bay.labels)",
        "read(work.bay.labels, strict=False)",
        "should raise InvalidOption",
    ),
    (
        "refuses_a_wrong_value[good_size]",
        "driver.py",
        "def bay_delete(self, work: Work) -> Outcome:",
        "def bay_delete(self, work: Work) -> Outcome:\n        OPTIONS.read(work.bay.labels)",
        "'delete' should end as Done",
    ),
    (
        "reaches_its_end[create]",
        "driver.py",
        '{"asked": True}',
        '{"asked": {1, 2}}',
        "cursor is not JSON",
    ),
    (
        "reaches_its_end[create]",
        "driver.py",
        '{"asked": True}',
        '{"asked": {1: 2}}',
        "not the same after",
    ),
    (
        "reaches_its_end[create]",
        "driver.py",
        '{"asked": True}',
        '{"asked": "x" * 70000}',
        "cursor has 70",
    ),
    (
        "reaches_its_end[create]",
        "driver.py",
        "return Wait(1, ",
        "return Wait(-1, ",
        "no number of seconds",
    ),
    (
        "reaches_its_end[create]",
        "driver.py",
        "OPTIONS.read(",
        "return {}; OPTIONS.read(",
        "which is no outcome",
    ),
    (
        "reaches_its_end[create]",
        "driver.py",
        "OPTIONS.read(",
        "raise RuntimeError('x'); (",
        "not an exception of",
    ),
    (
        "reaches_its_end[create]",
        "driver.py",
        "OPTIONS.read(",
        "raise contract.CloudUnavailable(''); (",
        "without a text",
    ),
    ("tells_a_failure[create]", "driver.py", '"BUILD_FAILED"', '"oops"', "'oops' is no code"),
    ("tells_a_failure[create]", "driver.py", '"The cloud gave up."', '" "', "has no text"),
    (
        "reaches_its_end[create]",
        "driver.py",
        "OPTIONS.read(",
        "__import__('threading').Event().wait(3); OPTIONS.read(",
        "has not returned",
    ),
    (
        "declares_its_endpoints",
        "api.py",
        '"What the cluster is.",',
        '"",',
        "help should be one line",
    ),
    (
        "chooses_its_site_once",
        "driver.py",
        'return {"zone": cluster["zone"]}',
        'return {"zone": cluster["zone"], "size": str(cluster["nodes"])}',
        "the site was",
    ),
    (
        "chooses_its_site_once",
        "driver.py",
        'return {"zone": cluster["zone"]}',
        "return {'zone': min(work.loads, key=lambda z: work.loads[z].bays)} if work.loads else dict(work.bay.site)",
        "the answer of call 1 was lost",
    ),
    (
        "asks_for_its_secrets_again[create]",
        "driver.py",
        'kept("token", ',
        'kept("token" + secrets.token_hex(4), ',
        "asks for other secrets after a restart",
    ),
    (
        "asks_for_its_secrets_again[create]",
        "driver.py",
        "credential = work.secrets.node_credential()",
        "try:\n        credential = work.secrets.node_credential()\n"
        "    except contract.CloudUnavailable as error:\n        raise contract.BuildError('No.') from error",
        "credential of the nodes comes late",
    ),
    (
        "reaches_its_end[create]",
        "driver.py",
        "lambda: secrets.token_urlsafe(24)",
        "lambda: None",
        "a text that is not empty",
    ),
    (
        "says_no_secret[create]",
        "driver.py",
        '"shown": "nothing"',
        '"shown": token',
        "everybody in the project can read a secret .kept secret 'token'",
    ),
    (
        "says_no_secret[create]",
        "driver.py",
        "    zone = ",
        "    __import__('logging').getLogger('d').info('it is %r', credential.secret)\n    zone = ",
        "node credential",
    ),
    (
        "says_no_secret[create]",
        "driver.py",
        "Progress(stage)",
        "Progress(work.secrets.client('admin').key)",
        "private key",
    ),
    (
        "previews",
        "driver.py",
        'Change("updated",',
        'Change("changed",',
        "none of added, deleted",
    ),
    (
        "previews",
        "driver.py",
        "return Preview(",
        "_ask(work, 'resize', _name(work), 9)\n        return Preview(",
        "preview has changed the cloud",
    ),
    ("previews", "driver.py", "return Preview(", "return list(", "which is no Preview"),
]


@pytest.fixture(autouse=True)
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some verbs ask the cluster itself. Here it is refused by everything, without anybody being asked."""

    def refuse(self: socket.socket, address: object) -> None:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", lambda self, address: errno.ECONNREFUSED)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{name}-{case.name}")
        for name in IN_TREE
        for case in of_the_tree(name, connects=False)
    ],
)
def test_a_driver_of_the_tree_passes(case: Case) -> None:
    case.run()


def test_the_driver_that_is_spoiled_below_passes(tmp_path: Path) -> None:
    for case in cases(candidate(str(copy_of_good(tmp_path)))):
        if not case.connects:
            case.run()


@pytest.mark.parametrize("spoiling", SPOILED)
def test_a_spoiled_driver_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoiling: Spoiling
) -> None:
    if spoiling[-1] == "has not returned":
        monkeypatch.setattr(trial, "PATIENCE", 0.5)
    expect(tmp_path, spoiling)


def test_every_check_is_spoiled_once() -> None:
    tried = {name.partition("[")[0] for name, *_ in SPOILED}
    checks = {check.__name__ for check in (*OF_EVERY_VERB, *OF_WORK, *OF_THE_WHOLE)}
    assert checks <= tried


def test_what_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    path = copy_of_good(tmp_path)
    (path / "driver.py").write_text("def (")
    with pytest.raises(Unusable, match="SyntaxError"):
        candidate(str(path))
    with pytest.raises(Unusable, match="has no driver"):
        candidate(str(tmp_path))
    with pytest.raises(Unusable, match="nobody_v1"):
        candidate("nobody_v1")


def test_a_directory_that_others_may_write_is_not_run(tmp_path: Path) -> None:
    path = copy_of_good(tmp_path)
    (path / "driver.py").write_text("raise AssertionError('this was run')")
    (path / "driver.py").chmod(0o666)
    with pytest.raises(Unusable, match="may be written by others"):
        candidate(str(path))


def test_a_world_that_is_none_is_told(tmp_path: Path) -> None:
    path = copy_of_good(tmp_path)
    (path / "conformance.py").write_text("World = int\n")
    with pytest.raises(Unusable, match="no class World"):
        candidate(str(path))
