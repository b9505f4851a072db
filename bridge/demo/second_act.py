"""The second act of the demo: authors mend their posts and take one back, and copies follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from bridge.demo.posts import CORRECTED, DELETED, EDITED, Mended, Said
from bridge.demo.stage import Stage
from bridge.simulation import Entry
from bridge.workers import Engine

#: after how long recent originals are looked at, and looked at again where one seems to be gone
LOOKS = (timedelta(minutes=3), timedelta(minutes=3))


class Clock:
    """The time of the networks and of the program: it can be moved on, so that nobody waits."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self._ahead += by


class SecondAct:
    """Changes posts of a stage whose first act is over."""

    def __init__(self, stage: Stage, mended: Sequence[Mended]) -> None:
        self._stage = stage
        self._mended = [m for m in mended if m.post < len(stage.order)]
        #: the copies of each post that is mended, by account, as they stood before
        self._copies = {id(said): copies for said, copies in stage.table()}
        self._seen = {account: len(stage.published(account)) for account in stage.people}

    def play(
        self, clock: Clock, engine: Engine, wait: Callable[[Callable[[], bool]], object]
    ) -> None:
        """Mend, and let minutes pass in a moment."""
        for mended in self._mended:
            said = self._said(mended)
            simulator, name, _ = self._stage.people[said.account]
            speak: Any = simulator
            if mended.text:
                speak.edit(name, self._stage.ids[mended.post], mended.text)
            else:
                speak.delete(name, self._stage.ids[mended.post])
        for minutes in LOOKS:
            clock.advance(minutes)
            engine.follow_all()
            engine.lanes.wait()
        wait(lambda: not self.problems())

    def _said(self, mended: Mended) -> Said:
        return self._stage.order[mended.post]

    def _happened(self, mended: Mended, account: str) -> str:
        """What became of the copies of a post on an account; "" if nothing did."""
        ids = [entry.id for entry in self._copies[id(self._said(mended))].get(account, [])]
        simulator, name, _ = self._stage.people[account]
        with simulator.lock:
            journal = [entry for entry in simulator.journal if entry.account == name]
        done = {entry.action for entry in journal if entry.id in ids} - {"publish"}
        if done == {"delete"}:
            return DELETED
        if done == {"edit"}:
            return EDITED
        return CORRECTED if self._replies(mended, account, ids) else ""

    def _replies(self, mended: Mended, account: str, ids: list[str]) -> list[Entry]:
        fresh = self._stage.published(account)[self._seen[account] :]
        return [e for e in fresh if e.reply_to in ids and mended.text and mended.text in e.text]

    def problems(self) -> list[str]:
        """What did not happen, and what did that should not."""
        wrong = []
        due = dict.fromkeys(self._seen, 0)
        for mended in self._mended:
            for account, want in mended.then.items():
                have = self._happened(mended, account)
                due[account] += want == CORRECTED
                if have != want:
                    head = self._stage.shows(self._said(mended))[:40]
                    wrong.append(f"{head!r} was to be {want} on {account}, not: {have or 'left'}")
        for account, before in self._seen.items():
            own = sum(self._said(m).account == account and bool(m.text) for m in self._mended)
            fresh = len(self._stage.published(account)) - before
            if not due[account] <= fresh <= due[account] + own:  # X publishes an edit as a post
                wrong.append(f"{fresh} posts came to {account} after edits, not {due[account]}")
        return wrong

    def print_table(self) -> None:
        """What was mended, and what came of it."""
        table = Table(title="What was mended or taken back, and what came of it")
        table.title_justify = "left"
        for heading in ("from", "post", "then", "Mastodon", "Bluesky", "Twitter"):
            table.add_column(heading, max_width=24, overflow="ellipsis", no_wrap=True)
        for mended in self._mended:
            said = self._said(mended)
            city, network = said.account.split("_")
            cells = [
                "original" if column == network else self._happened(mended, f"{city}_{column}")
                for column in ("mastodon", "bluesky", "twitter")
            ]
            table.add_row(said.account, said.text, mended.text or "deleted", *cells)
        Console(width=120).print(table)
