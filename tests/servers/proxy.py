"""An HTTP proxy on loopback that cuts connections before or after the server behind it acted."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Side = Literal["before", "after"]


@dataclass(slots=True)
class _Rule:
    kind: str
    side: Side
    times: int
    act: Callable[[], None] | None


class Proxy:
    """`with Proxy() as proxy`: passes requests on to `upstream`, an `http://host:port`.

    A request is known by the last part of its name, as "putRecord" of com.atproto.repo.putRecord. What is cut is reset, without any answer.
    """

    def __init__(self) -> None:
        self.upstream = ""
        #: how many connections were cut, by kind and side
        self.cuts: Counter[tuple[str, Side]] = Counter()
        self._rules: list[_Rule] = []
        self._dice: tuple[random.Random, float] | None = None
        self._under_way = 0
        self._change = threading.Condition()
        proxy = self

        class Handler(_Handler):
            def answer(self) -> None:
                proxy._answer(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def cut(self, kind: str, side: Side, times: int = 1) -> None:
        """Cut the next requests of a kind, before they reach the server or before its answer."""
        self._rules.append(_Rule(kind, side, times, None))

    def call(self, kind: str, side: Side, act: Callable[[], None]) -> None:
        """Call `act` at the next request of a kind, and let the request go on."""
        self._rules.append(_Rule(kind, side, 1, act))

    def roll(self, seed: int, share: float) -> None:
        """Cut a share of all requests from now on, on either side."""
        self._dice = random.Random(seed), share

    def calm(self) -> None:
        """Cut nothing more, and wait until every request that is under way has been dealt with."""
        with self._change:
            self._rules.clear()
            self._dice = None
            self._change.wait_for(lambda: self._under_way == 0)

    def _cuts(self, kind: str, side: Side) -> bool:
        """Whether the rules cut a request here; those that call something do so."""
        with self._change:
            rules = [r for r in self._rules if (r.kind, r.side) == (kind, side) and r.times > 0]
            for rule in rules[:1]:
                rule.times -= 1
            cut = any(rule.act is None for rule in rules[:1])
            if self._dice is not None:
                dice, share = self._dice
                cut |= dice.random() < share / 2
            self.cuts[kind, side] += cut
        for rule in rules[:1]:
            if rule.act is not None:
                rule.act()
        return cut

    def _answer(self, request: _Handler) -> None:
        kind = urlsplit(request.path).path.rpartition(".")[2]
        with self._change:
            self._under_way += 1
        try:
            body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
            if self._cuts(kind, "before"):
                request.reset()
                return
            response, data = self._pass_on(request, body)
            if self._cuts(kind, "after"):
                request.reset()
                return
            request.send_response(response.status)
            for name, value in response.getheaders():
                if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                    request.send_header(name, value)
            request.send_header("Content-Length", str(len(data)))
            request.end_headers()
            request.wfile.write(data)
        except (OSError, http.client.HTTPException):
            request.reset()  # one of the two has hung up
        finally:
            with self._change:
                self._under_way -= 1
                self._change.notify_all()

    def _pass_on(self, request: _Handler, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        headers = {k: v for k, v in request.headers.items() if k.lower() != "connection"}
        upstream = http.client.HTTPConnection(urlsplit(self.upstream).netloc)
        try:
            upstream.request(request.command, request.path, body or None, headers)
            response = upstream.getresponse()
            return response, response.read()
        finally:
            upstream.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        raise NotImplementedError

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def reset(self) -> None:
        """End the connection as a crashed machine would, without a word."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def log_message(self, *_: object) -> None:
        """Nothing."""
