"""One life of the process under test: the real engine, with the places where it may be killed."""

from __future__ import annotations

import logging
import os
import random
import secrets
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import httpx

from bridge import amending, daemon, ingest, outbox, outcome, wire, workers
from bridge.accounts import Accounts
from bridge.follow import follow
from bridge.networks.bluesky.client import BlueskyClient
from bridge.networks.mastodon.client import MastodonClient
from bridge.schema import Config
from bridge.store import Change, QueuedDraft, Store, original_id
from tests.crash.shared import Shared, kind_of
from tests.crash.story import Story, is_editable

#: the share of drafts that are edited as they are about to leave
MEDDLE = 0.05
#: real seconds after which a life counts as hung
HUNG = 60


class Meddling:
    """Edits a post at the worst moment: as the first of its copy, or an edit, is about to leave.

    Another lane sees that at once. What the process under test asks the networks for in a person's
    name, it asks through the harness's own pipe, which no kill at a named point cuts.
    """

    def __init__(self, story: Story, shared: Shared, seed: str) -> None:
        self._story, self._shared = story, shared
        self._random = random.Random(f"{seed}: meddling")

    def watch(self, engine: workers.Engine) -> None:
        """Be there before every request that is about to leave."""
        sending = Store.sending

        def watched(store: Store, draft: QueuedDraft, *more: Any) -> bool:
            if draft.state == "queued" and self._random.random() < MEDDLE:
                self._edit(engine, draft)
            return sending(store, draft, *more)

        Store.sending = watched  # type: ignore[assignment,method-assign]

    def _edit(self, engine: workers.Engine, draft: QueuedDraft) -> None:
        post_id = original_id(draft.source_id)
        found = [o for o in self._story.originals if o.id == post_id and is_editable(o)]
        for original in found:
            self._shared.advance(1)  # no two versions of one instant
            self._story.edit(original, self._random)
            follow(original.account, engine.config.bots, engine.accounts, engine.store, {})


def live(
    config: Config,
    shared: Shared,
    seed: str,
    steps: list[float],
    mutant: str,
    errors: Path,
    meddling: Meddling | None = None,
) -> NoReturn:
    """Pass after pass, the clock moved on by `steps` (seconds) after each; then exit with 0."""
    signal.alarm(HUNG)
    random.seed(seed)
    shared.begin()
    try:
        handler = logging.FileHandler(errors, delay=True)
        handler.setLevel(logging.ERROR)
        logging.getLogger().addHandler(handler)
        _add_points(shared)
        MUTANTS[mutant]()
        store = Store.open(config.state.file, durability="process")
        store.own("once")
        accounts = Accounts(config, store, shared.now)
        engine = workers.Engine(config, store, accounts, report=lambda *_: None)
        if meddling is not None:
            meddling.watch(engine)
        for step in steps:
            daemon.once(engine, store)
            shared.advance(step)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


class _Queue:
    """In the place of a pool of threads: the work is done when it is waited for."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._work: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()

    def submit(self, task: Callable[..., object], *arguments: Any) -> None:
        self._work.append((task, arguments))

    def run(self) -> None:
        while self._work:
            task, arguments = self._work.popleft()
            task(*arguments)


def one_thread() -> None:
    """Let one thread do everything in the order of its submission, so that a life repeats itself."""
    workers.ThreadPoolExecutor = _Queue  # type: ignore[assignment,attr-defined]
    workers.Lanes.wait = lambda self: self._pool.run()  # type: ignore[attr-defined,method-assign]


def _add_points(shared: Shared) -> None:
    write, request = Store.write, wire.Transport.handle_request

    @contextmanager
    def watched_write(self: Store) -> Iterator[Any]:
        what = sys._getframe(2).f_code.co_name
        shared.here("before begin", what)
        with write(self) as db:
            yield db
            shared.here("before commit", what)
        shared.here("after commit", what)

    def watched_request(self: wire.Transport, asked: httpx.Request) -> httpx.Response:
        kind, what = kind_of(asked.method), f"{asked.method} {asked.url.path}"
        shared.here(f"before {kind}", what)
        response = request(self, asked)
        response.read()
        shared.here(f"after {kind}", what)
        return response

    Store.write = watched_write  # type: ignore[assignment,method-assign]
    wire.Transport.handle_request = watched_request  # type: ignore[assignment,method-assign]


# Faults that the harness must find.


def _no_sending() -> None:
    Store.sending = lambda *_, **__: True  # type: ignore[method-assign]


def _no_key() -> None:
    def forgetful(publish: Callable[..., Any]) -> Callable[..., Any]:
        def publish_under_any_key(self: Any, payload: dict[str, Any], key: str) -> Any:
            if "rkey" in payload:
                digits = "234567abcdefghijklmnopqrstuvwxyz"
                other = "".join(secrets.choice(digits) for _ in range(4))
                payload = {**payload, "rkey": payload["rkey"][:9] + other}
            return publish(self, payload, secrets.token_hex(16))

        return publish_under_any_key

    for client in (BlueskyClient, MastodonClient):
        client.publish = forgetful(client.publish)  # type: ignore[method-assign]


def _no_match() -> None:
    for module in (outbox, ingest):
        module.may_be_copy = lambda *_: False  # type: ignore[attr-defined]


def _no_settle() -> None:
    def send_again(self: Any, draft: Any) -> Any:
        parents = self._parents(draft)
        if isinstance(parents, outcome.Wait | outcome.Stop):
            return parents
        return self._publish(draft, draft.payload, parents)

    outbox._Courier._settle = send_again  # type: ignore[method-assign]


def _no_wait() -> None:
    standing = outbox._Courier._standing

    def hasty(self: Any, *which: Any) -> Any:
        found = standing(self, *which)
        return None if isinstance(found, outcome.Wait) else found

    outbox._Courier._standing = hasty  # type: ignore[assignment,method-assign]


def _no_version() -> None:
    sending = Store.sending

    def overtaking(self: Store, draft: QueuedDraft, *more: Any) -> bool:
        rows = self._rows("SELECT version FROM drafts WHERE id=?", (draft.id,))
        return sending(self, replace(draft, version=rows[0][0]), *more)

    Store.sending = overtaking  # type: ignore[assignment,method-assign]


def _early_deleted() -> None:
    def hasty(change: Any, copy: Any, target: Any, accounts: Any, store: Store) -> Any:
        store.deleted(change, copy, accounts.now())
        if copy is not None:
            target.client.delete(copy.ref)
        return outcome.Sent()

    amending._delete = hasty


def _no_gone() -> None:
    change = Store.change

    def hasty(self: Store, wanted: Change, now: datetime) -> bool:
        last = sorted(wanted.new, key=lambda new: new.action == "delete")
        return change(self, replace(wanted, new=tuple(last)), now)

    Store.change = hasty  # type: ignore[assignment,method-assign]
    outbox._Courier._until_replaced = lambda *_: None  # type: ignore[method-assign]


#: by the name on the command line
MUTANTS: dict[str, Callable[[], None]] = {
    "": lambda: None,
    "no-sending": _no_sending,
    "no-key": _no_key,
    "no-match": _no_match,
    "no-settle": _no_settle,
    "no-wait": _no_wait,
    "no-version": _no_version,
    "early-deleted": _early_deleted,
    "no-gone": _no_gone,
}
