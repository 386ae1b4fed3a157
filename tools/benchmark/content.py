"""Bays to measure with, put into the database as the API would have accepted them."""

import sqlalchemy as sa

from magnum.common.context import RequestContext
from magnum.db import baymodels, projects, session
from magnum.db.models import Base, Bay, BayModel, Event, NodeGroup, Operation, Project
from magnum.drivers.catalogue import catalogue
from magnum.lifecycle import clouds
from magnum.lifecycle.passes import Worker
from magnum.lifecycle.submit import NewBay, create_bay, delete_bay

NOOP = "noop_v1"
SWARM = "swarm_atomic_v1"


class Tenant:
    """Somebody in a project who asks for bays of one driver, without the API in between.

    :param delay: seconds that each operation of a bay of ``noop_v1`` takes.
    """

    def __init__(self, project: str, driver: str = NOOP, delay: float = 0.0) -> None:
        self.context = RequestContext(user_id="bench", project_id=project)
        projects.ensure(self.context, project)
        self._driver = catalogue().get(driver)
        self._labels = {"noop_delay": str(delay)} if driver == NOOP else {}
        self.baymodel: BayModel = baymodels.create(self.context, _MODELS[driver])

    def create(self, number: int) -> Bay:
        """Ask for a bay."""
        new = NewBay(
            f"bay-{number}",
            self.baymodel,
            self._driver,
            flavor_id="m1.small",
            labels={"a": "1", "b": "2", **self._labels} if self._labels else {},
        )
        return create_bay(self._own_request(), new).bay

    def delete(self, bay: Bay) -> None:
        """Ask for its deletion."""
        delete_bay(self._own_request(), bay)

    def _own_request(self) -> RequestContext:
        return RequestContext(user_id="bench", project_id=self.context.project_id, overwrite=False)


_MODELS: dict[str, dict[str, object]] = {
    NOOP: {"name": "bench", "coe": "noop", "driver": NOOP, "labels": {"a": "1"}},
    SWARM: {
        "name": "bench",
        "coe": "swarm",
        "driver": SWARM,
        "cluster_distro": "fedora-atomic",
        "image_id": "fedora-atomic",
        "external_network_id": "public",
        "flavor_id": "m1.small",
        "master_flavor_id": "m1.small",
    },
}


def statuses() -> dict[str, str]:
    """What the database shows: the status of each bay, by uuid."""
    with session.engine().connect() as connection:
        return {row.uuid: row.status for row in connection.execute(sa.select(Bay.uuid, Bay.status))}


def complete_fleet(project: str, number: int) -> Bay:
    """So many complete bays of ``noop_v1``, each with its groups, its operation and its events; returns one of them."""
    tenant = Tenant(project)
    bay = tenant.create(0)
    with session.engine().connect() as connection:
        (operation,) = connection.scalars(sa.select(Operation.id)).all()
    Worker(clouds.access).run(operation)
    assert statuses() == {bay.uuid: "CREATE_COMPLETE"}
    _multiply(bay.uuid, number - 1)
    return bay


def _multiply(bay: str, copies: int) -> None:
    """Copy a bay with all that belongs to it, on PostgreSQL."""
    new = sa.table("new_bay", sa.column("uuid"))
    fresh = sa.cast(sa.func.gen_random_uuid(), sa.String)
    keys: dict[type[Base], str] = {
        Bay: "uuid",
        NodeGroup: "bay_id",
        Operation: "bay_uuid",
        Event: "bay_uuid",
    }
    with session.engine().begin() as connection:
        connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE new_bay AS SELECT gen_random_uuid()::text AS uuid "
            f"FROM generate_series(1, {copies})"
        )
        for model, key in keys.items():
            columns = [column for column in model.__table__.columns if column.name != "id"]
            values = [
                new.c.uuid if column.name == key else fresh if column.name == "uuid" else column
                for column in columns
            ]
            each = sa.join(model.__table__, new, sa.true())
            originals = sa.select(*values).select_from(each).where(model.__table__.c[key] == bay)
            connection.execute(sa.insert(model).from_select(columns, originals))
        connection.execute(sa.update(Project).values(bays=Project.bays + copies))
