"""Whole passes: what is posted on one network arrives on the others, once."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bridge.simulation import Fault
from bridge.store import QueuedDraft, Store
from tests.world import World, world

TRIANGLE = "news: {between: [m, b, x]}"
DIRECTIONS = [(a, b) for a in ("m", "b", "x") for b in ("m", "b", "x") if a != b]


def png(color: str = "red", size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_a_post_arrives_in_every_direction(tmp_path: Path, source: str, target: str) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        w.say(
            source,
            "Ferja går igjen fra kl. 12 – les mer på https://ferje.example.com/rute?dag=1 #Ferje",
        )
        w.rest()
        (copy,) = w.copies(target)
        assert "Ferja går igjen fra kl. 12 – les mer på" in copy.text
        assert "#Ferje" in copy.text
        assert "https://ferje.example.com/rute?dag=1" in copy.links
        assert w.copies(source) == []


def test_a_triangle_comes_to_rest_with_one_copy_each(tmp_path: Path) -> None:
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        for account in ("m", "b", "x"):
            w.say(account, f"En hilsen fra {account}")
        w.rest(4)
        assert sorted(w.texts("m")) == ["En hilsen fra b", "En hilsen fra x"]
        assert sorted(w.texts("b")) == ["En hilsen fra m", "En hilsen fra x"]
        assert sorted(w.texts("x")) == ["En hilsen fra b", "En hilsen fra m"]
        before = {n: len(s.journal) for n, s in w.networks.items()}
        w.rest(3)
        assert {n: len(s.journal) for n, s in w.networks.items()} == before


def test_a_first_run_takes_nothing_old(tmp_path: Path) -> None:
    with world(tmp_path, TRIANGLE) as w:
        for account in ("m", "b", "x"):
            w.say(account, "Fra lenge før")
        w.rest()
        assert [w.texts(account) for account in ("m", "b", "x")] == [[], [], []]
        w.say("b", "Nytt")
        w.rest()
        assert (w.texts("m"), w.texts("x")) == (["Nytt"], ["Nytt"])


@pytest.mark.parametrize("source", ["m", "b", "x"])
@pytest.mark.parametrize(
    ("backfill", "expected"),
    [("none", []), ("{last: 2}", ["tre", "fire"]), ("all", ["en", "to", "tre", "fire"])],
)
def test_a_first_run_takes_what_backfill_says_in_order(
    tmp_path: Path, source: str, backfill: str, expected: list[str]
) -> None:
    target = "x2" if source != "x" else "b2"
    with world(tmp_path, f"one: {{from: {source}, to: {target}, backfill: {backfill}}}") as w:
        for text in ("en", "to", "tre", "fire"):
            w.say(source, text)
            w.clock.advance(days=3)
        w.rest()
        assert w.texts(target) == expected


@pytest.mark.parametrize("source", ["m", "b", "x"])
def test_backfill_since_a_date_takes_what_is_newer(tmp_path: Path, source: str) -> None:
    target = "x2" if source != "x" else "b2"
    bots = f"one: {{from: {source}, to: {target}, backfill: {{since: 2026-11-25}}}}"
    with world(tmp_path, bots) as w:
        for text in ("en", "to", "tre", "fire"):
            w.say(source, text)
            w.clock.advance(days=2)
        w.rest()
        assert w.texts(target) == ["tre", "fire"]


@pytest.mark.parametrize("source", ["m", "b", "x"])
def test_catching_up_after_a_long_pause_misses_nothing(tmp_path: Path, source: str) -> None:
    target = "m2" if source != "m" else "b2"
    with world(tmp_path, f"one: {{from: {source}, to: {target}, max_age: 30d}}") as w:
        for network in w.networks.values():
            network.limits = False
        w.turn()
        said = [f"Melding nummer {n}" for n in range(230)]
        for n, text in enumerate(said):
            w.say(source, text)
            if n % 10 == 0:
                w.clock.advance(hours=1)
        w.restart()
        w.rest(2)
        assert w.texts(target) == said


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_a_thread_of_ones_own_stays_a_thread(tmp_path: Path, source: str, target: str) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        first = w.say(source, "Første av tre")
        second = w.say(source, "Andre av tre", reply_to=first)
        w.turn()
        w.say(source, "Tredje av tre", reply_to=second)
        w.rest()
        copies = w.copies(target)
        assert [c.text for c in copies] == ["Første av tre", "Andre av tre", "Tredje av tre"]
        assert [c.reply_to for c in copies] == ["", copies[0].id, copies[1].id]


def test_a_reply_to_a_copy_attaches_to_the_group_on_every_member(tmp_path: Path) -> None:
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        origin = w.say("m", "Originalen")
        w.rest(2)
        (on_bluesky,) = w.copies("b")
        (on_x,) = w.copies("x")
        w.say("b", "Et svar på kopien", reply_to=on_bluesky.id)
        w.rest(2)
        assert [(c.text, c.reply_to) for c in w.copies("m")] == [("Et svar på kopien", origin)]
        assert (w.copies("x")[-1].text, w.copies("x")[-1].reply_to) == (
            "Et svar på kopien",
            on_x.id,
        )


def test_a_long_post_becomes_a_thread_and_a_reply_attaches_to_its_end(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: [b, x]}") as w:
        w.turn()
        long = " ".join(f"Setning nummer {n} om budsjettet." for n in range(14))
        first = w.say("m", long)
        w.say("m", "Et etterord", reply_to=first)
        w.rest()
        for target in ("b", "x"):
            copies = w.copies(target)
            assert len(copies) >= 3
            assert " ".join(c.text for c in copies[:-1]) == long
            assert [c.reply_to for c in copies] == ["", *(c.id for c in copies[:-1])]
            assert copies[-1].text == "Et etterord"


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_images_arrive_with_their_alt_texts(tmp_path: Path, source: str, target: str) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        images = [(png("red"), "En rød flate"), (png("blue"), "مساحة زرقاء")]
        w.say(source, "To bilder", images=images)
        w.rest()
        (copy,) = w.copies(target)
        assert copy.text == "To bilder"
        assert list(copy.alts) == ["En rød flate", "مساحة زرقاء"]


@pytest.mark.parametrize(("source", "target"), [("m", "b"), ("b", "m"), ("m", "x"), ("x", "b")])
def test_right_to_left_text_with_a_latin_link_arrives_as_it_was(
    tmp_path: Path, source: str, target: str
) -> None:
    text = "\u200fصباح الخير من \u2068Bergen\u2069 ونشرة اليوم"
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        w.say(source, f"{text} https://akhbar.example.com/a", language="ar")
        w.rest()
        (copy,) = w.copies(target)
        assert copy.text.startswith(text)
        assert "https://akhbar.example.com/a" in copy.links
        if target != "x":
            assert copy.languages == ("ar",)


def test_mentions_notify_nobody(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: [b, x, m2]}") as w:
        w.turn()
        w.say("m", "Takk til @berit for hjelpen")
        w.rest()
        for target in ("b", "x", "m2"):
            assert w.texts(target) == ["Takk til berit for hjelpen"]


def test_a_content_warning_travels(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: [b, m2]}") as w:
        w.turn()
        w.say("m", "Det var blod på isen", warning="skade")
        w.rest()
        assert w.texts("b") == ["CW: skade\n\nDet var blod på isen"]
        (copy,) = w.copies("m2")
        assert (copy.text, copy.warning) == ("Det var blod på isen", "skade")


@pytest.mark.parametrize("visibility", ["private", "direct", "unlisted"])
def test_what_is_not_public_stays_at_home(tmp_path: Path, visibility: str) -> None:
    with world(tmp_path, "one: {from: m, to: [b, x]}") as w:
        w.turn()
        w.say("m", "Bare for de nærmeste", visibility=visibility)
        w.rest()
        assert (w.copies("b"), w.copies("x")) == ([], [])
        assert all(reason.startswith(f"visibility {visibility}") for reason in w.reasons())


def test_every_source_post_gets_a_verdict_with_its_reason(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b, skip: {words: [utkast]}}") as w:
        w.turn()
        w.say("m", "Dette går ut")
        w.say("m", "Et utkast")
        other = w.simulator("m").say("berit", "Hei fra Berit")
        w.say("m", "Svar til Berit", reply_to=other)
        w.turn()
        verdicts = [(v.verdict, v.reason) for v in w.store.verdicts()]
        assert verdicts == [
            ("queued", ""),
            ("skipped", "skip: word utkast"),
            ("skipped", "reply to someone else"),
        ]


def test_two_bots_that_want_the_same_copy_make_one(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}\ntwo: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Bare én gang")
        w.rest()
        assert w.texts("b") == ["Bare én gang"]
        assert w.reasons("two") == ["already queued by one"]


def test_opposite_bots_do_not_mirror_each_others_copies(tmp_path: Path) -> None:
    with world(tmp_path, "out: {from: m, to: b}\nback: {from: b, to: m}") as w:
        w.turn()
        w.say("m", "Ut")
        w.say("b", "Hjem")
        w.rest(4)
        assert (w.texts("b"), w.texts("m")) == (["Ut"], ["Hjem"])


def test_a_copy_made_by_another_tribridge_is_no_source(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}\nother: {from: b2, to: x}") as w:
        w.turn()
        w.say("b2", "Fra en annen bro", tribridgeKey="0" * 64)
        w.rest()
        assert w.texts("x") == []
        assert w.reasons("other") == ["made by Tribridge"]


def test_a_mirrored_text_post_costs_one_write_and_an_empty_poll_one_read(tmp_path: Path) -> None:
    for source, target in (("m", "b"), ("b", "x"), ("x", "m")):
        folder = tmp_path / source
        folder.mkdir()
        with world(folder, f"one: {{from: {source}, to: {target}}}") as w:
            w.turn()
            w.say(source, "Første, som også logger inn")
            w.rest(1)
            for network in w.networks.values():
                network.requests.clear()
            w.say(source, "Andre")
            for network in w.networks.values():
                network.requests.clear()
            w.turn()
            assert sum(w.simulator(target).requests.values()) == 1
            assert len(w.copies(target)) == 2
            w.turn()
            w.simulator(source).requests.clear()
            before = w.config.state.file.stat().st_mtime_ns
            wal = w.config.state.file.with_name("tribridge.db-wal").stat()
            w.turn()
            assert sum(w.simulator(source).requests.values()) == 1
            assert w.config.state.file.stat().st_mtime_ns == before
            after = w.config.state.file.with_name("tribridge.db-wal").stat()
            assert (after.st_size, after.st_mtime_ns) == (wal.st_size, wal.st_mtime_ns)


@pytest.mark.parametrize("target", ["m", "b", "x"])
@pytest.mark.parametrize("kind", ["drop_after", "truncate", "drop_before"])
def test_an_answer_that_is_lost_doubles_nothing(tmp_path: Path, target: str, kind: str) -> None:
    source = "m2" if target != "m" else "b2"
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        w.say(source, "Første")
        w.rest(1)
        w.simulator(target).faults = [Fault(kind, match=WRITES[target])]  # type: ignore[arg-type]
        w.say(source, "Andre, som går tapt på veien")
        w.say(source, "Tredje")
        w.rest(5)
        texts = w.texts(target)
        assert texts.count("Andre, som går tapt på veien") <= 1
        assert texts == ["Første", "Andre, som går tapt på veien", "Tredje"]
        assert w.store.troubled() == []


def test_on_x_a_picture_or_a_twin_in_doubt_is_left_to_a_person(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: b, to: x}") as w:
        w.turn()
        w.say("b", "Dagens ord")
        w.rest(1)
        w.simulator("x").faults = [Fault("drop_before", match=WRITES["x"], times=2)]
        w.say("b", "Dagens ord")
        w.say("b", "Med bilde", images=[(png(), "alt")])
        w.say("b", "Ferdig")
        w.rest(6)
        assert w.texts("x") == ["Dagens ord", "Ferdig"]
        assert [(d.state, d.draft.text) for d in w.store.troubled()] == [
            ("held", "Dagens ord"),
            ("held", "Med bilde"),
        ]


WRITES = {
    "m": "POST /api/v1/statuses",
    "b": "POST /xrpc/com.atproto.repo.putRecord",
    "x": "POST /2/tweets",
}


@pytest.mark.parametrize("target", ["m", "b", "x"])
def test_a_defect_after_the_request_left_doubles_nothing(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "m2" if target != "m" else "b2"
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        w.say(source, "Første")
        w.rest(1)
        recorded = Store.sent

        def fail_once(self: Store, *args: Any) -> None:
            monkeypatch.setattr(Store, "sent", recorded)
            raise sqlite3.OperationalError("disk I/O error")

        monkeypatch.setattr(Store, "sent", fail_once)
        w.say(source, "Andre")
        w.say(source, "Tredje")
        w.rest(4)
        assert w.texts(target) == ["Første", "Andre", "Tredje"]
        assert w.store.troubled() == []


@pytest.mark.parametrize("target", ["m", "b", "x"])
def test_a_server_that_acts_late_is_recognised_when_it_does(tmp_path: Path, target: str) -> None:
    others = [a for a in ("m", "b", "x") if a != target]
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        w.simulator(target).faults = [Fault("act_late", match=WRITES[target])]
        w.say(others[0], "Sent, men godt")
        w.turn()
        w.simulator(target).release_late()
        w.rest(5)
        assert w.texts(target) == ["Sent, men godt"]
        assert w.texts(others[1]) == ["Sent, men godt"]
        assert w.texts(others[0]) == []


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (422, '{"error": "Validation failed"}', "dead"),
        (503, "<html>maintenance</html>", "sent"),
        (429, "{}", "sent"),
    ],
)
def test_a_server_that_declines_is_told_of_and_others_go_on(
    tmp_path: Path, status: int, body: str, state: str
) -> None:
    with world(tmp_path, "one: {from: b, to: [m, x]}") as w:
        w.turn()
        w.simulator("m").faults = [
            Fault("answer", match="POST /api/v1/statuses", status=status, body=body)
        ]
        w.say("b", "Til begge")
        w.turn()
        assert w.texts("x") == ["Til begge"]
        assert w.texts("m") == []
        assert [d.error for d in w.store.troubled()][0]
        w.clock.advance(minutes=20)
        w.rest(3)
        (draft,) = [d for d in drafts(w) if d.target.startswith("mastodon")]
        assert draft.state == state
        assert len(w.copies("m")) == (state == "sent")


def drafts(w: World) -> list[QueuedDraft]:
    return w.store._drafts("1 ORDER BY id", ())


def test_a_source_that_answers_nonsense_is_left_for_the_next_pass(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Kommer frem til slutt")
        for fault in (
            Fault("answer", status=200, body="<html>"),
            Fault("answer", status=200, body='{"a": 1}'),
            Fault("answer", status=500, body=""),
            Fault("truncate"),
            Fault("drop_before"),
        ):
            fault.match = "GET /api/v1/accounts"
            w.simulator("m").faults = [fault]
            assert w.read("m").errors.keys() == {"m"}
        w.rest(1)
        assert w.texts("b") == ["Kommer frem til slutt"]


def test_a_dry_run_writes_nothing_and_shows_what_it_would(tmp_path: Path) -> None:
    from bridge.overview import describe
    from bridge.store import Store
    from bridge.workers import Engine

    shown: list[str] = []
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Skal ikke ut ennå")
        w.store.close()
        before = {p.name: p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file()}
        journals = {n: len(s.journal) for n, s in w.networks.items()}
        memory = Store.in_memory(w.config.state.file)
        accounts = type(w.accounts)(w.config, memory, w.clock)
        engine = Engine(
            w.config, memory, accounts, report=lambda *a: shown.append(describe(*a)), rehearse=True
        )
        for bot in w.config.bots.values():
            engine.read(bot)
        engine.lanes.wait()
        memory.close()
        assert "would be posted" in shown[0]
        assert "Skal ikke ut ennå" in shown[0]
        after = {p.name: p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file()}
        assert after == before
        assert {n: len(s.journal) for n, s in w.networks.items()} == journals


def test_a_post_that_is_too_old_to_go_out_is_held_not_lost(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b, max_age: 2d}") as w:
        w.turn()
        w.say("m", "Gammelt nytt")
        w.clock.advance(days=3)
        w.say("m", "Ferskt")
        w.rest(1)
        assert w.texts("b") == ["Ferskt"]
        (held,) = w.store.troubled()
        assert (held.state, held.draft.text) == ("held", "Gammelt nytt")
        assert "max_age" in held.error


@pytest.mark.parametrize("flavour", ["gotosocial", "takahe"])
def test_servers_that_are_mastodon_only_by_api_mirror_too(tmp_path: Path, flavour: str) -> None:
    with world(tmp_path, TRIANGLE, flavour=flavour) as w:
        w.turn()
        first = w.say("m", "Hei fra en annen tjener: https://example.com/sti #Tag")
        w.say("m", "Og et svar", reply_to=first, images=[(png(), "Et rødt felt")])
        w.say("b", "Hei tilbake", images=[(png("blue"), "Et blått felt")])
        w.rest(4)
        (said, answer) = w.copies("b")
        assert (said.text.split(":")[0], said.links) == (
            "Hei fra en annen tjener",
            ("https://example.com/sti",),
        )
        assert (answer.text, answer.reply_to, answer.alts) == (
            "Og et svar",
            said.id,
            ("Et rødt felt",),
        )
        (home,) = w.copies("m")
        assert (home.text, home.alts, home.visibility) == (
            "Hei tilbake",
            ("Et blått felt",),
            "public",
        )
        assert len(w.copies("x")) == 3
        w.rest(3)
        assert [len(w.copies(a)) for a in ("m", "b", "x")] == [1, 2, 3]


@pytest.mark.parametrize("flavour", ["gotosocial", "takahe"])
def test_a_lost_answer_doubles_nothing_where_keys_are_ignored(tmp_path: Path, flavour: str) -> None:
    with world(tmp_path, "one: {from: b, to: m}", flavour=flavour) as w:
        w.turn()
        w.say("b", "Første")
        w.rest(1)
        w.simulator("m").faults = [
            Fault("drop_after", match=WRITES["m"]),
            Fault("drop_before", match=WRITES["m"]),
        ]
        for text in ("Andre", "Tredje", "Fjerde"):
            w.say("b", text)
        w.rest(5)
        assert w.texts("m") == ["Første", "Andre", "Fjerde"]
        (held,) = w.store.troubled()
        assert (held.state, held.draft.text) == ("held", "Tredje")
