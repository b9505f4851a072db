"""Posts on their way from one account to another, each with a fault at its first attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from bridge.registry import NETWORKS
from tests.faults.requests import KINDS, picture
from tests.faults.trouble import Elsewhere, Trouble, troubled
from tests.film_files import mp4
from tests.world import PEOPLE, World


@dataclass(frozen=True, slots=True)
class Way:
    """A post from one account to another, and the request on which the trouble lies.

    A `boost` is one of a post that was mirrored before.
    """

    source: str
    target: str
    at: str
    match: str
    image: bool = False
    boost: bool = False
    film: bool = False
    flavour: str = "mastodon"


def _way(kind: str, source: str, target: str, *, at: str = "", **more: Any) -> Way:
    return Way(source, target, at or target, KINDS[kind].match, **more)


#: by the names that they have in the page
WAYS: Mapping[str, Way] = {
    "mastodon post": _way("mastodon post", "b", "m"),
    "gotosocial post": _way("mastodon post", "b", "m", flavour="gotosocial"),
    "bluesky post": _way("bluesky post", "m", "b"),
    "twitter post": _way("twitter post", "b", "x"),
    "mastodon boost": _way("mastodon boost", "b", "m", boost=True),
    "gotosocial boost": _way("mastodon boost", "b", "m", boost=True, flavour="gotosocial"),
    "bluesky boost": _way("bluesky boost", "m", "b", boost=True),
    "twitter boost": _way("twitter boost", "b", "x", boost=True),
    "bluesky renewal": _way("bluesky renewal", "m", "b"),
    "mastodon image": _way("mastodon image", "b", "m", image=True),
    "bluesky image": _way("bluesky image", "m", "b", image=True),
    "twitter image": _way("twitter image end", "b", "x", image=True),
    "download": _way("download", "m", "b", at="m", image=True),
    "mastodon video": _way("mastodon video", "b", "m", film=True),
    "bluesky video": _way("bluesky video", "m", "b", film=True),
    "twitter video": _way("twitter video", "b", "x", film=True),
    "video download": _way("video download", "m", "b", at="m", film=True),
}


class Delivery:
    """A world with one bot, and posts that travel through it, each with some trouble."""

    def __init__(self, folder: Path, way: Way) -> None:
        flavour: Any = way.flavour
        self._way = way
        self._world = World(
            folder,
            # what stands in place of a video is told by its words alone
            f"one: {{from: {way.source}, to: {way.target}, link_back: never}}",
            flavour=flavour,
        )
        self._elsewhere = Elsewhere()
        self._elsewhere.start()
        self._numbers = count(1)
        self._world.turn()

    def close(self) -> None:
        self._world.close()
        self._elsewhere.stop()

    def fate(self, trouble: Trouble) -> tuple[str, bool]:
        """`once`, `held` or `dead`, and whether the trouble struck. Anything else is raised."""
        world, way = self._world, self._way
        text = f"Avgang nummer {next(self._numbers)} er i rute"
        world.clock.advance(hours=3)  # a login has to be renewed
        images = [(picture(), "en blågrønn flate")] if way.image else []
        films = [(mp4(), "en foss")] if way.film else []
        source_id = world.say(way.source, text, images=images, films=films)
        world.read(way.source)
        if way.boost:
            assert self._end(source_id) == "sent"
            world.clock.advance(hours=3)
            source_id = world.simulator(way.source).boost(PEOPLE[way.source][1], source_id)
            world.read(way.source)
        shown = [e.id for e in world.journal(way.target) if e.text == text]
        simulator = world.simulator(way.at)
        network = NETWORKS[PEOPLE[way.at][0]].name
        with troubled(
            trouble, simulator, network, way.match, self._elsewhere.url, world.clock
        ) as struck:
            world.deliver(way.target)
            hit = struck()
        simulator.release_late()
        state = self._end(source_id)
        stands = [
            e
            for e in world.journal(way.target)
            if (e.boost_of in shown if shown else e.text == text)
        ]
        assert not self._elsewhere.requests
        assert (state, len(stands)) in {("sent", 1), ("held", 0), ("held", 1), ("dead", 0)}
        return {"sent": "once"}.get(state, state), hit

    def _go_on(self) -> None:
        """Deliver once more, when it is time."""
        world, way = self._world, self._way
        target = world.accounts.open(way.target).identity.id
        due = world.store.next_time(target) or world.clock.at
        world.clock.at = max(due, world.clock.at + timedelta(seconds=1))
        world.deliver(way.target)

    def _end(self, source_id: str) -> str:
        """Deliver until the draft is at its end; returns its state."""
        world, way = self._world, self._way
        source, target = (world.accounts.open(n).identity.id for n in (way.source, way.target))
        for _ in range(30):
            (draft,) = world.store.drafts_of(target, source, source_id)
            if draft.state not in ("queued", "sending"):
                return draft.state
            self._go_on()
        return f"still {draft.state}: {draft.error}"
