"""What an update of a stack sends, and what the stack has to be asked for before that is known.

Which nodes go and which places groups have is read off the stack once and kept in the cursor, so that every later
request of the same update sends the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from magnum.drivers.contract import Scaler, Work
from magnum.drivers.heat import groups, removal
from magnum.drivers.heat.cursor import Cursor
from magnum.drivers.heat.stack import StackView
from magnum.drivers.heat.template import TemplateDefinition


@dataclass(frozen=True, slots=True)
class Changes:
    """The update of one bay, as far as its cursor knows it."""

    definition: TemplateDefinition
    scaler: Scaler | None
    work: Work
    cursor: Cursor

    @property
    def depend_on_the_stack(self) -> bool:
        """Whether the stack has to say who goes, and where groups are, before anything is asked of it."""
        return not self.cursor.asked and (self._places or self._nodes)

    def after(self, view: StackView) -> Cursor:
        """The cursor once the stack has been seen."""
        cursor = self.cursor
        if self._places:
            cursor = replace(cursor, places=groups.order(self.work, view.parameters))
        if self._nodes:
            leaving = removal.leaving(self.definition, self.scaler, self.work, view)
            cursor = replace(cursor, removable=leaving)
        return cursor

    def parameters(self) -> Mapping[str, Any]:
        """Of the parameters that may change, those that the stack's own template has."""
        work, cursor = self.work, self.cursor
        if cursor.removable is not None:
            named = {**work.parameters, removal.NODES: list(cursor.removable)}
            work = replace(work, parameters=named)
        found = self.definition.changes(work)
        if cursor.places is not None:
            found = groups.at(found, cursor.places)
        if cursor.known is None:
            return found
        return {name: value for name, value in found.items() if name in cursor.known}

    @property
    def _places(self) -> bool:
        """Whether the places of groups have yet to be read."""
        return self.cursor.places is None and self.definition.grouped

    @property
    def _nodes(self) -> bool:
        """Whether it has yet to be said which nodes go: those that a person has named, or the scaler does."""
        if self.cursor.removable is not None or removal.NODES not in self.definition.orders:
            return False
        return bool(self.work.parameters.get(removal.NODES)) or self.scaler is not None
