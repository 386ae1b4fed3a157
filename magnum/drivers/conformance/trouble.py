"""What is tried of every verb in a cloud that does not do as it is told: broken calls, failures, secrets in texts."""

import logging
from collections.abc import Iterable

from magnum.drivers.conformance.candidate import Candidate
from magnum.drivers.conformance.trial import Trial, Unfit, after, same, texts, told, trial
from magnum.drivers.conformance.world import SECRETS, Fault
from magnum.drivers.contract import Done, Verb


def stands_broken_calls(candidate: Candidate, verb: Verb) -> None:
    """Each call into the cloud goes wrong once, in each way: the contract's exceptions only, and never two clusters.

    After what passes, the verb reaches the same end. After anything else the bay can still be deleted.
    """
    with trial(candidate, verb) as one:
        before = one.world.calls()
        end = one.finish(verb)
        calls, faults = one.world.calls() - before, one.world.faults
    with _quiet():
        for fault in faults:
            for number in range(1, calls + 1):
                _break(candidate, verb, number, fault, end)


def _break(candidate: Candidate, verb: Verb, number: int, fault: Fault, end: Done) -> None:
    where = f"with '{fault.name}' for request {number} of '{verb}'"
    with trial(candidate, verb) as one:
        one.world.break_call(number, fault)
        try:
            found = one.run(verb)
            _no_secret(one, where)
            if fault.passes and not same(end, found):
                raise Unfit(f"this passes, and yet it ended as {told(found)}")
            if verb is not Verb.DELETE:
                one.world.settle()
                one.finish(Verb.DELETE)
            if one.world.clusters() and (verb is not Verb.DELETE or isinstance(found, Done)):
                raise Unfit(f"the deletion was Done and left {', '.join(one.world.clusters())}")
        except Unfit as error:
            raise Unfit(f"{where}: {error}") from error


def says_no_secret(candidate: Candidate, verb: Verb) -> None:
    """No outcome, exception, cursor, fact or log line holds a secret of the bay, whatever way the verb goes.

    Nor does what people can read in the cloud hold one that the driver was given.
    """
    with trial(candidate, verb) as one:
        one.finish(verb)
        _no_secret(one, f"in a run of '{verb}'")
        _none_in_the_cloud(one, verb)
    with trial(candidate, verb) as one, _quiet():
        answer = one.call(verb, {})
        if one.world.fail():
            one.run(verb, after(answer, {}))
            _no_secret(one, f"after a failure of '{verb}'")


def _no_secret(one: Trial, where: str) -> None:
    for said in (*map(texts, one.answers), *one.logged):
        no_secret_in(one, said, where)


def no_secret_in(one: Trial, said: str, where: str) -> None:
    """Hold something that a driver says against all secrets of the bay, planted ones and given ones."""
    plain = said.replace("\\n", "\n")  # as a text that was shown by its repr had it
    for secret, name in {
        **dict(zip(SECRETS, SECRETS, strict=True)),
        **one.world.secrets.needles(),
    }.items():
        if secret in plain:
            shown = plain.replace(secret, "<SECRET>")
            raise Unfit(
                f"{where}: what the driver says has a secret of the bay's in it ({name}): {shown[:600]}. "
                "Say what it is, and leave out its value."
            )


def _none_in_the_cloud(one: Trial, verb: Verb) -> None:
    needles = one.world.secrets.needles()
    for place, said in one.world.readable() if needles else ():
        for secret, name in needles.items():
            if secret in said:
                raise Unfit(
                    f"after '{verb}' everybody in the project can read a secret ({name}) in {place}. "
                    "Declare the parameter as hidden, in every template that it goes through, and put no secret "
                    "into an output."
                )


def tells_a_failure(candidate: Candidate, verb: Verb) -> None:
    """Where the cloud gives up, the verb is not Done, and the bay can be deleted."""
    with trial(candidate, verb) as one, _quiet():
        answer = one.call(verb, {})
        if not one.world.fail():
            return
        cursor = after(answer, {})
        for _ in range(5):
            answer = one.call(verb, cursor)
            if isinstance(answer, Done):
                raise Unfit(f"'{verb}' is Done though the cloud said that it failed")
            cursor = after(answer, cursor)
        one.world.settle()
        one.finish(Verb.DELETE)


class _quiet:
    """Keeps expected troubles out of the console; what listens to the root logger still hears them."""

    def __enter__(self) -> None:
        self._last = logging.lastResort
        logging.lastResort = None

    def __exit__(self, *_: object) -> None:
        logging.lastResort = self._last


def deletes_from_anywhere(candidate: Candidate) -> None:
    """A deletion reaches its end before, during and after a creation, and after a failed one; nothing is left."""
    for name in (
        "nothing was made",
        "the creation was under way",
        "it was complete",
        "it had failed",
    ):
        with trial(candidate) as one, _quiet():
            if name == "it was complete":
                one.finish(Verb.CREATE)
            elif name != "nothing was made":
                one.call(Verb.CREATE, {})
            if name == "it had failed" and not one.world.fail():
                continue
            try:
                one.finish(Verb.DELETE)
                _gone(one.world.clusters(), busy=one.world.busy())
            except Unfit as error:
                raise Unfit(f"when {name}: {error}") from error


def _gone(left: Iterable[str], *, busy: bool) -> None:
    names = ", ".join(left)
    if names:
        raise Unfit(
            f"'delete' is Done, and there is still {names}. Look for what is left before saying Done."
        )
    if busy:
        raise Unfit("'delete' is Done while the cloud is still at it")
