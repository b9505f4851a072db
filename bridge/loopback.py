"""Where a browser comes back to after a login: a server on this machine, for one answer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

HOST = "127.0.0.1"
#: seconds that one connection may take: browsers open some that they never use
PATIENCE = 10

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Tribridge</title>
<p>{words}</p></html>"""
TAKEN = "Tribridge has what it needs. You can close this page and go back to the terminal."
STRANGE = "This is not the login that Tribridge waits for. Go back to the terminal."


class Loopback:
    """A server on 127.0.0.1, as a context; `port` 0 is any that is free.

    `judge` is given the path and query of each request to `/`: it returns what `wait` then returns,
    or None for a stranger's, which is waited past. What it raises, `wait` raises. OSError if the
    port is taken.
    """

    def __init__(self, port: int, judge: Callable[[str], Any]) -> None:
        self._answers: queue.Queue[Any] = queue.Queue()
        self._judge = judge
        outer = self

        class Handler(BaseHTTPRequestHandler):
            timeout = PATIENCE

            def do_GET(self) -> None:
                outer._answer(self)

            def log_message(self, *_: Any) -> None:
                """Nothing: the address holds the code."""

        self._server = ThreadingHTTPServer((HOST, port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        """What the browser is to be sent back to."""
        return f"http://{HOST}:{self.port}/"

    def wait(self, seconds: float) -> Any:
        """The answer; TimeoutError if none came within `seconds`."""
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        """Judge a request, and tell the browser; only then whoever waits, who ends the server."""
        if request.path.partition("?")[0] != "/":
            request.send_error(404)
            return
        try:
            answer = self._judge(request.path)
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            answer = error
        body = _PAGE.format(words=STRANGE if answer is None else TAKEN).encode()
        request.send_response(400 if answer is None else 200)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Connection", "close"),
        ):
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)
        request.wfile.flush()
        if answer is not None:
            self._answers.put(answer)
