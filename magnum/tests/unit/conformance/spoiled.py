"""What tests of the conformance suite share: the drivers of the tree, and a driver that is right, to be spoiled."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from magnum import drivers
from magnum.drivers.conformance.candidate import Candidate, Unusable, candidate
from magnum.drivers.conformance.cases import Case, cases
from magnum.drivers.conformance.trial import Unfit

GOOD = Path(__file__).parent / "good_v1"

#: Case, file, what is replaced, by what, and what the suite has to say.
Spoiling = tuple[str, str, str, str, str]


#: The names of the drivers of the tree.
IN_TREE = sorted(
    path.parent.name for path in Path(str(drivers.__file__)).parent.glob("*_v[0-9]*/driver.py")
)


def of_the_tree(name: str, *, connects: bool) -> Iterator[Case]:
    """The cases of one driver of the tree that do, or do not, connect to clusters."""
    try:
        yield from (case for case in cases(candidate(name)) if case.connects == connects)
    except Unusable as error:
        text = str(error)

        def run() -> None:
            raise Unfit(text)

        yield Case("can_be_loaded", run)


def named(of: Candidate, name: str) -> Case:
    """The case of a name."""
    (found,) = [case for case in cases(of) if case.name == name]
    return found


def copy_of_good(folder: Path) -> Path:
    """A copy of the good driver that may be spoiled."""
    copied = folder / "drivers" / "good_v1"
    shutil.copytree(GOOD, copied, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (copied.parent, copied, *copied.iterdir()):
        path.chmod(0o755)
    return copied


def expect(folder: Path, spoiling: Spoiling) -> None:
    """Spoil a copy of the good driver, and have the suite say so."""
    name, file, old, new, said = spoiling
    path = copy_of_good(folder)
    text = (path / file).read_text()
    assert old in text
    (path / file).write_text(text.replace(old, new))
    with pytest.raises(Unfit, match=said):
        named(candidate(str(path)), name).run()
