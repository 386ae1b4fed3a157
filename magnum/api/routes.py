"""The whole API on one page: every method on every path, who does it, and the rule that is asked (None: nobody)."""

from magnum.api.controllers import actions
from magnum.api.controllers.baymodels import BayModelsController
from magnum.api.controllers.bays import BaysController
from magnum.api.controllers.events import EventsController
from magnum.api.controllers.operations import OperationsController
from magnum.api.controllers.placements import PlacementsController
from magnum.api.controllers.root import DiscoveryController
from magnum.api.microversions import OPERATIONS
from magnum.api.routing import Route
from magnum.api.schemas.actions import ACTIONS
from magnum.api.spelling import BAYS, CLUSTERS, Spelling


def table() -> list[Route]:
    """All routes."""
    discovery = DiscoveryController([BAYS.baymodels, BAYS.bays])
    return [
        Route("GET", "/", discovery.versions),
        Route("GET", "/v1", discovery.v1),
        *_baymodels(BAYS),
        *_bays(BAYS),
        *_history(BAYS),
        *_history(CLUSTERS),
        *_actions(BAYS),
        *_actions(CLUSTERS),
        *_operations(BAYS),
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


def _actions(words: Spelling) -> list[Route]:
    at = f"/v1/{words.bays}/{{}}/actions"
    return [
        Route("POST", f"{at}/{verb}", actions.of(verb), f"action:{verb}", OPERATIONS)
        for verb in ACTIONS
    ]


def _operations(words: Spelling) -> list[Route]:
    at = "/v1/operations/{}"
    operations, events = OperationsController(words), EventsController(words)
    return [
        Route("GET", at, operations.show, "operation:get", OPERATIONS),
        Route("DELETE", at, operations.cancel, "operation:cancel", OPERATIONS),
        Route("GET", f"{at}/events", events.of_operation, "event:get_all", OPERATIONS),
    ]
