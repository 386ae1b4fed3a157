"""The database's own record of who wrote what: triggers on operations and bays, and how their record is judged.

Every conductor process logs in to the database under a name of its own (:func:`add_user`), so that the record says
which process wrote. That is what shows a write by one that had lost its fence: the fence in the row alone would not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from magnum.db.models import Bay

#: The name under which conductors log in begins so.
CONDUCTOR = "conductor"

_TABLE = {
    "postgresql": """
CREATE TABLE audit (
    id bigserial PRIMARY KEY, at double precision NOT NULL, who varchar(80) NOT NULL, connection bigint NOT NULL,
    place varchar(10) NOT NULL, change_ char(1) NOT NULL, bay_uuid varchar(36), operation_id bigint,
    old_fence bigint, new_fence bigint, old_owner varchar(255), new_owner varchar(255),
    old_state varchar(20), new_state varchar(20), old_lease double precision, new_lease double precision)
""",
    "mysql": """
CREATE TABLE audit (
    id bigint AUTO_INCREMENT PRIMARY KEY, at double NOT NULL, who varchar(80) NOT NULL, connection bigint NOT NULL,
    place varchar(10) NOT NULL, change_ char(1) NOT NULL, bay_uuid varchar(36), operation_id bigint,
    old_fence bigint, new_fence bigint, old_owner varchar(255), new_owner varchar(255),
    old_state varchar(20), new_state varchar(20), old_lease double, new_lease double) ENGINE=InnoDB
""",
}
_COLUMNS = (
    "at, who, connection, place, change_, bay_uuid, operation_id, old_fence, new_fence, old_owner, new_owner, "
    "old_state, new_state, old_lease, new_lease"
)
_WHO = {
    "postgresql": "extract(epoch from clock_timestamp()), session_user, pg_backend_pid()",
    "mysql": "unix_timestamp(sysdate(6)), substring_index(user(), '@', 1), connection_id()",
}
#: What a server calls the loopback interface depends on its configuration.
_HOSTS = ("localhost", "127.0.0.1")
_BAY_UPDATED = ("bay", "U")
#: Columns of a bay that are written with no operation: by whoever looks at its cluster (:mod:`magnum.db.health`), by
#: whoever makes one of its secrets, which is the same whoever makes it (:mod:`magnum.db.secrets`), and in a warning.
_SEEN = frozenset(
    {
        *("health_due_at", "health_status", "health_status_reason", "utilisation", "ca_warned_at"),
        *("api_address", "coe_version", "container_version", "updated_at"),
        *("bay_user_id", "ca_expires_at"),
    }
)
_DIFFERS = {
    "postgresql": "OLD.{0}::text IS DISTINCT FROM NEW.{0}::text",
    "mysql": "NOT (OLD.{0} <=> NEW.{0})",
}
#: A time without a zone, which is UTC, as seconds since 1970.
_EPOCH = {
    "postgresql": "extract(epoch from {0})",
    "mysql": "timestampdiff(microsecond, '1970-01-01', {0}) / 1000000",
}


def _insert(dialect: str, place: str, change: str) -> str:
    """The statement of a trigger."""
    bay = "uuid" if place == "bay" else "bay_uuid"
    row = "OLD" if change == "D" else "NEW"
    if place == "bay":
        rest = ["NULL"] * 9
    else:
        epoch = _EPOCH[dialect]
        rest = ["NEW.id"]
        for column in ("fence", "owner", "state", "lease_until"):
            form = epoch if column == "lease_until" else "{0}"
            old = "NULL" if change == "I" else form.format(f"OLD.{column}")
            rest += [old, form.format(f"NEW.{column}")]
    values = f"{_WHO[dialect]}, '{place}', '{change}', {row}.{bay}, {', '.join(rest)}"
    insert = f"INSERT INTO audit ({_COLUMNS}) VALUES ({values});"
    return (
        f"IF {_touches_operations(dialect)} THEN {insert} END IF;"
        if (place, change) == _BAY_UPDATED
        else insert
    )


def _touches_operations(dialect: str) -> str:
    """The condition that an update of a bay changes what only operations may change."""
    columns = [column.name for column in Bay.__table__.columns if column.name not in _SEEN]
    return " OR ".join(_DIFFERS[dialect].format(column) for column in columns)


def install(engine: sa.Engine) -> None:
    """Have a database keep the record from now on. Its schema must be there."""
    dialect = engine.dialect.name
    events = {"I": "INSERT", "U": "UPDATE", "D": "DELETE"}
    with engine.begin() as connection:
        connection.exec_driver_sql(_TABLE[dialect])
        for place, change in (
            ("operation", "I"),
            ("operation", "U"),
            ("bay", "U"),
            ("bay", "D"),
        ):
            name, body = f"audit_{place}_{change}", _insert(dialect, place, change)
            when = f"CREATE TRIGGER {name} AFTER {events[change]} ON {place} FOR EACH ROW"
            if dialect == "postgresql":
                function = (
                    f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
                )
                connection.exec_driver_sql(f"{function} $$ BEGIN {body} RETURN NULL; END $$")
                connection.exec_driver_sql(f"{when} EXECUTE FUNCTION {name}()")
            else:
                connection.exec_driver_sql(f"{when} {body}")


def add_user(engine: sa.Engine, name: str) -> sa.URL:
    """Make a user who may do everything in a database as it is now, and return the URL under which he logs in."""
    assert name.isidentifier(), "it goes into a statement as it is"
    database = engine.url.database
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
            for kind in ("TABLES", "SEQUENCES"):
                connection.exec_driver_sql(f"GRANT ALL ON ALL {kind} IN SCHEMA public TO {name}")
        else:
            for host in _HOSTS:
                connection.exec_driver_sql(f"CREATE USER {name}@'{host}'")
                connection.exec_driver_sql(f"GRANT ALL ON {database}.* TO {name}@'{host}'")
    return engine.url.set(username=name)


def remove_user(engine: sa.Engine, name: str) -> None:
    """Take a user away again, on a server that stays."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"DROP OWNED BY {name}")
            connection.exec_driver_sql(f"DROP ROLE {name}")
        else:
            for host in _HOSTS:
                connection.exec_driver_sql(f"DROP USER {name}@'{host}'")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the record. ``place`` is operation or bay, ``change_`` I, U or D; leases are seconds since 1970."""

    id: int
    at: float
    who: str
    connection: int
    place: str
    change_: str
    bay_uuid: str | None
    operation_id: int | None = None
    old_fence: int | None = None
    new_fence: int | None = None
    old_owner: str | None = None
    new_owner: str | None = None
    old_state: str | None = None
    new_state: str | None = None
    old_lease: float | None = None
    new_lease: float | None = None

    @property
    def was_free(self) -> bool:
        """Whether nobody held the operation before."""
        return self.old_owner is None or self.old_lease is None or self.old_lease < self.at


def read(engine: sa.Engine) -> list[Row]:
    """The whole record, in its order."""
    with engine.connect() as connection:
        found = connection.execute(sa.text(f"SELECT id, {_COLUMNS} FROM audit ORDER BY id"))
        return [_row(dict(line)) for line in found.mappings()]


def _row(line: dict[str, Any]) -> Row:
    for name in ("at", "old_lease", "new_lease"):
        line[name] = None if line[name] is None else float(line[name])
    return Row(**line)


# --- judging ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hold:
    """That a process held an operation: from its claim to its write, or to the next claim by another.

    ``taken_over_after`` is how long after the former holder's lease the claim came, None where there was none.
    """

    operation_id: int
    bay_uuid: str | None
    who: str
    fence: int
    since: float
    until: float
    taken_over_after: float | None


def broken_fences(rows: Sequence[Row]) -> list[str]:
    """What no conductor may ever have done; empty where all is well."""
    found: list[str] = []
    by_operation: dict[int, list[Row]] = {}
    for row in rows:
        if row.place == "operation" and row.operation_id is not None:
            by_operation.setdefault(row.operation_id, []).append(row)
    for written in by_operation.values():
        found += _of_operation(written)
    return found + list(_bays_without_fence(rows))


def _of_operation(rows: Sequence[Row]) -> Iterator[str]:
    holder: str | None = None
    for row in rows:
        if row.change_ == "I":
            continue
        assert row.old_fence is not None and row.new_fence is not None
        wrong = None
        if row.new_fence == row.old_fence + 1:
            wrong = None if row.was_free else "was taken though its lease was not over"
            holder = row.who if row.new_owner else None
        elif row.new_fence != row.old_fence:
            wrong = f"has its fence changed from {row.old_fence} to {row.new_fence}"
        elif row.old_owner != row.new_owner:
            # A pass gives its claim back: only the process that made the claim of this fence may.
            if row.new_owner is not None or row.who != holder:
                wrong = f"was written by one who had lost it to {holder}"
            holder = None
        elif row.old_lease != row.new_lease and row.who != holder:
            wrong = f"has its lease renewed by one who had lost it to {holder}"
        elif row.old_state != row.new_state:
            wrong = f"went from {row.old_state} to {row.new_state} without a claim"
        if wrong:
            yield f"operation {row.operation_id} of bay {row.bay_uuid} {wrong} (by {row.who}, record {row.id})"


def _bays_without_fence(rows: Sequence[Row]) -> Iterator[str]:
    """A conductor writes a bay only in the transaction that writes an operation of it, under that one's fence."""
    sessions: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        if row.who.startswith(CONDUCTOR):
            sessions.setdefault((row.who, row.connection), []).append(row)
    for lines in sessions.values():
        for row, following in zip(lines, [*lines[1:], None], strict=True):
            if row.place != "bay":
                continue
            # Of one connection: what a transaction wrote stands together, and what it took back is not there.
            joined = following is not None and following.bay_uuid == row.bay_uuid
            if not joined or (following is not None and following.place != "operation"):
                yield f"bay {row.bay_uuid} was written by {row.who} without an operation (record {row.id})"


def holds(rows: Sequence[Row]) -> list[Hold]:
    """Who held what, and when."""
    found: list[Hold] = []
    open_: dict[int, tuple[Row, float | None]] = {}

    def close(operation_id: int, until: float) -> None:
        claim, after = open_.pop(operation_id)
        fence = claim.new_fence or 0
        found.append(Hold(operation_id, claim.bay_uuid, claim.who, fence, claim.at, until, after))

    for row in rows:
        if row.place != "operation" or row.operation_id is None or row.change_ != "U":
            continue
        claimed = row.new_fence != row.old_fence and row.new_owner is not None
        given_back = row.old_owner is not None and row.new_owner is None
        if (claimed or given_back) and row.operation_id in open_:
            close(row.operation_id, row.at)
        if claimed:
            late = row.at - row.old_lease if row.old_owner and row.old_lease else None
            open_[row.operation_id] = (row, late)
    for operation_id in list(open_):
        close(operation_id, float("inf"))
    return found
