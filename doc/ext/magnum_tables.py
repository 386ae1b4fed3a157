"""Directives that write tables from the code, so that the pages cannot say anything else.

`magnum-routes`: every method on every path; `magnum-microversions`: what each version changed;
`magnum-driver-options NAME`: the options of one driver, from its `schema.json`; `magnum-failures`: the failure codes.
"""

import json
from collections.abc import Iterable, Sequence
from importlib import resources

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from magnum.api import microversions, routes
from magnum.lifecycle import failures


def _parsed(directive: SphinxDirective, lines: Sequence[str]) -> list[nodes.Node]:
    """Nodes for lines of markup."""
    container = nodes.Element()
    source = f"<{directive.name}>"
    directive.state.nested_parse(
        StringList(list(lines), source), directive.content_offset, container
    )
    return container.children


class _Table(SphinxDirective):
    """Writes the rows as a `list-table`, so that a cell may use markup."""

    heading: Sequence[str]
    widths: str

    def rows(self) -> Iterable[Sequence[str]]:
        """The rows, without the heading."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Called by Sphinx."""
        lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {self.widths}", ""]
        for row in (self.heading, *self.rows()):
            lines += [f"   {'-' if column else '* -'} {cell}" for column, cell in enumerate(row)]
        lines = [line.replace("   - ", "     - ", 1) for line in lines]
        return _parsed(self, [*lines, ""])


class Routes(_Table):
    """Every method on every path, with the policy rule that is asked and the first microversion that has it."""

    heading = ("Method", "Path", "Policy rule", "From")
    widths = "12 44 34 10"

    def rows(self) -> Iterable[Sequence[str]]:
        """One row for each route."""
        for route in routes.table():
            ident = "<uuid>" if route.path.startswith("/v1/operations") else "<name or uuid>"
            path = route.path.replace("{}", ident)
            rule = f"``{route.policy}``" if route.policy else "none"
            yield (route.method, f"``{path}``", rule, str(route.since))


class Microversions(_Table):
    """What each microversion changed."""

    heading = ("Version", "Change")
    widths = "15 85"

    def rows(self) -> Iterable[Sequence[str]]:
        """One row for each version."""
        return ((str(version), change) for version, change in microversions.HISTORY)


class DriverOptions(_Table):
    """The options of the driver that is named."""

    required_arguments = 1
    heading = ("Option", "Type", "Default", "Change", "Meaning")
    widths = "25 10 15 15 35"

    def rows(self) -> Iterable[Sequence[str]]:
        """One row for each option."""
        package = resources.files(f"magnum.drivers.{self.arguments[0]}")
        schema = json.loads(package.joinpath("schema.json").read_text())
        for name, option in sorted(schema["properties"].items()):
            default = json.dumps(option["default"]) if "default" in option else ""
            yield (
                f"``{name}``",
                str(option.get("type", "")),
                f"``{default}``" if default else "none",
                option["x-change"],
                option["description"],
            )


class Failures(SphinxDirective):
    """The failure codes of operations that wait (argument `waiting`), or of those that have ended (`ended`)."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Called by Sphinx."""
        waits = {"waiting": True, "ended": False}[self.arguments[0]]
        lines: list[str] = []
        for code, failure in sorted(failures.CATALOGUE.items()):
            if failure.waits is waits:
                lines += [
                    f"``{code}``",
                    *(f"    {failure.meaning} Whose move it is: {failure.actor}.", ""),
                    *(f"    :User: {failure.user}", f"    :Operator: {failure.operator}", ""),
                ]
        return _parsed(self, lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("magnum-routes", Routes)
    app.add_directive("magnum-microversions", Microversions)
    app.add_directive("magnum-driver-options", DriverOptions)
    app.add_directive("magnum-failures", Failures)
    return {"parallel_read_safe": True}
