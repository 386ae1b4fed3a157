"""`tools/quickstart` from a fresh clone to a bay on a real Heat, and back to nothing.

One clone for the whole module, because making its virtual environment takes a minute; the tests below it
are steps of one visit and run in their order.
"""

import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.openstack.quickstart import CHECKOUT
from tools.openstack.tests.test_quickstart_refusals import free_offset

EVERYTHING = Path(__file__).parent / "everything.yaml"
GUIDE = CHECKOUT / "doc" / "source" / "drivers" / "guide.rst"

#: Has the next noop bay fail.
REPLACE_BAYMODEL = """
. .state/quickstart/openrc-demo
magnum_curl /bays/quickstart-noop_v1 -X DELETE
while magnum_curl /bays/quickstart-noop_v1 | grep -q uuid; do sleep 0.5; done
magnum_curl /baymodels/quickstart-noop_v1 -X DELETE
magnum_curl /baymodels -d '{"name": "quickstart-noop_v1", "driver": "noop_v1", "image_id": "an-image",
    "keypair_id": null, "labels": {"noop_fail": "create"}}' | grep -q uuid
"""
CREATE_EVERYTHING = """
. .state/quickstart/openrc-demo
openstack stack create --template {template} --wait everything >&2
openstack stack show --format json everything
"""
UPDATE_EVERYTHING = """
. .state/quickstart/openrc-demo
openstack stack update --existing --template {template} --parameter volume_size=6 --wait everything >&2
openstack stack show --format json everything
"""
DELETE_EVERYTHING = """
. .state/quickstart/openrc-demo
openstack stack delete --yes --wait everything >&2
openstack stack list --format value --column "Stack Name"
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@dataclass(frozen=True)
class Visit:
    """A newcomer in his clone.

    :param offset: where his ports are, so that this can run beside another quickstart.
    """

    checkout: Path
    offset: int

    def quickstart(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run the command with the Python of these tests."""
        program = self.checkout / "tools" / "quickstart"
        ports = ("--port-offset", str(self.offset))
        return subprocess.run(
            [sys.executable, program, *ports, *options],
            capture_output=True,
            text=True,
            cwd=self.checkout,
            check=False,
        )

    def shell(self, script: str) -> str:
        """What a shell prints that runs in the clone with nothing of ours in its environment."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.checkout.parent)}
        command = ["sh", "-euc", script]
        return subprocess.run(
            command,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.checkout,
            env=environment,
            check=True,
        ).stdout

    def processes(self) -> list[str]:
        """Command lines of everything that runs out of the clone."""
        shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
        return [line for line in shown.stdout.splitlines() if str(self.checkout) in line]


@pytest.fixture(scope="module", name="visit")
def a_visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    checkout = tmp_path_factory.mktemp("newcomer") / "magnum"
    subprocess.run(["git", "clone", "-q", CHECKOUT, checkout], check=True)
    listing = ["git", "-C", str(CHECKOUT), "ls-files", "-z", "-co", "--exclude-standard"]
    for name in subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split(
        "\0"
    ):
        if (CHECKOUT / name).is_file():  # what is not committed yet is to be tested too
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, checkout / name)
    visit = Visit(checkout, free_offset())
    yield visit
    visit.quickstart("--clean")


def test_from_nothing_to_a_bay(visit: Visit) -> None:
    done = visit.quickstart()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "quickstart-swarm_atomic_v1 is CREATE_COMPLETE" in done.stdout
    assert re.search(r"Its Heat stack is bay-[0-9a-f-]{36}\.", done.stdout)
    assert "standins.py" in done.stdout
    assert "\r" not in done.stdout  # no spinner where there is no terminal


def test_a_second_run_uses_what_is_there(visit: Visit) -> None:
    before = visit.processes()
    done = visit.quickstart("--driver", "swarm_atomic_v1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "quickstart-swarm_atomic_v1 is there from an earlier run" in done.stdout
    assert visit.processes() == before


def test_what_is_proposed_works(visit: Visit) -> None:
    shown = visit.quickstart().stdout.partition("What you could type next:\n")[2]
    commands = [line.strip() for line in shown.splitlines() if line.startswith("  ")]
    assert len(commands) == 4
    openrc, show, look, scale = commands
    assert '"status": "CREATE_COMPLETE"' in visit.shell(f"{openrc}\n{show}").replace('":"', '": "')
    assert "OS::Nova::ServerGroup" in visit.shell(f"{openrc}\n{look}")
    assert '"uuid"' in visit.shell(f"{openrc}\n{scale}")
    assert "quickstart-swarm_atomic_v1 is UPDATE_COMPLETE" in visit.quickstart().stdout


def test_without_a_cloud(visit: Visit) -> None:
    done = visit.quickstart("--driver", "noop_v1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "quickstart-noop_v1 is CREATE_COMPLETE" in done.stdout
    assert "uses no cloud at all" in done.stdout


def test_a_bay_that_fails(visit: Visit) -> None:
    visit.shell(REPLACE_BAYMODEL)
    done = visit.quickstart("--driver", "noop_v1")
    assert (done.returncode, done.stderr) == (1, "")
    assert re.search(r"^Bay quickstart-noop_v1 is CREATE_FAILED: .+", done.stdout, re.MULTILINE)
    assert "The end of .state/quickstart/log/magnum-conductor.log:" in done.stdout
    again = visit.quickstart("--driver", "noop_v1")
    assert "Bay quickstart-noop_v1-2 is CREATE_FAILED" in again.stdout


def test_every_stand_in(visit: Visit) -> None:
    made = json.loads(visit.shell(CREATE_EVERYTHING.format(template=EVERYTHING)))
    assert made["stack_status"] == "CREATE_COMPLETE", made["stack_status_reason"]
    facts = {item["output_key"]: item["output_value"] for item in made["outputs"]}
    assert facts["port"] == facts["server"] == facts["inside"]
    own = ("port", "other_server", "floating", "balancer", "balancer_floating")
    assert len({ipaddress.ip_address(facts[name]) for name in own}) == len(own)
    assert (facts["gateway"], facts["volume"]) == ("10.0.0.1", 5)
    assert facts["shown"]["first_address"] == facts["server"]
    assert len(json.loads(facts["reports"])) == 2
    changed = json.loads(visit.shell(UPDATE_EVERYTHING.format(template=EVERYTHING)))
    assert changed["stack_status"] == "UPDATE_COMPLETE", changed["stack_status_reason"]
    sizes = [item["output_value"] for item in changed["outputs"] if item["output_key"] == "volume"]
    assert sizes == [6]
    assert "everything" not in visit.shell(DELETE_EVERYTHING)


def test_a_driver_that_is_not_there(visit: Visit) -> None:
    done = visit.quickstart("--driver", "nobody_v1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: there is no driver nobody_v1; there are ")
    assert " noop_v1, swarm_atomic_v1" in done.stderr


def guide_commands(offset: int) -> str:
    """The commands of the author's guide, from the first driver to the last bay, on other ports."""
    text = GUIDE.read_text().partition("2. A driver")[2].partition("7. Without Heat")[0]
    commands: list[str] = []
    inside = False
    for line in text.splitlines():
        inside = line.startswith("    ") or (inside and not line)
        if inside and "[drivers]" not in line and "paths =" not in line:
            commands.append(line)
    ours = f"{sys.executable} tools/quickstart --port-offset {offset}"
    return textwrap.dedent("\n".join(commands)).replace("tools/quickstart", ours)


def test_the_authors_guide(visit: Visit) -> None:
    before = visit.processes()
    script = f". .state/quickstart/openrc-demo\n{guide_commands(visit.offset)}\ntrue\n"
    told = visit.shell("set +e\n" + script)
    assert '"name":"mine-1"' in told
    assert told.count('"status":"CREATE_COMPLETE"') == 1  # the one that is shown whole
    assert '"driver_version":"1.0.0"\n' in told
    assert '"driver_version":"1.1.0"\n' in told
    assert "RuntimeError: half written" in told
    assert re.search(r"trying mine_v1 1.1.0 .*\n\d+ passed", told)
    assert "FAILED reaches_its_end[delete]: " in told
    assert re.search(r"trying herd_v1 1.0.0 .*\n\d+ passed", told)
    assert "quickstart-herd_v1 is CREATE_COMPLETE" in told
    assert re.search(r"\| nickname .* CREATE_COMPLETE", told)
    assert [
        line for line in visit.processes() if line in before
    ] == before  # nothing was started anew


def test_down_leaves_no_process_and_the_data_stays(visit: Visit) -> None:
    assert visit.processes()
    done = visit.quickstart("--down")
    assert done.stdout.startswith("stopped magnum-api, magnum-conductor, ")
    assert visit.processes() == []
    again = visit.quickstart("--no-keep")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "quickstart-swarm_atomic_v1 is there from an earlier run" in again.stdout
    assert visit.processes() == []


def test_clean_leaves_nothing(visit: Visit) -> None:
    assert visit.quickstart("--clean").returncode == 0
    assert not (visit.checkout / ".state" / "quickstart").exists()
