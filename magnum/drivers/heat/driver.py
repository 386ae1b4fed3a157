"""A driver that builds with Heat: create, update, delete and observe for one template definition.

One pass makes at most one request to Heat while the stack is in progress; what it saw is judged in
:mod:`magnum.drivers.heat.decisions`. Whatever was already done is found again by name and tag, so
every verb may be repeated from any point.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from magnum.drivers import contract
from magnum.drivers.contract import (
    Actor,
    Blocked,
    DeleteFailed,
    Done,
    Facts,
    Failed,
    NotFound,
    Outcome,
    Progress,
    Wait,
    Work,
)
from magnum.drivers.heat import decisions
from magnum.drivers.heat.decisions import Standing
from magnum.drivers.heat.diagnosis import diagnose
from magnum.drivers.heat.errors import AlreadyThere, Refused, clean
from magnum.drivers.heat.stack import Stack, StackView
from magnum.drivers.heat.template import TemplateDefinition

#: Looks at a stack that has not begun with what was asked, until it is asked again.
LOOKS_UNTIL_ASKED_AGAIN = 3
#: Times an update is asked for while the stack shows an old failure, until that is believed.
ASKS_UNTIL_BELIEVED = 3
#: Looks that must find nothing before a stack that was never seen counts as never made: Heat may
#: still be busy with a creation whose answer got lost.
LOOKS_UNTIL_NEVER_MADE = 2
#: Longest wait between two tries of a deletion that fails, in seconds.
LONGEST_WAIT = 120.0

_STACK_GONE = "The cluster's stack was deleted by somebody else."


@dataclass(frozen=True, slots=True)
class Cursor:
    """What is remembered between two passes of a verb.

    ``asked`` counts requests for an update or deletion, ``looks`` the looks since the last one.
    """

    stack_id: str | None = None
    asked: int = 0
    looks: int = 0

    @classmethod
    def of(cls, work: Work) -> "Cursor":
        """From the work; a stack that the bay is known to have needs no look-up."""
        known = {name: work.cursor[name] for name in cls.__slots__ if name in work.cursor}
        cursor = cls(**known)
        return replace(cursor, stack_id=cursor.stack_id or work.bay.stack_id)

    def data(self) -> dict[str, Any]:
        """What to put into an outcome's cursor."""
        return asdict(self)

    def asked_now(self) -> "Cursor":
        """After a request."""
        return replace(self, asked=self.asked + 1, looks=0)

    def looked(self) -> "Cursor":
        """After a look that brought nothing new."""
        return replace(self, looks=self.looks + 1)


class HeatDriver(contract.Driver):
    """Base of drivers whose cluster is one Heat stack. A subclass sets ``definition``."""

    definition: ClassVar[TemplateDefinition]

    def bay_create(self, work: Work) -> Outcome:
        """Create the stack, or adopt it, and wait for it."""
        return _guarded(self._create, work)

    def bay_update(self, work: Work) -> Outcome:
        """Give the stack the parameters that may change, and wait for it."""
        return _guarded(self._update, work)

    def bay_delete(self, work: Work) -> Outcome:
        """Delete every stack with the bay's tag, until there is none."""
        return _guarded(self._delete, work)

    def observe(self, work: Work) -> Facts:
        """What the stack's outputs say at present. NotFound where there is no stack."""
        stack, cursor = Stack(work), Cursor.of(work)
        stack_id = cursor.stack_id or _only(stack)
        view = stack.look(stack_id, outputs=True) if stack_id else None
        if view is None or view.action == "DELETE":  # Heat shows a deleted stack for a while
            raise NotFound("The bay has no stack.")
        return self._facts(work, view)

    # --- create ---------------------------------------------------------------------------------

    def _create(self, work: Work) -> Outcome:
        stack, cursor = Stack(work), Cursor.of(work)
        if cursor.stack_id is None:
            return self._launch(work, stack)
        view = self._look(stack, cursor.stack_id, work)
        if view is None:
            return _gone()
        match decisions.of_create(view.action, view.status):
            case Standing.COMPLETE:
                return self._done(work, stack, view)
            case Standing.FAILED:
                return _failed(stack, view)
            case Standing.GONE:
                return _gone()
        return Wait(work.poll_interval, cursor.data(), Progress("creating the stack"))

    def _launch(self, work: Work, stack: Stack) -> Outcome:
        try:
            stack_id = stack.create(self.definition.launch(work), _timeout_mins(work))
        except AlreadyThere as error:
            # An earlier pass got as far as this and its answer was lost. Ours bears our tag.
            adopted = _only(stack)
            if adopted is None:
                text = f"The project has another stack of the name '{stack.name}'."
                return Failed("STACK_NAME_TAKEN", Actor.OPERATOR, text, error.operator_text)
            stack_id = adopted
        return Wait(
            work.poll_interval,
            Cursor(stack_id).data(),
            Progress("creating the stack"),
            Facts(stack_id=stack_id),
        )

    # --- update ---------------------------------------------------------------------------------

    def _update(self, work: Work) -> Outcome:
        stack, cursor = Stack(work), Cursor.of(work)
        if cursor.stack_id is None:
            cursor = replace(cursor, stack_id=_only(stack))
            if cursor.stack_id is None:
                return _gone()
        changes = self.definition.changes(work)
        if not cursor.asked:
            return self._ask_update(work, stack, cursor, changes)
        view = self._look(stack, str(cursor.stack_id), work)
        if view is None:
            return _gone()
        applied = decisions.is_applied(changes, view.parameters)
        match decisions.of_update(view.action, view.status, applied=applied):
            case Standing.COMPLETE:
                return self._done(work, stack, view)
            case Standing.FAILED:
                return _failed(stack, view)
            case Standing.GONE:
                return _gone()
            case Standing.NOT_BEGUN:
                if view.status == "FAILED" and cursor.asked >= ASKS_UNTIL_BELIEVED:
                    return _failed(stack, view)
                if cursor.looks >= LOOKS_UNTIL_ASKED_AGAIN:
                    return self._ask_update(work, stack, cursor, changes)
                cursor = cursor.looked()
        return Wait(work.poll_interval, cursor.data(), Progress("updating the stack"))

    def _ask_update(
        self, work: Work, stack: Stack, cursor: Cursor, changes: Mapping[str, Any]
    ) -> Outcome:
        try:
            stack.update(str(cursor.stack_id), changes, _timeout_mins(work))
        except NotFound:
            return _gone()
        except AlreadyThere as error:  # busy with something else: ask again later
            return Wait(
                work.poll_interval, cursor.data(), Progress("updating the stack"), trouble=error
            )
        return Wait(work.poll_interval, cursor.asked_now().data(), Progress("updating the stack"))

    # --- delete ---------------------------------------------------------------------------------

    def _delete(self, work: Work) -> Outcome:
        stack, cursor = Stack(work), Cursor.of(work)
        if not cursor.asked and cursor.stack_id is not None:
            _ask_delete(stack, cursor.stack_id)
            return _deleting(work, cursor.asked_now())
        left = stack.find()
        match decisions.of_delete(left):
            case Standing.COMPLETE:
                if cursor.stack_id is None and cursor.looks + 1 < LOOKS_UNTIL_NEVER_MADE:
                    return _deleting(work, cursor.looked())
                return Done()
            case Standing.UNDER_WAY:
                return _deleting(work, replace(cursor, stack_id=left[0].stack_id))
            case Standing.FAILED:
                return _delete_again(work, stack, cursor, left)
        cursor = replace(cursor, stack_id=left[0].stack_id)
        if cursor.asked and cursor.looks < LOOKS_UNTIL_ASKED_AGAIN:
            return _deleting(work, cursor.looked())
        for view in left:
            _ask_delete(stack, view.stack_id)
        return _deleting(work, cursor.asked_now())

    # --- what the verbs share -------------------------------------------------------------------

    def _look(self, stack: Stack, stack_id: str, work: Work) -> StackView | None:
        """The stack, or None where it is gone. Outputs are costly: only where the end is likely."""
        try:
            return stack.look(stack_id, outputs=work.woken)
        except NotFound:
            return None

    def _done(self, work: Work, stack: Stack, view: StackView) -> Outcome:
        if view.outputs is None:
            view = stack.look(view.stack_id, outputs=True)
        return Done(self._facts(work, view))

    def _facts(self, work: Work, view: StackView) -> Facts:
        return self.definition.facts(work, view.stack_id, view.outputs or {})


def _guarded(verb: Callable[[Work], Outcome], work: Work) -> Outcome:
    """A cloud that does not let us in blocks the operation; it does not fail it."""
    try:
        return verb(work)
    except Refused as error:
        return Blocked(error.code, error.actor, error.text, error.operator_text, cursor=work.cursor)


def _only(stack: Stack) -> str | None:
    """The id of the stack with our tag, where there is one."""
    found = stack.find()
    return found[0].stack_id if found else None


def _gone() -> Failed:
    return Failed("STACK_GONE", Actor.OPERATOR, _STACK_GONE)


def _failed(stack: Stack, view: StackView) -> Failed:
    cause = diagnose(view, stack.unfinished_resources(view.stack_id))
    return Failed(
        cause.code, cause.actor, cause.text, cause.operator_text, Facts(stack_id=view.stack_id)
    )


def _ask_delete(stack: Stack, stack_id: str) -> None:
    try:
        stack.delete(stack_id)
    except (NotFound, AlreadyThere):
        pass  # gone already, or Heat is busy with it: the next look tells


def _deleting(work: Work, cursor: Cursor) -> Wait:
    return Wait(work.poll_interval, cursor.data(), Progress("deleting the stack"))


def _delete_again(work: Work, stack: Stack, cursor: Cursor, left: tuple[StackView, ...]) -> Wait:
    """Ask once more for what would not go, and wait longer each time."""
    for view in left:
        _ask_delete(stack, view.stack_id)
    reasons = "; ".join(clean(view.reason) for view in left if view.status == "FAILED")
    trouble = DeleteFailed(
        f"A part of the cluster would not go away, and is asked again: {reasons}",
        f"stacks {', '.join(view.stack_id for view in left)} DELETE_FAILED: {reasons}",
    )
    cursor = replace(cursor, stack_id=left[0].stack_id).asked_now()
    seconds = min(LONGEST_WAIT, work.poll_interval * 2 ** min(cursor.asked - 1, 10))
    return Wait(seconds, cursor.data(), Progress("deleting the stack"), trouble=trouble)


def _timeout_mins(work: Work) -> int:
    """Heat's own limit: whole minutes inside our deadline, so that its reason is there in time."""
    return max(1, int(work.seconds_left // 60))
