"""The whole API on one page: every method on every path, who does it, and the rule that is asked (None: nobody)."""

from magnum.api.controllers import actions
from magnum.api.controllers.actions import ChangesController
from magnum.api.controllers.baymodels import BayModelsController
from magnum.api.controllers.bays import BaysController
from magnum.api.controllers.certificates import CertificatesController
from magnum.api.controllers.credentials import CredentialsController
from magnum.api.controllers.drivers import DriversController
from magnum.api.controllers.effective import EffectiveController
from magnum.api.controllers.events import EventsController
from magnum.api.controllers.ext import ExtensionsController
from magnum.api.controllers.federations import FederationsController
from magnum.api.controllers.mservices import MServicesController
from magnum.api.controllers.nodegroups import NodeGroupsController
from magnum.api.controllers.openapi import OpenApiController
from magnum.api.controllers.operations import OperationsController
from magnum.api.controllers.placements import PlacementsController
from magnum.api.controllers.previews import PreviewsController
from magnum.api.controllers.quotas import QuotasController, StatsController
from magnum.api.controllers.root import DiscoveryController
from magnum.api.microversions import CREDENTIALS, NODE_GROUPS, OPERATIONS, RESIZE, Version
from magnum.api.routing import Route
from magnum.api.schemas.actions import ACTIONS
from magnum.api.spelling import BAYS, CLUSTERS, Spelling


def table() -> list[Route]:
    """All routes."""
    discovery = DiscoveryController(
        [
            *(BAYS.baymodels, BAYS.bays, CLUSTERS.baymodels, CLUSTERS.bays),
            *("quotas", "certificates", "mservices", "stats", "federations", "credentials"),
        ]
    )
    return [
        Route("GET", "/", discovery.versions),
        Route("GET", "/v1", discovery.v1),
        Route("GET", "/v1/openapi.json", OpenApiController(table).show),
        *_baymodels(BAYS),
        *_baymodels(CLUSTERS),
        *_bays(BAYS),
        *_bays(CLUSTERS),
        *_history(BAYS),
        *_history(CLUSTERS),
        *_actions(BAYS, OPERATIONS),
        *_actions(CLUSTERS, RESIZE),
        *_nodegroups(BAYS, OPERATIONS),
        *_nodegroups(CLUSTERS, NODE_GROUPS),
        *_extensions(BAYS),
        *_extensions(CLUSTERS),
        *_insight(BAYS),
        *_insight(CLUSTERS),
        *_drivers(),
        *_operations(BAYS),
        *_certificates(),
        *_quotas(),
        *_around(),
        Route(
            "POST", "/v1/placements", PlacementsController().create, "placement:create", OPERATIONS
        ),
    ]


def _baymodels(words: Spelling) -> list[Route]:
    at, rule, baymodels = f"/v1/{words.baymodels}", words.baymodel, BayModelsController(words)
    return [
        Route("GET", at, baymodels.index, f"{rule}:get_all"),
        Route("POST", at, baymodels.create, f"{rule}:create"),
        Route("GET", f"{at}/detail", baymodels.detail, f"{rule}:detail"),
        Route("GET", f"{at}/{{}}", baymodels.show, f"{rule}:get"),
        Route("PATCH", f"{at}/{{}}", baymodels.change, f"{rule}:update"),
        Route("DELETE", f"{at}/{{}}", baymodels.remove, f"{rule}:delete"),
    ]


def _bays(words: Spelling) -> list[Route]:
    at, rule, bays = f"/v1/{words.bays}", words.bay, BaysController(words)
    return [
        Route("GET", at, bays.index, f"{rule}:get_all"),
        Route("POST", at, bays.create, f"{rule}:create"),
        Route("GET", f"{at}/detail", bays.detail, f"{rule}:detail"),
        Route("GET", f"{at}/{{}}", bays.show, f"{rule}:get"),
        Route("PATCH", f"{at}/{{}}", bays.change, f"{rule}:update"),
        Route("DELETE", f"{at}/{{}}", bays.remove, f"{rule}:delete"),
    ]


def _history(words: Spelling) -> list[Route]:
    at = f"/v1/{words.bays}/{{}}"
    operations, events = OperationsController(words), EventsController(words)
    return [
        Route("GET", f"{at}/operations", operations.index, "operation:get_all", OPERATIONS),
        Route("GET", f"{at}/events", events.index, "event:get_all", OPERATIONS),
    ]


def _actions(words: Spelling, since: Version) -> list[Route]:
    """``since`` is the version that resizing came with, and a word for upgrading."""
    at, changes = f"/v1/{words.bays}/{{}}/actions", ChangesController(words)
    return [
        *(
            Route("POST", f"{at}/{verb}", actions.of(verb), f"action:{verb}", OPERATIONS)
            for verb in ACTIONS
        ),
        Route("POST", f"{at}/resize", changes.resize, f"{words.bay}:resize", since),
        Route("POST", f"{at}/upgrade", changes.upgrade, f"{words.bay}:upgrade", since),
    ]


def _nodegroups(words: Spelling, since: Version) -> list[Route]:
    at, nodegroups = f"/v1/{words.bays}/{{}}/nodegroups", NodeGroupsController(words)
    one = f"{at}/{{}}"
    return [
        Route("GET", at, nodegroups.index, "nodegroup:get_all", since),
        Route("POST", at, nodegroups.create, "nodegroup:create", since),
        Route("GET", one, nodegroups.show, "nodegroup:get", since),
        Route("PATCH", one, nodegroups.change, "nodegroup:update", since),
        Route("DELETE", one, nodegroups.remove, "nodegroup:delete", since),
    ]


def _extensions(words: Spelling) -> list[Route]:
    at, extensions = f"/v1/{words.bays}/{{}}/ext", ExtensionsController(words)
    one = f"{at}/{{}}/{{}}"
    return [
        Route("GET", at, extensions.index, "ext:get_all", OPERATIONS),
        Route("GET", one, extensions.call, "ext:call_get", OPERATIONS),
        Route("POST", one, extensions.call, "ext:call_post", OPERATIONS),
    ]


def _insight(words: Spelling) -> list[Route]:
    at = f"/v1/{words.bays}/{{}}"
    preview, effective = PreviewsController(words), EffectiveController(words)
    return [
        Route("POST", f"{at}/preview", preview.create, "preview:create", OPERATIONS),
        Route("GET", f"{at}/effective", effective.show, "effective:get", OPERATIONS),
    ]


def _drivers() -> list[Route]:
    drivers = DriversController()
    return [
        Route("GET", "/v1/drivers", drivers.index, "driver:get_all", OPERATIONS),
        Route("GET", "/v1/drivers/{}", drivers.show, "driver:get", OPERATIONS),
    ]


def _operations(words: Spelling) -> list[Route]:
    at = "/v1/operations/{}"
    operations, events = OperationsController(words), EventsController(words)
    return [
        Route("GET", at, operations.show, "operation:get", OPERATIONS),
        Route("DELETE", at, operations.cancel, "operation:cancel", OPERATIONS),
        Route("GET", f"{at}/events", events.of_operation, "event:get_all", OPERATIONS),
    ]


def _certificates() -> list[Route]:
    at, certificates = "/v1/certificates", CertificatesController()
    return [
        Route("POST", at, certificates.create, "certificate:create"),
        Route("GET", f"{at}/{{}}", certificates.show, "certificate:get"),
        Route("GET", f"{at}/{{}}/{{}}", certificates.show, "certificate:get"),
        Route("PATCH", f"{at}/{{}}", certificates.rotate, "certificate:rotate_ca"),
        Route(
            "PATCH",
            "/v1/credentials/{}",
            CredentialsController().rotate,
            "credential:rotate",
            CREDENTIALS,
        ),
    ]


def _quotas() -> list[Route]:
    quotas, one = QuotasController(), "/v1/quotas/{}/{}"
    return [
        Route("GET", "/v1/quotas", quotas.index, "quota:get_all"),
        Route("POST", "/v1/quotas", quotas.create, "quota:create"),
        Route("GET", one, quotas.show, "quota:get"),
        Route("PATCH", one, quotas.change, "quota:update"),
        Route("DELETE", one, quotas.remove, "quota:delete"),
        Route("GET", "/v1/stats", StatsController().show, "stats:get_all"),
    ]


def _around() -> list[Route]:
    """What clients ask for beside clusters."""
    federations = FederationsController()
    return [
        Route("GET", "/v1/mservices", MServicesController().index, "magnum-service:get_all"),
        Route("GET", "/v1/federations", federations.index, "federation:get_all"),
        Route("GET", "/v1/federations/detail", federations.index, "federation:detail"),
    ]
