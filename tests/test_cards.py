"""Link cards: of the original, of the page, and what stands in their place if there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import cards, media
from bridge.accounts import Accounts
from bridge.post import Card
from bridge.simulation import Fault
from tests.test_mirroring import png
from tests.waiting import WAITING
from tests.world import World, world

BOTS = "a: {from: m, to: b, cards: fetch}"
HTML = "text/html; charset=utf-8"


def _missing(handler: BaseHTTPRequestHandler) -> None:
    handler.send_error(404)


class Site:
    """A web site on loopback; what each path answers is a function that writes the answer."""

    def __init__(self) -> None:
        self.paths: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.missing: Callable[[BaseHTTPRequestHandler], None] = _missing
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                site.paths.get(self.path, site.missing)(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def has(self, path: str, body: bytes, kind: str = HTML, **headers: str) -> str:
        """Serve bytes at a path; its address."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("content-type", kind)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("content-length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self.paths[path] = answer
        return self.url + path

    def moves(self, path: str, to: str) -> str:
        """Redirect from a path; its address."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("location", to)
            handler.send_header("content-length", "0")
            handler.end_headers()

        self.paths[path] = answer
        return self.url + path

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site()
    # the one host on loopback that is let through: in earnest, that of the account's own server
    monkeypatch.setattr(Accounts, "host_of", lambda *_: made.host)
    yield made
    made.stop()


def page(title: str, about: str = "", image: str = "") -> bytes:
    more = f'<meta property="og:description" content="{about}">' if about else ""
    more += f'<meta property="og:image" content="{image}">' if image else ""
    return f'<html><head><meta property="og:title" content="{title}">{more}</head></html>'.encode()


def embed(w: World) -> Any:
    """The embed of the newest copy on Bluesky, as its server has it."""
    return w.simulator("b").record("anna.test", w.copies("b")[-1].id).get("embed")


def mirrored(w: World, text: str, **more: Any) -> Any:
    w.turn()
    w.say("m", text, **more)
    w.turn()
    return embed(w)


def losses(w: World) -> list[str]:
    return [loss.detail for d in w.store._drafts("1", ()) for loss in d.draft.losses]


def test_a_card_is_made_of_what_the_page_says_with_its_picture(tmp_path: Path, site: Site) -> None:
    site.has("/img/kai.png", png(), "image/png")
    url = site.has("/kaia", page("Den nye kaia åpner", "Fra mandag", "img/kai.png"))
    with world(tmp_path, BOTS) as w:
        external = mirrored(w, f"Ferja går {url}")["external"]
        assert (external["uri"], external["title"]) == (url, "Den nye kaia åpner")
        assert external["description"] == "Fra mandag"
        assert external["thumb"]["mimeType"] == "image/png"
        assert site.asked == ["/kaia", "/img/kai.png"]
        assert losses(w) == []


def test_no_page_is_asked_where_the_bot_wants_no_cards(tmp_path: Path, site: Site) -> None:
    url = site.has("/kaia", page("Kaia"))
    with world(tmp_path, "a: {from: m, to: b, cards: none}\nc: {from: m2, to: b2}") as w:
        assert mirrored(w, f"Ferja går {url}") is None
    assert site.asked == []


@pytest.mark.parametrize("cards_are", ["fetch", "source"])
def test_the_original_s_card_is_of_the_only_link_whatever_address_its_page_has(
    tmp_path: Path, site: Site, cards_are: str
) -> None:
    url = site.has("/kaia?utm=post", page("Av sida"))
    card = {"url": site.url + "/kaia", "title": "Kaia", "description": "Fra mandag"}
    with world(tmp_path, f"a: {{from: m, to: b, cards: {cards_are}}}") as w:
        external = mirrored(w, f"Ferja går {url}", card=card)["external"]
        assert (external["uri"], external["title"]) == (url, "Kaia")
    assert site.asked == []


@pytest.mark.parametrize("cards_are", ["fetch", "source"])
def test_a_page_is_asked_where_nobody_knows_of_which_link_the_original_s_card_is(
    tmp_path: Path, site: Site, cards_are: str
) -> None:
    url = site.has("/kaia?utm=post", page("Av sida"))
    card = {"url": site.url + "/kaia", "title": "Kaia"}
    with world(tmp_path, f"a: {{from: m, to: b, cards: {cards_are}}}") as w:
        shown = mirrored(w, f"Ferja går {url} og {site.url}/torget", card=card)
        assert (shown and shown["external"]["title"]) == {"fetch": "Av sida"}.get(cards_are)
    assert site.asked == (["/kaia?utm=post"] if cards_are == "fetch" else [])


@pytest.mark.parametrize("link", ["", "/kaia"])
def test_the_profile_of_somebody_who_is_mentioned_is_no_page_for_a_card(
    tmp_path: Path, site: Site, link: str
) -> None:
    site.has("/kaia", page("Kaia"))
    with world(tmp_path, "a: {from: m, to: b, cards: fetch, mentions: link}") as w:
        w.simulator("m").account("ola")
        shown = mirrored(w, f"Takk @ola {link and site.url + link}")
        assert (shown and shown["external"]["title"]) == ("Kaia" if link else None)
        assert losses(w) == []


def test_a_link_in_capitals_has_a_card(tmp_path: Path, site: Site) -> None:
    url = site.has("/kaia", page("Kaia")).replace("http", "HTTP")
    with world(tmp_path, BOTS) as w:
        facet = {
            "index": {"byteStart": 0, "byteEnd": len(url)},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": url}],
        }
        w.configure("a: {from: b2, to: b, cards: fetch}")
        w.turn()
        w.say("b2", url, facets=[facet])
        w.turn()
        assert embed(w)["external"]["title"] == "Kaia"


@pytest.mark.parametrize("hops", [media.MAX_REDIRECTS, media.MAX_REDIRECTS + 1])
def test_shorteners_of_shorteners_are_followed_so_far(
    tmp_path: Path, site: Site, hops: int
) -> None:
    site.has("/0", page("Kaia"))
    for n in range(hops):
        site.moves(f"/{n + 1}", site.url + f"/{n}")
    with world(tmp_path, BOTS) as w:
        shown = mirrored(w, f"Ferja går {site.url}/{hops}")
        assert (shown is not None) == (hops == 10)
        assert losses(w) == [
            "a link has no card: the page cannot be downloaded: too many redirects"
        ] * (hops == 11)


BAD = {
    "gone": lambda s: s.url + "/ingen",
    "no title": lambda s: s.has("/tom", b"<html><p>Hei</p></html>"),
    "no page": lambda s: s.has("/film", page("Film"), "video/mp4"),
    "too big": lambda s: s.has("/stor", page("Stor") + b" " * media.MAX_PAGE),
    "loop": lambda s: s.moves("/rundt", "/rundt"),
    "private": lambda s: s.moves("/inn", "http://127.0.0.1:9/admin"),
    "no address": lambda s: s.moves("/fil", "file:///etc/passwd"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_page_that_gives_no_card_keeps_no_post_back(
    tmp_path: Path, site: Site, kind: str
) -> None:
    url = BAD[kind](site)
    with world(tmp_path, BOTS) as w:
        assert mirrored(w, f"Se {url}") is None
        assert len(w.texts("b")) == 1
        (told,) = losses(w)
        assert told.startswith("a link has no card: ")


def test_a_page_that_trickles_is_given_up_in_time(tmp_path: Path, site: Site) -> None:
    enough = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", HTML)
        handler.end_headers()
        # ends by itself, with a title, if it is not given up
        for piece in [b" "] * 30 + [page("Treg")]:
            if enough.wait(0.02):
                return
            handler.wfile.write(piece)
            handler.wfile.flush()

    site.paths["/treg"] = trickle
    with (
        WAITING.passes(site.url, lambda: len(site.asked), trickling=True),
        world(tmp_path, BOTS) as w,
    ):
        assert mirrored(w, f"Se {site.url}/treg") is None
        assert len(w.texts("b")) == 1
    enough.set()


@pytest.mark.parametrize("picture", [b"no picture", b""])
def test_a_picture_that_cannot_be_had_costs_the_picture_only(
    tmp_path: Path, site: Site, picture: bytes
) -> None:
    if picture:
        site.has("/bilde.png", picture, "image/png")
    url = site.has("/kaia", page("Kaia", image="/bilde.png"))
    with world(tmp_path, BOTS) as w:
        assert "thumb" not in mirrored(w, f"Ferja går {url}")["external"]
        assert len(losses(w)) == 1


@pytest.mark.parametrize("cut", ["drop_before", "drop_after"])
def test_a_lost_answer_asks_the_page_once_and_sends_the_same_again(
    tmp_path: Path, site: Site, cut: Any
) -> None:
    site.has("/kai.png", png(), "image/png")
    url = site.has("/kaia", page("Kaia", image="/kai.png"))
    with world(tmp_path, BOTS) as w:
        w.turn()
        w.say("m", f"Ferja går {url}")
        w.simulator("b").faults.append(Fault(cut, "POST /xrpc/com.atproto.repo.putRecord"))
        w.turn()
        site.has("/kaia", page("Noe annet"))
        w.rest()
        assert len(w.copies("b")) == 1
        assert embed(w)["external"]["title"] == "Kaia"
        assert site.asked == ["/kaia", "/kai.png"]


@pytest.mark.parametrize("status", [503, 0])
def test_a_target_that_is_down_takes_the_picture_later(
    tmp_path: Path, site: Site, status: int
) -> None:
    site.has("/kai.png", png(), "image/png")
    url = site.has("/kaia", page("Kaia", image="/kai.png"))
    with world(tmp_path, BOTS) as w:
        w.turn()
        w.say("m", f"Ferja går {url}")
        what: Any = "answer" if status else "drop_before"
        upload = "POST /xrpc/com.atproto.repo.uploadBlob"
        w.simulator("b").faults.append(Fault(what, upload, status=status, times=3))
        for _ in range(4):
            assert not w.copies("b")
            w.turn()
            w.clock.advance(minutes=3)
        assert "thumb" in embed(w)["external"]
        assert losses(w) == []
        assert site.asked.count("/kaia") == 1


def test_a_picture_that_never_goes_up_costs_the_picture_only(tmp_path: Path, site: Site) -> None:
    site.has("/kai.png", png(), "image/png")
    url = site.has("/kaia", page("Kaia", image="/kai.png"))
    with world(tmp_path, BOTS) as w:
        w.turn()
        w.say("m", f"Ferja går {url}")
        upload = "POST /xrpc/com.atproto.repo.uploadBlob"
        w.simulator("b").faults.append(Fault("answer", upload, status=500, times=1000))
        w.say("m", "Uten lenke")
        for _ in range(12):
            w.turn()
            w.clock.advance(minutes=31)
        assert sorted(text[:5] for text in w.texts("b")) == ["Ferja", "Uten "]
        (told,) = losses(w)
        assert told.startswith("the card of a link has no picture")


def test_a_target_that_is_busy_takes_the_picture_later(tmp_path: Path, site: Site) -> None:
    site.has("/kai.png", png(), "image/png")
    url = site.has("/kaia", page("Kaia", image="/kai.png"))
    with world(tmp_path, BOTS) as w:
        w.turn()
        w.say("m", f"Ferja går {url}")
        headers = {"retry-after": "60"}
        upload = "POST /xrpc/com.atproto.repo.uploadBlob"
        w.simulator("b").faults.append(Fault("answer", upload, status=429, headers=headers))
        w.turn()
        assert not w.copies("b")
        w.clock.advance(minutes=10)
        w.rest()
        assert "thumb" in embed(w)["external"]
        assert site.asked.count("/kaia") == 1


@pytest.mark.parametrize(
    ("body", "charset", "title"),
    [
        ("<title>Blåbær &amp; fløte</title>".encode("latin-1"), "iso-8859-1", "Blåbær & fløte"),
        ('<meta charset="windows-1251"><title>Новости</title>'.encode("cp1251"), "", "Новости"),
        ("<title>港の新聞</title>".encode("shift_jis"), "shift_jis", "港の新聞"),
        ("<title>ميناء المدينة</title>".encode(), "nonsense", "ميناء المدينة"),
        (b"<title>caf\xe9</title>", "utf-8", "caf\N{REPLACEMENT CHARACTER}"),
        (b"<title> two\n\tlines\x07 </title>", "", "two lines"),
        (b'<meta name="og:title" content="Kort"><title>Lang', "", "Kort"),
        (f"<title>{'x' * 400}</title>".encode(), "", "x" * 299 + "…"),
        (b"<html", "", ""),
    ],
)
def test_titles_are_read_in_any_charset_and_made_one_line(
    body: bytes, charset: str, title: str
) -> None:
    assert cards.read_page(body, charset, "https://a.example/").title == title


@pytest.mark.parametrize(
    ("image", "address"),
    [
        ("bilde.png", "https://a.example/side/bilde.png"),
        ("//cdn.example/b.png", "https://cdn.example/b.png"),
        ("https://cdn.example/ø.png", "https://cdn.example/ø.png"),
        ("data:image/png;base64,AAAA", ""),
        ("file:///etc/passwd", ""),
        ("HTTPS://cdn.example/b.png", "https://cdn.example/b.png"),
        ("http://[::1", ""),
    ],
)
def test_pictures_are_addresses_on_the_web(image: str, address: str) -> None:
    assert cards.read_page(page("x", image=image), "", "https://a.example/side/").image == address


@given(st.binary(max_size=300), st.text(max_size=12))
def test_reading_a_page_never_raises(body: bytes, charset: str) -> None:
    found = cards.read_page(body, charset, "https://a.example/")
    assert isinstance(found, Card)
