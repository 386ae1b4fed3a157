"""Texts, times and lengths of time as people read them. Pure."""

import re
from datetime import UTC, datetime
from typing import Final

#: What a terminal might obey: a text of a cloud or a driver must not move the cursor.
CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BREAK: Final = re.compile(r"\s+")

MINUTE, HOUR, DAY = 60, 3600, 86400


def plain(text: str) -> str:
    """The text without anything that a terminal would obey; line breaks and tabs stay."""
    return CONTROL.sub("?", text)


def one_line(text: str) -> str:
    """The text on one line."""
    return _BREAK.sub(" ", plain(text)).strip()


def clipped(text: str, width: int) -> str:
    """The text in no more than so many columns of a terminal."""
    return text if len(text) <= width else text[: max(width - 3, 0)] + "..."[:width]


def moment(text: str | None) -> datetime | None:
    """A time of the API, which is ISO 8601 with an offset."""
    return None if text is None else datetime.fromisoformat(text)


def seconds_since(text: str | None, now: datetime) -> float:
    """Seconds from a time of the API until now; 0 where there is none, or where the clocks disagree."""
    then = moment(text)
    return 0.0 if then is None else max((now - then).total_seconds(), 0.0)


def at(text: str, now: datetime) -> str:
    """A time of the API: the day only where it is another one."""
    then = datetime.fromisoformat(text).astimezone(UTC)
    same_day = then.date() == now.astimezone(UTC).date()
    return then.strftime("%H:%M:%S UTC" if same_day else "%Y-%m-%d %H:%M:%S UTC")


def lasting(seconds: float) -> str:
    """A length of time in words, in its two largest units."""
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def ago(text: str, now: datetime) -> str:
    """A time of the API and how far it is from now: ``06:00:09 UTC (2 min 3 s ago)``, or ``(in 4 s)``."""
    seconds = (now - datetime.fromisoformat(text)).total_seconds()
    distance = f"{lasting(seconds)} ago" if seconds >= 0 else f"in {lasting(-seconds)}"
    return f"{at(text, now)} ({distance})"
