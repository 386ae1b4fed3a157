"""A scaler that can do without no node."""

from magnum.drivers.contract import Work


class TinyScaler:
    """Names nobody."""

    def removable(self, work: Work, count: int) -> tuple[str, ...]:
        return ()

    def missing(self, work: Work) -> int:
        return 0
