"""Chromium and its driver: Debian's, installed where they are missing."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tools.node_run import debian
from tools.openstack import venvs
from tools.openstack.console import Trouble
from tools.openstack.processes import check

_PACKAGES = {"chromium": "chromium", "chromedriver": "chromium-driver"}


@dataclass(frozen=True)
class Chromium:
    """The two programs."""

    browser: Path
    driver: Path


def installed() -> Chromium:
    """Both programs. As root on Debian they are installed when they are not there.

    :raises Trouble: when they cannot be.
    """
    with debian.alone(venvs.cache_folder() / "chromium.lock"):
        missing = [package for name, package in _PACKAGES.items() if shutil.which(name) is None]
        if missing:
            _install(missing)
    found = [shutil.which(name) for name in _PACKAGES]
    if None in found:
        raise Trouble(
            f"{' and '.join(missing)} were installed, but {list(_PACKAGES)} are not there."
        )
    browser, driver = (Path(str(path)) for path in found)
    return Chromium(browser, driver)


def _install(packages: list[str]) -> None:
    names = " ".join(packages)
    if not Path("/etc/debian_version").exists() or os.geteuid() != 0:
        raise Trouble(
            f"a browser is missing; on Debian, `sudo apt-get install {names}` provides it."
        )
    log = venvs.cache_folder() / "chromium-apt.log"
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    check(["apt-get", "update", "-q"], log, quiet)
    check(["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages], log, quiet)
