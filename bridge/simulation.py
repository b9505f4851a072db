"""The ground that the simulators of the networks stand on: a small HTTP server with faults.

A simulator is a `Simulator`: it owns all state, answers one request at a time, writes down what was
published in a journal, and can be told to misbehave. It binds loopback only. Besides its network's
own API every simulator answers:

    GET  /_simulator/journal      what was published, edited and deleted, oldest first
    GET  /_simulator/requests     how many requests of each kind were answered
    POST /_simulator/faults       a list of faults to add (the fields of `Fault`)
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import struct
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import httptools

#: the largest body that a simulator takes
MAX_BODY = 64 * 1024 * 1024

#: what simulators show in place of a video: a dot, as PNG
STILL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsYUlhQAAAABJRU5ErkJggg=="
)

#: what `pad` adds to an answer
PADDING = 5 * 1024 * 1024

FaultKind = Literal[
    "drop_before",  # close the connection, do nothing
    "drop_after",  # act, then close the connection without an answer
    "act_late",  # close the connection; act only when `release_late` is called
    "answer",  # do nothing, answer `status`, `headers` and `body`
    "answer_after",  # act, then answer `status`, `headers` and `body`
    "truncate",  # act, answer only the first half of the body, close
    "hang",  # do nothing and never answer
    "hang_after",  # act and never answer
    "trickle",  # act, answer one byte every `seconds`
    "pad",  # act, answer with PADDING bytes of white space after the body
]


@dataclass(slots=True)
class Fault:
    """A misbehaviour for requests whose "METHOD /path" starts with `match`, `times` times.

    In the path ids may stand as `:id`, as requests are counted (`Simulator.kind_of`). The first
    `skip` matching requests are answered properly.
    """

    kind: FaultKind
    match: str = ""
    times: int = 1
    skip: int = 0
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 0.05


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a simulator sees it; header names are in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    #: scheme, host, path and query as asked for: what an OAuth 1.0a signature covers
    url: str = ""

    def get(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return next((v for k, v in self.query if k == name), default)

    def all(self, name: str) -> list[str]:
        """Every value of a query parameter."""
        return [v for k, v in self.query if k == name]

    def json(self) -> Any:
        """The body as JSON; ValueError if it is none."""
        return json.loads(self.body)

    @property
    def content_type(self) -> str:
        """The media type of the body, without parameters."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def form(self) -> list[tuple[str, Part]]:
        """The fields of a form, urlencoded or multipart."""
        if self.content_type == "multipart/form-data":
            return _multipart(self.headers["content-type"], self.body)
        pairs = parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return [(name, Part(value.encode())) for name, value in pairs]


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form."""

    data: bytes
    filename: str = ""
    content_type: str = ""

    @property
    def text(self) -> str:
        """The field as text."""
        return self.data.decode("utf-8", "replace")


def _multipart(content_type: str, body: bytes) -> list[tuple[str, Part]]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    parts = []
    for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        found = Part(data, part.get_filename() or "", part.get_content_type())
        parts.append((str(name), found))
    return parts


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. A body that is not bytes or text goes out as JSON; None as nothing."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, str]:
        """The body's bytes and its content type."""
        if self.body is None:
            return b"", "text/plain"
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        if isinstance(self.body, str):
            return self.body.encode(), "text/html; charset=utf-8"
        text = json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
        return text.encode(), "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal: what an account published, edited or deleted, and when (UTC).

    `id` is the post's native id; `reply_to`, `boost_of`, `quote_of` are native ids too; `text` is
    what people see; `links` the URLs it leads to; `alts` the descriptions of its images; `poll` the
    options of its poll; `key` the idempotency key that came along; `raw` the network's own JSON.
    """

    seq: int
    at: str
    account: str
    action: Literal["publish", "edit", "delete"]
    id: str
    text: str = ""
    reply_to: str = ""
    boost_of: str = ""
    quote_of: str = ""
    warning: str = ""
    visibility: str = "public"
    languages: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    alts: tuple[str, ...] = ()
    poll: tuple[str, ...] = ()
    key: str = ""
    raw: Any = None


class Simulator:
    """The base of the three simulators. `handle` is all that a network writes."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.journal: list[Entry] = []
        self.faults: list[Fault] = []
        self.requests: Counter[str] = Counter()
        #: how many answers had each status
        self.statuses: Counter[int] = Counter()
        self.lock = threading.RLock()
        self.url = ""
        self._late: list[Request] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._connections: set[_Connection] = set()

    def handle(self, request: Request) -> Response:
        """Answer one request. Called with the lock held, one request at a time."""
        raise NotImplementedError

    def kind_of(self, request: Request) -> str:
        """The name under which a request is counted: its method and path by default."""
        return f"{request.method} {request.path}"

    # What tests, the demo and the benchmark ask of a simulator.

    def start(self, port: int = 0) -> str:
        """Serve on 127.0.0.1 in a thread of its own; returns the URL, without a slash."""
        ready: threading.Event = threading.Event()
        listening = socket.create_server(("127.0.0.1", port), backlog=512)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._ended = asyncio.Event()
            server = await self._loop.create_server(lambda: _Connection(self), sock=listening)
            ready.set()
            await self._ended.wait()
            server.close()
            # a connection that is just being accepted is a task first
            while self._connections or len(asyncio.all_tasks()) > 1:
                for connection in list(self._connections):
                    connection.abort()
                await asyncio.sleep(0)

        self._thread = threading.Thread(
            target=lambda: asyncio.run(serve()), name=f"simulator {self.url}", daemon=True
        )
        self._thread.start()
        ready.wait()
        return self.url

    def stop(self) -> None:
        """Close every connection and end the thread."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._loop = self._thread = None

    def call(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Any:
        """Answer a request made in this process, without faults; returns the answer's JSON.

        Raises RuntimeError with the answer if it is not a 2xx.
        """
        head = {name.lower(): value for name, value in (headers or {}).items()}
        if json_body is not None:
            body = json.dumps(json_body).encode()
            head.setdefault("content-type", "application/json")
        request = _request(method, path, head, body, self.url)
        with self.lock:
            response = self.handle(request)
        if not 200 <= response.status < 300:
            raise RuntimeError(f"{method} {path}: {response.status} {response.body!r}")
        return response.body

    def release_late(self) -> int:
        """Act now on every request that `act_late` kept back; returns how many there were."""
        with self.lock:
            late, self._late = self._late, []
            for request in late:
                self.handle(request)
        return len(late)

    def note(self, account: str, action: Any, post_id: str, **more: Any) -> None:
        """Write a line into the journal."""
        at = self.now().isoformat()
        self.journal.append(Entry(len(self.journal), at, account, action, post_id, **more))

    # Answering.

    def answer(self, request: Request) -> tuple[Response | None, Fault | None]:
        """The response to send (None: none at all), and the fault that shapes how it is sent."""
        if request.path.startswith("/_simulator/"):
            return self._control(request), None
        with self.lock:
            self.requests[self.kind_of(request)] += 1
            fault = self._fault(request)
            if fault is not None:
                if fault.kind in ("drop_before", "hang"):
                    return None, fault
                if fault.kind == "act_late":
                    self._late.append(request)
                    return None, fault
                if fault.kind == "answer":
                    return Response(fault.status, fault.body, fault.headers), fault
            try:
                response = self.handle(request)
            except Exception:  # noqa: BLE001 - a defect of the simulator must show as a 500
                traceback.print_exc()
                response = Response(500, "the simulator failed")
        if fault is not None and fault.kind == "answer_after":
            response = Response(fault.status, fault.body, fault.headers)
        if fault is not None and fault.kind in ("drop_after", "hang_after"):
            return None, fault
        self.statuses[response.status] += 1
        return response, fault

    def _fault(self, request: Request) -> Fault | None:
        names = f"{request.method} {request.path}", self.kind_of(request)
        for fault in self.faults:
            if fault.times > 0 and any(name.startswith(fault.match) for name in names):
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def _control(self, request: Request) -> Response:
        with self.lock:
            match (request.method, request.path):
                case ("GET", "/_simulator/journal"):
                    return Response(body=[asdict(entry) for entry in self.journal])
                case ("GET", "/_simulator/requests"):
                    return Response(body=dict(self.requests))
                case ("POST", "/_simulator/faults"):
                    known = {f.name for f in fields(Fault)}
                    wanted = request.json()
                    self.faults += [
                        Fault(**{k: v for k, v in each.items() if k in known}) for each in wanted
                    ]
                    return Response(body={"faults": len(self.faults)})
        return Response(404, {"error": "not found"})


def _request(
    method: str, target: str, headers: Mapping[str, str], body: bytes, base: str
) -> Request:
    parts = urlsplit(target)
    query = tuple(parse_qsl(parts.query, keep_blank_values=True)) if parts.query else ()
    return Request(method, unquote(parts.path), query, headers, body, base + target)


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 connection: parse, answer, keep alive."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._begin()

    def _begin(self) -> None:
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0

    def abort(self) -> None:
        """Reset the connection: RST, not FIN, as a machine does that knows nothing of it."""
        if self._transport is not None:
            at_once = struct.pack("ii", 1, 0)
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            self._transport.abort()

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._simulator._connections.add(self)  # noqa: SLF001 - its own server

    def connection_lost(self, _exc: Exception | None) -> None:
        self._simulator._connections.discard(self)  # noqa: SLF001 - its own server

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._send(Response(400, "bad request"), None)
            if self._transport is not None:
                self._transport.close()

    # httptools calls these.

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue" and self._transport:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= MAX_BODY:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._size > MAX_BODY:
            response: Response | None = Response(413, "too large")
            fault = None
        else:
            request = _request(
                self._parser.get_method().decode(),
                self._target.decode("latin-1"),
                self._headers,
                b"".join(self._body),
                f"http://{self._headers.get('host', '')}",
            )
            response, fault = self._simulator.answer(request)
        bodiless = self._parser.get_method() == b"HEAD"
        self._begin()
        if response is not None:
            self._send(response, fault, bodiless=bodiless)
        elif fault is not None and not fault.kind.startswith("hang"):
            self.abort()

    def _send(self, response: Response, fault: Fault | None, *, bodiless: bool = False) -> None:
        if self._transport is None:
            return
        body, kind = response.encoded()
        date = format_datetime(self._simulator.now().astimezone(UTC), usegmt=True)
        given = {k.lower(): v for k, v in response.headers.items()}
        head = {"date": date, "content-type": kind, **given}
        padding = PADDING if fault is not None and fault.kind == "pad" else 0
        head["content-length"] = str(len(body) + padding)
        body = b"" if bodiless else body
        lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        raw = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        if fault is not None and fault.kind == "truncate":
            self._transport.write(raw + body[: len(body) // 2])
            self._transport.close()
        elif fault is not None and fault.kind == "pad":
            self._transport.write(raw + body + b" " * padding)
        elif fault is not None and fault.kind == "trickle":
            self._trickle(raw + body, fault.seconds)
        else:
            self._transport.write(raw + body)

    def _trickle(self, data: bytes, seconds: float) -> None:
        if self._transport is None or self._transport.is_closing() or not data:
            return
        self._transport.write(data[:1])
        asyncio.get_running_loop().call_later(seconds, self._trickle, data[1:], seconds)


_REASONS = {200: "OK", 201: "Created", 202: "Accepted", 400: "Bad Request", 404: "Not Found"}
