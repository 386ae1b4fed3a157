"""The page on clients names the releases that the tests install, and the tests that there are."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[4]
PAGE = CHECKOUT / "doc" / "source" / "clients.rst"
TESTS = CHECKOUT / "magnum" / "tests" / "functional" / "clients"


def rows() -> list[list[str]]:
    """The cells of the table, without its heading."""
    lines = PAGE.read_text().partition(".. list-table::")[2]
    found = re.split(r"^   \* - ", lines, flags=re.MULTILINE)[2:]
    return [[" ".join(cell.split()) for cell in row.split("\n     - ")] for row in found]


def pinned(file: Path) -> set[tuple[str, str]]:
    """Names and versions that a file of requirements pins."""
    return set(re.findall(r"^([a-z][\w.-]*)==(\S+)$", file.read_text().lower(), re.MULTILINE))


def test_each_release_of_the_table_is_one_that_is_installed() -> None:
    told = {(row[0].lower(), row[1]) for row in rows()}
    files = {file: pinned(file) for file in (TESTS / "requirements").glob("*.txt")}
    assert len(files) > 5
    for file, pins in files.items():
        assert told & pins, f"no row tells of {file.name}"
    everything = set().union(*files.values())
    packages = {name for name, _ in everything}
    assert {row for row in told if row[0] in packages} <= everything


def test_each_file_of_an_old_client_is_named_after_its_release() -> None:
    for file in (TESTS / "requirements").glob("magnumclient-*.txt"):
        version = file.stem.partition("-")[2]
        assert ("python-magnumclient", version) in pinned(file)
        assert ("python-magnumclient", version) in {(row[0], row[1]) for row in rows()}


def test_each_module_of_tests_is_named() -> None:
    named = set(re.findall(r"``(test_\w+\.py)``", PAGE.read_text()))
    assert named == {path.name for path in TESTS.glob("test_*.py")}
