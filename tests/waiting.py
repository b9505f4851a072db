"""Time as requests know it, in tests: it stands still until a test lets it pass for a server.

A machine may be held up for a minute between any two instructions. A deadline on its clock would
then be met by a request that was kept waiting by nobody.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import httpcore

from bridge import wire
from bridge.simulation import Fault, Simulator

#: real seconds after which a test hangs: nothing here takes a hundredth of it
HANGS = 600.0
#: real seconds without a byte, after which it is asked whether time passes
SLICE = 0.02
#: seconds that pass at each step, which is less than the API of a network may take for a byte
STEP = 20.0

#: how many requests have been kept waiting
Kept = Callable[[], float]


@dataclass(slots=True)
class _Spell:
    """A while in which a server keeps requests waiting, and how many of them were met."""

    kept: Kept
    trickling: bool
    met: int = 0


class Waiting(httpcore.SyncBackend):
    """Opens sockets on which time passes only for requests that are kept waiting.

    Each thread has a time of its own: deadlines are a thread's.
    """

    def __init__(self) -> None:
        self._passed = threading.local()
        self._spells: dict[int, _Spell] = {}

    def clock(self) -> float:
        """Seconds that have passed for this thread."""
        return getattr(self._passed, "seconds", 0.0)

    @contextmanager
    def passes(self, url: str, kept: Kept, *, trickling: bool = False) -> Iterator[None]:
        """Time passes for so many requests to the server at `url`: those next to be read from.

        It passes with each slice in which nothing came, or, where answers come `trickling`, with
        each of their pieces: so nobody waits long for the next.
        """
        port = httpcore.URL(url).port
        assert port is not None
        self._spells[port] = _Spell(kept, trickling)
        try:
            yield
        finally:
            del self._spells[port]

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        opened = super().connect_tcp(host, port, HANGS, local_address, socket_options)
        return _Socket(self, opened, port)

    def keeps(self, port: int) -> str:
        """How the request that is read from now is kept waiting: "silent", "trickling", or ""."""
        spell = self._spells.get(port)
        if spell is None or spell.met >= spell.kept():
            return ""
        spell.met += 1
        return "trickling" if spell.trickling else "silent"

    def pass_on(self) -> None:
        """A step on the clock of this thread."""
        self._passed.seconds = self.clock() + STEP


class _Socket(httpcore.NetworkStream):
    """A socket; once time passes on it, it passes until it is closed."""

    def __init__(self, waiting: Waiting, opened: httpcore.NetworkStream, port: int) -> None:
        self._waiting = waiting
        self._opened = opened
        self._port = port
        self._kept = ""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        began, left = time.monotonic(), HANGS if timeout is None else timeout
        while True:
            data = self._read_soon(max_bytes)
            self._kept = self._kept or self._waiting.keeps(self._port)
            if self._kept == ("silent" if data is None else "trickling"):
                self._waiting.pass_on()
                left -= STEP
            if data is not None:
                return data
            if left <= 0 or time.monotonic() - began > HANGS:
                raise httpcore.ReadTimeout("timed out")

    def _read_soon(self, max_bytes: int) -> bytes | None:
        """What came, b"" at the end; None if nothing comes for a slice."""
        try:
            return self._opened.read(max_bytes, SLICE)
        except httpcore.ReadTimeout:
            return None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._opened.write(buffer, HANGS)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Socket(
            self._waiting, self._opened.start_tls(ssl_context, server_hostname, HANGS), self._port
        )

    def get_extra_info(self, info: str) -> Any:
        return self._opened.get_extra_info(info)

    def close(self) -> None:
        self._opened.close()


#: what the tests of this process use
WAITING = Waiting()


@contextmanager
def standing_still() -> Iterator[None]:
    """Time stands still for the requests of this process, but for those that `passes` says."""
    wire.hang_up()
    with (
        mock.patch.object(wire, "clock", WAITING.clock),
        mock.patch.object(wire, "sockets", WAITING),
    ):
        yield
        wire.hang_up()


@contextmanager
def troubled_by(fault: Fault, simulator: Simulator) -> Iterator[Callable[[], int]]:
    """The server has a fault, and time passes for those that it keeps waiting.

    Gives what tells how often it has struck.
    """
    whole = fault.times

    def struck() -> int:
        with simulator.lock:  # which is held until it has acted
            return whole - fault.times

    def kept() -> int:
        return struck() if fault.kind in ("hang", "hang_after", "trickle") else 0

    trickling = fault.kind == "trickle"

    simulator.faults = [fault]
    try:
        with WAITING.passes(simulator.url, kept, trickling=trickling):
            yield struck
    finally:
        simulator.faults = []
