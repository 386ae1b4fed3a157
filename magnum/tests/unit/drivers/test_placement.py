"""Placement: verdicts are never overruled, the choice is reproducible, and losers do not matter."""

import dataclasses
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from magnum.drivers import placement
from magnum.drivers.contract import ANY_DISTRO, Provides
from magnum.drivers.placement import Assessment, Candidate, Decision, Rules, Wish

RULES = Rules(
    filters={
        "enabled": placement.Enabled(),
        "named": placement.Named(),
        "capability": placement.Capability(),
        "server_type": placement.ServerType(),
        "room": placement.Room(),
        "health": placement.Health(),
    },
    weighers={
        "preference": placement.Preference(),
        "version": placement.Version(),
        "load": placement.Load(),
        "affinity": placement.Affinity(),
    },
    factors={"preference": 8, "version": 4, "load": 1, "affinity": 0.5},
)
SWARM = frozenset({Provides("vm", "atomic", "swarm")})
WISH = Wish("p1", server_type="vm", os_distro="atomic", coe="swarm")


def decide(*candidates: Candidate, wish: Wish = WISH, rules: Rules = RULES) -> Decision:
    return placement.decide(wish, candidates, rules)


def swarm(name: str = "swarm_v1", version: str = "1.0.0", **facts: object) -> Candidate:
    return dataclasses.replace(Candidate(name, version, SWARM), **facts)  # type: ignore[arg-type]


def verdicts(decision: Decision, name: str) -> Mapping[str, str]:
    """Why a candidate is out, by filter."""
    (found,) = [one for one in decision.assessments if one.candidate.driver == name]
    return {name: why for name, why in found.verdicts.items() if why is not None}


def test_the_newer_version_is_taken_where_nothing_else_speaks() -> None:
    decision = decide(swarm("a_v1", "1.9.0"), swarm("a_v2", "2.0.0"), swarm("a_v3", "2.0.0-dev"))
    assert decision.chosen is not None and decision.chosen.driver == "a_v2"


def test_the_operators_preference_counts_more() -> None:
    decision = decide(swarm("a_v1", preference=1.0), swarm("a_v2", "2.0.0"))
    assert decision.chosen is not None and decision.chosen.driver == "a_v1"


def test_load_and_affinity_decide_between_equals() -> None:
    busy, quiet = swarm("a_v1", bays=40), swarm("b_v1", bays=2)
    assert decide(busy, quiet).chosen == quiet
    known = swarm("c_v1", bays=2, own_bays=2)
    assert decide(busy, quiet, known).chosen == known


def test_equals_are_taken_in_the_order_of_their_names() -> None:
    one, two = swarm("a_v1"), swarm("b_v1")
    assert decide(two, one).chosen == decide(one, two).chosen == one


def test_every_reason_against_a_candidate_is_told() -> None:
    decision = decide(
        swarm("broken_v1", unusable="SyntaxError"),
        swarm("full_v1", bays=5, room=5),
        Candidate("k8s_v1", "1", frozenset({Provides("vm", "coreos", "kubernetes")})),
        Candidate("metal_v1", "1", frozenset({Provides("bm", ANY_DISTRO, "swarm")})),
    )
    assert decision.chosen is None
    assert verdicts(decision, "broken_v1") == {"enabled": "SyntaxError"}
    assert verdicts(decision, "full_v1") == {"room": "it has 5 bays, and may have 5"}
    assert verdicts(decision, "k8s_v1") == {"capability": "it provides kubernetes, not swarm"}
    assert verdicts(decision, "metal_v1") == {"server_type": "it makes nodes of type bm, not vm"}


def test_whose_services_do_not_answer_is_out_while_another_could_serve() -> None:
    down, well = swarm("a_v2", "2.0.0", down=("orchestration",)), swarm("a_v1", "1.0.0")
    decision = decide(down, well)
    assert decision.chosen == well
    assert verdicts(decision, "a_v2") == {"health": "its services do not answer (orchestration)"}


def test_nobody_is_refused_for_health_alone_and_it_is_said() -> None:
    down, full = swarm("a_v2", down=("orchestration",)), swarm("a_v1", bays=5, room=5)
    decision = decide(down, full)
    assert decision.chosen == down
    assert decision.assessments[0].notes == {
        "health": "its services do not answer (orchestration), and no other driver could serve"
    }
    named = dataclasses.replace(WISH, driver="a_v2")
    assert decide(down, swarm("a_v1"), wish=named).chosen == down


def test_who_names_a_driver_gets_that_driver_or_nothing() -> None:
    named = dataclasses.replace(WISH, driver="a_v1", version="1.0.0")
    decision = decide(swarm("a_v1", "1.0.0"), swarm("a_v2", "2.0.0"), wish=named)
    assert decision.chosen is not None and decision.chosen.driver == "a_v1"
    decision = decide(swarm("a_v1", "1.1.0"), swarm("a_v2", "2.0.0"), wish=named)
    assert decision.chosen is None
    assert verdicts(decision, "a_v1") == {"named": "the request names version 1.0.0, this is 1.1.0"}


def test_no_candidates_no_choice() -> None:
    assert decide() == Decision(None, ())


class Odd:
    """A weigher that keeps no promise."""

    def __init__(self, answer: float) -> None:
        self._answer = answer

    def weigh(self, wish: Wish, candidate: Candidate) -> float:
        return self._answer


def test_a_weigher_cannot_leave_its_range() -> None:
    for answer, counted in ((7.0, 1.0), (-3.0, 0.0), (float("nan"), 0.0), (float("inf"), 1.0)):
        decision = decide(swarm(), rules=Rules({}, {"odd": Odd(answer)}, {"odd": 2.0}))
        assert decision.assessments[0].total == 2 * counted


names = st.sampled_from([f"{word}_v{n}" for word in ("swarm", "k8s", "mesos") for n in range(1, 5)])
offers = st.frozensets(
    st.builds(
        Provides,
        st.sampled_from(["vm", "bm"]),
        st.sampled_from(["atomic", "coreos", ANY_DISTRO]),
        st.sampled_from(["swarm", "kubernetes"]),
    ),
    max_size=3,
)
candidates = st.lists(
    st.builds(
        Candidate,
        driver=names,
        version=st.sampled_from(["1.0.0", "1.1.0", "2.0", "dev", ""]),
        provides=offers,
        unusable=st.sampled_from(["", "", "", "broken"]),
        bays=st.integers(0, 500),
        own_bays=st.integers(0, 50),
        room=st.none() | st.integers(0, 500),
        preference=st.floats(0, 1),
        down=st.sampled_from([(), (), ("orchestration",)]),
    ),
    max_size=8,
    unique_by=lambda one: one.driver,
)
wishes = st.builds(
    Wish,
    st.just("p1"),
    server_type=st.sampled_from([None, "vm", "bm"]),
    os_distro=st.sampled_from([None, "atomic", "coreos"]),
    coe=st.sampled_from([None, "swarm", "kubernetes"]),
    driver=st.none() | names,
)


def out(one: Assessment) -> bool:
    return any(why is not None for why in one.verdicts.values())


def hard(wish: Wish, one: Candidate) -> bool:
    """Whether a filter that never yields refuses it."""
    return any(
        rule.refuse(wish, one) is not None
        for name, rule in RULES.filters.items()
        if name != "health"
    )


@given(wishes, candidates)
def test_a_filters_verdict_is_never_overruled(wish: Wish, given_: list[Candidate]) -> None:
    decision = decide(*given_, wish=wish)
    assert len(decision.assessments) == len(given_)
    nobody_is_well = all(hard(wish, one) or one.down for one in given_)
    for one in decision.assessments:
        assert (one.total is None) == out(one)
        assert set(one.verdicts) == set(RULES.filters)
        for name, why in one.verdicts.items():
            said = RULES.filters[name].refuse(wish, one.candidate)
            if name == "health" and nobody_is_well and not hard(wish, one.candidate):
                assert why is None
                assert (name in one.notes) == (said is not None)
            else:
                assert why == said
                assert name not in one.notes
    left = [one for one in decision.assessments if not out(one)]
    assert (decision.chosen is None) == (not left)
    if left:
        assert decision.chosen == left[0].candidate
        assert left[0].total == max(one.total or 0.0 for one in left)


@given(wishes, candidates)
def test_no_request_is_refused_for_health_alone(wish: Wish, given_: list[Candidate]) -> None:
    left = [one for one in given_ if not hard(wish, one)]
    chosen = decide(*given_, wish=wish).chosen
    assert (chosen is None) == (not left)
    if chosen is not None and chosen.down:
        assert all(one.down for one in left)


@given(wishes, candidates, st.randoms())
def test_the_same_input_gives_the_same_choice_in_any_order(
    wish: Wish, given_: list[Candidate], chance: object
) -> None:
    shuffled = list(given_)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(*given_, wish=wish) == decide(*shuffled, wish=wish)


@given(wishes, candidates)
def test_taking_a_loser_away_changes_nothing(wish: Wish, given_: list[Candidate]) -> None:
    decision = decide(*given_, wish=wish)
    for loser in given_:
        if loser != decision.chosen:
            rest = [one for one in given_ if one != loser]
            assert decide(*rest, wish=wish).chosen == decision.chosen
