"""What the suite asks of the surroundings of a driver: one bay, and the cloud that its cluster is built in.

A driver's directory may bring a ``conformance.py`` with a class ``World`` that derives from the one here, or from
:class:`~magnum.drivers.conformance.heat_world.HeatWorld`. Without one a Heat driver gets a ``HeatWorld``, any other
driver the bare ``World``, which has no cloud at all.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from magnum.drivers.conformance.fake_secrets import FakeSecrets
from magnum.drivers.conformance.samples import sample
from magnum.drivers.contract import (
    ANY_DISTRO,
    MASTER,
    WORKER,
    Bay,
    BayModel,
    Clouds,
    CloudUnavailable,
    Driver,
    Endpoint,
    Facts,
    Load,
    NodeGroup,
    Verb,
    Work,
)

#: The bay of every world: what a driver derives from it is the same in each run.
UUID = "6f4c1a52-9d0e-4b57-8a3e-2c7d15e0b9f4"
#: Stand where people put secrets. None of them may be seen in what a driver says.
PROXY_SECRET = "planted-proxy-secret"
LABEL_SECRET = "planted-label-secret"
PARAMETER_SECRET = "planted-parameter-secret"
KEY_SECRET = "planted-key-secret"
SECRETS = (PROXY_SECRET, LABEL_SECRET, PARAMETER_SECRET, KEY_SECRET)
#: The zones of a world with a cloud, and how many bays each holds.
LOADS: Mapping[str, Load] = {
    "zone-1": Load(bays=3, own=1),
    "zone-2": Load(bays=1),
    "zone-3": Load(bays=2, own=2),
}


#: Facts that stay with the bay once they are known.
_LASTING = ("stack_id", "api_address", "driver_version", "template_version", "site")


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a call into the cloud goes wrong.

    ``passes`` says that the same call, made again, will do: a verb then has to reach its end all the same.
    """

    name: str
    passes: bool


class NoClouds:
    """The cloud of a driver that uses none: whoever asks it gets no answer."""

    def heat(self) -> Any:
        """No Heat here."""
        raise CloudUnavailable("This trial has no cloud: the driver needs a conformance.py.")

    def rest(self, service_type: str) -> Any:
        """No other service either."""
        return


class World:
    """One bay and its cloud, empty at first. Made anew for each run, by calling it with the driver.

    A subclass with a cloud sets ``has_cloud`` and overrides what stands behind it. ``faults`` are the ways in which
    its calls can be made to fail; empty where they cannot.
    """

    has_cloud: ClassVar[bool] = False
    faults: ClassVar[tuple[Fault, ...]] = ()

    def __init__(self, driver: Driver) -> None:
        provided = min(driver.provides, key=repr)
        self.clouds: Clouds = NoClouds()
        self.secrets = FakeSecrets()
        self.loads = LOADS if self.has_cloud else {}
        self.bay = Bay(
            uuid=UUID,
            name="conformance",
            project_id="conformance-project",
            labels={"registry_password": LABEL_SECRET},
            ssh_public_key=f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBXw {KEY_SECRET}",
            driver_version=driver.version,
            template_version=driver.template_version,
        )
        distro = None if provided.os_distro == ANY_DISTRO else provided.os_distro
        self.baymodel = BayModel(
            uuid="0b1f7a9c-54a7-4c5c-8f0e-6d1e8c5a7b21",
            name="conformance",
            coe=provided.coe,
            server_type=provided.server_type,
            cluster_distro=distro,
            image_id="an-image",
            external_network_id="public",
            http_proxy=f"http://someone:{PROXY_SECRET}@proxy.example.com:3128",
            https_proxy=f"http://someone:{PROXY_SECRET}@proxy.example.com:3128",
        )
        self.node_groups: tuple[NodeGroup, ...] = (
            NodeGroup("group-1", "default-master", MASTER, 1, flavor_id="a-flavor"),
            NodeGroup("group-2", "default-worker", WORKER, 2, flavor_id="a-flavor"),
        )
        self.parameters: Mapping[str, Any] = {"unknown_secret": PARAMETER_SECRET}

    # --- what is asked of the bay ---------------------------------------------------------------------------------

    def ask(self, verb: Verb) -> None:
        """Have the bay as it is to be for a verb. An update or scaling wants one more worker."""
        if verb in (Verb.UPDATE, Verb.SCALE):
            self.node_groups = tuple(
                replace(group, node_count=group.node_count + 1) if group.role == WORKER else group
                for group in self.node_groups
            )

    def label(self, name: str, value: str) -> None:
        """Give the bay a label."""
        self.bay = replace(self.bay, labels={**self.bay.labels, name: value})

    def learn(self, facts: Facts) -> None:
        """Record what a driver observed, as the service does."""
        known = {name: value for name in _LASTING if (value := getattr(facts, name)) is not None}
        self.bay = replace(self.bay, **known)

    def work(self, verb: Verb, cursor: Mapping[str, Any], **more: Any) -> Work:
        """What a driver is given for one call."""
        return Work(
            bay=self.bay,
            baymodel=self.baymodel,
            node_groups=self.node_groups,
            clouds=self.clouds,
            verb=verb,
            parameters=self.parameters,
            cursor=cursor,
            poll_interval=1.0,
            secrets=self.secrets,
            loads=self.loads if verb is Verb.CREATE and not self.bay.site else {},
            **more,
        )

    def request(self, endpoint: Endpoint) -> Mapping[str, Any]:
        """What one of the driver's endpoints is asked. By default the smallest request that its schema allows.

        Raises Unknown where that cannot be found out.
        """
        made: Mapping[str, Any] = sample(endpoint.request)
        return made

    # --- what the cloud does --------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Bring to its end what the cloud is at. It may take the time that it takes."""

    def busy(self) -> bool:
        """Whether the cloud is at something that has not come to its end."""
        return False

    def fail(self) -> bool:
        """Have what the cloud is at end badly; False where this cloud cannot be made to."""
        return False

    def clusters(self) -> Collection[str]:
        """Every cluster of the bay that is in the cloud, whatever its state, by a name of its own."""
        return ()

    def workers(self) -> Collection[str] | None:
        """Ids of the servers of the bay's workers, as a scaler names them; None where this world has no servers."""
        return None

    def picture(self) -> object:
        """All that is there of the bay in the cloud, so that two pictures are equal where nothing has changed."""
        return sorted(self.clusters())

    def readable(self) -> Iterator[tuple[str, str]]:
        """Texts that people in the bay's project can read in the cloud, each behind the name of where it stands."""
        return iter(())

    def calls(self) -> int:
        """How many calls into the cloud there were."""
        return 0

    def break_call(self, number: int, fault: Fault) -> None:
        """Have one call go wrong; ``number`` counts from now on, from 1."""
        raise NotImplementedError

    def close(self) -> None:
        """Clear up after the run."""
