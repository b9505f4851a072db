"""One account on a server that speaks Mastodon's API: the only file that calls it.

Login and media go through Mastodon.py, on our own connections; pages of posts and posting are plain
JSON requests, since the library takes about a hundred times as long to read a page, sends flags as
text where other servers want true or false, and compares ids as if they were numbers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from bridge import ratelimit, wire
from bridge.network import (
    Backfill,
    Busy,
    ClientError,
    Film,
    Identity,
    Limits,
    LoginNeeded,
    Page,
    Refused,
    Session,
    Uncertain,
    Unreachable,
    Upload,
)
from bridge.networks.mastodon import read
from bridge.post import Post, Ref, utc
from bridge.ratelimit import Claim

if TYPE_CHECKING:
    import mastodon

#: the most statuses that a server puts on a page (Mastodon documentation, methods/accounts)
PAGE = 40
#: how long a server's limits are believed
LIMITS_LIFE = timedelta(days=1)
#: how long attached media are given to be processed before the next attempt
MEDIA_WAIT = timedelta(seconds=10)
#: seconds for an upload, slower than other requests
UPLOAD_SECONDS = 120.0
#: seconds for the upload of a video
FILM_SECONDS = 900.0
#: seconds until it is asked again whether a video is ready
PROCESSING = 10.0


class MastodonClient:
    """Implements `bridge.network.Client`."""

    #: a server forgets keys after an hour, and some never keep them
    repeatable = False

    def __init__(
        self, settings: Mapping[str, str], session: Session, now: Callable[[], datetime]
    ) -> None:
        self._server = settings["server"].rstrip("/")
        self._host = urlsplit(self._server).netloc.lower()
        self._token = settings["access_token"]
        self._session = session
        self._now = now
        self._identity: Identity | None = None
        self._instance = read.Instance()
        self._limits: Limits | None = None
        self._api: mastodon.Mastodon | None = None

    @property
    def limits(self) -> Limits:
        """The limits that the server told at login."""
        assert self._limits is not None, "known after login"
        return self._limits

    @property
    def keeps_keys(self) -> bool:
        """Only Mastodon itself is known to honour Idempotency-Key; others post twice."""
        return self._instance.keeps_keys

    def login(self) -> Identity:
        """Who this account is: two requests, or none if it was asked within a day."""
        if self._identity is None:
            if not self._restore():
                self._ask()
            self._limits = read.to_limits(self._instance)
        assert self._identity is not None
        return self._identity

    def newest(self) -> str:
        """The id of the account's newest status; "" if it has none."""
        page = self._page(limit=1)
        return read.native_id(page[0]["id"]) if page else ""

    def begin(self, take: Backfill) -> Page:
        """The cursor just before what is to be taken; `last` counts boosts and replies too.

        Nothing older can turn up after a cursor, so there are never posts to record.
        """
        if take.everything:
            return Page((), "")
        if take.last or take.since:
            return Page((), self._before(take))
        return Page((), self.newest())

    def fetch(self, cursor: str) -> Page:
        """The oldest posts after `cursor`, at most 40; another fetch is worth it after any."""
        page = self._page(min_id=cursor or "0", limit=PAGE)
        account = self.login().id
        posts = (read.to_post(status, self._host) for status in reversed(page))
        return Page(
            tuple(post for post in posts if post.account == account),
            # Ids are opaque (GoToSocial's are ULIDs): the newest is the first as served.
            read.native_id(page[0]["id"]) if page else cursor,
            more=bool(page),
        )

    def find(self, post_id: str) -> Post:
        """One status of the account; Refused if it has no such one."""
        account = self.login().id
        status = self._send("GET", f"/api/v1/statuses/{quote(post_id, safe='')}").object()
        if not read.native_id(status.get("id")):
            raise Unreachable("the server answered with something else than a post")
        post = read.to_post(status, self._host)
        if post.account != account:
            raise Refused("that is not a post of this account")
        return post

    def upload(self, media: Upload) -> dict[str, Any]:
        """`{"id": ...}` of the new attachment, which the server may still be processing.

        A lost answer is Unreachable, not Uncertain: an upload that nothing refers to is no post.
        """
        self.login()
        alt = media.alt[: self.limits.alt_characters]  # the server counts code points
        answer = self._library(
            lambda api: api.media_post(
                media.data,
                mime_type=media.mime,
                description=alt or None,
                focus=media.focus,
                file_name="image." + media.mime.rpartition("/")[2],
            )
        )
        upload_id = read.native_id(answer.get("id"))
        if not upload_id:
            raise Unreachable("the server took an image but named no id for it")
        return {"id": upload_id}

    def upload_film(self, film: Film) -> dict[str, Any]:
        """`{"id": ...}` of the new attachment; with `pending` while the server processes it.

        A lost answer is Unreachable, as in `upload`.
        """
        answer = self._send(
            "POST",
            "/api/v2/media",
            data={"description": film.alt[: self.limits.alt_characters]} if film.alt else {},
            files={"file": (f"file.{film.mime.rpartition('/')[2]}", film.file, film.mime)},
            seconds=FILM_SECONDS,
            write=False,
        )
        return self._attachment(answer, read.native_id(answer.object().get("id")))

    def processed(self, upload: Mapping[str, Any]) -> dict[str, Any]:
        """As `upload_film` returns it; 422 says that it failed (documentation, methods/media)."""
        return self._attachment(self._send("GET", f"/api/v1/media/{upload['id']}"), upload["id"])

    def _attachment(self, answer: wire.Answer, upload_id: str) -> dict[str, Any]:
        """An upload by the answer that tells of it: 202 and 206 say that it is not ready."""
        if not upload_id or read.native_id(answer.object().get("id")) != upload_id:
            raise Unreachable("the server took a file but named no id for it")
        working = answer.status in (202, 206)
        return {"id": upload_id} | ({"pending": PROCESSING} if working else {})

    def publish(self, payload: Mapping[str, Any], key: str) -> Ref:
        """Publish a status; raises Busy while its media are still being processed."""
        account = self.login().id
        try:
            answer = self._send(
                "POST", "/api/v1/statuses", json=payload, headers={"Idempotency-Key": key}
            )
        except Refused as refusal:
            self._raise_if_processing(payload, refusal)
            raise
        status = answer.object()
        post_id = read.native_id(status.get("id"))
        if not post_id or not isinstance(status.get("content"), str):
            raise Uncertain("the server took a post but answered with something else than a post")
        url = status.get("url") or status.get("uri")
        return Ref(post_id, account, url if isinstance(url, str) else "")

    def _raise_if_processing(self, payload: Mapping[str, Any], refusal: Refused) -> None:
        """Media that are not ready are refused in words of any language: so ask about each.

        206 means still at work (Mastodon documentation, methods/media).
        """
        for media_id in payload.get("media_ids", ()):
            try:
                answer = self._send("GET", f"/api/v1/media/{media_id}")
            except Refused:
                raise refusal from None
            if answer.status == 206:
                raise Busy("the server still processes an image", self._now() + MEDIA_WAIT)
            if not read.native_id(answer.object().get("id")):
                raise Unreachable("the server answered with something else than an image")

    def _page(self, **params: Any) -> list[dict[str, Any]]:
        """A page of the account's statuses, newest first, each with an id."""
        account_id = self.login().id.rpartition("/")[2]
        page = self._send("GET", f"/api/v1/accounts/{account_id}/statuses", params=params).json()
        if not isinstance(page, list) or not all(
            isinstance(status, dict) and read.native_id(status.get("id")) for status in page
        ):
            raise Unreachable("the server answered with something else than a page of posts")
        return page

    def _before(self, take: Backfill) -> str:
        """The id of the newest status that `take` leaves out; "" if it leaves out none."""
        count, last = 0, ""
        params: dict[str, Any] = {"limit": PAGE}
        while page := self._page(**params):
            for status in page:
                post = read.to_post(status, self._host)
                if take.since and post.created_at < take.since:
                    return post.id
                if take.last and count >= take.last:
                    return post.id
                count += 1
            if post.id == last:
                raise Unreachable("the server gives the same page of posts again and again")
            params["max_id"] = last = post.id
        return ""

    # Login.

    def _fingerprint(self) -> str:
        return hashlib.sha256(json.dumps([self._server, self._token]).encode()).hexdigest()

    def _restore(self) -> bool:
        """Take identity and limits from the saved session, if it is this login's and fresh."""
        try:
            saved = json.loads(self._session.load() or "{}")
            if saved.get("login") != self._fingerprint():
                return False
            if not timedelta(0) <= self._now() - utc(saved["asked_at"]) < LIMITS_LIFE:
                return False
            self._instance = read.Instance(**saved["instance"])
            self._identity = Identity(**saved["identity"])
        except (ValueError, TypeError, KeyError, AttributeError):
            return False  # of another version, or damaged: asking again makes it whole
        return True

    def _ask(self) -> None:
        try:
            account = self._library(lambda api: api.account_verify_credentials())
        except Refused as refusal:
            # some servers answer 400 or 404 to a token that they do not know
            raise LoginNeeded(f"{refusal}: check server and access_token") from None
        identity = read.identity_id(self._host, account.get("id"))
        if not identity:
            raise Unreachable(f"{self._host} does not answer as a Mastodon server does")
        instance = self._ask_instance()
        handle = f"{account.get('username') or account.get('acct')}@{self._host}"
        found = Identity(identity, handle, str(account.get("url") or ""))
        saved = {
            "login": self._fingerprint(),
            "asked_at": self._now().isoformat(),
            "instance": asdict(instance),
            "identity": asdict(found),
        }
        self._session.save(identity, json.dumps(saved))
        self._instance, self._identity = instance, found

    def _ask_instance(self) -> read.Instance:
        """Version 2 of the instance entity, else version 1, else defaults.

        Takahe answers 500 to version 2 until it is set up, servers before Mastodon 4.0 404. What a
        gateway says in place of a server passes: limits are asked again, not guessed.
        """
        for path in ("/api/v2/instance", "/api/v1/instance"):
            answer = self._request("GET", path)
            if answer.ok:
                entity = answer.object()
                if not isinstance(entity.get("version"), str):
                    raise Unreachable(f"{self._host} does not answer as a Mastodon server does")
                return read.to_instance(entity)
            if answer.status == 429 or answer.status > 500:
                break
        if answer.status == 429 or answer.status >= 500:
            raise self._rejection(answer)
        return read.Instance()

    # Sending.

    def _send(self, method: str, path: str, **more: Any) -> wire.Answer:
        """One request as the account; anything but a 2xx is raised as one of the five kinds."""
        answer = self._request(method, path, **more)
        if not answer.ok:
            raise self._rejection(answer)
        return answer

    def _request(self, method: str, path: str, **more: Any) -> wire.Answer:
        headers = {"Authorization": f"Bearer {self._token}", **more.pop("headers", {})}
        return self._metered(method, self._server + path, headers=headers, **more)

    def _metered(self, method: str, url: str, **more: Any) -> wire.Answer:
        """One request, if the limits of the token let it go. Raises Busy if they do not."""
        limits = (self._fingerprint(), *_limits(method, url, more.get("params") or {}))
        claims = [Claim(" ".join(limits[:n])) for n in range(1, len(limits) + 1)]
        ratelimit.SHARED.claim(claims, self._now())
        answer = wire.send(method, url, **more)
        left = ratelimit.number(answer.headers.get("x-ratelimit-remaining", ""))
        quota = ratelimit.number(answer.headers.get("x-ratelimit-limit", "")) or 0
        end = _reset(answer)
        if left is not None and end is not None:
            ratelimit.SHARED.heard(claims, left, end, self._now(), quota)
        return answer

    def _rejection(self, answer: wire.Answer) -> ClientError:
        detail = answer.detail()
        # A token without the scope, or an account that is disabled, unconfirmed or pending.
        if answer.status == 403 and (
            "outside the authorized scopes" in detail or "Your login is" in detail
        ):
            return LoginNeeded(
                f"the server does not let this token do that ({detail}): make one with the scopes "
                "read:accounts, read:statuses, write:statuses and write:media"
            )
        return wire.rejection(answer, self._now(), _reset(answer))

    def _library(self, call: Callable[[mastodon.Mastodon], Any]) -> Mapping[str, Any]:
        """Make a call of Mastodon.py; whatever goes wrong is one of the five kinds.

        The library hides the cause of a transport failure in `__context__`: that is our own error.
        """
        from mastodon import MastodonError

        if self._api is None:
            self._api = _connect(self._server, self._token, self._metered, self._rejection)
        try:
            answer = call(self._api)
        except (MastodonError, TypeError, ValueError, KeyError, AttributeError) as error:
            # the last four escape from its types where an answer has the wrong shape
            if isinstance(error.__context__, ClientError):
                raise error.__context__ from None
            raise Unreachable("the server answered with something that is not its API") from None
        if not isinstance(answer, dict):
            raise Unreachable("the server answered with JSON of the wrong shape")
        return answer


def _connect(
    server: str,
    token: str,
    send: Callable[..., wire.Answer],
    rejection: Callable[[wire.Answer], ClientError],
) -> mastodon.Mastodon:
    """Mastodon.py over our own connections: our deadline, pool, rate limits, errors."""
    import requests
    from mastodon import Mastodon
    from requests.adapters import BaseAdapter

    class Adapter(BaseAdapter):
        def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
            keep = ("Authorization", "Content-Type")
            body: Any = request.body or b""
            answer = send(
                request.method or "GET",
                request.url or "",
                headers={
                    name: str(request.headers[name]) for name in keep if name in request.headers
                },
                content=body.encode() if isinstance(body, str) else body,
                seconds=UPLOAD_SECONDS if body else wire.DEADLINE,
                write=False,
            )
            if not answer.ok:
                raise rejection(answer)
            response = requests.Response()
            response.status_code = answer.status
            response._content = answer.body  # noqa: SLF001 - requests has no other way
            response.url = request.url or ""
            response.request = request
            return response

        def close(self) -> None:
            """Nothing: the pool is everybody's."""

    session = requests.Session()
    session.trust_env = False
    session.mount("http://", Adapter())
    session.mount("https://", Adapter())
    return Mastodon(
        access_token=token,
        api_base_url=server,
        session=session,
        ratelimit_method="throw",
        request_timeout=wire.DEADLINE,
        feature_set="mainline",
        # A version said outright: media_post would ask for it, and recurses for ever on Takahe.
        # "none" would ignore it and use the old upload that Mastodon no longer has.
        mastodon_version="4.0.0",
        version_check_mode="created",
    )


def _limits(method: str, url: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """The limit that a request has beside the one on all of them (documentation, rate limits)."""
    match method, urlsplit(url).path:
        case "POST", "/api/v1/statuses" | "/api/v2/media" as path:
            return (path,)
    return ("pages",) if params.keys() & {"max_id", "min_id", "since_id"} else ()


def _reset(answer: wire.Answer) -> datetime | None:
    """When the rate limit ends: ISO 8601 on Mastodon, Unix seconds on GoToSocial."""
    value = answer.headers.get("x-ratelimit-reset", "")
    try:
        return datetime.fromtimestamp(int(value), UTC) if value.isdecimal() else utc(value)
    except (ValueError, OverflowError, OSError):
        return None
