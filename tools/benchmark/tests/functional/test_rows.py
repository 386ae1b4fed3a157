"""Short forms of the rows: they run to their end and count right. How long things take is nobody's verdict here."""

import os
import re
from pathlib import Path

import pytest

from tools.benchmark import rows
from tools.checks import probe, servers
from tools.openstack.console import Progress

pytestmark = [pytest.mark.postgresql, pytest.mark.slow]


@pytest.fixture
def scale(tmp_path: Path) -> rows.Scale:
    """A small one, without a broker."""
    named = os.environ.get(servers.POSTGRESQL.variable)
    urls = [named] if named else servers.POSTGRESQL.urls
    url = next((url for url in urls if probe.refusal(url) is None), None)
    if url is None:
        pytest.skip("no PostgreSQL")
    quick = {"bays": 20, "fleet": 150, "rounds": 1}
    return rows.Scale(url, None, tmp_path, Progress(quiet=True), **quick, seconds=6.0, settle=3.0)


def test_many_bays(scale: rows.Scale) -> None:
    found = {row.what: row.measured for row in rows.thousand(scale)}
    assert "20 bays created and settled, directly" in found
    assert "20 bays created and settled, over the API" in found
    assert "20 bays deleted, directly" in found


def test_an_idle_fleet_costs_the_same_whatever_its_size(scale: rows.Scale) -> None:
    counts = [int(re.findall(r"\d+", row.measured)[0]) for row in rows.idle(scale)]
    # A sweep each two seconds; a tidying, or a round of looks at clusters, may fall into the time or not.
    assert all(10 <= count <= 250 for count in counts), counts


def test_requests(scale: rows.Scale) -> None:
    found = [row.what for row in rows.api(scale)]
    assert found[0] == "GET one"
    assert found[-1] == "POST, conductors stopped, 8 callers"


def test_a_life_counts_what_it_takes(scale: rows.Scale) -> None:
    counted = next(rows.life(scale)).measured
    statements, heat = (float(number) for number in re.findall(r"[\d.]+", counted)[:2])
    # Create, at least one look, outputs, delete; each with its rows.
    assert heat >= 3, counted
    assert statements >= 20, counted
