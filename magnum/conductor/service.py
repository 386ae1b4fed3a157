"""The conductor as a service of oslo.service: the loops of one process, and how they end.

Three loops: the sweep looks for due operations, the renewal holds on to leases, and the tidying takes back what
nobody needs. Hints and Heat's events over the broker only make the work come sooner; a broker that is down stops
nothing.
"""

import logging
import os
import random
import resource
import threading
from collections.abc import Callable

import oslo_messaging as messaging
from oslo_db import exception as db_exception
from oslo_service.backend.base import ServiceBase
from sqlalchemy.exc import SQLAlchemyError

from magnum.common.context import service_context
from magnum.conductor import heat_events
from magnum.conductor.endpoint import Endpoint
from magnum.conductor.pool import Pool
from magnum.conf import CONF
from magnum.db import operations, session
from magnum.drivers.catalogue import catalogue
from magnum.lifecycle import clouds, hints
from magnum.lifecycle.passes import Worker

LOG = logging.getLogger(__name__)

#: Seconds between two rounds of tidying; nothing in it is urgent.
_TIDY_INTERVAL = 60.0


class Conductor(ServiceBase):
    """One conductor process."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to work. Called in the worker process, after the fork."""
        _limit_memory(CONF.conductor.memory_limit)
        session.configure()
        flow = heat_events.Flow()
        self._worker = Worker(clouds.access, poll_interval=flow.poll_interval)
        self._pool = Pool(self._worker, CONF.conductor.threads, CONF.conductor.stuck_seconds)
        for name, broken in catalogue().broken().items():
            LOG.warning("Bays of driver %s cannot be worked on: %s", name, broken)
        lease_third = CONF.lifecycle.lease_seconds / 3
        self._loop("sweep", self._sweep, CONF.conductor.sweep_interval)
        self._loop("renew", self._worker.renew, lease_third)
        self._loop("tidy", self._worker.tidy, _TIDY_INTERVAL)
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        threading.Thread(
            target=heat_events.listen, args=(self._pool, flow), name="heat events", daemon=True
        ).start()
        LOG.info("Conductor %s is at work.", self._worker.owner)

    def stop(self, graceful: bool = True) -> None:
        """Finish the present steps, give the leases back, end."""
        self._stopping.set()
        if not self._pool.drain(CONF.lifecycle.lease_seconds):
            LOG.warning("Some steps did not end in time; their leases run out by themselves.")
        self._stopped.set()

    def reset(self) -> None:
        """A changed configuration needs nothing of us: every use reads it afresh."""

    def wait(self) -> None:
        """Return once the service has stopped."""
        self._stopped.wait()

    def _sweep(self) -> None:
        """Take what is due. While more is due than there is room for, go on as soon as there is room again."""
        if self._pool.stuck() >= CONF.conductor.threads:
            # Threads cannot be ended, a process can: its leases run out, and it is started anew.
            LOG.critical("%s passes hang in their drivers; this process ends.", self._pool.stuck())
            os._exit(os.EX_SOFTWARE)
        while room := self._pool.free():
            due = operations.due(service_context(), 4 * room)
            # Not all conductors the same ones: a claim that comes second is lost effort.
            for operation_id in random.sample(due, min(room, len(due))):
                self._pool.submit(operation_id)
            if len(due) <= room or not self._pool.wait_for_room(CONF.conductor.sweep_interval):
                return

    def _listen(self) -> None:
        transport = hints.transport()
        if transport is None:
            LOG.info(
                "No broker is configured: operations are found every %s s.",
                CONF.conductor.sweep_interval,
            )
            return
        target = hints.target()
        target.server = self._worker.owner
        server = messaging.get_rpc_server(
            transport, target, [Endpoint(self._pool)], executor="threading"
        )
        server.start()
        LOG.info("Hints are listened to on %s.", CONF.conductor.topic)

    def _loop(self, name: str, work: Callable[[], None], interval: float) -> None:
        def run() -> None:
            try:
                while not self._stopping.wait(interval):
                    try:
                        work()
                    except (db_exception.DBError, SQLAlchemyError) as error:
                        LOG.error(
                            "The database does not do the %s now, tried again: %s", name, error
                        )
            finally:
                if not self._stopping.is_set():
                    # A loop that broke must not leave a process that looks alive: it is started anew.
                    LOG.critical("The %s loop broke; this process ends.", name)
                    os._exit(os.EX_SOFTWARE)

        threading.Thread(target=run, name=name, daemon=True).start()


def _limit_memory(mebibytes: int) -> None:
    """Have whoever asks for too much memory be refused it, instead of the whole machine being out of it."""
    if mebibytes:
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        limit = mebibytes * 2**20
        if most != resource.RLIM_INFINITY:
            limit = min(limit, most)
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))
