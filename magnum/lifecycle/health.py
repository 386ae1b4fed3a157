"""The health of running clusters: a driver's monitor is asked, and what is new of its answer is written.

Only bays that are there and that nobody is changing are looked at. What a monitor does wrong stays with its bay: the
health is UNKNOWN then, with a reason.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from magnum.common import errors
from magnum.common.context import RequestContext, service_context
from magnum.common.remembered import Remembered
from magnum.conf import CONF
from magnum.db import health as store
from magnum.db.health import Seen
from magnum.db.models import Bay
from magnum.drivers.catalogue import catalogue
from magnum.drivers.contract import (
    Driver,
    DriverError,
    Health,
    HealthStatus,
    KeyPair,
    Verb,
    Work,
)
from magnum.lifecycle import handed, statuses
from magnum.lifecycle.clouds import Access
from magnum.lifecycle.secrets import BaySecrets

LOG = logging.getLogger(__name__)

#: The line of a bay's timeline.
CHANGED = "HEALTH_CHANGED"

#: Seconds that a monitor's certificate is used; it is good for an hour.
_KEPT = 1800.0
_KEPT_AT_MOST = 2000

#: What is used of a cluster may move by so much before it is written again.
_STEADY = 0.05

#: Bounds of what a monitor says: nodes that it speaks of, characters of each, and characters of an event.
_NODES, _LONGEST, _EVENT = 1000, 500, 2000


class _Secrets(BaySecrets):
    """A bay's secrets as a monitor is given them: a client's certificate is made anew only now and then."""

    def __init__(
        self,
        bay: Bay,
        access: Callable[[], Access],
        kept: Remembered[tuple[Any, ...], KeyPair],
    ) -> None:
        super().__init__(bay, access)
        # A new CA ends at another time.
        self._of = (bay.uuid, bay.ca_expires_at)
        self._kept = kept

    def client(self, name: str, organization: str = "", kind: str = "") -> KeyPair:
        """See the contract."""
        key = (*self._of, name, organization, kind)
        found = self._kept.get(key)
        if found is None:
            found = super().client(name, organization, kind)
            self._kept.set(key, found, _KEPT)
        return found


class Watcher:
    """Finds the bays that are to be looked at, asks their monitors, and writes what is new.

    One for each process. :meth:`look` may be called from many threads, the others from one.
    """

    def __init__(
        self,
        access: Callable[[], Access],
        drivers: Callable[[], Mapping[str, Driver]] | None = None,
    ) -> None:
        """``drivers`` gives all drivers there are at present, by name; by default the catalogue's."""
        self._access = access
        self._drivers = drivers or _of_the_catalogue
        self._begun: frozenset[str] = frozenset()
        self._certificates: Remembered[tuple[Any, ...], KeyPair] = Remembered(_KEPT_AT_MOST)

    def prepare(self) -> bool:
        """Whether any driver has a monitor. Bays of one that was not here before are looked at from now on."""
        monitored = frozenset(
            name for name, driver in self._drivers().items() if driver.monitor is not None
        )
        if new := monitored - self._begun:
            store.begin(service_context(), new, statuses.THERE)
        self._begun = monitored
        return bool(monitored)

    def claim(self, limit: int, interval: float) -> list[Bay]:
        """Take so many bays that are due, at most; they are due again after ``interval`` seconds.

        Those whose driver has no monitor any more are let go.
        """
        context = service_context()
        found = store.claim(context, limit, statuses.THERE, interval)
        lost = [bay for bay in found if bay.driver not in self._begun]
        if lost:
            self.write([(bay, unknown(f"the driver {bay.driver} cannot tell")) for bay in lost])
            store.end(context, [bay.id for bay in lost])
        return [bay for bay in found if bay.driver in self._begun]

    def look(self, bay: Bay) -> Health:
        """Ask the driver's monitor, which may hang. Raises nothing."""
        clouds = handed.LateClouds(self._access, bay.project_id, None)
        try:
            work = handed.work(
                bay,
                clouds,
                _Secrets(bay, self._access, self._certificates),
                verb=Verb.CHECK,
                seconds_left=CONF.health.timeout,
            )
            return _answer(self._drivers()[bay.driver], work)
        except DriverError as error:
            LOG.warning("Bay %s could not be looked at: %s", bay.uuid, error)
            clouds.doubt_after(error.code)
            return unknown(error.text)
        except Exception as error:  # noqa: BLE001 - the driver's border: nothing of it may stop the others
            # Not what the error says: a secret may be in it.
            LOG.error("The monitor of driver %s failed: %s", bay.driver, type(error).__name__)
            return unknown(f"the driver {bay.driver} stumbled ({type(error).__name__})")

    def write(self, looks: Sequence[tuple[Bay, Health]]) -> None:
        """Store what is new in these."""
        seen = [one for bay, health in looks if (one := news(bay, health)) is not None]
        if seen:
            store.write(service_context(), seen)
        for one in seen:
            if one.event is not None:
                LOG.info("Bay %s: %s", one.bay.uuid, " ".join(one.event))


def _of_the_catalogue() -> Mapping[str, Driver]:
    known = catalogue()
    return {name: known.get(name) for name in known.names()}


def _answer(driver: Driver, work: Work) -> Health:
    """What the monitor answers, within the bounds of what can be kept."""
    monitor = driver.monitor
    if monitor is None:
        return unknown(f"the driver {driver.name} cannot tell")
    answer = monitor.look(work)
    reasons = {
        str(part)[:_LONGEST]: str(text)[:_LONGEST]
        for part, text in list(answer.reasons.items())[:_NODES]
    }
    used = {str(name): _share(share) for name, share in answer.utilisation.items()}
    return Health(HealthStatus(answer.status), reasons, used, answer.facts)


def _share(share: float) -> float:
    """From 0 to 1, with two digits. What is no number is nothing."""
    number = float(share)
    return round(min(1.0, max(0.0, number)), 2) if number == number else 0.0


def report(context: RequestContext, bay: Bay, values: Mapping[str, Any]) -> None:
    """Store what an agent inside a cluster says of its health: ``health_status``, ``health_status_reason``, or both.

    Raises WrongStatus where the bay has changed since it was read.
    """
    event = None
    status = values.get("health_status", bay.health_status)
    if status != bay.health_status:
        event = (CHANGED, f"The cluster reports itself as {status or 'of no known health'}.")
    if not store.write(context, [Seen(bay, values, event)]):
        raise errors.WrongStatus("The bay has changed meanwhile. Report its health again.")


def unknown(why: str) -> Health:
    """What is said of a cluster that could not be looked at."""
    return Health(HealthStatus.UNKNOWN, {"monitor": why[:_LONGEST]})


def news(bay: Bay, health: Health) -> Seen | None:
    """What has to be written after a look; None where the bay shows it already. Pure."""
    facts = health.facts
    values = {
        "health_status": health.status.value,
        "health_status_reason": dict(health.reasons),
        "utilisation": _moved(bay.utilisation or {}, health.utilisation),
        "coe_version": facts.coe_version or bay.coe_version,
        "container_version": facts.container_version or bay.container_version,
        "api_address": facts.api_address or bay.api_address,
    }
    shown = {name: getattr(bay, name) for name in values}
    shown["utilisation"] = shown["utilisation"] or {}
    if values == shown:
        return None
    event = None
    if health.status != bay.health_status:
        event = (CHANGED, _in_words(health))
    return Seen(bay, values, event)


def _moved(shown: Mapping[str, float], found: Mapping[str, float]) -> dict[str, float]:
    """What was found, or what is shown where the difference is too small to be worth a write."""
    steady = shown.keys() == found.keys() and all(
        abs(shown[name] - share) < _STEADY for name, share in found.items()
    )
    return dict(shown if steady else found)


def _in_words(health: Health) -> str:
    wrong = [f"{part}: {text}" for part, text in health.reasons.items() if text != "ok"]
    text = f"The cluster is {health.status}."
    if health.status is not HealthStatus.HEALTHY and wrong:
        text = f"The cluster is {health.status}: {'; '.join(wrong)}."
    return text if len(text) <= _EVENT else f"{text[:_EVENT]}..."
