"""Four simulated servers without sockets, a clock that they share, and what people do on them.

Requests reach the simulators in the same process and thread: a graph then repeats itself exactly,
identities included, and many fit into a second.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from json import dumps
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

import httpx
from PIL import Image

from bridge import wire
from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.bluesky.write import COLLECTION
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.twitter.simulator import TwitterSimulator
from bridge.simulation import Entry, Fault, FaultKind, Simulator, _request
from tests.world import Clock

#: each account of a graph: its server, and its name there
PEOPLE = {
    "m1": ("mastodon", "anna"),
    "m2": ("mastodon", "berit"),
    "g1": ("gotosocial", "anna"),
    "b1": ("bluesky", "anna.test"),
    "b2": ("bluesky", "berit.test"),
    "b3": ("bluesky", "cecilie.test"),
    "x1": ("twitter", "anna"),
    "x2": ("twitter", "berit"),
}
ADDRESSES = {
    "mastodon": "http://127.0.0.1:4001",
    "gotosocial": "http://127.0.0.1:4002",
    "bluesky": "http://127.0.0.1:4003",
    "twitter": "http://127.0.0.1:4004",
}
#: the request that publishes a post
PUBLISH = {
    "mastodon": "POST /api/v1/statuses",
    "gotosocial": "POST /api/v1/statuses",
    "bluesky": "POST /xrpc/com.atproto.repo.putRecord",
    "twitter": "POST /2/tweets",
}
#: someone on every server who has nothing to do with the bots
STRANGER = {
    "mastodon": "dagny",
    "gotosocial": "dagny",
    "bluesky": "dagny.test",
    "twitter": "dagny",
}


def server_of(account: str) -> str:
    """The server of an account."""
    return PEOPLE[account][0]


def network_of(account: str) -> str:
    """The network of an account, as a config names it."""
    server = server_of(account)
    return "mastodon" if server == "gotosocial" else server


class Networks:
    """The servers, and their people."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.mastodon = MastodonSimulator(now=self.clock, limits=False)
        self.gotosocial = MastodonSimulator(now=self.clock, limits=False, flavour="gotosocial")
        self.bluesky = BlueskySimulator(now=self.clock, limits=False)
        self.twitter = TwitterSimulator(now=self.clock, limits=False)
        self.servers: dict[str, Any] = {
            "mastodon": self.mastodon,
            "gotosocial": self.gotosocial,
            "bluesky": self.bluesky,
            "twitter": self.twitter,
        }
        for name, server in self.servers.items():
            server.url = ADDRESSES[name]
        for server in (self.mastodon, self.gotosocial):
            server._server.url = server.url
        for name, server in self.servers.items():
            server.account(STRANGER[name])
        self.settings: dict[str, dict[str, Any]] = {
            name: {
                "network": network_of(name),
                **self.servers[server].account(handle),
                "limits": {"posts_per_hour": 1_000_000},  # the breaker has tests of its own
            }
            for name, (server, handle) in PEOPLE.items()
        }
        for name in ("x1", "x2"):
            self.settings[name]["budget"] = {"usd_per_month": 1000}

    def identity(self, account: str) -> str:
        """The identity of an account."""
        server, handle = PEOPLE[account]
        return str(self.servers[server].identity(handle))

    def journal(self, account: str) -> list[Entry]:
        """What was published on an account by anyone, oldest first."""
        server, handle = PEOPLE[account]
        return [
            e for e in self.servers[server].journal if e.account == handle and e.action == "publish"
        ]

    def published(self) -> int:
        """How much was published everywhere."""
        return sum(len(server.journal) for server in self.servers.values())

    # What people do. Each returns the native id of the new post.

    def say(self, account: str, text: str, **more: Any) -> str:
        """Post as the account's owner."""
        server, handle = PEOPLE[account]
        return str(self.servers[server].say(handle, text, **more))

    def say_by(self, account: str, application: str, text: str) -> str:
        """Post on an account on a server with Mastodon's API through an application."""
        server, handle = PEOPLE[account]
        token = self.servers[server].account(handle, application)["access_token"]
        head = {"authorization": f"Bearer {token}", "user-agent": application}
        body = {"status": text, "visibility": "public"}
        answer = self.servers[server].call("POST", "/api/v1/statuses", json_body=body, headers=head)
        return str(answer["id"])

    def quote(self, account: str, text: str, quoted: tuple[str, str]) -> str:
        """Quote a post (server and handle's post id) as the account's owner."""
        server = server_of(account)
        owner, post_id = quoted
        if server == "mastodon":
            return self.say(account, text, quoted_status_id=post_id)
        if server == "twitter":
            return self.say(account, text, quote=post_id)
        return self.say(account, text, quote=self._uri(owner, post_id))

    def _uri(self, owner: str, post_id: str) -> str:
        return f"at://{self.bluesky.made(owner).did}/{COLLECTION}/{post_id}"

    def boost(self, account: str, what: str, owner: str) -> str:
        """Boost a post of a handle by its id or, on servers with Mastodon's API, its address."""
        server, handle = PEOPLE[account]
        if server == "bluesky":
            what = self._uri(owner, what)
        return str(self.servers[server].boost(handle, what))

    def stranger(self, server: str, text: str) -> str:
        """Post as someone else."""
        return str(self.servers[server].say(STRANGER[server], text))

    # What goes wrong.

    def misbehave(self, server: str, kind: FaultKind, skip: int) -> None:
        """Let one of the next posts to a server go wrong."""
        fault = Fault(kind, PUBLISH[server], skip=skip, status=503, body="<h1>later</h1>")
        self.servers[server].faults.append(fault)

    def release(self, server: str) -> None:
        """Let a server do what it has not done yet."""
        self.servers[server].release_late()

    def calm(self, *, release: bool = True) -> None:
        """End every fault, and let everything happen (`release`) that was asked for."""
        for name, server in self.servers.items():
            server.faults.clear()
            if release:
                self.release(name)

    @contextmanager
    def plugged(self) -> Iterator[None]:
        """Every request of this process goes to these servers."""
        wires = Wires({urlsplit(s.url).netloc: s for s in self.servers.values()}, wire.send)
        transport = wire.transport
        wire._client.cache_clear()
        wire.transport = lambda: wires  # type: ignore[assignment]
        wire.send = wires.send
        try:
            yield
        finally:
            wire.transport, wire.send = transport, wires.through_httpx
            wire._client.cache_clear()


class Wires(httpx.BaseTransport):
    """Takes requests to simulators in this process, with their faults.

    Plain requests do without httpx, which takes longer than everything else; logins, which SDKs
    make, and forms go through it.
    """

    def __init__(
        self, servers: Mapping[str, Simulator], through_httpx: Callable[..., wire.Answer]
    ) -> None:
        self._servers = servers
        self.through_httpx = through_httpx

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | IO[bytes] | None = None,
        write: bool | None = None,
        **more: Any,
    ) -> wire.Answer:
        """As `wire.send`."""
        streams = content is not None and not isinstance(content, bytes)
        if streams or any(more.get(name) for name in ("data", "files", "into")):
            return self.through_httpx(
                method, url, headers=headers, write=write, content=content, **more
            )
        assert content is None or isinstance(content, bytes)
        write = method != "GET" if write is None else write
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        if params:
            path += "?" + urlencode(params, doseq=True)
        head = {"user-agent": wire.USER_AGENT, "accept": "application/json"}
        if json is not None:
            content, head["content-type"] = dumps(json).encode(), "application/json"
        head |= {name.lower(): value for name, value in (headers or {}).items()}
        asked = _request(method, slash + path, head, content or b"", f"{scheme}://{host}")
        response, fault = self._servers[host].answer(asked)
        if response is None or (fault is not None and fault.kind == "truncate"):
            raise wire.untrusted("the connection was reset", write=write)
        body, kind = response.encoded()
        told = {name.lower(): value for name, value in response.headers.items()}
        return wire.Answer(response.status, {"content-type": kind, **told}, body, write)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the simulator's own server would."""
        host = request.url.netloc.decode()
        asked = _request(
            request.method,
            request.url.raw_path.decode("latin-1"),
            {name.lower(): value for name, value in request.headers.items()},
            request.read(),
            f"http://{host}",
        )
        response, fault = self._servers[host].answer(asked)
        if response is None or (fault is not None and fault.kind == "truncate"):
            raise httpx.ReadError("the connection was reset")
        body, kind = response.encoded()
        head = {"content-type": kind, **{k.lower(): v for k, v in response.headers.items()}}
        return httpx.Response(response.status, headers=head, content=body)


def png(number: int) -> bytes:
    """A small image unlike the others."""
    data = io.BytesIO()
    Image.new("RGB", (8, 8), (number % 256, number // 256 % 256, 99)).save(data, "PNG")
    return data.getvalue()
