"""Baymodels: what a cluster looks like (contract 2.1)."""

from collections.abc import Callable, Mapping
from typing import Any

from oslo_db import exception as db_exception

from magnum.api import coes, json_patch, microversions, options, paging, placing
from magnum.api.controllers.base import (
    Request,
    Response,
    authorize,
    need_project,
    owner,
    sees_all_projects,
)
from magnum.api.schemas import baymodels as schemas
from magnum.api.spelling import Spelling
from magnum.api.views import baymodels as view
from magnum.api.views import collection
from magnum.common import errors, ids
from magnum.db import baymodels as store
from magnum.db.models import BayModel
from magnum.drivers.contract import Driver
from magnum.identity.caller import Caller
from magnum.policies import enforcer

#: What may change while bays use it; ``public`` only to true.
_FREE_IN_USE = frozenset({"public", "hidden", "tags", "name"})
#: What takes part in the choice of a driver.
_PLACING = frozenset({"image_id", "coe", "server_type", "driver", "cluster_distro"})


class BayModelsController:
    """Baymodels in the words of one family of clients."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling

    def index(self, request: Request, response: Response) -> Response:
        """``GET``: a page of the project's and public baymodels, all fields."""
        return self._page(request, response, self._spelling.baymodels)

    def detail(self, request: Request, response: Response) -> Response:
        """``GET /detail``: the same."""
        return self._page(request, response, f"{self._spelling.baymodels}/detail")

    def show(self, request: Request, response: Response, ident: str) -> Response:
        """``GET /{baymodel}``"""
        request.query()
        baymodel = store.get(request.caller, ident, all_projects=sees_all_projects(request))
        # A public one may be read by everybody who may read his own.
        authorize(request, None if baymodel.public else owner(baymodel))
        return response.send(self._shown(request, baymodel))

    def create(self, request: Request, response: Response) -> Response:
        """``POST``: 201 and the new baymodel."""
        request.query()
        wanted = schemas.create(self._spelling, request.version).read(request.document())
        given = {name: value for name, value in wanted.items() if value is not None}
        values: dict[str, Any] = {
            "name": ids.generated_name(self._spelling.baymodel_suffix),
            **schemas.DEFAULTS,
            **given,
        }
        chosen = values.pop(options.OPTIONS, {})
        _fit_together(values)
        authorize(request)
        need_project(request.caller)
        fitting = _verify(values, Caller(request.caller))
        options.check_labels(values["labels"], fitting)
        given_labels = wanted.get("labels")
        values["labels"] = options.merged(
            values["labels"], given_labels, options.as_labels(chosen, fitting[0])
        )
        if values["public"] or values["hidden"]:
            self._check_may_publish(request)
        try:
            baymodel = store.create(request.caller, values)
        except db_exception.DBDuplicateEntry as error:
            raise errors.Conflict(
                f"There is a {self._spelling.baymodel} with this uuid already.", field="/uuid"
            ) from error
        body = self._shown(request, baymodel)
        return response.send_created(body, body["links"][0]["href"])

    def change(self, request: Request, response: Response, ident: str) -> Response:
        """``PATCH /{baymodel}``: 200 and the baymodel as it is now."""
        request.query()
        changes = json_patch.read(request.document())
        baymodel = self._find(request, ident)
        if request.version >= microversions.OPERATIONS:
            changes = options.in_labels(changes, baymodel.labels, _driver_of(baymodel))
        current = {name: getattr(baymodel, name) for name in schemas.PROPERTIES}
        changed = json_patch.apply(changes, current, schemas.PATCH)
        values = {name: value for name, (value, _) in changed.items()}
        if values:
            self._check_changeable(request, baymodel, values)
            _pointing_at(changed, lambda: _refit(values, current, Caller(request.caller)))
            baymodel = store.update(request.caller, baymodel.uuid, values)
        return response.send(self._shown(request, baymodel))

    def remove(self, request: Request, response: Response, ident: str) -> Response:
        """``DELETE /{baymodel}``: 204, or 400 while a bay uses it."""
        request.query()
        baymodel = self._find(request, ident)
        store.delete(request.caller, baymodel.uuid)
        return response.send_nothing()

    def _shown(
        self,
        request: Request,
        baymodel: BayModel,
        find: Callable[[BayModel], Driver | None] | None = None,
    ) -> dict[str, Any]:
        """All fields; from the version on that has options, these too. ``find`` gives the driver of a baymodel."""
        body = view.full(baymodel, self._spelling, request.base)
        if request.version >= microversions.OPERATIONS:
            driver = (find or _driver_of)(baymodel) if baymodel.labels else None
            body["options"] = options.shown(baymodel.labels, driver)
        return body

    def _page(self, request: Request, response: Response, path: str) -> Response:
        page = paging.page_of(request, store.sort_keys())
        authorize(request)
        found = store.page(request.caller, page, all_projects=sees_all_projects(request))
        find = _remembering(_driver_of)
        items = [self._shown(request, baymodel, find) for baymodel in found]
        body = collection.body(self._spelling.baymodels, items, page, request.base, path)
        return response.send(body)

    def _find(self, request: Request, ident: str) -> BayModel:
        """One that the caller may change. Raises NotFound, Forbidden for somebody else's public one."""
        baymodel = store.get(request.caller, ident, all_projects=sees_all_projects(request))
        authorize(request, owner(baymodel))
        return baymodel

    def _check_may_publish(self, request: Request, target: Mapping[str, Any] | None = None) -> None:
        enforcer.authorize(request.caller, f"{self._spelling.baymodel}:publish", target)

    def _check_changeable(
        self, request: Request, baymodel: BayModel, values: Mapping[str, Any]
    ) -> None:
        if values.keys() & {"public", "hidden"}:
            self._check_may_publish(request, owner(baymodel))
        free = len(values) == 1 and values.keys() <= _FREE_IN_USE and values.get("public", True)
        if not free and store.is_used(request.caller, baymodel.uuid):
            noun = self._spelling.baymodel.capitalize()
            raise errors.InUse(f"{noun} {baymodel.uuid} is used by a {self._spelling.bay}.")


def _fit_together(values: dict[str, Any]) -> None:
    """Fill in what follows from other fields, refuse what contradicts them. Nobody is asked. Raises InvalidField."""
    choice = placing.choose(
        placing.Wish(values["server_type"], values.get("driver"), values.get("coe"))
    )
    values["coe"] = choice.coe
    network_driver = coes.check_network_driver(choice.coe, values.get("network_driver"))
    if network_driver is not None:
        values["network_driver"] = network_driver
    coes.check_volume_driver(choice.coe, values.get("volume_driver"))
    coes.check_volume_size(values.get("docker_storage_driver"), values.get("docker_volume_size"))


def _driver_of(baymodel: BayModel) -> Driver | None:
    """The driver that its bays get, or one of those; None where there is none at present."""
    values = {name: getattr(baymodel, name) for name in _PLACING}
    return next(iter(_fitting(values)), None)


def _remembering(
    find: Callable[[BayModel], Driver | None],
) -> Callable[[BayModel], Driver | None]:
    """The same, for a list: it is asked once for each kind of baymodel."""
    known: dict[tuple[Any, ...], Driver | None] = {}

    def remembered(baymodel: BayModel) -> Driver | None:
        kind = tuple(getattr(baymodel, name) for name in sorted(_PLACING - {"image_id"}))
        if kind not in known:
            known[kind] = find(baymodel)
        return known[kind]

    return remembered


def _verify(values: dict[str, Any], caller: Caller) -> tuple[Driver, ...]:
    """Ask the cloud for what is named, and settle distribution and driver by what the image says.

    Returns the drivers that fit.
    """
    image = caller.image(values["image_id"], "/image_id")
    if image is not None:
        values["cluster_distro"] = image.os_distro
        values.setdefault("driver", image.driver)
    choice = placing.choose(_wish(values, by_image=image is not None))
    values["cluster_distro"] = choice.os_distro
    _verify_others(values, caller)
    return choice.fitting


def _verify_others(values: Mapping[str, Any], caller: Caller) -> None:
    checks = {
        "flavor_id": caller.check_flavor,
        "master_flavor_id": caller.check_flavor,
        "external_network_id": caller.check_external_network,
        "fixed_network": caller.check_network,
        "fixed_subnet": caller.check_subnet,
    }
    for name, check in checks.items():
        if (ident := values.get(name)) is not None:
            check(ident, f"/{name}")


def _refit(values: dict[str, Any], current: Mapping[str, Any], caller: Caller) -> None:
    """The checks of creation for what a patch changes. May add to the values what follows from them."""
    said = "cluster_distro" in values
    if "image_id" in values:
        image = caller.image(values["image_id"], "/image_id")
        if image is not None:
            values.setdefault("cluster_distro", image.os_distro)
    after = {**current, **values}
    if values.keys() & _PLACING:
        choice = placing.choose(_wish(after, by_image=not said))
        options.check_labels(after["labels"], choice.fitting)
    elif "labels" in values:
        options.check_labels(after["labels"], _fitting(after))
    # What the patch leaves alone is not judged again: the operator may have changed his mind since.
    if values.keys() & {"coe", "network_driver"}:
        coes.check_network_driver(after["coe"], after["network_driver"])
    if values.keys() & {"coe", "volume_driver"}:
        coes.check_volume_driver(after["coe"], after["volume_driver"])
    if values.keys() & {"docker_storage_driver", "docker_volume_size"}:
        coes.check_volume_size(after["docker_storage_driver"], after["docker_volume_size"])
    _verify_others(values, caller)


def _fitting(values: Mapping[str, Any]) -> tuple[Driver, ...]:
    """The drivers that fit at present, none where they are away: then nothing is known of labels."""
    try:
        return placing.choose(_wish(values, by_image=False)).fitting
    except errors.InvalidField:
        return ()


def _wish(values: Mapping[str, Any], *, by_image: bool) -> placing.Wish:
    return placing.Wish(
        server_type=values["server_type"],
        driver=values.get("driver"),
        coe=values["coe"],
        os_distro=values.get("cluster_distro"),
        distro_field="/image_id" if by_image else "/cluster_distro",
    )


def _pointing_at(
    changed: Mapping[str, tuple[Any, json_patch.Change]], check: Callable[[], None]
) -> None:
    """Run a check of the whole; let its error point at the operation of the patch instead of at the attribute."""
    try:
        check()
    except errors.MagnumError as error:
        named = (error.field or "").removeprefix("/").partition("/")[0]
        # What is named may be what the patch left alone, and what it changed contradicts it.
        guilty = next(name for name in (named, *sorted(_PLACING), *changed) if name in changed)
        error.field = f"/{changed[guilty][1].index}/value"
        raise
