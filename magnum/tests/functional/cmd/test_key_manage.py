"""``magnum-key-manage`` as a process, on every kind of database, while secrets are made and read."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from magnum.certs import rotation, sealing
from magnum.certs.errors import NotSetUp
from magnum.cmd import key_manage
from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import secrets as store
from magnum.db import session
from magnum.db.models import Bay
from magnum.tests import engine
from magnum.tests.engine import ScriptedDriver
from magnum.tests.keys import forget_key_ring

Result = subprocess.CompletedProcess[str]
Command = Callable[..., Result]


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Iterator[Path]:
    """The service's configuration on a fresh database; its key ring is that of this process too."""
    engine.use_database(database_url)
    CONF.set_override("key_ring", str(tmp_path / "keys"), group="certificates")
    path = tmp_path / "magnum.conf"
    url = database_url.replace("$", "$$")
    path.write_text(
        f"[database]\nconnection = {url}\n[certificates]\nkey_ring = {tmp_path / 'keys'}\n"
    )
    yield path
    forget_key_ring()
    session.engine().dispose()


@pytest.fixture
def command(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Runs the command in this process, which saves a second each time."""

    def run(*words: str, code: int = 0) -> Result:
        words = ("magnum-key-manage", "--config-file", str(config), *words)
        monkeypatch.setattr(sys, "argv", list(words))
        CONF.clear()  # as in a new process; what is overridden stays
        capsys.readouterr()
        returned = key_manage.main()
        told = capsys.readouterr()
        assert returned == code, told
        return subprocess.CompletedProcess(words, returned, told.out, told.err)

    yield run
    CONF.clear_override("max_retries", group="database")
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])


def keep(bay: Bay, *names: str) -> None:
    rows = [
        {"name": name, "store": "database", "sealed": sealing.seal(f"the {name}")} for name in names
    ]
    assert store.put(service_context(), bay.uuid, rows)


def opened(bay: Bay) -> dict[str, str]:
    found = store.all_of(service_context(), bay.uuid)
    return {row.name: sealing.unseal(str(row.sealed)).decode() for row in found}


def test_it_is_a_program(config: Path) -> None:
    program = [sys.executable, "-W", "ignore", "-m", "magnum.cmd.key_manage"]
    for word, told in (("setup", "is made"), ("status", "seals")):
        done = subprocess.run(
            [*program, "--config-file", str(config), word],
            capture_output=True,
            text=True,
            check=True,
        )
        assert told in done.stdout


def test_a_rotation_from_beginning_to_end(command: Command, tmp_path: Path) -> None:
    assert "is made" in command("setup").stdout
    assert "there already" in command("setup").stdout
    bay = engine.a_bay(ScriptedDriver())
    names = [f"kept:{number}" for number in range(250)]
    keep(bay, *names)
    first = sealing.ring().known()[0]

    assert "Key 2" in command("rotate").stdout
    keep(bay, "kept:after")
    assert "250 are sealed with it" in command("retire", code=1).stdout
    shown = command("status").stdout
    assert f"{first.name}  opens only            250 sealed with it" in shown

    told = command("reseal").stdout
    assert "100 sealed anew" in told
    assert "200 sealed anew" in told
    assert "250 had to be sealed anew" in told
    assert "0 had to be sealed anew" in command("reseal").stdout
    assert first.name in command("retire").stdout
    assert "There is no old key" in command("retire").stdout
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["0", "2"]
    assert opened(bay) == {name: f"the {name}" for name in [*names, "kept:after"]}


def test_resealing_that_was_broken_off_goes_on(command: Command) -> None:
    command("setup")
    bay = engine.a_bay(ScriptedDriver())
    keep(bay, *[f"kept:{number}" for number in range(25)])
    command("rotate")

    class Broken(Exception):
        pass

    def stop(done: int) -> None:
        if done >= 10:
            raise Broken

    with pytest.raises(Broken):
        rotation.reseal(service_context(), sealing.ring(), stop, batch=10)
    assert "15 had to be sealed anew" in command("reseal").stdout
    assert len(opened(bay)) == 25


def test_what_changed_while_it_was_sealed_anew_is_left_as_it_is(command: Command) -> None:
    command("setup")
    bay = engine.a_bay(ScriptedDriver())
    keep(bay, "kept:a")
    (row,) = store.all_of(service_context(), bay.uuid)
    newer = sealing.seal("newer")
    assert store.replace(service_context(), row, sealed=newer)
    assert not store.replace(service_context(), row, sealed=sealing.seal("stale"))
    assert opened(bay) == {"kept:a": "newer"}


def test_a_key_that_is_missing_is_told(command: Command, tmp_path: Path) -> None:
    command("setup")
    bay = engine.a_bay(ScriptedDriver())
    keep(bay, "kept:a")
    lost = sealing.ring().known()[0]
    command("rotate")
    key = (tmp_path / "keys" / "1").read_bytes()
    (tmp_path / "keys" / "1").unlink()
    assert f"{lost.name}  MISSING" in command("status", code=1).stdout
    assert lost.name in command("reseal", code=1).stderr
    with pytest.raises(NotSetUp):
        opened(bay)
    (tmp_path / "keys" / "1").write_bytes(key)
    command("reseal")
    assert opened(bay) == {"kept:a": "the kept:a"}


def test_without_a_ring_every_word_but_setup_says_what_to_do(command: Command) -> None:
    for word in ("rotate", "reseal", "retire", "status"):
        assert "magnum-key-manage setup" in command(word, code=1).stderr
    command("rotate", "--user", "no-such-user-at-all", code=1)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_the_files_can_be_another_users(command: Command, tmp_path: Path) -> None:
    command("setup", "--user", "nobody")
    owner = (tmp_path / "keys").stat().st_uid
    assert owner != 0
    command("rotate")  # goes by who owns the directory
    for path in [tmp_path / "keys", *(tmp_path / "keys").iterdir()]:
        assert path.stat().st_uid == owner, path


def test_no_output_has_a_key_in_it(command: Command, tmp_path: Path) -> None:
    told = [command(word) for word in ("setup", "status", "rotate", "status", "reseal", "retire")]
    text = "".join(one.stdout + one.stderr for one in told)
    for path in (tmp_path / "keys").iterdir():
        assert path.read_text() not in text
