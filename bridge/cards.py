"""Link cards, for networks that show one only if the post brings it along.

The source's own card is used, else one is made of what the linked page says of itself. No card ever
keeps a post back: what cannot be had is left out, and told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urljoin

from bridge import images, media
from bridge.accounts import Accounts, Opened
from bridge.network import Busy, LoginNeeded, Refused, Unreachable
from bridge.network import Uncertain as NoAnswer
from bridge.post import Card, Loss, Media
from bridge.store import QueuedDraft, Store
from bridge.text import clusters

#: graphemes of a title and of a description; apps show less
TITLE, DESCRIPTION = 300, 1000
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_NO_PICTURE = Loss("card", "the card of a link has no picture: it could not be had or made to fit")


def prepare(draft: QueuedDraft, target: Opened, accounts: Accounts, store: Store) -> QueuedDraft:
    """The draft with its card complete, its picture uploaded; or without.

    What is found out is kept with the draft, so that it is found out once. Raises Busy and
    LoginNeeded, of the target; whatever else goes wrong costs the card, or its picture.
    """
    card = draft.draft.card
    assert card is not None
    own_host = accounts.host_of(draft.source)
    if not card.title:
        card, lost = _of_page(card, own_host)
        draft = _keep(draft, card, lost, store)
    if card is None or not card.image or draft.uploads:
        return draft
    picture = Media("image", card.image)
    limits = replace(target.client.limits, image_bytes=target.client.limits.thumb_bytes)
    try:
        data = media.fetch(picture, own_host=own_host)
        fitted = images.fit(picture, data, replace(limits, animation=None), alone=False)
        uploads = (target.client.upload(replace(fitted, alt="")),)
    except (Busy, LoginNeeded):
        raise
    except (Refused, Unreachable, NoAnswer):
        return _keep(draft, replace(card, image=""), _NO_PICTURE, store)
    store.uploaded(draft, uploads, accounts.now())
    return replace(draft, uploads=uploads)


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

    tree = LexborHTMLParser(_decoded(body, charset))
    told: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        attributes: Mapping[str, str | None] = node.attributes
        name = (attributes.get("property") or attributes.get("name") or "").strip().casefold()
        told.setdefault(name, attributes.get("content") or "")
    title = tree.css_first("title")
    words = told.get("og:title") or (title.text() if title is not None else "")
    about = told.get("og:description") or told.get("description", "")
    image = told.get("og:image:secure_url") or told.get("og:image:url") or told.get("og:image", "")
    return Card(url, _line(words, TITLE), _line(about, DESCRIPTION), _address(url, image))


def _decoded(body: bytes, charset: str) -> str:
    """A page as text: by its server's word, else its own, else as UTF-8."""
    declared = _CHARSET.search(body[:4096])
    for name in (charset, declared[1].decode("ascii") if declared else "", "utf-8"):
        try:
            return body.decode(name, "replace") if name else body.decode("utf-8")
        except (LookupError, ValueError):  # a name that is none; bytes that are none
            continue
    return body.decode("utf-8", "replace")


def _line(text: str, most: int) -> str:
    """Text in one line, without controls, of so many graphemes; what is cut ends in "…"."""
    kept = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
    whole = clusters(" ".join(kept.split()))
    return "".join(whole) if len(whole) <= most else "".join(whole[: most - 1]).rstrip() + "…"


def _address(page: str, image: str) -> str:
    """The address of a picture that a page names; "" if it is none."""
    try:
        address = urljoin(page, image.strip()) if image.strip() else ""
    except ValueError:
        return ""
    return address if address.startswith(("http://", "https://")) else ""
