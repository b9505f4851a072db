"""`preview` and the daemon give the same bytes, for every golden case.

One side is the trial run of `preview`. The other is the engine: a pass that is recorded in a file,
the column read from it with SQL, and deliveries down to the body that each network's own client sends.
"""

from __future__ import annotations

import functools
import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from bridge import config as configuration
from bridge import film_uploads, media, wire
from bridge.accounts import Accounts, Opened
from bridge.ingest import ingest
from bridge.network import Client, Film, Identity, Network, Page, Upload
from bridge.networks.bluesky.session import Tokens
from bridge.networks.twitter.read import User
from bridge.outbox import deliver
from bridge.post import Draft, Post, Ref, Skip, idempotency_key
from bridge.ratelimit import SHARED
from bridge.registry import NETWORKS
from bridge.rehearsal import PASSABLE, Rehearsed, Stage, rehearse
from bridge.schema import Account, Config
from bridge.store import NewDraft, Recording, RouteKey, Store
from tests import corpus
from tests.test_media import encoded

CASES = list(corpus.cases())
PICTURE = encoded("PNG")
BEFORE = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


class Played:
    """An account on a network that is played: what it posted, and what its client sends."""

    repeatable = True
    keeps_keys = True
    reread_batch = 1

    def __init__(self, case: corpus.Case, network: Network, now: datetime) -> None:
        self.limits = corpus.limits(network.name, case.server)
        self.posts: tuple[Post, ...] = ()
        self.sent: list[bytes] = []
        self._network = network
        self._now = now
        self._uploads = 0

    def begin(self, _take: Any) -> Page:
        return Page((), "0")

    def fetch(self, cursor: str) -> Page:
        return Page(self.posts, "1") if cursor == "0" else Page((), cursor)

    def find(self, post_id: str) -> Post:
        return next(post for post in self.posts if post.id == post_id)

    def words(self, _ref: Ref) -> tuple[()]:
        return ()

    def resolve(self, handle: str) -> str:
        return f"did:plc:{handle.split('.', maxsplit=1)[0]}"

    def upload(self, upload: Upload) -> dict[str, Any]:
        self._uploads += 1
        return self._network.unsent(upload, self._uploads)

    def upload_film(self, film: Film) -> dict[str, Any]:
        raise AssertionError(f"a video of the corpus can be downloaded: {film.mime}")

    def publish(self, payload: Mapping[str, Any], key: str) -> Ref:
        self.sent.append(body_of(self._network.name, payload, key, self._now))
        name = f"copy-{len(self.sent)}"
        return Ref(name, corpus.IDENTITIES[self._network.name].id, uri=name, cid=name)


def body_of(network: str, payload: Mapping[str, Any], key: str, now: datetime) -> bytes:
    """The body of the request that the client of a network makes to publish something."""
    sent: list[Any] = []

    def send(method: str, url: str, **more: Any) -> wire.Answer:
        sent.append(more["json"])
        shown = {"id": payload.get("reblog")}
        answers: dict[str, Any] = {
            "mastodon": {"id": "1", "content": "", "reblog": shown, "url": "https://a.example/1"},
            "twitter": {"data": {"id": "1", "retweeted": True, "rest_id": "1"}},
            "bluesky": {"uri": "at://did/app.bsky.feed.post/1", "cid": "c"},
        }
        return wire.Answer(200, {}, json.dumps(answers[network]).encode(), method != "GET")

    client = logged_in(network, now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "send", send)
        SHARED.forget()
        client.publish(payload, key)
    (body,) = sent
    return json.dumps(body, ensure_ascii=False).encode()


class _NoSession:
    def load(self) -> None:
        return None

    def save(self, identity: str, data: str) -> None:
        raise AssertionError(identity, data)


@functools.cache
def logged_in(network: str, now: datetime) -> Any:
    """The real client of a network, which knows who it is."""
    client: Any = NETWORKS[network].connect(settings(network), _NoSession(), lambda: now)
    if network == "mastodon":
        client._identity = corpus.IDENTITIES[network]
        client._limits = corpus.limits(network, {})
    elif network == "bluesky":
        mark = "f"
        client._tokens = Tokens(
            "did:plc:avis", "avis.example", "https://pds.example", "a", "r", mark
        )
    else:
        client._known = User("7", "avis", protected=False)
    return client


def settings(network: str) -> Mapping[str, Any]:
    return config("mastodon", "[{}, {}]").accounts[network].settings


def expected_body(network: str, request: Mapping[str, Any]) -> bytes:
    """What a client sends for a request as `preview` shows it, by the network's documentation."""
    body: Any = request
    if network == "bluesky":
        body = {
            "repo": "did:plc:avis",
            "collection": request["record"]["$type"],
            "rkey": request["rkey"],
            "record": request["record"],
            "swapRecord": None,
        }
    elif network == "mastodon" and "reblog" in request:
        body = {"visibility": request["visibility"]}  # the id is in the path
    return json.dumps(body, ensure_ascii=False).encode()


@functools.cache
def config(source: str, said: str) -> Config:
    """A configuration with one bot from an account to the two others."""
    own, people = json.loads(said)
    bot = {"from": source, "to": [name for name in NETWORKS if name != source]}
    at_once = {"delay": "0s", "cards": "source"}
    top = {"accounts": corpus._ACCOUNTS, "people": people, "bots": {"bot": bot | at_once | own}}
    file = Path("/nowhere/config.yaml")
    text = yaml.safe_dump(top).encode()
    files = configuration.examine(file, {}, {file: text})
    assert files.config is not None, files.problems
    return files.config


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state in which nothing is."""
    file = tmp_path_factory.mktemp("empty") / "state.db"
    Store.open(file, durability="process").close()
    return file


@pytest.fixture
def state(empty: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(empty, tmp_path / "state.db")
    store = Store.open(tmp_path / "state.db", durability="process")
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _no_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are all the same, and videos are not looked into."""

    def sent_up(draft: Any, target: Opened, _accounts: Any, _store: Any) -> Any:
        (item,) = draft.draft.media
        return draft, target.client.upload(cast("Upload", item))

    monkeypatch.setattr(media, "fetch", lambda *_, **__: PICTURE)
    monkeypatch.setattr(media, "picture", lambda *_, **__: PICTURE)
    monkeypatch.setattr(film_uploads, "_sent_up", sent_up)
    monkeypatch.setattr(film_uploads, "_folder", lambda _store: Path())


def stand(case: corpus.Case, store: Store) -> None:
    """Let what the case says is mirrored stand on both targets."""
    source = corpus.IDENTITIES[case.network].id
    for target in case.targets:
        identity = corpus.IDENTITIES[target].id
        for each in case.mirrored:
            route = RouteKey("bot", source, identity)
            key = idempotency_key(identity, source, each, 1, 0)
            new = NewDraft(route, Ref(each, source), None, key, Draft((), BEFORE))
            store.record(Recording(drafts=[new]), BEFORE)
            (draft,) = store.drafts_of(identity, source, each)
            store.sent(draft, corpus._copy(target, f"of-{each}"), None, BEFORE)


def accounts_of(
    kind: type[Accounts], case: corpus.Case, store: Store, now: datetime, post: Post
) -> tuple[Any, dict[str, Played]]:
    """The three accounts, played by `Played`."""
    accounts: Any = kind(config(case.network, said(case)), store, lambda: now)
    played = {name: Played(case, network, now) for name, network in NETWORKS.items()}
    played[case.network].posts = (post,)

    def log_in(account: Account) -> Opened:
        who: Identity = corpus.IDENTITIES[account.network]
        client = cast("Client", played[account.network])
        opened = Opened(account.name, NETWORKS[account.network], who, client)
        accounts._ledgers[account.name] = _NoLedger()
        return opened

    accounts._log_in = log_in
    return accounts, played


class _NoLedger:
    def belongs_to(self, identity: str) -> None:
        """Nothing is paid."""


def said(case: corpus.Case) -> str:
    return json.dumps([case.settings, case.people])


def shown(case: corpus.Case, post: Post, file: Path, now: datetime) -> dict[str, Rehearsed]:
    """What `preview` shows, by target."""
    store = Store.in_memory(file)
    accounts, _ = accounts_of(Stage, case, store, now, post)
    bot = config(case.network, said(case)).bots["bot"]
    found = rehearse(bot, bot.routes, accounts.open(case.network), [post], accounts, store)
    store.close()
    return {each.target.name: each for each in found}


def mirrored(case: corpus.Case, accounts: Accounts, store: Store) -> dict[str, str]:
    """Let the engine read the post; why it was left alone, by target."""
    bot = config(case.network, said(case)).bots["bot"]
    done = ingest(case.network, [("bot", route) for route in bot.routes], accounts, store)
    assert done.errors == {}
    reasons = {v.route.target: v.reason for v in store.verdicts() if v.verdict != "queued"}
    return {name: reasons.get(corpus.IDENTITIES[name].id, "") for name in case.targets}


def columns(file: Path, target: str, post: Post) -> list[str]:
    with closing(sqlite3.connect(file)) as db:
        rows = db.execute(
            "SELECT draft FROM drafts WHERE target=? AND source=? AND source_id=? ORDER BY part",
            (target, post.account, post.id),
        )
        return [row[0] for row in rows]


def deliver_all(case: corpus.Case, accounts: Accounts, store: Store, target: str) -> None:
    """Deliver until nothing goes any more; what only waits for a person is let go."""
    for _ in range(5):
        deliver(target, accounts, store, config(case.network, said(case)).bots, jitter=lambda: 0)
        left = [d for d in store.unsent() if d.target == corpus.IDENTITIES[target].id]
        free = [draft for draft in left if draft.code in PASSABLE]
        if not free:
            return
        store.release(free)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file.stem)
def test_preview_and_the_daemon_give_the_same_bytes(
    case: corpus.Case, state: Store, tmp_path: Path
) -> None:
    post = corpus.read(case)
    now = post.created_at + timedelta(minutes=1)
    file = tmp_path / "state.db"
    stand(case, state)
    preview = shown(case, post, file, now)
    accounts, played = accounts_of(Accounts, case, state, now, post)
    reasons = mirrored(case, accounts, state)
    for target in case.targets:
        each = preview[target]
        if isinstance(each.verdict, Skip):
            assert each.verdict.reason == reasons[target]
            assert columns(file, corpus.IDENTITIES[target].id, post) == []
            continue
        assert reasons[target] == ""
        queued = [part.column for part in each.verdict]
        assert queued == columns(file, corpus.IDENTITIES[target].id, post)
        deliver_all(case, accounts, state, target)
        requests = [part.request for part in each.verdict]
        assert None not in requests, each.verdict[0].kept
        bodies = [expected_body(target, request) for request in requests if request is not None]
        assert bodies == played[target].sent
