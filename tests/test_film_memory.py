"""A video of 500 MB is passed on in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.film_files import box, mp4

MEGABYTES = 500
SOME = bytes(1 << 16)


class Handler(BaseHTTPRequestHandler):
    """Makes a film of as many MiB as its path says, and counts what it is sent."""

    protocol_version = "HTTP/1.1"
    received: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        if not self.path.startswith("/film/"):
            media = {"supported_mime_types": ["video/mp4"], "video_size_limit": 1 << 31}
            self.say({"id": "1", "version": "4.5.0", "configuration": {"media_attachments": media}})
            return
        size = int(self.path.rpartition("/")[2]) << 20
        head, free = mp4(), box(b"free")
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(head) + 8 + size))
        self.end_headers()
        self.wfile.write(head + (8 + size).to_bytes(4, "big") + free[4:8])
        for _ in range(size // len(SOME)):
            self.wfile.write(SOME)

    def do_POST(self) -> None:
        left = int(self.headers.get("Content-Length", 0))
        self.received[self.path.split("?")[0]] += left
        while left > 0:
            left -= len(self.rfile.read(min(left, len(SOME))))
        self.say({"id": "1", "blob": {"ref": {"$link": "bafk"}}, "data": {"id": "1"}})

    def say(self, what: object) -> None:
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Handler.received.clear()
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.mark.slow
def test_memory_stays_flat(server: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.film_memory", server, str(tmp_path), str(MEGABYTES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    grown = json.loads(done.stdout)
    print(f"MiB more than before at the peak: {grown}")
    assert all(growth < 40 for growth in grown.values()), grown
    sent = MEGABYTES << 20
    assert Handler.received["/api/v2/media"] > sent
    assert Handler.received["/xrpc/com.atproto.repo.uploadBlob"] > sent
    assert Handler.received["/2/media/upload/1/append"] > sent
    assert list(tmp_path.iterdir()) == []
