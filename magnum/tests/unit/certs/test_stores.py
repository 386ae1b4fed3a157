"""Where secrets are kept: in rows, in files, and in Barbican, which a fake stands for here."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from keystoneauth1 import exceptions as keystone
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token
from requests.adapters import BaseAdapter

from magnum.certs.errors import NotSetUp, SecretLost, StoreUnavailable
from magnum.certs.stores import Stores
from magnum.conf import CONF
from magnum.db.models import Secret
from magnum.tests.api import Settings
from magnum.tests.keys import forget_key_ring, use_key_ring

BAY = "8c5d6f2e-0b0a-4f3f-9a57-1de1a8f6a001"


@pytest.fixture(autouse=True)
def config(tmp_path: Path) -> Iterator[Settings]:
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    settings = Settings()
    settings("certificates", storage_path=str(tmp_path / "files"))
    use_key_ring(tmp_path)
    yield settings
    forget_key_ring()
    settings.undo()


@dataclass
class FakeBarbican(BaseAdapter):
    """Barbican's secrets by id, behind the real session of keystoneauth; ``trouble`` is answered to everything."""

    url: str = "http://barbican:9311"
    kept: dict[str, dict[str, str]] = field(default_factory=dict)
    trouble: int | Exception | None = None

    def send(self, request: requests.PreparedRequest, *_: Any, **more: Any) -> requests.Response:
        """Answer one request."""
        if isinstance(self.trouble, Exception):
            raise self.trouble
        made = requests.Response()
        made.request, made.url = request, str(request.url)
        made.headers["Content-Type"] = "application/json"
        status, body = (self.trouble, {}) if self.trouble else self._answer(request)
        made.status_code = status
        made._content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return made

    def close(self) -> None:
        """Nothing is held."""

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, Any]:
        found = re.fullmatch(
            r"http://barbican:9311/v1/secrets(?:/([^/?]+))?(/payload)?(\?.*)?", str(request.url)
        )
        assert found is not None, request.url
        ident, payload, query = found.groups()
        match request.method, ident:
            case "POST", None:
                ident = f"id-{len(self.kept)}"
                assert isinstance(request.body, str | bytes)
                self.kept[ident] = json.loads(request.body)
                return 201, {"secret_ref": f"{self.url}/v1/secrets/{ident}"}
            case "GET", None:
                name = re.search(r"name=([^&]+)", query)
                assert name is not None
                mine = [
                    {"name": one["name"], "secret_ref": f"{self.url}/v1/secrets/{ident}"}
                    for ident, one in self.kept.items()
                    if one["name"] == name[1]
                ]
                return 200, {"secrets": mine[:2]}
            case _, str(ident) if ident not in self.kept:
                return 404, {}
            case "GET", str(ident) if payload:
                assert request.headers["Accept"] == "text/plain"
                return 200, self.kept[ident]["payload"].encode()
            case "DELETE", str(ident):
                del self.kept[ident]
                return 204, b""
        raise AssertionError(request.method)

    def adapter(self, endpoint: str | None = None) -> Adapter:
        """What a session of the service would be."""
        transport = requests.Session()
        transport.mount("http://", self)
        auth = Token(endpoint or self.url, "a token")
        return Adapter(Session(session=transport), auth=auth, service_type="key-manager")


def stores(barbican: FakeBarbican | None = None) -> Stores:
    return Stores(lambda: barbican.adapter() if barbican else None)


def a_row(columns: dict[str, str]) -> Secret:
    return Secret(bay_uuid=BAY, name="ca", **columns)


@pytest.mark.parametrize("kind", ["x509keypair", "local", "barbican"])
def test_what_is_kept_is_found_again_and_goes(config: Settings, kind: str, tmp_path: Path) -> None:
    config("certificates", cert_manager_type=kind)
    barbican = FakeBarbican()
    found = stores(barbican)
    rows = [a_row(found.keep(BAY, text)) for text in ("one", "two", "three")]
    assert [found.reveal(row) for row in rows] == [b"one", b"two", b"three"]
    assert all("one" not in str(vars(row)) for row in rows)
    found.forget(rows[0])
    found.forget(rows[0])  # once more is fine
    found.forget_all(BAY, {row.store for row in rows})
    found.forget_all(BAY, set())
    assert barbican.kept == {}
    assert list((tmp_path / "files").glob("*")) == []
    if kind != "x509keypair":
        with pytest.raises(SecretLost):
            found.reveal(rows[1])


def test_what_was_kept_before_a_change_of_the_configuration_is_found(config: Settings) -> None:
    barbican = FakeBarbican()
    found = stores(barbican)
    rows = []
    for kind in ("barbican", "local", "x509keypair"):
        config("certificates", cert_manager_type=kind)
        rows.append(a_row(found.keep(BAY, kind)))
    assert [found.reveal(row).decode() for row in rows] == ["barbican", "local", "x509keypair"]
    assert [row.store for row in rows] == ["barbican", "local", "database"]
    found.forget_all(BAY, {row.store for row in rows})
    assert barbican.kept == {}


def test_barbicans_secrets_that_no_row_tells_of_go_too(config: Settings) -> None:
    config("certificates", cert_manager_type="barbican")
    barbican = FakeBarbican()
    found = stores(barbican)
    for _ in range(5):
        found.keep(BAY, "x")
    found.keep("another-bay", "x")
    found.forget_all(BAY, set())
    assert [one["name"] for one in barbican.kept.values()] == ["magnum-another-bay"]


def test_a_catalogue_with_the_version_in_the_address(config: Settings) -> None:
    config("certificates", cert_manager_type="barbican")
    barbican = FakeBarbican()
    found = Stores(lambda: barbican.adapter("http://barbican:9311/v1"))
    assert found.reveal(a_row(found.keep(BAY, "x"))) == b"x"


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (500, StoreUnavailable),
        (503, StoreUnavailable),
        (requests.ConnectionError("refused"), StoreUnavailable),
        (200, StoreUnavailable),  # an answer that is none
        (401, NotSetUp),
        (403, NotSetUp),
    ],
)
def test_barbicans_troubles(
    config: Settings, trouble: int | Exception, error: type[Exception]
) -> None:
    config("certificates", cert_manager_type="barbican")
    barbican = FakeBarbican(trouble=trouble)
    with pytest.raises(error) as told:
        stores(barbican).keep(BAY, "the secret")
    assert "the secret" not in str(told.value)


def test_a_cloud_without_barbican(config: Settings) -> None:
    config("certificates", cert_manager_type="barbican")
    with pytest.raises(NotSetUp, match="key-manager"):
        stores().keep(BAY, "x")


def test_a_path_that_cannot_be_written(config: Settings, tmp_path: Path) -> None:
    config("certificates", cert_manager_type="local", storage_path="/proc/nowhere")
    with pytest.raises(NotSetUp, match="storage_path"):
        stores().keep(BAY, "x")


def test_files_are_for_their_owner_only(config: Settings, tmp_path: Path) -> None:
    config("certificates", cert_manager_type="local")
    row = a_row(stores().keep(BAY, "x"))
    path = tmp_path / "files" / str(row.ref)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_store_of_another_version(config: Settings) -> None:
    with pytest.raises(NotSetUp, match="vault"):
        stores().reveal(a_row({"store": "vault"}))


def test_the_fake_is_strict() -> None:
    """The real session does raise what the store has to understand."""
    with pytest.raises(keystone.NotFound):
        FakeBarbican().adapter().get("/v1/secrets/none/payload", headers={"Accept": "text/plain"})
