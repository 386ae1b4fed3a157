"""The failure catalogue has every code that the source gives, and no other."""

import ast
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from magnum.drivers import contract, heat
from magnum.drivers.contract import Actor
from magnum.lifecycle import failures
from magnum.lifecycle.failures import CATALOGUE, Failure, advice

#: Outcomes and causes: the first argument is a code.
_GIVE_A_CODE = ("Blocked", "Failed", "Cause")


def _modules() -> list[ast.Module]:
    """Every module that may give a code."""
    paths = [
        *Path(contract.__file__).parent.glob("*.py"),
        *Path(heat.__file__).parent.glob("*.py"),
        *Path(failures.__file__).parent.glob("*.py"),
    ]
    return [ast.parse(path.read_text()) for path in paths if path != Path(failures.__file__)]


def _given(modules: Sequence[ast.Module]) -> set[str]:
    """Codes of errors that a driver raises, of outcomes, and whatever stands before whose move it is."""
    nodes = [node for module in modules for node in ast.walk(module)]
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    found = {code for node in _errors(classes) for code in _class_attribute(node)}
    found |= {code for code, _ in _with_actors(modules)}
    return found | {
        code for node in nodes if isinstance(node, ast.Call) for code in _first_argument(node)
    }


def _with_actors(modules: Sequence[ast.Module]) -> Iterator[tuple[str, Actor]]:
    """Codes that stand before whose move it is, in a call or a tuple."""
    for node in (node for module in modules for node in ast.walk(module)):
        if isinstance(node, ast.Call):
            yield from _before_an_actor(node.args)
        elif isinstance(node, ast.Tuple):
            yield from _before_an_actor(node.elts)


def _errors(classes: Sequence[ast.ClassDef]) -> list[ast.ClassDef]:
    """DriverError and all classes that are made from it, directly or not."""
    names, found = {"DriverError"}, []
    for _ in classes:  # as many rounds as there could be steps from a class to the base
        found = [
            node
            for node in classes
            if node.name in names or any(_name(base) in names for base in node.bases)
        ]
        names |= {node.name for node in found}
    return found


def _class_attribute(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code)))
                | ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant(value=str(code)))
            ):
                yield code


def _first_argument(node: ast.Call) -> Iterator[str]:
    if _name(node.func) not in _GIVE_A_CODE:
        return
    named = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
    match [*node.args[:1], *named]:
        case [ast.Constant(value=str(code))]:
            yield code


def _before_an_actor(items: Sequence[ast.expr]) -> Iterator[tuple[str, Actor]]:
    for item, following in itertools.pairwise(items):
        match item, following:
            case (
                ast.Constant(value=str(code)),
                ast.Attribute(value=ast.Name(id="Actor"), attr=actor),
            ):
                yield code, Actor[actor]


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def test_the_search_finds_each_way_in_which_a_code_is_given() -> None:
    source = """
class DriverError(Exception):
    code: ClassVar[str] = "BASE"
class Middle(contract.DriverError):
    code = "MIDDLE"
class Leaf(Middle):
    code = "LEAF"
class Other(errors.Conflict):
    code = "NOT_OURS"
Failed("FIRST", actor)
Blocked(actor=actor, code="NAMED")
TABLE = ((pattern, "LISTED", Actor.USER),)
call(1, "PASSED", Actor.USER)
Failed(variable, "A text")
"""
    wanted = {"BASE", "MIDDLE", "LEAF", "FIRST", "NAMED", "LISTED", "PASSED"}
    assert _given([ast.parse(source)]) == wanted


def test_every_code_in_the_source_is_in_the_catalogue() -> None:
    given = _given(_modules())
    assert given
    assert given - CATALOGUE.keys() == set()


def test_every_code_in_the_catalogue_is_in_the_source() -> None:
    assert CATALOGUE.keys() - _given(_modules()) == set()


def test_source_and_catalogue_say_the_same_of_whose_move_it_is() -> None:
    given: dict[str, set[Actor]] = {}
    kinds = ((kind.code, kind.actor) for kind in _kinds(contract.DriverError))
    for code, actor in itertools.chain(kinds, _with_actors(_modules())):
        # What passes by itself is nobody's move, whoever could help.
        given.setdefault(code, {Actor.NOBODY}).add(actor)
    assert len(given) > len(CATALOGUE) / 2
    for code, actors in given.items():
        assert CATALOGUE[code].actor in actors, code


def _kinds(error: type[contract.DriverError]) -> Iterator[type[contract.DriverError]]:
    """An error and all that are made from it, except by tests and by drivers for themselves."""
    yield error
    for kind in error.__subclasses__():
        if kind.__module__.startswith(
            ("magnum.drivers.heat", "magnum.lifecycle", contract.__name__)
        ):
            yield from _kinds(kind)


@pytest.mark.parametrize("failure", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_an_entry_says_all_in_whole_sentences(failure: Failure) -> None:
    for text in (failure.meaning, failure.user, failure.operator):
        assert text[0].isupper() and text.endswith(".")


def test_an_operation_that_has_ended_waits_for_somebody() -> None:
    ended = [failure for failure in CATALOGUE.values() if not failure.waits]
    assert Actor.NOBODY not in {failure.actor for failure in ended}


def test_advice_is_what_the_user_can_do() -> None:
    assert advice("QUOTA_EXCEEDED") == CATALOGUE["QUOTA_EXCEEDED"].user
    assert advice("A_CODE_OF_SOMEBODY_ELSES_DRIVER") is None
