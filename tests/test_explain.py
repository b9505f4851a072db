"""`tribridge explain`: the whole story of one post, over real HTTP, from a state that is only read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge import readable, wire
from bridge.network import LoginNeeded, Unreachable
from bridge.pulse import Pulse
from bridge.simulation import Fault
from bridge.store import Recording, RouteKey, Verdict
from tests.test_following import look
from tests.test_preview import everything, writes
from tests.world import World, world

LONG = "En setning om havna. " * 20


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, "one: {from: m, to: [b, x]}", top={"timezone": "Europe/Oslo"})
    made.turn()
    yield made
    made.close()


def url_of(w: World, post: str) -> str:
    return f"{w.simulator('m').url}/@anna/{post}"


def explained(w: World, what: str, *words: str) -> dict[str, Any]:
    done = w.command("explain", what, *words, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def way(found: dict[str, Any], target: str, bot: str = "one") -> dict[str, Any]:
    (one,) = [each for each in found["ways"] if (each["target"], each["bot"]) == (target, bot)]
    assert isinstance(one, dict)
    return one


def has_read(w: World, *, error: str = "") -> None:
    """Note, as the engine does, that the source was read just now."""
    pulse = Pulse()
    errors = {"m": Unreachable(error)} if error else {}
    pulse.read("m", ["one"], ["m", "b", "x"], w.clock(), errors)
    pulse.save(w.config.state.file)


# What was mirrored


def test_a_post_is_told_of_by_address_and_id_by_any_copy_and_by_a_draft(w: World) -> None:
    post = w.say("m", LONG)
    w.turn()
    first, second = w.copies("b")
    (draft, *_) = [d for d, _ in w.store.every_draft(w.accounts.known_identity("m") or "", post)]
    bsky = f"https://bsky.app/profile/anna.test/post/{second.id}"
    x = f"https://x.com/anna/status/{w.copies('x')[0].id}"
    stories = [
        explained(w, what)
        for what in (url_of(w, post), post, first.id, second.id, bsky, x, str(draft.id))
    ]
    assert [story.pop("is") for story in stories] == [
        *("original", "original", "copy", "copy", "copy", "copy"), f"draft {draft.id}"
    ]  # fmt: skip
    assert [story.pop("asked") for story in stories][0] == url_of(w, post)
    assert all(story == stories[0] for story in stories)
    (story, *_) = stories
    assert (story["account"], story["id"], story["url"]) == ("m", post, url_of(w, post))
    assert story["now"] == {"asked": True, "there": True, "error": None, "visibility": "public"}
    to_b = way(story, "b")
    assert to_b["outcome"] == "copied"
    assert [v["verdict"] for v in to_b["verdicts"]] == ["queued"]
    assert [(d["part"], d["parts"], d["state"]) for d in to_b["drafts"]] == [
        (1, 2, "sent"), (2, 2, "sent")
    ]  # fmt: skip
    assert [copy["id"] for copy in to_b["copies"]] == [first.id, second.id]
    assert bsky in [copy["url"] for copy in to_b["copies"]]


def test_a_copy_that_was_read_itself_leads_to_the_origin(tmp_path: Path) -> None:
    with world(tmp_path, "one: {between: [m, b]}") as w:
        w.turn()
        post = w.say("m", "Frem og ikke tilbake")
        w.turn()
        w.turn()
        (copy,) = w.copies("b")
        assert w.reasons() == ["copy of a post of " + w.accounts.open("m").identity.id]
        for what in (copy.id, f"https://bsky.app/profile/anna.test/post/{copy.id}"):
            story = explained(w, what)
            assert (story["is"], story["id"]) == ("copy", post)
            assert [each["target"] for each in story["ways"]] == ["b"]


def test_versions_and_what_came_of_edits_and_deletions_are_told(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: [m2, b], edits: correct}") as w:
        w.turn()
        post = w.say("m", "Møtet er på mandag")
        w.turn()
        w.change("m", post, "Møtet er på tirsdag")
        look(w, "m")
        story = explained(w, post)
        assert len(story["versions"]) == 2
        assert [d["does"] for d in way(story, "m2")["drafts"]] == ["post", "edit"]
        assert [d["does"] for d in way(story, "b")["drafts"]] == ["post", "correction"]
        correction = way(story, "b")["copies"][1]
        assert correction["correction"] is True
        assert explained(w, correction["id"])["url"] == story["url"]
        w.remove("m", post)
        for _ in range(3):
            look(w, "m", minutes=30)
        story = explained(w, post)
        assert story["deleted"] is not None
        assert story["now"]["there"] is False
        assert "no such post" in story["now"]["error"]
        assert way(story, "m2")["outcome"] == "copy deleted"
        assert all(copy["deleted"] for copy in way(story, "b")["copies"])


def test_what_a_post_answers_or_quotes_is_told_with_its_copies(w: World) -> None:
    first = w.say("m", "Første")
    w.turn()
    second = w.say("m", "Svar", reply_to=first)
    w.turn()
    (ref,) = explained(w, second)["refers"]
    assert (ref["how"], ref["post"], ref["own"]) == ("answers", url_of(w, first), True)
    assert len(ref["copies"]) == 2


def test_losses_are_told(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b, long: truncate}") as w:
        w.turn()
        post = w.say("m", LONG)
        w.turn()
        assert way(explained(w, post), "b")["losses"] == ["text: the end was cut off"]


# What is stopped


def test_what_was_refused_or_waits_is_told_with_what_to_do(w: World) -> None:
    w.simulator("b").faults = [Fault("answer", "POST ", status=400, body='{"error":"Bad"}')]
    first = w.say("m", "Det vil de ikke ha")
    w.turn()
    second = w.say("m", "Et svar på det", reply_to=first)
    w.turn()
    dead = way(explained(w, first), "b")
    assert (dead["outcome"], "refused (400" in dead["why"]) == ("dead", True)
    (draft,) = dead["drafts"]
    assert dead["remedy"] == draft["remedy"]
    assert f"`tribridge outbox drop {draft['id']}`" in dead["remedy"]
    held = way(explained(w, second), "b")
    assert held["outcome"] == "held"
    assert held["why"].startswith("the post that it answers is dead: ")
    assert held["drafts"][0]["waits_for"] == [draft["id"]]
    assert way(explained(w, second), "x")["outcome"] == "copied"
    w.command("outbox", "drop", str(draft["id"]))
    assert way(explained(w, first), "b")["outcome"] == "dropped"


def test_what_waits_for_its_delay_or_approval_says_so(w: World) -> None:
    w.configure("one: {from: m, to: [b, x], delay: 5m, for: {x: {delay: 0s, links: hold}}}")
    post = w.say("m", "Med lenke https://oslo.example.com")
    w.turn()
    story = explained(w, post)
    assert (way(story, "b")["outcome"], way(story, "b")["why"]) == (
        "waits", "waits for the bot's delay"
    )  # fmt: skip
    assert way(story, "b")["drafts"][0]["not_before"] is not None
    assert way(story, "x")["outcome"] == "held"
    assert "retry" in way(story, "x")["remedy"]


def test_what_waits_while_its_bot_its_target_or_everything_is_paused_says_so(w: World) -> None:
    w.configure("one: {from: m, to: b, delay: 10m}")
    w.turn()
    post = w.say("m", "Venter på pausen")
    w.turn()

    def told() -> tuple[str, str | None]:
        found = way(explained(w, url_of(w, post)), "b")
        return found["why"], found["remedy"]

    assert told()[0] == "waits for the bot's delay"
    for name, what in (("one", "one"), ("b", "b"), ("--all", "everything")):
        w.command("pause", name)
        assert told() == (
            f"waits for the bot's delay; {what} is paused", f"`tribridge resume {name}`"
        )  # fmt: skip
        w.command("resume", name)
    w.command("pause", "m")  # what was read from it goes out still
    assert told()[0] == "waits for the bot's delay"
    w.command("resume", "m")
    for mode in ("disabled", "dry-run"):
        w.configure(f"one: {{from: m, to: b, delay: 10m, mode: {mode}}}")
        assert told() == (
            f"waits for the bot's delay; its bot one has mode {mode}",
            "set `mode: live` when the bot may post",
        )


def test_a_post_that_a_filter_stopped_says_which_and_what_would_come_of_it_today(w: World) -> None:
    w.configure("one: {from: m, to: [b, x], for: {b: {skip: {words: [utkast]}}}}")
    post = w.say("m", "Et utkast")
    w.turn()
    story = explained(w, post)
    stopped = way(story, "b")
    assert (stopped["outcome"], stopped["why"]) == ("skipped", "skip: word utkast")
    assert stopped["remedy"] == f"`tribridge mirror {url_of(w, post)}` mirrors it after all"
    said = {f["filter"]: f["reason"] for f in stopped["today"]["filters"]}
    assert said["skip.words"] == stopped["today"]["skipped"] == "skip: word utkast"
    assert said["only.visibility"] is None
    assert way(story, "x")["outcome"] == "copied"
    w.configure("one: {from: m, to: [b, x], steps: [{append: (1)}]}")
    today = way(explained(w, post), "b")["today"]
    assert today["skipped"] is None
    assert [(s["step"], s["changes"]) for s in today["steps"]] == [("append", ["text"])]


def test_age_counts_where_a_post_is_judged_anew(w: World) -> None:
    post = w.say("m", "Gammelt nytt")
    w.turn()
    w.configure("one: {from: m, to: [b, x], skip: {older_than: 1h}}")
    assert way(explained(w, post), "b")["today"]["skipped"] is None
    w.clock.advance(hours=2)
    assert way(explained(w, post), "b")["today"]["skipped"] == "skip: older than 1h"


# What never came


def never(w: World, post: str) -> tuple[str, str]:
    found = way(explained(w, url_of(w, post)), "b")
    assert found["verdicts"] == found["drafts"] == []
    return found["outcome"], found["why"]


def test_a_post_that_was_not_read_yet_says_what_keeps_its_bot(w: World) -> None:
    has_read(w)
    w.clock.advance(minutes=1)
    post = w.say("m", "Nettopp skrevet")
    outcome, why = never(w, post)
    assert (outcome, why.startswith("m was last read 2026-11-22 12:00:00 UTC")) == (
        "not read yet", True
    )  # fmt: skip
    w.clock.advance(minutes=1)
    has_read(w, error="cannot reach m")
    assert never(w, post) == ("not read yet", "m could not be read: cannot reach m")
    w.command("pause", "m")
    assert never(w, post) == ("not read yet", "m is paused")
    w.command("resume", "m")
    w.configure("one: {from: m, to: [b, x], mode: disabled}")
    assert never(w, post)[1] == "the bot has mode disabled: it reads nothing"
    w.configure("one: {from: m, to: [b, x], mode: dry-run}")
    has_read(w)
    assert never(w, post) == (
        "not read yet", "the bot has mode dry-run: it posts nothing, and remembers nothing"
    )  # fmt: skip
    w.configure("other: {from: m, to: b}")
    has_read(w)
    (only,) = explained(w, url_of(w, post))["ways"]
    assert (only["bot"], only["why"]) == ("other", "the bot has had no first run on m yet")


def test_a_target_that_cannot_be_logged_in_to_is_what_keeps_a_post(w: World) -> None:
    pulse, dead = Pulse(), LoginNeeded("the app password is refused")
    pulse.read("m", ["one"], ["m", "b", "x"], w.clock(), {"b": dead})
    pulse.save(w.config.state.file)
    outcome, why = never(w, w.say("m", "Ingen vei inn"))
    assert (outcome, why.startswith("b could not be logged in to: the app password is")) == (
        "not read yet", True
    )  # fmt: skip


def test_a_post_that_may_be_our_own_copy_is_left_to_a_person(w: World) -> None:
    source, target = (w.accounts.known_identity(name) or "" for name in ("m", "b"))
    url = url_of(w, "77")
    route = RouteKey("one", source, target)
    held = Verdict(route, "77", "", "held", "may be our own copy of https://a.example/1", url)
    w.store.record(Recording([held]), w.clock())
    found = way(explained(w, url, "--offline"), "b")
    assert (found["outcome"], found["why"][:19]) == ("held", "may be our own copy")
    assert f"`tribridge skip {url}`" in found["remedy"]


def test_a_boost_names_what_it_boosts(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b, boosts: link}\ntwo: {from: m2, to: b}") as w:
        w.turn()
        theirs = w.say("m2", "Fra Berit")
        w.turn()
        boost = w.simulator("m").boost("anna", theirs)
        w.turn()
        (ref,) = explained(w, boost)["refers"]
        assert (ref["how"], ref["own"], len(ref["copies"])) == ("boosts", False, 1)


def test_a_post_that_its_source_never_shows_says_so(w: World) -> None:
    post = w.say("m", "Til en venn", visibility="direct")
    assert never(w, post) == ("skipped", "visibility direct: never mirrored")
    shy = w.say("m", "Vises ikke i listen")
    w.clock.advance(minutes=1)
    has_read(w)
    outcome, why = never(w, shy)
    assert outcome == "never shown"
    assert why.startswith("m was last read 2026-11-22 12:01:02 UTC, and did not show it then: ")
    told = w.command("explain", url_of(w, shy), "--offline", "--json")
    # nobody says then when it was published
    unasked = way(json.loads(told.stdout), "b")
    assert unasked["why"] == f"{why}, or published since"
    assert unasked["remedy"] == "`tribridge once` reads now"
    w.remove("m", shy)
    outcome, why = never(w, shy)
    assert (outcome, why.startswith("it is gone: the server has no such post")) == (
        "never shown", True
    )  # fmt: skip


def test_a_post_from_before_the_first_run_says_so(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: [m, b], to: x}") as w:
        on_m, on_b = w.say("m", "Lenge før"), w.say("b", "Lenge før på Bluesky")
        w.clock.advance(minutes=1)
        w.turn()
        has_read(w)
        early = way(explained(w, url_of(w, on_m)), "x")
        assert early["outcome"] == "not read yet"
        assert early["why"].startswith("published before the bot's first run on m")
        old = way(explained(w, on_b), "x")
        assert (old["outcome"], old["why"]) == ("skipped", "from before the bot's first run")
        assert old["remedy"].startswith("`tribridge mirror https://bsky.app/")


def test_nothing_of_a_private_post_is_told(w: World) -> None:
    w.configure("one: {from: m, to: [b, x], steps: [{append: (her)}]}")
    post = w.say("m", "Til Berit alene", visibility="private", warning="hemmelig")
    for form in ((), ("--json",)):
        out = w.command("explain", url_of(w, post), *form).output
        assert "visibility private: never mirrored" in out
        assert "Berit" not in out
        assert "hemmelig" not in out


# What there is not


def test_what_is_unknown_is_one_sentence_and_exit_1(w: World) -> None:
    w.say("m2", "Ikke speilet")
    for what, said in (
        ("https://elsewhere.example/@a/1", "not the address of a post of b or m or x"),
        ("123456", "no draft and no post has this number"),
        ("3kabc", "no post has this id"),
        ("9" * 5000, "no draft and no post has this number"),
        ("https://bsky.app/profile/anna.test/post/3nonsense", "a post of b, which no bot mirrors"),
    ):
        done = w.command("explain", what)
        assert (done.exit_code, done.stdout, said in done.stderr) == (1, "", True), done.output
        assert "Traceback" not in done.stderr
    assert w.command("explain", " ").exit_code == 2


def test_without_a_state_it_says_how_to_begin(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.store.close()
        for file in w.config.state.file.parent.iterdir():
            file.unlink()
        done = w.command("explain", "1")
        assert (done.exit_code, "`tribridge once`" in done.stderr) == (1, True)
        assert list(w.config.state.file.parent.iterdir()) == []


def test_a_bot_and_an_account_that_are_gone_from_the_config_are_named(w: World) -> None:
    post = w.say("m", "Blir speilet")
    w.turn()
    w.configure("other: {from: m2, to: b}")
    gone = way(explained(w, post), "b")
    assert (gone["mode"], gone["outcome"]) == (None, "copied")
    assert "(bot one, which is not in the config any more)" in w.command("explain", post).stdout
    del w.settings["m"]
    w.configure("other: {from: m2, to: b}")
    story = explained(w, post)
    assert (story["account"], story["now"]["asked"]) == (None, False)
    assert "which is not in the config any more" in w.command("explain", post).stdout


# How it is told


def test_nothing_is_written_and_offline_nobody_is_asked(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = w.say("m", "Speilet")
    w.turn()
    late = w.say("m", "Ikke lest ennå")
    w.store.close()
    w.command("status")
    before, asked = everything(w), writes(w)
    for what in (url_of(w, post), url_of(w, late), "1"):
        assert w.command("explain", what).exit_code == 0
    assert (everything(w), writes(w)) == (before, asked)

    def send(*_: Any, **__: Any) -> Any:
        raise AssertionError("a network was asked")

    monkeypatch.setattr(wire, "send", send)
    text = w.file.read_text()
    for secret in secrets(w):
        text = text.replace(secret, "${NOT_THERE}")
    w.file.write_text(text)
    for what in (url_of(w, post), url_of(w, late), "1"):
        done = w.command("explain", what, "--offline")
        assert done.exit_code == 0, done.output
        assert "now:" not in done.stdout
    assert w.command("explain", post).exit_code == 78


def secrets(w: World) -> list[str]:
    names = ("access_token", "app_password", "api_key", "api_key_secret", "access_token_secret")
    return [s[name] for s in w.settings.values() for name in names if name in s]


def test_people_get_80_columns_with_times_in_both_zones_and_no_secrets(w: World) -> None:
    w.simulator("x").faults = [
        Fault("answer", "POST ", status=403, body='{"title":"' + "no " * 50 + '"}')
    ]
    post = w.say("m", LONG)
    w.turn()
    out = w.command("explain", post).stdout
    assert "published 2026-11-22 12:00:01 UTC (13:00:01 Europe/Oslo)" in out
    assert "-> b (bot one): copied" in out
    assert "-> x (bot one): dead: " in out
    assert out.count("what to do: post it by hand") == 1
    wide = [line for line in out.splitlines() if len(line) > readable.WIDTH]
    assert [line for line in wide if not re.fullmatch(r"\s*\S+", line)] == []
    assert [secret for secret in secrets(w) if secret in out] == []


def test_a_source_that_is_away_leaves_the_rest_of_the_story(w: World) -> None:
    post = w.say("m", "Speilet")
    w.turn()
    w.simulator("m").stop()
    story = explained(w, post)
    assert "cannot reach 127.0.0.1" in story["now"]["error"]
    assert way(story, "b")["outcome"] == "copied"
    assert way(story, "b")["today"] is None
    assert "now: cannot be read again: " in w.command("explain", post).stdout
