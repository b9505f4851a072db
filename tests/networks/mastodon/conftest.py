from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from bridge.networks.mastodon.client import MastodonClient
from bridge.networks.mastodon.simulator import MastodonSimulator

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **more: float) -> None:
        self.time += timedelta(**more)


class Memory:
    """A session that survives clients, not tests."""

    def __init__(self) -> None:
        self.data: str | None = None
        self.saved = 0

    def load(self) -> str | None:
        return self.data

    def save(self, identity: str, data: str) -> None:
        assert identity.startswith("mastodon:")
        self.data = data
        self.saved += 1


class World:
    """Simulators and clients on one clock."""

    def __init__(self, stack: ExitStack) -> None:
        self.clock = Clock()
        self._stack = stack

    def server(self, **more: Any) -> MastodonSimulator:
        simulator = MastodonSimulator(now=self.clock, **more)
        simulator.start()
        self._stack.callback(simulator.stop)
        return simulator

    def client(self, settings: Mapping[str, str], memory: Memory | None = None) -> MastodonClient:
        return MastodonClient(settings, memory or Memory(), self.clock)


@pytest.fixture
def world() -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack)


@pytest.fixture
def server(world: World) -> MastodonSimulator:
    return world.server()


@pytest.fixture
def client(world: World, server: MastodonSimulator) -> MastodonClient:
    """The client of `anna`, logged in."""
    found = world.client(server.account("anna"))
    found.login()
    return found


def picture(width: int = 4, height: int = 3, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 90, 20)).save(out, kind)
    return out.getvalue()
