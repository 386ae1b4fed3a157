"""schemathesis over our OpenAPI document: thousands of requests, good ones and bad ones, against a real server.

API and conductor are the test's own, with the one driver that needs no cloud, so that whatever is accepted costs
nothing. Keystone is the cloud's. Requests are the same in each run.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from keystoneauth1.session import Session

from magnum.tests.conftest import fresh_database
from magnum.tests.functional.clients.environments import Shell, venv
from magnum.tests.functional.cloud.client import Magnum, until
from magnum.tests.functional.cloud.conftest import Service, running
from magnum.tests.keys import a_request
from tools.openstack import config

#: What holds for every answer. What the other checks of schemathesis want, the contract does not promise:
#: ``negative_data_rejection``: numbers as text, empty texts and more are read (contract 1.8, D6 to D8).
#: ``positive_data_acceptance``: whether a name is known, or an option the driver's, no schema says.
#: ``missing_required_header``: without the header of the version the answer is that of the lowest one (D4).
#: ``ignored_auth``, ``use_after_free`` and ``ensure_resource_availability`` are about more than one request; the
#: first two are what test_auth and test_isolation are about.
CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)

_COVERAGE: Final = ("--phases", "coverage,fuzzing", "--max-examples", "10")
_FUZZING: Final = ("--phases", "fuzzing", "--max-examples", "15")


def _tags(option: str, *tags: str) -> tuple[str, ...]:
    return tuple(word for tag in tags for word in (option, tag))


#: Each run: the version, and what requests are made for: ``coverage`` the schemas' edges one by one, ``fuzzing``
#: anything. Bays and clusters have the same controllers, so that one of them is enough at a version. Runs go at the
#: same time, each in a process of its own: with threads, the parser of Python 3.11 that hypothesis uses fails at times.
RUNS: Final = (
    ("1.1", (*_COVERAGE, *_tags("--include-tag", "bays", "baymodels"))),
    ("1.10", _FUZZING),
    ("1.15", (*_COVERAGE, *_tags("--include-tag", "clusters"))),
    ("1.15", (*_COVERAGE, *_tags("--exclude-tag", "bays", "baymodels", "clusters"))),
)

AT_LEAST: Final = 5000


@dataclass(frozen=True)
class Tried:
    """What came of one run."""

    version: str
    report: dict[str, Any]
    output: str

    @property
    def cases(self) -> int:
        """How many requests were made."""
        return int(self.report["test_cases"]["generated"])

    def accepted(self, operation: str) -> int:
        """How many requests of an operation were accepted."""
        phases = self.report["valid_rates"].get(operation, {})
        return sum(int(phase["accepted"]) for phase in phases.values())


@pytest.fixture(scope="module")
def service(
    passwords: config.Passwords,
    postgresql_server: str | None,
    rabbit_server: str | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """API and conductor on PostgreSQL, in a cloud of nothing but Keystone."""
    if postgresql_server is None:
        pytest.skip("no postgresql server")
    extra: config.Sections = {
        "drivers": {"enabled_drivers": "noop_v1"},
        "quotas": {"max_clusters_per_project": 60},
    }
    absent = ("image", "compute", "network", "volume")
    folder = tmp_path_factory.mktemp("schemathesis")
    with (
        fresh_database(postgresql_server) as database,
        running(
            folder,
            passwords,
            database,
            extra,
            transport_url=rabbit_server,
            absent_services=absent,
        ) as started,
    ):
        yield started


@pytest.fixture(scope="module")
def there(service: Service, admin: Session) -> dict[str, list[str]]:
    """Names of things that are there, by what they are; with a method before it, only for requests of that method."""
    api = Magnum(admin, service.port)
    for name in ("in-use", "free", "twin", "twin"):
        _make_baymodel(api, name)
    bays = [f"bay-{number}" for number in range(3)]
    doomed = [f"doomed-{number}" for number in range(12)]
    for name in (*bays, *doomed):
        api.make("/bays", name=name, baymodel_id="in-use")
    for name in (*bays, *doomed):
        until(partial(_is_there, api, name))
    going = [_make_baymodel(api, "going") for _ in range(8)]
    groups = ["extra", *(f"going-{number}" for number in range(6))]
    for name in groups:
        api.make(f"/clusters/{bays[0]}/nodegroups", name=name)
    done = api.call("GET", f"/bays/{bays[0]}/operations").json()["operations"]
    project = admin.get_project_id()
    assert project is not None
    return {
        "bay": bays,
        "DELETE bay": doomed,
        "baymodel": ["in-use", "free", "twin"],
        "DELETE baymodel": [*going, "in-use"],
        "nodegroup": ["default-worker", "default-master", "extra"],
        "DELETE nodegroup": groups[1:],
        "operation": [one["uuid"] for one in done],
        "driver": ["noop_v1"],
        "endpoint": ["info", "echo"],
        "ca_cert_type": ["kubernetes", "etcd"],
        "project_id": [project],
        "coe": ["noop"],
        "address": ["192.0.2.1", "192.0.2.1,192.0.2.2"],
        "csr": [a_request()],
    }


def test_no_answer_is_other_than_the_document_says(
    service: Service, admin: Session, there: dict[str, list[str]], tmp_path: Path
) -> None:
    token = admin.get_token()
    assert token is not None

    def one(number: int) -> Tried:
        version, options = RUNS[number]
        return _run(service, version, options, token, there, tmp_path / f"{number}")

    with ThreadPoolExecutor(len(RUNS)) as pool:
        tried = list(pool.map(one, range(len(RUNS))))
    for run in tried:
        print(f"{run.version}: {run.cases} requests in {run.report['running_time']:.0f} s")
    for run in tried:
        assert run.report["exit_code"] == 0, run.output
        assert run.report["complete"], run.output
    cases = sum(run.cases for run in tried)
    print(f"{cases} requests in all")
    assert cases >= AT_LEAST
    # They are not all refused at the door.
    for operation in (
        "GET /v1/clusters/{cluster}",
        "POST /v1/clusters",
        "POST /v1/clustertemplates",
        "PATCH /v1/clusters/{cluster}",
        "DELETE /v1/clustertemplates/{clustertemplate}",
        "POST /v1/clusters/{cluster}/actions/resize",
    ):
        assert sum(run.accepted(operation) for run in tried), operation


def _run(
    service: Service,
    version: str,
    options: tuple[str, ...],
    token: str,
    there: dict[str, list[str]],
    folder: Path,
) -> Tried:
    """Try the document of one version."""
    header = f"container-infra {version}"
    report = folder / "report.json"
    shell = Shell(venv("schemathesis"), {}, folder)
    ended = shell.run(
        "st",
        "run",
        f"http://127.0.0.1:{service.port}/v1/openapi.json",
        *("--header", f"X-Auth-Token: {token}", "--header", f"OpenStack-API-Version: {header}"),
        *options,
        *("--checks", ",".join(CHECKS), "--seed", "6", "--generation-deterministic"),
        "--continue-on-failure",
        *("--request-timeout", "120", "--suppress-health-check", "all"),
        *("--report", "json", "--report-json-path", str(report), "--no-color"),
        more={
            "MAGNUM_THERE": json.dumps(there),
            "PYTHONPATH": str(Path(__file__).parent),
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
        },
        patience=1800,
    )
    assert report.exists(), ended
    return Tried(version, json.loads(report.read_text()), ended.output)


def _make_baymodel(api: Magnum, name: str) -> str:
    body = {"name": name, "coe": "noop", "image_id": "any", "keypair_id": None}
    uuid: str = api.make("/baymodels", **body)["uuid"]
    return uuid


def _is_there(api: Magnum, name: str) -> bool:
    return bool(api.call("GET", f"/bays/{name}").json()["status"] == "CREATE_COMPLETE")
