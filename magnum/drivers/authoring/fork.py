"""A driver of one's own from another one: its directory is copied, and what names it is renamed.

Only what has to change is changed, at its place in the text, so that comments and form stay.
"""

import ast
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from magnum.drivers.conformance.candidate import Candidate

FIRST_VERSION = "1.0.0"
_NAME = re.compile(r"([a-z][a-z0-9_]*)_v[0-9]+")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".git", "*.orig", "*~")
_RULE = re.compile(r"([=\-~^\"'`#*+])\1{2,}")


class NotForked(Exception):
    """The fork cannot be made; the text says why and what to do."""


def fork(other: Candidate, name: str, place: Path) -> Path:
    """Copy a driver to ``place/name``. Returns that path. Raises NotForked."""
    parts = _NAME.fullmatch(name)
    if parts is None:
        raise NotForked(
            f"'{name}' is no name for a driver: small letters, digits and underscores, then _v and a number, "
            "such as mine_v1."
        )
    target = place / name
    if target.exists():
        raise NotForked(f"{target} is there already; take another name, or remove it.")
    try:
        place.mkdir(parents=True, exist_ok=True)
        shutil.copytree(other.path, target, ignore=_LEFT_OUT)
        for path in (target, *target.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o022)  # what others may write is refused
    except OSError as error:
        raise NotForked(
            f"{error.filename}: {error.strerror}; name another place with --to."
        ) from error
    package = _package(other)
    for path in sorted(target.rglob("*.py")):
        _edit(path, lambda text: _relative_imports(text, package))
    _edit(target / "version.py", lambda text: _constant(text, "driver", parts[1]))
    _edit(target / "version.py", lambda text: _constant(text, "version", FIRST_VERSION))
    _edit(target / "driver.py", lambda text: _constant(text, "name", name, inside="Driver"))
    _edit(target / "schema.json", lambda text: _title(text, other.name, name))
    _edit(target / "README.rst", lambda text: _readme(text, other.name, name))
    return target


def _package(other: Candidate) -> str:
    return type(other.make()).__module__.rpartition(".")[0]


def _edit(path: Path, change: Callable[[str], str]) -> None:
    if path.is_file():
        text = path.read_text(encoding="utf-8")
        changed = change(text)
        if changed != text:
            path.write_text(changed, encoding="utf-8")


def _constant(text: str, name: str, value: str, inside: str | None = None) -> str:
    """Set a name to another text, at the top of a module or of one of its classes."""
    body = ast.parse(text).body
    if inside is not None:
        classes = [one for one in body if isinstance(one, ast.ClassDef) and one.name == inside]
        body = [node for one in classes for node in one.body]
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            assert isinstance(node, ast.Assign)
            if isinstance(node.value, ast.Constant):
                return _replaced(text, node.value, f'"{value}"')
    return text


def _replaced(text: str, node: ast.expr, new: str) -> str:
    """The text with one expression replaced; positions in a line are counted in bytes."""
    lines = text.splitlines(keepends=True)
    line = lines[node.lineno - 1].encode()
    if node.end_lineno != node.lineno or node.end_col_offset is None:
        return text
    lines[node.lineno - 1] = (
        line[: node.col_offset] + new.encode() + line[node.end_col_offset :]
    ).decode()
    return "".join(lines)


def _relative_imports(text: str, package: str) -> str:
    """Imports of the copied package's own modules, so that they mean the copy's."""
    lines = text.splitlines(keepends=True)
    for line in _lines_importing(ast.parse(text), package):
        pattern = rf"(from\s+){re.escape(package)}(\.[\w.]+)?(\s+import)"
        lines[line - 1] = re.sub(
            pattern, lambda found: f"{found[1]}{found[2] or '.'}{found[3]}", lines[line - 1]
        )
    return "".join(lines)


def _lines_importing(tree: ast.AST, package: str) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            module = node.module or ""
            if module == package or module.startswith(f"{package}."):
                yield node.lineno


def _title(text: str, old: str, new: str) -> str:
    try:
        title = json.loads(text).get("title")
    except (ValueError, AttributeError):
        return text
    if not isinstance(title, str):
        return text
    return text.replace(json.dumps(title), json.dumps(_renamed(title, old, new)), 1)


def _renamed(text: str, old: str, new: str) -> str:
    return re.sub(rf"\b{re.escape(old)}\b", new, text)


def _readme(text: str, old: str, new: str) -> str:
    """The name everywhere, and headings' lines as long as the headings."""
    lines = text.splitlines()
    renamed = [_renamed(line, old, new) for line in lines]
    for number, (before, now) in enumerate(zip(lines, renamed, strict=True)):
        for near in (number - 1, number + 1):
            if before != now and 0 <= near < len(lines) and _is_rule_of(lines[near], before):
                renamed[near] = renamed[near][0] * len(now)
    return "\n".join(renamed) + "\n"


def _is_rule_of(line: str, heading: str) -> bool:
    return bool(_RULE.fullmatch(line)) and len(line) == len(heading)
