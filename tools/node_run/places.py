"""Where everything lies: what is cached for all checkouts, and what a running set of nodes keeps.

The lowest module of the package. Cached things are made once and named after what they are made of; the state folder
holds nothing that outlives ``tools/nodes down``, except logs.
"""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from tools.openstack import venvs

CHECKOUT = Path(__file__).resolve().parents[2]
READY = venvs.READY  # written last: a folder without it is half made
VARIABLE = "MAGNUM_NODES_STATE"
#: Shared by all checkouts, as the bridge and the namespaces are.
STATE = "/var/lib/magnum-nodes"
ARCHITECTURE = platform.machine()
LIBRARIES = f"usr/lib/{ARCHITECTURE}-linux-gnu"  # in a Debian tree


def cache() -> Path:
    """The folder of what is built once and shared by all checkouts."""
    return venvs.cache_folder() / "nodes"


@dataclass(frozen=True)
class Places:
    """The folders of one set of running nodes.

    :param state: the folder that holds them all.
    """

    state: Path

    @property
    def nodes(self) -> Path:
        """One folder for each node."""
        return self.state / "node"

    @property
    def networks(self) -> Path:
        """One file for each network that was made."""
        return self.state / "network"

    def node(self, name: str) -> Path:
        """The folder of a node, whether it exists or not."""
        return self.nodes / name


def places(state: str | None = None) -> Places:
    """The folders, by the name of the state folder or its default."""
    chosen = state or os.environ.get(VARIABLE) or STATE
    return Places(Path(chosen).resolve())
