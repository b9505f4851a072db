"""What is promised of sending, on servers that lie, forget, break off or decline."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge import outbox, overview
from bridge.simulation import Fault, Request, Response
from bridge.workers import Engine
from tests.test_mirroring import TRIANGLE, WRITES, drafts, png
from tests.world import World, world

#: how an account's own posts are read
READS = {"m": "GET /api/v1/accounts", "x": "GET /2/users/"}
#: refusals as an API words them, and as something in front of it does
REFUSALS = ['{"error": "Forbidden"}', "<html>Wartungsarbeiten</html>"]


def states(w: World, target: str) -> list[str]:
    """The states of all drafts for an account, oldest first."""
    identity = w.accounts.open(target).identity.id
    return [draft.state for draft in drafts(w) if draft.target == identity]


def engine(w: World, woken: list[tuple[str, datetime]] | None = None) -> Engine:
    """The workers of a daemon, with its alarm clock."""
    return Engine(
        w.config,
        w.store,
        w.accounts,
        report=lambda *_: None,
        wake=lambda account, at: woken.append((account, at)) if woken is not None else None,
    )


# Doubt


@pytest.mark.parametrize("body", REFUSALS)
@pytest.mark.parametrize("target", ["m", "x"])
def test_a_refused_reading_leaves_a_doubt_a_doubt_and_the_copy_does_not_come_home(
    tmp_path: Path, target: str, body: str
) -> None:
    third = "x" if target == "m" else "m"
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        w.say("b", "Zum Aufwärmen")
        w.rest(1)
        w.simulator(target).faults = [
            Fault("drop_after", match=WRITES[target]),
            Fault("answer", match=READS[target], status=403, body=body),
        ]
        w.say("b", "Steht längst da")
        w.read("b")
        w.deliver(target)
        assert states(w, target) == ["sent", "sending"]
        w.rest(4)
        assert states(w, target) == ["sent", "sent"]
        assert w.texts("b") == []
        assert w.texts(third) == ["Zum Aufwärmen", "Steht längst da"]


def test_a_resend_that_is_refused_is_held_and_the_first_request_may_still_act(
    tmp_path: Path,
) -> None:
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        w.simulator("m").faults = [
            Fault("act_late", match=WRITES["m"]),
            Fault("answer", match=WRITES["m"], status=422, body='{"error": "Validation failed"}'),
        ]
        w.say("b", "Sent, men godt")
        w.rest(4)
        assert states(w, "m") == ["held"]
        w.simulator("m").release_late()
        w.rest(4)
        assert states(w, "m") == ["sent"]
        assert [w.texts(account) for account in "mbx"] == [
            ["Sent, men godt"],
            [],
            ["Sent, men godt"],
        ]


@pytest.mark.parametrize("body", REFUSALS)
@pytest.mark.parametrize("target", ["m", "x"])
def test_a_refused_reading_before_sending_kills_nothing_in_the_queue(
    tmp_path: Path, target: str, body: str
) -> None:
    with world(tmp_path, f"one: {{from: b, to: {target}}}") as w:
        w.turn()
        said = [f"Besked nummer {n}" for n in range(4)]
        for text in said:
            w.say("b", text)
        w.simulator(target).faults = [
            Fault("answer", match=READS[target], status=404, body=body, times=100)
        ]
        w.turn()
        w.simulator(target).faults = []
        w.rest(3)
        assert w.texts(target) == said


@pytest.mark.parametrize("target", ["m", "b", "x"])
@pytest.mark.parametrize("status", [403, 404])
def test_a_web_page_instead_of_an_answer_kills_nothing(
    tmp_path: Path, target: str, status: int
) -> None:
    source = "b2" if target != "b" else "m2"
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        said = [f"Melding nummer {n}" for n in range(5)]
        for text in said:
            w.say(source, text)
        w.simulator(target).faults = [
            Fault("answer", match=WRITES[target], status=status, body="<html>Ups</html>", times=100)
        ]
        w.turn()
        w.simulator(target).faults = []
        w.clock.advance(minutes=30)
        w.rest(3)
        assert w.texts(target) == said
        assert states(w, target) == ["sent"] * 5


@pytest.mark.parametrize("target", ["m", "x"])
def test_pictures_without_words_in_doubt_never_adopt_another_picture(
    tmp_path: Path, target: str
) -> None:
    third = "x" if target == "m" else "m"
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        w.simulator(target).faults = [Fault("drop_before", match=WRITES[target])]
        w.say("b", "", images=[(png("red"), "Katten min")])
        w.read("b")
        w.deliver(target)
        own = w.say(target, "", images=[(png("blue"), "Noe helt annet")])
        w.rest(6)
        assert [copy.alts for copy in w.copies(third)] == [("Katten min",)]
        assert w.copies("b") == []
        if target == "m":
            # its key tells whether it stands, so it is sent again
            assert states(w, target) == ["sent"]
            assert [copy.alts for copy in w.copies(target)] == [("Katten min",)]
        else:
            assert states(w, target) == ["held"]
            assert w.copies(target) == []
            assert own in w.store.troubled()[0].error
        unsure = [v for v in w.store.verdicts() if v.verdict == "held"]
        assert {v.post_id for v in unsure} == {own}
        assert all(v.reason.startswith("may be our own copy of ") for v in unsure)


@pytest.mark.parametrize("source", ["x", "b"])
def test_a_full_width_hashtag_is_known_again_after_a_lost_answer(
    tmp_path: Path, source: str
) -> None:
    third = "b" if source == "x" else "x"
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        w.simulator("m").faults = [Fault("drop_after", match=WRITES["m"])]
        w.say(source, "Kveldens bilde ＃katt")
        w.rest(5)
        assert w.copies(source) == []
        assert (len(w.copies("m")), len(w.copies(third))) == (1, 1)


class Killed(BaseException):
    """The process is killed."""


@pytest.mark.parametrize("target", ["m", "b", "x"])
def test_a_reply_attaches_to_a_copy_that_is_recognised_on_the_same_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    source, third = [account for account in "mbx" if account != target]

    def killed(*_: object) -> None:
        raise Killed

    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        w.simulator(target).faults = [Fault("drop_after", match=WRITES[target])]
        origin = w.say(source, "الخبر الأول من Bergen")
        w.read(source)
        w.deliver(third)
        with monkeypatch.context() as patch:
            patch.setattr(outbox._Courier, "_settle", killed)
            with pytest.raises(Killed):
                w.deliver(target)
        w.restart()
        (copy,) = w.copies(target)
        w.say(target, "Et svar på kopien", reply_to=copy.id)
        w.read(target)
        w.rest(4)
        assert [(c.text, c.reply_to) for c in w.copies(source)] == [("Et svar på kopien", origin)]
        assert w.texts(third)[-1] == "Et svar på kopien"


def test_two_bots_that_cut_differently_make_one_copy(tmp_path: Path) -> None:
    bots = "one: {from: m, to: b, long: truncate}\ntwo: {from: m, to: b, long: thread}"
    with world(tmp_path, bots) as w:
        w.turn()
        w.say("m", " ".join(f"Satz Nummer {n} über den Haushalt." for n in range(14)))
        w.rest()
        (text,) = w.texts("b")
        assert text.startswith("Satz Nummer 0")
        assert w.reasons("two") == ["already queued by one"]


# Servers that decline


def test_a_record_that_always_fails_does_not_keep_its_account_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, "one: {from: m, to: b, max_age: 30d}") as w:
        w.turn()
        server = w.simulator("b")
        handle = server.handle

        def failing(request: Request) -> Response:
            if b"Gift" in request.body:
                return Response(500, {"error": "InternalServerError"})
            response: Response = handle(request)
            return response

        monkeypatch.setattr(server, "handle", failing)
        w.say("m", "Gift")
        w.say("m", "Efter regnen")
        for _ in range(6):
            w.turn()
            w.clock.advance(hours=2)
        w.rest(1)
        assert w.texts("b") == ["Efter regnen"]
        assert states(w, "b") == ["held", "sent"]


def test_an_error_nested_too_deep_to_read_is_an_error_like_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with world(tmp_path, "one: {from: b, to: [m, x]}") as w:
        w.turn()
        w.say("b", "Hei fra dypet")
        w.simulator("m").faults = [
            Fault("answer", match=WRITES["m"], status=500, body="[" * 100_000)
        ]
        w.rest(4)
        assert (w.texts("m"), w.texts("x")) == (["Hei fra dypet"], ["Hei fra dypet"])
        assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("b", {"ratelimit-reset": "600", "retry-after": "600"}),
        ("b", {"ratelimit-reset": "600"}),
        ("m", {"x-ratelimit-reset": "600"}),
        ("x", {"x-rate-limit-reset": "600", "x-rate-limit-remaining": "0"}),
    ],
)
def test_a_limit_that_names_seconds_where_a_time_belongs_is_not_hammered(
    tmp_path: Path, target: str, headers: dict[str, str]
) -> None:
    source = "m2" if target == "b" else "b2"
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        w.simulator(target).faults = [
            Fault("answer", match=WRITES[target], status=429, headers=headers, times=10_000)
        ]
        w.say(source, "Immer mit der Ruhe")
        w.turn()
        for _ in range(120):
            w.clock.advance(seconds=1)
            w.deliver(target)
        assert 1 <= w.simulator(target).requests[WRITES[target]] < 5


# Bots and accounts that changed


@pytest.mark.parametrize("attempted", [False, True])
@pytest.mark.parametrize(
    ("bots", "state"),
    [
        ("two: {from: m2, to: b}", "held"),
        ("one: {from: m, to: x}\ntwo: {from: m2, to: b}", "held"),
        ("one: {from: m, to: b, mode: disabled}", "waits"),
        ("one: {from: m, to: b, mode: dry-run}", "waits"),
    ],
    ids=["removed", "retargeted", "disabled", "dry-run"],
)
def test_a_bot_that_no_longer_mirrors_publishes_nothing(
    tmp_path: Path, bots: str, state: str, *, attempted: bool
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.simulator("b").faults = [Fault("drop_before", match=WRITES["b"], times=2)]
        w.say("m", "Skal ikke ut")
        w.read("m")
        if attempted:
            w.deliver("b")
        w.configure(bots)
        w.restart()
        for _ in range(3):
            w.clock.advance(hours=1)
            w.deliver("b")
        assert w.copies("b") == []
        waiting = "sending" if attempted else "queued"
        assert states(w, "b") == [waiting if state == "waits" else state]


def test_a_bot_that_is_live_again_sends_what_waited(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Etter pausen")
        w.read("m")
        for mode in ("disabled", "live"):
            w.configure(f"one: {{from: m, to: b, mode: {mode}}}")
            w.restart()
            w.clock.advance(hours=1)
            w.deliver("b")
            assert w.texts("b") == (["Etter pausen"] if mode == "live" else [])


def test_drafts_go_out_to_an_account_that_was_renamed_in_the_config(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Venter på et nytt navn")
        w.read("m")
        w.settings["avisa"] = w.settings.pop("b")
        w.configure("one: {from: m, to: avisa}")
        w.restart()
        running = engine(w)
        running.prepare()
        running.deliver_waiting()
        for _ in range(3):
            running.read(w.config.bots["one"])
            running.lanes.wait()
            w.clock.advance(minutes=2)
        assert running.lanes.stop(1)
        assert w.texts("b") == ["Venter på et nytt navn"]


# The daemon


@pytest.mark.parametrize("broken", ["next_draft", "sending"])
def test_an_unexpected_error_is_followed_by_another_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Disken var full")
        woken: list[tuple[str, datetime]] = []
        running = engine(w, woken)
        with monkeypatch.context() as patch:
            patch.setattr(w.store, broken, fail)
            running.read(w.config.bots["one"])
            running.lanes.wait()
        at = dict(woken)["b"]
        assert w.clock() < at <= w.clock() + timedelta(minutes=1)
        assert w.copies("b") == []
        w.clock.at = at
        running.deliver("b")
        running.lanes.wait()
        assert running.lanes.stop(1)
        assert w.texts("b") == ["Disken var full"]


def test_the_error_of_an_account_that_is_only_posted_to_clears(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        running = engine(w)
        w.simulator("b").faults = [
            Fault("answer", match="POST /xrpc/com.atproto.server.createSession", status=503)
        ]
        errors = []
        for _ in range(2):
            running.read(w.config.bots["one"])
            running.lanes.wait()
            running.pulse.save(w.config.state.file)
            shown = json.loads(json.dumps(overview.status(w.config, w.store)))["accounts"]
            errors += [account["error"] for account in shown if account["name"] == "b"]
            w.clock.advance(minutes=2)
        assert running.lanes.stop(1)
        assert errors[0] is not None
        assert errors[1] is None


@pytest.mark.parametrize("status", [503, 429])
def test_a_round_in_which_nothing_is_due_does_not_hide_why(tmp_path: Path, status: int) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        running = engine(w)
        w.turn()
        w.say("m", "Ferja går")

        def error() -> str | None:
            running.lanes.wait()
            running.pulse.save(w.config.state.file)
            accounts = overview.status(w.config, w.store)["accounts"]
            found: str | None = next(a["error"] for a in accounts if a["name"] == "b")
            return found

        put = "POST /xrpc/com.atproto.repo.putRecord"
        w.simulator("b").faults = [Fault("answer", put, status=status, times=2)]
        running.read(w.config.bots["one"])
        told = error()
        assert told is not None
        running.deliver("b")
        assert error() == told
        w.simulator("b").faults = []
        w.clock.advance(minutes=20)
        running.deliver("b")
        assert error() is None
        assert w.texts("b") == ["Ferja går"]
        assert running.lanes.stop(1)
