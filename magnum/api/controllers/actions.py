"""Actions on a bay: some change nothing of its specification, two have its size or its baymodel changed."""

from collections.abc import Callable

from magnum.api import microversions, options
from magnum.api.bay_changes import driver_of
from magnum.api.controllers.base import Request, Response, authorize, owner, sees_all_projects
from magnum.api.controllers.bays import check_driver_can, send_accepted
from magnum.api.schemas import actions as schemas
from magnum.api.schemas.actions import ACTIONS
from magnum.api.spelling import Spelling
from magnum.common import errors
from magnum.db import baymodels as baymodel_store
from magnum.db import bays as store
from magnum.db import node_groups as group_store
from magnum.db.models import Bay, BayModel, NodeGroup
from magnum.drivers.contract import MASTER, WORKER, Verb
from magnum.identity.caller import Caller
from magnum.lifecycle import node_groups, submit, upgrades
from magnum.policies import enforcer


def of(verb: Verb) -> Callable[[Request, Response, str], Response]:
    """The handler of ``POST /{bay}/actions/{verb}``: 202 with the uuids of the bay and of the operation.

    It waits behind what is under way. Raises BadRequest for a driver without the verb, WrongStatus or InTheWay where
    the bay's state does not allow it.
    """
    schema = ACTIONS[verb]

    def handler(request: Request, response: Response, ident: str) -> Response:
        request.query()
        body = request.document()
        wanted = schema.read({} if body is None else body)
        bay = store.get(request.caller, ident, all_projects=sees_all_projects(request))
        authorize(request, owner(bay))
        check_driver_can(bay, verb)
        parameters = {name: value for name, value in wanted.items() if value is not None}
        operation = submit.act(request.caller, bay, verb, parameters)
        return send_accepted(request, response, bay, operation)

    return handler


class ChangesController:
    """Resizing and upgrading, in the words of one family of clients (contract 2.4)."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling
        # Clusters are said to have a cluster_template here, with no "id" behind it.
        self._baymodel_key = spelling.baymodel_key.removesuffix("_id")

    def resize(self, request: Request, response: Response, ident: str) -> Response:
        """``POST /{bay}/actions/resize``: 202; another number of nodes in a group, and those that are named go."""
        request.query()
        empty = request.version >= microversions.NO_NODES
        wanted = schemas.resize(0 if empty else 1).read(request.document())
        bay = self._bay(request, ident)
        group = _group(bay, wanted.get("nodegroup"))
        if group.role == MASTER:
            raise errors.InvalidField("The number of masters cannot be changed", field="/nodegroup")
        check_driver_can(bay, Verb.UPDATE)
        operation = node_groups.resize(
            request.caller,
            bay,
            group,
            wanted["node_count"],
            wanted.get("nodes_to_remove") or (),
            queue=request.version >= microversions.OPERATIONS,
        )
        return send_accepted(request, response, bay, operation)

    def upgrade(self, request: Request, response: Response, ident: str) -> Response:
        """``POST /{bay}/actions/upgrade``: 202; the cluster becomes what another baymodel says."""
        if request.version < microversions.UPGRADE:
            raise errors.BadRequest("Upgrades came with version 1.8 of the API")
        request.query()
        wanted = schemas.upgrade(self._baymodel_key).read(request.document())
        bay = self._bay(request, ident)
        baymodel = self._baymodel(request, wanted[self._baymodel_key])
        group = _group(bay, wanted.get("nodegroup"))
        if not group.is_default and baymodel.uuid != bay.baymodel_id:
            raise errors.Conflict(
                f"Node group {group.name} can only be moved to what the cluster has: upgrade the cluster first"
            )
        check_driver_can(bay, Verb.UPGRADE)
        self._check_fits(request, bay, baymodel)
        operation = upgrades.upgrade(
            request.caller,
            bay,
            baymodel,
            group=None if wanted.get("nodegroup") is None else group,
            batch_size=wanted.get("max_batch_size") or 1,
            queue=request.version >= microversions.OPERATIONS,
        )
        return send_accepted(request, response, bay, operation)

    def _bay(self, request: Request, ident: str) -> Bay:
        bay = store.get(request.caller, ident, all_projects=sees_all_projects(request))
        authorize(request, owner(bay))
        return bay

    def _baymodel(self, request: Request, ident: str) -> BayModel:
        """The one to move to. Raises NotFound, unlike a creation (contract 1.5)."""
        everywhere = f"{self._spelling.baymodel}:get_one_all_projects"
        wide = enforcer.permits(request.caller, everywhere)
        return baymodel_store.get(request.caller, ident, all_projects=wide)

    def _check_fits(self, request: Request, bay: Bay, baymodel: BayModel) -> None:
        """Raise Conflict where the cluster cannot become that, and whatever is wrong with what the baymodel names."""
        for name in ("coe", "server_type"):
            if getattr(baymodel, name) != getattr(bay.baymodel, name):
                raise errors.Conflict(
                    f"{self._spelling.baymodel.capitalize()} {baymodel.uuid} has another {name}",
                    field=f"/{self._baymodel_key}",
                )
        driver = driver_of(bay)
        distro = baymodel.cluster_distro or ""
        if driver is not None and not any(one.boots(distro) for one in driver.provides):
            raise errors.Conflict(
                f"Driver {bay.driver} cannot boot {distro or 'an unknown distribution'}",
                field=f"/{self._baymodel_key}",
            )
        if baymodel.image_id is not None:
            Caller(request.caller).image(baymodel.image_id, f"/{self._baymodel_key}")
        if driver is not None:
            labels = upgrades.labels(bay, baymodel)
            options.check_labels(labels, [driver], f"/{self._baymodel_key}")


def _group(bay: Bay, ident: str | None) -> NodeGroup:
    """The group that is meant; the default one of workers where none is named. Raises NodeGroupNotFound."""
    if ident is not None:
        return group_store.of(bay, ident)
    return next(one for one in bay.node_groups if one.is_default and one.role == WORKER)
