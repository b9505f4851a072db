"""Three simulated networks, a config, a state file, and the real passes over them.

Time is a clock of the test's own, shared with the networks. Passes run in this thread, one after
the other, so that what a test sees is always the same.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from bridge import config, console
from bridge.accounts import Accounts
from bridge.cli import main
from bridge.follow import Followed, follow
from bridge.ingest import Pass, Report, ingest
from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.twitter.simulator import TwitterSimulator
from bridge.outbox import Delivery, deliver
from bridge.post import utc
from bridge.schema import Config
from bridge.simulation import Entry, Simulator
from bridge.store import Store
from tests.servers.pds import Pds, Person


class Clock:
    """The time of a test, UTC; it stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        """Move on: seconds=, minutes=, hours=, days=."""
        self.at += timedelta(**by)


class PdsNetwork:
    """The official PDS in the place of the Bluesky simulator."""

    def __init__(self, pds: Pds, clock: Clock) -> None:
        self._pds = pds
        self._clock = clock
        self._people: dict[str, Person] = {}
        self.requests: Counter[str] = Counter()

    def account(self, handle: str) -> dict[str, str]:
        """A new account, whatever its handle is there."""
        person = self._people[handle] = self._pds.account(handle.partition(".")[0])
        return person.settings

    def say(self, handle: str, text: str, **more: Any) -> str:
        """Post as the account's owner."""
        return self._people[handle].say(text, created_at=self._clock(), **more)

    def delete(self, handle: str, rkey: str) -> None:
        """Delete a post as the account's owner."""
        self._people[handle].delete(rkey)

    @property
    def journal(self) -> list[Entry]:
        """What stands on every account, as its feed shows it, in the simulators' form."""
        entries = [
            entry_of(handle, rkey, record)
            for handle, person in self._people.items()
            for rkey, record in person.records().items()
        ]
        return sorted(entries, key=lambda entry: utc(entry.at))

    def start(self) -> None:
        """It runs already."""

    def stop(self) -> None:
        """Others use it."""


def entry_of(handle: str, rkey: str, record: dict[str, Any]) -> Entry:
    """A record as a line of a journal."""
    features = [f for facet in record.get("facets", []) for f in facet["features"]]
    parent = record.get("reply", {}).get("parent", {}).get("uri", "")
    return Entry(
        0,
        record["createdAt"],
        handle,
        "publish",
        rkey,
        text=record["text"],
        reply_to=parent.rpartition("/")[2],
        languages=tuple(record.get("langs", ())),
        links=tuple(f["uri"] for f in features if "uri" in f),
        alts=tuple(
            image["alt"]
            for field in ("images", "items")
            for image in record.get("embed", {}).get(field, ())
        )
        + ((record["embed"].get("alt", ""),) if "video" in record.get("embed", {}) else ()),
        key=rkey,
        raw=record,
    )


#: the accounts of a world by their names in the config, with their names on their networks
PEOPLE = {
    "m": ("mastodon", "anna"),
    "m2": ("mastodon", "berit"),
    "b": ("bluesky", "anna.test"),
    "b2": ("bluesky", "berit.test"),
    "x": ("twitter", "anna"),
    "x2": ("twitter", "berit"),
}


class World:
    """Everything that a mirroring test needs; `bots` is YAML, as in a config file."""

    def __init__(
        self,
        folder: Path,
        bots: str,
        *,
        flavour: Any = "mastodon",
        pds: Pds | None = None,
        top: dict[str, Any] | None = None,
    ) -> None:
        #: what stands at the top of the config beside accounts, defaults and bots
        self.top = top or {}
        self.clock = Clock()
        if pds is not None:
            self.clock.at = datetime.now(UTC)
        self.networks: dict[str, Any] = {
            "mastodon": MastodonSimulator(now=self.clock, flavour=flavour),
            "bluesky": PdsNetwork(pds, self.clock) if pds else BlueskySimulator(now=self.clock),
            "twitter": TwitterSimulator(now=self.clock),
        }
        self.said: set[tuple[str, str]] = set()
        self.looked_at: dict[str, dict[str, datetime]] = {}
        for simulator in self.networks.values():
            simulator.start()
        self.settings: dict[str, dict[str, Any]] = {
            name: {
                "network": network,
                **self.networks[network].account(handle),
                "limits": {"posts_per_hour": 1_000_000},
            }
            for name, (network, handle) in PEOPLE.items()
        }
        for name in ("x", "x2"):
            self.settings[name]["budget"] = {"usd_per_month": 1000}
        self.file = folder / "config.yaml"
        self.configure(bots)
        self.store = Store.open(self.config.state.file, durability="process")
        self.accounts = Accounts(self.config, self.store, self.clock)

    def configure(self, bots: str) -> None:
        """Write and load the config."""
        at_once = {"delay": "0s", "cards": "source"}
        accounts = yaml.safe_dump({**self.top, "accounts": self.settings, "defaults": at_once})
        self.file.write_text(f"{accounts}\nbots:\n{textwrap.indent(textwrap.dedent(bots), '  ')}")
        self.config: Config = config.load(self.file)

    def restart(self) -> None:
        """A new process on the same state, as far as a test can have one."""
        self.store.close()
        self.store = Store.open(self.config.state.file, durability="process")
        self.accounts = Accounts(self.config, self.store, self.clock)

    def simulator(self, account: str) -> Any:
        """The simulator on which an account lives."""
        return self.networks[PEOPLE[account][0]]

    def command(self, *words: str) -> Result:
        """A command, as people call it, in this process; its clock is that of the world."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(console, "now", self.clock)
            return CliRunner().invoke(main, [*words, "--config", str(self.file)])

    def say(self, account: str, text: str, **more: Any) -> str:
        """Post as the account's owner; returns the native id."""
        self.clock.advance(seconds=1)
        post_id: str = self.simulator(account).say(PEOPLE[account][1], text, **more)
        self.said.add((account, post_id))
        return post_id

    def read(self, source: str, report: Report | None = None) -> Pass:
        """One pass of every bot that reads an account."""
        routes = [
            (bot.name, route)
            for bot in self.config.bots.values()
            for route in bot.routes
            if route.source == source
        ]
        return ingest(source, routes, self.accounts, self.store, report=report)

    def deliver(self, target: str) -> Delivery:
        """Send what is due to an account."""
        return deliver(target, self.accounts, self.store, self.config.bots, jitter=lambda: 0.5)

    def follow(self, source: str) -> Followed:
        """One look at what is due of an account's originals."""
        looked_at = self.looked_at.setdefault(source, {})
        return follow(source, self.config.bots, self.accounts, self.store, looked_at)

    def change(self, account: str, post_id: str, text: str | None = None, **more: Any) -> None:
        """Edit a post as the account's owner."""
        self.clock.advance(seconds=1)
        self.simulator(account).edit(PEOPLE[account][1], post_id, text, **more)

    def remove(self, account: str, post_id: str) -> None:
        """Delete a post as the account's owner."""
        self.clock.advance(seconds=1)
        self.simulator(account).delete(PEOPLE[account][1], post_id)

    def standing(self, account: str) -> list[Entry]:
        """The copies on an account as they are now, oldest first."""
        name = PEOPLE[account][1]
        now: dict[str, Entry] = {}
        for entry in self.simulator(account).journal:
            if entry.account != name or (account, entry.id) in self.said:
                continue
            if entry.action == "delete":
                del now[entry.id]
            else:
                now[entry.id] = entry
        return list(now.values())

    def turn(self) -> None:
        """One pass over every source, then one delivery to every target."""
        routes = [route for bot in self.config.bots.values() for route in bot.routes]
        for source in dict.fromkeys(route.source for route in routes):
            self.read(source)
        for target in dict.fromkeys(route.target for route in routes):
            self.deliver(target)

    def rest(self, turns: int = 3) -> None:
        """Turn after turn, a minute apart."""
        for _ in range(turns):
            self.turn()
            self.clock.advance(minutes=1)

    def journal(self, account: str) -> list[Entry]:
        """What was published on an account, by anyone, oldest first."""
        simulator: Simulator = self.simulator(account)
        name = PEOPLE[account][1]
        return [e for e in simulator.journal if e.account == name and e.action == "publish"]

    def copies(self, account: str) -> list[Entry]:
        """What was published on an account by anyone but its owner."""
        return [e for e in self.journal(account) if (account, e.id) not in self.said]

    def texts(self, account: str) -> list[str]:
        """The texts of the copies on an account."""
        return [entry.text for entry in self.copies(account)]

    def reasons(self, bot: str = "") -> list[str]:
        """Why posts were skipped."""
        return [
            v.reason
            for v in self.store.verdicts()
            if v.verdict == "skipped" and bot in ("", v.route.bot)
        ]

    def requests(self, network: str) -> dict[str, int]:
        """How many requests of each kind a network has answered."""
        return dict(self.networks[network].requests)

    def close(self) -> None:
        """Stop everything."""
        self.store.close()
        for simulator in self.networks.values():
            simulator.stop()


@contextmanager
def world(folder: Path, bots: str, **more: Any) -> Iterator[World]:
    """A world for the length of a block."""
    made = World(folder, bots, **more)
    try:
        yield made
    finally:
        made.close()
