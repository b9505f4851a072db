"""The daemon's schedule, with real threads and real time, on simulated networks."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.daemon import Daemon
from tests.waiting import HANGS
from tests.world import World


@pytest.fixture
def bare(tmp_path: Path) -> Any:
    made = World(tmp_path, "one: {from: m, to: b}")
    yield made
    made.close()


def test_two_hundred_bots_due_in_the_same_second_all_run(
    bare: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.daemon.SPREAD", 0.0)
    bare.configure("\n".join(f"bot{n}: {{from: m, to: b}}" for n in range(200)))
    bare.accounts.now = lambda: datetime.now(UTC)
    daemon = Daemon(bare.config, bare.store, bare.accounts, report=lambda *_: None)
    ran: set[str] = set()
    all_ran = threading.Event()

    def read(bot: Any) -> None:
        ran.add(bot.name)
        if len(ran) == 200:
            all_ran.set()

    daemon.engine.tick = read  # type: ignore[method-assign]
    daemon.start()
    assert all_ran.wait(HANGS), sorted(ran)
    assert daemon.stop()


def test_a_cron_runs_in_the_configured_zone(bare: World) -> None:
    bare.file.write_text(
        bare.file.read_text().replace(
            "one: {from: m, to: b}", "one: {from: m, to: b, cron: '0 9 * * mon-fri'}"
        )
        + "\ntimezone: Europe/Oslo\n"
    )
    from bridge import config

    loaded = config.load(bare.file)
    daemon = Daemon(loaded, bare.store, bare.accounts, report=lambda *_: None)
    trigger = daemon._trigger(loaded.bots["one"])
    friday_evening = datetime(2026, 11, 20, 19, tzinfo=UTC)
    assert trigger.get_next_fire_time(None, friday_evening) == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_a_source_is_read_again_at_the_time_that_the_engine_asks_for(bare: World) -> None:
    daemon = Daemon(bare.config, bare.store, bare.accounts, report=lambda *_: None)
    when = datetime(2026, 11, 23, 8, tzinfo=UTC)
    daemon.engine._wake_reader("m", when)
    job = daemon._scheduler.get_job("read m")
    assert (job.func, job.args) == (daemon.engine.read_due, ("m",))
    assert job.trigger.run_date == when


def test_polls_have_jitter_so_that_they_do_not_bunch(bare: World) -> None:
    daemon = Daemon(bare.config, bare.store, bare.accounts, report=lambda *_: None)
    trigger = daemon._trigger(bare.config.bots["one"])
    assert (trigger.interval.total_seconds(), trigger.jitter) == (120, 12)


def test_what_waited_when_the_daemon_ended_is_delivered_at_its_start(bare: World) -> None:
    bare.turn()
    bare.say("m", "Ventet over natten")
    bare.read("m")
    assert bare.copies("b") == []
    bare.restart()
    daemon = Daemon(bare.config, bare.store, bare.accounts, report=lambda *_: None)
    daemon.start()
    daemon.engine.lanes.wait()
    assert daemon.stop()
    assert bare.texts("b") == ["Ventet over natten"]


def test_the_end_waits_for_the_jobs_that_are_under_way(bare: World) -> None:
    daemon = Daemon(bare.config, bare.store, bare.accounts, report=lambda *_: None)
    begun, gate = threading.Event(), threading.Event()
    daemon.start()
    daemon._scheduler.add_job(lambda: (begun.set(), gate.wait(HANGS)))
    assert begun.wait(HANGS)
    assert not daemon.stop(0.01)
    gate.set()


def test_what_comes_after_the_end_is_no_alarm(
    bare: World, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = Daemon(bare.config, bare.store, bare.accounts, report=lambda *_: None)
    begun, gate = threading.Event(), threading.Event()

    def late() -> None:
        begun.set()
        assert gate.wait(HANGS)
        bare.store.verdicts()

    daemon._aside.submit("alerts", "check", late)
    assert begun.wait(HANGS)
    daemon.start()
    assert daemon.stop()  # alerts on their way are not waited for
    bare.store.close()
    gate.set()
    daemon._aside.wait()
    assert "failed unexpectedly" not in caplog.text
