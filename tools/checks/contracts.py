"""Contract types for import-linter that its own types cannot express.

`pyproject.toml` names them (`[tool.importlinter] contract_types`) and says what they hold. Both look at
direct imports only and accept parts that do not exist yet. They stand outside the layers of the service.
"""

import re

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

Import = tuple[str, str]


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


class DriverImports(Contract):  # type: ignore[misc]
    """Each package below `drivers` whose name matches `pattern` imports only itself and `allowed` of ours.

    A driver's module or package named `extensions` (its own endpoints) may import `extensions_allowed` too.
    """

    drivers = fields.StringField()
    pattern = fields.StringField()
    allowed = fields.ListField(subfield=fields.StringField())
    extensions = fields.StringField()
    extensions_allowed = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every driver; broken where one imports more of ours than it may."""
        ours = self.drivers.partition(".")[0]
        packages = [
            child
            for child in sorted(graph.find_children(self.drivers))
            if re.search(self.pattern, child.rpartition(".")[2])
        ] if self.drivers in graph.modules else []
        broken = []
        for package in packages:
            extensions = f"{package}.{self.extensions}"
            for importer, imported in sorted(_imports(graph, package)):
                allowed = [package, *self.allowed]
                if _inside(importer, extensions):
                    allowed += self.extensions_allowed
                if _inside(imported, ours) and not any(_inside(imported, name) for name in allowed):
                    broken.append((importer, imported))
        return ContractCheck(kept=not broken, metadata={"graph": graph, "broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import that should not be."""
        _report(check.metadata["graph"], check.metadata["broken"])


class KeepsOut(Contract):  # type: ignore[misc]
    """No module of `parts` imports anything of `kept_out`, which may be ours or other people's."""

    parts = fields.ListField(subfield=fields.StringField())
    kept_out = fields.ListField(subfield=fields.StringField())

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
