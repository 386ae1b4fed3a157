"""How the driver asks its cloud: every failure becomes an exception of the contract."""

from typing import Any

from magnum.drivers import contract
from magnum.drivers.contract import Work


def name_of(work: Work) -> str:
    """The cluster's name."""
    return f"bay-{work.bay.uuid}"


def ask(work: Work, what: str, *given: Any, **more: Any) -> Any:
    """Ask the service of clusters."""
    try:
        return getattr(work.clouds.rest("clusters"), what)(*given, **more)
    except OSError as error:
        text = "The cloud did not answer."
        raise contract.CloudUnavailable(text, type(error).__name__) from error
