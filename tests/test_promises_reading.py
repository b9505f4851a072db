"""What is promised of reading: what travels, what stays, and that odd posts stop nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.simulation import Entry, Fault, Request, Response
from tests.test_mirroring import png
from tests.world import World, world

Status = dict[str, Any]


def with_statuses(
    w: World, monkeypatch: pytest.MonkeyPatch, change: Callable[[Status], None]
) -> None:
    """Have the Mastodon server show its statuses changed."""
    server = w.simulator("m")
    handle = server.handle

    def changed(request: Request) -> Response:
        response: Response = handle(request)
        if request.method != "GET" or not request.path.endswith("/statuses"):
            return response
        page = json.loads(json.dumps(response.body))
        for status in page:
            change(status)
        return Response(response.status, page, response.headers)

    monkeypatch.setattr(server, "handle", changed)


# Nobody is notified


def facet(text: str, part: str, feature: str, **more: str) -> list[dict[str, Any]]:
    """A Bluesky facet over a part of a text."""
    start = len(text[: text.index(part)].encode())
    index = {"byteStart": start, "byteEnd": start + len(part.encode())}
    return [{"index": index, "features": [{"$type": f"app.bsky.richtext.facet#{feature}", **more}]}]


def mentions(entry: Entry) -> list[Any]:
    """Whom a post notifies, by its network's own account."""
    found: list[Any] = entry.raw.get("mentions") or []
    return found or (entry.raw.get("entities") or {}).get("mentions") or []


def test_a_name_that_is_written_by_hand_would_notify(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        for account, name in (("m", "berit"), ("x", "berit")):
            w.say(account, f"Hei @{name}")
            assert mentions(w.journal(account)[-1])


THANKS = "تحية إلى @berit من Bergen"


@pytest.mark.parametrize("target", ["m", "x"])
@pytest.mark.parametrize(
    "facets",
    [
        facet(THANKS, "@berit", "link", uri="https://example.com/p"),
        facet(THANKS, "إلى @berit", "tag", tag="berit"),
        facet(THANKS, "@berit", "tag", tag="berit"),
    ],
    ids=["link text", "hashtag", "whole hashtag"],
)
def test_facets_over_a_name_notify_nobody(
    tmp_path: Path, target: str, facets: list[dict[str, Any]]
) -> None:
    with world(tmp_path, f"one: {{from: b, to: {target}}}") as w:
        w.turn()
        w.say("b", THANKS, facets=facets)
        w.rest()
        (copy,) = w.copies(target)
        assert mentions(copy) == []
        assert " @berit" not in copy.text


@pytest.mark.parametrize(
    ("target", "uri"),
    [
        ("m", "https://example.com/@berit"),
        ("x", "https://example.com/@berit"),
        ("m", "https://example.com/ @berit"),
        ("x", "https://example.com/ @berit"),
        ("m", "https://example.com/«@berit»"),
        ("x", "https://example.com/«@berit»"),
    ],
)
def test_a_name_in_a_links_target_notifies_nobody(tmp_path: Path, target: str, uri: str) -> None:
    with world(tmp_path, f"one: {{from: b, to: {target}}}") as w:
        w.turn()
        w.say("b", "Lies mehr dazu", facets=facet("Lies mehr dazu", "mehr", "link", uri=uri))
        w.rest()
        (copy,) = w.copies(target)
        assert mentions(copy) == []


@pytest.mark.parametrize(("target", "name"), [("x", "berit"), ("m2", "anna")])
def test_a_name_in_a_content_warning_notifies_nobody(
    tmp_path: Path, target: str, name: str
) -> None:
    with world(tmp_path, f"one: {{from: m, to: {target}}}") as w:
        w.turn()
        w.say("m", "Mer i morgen", warning=f"om @{name} og saken")
        w.rest()
        (copy,) = w.copies(target)
        assert mentions(copy) == []
        assert f"om {name} og saken" in copy.text + copy.warning
        assert "@" not in copy.text + copy.warning


@pytest.mark.parametrize("long", ["thread", "numbered", "truncate", "first_and_link"])
def test_a_hard_cut_makes_no_name_that_notifies(tmp_path: Path, long: str) -> None:
    with world(tmp_path, f"one: {{from: m, to: x, long: {long}}}") as w:
        w.turn()
        for room in range(265, 281):
            w.say("m", f"{room}{'a' * (room - 3)}@berit")
        w.rest()
        assert len(w.copies("x")) >= 16
        assert [copy.text for copy in w.copies("x") if mentions(copy)] == []


# What stays at home


def test_a_boost_carries_nothing_of_the_others_post_but_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def repeat(status: Status) -> None:
        if status["reblog"]:
            for field in ("media_attachments", "spoiler_text", "sensitive"):
                status[field] = status["reblog"][field]

    with world(tmp_path, "one: {from: m, to: [b, m2, x], boosts: link}") as w:
        w.turn()
        other = w.simulator("m").say(
            "cecilie", "Se her", images=[(png(), "Cecilies bilde")], warning="privat sak"
        )
        w.simulator("m").boost("anna", other)
        with_statuses(w, monkeypatch, repeat)
        w.rest()
        for target in ("b", "m2", "x"):
            (copy,) = w.copies(target)
            assert copy.alts == ()
            assert "privat" not in copy.text + copy.warning
            assert any(other in shown for shown in (copy.text, *copy.links))


@pytest.mark.parametrize("visibility", ["unlisted", "private"])
def test_a_boost_of_what_is_not_public_stays_at_home(tmp_path: Path, visibility: str) -> None:
    with world(tmp_path, "one: {from: m, to: b, boosts: link}") as w:
        w.turn()
        simulator = w.simulator("m")
        author = "anna" if visibility == "private" else "cecilie"
        other = simulator.say(author, "Ikke for alle", visibility=visibility)
        simulator.boost("anna", other)
        w.rest()
        assert w.copies("b") == []
        assert w.reasons() != []


def test_nobridge_among_the_tags_of_a_bluesky_post_keeps_it_home(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: b, to: [m, x]}") as w:
        w.turn()
        w.say("b", "Bare her", tags=["nobridge"])
        w.say("b", "Overalt", tags=["vær"])
        w.rest()
        shown = ["Overalt\n\n#vær"]
        assert (w.texts("m"), w.texts("x")) == (shown, shown)


@pytest.mark.parametrize(
    ("skip", "post"),
    [
        ('{matching: "(?i)intern"}', {"warning": "Intern sak"}),
        ("{words: [intern]}", {"warning": "Intern sak"}),
        ("{words: [intern]}", {"poll": {"options": ["Intern sak", "Annet"], "expires_in": 3600}}),
        (
            '{matching: "(?i)intern"}',
            {"poll": {"options": ["Intern sak", "Annet"], "expires_in": 3600}},
        ),
    ],
)
def test_filters_see_everything_that_people_read(
    tmp_path: Path, skip: str, post: dict[str, Any]
) -> None:
    with world(tmp_path, f"one: {{from: m, to: b, skip: {skip}}}") as w:
        w.turn()
        w.say("m", "Hva skjer?", **post)
        w.say("m", "Alt er åpent")
        w.rest(1)
        assert w.texts("b") == ["Alt er åpent"]


# What arrives all the same


def test_a_server_that_does_not_know_min_id_is_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Hej fra Aarhus")
        server = w.simulator("m")
        handle, asked = server.handle, []

        def forgetful(request: Request) -> Response:
            if request.method == "GET" and request.path.endswith("/statuses"):
                asked.append(request)
                if len(asked) > 100:
                    return Response(500, "enough")
                known = tuple(pair for pair in request.query if pair[0] != "min_id")
                request = replace(request, query=known)
            response: Response = handle(request)
            return response

        monkeypatch.setattr(server, "handle", forgetful)
        w.rest(2)
        assert len(asked) < 10
        assert w.texts("b") == ["Hej fra Aarhus"]


def no_year(status: Status) -> None:
    status["created_at"] = "0001-01-01T00:00:00+14:00"


def endless(status: Status) -> None:
    status["media_attachments"][0]["meta"] = {"original": {"width": float("inf"), "height": 3}}


@pytest.mark.parametrize("odd", [no_year, endless])
def test_an_odd_status_does_not_stop_those_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: Callable[[Status], None]
) -> None:
    def change(status: Status) -> None:
        if "Sært" in status["content"]:
            odd(status)

    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        with_statuses(w, monkeypatch, change)
        w.say("m", "Sært", images=[(png(), "Et bilde")])
        w.say("m", "Som vanlig")
        w.rest(2)
        assert "Som vanlig" in w.texts("b")


def test_a_target_that_is_away_at_the_first_run_loses_nothing(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: [b, x]}") as w:
        w.say("m", "Fra lenge før")
        w.simulator("x").faults = [Fault("answer", match="GET /2/users/me", status=503)]
        w.turn()
        w.clock.advance(minutes=2)
        w.say("m", "Das erste nach dem Start")
        w.rest(3)
        assert w.texts("b") == ["Das erste nach dem Start"]
        assert w.texts("x") == ["Das erste nach dem Start"]


@pytest.mark.parametrize("read_before", [True, False])
def test_a_thread_goes_on_after_an_edit_on_x(tmp_path: Path, *, read_before: bool) -> None:
    with world(tmp_path, "one: {from: x, to: b}") as w:
        w.turn()
        first = w.say("x", "Første del")
        if read_before:
            w.rest(1)
        w.clock.advance(seconds=40)
        edited = w.simulator("x").edit("anna", first, "Første del, rettet")
        w.say("x", "Andre del", reply_to=edited)
        w.rest(2)
        copies = w.copies("b")
        assert [copy.text.startswith("Første del") for copy in copies] == [True, False]
        assert (copies[1].text, copies[1].reply_to) == ("Andre del", copies[0].id)


@pytest.mark.parametrize(("source", "target"), [("b", "m"), ("x", "b"), ("m", "x")])
def test_a_target_that_was_away_at_the_first_run_gets_what_came_since_and_nothing_older(
    tmp_path: Path, source: str, target: str
) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.say(source, "Fra før boten begynte")
        w.simulator(target).faults = [Fault("answer", status=503, times=100)]
        w.read(source)
        w.say(source, "Mens målet var borte")
        w.simulator(target).faults = []
        w.clock.advance(minutes=2)
        w.rest(3)
        assert w.texts(target) == ["Mens målet var borte"]
        w.rest(2)
        assert w.texts(target) == ["Mens målet var borte"]


@pytest.mark.parametrize(("status", "read"), [(400, ["Tredje"]), (429, []), (503, []), (401, [])])
def test_a_refused_page_keeps_bots_that_stand_elsewhere_from_nothing(
    tmp_path: Path, status: int, read: list[str]
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Første")
        w.configure("one: {from: m, to: b}\ntwo: {from: m, to: x}")
        config, w.config = w.config, replace(w.config, bots={"two": w.config.bots["two"]})
        w.turn()
        w.config = config
        w.say("m", "Tredje")
        w.simulator("m").faults = [
            Fault("answer", "GET /api/v1/accounts/:id/statuses", status=status, times=1)
        ]
        assert w.read("m").errors.keys() == {"m"}
        w.deliver("x")
        assert (w.texts("b"), w.texts("x")) == ([], read)
        w.clock.advance(hours=2)
        w.rest()
        assert (w.texts("b"), w.texts("x")) == (["Første", "Tredje"], ["Tredje"])
