"""Images on their way: downloaded with guards."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from bridge import wire
from bridge.network import Refused, Unreachable
from bridge.post import Media

#: the largest file that is downloaded, in bytes
MAX_DOWNLOAD = 64 * 1024 * 1024
MAX_REDIRECTS = 3
#: seconds that a download may take in all
DOWNLOAD_SECONDS = 60.0


def fetch(media: Media, *, own_host: str) -> bytes:
    """The bytes of an attachment, within `DOWNLOAD_SECONDS` in all.

    Addresses that are not public are refused, after DNS and after each redirect. Where `own_host`,
    the host with its port of the account that posted it, is on loopback, it alone is let through.
    Raises Unreachable if it may come later, Refused if it never will.
    """
    with wire.deadline(DOWNLOAD_SECONDS):
        return _fetch(media.url, own_host)


def _fetch(url: str, own_host: str) -> bytes:
    for _ in range(MAX_REDIRECTS + 1):
        if not url.startswith(("http://", "https://")):
            raise Refused("the image has moved to an address that is none")
        answer = wire.send(
            "GET",
            url,
            seconds=DOWNLOAD_SECONDS,
            max_answer=MAX_DOWNLOAD,
            public_only=not (_is_on_loopback(own_host) and _host(url) == own_host),
            # what is packed again on the way could unpack to any size
            headers={"Accept": "*/*", "Accept-Encoding": "identity"},
        )
        if answer.ok:
            if answer.headers.get("content-type", "").startswith(("text/", "application/json")):
                # what stands in for a server that is away; a broken image is another matter
                raise Unreachable("a web page came instead of the image")
            return answer.body
        if answer.status in (301, 302, 303, 307, 308) and "location" in answer.headers:
            try:
                url = urljoin(url, answer.headers["location"])
            except ValueError:
                raise Refused("the image has moved to an address that is none") from None
            continue
        if answer.status in (404, 410, 403):
            raise Refused(f"the image is gone from its network ({answer.status})")
        raise Unreachable(f"the image cannot be downloaded ({answer.status})")
    raise Unreachable("the image cannot be downloaded: too many redirects")


def _host(url: str) -> str:
    """Host and port of a URL; "" if it has none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _is_on_loopback(host: str) -> bool:
    """Whether a host, with its port, is this machine itself."""
    return wire.is_loopback(urlsplit(f"//{host}").hostname or "")
