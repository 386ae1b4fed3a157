"""The whole API on one page: every method on every path, who does it, and the rule that is asked (None: nobody)."""

from magnum.api.controllers.baymodels import BayModelsController
from magnum.api.controllers.bays import BaysController
from magnum.api.controllers.root import DiscoveryController
from magnum.api.routing import Route
from magnum.api.spelling import BAYS, Spelling


def table() -> list[Route]:
    """All routes."""
    discovery = DiscoveryController([BAYS.baymodels, BAYS.bays])
    return [
        Route("GET", "/", discovery.versions),
        Route("GET", "/v1", discovery.v1),
        *_baymodels(BAYS),
        *_bays(BAYS),
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
