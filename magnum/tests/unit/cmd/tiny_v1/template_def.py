"""How a bay becomes the template's parameters."""

from collections.abc import Mapping
from typing import Any

from magnum.drivers.common.options import Options
from magnum.drivers.contract import WORKER, Facts, Work
from magnum.drivers.heat.template import TemplateDefinition

API_PORT = 2376
OPTIONS = Options(__package__)


class TinyTemplate(TemplateDefinition):
    """One group of nodes."""

    package = __package__
    mutable = frozenset({"node_count"})

    def parameters(self, work: Work) -> Mapping[str, Any]:
        options = OPTIONS.read(work.bay.labels)
        return {
            "image": work.baymodel.image_id,
            "flavor": work.group(WORKER).flavor_id,
            "node_count": work.group(WORKER).node_count,
            "seconds": options["patience"],
            "token": work.secrets.kept("token", lambda: "made-up-for-the-tests"),
        }

    def facts(self, work: Work, stack_id: str, outputs: Mapping[str, Any]) -> Facts:
        return Facts(stack_id=stack_id, api_address=f"tcp://{outputs.get('address')}:{API_PORT}")
