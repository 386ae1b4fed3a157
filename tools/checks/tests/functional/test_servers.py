"""A server that is started for one run lets us in, and is gone afterwards."""

import dataclasses
import sys
from pathlib import Path

import pytest

from tools.checks import probe, servers
from tools.openstack.console import Progress, Trouble

CHECKOUT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("kind", servers.ALL, ids=lambda kind: kind.name)
def test_own_server(kind: servers.Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind.program() is None:
        pytest.skip(f"no {kind.name} on this machine")
    monkeypatch.delenv(kind.variable, raising=False)
    nowhere = dataclasses.replace(kind, urls=(kind.urls[0].replace(str(kind.port), "1"),), port=0)
    python = Path(sys.executable)

    with servers.running((nowhere,), python, CHECKOUT, Progress(), tmp_path) as found:
        url = found.variables[kind.variable]
        assert probe.refusal(url) is None

    assert probe.refusal(url) is not None


def test_a_named_server_that_is_not_there_is_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = servers.POSTGRESQL
    monkeypatch.setenv(kind.variable, "postgresql+psycopg2://root@127.0.0.1:1/postgres")

    with (
        pytest.raises(Trouble, match=kind.variable),
        servers.running((kind,), Path(sys.executable), CHECKOUT, Progress(), tmp_path),
    ):
        pytest.fail("it should not have come this far")
