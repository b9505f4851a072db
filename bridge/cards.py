"""Link cards, for networks that show one only if the post brings it along.

The source's own card is used, else one is made of what the linked page says of itself. No card
keeps a post back for long: what cannot be had is left out, and told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import accumulate
from urllib.parse import urljoin

from bridge import images, media
from bridge.accounts import Accounts, Opened
from bridge.network import Refused, Unreachable
from bridge.network import Uncertain as NoAnswer
from bridge.outcome import LAST_FAILURE, Stop, Wait, after_media
from bridge.post import Card, Loss, Media
from bridge.store import QueuedDraft, Store
from bridge.text import clusters, decode_page, is_web

#: graphemes of a title and of a description; apps show less
TITLE, DESCRIPTION = 300, 1000
#: bytes for each grapheme, in sum, as the lexicons of app.bsky have it: one can have any number
BYTES = 10
#: the tags of a page that are looked at, and how far into each
_TAGS, _TAG = 200, 4096
#: where a tag that tells something may begin, and what hides those that are none
_BEGINS = re.compile(r"<(?:(!--)|(script|style|title|meta|/?svg)(?=[\s/>]))", re.IGNORECASE)
_ENDS = {
    "!--": re.compile("-->"),
    "script": re.compile("</script", re.IGNORECASE),
    "style": re.compile("</style", re.IGNORECASE),
}
_REFUSED = Loss("card", "a link has no card: the server refused it")
_NO_PICTURE = Loss("card", "the card of a link has no picture: it could not be had or made to fit")


def prepare(
    draft: QueuedDraft, target: Opened, accounts: Accounts, store: Store
) -> QueuedDraft | Wait | Stop:
    """The draft with its card complete, its picture uploaded; or without, as one that has none.

    What is found out is kept with the draft, so that it is found out once. Where the target cannot
    take the picture, the draft waits, until it has failed `LAST_FAILURE` times. Raises Busy and
    LoginNeeded, of the target; whatever else goes wrong costs the card, or its picture.
    """
    card = draft.draft.card
    if card is None or draft.payload is not None:
        return draft
    own_host = accounts.host_of(draft.source)
    made, lost = (_cut(card), None) if card.title.strip() else _of_page(card, own_host)
    if made != card:
        draft = _keep(draft, made, lost, store)
    if made is None or not made.image or draft.uploads:
        return draft
    picture = Media("image", made.image)
    limits = replace(target.client.limits, image_bytes=target.client.limits.thumb_bytes)
    try:
        data = media.picture(made.image, own_host=own_host)
        fitted = images.fit(picture, data, replace(limits, animation=None), alone=False)
    except (Refused, Unreachable):
        return _keep(draft, replace(made, image=""), _NO_PICTURE, store)
    try:
        uploads = (target.client.upload(replace(fitted, alt="")),)
    except (Refused, Unreachable, NoAnswer) as error:
        if not isinstance(error, Refused) and draft.attempts < LAST_FAILURE:
            return after_media(error, draft.attempts, accounts.now())
        return _keep(draft, replace(made, image=""), _NO_PICTURE, store)
    store.uploaded(draft, uploads, accounts.now())
    return replace(draft, uploads=uploads)


def refused(draft: QueuedDraft, store: Store) -> None:
    """Make a draft one without its card, which may be why its target refused it."""
    _keep(store.forget_uploads(draft), None, _REFUSED, store)


def _keep(draft: QueuedDraft, card: Card | None, lost: Loss | None, store: Store) -> QueuedDraft:
    losses = (*draft.draft.losses, lost) if lost else draft.draft.losses
    content = replace(draft.draft, card=card, losses=losses)
    return store.amend(draft, content)


def _of_page(card: Card, own_host: str) -> tuple[Card | None, Loss | None]:
    """The card that a page describes; None, and why, if it describes none."""
    try:
        page = media.page(card.url, own_host=own_host)
    except (Refused, Unreachable) as error:
        return None, Loss("card", f"a link has no card: {error}")
    found = read_page(page.body, page.charset, page.url)
    if not found.title:
        return None, Loss("card", "a link has no card: its page has no title")
    return replace(found, url=card.url), None


def read_page(body: bytes, charset: str, url: str) -> Card:
    """What a page says of itself (ogp.me: og:title, og:description, og:image; HTML: title).

    `charset` is what its server names, "" if nothing; `url` is its own address, for links in it.
    Never raises.
    """
    from selectolax.lexbor import LexborHTMLParser

    told: dict[str, str] = {}
    title = ""
    for tag in _tags(decode_page(body, charset)):
        tree = LexborHTMLParser(tag)
        if (meta := tree.css_first("meta")) is not None:
            attributes: Mapping[str, str | None] = meta.attributes
            name = (attributes.get("property") or attributes.get("name") or "").strip().casefold()
            told.setdefault(name, attributes.get("content") or "")
        elif not title and (node := tree.css_first("title")) is not None:
            title = node.text()
    about = told.get("og:description") or told.get("description", "")
    image = told.get("og:image:secure_url") or told.get("og:image:url") or told.get("og:image", "")
    return _cut(Card(url, told.get("og:title") or title, about, _address(url, image)))


def _tags(page: str) -> Iterator[str]:
    """The beginnings of a page's title and meta tags, wherever they stand.

    A page is not parsed as a whole: how long that takes can grow as the square of its size. Titles
    of drawings, which say what a part of one shows, are left out.
    """
    at, left, drawings = 0, _TAGS, 0
    while left and (begins := _BEGINS.search(page, at)) is not None:
        kind, at = (begins[1] or begins[2]).lower(), begins.end()
        if kind in _ENDS:
            # a comment can end with the very signs that begin it
            ends = _ENDS[kind].search(page, at - 2 if kind == "!--" else at)
            if ends is None:
                return
            at = ends.end()
            continue
        if kind == "svg":
            closes = page.find(">", at, at + _TAG)
            drawings += page[closes - 1 : closes] != "/"
        elif kind == "/svg":
            drawings = max(drawings - 1, 0)
        if kind.endswith("svg") or (kind == "title" and drawings):
            continue
        left -= 1
        piece = page[begins.start() : begins.start() + _TAG]
        if kind == "title":
            # what follows a title is none of it, unless it is over where the piece is
            over = piece.lower().find("</title")
            piece = piece if over < 0 else piece[:over] + "</title>"
            at = begins.start() + len(piece)
        yield piece


def _cut(card: Card) -> Card:
    """A card of which title and description are lines, and no longer than they may be."""
    title, about = _line(card.title, TITLE), _line(card.description, DESCRIPTION)
    return replace(card, title=title, description=about)


def _line(text: str, most: int) -> str:
    """Text in one line, without controls, of so many graphemes and `BYTES` times as many bytes.

    What is cut ends in "…".
    """
    begins = text.strip()[: 4 * most * BYTES]  # the rest could not fit, and counting takes time
    kept = "".join(" " if unicodedata.category(c) == "Cc" else c for c in begins)
    whole = clusters(" ".join(kept.split()))
    line, room = "".join(whole), most * BYTES
    if begins == text.strip() and len(whole) <= most and len(line.encode()) <= room:
        return line
    sizes = accumulate(len(cluster.encode()) for cluster in whole[: most - 1])
    fitting = sum(size <= room - len("…".encode()) for size in sizes)
    return "".join(whole[:fitting]).rstrip() + "…"


def _address(page: str, image: str) -> str:
    """The address of a picture that a page names; "" if it is none."""
    try:
        address = urljoin(page, image.strip()) if image.strip() else ""
    except ValueError:
        return ""
    return address if is_web(address) else ""
