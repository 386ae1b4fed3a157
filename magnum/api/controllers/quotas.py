"""Quotas: how many bays a project may hold (contract 2.8); and how many it holds, as statistics (contract 2.9)."""

from typing import Any

from oslo_db import exception as db_exception

from magnum.api import paging
from magnum.api.controllers.base import Request, Response, authorize
from magnum.api.schemas import quotas as schemas
from magnum.api.schemas.base import boolean, coerced
from magnum.api.views import collection
from magnum.api.views import quotas as view
from magnum.common import errors
from magnum.conf import CONF
from magnum.db import quotas as store
from magnum.db.projects import CLUSTER
from magnum.identity import projects
from magnum.policies import enforcer


class QuotasController:
    """Quotas by project and resource."""

    def index(self, request: Request, response: Response) -> Response:
        """``GET``: the project's own; with ``?all_tenants=true`` those of all projects."""
        page = paging.page_of(
            request, store.sort_keys(), marked_by=paging.NUMBER, more=("all_tenants",)
        )
        asked = request.query({*paging.ARGUMENTS, "all_tenants"}).get("all_tenants", "false")
        wide = coerced(asked, boolean())
        if not isinstance(wide, bool):
            raise errors.BadRequest("all_tenants must be true or false", field="all_tenants")
        authorize(request)
        items = [view.full(one) for one in store.page(request.caller, page, all_projects=wide)]
        return response.send(
            collection.body("quotas", items, page, request.base, "quotas", marked_by="id")
        )

    def create(self, request: Request, response: Response) -> Response:
        """``POST``: 201. Raises NotFound for an unknown project, Conflict where it has a quota."""
        request.query()
        wanted = schemas.CREATE.read(request.document())
        authorize(request)
        project_id = wanted["project_id"]
        if not projects.exists(project_id, request.caller.request_id):
            raise errors.NotFound(f"Project {project_id} could not be found.", field="/project_id")
        try:
            quota = store.create(
                request.caller, project_id, wanted.get("resource") or CLUSTER, _limit(wanted)
            )
        except db_exception.DBDuplicateEntry as error:
            raise errors.Conflict(
                f"Project {project_id} has a quota for this resource already. Change that one.",
                field="/project_id",
            ) from error
        return response.send(view.full(quota), 201)

    def show(
        self, request: Request, response: Response, project_id: str, resource: str
    ) -> Response:
        """``GET /{project}/{resource}``: the project's own, or what holds where it has none."""
        request.query()
        authorize(request, {"project_id": project_id})
        _check(resource)
        quota = store.find(request.caller, project_id, resource)
        if quota is None:
            limit = CONF.quotas.max_clusters_per_project
            return response.send(view.default(project_id, resource, limit))
        return response.send(view.full(quota))

    def change(
        self, request: Request, response: Response, project_id: str, resource: str
    ) -> Response:
        """``PATCH /{project}/{resource}``: 202. The body is an object, not a JSON patch."""
        request.query()
        wanted = schemas.CHANGE.read(request.document())
        authorize(request)
        _check(resource)
        for name, said in (("project_id", project_id), ("resource", resource)):
            if wanted.get(name) not in (None, said):
                raise errors.InvalidField(f"The path says another {name}", field=f"/{name}")
        quota = store.change(request.caller, project_id, resource, _limit(wanted))
        return response.send(view.full(quota), 202)

    def remove(
        self, request: Request, response: Response, project_id: str, resource: str
    ) -> Response:
        """``DELETE /{project}/{resource}``: 204, and the configured limit holds again."""
        request.query()
        authorize(request)
        _check(resource)
        store.remove(request.caller, project_id, resource)
        return response.send_nothing()


class StatsController:
    """How much there is."""

    def show(self, request: Request, response: Response) -> Response:
        """``GET``: bays and nodes of a project; of the whole cloud for an administrator who names none."""
        query = request.query(("project_id", "type"))
        if query.get("type", "cluster").lower() != "cluster":
            raise errors.BadRequest("type must be cluster", field="type")
        project_id = query.get("project_id")
        if project_id is None and not enforcer.permits(request.caller, "stats:get_all_projects"):
            project_id = request.caller.project_id
        authorize(request, None if project_id is None else {"project_id": project_id})
        bays, nodes = store.held(request.caller, project_id)
        return response.send({"clusters": bays, "nodes": nodes})


def _limit(wanted: dict[str, Any]) -> int:
    limit = wanted.get("hard_limit")
    return schemas.DEFAULT_LIMIT if limit is None else int(limit)


def _check(resource: str) -> None:
    if resource != CLUSTER:
        raise errors.BadRequest(f"There is a quota for {CLUSTER} only.", field="resource")
