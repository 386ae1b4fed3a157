"""Node groups: the nodes of one role and flavor of a cluster (contract 2.3)."""

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from magnum.api import json_patch, options, paging
from magnum.api.bay_changes import driver_of
from magnum.api.controllers.base import Request, Response, authorize, owner, sees_all_projects
from magnum.api.controllers.bays import check_driver_can
from magnum.api.microversions import OPERATIONS
from magnum.api.schemas import nodegroups as schemas
from magnum.api.schemas.base import check_storable
from magnum.api.spelling import Spelling, Wording
from magnum.api.views import collection, links
from magnum.api.views import nodegroups as view
from magnum.common import errors
from magnum.db import bays as bay_store
from magnum.db import node_groups as store
from magnum.db.models import Bay, NodeGroup
from magnum.drivers.contract import MASTER, WORKER, Verb
from magnum.identity.caller import Caller
from magnum.lifecycle import node_groups, statuses

#: The status of a bay that is being made, behind which from 1.15 on a group may wait.
_CREATING = "CREATE_IN_PROGRESS"


class NodeGroupsController:
    """Node groups below the clusters of one family of clients."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling

    def index(self, request: Request, response: Response, ident: str) -> Response:
        """``GET /{bay}/nodegroups``: a page of them, of one role or of all."""
        page = paging.page_of(request, store.sort_keys(), more=("role",))
        role = request.query((*paging.ARGUMENTS, "role")).get("role")
        bay = self._bay(request, ident)
        found = store.page(request.caller, bay.uuid, page, role)
        items = [view.short(group, bay) for group in found]
        path = f"{self._spelling.bays}/{bay.uuid}/nodegroups"
        body = collection.body("nodegroups", items, page, request.base, path)
        if role is not None and "next" in body:
            body["next"] += f"&role={quote(role, safe='')}"
        return response.send(body)

    def show(self, request: Request, response: Response, ident: str, name: str) -> Response:
        """``GET /{bay}/nodegroups/{nodegroup}``"""
        request.query()
        bay = self._bay(request, ident)
        group = store.of(bay, name)
        return response.send(view.full(group, bay, self._wording(request)))

    def create(self, request: Request, response: Response, ident: str) -> Response:
        """``POST /{bay}/nodegroups``: 202 and the group, which its driver then makes."""
        request.query()
        wanted = schemas.create(request.version).read(request.document())
        bay = self._bay(request, ident)
        queue = request.version >= OPERATIONS
        if bay.api_address is None and not (queue and bay.status == _CREATING):
            raise errors.Conflict(
                f"Cluster {bay.uuid} has no api_address yet: a node group needs it to be there"
            )
        new = self._resolve(request, wanted, bay)
        made = node_groups.create(request.caller, bay, new, queue=queue)
        return self._send_accepted(request, response, bay, made.group, made.operation)

    def change(self, request: Request, response: Response, ident: str, name: str) -> Response:
        """``PATCH /{bay}/nodegroups/{nodegroup}``: 202 and the group. How many nodes it has is for a resize."""
        request.query()
        changes = _read(request.document())
        bay = self._bay(request, ident)
        group = store.of(bay, name)
        changed = self._changed(request, group, bay, changes)
        _check_settled(group, bay)
        operation = None
        least = changed.get("min_node_count", group.min_node_count)
        most = changed.get("max_node_count", group.max_node_count)
        if changed.keys() & schemas.BOUNDS:
            check_bounds(group.node_count, least, most)
        marks = {mark: changed[mark] for mark in schemas.MARKS & changed.keys()}
        if marks:
            _check_marks(group.role, bay, marks)
            queue = request.version >= OPERATIONS
            operation = node_groups.mark(request.caller, bay, group, marks, queue=queue)
        if changed.keys() & schemas.BOUNDS:
            store.set_bounds(request.caller, group.uuid, least, most)
        if changed:
            bay = self._bay(request, bay.uuid)
            group = store.of(bay, group.uuid)
        return self._send_accepted(request, response, bay, group, operation)

    def remove(self, request: Request, response: Response, ident: str, name: str) -> Response:
        """``DELETE /{bay}/nodegroups/{nodegroup}``: 204; its nodes go."""
        request.query()
        bay = self._bay(request, ident)
        group = store.of(bay, name)
        if group.is_default:
            raise errors.BadRequest(
                f"Node group {group.name} is one of the cluster's own: it goes with the cluster."
            )
        check_driver_can(bay, Verb.UPDATE)
        queue = request.version >= OPERATIONS
        operation = node_groups.remove(request.caller, bay, group, queue=queue)
        return response.send_nothing(
            links.to(request.base, "operations", operation) if queue else None
        )

    # --- parts -------------------------------------------------------------------------------------------------------

    def _wording(self, request: Request) -> Wording:
        return Wording(self._spelling, request.version, request.base)

    def _bay(self, request: Request, ident: str) -> Bay:
        """The one whose groups the caller may do this to. Raises NotFound, Conflict, Forbidden."""
        bay = bay_store.get(request.caller, ident, all_projects=sees_all_projects(request))
        authorize(request, owner(bay))
        return bay

    def _send_accepted(
        self,
        request: Request,
        response: Response,
        bay: Bay,
        group: NodeGroup,
        operation: str | None,
    ) -> Response:
        body = view.full(group, bay, self._wording(request))
        if request.version < OPERATIONS:
            return response.send_accepted(body, None)
        body["operation"] = operation
        url = None if operation is None else links.to(request.base, "operations", operation)
        return response.send_accepted(body, url)

    def _resolve(
        self, request: Request, wanted: Mapping[str, Any], bay: Bay
    ) -> node_groups.NewGroup:
        """The group with everything said: by the request, or else by the cluster. What it names is verified."""

        def given(name: str, otherwise: Any) -> Any:
            value = wanted.get(name)
            return otherwise if value is None else value

        role = given("role", WORKER)
        if role == MASTER:
            raise errors.InvalidField(
                "Masters are all in one group: role must be another word", field="/role"
            )
        count, least = given("node_count", 1), given("min_node_count", 0)
        check_bounds(count, least, wanted.get("max_node_count"))
        marks = {name: wanted[name] for name in schemas.MARKS if wanted.get(name)}
        check_driver_can_group(bay)
        if marks:
            _check_marks(role, bay, marks)
        labels = self._labels(wanted, bay)
        caller = Caller(request.caller)
        if (flavor := wanted.get("flavor_id")) is not None:
            caller.check_flavor(flavor, "/flavor_id")
        if (image := wanted.get("image_id")) is not None:
            caller.image(image, "/image_id")
        return node_groups.NewGroup(
            name=wanted["name"],
            node_count=count,
            min_node_count=least,
            max_node_count=wanted.get("max_node_count"),
            role=role,
            flavor_id=given("flavor_id", bay.flavor_id),
            image_id=given("image_id", bay.baymodel.image_id),
            docker_volume_size=wanted.get("docker_volume_size"),
            labels=labels,
            node_labels=marks.get("node_labels"),
            node_taints=marks.get("node_taints"),
        )

    def _labels(self, wanted: Mapping[str, Any], bay: Bay) -> Mapping[str, str]:
        own = wanted.get("labels") or None
        labels = own or bay.labels
        if own and wanted.get("merge_labels"):
            labels = {**bay.labels, **own}
        driver = driver_of(bay)
        if own and driver is not None:
            options.check_labels(labels, [driver])
        return labels

    def _changed(
        self,
        request: Request,
        group: NodeGroup,
        bay: Bay,
        changes: tuple[json_patch.Change, ...],
    ) -> dict[str, Any]:
        """What a PATCH changes in truth. Raises InvalidField for what cannot be changed once the group is there."""
        rules = schemas.patch(request.version)
        current = view.full(group, bay, self._wording(request))
        shown = {name: current[name] for name in current if name not in schemas.READ_ONLY}
        changed = json_patch.apply(changes, shown, rules)
        for name, (_, change) in changed.items():
            if name not in schemas.BOUNDS | schemas.MARKS:
                size = " Resize the group instead." if name == "node_count" else ""
                raise change.refuse(f"it cannot be changed once the group is there.{size}")
        return {name: value for name, (value, _) in changed.items()}


def check_bounds(count: int, least: int, most: int | None) -> None:
    """Raise OutOfBounds where a group's size, its minimum and its maximum contradict each other (contract 2.3)."""
    if least > count:
        raise store.OutOfBounds(
            f"min_node_count {least} is more than node_count {count}", field="/min_node_count"
        )
    if most and most < count:
        raise store.OutOfBounds(
            f"max_node_count {most} is less than node_count {count}", field="/max_node_count"
        )


def check_driver_can_group(bay: Bay) -> None:
    """Raise BadRequest where the bay's driver has only the default groups. Where it is missing, the work waits."""
    check_driver_can(bay, Verb.UPDATE)
    driver = driver_of(bay)
    if driver is not None and not driver.node_groups:
        raise errors.BadRequest(f"Driver {bay.driver} has no node groups beside the default ones.")


def _check_marks(role: str, bay: Bay, marks: Mapping[str, Any]) -> None:
    if role == MASTER:
        raise schemas.MarkRefused("Masters are given no labels and taints", field=f"/{min(marks)}")
    schemas.check_marks(marks.get("node_labels"), marks.get("node_taints"))
    driver = driver_of(bay)
    if driver is not None and not driver.node_labels:
        raise errors.InvalidField(
            f"Driver {bay.driver} cannot give nodes labels and taints", field=f"/{min(marks)}"
        )


def _check_settled(group: NodeGroup, bay: Bay) -> None:
    status = view.status(group, bay)
    if group.unwanted or status not in statuses.RESIZABLE:
        raise errors.WrongStatus(
            f"Node group {group.name} cannot be changed while its status is {status}."
        )


def _read(document: Any) -> tuple[json_patch.Change, ...]:
    """The operations of a PATCH; taints may come as the text of a list (D7)."""
    return tuple(_with_list(change) for change in json_patch.read(document))


def _with_list(change: json_patch.Change) -> json_patch.Change:
    if change.path != ("node_taints",) or not isinstance(change.value, str):
        return change
    value: Any = None
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(change.value)
            break
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    try:
        check_storable(value)
    except errors.InvalidField as error:
        raise change.refuse(error.text, "value") from error
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise change.refuse("the value is not a list of taints.", "value")
    return json_patch.Change(change.index, change.op, change.path, list(value))
