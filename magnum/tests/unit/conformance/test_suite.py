"""The suite of driver conformance: drivers that are right pass it, and for every rule there is one that breaks it."""

import shutil
from pathlib import Path

import pytest

from magnum.drivers.conformance import trial
from magnum.drivers.conformance.candidate import Candidate, Unusable, candidate
from magnum.drivers.conformance.cases import OF_EVERY_VERB, OF_THE_WHOLE, OF_WORK, Case, cases
from magnum.drivers.conformance.trial import Unfit

GOOD = Path(__file__).parent / "good_v1"
IN_TREE = {name: candidate(name) for name in ("noop_v1", "swarm_atomic_v1")}

#: Case, file, what is replaced, by what, and what the suite has to say.
SPOILED = [
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
        "return Facts(api_address=",
        "return Facts() or dict(a=",
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
        "driver.py",
        "except OSError",
        "except KeyError",
        "raised ConnectionError",
    ),
    (
        "stands_broken_calls[create]",
        "driver.py",
        'raise CloudUnavailable("The cloud did not answer."',
        'raise contract.BuildError("The cloud did not answer."',
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
        "raise CloudUnavailable(''); (",
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
]


def named(of: Candidate, name: str) -> Case:
    (found,) = [case for case in cases(of) if case.name == name]
    return found


def copy_of_good(folder: Path) -> Path:
    copied = folder / "drivers" / "good_v1"
    shutil.copytree(GOOD, copied, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (copied.parent, copied, *copied.iterdir()):
        path.chmod(0o755)
    return copied


@pytest.mark.parametrize(
    ("name", "case"),
    [
        pytest.param(name, case, id=f"{name}-{case.name}")
        for name, of in IN_TREE.items()
        for case in cases(of)
    ],
)
def test_a_driver_of_the_tree_passes(name: str, case: Case) -> None:
    case.run()


def test_the_driver_that_is_spoiled_below_passes(tmp_path: Path) -> None:
    for case in cases(candidate(str(copy_of_good(tmp_path)))):
        case.run()


@pytest.mark.parametrize(("name", "file", "old", "new", "said"), SPOILED)
def test_a_spoiled_driver_does_not_pass(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    file: str,
    old: str,
    new: str,
    said: str,
) -> None:
    path = copy_of_good(tmp_path)
    text = (path / file).read_text()
    assert old in text
    (path / file).write_text(text.replace(old, new))
    if said == "has not returned":
        monkeypatch.setattr(trial, "PATIENCE", 0.5)
    with pytest.raises(Unfit, match=said):
        named(candidate(str(path)), name).run()


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
