"""The key ring: sealing, opening, and files that change while processes run."""

import os
import threading
from pathlib import Path

import pytest

from magnum.certs import rotation, sealing
from magnum.certs.errors import NotSetUp, SecretLost
from magnum.certs.sealing import KeyRing
from magnum.tests.keys import forget_key_ring, use_key_ring


def a_ring(folder: Path) -> KeyRing:
    rotation.setup(folder / "keys")
    return KeyRing(folder / "keys")


def test_what_is_sealed_can_be_opened(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    sealed = ring.seal("a secret")
    assert "secret" not in sealed
    assert ring.unseal(sealed) == b"a secret"
    assert ring.unseal(ring.seal(b"\x00\xff")) == b"\x00\xff"
    assert ring.seal("a secret") != sealed


def test_the_configured_ring_is_used(tmp_path: Path) -> None:
    use_key_ring(tmp_path)
    try:
        assert sealing.unseal(sealing.seal("x")) == b"x"
    finally:
        forget_key_ring()


def test_the_files_are_for_their_owner_only(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    assert ring.directory.stat().st_mode & 0o777 == 0o700
    for path in ring.directory.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in ring.directory.iterdir()) == ["0", "1"]


def test_making_it_twice_changes_nothing(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    sealed = ring.seal("x")
    assert rotation.setup(ring.directory) is False
    assert ring.unseal(sealed) == b"x"


def test_a_running_process_takes_a_rotation_up(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    before = ring.seal("old")
    staged = ring.known()[-1].name
    key = rotation.rotate(ring.directory)
    after = ring.seal("new")
    assert after.startswith(f"{staged}:"), "the staged key seals now"
    assert key.name == staged
    assert ring.unseal(before) == b"old"
    assert [one.number for one in ring.known()] == [2, 1, 0]


def test_who_has_not_seen_the_rotation_can_open_what_was_sealed_after_it(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for path in ring.directory.iterdir():
        (elsewhere / path.name).write_bytes(path.read_bytes())
    rotation.rotate(ring.directory)
    assert KeyRing(elsewhere).unseal(ring.seal("new")) == b"new"


def test_a_rotation_that_was_broken_off_is_ended_by_the_next(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    os.link(ring.directory / "0", ring.directory / "2")
    sealed = ring.seal("x")
    assert rotation.rotate(ring.directory).number == 2
    assert len({one.name for one in ring.known()}) == 3
    assert ring.unseal(sealed) == b"x"


def test_a_staged_key_that_was_lost_is_replaced(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    (ring.directory / "0").unlink()
    sealed = ring.seal("x")
    rotation.rotate(ring.directory)
    assert [one.number for one in ring.known()] == [2, 1, 0]
    assert len({one.name for one in ring.known()}) == 3
    assert ring.unseal(sealed) == b"x"


def test_a_changed_directory_whose_time_is_the_same_is_read_for_an_unknown_key(
    tmp_path: Path,
) -> None:
    ring = a_ring(tmp_path)
    ring.known()
    stamp = ring.directory.stat()
    rotation.rotate(ring.directory)
    rotation.rotate(ring.directory)
    sealed = KeyRing(ring.directory).seal("x")
    os.utime(ring.directory, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert ring.unseal(sealed) == b"x"


@pytest.mark.parametrize("kind", ["absent", "empty", "no directory", "no key"])
def test_a_ring_that_is_not_there_says_what_to_do(tmp_path: Path, kind: str) -> None:
    directory = tmp_path / "keys"
    if kind == "no directory":
        directory.write_text("x")
    elif kind != "absent":
        directory.mkdir()
        if kind == "no key":
            (directory / "1").write_text("no key at all")
    with pytest.raises(NotSetUp) as trouble:
        KeyRing(directory).seal("x")
    assert str(directory) in trouble.value.operator_text
    if kind != "no key":
        assert "magnum-key-manage setup" in trouble.value.operator_text
    assert str(directory) not in trouble.value.text, "the user need not know"


def test_a_key_that_is_missing_is_named(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    sealed = a_ring(tmp_path / "another").seal("x")
    with pytest.raises(NotSetUp, match=sealed.partition(":")[0]):
        ring.unseal(sealed)


def test_what_was_changed_is_not_opened(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    sealed = ring.seal("x")
    with pytest.raises(SecretLost):
        ring.unseal(f"{sealed[:-4]}AAA=")


def test_other_files_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    (ring.directory / "README").write_text("not a key")
    (ring.directory / ".2.new").write_text("half a key")
    assert len(ring.known()) == 2


def test_many_threads_may_use_it_while_it_is_rotated(tmp_path: Path) -> None:
    ring = a_ring(tmp_path)
    failed: list[Exception] = []
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            try:
                assert ring.unseal(ring.seal("x")) == b"x"
            except Exception as error:  # noqa: BLE001  # whatever it is, the test tells
                failed.append(error)
                return

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        rotation.rotate(ring.directory)
    over.set()
    for thread in threads:
        thread.join()
    assert failed == []
