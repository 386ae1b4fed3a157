"""The report: what was measured, and the budget of ``design.md``, section 8."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the report, in words. An empty ``budget`` means that there is none."""

    what: str
    measured: str
    budget: str = ""


def show(rows: Sequence[Row]) -> None:
    """Print all rows as one table."""
    wide = [max(len(getattr(row, name)) for row in rows) for name in ("what", "measured")]
    for row in (Row("what", "measured", "budget"), *rows):
        print(f"{row.what:<{wide[0]}}  {row.measured:<{wide[1]}}  {row.budget}".rstrip())


def milliseconds(seconds: float) -> str:
    """A short time in words."""
    return f"{seconds * 1000:.1f} ms"
