"""Each phase of the DevStack plugin does its part, and writes a configuration that our programs read."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy
from keystoneauth1 import loading
from keystoneauth1.identity.generic import Password
from oslo_config import cfg

from magnum.conf import opts

CHECKOUT = Path(__file__).resolve().parents[4]
ALL = "key,rabbit,magnum-api,magnum-cond"


@dataclass
class Stack:
    """A stand-in for DevStack whose files lie in `scratch`."""

    scratch: Path
    services: str = ALL

    def run(self, *phase: str, **variables: str) -> list[str]:
        """Run one phase; returns the calls that the plugin made."""
        record = self.scratch / "record"
        record.write_text("")
        given = {
            "CHECKOUT": str(CHECKOUT),
            "ENABLED_SERVICES": self.services,
            "PYTHON_BIN": str(Path(sys.executable).parent),
            "RECORD": str(record),
            "SCRATCH": str(self.scratch),
        }
        subprocess.run(
            ["bash", str(Path(__file__).with_name("stack.sh")), *phase],
            env={**os.environ, **given, **variables},
            check=True,
        )
        early = ("define_plugin", "plugin_requires", "enable_service", "echo_summary")
        return [call for call in record.read_text().splitlines() if not call.startswith(early)]

    @property
    def configuration(self) -> cfg.ConfigOpts:
        """The configuration that was written, as our programs read it."""
        conf = cfg.ConfigOpts()
        opts.register_all(conf)
        conf(args=[], default_config_files=[str(self.scratch / "etc" / "magnum.conf")])
        return conf


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


def test_install(stack: Stack) -> None:
    assert stack.run("stack", "install") == [f"setup_develop {CHECKOUT} wsgi"]


def test_post_config_creates_users_and_catalogue_entries(stack: Stack) -> None:
    calls = stack.run("stack", "post-config")

    url = "http://192.0.2.1:9511/v1"
    assert "create_service_user magnum admin" in calls
    for kind in ("container-infra", "container"):
        assert f"get_or_create_service magnum {kind} Container clusters" in calls
        assert f"get_or_create_endpoint {kind} RegionOne {url} {url} {url}" in calls
    assert calls[-4:] == [
        "get_or_create_domain magnum Users of bays",
        "get_or_create_user magnum_domain_admin secret domain-id",
        "get_or_add_user_domain_role admin user-id domain-id",
        "recreate_database magnum",
    ]


def test_post_config_writes_a_configuration_that_our_programs_read(stack: Stack) -> None:
    stack.run("stack", "post-config")

    conf = stack.configuration
    assert (conf.host, conf.api.port) == ("192.0.2.1", 9511)
    assert conf.conductor.sweep_interval == 2
    assert conf.trust.trustee_domain_id == "domain-id"
    assert conf.keystone_auth.region_name == "RegionOne"
    identity = loading.load_auth_from_conf_options(conf, "keystone_auth")
    assert isinstance(identity, Password)
    assert identity.auth_url == "http://192.0.2.1/identity"
    database = sqlalchemy.create_engine(conf.database.connection, poolclass=sqlalchemy.NullPool)
    tables = sqlalchemy.inspect(database).get_table_names()
    assert "alembic_version" in tables


def test_without_a_broker_no_transport_is_configured(stack: Stack) -> None:
    written = stack.scratch / "etc" / "magnum.conf"
    stack.run("stack", "post-config")
    assert "transport_url" in written.read_text()

    stack.services = "key,magnum-api,magnum-cond"
    stack.run("stack", "post-config")
    assert "transport_url" not in written.read_text()


def test_extra_starts_both_processes_and_waits(stack: Stack) -> None:
    calls = stack.run("stack", "extra")

    api, conductor, wait = calls
    program, _, arguments = api.removeprefix("run_process magnum-api ").partition(" ")
    assert Path(program).is_absolute()
    assert f"OS_MAGNUM_CONFIG_FILES={stack.scratch}/etc/magnum.conf " in arguments
    assert arguments.endswith("--bind 0.0.0.0:9511 magnum.wsgi.api:application")
    bin_folder = Path(sys.executable).parent
    assert conductor == (
        f"run_process magnum-cond {bin_folder}/magnum-conductor "
        f"--config-file {stack.scratch}/etc/magnum.conf"
    )
    assert wait == "wait_for_service 60 http://192.0.2.1:9511"


def test_an_api_that_does_not_start_ends_the_installation(stack: Stack) -> None:
    assert stack.run("stack", "extra", API_STARTS="no")[-1].startswith("die ")


def test_behind_the_proxy_the_api_listens_on_the_inner_port(stack: Stack) -> None:
    stack.services = f"{ALL},tls-proxy"
    stack.run("stack", "post-config")
    calls = stack.run("stack", "extra", SERVICE_PROTOCOL="https")

    assert stack.configuration.api.port == 19511
    assert "--bind 0.0.0.0:19511" in calls[0]
    assert "start_tls_proxy magnum * 9511 192.0.2.1 19511" in calls


def test_unstack_stops_both_processes(stack: Stack) -> None:
    assert stack.run("unstack") == ["stop_process magnum-api", "stop_process magnum-cond"]


def test_clean_removes_configuration_and_state(stack: Stack) -> None:
    assert stack.run("clean") == [f"sudo rm -rf {stack.scratch}/etc {stack.scratch}/data/magnum"]


@pytest.mark.parametrize(
    "phase", [["stack", "install"], ["stack", "extra"], ["unstack"], ["clean"]], ids=" ".join
)
def test_nothing_happens_where_magnum_is_not_wanted(stack: Stack, phase: list[str]) -> None:
    stack.services = "key,rabbit"

    assert stack.run(*phase) == []
