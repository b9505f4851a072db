"""What the people of the demo said, what stands because of it, and what is wrong with that."""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any

from PIL import Image, ImageDraw

from bridge.demo.posts import BEFORE, M, Said
from bridge.simulation import Entry, Simulator


def picture(alt: str) -> bytes:
    """A small picture of its own for every description."""
    shade = sum(alt.encode()) % 200
    image = Image.new("RGB", (320, 200), (shade, 90, 255 - shade))
    ImageDraw.Draw(image).ellipse((40, 40, 160, 160), fill=(255, 255 - shade, 120))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


#: an MP4 of three seconds, whole in its structure, with nothing to be seen or heard
_FILM = (
    "c-muNU=T?wsVvAW&d+540w^tzo03>kkeOUkT9m5Dz`)d&o1b3>6wk>m%Sd5B0n9HL7`S&ZP#rLGmJ}ss0~rY=*<d"
    "@_ktHcM-T{bJz^sM2DVd2tS|K+D-ESyBF(W0X2*xSPOi4vo5Rsdimj<K*ic6AmfV4z$NpTgLqd9<B1}L74B!-Mdi"
    "c6C7k>q4(9uNpXRzMWzm*&wWAOI|CI;s"
)


def film() -> bytes:
    """A small video."""
    return zlib.decompress(base64.b85decode(_FILM))


class Stage:
    """What was said, and what stands on the networks because of it."""

    def __init__(self, people: dict[str, tuple[Simulator, str, dict[str, Any]]]) -> None:
        self.people = people
        self.said: dict[tuple[str, str], Said] = {}
        self.ids: list[str] = []
        self.order: list[Said] = []

    def say(self, said: Said) -> None:
        """Publish a post as its author would."""
        simulator, name, _ = self.people[said.account]
        more: dict[str, Any] = dict(said.more)
        if said.answers is not None:
            more["reply_to"] = self.ids[said.answers]
        if said.images:
            more["images"] = [(picture(alt), alt) for alt in said.images]
        if said.film:
            more["films"] = [(film(), said.film)]
        if said.quotes is not None:
            quoting = "quoted_status_id" if said.account == M else "quote"
            more[quoting] = self.ids[said.quotes]
        speak: Any = simulator
        if said.boosts is not None:
            post_id = speak.boost(name, self.ids[said.boosts])
        else:
            post_id = speak.say(name, said.text, **more)
        self.said[said.account, post_id] = said
        if said is not BEFORE:
            self.ids.append(post_id)
            self.order.append(said)

    def published(self, account: str) -> list[Entry]:
        simulator, name, _ = self.people[account]
        with simulator.lock:
            return [e for e in simulator.journal if e.account == name and e.action == "publish"]

    def copies(self) -> list[tuple[str, Entry]]:
        """Everything on the networks that nobody said: (account, entry)."""
        return [
            (account, entry)
            for account in self.people
            for entry in self.published(account)
            if (account, entry.id) not in self.said
        ]

    def arrived(self) -> int:
        """How many copies stand."""
        return len(self.copies())

    def expected(self) -> int:
        """How many copies should stand."""
        return sum(sum(said.arrives.values()) for said in self.said.values())

    def table(self) -> list[tuple[Said, dict[str, list[Entry]]]]:
        """Every post that was said with its copies by account, and the strays under BEFORE."""
        found: dict[int, dict[str, list[Entry]]] = {id(said): {} for said in self.said.values()}
        for account, entry in self.copies():
            said = self._copied(account, entry)
            found[id(said)].setdefault(account, []).append(entry)
        return [(said, found[id(said)]) for said in self.said.values()]

    def _copied(self, account: str, entry: Entry) -> Said:
        """What was said of which a post on an account must be the copy: the likest."""
        if not entry.boost_of:
            return max(self.said.values(), key=lambda said: likeness(entry.text, said))
        boosted = next(e for e in self.published(account) if e.id == entry.boost_of)
        first = self.said.get((account, boosted.id)) or self._copied(account, boosted)
        at = self.order.index(first)
        return next((said for said in self.order if said.boosts == at), BEFORE)

    def shows(self, said: Said) -> str:
        """A post in one line."""
        if said.boosts is not None:
            return f"boost of: {self.order[said.boosts].text}"
        return said.text.split("\n")[0]

    def problems(self) -> list[str]:
        """What is missing, doubled or leaked, and threads or pictures that came apart."""
        wrong = []
        for said, copies in self.table():
            head = f"{said.account}: {said.text[:40]!r}"
            for account in said.arrives.keys() | copies.keys():
                want, have = said.arrives.get(account, 0), len(copies.get(account, []))
                if have != want:
                    wrong.append(f"{head} stands {have} times on {account}, not {want}")
                alts = [alt for entry in copies.get(account, []) for alt in entry.alts]
                if have == want and alts != [*said.images, *([said.film] if said.film else [])]:
                    wrong.append(f"{head} has other pictures on {account}: {alts}")
                if have == want and said.answers is not None:
                    wrong += [
                        f"{head} left its thread on {account}"
                        for entry in copies[account]
                        if not entry.reply_to
                    ]
                if have == want and said.quotes is not None:
                    wrong += [
                        f"{head} quotes nothing on {account}"
                        for entry in copies[account]
                        if not entry.quote_of
                    ]
        return wrong


def likeness(text: str, said: Said) -> float:
    """The share of the words of `text` that a post has, its warning included."""
    words = _words(text)
    return len(words & _words(said.text + " " + said.more.get("warning", ""))) / max(len(words), 1)


def _words(text: str) -> set[str]:
    return {word.strip(".,:;!?#@()").casefold() for word in text.split()} - {""}
