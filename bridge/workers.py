"""The work of running bots: reading accounts and delivering to them, one task an account at a time.

Accounts run in parallel. That an account has one worker is its lock: nothing else fetches from it
or publishes to it meanwhile, so a copy is recorded before its own account is read again.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

from bridge import orders, ratelimit
from bridge.accounts import Accounts
from bridge.clock import TOLERANCE
from bridge.follow import follow
from bridge.guard import Guard
from bridge.ingest import Report, ingest
from bridge.network import Busy, ClientError, LoginNeeded
from bridge.outbox import deliver
from bridge.outcome import LOGIN_WAIT
from bridge.pulse import Pulse, fell_behind, name_state, state_of
from bridge.remedies import remedy
from bridge.schema import Bot, Config
from bridge.store import DOUBTED, Closed, Order, PauseKind, QueuedDraft, StateError, Store

log = logging.getLogger("tribridge")

#: accounts that are worked on at the same time
THREADS = 16
#: reasons for which drafts are held or dead that a start tells
MOST_TOLD = 20
#: how long deliveries to an account rest after an error that should not happen, or while the
#: state cannot be written
AFTER_A_DEFECT = timedelta(minutes=1)
#: how often it is looked whether a paused account's originals can be followed again
FOLLOW_PAUSED = timedelta(minutes=5)
#: when a source that could not be read is read again for bots with a `cron`
READ_AGAIN = timedelta(minutes=5)


class Lanes:
    """Runs tasks in threads: those of one account in order, those of different ones in parallel."""

    def __init__(self, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="worker")
        self._waiting: dict[str, deque[tuple[str, Callable[[], object]]]] = {}
        self._busy: set[str] = set()
        self._change = threading.Condition()
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether no further work should be begun."""
        return self._stopping

    def submit(self, account: str, kind: str, task: Callable[[], object]) -> None:
        """Add a task for an account, unless one of the same kind waits for it already."""
        with self._change:
            if self._stopping:
                return
            lane = self._waiting.setdefault(account, deque())
            if any(kind == other for other, _ in lane):
                return
            lane.append((kind, task))
            if account not in self._busy:
                self._busy.add(account)
                self._pool.submit(self._work, account)

    def _work(self, account: str) -> None:
        while True:
            with self._change:
                lane = self._waiting[account]
                if self._stopping or not lane:
                    self._busy.discard(account)
                    self._change.notify_all()
                    return
                kind, task = lane.popleft()
            try:
                task()
            except Closed:
                log.debug("%s: %s came too late: the state is closed", account, kind)
            except Exception:
                log.exception("%s: %s failed unexpectedly", account, kind)

    def wait(self) -> None:
        """Wait until nothing is waiting or under way."""
        with self._change:
            self._change.wait_for(lambda: not self._busy)

    def stop(self, seconds: float) -> bool:
        """Begin nothing more; whether what was under way ended within `seconds`."""
        with self._change:
            self._stopping = True
            return self._change.wait_for(lambda: not self._busy, seconds)


class Engine:
    """Reads sources and delivers to targets for the bots of a config.

    `rehearse` (a dry run) reports what would be posted through `report` and delivers nothing; so
    does each bot with `mode: dry-run`. `wake(account, when)` is asked to call `deliver` again,
    `wake_follower` to call `follow`, `wake_reader` to call `read_due`.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        accounts: Accounts,
        *,
        report: Report,
        rehearse: bool = False,
        wake: Callable[[str, datetime], None] = lambda _account, _when: None,
        wake_follower: Callable[[str, datetime], None] = lambda _account, _when: None,
        wake_reader: Callable[[str, datetime], None] = lambda _account, _when: None,
    ) -> None:
        self.config = config
        self.store = store
        self.accounts = accounts
        self.lanes = Lanes()
        self.pulse = Pulse()
        self._report = report
        self._rehearse = rehearse
        self._wake = wake
        self._wake_follower = wake_follower
        self._wake_reader = wake_reader
        self._looked_at: dict[str, dict[str, datetime]] = {}
        self._due: dict[tuple[str, bool], set[str]] = {}
        self._due_lock = threading.Lock()
        self._last_read: dict[tuple[str, str], datetime] = {}
        self._rests_until: dict[str, datetime] = {}
        self._said: dict[tuple[str, str], str] = {}
        self._bots_of: dict[str, list[Bot]] = {}
        for bot in config.bots.values():
            for source in _sources(bot):
                self._bots_of.setdefault(source, []).append(bot)
        self._rehearsal: Store | None = store if rehearse else None
        self.guard = Guard(store, go_on=self.deliver_waiting)
        self._paused = store.pauses()

    def prepare(self) -> None:
        """What a start does first: what changed in the config, and what people should know."""
        for bot in self.config.bots.values():
            if bot.was and self.store.rename_bot(bot.was, bot.name):
                log.info("%s: took over the memory of %s", bot.name, bot.was)
        held = self.store.hold_orphans(self.config.bots)
        held += self._hold_what_no_account_takes()
        if held:
            log.warning(
                "%d drafts whose bot or target is not in the config any more are held", held
            )
        self.store.forget_login_waits()
        self._compare_with_last_run()
        self._say_what_is_stopped()

    def _hold_what_no_account_takes(self) -> int:
        """Hold what waits for accounts that bots do not post to any more; how many drafts.

        Only where every target has been used under its name: one may have been renamed.
        """
        known = self.store.accounts()
        targets = {route.target for bot in self.config.bots.values() for route in bot.routes}
        if not targets <= known.keys():
            return 0
        return self.store.hold_unclaimed(known[name]["identity"] for name in targets)

    def mind_the_clock(self) -> None:
        """What a start does about a clock that is behind the time of the last run."""
        last = self.pulse.latest()
        if last is not None and last > self.accounts.now() + TOLERANCE:
            self.clock_was_set(self.accounts.now() - last)

    def clock_was_set(self, by: timedelta) -> None:
        """Go on by a clock that was set: times to wait for may lie far off now."""
        way = "back" if by < timedelta(0) else "forward (or the machine slept)"
        log.warning("the clock was set %s by %s: what waits is tried at once", way, abs(by))
        self._last_read.clear()
        self._rests_until.clear()
        if by < timedelta(0):
            self.accounts.forget_failures()
            ratelimit.SHARED.forget()
            self.guard.run(self.store.forget_waits)
        self.guard.run(self.deliver_waiting)
        self.follow_all()

    def _compare_with_last_run(self) -> None:
        """Notice a state that was lost or restored: what it does not know may stand already."""
        assert self.store.file is not None
        name_state(self.store)
        if self.store.fact(DOUBTED) == "" and fell_behind(self.store, self.store.file):
            self.store.set_fact(DOUBTED, self.accounts.now().isoformat())
        if self.store.fact(DOUBTED):
            log.warning(
                "%s: the state was lost, or is older than the last run: posts from before are held "
                "where they could be doubled; `tribridge relink` finds what stands",
                self.store.file,
            )

    def save_pulse(self) -> None:
        """Keep when everything last ran, and how far the state had come by then."""
        assert self.store.file is not None
        self.pulse.save(self.store.file, lambda: state_of(self.store))

    def _say_what_is_stopped(self) -> None:
        alike: dict[tuple[str, str, str], list[QueuedDraft]] = {}
        for draft in self.store.stopped():
            alike.setdefault((draft.state, draft.error, draft.bot), []).append(draft)
        for (state, reason, bot), drafts in list(alike.items())[:MOST_TOLD]:
            todo = remedy(drafts[0].code, drafts[0].id, bot)
            more = f" and {len(drafts) - 1} more" if len(drafts) > 1 else ""
            log.warning("%s: %s%s: %s (%s)", state, drafts[0].source_url, more, reason, todo)
        if len(alike) > MOST_TOLD:
            log.warning("more is held or dead for other reasons: see `tribridge outbox`")

    def close(self) -> None:
        """Close what a dry run remembered; nothing may be under way."""
        if self._rehearsal is not None:
            self._rehearsal.close()

    def tick(self, bot: Bot) -> None:
        """A bot's time has come: have its sources read, unless another bot's tick just did.

        Bots with the same source share its readings, so that many of them do not ask for the same
        page one after the other; those with a `cron` keep to their own times.
        """
        for source in _sources(bot):
            if bot.cron or not self._is_fresh(bot, source):
                self._submit(bot, source)

    def read(self, bot: Bot) -> None:
        """Have every source of a bot read now."""
        for source in _sources(bot):
            self._submit(bot, source)

    def look(self) -> None:
        """Take up what people have decided since: pauses, orders, drafts let go."""
        self.guard.run(self._look)

    def _look(self) -> None:
        before, self._paused = self._paused, self.store.pauses()
        self.obey()
        self.deliver_waiting()
        for bot in self.config.bots.values() if before - self._paused else ():
            self.read(bot)

    def obey(self) -> None:
        """Have every order carried out that waits."""
        for order in self.store.open_orders():
            self.lanes.submit("orders", f"order {order.id}", partial(self._order, order))

    def _order(self, order: Order) -> None:
        self.guard.run(lambda: self._place(order))

    def _place(self, order: Order) -> None:
        """Bring an order into the lane of its account."""
        try:
            where = orders.place(order, self.config, self.accounts, self.store)
        except ClientError as error:
            where = orders.Done(ok=False, answer=str(error))
        except Exception as error:  # noqa: BLE001
            where = _defect(order, error)
        if isinstance(where, orders.Done):
            self._answer(order, where)
        else:
            work = partial(self._carry_out, order, where)
            self.lanes.submit(where.account, f"order {order.id}", partial(self.guard.run, work))

    def _carry_out(self, order: Order, where: orders.Place) -> None:
        if self.store.is_done(order.id):
            return
        try:
            done = orders.carry_out(order, where, self.config, self.accounts, self.store)
        except ClientError as error:
            done = orders.Done(ok=False, answer=str(error))
        except Exception as error:  # noqa: BLE001
            done = _defect(order, error)
        self._answer(order, done)
        for target in done.targets:
            self.deliver(target)

    def _answer(self, order: Order, done: orders.Done) -> None:
        log.info("%s %s: %s", order.kind, order.argument, done.answer.replace("\n", "; "))
        self.store.answer_order(order.id, done.answer, self.accounts.now(), ok=done.ok)

    def _is_paused(self, account: str) -> bool:
        """Whether nothing may be read from an account, or sent to it, as of this moment."""
        return _rests(account, self.store.pauses())

    def _submit(self, bot: Bot, source: str) -> None:
        if bot.mode == "disabled":
            return
        dry, rests_until = self._is_dry(bot), self._rests_until.get(source, _NEVER)
        if self.accounts.now() < rests_until:
            self._put_off(source, dry, {bot.name}, rests_until)
            return
        with self._due_lock:
            self._due.setdefault((source, dry), set()).add(bot.name)
        self.read_due(source)

    def _let_rest(self, source: str, error: ClientError) -> datetime:
        """Leave a source alone after an error as long as that says; when to read it again."""
        now = self.accounts.now()
        if isinstance(error, Busy):
            self._rests_until[source] = error.retry_at
        elif isinstance(error, LoginNeeded):
            self._rests_until[source] = now + LOGIN_WAIT
        return max(now + READ_AGAIN, self._rests_until.get(source, now))

    def _put_off(self, source: str, dry: bool, names: set[str], until: datetime) -> None:  # noqa: FBT001
        """Have a source read later for bots with a `cron`; the others soon ask by themselves."""
        late = {name for name in names if self.config.bots[name].cron}
        if late:
            with self._due_lock:
                self._due.setdefault((source, dry), set()).update(late)
            self._wake_reader(source, until)

    def read_due(self, source: str) -> None:
        """Have a source read for the bots that wait for it."""
        with self._due_lock:
            kinds = [dry for name, dry in self._due if name == source]
        for dry in kinds:
            read = partial(self._read, source, dry)
            self.lanes.submit(source, f"read {dry}", partial(self.guard.run, read))

    def _is_dry(self, bot: Bot) -> bool:
        return self._rehearse or bot.mode == "dry-run"

    def _is_fresh(self, bot: Bot, source: str) -> bool:
        """Whether a bot had its source read less than half its interval ago."""
        last = self._last_read.get((bot.name, source))
        return last is not None and timedelta(0) <= self.accounts.now() - last < bot.every / 2

    def _read(self, source: str, dry: bool) -> None:  # noqa: FBT001 - a private task
        pauses = self.store.pauses()
        if _rests(source, pauses):
            return
        with self._due_lock:
            names = self._due.pop((source, dry), set())
            names |= {
                bot.name
                for bot in self._bots_of[source]
                if bot.mode != "disabled"
                and self._is_dry(bot) == dry
                and not bot.cron
                and not self._is_fresh(bot, source)
            }
            names = {name for name in names if ("bot", name) not in pauses}
            if not names:
                return
            for name in names:
                self._last_read[name, source] = self.accounts.now()
        routes = [
            (name, route)
            for name in sorted(names)
            for route in self.config.bots[name].routes
            if route.source == source
        ]
        store = self._rehearsal_store() if dry else self.store
        report = self._report if dry else None
        done = ingest(source, routes, self.accounts, store, report=report)
        for bot in sorted(done.began):
            log.info("%s: first run on %s: takes posts from here on", bot, source)
        if done.flood:
            log.warning(
                "%s: %d drafts are held: more posts within an hour than a target's limit; "
                "see `tribridge outbox`",
                source,
                done.flood,
            )
        if done.posts:
            log.info(
                "%s: read %d posts: %d queued, %d skipped",
                source,
                done.posts,
                done.queued,
                done.skipped,
            )
        if source in done.errors:
            self._put_off(source, dry, names, self._let_rest(source, done.errors[source]))
        asked = {source, *(route.target for _, route in routes)}
        self.pulse.read(source, names, asked, self.accounts.now(), done.errors)
        for account in asked:
            self._warn(account, "reading", done.errors.get(account))
        if not dry:
            # what waits for an account that had another name in the config is found when it opens
            for target in done.targets | self.accounts.newly_opened():
                self.deliver(target)
            if done.taken:
                looked_at = self._looked_at.setdefault(source, {})
                looked_at.update(dict.fromkeys(done.taken, self.accounts.now()))
                self.follow(source)

    def follow(self, source: str) -> None:
        """Have what is due of an account's originals looked at: edits, deletions, delays."""
        if not self._rehearse:
            work = partial(self.guard.run, partial(self._follow, source))
            self.lanes.submit(source, "follow", work)

    def follow_all(self) -> None:
        """Have the originals of every source looked at, as far as they are due."""
        for source in self._bots_of:
            self.follow(source)

    def _follow(self, source: str) -> None:
        now = self.accounts.now()
        if self._is_paused(source):
            self._wake_follower(source, now + FOLLOW_PAUSED)
            return
        looked_at = self._looked_at.setdefault(source, {})
        try:
            done = follow(source, self.config.bots, self.accounts, self.store, looked_at)
        except Exception:  # whatever it is may pass: nothing else would call this again
            self._wake_follower(source, now + FOLLOW_PAUSED)
            raise
        if done.edits or done.deletions:
            log.info("%s: %d edits and %d deletions seen", source, done.edits, done.deletions)
        if done.held:
            log.warning("%s: %d changes are held; see `tribridge outbox`", source, done.held)
        self._warn(source, "following", done.error)
        for target in done.targets:
            self.deliver(target)
        if done.next_at is not None:
            self._wake_follower(source, done.next_at)

    def _rehearsal_store(self) -> Store:
        with self._due_lock:
            if self._rehearsal is None:
                self._rehearsal = Store.in_memory(self.store.file)
            return self._rehearsal

    def deliver(self, target: str) -> None:
        """Have everything that is due sent to an account."""
        if not self._rehearse:
            self.lanes.submit(target, "deliver", lambda: self._deliver(target))

    def deliver_waiting(self) -> None:
        """Have everything that waits for any configured account sent, as far as it is due."""
        names = self.accounts.names_of(self.store.waiting_targets())
        for name in names.values():
            self.deliver(name)

    def _deliver(self, target: str) -> None:
        done = False
        try:
            done = self.guard.run(lambda: self._deliver_now(target))
        finally:
            if not done:  # whatever it was may pass: nothing else would call this lane again
                self._wake(target, self.accounts.now() + AFTER_A_DEFECT)

    def _warn(self, account: str, work: str, error: ClientError | None) -> None:
        """Log an error; that a person must renew a login is said once, until it works again."""
        said = str(error) if isinstance(error, LoginNeeded) else ""
        before = self._said.get((account, work), "")
        self._said[account, work] = said
        if error is not None and (not said or said != before):
            log.warning("%s: %s", account, error)

    def _deliver_now(self, target: str) -> None:
        if self._is_paused(target):
            return
        done = deliver(
            target,
            self.accounts,
            self.store,
            self.config.bots,
            stopping=lambda: self.lanes.stopping or self._is_paused(target),
        )
        if done.sent:
            log.info("%s: posted %d", target, done.sent)
        for reason in done.stopped:
            log.warning("%s: %s", target, reason)
        if done.error is not None or done.sent:
            self._warn(target, "delivery", done.error)
        if not done.rested:
            self.pulse.delivered(target, self.accounts.now(), done.error)
        if done.next_at is not None:
            self._wake(target, done.next_at)


_NEVER = datetime.min.replace(tzinfo=UTC)


def _rests(account: str, pauses: frozenset[tuple[PauseKind, str]]) -> bool:
    return not {("all", ""), ("account", account)}.isdisjoint(pauses)


def _sources(bot: Bot) -> set[str]:
    return {route.source for route in bot.routes}


def _defect(order: Order, error: Exception) -> orders.Done:
    """The answer to an order that met an error that should not happen: it is not tried for ever.

    While the state cannot be written there is no answer: the order waits.
    """
    if isinstance(error, StateError):
        raise error
    log.error("order %d failed unexpectedly", order.id, exc_info=error)
    name = type(error).__name__
    return orders.Done(ok=False, answer=f"it failed unexpectedly ({name}): report it with the log")
