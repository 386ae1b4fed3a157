"""A value that an option does not take is found when a process starts, not when a request needs it."""

import subprocess
import sys
from pathlib import Path

import pytest
from oslo_config import cfg

from magnum.conf import cloud, opts


def read(path: Path, text: str) -> cfg.ConfigOpts:
    path.write_text(text)
    conf = cfg.ConfigOpts()
    opts.register_all(conf)
    conf(args=[], project="magnum", default_config_files=[str(path)])
    return conf


def test_a_wrong_value_is_found(tmp_path: Path) -> None:
    conf = read(tmp_path / "conf", "[cloud]\nabsent_services = image,dns\n")
    with pytest.raises(cfg.ConfigFileValueError, match=r"absent_services.*'dns'"):
        opts.check(conf)


def test_what_options_take_is_well(tmp_path: Path) -> None:
    conf = read(tmp_path / "conf", f"[cloud]\nabsent_services = {','.join(cloud.SERVICES)}\n")
    opts.check(conf)


@pytest.mark.parametrize("program", ["magnum.cmd.api", "magnum.cmd.conductor"])
def test_no_program_starts_with_a_wrong_value(program: str, tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    conf.write_text(
        f"[database]\nconnection = sqlite:///{tmp_path}/db\n[cloud]\nabsent_services = dns\n"
    )
    command = [sys.executable, "-W", "ignore", "-m", program, "--config-file", str(conf)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert ended.returncode == 1
    assert "absent_services" in ended.stderr
