"""``tools/bench``: the budgets of ``design.md``, section 8, measured.

Runs twice: first in any Python, where it makes sure of the checkout's environment, then in that environment.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tools.benchmark import table
from tools.openstack import venvs
from tools.openstack.console import Progress, Trouble, run

CHECKOUT = Path(__file__).resolve().parents[2]
ROWS = ("api", "life", "idle", "thousand", "kill", "events", "placing")


def main() -> None:
    """Run the benchmark."""
    run(lambda: _main(sys.argv[1:]))


def _main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    venvs.check_python()
    say = Progress()
    _enter_environment(say)
    from tools.benchmark import rows  # importable only now
    from tools.checks import probe

    if (why := probe.refusal(options.postgresql_url)) is not None:
        raise Trouble(f"a PostgreSQL is needed, see --postgresql-url: {why}")
    broker = options.rabbit_url
    if (why := probe.refusal(broker)) is not None:
        say(f"without a broker, so conductors find work by sweeping, and Heat is not heard: {why}")
        broker = None
    load = os.getloadavg()[0]
    found: list[table.Row] = []
    with tempfile.TemporaryDirectory(prefix="magnum-bench-") as folder:
        scale = rows.Scale(
            options.postgresql_url,
            broker,
            Path(folder),
            say,
            options.bays,
            options.fleet,
            options.rounds,
            options.seconds,
        )
        try:
            for name in options.only or ROWS:
                found += rows.ALL[name](scale)
        finally:  # what was measured before something broke is worth its minutes
            _print(found, load)
    return 0


def _print(found: list[table.Row], load: float) -> None:
    print(f"\n{os.cpu_count()} cores; load {load:.1f} before, {os.getloadavg()[0]:.1f} after\n")
    table.show(found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/bench",
        description="Measure what the design promises, beside its budgets. Needs a PostgreSQL, and a RabbitMQ for "
        "hints and events; Keystone and Heat are stand-ins. Times are for reading, never a verdict.",
    )

    def number(name: str, default: float, text: str) -> None:
        parser.add_argument(
            name, type=type(default), default=default, help=f"{text} (default %(default)s)"
        )

    parser.add_argument(
        "--only", action="append", choices=ROWS, help="measure this; may be given several times"
    )
    number("--bays", 1000, "how many bays are listed, and made at once")
    number("--fleet", 10000, "how many bays the larger idle fleet has")
    number("--rounds", 15, "rounds of each comparison with the floor")
    number("--seconds", 60.0, "how long the idle fleet is watched")
    parser.add_argument(
        "--postgresql-url",
        default="postgresql+psycopg2://root@127.0.0.1:5432/postgres",
        help="a server on which a database may be made (default %(default)s)",
    )
    parser.add_argument(
        "--rabbit-url",
        default="rabbit://guest:guest@127.0.0.1:5672/",
        help="a broker (default %(default)s)",
    )
    return parser


def _enter_environment(say: Progress) -> None:
    venv = venvs.of_checkout(CHECKOUT, say)
    if Path(sys.prefix) != venv:
        python = str(venv / "bin" / "python")
        os.execv(python, [python, "-P", "-m", "tools.benchmark.main", *sys.argv[1:]])


if __name__ == "__main__":
    main()
