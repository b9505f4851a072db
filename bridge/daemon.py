"""The daemon: APScheduler says when, the engine does the work, signals end it."""

from __future__ import annotations

import logging
import os
import random
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.accounts import Accounts
from bridge.alerts import Watch
from bridge.clock import ClockWatch
from bridge.ingest import Report
from bridge.schema import Bot, Config
from bridge.store import Store
from bridge.workers import Engine, Lanes

log = logging.getLogger("tribridge")

#: seconds that what is in flight may take after SIGTERM; the rest settles at the next start
GRACE = 8.0
#: seconds between two looks at whether the clock was set
CLOCK_CHECK = 5.0
#: the share of an interval by which polls are moved about, so that they do not come in bunches
JITTER = 0.1
#: the first runs of all bots are spread over at most this many seconds
SPREAD = 10.0
#: seconds between looks at what people should be told
ALERTS_EVERY = 15


class Daemon:
    """Runs the bots of a config until it is told to stop."""

    def __init__(
        self,
        config: Config,
        store: Store,
        accounts: Accounts,
        *,
        report: Report,
        rehearse: bool = False,
    ) -> None:
        from apscheduler.schedulers.background import BackgroundScheduler

        self._config = config
        self._store = store
        # a job only puts work on a lane; with the defaults of APScheduler late ones were dropped
        self._scheduler: Any = BackgroundScheduler(
            timezone="UTC",
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self.engine = Engine(
            config,
            store,
            accounts,
            report=report,
            rehearse=rehearse,
            wake=self._wake,
            wake_follower=self._wake_follower,
            wake_reader=self._wake_reader,
        )
        self._rehearse = rehearse
        self._watch = Watch(config, store, accounts.now)
        # a thread of its own, so that a webhook that hangs keeps nothing waiting
        self._aside = Lanes(threads=1)
        self._clock = ClockWatch()

    def start(self) -> None:
        """Begin: what waits from before, then every bot by its schedule."""
        if not self._rehearse:
            self.engine.prepare()
            assert self._store.file is not None
            self.engine.pulse.load(self._store.file)
            self.engine.mind_the_clock()
        bots = [bot for bot in self._config.bots.values() if bot.mode != "disabled"]
        now = self.engine.accounts.now()
        spread = min(SPREAD, 0.05 * len(bots))
        for number, bot in enumerate(bots):
            first = now + timedelta(seconds=spread * number / max(len(bots), 1))
            self._scheduler.add_job(
                self.engine.tick,
                args=[bot],
                trigger=self._trigger(bot),
                id=f"bot {bot.name}",
                **({} if bot.cron else {"next_run_time": first}),
            )
        if not self._rehearse:
            self._scheduler.add_job(self.engine.save_pulse, "interval", seconds=2, id="pulse")
            changed = self._store.watch()
            self._scheduler.add_job(
                lambda: self.engine.look() if changed() else None, "interval", seconds=1, id="look"
            )
            self._scheduler.add_job(
                self._aside.submit,
                args=["alerts", "check", self._check_alerts],
                trigger="interval",
                seconds=ALERTS_EVERY,
                id="alerts",
            )
        self._scheduler.start()
        self.engine.guard.run(self.engine.deliver_waiting)
        self.engine.follow_all()
        log.info("running %d bots over %d accounts", len(bots), len(self._config.accounts))

    def _trigger(self, bot: Bot) -> Any:
        if bot.cron:
            from apscheduler.triggers.cron import CronTrigger

            return CronTrigger.from_crontab(bot.cron, timezone=self._config.timezone)
        from apscheduler.triggers.interval import IntervalTrigger

        seconds = bot.every.total_seconds()
        return IntervalTrigger(seconds=seconds, jitter=seconds * JITTER)

    def _wake(self, account: str, when: datetime) -> None:
        """Deliver to an account again at a time; only the latest such wish counts."""
        self._call_at(when, f"deliver {account}", self.engine.deliver, account)

    def _wake_follower(self, account: str, when: datetime) -> None:
        """Follow an account's originals again at a time; only the latest such wish counts."""
        self._call_at(when, f"follow {account}", self.engine.follow, account)

    def _wake_reader(self, account: str, when: datetime) -> None:
        """Read a source again at a time; only the latest such wish counts."""
        self._call_at(when, f"read {account}", self.engine.read_due, account)

    def _call_at(
        self, when: datetime, name: str, work: Callable[[str], None], account: str
    ) -> None:
        if not self.engine.lanes.stopping:
            self._scheduler.add_job(
                work,
                args=[account],
                trigger="date",
                run_date=when,
                id=name,
                replace_existing=True,
            )

    def _check_alerts(self) -> None:
        self.engine.save_pulse()  # after a kill the alerts and what they are about should agree
        self._watch.check(self.engine.pulse.accounts())

    def watch_the_clock(self) -> None:
        """Where the clock was set, have every job find its time anew.

        By a clock that was set back APScheduler would sleep until the old times come again.
        """
        by = self._clock.was_set()
        if by is None or self.engine.lanes.stopping:
            return
        now = datetime.now(UTC)
        for number, job in enumerate(self._scheduler.get_jobs()):
            soon = now + timedelta(seconds=min(SPREAD, 0.05 * number))
            is_cron = type(job.trigger).__name__ == "CronTrigger"
            job.modify(next_run_time=job.trigger.get_next_fire_time(None, now) if is_cron else soon)
        self.engine.clock_was_set(by)

    def stop(self, grace: float = GRACE) -> bool:
        """Take no more work; whether what was in flight ended within `grace` seconds.

        Alerts on their way are not waited for.
        """
        end = time.monotonic() + grace
        # told to stop in the middle of a look at its jobs, it misses the one that it would remove
        self._scheduler.pause()
        self._scheduler.get_jobs()  # which waits for that
        jobs = threading.Thread(target=self._scheduler.shutdown, name="jobs", daemon=True)
        jobs.start()  # and ends with those that are under way
        self._aside.stop(0)
        ended = self.engine.lanes.stop(grace)
        jobs.join(max(end - time.monotonic(), 0))
        if not self._rehearse:
            self.engine.save_pulse()
        return ended and not jobs.is_alive()


def run(daemon: Daemon, *, leave: Callable[[int], Any] = os._exit) -> None:
    """Run until SIGTERM or SIGINT, then leave with exit code 0 within `GRACE` seconds or so.

    The process is left at once, since a request that hangs in a thread would keep it alive; what
    was under way is in the state and is settled at the next start. A second signal does not wait.
    """
    # the handlers do nothing: they run between any two steps of this thread, and one that told
    # something to another thread could wait for a lock that this one holds
    told, tell = socket.socketpair()
    told.setblocking(False)
    tell.setblocking(False)
    signal.set_wakeup_fd(tell.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    daemon.start()
    while not select.select([told], [], [], CLOCK_CHECK)[0]:
        daemon.watch_the_clock()
    log.info("stopping on %s", signal.Signals(told.recv(1)[0]).name)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: leave(0))
    if not daemon.stop():
        log.warning("something was still under way; it is settled at the next start")
    logging.shutdown()
    leave(0)


def once(engine: Engine, store: Store, *, rehearse: bool = False) -> bool:
    """One pass over all bots, then everything that is due is delivered.

    Returns whether an account could not be read, or the state not written.
    """
    if not rehearse:
        assert store.file is not None
        engine.prepare()
        engine.pulse.load(store.file)
        engine.mind_the_clock()
    bots = list(engine.config.bots.values())
    random.shuffle(bots)
    for bot in bots:
        engine.read(bot)
    engine.lanes.wait()
    engine.follow_all()
    engine.lanes.wait()
    engine.guard.run(engine.deliver_waiting)
    engine.lanes.wait()
    if not rehearse:
        engine.save_pulse()
        Watch(engine.config, store, engine.accounts.now).check(engine.pulse.accounts())
    return engine.pulse.reading_failed or bool(engine.guard.trouble)
