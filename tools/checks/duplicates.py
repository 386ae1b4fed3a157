"""No helper twice: fails where two scripts share a long run of equal lines.

Looks at shell scripts (the ones that run on nodes above all) and at the Python programs of `tools/`. What
several drivers need belongs in `magnum/drivers/common/`. Run as `python -m tools.checks.duplicates`.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from tools.checks import files

#: So many equal lines in a row, blank lines and comments not counted, are a copy.
LIMIT = 10


@dataclass(frozen=True)
class Line:
    """A line that says something: its number in the file, and its text without indentation."""

    number: int
    text: str


@dataclass(frozen=True)
class Copy:
    """A run of equal lines in two files."""

    first: Path
    first_line: int
    second: Path
    second_line: int
    length: int

    def __str__(self) -> str:
        """One line for people, which editors understand too."""
        return (
            f"{self.first}:{self.first_line}: {self.length} lines are the same as in "
            f"{self.second}:{self.second_line}; keep one copy and let both use it"
        )


def find(paths: list[Path], limit: int = LIMIT) -> Iterator[Copy]:
    """Yield the longest copy of at least `limit` lines for each pair of files that has one."""
    read = {path: _lines(path) for path in paths}
    for first, second in combinations(paths, 2):
        copy = _longest(first, read[first], second, read[second])
        if copy.length >= limit:
            yield copy


def _lines(path: Path) -> list[Line]:
    stripped = (line.strip() for line in path.read_text(errors="replace").splitlines())
    return [
        Line(number, text)
        for number, text in enumerate(stripped, 1)
        if any(letter.isalnum() for letter in text) and not text.startswith("#")
    ]


def _longest(first: Path, one: list[Line], second: Path, other: list[Line]) -> Copy:
    """The longest common run, by the usual table of which only two rows are kept."""
    best = Copy(first, 0, second, 0, 0)
    previous = [0] * (len(other) + 1)
    for i, line in enumerate(one):
        current = [0] * (len(other) + 1)
        for j, another in enumerate(other):
            if line.text == another.text:
                length = current[j + 1] = previous[j] + 1
                if length > best.length:
                    starts = one[i + 1 - length].number, other[j + 1 - length].number
                    best = Copy(first, starts[0], second, starts[1], length)
        previous = current
    return best


def main() -> int:
    """Print every copy; 1 if there is one."""
    checkout = Path.cwd()
    programs = [
        path.relative_to(checkout)
        for path in files.ours(checkout)
        if files.is_shell(path) or files.is_python_script(path)
    ]
    copies = list(find(programs))
    for copy in copies:
        print(copy)
    return 1 if copies else 0


if __name__ == "__main__":
    sys.exit(main())
