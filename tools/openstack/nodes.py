"""The cloud's real nodes, as ``tools/cloud up --nodes`` has them: ready the machine, name the process, end it all.

What a node is and how it boots is the business of ``tools.node_run``; this module only binds it to the cloud.
"""

from concurrent.futures import Future, ThreadPoolExecutor

from tools.node_run import image, places, plan, probe
from tools.node_run.host import host
from tools.node_run.node import Nodes
from tools.openstack.console import Progress, Trouble

NAME = "nodes"  # of the process
MODULE = "tools.node_run.follow"
ADDRESS = plan.HOST_ADDRESS  # where nodes find the cloud's services
HOLD = "cloud"  # who keeps the host's bridge, and whose nodes they are


def prepare(say: Progress) -> "Future[image.Image]":
    """Make the bridge that the services will listen on, and begin to make the nodes' image if it is not there.

    :returns: the image, when it is there; making it goes on beside the services' start.
    :raises Trouble: where nodes cannot be booted, with what is missing.
    """
    where = places.places()
    reasons = probe.missing(where)
    if reasons:
        raise Trouble(
            f"this machine cannot boot nodes: {'; '.join(reasons)}. `tools/cloud up --fake-nodes` does without."
        )
    nodes = Nodes(where, host())
    nodes.fabric.hold(HOLD)
    nodes.fabric.raise_host()
    pool = ThreadPoolExecutor(1, "nodes-image")
    made = pool.submit(image.image, say)
    pool.shutdown(wait=False)
    return made


def down(say: Progress) -> None:
    """End the nodes of the cloud, with their networks; nodes that a person booted stay."""
    nodes = Nodes(places.places(), host(quiet=True))
    nodes.fabric.release(HOLD)
    ended = nodes.down(owner=HOLD)
    say(f"{ended} nodes are gone")
