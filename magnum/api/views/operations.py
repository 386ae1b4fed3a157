"""An operation as clients see it. What only drivers and conductors need of it is not shown."""

from typing import Any, Final

from magnum.api.spelling import Spelling
from magnum.api.views import links
from magnum.db.models import Operation
from magnum.lifecycle.failures import advice

#: What a person may have said when he asked for it.
_PARAMETERS: Final = (
    *("force", "rollback", "node_count", "labels", "nodes", "batch_size"),
    *("nodegroup", "change", "nodes_to_remove", "baymodel_id"),
)


def full(
    operation: Operation, spelling: Spelling, base: str, *, for_operator: bool
) -> dict[str, Any]:
    """All fields.

    :param base: URL of the application.
    :param for_operator: whether the caller may read what is meant for the operator.
    """
    return {
        **short(operation, base, for_operator=for_operator),
        spelling.bay_key: operation.bay_uuid,
        "project_id": operation.project_id,
        "user_id": operation.user_id or None,
        "request_id": operation.request_id,
        "parameters": {
            name: operation.parameters[name] for name in _PARAMETERS if name in operation.parameters
        },
        "generation": operation.generation,
        "attempts": operation.attempts,
        "faults": operation.faults or [],
        "leftovers": operation.leftovers or [],
        "created_at": links.moment(operation.created_at),
        "started_at": links.moment(operation.started_at),
        "finished_at": links.moment(operation.finished_at),
        "next_look_at": links.moment(operation.next_run_at),
    }


def short(operation: Operation, base: str, *, for_operator: bool) -> dict[str, Any]:
    """What a bay shows of its present operation: where it stands, and what is in its way."""
    return {
        "uuid": operation.uuid,
        "verb": operation.verb,
        "state": operation.state,
        "stage": operation.stage,
        "done": operation.done,
        "total": operation.total,
        "deadline": links.moment(operation.deadline),
        "error": _error(operation, for_operator=for_operator),
        "links": links.of(base, "operations", operation.uuid),
    }


def _error(operation: Operation, *, for_operator: bool) -> dict[str, Any] | None:
    """What is in the way, or was in the end. ``request_id`` finds it in logs: the cloud's own where one is known."""
    code = operation.error_code
    if code is None and operation.error_text is None:
        return None
    theirs = (fault["request_id"] for fault in operation.faults or () if fault.get("request_id"))
    error = {
        "code": code,
        "text": operation.error_text,
        "actor": operation.error_actor,
        "request_id": next(theirs, operation.request_id),
        "help": None if code is None else advice(code),
    }
    if for_operator:
        error["operator_text"] = operation.error_operator_text
    return error
