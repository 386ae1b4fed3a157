"""Checks of what a driver has beside its verbs: endpoints, monitor and scaler, and what its templates hide."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from magnum.drivers.authoring.findings import Finding
from magnum.drivers.conformance.endpoints import faults_of
from magnum.drivers.conformance.fake_heat import FakeHeatStack
from magnum.drivers.conformance.readable import readable
from magnum.drivers.contract import Driver
from magnum.drivers.heat.driver import HeatDriver
from magnum.drivers.heat.template import TEMPLATES, bundle

#: File of a driver's directory -> the attribute of ``Driver`` that comes from it, and what that needs to have.
PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "api.py": ("endpoints", ()),
    "monitor.py": ("monitor", ("look",)),
    "scale.py": ("scaler", ("removable", "missing")),
}


def parts(folder: Path, driver: Driver) -> Iterator[Finding]:
    """Each file is used, each part has its file, and is what the contract calls so."""
    for file, (attribute, methods) in PARTS.items():
        part, is_there = getattr(driver, attribute), (folder / file).is_file()
        if is_there and not part:
            text = f"It is not used: the driver's '{attribute}' is empty."
            yield Finding(
                file, 0, text, f"Set '{attribute}' in the class Driver, or remove the file."
            )
        elif part and not is_there:
            text = f"The driver has '{attribute}', and there is no such file."
            yield Finding(file, 0, text, "People look for it there: move it.")
        for name in methods if part else ():
            if not callable(getattr(part, name, None)):
                yield Finding(file, 0, f"The {attribute} has no method '{name}'.", "Write it.")
    for fault in faults_of(driver):
        yield Finding("api.py", 0, f"{fault[0].upper()}{fault[1:]}.", "Correct it.")


def hidden(driver: Driver) -> Iterator[Finding]:
    """What is hidden in the main template can be read nowhere else: not in a nested template, not in an output."""
    if not isinstance(driver, HeatDriver):
        return
    definition = driver.definition
    try:
        found = bundle(definition.package, definition.main)
    except (OSError, ValueError, yaml.YAMLError):
        return  # said of that file
    stack = FakeHeatStack("", "", found.template, found.files, [], {})
    names = [name for name, schema in stack.declared().items() if (schema or {}).get("hidden")]
    stack.parameters = {name: f"<hidden {name}>" for name in names}
    for place, said in readable(stack):
        for name in names:
            if f"<hidden {name}>" in said:
                yield Finding(
                    f"{TEMPLATES}/{definition.main}",
                    0,
                    f"The parameter {name} is hidden, and everybody in the project can read it in {place}.",
                    "Declare it as hidden there too, and keep it out of outputs.",
                )
