"""What our own service is told about the broker."""

from pathlib import Path

import pytest

from tools.openstack import magnum

OWN, HEATS = "rabbit://u:p@127.0.0.1:5672/own", "rabbit://u:p@127.0.0.1:5672/heat"


@pytest.mark.parametrize("own", [OWN, None])
@pytest.mark.parametrize("heats", [HEATS, None])
def test_the_service_knows_its_own_broker_and_heats(
    tmp_path: Path, own: str | None, heats: str | None
) -> None:
    settings = magnum.Settings(
        state=tmp_path,
        venv=tmp_path,
        auth_url="http://127.0.0.1:5000",
        password="secret",
        database="sqlite://",
        transport_url=own,
        heat_transport_url=heats,
    )
    magnum.write_config(settings)
    parts = settings.config_file.read_text().split("\n[")
    sections = dict(part.lstrip("[").split("]", 1) for part in parts)
    assert (f"transport_url = {OWN}" in sections["DEFAULT"]) == (own is not None)
    assert (f"transport_url = {HEATS}" in sections["heat_events"]) == (heats is not None)
