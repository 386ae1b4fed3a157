"""What a driver is: the stable, versioned border between Magnum and the code that builds clusters.

A driver subclasses :class:`Driver` and writes the verbs it can do. Each verb takes one :class:`Work` and returns one
outcome: :class:`Done`, :class:`Wait`, :class:`Blocked` or :class:`Failed`. Everything here is frozen data; a driver
never sees the database, RPC or HTTP. This module imports nothing of ours, so that a driver outside the tree needs
nothing else to be written against (``design.md``, section 5).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn, Protocol

#: Version of this contract. The first number changes when a driver has to change with it, the second when something
#: was added that a driver may ignore.
CONTRACT_VERSION = (1, 1)


class Actor(enum.StrEnum):
    """Whose move it is when an operation cannot go on by itself."""

    USER = "user"
    OPERATOR = "operator"
    NOBODY = "nobody"


class Verb(enum.StrEnum):
    """What can be asked of a bay. The driver's method is ``bay_<verb>``."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REBUILD = "rebuild"
    RESET = "reset"
    SOFT_REBOOT = "soft_reboot"
    HARD_REBOOT = "hard_reboot"
    SCALE = "scale"
    ROTATE_CA = "rotate_ca"
    ROTATE_CREDENTIALS = "rotate_credentials"
    ADJUST_STORAGE = "adjust_storage"
    UPGRADE = "upgrade"
    CHECK = "check"


MASTER = "master"
WORKER = "worker"


#: Stands for every distribution, in what a driver provides that does not care what its nodes boot.
ANY_DISTRO = "*"


@dataclass(frozen=True, slots=True)
class Provides:
    """One kind of cluster a driver builds: a baymodel's server type, image distribution and engine."""

    server_type: str
    os_distro: str
    coe: str

    def boots(self, os_distro: str) -> bool:
        """Whether nodes of this kind can be made from an image of a distribution."""
        return self.os_distro in (os_distro, ANY_DISTRO)


# --- what a driver is given ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """Nodes of one role and flavor. ``docker_volume_size`` is in GiB; None means no volume of its own."""

    uuid: str
    name: str
    role: str
    node_count: int
    flavor_id: str | None = None
    image_id: str | None = None
    docker_volume_size: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    is_default: bool = True


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
    user the service is not. ``create_timeout`` is in minutes; None or 0 means the operator's default.
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
class Work:
    """Everything one call of a verb may know.

    ``parameters`` is what the operation was asked for beyond the bay's own state. ``cursor`` is what the driver asked
    to be remembered in its last ``Wait`` or ``Blocked`` of this operation, and empty at the first call. It survives a
    restart of the conductor, but the driver may also be called again with an older one: a verb must be repeatable.
    ``seconds_left`` is the time until the operation's deadline. ``woken`` is true where this call was not due yet but
    the cloud itself said that something has come to an end: a driver may then look at once for all it needs.
    ``unsettled`` is the time in seconds for which a request of an earlier step, whose answer nobody has seen, may
    still take effect in the cloud: until then, what is not there may yet come.
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

    def group(self, role: str) -> NodeGroup:
        """The default node group of a role. Raises KeyError where the bay has none."""
        for group in self.node_groups:
            if group.role == role and group.is_default:
                return group
        raise KeyError(role)


# --- what a driver answers -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What was observed of one node group. None means not known: what is recorded stays."""

    addresses: tuple[str, ...] | None = None
    stack_id: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What was observed of a bay. None means not known: what is recorded stays. Groups go by their name.

    ``driver_version`` and ``template_version`` are said by who launches or upgrades a cluster: what it was made with.
    """

    stack_id: str | None = None
    api_address: str | None = None
    coe_version: str | None = None
    container_version: str | None = None
    node_groups: Mapping[str, GroupFacts] = field(default_factory=dict)
    driver_version: str | None = None
    template_version: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an operation stands: a short stage name, and how many of how many, where that is known."""

    stage: str
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A part of the cluster that failed.

    ``resource`` is its place in the template (``workers / 1 / server``), ``type`` the cloud's type of it, ``text`` the
    cloud's own words, without secrets, and ``request_id`` the id under which the cloud's log has more, where known.
    """

    resource: str
    type: str
    text: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something of a bay that is still in the cloud though the bay is to go.

    ``service`` is the type in the service catalogue (``compute``), ``kind`` the service's word for it (``server``).
    """

    service: str
    kind: str
    ident: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The verb has reached its end."""

    facts: Facts = Facts()


@dataclass(frozen=True, slots=True)
class Wait:
    """Call again after ``seconds``, with this ``cursor``.

    ``trouble`` is what stands in the way while the driver goes on trying; it means the same as raising it, but the
    cursor and the seconds are the driver's own. The operation ends with it should its deadline come.
    """

    seconds: float
    cursor: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress | None = None
    facts: Facts = Facts()
    trouble: "DriverError | None" = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """The verb cannot go on until somebody does something; it is tried again by itself, and the operation is kept.

    ``code`` is stable and in capitals with underscores. ``text`` is for the user, ``operator_text`` for the log and the
    operator. Neither may hold a secret. ``seconds`` is the time until the next try, None for the operator's pace. A
    deletion names its ``leftovers``; ``faults`` are as in :class:`Failed`.
    """

    code: str
    actor: Actor
    text: str
    operator_text: str = ""
    cursor: Mapping[str, Any] = field(default_factory=dict)
    facts: Facts = Facts()
    seconds: float | None = None
    faults: tuple[Fault, ...] = ()
    leftovers: tuple[Leftover, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The verb has failed for good; ``faults`` are the parts that did. Other fields as in :class:`Blocked`."""

    code: str
    actor: Actor
    text: str
    operator_text: str = ""
    facts: Facts = Facts()
    faults: tuple[Fault, ...] = ()


Outcome = Done | Wait | Blocked | Failed


# --- what a driver may raise -----------------------------------------------------------------------------------------


class DriverError(Exception):
    """Base of what a driver raises. ``text`` is for the user, ``operator_text`` for the operator; no secret in them."""

    code: ClassVar[str] = "DRIVER_ERROR"
    actor: ClassVar[Actor] = Actor.OPERATOR

    def __init__(self, text: str, operator_text: str = "") -> None:
        super().__init__(operator_text or text)
        self.text = text
        self.operator_text = operator_text or text


class NotSupported(DriverError):
    """This driver does not have the verb, or not in this form."""

    code = "NOT_SUPPORTED"
    actor = Actor.USER


class InvalidOption(DriverError):
    """An option of the bay or baymodel cannot be used; the text names it."""

    code = "INVALID_OPTION"
    actor = Actor.USER


class BuildError(DriverError):
    """The cluster could not be built or changed, and asking again would not help."""

    code = "BUILD_FAILED"
    actor = Actor.USER


class DeleteFailed(DriverError):
    """Something would not go away, such as ``leftovers``. The deletion is tried again until its deadline."""

    code = "DELETE_FAILED"

    def __init__(
        self, text: str, operator_text: str = "", leftovers: tuple[Leftover, ...] = ()
    ) -> None:
        super().__init__(text, operator_text)
        self.leftovers = leftovers


class NotFound(DriverError):
    """What the verb works on is not there any more."""

    code = "STACK_GONE"
    actor = Actor.USER


class StackChanged(DriverError):
    """Somebody else has changed the cluster: it is not what was last made of it. Raised by ``observe``."""

    code = "STACK_CHANGED"
    actor = Actor.USER


class QuotaExceeded(DriverError):
    """The project's quota has no room. The operation waits, and goes on once there is room."""

    code = "QUOTA_EXCEEDED"
    actor = Actor.USER


class CloudUnavailable(DriverError):
    """The cloud did not answer, or not sensibly. Transient: the operation goes on until its deadline."""

    code = "CLOUD_UNAVAILABLE"


# --- the driver ------------------------------------------------------------------------------------------------------


class Driver:
    """Base of all drivers: identity, capabilities and the verbs.

    A subclass sets ``name`` (the directory's and entry point's name, ``swarm_atomic_v1``), ``version``,
    ``template_version`` and ``provides``, and overrides the verbs it has. Rules for a verb:

    * it does not block: start something, answer :class:`Wait`, look again when called again;
    * it is repeatable: names derive from the bay's uuid, and "already there" means adopt it;
    * it answers :class:`Done` only for what it has observed.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    template_version: ClassVar[str] = "0"
    contract: ClassVar[tuple[int, int]] = CONTRACT_VERSION
    provides: ClassVar[frozenset[Provides]] = frozenset()

    @classmethod
    def verbs(cls) -> frozenset[Verb]:
        """The verbs this driver has written."""
        written = {
            verb
            for verb in Verb
            if getattr(cls, f"bay_{verb}", None) is not getattr(Driver, f"bay_{verb}")
        }
        return frozenset(written if cls.observe is Driver.observe else written | {Verb.CHECK})

    def _not_supported(self, verb: Verb) -> NoReturn:
        raise NotSupported(f"The driver {self.name} cannot do '{verb}' on a bay.")

    def bay_create(self, work: Work) -> Outcome:
        """Build the bay's cluster."""
        self._not_supported(Verb.CREATE)

    def bay_update(self, work: Work) -> Outcome:
        """Bring the cluster to the bay's present specification."""
        self._not_supported(Verb.UPDATE)

    def bay_delete(self, work: Work) -> Outcome:
        """Remove all that belongs to the cluster, and prove it gone."""
        self._not_supported(Verb.DELETE)

    def bay_rebuild(self, work: Work) -> Outcome:
        """Make every node anew from its image; uuid, network and addresses stay."""
        self._not_supported(Verb.REBUILD)

    def bay_reset(self, work: Work) -> Outcome:
        """Bring the cluster back to its state right after creation."""
        self._not_supported(Verb.RESET)

    def bay_soft_reboot(self, work: Work) -> Outcome:
        """Restart nodes in order, one after the other, waiting for each."""
        self._not_supported(Verb.SOFT_REBOOT)

    def bay_hard_reboot(self, work: Work) -> Outcome:
        """Power-cycle nodes."""
        self._not_supported(Verb.HARD_REBOOT)

    def bay_scale(self, work: Work) -> Outcome:
        """Change the number of nodes of one group; ``parameters`` may name the nodes that go."""
        self._not_supported(Verb.SCALE)

    def bay_rotate_ca(self, work: Work) -> Outcome:
        """Replace the bay's certificate authority without an outage."""
        self._not_supported(Verb.ROTATE_CA)

    def bay_rotate_credentials(self, work: Work) -> Outcome:
        """Replace the credential that the nodes hold."""
        self._not_supported(Verb.ROTATE_CREDENTIALS)

    def bay_adjust_storage(self, work: Work) -> Outcome:
        """Change the nodes' storage."""
        self._not_supported(Verb.ADJUST_STORAGE)

    def bay_upgrade(self, work: Work) -> Outcome:
        """Move the bay to another version of its software or driver."""
        self._not_supported(Verb.UPGRADE)

    def bay_check(self, work: Work) -> Outcome:
        """Look whether the cluster is there and as it was made. A driver that can observe can do this."""
        return Done(self.observe(work))

    def observe(self, work: Work) -> Facts:
        """What can be seen of the cluster now, without changing anything.

        Raises NotFound where it is gone, StackChanged where it is not what it was made to be.
        """
        raise NotSupported(f"The driver {self.name} cannot observe a bay.")
