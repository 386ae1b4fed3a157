"""What a check found in a driver's directory: where it is, what is wrong, and what to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``file`` is relative to the driver's directory; ``line`` counts from 1, 0 is unknown."""

    file: str
    line: int
    text: str
    advice: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.text} {self.advice}"


#: A check looks at a driver's directory.
Check = Callable[[Path], Iterator[Finding]]
