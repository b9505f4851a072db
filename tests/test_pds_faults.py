"""Whole bots with the official PDS behind a proxy that cuts connections, and frozen.

What stands there is read from the PDS itself, past the proxy. Run by `make pds`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.pds import Pds
from tests.servers.proxy import Proxy, Side
from tests.test_mirroring import TRIANGLE, png
from tests.waiting import WAITING
from tests.world import World, world

pytestmark = pytest.mark.pds
KINDS = [
    "createSession",
    "refreshSession",
    "getLatestCommit",
    "listRecords",
    "uploadBlob",
    "putRecord",
]
MEMBERS = ("m", "b", "x")


@pytest.fixture(scope="module")
def behind() -> Iterator[tuple[Pds, Proxy]]:
    """The PDS, and the proxy by whose address alone its accounts know it."""
    with Proxy() as proxy, Pds(front=proxy.url) as pds:
        proxy.upstream = pds.url
        yield pds, proxy


@pytest.fixture(autouse=True)
def _calm(behind: tuple[Pds, Proxy]) -> Iterator[None]:
    """No test leaves a frozen server or a cut to the next."""
    yield
    behind[0].thaw()
    behind[1].calm()


class Talk:
    """What the members of a triangle say: threads of two, the first with a picture."""

    def __init__(self, w: World) -> None:
        self._w = w
        self._said: dict[str, list[str]] = {member: [] for member in MEMBERS}

    def thread(self, member: str) -> None:
        """Two more posts of a member."""
        number = len(self._said[member]) // 2
        texts = [f"{member}{number} {words}" for words in ("først مرحبا", "så 🌧️")]
        colour = f"#{random.Random(texts[0]).randrange(16**6):06x}"
        first = self._w.say(member, texts[0], images=[(png(colour), f"bilde {number}")])
        self._w.say(member, texts[1], reply_to=first)
        self._said[member] += texts

    def check(self, *, in_order: bool = True) -> None:
        """Every post of each member stands on the others exactly once, in order, as a thread.

        A thread whose picture cannot be had for a while may be overtaken by a later one.
        """
        for member in MEMBERS:
            copies = self._w.copies(member)
            others = [other for other in MEMBERS if other != member]
            for other in others:
                mine = [copy for copy in copies if copy.text.startswith(other)]
                if not in_order:
                    mine.sort(key=lambda copy: int(copy.text[1 : copy.text.index(" ")]))
                assert [copy.text for copy in mine] == self._said[other], (other, member)
                for first, second in zip(mine[::2], mine[1::2], strict=True):
                    assert (first.reply_to, second.reply_to) == ("", first.id)
                    assert (len(first.alts), len(second.alts)) == (1, 0)
            assert len(copies) == sum(len(self._said[other]) for other in others)
        assert self._w.store.troubled() == []


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_that_is_cut_loses_and_doubles_nothing(
    tmp_path: Path, behind: tuple[Pds, Proxy], kind: str, side: Side
) -> None:
    pds, proxy = behind
    proxy.cuts.clear()
    proxy.cut(kind, side)
    with world(tmp_path, TRIANGLE, pds=pds) as w:
        w.rest(3)
        proxy.cut(kind, side, times=2)
        w.clock.advance(hours=3)  # the access token is over
        talk = Talk(w)
        for member in MEMBERS:
            talk.thread(member)
        w.rest(5)
        assert proxy.cuts[kind, side] >= (1 if kind == "createSession" else 2)
        talk.check()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_connections_that_are_cut_at_random_lose_and_double_nothing(
    tmp_path: Path, behind: tuple[Pds, Proxy], seed: int
) -> None:
    pds, proxy = behind
    choose = random.Random(seed)
    proxy.cuts.clear()
    with world(tmp_path, TRIANGLE, pds=pds) as w:
        w.rest(3)
        talk = Talk(w)
        proxy.roll(seed, 0.3)
        for _ in range(12):
            talk.thread(choose.choice(MEMBERS))
            w.turn()
            if choose.random() < 0.3:
                w.restart()
            w.clock.advance(seconds=choose.choice((1, 20, 70, 4000)))
        proxy.calm()
        for _ in range(4):
            w.clock.advance(minutes=40)
            w.rest(3)
        assert sum(proxy.cuts.values()) >= 10
        talk.check(in_order=False)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_server_that_is_frozen_and_thawed_loses_and_doubles_nothing(
    tmp_path: Path, behind: tuple[Pds, Proxy], kind: str, side: Side
) -> None:
    pds, proxy = behind
    frozen: list[str] = []

    def freeze() -> None:
        pds.freeze()
        frozen.append(kind)

    with world(tmp_path, TRIANGLE, pds=pds) as w:
        w.rest(3)
        talk = Talk(w)
        for member in MEMBERS:
            talk.thread(member)
        w.clock.advance(hours=3)
        proxy.call(kind, side, freeze)
        with WAITING.passes(proxy.url, lambda: math.inf if frozen else 0):
            w.rest(2)
            talk.thread("m")
            w.restart()
            w.rest(2)
        assert frozen == [kind]
        pds.thaw()
        proxy.calm()  # what arrived while it was frozen has been acted on now
        w.clock.advance(minutes=40)
        talk.thread("b")
        w.rest(5)
        talk.check()
