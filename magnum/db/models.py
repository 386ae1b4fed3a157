"""The tables, as typed models. Field names are those of the REST contract, so that no layer has to translate them.

Times are UTC without a zone, to the microsecond, in every database. ``id`` is a plain counter that gives lists their
default order; everything outside goes by ``uuid``.
"""

import enum
from datetime import datetime
from typing import Annotated, Any

from oslo_utils import timeutils
from sqlalchemy import JSON, DateTime, ForeignKey, Index, MetaData, String, Text, UniqueConstraint
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

#: Names of constraints, so that migrations can name them on every database.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Moment = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")

Key = Annotated[int, mapped_column(primary_key=True, autoincrement=True)]
Uuid = Annotated[str, mapped_column(String(36))]
Name = Annotated[str, mapped_column(String(255))]
Time = Annotated[datetime, mapped_column(Moment)]
Prose = Annotated[str, mapped_column(Text)]
#: Prose that may be longer than the 64 KiB that some databases have for it.
Long = Annotated[str, mapped_column(Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb"))]
Document = Annotated[dict[str, Any], mapped_column(JSON(none_as_null=True))]
Addresses = Annotated[list[str], mapped_column(JSON(none_as_null=True))]
#: Faults, leftovers and taints as :mod:`magnum.drivers.contract` has them, field by field.
Things = Annotated[list[dict[str, str]], mapped_column(JSON(none_as_null=True))]


class State(enum.StrEnum):
    """Where an operation stands. Stable words: they are stored and shown."""

    PENDING = "PENDING"  # accepted, nobody has begun
    RUNNING = "RUNNING"  # begun, goes on by itself
    BLOCKED = (
        "BLOCKED"  # begun, waits until the named actor has done something; tried again by itself
    )
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"  # overtaken by a deletion, or taken back before it began


#: Role of the groups that hold a cluster's control plane (contract 2.3).
MASTER = "master"

UNFINISHED = (State.PENDING, State.RUNNING, State.BLOCKED)


class Base(DeclarativeBase):
    """Base of all models."""

    metadata = MetaData(naming_convention=NAMING)
    __table_args__: Any = {
        "mysql_engine": "InnoDB",
        "mysql_charset": "utf8mb4",
        "sqlite_autoincrement": True,
    }


class Timestamps:
    """When a row was made and last changed on somebody's behalf; ``updated_at`` is null until then (contract 1.8)."""

    created_at: Mapped[Time] = mapped_column(default=timeutils.utcnow)
    updated_at: Mapped[Time | None] = mapped_column()


class BayModel(Timestamps, Base):
    """What a cluster looks like (contract 2.1)."""

    __tablename__ = "baymodel"

    id: Mapped[Key]
    uuid: Mapped[Uuid] = mapped_column(unique=True)
    name: Mapped[Name | None]
    project_id: Mapped[Name] = mapped_column(index=True)
    user_id: Mapped[Name]
    coe: Mapped[Name]
    driver: Mapped[Name | None]
    image_id: Mapped[Name | None]
    keypair_id: Mapped[Name | None]
    flavor_id: Mapped[Name | None]
    master_flavor_id: Mapped[Name | None]
    external_network_id: Mapped[Name | None]
    fixed_network: Mapped[Name | None]
    fixed_subnet: Mapped[Name | None]
    dns_nameserver: Mapped[Name | None]
    network_driver: Mapped[Name | None]
    volume_driver: Mapped[Name | None]
    docker_volume_size: Mapped[int | None]
    docker_storage_driver: Mapped[Name | None]
    apiserver_port: Mapped[int | None]
    cluster_distro: Mapped[Name | None]
    http_proxy: Mapped[Name | None]
    https_proxy: Mapped[Name | None]
    no_proxy: Mapped[Name | None]
    insecure_registry: Mapped[Name | None]
    registry_enabled: Mapped[bool] = mapped_column(default=False)
    tls_disabled: Mapped[bool] = mapped_column(default=False)
    public: Mapped[bool] = mapped_column(default=False)
    hidden: Mapped[bool] = mapped_column(default=False)
    server_type: Mapped[Name] = mapped_column(default="vm")
    master_lb_enabled: Mapped[bool] = mapped_column(default=False)
    floating_ip_enabled: Mapped[bool] = mapped_column(default=True)
    labels: Mapped[Document] = mapped_column(default=dict)
    tags: Mapped[Name | None]


class Bay(Timestamps, Base):
    """One cluster: what is wanted of it (``generation`` counts the changes), and what was last seen of it.

    ``status`` and ``status_reason`` are written with every step of an operation, from the table in
    ``magnum.lifecycle.statuses``. ``observed_generation`` and ``observed_at`` say how old the facts are. ``site`` is
    where its driver put it, ``zone`` the availability zones among that as one text, so that they can be counted.
    ``health_due_at`` is when its monitor looks at it next; null means never. ``ca_expires_at`` is the end of its CA,
    ``ca_warned_at`` when its timeline was told that it is near. ``bay_user_id`` is the Keystone user of the bay's own;
    empty where one is about to be made.
    """

    __tablename__ = "bay"

    id: Mapped[Key]
    uuid: Mapped[Uuid] = mapped_column(unique=True)
    name: Mapped[Name | None]
    project_id: Mapped[Name] = mapped_column(index=True)
    user_id: Mapped[Name]
    baymodel_id: Mapped[Uuid] = mapped_column(ForeignKey("baymodel.uuid"), index=True)
    keypair: Mapped[Name | None]
    ssh_public_key: Mapped[Prose | None]
    create_timeout: Mapped[int | None]
    discovery_url: Mapped[Name | None]
    docker_volume_size: Mapped[int | None]
    labels: Mapped[Document] = mapped_column(default=dict)
    flavor_id: Mapped[Name | None]
    master_flavor_id: Mapped[Name | None]
    fixed_network: Mapped[Name | None]
    fixed_subnet: Mapped[Name | None]
    floating_ip_enabled: Mapped[bool] = mapped_column(default=True)
    master_lb_enabled: Mapped[bool] = mapped_column(default=False)
    driver: Mapped[Name]
    driver_version: Mapped[Name]
    template_version: Mapped[Name]
    placement: Mapped[Document | None]
    hints: Mapped[Document | None]
    site: Mapped[Document | None]
    zone: Mapped[Name | None]
    ca_expires_at: Mapped[Time | None]
    ca_warned_at: Mapped[Time | None]
    bay_user_id: Mapped[Name | None]
    generation: Mapped[int] = mapped_column(default=1)
    status: Mapped[Name]
    status_reason: Mapped[Prose | None]
    faults: Mapped[Things | None]
    health_status: Mapped[Name | None]
    health_status_reason: Mapped[Document] = mapped_column(default=dict)
    health_due_at: Mapped[Time | None] = mapped_column(index=True)
    utilisation: Mapped[Document | None]
    stack_id: Mapped[Name | None]
    api_address: Mapped[Name | None]
    coe_version: Mapped[Name | None]
    container_version: Mapped[Name | None]
    observed_generation: Mapped[int | None]
    observed_at: Mapped[Time | None]

    baymodel: Mapped[BayModel] = relationship(lazy="raise", viewonly=True)
    node_groups: Mapped[list["NodeGroup"]] = relationship(
        lazy="raise", viewonly=True, order_by="NodeGroup.id"
    )

    @property
    def master_count(self) -> int:
        """Nodes in all groups of masters (contract 2.2, "Meaning")."""
        return sum(group.node_count for group in self.node_groups if group.role == MASTER)

    @property
    def node_count(self) -> int:
        """Nodes in all other groups."""
        return sum(group.node_count for group in self.node_groups if group.role != MASTER)


class NodeGroup(Timestamps, Base):
    """Nodes of one role and flavor of a bay (contract 2.3).

    ``unwanted`` is true while the group is to go: the row stays until nothing of it is left. Null is what an older
    release has written, and means no. ``status`` is null where the bay's own tells all, as with the default groups.
    """

    __tablename__ = "nodegroup"
    __table_args__ = (UniqueConstraint("bay_id", "name"), Base.__table_args__)

    id: Mapped[Key]
    uuid: Mapped[Uuid] = mapped_column(unique=True)
    bay_id: Mapped[Uuid] = mapped_column(ForeignKey("bay.uuid"))
    project_id: Mapped[Name]
    name: Mapped[Name]
    role: Mapped[Name]
    is_default: Mapped[bool] = mapped_column(default=False)
    node_count: Mapped[int]
    min_node_count: Mapped[int] = mapped_column(default=0)
    max_node_count: Mapped[int | None]
    flavor_id: Mapped[Name | None]
    image_id: Mapped[Name | None]
    docker_volume_size: Mapped[int | None]
    labels: Mapped[Document] = mapped_column(default=dict)
    node_addresses: Mapped[Addresses] = mapped_column(default=list)
    stack_id: Mapped[Name | None]
    status: Mapped[Name | None]
    status_reason: Mapped[Prose | None]
    version: Mapped[Name | None]
    unwanted: Mapped[bool | None] = mapped_column(default=False)
    node_labels: Mapped[Document | None]
    node_taints: Mapped[Things | None]


class Operation(Base):
    """One piece of work on a bay. The row is the truth; messages about it are hints (``design.md``, section 4).

    ``next_run_at`` null means nobody need look at it: it has ended, or waits behind another of its bay. ``owner``,
    ``lease_until`` and ``fence`` are the claim; every write by a worker says ``fence = mine``. It refers to its bay by
    uuid without a foreign key, because it outlives it. ``timeout`` is in seconds; it counts from the first claim, when
    ``deadline`` is set anew. ``overdue`` counts passes that began after the deadline. ``wakes`` counts what the cloud
    has told us of this operation's work, ``wakes_seen`` how much of that a pass has acted on. ``undo`` is what a change
    put in the place of what: generation, status, reason, and columns by node group; a cancelled change restores it.
    """

    __tablename__ = "operation"
    __table_args__ = (
        Index(None, "next_run_at"),
        Index(None, "bay_uuid", "state"),
        Base.__table_args__,
    )

    id: Mapped[Key]
    uuid: Mapped[Uuid] = mapped_column(unique=True)
    bay_uuid: Mapped[Uuid]
    project_id: Mapped[Name]
    user_id: Mapped[Name]
    request_id: Mapped[Name | None]
    verb: Mapped[Name]
    parameters: Mapped[Document] = mapped_column(default=dict)
    generation: Mapped[int]
    state: Mapped[Name]
    stage: Mapped[Name | None]
    done: Mapped[int | None]
    total: Mapped[int | None]
    cursor: Mapped[Document] = mapped_column(default=dict)
    attempts: Mapped[int] = mapped_column(default=0)
    owner: Mapped[Name | None]
    lease_until: Mapped[Time | None]
    fence: Mapped[int] = mapped_column(default=0)
    next_run_at: Mapped[Time | None]
    timeout: Mapped[int]
    deadline: Mapped[Time]
    overdue: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[Name | None]
    error_actor: Mapped[Name | None]
    error_text: Mapped[Prose | None]
    error_operator_text: Mapped[Prose | None]
    faults: Mapped[Things | None]
    leftovers: Mapped[Things | None]
    wakes: Mapped[int] = mapped_column(default=0, server_default="0")
    wakes_seen: Mapped[int] = mapped_column(default=0, server_default="0")
    undo: Mapped[Document | None]
    created_at: Mapped[Time]
    started_at: Mapped[Time | None]
    finished_at: Mapped[Time | None]


class Event(Base):
    """One line of a bay's timeline. ``code`` is stable; ``text`` is for the user."""

    __tablename__ = "event"
    __table_args__ = (Index(None, "bay_uuid", "id"), Base.__table_args__)

    id: Mapped[Key]
    bay_uuid: Mapped[Uuid]
    operation_uuid: Mapped[Uuid | None]
    project_id: Mapped[Name]
    code: Mapped[Name]
    text: Mapped[Prose | None]
    created_at: Mapped[Time] = mapped_column(index=True)


class Project(Base):
    """What the service knows of a project that has, or had, bays.

    ``bays`` counts them, in the same transaction as each comes and goes: quota is one conditional update of this row.
    ``granted`` says that the service user has granted itself its roles there.
    """

    __tablename__ = "project"

    project_id: Mapped[Name] = mapped_column(primary_key=True)
    bays: Mapped[int] = mapped_column(default=0)
    granted: Mapped[bool] = mapped_column(default=False)


class Quota(Timestamps, Base):
    """A project's own limit, where it differs from the configured one (contract 2.8)."""

    __tablename__ = "quotas"
    __table_args__ = (UniqueConstraint("project_id", "resource"), Base.__table_args__)

    id: Mapped[Key]
    project_id: Mapped[Name]
    resource: Mapped[Name] = mapped_column(default="Cluster")
    hard_limit: Mapped[int]


class Secret(Base):
    """Something secret of a bay: a CA, the nodes' credential, or what its driver asked to be kept.

    ``name`` says which (``ca``, ``ca:etcd``, ``node-credential``, ``kept:<name>``). ``public`` is the half that anybody
    may see, such as a CA's certificate as PEM. The secret half is in ``sealed`` where ``store`` is ``database``, sealed
    with the key ring; elsewhere ``ref`` says where that store has it.
    """

    __tablename__ = "secret"
    __table_args__ = (UniqueConstraint("bay_uuid", "name"), Base.__table_args__)

    id: Mapped[Key]
    uuid: Mapped[Uuid] = mapped_column(unique=True)
    bay_uuid: Mapped[Uuid]
    name: Mapped[Name]
    public: Mapped[Prose | None]
    store: Mapped[Name]
    sealed: Mapped[Prose | None]
    ref: Mapped[Prose | None]
    expires_at: Mapped[Time | None]
    created_at: Mapped[Time]


class Call(Base):
    """A question that a conductor answers at once, outside the queue: an endpoint of a driver, or a preview.

    Who asks waits for ``answer`` and removes the row. ``request`` and ``answer`` are sealed with the key ring, for they
    may hold secrets. A conductor takes it by setting ``owner`` where there is none. After ``expires_at`` nobody waits.
    """

    __tablename__ = "driver_call"

    id: Mapped[Key]
    uuid: Mapped[Uuid] = mapped_column(unique=True)
    bay_uuid: Mapped[Uuid]
    project_id: Mapped[Name]
    request_id: Mapped[Name | None]
    endpoint: Mapped[Name]
    request: Mapped[Long]
    answer: Mapped[Long | None]
    owner: Mapped[Name | None]
    created_at: Mapped[Time]
    expires_at: Mapped[Time] = mapped_column(index=True)


class Outage(Base):
    """A cloud service that some conductor cannot reach: its breaker is open. It counts until ``until``."""

    __tablename__ = "outage"
    __table_args__ = (UniqueConstraint("service_type", "region", "host"), Base.__table_args__)

    id: Mapped[Key]
    service_type: Mapped[str] = mapped_column(String(64))
    region: Mapped[str] = mapped_column(String(64))
    host: Mapped[str] = mapped_column(String(64))
    until: Mapped[Time]


class Service(Timestamps, Base):
    """A process of ours that reports now and then, one row for each host and kind of process (contract 2.7)."""

    __tablename__ = "magnum_service"
    __table_args__ = (UniqueConstraint("host", "binary"), Base.__table_args__)

    id: Mapped[Key]
    host: Mapped[Name]
    binary: Mapped[Name]
    report_count: Mapped[int] = mapped_column(default=0)
    disabled: Mapped[bool] = mapped_column(default=False)
    disabled_reason: Mapped[Name | None]
    last_seen_up: Mapped[Time | None]
