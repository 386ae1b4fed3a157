"""Everything that can be said of a driver's directory without running a verb."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from magnum.drivers.authoring import options, parts, scripts, source, templates
from magnum.drivers.authoring.findings import Check, Finding
from magnum.drivers.conformance.candidate import Candidate, Unusable, candidate
from magnum.drivers.directories import MAIN
from magnum.drivers.heat.driver import HeatDriver
from magnum.drivers.heat.errors import clean
from magnum.drivers.heat.template import TEMPLATES, bundle

#: In this order they are told.
CHECKS: tuple[Check, ...] = (
    source.files,
    source.version,
    source.imports,
    options.schema,
    templates.templates,
    scripts.scripts,
)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and notes of what was not looked at."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def validate(folder: Path, heat: Any = None) -> Report:
    """Look at a directory; with a Heat client, have Heat look at the templates too."""
    folder = folder.resolve()
    if not (folder / MAIN).is_file():  # it may be any folder: it is left alone
        return Report((Finding(MAIN, 0, "There is none.", "A driver's directory has one."),), ())
    found = [finding for check in CHECKS for finding in check(folder)]
    notes: list[str] = []
    try:
        driver = candidate(str(folder))
    except Unusable as error:
        text = str(error).removesuffix(".")
        found.append(Finding("driver.py", 0, f"{text}.", "The service would list it as broken."))
    else:
        found += _loaded(folder, driver)
        if heat is not None:
            found += _by_heat(driver, heat)
    if scripts.find(folder) and scripts.shellcheck() is None:
        notes.append("shellcheck is not installed: the shell scripts were not looked at.")
    if (folder / TEMPLATES).is_dir() and heat is None:
        notes.append("No Heat has looked at the templates: --heat asks one.")
    return Report(tuple(found), tuple(notes))


def _loaded(folder: Path, of: Candidate) -> Iterator[Finding]:
    driver = of.make()
    version = source.constants(folder / "version.py").get("version")
    if version is not None and driver.version != version:
        yield Finding(
            "driver.py",
            0,
            f"Its version is {driver.version}, and that of version.py is {version}.",
            "Take it from there: from .version import version as release.",
        )
    yield from parts.parts(folder, driver)
    yield from parts.hidden(driver)
    if not isinstance(driver, HeatDriver):
        return
    for name in ("template_def.py", f"{TEMPLATES}/{driver.definition.main}"):
        if not (folder / name).is_file():
            yield Finding(name, 0, "There is no such file.", "A driver with Heat needs it.")


def _by_heat(of: Candidate, heat: Any) -> Iterator[Finding]:
    driver = of.make()
    if not isinstance(driver, HeatDriver):
        return
    definition = driver.definition
    file = f"{TEMPLATES}/{definition.main}"
    try:
        found = bundle(definition.package, definition.main)
    except (OSError, ValueError, yaml.YAMLError) as error:
        yield Finding(file, 0, f"It cannot be read: {error}.", "Correct it.")
        return
    try:
        heat.stacks.validate(template=found.template, files=dict(found.files))
    except Exception as error:  # noqa: BLE001 - whatever Heat or its client says is told
        yield Finding(file, 0, f"Heat says: {clean(error)}", "Correct the template.")
