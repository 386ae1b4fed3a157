"""What is tried of what a driver has beside its verbs: monitor, scaler, preview, its choice of a site, its secrets."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from magnum.drivers.conformance.candidate import Candidate
from magnum.drivers.conformance.silence import REFUSING
from magnum.drivers.conformance.situations import LONGEST, at_a_cluster_that, situations
from magnum.drivers.conformance.trial import Answer, Trial, Unfit, after, same, told, trial
from magnum.drivers.conformance.trouble import no_secret_in
from magnum.drivers.contract import (
    Change,
    Done,
    DriverError,
    Facts,
    Failed,
    Health,
    HealthStatus,
    Load,
    Monitor,
    Preview,
    Scaler,
    Verb,
)

CHANGES = ("added", "deleted", "replaced", "updated", "unchanged")
#: How often Keystone does not answer before it gives the nodes' credential.
UNAVAILABLE = 3
#: Calls of a creation of which each is lost once.
LOST_CALLS = 4


# --- monitor ---------------------------------------------------------------------------------------------------------


def looks_at_the_cluster(candidate: Candidate) -> None:
    """The monitor comes back within 10 s with a Health and raises nothing, whatever the cluster does or is not."""
    for situation in situations():
        with trial(candidate) as one:
            if situation is not None:
                one.finish(Verb.CREATE)
            with at_a_cluster_that(situation, one):
                _look(one, situation)


def _look(one: Trial, situation: str | None) -> None:
    where = f"a look at a cluster that {situation}" if situation else "a look before the creation"
    before = one.world.picture()
    health = one.ask(where, partial(_monitor(one).look, one.world.work(Verb.CHECK, {})), LONGEST)
    if isinstance(health, DriverError):
        raise Unfit(
            f"{where}: it raised {told(health)}; 'look' answers a Health and raises nothing"
        )
    if not isinstance(health, Health):
        raise Unfit(f"{where}: it answered a {type(health).__name__}, which is no Health")
    _check_health(health, where)
    if one.world.has_cloud and health.status is HealthStatus.HEALTHY:
        raise Unfit(f"{where}: it is said to be HEALTHY, though it cannot have answered")
    if one.world.picture() != before:
        raise Unfit(f"{where}: it has changed the cloud")
    for said in (repr(health), *one.logged):
        no_secret_in(one, said, where)


def _monitor(one: Trial) -> Monitor:
    monitor = one.driver.monitor
    assert monitor is not None
    return monitor


def _check_health(health: Health, where: str) -> None:
    if not isinstance(health.status, HealthStatus):
        raise Unfit(f"{where}: the status is {health.status!r}, which is no HealthStatus")
    if not isinstance(health.facts, Facts):
        raise Unfit(f"{where}: 'facts' has to be a Facts")
    reasons: Mapping[Any, Any] = health.reasons
    for name, reason in reasons.items():
        if not isinstance(name, str) or not isinstance(reason, str) or not reason:
            raise Unfit(f"{where}: the reason of {name!r} has to be a text that is not empty")
    utilisation: Mapping[str, Any] = health.utilisation
    for name, used in utilisation.items():
        if isinstance(used, bool) or not isinstance(used, int | float) or not 0 <= used <= 1:
            raise Unfit(
                f"{where}: the utilisation of {name!r} is {used!r}, which is not between 0 and 1"
            )
    if health.status is HealthStatus.UNHEALTHY and not health.reasons:
        raise Unfit(f"{where}: it is UNHEALTHY, and no reason says why")


# --- scaler ----------------------------------------------------------------------------------------------------------


def says_which_nodes_may_go(candidate: Candidate) -> None:
    """The scaler never names more nodes than asked for, only workers of the bay, no node twice; and raises nothing."""
    for situation in situations():
        with trial(candidate) as one:
            if situation is not None:
                one.finish(Verb.CREATE)
            with at_a_cluster_that(situation, one):
                where = f"of a cluster that {situation}" if situation else "before the creation"
                for count in (0, 1, 1000) if situation in (None, REFUSING) else (1,):
                    _check_removable(one, count, where)
                _check_missing(one, where)


def _scaler(one: Trial) -> Scaler:
    scaler = one.driver.scaler
    assert scaler is not None
    return scaler


def _check_removable(one: Trial, count: int, where: str) -> None:
    where = f"removable(work, {count}) {where}"
    before = one.world.picture()
    work = one.world.work(Verb.SCALE, {})
    named = one.ask(where, partial(_scaler(one).removable, work, count), LONGEST)
    if not isinstance(named, tuple) or not all(isinstance(ident, str) for ident in named):
        raise Unfit(f"{where}: it answered {_short(named)}, and not a tuple of ids")
    if len(named) > count:
        raise Unfit(f"{where}: it names {len(named)} nodes, more than were asked for")
    if len(set(named)) < len(named):
        raise Unfit(f"{where}: it names a node twice: {', '.join(named)}")
    workers = one.world.workers()
    if workers is not None and (strangers := set(named) - set(workers)):
        raise Unfit(f"{where}: {', '.join(sorted(strangers))} is no worker of the bay")
    if one.world.picture() != before:
        raise Unfit(f"{where}: it has changed the cloud")
    for line in one.logged:
        no_secret_in(one, line, where)


def _check_missing(one: Trial, where: str) -> None:
    where = f"missing(work) {where}"
    count = one.ask(where, partial(_scaler(one).missing, one.world.work(Verb.SCALE, {})), LONGEST)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise Unfit(f"{where}: it answered {_short(count)}, and not a number of nodes")


def _short(value: object) -> str:
    return told(value) if isinstance(value, DriverError) else repr(value)[:200]


# --- preview ---------------------------------------------------------------------------------------------------------


def previews(candidate: Candidate) -> None:
    """A preview of an update says what would change, in the contract's words, and changes nothing."""
    with trial(candidate, Verb.UPDATE) as one:
        before = one.world.picture()
        work = one.world.work(Verb.UPDATE, {})
        answer = one.ask("the preview", partial(one.driver.preview, work), LONGEST)
        if one.world.picture() != before:
            raise Unfit("the preview has changed the cloud")
        if isinstance(answer, DriverError):
            raise Unfit(f"the preview of a complete cluster's update raised {told(answer)}")
        if not isinstance(answer, Preview):
            raise Unfit(f"the preview is a {type(answer).__name__}, which is no Preview")
        changes: Iterable[Any] = answer.changes
        for change in changes:
            if not isinstance(change, Change) or change.kind not in CHANGES:
                raise Unfit(f"{_short(change)} in the preview is none of {', '.join(CHANGES)}")
        for said in (repr(answer), *one.logged):
            no_secret_in(one, said, "in the preview")
    with trial(candidate) as one:
        work = one.world.work(Verb.UPDATE, {})
        answer = one.ask("a preview without a cluster", partial(one.driver.preview, work), LONGEST)
        if not isinstance(answer, DriverError | Preview):
            raise Unfit(f"a preview without a cluster is a {type(answer).__name__}")


# --- site ------------------------------------------------------------------------------------------------------------


def chooses_its_site_once(candidate: Candidate) -> None:
    """The site is chosen by the creation and never changes, though the loads do; an answer may be lost."""
    with trial(candidate) as one:
        one.finish(Verb.CREATE)
        site = one.world.bay.site
        if not site:
            return  # it chooses none
        _change_loads(one)
        for verb in (Verb.CREATE, Verb.UPDATE, Verb.CHECK):
            if verb in one.driver.verbs():
                one.world.ask(verb)
                one.finish(verb)
                _expect_site(site, one, f"'{verb}' after the creation")
    for number in range(1, LOST_CALLS + 1):
        with trial(candidate) as one:
            _lose_an_answer(one, number)


def _lose_an_answer(one: Trial, number: int) -> None:
    """Have nobody hear the answer of one call of a creation. If it made something, that stays where it was made."""
    cursor: Mapping[str, Any] = {}
    for _ in range(number - 1):
        cursor = after(one.call(Verb.CREATE, cursor), cursor)
    site = _site_in(one.call(Verb.CREATE, cursor, lost=True)) or one.world.bay.site
    made = bool(one.world.clusters())
    _change_loads(one)
    one.finish(Verb.CREATE, cursor)
    if made and site:
        _expect_site(site, one, f"a creation of which the answer of call {number} was lost")


def _site_in(answer: Answer) -> Mapping[str, str] | None:
    return None if isinstance(answer, DriverError) else answer.facts.site


def _change_loads(one: Trial) -> None:
    """The zones are now as full as the one on the other side was."""
    numbers = sorted(one.world.loads.values(), key=lambda load: load.bays)
    names = sorted(one.world.loads, key=lambda name: -one.world.loads[name].bays)
    one.world.loads = {
        name: Load(load.bays * 50, load.own * 50) for name, load in zip(names, numbers, strict=True)
    }


def _expect_site(site: Mapping[str, str], one: Trial, where: str) -> None:
    now = one.world.bay.site
    if dict(now) != dict(site):
        raise Unfit(
            f"{where}: the site was {dict(site)} and is now {dict(now)}. Choose it where 'bay.site' is empty and "
            "nothing was made yet; of what is there already, say where it is."
        )


# --- secrets ---------------------------------------------------------------------------------------------------------


def asks_for_its_secrets_again(candidate: Candidate, verb: Verb) -> None:
    """It waits while Keystone has no credential for the nodes, and after a restart asks for the same secrets."""
    with trial(candidate, verb) as one:
        end = one.finish(verb)
        names = set(one.world.secrets.names)
    with trial(candidate, verb) as other:
        other.driver = candidate.restarted()
        other.world.secrets.unavailable = UNAVAILABLE
        found = other.run(verb)
        if isinstance(found, Failed) or not (isinstance(found, Done) and same(end, found)):
            raise Unfit(
                f"'{verb}' has another end where the credential of the nodes comes late: {told(found)}. "
                "Let CloudUnavailable pass, and go on at the next call."
            )
        if strange := names ^ other.world.secrets.names:
            raise Unfit(
                f"'{verb}' asks for other secrets after a restart: {', '.join(sorted(strange))}. "
                "Derive their names from what the bay is."
            )
