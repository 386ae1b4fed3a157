"""The words of the wire: which status a bay shows for which operation in which state (contract 2.2).

One table. The wire has no word for BLOCKED: such a bay is IN_PROGRESS, with a reason that begins with the code.
"""

from magnum.db.models import State
from magnum.drivers.contract import Verb

_STEM = {
    Verb.CREATE: "CREATE",
    Verb.DELETE: "DELETE",
    Verb.CHECK: "CHECK",
}

_GROUP_STEM = {"create": "CREATE", "delete": "DELETE"}

_ENDING = {
    State.PENDING: "IN_PROGRESS",
    State.RUNNING: "IN_PROGRESS",
    State.BLOCKED: "IN_PROGRESS",
    State.DONE: "COMPLETE",
    State.FAILED: "FAILED",
}

#: The states of an operation that statuses tell of.
SHOWN = frozenset(_ENDING)

#: A bay may be changed in these (contract 2.2, "the eight").
SETTLED = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "RESUME_COMPLETE",
    "RESTORE_COMPLETE",
    "ROLLBACK_COMPLETE",
    "SNAPSHOT_COMPLETE",
    "CHECK_COMPLETE",
    "ADOPT_COMPLETE",
)


#: In these a further change may wait its turn (from microversion 1.15 on).
AT_WORK = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")


#: In these nodes and groups of them may come and go, at every version (contract 2.2, "Which status blocks what").
RESIZABLE = (*SETTLED, "UPDATE_IN_PROGRESS", "UPDATE_FAILED")


#: After these a bay is there, whatever became of the last change: its nodes can be worked on.
_BROKEN = ("UPDATE_FAILED", "CHECK_FAILED")


#: The cluster is there, and nobody is changing it.
THERE = SETTLED + _BROKEN


def may_begin(verb: Verb) -> tuple[str, ...]:
    """The statuses in which a verb may be asked for from microversion 1.15 on, queued where something is under way.

    A bay whose creation failed, or that is being deleted, can only be deleted, and that from everywhere.
    """
    if verb is Verb.UPDATE:
        return SETTLED + AT_WORK
    return SETTLED + AT_WORK + _BROKEN


def status(verb: Verb, state: State) -> str:
    """The bay's status while, or after, an operation of this verb is in this state.

    Every verb but create, delete and check shows as an update. Raises KeyError for CANCELLED: an operation that was
    taken back says nothing of the bay.
    """
    return f"{_STEM.get(verb, 'UPDATE')}_{_ENDING[state]}"


def of_group(change: str, state: State) -> str:
    """A node group's status while, or after, it is made (``create``), taken away (``delete``), or else changed."""
    return f"{_GROUP_STEM.get(change, 'UPDATE')}_{_ENDING[state]}"


def reason(code: str, text: str) -> str:
    """A bay's ``status_reason``: the stable code, then the words."""
    return f"{code}: {text}" if code else text
