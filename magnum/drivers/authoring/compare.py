"""What differs between two drivers, or between two versions of one."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from magnum.drivers.conformance.candidate import Candidate
from magnum.drivers.contract import Driver
from magnum.drivers.heat.template import TEMPLATES

#: Headings with their lines; a heading without a line stands for no difference.
Differences = Mapping[str, list[str]]


def compare(one: Candidate, other: Candidate) -> Differences:
    """Every difference, by what it is about."""
    first, second = one.make(), other.make()
    return {
        "identity": list(
            _values(
                {name: getattr(first, name) for name in ("name", "version", "template_version")},
                {name: getattr(second, name) for name in ("name", "version", "template_version")},
            )
        ),
        "provides": list(_sets(map(_provided, first.provides), map(_provided, second.provides))),
        "verbs": list(_sets(first.verbs(), second.verbs())),
        "endpoints": list(_declared(_endpoints(first), _endpoints(second))),
        "beside the verbs": list(_sets(beside(first), beside(second))),
        "services": list(_sets(first.services, second.services)),
        "options": list(_declared(_options(one.path), _options(other.path))),
        "template parameters": list(_declared(_parameters(one.path), _parameters(other.path))),
        "resources": list(_counts(_resources(one.path), _resources(other.path))),
        "files": list(_values(_files(one.path), _files(other.path), contents=True)),
    }


def _provided(one: Any) -> str:
    return f"{one.server_type}/{one.os_distro}/{one.coe}"


def _endpoints(driver: Driver) -> dict[str, Any]:
    return {
        f"{one.method} {one.name}": {
            "help": one.help,
            "request": one.request,
            "response": one.response,
            "who": one.who,
            "secret": one.secret,
        }
        for one in driver.endpoints
    }


def beside(driver: Driver) -> list[str]:
    """What it has of the parts that a driver may have or not."""
    there = {
        "monitor": driver.monitor is not None,
        "scaler": driver.scaler is not None,
        "preview": type(driver).preview is not Driver.preview,
    }
    return [name for name, has in there.items() if has]


def _sets(one: Any, other: Any) -> Iterator[str]:
    before, now = {str(item) for item in one}, {str(item) for item in other}
    yield from (f"+ {name}" for name in sorted(now - before))
    yield from (f"- {name}" for name in sorted(before - now))


def _values(
    one: Mapping[str, Any], other: Mapping[str, Any], *, contents: bool = False
) -> Iterator[str]:
    yield from _sets(one, other)
    for name in sorted(one.keys() & other.keys()):
        if one[name] != other[name]:
            yield f"~ {name}" if contents else f"~ {name}: {one[name]} -> {other[name]}"


def _declared(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    """Options or parameters: those that came and went, and what changed in the others."""
    yield from _sets(one, other)
    for name in sorted(one.keys() & other.keys()):
        before, now = dict(one[name] or {}), dict(other[name] or {})
        for key in sorted(before.keys() | now.keys()):
            if before.get(key) != now.get(key):
                shown = (json.dumps(value.get(key), default=dict) for value in (before, now))
                yield f"~ {name}: {key} {' -> '.join(shown)}"


def _counts(one: Counter[str], other: Counter[str]) -> Iterator[str]:
    for kind in sorted(one.keys() | other.keys()):
        if one[kind] != other[kind]:
            sign = "+" if not one[kind] else "-" if not other[kind] else "~"
            yield f"{sign} {kind}: {one[kind]} -> {other[kind]}"


def _options(path: Path) -> dict[str, Any]:
    return dict(json.loads((path / "schema.json").read_text(encoding="utf-8"))["properties"])


def _read(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The templates below a driver's directory, by name."""
    for file in sorted((path / TEMPLATES).rglob("*.yaml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        if isinstance(content, Mapping):
            yield str(file.relative_to(path / TEMPLATES)), content


def _parameters(path: Path) -> dict[str, Any]:
    return {
        f"{name}: {parameter}": declared
        for name, content in _read(path)
        for parameter, declared in (content.get("parameters") or {}).items()
    }


def _resources(path: Path) -> Counter[str]:
    """How many resources of each type the templates declare, those of resource groups included."""
    found: Counter[str] = Counter()
    for _, content in _read(path):
        for resource in (content.get("resources") or {}).values():
            found[str(resource.get("type"))] += 1
            inner = (resource.get("properties") or {}).get("resource_def")
            if isinstance(inner, Mapping):
                found[str(inner.get("type"))] += 1
    return found


def _files(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }
