"""The world of the driver: a fake cloud that keeps clusters by name."""

from collections.abc import Collection, Iterator
from typing import Any

from magnum.drivers.conformance import world
from magnum.drivers.conformance.world import Fault
from magnum.drivers.contract import Driver


class FakeClusters:
    """Stands for a cloud's service of clusters."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.calls = 0
        self.broken: dict[int, Fault] = {}

    def _note(self) -> None:
        self.calls += 1
        if self.broken.pop(self.calls, None):
            raise ConnectionError("no answer")

    def get(self, name: str) -> dict[str, Any] | None:
        self._note()
        return self.kept.get(name)

    def create(
        self, name: str, nodes: int, hidden: str = "", zone: str = "", shown: str = ""
    ) -> None:
        self._note()
        self.kept[name] = {"nodes": nodes, "state": "busy", "zone": zone, "shown": shown}

    def resize(self, name: str, nodes: int) -> None:
        self._note()
        self.kept[name] |= {"nodes": nodes, "state": "busy"}

    def delete(self, name: str) -> None:
        self._note()
        self.kept[name] |= {"state": "busy", "going": True}

    def end(self, state: str) -> bool:
        busy = [name for name, one in self.kept.items() if one["state"] == "busy"]
        for name in busy:
            self.kept[name]["state"] = state
            if self.kept[name].get("going"):
                del self.kept[name]
        return bool(busy)


class FakeClouds:
    """Hands out FakeClusters."""

    def __init__(self, service: FakeClusters) -> None:
        self._service = service

    def heat(self) -> Any:
        raise AssertionError("there is no Heat here")

    def rest(self, service_type: str) -> FakeClusters:
        return self._service


class World(world.World):
    """A cloud of clusters."""

    has_cloud = True
    faults = (Fault("no answer", passes=True),)

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver)
        self.service = FakeClusters()
        self.clouds = FakeClouds(self.service)

    def settle(self) -> None:
        self.service.end("complete")

    def busy(self) -> bool:
        return any(one["state"] == "busy" for one in self.service.kept.values())

    def fail(self) -> bool:
        return self.service.end("failed")

    def clusters(self) -> Collection[str]:
        return tuple(self.service.kept)

    def workers(self) -> Collection[str]:
        return [f"node-{n}" for one in self.service.kept.values() for n in range(one["nodes"])]

    def picture(self) -> object:
        return repr(self.service.kept)

    def readable(self) -> Iterator[tuple[str, str]]:
        for name, one in self.service.kept.items():
            yield f"the description of {name}", one["shown"]

    def calls(self) -> int:
        return self.service.calls

    def break_call(self, number: int, fault: Fault) -> None:
        self.service.broken[self.service.calls + number] = fault
