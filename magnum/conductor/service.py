"""The conductor as a service of oslo.service: the loops of one process, and how they end.

The sweep looks for due operations and calls, the renewal holds on to leases, and the tidying takes back what nobody
needs. Where no broker tells of calls, one more loop looks for them while there are some. Hints and Heat's events over
the broker only make the work come sooner; a broker that is down stops nothing.
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
from magnum.conductor import health, heat_events
from magnum.conductor.calls import Calls
from magnum.conductor.endpoint import Endpoint
from magnum.conductor.pool import Pool
from magnum.conf import CONF
from magnum.db import calls, due, services, session
from magnum.drivers.catalogue import catalogue
from magnum.lifecycle import clouds, figures, hints
from magnum.lifecycle.answers import Answerer
from magnum.lifecycle.health import Watcher
from magnum.lifecycle.outages import Reporter
from magnum.lifecycle.passes import Worker

LOG = logging.getLogger(__name__)

#: Seconds between two rounds of tidying; nothing in it is urgent.
_TIDY_INTERVAL = 60.0

#: Seconds between two reports that this process is at work (contract 2.7).
_REPORT_INTERVAL = 60.0

#: The name of this kind of process in its reports.
_BINARY = "magnum-conductor"

#: Seconds until others are told of a service that does not answer; nothing is done while all do.
_OUTAGE_INTERVAL = 1.0

#: Seconds that a process which ends leaves to the drivers that are being asked something.
_LAST_ANSWERS = 5.0


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
        threads = CONF.conductor.call_threads
        self._calls = Calls(Answerer(clouds.access, self._worker.owner, threads // 2), threads)
        for name, broken in catalogue().broken().items():
            LOG.warning("Bays of driver %s cannot be worked on: %s", name, broken)
        lease_third = CONF.lifecycle.lease_seconds / 3
        self._loop("sweep", self._sweep, CONF.conductor.sweep_interval)
        self._loop("renew", self._worker.renew, lease_third)
        self._loop("tidy", self._tidy, _TIDY_INTERVAL)
        self._loop("outages", Reporter(self._worker.owner).report, _OUTAGE_INTERVAL)
        self._loop("health", health.Rounds(Watcher(clouds.access)).round, health.pause())
        self._loop("report", self._report, _REPORT_INTERVAL, at_once=True)
        if not CONF.transport_url:
            self._loop("calls", self._look_for_calls, CONF.conductor.call_poll)
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        threading.Thread(
            target=heat_events.listen, args=(self._pool, flow), name="heat events", daemon=True
        ).start()
        figures.serve_conductor()
        LOG.info("Conductor %s is at work.", self._worker.owner)

    def stop(self, graceful: bool = True) -> None:
        """Finish the present steps, give the leases back, end."""
        self._stopping.set()
        if not self._pool.drain(CONF.lifecycle.lease_seconds):
            LOG.warning("Some steps did not end in time; their leases run out by themselves.")
        if not self._calls.drain(_LAST_ANSWERS):
            LOG.warning("Some calls were not answered in time; who asked is told so.")
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
        more = True
        while more:
            room = self._pool.free()
            found = due.look(service_context(), 4 * room, self._calls.free())
            for call_id in found.calls:
                self._calls.submit(call_id)
            # Not all conductors the same ones: a claim that comes second is lost effort.
            for operation_id in random.sample(found.operations, min(room, len(found.operations))):
                self._pool.submit(operation_id)
            more = len(found.operations) > room and self._pool.wait_for_room(
                CONF.conductor.sweep_interval
            )

    def _look_for_calls(self) -> None:
        if self._calls.lively and (room := self._calls.free()):
            for call_id in calls.waiting(service_context(), room):
                self._calls.submit(call_id)

    def _tidy(self) -> None:
        self._worker.tidy()
        calls.purge(service_context())

    def _listen(self) -> None:
        transport = hints.transport()
        if transport is None:
            LOG.info(
                "No broker is configured: operations and calls are found every %s s.",
                CONF.conductor.sweep_interval,
            )
            return
        target = hints.target()
        target.server = self._worker.owner
        server = messaging.get_rpc_server(
            transport, target, [Endpoint(self._pool, self._calls)], executor="threading"
        )
        server.start()
        LOG.info("Hints are listened to on %s.", CONF.conductor.topic)

    def _report(self) -> None:
        services.report(service_context(), CONF.host, _BINARY)

    def _loop(
        self, name: str, work: Callable[[], None], interval: float, *, at_once: bool = False
    ) -> None:
        """Do something again and again, in a thread of its own; for the first time after the first interval."""

        def run() -> None:
            pause = 0.0 if at_once else interval
            try:
                while not self._stopping.wait(pause):
                    pause = interval
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
