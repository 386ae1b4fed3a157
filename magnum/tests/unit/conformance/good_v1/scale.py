"""Which nodes may go: the last ones."""

from magnum.drivers.contract import WORKER, DriverError, Work

from .cloud import ask, name_of


class GoodScaler:
    """Names nodes by their numbers."""

    def removable(self, work: Work, count: int) -> tuple[str, ...]:
        try:
            cluster = ask(work, "get", name_of(work))
        except DriverError:
            return ()
        nodes = [f"node-{number}" for number in range(cluster["nodes"] if cluster else 0)]
        return tuple(reversed(nodes))[:count]

    def missing(self, work: Work) -> int:
        return 0 if work.group(WORKER).node_count else 1
