"""Who mirrors whom, and what people say meanwhile. Every sentence bears a number of its own."""

from __future__ import annotations

import io
import random
import re
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from bridge.simulation import Entry
from tests.crash.networks import Networks

#: one-way, two-way and three-way; `twin` does again what `one` does already
BOTS = """
defaults: {every: 1s, delay: 0s, cards: source}
bots:
  one: {from: m1, to: [b1, x1, m4], boosts: link}
  twin: {from: m1, to: x1}
  two: {between: [m2, x2]}
  three: {between: [m3, b3, x3]}
"""
TARGETS = {
    "m1": ("b1", "x1", "m4"),
    "m2": ("x2",),
    "x2": ("m2",),
    "m3": ("b3", "x3"),
    "b3": ("m3", "x3"),
    "x3": ("m3", "b3"),
}
NAMES = ("m1", "b1", "x1", "m4", "m2", "x2", "m3", "b3", "x3")
NETWORKS = {"m": "mastodon", "b": "bluesky", "x": "twitter"}
#: characters of a long post; each is too long for some target
LONG = {"m": 480, "b": 295, "x": 270}
WORDS = [
    "bryggen",
    "regnet",
    "havn",
    "Fähre",
    "Köln",
    "grüßt",
    "smørrebrød",
    "øl",
    "مدينة",
    "البحر",
    "👩\u200d👩\u200d👧",
    "🌧️",
    "torget",
    "hilsen",
]
#: what a post may have beside its text, by the network of its author
EXTRAS = {
    "m": ("", "", "warning", "poll", "quote"),
    "b": ("", "", "quote"),
    "x": ("", "", "poll", "quote"),
}
MARK = re.compile(r"\bq(\d+)s(\d+)\b")


def network_of(account: str) -> str:
    """The network of an account."""
    return NETWORKS[account[0]]


def handle_of(account: str) -> str:
    """The account's name there."""
    return f"{account}.test" if account[0] == "b" else account


@dataclass(frozen=True, slots=True)
class Original:
    """What a person said or boosted; `parent` is what it answers, by any of its posts.

    `shows` is the original that it quotes or boosts, if that is mirrored.
    """

    number: int
    account: str
    id: str
    sentences: int
    images: int
    parent: int | None
    wordless: bool
    boost: bool = False
    shows: int | None = None


@dataclass(slots=True)
class Story:
    """Says things at random."""

    networks: Networks
    random: random.Random
    originals: list[Original] = field(default_factory=list)

    def go_on(self) -> None:
        """One more original."""
        number = len(self.originals)
        account, reply_to, parent = self._place()
        if not reply_to and self.random.random() < 0.15:
            self._boost(number, account)
            return
        only_images = self.random.random() < 0.02
        images = self.random.choice((1, 2)) if only_images or self.random.random() < 0.15 else 0
        long = not only_images and self.random.random() < 0.2
        text, count = self._text(number, LONG[account[0]] if long else 60)
        alts = [f"q{number}s{n + 1} et bilde" for n in range(images)]
        extra = "" if long else self.random.choice(EXTRAS[account[0]])
        if images and extra != "warning":
            extra = ""
        count += 2 if extra == "poll" else 0
        quoted = self._quoted(account) if extra == "quote" else None
        post_id = self.networks.say(
            network_of(account),
            handle_of(account),
            "" if only_images else text,
            reply_to=reply_to,
            images=[(_png(number * 4 + n), alt) for n, alt in enumerate(alts)],
            **self._extra(extra, account, number, count, quoted),
        )
        count = images if only_images else count
        self.originals.append(
            Original(
                number,
                account,
                post_id,
                count,
                images,
                parent,
                only_images,
                shows=quoted.number if quoted else None,
            )
        )

    def _boost(self, number: int, account: str) -> None:
        """Boost what a stranger said or, once, what the account said itself."""
        mine = self._quoted(account)
        post, shows = f"https://far.example/@stranger/q{number}s1", None
        if mine is not None and (account != "m1" or self.random.random() < 0.5):
            if any(o.boost and o.shows == mine.number for o in self.originals):
                return
            post, shows = mine.id, mine.number
        elif account != "m1":
            return
        post_id = self.networks.boost(network_of(account), handle_of(account), post)
        self.originals.append(
            Original(number, account, post_id, 1, 0, None, wordless=False, boost=True, shows=shows)
        )

    def _quoted(self, account: str) -> Original | None:
        """The last that the account itself said."""
        mine = [o for o in self.originals if o.account == account and not o.boost]
        return mine[-1] if mine else None

    def _extra(
        self, kind: str, account: str, number: int, count: int, quoted: Original | None
    ) -> dict[str, Any]:
        """What a post has beside its text; a poll's options are the last of its sentences."""
        if kind == "warning":
            return {"warning": "været"}
        if kind == "poll":
            options = [f"q{number}s{n} ja" for n in (count - 1, count)]
            if account[0] == "x":
                return {"poll": options}
            return {"poll": {"options": options, "expires_in": 86400}}
        if quoted is None:
            return {}
        return {"quoted_status_id" if account[0] == "m" else "quote": quoted.id}

    def _place(self) -> tuple[str, str, int | None]:
        """Who says it, and in answer to what."""
        account = self.random.choice(list(TARGETS))
        kind = self.random.random()
        if kind < 0.35:
            mine = [o for o in self.originals[-12:] if o.account == account and not o.boost]
            if mine:
                answered = self.random.choice(mine)
                return account, answered.id, answered.number
        elif kind < 0.5:
            others = [o for o in self.originals[-12:] if account in TARGETS[o.account]]
            if account in TARGETS and others:
                answered = self.random.choice(others)
                copies = copies_of(
                    answered.number, self.networks.journal(network_of(account)), account
                )
                if [s for c in copies for s in sentences(c)] == _all(answered):
                    return account, copies[-1].id, answered.number
        return account, "", None

    def _text(self, number: int, length: int) -> tuple[str, int]:
        text, count = f"q{number}s1 hei", 1
        while len(text) < length - 60:
            count += 1
            words = self.random.choices(WORDS, k=self.random.randint(2, 5))
            text += f". q{number}s{count} {' '.join(words)}"
        return text + ".", count


def _all(original: Original) -> list[int]:
    return list(range(1, original.sentences + 1))


def _words(entry: Entry) -> str:
    """Where a post shows marks: in its text and poll, its images' descriptions, or what it leads to."""
    text = " ".join((entry.text, *entry.poll))
    shown = (text, " ".join(entry.alts), " ".join(entry.links))
    return next((words for words in shown if MARK.search(words)), "")


def sentences(entry: Entry) -> list[int]:
    """The sentences in a post."""
    return [int(mark[1]) for mark in MARK.findall(_words(entry))]


def number_of(entry: Entry) -> int:
    """The original of which a post is or copies a part, or -1."""
    found = MARK.search(_words(entry))
    return int(found[1]) if found else -1


def copies_of(number: int, journal: list[Entry], account: str) -> list[Entry]:
    """The posts of an account that are or copy an original, in the order of their publication."""
    handle = handle_of(account)
    return [e for e in journal if e.account == handle and number_of(e) == number]


def _png(number: int) -> bytes:
    data = io.BytesIO()
    colour = (number % 256, number // 256 % 256, 99)
    Image.new("RGB", (8, 8), colour).save(data, "PNG")
    return data.getvalue()
