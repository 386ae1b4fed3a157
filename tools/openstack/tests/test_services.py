"""The services' configurations, without any service."""

import dataclasses
from pathlib import Path

import pytest
import sqlalchemy as sa

from tools.openstack import accounts, cloud, config
from tools.openstack.databases import MariaDB, PostgreSQL
from tools.openstack.services.base import Service, Site
from tools.openstack.services.identity import Keystone

KINDS: list[type[Service]] = [Keystone, *cloud.ALWAYS, *cloud.OPTIONAL.values()]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(
        state=tmp_path,
        venv=tmp_path / "venv",
        passwords=config.Passwords(tmp_path / "passwords.json"),
        databases=MariaDB(sa.make_url("mysql://root@127.0.0.1:3306"), "cloud_ab_", "secret"),
        transport_url="rabbit://guest:guest@127.0.0.1:5672/cloud_ab",
        fast=True,
        extras=frozenset(cloud.OPTIONAL),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_service_has_its_own_database_and_shows_no_password(
    kind: type[Service], site: Site
) -> None:
    service = kind(site)
    text = config.render(service.sections())
    own = [name for name in service.databases if f"/cloud_ab_{name}?" in text]
    assert own
    words = [word for program in service.all_programs() for word in program.command]
    secrets = [*site.passwords._known.values(), "secret"]
    assert not [word for word in words if any(secret in word for secret in secrets)]


def test_no_two_processes_share_a_name_or_a_port(site: Site) -> None:
    programs = [program for kind in KINDS for program in kind(site).all_programs()]
    names = [program.name for program in programs]
    ports = [program.port for program in programs if program.port is not None]
    assert len(set(names)) == len(names)
    assert len(set(ports)) == len(ports)


def test_the_catalogue_names_ports_on_which_somebody_listens(site: Site) -> None:
    services = [kind(site) for kind in KINDS]
    ports = {str(program.port) for service in services for program in service.all_programs()}
    for service in services:
        for entry in service.catalogue:
            assert sa.make_url(entry.url.partition("/v")[0]).port is not None
            assert entry.url.split(":")[2].partition("/")[0] in ports


def test_everybody_who_is_configured_exists_in_keystone(site: Site) -> None:
    services = [kind(site) for kind in KINDS]
    wish = accounts.wanted(services, site.passwords, site.extras)
    users = {user.name: user.password for user in wish.users}
    for service in services:
        token = service.sections().get("keystone_authtoken")
        if token is not None:
            assert users[str(token["username"])] == token["password"]
    domains = {domain.name for domain in wish.domains} | {"Default"}
    assert {grant.domain for grant in wish.grants} <= domains
    assert {grant.user for grant in wish.grants} <= {*users, "admin"}


def test_databases_carry_the_prefix() -> None:
    url = PostgreSQL(sa.make_url("postgresql://root@h:1"), "cloud_ab_", "pw").url("nova")
    assert url == "postgresql+psycopg2://cloud_ab:pw@h:1/cloud_ab_nova"
    url = MariaDB(sa.make_url("mysql://root@h:2"), "cloud_ab_", "pw").url("nova")
    assert url == "mysql+pymysql://cloud_ab:pw@h:2/cloud_ab_nova?charset=utf8mb4"


def test_where_nodes_are_real_everything_is_told_the_address_that_they_reach(site: Site) -> None:
    reached = dataclasses.replace(site, address="10.77.0.1")
    services = [kind(reached) for kind in KINDS]
    wish = accounts.public(accounts.wanted(services, site.passwords, site.extras), reached)
    assert {entry.type for entry in wish.services} >= {"identity", "orchestration", "compute"}
    assert all(entry.url.startswith("http://10.77.0.1:") for entry in wish.services)
    listening = [program for service in services for program in service.all_programs()]
    for program in listening:
        if program.port is not None:
            assert f"{program.port}@10.77.0.1" in program.command
    heat = next(service for service in services if service.name == "heat").sections()
    assert heat["DEFAULT"]["heat_waitcondition_server_url"] == (
        "http://10.77.0.1:8000/v1/waitcondition"
    )
    assert heat["clients_keystone"]["auth_uri"] == "http://10.77.0.1:5000"


def test_without_nodes_everything_stays_on_loopback(site: Site) -> None:
    services = [kind(site) for kind in KINDS]
    wish = accounts.public(accounts.wanted(services, site.passwords, site.extras), site)
    assert all(entry.url.startswith("http://127.0.0.1:") for entry in wish.services)
    words = [word for one in services for made in one.all_programs() for word in made.command]
    assert not [word for word in words if "@" in word]
