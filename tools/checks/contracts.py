"""Contract types for import-linter that its own types cannot express.

`pyproject.toml` names them (`[tool.importlinter] contract_types`) and says what they hold. Both
look at direct imports only and accept parts that do not exist yet. They stand outside the layers
of the service.
"""

import re
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

Import = tuple[str, str]


def _text() -> Any:
    """Declare a setting: import-linter puts the text in its place."""
    return fields.StringField()


def _names() -> Any:
    """Declare a setting: import-linter puts a list of texts in its place."""
    return fields.ListField(subfield=fields.StringField())


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def _imports(graph: ImportGraph, package: str) -> set[Import]:
    """Return every direct import made by `package` or by a module below it."""
    if package not in graph.modules:
        return set()
    importers = {package, *graph.find_descendants(package)}
    return {
        (importer, imported)
        for importer in importers
        for imported in graph.find_modules_directly_imported_by(importer)
    }


def _report(graph: ImportGraph, broken: list[Import]) -> None:
    for importer, imported in broken:
        details = graph.get_import_details(importer=importer, imported=imported)
        lines = ", ".join(str(detail["line_number"]) for detail in details) or "?"
        output.print_error(f"{importer} imports {imported} (line {lines})", bold=False)
    output.new_line()


class DriverImports(Contract):
    """A package below `drivers` whose name matches `pattern` imports only itself and `allowed`.

    Other people's packages do not count. A driver's module or package named `extensions` (its own
    endpoints) may import `extensions_allowed` too, and one named `trials` (the world in which it is
    tried) `trials_allowed`.
    """

    drivers: str = _text()
    pattern: str = _text()
    allowed: list[str] = _names()
    extensions: str = _text()
    extensions_allowed: list[str] = _names()
    trials: str = _text()
    trials_allowed: list[str] = _names()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every driver; broken where one imports more of ours than it may."""
        ours = self.drivers.partition(".")[0]
        children = graph.find_children(self.drivers) if self.drivers in graph.modules else set()
        packages = [
            child for child in sorted(children) if re.search(self.pattern, child.rpartition(".")[2])
        ]
        broken = []
        for package in packages:
            more = {
                f"{package}.{self.extensions}": self.extensions_allowed,
                f"{package}.{self.trials}": self.trials_allowed,
            }
            for importer, imported in sorted(_imports(graph, package)):
                allowed = [package, *self.allowed]
                for module, allowed_there in more.items():
                    if _inside(importer, module):
                        allowed += allowed_there
                if _inside(imported, ours) and not any(_inside(imported, name) for name in allowed):
                    broken.append((importer, imported))
        return ContractCheck(kept=not broken, metadata={"graph": graph, "broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import that should not be."""
        _report(check.metadata["graph"], check.metadata["broken"])


class KeepsOut(Contract):
    """No module of `parts` imports anything of `kept_out`, which may be ours or other people's."""

    parts: list[str] = _names()
    kept_out: list[str] = _names()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every part that exists; broken where one imports what is kept out of it."""
        broken = [
            (importer, imported)
            for part in self.parts
            for importer, imported in sorted(_imports(graph, part))
            if any(_inside(imported, name) for name in self.kept_out)
        ]
        return ContractCheck(kept=not broken, metadata={"graph": graph, "broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import that should not be."""
        _report(check.metadata["graph"], check.metadata["broken"])
