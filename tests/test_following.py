"""Originals that are edited, deleted, or changed before they go out, and their copies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.follow import AFTER_FAILURE, BETWEEN_LOOKS
from bridge.simulation import Fault
from tests.test_mirroring import png
from tests.world import World, world

LONG = "Setning nummer {} handler om havna og været. "


def look(w: World, source: str, *, minutes: float = 3) -> None:
    """Some minutes later: look at the originals, then deliver what that led to."""
    w.clock.advance(minutes=minutes)
    done = w.follow(source)
    assert done.error is None
    for target in sorted(done.targets):
        w.deliver(target)


def told(w: World, account: str) -> list[str]:
    """The texts of the copies on an account as they are now."""
    return [entry.text for entry in w.standing(account)]


def waiting(w: World) -> list[tuple[str, str, str]]:
    """What is not sent: action, state, why."""
    return [(d.action, d.state, d.error) for d in w.store.unsent()]


@contextmanager
def mirrored(folder: Path, bots: str, text: str) -> Iterator[tuple[World, str]]:
    """A world in which a post of `m` has been mirrored, and the id of that post."""
    with world(folder, bots) as w:
        w.turn()
        post = w.say("m", text)
        w.turn()
        yield w, post


# Edits


def test_an_edit_changes_the_copy_in_place_where_the_network_shows_edits(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: m2}") as w:
        w.turn()
        post = w.say("m", "Møtet er på mandag", language="nb")
        w.turn()
        w.change("m", post, "Møtet er på tirsdag #rettet")
        look(w, "m")
        (copy,) = w.standing("m2")
        assert (copy.action, copy.text) == ("edit", "Møtet er på tirsdag #rettet")
        look(w, "m")
        w.turn()
        assert len([e for e in w.simulator("m2").journal if e.account == "berit"]) == 2
        assert not waiting(w)


def test_a_second_edit_and_a_return_to_the_first_words_arrive(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: m2}", "Eins") as (w, post):
        for text in ("Zwei", "Drei", "Eins"):
            w.change("m", post, text)
            look(w, "m")
            assert told(w, "m2") == [text]


def test_what_an_edit_changes_beside_the_text_changes_in_the_copy(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: m2}") as w:
        w.turn()
        post = w.say("m", "Ein Bild", images=[(png(), "")])
        w.turn()
        media = w.simulator("m")._server.statuses[post].entity["media_attachments"][0]["id"]
        before = dict(w.requests("mastodon"))
        described = [{"id": media, "description": "Eine Möwe auf dem Kai"}]
        w.change("m", post, warning="Möwe", media_attributes=described)
        look(w, "m")
        (copy,) = w.standing("m2")
        assert (copy.warning, copy.alts) == ("Möwe", ("Eine Möwe auf dem Kai",))
        uploads = "POST /api/v2/media"
        assert w.requests("mastodon").get(uploads) == before.get(uploads)


def test_an_edit_that_changes_the_number_of_parts_adds_and_removes_some(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: m2}") as w:
        w.turn()
        text = "".join(LONG.format(n) for n in range(9)).strip()
        post = w.say("m", text)
        w.turn()
        assert told(w, "m2") == [text]
        longer = " ".join([text, *(LONG.format(n) for n in range(9, 13))]).strip()
        w.simulator("m")._server.flavour  # noqa: B018 - limits are those of the flavour
        w.change("m", post, "kort")
        look(w, "m")
        assert told(w, "m2") == ["kort"]
        assert longer


@pytest.mark.parametrize("target", ["b", "x"])
def test_where_a_network_shows_no_edits_they_are_held_and_a_word_tells_them(
    tmp_path: Path, target: str
) -> None:
    with mirrored(tmp_path, f"a: {{from: m, to: {target}}}", "Bussen går kl. 8") as (w, post):
        w.change("m", post, "Bussen går kl. 9")
        look(w, "m")
        assert told(w, target) == ["Bussen går kl. 8"]
        ((action, state, why),) = waiting(w)
        assert (action, state) == ("publish", "held")
        assert "does not show edits in place" in why
        look(w, "m")
        assert len(waiting(w)) == 1
        assert w.command("outbox", "approve", "--bot", "a").exit_code == 0
        w.deliver(target)
        copy, correction = w.standing(target)
        assert correction.text == "Correction: Bussen går kl. 9"
        assert correction.reply_to == copy.id
        w.rest()
        assert len(w.journal("m")) == 1


@pytest.mark.parametrize("target", ["b", "x"])
def test_a_correction_is_a_reply_to_the_last_part_in_words_of_the_bot(
    tmp_path: Path, target: str
) -> None:
    bots = f"a: {{from: m, to: {target}, edits: correct, correction: 'تصحيح:'}}"
    with world(tmp_path, bots) as w:
        w.turn()
        post = w.say("m", "".join(LONG.format(n) for n in range(9)))
        w.turn()
        parts = w.standing(target)
        assert len(parts) > 1
        w.change("m", post, "الاجتماع يوم الثلاثاء")
        look(w, "m")
        *before, correction = w.standing(target)
        assert before == parts
        assert correction.text == "تصحيح: الاجتماع يوم الثلاثاء"
        assert correction.reply_to == parts[-1].id


def test_a_replaced_copy_is_deleted_before_its_successor_goes_out(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: b, edits: replace}", "Kl. 8") as (w, post):
        (old,) = w.standing("b")
        w.change("m", post, "Kl. 9")
        look(w, "m")
        (new,) = w.standing("b")
        assert (new.text, new.id != old.id) == ("Kl. 9", True)
        actions = [(e.action, e.id) for e in w.simulator("b").journal if e.account == "anna.test"]
        assert actions == [("publish", old.id), ("delete", old.id), ("publish", new.id)]
        # what comes later answers the new one, and further edits replace that
        w.say("m", "Og mer", reply_to=post)
        w.turn()
        assert w.standing("b")[-1].reply_to == new.id


def test_a_copy_that_is_answered_is_corrected_instead_of_replaced(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b, edits: replace}") as w:
        w.turn()
        post = w.say("m", "Kl. 8")
        w.say("m", "Ta med regntøy", reply_to=post)
        w.turn()
        w.change("m", post, "Kl. 9")
        look(w, "m")
        assert told(w, "b") == ["Kl. 8", "Ta med regntøy", "Correction: Kl. 9"]
        found = w.command("links", "--json").output
        assert "the copy has answers" in found


def test_edits_are_held_or_ignored_where_the_bot_says_so(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: m2, edits: hold}\nb: {from: b, to: b2}", "Kl. 8") as (
        w,
        post,
    ):
        w.change("m", post, "Kl. 9")
        look(w, "m")
        assert waiting(w) == [("update", "held", "edited, and the bot holds edits")]
        # another edit takes the place of the one that waits
        w.change("m", post, "Kl. 10")
        look(w, "m")
        assert len(waiting(w)) == 1
        w.command("outbox", "approve", "--bot", "a")
        w.deliver("m2")
        assert told(w, "m2") == ["Kl. 10"]


def test_an_ignored_edit_leaves_the_copy(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: m2, edits: ignore}", "Kl. 8") as (w, post):
        w.change("m", post, "Kl. 9")
        look(w, "m")
        assert (told(w, "m2"), waiting(w)) == (["Kl. 8"], [])


def test_a_copy_that_was_edited_by_hand_stays_until_a_person_says_otherwise(
    tmp_path: Path,
) -> None:
    with mirrored(tmp_path, "a: {from: m, to: m2}", "Kl. 8") as (w, post):
        (copy,) = w.standing("m2")
        w.change("m2", copy.id, "Kl. 8, på torget")
        w.change("m", post, "Kl. 9")
        look(w, "m")
        assert told(w, "m2") == ["Kl. 8, på torget"]
        assert waiting(w) == [("update", "held", "the copy was edited by hand since")]
        w.command("outbox", "approve", "--bot", "a")
        w.deliver("m2")
        assert told(w, "m2") == ["Kl. 9"]


def test_a_copy_that_was_deleted_by_hand_is_not_made_again(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: m2}", "Kl. 8") as (w, post):
        w.remove("m2", w.standing("m2")[0].id)
        w.change("m", post, "Kl. 9")
        look(w, "m")
        w.rest()
        assert (told(w, "m2"), waiting(w)) == ([], [])


def test_an_edit_by_which_a_post_would_not_be_mirrored_is_for_a_person(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: m2}", "Kl. 8") as (w, post):
        w.change("m", post, "Kl. 8 #nobridge")
        look(w, "m")
        ((action, state, why),) = waiting(w)
        assert (action, state, told(w, "m2")) == ("delete", "held", ["Kl. 8"])
        assert "would not be mirrored any more: skip: hashtag nobridge" in why
        w.command("outbox", "approve", "--bot", "a")
        w.deliver("m2")
        assert told(w, "m2") == []


@pytest.mark.parametrize("cut", ["drop_before", "drop_after"])
def test_an_edit_whose_answer_was_lost_is_sent_again(tmp_path: Path, cut: str) -> None:
    with mirrored(tmp_path, "a: {from: m, to: m2}", "Kl. 8") as (w, post):
        w.change("m", post, "Kl. 9")
        w.simulator("m2").faults.append(Fault(cut, "PUT /api/v1/statuses"))  # type: ignore[arg-type]
        look(w, "m")
        w.clock.advance(minutes=5)
        w.deliver("m2")
        assert (told(w, "m2"), waiting(w)) == (["Kl. 9"], [])


# Before it goes out


def test_the_delay_ends_with_the_final_version(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: [m2, b], delay: 5m}", "Skrivefiel") as (w, post):
        assert not w.copies("m2") + w.copies("b")
        assert w.command("status").exit_code == 0
        w.change("m", post, "Skrivefeil")
        look(w, "m", minutes=3)
        assert not w.copies("m2")
        look(w, "m", minutes=2)
        assert told(w, "m2") == told(w, "b") == ["Skrivefeil"]
        assert [e.action for e in w.standing("m2")] == ["publish"]


def test_what_was_published_longer_ago_than_the_delay_does_not_wait(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: m2, delay: 5m}") as w:
        w.turn()
        w.say("m", "Fra i går kveld")
        w.clock.advance(hours=8)
        w.turn()
        assert told(w, "m2") == ["Fra i går kveld"]


def test_an_edit_changes_a_draft_in_parts_that_has_not_gone_out(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b, delay: 5m}") as w:
        w.turn()
        short = w.say("m", "Kort")
        long = w.say("m", "".join(LONG.format(n) for n in range(9)))
        w.turn()
        w.change("m", short, "".join(LONG.format(n) for n in range(9)))
        w.change("m", long, "Kortere")
        look(w, "m", minutes=6)
        first, *rest = w.standing("b")
        assert first.text.startswith("Setning nummer 0")
        (second,) = (entry for entry in rest if entry.text != "Kortere")
        assert second.reply_to == first.id
        assert "Kortere" in told(w, "b")
        assert len(told(w, "b")) == 3


def test_a_post_that_was_deleted_or_made_private_while_it_waited_never_goes_out(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "a: {from: m, to: [m2, b], delay: 5m}") as w:
        w.turn()
        gone = w.say("m", "Angret")
        hidden = w.say("m", "Bare for venner")
        w.say("m", "Denne blir")
        w.turn()
        w.remove("m", gone)
        w.simulator("m").set_visibility(hidden, "private")
        look(w, "m", minutes=6)
        look(w, "m", minutes=2)
        w.rest()
        assert told(w, "m2") == told(w, "b") == ["Denne blir"]
        assert not waiting(w)


def test_a_source_that_cannot_be_read_keeps_a_post_for_an_hour_only(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b, delay: 5m}") as w:
        w.turn()
        w.say("m", "Venter på serveren")
        w.turn()
        w.simulator("m").faults.append(
            Fault("answer", "GET /api/v1/statuses", status=500, times=99)
        )
        w.clock.advance(minutes=6)
        done = w.follow("m")
        assert done.error is not None
        assert done.next_at is not None
        assert done.next_at >= w.clock() + AFTER_FAILURE
        w.deliver("b")
        assert not told(w, "b")
        w.clock.advance(minutes=61)
        assert w.follow("m").targets == {"b"}
        w.deliver("b")
        assert told(w, "b") == ["Venter på serveren"]


def test_a_person_who_releases_a_delayed_post_need_not_wait(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b, delay: 1h}") as w:
        w.turn()
        w.say("m", "Nå")
        w.turn()
        (draft,) = w.store.unsent()
        assert w.command("outbox", "retry", str(draft.id)).exit_code == 0
        w.deliver("b")
        assert told(w, "b") == ["Nå"]


# Deletions


@pytest.mark.parametrize("target", ["m2", "b", "x"])
def test_a_deletion_is_believed_the_second_time_and_takes_every_part_along(
    tmp_path: Path, target: str
) -> None:
    with world(tmp_path, f"a: {{from: m, to: {target}}}") as w:
        w.turn()
        w.say("m", "Denne blir")
        post = w.say("m", "".join(LONG.format(n) for n in range(14)).strip()[:495])
        w.turn()
        before = told(w, target)
        w.remove("m", post)
        look(w, "m")
        assert told(w, target) == before
        look(w, "m", minutes=BETWEEN_LOOKS.total_seconds() / 60)
        assert told(w, target) == ["Denne blir"]
        w.rest()
        assert (told(w, target), waiting(w)) == (["Denne blir"], [])


def test_a_post_that_comes_back_is_not_deleted(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Fortsatt her")
        w.turn()
        body = '{"error": "Record not found"}'
        faults = w.simulator("m").faults
        faults.append(Fault("answer", "GET /api/v1/statuses", status=200, body="[]"))
        faults.append(Fault("answer", "GET /api/v1/statuses/", status=404, body=body))
        look(w, "m")
        look(w, "m")
        look(w, "m")
        assert told(w, "b") == ["Fortsatt her"]
        faults.append(Fault("answer", "GET /api/v1/statuses", status=200, body="[]"))
        faults.append(Fault("answer", "GET /api/v1/statuses/", status=404, body=body))
        look(w, "m")
        assert told(w, "b") == ["Fortsatt her"]


def test_a_server_in_trouble_deletes_nothing(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Fortsatt her")
        w.turn()
        for status, body in ((404, "<html>no</html>"), (500, "{}"), (403, "{}"), (200, "[")):
            for _ in range(3):
                fault = Fault("answer", "GET /api/v1/statuses", status=status, body=body, times=2)
                w.simulator("m").faults[:] = [fault]
                w.clock.advance(minutes=6)
                w.follow("m")
        w.simulator("m").faults.clear()
        w.rest()
        assert told(w, "b") == ["Fortsatt her"]


@pytest.mark.parametrize(("policy", "left"), [("hold", "held"), ("ignore", "")])
def test_deletions_are_held_or_ignored_where_the_bot_says_so(
    tmp_path: Path, policy: str, left: str
) -> None:
    with mirrored(tmp_path, f"a: {{from: m, to: b, deletes: {policy}}}", "Slettet senere") as (
        w,
        post,
    ):
        w.remove("m", post)
        look(w, "m")
        look(w, "m")
        assert told(w, "b") == ["Slettet senere"]
        assert [state for _, state, _ in waiting(w)] == ([left] if left else [])
        if left:
            w.command("outbox", "approve", "--bot", "a")
            w.deliver("b")
            assert told(w, "b") == []


def test_mass_deletions_are_held_all_of_them_until_a_person_decides(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b}") as w:
        w.settings["b"]["limits"]["deletes_per_hour"] = 3
        w.configure("a: {from: m, to: b}")
        w.restart()
        w.turn()
        posts = [w.say("m", f"Innlegg {n}") for n in range(8)]
        w.turn()
        for post in posts[:4]:
            w.remove("m", post)
        look(w, "m")
        look(w, "m")
        assert len(told(w, "b")) == 8
        why = "more than 3 deletions within an hour for this account"
        assert waiting(w) == [("delete", "held", why)] * 4
        # nor one at a time, while these wait
        w.clock.advance(hours=2)
        w.remove("m", posts[4])
        look(w, "m", minutes=20)
        look(w, "m", minutes=20)
        assert len(told(w, "b")) == 8
        assert waiting(w)[4] == ("delete", "held", "other deletions for this account are held")
        w.command("outbox", "drop", "--bot", "a")
        w.remove("m", posts[5])
        look(w, "m", minutes=40)
        look(w, "m", minutes=40)
        assert told(w, "b") == [f"Innlegg {n}" for n in (0, 1, 2, 3, 4, 6, 7)]


def test_a_post_that_was_deleted_and_drafted_anew_has_one_copy(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: [b, x]}", "Hei på deg, med skrivefiel") as (w, post):
        w.remove("m", post)
        w.say("m", "Hei på deg, med skrivefeil")
        look(w, "m")
        w.turn()
        look(w, "m")
        w.rest()
        assert told(w, "b") == told(w, "x") == ["Hei på deg, med skrivefeil"]


def test_a_post_made_private_keeps_its_copy_until_a_person_decides(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: b}", "For alle, til nå") as (w, post):
        w.simulator("m").set_visibility(post, "private")
        look(w, "m")
        look(w, "m")
        why = "the original's visibility is private now"
        assert waiting(w) == [("delete", "held", why)]
        w.command("outbox", "drop", "--bot", "a")
        look(w, "m")
        assert (told(w, "b"), waiting(w)) == (["For alle, til nå"], [])


@pytest.mark.parametrize("cut", ["drop_before", "drop_after"])
@pytest.mark.parametrize("target", ["m2", "b", "x"])
def test_a_deletion_whose_answer_was_lost_is_sent_again(
    tmp_path: Path, cut: str, target: str
) -> None:
    with mirrored(tmp_path, f"a: {{from: m, to: {target}}}", "Slettet") as (w, post):
        w.remove("m", post)
        look(w, "m")
        w.clock.advance(minutes=3)
        done = w.follow("m")
        method = {
            "m2": "DELETE /api",
            "b": "POST /xrpc/com.atproto.repo.deleteRecord",
            "x": "DELETE /2",
        }
        w.simulator(target).faults.append(Fault(cut, method[target]))  # type: ignore[arg-type]
        assert done.targets == {target}
        w.deliver(target)
        w.clock.advance(minutes=5)
        w.deliver(target)
        assert (told(w, target), waiting(w)) == ([], [])
        assert not any(fault.times for fault in w.simulator(target).faults)


# In groups, and what is watched at all


def test_in_a_group_edits_and_deletions_come_from_the_origin_alone(tmp_path: Path) -> None:
    with world(tmp_path, "all: {between: [m, m2, b], edits: correct}") as w:
        w.turn()
        post = w.say("m", "Kl. 8")
        w.rest()
        w.change("m2", w.standing("m2")[0].id, "Kl. 8, rettet her")
        for source in ("m", "m2", "b"):
            look(w, source)
        assert (told(w, "b"), len(w.journal("m"))) == (["Kl. 8"], 1)
        w.remove("b", w.standing("b")[0].id)
        w.rest()
        for _ in range(2):
            for source in ("m", "m2", "b"):
                look(w, source)
        assert (told(w, "m2"), told(w, "b")) == (["Kl. 8, rettet her"], [])
        w.remove("m", post)
        for _ in range(2):
            look(w, "m")
        w.rest()
        assert (told(w, "m2"), told(w, "b"), waiting(w)) == ([], [], [])


def test_originals_are_watched_for_as_long_as_the_bot_says(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: m2, follow_for: 1d}", "Kl. 8") as (w, post):
        w.clock.advance(hours=25)
        w.change("m", post, "Kl. 9")
        look(w, "m")
        assert told(w, "m2") == ["Kl. 8"]
        assert w.follow("m").next_at is None


def test_a_poll_that_finds_nothing_new_asks_rarely_and_writes_nothing(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: m2}") as w:
        w.turn()
        for n in range(30):
            w.say("m", f"Innlegg {n}")
        w.turn()
        w.looked_at.clear()
        look(w, "m")
        size, asked = w.config.state.file.stat().st_mtime_ns, sum(w.requests("mastodon").values())
        for _ in range(24 * 12):
            look(w, "m", minutes=5)
        assert w.config.state.file.stat().st_mtime_ns == size
        # 30 posts, 2 requests of up to 20 each time; some 50 looks in the first day
        assert sum(w.requests("mastodon").values()) - asked < 130


def test_an_edit_on_twitter_is_seen_when_its_new_version_is_read(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: x, to: m}") as w:
        w.turn()
        post = w.say("x", "Kl. 8")
        w.turn()
        asked = w.requests("twitter")
        w.clock.advance(minutes=10)
        assert w.follow("x").next_at is None
        assert w.requests("twitter") == asked
        w.change("x", post, "Kl. 9")
        w.turn()
        assert (told(w, "m"), waiting(w)) == (["Kl. 9"], [])


def test_a_restart_between_two_looks_does_not_forget_the_first(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: b}", "Slettet") as (w, post):
        w.remove("m", post)
        look(w, "m")
        w.restart()
        w.looked_at.clear()
        look(w, "m")
        assert told(w, "b") == []


def test_a_bot_that_holds_deletions_holds_none_of_other_bots(tmp_path: Path) -> None:
    bots = "a: {from: m, to: b, deletes: hold}\nc: {from: m2, to: b}"
    with world(tmp_path, bots) as w:
        w.turn()
        mine, other = w.say("m", "Fra den ene"), w.say("m2", "Fra den andre")
        w.turn()
        w.remove("m", mine)
        w.remove("m2", other)
        for _ in range(2):
            look(w, "m")
            look(w, "m2")
        assert told(w, "b") == ["Fra den ene"]


def test_a_target_that_cannot_be_opened_keeps_no_edit_from_others(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: [x, m2]}", "Kl. 8") as (w, post):
        w.change("m", post, "Kl. 9")
        w.restart()
        w.simulator("x").faults.append(Fault("answer", "/2/", status=401, body="{}", times=99))
        look(w, "m")
        assert told(w, "m2") == ["Kl. 9"]
        w.simulator("x").faults.clear()
        w.clock.advance(hours=2)
        look(w, "m")
        assert [why for _, _, why in waiting(w)] == [
            "edited, and Twitter (X) does not show edits in place"
        ]


def test_an_edit_that_comes_while_a_post_is_on_its_way_out_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, "a: {from: m, to: m2}") as w:
        w.turn()
        post = w.say("m", "Kl. 8")
        w.read("m")
        sending, edits = w.store.sending, [True]

        def edit_first(*arguments: Any) -> bool:
            if edits:
                edits.clear()
                w.change("m", post, "Kl. 9")
                w.clock.advance(minutes=3)
                w.follow("m")
            return sending(*arguments)

        monkeypatch.setattr(w.store, "sending", edit_first)
        w.deliver("m2")
        assert [(e.action, e.text) for e in w.standing("m2")] == [("publish", "Kl. 9")]
        assert not waiting(w)


def test_a_delay_does_not_count_as_age(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b, delay: 3d, max_age: 1d}") as w:
        w.turn()
        w.say("m", "Tre dager senere")
        w.turn()
        look(w, "m", minutes=3 * 24 * 60)
        assert told(w, "b") == ["Tre dager senere"]


def test_two_looks_in_a_moment_are_one(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: b}", "Slettet") as (w, post):
        w.remove("m", post)
        look(w, "m")
        w.restart()
        w.looked_at.clear()
        look(w, "m", minutes=0.5)
        assert told(w, "b") == ["Slettet"]


def test_a_successor_does_not_go_out_beside_a_copy_that_cannot_be_deleted(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: b, edits: replace}", "Kl. 8") as (w, post):
        w.change("m", post, "Kl. 9")
        fault = Fault("answer", "POST /xrpc/com.atproto.repo.deleteRecord", status=400, body="{}")
        w.simulator("b").faults.append(fault)
        look(w, "m")
        assert told(w, "b") == ["Kl. 8"]
        assert {(action, state) for action, state, _ in waiting(w)} == {
            ("delete", "dead"),
            ("publish", "held"),
        }
        w.command("outbox", "retry", "--bot", "a")
        w.deliver("b")
        assert (told(w, "b"), waiting(w)) == (["Kl. 9"], [])


def test_what_a_person_deletes_does_not_count_as_too_many(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b}") as w:
        w.settings["b"]["limits"]["deletes_per_hour"] = 1
        w.configure("a: {from: m, to: b}")
        w.restart()
        w.turn()
        by_hand, by_author = w.say("m", "For hånd"), w.say("m", "Av den som skrev")
        w.turn()
        url = w.simulator("m")._server.statuses[by_hand].entity["url"]
        assert w.command("delete", url, "--yes").exit_code == 0
        w.remove("m", by_author)
        look(w, "m")
        look(w, "m")
        assert (told(w, "b"), waiting(w)) == ([], [])


def test_a_post_that_goes_out_while_its_edit_is_thought_over_is_changed_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, "a: {from: m, to: m2}") as w:
        w.turn()
        post = w.say("m", "Kl. 8")
        w.read("m")
        change, first = w.store.change, [True]

        def deliver_first(*arguments: Any) -> bool:
            if first:
                first.clear()
                w.deliver("m2")
            return change(*arguments)

        monkeypatch.setattr(w.store, "change", deliver_first)
        w.change("m", post, "Kl. 9")
        look(w, "m")
        assert [(e.action, e.text) for e in w.standing("m2")] == [("edit", "Kl. 9")]


def test_what_waits_for_a_server_is_looked_at_often(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b}") as w:
        w.turn()
        hidden, gone = w.say("m", "Bare for venner, siden"), w.say("m", "Angret siden")
        w.say("m", "Denne blir")
        w.read("m")
        w.simulator("b").faults.append(Fault("drop_before", "POST ", times=99))
        w.deliver("b")
        for _ in range(60):
            look(w, "m", minutes=10)
        w.simulator("m").set_visibility(hidden, "private")
        w.remove("m", gone)
        for _ in range(2):
            look(w, "m", minutes=10)
        w.simulator("b").faults.clear()
        w.deliver("b")
        w.rest()
        assert told(w, "b") == ["Denne blir"]
