"""What people say while the bots run: posts, threads, answers to copies, boosts, quotes, twins."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import Any

from bridge.simulation import Entry
from tests.loops.graph import TAGS, Graph
from tests.loops.networks import (
    PEOPLE,
    STRANGER,
    Networks,
    network_of,
    png,
    server_of,
)

#: each sentence of a post names the post's text and the sentence: q3s1
MARK = re.compile(r"(q\d+)s(\d+)")
WORDS = ("regn", "кошка", "fjorden", "søndag", "喫茶店", "mañana", "città", "بحر", "🐈", "snø")
#: how long texts are: within all limits, and over those of Bluesky and X but not Mastodon's
SHORT, LONG = 60, 430
#: networks with a field for a content warning
HAS_WARNINGS = ("mastodon",)
#: the most that is said in one graph
MOST = 22


@dataclass(frozen=True)
class Pointer:
    """A post that a boost or a quote points to.

    It stands on the account `account` ("" for a stranger's) and belongs to the group of `group`
    (None if it belongs to none).
    """

    id: str
    account: str = ""
    group: Original | None = None


@dataclass(eq=False)
class Original:
    """Something that a person put on an account.

    `key` is what all its copies show: its text's mark, or the id of the post that it points to.
    `made_by` is the program of another bridge. `parent` is the group that it answers; `to_stranger`
    says that it answers someone else.
    """

    number: int
    account: str
    id: str
    key: str
    sentences: int = 1
    tags: tuple[str, ...] = ()
    visibility: str = "public"
    warning: bool = False
    mention: bool = False
    images: int = 0
    wordless: bool = False
    long: bool = False
    parent: Original | None = None
    to_stranger: bool = False
    boost: Pointer | None = None
    quote: Pointer | None = None
    made_by: str = ""

    def __str__(self) -> str:
        more = [
            f"{name}={value}"
            for name, value in vars(self).items()
            if name not in ("number", "account", "id", "key", "parent", "boost", "quote") and value
        ]
        parent = f" to #{self.parent.number}" if self.parent else ""
        pointer = self.boost or self.quote
        at = ""
        if pointer is not None:
            of = f" of #{pointer.group.number}" if pointer.group else ""
            kind = "boosts" if self.boost else "quotes"
            at = f" {kind} {pointer.id}@{pointer.account or 'stranger'}{of}"
        return f"#{self.number} {self.key} on {self.account}{parent}{at} {' '.join(more)}"


@dataclass
class Story:
    """Says things on the accounts of a graph."""

    graph: Graph
    networks: Networks
    choose: random.Random
    originals: list[Original] = field(default_factory=list)
    #: so many were said before the last whole pass over everything
    settled: int = 0
    strangers: dict[str, list[str]] = field(default_factory=dict)
    texts: dict[str, tuple[str, Original]] = field(default_factory=dict)
    _keys: int = 0

    def go_on(self) -> None:
        """One more thing is said, if the network lets it."""
        if len(self.originals) >= MOST:
            return
        self.networks.clock.advance(seconds=self.choose.choice((0, 1, 7)))
        account = self.choose.choice(self.graph.accounts)
        deeds = (
            (self._post, 40),
            (self._answer, 25),
            (self._boost, 12),
            (self._quote, 8),
            (self._twin, 8),
            (self._by_a_bridge, 5),
            (self._to_a_stranger, 2),
        )
        names, weights = zip(*deeds, strict=True)
        self.choose.choices(names, weights)[0](account)

    def _add(self, account: str, post_id: str, key: str, **more: Any) -> Original:
        original = Original(len(self.originals), account, post_id, key, **more)
        self.originals.append(original)
        return original

    # Words.

    def _text(self, *, long: bool) -> tuple[str, str, int]:
        self._keys += 1
        key, count = f"q{self._keys}", 1
        text = f"{key}s1 hei"
        while len(text) < (LONG if long else SHORT) - 50:
            count += 1
            words = self.choose.choices(WORDS, k=self.choose.randint(2, 4))
            text += f". {key}s{count} {' '.join(words)}"
        return f"{text}.", key, count

    def _say(self, account: str, *, parent: Original | None = None, reply_to: str = "") -> None:
        """A post with words, or of images alone."""
        choose, native = self.choose, network_of(account)
        traits: dict[str, Any] = {}
        request: dict[str, Any] = {"reply_to": reply_to} if reply_to else {}
        long = native == "mastodon" and choose.random() < 0.15
        text, key, count = self._text(long=long)
        if choose.random() < 0.25:
            traits["images"] = choose.randint(1, 2)
            wordless = choose.random() < 0.3
            alt = f"{key}s1" if wordless else "alt"
            request["images"] = [
                (png(self._keys * 4 + n), alt if n == 0 else "") for n in range(traits["images"])
            ]
            if wordless:
                traits["wordless"], text, count, long = True, "", 1, False
        if text:
            if choose.random() < 0.4:
                traits["tags"] = tuple(choose.sample(TAGS, choose.randint(1, 2)))
                text += "".join(f" #{tag}" for tag in traits["tags"])
            if choose.random() < 0.1:
                traits["mention"] = True
                text += f" @{STRANGER[server_of(account)]}"
        if native == "mastodon":
            visibility = choose.choices(("public", "unlisted", "private"), (85, 10, 5))[0]
            traits["visibility"] = request["visibility"] = visibility
            if text and choose.random() < 0.1:
                traits["warning"], request["warning"] = True, "obs"
        post_id = self.networks.say(account, text, **request)
        original = self._add(
            account, post_id, key, sentences=count, long=long, parent=parent, **traits
        )
        plain = not {"images", "warning", "mention"} & traits.keys() and not long and not reply_to
        if plain and traits.get("visibility", "public") == "public":
            self.texts[key] = (text, original)

    def _post(self, account: str) -> None:
        self._say(account)

    def _answer(self, account: str) -> None:
        """Go on with something that stands on the account: a thread, or an answer to a copy."""
        standing = self._standing(account)
        if not standing:
            self._say(account)
            return
        answered = self.choose.choice(standing[-8:])
        self._say(account, parent=answered.group, reply_to=answered.id)

    def _to_a_stranger(self, account: str) -> None:
        post_id = self._stranger(account)
        text, key, count = self._text(long=False)
        if server_of(account) == "bluesky":
            did = self.networks.bluesky.made(STRANGER["bluesky"]).did
            post_id = f"at://{did}/app.bsky.feed.post/{post_id}"
        said = self.networks.say(account, text, reply_to=post_id)
        self._add(account, said, key, sentences=count, to_stranger=True)

    def _twin(self, account: str) -> None:
        """The same text once more, on purpose: here, or where its copy will come."""
        if not self.texts:
            return
        key = self.choose.choice(list(self.texts))
        text, first = self.texts[key]
        try:
            said = self.networks.say(account, text)
        except RuntimeError:  # X takes no text twice within a day
            return
        self._add(account, said, key, sentences=first.sentences, tags=first.tags)

    def _by_a_bridge(self, account: str) -> None:
        """Another bridge, or another Tribridge, posts on the account."""
        native = network_of(account)
        if native == "twitter":
            self._say(account)
            return
        text, key, count = self._text(long=False)
        if native == "mastodon":
            made_by = self.choose.choice(("Tribridge", "Moa", "Mastodon Twitter Crossposter"))
            said = self.networks.say_by(account, made_by, text)
        else:
            made_by, fields = self.choose.choice(
                (
                    ("Tribridge", {"tribridgeKey": "5" * 64}),
                    ("Bridgy Fed", {"bridgyOriginalUrl": "https://mastodon.example/@eva/1"}),
                )
            )
            said = self.networks.say(account, text, **fields)
        self._add(account, said, key, sentences=count, made_by=made_by)

    # Pointing to posts.

    def _stranger(self, account: str) -> str:
        server = server_of(account)
        found = self.strangers.setdefault(server, [])
        if len(found) < 2:
            found.append(self.networks.stranger(server, f"Something else, {len(found)}"))
        return self.choose.choice(found)

    def _standing(self, account: str) -> list[Pointer]:
        """What stands on an account, as far as one can tell of what group it is."""
        said = {o.id: o for o in self.originals if o.account == account}
        by_key: dict[str, list[Original]] = {}
        for original in self.originals:
            by_key.setdefault(original.key, []).append(original)
        found = []
        for entry in self.networks.journal(account):
            own = said.get(entry.id)
            # of twins nobody can say which of them a copy copies
            groups = [own] if own else by_key.get(key_of(entry), [])
            if len(groups) == 1 and not groups[0].boost:
                found.append(Pointer(entry.id, account, groups[0]))
        return found

    def _pointers(self, account: str) -> list[tuple[Pointer, str]]:
        """What an account could boost of what was said before the last whole pass, each with what
        its server calls it.
        """
        server, found = server_of(account), []
        for other in self.graph.accounts:
            for pointer in self._standing(other):
                group = pointer.group
                assert group is not None
                # what is mirrored later may be pointed to too early to know that
                known = group.number < self.settled and group.visibility == "public"
                if not known or group.made_by:
                    continue
                name = PEOPLE[other][1]
                if server_of(other) == server:
                    found.append((pointer, pointer.id))
                elif server not in ("mastodon", "gotosocial"):
                    continue
                elif server_of(other) == "bluesky":
                    page = f"https://bsky.app/profile/{name}/post/{pointer.id}"
                    found.append((pointer, f"https://bsky.brid.gy/r/{page}"))
                elif server_of(other) == "twitter":
                    page = f"https://bird.makeup/@{name}/{pointer.id}"
                    found.append((pointer, page))
        return found

    def _boost(self, account: str) -> None:
        """Boost something: a stranger's post, one's own, a copy, or a twin that a bridge made."""
        server = server_of(account)
        boosted = {o.boost.id for o in self.originals if o.boost and o.account == account}
        choices = [(p, name) for p, name in self._pointers(account) if p.id not in boosted]
        if not choices or self.choose.random() < 0.4:
            post_id = self._stranger(account)
            choices = [(Pointer(post_id), post_id)] if post_id not in boosted else []
        if not choices:
            return
        pointer, name = self.choose.choice(choices)
        owner = PEOPLE[pointer.account][1] if pointer.account else STRANGER[server]
        try:
            said = self.networks.boost(account, name, owner)
        except RuntimeError:  # a copy that only followers see
            return
        # Mastodon and X repeat what is boosted, hashtags included, if they have it
        repeated = pointer.group is not None and server != "bluesky" and name == pointer.id
        tags = pointer.group.tags if pointer.group and repeated else ()
        seen_by = next(
            (e.visibility for e in self.networks.journal(account) if e.id == said), "public"
        )
        at = next(
            (
                e.visibility
                for e in (self.networks.journal(pointer.account) if pointer.account else ())
                if e.id == pointer.id and repeated
            ),
            seen_by,
        )
        narrower = max(seen_by, at, key=("public", "unlisted", "private").index)
        self._add(account, said, pointer.id, boost=pointer, tags=tags, visibility=narrower)

    def _quote(self, account: str) -> None:
        """Quote something on the same server, with words or, like a boost, without."""
        server = server_of(account)
        if server == "gotosocial":  # it knows no quotes
            return
        pointers = [
            p
            for p, name in self._pointers(account)
            if name == p.id and not p.group.boost  # type: ignore[union-attr]
        ]
        if not pointers or self.choose.random() < 0.3:
            pointers = [Pointer(self._stranger(account))]
        pointer = self.choose.choice(pointers)
        owner = PEOPLE[pointer.account][1] if pointer.account else STRANGER[server]
        text, key, count = self._text(long=False)
        wordless = server != "mastodon" and self.choose.random() < 0.3
        if wordless:
            text, key, count = "", pointer.id, 1
        try:
            said = self.networks.quote(account, text, (owner, pointer.id))
        except RuntimeError:  # X takes no text twice within a day
            return
        self._add(account, said, key, sentences=count, quote=pointer, wordless=wordless)


def marks(entry: Entry) -> list[tuple[str, int]]:
    """The sentences in a post, or in its images' descriptions where its words have none."""
    found = MARK.findall(entry.text) or MARK.findall(" ".join(entry.alts))
    return [(key, int(number)) for key, number in found]


def key_of(entry: Entry) -> str:
    """The key of the text in a post; "" if there is none."""
    found = marks(entry)
    return found[0][0] if found else ""
