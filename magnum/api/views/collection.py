"""Pages of lists (contract 1.6)."""

from typing import Any

from magnum.db.paging import Page


def body(
    collection: str,
    items: list[dict[str, Any]],
    page: Page,
    base: str,
    path: str,
    marked_by: str = "uuid",
) -> dict[str, Any]:
    """A page. It says where the next one is only if it is exactly full, so the last one may lead to an empty page.

    :param path: the list's path below ``/v1/``.
    :param marked_by: the attribute of an item that is its marker.
    """
    answer: dict[str, Any] = {collection: items}
    if len(items) == page.limit:
        answer["next"] = (
            f"{base}/v1/{path}?sort_key={page.sort_key}&sort_dir={page.sort_dir}"
            f"&limit={page.limit}&marker={items[-1][marked_by]}"
        )
    return answer
