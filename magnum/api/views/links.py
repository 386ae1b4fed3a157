"""Links in bodies (contract 1.7) and dates as clients read them (contract 1.8)."""

from datetime import datetime

Links = list[dict[str, str]]


def of(base: str, collection: str, uuid: str) -> Links:
    """Where a thing is found: with the version in the path, and without.

    :param base: URL of the application.
    """
    return [
        {"href": to(base, collection, uuid), "rel": "self"},
        {"href": f"{base}/{collection}/{uuid}", "rel": "bookmark"},
    ]


def to(base: str, collection: str, uuid: str) -> str:
    """Where a thing is found."""
    return f"{base}/v1/{collection}/{uuid}"


def moment(time: datetime | None) -> str | None:
    """A time of the database, which is UTC without saying so, as ISO 8601 with its offset."""
    return None if time is None else f"{time.isoformat()}+00:00"
