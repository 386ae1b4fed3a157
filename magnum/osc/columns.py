"""Values of the API in tables: written one way for people, and as they are for programs. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from cliff.columns import FormattableColumn

from magnum.osc.texts import CONTROL, plain


class Shown(FormattableColumn[Any]):
    """A value whose members stand in lines of their own, indented as deep as they lie."""

    def human_readable(self) -> str:
        """For people."""
        if isinstance(self._value, str):
            return plain(self._value)
        return plain("\n".join(_lines(self._value)))


class Lines(FormattableColumn[list[str]]):
    """Texts, one a line."""

    def human_readable(self) -> str:
        """For people."""
        return plain("\n".join(self._value))


class Placement(FormattableColumn[Mapping[str, Any]]):
    """How a driver was chosen."""

    def human_readable(self) -> str:
        """For people: the driver, then every candidate."""
        if not self._value:
            return ""
        chosen = f"{self._value['driver']} {self._value['driver_version']}"
        return plain("\n".join([chosen, *map(_candidate, self._value["candidates"])]))


class Candidates(FormattableColumn[list[Mapping[str, Any]]]):
    """Drivers that could be chosen, or not."""

    def human_readable(self) -> str:
        """For people: a line for each."""
        return plain("\n".join(map(_candidate, self._value)))


_OF_THEIR_OWN = {"placement": Placement, "candidates": Candidates}


def column(name: str, value: Any) -> Any:
    """The value of a named attribute for a table."""
    kind = _OF_THEIR_OWN.get(name)
    return shown(value) if kind is None or value is None else kind(value)


def shown(value: Any) -> Any:
    """A value for a table: texts, numbers and truth values as they are, all else in lines."""
    if isinstance(value, str) and not CONTROL.search(value):
        return value
    return Shown(value) if isinstance(value, str | dict | list) else value


def _lines(value: Any, indent: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if _is_simple(inner):
                yield f"{indent}{name}: {_simple(inner)}"
            else:
                yield f"{indent}{name}:"
                yield from _lines(inner, indent + "  ")
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict) and all(map(_is_simple, inner.values())):
                yield indent + ", ".join(f"{name}={_simple(one)}" for name, one in inner.items())
            else:
                yield from _lines(inner, indent)
    else:
        yield f"{indent}{_simple(value)}"


def _is_simple(value: Any) -> bool:
    if isinstance(value, list):
        return not any(isinstance(inner, dict | list) for inner in value)
    return not (isinstance(value, dict) and value)


def _simple(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(inner) for inner in value)
    return "" if value == {} else str(value)


def _candidate(told: Mapping[str, Any]) -> str:
    """A driver with its total, or with what speaks against it."""
    name = f"{told['driver']} {told['driver_version'] or ''}".strip()
    against = "; ".join(f"{who}: {why}" for who, why in told["refused_by"].items())
    return f"  {name}: no, {against}" if against else f"  {name}: {told['total']}"
