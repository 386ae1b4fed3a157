"""Bays to measure with, put into the database as the API would have accepted them."""

from magnum.common.context import RequestContext
from magnum.conf import CONF
from magnum.db import baymodels, session
from magnum.drivers.catalogue import catalogue
from magnum.lifecycle.submit import NewBay, create_bay


def fill(database: str, project: str, bays: int) -> tuple[str, str]:
    """Store a baymodel and bays of it; returns the uuids of the baymodel and of one bay."""
    CONF([], default_config_files=[])
    CONF.set_override("max_clusters_per_project", -1, "quotas")
    session.configure(database)
    context = RequestContext(user_id="bench", project_id=project)
    driver = catalogue().get("noop_v1")
    model = baymodels.create(
        context, {"name": "bench", "coe": "noop", "driver": driver.name, "labels": {"a": "1"}}
    )
    made = [
        create_bay(context, NewBay(f"bay-{number}", model, driver, labels={"a": "1", "b": "2"}))
        for number in range(bays)
    ]
    return model.uuid, made[0].uuid
