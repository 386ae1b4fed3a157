"""All that is tried of a driver, as a list of cases with names: what pytest runs, and what the documentation tells."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from magnum.drivers.conformance import border, running, trouble
from magnum.drivers.conformance.candidate import Candidate
from magnum.drivers.contract import Verb

#: What is tried of each verb that a driver has.
OF_EVERY_VERB: tuple[Callable[[Candidate, Verb], None], ...] = (
    running.reaches_its_end,
    running.can_be_repeated,
    running.survives_restarts,
    running.does_not_block,
    running.is_done_only_at_the_end,
    trouble.stands_broken_calls,
    trouble.says_no_secret,
)
#: What is tried of those that make or change a cluster.
OF_WORK: tuple[Callable[[Candidate, Verb], None], ...] = (trouble.tells_a_failure,)
#: What is tried once.
OF_THE_WHOLE: tuple[Callable[[Candidate], None], ...] = (
    border.says_who_it_is,
    border.declares_its_options,
    trouble.deletes_from_anywhere,
)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is tried. ``run`` raises Unfit where the driver does not pass."""

    name: str
    run: Callable[[], None]


def cases(candidate: Candidate) -> Iterator[Case]:
    """Every case for a driver, in order."""
    verbs = candidate.make().verbs()
    for whole in OF_THE_WHOLE:
        yield Case(whole.__name__, partial(whole, candidate))
    if Verb.CHECK in verbs:
        yield Case("observes", partial(border.observes, candidate))
    for verb in Verb:
        if verb not in verbs:
            yield _of_verb(border.refuses_what_it_has_not, candidate, verb)
            continue
        ends = () if verb in (Verb.DELETE, Verb.CHECK) else OF_WORK
        for check in (*OF_EVERY_VERB, *ends):
            yield _of_verb(check, candidate, verb)
    for option in border.options_of(candidate):
        yield Case(
            f"refuses_a_wrong_value[{option}]",
            partial(border.refuses_a_wrong_value, candidate, option),
        )


def _of_verb(check: Callable[[Candidate, Verb], None], candidate: Candidate, verb: Verb) -> Case:
    return Case(f"{check.__name__}[{verb}]", partial(check, candidate, verb))
