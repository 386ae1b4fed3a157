"""All that is tried of a driver, as a list of cases with names: what pytest runs, and what the documentation tells."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from magnum.drivers.conformance import (
    alongside,
    border,
    endpoints,
    grouping,
    running,
    trouble,
)
from magnum.drivers.conformance.candidate import Candidate
from magnum.drivers.contract import Driver, Verb

#: What is tried of each verb that a driver has.
OF_EVERY_VERB: tuple[Callable[[Candidate, Verb], None], ...] = (
    running.reaches_its_end,
    running.can_be_repeated,
    running.survives_restarts,
    running.does_not_block,
    running.is_done_only_at_the_end,
    trouble.stands_broken_calls,
    trouble.says_no_secret,
    alongside.asks_for_its_secrets_again,
)
#: What is tried of those that make or change a cluster.
OF_WORK: tuple[Callable[[Candidate, Verb], None], ...] = (trouble.tells_a_failure,)
#: What is tried once.
OF_THE_WHOLE: tuple[Callable[[Candidate], None], ...] = (
    border.says_who_it_is,
    border.declares_its_options,
    border.refuses_by_values_alone,
    endpoints.declares_its_endpoints,
    trouble.deletes_from_anywhere,
    alongside.chooses_its_site_once,
)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is tried. ``run`` raises Unfit where the driver fails, Unknown where it cannot be tried."""

    name: str
    run: Callable[[], None]
    # Whether it connects to clusters made up on this machine, and may take the time that a driver waits for one.
    connects: bool = False


def cases(candidate: Candidate) -> Iterator[Case]:
    """Every case for a driver, in order."""
    verbs = candidate.make().verbs()
    for whole in OF_THE_WHOLE:
        yield _of_the_whole(whole, candidate)
    if Verb.CHECK in verbs:
        yield _of_the_whole(border.observes, candidate)
    for verb in Verb:
        if verb not in verbs:
            yield _of_verb(border.refuses_what_it_has_not, candidate, verb)
            continue
        ends = () if verb in (Verb.DELETE, Verb.CHECK) else OF_WORK
        for check in (*OF_EVERY_VERB, *ends):
            yield _of_verb(check, candidate, verb)
    yield from _beside_the_verbs(candidate)
    for option in border.options_of(candidate):
        yield Case(
            f"refuses_a_wrong_value[{option}]",
            partial(border.refuses_a_wrong_value, candidate, option),
        )


def _beside_the_verbs(candidate: Candidate) -> Iterator[Case]:
    driver = candidate.make()
    if driver.monitor is not None:
        yield _of_the_whole(alongside.looks_at_the_cluster, candidate, connects=True)
    if driver.scaler is not None:
        yield _of_the_whole(alongside.says_which_nodes_may_go, candidate, connects=True)
    if driver.node_groups:
        yield _of_the_whole(grouping.keeps_node_groups, candidate)
    if type(driver).preview is not Driver.preview:
        yield _of_the_whole(alongside.previews, candidate)
    if endpoints.faults_of(driver):
        return  # which a case of its own says
    for one in driver.endpoints:
        check = partial(endpoints.answers_a_question, candidate, one.name, one.method)
        name = f"{endpoints.answers_a_question.__name__}[{one.method} {one.name}]"
        yield Case(name, check, connects=True)


def _of_the_whole(
    check: Callable[[Candidate], None], candidate: Candidate, *, connects: bool = False
) -> Case:
    return Case(check.__name__, partial(check, candidate), connects)


def _of_verb(check: Callable[[Candidate, Verb], None], candidate: Candidate, verb: Verb) -> Case:
    return Case(f"{check.__name__}[{verb}]", partial(check, candidate, verb))
