"""A clock that is set by a day, back or forward: nothing doubled, nothing lost, no endless wait.

The networks keep the right time; ours is `shift` away from it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge import outbox
from bridge.accounts import Accounts
from bridge.clock import ClockWatch
from bridge.daemon import Daemon, once
from bridge.network import LoginNeeded
from bridge.pulse import Pulse
from bridge.simulation import Fault, FaultKind
from bridge.workers import Engine
from tests.world import World

DAY = timedelta(days=1)


class Shifted(World):
    """A world in which our own clock can be wrong."""

    shift = timedelta(0)

    def ours(self) -> datetime:
        return self.clock() + self.shift

    def restart(self) -> None:
        super().restart()
        self.accounts = Accounts(self.config, self.store, self.ours)

    def set_clock(self, shift: timedelta) -> None:
        """Set our clock, as the daemon or the next start notices."""
        by, self.shift = shift - self.shift, shift
        engine = self.engine()
        engine.clock_was_set(by)
        engine.lanes.wait()  # else it would still deliver while the test goes on

    def engine(self) -> Engine:
        return Engine(self.config, self.store, self.accounts, report=lambda *_: None)


@contextmanager
def shifted(folder: Path, bots: str) -> Iterator[Shifted]:
    made = Shifted(folder, bots)
    made.accounts = Accounts(made.config, made.store, made.ours)
    try:
        yield made
    finally:
        made.close()


def assert_everything_once(w: Shifted, said: dict[str, list[str]]) -> None:
    """Each account has what the others said, once and in order."""
    for account in said:
        for other, texts in said.items():
            if other != account:
                assert [t for t in w.texts(account) if t in texts] == texts, (account, other)
        assert len(w.texts(account)) == sum(len(t) for o, t in said.items() if o != account)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_is_wrong_for_a_while_doubles_and_loses_nothing(
    tmp_path: Path, days: int, restarts: bool
) -> None:
    with shifted(tmp_path, "all: {between: [m, b, x]}") as w:
        said: dict[str, list[str]] = {"m": [], "b": [], "x": []}

        def day(when: str) -> None:
            for account, texts in said.items():
                for number in (1, 2):
                    texts.append(f"{account} {when} {number} – en tekst på norsk")
                    w.say(account, texts[-1])
                    w.rest(1)
            w.rest(4)

        w.turn()
        day("med rett klokke")
        w.set_clock(days * DAY)
        if restarts:
            w.restart()
        day("med gal klokke")
        w.clock.advance(hours=3)
        day("noe senere")
        # X takes no request with a time that is not its own: what is for it has waited
        assert len(w.texts("x")) == 4
        w.set_clock(timedelta(0))
        if restarts:
            w.restart()
        day("med rett klokke igjen")
        assert_everything_once(w, said)
        assert w.store.unsent() == []
        logins = sum(n for k, n in w.requests("bluesky").items() if "createSession" in k)
        assert logins == 1


@pytest.mark.parametrize("days", [-1, 1])
@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
@pytest.mark.parametrize("target", ["m2", "b", "x"])
def test_what_was_in_doubt_when_the_clock_was_set_is_not_doubled(
    tmp_path: Path, target: str, kind: FaultKind, days: int
) -> None:
    with shifted(tmp_path, f"one: {{from: m, to: {target}}}") as w:
        w.turn()
        publish = {"m2": "POST /api/v1/statuses", "b": "POST /xrpc/com.atproto.repo.put"}
        w.simulator(target).faults = [Fault(kind, publish.get(target, "POST /2/tweets"))]
        w.say("m", "Uviss skjebne")
        w.read("m")
        once_only = iter([False, True])
        outbox.deliver(target, w.accounts, w.store, w.config.bots, stopping=lambda: next(once_only))
        assert [d.state for d in w.store.unsent()] == ["sending"]
        w.set_clock(days * DAY)
        w.rest(6)
        assert w.texts(target) in ([], ["Uviss skjebne"])
        w.set_clock(timedelta(0))
        w.say("m", "Og den neste")
        w.rest(6)
        # what a key proves no more, a person decides; it keeps nothing else
        held = [d.state for d in w.store.unsent()]
        assert held == (["held"] if (target, kind) == ("m2", "drop_before") else [])
        assert w.texts(target) == ["Uviss skjebne"] * (not held) + ["Og den neste"]


def test_a_key_of_unknown_age_is_never_used_again(tmp_path: Path) -> None:
    """Hours have passed, and the clock, set back since, says that it was a moment ago."""
    with shifted(tmp_path, "one: {from: m, to: m2}") as w:
        w.turn()
        w.simulator("m2").faults = [Fault("act_late", "POST /api/v1/statuses")]
        w.say("m", "Kommer sent")
        w.turn()
        w.clock.advance(hours=3)
        w.set_clock(-timedelta(hours=3, minutes=10))
        w.restart()
        w.rest(4)
        assert w.texts("m2") == []
        assert [d.state for d in w.store.unsent()] == ["held"]
        w.simulator("m2").release_late()
        assert w.texts("m2") == ["Kommer sent"]


def test_what_waited_for_a_time_goes_at_once_when_the_clock_was_set_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with shifted(tmp_path, "one: {from: m, to: b}") as w:
        engine = w.engine()
        once(engine, w.store)
        w.simulator("b").faults = [
            Fault("answer", "POST", status=429, headers={"ratelimit-reset": "0"}, body="{}")
        ]
        w.simulator("m").faults = [
            Fault("answer", "GET", status=429, headers={"Retry-After": "600"}, body="{}", skip=1)
        ]
        w.say("m", "Venter på sin tid")
        once(engine, w.store)
        w.clock.advance(minutes=20)
        once(engine, w.store)
        w.shift = -DAY
        engine.clock_was_set(w.shift)
        engine.lanes.wait()
        once(engine, w.store)
        assert w.texts("b") == ["Venter på sin tid"]
        assert "the clock was set back by 1 day" in caplog.text


def test_sources_and_logins_that_rested_are_tried_at_once_when_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    with shifted(tmp_path, "one: {from: m, to: b}") as w:
        engine = w.engine()
        once(engine, w.store)
        w.clock.advance(minutes=5)
        w.simulator("m").faults = [
            Fault("answer", status=429, headers={"Retry-After": "600"}, body="{}")
        ]
        engine.tick(w.config.bots["one"])
        engine.lanes.wait()
        w.say("m", "Etter hvilen")
        w.accounts = engine.accounts = Accounts(w.config, w.store, w.ours)
        w.accounts._failed["b"] = (w.ours() + timedelta(hours=1), LoginNeeded("no"))
        w.shift = -DAY
        engine.clock_was_set(w.shift)
        engine.tick(w.config.bots["one"])
        engine.lanes.wait()
        assert w.texts("b") == ["Etter hvilen"]


def test_a_reading_in_the_future_is_not_a_fresh_one(tmp_path: Path) -> None:
    with shifted(tmp_path, "one: {from: m, to: b}") as w:
        engine = w.engine()
        once(engine, w.store)
        w.say("m", "Leses straks")
        w.shift = -DAY
        engine.tick(w.config.bots["one"])
        engine.lanes.wait()
        assert w.texts("b") == ["Leses straks"]


def test_a_start_with_a_clock_that_is_behind_waits_for_no_old_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with shifted(tmp_path, "one: {from: m, to: b}") as w:
        once(w.engine(), w.store)
        w.say("m", "Før omstarten")
        w.simulator("b").faults = [Fault("answer", "POST", status=429, body="{}")]
        once(w.engine(), w.store)
        (waiting,) = w.store.unsent()
        assert waiting.code == "busy"
        w.shift = -DAY
        w.restart()
        once(w.engine(), w.store)
        assert w.texts("b") == ["Før omstarten"]
        assert "the clock was set back" in caplog.text
        caplog.clear()
        w.clock.advance(minutes=2)
        w.restart()
        once(w.engine(), w.store)
        assert "the clock was set" not in caplog.text


def test_the_pace_of_an_account_is_not_that_of_days_to_come(tmp_path: Path) -> None:
    with shifted(tmp_path, "one: {from: m, to: b}") as w:
        w.settings["b"]["limits"] = {"posts_per_hour": 2}
        w.configure("one: {from: m, to: b}")
        w.restart()
        w.turn()
        for number in range(2):
            w.say("m", f"Den gamle tiden {number}")
        w.turn()
        w.shift = -DAY
        w.clock.advance(minutes=61)
        w.say("m", "Den nye tiden")
        w.turn()
        assert w.texts("b")[-1] == "Den nye tiden"


@pytest.mark.parametrize("days", [-1, 1])
def test_a_post_from_the_future_goes_out_and_hides_nothing(tmp_path: Path, days: int) -> None:
    with shifted(tmp_path, "one: {from: b, to: [m, x]}") as w:
        w.turn()
        when = (w.clock() + days * timedelta(hours=20)).isoformat().replace("+00:00", "Z")
        w.say("b", "Fra en annen tid", created_at=when)
        w.rest(2)
        w.say("b", "Fra nå")
        w.rest(2)
        assert "Fra nå" in w.texts("m")
        assert w.texts("m").count("Fra en annen tid") <= 1
        if days > 0:
            assert w.texts("m") == ["Fra en annen tid", "Fra nå"]
            assert w.texts("x") == ["Fra en annen tid", "Fra nå"]


# Noticing it


class Clocks:
    """The time of day, and the clock that nobody can set."""

    def __init__(self) -> None:
        self.day = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.ticks = 1000.0

    def pass_(self, seconds: float) -> None:
        self.day += timedelta(seconds=seconds)
        self.ticks += seconds


def test_a_clock_that_was_set_is_noticed_once_and_one_that_runs_is_not() -> None:
    clocks = Clocks()
    watch = ClockWatch(lambda: clocks.day, lambda: clocks.ticks)
    clocks.pass_(3600)
    assert watch.was_set() is None
    clocks.day -= DAY
    clocks.pass_(5)
    assert watch.was_set() == -DAY
    assert watch.was_set() is None
    clocks.day += timedelta(seconds=20)
    assert watch.was_set() is None
    clocks.day += DAY
    assert watch.was_set() == DAY


@pytest.mark.parametrize("days", [-1, 1])
def test_the_daemon_gives_every_job_a_new_time_when_the_clock_was_set(
    tmp_path: Path, days: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tribridge")
    with shifted(tmp_path, "one: {from: m, to: b}\ntwo: {from: m2, to: x, every: 1h}") as w:
        w.accounts.now = lambda: datetime.now(UTC)
        daemon = Daemon(w.config, w.store, w.accounts, report=lambda *_: None)
        daemon.start()
        daemon.engine.lanes.wait()
        clocks = Clocks()
        daemon._clock = ClockWatch(lambda: clocks.day, lambda: clocks.ticks)
        clocks.day += days * DAY
        # as if they had been planned before the clock was set back
        for job in daemon._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC) - days * DAY)
        daemon.watch_the_clock()
        soon = datetime.now(UTC) + timedelta(minutes=5)
        assert {j.id for j in daemon._scheduler.get_jobs()} >= {"bot one", "bot two", "pulse"}
        assert all(
            job.next_run_time <= soon for job in daemon._scheduler.get_jobs() if job.id != "bot two"
        )
        assert caplog.text.count("the clock was set") == 1
        daemon.watch_the_clock()
        assert caplog.text.count("the clock was set") == 1
        assert daemon.stop()


def test_the_latest_of_the_last_runs_is_known() -> None:
    pulse = Pulse()
    assert pulse.latest() is None
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    pulse.read("m", ["one"], ["m"], at, {})
    pulse.delivered("b", at + timedelta(minutes=1), None)
    assert pulse.latest() == at + timedelta(minutes=1)
