"""Every driver there is, usable or not, as a service of this configuration finds it, and where it comes from."""

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from magnum.conf import CONF
from magnum.drivers import directories
from magnum.drivers.catalogue import NAMESPACE, Selection, Shelf
from magnum.drivers.contract import Driver, Provides

DIRECTORY, ENTRY_POINT = "directory", "entry point"
USABLE, DISABLED, BROKEN = "usable", "disabled", "broken"


@dataclass(frozen=True, slots=True)
class Listed:
    """One driver. ``reason`` says why a broken one is not usable; of such a one the other fields may be empty."""

    name: str
    state: str
    source: str
    path: str
    module: str = ""
    version: str = ""
    template_version: str = ""
    template: str = ""
    provides: tuple[Provides, ...] = ()
    reason: str = ""


def drivers() -> list[Listed]:
    """All drivers, by name."""
    catalogue = Shelf().catalogue()
    folders = directories.look(CONF.drivers.paths)
    points = {point.name: point.value for point in metadata.entry_points(group=NAMESPACE)}
    selection = Selection(
        frozenset(CONF.drivers.enabled_drivers), frozenset(CONF.drivers.disabled_drivers)
    )
    found: list[Listed] = []
    for name in sorted({*catalogue.names(), *catalogue.broken(), *folders, *points}):
        source = DIRECTORY if name in folders else ENTRY_POINT
        path = str(folders[name].path) if name in folders else _path_of(points.get(name, ""))
        if name in catalogue.names():
            found.append(_usable(catalogue.get(name), source, path))
        elif not selection.wants(name):
            found.append(Listed(name, DISABLED, source, path))
        else:
            reason = catalogue.broken().get(name, "it is not there")
            found.append(Listed(name, BROKEN, source, path, reason=reason))
    return found


def _usable(driver: Driver, source: str, path: str) -> Listed:
    return Listed(
        driver.name,
        USABLE,
        source,
        path,
        type(driver).__module__ if source == ENTRY_POINT else "",
        driver.version,
        driver.template_version,
        str(main_template(driver) or ""),
        tuple(sorted(driver.provides, key=lambda one: (one.server_type, one.os_distro, one.coe))),
    )


def _path_of(target: str) -> str:
    """The directory of an entry point's module, without importing more than its packages."""
    try:
        spec = importlib.util.find_spec(target.partition(":")[0])
    except (ImportError, ValueError):
        return ""
    return str(Path(spec.origin).parent) if spec and spec.origin else ""


def main_template(driver: Driver) -> Path | None:
    """The template that a Heat driver's stacks are made from; None for a driver without one."""
    definition = getattr(driver, "definition", None)
    package = sys.modules.get(getattr(definition, "package", ""))
    places: Iterator[str] = iter(getattr(package, "__path__", ()))
    place = next(places, None)
    return None if place is None else Path(place, "templates", str(getattr(definition, "main", "")))
