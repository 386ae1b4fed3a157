"""One driver in full: versions, what it provides, verbs, endpoints, options; as data or as a text for people."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from magnum.drivers.authoring.compare import beside
from magnum.drivers.conformance.candidate import Candidate
from magnum.drivers.contract import Driver, Endpoint


def data(found: Candidate) -> dict[str, Any]:
    """Everything, as JSON has it."""
    driver = found.make()
    shown = {
        "name": driver.name,
        "version": driver.version,
        "template_version": driver.template_version,
        "contract": list(driver.contract),
        "provides": sorted((asdict(one) for one in driver.provides), key=str),
        "verbs": sorted(driver.verbs()),
        "besides": beside(driver),
        "services": sorted(driver.services),
        "endpoints": [_endpoint(one) for one in driver.endpoints],
        "options": _options(found.path),
        "path": str(found.path),
    }
    plain: dict[str, Any] = json.loads(json.dumps(shown, default=dict))
    return plain


def lines(found: Candidate) -> Iterator[str]:
    """The same for people, line by line."""
    driver, properties = found.make(), _options(found.path)
    yield f"{driver.name} {driver.version}"
    yield f"  templates  {driver.template_version}"
    yield f"  contract   {'.'.join(map(str, driver.contract))}"
    for one in sorted(driver.provides, key=repr):
        yield f"  provides   {one.server_type} / {one.os_distro} / {one.coe}"
    yield f"  verbs      {', '.join(sorted(driver.verbs()))}"
    yield f"  besides    {', '.join(beside(driver)) or 'nothing'}"
    yield f"  services   {', '.join(sorted(driver.services)) or 'none'}"
    yield f"  directory  {found.path}"
    yield from _endpoints(driver)
    yield "  options    (labels of a baymodel or bay)" if properties else "  options    none"
    for name, declared in properties.items():
        default = json.dumps(declared["default"]) if "default" in declared else "not given"
        kind = f"{declared.get('type', 'string')}, {declared.get('x-change', '?')}"
        yield f"    {name}  {kind}, default {default}"
        yield f"      {declared.get('description', '')}"


def _endpoints(driver: Driver) -> Iterator[str]:
    if not driver.endpoints:
        yield "  endpoints  none"
        return
    yield f"  endpoints  (below /v1/bays/<bay>/ext/{driver.name}/)"
    for one in driver.endpoints:
        yield f"    {one.method} {one.name}  for {one.who}s{', secret' if one.secret else ''}"
        yield f"      {one.help}"


def _endpoint(one: Endpoint) -> Mapping[str, Any]:
    names = ("name", "method", "help", "who", "secret", "request", "response")
    return {name: getattr(one, name) for name in names}


def _options(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((path / "schema.json").read_text(encoding="utf-8"))["properties"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
