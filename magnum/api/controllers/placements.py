"""Placements: which driver a bay would get, and why, without making one."""

from collections.abc import Mapping
from typing import Any

from magnum.api import placing
from magnum.api.controllers.base import Request, Response, authorize, need_project
from magnum.api.schemas.placements import TRY
from magnum.api.views import placements as view
from magnum.common import errors
from magnum.conf import CONF
from magnum.db import baymodels
from magnum.lifecycle import placement
from magnum.policies import enforcer

#: What a machine is, where nobody says.
_DEFAULT_TYPE = "vm"


class PlacementsController:
    """Tries placements; keeps nothing."""

    def create(self, request: Request, response: Response) -> Response:
        """``POST``: 200 with every candidate, every filter's verdict, every weight, and what is known of the zones."""
        request.query()
        body = request.document()
        wanted = TRY.read({} if body is None else body)
        authorize(request)
        need_project(request.caller)
        said = self._said(request, wanted)
        wish = placing.Wish(
            said.get("server_type") or _DEFAULT_TYPE,
            said.get("driver"),
            said.get("coe"),
            said.get("cluster_distro"),
            hints=said.get("hints") or {},
        )
        placing.check_hints(wish.hints)
        nodes = sum(wanted.get(name) or 1 for name in ("master_count", "node_count"))
        asked = placing.asked(wish, request.caller.project_id, nodes)
        decision = placement.decide(request.caller, asked, explain=True)
        zones = placement.zones(request.caller)
        site = view.site(wish.hints, placement.region(), zones)
        return response.send({**view.full(decision, CONF.placement.weights), "site": site})

    def _said(self, request: Request, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """What the request says, and for the rest its baymodel. Raises InvalidField."""
        said = {name: value for name, value in wanted.items() if value is not None}
        ident = said.get("baymodel_id")
        if ident is None:
            return said
        wide = enforcer.permits(request.caller, "baymodel:get_one_all_projects")
        try:
            model = baymodels.get(request.caller, ident, all_projects=wide)
        except (errors.NotFound, errors.Conflict) as error:
            raise errors.InvalidField(error.text, field="/baymodel_id") from error
        names = ("driver", "coe", "server_type", "cluster_distro")
        return {name: getattr(model, name) for name in names} | said
