"""Identifiers and generated names (contract 1.10 and 2.1)."""

import random
import uuid

_GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
    *("lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon"),
    *("phi", "chi", "psi", "omega"),
)


def new_uuid() -> str:
    """A random uuid as text."""
    return str(uuid.uuid4())


def is_uuid(text: str) -> bool:
    """Whether a text is shaped like a uuid; such a text is never looked up as a name (contract 1.10)."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def generated_name(kind: str) -> str:
    """A name for a thing whose creator gave none: ``<greek letter>-<1..24>-<kind>``."""
    return f"{random.choice(_GREEK)}-{random.randint(1, 24)}-{kind}"
