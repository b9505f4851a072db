"""Link cards of pages and targets that mean harm, or are at an awkward moment."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import cards, media, wire
from bridge.post import Card
from bridge.simulation import Fault
from bridge.store import Store
from tests.test_cards import BOTS, Site, embed, losses, mirrored, page, site
from tests.test_mirroring import png
from tests.waiting import HANGS, WAITING
from tests.world import World, world

__all__ = ["site"]
URL = "https://a.example/"
PUT = "POST /xrpc/com.atproto.repo.putRecord"
#: bytes that one grapheme of a title may not exceed by far: marks upon marks are one character
ZALGO = "a" + "\N{COMBINING ACUTE ACCENT}" * 100_000


def test_what_is_one_character_of_many_bytes_is_cut_too() -> None:
    found = cards.read_page(page(ZALGO, ZALGO), "utf-8", URL)
    assert len(found.title.encode()) <= cards.TITLE * cards.BYTES
    assert len(found.description.encode()) <= cards.DESCRIPTION * cards.BYTES


def test_a_long_title_is_cut_between_characters() -> None:
    family = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
    title = cards.read_page(page(family * 400), "utf-8", URL).title
    assert title.endswith("…")
    assert set(title[:-1].split(family)) == {""}
    assert len(title.encode()) <= cards.TITLE * cards.BYTES


def test_the_original_s_card_is_cut_as_one_of_a_page_is(tmp_path: Path, site: Site) -> None:
    with world(tmp_path, BOTS) as w:
        card = {"url": site.url + "/", "title": "Havn\n og kai " + ZALGO, "description": ZALGO}
        external = mirrored(w, f"Se {site.url}/", card=card)["external"]
        assert external["title"] == "Havn og kai…"
        assert len(external["description"].encode()) <= cards.DESCRIPTION * cards.BYTES
    assert site.asked == []


DEEP = {
    "elements": "b'<div>' * (n // 5) + b'<title>Kaia</title>'",
    "attributes": "b'<meta ' + b' '.join(b'a%d=1' % i for i in range(n // 8)) + b'>' + t",
    "metas": "t + b'<meta property=a content=b>' * (n // 27)",
    "many attributes": "t + (b'<meta ' + b' '.join(b'a%d' % i for i in range(800)) + b'>') * (n // 4800)",
    "unclosed comments": "t + b'<!--' * (n // 4)",
    "unclosed scripts": "t + b'<script>' * (n // 8)",
    "unclosed titles": "t + b'<title>' * (n // 7)",
    "unclosed drawings": "t + b'<svg ' * (n // 5)",
    "many drawings": "b'<svg></svg>' * (n // 11 - 9) + t",
    "unclosed quotes": "t + b'<meta content=\"' * (n // 15)",
    "punycode": "t + b'-' + b'a9' * (n // 2)",
}


@pytest.mark.parametrize("kind", DEEP)
def test_no_page_takes_longer_to_read_than_its_size_accounts_for(kind: str) -> None:
    """In a process of its own, which is ended: reading holds up every other thread."""
    charset = "punycode" if kind == "punycode" else "utf-8"
    program = (
        f"from bridge import cards; n = {media.MAX_PAGE}; t = b'<title>Kaia</title>';"
        f"print(cards.read_page({DEEP[kind]}, {charset!r}, {URL!r}).title)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=HANGS, check=True
    )
    assert done.stdout == "Kaia\n"


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("<!-- <title>Gammel</title> --><title>Ny</title>", "Ny"),
        ("<script>s = '<title>Kode</title>'</script><TITLE lang=nb>Ny</TITLE>", "Ny"),
        ("<!--><title>Ny</title>", "Ny"),
        ("<meta property=og:title content='a > b'><title>Ny</title>", "a > b"),
        ("<meta content=\"it's\" property='og:title'>", "it's"),
        ("<titles>Feil</titles><metadata property=og:title content=Feil><title>Ny", "Ny"),
        ("<body><p>Hei</p><meta property=og:title content=Sent></body>", "Sent"),
        ("<meta property=og:title content=''><title>Ny</title>", "Ny"),
        ("<title>Å &lt;b&gt; &eacute;</title>", "Å <b> é"),
        ("<svg><title>Logo</title></svg><title>Ny</title>", "Ny"),
        ("<svg viewBox='0 0 9 9'><svg></svg><title>Logo</title></svg><title>Ny", "Ny"),
        ("<SVG/><title>Ny</title>", "Ny"),
        ("</svg><svgs><title>Ny</title>", "Ny"),
        ("<svg><title>Logo</title>", ""),
    ],
)
def test_what_looks_like_a_title_and_is_none(body: str, title: str) -> None:
    assert cards.read_page(body.encode(), "utf-8", URL).title == title


def test_what_a_page_says_far_below_is_read(site: Site) -> None:
    body = b"<script>" + b"x" * 2_000_000 + b"</script>" + page("Kaia", "Fra mandag", "/k.png")
    assert cards.read_page(body, "", URL) == Card(URL, "Kaia", "Fra mandag", URL + "k.png")


def refused(status: int = 400) -> Fault:
    body = '{"error":"InvalidRequest","message":"no such embed"}'
    return Fault(
        "answer", PUT, status=status, body=body, headers={"content-type": "application/json"}
    )


@pytest.mark.parametrize("image", ["", "/kai.png"])
def test_a_card_that_the_target_refuses_is_left_out(tmp_path: Path, site: Site, image: str) -> None:
    site.has("/kai.png", png(), "image/png")
    url = site.has("/kaia", page("Kaia", image=image))
    with world(tmp_path, BOTS) as w:
        w.turn()
        w.say("m", f"Ferja går {url}")
        w.simulator("b").faults.append(refused())
        w.rest()
        assert len(w.copies("b")) == 1
        assert embed(w) is None
        assert losses(w) == ["a link has no card: the server refused it"]
        assert site.asked.count("/kaia") == 1


def test_a_post_that_is_refused_without_its_card_too_is_given_up(
    tmp_path: Path, site: Site
) -> None:
    site.has("/kai.png", png(), "image/png")
    url = site.has("/kaia", page("Kaia", image="/kai.png"))
    with world(tmp_path, BOTS) as w:
        w.turn()
        w.say("m", f"Ferja går {url}")
        fault = refused()
        fault.times = 50
        w.simulator("b").faults.append(fault)
        w.rest(turns=20)
        (draft,) = w.store._drafts("1", ())
        assert draft.state == "dead"


def _crash_before_it_is_sent(w: World) -> None:
    def stop(*_: object) -> bool:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "sending", stop)
        with pytest.raises(KeyboardInterrupt):
            w.turn()


@pytest.mark.parametrize("link", ["", "/torget"])
def test_an_edit_before_a_post_is_out_does_not_show_the_picture_of_before(
    tmp_path: Path, site: Site, link: str
) -> None:
    site.has("/kai.png", png(), "image/png")
    url = site.has("/kaia", page("Kaia", image="/kai.png"))
    site.has("/torget", page("Torget"))
    with world(tmp_path, BOTS) as w:
        w.turn()
        post = w.say("m", f"Ferja går {url}")
        _crash_before_it_is_sent(w)
        w.change("m", post, f"Ferja går {link and site.url + link}")
        w.clock.advance(minutes=10)  # what is uploaded is still used
        w.follow("m")
        w.rest()
        assert ["kaia" in text for text in w.texts("b")] == [False]
        shown = embed(w)
        assert (shown and shown["external"]["title"]) == ("Torget" if link else None)
        assert shown is None or "thumb" not in shown["external"]


def test_a_crash_after_the_upload_uploads_and_asks_nothing_twice(
    tmp_path: Path, site: Site
) -> None:
    site.has("/kai.png", png(), "image/png")
    url = site.has("/kaia", page("Kaia", image="/kai.png"))
    with world(tmp_path, BOTS) as w:
        w.turn()
        w.say("m", f"Ferja går {url}")
        _crash_before_it_is_sent(w)
        w.restart()
        w.rest()
        assert "thumb" in embed(w)["external"]
        assert site.asked == ["/kaia", "/kai.png"]
        assert w.requests("bluesky")["POST /xrpc/com.atproto.repo.uploadBlob"] == 1


def test_a_picture_that_trickles_is_given_up_in_the_time_of_a_page(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    enough = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "image/png")
        handler.end_headers()
        # ends by itself, with a whole picture, if it is not given up
        for byte in png():
            if enough.wait(0.02):
                return
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()

    site.paths["/treg.png"] = trickle
    url = site.has("/kaia", page("Kaia", image="/treg.png"))
    bounds = []
    send = wire.send

    def noted(method: str, url: str, **more: Any) -> wire.Answer:
        if url.startswith(site.url):
            bounds.append(more["seconds"])
        return send(method, url, **more)

    monkeypatch.setattr(wire, "send", noted)
    picture_asked = partial(site.asked.count, "/treg.png")
    with WAITING.passes(site.url, picture_asked, trickling=True), world(tmp_path, BOTS) as w:
        assert "thumb" not in mirrored(w, f"Se {url}")["external"]
    enough.set()
    assert bounds == [media.PAGE_SECONDS] * 2


def test_a_picture_that_is_too_big_costs_the_picture_only(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "MAX_PICTURE", 1000)
    site.has("/stor.png", png() + b" " * 1000, "image/png")
    url = site.has("/kaia", page("Kaia", image="/stor.png"))
    with world(tmp_path, BOTS) as w:
        assert "thumb" not in mirrored(w, f"Se {url}")["external"]
        assert len(losses(w)) == 1


@pytest.mark.parametrize("title", ["", "Kaia"])
def test_no_page_is_asked_where_the_bot_wants_the_original_s_cards_alone(
    tmp_path: Path, site: Site, title: str
) -> None:
    url = site.has("/kaia", page("Av sida"))
    card = {"uri": url, "title": title, "description": ""}
    with world(tmp_path, "a: {from: b, to: b2, cards: source}") as w:
        w.turn()
        w.say("b", "Se", embed={"$type": "app.bsky.embed.external", "external": card})
        w.turn()
        shown = w.simulator("b2").record("berit.test", w.copies("b2")[-1].id).get("embed")
        assert (shown and shown["external"]["title"]) == (title or None)
    assert site.asked == []


@given(
    st.binary(max_size=200) | st.text(max_size=100).map(str.encode),
    st.sampled_from(["", "utf-7", "utf-16", "utf-32-be", "unicode_escape", "idna", "hz", "cp037"]),
)
def test_no_charset_makes_a_title_that_cannot_be_stored(body: bytes, charset: str) -> None:
    found = cards.read_page(b"<title>" + body, charset, URL)
    assert found.title.encode() is not None


def test_an_edit_while_a_picture_comes_does_not_keep_it(tmp_path: Path, site: Site) -> None:
    site.has("/kai.png", png(), "image/png")
    url = site.has("/kaia", page("Kaia", image="/kai.png"))
    with world(tmp_path, BOTS) as w:
        w.turn()
        post = w.say("m", f"Ferja går {url}")
        answer = site.paths["/kai.png"]

        def edited(handler: BaseHTTPRequestHandler) -> None:
            site.paths["/kai.png"] = answer
            w.change("m", post, "Ferja går")
            w.clock.advance(minutes=10)
            w.follow("m")
            answer(handler)

        site.paths["/kai.png"] = edited
        w.rest()
        assert w.texts("b") == ["Ferja går"]
        assert embed(w) is None
