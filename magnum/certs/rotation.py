"""Making and changing a key ring (:mod:`magnum.certs.sealing`): files that are written by ``magnum-key-manage``.

Every change is one rename, link or removal, so that a process that reads the directory meanwhile sees a ring that
works.
"""

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from magnum.certs import sealing
from magnum.certs.sealing import STAGED, Key
from magnum.common.context import RequestContext
from magnum.db import secrets as store
from magnum.db.models import Secret

#: Rows that are sealed anew in one go.
BATCH = 100


def setup(directory: Path, owner: tuple[int, int] | None = None) -> bool:
    """Make a key ring with its first keys. Returns False, and does nothing, where there is one.

    :param owner: ids of the user and group that the files shall belong to; None for who does this.

    Raises OSError.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _give(directory, owner)
    if sealing.read(directory):
        return False
    # The one that seals comes last: with the staged one alone, it would seal.
    for number in (STAGED, STAGED + 1):
        _write(directory / str(number), Fernet.generate_key(), owner)
    return True


def rotate(directory: Path, owner: tuple[int, int] | None = None) -> Key:
    """Let the staged key seal from now on, and stage a new one. Returns the key that seals.

    Raises OSError, and NotSetUp where there is no ring.
    """
    keys = sealing.KeyRing(directory).known()
    newest, staged = keys[0], directory / str(STAGED)
    if keys[-1].number != STAGED:
        _write(staged, Fernet.generate_key(), owner)
    if sealing.name_of(staged.read_bytes().strip()) != newest.name:  # else one was broken off here
        # A second name first, so that at no moment the key is without one.
        os.link(staged, directory / str(newest.number + 1))
    _write(staged, Fernet.generate_key(), owner)
    return sealing.read(directory)[0]


def reseal(
    context: RequestContext, ring: sealing.KeyRing, told: Callable[[int], None], batch: int = BATCH
) -> int:
    """Seal everything anew that is not sealed with the newest key. Returns how many rows that were.

    It may be broken off and begun again at any time. ``told`` is called after each batch with the rows so far.
    Raises NotSetUp and SecretLost for what cannot be opened.
    """
    prefix = f"{ring.known()[0].name}{sealing.MARK}"
    done, last = 0, 0
    while found := store.sealed_otherwise(context, prefix, last, batch):
        done += sum(_reseal(context, ring, secret) for secret in found)
        last = found[-1].id
        told(done)
    return done


def _reseal(context: RequestContext, ring: sealing.KeyRing, secret: Secret) -> bool:
    return store.replace(context, secret, sealed=ring.seal(ring.unseal(str(secret.sealed))))


def retirable(context: RequestContext, directory: Path) -> tuple[list[Key], list[tuple[Key, int]]]:
    """The old keys that nothing is sealed with, and those with which something still is, and how much.

    Neither the key that seals nor the staged one is old. Raises OSError, NotSetUp.
    """
    free, used = [], []
    for key in sealing.KeyRing(directory).known()[1:]:
        if key.number != STAGED:
            count = store.count_sealed(context, f"{key.name}{sealing.MARK}")
            if count:
                used.append((key, count))
            else:
                free.append(key)
    return free, used


def _write(path: Path, key: bytes, owner: tuple[int, int] | None) -> None:
    draft = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    _give(draft, owner)
    draft.rename(path)


def _give(path: Path, owner: tuple[int, int] | None) -> None:
    if owner is not None:
        os.chown(path, *owner)
