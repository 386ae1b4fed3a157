"""The suite as a plugin for pytest: ``pytest -p magnum.drivers.conformance.plugin --driver-dir DIR_OR_NAME``.

It is not registered as an entry point, so that no other run of pytest in the same environment is touched by it. Where
no tests are named on the command line, the suite is what runs.
"""

from pathlib import Path
from typing import Any

from magnum.drivers.conformance.candidate import Unusable, candidate
from magnum.drivers.conformance.cases import Case, cases
from magnum.drivers.conformance.trial import Unfit

#: The file that pytest collects.
SUITE = Path(__file__).with_name("suite.py")
#: The argument of the suite's test.
ARGUMENT = "conformance_case"


def pytest_addoption(parser: Any) -> None:
    """The option that names the driver."""
    group = parser.getgroup("magnum driver conformance")
    group.addoption(
        "--driver-dir",
        metavar="DIR_OR_NAME",
        help="the directory of the driver that is tried, or the name of an installed driver",
    )


def pytest_configure(config: Any) -> None:
    """Run the suite where nothing else was asked for."""
    asked = config.args_source.name == "ARGS"
    if config.getoption("driver_dir") and not asked:
        config.args = [str(SUITE)]


def pytest_generate_tests(metafunc: Any) -> None:
    """One test for each case of the driver."""
    if ARGUMENT not in metafunc.fixturenames:
        return
    place = metafunc.config.getoption("driver_dir")
    if not place:
        raise ValueError("name the driver with --driver-dir DIR_OR_NAME")
    try:
        found = list(cases(candidate(place)))
    except Unusable as error:
        found = [Case("can_be_loaded", _fails(error))]
    metafunc.parametrize(ARGUMENT, found, ids=[case.name for case in found])


def _fails(error: Unusable) -> Any:
    def run() -> None:
        raise Unfit(str(error))

    return run
