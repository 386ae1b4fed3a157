"""Bays: clusters (contract 2.2). The controller resolves and checks a request; the lifecycle accepts it."""

from collections.abc import Callable, Mapping
from typing import Any

from magnum.api import bay_changes, json_patch, microversions, options, paging, placing
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
from magnum.api.schemas.base import boolean, coerced, pointer
from magnum.api.spelling import Spelling, Wording
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
from magnum.drivers.contract import Driver, Verb
from magnum.drivers.placement import Decision
from magnum.identity.caller import Caller
from magnum.lifecycle import health, refusals, submit
from magnum.policies import enforcer


class BaysController:
    """Bays in the words of one family of clients."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling
        self._model_field = f"/{spelling.baymodel_key}"
        self._sort_words = {
            spelling.timeout_key: "create_timeout",
            spelling.baymodel_key: "baymodel_id",
            "cluster_id": "stack_id",
        }

    def index(self, request: Request, response: Response) -> Response:
        """``GET``: a page of the project's bays, the fields of a list."""
        page = self._page(request)
        found = store.page(request.caller, page, all_projects=sees_all_projects(request))
        wording = self._wording(request)
        items = [view.short(bay, wording) for bay in found]
        return self._send_page(response, items, page, wording.base, self._spelling.bays)

    def detail(self, request: Request, response: Response) -> Response:
        """``GET /detail``: a page with all fields."""
        page = self._page(request)
        wide = sees_all_projects(request)
        found = store.page_of_details(request.caller, page, all_projects=wide)
        wording = self._wording(request)
        items = [self._full(bay, wording) for bay in found]
        return self._send_page(response, items, page, wording.base, f"{self._spelling.bays}/detail")

    def show(self, request: Request, response: Response, ident: str) -> Response:
        """``GET /{bay}``"""
        request.query()
        wording = self._wording(request)
        if request.version < microversions.OPERATIONS:
            return response.send(view.one(self._find(request, ident), wording))
        wide = sees_all_projects(request)
        bay, operation = history.followed(request.caller, ident, all_projects=wide)
        authorize(request, owner(bay))
        for_operator = operation is not None and sees_operator_text(request, operation)
        body = view.one(bay, wording) | view.age(bay) | view.running(bay)
        body |= {"options": options.shown(bay.labels, bay_changes.driver_of(bay))}
        body |= view.present(bay, operation, wording.base, for_operator=for_operator)
        return response.send(body)

    def create(self, request: Request, response: Response) -> Response:
        """``POST``: 202 and the uuid; 201 and the whole bay below the version that made bays asynchronous."""
        request.query()
        wanted = schemas.create(self._spelling, request.version).read(request.document())
        authorize(request)
        need_project(request.caller)
        baymodel = self._baymodel(request, wanted[self._spelling.baymodel_key])
        try:
            made = submit.create_bay(request.caller, self._resolve(request, wanted, baymodel))
        except refusals.Refused as error:
            error.field = self._where(error.option, wanted)
            raise
        if request.version < self._spelling.synchronous_below:
            body = view.one(made.bay, self._wording(request))
            return response.send_created(body, body["links"][0]["href"])
        return send_accepted(request, response, made.bay, made.operation)

    def change(self, request: Request, response: Response, ident: str) -> Response:
        """``PATCH /{bay}``: 202 and the uuid, or 200 and the whole bay, as for POST.

        From the version on that has operations, it waits its turn where the bay is being created or changed; and the
        number of nodes that is wanted already mends a cluster that somebody else has changed.
        """
        rollback = _flag(request, "rollback", microversions.ROLLBACK)
        changes = json_patch.read(request.document())
        bay = self._find_to_change(request, ident, changes)
        change = bay_changes.read(bay, changes, self._spelling, request.version)
        if change.is_other:
            check_driver_can(bay, Verb.UPDATE)
        if change.health:
            health.report(request.caller, bay, change.health)
        operation = None
        queue = request.version >= microversions.OPERATIONS
        if change.is_other or (change.said and queue):
            operation = submit.update_bay(
                request.caller,
                bay,
                change.node_count,
                labels=change.labels,
                rollback=rollback,
                queue=queue,
            )
        if request.version < self._spelling.synchronous_below:
            if operation is not None:
                bay = store.get(request.caller, bay.uuid, all_projects=sees_all_projects(request))
            return response.send(view.one(bay, self._wording(request)))
        return send_accepted(request, response, bay, operation)

    def remove(self, request: Request, response: Response, ident: str) -> Response:
        """``DELETE /{bay}``: 204, from every status."""
        force = _flag(request, "force", microversions.OPERATIONS)
        bay = self._find(request, ident)
        if force:
            enforcer.authorize(request.caller, f"{self._spelling.bay}:force_delete", owner(bay))
        operation = submit.delete_bay(request.caller, bay, force=force)
        return response.send_nothing(_operation_url(request, operation))

    def _wording(self, request: Request) -> Wording:
        return Wording(self._spelling, request.version, request.base)

    def _full(self, bay: Bay, wording: Wording) -> dict[str, Any]:
        body = view.full(bay, wording)
        return body | view.age(bay) if wording.version >= microversions.OPERATIONS else body

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

    def _find_to_change(
        self, request: Request, ident: str, changes: tuple[json_patch.Change, ...]
    ) -> Bay:
        """One that the caller may change so: a report of health has a rule of its own (contract 2.2, "PATCH")."""
        bay = store.get(request.caller, ident, all_projects=sees_all_projects(request))
        cluster, health_too = bay_changes.touched(changes, self._spelling, request.version)
        if cluster:
            authorize(request, owner(bay))
        if health_too:
            rule = f"{self._spelling.bay}:update_health_status"
            target = {**owner(bay), "bay_user_id": bay.bay_user_id}
            enforcer.authorize(request.caller, rule, target)
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
        keypair = given("keypair", baymodel.keypair_id)
        key_field = "/keypair" if wanted.get("keypair") is not None else self._model_field
        hints = wanted.get("hints") or {}
        nodes = master_count + given("node_count", 1)
        driver, decision = self._place(request, baymodel, nodes, hints)
        labels = self._labels(wanted, baymodel, driver)
        caller = Caller(request.caller)
        self._verify(caller, named, wanted, baymodel)
        return submit.NewBay(
            name=given("name", "") or ids.generated_name(self._spelling.bay_suffix),
            baymodel=baymodel,
            driver=driver,
            node_count=given("node_count", 1),
            master_count=master_count,
            keypair=keypair,
            ssh_public_key=None if keypair is None else caller.public_key(keypair, key_field),
            create_timeout=timeout,
            discovery_url=wanted.get("discovery_url"),
            docker_volume_size=given("docker_volume_size", baymodel.docker_volume_size),
            labels=labels,
            floating_ip_enabled=given("floating_ip_enabled", baymodel.floating_ip_enabled),
            master_lb_enabled=master_lb_enabled,
            placement=placements.full(decision, CONF.placement.weights),
            hints=hints,
            **named,
        )

    def _place(
        self, request: Request, baymodel: BayModel, nodes: int, hints: Mapping[str, Any]
    ) -> tuple[Driver, Decision]:
        placing.check_hints(hints)
        wish = placing.Wish(
            baymodel.server_type,
            baymodel.driver,
            baymodel.coe,
            baymodel.cluster_distro,
            hints=hints,
        )
        try:
            return placing.place(request.caller, wish, nodes)
        except errors.InvalidField as error:
            error.field = self._model_field
            raise

    def _where(self, option: str, wanted: Mapping[str, Any]) -> str:
        """Where a request for a bay says something: itself, or by its baymodel."""
        if wanted.get(option) is not None:
            return pointer((option,))
        for name in (options.OPTIONS, "labels"):
            if option in (wanted.get(name) or {}):
                return pointer((name, option))
        return self._model_field

    def _labels(
        self, wanted: Mapping[str, Any], baymodel: BayModel, driver: Driver
    ) -> Mapping[str, str]:
        """The labels of a new bay: its own or else the baymodel's, or both, and over them its options."""
        own = wanted.get("labels") or None
        labels = own or baymodel.labels
        if wanted.get("merge_labels"):
            labels = {**baymodel.labels, **labels}
        options.check_labels(labels, [driver], "" if own else self._model_field)
        chosen = options.as_labels(wanted.get("options") or {}, driver)
        return options.merged(labels, own, chosen)

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
