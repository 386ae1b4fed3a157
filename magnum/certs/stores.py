"""Where the secret half of a secret is kept: sealed in the database, in Barbican, or in files.

What is kept bears the name of its store (``secret.store``), so that one service can have secrets in several of them
after its operator has changed ``[certificates] cert_manager_type``.
"""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from magnum.certs import sealing
from magnum.certs.barbican import Barbican
from magnum.certs.errors import NotSetUp, SecretLost
from magnum.conf import CONF
from magnum.db.models import Secret

DATABASE = "database"
BARBICAN = "barbican"
LOCAL = "local"

_STORE_OF_TYPE = {"x509keypair": DATABASE, "barbican": BARBICAN, "local": LOCAL}


class Store(Protocol):
    """One place for secrets. Every method raises NotSetUp and StoreUnavailable."""

    def keep(self, bay_uuid: str, text: str) -> dict[str, str]:
        """Keep a text, and return the columns of ``secret`` that say where it is."""

    def reveal(self, secret: Secret) -> bytes:
        """The text. Raises SecretLost where it is not there any more."""

    def forget(self, secret: Secret) -> None:
        """Remove one text; one that has gone already is fine."""

    def forget_all(self, bay_uuid: str) -> None:
        """Remove all texts of a bay, those too that no row tells of."""


class Sealed:
    """In the row itself, sealed with the key ring. It goes with the row."""

    def keep(self, bay_uuid: str, text: str) -> dict[str, str]:
        """See :class:`Store`."""
        return {"sealed": sealing.seal(text)}

    def reveal(self, secret: Secret) -> bytes:
        """See :class:`Store`."""
        if secret.sealed is None:
            raise SecretLost(f"Secret {secret.name} of bay {secret.bay_uuid} has no sealed text.")
        return sealing.unseal(secret.sealed)

    def forget(self, secret: Secret) -> None:
        """Nothing: it goes with the row."""

    def forget_all(self, bay_uuid: str) -> None:
        """Nothing: they go with their rows."""


class Local:
    """In files below a directory, one directory for each bay, readable by their owner only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, bay_uuid: str, text: str) -> dict[str, str]:
        """See :class:`Store`."""
        ref = f"{bay_uuid}/{uuid.uuid4()}"
        path = self._path / ref
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
        except OSError as error:
            raise self._trouble(error) from error
        return {"ref": ref}

    def reveal(self, secret: Secret) -> bytes:
        """See :class:`Store`."""
        try:
            return (self._path / str(secret.ref)).read_bytes()
        except FileNotFoundError as error:
            raise SecretLost(f"There is no file {self._path / str(secret.ref)}.") from error
        except OSError as error:
            raise self._trouble(error) from error

    def forget(self, secret: Secret) -> None:
        """See :class:`Store`."""
        self._remove(self._path / str(secret.ref))

    def forget_all(self, bay_uuid: str) -> None:
        """See :class:`Store`."""
        folder = self._path / bay_uuid
        try:
            for path in folder.iterdir():
                self._remove(path)
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._trouble(error) from error

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise self._trouble(error) from error

    def _trouble(self, error: OSError) -> NotSetUp:
        return NotSetUp(
            f"Secrets cannot be kept below {self._path}: {error.strerror}. See [certificates] storage_path."
        )


class Stores:
    """All stores of one process."""

    def __init__(self, key_manager: Callable[[], Any]) -> None:
        """``key_manager`` gives an adapter for Barbican, with a session of the service; None where there is none."""
        self._all: dict[str, Store] = {
            DATABASE: Sealed(),
            BARBICAN: Barbican(key_manager),
            LOCAL: Local(Path(CONF.certificates.storage_path)),
        }

    @property
    def name(self) -> str:
        """Name of the store for what is made now."""
        return _STORE_OF_TYPE[CONF.certificates.cert_manager_type]

    def keep(self, bay_uuid: str, text: str) -> dict[str, str]:
        """Keep a text in the configured store, and return the columns of its row. Raises as a store does."""
        return {"store": self.name, **self._all[self.name].keep(bay_uuid, text)}

    def reveal(self, secret: Secret) -> bytes:
        """The text of a row."""
        return self._of(secret.store).reveal(secret)

    def forget(self, secret: Secret) -> None:
        """Remove a text whose row was not stored, or is about to go."""
        self._of(secret.store).forget(secret)

    def forget_all(self, bay_uuid: str, used: set[str]) -> None:
        """Remove everything of a bay from the stores that were ``used``, and from the configured one."""
        for name in used | {self.name}:
            self._of(name).forget_all(bay_uuid)

    def _of(self, name: str) -> Store:
        try:
            return self._all[name]
        except KeyError:
            raise NotSetUp(f"There is no store '{name}' for secrets in this version.") from None
