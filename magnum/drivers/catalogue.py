"""Which drivers exist: one that cannot be used is listed with its reason and stops nothing.

The lifecycle asks the catalogue for the driver of a bay, the API for what can be offered. A driver
comes from a *source*: directories under ``[drivers] paths``, which go before the entry points of the
group ``magnum.drivers``, read with stevedore. Beside the contract and the options of the group
``[drivers]`` this module knows nothing of ours, and it never calls a verb.
"""

import functools
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from types import MappingProxyType

from stevedore import ExtensionManager, NamedExtensionManager

from magnum.conf import CONF
from magnum.drivers import endpoints, options
from magnum.drivers.contract import CONTRACT_VERSION, Driver, Provides
from magnum.drivers.directories import Directories

LOG = logging.getLogger(__name__)

#: The group of entry points that drivers are registered in.
NAMESPACE = "magnum.drivers"


class DriverMissing(LookupError):
    """No usable driver has this name.

    ``name`` is what was asked for, ``known`` the names that would have worked, ``reason`` why a
    driver of this name is there and yet cannot be used (empty where there is none).
    """

    def __init__(self, name: str, known: Collection[str], reason: str = "") -> None:
        self.name = name
        self.known = tuple(sorted(known))
        self.reason = reason
        why = f" ({reason})" if reason else ""
        usable = ", ".join(self.known) or "none"
        super().__init__(f"There is no driver '{name}'{why}. Usable drivers: {usable}.")


@dataclass(frozen=True, slots=True)
class Selection:
    """What the operator wants to be used: ``enabled`` (empty means all) without ``disabled``."""

    enabled: frozenset[str] = frozenset()
    disabled: frozenset[str] = frozenset()

    def wants(self, name: str) -> bool:
        """Whether a driver of this name may be used."""
        return name not in self.disabled and (not self.enabled or name in self.enabled)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a source found: usable drivers, and the reason for each name that is not usable."""

    drivers: tuple[Driver, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)


#: A source looks for drivers and loads those that are selected. It raises nothing.
Source = Callable[[Selection], Findings]


class Catalogue:
    """The drivers that can be used, by name and by what they provide. Never changes once made."""

    def __init__(
        self, drivers: Iterable[Driver] = (), broken: Mapping[str, str] | None = None
    ) -> None:
        self._drivers = {driver.name: driver for driver in sorted(drivers, key=lambda d: d.name)}
        self._broken = MappingProxyType(dict(broken or {}))

    def names(self) -> tuple[str, ...]:
        """Names of the usable drivers, in order."""
        return tuple(self._drivers)

    def __contains__(self, name: str) -> bool:
        """Whether a driver of this name can be used."""
        return name in self._drivers

    def get(self, name: str) -> Driver:
        """The driver of this name; DriverMissing where there is none that can be used."""
        try:
            return self._drivers[name]
        except KeyError:
            reason = self._broken.get(name, "")
            raise DriverMissing(name, self._drivers, reason) from None

    def find(self, server_type: str, os_distro: str, coe: str) -> tuple[Driver, ...]:
        """The drivers that build such a cluster, best first: at present in the order of names."""

        def suits(offer: Provides) -> bool:
            return (offer.server_type, offer.coe) == (server_type, coe) and offer.boots(os_distro)

        return tuple(d for d in self._drivers.values() if any(map(suits, d.provides)))

    def provided_coes(self) -> frozenset[str]:
        """The container engines that at least one usable driver provides."""
        return frozenset(
            provided.coe for driver in self._drivers.values() for provided in driver.provides
        )

    def broken(self) -> Mapping[str, str]:
        """Drivers that should be usable and are not, each with its reason. Read-only."""
        return self._broken


def fault_of(name: str, driver: object) -> str | None:
    """Why what was loaded under ``name`` is not a driver we can use, or None."""
    if not isinstance(driver, Driver):
        return f"{type(driver).__qualname__} is not a magnum.drivers.contract.Driver"
    absent = [needed for needed in ("name", "version") if not getattr(driver, needed, None)]
    if absent:
        return f"the driver does not say its {' and '.join(absent)}"
    if driver.name != name:
        return f"the driver calls itself '{driver.name}', its entry point says '{name}'"
    if driver.contract[0] != CONTRACT_VERSION[0]:
        theirs, ours = (".".join(map(str, v)) for v in (driver.contract, CONTRACT_VERSION))
        return f"written for version {theirs} of the driver contract, this service has {ours}"
    if not driver.provides:
        return "the driver provides nothing"
    try:
        options.of(driver)
    except ValueError as error:
        return f"its schema.json cannot be read: {error}"
    return endpoints.fault_of(driver)


def entry_points(selection: Selection) -> Findings:
    """The source of installed packages: entry points of the group ``magnum.drivers``.

    What is not selected is not even imported.
    """
    targets: dict[str, set[str]] = {}
    for point in ExtensionManager.make_test_instance([], namespace=NAMESPACE).list_entry_points():
        targets.setdefault(point.name, set()).add(point.value)

    drivers: list[Driver] = []
    broken = dict.fromkeys(
        selection.enabled - selection.disabled - targets.keys(),
        "the driver is enabled, but no directory and no installed package has it",
    )
    for name in sorted(filter(selection.wants, targets)):
        if len(targets[name]) > 1:
            broken[name] = f"several packages claim this name: {', '.join(sorted(targets[name]))}"
            continue
        loaded = _load(name)
        if isinstance(loaded, Driver):
            drivers.append(loaded)
        else:
            broken[name] = loaded
    return Findings(tuple(drivers), broken)


def _load(name: str) -> Driver | str:
    """Import and make the driver behind one entry point; where that fails, the reason."""
    failures: list[str] = []

    def note(_manager: object, _point: EntryPoint, error: BaseException) -> None:
        failures.append(f"{type(error).__name__}: {error}")

    try:
        manager: NamedExtensionManager[object] = NamedExtensionManager(
            NAMESPACE, [name], invoke_on_load=True, on_load_failure_callback=note
        )
    except (AssertionError, SystemExit) as error:  # the two that stevedore lets through
        note(None, EntryPoint(name, "", NAMESPACE), error)
    if failures:
        return failures[0]
    driver = manager[name].obj
    fault = fault_of(name, driver)
    if fault is None and isinstance(driver, Driver):
        return driver
    return fault or "not a driver"


def load(selection: Selection, sources: Iterable[Source] = (entry_points,)) -> Catalogue:
    """Ask every source and say in the log, once, what cannot be used and why. The first that has a name wins."""
    drivers: dict[str, Driver] = {}
    broken: dict[str, str] = {}
    for source in sources:
        findings = source(selection)
        for driver in findings.drivers:
            if driver.name not in broken:
                drivers.setdefault(driver.name, driver)
        for name, reason in findings.broken.items():
            if name not in drivers:
                broken.setdefault(name, reason)
    for name, reason in sorted(broken.items()):
        LOG.error("The driver %s cannot be used: %s", name, reason)
    return Catalogue(drivers.values(), broken)


class Shelf:
    """The catalogue of one process, kept up to date with the directories of drivers.

    A look costs one ``stat`` for each file there, and is taken every ``[drivers] refresh_seconds`` at most.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._directories = Directories(lambda: CONF.drivers.paths)
        self._catalogue: Catalogue | None = None
        self._looked = 0.0

    def catalogue(self) -> Catalogue:
        """The catalogue as it is now."""
        known = self._catalogue
        if known is not None and self._clock() < self._looked + CONF.drivers.refresh_seconds:
            return known
        with self._lock:
            due = self._clock() >= self._looked + CONF.drivers.refresh_seconds
            if self._catalogue is None or (due and self._directories.changed()):
                self._catalogue = self._load()
            if due or known is None:
                self._looked = self._clock()
            return self._catalogue

    def _load(self) -> Catalogue:
        selection = Selection(
            enabled=frozenset(CONF.drivers.enabled_drivers),
            disabled=frozenset(CONF.drivers.disabled_drivers),
        )
        folders = self._directories.take()

        def directories(selection: Selection) -> Findings:
            found = {
                name: self._directories.driver(folder, fault_of)
                for name, folder in folders.items()
                if selection.wants(name)
            }
            drivers = tuple(one for one in found.values() if isinstance(one, Driver))
            broken = {name: one for name, one in found.items() if isinstance(one, str)}
            for driver in drivers:
                where = folders[driver.name].path
                LOG.info("Driver %s %s is taken from %s.", driver.name, driver.version, where)
            return Findings(drivers, broken)

        return load(selection, (directories, _entry_points_once))


@functools.cache
def _entry_points_once(selection: Selection) -> Findings:
    """What is installed does not change while a process runs."""
    return entry_points(selection)


_shelf = Shelf()


def catalogue() -> Catalogue:
    """The catalogue of this process, from the group ``[drivers]`` and the directories as they are now."""
    return _shelf.catalogue()
