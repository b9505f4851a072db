"""The three networks in a process of their own, which outlives every kill."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.twitter.simulator import TwitterSimulator
from bridge.simulation import Entry, Fault, Request, Response, Simulator
from tests.crash.shared import LATE_POINT, Shared, kind_of


class Networks:
    """Asks the process in which the networks are."""

    def __init__(self, shared: Shared, flavour: str) -> None:
        context = get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._pipe, shared, flavour), daemon=True
        )
        self._process.start()
        theirs.close()

    def account(self, network: str, handle: str) -> dict[str, str]:
        """The settings of an account, made if needed."""
        return dict(self._ask("account", network, handle))

    def say(self, network: str, handle: str, text: str, **more: Any) -> str:
        """Publish as a person does; returns the native id."""
        return str(self._ask("say", network, handle, text, **more))

    def boost(self, network: str, handle: str, post: str) -> str:
        """Boost a post as a person does; returns the native id of the boost."""
        return str(self._ask("boost", network, handle, post))

    def edit(self, network: str, handle: str, post_id: str, text: str) -> None:
        """Give a post another text, as a person does."""
        self._ask("edit", network, handle, post_id, text)

    def delete(self, network: str, handle: str, post_id: str) -> None:
        """Delete a post as a person does."""
        self._ask("delete", network, handle, post_id)

    def entries(self, network: str, handle: str) -> list[Entry]:
        """What an account published, edited and deleted, oldest first."""
        return [entry for entry in self.journal(network) if entry.account == handle]

    def journal(self, network: str) -> list[Entry]:
        """What was done, oldest first; `raw` is the id of a thread's root where known."""
        return list(self._ask("journal", network))

    def misbehave(self, network: str, fault: Fault) -> None:
        """Add a fault."""
        self._ask("misbehave", network, fault)

    def calm(self) -> None:
        """End every fault, and act now on every request that still waits."""
        for network in ("mastodon", "bluesky", "twitter"):
            self._ask("calm", network)

    def stop(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()

    def _ask(self, what: str, *args: Any, **more: Any) -> Any:
        self._pipe.send((what, args, more))
        failed, answer = self._pipe.recv()
        if failed:
            raise RuntimeError(answer)
        return answer


class _Striker:
    """Kills the process under test while its request is on the wire, and acts late."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._lock = threading.Lock()
        self._late: list[tuple[datetime, Simulator, Request]] = []

    def over(
        self,
        simulator: Simulator,
        answer: Callable[[Request], tuple[Response | None, Fault | None]],
    ) -> Callable[[Request], tuple[Response | None, Fault | None]]:
        """`simulator.answer` with kills."""

        def struck(request: Request) -> tuple[Response | None, Fault | None]:
            self.release(self._shared.now())
            kind = kind_of(request.method)
            points = (f"{kind} lost", f"{kind}'s answer lost", f"{kind} acts late")
            point = self._shared.is_due(points, simulator.kind_of(request))
            if not point:
                return answer(request)
            if point.endswith("answer lost"):
                answer(request)
            elif point == LATE_POINT:
                due = self._shared.now() + timedelta(seconds=self._shared.delay)
                with self._lock:
                    self._late.append((due, simulator, request))
            self._shared.kill()
            return None, Fault("drop_after")

        return struck

    def release(self, now: datetime | None = None) -> None:
        """Act on late requests that are due (all if `now` is None)."""
        with self._lock:
            due = [late for late in self._late if now is None or late[0] <= now]
            self._late = [late for late in self._late if late not in due]
        for _, simulator, request in due:
            with simulator.lock:
                simulator.handle(request)


def _serve(pipe: Connection, other: Connection, shared: Shared, flavour: Any) -> None:
    other.close()
    simulators: Mapping[str, Any] = {
        "mastodon": MastodonSimulator(now=shared.now, flavour=flavour, limits=False),
        "bluesky": BlueskySimulator(now=shared.now, limits=False),
        "twitter": TwitterSimulator(now=shared.now, limits=False),
    }
    striker = _Striker(shared)
    for simulator in simulators.values():
        simulator.answer = striker.over(simulator, simulator.answer)
        simulator.start()
    while True:
        try:
            what, (network, *args), more = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        simulator = simulators[network]
        answer: Any = None
        try:
            if what == "journal":
                with simulator.lock:
                    answer = [_plain(entry) for entry in simulator.journal]
            elif what == "misbehave":
                simulator.faults.append(*args)
            elif what == "calm":
                simulator.faults.clear()
                striker.release()
            else:
                answer = getattr(simulator, what)(*args, **more)
        except Exception as error:
            pipe.send((True, f"{what} {network} {args}: {error}"))
        else:
            pipe.send((False, answer))


def _plain(entry: Entry) -> Entry:
    raw = entry.raw if isinstance(entry.raw, dict) else {}
    root = raw.get("reply", {}).get("root", {}) if "$type" in raw else {}
    return replace(entry, raw=str(root.get("uri", "")).rpartition("/")[2])
