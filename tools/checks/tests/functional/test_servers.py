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
    monkeypatch.delenv(kind.variable, raising=False)
    url = kind.urls[0].replace(f":{kind.port}/", f":{kind.port + 100}/")
    elsewhere = dataclasses.replace(kind, urls=(url,), port=kind.port + 100)
    python = Path(sys.executable)

    with servers.running((elsewhere,), python, CHECKOUT, Progress(), tmp_path) as found:
        if found.missing:
            pytest.skip(found.missing[kind.name])
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
