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


def test_nodes_are_told_another_address_than_the_service_itself_uses(tmp_path: Path) -> None:
    settings = magnum.Settings(
        state=tmp_path,
        venv=tmp_path,
        auth_url="http://127.0.0.1:5000",
        password="secret",
        database="sqlite://",
        address="10.77.0.1",
    )
    magnum.write_config(settings)
    lines = settings.config_file.read_text().splitlines()
    assert "www_authenticate_uri = http://10.77.0.1:5000" in lines
    assert "auth_url = http://127.0.0.1:5000" in lines
    api, _ = magnum.programs(settings)
    assert [word for word in api.command if word.startswith("--bind")] == [
        "--bind=127.0.0.1:9511",
        "--bind=10.77.0.1:9511",
    ]
