"""Rate limits are obeyed ahead of the wall: by a table, and against servers that keep them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.network import Busy, Client
from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.bluesky.simulator import pds as bluesky_server
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.mastodon.simulator.server import QUOTAS
from bridge.networks.twitter.simulator import TwitterSimulator
from bridge.networks.twitter.simulator import server as twitter_server
from bridge.post import Draft, Run
from bridge.ratelimit import LONGEST_WAIT, Claim, RateLimits
from bridge.registry import NETWORKS
from bridge.simulation import Simulator
from bridge.workers import Engine
from tests.test_contract import Memory
from tests.world import Clock, World, world

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON, LATE = NOW + timedelta(minutes=5), NOW + timedelta(hours=3)
ALL, POSTS = Claim("all"), Claim("posts")

# What is heard (what is left, until when, for a request with which limits), what is asked for then,
# how much later, and until when that has to wait (None: it may go).
Heard = tuple[int, datetime, tuple[Claim, ...]]
CASES: dict[str, tuple[list[Heard], tuple[Claim, ...], timedelta, datetime | None]] = {
    "nothing is known": ([], (ALL,), timedelta(0), None),
    "something is left": ([(1, SOON, (ALL,))], (ALL,), timedelta(0), None),
    "nothing is left": ([(0, SOON, (ALL,))], (ALL,), timedelta(0), SOON),
    "it begins anew": ([(0, SOON, (ALL,))], (ALL,), timedelta(minutes=5), None),
    "not quite yet": ([(0, SOON, (ALL,))], (ALL,), timedelta(minutes=4, seconds=59), SOON),
    "of another kind": ([(0, SOON, (ALL, POSTS))], (ALL,), timedelta(0), None),
    "of this kind": ([(0, SOON, (ALL, POSTS))], (ALL, POSTS), timedelta(0), SOON),
    "told by another kind": (
        [(9, SOON, (ALL,)), (0, SOON, (ALL, POSTS))],
        (ALL,),
        timedelta(0),
        SOON,
    ),
    "two windows, the longer": (
        [(0, SOON, (POSTS,)), (0, LATE, (POSTS,))],
        (POSTS,),
        timedelta(0),
        LATE,
    ),
    "two windows, one over": (
        [(0, SOON, (POSTS,)), (3, LATE, (POSTS,))],
        (POSTS,),
        timedelta(minutes=5),
        None,
    ),
    "an older answer comes later": (
        [(0, SOON, (ALL,)), (1, SOON, (ALL,))],
        (ALL,),
        timedelta(0),
        SOON,
    ),
    "dearer than what is left": (
        [(1, SOON, (ALL,))],
        (Claim("all", 2),),
        timedelta(0),
        SOON,
    ),
    "an end in the past": ([(0, NOW, (ALL,))], (ALL,), timedelta(0), None),
    "an end in another age": (
        [(0, NOW + timedelta(days=9000), (ALL,))],
        (ALL,),
        timedelta(0),
        NOW + LONGEST_WAIT,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_known_of_a_limit_says_whether_a_request_may_go(case: str) -> None:
    heard, asked, later, until = CASES[case]
    limits = RateLimits()
    for left, end, claims in heard:
        limits.heard(claims, left, end, NOW)
    if until is None:
        limits.claim(asked, NOW + later)
        return
    with pytest.raises(Busy) as caught:
        limits.claim(asked, NOW + later)
    assert caught.value.retry_at == until


def test_limits_that_end_together_are_told_apart_by_their_quotas() -> None:
    # a login is counted with all requests, and both limits may have begun at the same second
    limits, login = RateLimits(), Claim("logins")
    limits.heard([ALL], 2999, SOON, NOW, quota=3000)
    limits.heard([ALL, login], 0, SOON, NOW, quota=30)
    limits.claim([ALL], NOW)
    with pytest.raises(Busy):
        limits.claim([ALL, login], NOW)


def test_requests_under_way_are_counted_and_one_that_may_not_go_is_not() -> None:
    limits = RateLimits()
    limits.heard([ALL], 2, SOON, NOW)
    limits.heard([POSTS], 1, SOON, NOW)
    limits.claim([ALL, POSTS], NOW)
    with pytest.raises(Busy):
        limits.claim([ALL, POSTS], NOW)
    limits.claim([ALL], NOW)
    with pytest.raises(Busy):
        limits.claim([ALL], NOW)


def test_threads_that_share_a_limit_do_not_pass_it_together() -> None:
    limits = RateLimits()
    limits.heard([ALL], 50, SOON, NOW)
    went: list[int] = []

    def work() -> None:
        for _ in range(20):
            try:
                limits.claim([ALL], NOW)
                went.append(1)
            except Busy:
                return

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(went) == 50


# Against servers.


class Server:
    """A simulator with narrow limits, and clients of its accounts."""

    def __init__(self, network: str) -> None:
        self.clock = Clock()
        self.network = NETWORKS[network]
        made: dict[str, Callable[..., Simulator]] = {
            "mastodon": MastodonSimulator,
            "bluesky": BlueskySimulator,
            "twitter": TwitterSimulator,
        }
        self.simulator: Any = made[network](now=self.clock)
        self.simulator.start()
        self.numbers = iter(range(10**6))

    def client(self, name: str) -> Client:
        person = f"{name}.test" if self.network.name == "bluesky" else name
        client = self.network.connect(self.simulator.account(person), Memory(), self.clock)
        client.login()
        return client

    def publish(self, client: Client) -> None:
        number = next(self.numbers)
        draft = Draft((Run(f"Bølge nummer {number}"),), self.clock())
        key = f"{number:064x}"
        client.publish(self.network.to_payload(draft, key, (), None, self.clock()), key)

    def until_busy(self, act: Callable[[], object]) -> tuple[int, datetime]:
        """How many times something could be done, and until when it then has to wait."""
        for done in range(1000):
            try:
                act()
            except Busy as busy:
                return done, busy.retry_at
        raise AssertionError("no limit was met")


@pytest.fixture(params=["mastodon", "bluesky", "twitter"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for quota, (_, seconds) in list(QUOTAS.items()):
        monkeypatch.setitem(QUOTAS, quota, ({"all": 40, "pages": 25}.get(quota, 7), seconds))
    monkeypatch.setattr(bluesky_server, "REQUESTS", (timedelta(minutes=5), 40))
    monkeypatch.setattr(bluesky_server, "WRITES", (timedelta(hours=1), 15))
    for kind in ("GET /2/users/:id/tweets", "POST /2/tweets"):
        monkeypatch.setitem(twitter_server.RATES, kind, 7)
    made = Server(request.param)
    yield made
    made.simulator.stop()


@pytest.mark.parametrize("act", ["read", "newest", "publish"])
def test_a_wall_of_requests_never_meets_a_refusal(server: Server, act: str) -> None:
    client = server.client("anna")
    server.publish(client)
    cursor = client.newest()
    acts: dict[str, Callable[[], object]] = {
        "read": lambda: client.fetch(cursor),
        "newest": client.newest,
        "publish": lambda: server.publish(client),
    }
    for _ in range(3):
        done, until = server.until_busy(acts[act])
        assert done > 0
        asked = sum(server.simulator.requests.values())
        with pytest.raises(Busy):
            acts[act]()
        assert sum(server.simulator.requests.values()) == asked
        assert until > server.clock()
        server.clock.at = until
    assert server.simulator.statuses[429] == 0
    assert server.simulator.statuses[200] + server.simulator.statuses[201] > 20


def test_all_kinds_of_requests_together_never_meet_a_refusal(server: Server) -> None:
    client = server.client("anna")
    cursor = client.newest()
    acts: list[Callable[[], object]]
    acts = [client.newest, lambda: client.fetch(cursor), lambda: server.publish(client)]
    done = 0
    for turn in range(400):
        try:
            acts[turn % 7 % 3]()
            done += 1
        except Busy as busy:
            server.clock.at = min(busy.retry_at, server.clock() + timedelta(seconds=50))
    assert server.simulator.statuses[429] == 0
    assert done > 40


def test_posts_and_readings_have_walls_of_their_own(server: Server) -> None:
    client = server.client("anna")
    server.until_busy(lambda: server.publish(client))
    client.newest()
    assert server.simulator.statuses[429] == 0


def test_another_account_has_a_wall_of_its_own_for_posts(server: Server) -> None:
    anna, berit = server.client("anna"), server.client("berit")
    server.until_busy(lambda: server.publish(anna))
    server.publish(berit)
    assert server.simulator.statuses[429] == 0


def test_reading_is_limited_by_account_or_where_it_needs_no_login_by_address(
    server: Server,
) -> None:
    anna, berit = server.client("anna"), server.client("berit")
    server.until_busy(anna.newest)
    asked = sum(server.simulator.requests.values())
    if server.network.name == "bluesky":
        with pytest.raises(Busy):
            berit.newest()
        assert sum(server.simulator.requests.values()) == asked
    else:
        berit.newest()
    assert server.simulator.statuses[429] == 0


def test_accounts_of_one_app_share_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twitter_server, "APP_DAILY", 5)
    server = Server("twitter")
    anna, berit = server.client("anna"), server.client("berit")
    for client in (anna, berit, anna, berit, anna):
        server.publish(client)
    for client in (anna, berit):
        with pytest.raises(Busy) as caught:
            server.publish(client)
        assert caught.value.retry_at - server.clock() > timedelta(hours=23)
    assert server.simulator.statuses[429] == 0
    server.simulator.stop()


def test_a_busy_account_delays_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(twitter_server.RATES, "POST /2/tweets", 3)
    bots = "one: {from: m, to: x}\ntwo: {from: m2, to: x2}"
    with world(tmp_path, bots) as w:
        w.turn()
        for number in range(5):
            w.say("m", f"Fra Anna, nummer {number}")
        for number in range(3):
            w.say("m2", f"Fra Berit, nummer {number}")
        woken = run(w)
        assert len(w.texts("x")) == 3
        assert w.texts("x2") == [f"Fra Berit, nummer {number}" for number in range(3)]
        assert woken["x"] > w.clock()
        w.clock.at = woken["x"]
        run(w)
        assert w.texts("x") == [f"Fra Anna, nummer {number}" for number in range(5)]
        assert w.networks["twitter"].statuses[429] == 0


def run(w: World) -> dict[str, datetime]:
    """The workers of a daemon, until they have nothing more to do; when each account goes on."""
    woken: dict[str, datetime] = {}
    engine = Engine(
        w.config,
        w.store,
        w.accounts,
        report=lambda *_: None,
        wake=lambda account, at: woken.update({account: at}),
    )
    for bot in w.config.bots.values():
        engine.read(bot)
    engine.lanes.wait()
    engine.deliver_waiting()
    engine.lanes.wait()
    return woken
