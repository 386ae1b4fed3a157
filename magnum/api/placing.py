"""Which driver a request means: by its name, or by what it must provide (contract 2.1).

A person who names a driver gets that driver, in the version that stands behind an ``@``, if any. The engine (``coe``)
and the distribution may then be left out where the driver has only one; where they are given, they must agree with it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from magnum.common import errors
from magnum.common.context import RequestContext
from magnum.conf import CONF
from magnum.drivers import catalogue
from magnum.drivers.contract import ANY_DISTRO, Driver, Provides
from magnum.drivers.placement import Decision
from magnum.lifecycle import placement


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request says of its driver; None where it says nothing.

    ``distro_field`` is where the distribution was said: by the image, or by the request itself. ``hints`` are those of
    the request; see :func:`check_hints`.
    """

    server_type: str
    driver: str | None = None
    coe: str | None = None
    os_distro: str | None = None
    distro_field: str = "/cluster_distro"
    hints: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """The driver, and what it is to build; no distribution where neither the request nor the driver says one.

    ``fitting`` are all drivers that could build it; a bay may get another one of them.
    """

    driver: Driver
    coe: str
    os_distro: str | None
    fitting: tuple[Driver, ...] = ()


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
    fitting = tuple(dict.fromkeys(driver for driver, _ in offers))
    return Choice(driver, offer.coe, wish.os_distro or own, fitting)


def place(context: RequestContext, wish: Wish, nodes: int) -> tuple[Driver, Decision]:
    """The driver for a new bay, by the operator's filters and weighers, and how it came to that.

    Raises InvalidField that names the one field which fits no driver, Unavailable where all that fit are full or out
    of order at present.
    """
    choose(wish)
    decision = placement.decide(context, asked(wish, context.project_id, nodes))
    if decision.chosen is None:
        fitting = [
            f"{one.candidate.driver}: {', '.join(why for why in one.verdicts.values() if why)}"
            for one in decision.assessments
            if not {"named", "capability", "server_type"}
            & {name for name, why in one.verdicts.items() if why is not None}
        ]
        raise errors.Unavailable(f"No driver can take the bay now. {'; '.join(fitting)}")
    return catalogue.catalogue().get(decision.chosen.driver), decision


def asked(wish: Wish, project_id: str | None, nodes: int) -> placement.Wish:
    """The same wish, as placement understands it."""
    name, version = _named(wish)
    return placement.Wish(
        project_id=project_id or "",
        server_type=wish.server_type,
        os_distro=wish.os_distro,
        coe=wish.coe,
        driver=name,
        version=version,
        nodes=nodes,
        hints=wish.hints,
    )


def check_hints(hints: Mapping[str, Any]) -> None:
    """Raise InvalidField for a place that cannot be had, as far as that is known without asking the cloud."""
    ours = placement.region()
    if (named := hints.get("region")) not in (None, ours):
        where = f"in the region {ours}" if ours else "in one region only, which has no name here"
        raise errors.InvalidField(
            f"Clusters are built {where}, not in {named!r}", field="/hints/region"
        )
    allowed = CONF.placement.zones
    asked = hints.get("availability_zone") or []
    zones = asked.split(",") if isinstance(asked, str) else asked
    if allowed and (outside := {zone.strip() for zone in zones} - {"", *allowed}):
        raise errors.InvalidField(
            f"Clusters are built in the availability zones {_words(allowed)}, not in {_words(outside)}",
            field="/hints/availability_zone",
        )


def _named(wish: Wish) -> tuple[str | None, str | None]:
    """The driver's name and version, of ``name`` or ``name@version``."""
    name, _, version = (wish.driver or "").partition("@")
    return name or None, version or None


def _candidates(wish: Wish) -> list[Driver]:
    drivers = catalogue.catalogue()
    name, version = _named(wish)
    if name is not None:
        try:
            driver = drivers.get(name)
        except catalogue.DriverMissing as error:
            raise errors.InvalidField(str(error), field="/driver") from error
        if version not in (None, driver.version):
            raise errors.InvalidField(
                f"Driver {name} is here in version {driver.version}, not {version}", field="/driver"
            )
        return [driver]
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
