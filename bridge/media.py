"""Attachments on their way: downloaded with guards."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from urllib.parse import urljoin, urlsplit

from bridge import wire
from bridge.network import Refused, Unreachable
from bridge.post import Media
from bridge.text import is_web

#: the largest file that is downloaded, in bytes
MAX_DOWNLOAD = 64 * 1024 * 1024
#: shorteners lead to shorteners
MAX_REDIRECTS = 10
#: seconds that a download may take in all
DOWNLOAD_SECONDS = 60.0
#: the same of a page that is read for its card, which keeps others waiting
MAX_PAGE, PAGE_SECONDS = 4 * 1024 * 1024, 8.0
#: and the most bytes of the picture that it names, which has the same time
MAX_PICTURE = 16 * 1024 * 1024


def fetch(media: Media, *, own_host: str) -> bytes:
    """The bytes of an attachment, within `DOWNLOAD_SECONDS` in all.

    Addresses that are not public are refused, after DNS and after each redirect. Where `own_host`,
    the host with its port of the account that posted it, is on loopback, it alone is let through.
    Raises Unreachable if it may come later, Refused if it never will.
    """
    with wire.deadline(DOWNLOAD_SECONDS):
        return _fetch(media.url, own_host, "image", DOWNLOAD_SECONDS, MAX_DOWNLOAD)


@dataclass(frozen=True, slots=True)
class Page:
    """A web page: its bytes, the charset that its server names ("" if none), and its address."""

    body: bytes
    charset: str
    url: str


def page(url: str, *, own_host: str) -> Page:
    """A web page, within `PAGE_SECONDS` in all, with the guards of `fetch`.

    Raises Unreachable if it may come later, Refused if it never will, or is no web page.
    """
    with wire.deadline(PAGE_SECONDS):
        answer, found = _follow(url, own_host, "page", PAGE_SECONDS, MAX_PAGE)
    message = Message()
    message["content-type"] = answer.headers.get("content-type", "")
    if message.get_content_type() not in ("text/html", "application/xhtml+xml"):
        raise Refused("the page is no web page")
    return Page(answer.body, message.get_content_charset() or "", found)


def picture(url: str, *, own_host: str) -> bytes:
    """The bytes of the picture of a card, within `PAGE_SECONDS` in all; else as `fetch`."""
    with wire.deadline(PAGE_SECONDS):
        return _fetch(url, own_host, "picture", PAGE_SECONDS, MAX_PICTURE)


def pour(url: str, into: wire.Sink, *, own_host: str, most: int, what: str, seconds: float) -> None:
    """Write an attachment into a file, within so many bytes and seconds; else as `fetch`.

    `what` is what errors call it. Raises wire.TooLong if it has more bytes, before the download
    where the server tells, and OSError if the file cannot be written.
    """
    with wire.deadline(seconds):
        _fetch(url, own_host, what, seconds, most, into)


def _fetch(
    url: str, own_host: str, what: str, seconds: float, most: int, into: wire.Sink | None = None
) -> bytes:
    answer, _ = _follow(url, own_host, what, seconds, most, into)
    if answer.headers.get("content-type", "").startswith(("text/", "application/json")):
        # what stands in for a server that is away; a broken image is another matter
        raise Unreachable(f"a web page came instead of the {what}")
    return answer.body


def _follow(
    url: str, own_host: str, what: str, seconds: float, most: int, into: wire.Sink | None = None
) -> tuple[wire.Answer, str]:
    """What is at an address, and at which one it is after redirects."""
    for _ in range(MAX_REDIRECTS + 1):
        if not is_web(url):
            raise Refused(f"the {what} has moved to an address that is none")
        answer = wire.send(
            "GET",
            url,
            seconds=seconds,
            max_answer=most,
            into=into,
            public_only=not (_is_on_loopback(own_host) and _host(url) == own_host),
            # what is packed again on the way could unpack to any size
            headers={"Accept": "*/*", "Accept-Encoding": "identity"},
        )
        if answer.ok:
            return answer, url
        if answer.status in (301, 302, 303, 307, 308) and "location" in answer.headers:
            try:
                url = urljoin(url, answer.headers["location"])
            except ValueError:
                raise Refused(f"the {what} has moved to an address that is none") from None
            continue
        if answer.status in (404, 410, 403):
            raise Refused(f"the {what} is gone from its network ({answer.status})")
        raise Unreachable(f"the {what} cannot be downloaded ({answer.status})")
    raise Unreachable(f"the {what} cannot be downloaded: too many redirects")


def _host(url: str) -> str:
    """Host and port of a URL; "" if it has none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _is_on_loopback(host: str) -> bool:
    """Whether a host, with its port, is this machine itself."""
    return wire.is_loopback(urlsplit(f"//{host}").hostname or "")
