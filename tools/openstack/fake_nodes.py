"""A FAKE: reports to Heat in the name of nodes that never boot.

Nova's fake virt driver starts nothing, so nobody would ever signal a stack's wait conditions. This process
of ``tools/cloud`` looks at all servers of the cloud once a second and does for each new ACTIVE one what its
own boot script would do at the end (see ``node_report.py``, which has the convention and the wire format).

A server's metadata can ask for another fate: ``fake_nodes=fail`` is reported as FAILURE with a reason,
``fake_nodes=silent`` is never reported. So can the id of its flavor, for servers whose metadata somebody else
writes: it begins with ``fake_nodes-fail`` or ``fake_nodes-silent``. Where real nodes boot (``tools/nodes follow``),
both keep their meaning, and ``fake_nodes=report`` asks for the report of a node that does not boot.

``python -P -m tools.openstack.fake_nodes`` with the administrator's ``OS_*`` variables in the environment.
"""

import base64
import datetime
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from keystoneauth1 import adapter, exceptions

from tools.openstack import keystone, node_report

INTERVAL = 1.0  # seconds between two looks
OVERLAP = datetime.timedelta(seconds=10)  # how far each look reaches back behind the one before
ATTEMPTS = 30  # looks during which an undelivered report is tried again
USER_DATA = "OS-EXT-SRV-ATTR:user_data"  # shown to administrators since microversion 2.3
FATE = "fake_nodes"


@dataclass(frozen=True)
class Delivery:
    """A report on its way.

    :param server: id of the server in whose name it is sent.
    """

    server: str
    url: str
    report: node_report.Report


class FakeNodes:
    """Finds servers that nobody has spoken for yet, and speaks for them."""

    def __init__(self, compute: adapter.Adapter) -> None:
        self._compute = compute
        self._settled: set[str] = set()  # servers that need no (more) report
        self._failures: dict[str, int] = {}
        self._since: datetime.datetime | None = None

    def look(self) -> int:
        """One look at Nova, and the reports that follow from it; returns how many arrived."""
        started = datetime.datetime.now(datetime.UTC)
        arrived = 0
        for server in self._servers():
            arrived += self.attend(server)
        if not self._failures:  # else the servers whose report failed must be shown again
            self._since = started - OVERLAP
        return arrived

    def attend(self, server: Mapping[str, Any]) -> bool:
        """Report in the name of a server, if that is due and was not done; says whether a report arrived."""
        if server["status"] == "DELETED":
            self._settled.discard(server["id"])
        elif server["id"] not in self._settled and server["status"] == "ACTIVE":
            return self._settle(server)
        return False

    def _servers(self) -> Iterator[Mapping[str, Any]]:
        query = {"all_tenants": "1"}
        if self._since is not None:
            query["changes-since"] = self._since.strftime("%Y-%m-%dT%H:%M:%SZ")
        url: str | None = "/servers/detail"
        while url is not None:
            page = self._compute.get(url, params=query).json()
            yield from page["servers"]
            links = [link["href"] for link in page.get("servers_links", ())]
            url, query = (links[0] if links else None), {}

    def _settle(self, server: Mapping[str, Any]) -> bool:
        """Report for one server; says whether a report arrived."""
        name = server["id"]
        try:
            delivery = due(server)
        except (ValueError, yaml.YAMLError) as error:  # anybody may boot a server with anything
            say(f"{server['name']} ({name}): its user data cannot be read, {error}")
            delivery = None
        if delivery is None:
            self._settled.add(name)
            return False
        try:
            node_report.send(delivery.url, delivery.report)
        except node_report.ReportError as error:
            self._failures[name] = self._failures.get(name, 0) + 1
            if self._failures[name] < ATTEMPTS:
                return False
            say(f"{server['name']} ({name}): gave up, {error}")
            arrived = False
        else:
            say(f"{server['name']} ({name}): {delivery.report.status}")
            arrived = True
        self._failures.pop(name, None)
        self._settled.add(name)
        return arrived


def due(server: Mapping[str, Any]) -> Delivery | None:
    """What has to be reported for a server as Nova shows it; None when nobody waits or it shall be silent."""
    asked = fate(server)
    url = node_report.signal_url(base64.b64decode(server.get(USER_DATA) or ""))
    if url is None or asked == "silent":
        return None
    failure = f"the server asks for it with {FATE}=fail" if asked == "fail" else ""
    report = node_report.Report(
        unique_id=server["name"],
        status="FAILURE" if failure else "SUCCESS",
        reason=failure or f"{server['name']} is ready",
    )
    return Delivery(server["id"], url, report)


def fate(server: Mapping[str, Any]) -> str | None:
    """What the server's metadata asks for, or else its flavor's id; None when neither does."""
    asked: str | None = server["metadata"].get(FATE)
    if asked is not None:
        return asked
    word, _, rest = server.get("flavor", {}).get("id", "").partition("-")
    return rest.partition("-")[0] if word == FATE else None


def say(text: str) -> None:
    """One line of the log."""
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M:%S} {text}", flush=True)


def main() -> None:
    """Run until told to end. A cloud that does not answer is asked again."""
    session = keystone.login(
        os.environ["OS_AUTH_URL"].removesuffix("/v3"),
        os.environ["OS_USERNAME"],
        os.environ["OS_PASSWORD"],
        os.environ["OS_PROJECT_NAME"],
    )
    compute = adapter.Adapter(
        session,
        service_type="compute",
        region_name=os.environ["OS_REGION_NAME"],
        default_microversion="2.3",
    )
    nodes = FakeNodes(compute)
    say("watching")
    while True:
        try:
            nodes.look()
        except exceptions.ClientException as error:
            say(f"no look at Nova: {error}")
        time.sleep(INTERVAL)


if __name__ == "__main__":
    main()
