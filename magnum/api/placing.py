"""Which driver a request means: by its name, or by what it must provide (contract 2.1).

A person who names a driver gets that driver. The engine (``coe``) and the distribution may then be left out where the
driver has only one; where they are given, they must agree with it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from magnum.common import errors
from magnum.drivers import catalogue
from magnum.drivers.contract import ANY_DISTRO, Driver, Provides


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request says of its driver; None where it says nothing.

    ``distro_field`` is where the distribution was said: by the image, or by the request itself.
    """

    server_type: str
    driver: str | None = None
    coe: str | None = None
    os_distro: str | None = None
    distro_field: str = "/cluster_distro"


@dataclass(frozen=True, slots=True)
class Choice:
    """The driver, and what it is to build; no distribution where neither the request nor the driver says one."""

    driver: Driver
    coe: str
    os_distro: str | None


def choose(wish: Wish) -> Choice:
    """The driver for a request. Raises InvalidField that names the one field which fits no driver."""
    drivers = _candidates(wish)
    offers = [(driver, offer) for driver in drivers for offer in _in_order(driver.provides)]

    def narrow(
        offers: list[tuple[Driver, Provides]], field: str, fits: Callable[[Provides], bool]
    ) -> list[tuple[Driver, Provides]]:
        left = [(driver, offer) for driver, offer in offers if fits(offer)]
        if not left:
            raise errors.InvalidField(_misfit(wish, field, [o for _, o in offers]), field=field)
        return left

    if wish.coe is not None:
        offers = narrow(offers, "/coe", lambda offer: offer.coe == wish.coe)
    offers = narrow(offers, "/server_type", lambda offer: offer.server_type == wish.server_type)
    if wish.os_distro is not None:
        distro = wish.os_distro
        offers = narrow(offers, wish.distro_field, lambda offer: offer.boots(distro))
    if len({offer.coe for _, offer in offers}) > 1:
        raise errors.InvalidField(
            f"Driver {wish.driver} provides {_words(o.coe for _, o in offers)}: say which as coe",
            field="/coe",
        )
    driver, offer = offers[0]
    own = None if offer.os_distro == ANY_DISTRO else offer.os_distro
    return Choice(driver, offer.coe, wish.os_distro or own)


def _candidates(wish: Wish) -> list[Driver]:
    drivers = catalogue.catalogue()
    if wish.driver is not None:
        try:
            return [drivers.get(wish.driver)]
        except catalogue.DriverMissing as error:
            raise errors.InvalidField(str(error), field="/driver") from error
    if wish.coe is None:
        raise errors.InvalidField(
            f"A driver or a coe must be given; drivers: {', '.join(drivers.names()) or 'none'};"
            f" coes: {_words(drivers.provided_coes())}",
            field="/coe",
        )
    return [drivers.get(name) for name in drivers.names()]


def _misfit(wish: Wish, field: str, offers: list[Provides]) -> str:
    who = f"Driver {wish.driver}" if wish.driver else "The cloud"
    if field == "/coe":
        return f"{who} provides the coe {_words(o.coe for o in offers)}, not {wish.coe!r}"
    what = f"{who} provides {offers[0].coe}" if offers else who
    if field == "/server_type":
        return f"{what} on server type {_words(o.server_type for o in offers)}, not {wish.server_type!r}"
    return f"{what} on images with os_distro {_words(o.os_distro for o in offers)}, not {wish.os_distro!r}"


def _in_order(offers: Iterable[Provides]) -> list[Provides]:
    return sorted(offers, key=lambda offer: (offer.coe, offer.server_type, offer.os_distro))


def _words(words: Iterable[str]) -> str:
    return ", ".join(sorted(set(words))) or "nothing"
