"""What a driver is given: the frozen bay, the cloud's clients, the bay's secrets, in one :class:`Work`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from .words import Verb


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """Nodes of one role and flavor. ``docker_volume_size`` is in GiB; None means no volume of its own.

    A bay has two groups by default, one for each role of the contract. Others are only there where the driver's
    ``node_groups`` is true; ``role`` may be any word for them, and its nodes are workers. ``node_labels`` and
    ``node_taints`` are what the cluster itself is to know of each node, where the driver's ``node_labels`` is true; a
    taint has ``key`` and ``effect``, and may have ``value``.
    """

    uuid: str
    name: str
    role: str
    node_count: int
    flavor_id: str | None = None
    image_id: str | None = None
    docker_volume_size: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    is_default: bool = True
    node_labels: Mapping[str, str] = field(default_factory=dict)
    node_taints: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BayModel:
    """What the cluster looks like. Fields are those of the REST contract, section 2.1."""

    uuid: str
    name: str | None
    coe: str
    image_id: str | None = None
    cluster_distro: str | None = None
    server_type: str = "vm"
    external_network_id: str | None = None
    dns_nameserver: str | None = None
    network_driver: str | None = None
    volume_driver: str | None = None
    docker_storage_driver: str | None = None
    apiserver_port: int | None = None
    http_proxy: str | None = None
    https_proxy: str | None = None
    no_proxy: str | None = None
    insecure_registry: str | None = None
    registry_enabled: bool = False
    tls_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Bay:
    """One cluster as it is wanted, with what was observed of it so far (``stack_id``, ``api_address``).

    ``driver_version`` and ``template_version`` are those the bay was created with. ``ssh_public_key`` is the public
    half of the creator's keypair, as text; drivers pass it to nodes as data, because the keypair itself belongs to a
    user the service is not. ``create_timeout`` is in minutes; None or 0 means the operator's default. ``hints`` are the
    request's wishes for its place, ``site`` is the place that the driver chose (:class:`Facts`), empty until then.
    """

    uuid: str
    name: str | None
    project_id: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ssh_public_key: str | None = None
    master_lb_enabled: bool = False
    floating_ip_enabled: bool = True
    fixed_network: str | None = None
    fixed_subnet: str | None = None
    discovery_url: str | None = None
    create_timeout: int | None = None
    stack_id: str | None = None
    api_address: str | None = None
    driver_version: str | None = None
    template_version: str | None = None
    hints: Mapping[str, Any] = field(default_factory=dict)
    site: Mapping[str, str] = field(default_factory=dict)


class Clouds(Protocol):
    """Clients for the cloud's services in the bay's project, with the service's own identity.

    Every client has a timeout on each call. A call that fails for a reason of the cloud's raises the client library's
    own exception; :func:`magnum.drivers.heat.errors.translated` turns Heat's into the contract's.
    """

    def heat(self) -> Any:
        """A ``heatclient.v1.client.Client``."""

    def rest(self, service_type: str) -> Any:
        """A ``keystoneauth1.adapter.Adapter`` for another service, such as ``compute`` or ``network``.

        None where the cloud's catalogue has no such service.
        """


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate, its private key, and the certificate of the CA that signed it, each as PEM."""

    certificate: str
    key: str = field(repr=False)
    authority: str


@dataclass(frozen=True, slots=True)
class NodeCredential:
    """What the nodes of a bay hold: an application credential of the bay's own user.

    It may fetch the bay's CA and have requests signed by it, and nothing else. ``auth_url`` is Keystone's version 3,
    ``service_url`` our own API's version 1, both as nodes reach them.
    """

    ident: str
    secret: str = field(repr=False)
    auth_url: str
    service_url: str


class Secrets(Protocol):
    """The secrets of one bay. Each is made at the first call and is the same ever after, in every process.

    All are removed with the bay. None may go into a cursor, facts, a progress, an error or a log.
    """

    def authority(self, kind: str = "") -> str:
        """The certificate of one of the bay's CAs, as PEM. The empty kind is the cluster's own CA."""

    def client(self, name: str, organization: str = "", kind: str = "") -> KeyPair:
        """A new certificate for a client of the cluster (subject ``CN=name, O=organization``), good for an hour."""

    def node_credential(self) -> NodeCredential:
        """What nodes authenticate with. Raises CloudUnavailable where Keystone does not answer."""

    def kept(self, name: str, make: Callable[[], str]) -> str:
        """A secret of the driver's own: what ``make`` returned when the name was asked for first."""


class _NoSecrets:
    """Stands where a bay has no secrets to give."""

    def _none(self, *_: object, **__: object) -> NoReturn:
        raise LookupError("no secrets are kept here")

    authority = client = node_credential = kept = _none


#: For work that is made up without a service behind it.
NO_SECRETS: Secrets = _NoSecrets()


class _NoClouds:
    """Stands where a driver has to do without the cloud."""

    def _none(self, *_: object) -> NoReturn:
        raise LookupError("there is no cloud to ask here")

    heat = rest = _none


#: For work at which a driver looks without a cloud.
NO_CLOUDS: Clouds = _NoClouds()


@dataclass(frozen=True, slots=True)
class Load:
    """How many bays a site holds: of everybody, and of the bay's own project."""

    bays: int = 0
    own: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """Everything one call of a verb may know.

    ``parameters`` is what the operation was asked for beyond the bay's own state; of an update it may have
    ``nodegroup``, the name of the group that it is about, and ``nodes_to_remove``, the nodes of that group which are to
    go, by the ids of their servers or by their numbers in the group, as text. ``cursor`` is what the driver asked
    to be remembered in its last ``Wait`` or ``Blocked`` of this operation, and empty at the first call. It survives a
    restart of the conductor, but the driver may also be called again with an older one: a verb must be repeatable.
    ``seconds_left`` is the time until the operation's deadline. ``woken`` is true where this call was not due yet but
    the cloud itself said that something has come to an end: a driver may then look at once for all it needs.
    ``unsettled`` is the time in seconds for which a request of an earlier step, whose answer nobody has seen, may
    still take effect in the cloud: until then, what is not there may yet come. ``loads`` is given to a creation whose
    bay has no site yet: how many bays each availability zone holds. So is ``zones``: the availability zones in which
    the operator lets clusters be built, each with a weight, of which greater is better and 0 means only for those who
    name it; empty means that any will do.
    """

    bay: Bay
    baymodel: BayModel
    node_groups: tuple[NodeGroup, ...]
    clouds: Clouds
    verb: Verb = Verb.CREATE
    parameters: Mapping[str, Any] = field(default_factory=dict)
    cursor: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1
    seconds_left: float = 3600.0
    poll_interval: float = 5.0
    woken: bool = False
    unsettled: float = 0.0
    secrets: Secrets = NO_SECRETS
    loads: Mapping[str, Load] = field(default_factory=dict)
    zones: Mapping[str, float] = field(default_factory=dict)

    def group(self, role: str) -> NodeGroup:
        """The default node group of a role. Raises KeyError where the bay has none."""
        for group in self.node_groups:
            if group.role == role and group.is_default:
                return group
        raise KeyError(role)
