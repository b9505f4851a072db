"""A simulated X with a clock that tests turn, and clients on it."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from bridge.networks.twitter.client import TwitterClient
from bridge.networks.twitter.simulator import TwitterSimulator


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


class Memory:
    """A session that remembers."""

    def __init__(self) -> None:
        self.data: str | None = None
        self.saves = 0

    def load(self) -> str | None:
        return self.data

    def save(self, identity: str, data: str) -> None:
        assert identity.startswith("twitter:")
        self.data = data
        self.saves += 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def x(clock: Clock) -> Iterator[TwitterSimulator]:
    simulator = TwitterSimulator(now=clock)
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.fixture
def connect(x: TwitterSimulator, clock: Clock, memory: Memory) -> Callable[[str], TwitterClient]:
    def connected(name: str) -> TwitterClient:
        client = TwitterClient(x.account(name), memory, clock)
        client.login()
        return client

    return connected


def picture(width: int = 4, height: int = 3, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, kind)
    return out.getvalue()
