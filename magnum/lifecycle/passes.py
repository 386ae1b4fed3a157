"""The pass: observe, decide, do one step, write the outcome (``design.md``, section 4).

A :class:`Worker` runs passes for one process. It holds leases and renews them; what it may not do any more once a
lease is gone, it finds out at the write, which says ``fence = mine``.
"""

import logging
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from keystoneauth1 import exceptions as keystone_exceptions

from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import operations, projects
from magnum.db.models import Bay, Operation, State
from magnum.db.operations import Claim
from magnum.db.operations import Outcome as Writing
from magnum.drivers.catalogue import DriverMissing, catalogue
from magnum.drivers.contract import (
    Actor,
    Blocked,
    Driver,
    DriverError,
    Outcome,
    Verb,
    Wait,
    Work,
)
from magnum.identity.grants import RoleMissingError
from magnum.lifecycle import frozen
from magnum.lifecycle.clouds import Access
from magnum.lifecycle.decide import Pace, Standing, decide, news
from magnum.lifecycle.statuses import reason

LOG = logging.getLogger(__name__)

FindDriver = Callable[[str], Driver]


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
    ) -> None:
        self.owner = owner or _new_owner()
        self._access = access
        self._find_driver = find_driver or (lambda name: catalogue().get(name))
        self._held: dict[int, float] = {}
        self._lock = threading.Lock()

    def run(self, operation_id: int) -> float | None:
        """One pass of an operation, if it can be claimed.

        Returns the seconds until its next pass, None where there is none or it was not to be had.
        """
        context = service_context()
        claim = operations.claim(context, operation_id, self.owner, CONF.lifecycle.lease_seconds)
        if claim is None:
            return None
        operation = claim.operation
        context = service_context(operation.request_id)
        self._hold(claim)
        try:
            writing = self._step(claim)
            kept = operations.write(context, operation, writing)
        finally:
            self._let_go(operation)
        if not kept:
            LOG.warning("Operation %s was taken over by another conductor.", operation.uuid)
            return None
        self._log(operation, writing)
        if writing.bay_gone:
            self._leave(operation.project_id)
        return writing.next_in

    def renew(self) -> None:
        """Hold on to everything this worker is at. To be called every third of a lease.

        An operation past its deadline is not renewed: its driver hangs, and somebody else must be able to end it.
        """
        with self._lock:
            alive = [key for key, end in self._held.items() if time.monotonic() < end]
        if alive:
            operations.renew(service_context(), self.owner, alive, CONF.lifecycle.lease_seconds)

    def tidy(self) -> None:
        """Take back roles in projects without bays, and drop what is too old to be of use."""
        context = service_context()
        for project_id in projects.abandoned(context):
            self._leave(project_id)
        operations.purge(context, CONF.lifecycle.keep_finished_days)

    # --- one step ------------------------------------------------------------------------------------------------

    def _step(self, claim: Claim) -> Writing:
        operation, bay = claim.operation, claim.bay
        if bay is None:
            return Writing({"state": State.CANCELLED}, None)
        if claim.overtaken and operation.verb != operations.DELETE:
            text = f"The {operation.verb} was overtaken by the bay's deletion."
            return Writing({"state": State.CANCELLED}, None, event=("CANCELLED", text))
        standing = Standing(
            verb=Verb(operation.verb),
            state=State(operation.state),
            generation=operation.generation,
            attempts=operation.attempts,
            seconds_left=claim.seconds_left,
            last_error=_last_error(operation),
        )
        # One look is taken after the deadline; where that one did not come back, none is taken any more.
        answer = _NOTHING if operation.overdue > 1 else self._ask_driver(operation, bay, standing)
        writing = decide(standing, answer, _pace())
        groups = {group.name: vars(group) for group in bay.node_groups}
        return news(writing, vars(bay), groups)

    def _ask_driver(
        self, operation: Operation, bay: Bay, standing: Standing
    ) -> Outcome | Exception:
        try:
            driver = self._find_driver(bay.driver)
        except DriverMissing as error:
            text = f"The driver {bay.driver} that this bay was made with is not there."
            return Blocked("DRIVER_MISSING", Actor.OPERATOR, text, str(error))
        clouds = _LateClouds(self._access, operation)
        work = Work(
            bay=frozen.bay(bay),
            baymodel=frozen.baymodel(bay.baymodel),
            node_groups=tuple(frozen.group(group) for group in bay.node_groups),
            clouds=clouds,
            verb=standing.verb,
            parameters=operation.parameters,
            cursor=operation.cursor or {},
            attempt=standing.attempts + 1,
            seconds_left=standing.seconds_left,
            poll_interval=CONF.lifecycle.poll_interval,
        )
        try:
            answer: object = getattr(driver, f"bay_{standing.verb}")(work)
        except Exception as error:  # the driver's border: whatever comes out of it is an answer
            ours = isinstance(error, DriverError)
            LOG.warning("Operation %s stumbled: %s", operation.uuid, error, exc_info=not ours)
            clouds.doubt()
            return error
        if isinstance(answer, Blocked):
            clouds.doubt()
        if isinstance(answer, Outcome):
            return answer
        return TypeError(f"{driver.name} answered {type(answer).__name__} to {standing.verb}")

    # --- leases --------------------------------------------------------------------------------------------------

    def _hold(self, claim: Claim) -> None:
        with self._lock:
            self._held[claim.operation.id] = time.monotonic() + max(0.0, claim.seconds_left)

    def _let_go(self, operation: Operation) -> None:
        with self._lock:
            self._held.pop(operation.id, None)

    # --- after the write -----------------------------------------------------------------------------------------

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


class _LateClouds:
    """Clouds that are reached for at the first use: a driver without a cloud needs no Keystone."""

    def __init__(self, access: Callable[[], Access], operation: Operation) -> None:
        self._access = access
        self._operation = operation
        self._used = False

    def heat(self) -> Any:
        self._used = True
        return self._access().heat(self._operation.project_id, self._operation.request_id)

    def doubt(self) -> None:
        """Something went wrong: where the cloud was asked, its answer may have been due to our token or roles."""
        if self._used:
            self._access().doubt(self._operation.project_id)


#: What stands for a driver that was not asked any more.
_NOTHING = Wait(0)


def _pace() -> Pace:
    return Pace(
        blocked=CONF.lifecycle.blocked_interval,
        first=CONF.lifecycle.retry_first,
        longest=CONF.lifecycle.retry_longest,
        spread=random.random(),
    )


def _last_error(operation: Operation) -> str | None:
    if operation.error_code is None:
        return None
    return reason(operation.error_code, operation.error_text or "")
