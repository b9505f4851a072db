"""Who mirrors whom, and what people say meanwhile. Every sentence bears a number of its own."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from random import Random
from typing import Any

from PIL import Image

from tests.crash.editions import Account, Said, play, said
from tests.crash.networks import Networks

#: one-way, two-way and three-way; `twin` does again what `one` does already. What is put before the
#: copies on m4 makes some of them threads, which edits shorten and lengthen
BOTS = """
defaults: {every: 1s, delay: 0s, cards: source}
bots:
  one:
    from: m1
    to: [b1, x1, m4]
    boosts: link
    edits: correct
    for: {m4: {steps: [{prepend: "Fra bryggen der det alltid regner litt og alle er velkomne"}]}}
  twin: {from: m1, to: x1, edits: correct}
  two: {between: [m2, x2], delay: 30s}
  three: {between: [m3, b3, x3], edits: replace}
"""
#: what an edit becomes: changed in place, told in a reply, held, or deleted and posted anew
EDITS = {
    ("m1", "b1"): "correct",
    ("m1", "x1"): "correct",
    ("m1", "m4"): "update",
    ("m2", "x2"): "hold",
    ("m3", "b3"): "replace",
    ("m3", "x3"): "replace",
}
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
#: the accounts whose posts are edited, and those whose posts are deleted
EDITED, DELETED = ("m1", "m2", "m3"), ("m1", "m2", "m3", "b3")


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
    images: int
    parent: int | None
    wordless: bool
    boost: bool = False
    shows: int | None = None
    poll: bool = False

    @property
    def plain(self) -> bool:
        """Whether it is words alone, so that an edit may make it long."""
        return not self.images and self.shows is None


@dataclass(slots=True)
class Story:
    """Says things at random."""

    networks: Networks
    random: Random
    originals: list[Original] = field(default_factory=list)

    def go_on(self) -> None:
        """One more original; now and then one that is edited or deleted as well."""
        kind = self.random.random()
        if kind < 0.25:
            self._mend()
        elif kind < 0.35:
            self._regret()
        self._say()

    def _mend(self) -> None:
        """Edit a recent post."""
        if recent := [o for o in self.originals[-12:] if is_editable(o) and self._stands(o)]:
            self.edit(self.random.choice(recent), self.random)

    def _regret(self) -> None:
        """Delete a recent post."""
        recent = [o for o in self.originals[-12:] if o.account in DELETED and not o.boost]
        if standing := [o for o in recent if self._stands(o)]:
            gone = self.random.choice(standing)
            self.networks.delete(network_of(gone.account), handle_of(gone.account), gone.id)

    def edit(self, original: Original, choose: Random) -> None:
        """Give a post another text, if it stands, longer or shorter."""
        history = self._said(original)
        if not history.gone:
            long = original.plain and choose.random() < 0.4
            length = LONG[original.account[0]] if long else 60
            text, _ = _text(choose, original.number, length, history.last + 1)
            self.networks.edit(
                network_of(original.account), handle_of(original.account), original.id, text
            )

    def _said(self, original: Original) -> Said:
        return said(original.id, self._account(original.account))

    def _stands(self, original: Original) -> bool:
        return not self._said(original).gone

    def _account(self, name: str) -> Account:
        return play(self.networks.entries(network_of(name), handle_of(name)), {})

    def _say(self) -> None:
        """One more original."""
        number = len(self.originals)
        account, reply_to, parent = self._place()
        if not reply_to and self.random.random() < 0.15:
            self._boost(number, account)
            return
        only_images = self.random.random() < 0.02
        images = self.random.choice((1, 2)) if only_images or self.random.random() < 0.15 else 0
        long = not only_images and self.random.random() < 0.2
        text, count = _text(self.random, number, LONG[account[0]] if long else 60, 1)
        alts = [f"q{number}s{n + 1}v1 et bilde" for n in range(images)]
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
        self.originals.append(
            Original(
                number,
                account,
                post_id,
                images,
                parent,
                only_images,
                shows=quoted.number if quoted else None,
                poll=extra == "poll",
            )
        )

    def _boost(self, number: int, account: str) -> None:
        """Boost what a stranger said or, once, what the account said itself."""
        mine = self._quoted(account)
        post, shows = f"https://far.example/@stranger/q{number}s1v1", None
        if mine is not None and (account != "m1" or self.random.random() < 0.5):
            if any(o.boost and o.shows == mine.number for o in self.originals):
                return
            post, shows = mine.id, mine.number
        elif account != "m1":
            return
        post_id = self.networks.boost(network_of(account), handle_of(account), post)
        self.originals.append(
            Original(number, account, post_id, 0, None, wordless=False, boost=True, shows=shows)
        )

    def _quoted(self, account: str) -> Original | None:
        """The last that the account itself said, if that stands."""
        mine = [o for o in self.originals if o.account == account and not o.boost]
        return mine[-1] if mine and self._stands(mine[-1]) else None

    def _extra(
        self, kind: str, account: str, number: int, count: int, quoted: Original | None
    ) -> dict[str, Any]:
        """What a post has beside its text; a poll's options are the last of its sentences."""
        if kind == "warning":
            return {"warning": "været"}
        if kind == "poll":
            options = [f"q{number}s{n}v1 ja" for n in (count - 1, count)]
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
                if self._stands(answered):
                    return account, answered.id, answered.number
        elif kind < 0.5:
            others = [o for o in self.originals[-12:] if account in TARGETS[o.account]]
            if account in TARGETS and others:
                answered = self.random.choice(others)
                copies = self._account(account).of(answered.number)
                counts = self._said(answered).counts
                if copies and sum(len(p.sentences) for p in copies) == counts[copies[0].version]:
                    return account, copies[-1].id, answered.number
        return account, "", None


def _text(choose: Random, number: int, length: int, version: int) -> tuple[str, int]:
    """A text of so many characters or less, and how many sentences it has."""
    text, count = f"q{number}s1v{version} hei", 1
    while len(text) < length - 62:
        count += 1
        words = choose.choices(WORDS, k=choose.randint(2, 5))
        text += f". q{number}s{count}v{version} {' '.join(words)}"
    return text + ".", count


def is_editable(original: Original) -> bool:
    """Whether people edit such a post: one of words that has no poll."""
    return original.account in EDITED and not (original.boost or original.wordless or original.poll)


def _png(number: int) -> bytes:
    data = io.BytesIO()
    colour = (number % 256, number // 256 % 256, 99)
    Image.new("RGB", (8, 8), colour).save(data, "PNG")
    return data.getvalue()
