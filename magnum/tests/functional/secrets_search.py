"""Looking for secrets where they must not be: what a run knows as secret, in everything that the run shows.

A test gathers :class:`Secrets` and places (a name and a text each), and :func:`leaks` says which secret is where. It
finds them as they are, in pieces of several lines, and in the forms into which they are likely to be brought: JSON,
base64, URLs, hexadecimal numbers.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import serialization
from sqlalchemy import select

from magnum.certs import sealing
from magnum.common.context import service_context
from magnum.db import session
from magnum.db.models import Base, Secret

#: Shorter ones are found everywhere.
_SHORTEST = 12
#: Lines of PEM that say nothing.
_ARMOR = re.compile(r"-----[A-Z ]+-----")


@dataclass
class Secrets:
    """What nobody may see, by what it is."""

    known: dict[str, set[str]] = field(default_factory=dict)

    def add(self, kind: str, *texts: str) -> None:
        """Add secrets of a kind. Of one with several lines, each line is one."""
        for text in texts:
            public = _public_half(text)
            for line in text.splitlines():
                line = line.strip()
                if len(line) < _SHORTEST or _ARMOR.fullmatch(line):
                    continue
                if public is None or base64.b64decode(line) not in public:
                    self.known.setdefault(kind, set()).add(line)

    def of_database(self) -> None:
        """Add all that is sealed in the database, opened with the configured key ring."""
        with session.reader(service_context()) as db:
            rows = db.scalars(select(Secret).where(Secret.sealed.is_not(None))).all()
        for row in rows:
            text = sealing.unseal(str(row.sealed)).decode()
            if text.startswith("{"):
                # The id of a credential is in it, and no secret.
                self.add(
                    row.name, *(value for key, value in json.loads(text).items() if key != "id")
                )
            else:
                self.add(row.name, text)

    def of_key_ring(self, directory: Path) -> None:
        """Add the keys themselves."""
        for path in directory.iterdir():
            self.add("key ring", path.read_text())


def _public_half(text: str) -> bytes | None:
    """The public key in a private key: it stands there too, and in every certificate. None where it is no key."""
    if "PRIVATE KEY" not in text:
        return None
    key = serialization.load_pem_private_key(text.encode(), password=None).public_key()
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def forms(secret: str) -> frozenset[str]:
    """All texts as which a secret may be found."""
    raw = secret.encode()
    found = {secret, quote(secret, safe=""), raw.hex(), json.dumps(secret)[1:-1]}
    for shift in range(3):  # where it begins inside of what was encoded
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(b"\x00" * shift + raw).decode()
            # The first signs belong to what stands before it, the last to what stands behind.
            inner = whole[(4 if shift else 0) : len(whole) // 4 * 4 - 4]
            if len(inner) >= _SHORTEST:
                found.add(inner)
    return frozenset(found)


def leaks(secrets: Secrets, places: Mapping[str, str]) -> list[str]:
    """Which kind of secret is in which place; the secret itself is not said."""
    found = []
    for kind, texts in secrets.known.items():
        for text in texts:
            for form in forms(text):
                found += [f"{kind} in {name}" for name, place in places.items() if form in place]
    return sorted(set(found))


# --- places ----------------------------------------------------------------------------------------------------------


def database() -> Iterator[tuple[str, str]]:
    """Every table as a text."""
    with session.reader(service_context()) as db:
        for table in Base.metadata.sorted_tables:
            rows = [dict(row._mapping) for row in db.execute(table.select())]
            yield f"table {table.name}", as_text(rows)


def files(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Files, such as logs."""
    for path in paths:
        yield f"file {path.name}", path.read_text(errors="replace")


def as_text(thing: Any) -> str:
    """Anything as a text in which secrets stand as they are."""
    return json.dumps(thing, default=str, ensure_ascii=False)
