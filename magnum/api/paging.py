"""The arguments of a list (contract 1.6)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from magnum.api.http import Request
from magnum.common import errors, ids
from magnum.conf import CONF
from magnum.db.paging import Page

ARGUMENTS: Final = frozenset({"limit", "marker", "sort_key", "sort_dir"})


@dataclass(frozen=True, slots=True)
class Marker:
    """What a marker looks like: in words, and whether a text is one."""

    kind: str
    fits: Callable[[str], bool]


UUID: Final = Marker("a uuid", ids.is_uuid)
#: So long that every database can compare it with its counters.
NUMBER: Final = Marker(
    "a number", lambda text: text.isascii() and text.isdigit() and len(text) <= 18
)


def page_of(
    request: Request,
    sort_keys: Collection[str],
    spelled: Mapping[str, str] | None = None,
    marked_by: Marker = UUID,
    more: Collection[str] = (),
) -> Page:
    """The page that a request asks for.

    :param sort_keys: what the store can sort by.
    :param spelled: what the caller's words for some of these are.
    :param marked_by: what its marker has to be.
    :param more: arguments that this list has beside the usual ones, for the caller to read.

    Raises BadRequest that names the argument.
    """
    query = request.query({*ARGUMENTS, *more})
    sort_key = query.get("sort_key", "id")
    sort_key = (spelled or {}).get(sort_key, sort_key)
    if sort_key not in sort_keys:
        raise errors.BadRequest(
            f"Unknown sort_key; known are: {', '.join(sorted(sort_keys))}", field="sort_key"
        )
    sort_dir = query.get("sort_dir", "asc")
    if sort_dir not in ("asc", "desc"):
        raise errors.BadRequest("sort_dir must be asc or desc", field="sort_dir")
    marker = query.get("marker")
    if marker is not None and not marked_by.fits(marker):
        raise errors.BadRequest(f"marker must be {marked_by.kind}", field="marker")
    return Page(_limit(query.get("limit")), marker, sort_key, sort_dir)


def _limit(text: str | None) -> int:
    longest: int = CONF.api.max_limit
    if text is None:
        return longest
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise errors.BadRequest("limit must be a whole number above 0", field="limit")
    return min(int(text), longest)
