"""One run of a driver in one world: calls its verbs as the conductor does, and looks at every answer's form.

A call goes through JSON and a thread of its own, as between two conductors: what a driver wants to remember has to be
in its cursor, and a call that does not come back does not hold up the suite.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from magnum.drivers import asking
from magnum.drivers.conformance.candidate import Candidate
from magnum.drivers.contract import (
    Bay,
    Blocked,
    BuildError,
    Done,
    Driver,
    DriverError,
    Facts,
    Failed,
    InvalidOption,
    NotFound,
    NotSupported,
    Outcome,
    StackChanged,
    Verb,
    Wait,
    Work,
)

#: Calls after which a verb counts as one that never ends.
MOST_CALLS = 60
#: Seconds after which a call counts as one that never returns.
PATIENCE = 20.0
#: Of the thread in which the driver's code runs.
_THREAD = "conformance"
#: Largest cursor, in bytes of JSON.
LARGEST_CURSOR = 64 * 1024
#: What a verb raises to say that it has failed for good; what else it raises stands in its way for now.
FINAL = (NotSupported, InvalidOption, BuildError, NotFound, StackChanged)

_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")

Answer = Outcome | DriverError


class Unfit(AssertionError):
    """The driver breaks a rule of the contract; the text says which, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Before a call: the cursor and the bay that the driver was given."""

    cursor: Mapping[str, Any]
    bay: Bay


class Trial:
    """A driver in a world. ``answers`` and ``logged`` keep what it said."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.driver = candidate.make()
        self.world = candidate.world(self.driver)
        self.answers: list[Answer] = []
        self.logged: list[str] = []
        self.moments: list[Moment] = []
        self.seconds: list[float] = []

    # --- runs -----------------------------------------------------------------------------------------------------

    def prepare(self, verb: Verb) -> "Trial":
        """Have what the verb needs: a complete cluster, except for a creation."""
        if verb is not Verb.CREATE:
            self.finish(Verb.CREATE)
            self.world.ask(verb)
        self.answers, self.moments, self.seconds = [], [], []
        return self

    def finish(self, verb: Verb, cursor: Mapping[str, Any] | None = None, **more: Any) -> Done:
        """Run a verb that has to reach its end."""
        end = self.run(verb, cursor, **more)
        if not isinstance(end, Done):
            raise Unfit(f"'{verb}' should end as Done here, but it ended as {told(end)}")
        return end

    def run(
        self, verb: Verb, cursor: Mapping[str, Any] | None = None, *, twice: int = 0, **more: Any
    ) -> Answer:
        """Call a verb until it ends. The cloud gets further after every second call.

        ``twice`` is the number of a call that is made two times with the same cursor; ``more`` goes into each ``Work``.
        """
        cursor = cursor or {}
        for step in range(MOST_CALLS):
            if step + 1 == twice:
                self.call(verb, cursor, **more)
            answer = self.call(verb, cursor, **more)
            if isinstance(answer, (Done, Failed, *FINAL)):
                return answer
            cursor = after(answer, cursor)
            if step % 2:
                self.world.settle()
        raise Unfit(f"'{verb}' does not end: after {MOST_CALLS} calls it answers {told(answer)}")

    def call(
        self, verb: Verb, cursor: Mapping[str, Any], *, lost: bool = False, **more: Any
    ) -> Answer:
        """One call, with its answer held to the contract. Of one that is ``lost`` nothing is recorded."""
        self.moments.append(Moment(cursor, self.world.bay))
        where = f"'{verb}', call {len(self.moments)}"
        work = self.world.work(verb, cursor, attempt=len(self.moments), **more)
        with self._listening():
            answer = self._ask(self.driver, verb, work, where)
        self.answers.append(answer)
        if not isinstance(answer, DriverError):
            _check_form(answer, where)
            if not lost:
                self.world.learn(answer.facts)
        elif not str(answer.text or "").strip():
            raise Unfit(f"{where}: {type(answer).__name__} was raised without a text for the user")
        if len(self.world.clusters()) > 1:
            raise Unfit(
                f"{where}: the bay has {len(self.world.clusters())} clusters now "
                f"({', '.join(self.world.clusters())}). Derive names from the bay's uuid and adopt what is there."
            )
        return answer

    def _ask(self, driver: Driver, verb: Verb, work: Work, where: str) -> Answer:
        ended = asking.within(PATIENCE, partial(getattr(driver, f"bay_{verb}"), work), _THREAD)
        self.seconds.append(ended.seconds)
        if not ended.came_back:
            raise Unfit(
                f"{where}: it has not returned within {PATIENCE:g} s. Start it and say Wait."
            )
        answer = ended.answer
        if isinstance(answer, Outcome | DriverError):
            return answer
        if isinstance(answer, BaseException):
            raise Unfit(
                f"{where}: it raised {type(answer).__name__} ({answer}), which is not an exception of the contract. "
                "Turn it into one, such as CloudUnavailable."
            ) from answer
        raise Unfit(f"{where}: it answered a {type(answer).__name__}, which is no outcome")

    def ask(self, what: str, question: Callable[[], object], patience: float) -> object:
        """Ask the driver something that is no verb. Returns its answer, or the exception of the contract it raised."""
        with self._listening():
            ended = asking.within(patience, question, _THREAD)
        if not ended.came_back:
            raise Unfit(
                f"{what}: it has not come back within {patience:g} s, and the contract says so"
            )
        answer = ended.answer
        if isinstance(answer, DriverError):
            if not str(answer.text or "").strip():
                raise Unfit(
                    f"{what}: {type(answer).__name__} was raised without a text for the user"
                )
        elif isinstance(answer, BaseException):
            raise Unfit(
                f"{what}: it raised {type(answer).__name__} ({answer}), which is not an exception of the contract. "
                "Turn it into one, such as CloudUnavailable."
            ) from answer
        return answer

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Keep what is logged meanwhile, from INFO upwards, as a service would have it in its log."""
        handler = _Listener(self.logged)
        root = logging.getLogger()
        level, disabled = root.level, root.manager.disable
        root.addHandler(handler)
        root.setLevel(min(level, logging.INFO))
        logging.disable(logging.NOTSET)
        try:
            yield
        finally:
            logging.disable(disabled)
            root.setLevel(level)
            root.removeHandler(handler)

    def close(self) -> None:
        """Clear up."""
        self.world.close()


class _Listener(logging.Handler):
    """Keeps log lines; those of libraries below INFO are none of the driver's."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.INFO)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self._lines.append(record.getMessage())


@contextmanager
def trial(candidate: Candidate, verb: Verb | None = None) -> Iterator[Trial]:
    """A trial in a fresh world, prepared for a verb."""
    one = Trial(candidate)
    try:
        yield one if verb is None else one.prepare(verb)
    finally:
        one.close()


def after(answer: Answer, cursor: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cursor of the next call, by way of JSON: what was raised leaves it as it is."""
    if isinstance(answer, Wait | Blocked):
        read: dict[str, Any] = json.loads(json.dumps(dict(answer.cursor)))
        return read
    return cursor


def told(answer: Answer) -> str:
    """An answer in words."""
    name = type(answer).__name__
    match answer:
        case Failed() | Blocked():
            return f"{name} {answer.code}: {answer.text} [{answer.operator_text}]"
        case DriverError():
            return f"{name}: {answer.text} [{answer.operator_text}]"
        case Wait():
            trouble = f", trouble: {answer.trouble}" if answer.trouble else ""
            return f"Wait({answer.seconds:g}){trouble}"
    return name


def texts(answer: Answer) -> str:
    """Everything that an answer says and that people or a database come to see."""
    if isinstance(answer, DriverError):
        return repr((answer.text, answer.operator_text, getattr(answer, "leftovers", ())))
    trouble = answer.trouble if isinstance(answer, Wait) else None
    return repr((answer, texts(trouble) if trouble else ""))


def _check_form(answer: Outcome, where: str) -> None:
    if not isinstance(answer.facts, Facts):
        raise Unfit(f"{where}: 'facts' has to be a Facts, not a {type(answer.facts).__name__}")
    if isinstance(answer, Failed | Blocked):
        if not _CODE.fullmatch(answer.code):
            raise Unfit(f"{where}: '{answer.code}' is no code: capitals, digits and underscores")
        if not answer.text.strip():
            raise Unfit(f"{where}: {type(answer).__name__} {answer.code} has no text for the user")
    seconds = getattr(answer, "seconds", None)
    if seconds is not None and not 0 <= seconds < float("inf"):
        raise Unfit(f"{where}: {seconds} is no number of seconds to wait")
    if isinstance(answer, Wait | Blocked):
        _check_cursor(answer.cursor, where)


def _check_cursor(cursor: object, where: str) -> None:
    advice = "Put text, numbers, booleans, null, lists and dictionaries with text keys into it."
    if not isinstance(cursor, Mapping):
        raise Unfit(f"{where}: the cursor is a {type(cursor).__name__}. {advice}")
    try:
        text = json.dumps(dict(cursor), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Unfit(f"{where}: the cursor is not JSON ({error}). {advice}") from error
    if json.loads(text) != _lists(cursor):
        raise Unfit(f"{where}: the cursor is not the same after a way through JSON. {advice}")
    if len(text.encode()) > LARGEST_CURSOR:
        raise Unfit(
            f"{where}: the cursor has {len(text.encode())} bytes, more than {LARGEST_CURSOR}. "
            "Keep names in it, not contents."
        )


def _lists(value: Any) -> Any:
    """The value with lists for tuples, which JSON does not tell apart."""
    if isinstance(value, Mapping):
        return {key: _lists(inner) for key, inner in value.items()}
    return [_lists(inner) for inner in value] if isinstance(value, list | tuple) else value


def same(one: Answer, other: Answer) -> bool:
    """Whether two ends are the same: Done with the same facts."""
    if isinstance(one, Done) and isinstance(other, Done):
        return asdict(one.facts) == asdict(other.facts)
    return type(one) is type(other)
