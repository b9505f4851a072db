"""HTTP as every client uses it: one connection pool, total deadlines, and two kinds of failure.

A request that never left, and any read that failed, is `Unreachable`; a write that left without a
trustworthy answer is `Uncertain`. What a status code means is each network's own business;
`rejection` is the common part. Redirects are never followed.
"""

from __future__ import annotations

import functools
import ipaddress
import json
import re
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import IO, Any, Protocol

import httpcore
import httpx

from bridge import __version__
from bridge.network import Busy, ClientError, LoginNeeded, Refused, Uncertain, Unreachable

#: some servers answer 418 to a client that does not name itself
USER_AGENT = f"tribridge/{__version__}"
#: seconds that a request may take in all, whatever trickles in meanwhile
DEADLINE = 30.0
#: bytes of an answer that are read before it is given up
MAX_ANSWER = 16 * 1024 * 1024
#: wait after a 429 that names no time (X documents windows of 15 minutes)
DEFAULT_WAIT = timedelta(minutes=15)
#: the longest wait that a server's word is taken for
LONGEST_WAIT = timedelta(days=1)

#: the clock on which deadlines are read, in seconds, and what opens connections
clock: Callable[[], float] = time.monotonic
sockets: httpcore.NetworkBackend = httpcore.SyncBackend()

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
_public_only: ContextVar[bool] = ContextVar("public_only", default=False)


def _left(timeout: float | None) -> float | None:
    """Seconds a socket operation may take: its own time-out, or what is left of the request's."""
    end = _deadline.get()
    if end is None:
        return timeout
    left = max(end - clock(), 0.001)
    return left if timeout is None else min(left, timeout)


def _expired() -> bool:
    end = _deadline.get()
    return end is not None and clock() >= end


@contextmanager
def deadline(seconds: float | None = None) -> Iterator[None]:
    """Bound all that the block sends through `transport()` to `seconds` (DEADLINE) in sum.

    Within another such block the earlier end counts.
    """
    end, outer = clock() + (DEADLINE if seconds is None else seconds), _deadline.get()
    token = _deadline.set(end if outer is None else min(end, outer))
    try:
        yield
    finally:
        _deadline.reset(token)


class _Stream(httpcore.NetworkStream):
    """A socket whose every operation ends with the request's deadline."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if _expired():
            raise httpcore.ReadTimeout("the answer did not end in time")
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if _expired():
            raise httpcore.WriteTimeout("the request could not be sent in time")
        self._stream.write(buffer, _left(timeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


class _Backend(httpcore.NetworkBackend):
    """Opens sockets that know the deadline."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._backend.connect_tcp(
            host, port, _left(timeout), local_address, socket_options
        )
        if _public_only.get() and not _is_public(stream):
            stream.close()
            raise httpcore.ConnectError("the address is not a public one")
        return _Stream(stream)

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


def _is_public(stream: httpcore.NetworkStream) -> bool:
    """Whether the other end is on the public internet: checked after DNS, on the socket itself."""
    address = stream.get_extra_info("server_addr")
    return bool(address) and is_public(address[0])


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, and so is any IPv4 address within it.

    IPv4 within IPv6: RFC 4291 2.5.5 (mapped), RFC 3056 (6to4), RFC 6052 (NAT64). Other IPv6
    addresses are public within 2000::/3 alone (IANA, IPv6 Global Unicast Address Assignments): so
    site-local and IPv4-compatible ones are not.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _UNICAST:
            return False
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")


def is_loopback(host: str) -> bool:
    """Whether a host, without its port, is written as one that only this machine can mean."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Transport(httpx.HTTPTransport):
    """The process's one pool of kept-alive connections.

    httpx offers no way to name a network backend, so it is put where httpcore keeps it; a test
    holds that it is used.
    """

    def __init__(self) -> None:
        super().__init__(
            verify=httpx.create_ssl_context(),
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=100),
        )
        pool: Any = self._pool
        pool._network_backend = _Backend(sockets)  # noqa: SLF001

    def close(self) -> None:
        """Nothing: libraries close the client that they were given, and others still use it."""

    def hang_up(self) -> None:
        """Close every connection that is kept."""
        super().close()


@functools.cache
def transport() -> Transport:
    """The shared transport, for libraries that take one."""
    return Transport()


def hang_up() -> None:
    """Close every connection that is kept; the next request opens a new one."""
    for used in (transport, _strangers_transport):
        if used.cache_info().currsize:
            used().hang_up()
            used.cache_clear()
    _client.cache_clear()
    _stranger.cache_clear()


def _no_cookies() -> CookieJar:
    """Keeps none: accounts on one server share a client, and would be given each other's."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


@functools.cache
def _client() -> httpx.Client:
    return httpx.Client(
        cookies=_no_cookies(),
        transport=transport(),
        timeout=DEADLINE,
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        trust_env=False,
    )


@functools.cache
def _strangers_transport() -> Transport:
    """For addresses that strangers chose: a pool apart, whose every connection was checked."""
    return Transport()


@functools.cache
def _stranger() -> httpx.Client:
    return httpx.Client(
        cookies=_no_cookies(),
        transport=_strangers_transport(),
        headers={"User-Agent": USER_AGENT},
        timeout=DEADLINE,
        trust_env=False,
    )


#: an escape that is half a character unless its other half follows
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def _whole(value: Any) -> Any:
    """JSON with every half character replaced: no database or network would take it."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_whole(item) for item in value]
        case dict():
            return {_whole(name): _whole(item) for name, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: status, headers (names in lower case), and the body as bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    write: bool

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON.

        Raises Uncertain (after a write) or Unreachable (after a read) if it is not JSON.
        """
        try:
            value = json.loads(self.body)
            return _whole(value) if _SURROGATE.search(self.body) else value
        except (ValueError, RecursionError):
            message = f"the server answered {self.status} with something that is not JSON"
            raise untrusted(message, write=self.write) from None

    def object(self) -> dict[str, Any]:
        """The body as a JSON object; errors as in `json`."""
        value = self.json()
        if not isinstance(value, dict):
            raise untrusted("the server answered with JSON of the wrong shape", write=self.write)
        return value

    def detail(self) -> str:
        """What the server says went wrong, in at most 200 characters; "" if nothing readable."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return ""
        words: list[str] = []
        if isinstance(value, dict):
            first = value.get("errors")
            if isinstance(first, list) and first and isinstance(first[0], dict):
                value = {**first[0], **value}
            for name in ("error", "error_description", "title", "detail", "message"):
                text = value.get(name)
                if isinstance(text, str) and text and text not in words:
                    words.append(text)
        return _one_line(": ".join(words))[:200]


def _one_line(text: str) -> str:
    """A stranger's text as logs, terminals and the state can take it: one line, whole characters.

    Escapes, for instance, could rewrite what stands on a terminal.
    """
    shown = (
        c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    return " ".join("".join(shown).split())


def untrusted(message: str, *, write: bool) -> ClientError:
    """The error for an answer that cannot be believed: Uncertain after a write."""
    return Uncertain(message) if write else Unreachable(message)


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    content: bytes | IO[bytes] | None = None,
    data: Mapping[str, Any] | None = None,
    files: Mapping[str, Any] | None = None,
    seconds: float | None = None,
    max_answer: int | None = None,
    write: bool | None = None,
    public_only: bool = False,
    into: Sink | None = None,
) -> Answer:
    """Send one request and read its whole answer, within `seconds` (DEADLINE) in all.

    An answer longer than `max_answer` bytes (MAX_ANSWER) is given up. `write` says whether
    the request changes anything on the server (by default: any but GET); `public_only` refuses
    addresses that are not on the public internet, on a connection of its own. `content` and
    `files` may be open files, which are read while they are sent. Where the answer is a 2xx its
    body is written `into` a file, if one is given, instead of being kept; TooLong is then raised
    as it is, before anything is read if the answer says how long it is. What writing raises,
    OSError, is raised too.
    Returns the answer whatever its status. Raises Unreachable if nothing was done, Uncertain if a
    write left and no complete answer came.
    """
    write = method != "GET" if write is None else write
    if content is not None and not isinstance(content, bytes):
        content.seek(0)  # it may have been sent before
    try:
        request = _client().build_request(
            method,
            url,
            headers=headers,
            params=params,
            json=json,
            content=content,
            data=data,
            files=files,
        )
    except UnicodeEncodeError:
        raise Refused(
            "the address, or a key or token, holds a character that none can hold: copy it again"
        ) from None
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused(f"not an address that can be asked: {_words(error)}") from None
    guard = _public_only.set(public_only)
    try:
        with deadline(seconds):
            response = (_stranger() if public_only else _client()).send(request, stream=True)
            try:
                if into is not None and response.is_success:
                    body = _pour(response, into, MAX_ANSWER if max_answer is None else max_answer)
                else:
                    body = read_whole(response, max_answer)
            finally:
                response.close()
    except (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
    ) as error:
        raise Unreachable(f"cannot reach {request.url.host}: {_words(error)}") from error
    except UnicodeError:  # from the resolver, which takes no empty label and none over 63 signs
        raise Refused(f"not an address that can be asked: no host {request.url.host}") from None
    except (httpx.HTTPError, TooLong) as error:
        if into is not None and isinstance(error, TooLong):
            raise
        message = f"no complete answer from {request.url.host}: {_words(error)}"
        raise untrusted(message, write=write) from error
    finally:
        _public_only.reset(guard)
    return Answer(response.status_code, response.headers, body, write)


class Sink(Protocol):
    """Where the body of an answer goes."""

    def write(self, data: bytes, /) -> int:
        """Take a piece of it."""


class TooLong(Exception):
    """An answer went on past its limit."""


def read_whole(response: httpx.Response, limit: int | None = None) -> bytes:
    """The body of an answer, unpacked, at most `limit` bytes (MAX_ANSWER); TooLong past that."""
    limit = MAX_ANSWER if limit is None else limit
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > limit:
            raise TooLong(f"the answer is longer than {limit} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _pour(response: httpx.Response, into: Sink, limit: int) -> bytes:
    """Write the body of an answer into a file, piece by piece; nothing of it is left to read."""
    told = response.headers.get("content-length", "")
    size = int(told) if told.isdecimal() else 0
    got = 0
    for piece in response.iter_bytes() if size <= limit else ():
        got += len(piece)
        if got > limit:
            break
        into.write(piece)
    if max(size, got) > limit:
        raise TooLong(f"the answer is longer than {limit} bytes")
    return b""


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def rejection(answer: Answer, now: datetime, retry_at: datetime | None = None) -> ClientError:
    """The error for an answer that is not 2xx, as far as it is the same on every network.

    `retry_at` is the time that the network's own headers name, if they do.
    """
    host_says = answer.detail()
    says = f"{answer.status}: {host_says}" if host_says else str(answer.status)
    if answer.status == 429:
        named = [at for at in (retry_at, retry_after(answer, now)) if at and at > now]
        wait = min(max(named, default=now + DEFAULT_WAIT), now + LONGEST_WAIT)
        return Busy(f"the server asks to slow down ({says})", wait)
    if answer.status >= 500:
        return untrusted(f"the server failed ({says})", write=answer.write)
    if answer.status == 401:
        return LoginNeeded(f"the server does not accept the login ({says}): renew the token")
    if answer.status == 408:
        return Unreachable(f"the server timed out waiting for the request ({says})")
    if 300 <= answer.status < 400:
        return Unreachable(
            f"the server redirects elsewhere ({says}), which is never followed with a login: "
            "check the server's address in the config"
        )
    if 200 <= answer.status < 300:
        return untrusted(f"unexpected answer ({says})", write=answer.write)
    if answer.status != 413 and answer.body.lstrip()[:1] == b"<":
        # a page for people comes from something in front of the API, which may have forwarded it
        return untrusted(f"a web page came instead of an answer ({says})", write=answer.write)
    return Refused(f"the server refused ({says})")


def retry_after(answer: Answer, now: datetime) -> datetime | None:
    """The time that a Retry-After header names (seconds or an HTTP date), UTC, or None."""
    value = answer.headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        if value.isdecimal():
            return now + timedelta(seconds=min(int(value), 86400))
        return parsedate_to_datetime(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
