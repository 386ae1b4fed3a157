"""The pass: observe, decide, do one step, write the outcome (``design.md``, section 4).

A :class:`Worker` runs passes for one process. It holds leases and renews them; what it may not do any more once a
lease is gone, it finds out at the write, which says ``fence = mine``.
"""

import copy
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import tenacity
from keystoneauth1 import exceptions as keystone_exceptions
from oslo_utils import timeutils

from magnum.common import lease, metrics
from magnum.common.context import service_context
from magnum.common.lease import Lease, LeaseLost
from magnum.conf import CONF
from magnum.db import bays, operations, projects
from magnum.db import secrets as secret_store
from magnum.db.bays import BayNotFound
from magnum.db.clock import now
from magnum.db.models import UNFINISHED, Bay, Operation, State
from magnum.db.operations import Claim
from magnum.db.operations import Outcome as Writing
from magnum.drivers.catalogue import DriverMissing, catalogue
from magnum.drivers.contract import (
    Actor,
    Blocked,
    Clouds,
    Done,
    Driver,
    DriverError,
    Outcome,
    Verb,
    Wait,
    Work,
)
from magnum.identity.grants import RoleMissingError
from magnum.lifecycle import handed, node_groups, secrets
from magnum.lifecycle.clouds import Access
from magnum.lifecycle.decide import Pace, Standing, decide, news
from magnum.lifecycle.handed import LateClouds
from magnum.lifecycle.placement import Loads
from magnum.lifecycle.secrets import BaySecrets
from magnum.lifecycle.statuses import reason

LOG = logging.getLogger(__name__)

FindDriver = Callable[[str], Driver]

#: Tries at most to clear up behind a step that outlived its bay.
_CLEARING_UP = 100


def _new_owner() -> str:
    """This process's name in leases: where it runs, and a part that no other process ever has."""
    return f"{CONF.host or socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class Worker:
    """Runs passes. One for each process; its methods may be called from many threads."""

    def __init__(
        self,
        access: Callable[[], Access],
        find_driver: FindDriver | None = None,
        owner: str | None = None,
        poll_interval: Callable[[], float] | None = None,
    ) -> None:
        """``poll_interval`` gives the seconds between two looks of drivers; by default the configured ones."""
        self.owner = owner or _new_owner()
        self._access = access
        self._find_driver = find_driver or (lambda name: catalogue().get(name))
        self._poll_interval = poll_interval or (lambda: CONF.lifecycle.poll_interval)
        self._held: dict[int, _Held] = {}
        self._lock = threading.Lock()

    def run(self, operation_id: int) -> float | None:
        """One pass of an operation, if it can be claimed.

        Returns the seconds until its next pass, None where there is none or it was not to be had.
        """
        begun = time.monotonic()
        seconds = CONF.lifecycle.lease_seconds
        claim = operations.claim(service_context(), operation_id, self.owner, seconds)
        if claim is None:
            return None
        operation = claim.operation
        context = service_context(operation.request_id)
        held = _Held(Lease(begun, claim.lease), begun + claim.seconds_left)
        with self._lock:
            self._held[operation.id] = held
        try:
            with lease.working_under(held.lease):
                writing = self._step(claim)
            kept = operations.write(context, operation, writing)
        except LeaseLost:
            kept = False
        finally:
            with self._lock:
                if self._held.get(operation.id) is held:  # not where another thread has it by now
                    del self._held[operation.id]
        if not kept:
            LOG.warning("Operation %s was taken over by another conductor.", operation.uuid)
            self._clear_up(claim)
            return None
        self._log(operation, writing)
        if writing.operation.get("state") not in (None, *UNFINISHED):
            seconds = timeutils.delta_seconds(operation.created_at, timeutils.utcnow())
            metrics.operation_ended(operation.verb, writing.operation["state"], seconds)
        if writing.bay_gone:
            self._leave(operation.project_id)
        return writing.next_in

    def renew(self) -> None:
        """Hold on to everything this worker is at. To be called every third of a lease.

        An operation close to its deadline is not renewed: should its driver hang, somebody else must be able to end it.
        """
        begun, seconds = time.monotonic(), CONF.lifecycle.lease_seconds
        with self._lock:
            alive = {
                key: held
                for key, held in self._held.items()
                if operations.renewable(held.deadline - begun, seconds)
            }
        if alive:
            for key in operations.renew(service_context(), self.owner, list(alive), seconds):
                alive[key].lease.extend(begun, seconds)

    def tidy(self) -> None:
        """Take back roles in projects without bays, and drop what is too old to be of use."""
        context = service_context()
        for project_id in projects.abandoned(context):
            self._leave(project_id)
        operations.purge(context, CONF.lifecycle.keep_finished_days)
        secret_store.warn_of_expiry(context, now(CONF.certificates.warn_days * 86400))

    # --- one step ------------------------------------------------------------------------------------------------

    def _step(self, claim: Claim) -> Writing:
        operation, bay = claim.operation, claim.bay
        if bay is None:
            return Writing({"state": State.CANCELLED}, None)
        if claim.overtaken and operation.verb != Verb.DELETE:
            text = f"The {operation.verb} was overtaken by the bay's deletion."
            return Writing({"state": State.CANCELLED}, None, event=("CANCELLED", text))
        # One look is taken after the deadline; where that one did not come back, none is taken any more.
        begun = time.monotonic()
        answer = _NOTHING if operation.overdue > 1 else self._ask_driver(claim, bay)
        standing = Standing(
            verb=Verb(operation.verb),
            state=State(operation.state),
            generation=operation.generation,
            attempts=operation.attempts,
            seconds_left=claim.seconds_left - (time.monotonic() - begun),
            last_error=_last_error(operation),
            shown=bay.status,
            forced=bool(operation.parameters.get("force")),
            stack_id=bay.stack_id,
        )
        writing = node_groups.told(decide(standing, answer, _pace()), operation, bay)
        groups = {group.name: vars(group) for group in bay.node_groups}
        return self._watched(news(writing, vars(bay), groups), bay)

    def _watched(self, writing: Writing, bay: Bay) -> Writing:
        """A bay with which all went well is looked at from now on, where its driver has a monitor."""
        if writing.operation["state"] != State.DONE or writing.bay_gone:
            return writing
        try:
            monitor = self._find_driver(bay.driver).monitor
        except DriverMissing:
            return writing
        if monitor is None:
            return writing
        return replace(writing, bay={**writing.bay, "health_due_at": now()})

    def _ask_driver(self, claim: Claim, bay: Bay) -> Outcome | Exception:
        operation = claim.operation
        try:
            driver = self._find_driver(bay.driver)
        except DriverMissing as error:
            text = f"The driver {bay.driver} that this bay was made with is not there."
            return Blocked("DRIVER_MISSING", Actor.OPERATOR, text, str(error))
        clouds = _clouds(self._access, operation)
        own = BaySecrets(bay, self._access, operation.request_id)
        self._prepare(own, bay, operation)
        work = self._work(claim, bay, clouds, own)
        try:
            answer: object = getattr(driver, f"bay_{operation.verb}")(work)
        except LeaseLost:
            raise
        except Exception as error:  # the driver's border: whatever comes out of it is an answer
            ours = isinstance(error, DriverError)
            LOG.warning("Operation %s stumbled: %s", operation.uuid, error, exc_info=not ours)
            clouds.doubt_after(getattr(error, "code", None))
            if isinstance(error, secrets.FOR_THE_OPERATOR):
                texts = (error.text, error.operator_text)
                return Blocked(error.code, error.actor, *texts, cursor=operation.cursor or {})
            return error
        if isinstance(answer, Blocked):
            clouds.doubt_after(answer.code)
        if isinstance(answer, Done) and operation.verb == Verb.DELETE:
            return self._without_secrets(own, claim, answer)
        if isinstance(answer, Outcome):
            return answer
        return TypeError(f"{driver.name} answered {type(answer).__name__} to {operation.verb}")

    def _prepare(self, own: BaySecrets, bay: Bay, operation: Operation) -> None:
        """Give the bay its CAs, unless it has them or needs none.

        A driver that needs them finds out itself what stands in the way; to others it is none.
        """
        if bay.ca_expires_at or bay.baymodel.tls_disabled or operation.verb == Verb.DELETE:
            return
        try:
            own.prepare()
        except (DriverError, BayNotFound) as error:
            if not operation.cursor:  # said once, as a rule
                LOG.warning("Bay %s has no CA yet: %s", bay.uuid, error)

    def _without_secrets(self, own: BaySecrets, claim: Claim, done: Done) -> Outcome | Exception:
        """Nothing of the cluster is left: now what the bay had of its own goes, and after it the bay."""
        operation = claim.operation
        hindrance = secrets.removed(
            own,
            operation.cursor or {},
            forced=bool(operation.parameters.get("force")),
            seconds_left=claim.seconds_left,
        )
        return done if hindrance is None else hindrance

    def _work(self, claim: Claim, bay: Bay, clouds: Clouds, own: BaySecrets) -> Work:
        operation = claim.operation
        ago = claim.since_last
        return handed.work(
            bay,
            clouds,
            own,
            verb=Verb(operation.verb),
            parameters=operation.parameters,
            cursor=operation.cursor or {},
            attempt=operation.attempts + 1,
            seconds_left=claim.seconds_left,
            # The cloud's word may be a moment ahead of what it shows; then it is soon looked at again.
            poll_interval=CONF.lifecycle.poll_interval if claim.woken else self._poll_interval(),
            woken=claim.woken,
            unsettled=0.0 if ago is None else max(0.0, CONF.lifecycle.settle_seconds - ago),
            **_places(bay, operation),
        )

    # --- after the write -----------------------------------------------------------------------------------------

    def _clear_up(self, claim: Claim) -> None:
        """This process was held up, and another one has gone on. Where that one has deleted the bay meanwhile, nobody
        looks for what our last request may have made after all; so we do.
        """
        bay, operation = claim.bay, claim.operation
        if bay is None or operation.verb == Verb.DELETE:
            return
        if bays.exists(service_context(), bay.uuid):
            return
        LOG.warning("Bay %s is gone; looking for what operation %s left.", bay.uuid, operation.uuid)
        own = BaySecrets(bay, self._access, operation.request_id)
        work = self._work(claim, bay, _clouds(self._access, operation), own)
        work = replace(work, verb=Verb.DELETE, parameters={}, cursor={}, unsettled=0.0)
        for _ in range(_CLEARING_UP):
            try:
                answer = self._find_driver(bay.driver).bay_delete(work)
                if not isinstance(answer, Wait):
                    own.remove()
            except (DriverError, DriverMissing) as error:
                answer = Wait(CONF.lifecycle.retry_longest)
                LOG.warning("Clearing up behind bay %s: %s", bay.uuid, error)
            if not isinstance(answer, Wait):
                return
            work = replace(work, cursor=answer.cursor)
            time.sleep(answer.seconds)
        LOG.error("Bay %s is gone, and something of it may be left in the cloud.", bay.uuid)

    def _leave(self, project_id: str) -> None:
        """Take the service's roles in a project back, if no bay is left there.

        The mark is taken off first, so that only one process does it, and set again where Keystone refused: then it is
        tried again later. A bay made in the same moment finds the roles gone, and has them granted anew.
        """
        context = service_context()
        if not projects.mark_revoked(context, project_id):
            return
        try:
            self._access().leave(project_id)
        except (keystone_exceptions.ClientException, RoleMissingError) as error:
            LOG.warning("Roles in project %s are still there, tried again: %s", project_id, error)
            projects.mark_granted(context, project_id)

    def _log(self, operation: Operation, writing: Writing) -> None:
        if writing.event is None:
            return
        detail = writing.operation.get("error_operator_text")
        LOG.info(
            "Bay %s, operation %s (%s): %s%s",
            operation.bay_uuid,
            operation.uuid,
            operation.verb,
            " ".join(writing.event),
            f" [{detail}]" if detail else "",
        )


def _places(bay: Bay, operation: Operation) -> dict[str, Any]:
    """What a driver may know of the availability zones, while it has not chosen among them."""
    if operation.verb != Verb.CREATE or bay.site is not None:
        return {}
    return {
        "loads": Loads(service_context(), operation.project_id),
        "zones": CONF.placement.zones,
    }


@dataclass(slots=True)
class _Held:
    """An operation that this worker is at: its lease, and its deadline on this process's monotonic clock."""

    lease: Lease
    deadline: float


def _clouds(access: Callable[[], Access], operation: Operation) -> LateClouds:
    return LateClouds(access, operation.project_id, operation.request_id)


#: The library's waits are asked for a time with one of these.
_FIRST = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})

#: What stands for a driver that was not asked any more.
_NOTHING = Wait(0)


def _pace() -> Pace:
    """The configured times. A random part keeps many operations from returning at once."""
    grows = tenacity.wait_random_exponential(
        multiplier=CONF.lifecycle.retry_first, max=CONF.lifecycle.retry_longest
    )
    blocked = CONF.lifecycle.blocked_interval

    def retry(attempts: int) -> float:
        state = copy.copy(_FIRST)
        state.attempt_number = attempts
        return float(CONF.lifecycle.retry_first / 2 + grows(state))

    return Pace(tenacity.wait_random(0.75 * blocked, 1.25 * blocked)(_FIRST), retry)


def _last_error(operation: Operation) -> str | None:
    if operation.error_code is None:
        return None
    return reason(operation.error_code, operation.error_text or "")
