from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bridge.daemon import once
from bridge.pulse import Pulse, last_runs, pulse_file
from bridge.simulation import Fault
from bridge.workers import Engine, Lanes
from tests.waiting import HANGS
from tests.world import Clock, world


def test_tasks_of_one_account_run_in_order_and_those_of_others_beside_them() -> None:
    lanes = Lanes(threads=2)
    gate, done = threading.Event(), []
    lanes.submit("a", "first", lambda: (gate.wait(HANGS), done.append("a first")))
    lanes.submit("a", "second", lambda: done.append("a second"))
    lanes.submit("b", "only", lambda: (done.append("b"), gate.set()))
    lanes.wait()
    assert done == ["b", "a first", "a second"]
    assert lanes.stop(HANGS)


def test_a_task_that_waits_already_is_not_added_again() -> None:
    lanes = Lanes(threads=1)
    gate, done = threading.Event(), []
    lanes.submit("a", "read", lambda: (gate.wait(HANGS), done.append(1)))
    lanes.submit("b", "read", lambda: done.append(2))
    for _ in range(3):
        lanes.submit("b", "read", lambda: done.append(3))
    gate.set()
    lanes.wait()
    assert done == [1, 2]


def test_a_task_that_fails_does_not_stop_its_lane(caplog: pytest.LogCaptureFixture) -> None:
    lanes, done = Lanes(), []

    def fail() -> None:
        raise ValueError("odd")

    lanes.submit("a", "bad", fail)
    lanes.submit("a", "good", lambda: done.append(1))
    lanes.wait()
    assert done == [1]
    assert "a: bad failed unexpectedly" in caplog.text


def test_stopping_begins_nothing_more_and_says_whether_all_ended() -> None:
    lanes = Lanes(threads=1)
    gate, begun, done = threading.Event(), threading.Event(), []
    lanes.submit("a", "hangs", lambda: (begun.set(), gate.wait(HANGS)))
    lanes.submit("a", "never", lambda: done.append(1))
    begun.wait(HANGS)
    assert not lanes.stop(0.01)
    lanes.submit("b", "never", lambda: done.append(2))
    gate.set()
    assert lanes.stop(HANGS)
    assert done == []


def test_last_runs_are_kept_beside_the_state_and_survive_a_broken_file(tmp_path: Path) -> None:
    state, clock, pulse = tmp_path / "t.db", Clock(), Pulse()
    pulse.read("m", ["one"], ["m", "x"], clock(), {"x": ValueError("down")})
    pulse.delivered("b", clock(), None)
    pulse.save(state)
    accounts, bots = last_runs(state)
    assert bots == {"one": clock().isoformat()}
    assert accounts["x"]["open_error"] == "down"
    assert accounts["b"]["delivered_at"] == clock().isoformat()
    pulse_file(state).write_text("{")
    assert last_runs(state) == ({}, {})


def test_every_bot_reads_even_when_many_share_a_source(tmp_path: Path) -> None:
    bots = "\n".join(f"bot{n}: {{from: m, to: {t}}}" for n, t in enumerate(["b", "x", "b2", "m2"]))
    with world(tmp_path, bots) as w:
        engine = Engine(w.config, w.store, w.accounts, report=lambda *_: None)
        once(engine, w.store)
        w.simulator("m").requests.clear()
        w.say("m", "Til alle fire")
        once(engine, w.store)
        assert [w.texts(t) for t in ("b", "x", "b2", "m2")] == [["Til alle fire"]] * 4
        pages = [n for k, n in w.requests("mastodon").items() if "statuses" in k and "GET" in k]
        assert sum(pages) <= 4


def test_a_bot_in_dry_run_reports_and_a_disabled_one_is_silent(tmp_path: Path) -> None:
    bots = "dry: {from: m, to: b, mode: dry-run}\noff: {from: m, to: x, mode: disabled}"
    shown: list[str] = []
    with world(tmp_path, bots) as w:
        engine = Engine(w.config, w.store, w.accounts, report=lambda bot, *_: shown.append(bot))
        once(engine, w.store)
        w.say("m", "Bare til syne")
        once(engine, w.store)
        engine.close()
        assert shown == ["dry"]
        assert (w.copies("b"), w.copies("x")) == ([], [])
        assert w.store.verdicts() == []


def test_a_bot_that_was_renamed_goes_on_where_it_stood(tmp_path: Path) -> None:
    with world(tmp_path, "old: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Før")
        w.turn()
        w.say("m", "Mens navnet byttes")
        w.configure("new: {from: m, to: b, was: old}")
        w.restart()
        once(Engine(w.config, w.store, w.accounts, report=lambda *_: None), w.store)
        assert w.texts("b") == ["Før", "Mens navnet byttes"]


def test_drafts_of_a_bot_that_is_gone_are_held(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}\ntwo: {from: m, to: x}") as w:
        w.turn()
        w.say("m", "Hvem sender denne?")
        w.read("m")
        w.configure("two: {from: m, to: x}")
        w.restart()
        w.deliver("b")
        w.deliver("x")
        assert (w.texts("b"), w.texts("x")) == ([], ["Hvem sender denne?"])
        (held,) = w.store.troubled()
        assert "its bot one is not in the config" in held.error


def test_two_names_for_one_account_are_an_error_not_a_loop(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        again = dict(w.settings["m"])
        again["access_token"] = w.simulator("m").account("anna", "Phone")["access_token"]
        w.settings["m2"] = again
        w.configure("one: {between: [m, m2]}")
        w.restart()
        errors = w.read("m").errors
        assert "accounts m and m2 are both" in str(errors["m2"])
        w.say("m", "Skal ikke gå i ring")
        w.rest()
        assert w.copies("m") == []


def test_bots_with_one_source_share_its_readings(tmp_path: Path) -> None:
    bots = "\n".join(f"bot{n}: {{from: m, to: {'b' if n % 2 else 'x'}}}" for n in range(20))
    with world(tmp_path, bots) as w:
        engine = Engine(w.config, w.store, w.accounts, report=lambda *_: None)
        once(engine, w.store)
        w.clock.advance(minutes=5)
        w.simulator("m").requests.clear()
        for _ in range(4):
            for bot in w.config.bots.values():
                engine.tick(bot)
                engine.lanes.wait()
                w.clock.advance(seconds=6)
        pages = [n for kind, n in w.requests("mastodon").items() if kind.endswith("statuses")]
        assert sum(pages) == 8


def test_a_bot_with_a_cron_keeps_to_its_own_times(tmp_path: Path) -> None:
    with world(tmp_path, "often: {from: m, to: b}\nrarely: {from: m, to: x, every: 1h}") as w:
        rarely = replace(w.config.bots["rarely"], cron="0 9 * * mon")
        bots = {**w.config.bots, "rarely": rarely}
        engine = Engine(replace(w.config, bots=bots), w.store, w.accounts, report=lambda *_: None)
        engine.tick(bots["often"])
        engine.lanes.wait()
        assert {route.bot for route in w.store.first_runs()} == {"often"}
        engine.tick(rarely)
        engine.lanes.wait()
        assert {route.bot for route in w.store.first_runs()} == {"often", "rarely"}


@pytest.mark.parametrize(("status", "wait"), [(429, 600), (503, 300)])
def test_a_bot_with_a_cron_is_not_late_by_a_whole_turn_for_a_source_that_was_away(
    tmp_path: Path, status: int, wait: int
) -> None:
    with world(tmp_path, "often: {from: m, to: b}\nrarely: {from: m, to: x, every: 1h}") as w:
        rarely = replace(w.config.bots["rarely"], cron="0 9 * * mon")
        config = replace(w.config, bots={**w.config.bots, "rarely": rarely})
        woken: list[tuple[str, datetime]] = []
        engine = Engine(
            config,
            w.store,
            w.accounts,
            report=lambda *_: None,
            wake_reader=lambda account, at: woken.append((account, at)),
        )

        def tick(name: str) -> None:
            engine.tick(config.bots[name])
            engine.lanes.wait()

        tick("often")
        tick("rarely")
        w.say("m", "Ferja går")
        headers = {"Retry-After": "600"}
        w.simulator("m").faults = [Fault("answer", status=status, headers=headers, times=9)]
        tick("rarely")
        assert woken == [("m", w.clock() + timedelta(seconds=wait))]
        tick("often")
        w.clock.advance(seconds=wait - 1)
        tick("rarely")  # a crontab may name every minute
        assert woken[-1][1] > w.clock()
        w.simulator("m").faults = []
        assert w.texts("x") == []
        w.clock.advance(seconds=301)
        engine.read_due("m")
        engine.lanes.wait()
        assert w.texts("x") == ["Ferja går"]
        w.simulator("m").requests.clear()
        engine.read_due("m")
        engine.lanes.wait()
        assert not w.requests("mastodon")


def test_a_source_that_asks_for_rest_gets_it(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        engine = Engine(w.config, w.store, w.accounts, report=lambda *_: None)
        once(engine, w.store)
        w.simulator("m").faults = [
            Fault("answer", status=429, headers={"Retry-After": "600"}, body="{}")
        ]
        for _ in range(5):
            w.clock.advance(minutes=2)
            engine.tick(w.config.bots["one"])
            engine.lanes.wait()
        w.simulator("m").requests.clear()
        w.clock.advance(minutes=2)
        engine.tick(w.config.bots["one"])
        engine.lanes.wait()
        assert sum(w.requests("mastodon").values()) == 1
