"""One graph: told, mirrored, brought to rest, judged."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bridge import config
from bridge.accounts import Accounts
from bridge.ingest import ingest
from bridge.outbox import deliver
from bridge.schema import Config
from bridge.simulation import FaultKind
from bridge.store import Store
from tests.loops.graph import Graph, draw
from tests.loops.judge import Judge, Verdict
from tests.loops.networks import Networks, server_of
from tests.loops.story import Story

FAULTS: tuple[FaultKind, ...] = (
    "act_late",
    "act_late",
    "drop_after",
    "drop_before",
    "truncate",
    "answer_after",
)
#: whole passes after which a graph that still moves does not come to rest
MOST_PASSES = 40
#: posts in all networks, more than any graph can imply, after which there is no need to go on
MOST_POSTS = 800


class Runaway(Exception):
    """The posts breed."""


@dataclass
class Engine:
    """The real passes, in this thread, in any order."""

    config: Config
    networks: Networks
    store: Store
    accounts: Accounts
    tasks: list[Callable[[], object]] = field(default_factory=list)

    def read(self, source: str) -> None:
        """Read an account for every bot."""
        routes = [
            (bot.name, route)
            for bot in self.config.bots.values()
            for route in bot.routes
            if route.source == source
        ]
        if routes:
            ingest(source, routes, self.accounts, self.store)

    def deliver(self, target: str) -> None:
        """Send what is due to an account."""
        deliver(target, self.accounts, self.store, self.config.bots, jitter=lambda: 0.5)

    def some(self, choose: random.Random, share: float) -> None:
        """Some of the readings and deliveries, in any order."""
        tasks = [
            (task, name) for name in self.config.accounts for task in (self.read, self.deliver)
        ]
        choose.shuffle(tasks)
        for task, name in tasks:
            if choose.random() < share:
                task(name)

    def all(self) -> None:
        """Read everything, deliver everything. Raises Runaway if that never ends."""
        for task in (self.read, self.deliver):
            for name in self.config.accounts:
                task(name)
        if self.networks.published() > MOST_POSTS:
            raise Runaway


@contextmanager
def engine(graph: Graph, networks: Networks, folder: Path) -> Iterator[Engine]:
    """The program on a graph's config, with a state of its own."""
    loaded = config.load(graph.write(folder, networks.settings))
    store = Store.open(folder / "tribridge.db", durability="process")
    try:
        yield Engine(loaded, networks, store, Accounts(loaded, store, networks.clock))
    finally:
        store.close()


def run(seed: str, folder: Path, *, tell: Callable[[str], object] = lambda _: None) -> Verdict:
    """Run the graph of a seed, from nothing to the verdict; `folder` must be empty."""
    choose = random.Random(seed)
    graph, networks = draw(choose), Networks()
    tell("\n".join(f"{bot.name}: {bot.settings()}" for bot in graph.bots))
    with networks.plugged(), engine(graph, networks, folder) as program:
        program.all()
        story = Story(graph, networks, choose)
        faulty: set[str] = set()
        try:
            _live(story, program, choose, faulty)
            networks.calm(release=choose.random() < 0.5)
            restless = _rest(program, networks)
            networks.calm()
            restless = restless or _rest(program, networks) or _stays(program, networks)
        except Runaway:
            return Verdict(wrong=[f"RESTLESS: more than {MOST_POSTS} posts, and no end"])
        tell("\n".join(map(str, story.originals)))
        for name in graph.accounts:
            tell(
                "\n".join(
                    f"{name} {e.id} <{e.reply_to}> {e.text!r}" for e in networks.journal(name)
                )
            )
        verdict = Judge(graph, networks, story.originals, program.store, faulty).verdict()
        if restless:
            verdict.wrong.insert(0, restless)
        return verdict


def _live(story: Story, program: Engine, choose: random.Random, faulty: set[str]) -> None:
    """Talk, and let the program work; notes in `faulty` the servers where a post went wrong."""
    networks = story.networks
    in_trouble = choose.random() < 0.5
    for _ in range(choose.randint(3, 6)):
        for _ in range(choose.randint(1, 5)):
            story.go_on()
        server = server_of(choose.choice(story.graph.accounts))
        if in_trouble and choose.random() < 0.6:
            networks.misbehave(server, choose.choice(FAULTS), choose.randint(0, 2))
            faulty.add(server)
        if choose.random() < 0.5:
            program.some(choose, choose.uniform(0.2, 1))
        if in_trouble and choose.random() < 0.3:
            networks.release(server_of(choose.choice(story.graph.accounts)))
        networks.clock.advance(seconds=choose.choice((1, 20, 61)))
        program.all()
        story.settled = len(story.originals)
        networks.clock.advance(seconds=choose.choice((1, 20, 61)))


def _rest(program: Engine, networks: Networks) -> str:
    """Pass after pass until nothing moves any more; what is wrong if it never does."""
    quiet, before = 0, -1
    for _ in range(MOST_PASSES):
        program.all()
        waits = bool(program.store.waiting_targets())
        now = networks.published()
        quiet = quiet + 1 if now == before and not waits else 0
        before = now
        if quiet == 2:
            break
        networks.clock.advance(seconds=61)
    else:
        return f"RESTLESS: still posting or waiting after {MOST_PASSES} passes"
    return ""


def _stays(program: Engine, networks: Networks) -> str:
    """What is wrong if anything is posted hours later."""
    before = networks.published()
    networks.clock.advance(hours=3)
    program.all()
    program.all()
    if networks.published() != before:
        return "RESTLESS: posted again after a rest of three hours"
    return ""
