"""The road of the author's guide, on a service that runs all the while: a fork, a bay of it, a newer version.

The guide's own commands are run as they stand, except those that need a Heat: these, on the quickstart's cloud, are
in ``tools/openstack/tests/functional/test_quickstart_road.py``.
"""

import itertools
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from magnum.common.context import service_context
from magnum.db import session
from magnum.db.models import Operation, State
from magnum.drivers.contract import Driver
from magnum.lifecycle.submit import delete_bay
from magnum.tests import engine
from magnum.tests.functional.conductor.processes import Conductors, status, until
from magnum.tests.functional.lifecycle.service import VERSION, Service
from tools.standin.client import StandIn

CHECKOUT = Path(__file__).parents[4]
GUIDE = CHECKOUT / "doc" / "source" / "drivers" / "guide.rst"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def manage(*words: str) -> str:
    """Run magnum-driver-manage in a process of its own."""
    command = [sys.executable, "-m", "magnum.cmd.driver_manage", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def is_done(operation: int) -> bool:
    """Whether an operation has come to its good end."""
    with session.reader(service_context()) as db:
        found = db.get(Operation, operation)
        return found is None or found.state == State.DONE


def test_from_a_name_to_a_bay_and_on_to_the_next_version(
    place: Path, settings: str, conductors: Conductors, driver: Callable[[str, str], Driver]
) -> None:
    conductors.start(more=settings)
    manage("new", "mine_v1", "--from", "noop_v1", "--to", str(place))
    first = engine.a_bay(driver("mine_v1", "1.0.0"))
    until(lambda: status(first) == "CREATE_COMPLETE")

    version = place / "mine_v1" / "version.py"
    version.write_text(version.read_text().replace("1.0.0", "1.1.0"))
    assert "all is well" in manage("validate", str(place / "mine_v1"))
    second = engine.a_bay(driver("mine_v1", "1.1.0"))
    until(lambda: status(second) == "CREATE_COMPLETE")
    assert [engine.look(bay).driver_version for bay in (first, second)] == ["1.0.0", "1.1.0"]
    assert "~ version: 1.0.0 -> 1.1.0" in manage("diff", "noop_v1", str(place / "mine_v1"))
    assert " passed" in manage("conformance", str(place / "mine_v1"))

    for bay in (first, second):
        delete_bay(engine.context(), engine.look(bay))
        operation = engine.operations_of(bay)[-1].id
        until(partial(is_done, operation))


# --- the guide itself --------------------------------------------------------------------------------------------

#: Parts of the guide whose commands need no Heat, from one heading to another.
PARTS = (("2. A driver", "6. With Heat"), ("8. Endpoints of your own", "12. The end"))
HEADINGS = 12
_SHELL = """
set +e
magnum-driver-manage() {{ {python} -W ignore -m magnum.cmd.driver_manage --config-file {config} "$@" 2>&1; }}
magnum_curl() {{
    _path=$1; shift
    curl -sS --noproxy '*' -H "X-Auth-Token: {token}" -H "OpenStack-API-Version: {version}" \\
        -H "Content-Type: application/json" "$@" "{url}/v1$_path" && echo
}}
"""


def commands(text: str) -> list[str]:
    """The literal blocks of a part of the guide, without what is no command."""
    found: list[str] = []
    for block in re.split(r"::\n\n", text)[1:]:
        lines = itertools.takewhile(
            lambda line: not line or line.startswith("    "), block.splitlines()
        )
        found.append(textwrap.dedent("\n".join(lines)).rstrip())
    return [block for block in found if not block.startswith("[drivers]")]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    url = f"sqlite:///{tmp_path}/magnum.sqlite"
    engine.use_database(url)
    with StandIn(tmp_path) as cloud:
        made = Service(tmp_path, url, cloud)
        try:
            until(made.is_up)
            yield made
        finally:
            made.end()


def test_the_commands_of_the_guide(service: Service, tmp_path: Path) -> None:
    guide = GUIDE.read_text()
    assert f"\n{HEADINGS}. The end\n" in guide
    parts = [guide.partition(begin)[2].partition(end)[0] for begin, end in PARTS]
    assert all(parts), "a heading that this test goes by is not there"
    head = _SHELL.format(
        python=sys.executable,
        config=service.config,
        token=service.token,
        version=VERSION,
        url=service.url,
    )
    before = service.processes()
    script = "\n".join([head, *(command for part in parts for command in commands(part))])
    script = script.replace(".state/quickstart/drivers", str(service.drivers))
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd=CHECKOUT, check=False
    )
    told = done.stdout
    (tmp_path / "told").write_text(told)
    assert done.stderr == "", done.stderr
    assert told.count('"status":"CREATE_COMPLETE"') == 1, told  # the one that is shown whole
    assert '"driver_version":"1.0.0"\n' in told
    assert '"driver_version":"1.1.0"\n' in told
    assert "RuntimeError: half written" in told
    assert re.search(r"FAILED .*reaches_its_end\[delete\]", told)
    assert '{"text":"hello hello"}' in told
    assert '{"motto":"mine-1 says onwards"}' in told
    assert "Invalid '/word': it is required" in told
    assert "besides    monitor, scaler, preview" in told
    tokens = re.findall(r'\{"token":"([^"]{20,})"\}', told)
    assert len(tokens) == 2 and len(set(tokens)) == 1
    assert '"kind":"added"' in told
    assert told.count("all is well") == 4
    assert len(re.findall(r"\n\d+ passed", told)) == 2, told
    assert " - scaler" not in told and "+ scaler" in told and "+ POST token" in told
    assert service.processes() == before, "something was started anew"
    log = service.logs()
    assert tokens[0] not in log
