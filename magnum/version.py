"""The version of the installed package, for logs, `--version` and the user agent.

Stands beside the layers: it imports nothing of ours and everybody may import it.
"""

import importlib.metadata

PACKAGE = "magnum"


def version_string() -> str:
    """Return the version that pbr gave the installed package, e.g. `1.2.0` or `0.0.1.dev7`.

    Raises `importlib.metadata.PackageNotFoundError` where the package is not installed; then its
    entry points (drivers, options, policies) are missing as well and nothing would work.
    """
    return importlib.metadata.version(PACKAGE)
