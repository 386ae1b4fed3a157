"""``tools/bench``: our API beside the floor, in one run, as ratios (``design.md``, section 8).

Runs twice: first in any Python, where it makes sure of the checkout's environment, then in that environment.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tools.openstack import venvs
from tools.openstack.console import Progress, Trouble, run
from tools.openstack.processes import port_answers

CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run the benchmark."""
    run(lambda: _main(sys.argv[1:]))


def _main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    venvs.check_python()
    say = Progress()
    _enter_environment(say)
    state = Path(options.cloud_state).resolve()
    if not (state / "passwords.json").exists() or not port_answers(5000):
        raise Trouble("a Keystone is needed to check tokens: run `tools/cloud up` first.")
    from tools.benchmark import report, stage  # importable only now

    with (
        tempfile.TemporaryDirectory(prefix="magnum-bench-") as folder,
        stage.database(options.postgresql_url) as url,
        stage.stage(Path(folder), url, state, options.bays, say) as ready,
    ):
        say("measuring")
        report.compare(ready, options.rounds)
        report.accept(ready, options.posts)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/bench",
        description="Measure the API beside its floor: one SELECT of the same rows and one json.dumps behind the "
        "same server. Needs the Keystone of tools/cloud and a PostgreSQL. Times are for reading, never a verdict.",
    )
    parser.add_argument(
        "--bays", type=int, default=1000, help="how many bays there are (default 1000)"
    )
    parser.add_argument(
        "--rounds", type=int, default=15, help="rounds of each comparison (default 15)"
    )
    parser.add_argument(
        "--posts", type=int, default=400, help="how many bays are asked for (default 400)"
    )
    parser.add_argument(
        "--postgresql-url",
        default="postgresql://root@127.0.0.1:5432/postgres",
        help="a server on which a database may be made; default: %(default)s",
    )
    parser.add_argument(
        "--cloud-state",
        default=str(CHECKOUT / ".state" / "cloud"),
        help="folder of tools/cloud (default: its own)",
    )
    return parser


def _enter_environment(say: Progress) -> None:
    venv = venvs.of_checkout(CHECKOUT, say)
    if Path(sys.prefix) != venv:
        python = str(venv / "bin" / "python")
        os.execv(python, [python, "-P", "-m", "tools.benchmark.main", *sys.argv[1:]])


if __name__ == "__main__":
    main()
