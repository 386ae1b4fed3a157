"""The OpenAPI document in the pages: as files to download, and as a reference that people can read.

`magnum-openapi-files` links to one file for each microversion; `magnum-openapi` writes what the document of the newest
one says: every operation by its noun, and every schema that they share.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

from magnum.api import microversions, routes
from magnum.api.microversions import Version
from magnum.api.openapi import document

#: Where a service is that nobody has asked; `servers` is that of whoever asks.
_BASE = "https://magnum.example"

_Lines = Iterator[str]


def _file(version: Version) -> str:
    return f"openapi-{version}.json"


def _of(version: Version) -> dict[str, Any]:
    return document.of(routes.table(), version, _BASE)


class Files(SphinxDirective):
    """Links to the documents, the newest first."""

    def run(self) -> list[nodes.Node]:
        """Called by Sphinx."""
        links = nodes.bullet_list()
        for version, _ in reversed(microversions.HISTORY):
            link = nodes.reference("", _file(version), refuri=_file(version), internal=False)
            links += nodes.list_item("", nodes.paragraph("", "", link))
        return [links]


class Reference(SphinxDirective):
    """What the newest document says."""

    def run(self) -> list[nodes.Node]:
        """Called by Sphinx."""
        lines = list(_reference(_of(microversions.MAXIMUM)))
        section = nodes.section()
        section.document = self.state.document
        nested_parse_with_titles(self.state, StringList(lines, "<magnum-openapi>"), section)
        return section.children


def _reference(whole: Mapping[str, Any]) -> _Lines:
    operations = [
        (operation["tags"][0], f"{method.upper()} {path}", operation)
        for path, item in whole["paths"].items()
        for method, operation in item.items()
    ]
    by_tag = sorted(operations, key=lambda one: one[0])
    for tag, found in itertools.groupby(by_tag, key=lambda one: one[0]):
        yield from _title(tag, "-")
        for _, title, operation in found:
            yield from _title(title, "~")
            yield from _operation(operation)
    yield from _title("Schemas", "-")
    for name, schema in whole["components"]["schemas"].items():
        yield from (f".. _openapi-{name.lower()}:", "")
        yield from _title(name, "~")
        yield from (schema.get("description", ""), "")
        yield from _properties(schema)


def _title(text: str, line: str) -> _Lines:
    yield from ("", text, line * len(text), "")


def _operation(operation: Mapping[str, Any]) -> _Lines:
    yield from (operation["summary"], "")
    if rule := operation.get("x-policy"):
        yield from (f"Policy rule: ``{rule}``", "")
    arguments = [one for one in operation["parameters"] if "$ref" not in one]
    yield from _table(
        ("Parameter", "In", "Type", "Meaning"),
        "20 10 30 40",
        (
            (f"``{one['name']}``", one["in"], _type(one["schema"]), one["description"])
            for one in arguments
        ),
    )
    if body := operation.get("requestBody"):
        needed = "" if body["required"] else " (may be left out)"
        schema = body["content"]["application/json"]["schema"]
        yield from (f"Body{needed}: {_type(schema)}", "")
        yield from _properties(schema)
        yield from _patch(schema)
    for status, response in operation["responses"].items():
        if "$ref" not in response:
            content = response.get("content", {}).get("application/json")
            shown = _type(content["schema"]) if content else "no body"
            yield from (f"**{status}**: {response['description']} {shown}", "")
            if content and "$ref" not in content["schema"]:
                yield from _properties(content["schema"])
    failures = (status for status, one in operation["responses"].items() if "$ref" in one)
    yield from (f"Errors: {', '.join(failures)}", "")


def _properties(schema: Mapping[str, Any]) -> _Lines:
    """The keys of an object."""
    needed = schema.get("required", ())
    yield from _table(
        ("Key", "Type", "Meaning"),
        "25 40 35",
        (
            (
                f"``{name}``" if name in needed else f"``{name}`` (optional)",
                _type(one),
                one.get("description", ""),
            )
            for name, one in schema.get("properties", {}).items()
        ),
    )


def _patch(schema: Mapping[str, Any]) -> _Lines:
    """The operations of a JSON patch."""
    if schema.get("type") != "array":
        return
    rows = []
    for one in schema["items"]["anyOf"]:
        said = one["properties"]
        names = said["op"].get("enum", [said["op"].get("const")])
        where = said["path"]
        paths = ", ".join(f"``{path}``" for path in where.get("enum", [where.get("pattern")]))
        rows.append((", ".join(names), paths, _type(said["value"]) if "value" in said else ""))
    yield from _table(("Operation", "Paths", "Value"), "20 50 30", rows)


def _table(heading: Iterable[str], widths: str, rows: Iterable[Iterable[str]]) -> _Lines:
    written = [tuple(row) for row in rows]
    if not written:
        return
    yield from (".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", "")
    for row in (tuple(heading), *written):
        for column, cell in enumerate(row):
            yield f"   {'  -' if column else '* -'} {cell}"
    yield ""


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f":ref:`{name} <openapi-{name.lower()}>`"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(f"``{json.dumps(word)}``" for word in schema["enum"])
    if "const" in schema:
        return f"``{json.dumps(schema['const'])}``"
    kinds = schema.get("type", "any")
    text = kinds if isinstance(kinds, str) else " or ".join(kinds)
    limits = [
        f"{word} {schema[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"), ("format", "as"))
        if key in schema
    ]
    if schema.get("maxLength"):
        limits.append(f"up to {schema['maxLength']} characters")
    if "array" in text and "items" in schema and "anyOf" not in schema["items"]:
        limits.append(f"of {_type(schema['items'])}")
    if isinstance(schema.get("additionalProperties"), dict):
        limits.append(f"of {_type(schema['additionalProperties'])}")
    return " ".join([text, *limits])


def _write(app: Sphinx, failure: Exception | None) -> None:
    """Put the files beside the pages."""
    if failure is not None or app.builder.format != "html":
        return
    for version, _ in microversions.HISTORY:
        text = json.dumps(_of(version), indent=2) + "\n"
        (Path(app.outdir) / _file(version)).write_text(text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("magnum-openapi", Reference)
    app.add_directive("magnum-openapi-files", Files)
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True}
