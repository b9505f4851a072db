from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bridge.networks.bluesky.client import BlueskyClient
from bridge.networks.bluesky.simulator import BlueskySimulator

NAME = "anna.test"


class Clock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **more: float) -> datetime:
        self.time += timedelta(**more)
        return self.time


class Memory:
    """A session that survives clients, not tests."""

    def __init__(self) -> None:
        self.data: str | None = None
        self.saved: list[str] = []

    def load(self) -> str | None:
        return self.data

    def save(self, identity: str, data: str) -> None:
        assert identity.startswith("bluesky:did:plc:")
        self.data = data
        self.saved.append(data)


class World:
    """A PDS, one account on it, and clients that share a clock and a session."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.memory = Memory()
        self.pds = BlueskySimulator(now=self.clock)
        self.pds.start()
        self.settings = self.pds.account(NAME)

    def client(self, **settings: str) -> BlueskyClient:
        return BlueskyClient({**self.settings, **settings}, self.memory, self.clock)

    def say(self, text: str, **more: float) -> str:
        """Publish; `more` moves the clock on before."""
        self.clock.advance(**(more or {"seconds": 1}))
        return self.pds.say(NAME, text)

    def calls(self) -> dict[str, int]:
        """How often each method was called since the last time that this was asked."""
        found = {name.rpartition(".")[2]: count for name, count in self.pds.requests.items()}
        self.pds.requests.clear()
        return found


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.pds.stop()
