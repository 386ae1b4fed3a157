"""``tools/chaos``: break the service at random, and see that nothing is lost.

Runs twice: first in any Python, where it makes sure of the checkout's environment, then in that environment.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

from tools.openstack import venvs
from tools.openstack.console import Progress, Trouble, run

CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run it."""
    run(lambda: _main(sys.argv[1:]))


def _main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.plan:
        from tools.chaos_run import plan

        made = plan.make(options.seed, options.minutes * 60, options.bays, options.conductors)
        print("\n".join(made.lines()))
        return 0
    venvs.check_python()
    say = Progress()
    if _lacks_libraries():
        _enter_environment(say)
    from tools.chaos_run import rehearsal  # importable only now

    wanted = rehearsal.Wish(
        seed=options.seed,
        seconds=options.minutes * 60,
        bays=options.bays,
        conductors=options.conductors,
        database=options.database,
        patience=options.patience,
        state=Path(options.state).resolve() / options.database,
        keep=options.keep,
    )
    logging.basicConfig(level=logging.CRITICAL)
    outcome = rehearsal.run(wanted, say)
    print("\n".join(("", *outcome.tally)))
    if outcome.broken:
        print(f"\n{len(outcome.broken)} rules were broken (seed {options.seed}):")
        print("\n".join(f"  {text}" for text in outcome.broken))
        print(f"The logs are in {wanted.state / 'log'}.")
        return 1
    print(f"\nNothing was lost, nothing was done twice (seed {options.seed}).")
    return 0


def _lacks_libraries() -> bool:
    """Whether this Python lacks what the service is made of."""
    try:
        import magnum.conf  # noqa: F401  # chooses threads, before anything else is imported
    except ImportError:
        return True
    return False


def _enter_environment(say: Progress) -> None:
    venv = venvs.of_checkout(CHECKOUT, say)
    if Path(sys.prefix) == venv:
        raise Trouble(f"{venv} lacks what the service is made of; delete it and run this again.")
    python = str(venv / "bin" / "python")
    os.execv(python, [python, "-P", "-m", "tools.chaos_run.main", *sys.argv[1:]])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/chaos",
        description="Real conductors and a real API, on a database and a broker of their own and a stand-in for the "
        "cloud, do the work for many bays while processes are killed and stopped, servers restarted, and Heat and "
        "Keystone misbehave. Then it checks that every accepted request came to its end, once. The exit status says "
        "whether it did.",
        epilog="The plan follows from seed, minutes, bays and conductors: the same again is the same plan. "
        "It needs PostgreSQL or MariaDB, and RabbitMQ, installed; it starts private ones, and touches no others.",
    )
    parser.add_argument("--minutes", type=float, default=3.0, help="of faults (default 3)")
    parser.add_argument("--seed", type=int, default=1, help="of the plan (default 1)")
    parser.add_argument(
        "--database",
        choices=("postgresql", "mariadb"),
        default="postgresql",
        help="kind of database (default postgresql)",
    )
    parser.add_argument("--bays", type=int, default=200, help="how many (default 200)")
    parser.add_argument("--conductors", type=int, default=2, help="how many (default 2)")
    parser.add_argument(
        "--patience",
        type=float,
        default=180.0,
        help="seconds after the last fault until all must be done (default 180)",
    )
    parser.add_argument("--plan", action="store_true", help="print the plan and do nothing")
    parser.add_argument(
        "--state",
        default=str(CHECKOUT / ".state" / "chaos"),
        help="folder for data and logs (default .state/chaos)",
    )
    parser.add_argument(
        "--keep", type=Path, help="file that stacks, requests and the database's record go to"
    )
    return parser


if __name__ == "__main__":
    main()
