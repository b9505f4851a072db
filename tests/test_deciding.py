"""What people decide about: stopped drafts, approvals, pauses, single posts, too many posts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge import deciding
from bridge.simulation import Fault
from bridge.store import Store
from tests.world import World, world

BOTS = """
one: {from: m, to: [b, x]}
both: {between: [m2, b2]}
"""


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, BOTS) as made:
        made.turn()
        yield made


def outbox(w: World) -> list[dict[str, Any]]:
    drafts: list[dict[str, Any]] = json.loads(w.command("outbox", "--json").stdout)["drafts"]
    return drafts


def refuse(w: World, account: str) -> None:
    w.simulator(account).faults.append(Fault("answer", "POST ", status=400, body="{}"))


def dead(w: World, text: str = "Nei takk") -> int:
    """A post that X refuses and Bluesky takes; the number of the dead draft."""
    w.say("m", text)
    w.read("m")
    refuse(w, "x")
    w.turn()
    (draft,) = [d for d in outbox(w) if d["state"] == "dead"]
    return int(draft["id"])


def test_the_outbox_says_why_and_what_to_do(w: World) -> None:
    number = dead(w)
    told = w.command("outbox")
    assert told.exit_code == 75
    assert f"{number} dead" in told.stdout
    assert "the server refused (400)" in told.stdout
    assert f"`tribridge outbox drop {number}`" in told.stdout


def test_an_empty_outbox_is_fine(w: World) -> None:
    told = w.command("outbox")
    assert (told.exit_code, told.stdout) == (0, "Nothing waits, is held or is dead\n")


def test_a_refused_draft_that_is_retried_arrives(w: World) -> None:
    number = dead(w)
    assert w.command("outbox", "retry", str(number)).stdout == "1 draft will be sent\n"
    w.turn()
    assert w.texts("x") == ["Nei takk"]
    assert w.command("outbox").exit_code == 0
    again = w.command("outbox", "retry", str(number))
    assert (again.exit_code, again.stderr) == (1, f"draft {number} is sent already\n")


def test_what_a_stopped_draft_held_back_goes_along_when_it_is_retried(w: World) -> None:
    first = w.say("m", "Første")
    w.read("m")
    refuse(w, "x")
    w.turn()
    w.say("m", "Andre", reply_to=first)
    w.turn()
    assert [d["code"] for d in outbox(w)] == ["refused", "parent"]
    w.command("outbox", "retry", "--bot", "one")
    w.rest()
    assert w.texts("x") == ["Første", "Andre"]
    parent = w.journal("x")[0].id
    assert w.journal("x")[1].reply_to == parent


def test_a_dropped_draft_never_goes_out_and_bothers_nobody(w: World) -> None:
    number = dead(w)
    assert w.command("outbox", "drop", str(number)).stdout == "1 draft will not be sent\n"
    w.rest()
    assert w.texts("x") == []
    assert w.command("outbox").exit_code == 0


def test_a_reply_to_a_dropped_post_stays_away_too(w: World) -> None:
    first = w.say("m", "Første")
    w.read("m")
    refuse(w, "x")
    w.turn()
    w.command("outbox", "drop", "--bot", "one")
    w.say("m", "Andre", reply_to=first)
    w.rest()
    assert w.texts("b") == ["Første", "Andre"]
    assert w.texts("x") == []
    assert "reply to a post that was not mirrored" in w.reasons()


def test_dropping_a_part_drops_the_later_ones(w: World) -> None:
    w.say("m", " ".join(["ord"] * 120))
    w.read("m")
    refuse(w, "x")
    w.turn()
    (first, *later) = [d for d in outbox(w) if d["target"] == "x"]
    assert [d["code"] for d in (first, *later)] == ["refused", "parent"]
    assert w.command("outbox", "drop", str(first["id"])).stdout == "2 drafts will not be sent\n"


def doubt(w: World) -> int:
    """An image without words whose answer was lost on X: held. Its number."""
    w.say("m", "", images=[(picture(), "et bilde")])
    w.read("m")
    w.simulator("x").faults.append(Fault("drop_after", "POST /2/tweets"))
    w.rest(4)
    (draft,) = [d for d in outbox(w) if d["target"] == "x"]
    assert (draft["state"], draft["code"]) == ("held", "doubt")
    return int(draft["id"])


def picture() -> bytes:
    import io

    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(data, "PNG")
    return data.getvalue()


def test_a_copy_that_stands_is_known_once_a_person_says_so(w: World) -> None:
    number = doubt(w)
    (copy,) = w.journal("x")
    url = f"https://x.com/anna/status/{copy.id}"
    done = w.command("outbox", "sent", str(number), url)
    assert done.stdout == f"draft {number} is sent: its copy is {url}\n", done.stderr
    w.rest()
    assert len(w.journal("x")) == 1
    assert w.command("outbox").exit_code == 0
    assert url in w.command("links").stdout


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://x.com/anna/status/999", "X has no such post"),
        ("https://x.com/berit/status/1", "not the address of a post of x"),
        ("nonsense", "not the address of a post of x"),
    ],
)
def test_only_a_post_of_the_account_can_be_the_copy(w: World, url: str, said: str) -> None:
    number = doubt(w)
    done = w.command("outbox", "sent", str(number), url)
    assert done.exit_code == 1
    assert said in done.stderr
    assert outbox(w)[0]["state"] == "held"


def test_a_doubtful_draft_that_was_dropped_is_still_known_as_ours(tmp_path: Path) -> None:
    with world(tmp_path, "both: {between: [m, x]}") as w:
        w.turn()
        w.say("m", "", images=[(picture(), "et bilde")])
        w.read("m")
        w.simulator("x").faults.append(Fault("drop_after", "POST /2/tweets"))
        w.rest(4)
        w.command("outbox", "drop", "--bot", "both")
        w.rest(4)
        assert w.copies("m") == []


def test_each_post_waits_for_approval_where_the_bot_asks_for_it(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b, mode: approve}") as w:
        w.turn()
        w.say("m", "Til godkjenning")
        w.say("m", "Ikke denne")
        w.rest()
        assert w.texts("b") == []
        first, second = outbox(w)
        assert (first["reason"], first["code"]) == ("waits for approval", "approve")
        assert w.command("outbox", "approve", str(first["id"])).stdout == "1 draft will be sent\n"
        w.command("outbox", "drop", str(second["id"]))
        w.clock.advance(days=9)
        w.rest()
        assert w.texts("b") == ["Til godkjenning"]


def test_only_what_waits_for_approval_can_be_approved(w: World) -> None:
    number = dead(w)
    done = w.command("outbox", "approve", str(number))
    assert done.exit_code == 1
    assert f"draft {number} does not wait for approval: it is dead" in done.stderr


@pytest.mark.parametrize("words", [("retry",), ("drop", "1", "--bot", "one"), ("approve",)])
def test_drafts_are_named_by_number_or_by_bot(w: World, words: tuple[str, ...]) -> None:
    done = w.command("outbox", *words)
    assert done.exit_code == 2
    assert "name drafts by their ID, or a bot with --bot" in done.stderr


def test_a_number_that_is_none(w: World) -> None:
    done = w.command("outbox", "drop", "77")
    assert (done.exit_code, done.stderr) == (1, "there is no draft 77; see `tribridge outbox`\n")


# Single posts.


def test_a_post_that_the_filters_left_out_is_mirrored_by_hand(w: World) -> None:
    post_id = w.say("m", "Bare her #nobridge")
    w.turn()
    assert w.texts("b") == []
    url = f"{w.simulator('m').url}/@anna/{post_id}"
    done = w.command("mirror", url)
    assert done.stdout == "b: queued\nx: queued\n", done.stderr
    w.turn()
    assert w.texts("b") == w.texts("x") == ["Bare her #nobridge"]
    again = w.command("mirror", url)
    assert again.stdout == "b: stands there already\nx: stands there already\n"
    w.rest()
    assert len(w.texts("b")) == 1


def test_what_is_not_public_is_not_mirrored_by_hand_either(w: World) -> None:
    post_id = w.say("m", "Bare for oss", visibility="private")
    w.turn()
    done = w.command("mirror", f"{w.simulator('m').url}/@anna/{post_id}")
    assert done.stdout == "".join(
        f"{t}: not mirrored: visibility private: never mirrored\n" for t in "bx"
    )
    w.rest()
    assert w.texts("b") == w.texts("x") == []


def test_a_copy_is_not_mirrored_by_hand(w: World) -> None:
    w.say("m2", "En original")
    w.rest()
    (copy,) = w.copies("b2")
    done = w.command("mirror", f"https://bsky.app/profile/berit.test/post/{copy.id}")
    assert "m2: not mirrored: copy of a post of" in done.stdout
    w.rest()
    assert w.copies("m2") == []


def test_a_post_is_left_out_before_it_is_read(w: World) -> None:
    post_id = w.say("m", "Angret")
    done = w.command("skip", f"{w.simulator('m').url}/@anna/{post_id}")
    assert done.stdout == "b: left out\nx: left out\n", done.stderr
    w.rest()
    assert w.texts("b") == w.texts("x") == []


def test_a_post_is_left_out_while_it_waits_but_not_where_it_stands(w: World) -> None:
    post_id = w.say("m", "Angret litt sent")
    w.read("m")
    w.deliver("b")
    done = w.command("skip", f"{w.simulator('m').url}/@anna/{post_id}")
    assert done.stdout == "b: stands there already, or is on its way\nx: left out\n"
    w.rest()
    assert (w.texts("b"), w.texts("x")) == (["Angret litt sent"], [])


@contextmanager
def owned(w: World, command: str) -> Iterator[Store]:
    """The state, as another process that runs a command has it."""
    assert w.store.file is not None
    other = Store.open(w.store.file)
    other.own(command)
    try:
        yield other
    finally:
        other.close()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("once", "still at work: `tribridge once`, process {}: try again when it is done\n"),
        ("run", "the running daemon did not answer within a minute; see its log\n"),
    ],
)
def test_who_keeps_an_order_waiting_is_named(
    w: World, monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    monkeypatch.setattr(deciding, "PATIENCE", 0)
    url = f"{w.simulator('m').url}/@anna/{w.say('m', 'Ferja går')}"
    with owned(w, command):
        done = w.command("skip", url)
        assert (done.exit_code, done.stderr) == (1, said.format(os.getpid()))
    assert not w.store.open_orders()


def test_an_order_beside_a_run_that_ends_is_carried_out_then(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{w.simulator('m').url}/@anna/{w.say('m', 'Ferja går')}"
    with owned(w, "once") as other:
        monkeypatch.setattr("bridge.deciding.time.sleep", lambda _seconds: other.close())
        done = w.command("skip", url)
    assert (done.exit_code, done.stdout) == (0, "b: left out\nx: left out\n")


def test_an_address_that_is_nobodys(w: World) -> None:
    done = w.command("mirror", "https://elsewhere.example/@anna/1")
    assert done.exit_code == 1
    assert "not the address of a post of b or b2 or m or " in done.stderr


def test_a_post_that_may_be_our_own_copy_is_decided_by_a_person(tmp_path: Path) -> None:
    with world(tmp_path, "both: {between: [m, x]}") as w:
        w.turn()
        w.say("m", "", images=[(picture(), "et bilde")])
        w.read("m")
        w.simulator("x").faults.append(Fault("drop_after", "POST /2/tweets"))
        w.deliver("x")
        w.rest(4)
        posts = json.loads(w.command("outbox", "--json").stdout)["posts"]
        assert [p["account"] for p in posts] == ["x"]
        (url,) = [p["post"] for p in posts]
        assert f"`tribridge skip {url}`" in w.command("outbox").stdout
        assert w.command("skip", url).exit_code == 0
        assert json.loads(w.command("outbox", "--json").stdout)["posts"] == []
        w.rest()
        assert w.copies("m") == []


# Pauses.


def test_a_paused_bot_sends_nothing_and_goes_on_where_it_was(w: World) -> None:
    w.say("m", "Før pausen")
    w.read("m")
    assert w.command("pause", "one").stdout == "one is paused\n"
    w.rest()
    assert w.texts("b") == []
    assert "paused: one (`tribridge resume one`)" in w.command("outbox").stdout
    assert w.command("resume", "one").stdout == "one goes on\n"
    w.rest()
    assert w.texts("b") == ["Før pausen"]


@pytest.mark.parametrize("words", [("nobody",), (), ("one", "--all")])
def test_what_is_paused_must_be_there(w: World, words: tuple[str, ...]) -> None:
    assert w.command("pause", *words).exit_code == 2


def test_a_mistyped_name_is_told_with_what_was_meant(w: World) -> None:
    told = w.command("pause", "oen").stderr
    assert told == f"there is no bot and no account 'oen' in {w.file}; did you mean 'one'?\n"
    told = w.command("pause", "nobody").stderr
    assert told.endswith(f"'nobody' in {w.file}; there are: one, both, b, b2, m, m2, x, x2\n")


def test_only_what_is_paused_can_be_resumed(w: World) -> None:
    assert w.command("resume", "one").stderr == "one is not paused\n"


# Too many posts.


def limited(tmp_path: Path, limit: int, bots: str = "one: {from: m, to: b}") -> World:
    made = World(tmp_path, bots)
    for name in made.settings:
        made.settings[name]["limits"] = {"posts_per_hour": limit}
    made.configure(bots)
    made.restart()
    made.turn()
    return made


def test_more_posts_within_an_hour_than_are_right_are_held(tmp_path: Path) -> None:
    w = limited(tmp_path, 3)
    for n in range(5):
        w.say("m", f"Melding {n}")
    assert w.read("m").flood == 2
    w.rest()
    assert w.texts("b") == ["Melding 0", "Melding 1", "Melding 2"]
    assert [(d["state"], d["code"]) for d in outbox(w)] == [("held", "breaker")] * 2
    assert "more than 3 posts within an hour for this account" in w.command("outbox").stdout
    w.command("outbox", "retry", "--bot", "one")
    w.turn()
    assert len(w.texts("b")) == 3  # let go, but at the account's pace
    w.clock.advance(hours=1)
    w.turn()
    assert [t[-1] for t in w.texts("b")] == ["0", "1", "2", "3", "4"]
    w.close()


def test_a_thread_counts_once_and_is_never_cut_by_the_pace(tmp_path: Path) -> None:
    w = limited(tmp_path, 2)
    parent = w.say("m", "En lang tråd begynner")
    for n in range(5):
        parent = w.say("m", f"Del {n}", reply_to=parent)
    w.say("m", " ".join(["ord"] * 120))
    w.rest(6)
    assert len(w.texts("b")) == 8
    assert outbox(w) == []
    w.close()


def test_what_was_published_over_hours_goes_out_at_the_pace_when_the_program_was_off(
    tmp_path: Path,
) -> None:
    w = limited(tmp_path, 2)
    for n in range(6):
        w.clock.advance(hours=1)
        w.say("m", f"Melding {n}")
    w.turn()
    assert len(w.texts("b")) == 2
    assert [d["state"] for d in outbox(w)] == ["queued"] * 4
    for _ in range(3):
        done = w.deliver("b")
        if done.next_at:
            w.clock.at = done.next_at
        w.turn()
    assert [t[-1] for t in w.texts("b")] == ["0", "1", "2", "3", "4", "5"]
    w.close()


def test_a_backfill_is_spread_and_new_posts_do_not_wait_for_it(tmp_path: Path) -> None:
    w = World(tmp_path, "none: {from: m2, to: b2}")
    for n in range(4):
        w.say("m", f"Gammel {n}")
    w.settings["b"]["limits"] = {"posts_per_hour": 60}
    w.configure("one: {from: m, to: b, backfill: {last: 4}}")
    w.restart()
    w.clock.advance(hours=2)
    w.turn()
    assert w.texts("b") == ["Gammel 0"]
    w.say("m", "Ny")
    w.turn()
    assert w.texts("b") == ["Gammel 0", "Ny"]
    for _ in range(3):
        done = w.deliver("b")
        assert done.next_at is not None
        assert (done.next_at - w.clock()).total_seconds() <= 60
        w.clock.at = done.next_at
        w.deliver("b")
    assert w.texts("b")[2:] == ["Gammel 1", "Gammel 2", "Gammel 3"]
    w.close()


def test_what_was_dropped_before_it_left_goes_out_as_the_post_is_now(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: m2, delay: 5m, skip: {words: [utkast]}}") as made:
        made.read("m")
        post = made.say("m", "Gammel tekst")
        made.turn()
        made.change("m", post, "Utkast, ny tekst")
        made.clock.advance(minutes=6)
        made.follow("m")
        made.rest()
        assert made.texts("m2") == []
        address = f"{made.simulator('m').url}/@anna/{post}"
        assert made.command("mirror", address).stdout == "m2: queued\n"
        made.restart()
        made.rest()
        assert made.texts("m2") == ["Utkast, ny tekst"]
