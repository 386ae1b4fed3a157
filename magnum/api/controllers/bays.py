"""Bays: clusters (contract 2.2). The controller resolves and checks a request; the lifecycle accepts it."""

from collections.abc import Callable, Mapping
from typing import Any

from magnum.api import json_patch, microversions, paging, placing
from magnum.api.controllers.base import (
    Request,
    Response,
    authorize,
    need_project,
    owner,
    sees_all_projects,
    sees_operator_text,
)
from magnum.api.schemas import bays as schemas
from magnum.api.schemas.base import boolean, coerced
from magnum.api.spelling import Spelling
from magnum.api.views import bays as view
from magnum.api.views import collection, links, placements
from magnum.common import errors, ids
from magnum.conf import CONF
from magnum.db import baymodels as baymodel_store
from magnum.db import bays as store
from magnum.db import history
from magnum.db.models import Bay, BayModel
from magnum.db.paging import Page
from magnum.drivers import catalogue
from magnum.drivers.contract import WORKER, Driver, Verb
from magnum.drivers.placement import Decision
from magnum.identity.caller import Caller
from magnum.lifecycle import submit
from magnum.policies import enforcer


class BaysController:
    """Bays in the words of one family of clients."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling
        self._schemas = schemas.of(spelling)
        self._model_field = f"/{spelling.baymodel_key}"
        self._sort_words = {spelling.timeout_key: "create_timeout"}

    def index(self, request: Request, response: Response) -> Response:
        """``GET``: a page of the project's bays, the fields of a list."""
        page = self._page(request)
        found = store.page(request.caller, page, all_projects=sees_all_projects(request))
        base = request.base
        items = [view.short(bay, self._spelling, base) for bay in found]
        return self._send_page(response, items, page, base, self._spelling.bays)

    def detail(self, request: Request, response: Response) -> Response:
        """``GET /detail``: a page with all fields."""
        page = self._page(request)
        wide = sees_all_projects(request)
        found = store.page_of_details(request.caller, page, all_projects=wide)
        base = request.base
        items = [self._full(request, bay, base) for bay in found]
        return self._send_page(response, items, page, base, f"{self._spelling.bays}/detail")

    def show(self, request: Request, response: Response, ident: str) -> Response:
        """``GET /{bay}``"""
        request.query()
        base = request.base
        if request.version < microversions.OPERATIONS:
            return response.send(view.one(self._find(request, ident), self._spelling, base))
        wide = sees_all_projects(request)
        bay, operation = history.followed(request.caller, ident, all_projects=wide)
        authorize(request, owner(bay))
        for_operator = operation is not None and sees_operator_text(request, operation)
        body = view.one(bay, self._spelling, base) | view.age(bay) | {"placement": bay.placement}
        body |= view.present(bay, operation, base, for_operator=for_operator)
        return response.send(body)

    def create(self, request: Request, response: Response) -> Response:
        """``POST``: 202 and the uuid; 201 and the whole bay below the version that made bays asynchronous."""
        request.query()
        wanted = self._schemas.create.read(request.document())
        authorize(request)
        need_project(request.caller)
        baymodel = self._baymodel(request, wanted[self._spelling.baymodel_key])
        made = submit.create_bay(request.caller, self._resolve(request, wanted, baymodel))
        if request.version < self._spelling.synchronous_below:
            body = view.one(made.bay, self._spelling, request.base)
            return response.send_created(body, body["links"][0]["href"])
        return send_accepted(request, response, made.bay, made.operation)

    def change(self, request: Request, response: Response, ident: str) -> Response:
        """``PATCH /{bay}``: 202 and the uuid, or 200 and the whole bay, as for POST.

        From the version on that has operations, it waits its turn where the bay is being created or changed; and the
        number of nodes that is wanted already mends a cluster that somebody else has changed.
        """
        rollback = _flag(request, "rollback", microversions.ROLLBACK)
        changes = json_patch.read(request.document())
        bay = self._find(request, ident)
        node_count = self._node_count(bay, changes)
        other = node_count not in (None, _workers(bay))
        if other:
            check_driver_can(bay, Verb.UPDATE)
        operation = None
        queue = request.version >= microversions.OPERATIONS
        if node_count is not None and (other or queue):
            operation = submit.update_bay(
                request.caller, bay, node_count, rollback=rollback, queue=queue
            )
        if request.version < self._spelling.synchronous_below:
            if operation is not None:
                bay = store.get(request.caller, bay.uuid, all_projects=sees_all_projects(request))
            return response.send(view.one(bay, self._spelling, request.base))
        return send_accepted(request, response, bay, operation)

    def remove(self, request: Request, response: Response, ident: str) -> Response:
        """``DELETE /{bay}``: 204, from every status."""
        force = _flag(request, "force", microversions.OPERATIONS)
        bay = self._find(request, ident)
        if force:
            enforcer.authorize(request.caller, f"{self._spelling.bay}:force_delete", owner(bay))
        operation = submit.delete_bay(request.caller, bay, force=force)
        return response.send_nothing(_operation_url(request, operation))

    def _full(self, request: Request, bay: Bay, base: str) -> dict[str, Any]:
        body = view.full(bay, self._spelling, base)
        return body | view.age(bay) if request.version >= microversions.OPERATIONS else body

    def _page(self, request: Request) -> Page:
        page = paging.page_of(request, store.sort_keys(), self._sort_words)
        authorize(request)
        return page

    def _send_page(
        self, response: Response, items: list[dict[str, Any]], page: Page, base: str, path: str
    ) -> Response:
        return response.send(collection.body(self._spelling.bays, items, page, base, path))

    def _find(self, request: Request, ident: str) -> Bay:
        """One that the caller may do this to. Raises NotFound, Conflict, Forbidden."""
        bay = store.get(request.caller, ident, all_projects=sees_all_projects(request))
        authorize(request, owner(bay))
        return bay

    def _baymodel(self, request: Request, ident: str) -> BayModel:
        """The one that a new bay refers to; an unknown one is a bad request at every version (D12)."""
        all_projects = enforcer.permits(
            request.caller, f"{self._spelling.baymodel}:get_one_all_projects"
        )
        try:
            return baymodel_store.get(request.caller, ident, all_projects=all_projects)
        except errors.NotFound as error:
            raise errors.InvalidField(error.text, field=self._model_field) from error
        except errors.Conflict as error:
            error.field = self._model_field
            raise

    def _resolve(
        self, request: Request, wanted: Mapping[str, Any], baymodel: BayModel
    ) -> submit.NewBay:
        """The bay with everything said: by the request, or else by its baymodel. What it names is verified."""

        def given(name: str, otherwise: Any) -> Any:
            value = wanted.get(name)
            return otherwise if value is None else value

        # Null says no here, where everywhere else it says nothing (contract 2.2).
        master_lb_enabled = bool(wanted.get("master_lb_enabled", baymodel.master_lb_enabled))
        master_count = given("master_count", 1)
        if master_count > 1 and not master_lb_enabled:
            raise errors.InvalidField(
                "More than one master needs master_lb_enabled", field="/master_count"
            )
        named = {
            name: given(name, getattr(baymodel, name))
            for name in ("flavor_id", "master_flavor_id", "fixed_network", "fixed_subnet")
        }
        timeout = wanted.get(self._spelling.timeout_key, CONF.lifecycle.default_deadline)
        driver, decision = self._place(request, baymodel, master_count + given("node_count", 1))
        caller = Caller(request.caller)
        self._verify(caller, named, wanted, baymodel)
        return submit.NewBay(
            name=given("name", "") or ids.generated_name(self._spelling.bay_suffix),
            baymodel=baymodel,
            driver=driver,
            node_count=given("node_count", 1),
            master_count=master_count,
            keypair=baymodel.keypair_id,
            ssh_public_key=self._public_key(caller, baymodel.keypair_id),
            create_timeout=timeout,
            discovery_url=wanted.get("discovery_url"),
            docker_volume_size=given("docker_volume_size", baymodel.docker_volume_size),
            labels=wanted.get("labels") or baymodel.labels,
            floating_ip_enabled=given("floating_ip_enabled", baymodel.floating_ip_enabled),
            master_lb_enabled=master_lb_enabled,
            placement=placements.full(decision, CONF.placement.weights),
            **named,
        )

    def _place(self, request: Request, baymodel: BayModel, nodes: int) -> tuple[Driver, Decision]:
        wish = placing.Wish(
            baymodel.server_type, baymodel.driver, baymodel.coe, baymodel.cluster_distro
        )
        try:
            return placing.place(request.caller, wish, nodes)
        except errors.InvalidField as error:
            error.field = self._model_field
            raise

    def _verify(
        self,
        caller: Caller,
        named: Mapping[str, str | None],
        wanted: Mapping[str, Any],
        baymodel: BayModel,
    ) -> None:
        """Ask the cloud for all that the nodes will need, with the caller's eyes."""
        checks: dict[str, Callable[[str, str], None]] = {
            "flavor_id": caller.check_flavor,
            "master_flavor_id": caller.check_flavor,
            "fixed_network": caller.check_network,
            "fixed_subnet": caller.check_subnet,
        }
        if baymodel.image_id is not None:
            caller.image(baymodel.image_id, self._model_field)
        for name, check in checks.items():
            if (ident := named[name]) is not None:
                own = wanted.get(name) is not None
                check(ident, f"/{name}" if own else self._model_field)
        if baymodel.external_network_id is not None:
            caller.check_external_network(baymodel.external_network_id, self._model_field)

    def _public_key(self, caller: Caller, keypair: str | None) -> str | None:
        return None if keypair is None else caller.public_key(keypair, self._model_field)

    def _node_count(self, bay: Bay, changes: tuple[json_patch.Change, ...]) -> int | None:
        """The number of nodes that a patch asks for, or None where it asks for none. Raises InvalidField."""
        current = view.full(bay, self._spelling, "")
        current["node_count"] = _workers(bay)
        changed = json_patch.apply(changes, current, self._schemas.patch)
        for name, (_, change) in changed.items():
            if name != "node_count":
                raise change.refuse("it cannot be changed once the bay is there.")
        if changed:
            count: int = changed["node_count"][0]
            return count
        said = any(change.path == ("node_count",) for change in changes)
        return _workers(bay) if said else None


def _workers(bay: Bay) -> int:
    """The size of the default worker group, which is the one that a patch means."""
    return next(g.node_count for g in bay.node_groups if g.is_default and g.role == WORKER)


def _flag(request: Request, name: str, since: microversions.Version) -> bool:
    """The one argument of a request, true or false, from the version on that has it. Raises BadRequest."""
    known = (name,) if request.version >= since else ()
    flag = coerced(request.query(known).get(name, "false"), boolean())
    if not isinstance(flag, bool):
        raise errors.BadRequest(f"{name} must be true or false", field=name)
    return flag


def send_accepted(
    request: Request, response: Response, bay: Bay, operation: str | None
) -> Response:
    """The asynchronous answer; from the version on that has operations, with the one that was made, if any."""
    body = view.accepted(bay)
    if request.version >= microversions.OPERATIONS:
        body["operation"] = operation
    return response.send_accepted(body, _operation_url(request, operation))


def _operation_url(request: Request, operation: str | None) -> str | None:
    if operation is None or request.version < microversions.OPERATIONS:
        return None
    return links.to(request.base, "operations", operation)


def check_driver_can(bay: Bay, verb: Verb) -> None:
    """Raise BadRequest where the bay's driver lacks a verb. Where the driver itself is missing, the work waits."""
    try:
        driver = catalogue.catalogue().get(bay.driver)
    except catalogue.DriverMissing:
        return
    if verb not in driver.verbs():
        raise errors.BadRequest(f"Driver {bay.driver} cannot {verb} a bay.")
