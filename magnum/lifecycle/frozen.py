"""From what is stored to what a driver sees: records of the database become the contract's frozen views."""

from typing import Any

from magnum.db import models
from magnum.drivers import contract


def _fields(view: Any, record: object) -> dict[str, Any]:
    """The view's fields that bear the same name in the record."""
    return {name: getattr(record, name) for name in view.__dataclass_fields__}


def bay(record: models.Bay) -> contract.Bay:
    """A bay as drivers see it."""
    fields = _fields(contract.Bay, record)
    return contract.Bay(**fields | {name: fields[name] or {} for name in ("hints", "site")})


def baymodel(record: models.BayModel) -> contract.BayModel:
    """A baymodel as drivers see it."""
    return contract.BayModel(**_fields(contract.BayModel, record))


def group(record: models.NodeGroup) -> contract.NodeGroup:
    """A node group as drivers see it."""
    fields = _fields(contract.NodeGroup, record)
    fields["node_labels"] = fields["node_labels"] or {}
    return contract.NodeGroup(**fields | {"node_taints": tuple(fields["node_taints"] or ())})
