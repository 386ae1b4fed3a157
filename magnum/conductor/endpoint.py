"""The RPC endpoint: one method, which takes a hint (``design.md``, section 3). There is nothing to version."""

from typing import Any

from magnum.conductor.pool import Pool


class Endpoint:
    """What conductors answer to on the broker."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def look_at(self, context: Any, operation_id: int) -> None:
        """An operation is due. With no room for it now, the sweep finds it."""
        self._pool.submit(operation_id)
