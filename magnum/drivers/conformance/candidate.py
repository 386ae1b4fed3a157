"""The driver that is tried: loaded from a directory as the service does it, or by the name it is installed under."""

import importlib
import importlib.util
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from magnum.drivers import directories
from magnum.drivers.catalogue import Selection, entry_points, fault_of
from magnum.drivers.conformance.heat_world import HeatWorld
from magnum.drivers.conformance.world import World
from magnum.drivers.contract import Driver
from magnum.drivers.directories import Folder
from magnum.drivers.heat.driver import HeatDriver

#: The module of a driver's directory that says how to make a world for it.
MODULE = "conformance"


class Unusable(Exception):
    """There is no driver to be tried; the text says why and what to do."""


@dataclass(frozen=True)
class Candidate:
    """A driver that can be loaded again and again.

    ``make`` gives another instance, ``restarted`` one of freshly loaded code where that can be done, as after a
    restart. ``world`` makes a world for one run.
    """

    name: str
    path: Path
    make: Callable[[], Driver]
    restarted: Callable[[], Driver]
    world: Callable[[Driver], World]


def candidate(place: str) -> Candidate:
    """From the path of a directory, or the name of an installed driver. Raises Unusable."""
    path = Path(place)
    if (path / directories.MAIN).is_file():
        return _of_directory(path.resolve())
    if path.is_dir():
        raise Unusable(f"{path} has no {directories.MAIN}, so it is not a driver's directory.")
    return _installed(place)


def _of_directory(path: Path) -> Candidate:
    folder = directories.look([str(path.parent)]).get(path.name)
    if folder is None:
        raise Unusable(
            f"'{path.name}' cannot be the name of a driver: use letters, digits and underscores, such as mine_v1."
        )
    reason = directories.refusal(path)
    if reason is not None:
        raise Unusable(f"{reason}.")
    numbers = itertools.count(1)

    def restarted() -> Driver:
        return _checked(folder.name, _load(replace(folder, mark=f"{folder.mark}r{next(numbers)}")))

    first = _checked(folder.name, _load(folder))
    return Candidate(folder.name, path, type(first), restarted, _world_of(first))


def _load(folder: Folder) -> object:
    try:
        return directories.load(folder)
    except (Exception, SystemExit) as error:
        raise Unusable(f"It cannot be loaded: {type(error).__name__}: {error}") from error


def _installed(name: str) -> Candidate:
    found = entry_points(Selection(enabled=frozenset({name})))
    for driver in found.drivers:
        module = importlib.import_module(type(driver).__module__)
        path = Path(str(module.__file__)).parent
        return Candidate(name, path, type(driver), type(driver), _world_of(driver))
    reason = found.broken.get(name, "")
    raise Unusable(f"There is no directory and no usable installed driver '{name}': {reason}.")


def _checked(name: str, driver: object) -> Driver:
    fault = fault_of(name, driver)
    if fault is not None or not isinstance(driver, Driver):
        raise Unusable(f"It is no driver that the service would use: {fault}.")
    return driver


def _world_of(driver: Driver) -> Callable[[Driver], World]:
    """The directory's own world, or the one that suits every driver of the kind."""
    module = f"{type(driver).__module__.rpartition('.')[0]}.{MODULE}"
    if importlib.util.find_spec(module) is None:
        return HeatWorld if isinstance(driver, HeatDriver) else World
    try:
        made = getattr(importlib.import_module(module), "World", None)
    except Exception as error:
        raise Unusable(
            f"Its {MODULE}.py cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if not (isinstance(made, type) and issubclass(made, World)):
        raise Unusable(
            f"Its {MODULE}.py has no class World that derives from magnum.drivers.conformance.world.World."
        )
    return made
