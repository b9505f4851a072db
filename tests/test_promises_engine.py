"""Promises of the engine where two things meet: commands and deliveries, doubts and restarts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bridge.accounts import Accounts
from bridge.simulation import Fault
from bridge.store import DOUBTED
from bridge.workers import Engine
from tests.test_mirroring import WRITES, png
from tests.test_relink import command, lose, run_once
from tests.world import PEOPLE, World, world


def test_a_relink_that_was_cut_off_loses_nothing(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: x}") as w:
        run_once(w)
        w.simulator("x").faults = [Fault("answer", WRITES["x"], times=99, status=503, body="")]
        w.say("m", "Broen er stengt")
        w.read("m")
        w.store.set_fact(DOUBTED, w.clock().isoformat())
        w.clock.advance(seconds=1)
        w.simulator("x").faults = []
        w.deliver("x")
        assert [d.code for d in w.store.stopped()] == ["state"]
        # the target answers nothing while it is looked what stands there
        w.simulator("x").faults = [Fault("answer", "GET ", times=99, status=503, body="")]
        assert command(w, "relink").exit_code == 1
        w.simulator("x").faults = []
        w.clock.advance(minutes=5)
        assert command(w, "relink").exit_code == 0
        run_once(w)
        assert w.texts("x") == ["Broen er stengt"]


def test_what_was_on_its_way_in_an_old_state_goes_on_after_relink(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: x}") as w:
        run_once(w)
        w.say("m", "Toget er i rute")
        w.read("m")
        w.simulator("x").faults = [Fault("drop_before", WRITES["x"])]
        draft = w.store.next_draft(w.accounts.open("x").identity.id, w.clock())
        assert draft is not None
        w.store.sending(draft, {"text": "Toget er i rute"}, "", w.clock())
        w.simulator("x").faults = []
        w.store.set_fact(DOUBTED, w.clock().isoformat())
        run_once(w)
        assert [d.code for d in w.store.stopped()] == ["state"]
        assert command(w, "relink").exit_code == 0
        run_once(w)
        assert w.texts("x") == ["Toget er i rute"]


@pytest.mark.parametrize("words", [(), ("--since", "2026-12-31")])
def test_relink_finds_what_waited_however_old_it_is(tmp_path: Path, words: tuple[str, ...]) -> None:
    with world(tmp_path, "one: {from: m, to: x, backfill: {last: 1}}") as w:
        run_once(w)
        w.say("m", "Vinteren er lang")
        w.say("m", "og våren er kort")
        w.store.set_fact(DOUBTED, w.clock().isoformat())
        run_once(w)
        assert [d.code for d in w.store.stopped()] == ["state", "state"]
        w.clock.advance(days=40)
        assert command(w, "relink", *words).exit_code == 0
        run_once(w)
        assert w.texts("x") == ["Vinteren er lang", "og våren er kort"]


def test_relink_leaves_held_what_it_does_not_look_for(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: x}\ntwo: {from: m2, to: x2}") as w:
        run_once(w)
        w.say("m", "Fyret er tent")
        w.store.set_fact(DOUBTED, w.clock().isoformat())
        run_once(w)
        w.configure("one: {from: m, to: x, mode: disabled}\ntwo: {from: m2, to: x2}")
        w.restart()
        assert command(w, "relink").exit_code == 0
        assert [d.code for d in w.store.stopped()] == ["state"]


@pytest.mark.parametrize("source", ["m", "x2"])
def test_relink_leaves_to_a_person_what_was_edited_since(tmp_path: Path, source: str) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: x, backfill: all}}") as w:
        run_once(w)
        number = w.say(source, "Møte klokka ni")
        w.say(source, "En annen sak")
        run_once(w)
        w.simulator(source).edit(PEOPLE[source][1], number, "Møte klokka ti")
        lose(w)
        assert "1 that cannot be told" in command(w, "relink").stdout
        run_once(w)
        assert w.texts("x") == ["Møte klokka ni", "En annen sak"]
        assert [d.code for d in w.store.stopped()] == ["doubt"]


def test_a_held_post_that_was_edited_is_settled_by_one_word(tmp_path: Path) -> None:
    with world(tmp_path, "both: {between: [m, x], in_doubt: resend}") as w:
        w.turn()
        w.say("x", "", images=[(png(), "kai")])
        w.simulator("m").faults = [Fault("drop_after", WRITES["m"])]
        w.read("x")
        w.deliver("m")
        number = w.simulator("m").say("anna", "", images=[(png(), "kai")])
        w.read("m")
        assert len(w.store.held_posts()) == 2
        w.clock.advance(minutes=1)
        w.simulator("m").edit("anna", number, "Kaia i kveldslys")
        w.read("m")
        w.command("mirror", page(w, number))
        assert len(w.store.held_posts()) == 1


def test_a_draft_that_is_dropped_while_its_image_is_renewed_stays_dropped(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: x}") as w:
        w.turn()
        w.say("m", "Et bilde", images=[(png(), "grønt")])
        w.read("m")
        (draft,) = w.store.unsent()
        w.store.drop([draft])
        w.store.forget_uploads(draft)
        assert w.store.unsent() == []


def test_a_post_decided_on_under_the_new_name_does_not_keep_a_renamed_bot_from_starting(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "old: {from: m, to: b}") as w:
        run_once(w, 1)
        number = w.say("m", "Avlyst: konserten i kveld")
        w.read("m")
        w.configure("new: {from: m, to: b, was: old}")
        w.restart()
        assert command(w, "skip", page(w, number)).exit_code == 0
        run_once(w)
        assert w.texts("b") == []
        w.say("m", "Ny konsert i morgen")
        run_once(w)
        assert w.texts("b") == ["Ny konsert i morgen"]


def page(w: World, number: str) -> str:
    account = w.accounts.open("m")
    return account.client.find(number).url


def test_a_paused_bot_stays_paused_under_its_new_name(tmp_path: Path) -> None:
    with world(tmp_path, "old: {from: m, to: b}") as w:
        run_once(w, 1)
        w.store.pause("bot", "old", w.clock())
        w.configure("new: {from: m, to: b, was: old}")
        w.restart()
        w.say("m", "Ikke ennå")
        run_once(w)
        assert w.texts("b") == []
        assert command(w, "resume", "new").exit_code == 0
        run_once(w)
        assert w.texts("b") == ["Ikke ennå"]


def test_an_order_about_one_account_does_not_fail_for_another_that_cannot_log_in(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "one: {from: m, to: b}\ntwo: {from: m2, to: b2}") as w:
        number = w.say("m2", "Hilsen fra Berit")
        w.accounts.open("b2")
        url = w.accounts.open("m2").client.find(number).url
        w.simulator("m").faults = [Fault("answer", "GET ", status=401, body="{}")]
        done = w.command("skip", url)
        assert (done.exit_code, done.stdout) == (0, "b2: left out\n"), done.stderr


def test_an_edited_post_of_x_is_left_out_by_the_address_that_it_has_now(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: x, to: b, mode: approve}") as w:
        w.turn()
        number = w.say("x", "Meeting at nine")
        w.turn()
        w.clock.advance(minutes=2)
        edited = w.simulator("x").edit("anna", number, "Meeting at ten")
        w.turn()
        assert [d.code for d in w.store.stopped()] == ["approve"]
        done = w.command("skip", f"https://x.com/anna/status/{edited}")
        assert done.exit_code == 0
        assert w.store.stopped() == []


def test_an_address_that_may_be_of_two_accounts_is_asked_for_once_more(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: x, to: b}\ntwo: {from: x2, to: b2}") as w:
        w.turn()
        number = w.say("x2", "The tide is out")
        asked = w.command("mirror", f"https://x.com/i/status/{number}")
        assert asked.exit_code == 1
        assert "may be a post of x or x2: give its address with" in asked.stderr
        assert w.command("mirror", f"https://x.com/berit/status/{number}").exit_code == 0


def test_a_post_that_was_left_out_before_the_first_run_stays_so(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b, backfill: all}") as w:
        w.say("m", "Ja")
        number = w.say("m", "Nei")
        assert w.command("skip", page(w, number)).stdout == "b: left out\n"
        w.rest(3)
        assert w.texts("b") == ["Ja"]


def test_a_dropped_thread_that_is_retried_goes_out_whole(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: x}") as w:
        w.turn()
        w.say("m", " ".join(["ord"] * 110))
        w.read("m")
        parts = w.store.unsent()
        assert len(parts) > 1
        w.store.drop(parts[:1])
        assert w.command("outbox", "retry", str(parts[0].id)).exit_code == 0
        w.rest(3)
        assert len(w.texts("x")) == len(parts)


def test_a_post_that_one_bot_leaves_out_is_mirrored_by_hand_through_another(tmp_path: Path) -> None:
    bots = """
    a: {from: m, to: x, long: skip}
    c: {from: m, to: x}
    """
    with world(tmp_path, bots) as w:
        w.turn()
        number = w.say("m", " ".join(["ord"] * 110))
        assert w.command("mirror", page(w, number)).stdout == "x: queued\n"


def test_a_server_that_acts_after_the_post_was_sent_again_starts_no_loop(tmp_path: Path) -> None:
    with world(tmp_path, "both: {between: [b, x], in_doubt: resend}") as w:
        w.turn()
        w.say("b", "", images=[(png(), "Deich")])
        w.simulator("x").faults = [Fault("drop_before", WRITES["x"])]
        w.rest(6)
        assert len(w.copies("x")) == 1
        w.simulator("x").say("anna", "", images=[(png(), "Deich")])  # the first request, late
        w.rest(4)
        assert w.copies("b") == []
        assert ["may be our own copy" in held.reason for held in w.store.held_posts()] == [True]


def test_a_reply_that_waits_for_a_paced_post_is_left_alone_until_that_stands(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "one: {from: m, to: b, backfill: all}") as w:
        w.settings["b"]["limits"] = {"posts_per_hour": 6}
        w.configure("one: {from: m, to: b, backfill: all}")
        w.restart()
        w.say("m", "Første")
        second = w.say("m", "Andre")
        w.say("m", "Et svar på andre", reply_to=second)
        w.turn()
        assert w.texts("b") == ["Første"]
        written: list[datetime] = []
        put_off = w.store.put_off
        w.store.put_off = lambda *a, **k: (written.append(w.clock()), put_off(*a, **k))[1]  # type: ignore[method-assign]
        for _ in range(9):
            w.clock.advance(minutes=1)
            w.deliver("b")
        assert len(written) <= 1
        w.clock.advance(minutes=1)
        w.deliver("b")
        assert w.texts("b") == ["Første", "Andre", "Et svar på andre"]


def test_a_copy_of_the_time_when_the_clock_was_ahead_is_found(tmp_path: Path) -> None:
    bots = "one: {from: b, to: m, in_doubt: resend}"
    with world(tmp_path, bots, flavour="gotosocial") as w:
        w.accounts = Accounts(w.config, w.store, lambda: w.clock() + timedelta(days=1))
        w.turn()
        w.say("b", "Die Uhr geht vor")
        w.simulator("m").faults = [
            Fault("drop_after", WRITES["m"]),
            Fault("answer", "GET ", skip=1, times=9, status=503, body=""),
        ]
        w.read("b")
        w.deliver("m")
        assert len(w.journal("m")) == 1
        w.simulator("m").faults = []
        w.clock.advance(hours=1)
        w.restart()
        w.store.forget_waits()  # as at a start that finds the clock set back
        w.rest(6)
        assert w.texts("m") == ["Die Uhr geht vor"]


def test_an_order_that_was_taken_back_is_no_defect(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        engine = Engine(w.config, w.store, w.accounts, report=lambda *_: None)
        number = w.store.order("mirror", "https://nowhere.example/1", w.clock())
        (order,) = w.store.open_orders()
        assert w.store.withdraw_order(number)
        from bridge.orders import Place

        engine._carry_out(order, Place("m", "1"))


@pytest.mark.parametrize("ask", ["backfilled", "doubtful"])
def test_what_is_asked_at_every_turn_does_not_read_years(tmp_path: Path, ask: str) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        steps = []
        store = w.store
        target = w.accounts.open("b").identity.id
        with store.write() as db:
            db.conn.executemany(
                "INSERT INTO drafts (bot, target, source, source_id, part, generation, key, draft,"
                " backfill, state, attempted_at, doubted_at, created_at)"
                " VALUES ('one', ?, 's', ?, 1, 0, 'k', '{}', 0, 'sent', ?, ?, ?)",
                (
                    (target, str(n), *[(w.clock() - timedelta(days=9)).isoformat()] * 3)
                    for n in range(2000)
                ),
            )
        conn = store._db().conn
        conn.set_progress_handler(lambda: steps.append(1) and None, 100)
        if ask == "doubtful":
            store.doubtful(target, w.clock() - timedelta(days=7))
        else:
            w.deliver("b")
        conn.set_progress_handler(None, 0)
        assert len(steps) < 50
