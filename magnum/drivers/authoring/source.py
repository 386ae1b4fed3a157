"""Static checks of a driver's Python: its files, its version, and what it imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

from magnum.drivers.authoring.findings import Finding

#: What a driver may import of ours, and what two of its modules may besides.
ALLOWED = ("magnum.drivers.contract", "magnum.drivers.heat", "magnum.drivers.common")
ALLOWED_BESIDES = {
    "api.py": ("magnum.api.controllers.base",),
    "conformance.py": ("magnum.drivers.conformance",),
}
#: Files that every driver has, with what is in them.
REQUIRED = {
    "driver.py": "the class Driver",
    "version.py": "driver = '<word>' and version = '1.0.0'",
    "schema.json": "its options; {} of properties where it has none",
    "README.rst": "a text for people: what it builds, and what it needs",
}


def files(folder: Path) -> Iterator[Finding]:
    """The files that every driver has are there, and not empty."""
    for name, content in REQUIRED.items():
        path = folder / name
        if not path.is_file():
            yield Finding(name, 0, "There is no such file.", f"Write it: {content}.")
        elif not path.read_text(encoding="utf-8", errors="replace").strip():
            yield Finding(name, 0, "It is empty.", f"Write into it: {content}.")


def constants(path: Path) -> dict[str, str]:
    """Names that a module sets to plain texts; empty where it cannot be read."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return {}
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def version(folder: Path) -> Iterator[Finding]:
    """``version.py`` names the driver as its directory does, and has a version."""
    path = folder / "version.py"
    if not path.is_file():
        return
    found = constants(path)
    for name, example in (("driver", "swarm_atomic"), ("version", "1.0.0")):
        if name not in found:
            yield Finding(
                "version.py", 0, f"It does not set {name}.", f'Add: {name} = "{example}".'
            )
    word, _, number = folder.name.rpartition("_v")
    if "driver" in found and (found["driver"] != word or not number.isdigit()):
        yield Finding(
            "version.py",
            0,
            f"driver is '{found['driver']}', and the directory is '{folder.name}'.",
            "The directory's name is <driver>_v<number>: rename one of them.",
        )


def imports(folder: Path) -> Iterator[Finding]:
    """Of ours a driver imports the contract and what drivers share; its own modules it imports relatively."""
    for path in sorted(folder.rglob("*.py")):
        name = str(path.relative_to(folder))
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except SyntaxError as error:
            yield Finding(name, error.lineno or 0, f"It is no Python: {error.msg}.", "Correct it.")
            continue
        except ValueError as error:
            yield Finding(name, 0, f"It is no Python: {error}.", "Write it as UTF-8.")
            continue
        allowed = (*ALLOWED, *ALLOWED_BESIDES.get(path.name, ()))
        for line, module in sorted(_imported(tree)):
            if module.partition(".")[0] == "magnum" and not _is_allowed(module, allowed):
                yield Finding(
                    name,
                    line,
                    f"It imports {module}.",
                    f"Of Magnum it may import {', '.join(allowed)}; "
                    "modules of its own directory with a dot: from .version import version.",
                )


def _imported(tree: ast.AST) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(node.lineno, alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            # `from magnum.drivers import contract` imports a module of a package that we allow.
            found |= {(node.lineno, f"{node.module}.{alias.name}") for alias in node.names}
    return found


def _is_allowed(module: str, allowed: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in allowed)
