"""Drivers in directories that need no packaging: every ``<path>/<name>/driver.py`` under ``[drivers] paths``.

A source of the catalogue, see :mod:`magnum.drivers.catalogue`. Each state of a directory is loaded as a package of its
own name, so that a changed directory is new code beside the old: who is at work with the old one keeps it. What others
than root and this service's user could have written is refused, because it runs with the service's rights.
"""

import hashlib
import importlib
import importlib.util
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from pathlib import Path
from types import CodeType

from magnum.drivers.contract import Driver

#: What the packages' names begin with; the driver's name and the mark of the directory's state follow.
PACKAGE = "magnum_directory_drivers"
#: The one file without which a directory is not looked at.
MAIN = "driver.py"
#: A directory in which nothing was changed for so long is complete.
RESTED_SECONDS = 2.0
_IGNORED = frozenset({"__pycache__", ".git"})


@dataclass(frozen=True, slots=True)
class Folder:
    """A driver's directory in one state: ``mark`` changes with every change of a file in it.

    ``changed_at`` is the time of the last change, in seconds since 1970.
    """

    name: str
    path: Path
    mark: str
    changed_at: float = field(default=0.0, compare=False)


def look(paths: Iterable[str]) -> Mapping[str, Folder]:
    """The drivers' directories under some paths, by name. The first path that has a name wins. Raises nothing."""
    found: dict[str, Folder] = {}
    for path in paths:
        for folder in _below(Path(path)):
            if folder.name not in found and folder.name.isidentifier():
                found[folder.name] = Folder(folder.name, folder, *_state(folder))
    return found


def _below(path: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder for folder in path.iterdir() if (folder / MAIN).is_file())
    except OSError:
        return


def _files(folder: Path) -> Iterator[Path]:
    """The directory itself and all that is in it, in order."""
    yield folder
    for base, names, files in os.walk(folder):
        names[:] = sorted(set(names) - _IGNORED)
        yield from (Path(base, name) for name in (*names, *sorted(files)))


def _state(folder: Path) -> tuple[str, float]:
    """The mark of a directory, and when something in it was last changed."""
    marks = hashlib.sha256()
    changed_at = 0.0
    for file in _files(folder):
        try:
            seen = file.stat()
        except OSError:
            continue
        # The rights count too: a refusal goes away when they are put right.
        parts = (file, seen.st_mtime_ns, seen.st_size, seen.st_mode, seen.st_uid, seen.st_ino)
        marks.update(repr(parts).encode())
        changed_at = max(changed_at, seen.st_ctime)  # which no copying sets back
    return marks.hexdigest()[:16], changed_at


def refusal(folder: Path) -> str | None:
    """Why code in a directory may not be run: somebody could have written it who must not. None where it may."""
    trusted = {0, os.geteuid()}
    try:
        for file in (folder.parent, *_files(folder)):
            seen = file.stat()
            if seen.st_uid not in trusted:
                return f"{file} belongs to user {seen.st_uid}, who is neither root nor this service"
            sticky = file == folder.parent and seen.st_mode & stat.S_ISVTX
            if seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky:
                return f"{file} may be written by others than its owner; take that right away"
    except OSError as error:
        return f"{error.filename or folder}: {error.strerror}"
    return None


def load(folder: Folder) -> object:
    """Import a directory's ``driver.py`` and make its ``Driver``. Raises whatever that code raises.

    Imports inside the directory are relative ones (``from . import version``): its package has another name in every
    process and every state.
    """
    package = f"{PACKAGE}.{folder.name}_{folder.mark}"
    _package(PACKAGE, folder.path.parent)
    _package(package, folder.path)
    # Compiled files of an earlier state count as good where size and second are the same. So none is read or written.
    for path in filter(Path.is_dir, _files(folder.path)):
        finder = FileFinder(str(path), (_WithoutCache, SOURCE_SUFFIXES))
        sys.path_importer_cache[str(path)] = finder
    module = importlib.import_module(f"{package}.{Path(MAIN).stem}")
    return module.Driver()


def _package(name: str, folder: Path) -> None:
    """Have a package whose modules and other files lie in a folder. It has no code of its own, so none is run."""
    if name in sys.modules:
        return
    # Named though it need not be there: from its place the package's other files are found.
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)


class _WithoutCache(SourceFileLoader):
    """Compiles a module's source each time."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code = self.source_to_code(self.get_data(path), path)
        assert isinstance(code, CodeType)
        return code


@dataclass
class Directories:
    """The directories of one process: what was loaded, and what has changed since.

    ``paths`` gives the paths at each call. Not safe for several threads at once; the catalogue holds a lock.
    """

    paths: Callable[[], Iterable[str]]
    _loaded: dict[Folder, "Driver | str"] = field(default_factory=dict)
    _seen: Mapping[str, Folder] = field(default_factory=dict)
    _used: Mapping[str, Folder] = field(default_factory=dict)

    def changed(self) -> bool:
        """Whether something else is there than was taken, and nobody is at it any more.

        That is so where it is the same in two looks, or has rested since before the first: a process that looks seldom,
        because it is asked seldom, need not be asked twice.
        """
        before, self._seen = self._seen, look(self.paths())
        if self._seen == self._used:
            return False
        new = [folder for name, folder in self._seen.items() if self._used.get(name) != folder]
        rested = all(folder.changed_at < time.time() - RESTED_SECONDS for folder in new)
        # What has gone may be back in a moment.
        return self._seen == before or (rested and self._used.keys() <= self._seen.keys())

    def take(self) -> Mapping[str, Folder]:
        """The directories as they are now, to be used from here on."""
        self._used = self._seen = look(self.paths())
        kept = set(self._used.values())
        self._loaded = {folder: one for folder, one in self._loaded.items() if folder in kept}
        return self._used

    def driver(self, folder: Folder, fault_of: Callable[[str, object], str | None]) -> Driver | str:
        """The driver of a directory, made once for each state; where there is none to be had, the reason."""
        if folder not in self._loaded:
            self._loaded[folder] = _try(folder, fault_of)
        return self._loaded[folder]


def _try(folder: Folder, fault_of: Callable[[str, object], str | None]) -> Driver | str:
    reason = refusal(folder.path)
    if reason is not None:
        return reason
    try:
        driver = load(folder)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - another's code may raise anything
        return f"{type(error).__name__}: {error}"
    fault = fault_of(folder.name, driver)
    if fault is None and isinstance(driver, Driver):
        return driver
    return fault or "not a driver"
