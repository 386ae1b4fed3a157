"""A driver that builds with Heat: create, update, delete, observe, and work on nodes.

One pass makes at most one request to Heat while the stack is in progress; what it saw is judged in
:mod:`magnum.drivers.heat.decisions`. Whatever was already done is found again by name and tag, so
every verb may be repeated from any point. A failure whose cause can pass blocks the operation, and
Heat is asked again, with the same parameters, each time the operation is tried again.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from magnum.drivers import contract
from magnum.drivers.contract import (
    Actor,
    Blocked,
    Done,
    DriverError,
    Facts,
    Failed,
    InvalidOption,
    NotFound,
    Outcome,
    Preview,
    Progress,
    StackChanged,
    Wait,
    Work,
)
from magnum.drivers.heat import decisions, deletion, groups, nodes, removal, sites
from magnum.drivers.heat.changes import Changes
from magnum.drivers.heat.cursor import Cursor
from magnum.drivers.heat.decisions import Move, Observed, Standing
from magnum.drivers.heat.diagnosis import diagnose
from magnum.drivers.heat.errors import (
    AlreadyThere,
    CloudRestarted,
    NameTaken,
    PermissionLost,
    Refused,
    clean,
)
from magnum.drivers.heat.looks import SharedLooks
from magnum.drivers.heat.preview import Asked, Previewer
from magnum.drivers.heat.sites import Site
from magnum.drivers.heat.stack import Stack, StackView
from magnum.drivers.heat.template import TemplateDefinition

#: Looks at a stack that has not begun with what was asked, until it is asked again.
LOOKS_UNTIL_ASKED_AGAIN = 3
#: Times an update is asked for while the stack shows an old failure, until that is believed.
ASKS_UNTIL_BELIEVED = 3

_REFUSALS = (Refused.code, PermissionLost.code)
_CREATING, _UPDATING = "creating the stack", "updating the stack"
_CHOOSING = "choosing availability zones"
_STACK_GONE = "The cluster's stack was deleted by somebody else."
_NO_STACK = "The cluster has no stack: none was made, or somebody else has deleted it."


class HeatDriver(contract.Driver):
    """Base of drivers whose cluster is one Heat stack. A subclass sets ``definition``."""

    definition: ClassVar[TemplateDefinition]
    services = frozenset({"orchestration"})

    def __init__(self) -> None:
        self._looks = SharedLooks()
        self._zones = sites.Zones()

    def refuse(self, work: Work) -> None:
        """Refuse what the template has no parameters for, and hints that make no sense."""
        sites.Wanted.of(work.bay.hints)
        self.definition.parameters(work)

    def bay_create(self, work: Work) -> Outcome:
        """Create the stack, or adopt it, and wait for it."""
        return _guarded(self._create, work)

    def bay_update(self, work: Work) -> Outcome:
        """Give the stack the parameters that may change, and wait for it."""
        return _guarded(self._update, work)

    def bay_delete(self, work: Work) -> Outcome:
        """Delete every stack with the bay's tag, until there is none and nothing else of it is left."""
        return _guarded(functools.partial(deletion.delete, looks=self._looks), work)

    def bay_rebuild(self, work: Work) -> Outcome:
        """Have Nova make every node, or the named ones, anew from its image."""
        return _guarded(nodes.rebuild, work)

    def bay_soft_reboot(self, work: Work) -> Outcome:
        """Have Nova restart nodes in order."""
        return _guarded(functools.partial(nodes.reboot, kind="SOFT"), work)

    def bay_hard_reboot(self, work: Work) -> Outcome:
        """Have Nova take the power from nodes and give it back."""
        return _guarded(functools.partial(nodes.reboot, kind="HARD"), work)

    def observe(self, work: Work) -> Facts:
        """What the stack's outputs say at present.

        Raises NotFound where there is no stack, StackChanged where it is not as it was made, and
        what is transient while Heat is at it.
        """
        stack, cursor = Stack(work), Cursor.of(work)
        stack_id = cursor.stack_id or only(stack)
        if stack_id is None:
            raise NotFound(_NO_STACK)
        try:
            view = stack.look(stack_id, outputs=True)
        except NotFound as error:
            raise NotFound(_STACK_GONE, error.operator_text) from error
        match decisions.of_look(view.action, view.status):
            case Observed.GONE:  # Heat shows a deleted stack for a while
                raise NotFound(_STACK_GONE)
            case Observed.BUSY:
                state = f"{view.action}_{view.status}"
                raise AlreadyThere(f"Heat is at work on the cluster's stack ({state}).")
            case Observed.CHANGED:
                state = f"{view.action}_{view.status}"
                raise StackChanged(f"The cluster's stack is in {state}: {clean(view.reason)}")
        wanted = groups.at(
            self.definition.lasting(work), groups.places(view.parameters, groups.uuids(work))
        )
        if self._is_of_another(work):
            wanted = {name: value for name, value in wanted.items() if name in view.parameters}
        if found := decisions.differences(wanted, view.parameters):
            raise StackChanged(
                f"The cluster's stack is not as it was made: {clean('; '.join(found))}."
            )
        return self._facts(work, view)

    def preview(self, work: Work) -> Preview:
        """What Heat says that the update would change.

        With the parameter ``template`` at ``current``: what moving to this driver's present template would change.
        """
        stack = Stack(work)
        stack_id = work.bay.stack_id or only(stack)
        if stack_id is None:
            raise NotFound(_NO_STACK)
        view = stack.look(stack_id, outputs=False)
        order = groups.places(view.parameters, groups.uuids(work))
        if work.parameters.get("template") == "current":
            launch = self.definition.launch(work)
            asked = Asked(groups.at(launch.parameters, order), launch)
        else:
            changes = groups.at(self.definition.changes(work), order)
            asked = Asked({k: v for k, v in changes.items() if k in view.parameters})
        return Previewer(work.clouds.heat(), stack.name, stack_id).preview(asked, view.parameters)

    # --- create ---------------------------------------------------------------------------------

    def _create(self, work: Work) -> Outcome:
        stack, cursor = Stack(work), Cursor.of(work)
        if cursor.stack_id is None:
            if cursor.site is None and not work.bay.site:
                site = self._site(work)
                cursor = replace(cursor, site=site.data())
                if site.masters or site.workers:
                    # Kept before anything is made: a pass that comes again would choose otherwise.
                    facts = Facts(site=cursor.site)
                    return Wait(0, cursor.data(), Progress(_CHOOSING), facts)
            return self._launch(work, stack, cursor.site or work.bay.site)
        if cursor.may_try and not work.woken:
            return self._try_again(work, stack, cursor)
        view = self._status(stack, cursor.stack_id, work)
        if view is None:
            return _gone()
        match decisions.of_create(view.action, view.status):
            case Standing.COMPLETE:
                return self._done(work, stack, view)
            case Standing.FAILED:
                return self._failed(work, stack, cursor, view)
            case Standing.GONE:
                return _gone()
        return _under_way(work, cursor, _CREATING)

    def _site(self, work: Work) -> Site:
        """Where the new cluster goes. Raises InvalidOption for a place that cannot be had."""
        if self.definition.zoned:
            return self._zones.site(work)
        if sites.Wanted.of(work.bay.hints).zones:
            raise InvalidOption(f"The driver {self.name} cannot choose availability zones.")
        return Site()

    def _launch(self, work: Work, stack: Stack, site: Mapping[str, str]) -> Outcome:
        work = replace(work, bay=replace(work.bay, site=site))
        try:
            stack_id = self._made_or_adopted(work, stack)
        except NameTaken as error:
            text = f"The project has another stack of the name '{stack.name}'."
            return Failed("STACK_NAME_TAKEN", Actor.OPERATOR, text, error.operator_text)
        return Wait(
            work.poll_interval,
            Cursor(stack_id).data(),
            Progress(_CREATING),
            Facts(
                stack_id=stack_id,
                driver_version=self.version,
                template_version=self.template_version,
                site=site or None,
            ),
        )

    def _made_or_adopted(self, work: Work, stack: Stack) -> str:
        """The id of our stack. NameTaken where another one has its name."""
        launch = self.definition.launch(work)
        try:
            return stack.create(launch, _timeout_mins(work))
        except AlreadyThere as error:
            # An earlier pass got as far as this and its answer was lost. Ours bears our tag.
            if (adopted := only(stack)) is not None:
                return adopted
            if not isinstance(error, NameTaken):
                raise
        # A stack that went away between the two requests proves nothing, so both are made once more.
        try:
            return stack.create(launch, _timeout_mins(work))
        except AlreadyThere:
            if (adopted := only(stack)) is not None:
                return adopted
            raise

    # --- update ---------------------------------------------------------------------------------

    def _update(self, work: Work) -> Outcome:
        stack, cursor = Stack(work), Cursor.of(work)
        if cursor.stack_id is None:
            cursor = replace(cursor, stack_id=only(stack))
            if cursor.stack_id is None:
                return _gone()
        if not cursor.asked and cursor.known is None and self._is_of_another(work):
            view = self._look(stack, cursor.stack_id, work)
            if view is None:
                return _gone()
            cursor = replace(cursor, known=sorted(view.parameters))
            return Wait(0, cursor.data(), Progress(_UPDATING))
        changes = self._changes(work, cursor)
        if changes.depend_on_the_stack:
            try:
                named = bool(work.parameters.get(removal.NODES))
                view = stack.look(str(cursor.stack_id), outputs=named)
            except NotFound:
                return _gone()
            cursor = changes.after(view)
            if cursor.removable or cursor.places:
                # Kept before it is asked for: another time it would be others.
                return Wait(0, cursor.data(), Progress(_UPDATING))
        parameters = self._changes(work, cursor).parameters()
        if not cursor.asked:
            return self._ask_update(work, stack, cursor, parameters)
        if cursor.may_try and not work.woken:
            return self._try_again(work, stack, cursor)
        view = self._look(stack, str(cursor.stack_id), work)
        if view is None:
            return _gone()
        applied = decisions.is_applied(parameters, view.parameters)
        match decisions.of_update(view.action, view.status, applied=applied):
            case Standing.COMPLETE:
                return self._done(work, stack, view)
            case Standing.FAILED:
                return self._failed(work, stack, cursor, view)
            case Standing.GONE:
                return _gone()
            case Standing.NOT_BEGUN:
                believed = cursor.hindrance or cursor.asked >= ASKS_UNTIL_BELIEVED
                if view.status == "FAILED" and believed:
                    return self._failed(work, stack, cursor, view)
                if cursor.looks >= LOOKS_UNTIL_ASKED_AGAIN:
                    if cursor.hindrance:
                        return self._try_again(work, stack, cursor)
                    return self._ask_update(work, stack, cursor, parameters)
                cursor = cursor.looked()
        return _under_way(work, cursor, _UPDATING)

    def _ask_update(
        self, work: Work, stack: Stack, cursor: Cursor, parameters: Mapping[str, Any]
    ) -> Outcome:
        try:
            stack.update(str(cursor.stack_id), parameters, _timeout_mins(work))
        except NotFound:
            return _gone()
        except AlreadyThere as error:  # busy with something else: ask again later
            return Wait(work.poll_interval, cursor.data(), Progress(_UPDATING), trouble=error)
        return Wait(work.poll_interval, cursor.asked_now().data(), Progress(_UPDATING))

    # --- after a failure ------------------------------------------------------------------------

    def _failed(self, work: Work, stack: Stack, cursor: Cursor, view: StackView) -> Outcome:
        """Give up, or go on at once, or be blocked until the cause may have passed."""
        cause = diagnose(view, stack.unfinished_resources(view.stack_id))
        if self._is_of_another(work):
            cursor = replace(cursor, known=sorted(view.parameters))
        match decisions.after_failure(cause.code):
            case Move.ASK_LATER:
                return cursor.hindered(cause).blocked(None)
            case Move.ASK_NOW:
                trouble = CloudRestarted(cause.text, cause.operator_text)
                return self._go_on(work, stack, cursor, trouble)
        return Failed(
            cause.code,
            cause.actor,
            cause.text,
            cause.operator_text,
            Facts(stack_id=view.stack_id),
            cause.faults,
        )

    def _try_again(self, work: Work, stack: Stack, cursor: Cursor) -> Outcome:
        """Ask Heat for the same again: it makes anew what failed. Still blocked until that is complete."""
        if not self._ask_again(work, stack, cursor):
            return _gone()
        return cursor.trying().blocked(work.poll_interval)

    def _go_on(self, work: Work, stack: Stack, cursor: Cursor, trouble: CloudRestarted) -> Outcome:
        if not self._ask_again(work, stack, cursor):
            return _gone()
        stage = _CREATING if work.verb is contract.Verb.CREATE else _UPDATING
        cursor = replace(cursor, looks=0)
        return Wait(work.poll_interval, cursor.data(), Progress(stage), trouble=trouble)

    def _ask_again(self, work: Work, stack: Stack, cursor: Cursor) -> bool:
        """Whether there is a stack to ask."""
        try:
            parameters = self._changes(work, cursor).parameters()
            stack.update(str(cursor.stack_id), parameters, _timeout_mins(work))
        except NotFound:
            return False
        except AlreadyThere:
            pass  # Heat is at it already: the next look tells
        return True

    # --- other versions -------------------------------------------------------------------------

    def _is_of_another(self, work: Work) -> bool:
        """Whether the bay was launched from another version of the template than this driver has."""
        return work.bay.template_version not in (None, self.template_version)

    def _changes(self, work: Work, cursor: Cursor) -> Changes:
        return Changes(self.definition, self.scaler, work, cursor)

    # --- what the verbs share -------------------------------------------------------------------

    def _status(self, stack: Stack, stack_id: str, work: Work) -> StackView | None:
        """As :meth:`_look`, together with others who look. Outputs and parameters may be missing."""
        if work.woken:
            return self._look(stack, stack_id, work)
        return self._looks.look(
            *(work.bay.project_id, stack_id),
            lambda: self._look(stack, stack_id, work),
            stack.look_at_all,
        )

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
    """A cloud that does not let us in blocks the operation; it does not fail it.

    Where Keystone refuses, whoever hands out the clients says so, with an error of the same code.
    """
    try:
        return verb(work)
    except DriverError as error:
        if error.code not in _REFUSALS:
            raise
        return Blocked(error.code, error.actor, error.text, error.operator_text, cursor=work.cursor)


def only(stack: Stack) -> str | None:
    """The id of the stack with our tag, where there is one."""
    found = stack.find()
    return found[0].stack_id if found else None


def _gone() -> Failed:
    return Failed(NotFound.code, NotFound.actor, _STACK_GONE)


def _under_way(work: Work, cursor: Cursor, stage: str) -> Outcome:
    """Heat is at it. After a failure that could pass, only the end shows that its cause has passed."""
    if cursor.hindrance is not None:
        return (cursor if cursor.retrying else cursor.trying()).blocked(work.poll_interval)
    return Wait(work.poll_interval, cursor.data(), Progress(stage))


def _timeout_mins(work: Work) -> int:
    """Heat's own limit: whole minutes inside our deadline, so that its reason is there in time."""
    return max(1, int(work.seconds_left // 60))
