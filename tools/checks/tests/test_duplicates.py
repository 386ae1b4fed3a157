"""The check for copies finds a copy, and only that."""

from pathlib import Path

from tools.checks import duplicates

SHARED = [f"do something {number}" for number in range(10)]


def _script(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(["#!/bin/bash", *lines]) + "\n")
    return path


def test_a_copy_is_found_in_spite_of_comments_and_indentation(tmp_path: Path) -> None:
    one = _script(tmp_path / "one.sh", ["echo one", *SHARED])
    other = [f"    {line}\n# {line}" for line in SHARED]
    two = _script(tmp_path / "two.sh", [*other, "echo two"])

    (copy,) = duplicates.find([one, two])

    assert (copy.first, copy.first_line, copy.length) == (one, 3, 10)
    assert (copy.second, copy.second_line) == (two, 2)


def test_less_than_the_limit_is_no_copy(tmp_path: Path) -> None:
    one = _script(tmp_path / "one.sh", SHARED[:9])
    two = _script(tmp_path / "two.sh", ["echo two", *SHARED[:9]])

    assert list(duplicates.find([one, two])) == []


def test_equal_lines_that_do_not_follow_each_other_are_no_copy(tmp_path: Path) -> None:
    mixed = [line for pair in zip(SHARED, reversed(SHARED), strict=True) for line in pair]
    one = _script(tmp_path / "one.sh", SHARED)
    two = _script(tmp_path / "two.sh", mixed)

    assert list(duplicates.find([one, two])) == []
