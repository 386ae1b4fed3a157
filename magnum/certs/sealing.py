"""The key ring: secrets are sealed with its newest key, and opened with whichever key they were sealed with.

A directory of Fernet keys in files whose names are numbers, as Keystone keeps its own. The highest number is the key
that seals. 0 is the key that will seal after the next rotation: it is there already, so that every process can open
what the first one that sees the rotation seals with it. The others only open. A sealed text begins with the name of
its key, a hash of it, so that what is sealed with which key can be counted without opening anything.
"""

import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from magnum.certs.errors import NotSetUp, SecretLost
from magnum.conf import CONF

#: Number of the key that will seal after the next rotation.
STAGED = 0

#: What stands between the name of the key and the sealed text.
MARK = ":"

_HELP = (
    "Make it with `magnum-key-manage setup`, run as the user that the service runs as, or say in [certificates]"
    " key_ring where it is. All API and conductor processes need the same keys."
)


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its number in the ring, and the name that texts sealed with it bear."""

    number: int
    name: str
    fernet: Fernet


class KeyRing:
    """The keys of one directory, read anew when it changes. Safe to share between threads."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._keys: tuple[Key, ...] = ()

    def seal(self, text: str | bytes) -> str:
        """Seal with the newest key. Raises NotSetUp."""
        newest = self.known()[0]
        data = text.encode() if isinstance(text, str) else text
        return f"{newest.name}{MARK}{newest.fernet.encrypt(data).decode()}"

    def unseal(self, sealed: str) -> bytes:
        """Open what was sealed. Raises NotSetUp where its key is missing, SecretLost where it was tampered with."""
        name, _, token = sealed.partition(MARK)
        for again in (False, True):
            for key in self.known(again=again):
                if key.name == name:
                    try:
                        return key.fernet.decrypt(token.encode())
                    except InvalidToken as error:
                        raise SecretLost(
                            f"What key {name} has sealed was changed since."
                        ) from error
        raise NotSetUp(
            f"A secret is sealed with the key {name}, which is not in the key ring {self.directory}. Put the file of"
            " that key back from a backup, or from another machine of this service."
        )

    def known(self, *, again: bool = False) -> tuple[Key, ...]:
        """The keys, that which seals first. Raises NotSetUp where there is none, or they cannot be read.

        :param again: read them even if the directory seems to be as it was.
        """
        try:
            status = os.stat(self.directory)
            seen = (status.st_ino, status.st_mtime_ns)
            with self._lock:
                if again or seen != self._seen:
                    self._keys, self._seen = read(self.directory), seen
                found = self._keys
        except OSError as error:
            raise NotSetUp(
                f"The key ring {self.directory} cannot be read: {error.strerror}. {_HELP}"
            ) from error
        if not found:
            raise NotSetUp(f"The key ring {self.directory} is empty. {_HELP}")
        return found


def read(directory: Path) -> tuple[Key, ...]:
    """The keys of a directory, that which seals first. Raises OSError, and NotSetUp for what is no key."""
    numbers = sorted(
        (int(name) for name in os.listdir(directory) if name.isdecimal()), reverse=True
    )
    found = []
    for number in numbers:
        try:
            text = (directory / str(number)).read_bytes().strip()
        except FileNotFoundError:
            continue  # retired in this moment
        try:
            found.append(Key(number, name_of(text), Fernet(text)))
        except ValueError as error:
            raise NotSetUp(
                f"{directory / str(number)} holds no key. Put it back from a backup."
            ) from error
    return tuple(found)


def name_of(key: bytes) -> str:
    """The name of a key in what it has sealed. It says nothing of the key itself."""
    return hashlib.sha256(b"magnum key ring " + key).hexdigest()[:12]


_rings: dict[str, KeyRing] = {}


def ring() -> KeyRing:
    """The configured key ring (``[certificates] key_ring``)."""
    directory = CONF.certificates.key_ring
    return _rings.get(directory) or _rings.setdefault(directory, KeyRing(Path(directory)))


def seal(text: str | bytes) -> str:
    """Seal with the newest key of the configured key ring. Raises NotSetUp."""
    return ring().seal(text)


def unseal(sealed: str) -> bytes:
    """Open what :func:`seal` has sealed. Raises NotSetUp, SecretLost."""
    return ring().unseal(sealed)
