"""The RPC endpoint: its methods take hints (``design.md``, section 3). There is nothing to version."""

from typing import Any

from magnum.conductor.calls import Calls
from magnum.conductor.pool import Pool


class Endpoint:
    """What conductors answer to on the broker."""

    def __init__(self, pool: Pool, calls: Calls) -> None:
        self._pool = pool
        self._calls = calls

    def look_at(self, context: Any, operation_id: int) -> None:
        """An operation is due. With no room for it now, the sweep finds it."""
        self._pool.submit(operation_id)

    def look_at_call(self, context: Any, call_id: int) -> None:
        """Somebody waits for the answer to a call. With no room for it now, the sweep finds it."""
        self._calls.submit(call_id)
