"""One account on a server that speaks Mastodon's API: the only file that calls it.

Login and media go through Mastodon.py, on our own connections; pages of posts and posting are plain
JSON requests, since the library takes about a hundred times as long to read a page, sends flags as
text where other servers want true or false, and compares ids as if they were numbers.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from bridge import ratelimit, wire
from bridge.network import (
    Access,
    Backfill,
    Busy,
    ClientError,
    Film,
    Gone,
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
from bridge.post import Post, Ref, Run, utc
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


#: what a mirror does to an account that approves its followers: its posts may still be public
LOCKED = "approves its followers: copies of its public posts have readers whom it never approved"


def saved_limits(saved: str) -> Limits | None:
    """The limits that a server told at the last login, from a saved session; None if unreadable."""
    try:
        return read.to_limits(read.Instance(**json.loads(saved)["instance"]))
    except (ValueError, TypeError, KeyError):
        return None


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

    @property
    def reread_batch(self) -> int:
        """Mastodon takes many ids in one request, other servers one."""
        return self._instance.batch

    def login(self) -> Identity:
        """Who this account is: two requests, or none if it was asked within a day."""
        if self._identity is None:
            if not self._restore():
                self._ask()
            self._limits = read.to_limits(self._instance)
        assert self._identity is not None
        return self._identity

    def access(self) -> Access:
        """What the token may do: it is tried where nothing can come of it, on what does not exist.

        Mastodon tells the scopes of an app, and not those of a token (Mastodon documentation,
        methods/apps); it checks them before it looks for the post (api/oauth-scopes).
        """
        account = self._send("GET", "/api/v1/accounts/verify_credentials").object()
        own = quote(str(account.get("id")), safe="")
        tried = {
            "read:statuses": ("GET", f"/api/v1/accounts/{own}/statuses?limit=1"),
            "write:statuses": ("PUT", "/api/v1/statuses/0"),
            "write:media": ("PUT", "/api/v1/media/0"),
        }
        found, lacks = ["read:accounts"], list[str]()
        for scope, (method, path) in tried.items():
            answer = self._request(method, path)
            if answer.status in (401, 429):
                raise self._rejection(answer)
            if answer.status < 500:
                (lacks if answer.status == 403 else found).append(scope)
        return Access(
            scopes=tuple(found),
            lacks_to_read=tuple(scope for scope in lacks if scope.startswith("read")),
            lacks_to_post=tuple(scope for scope in lacks if scope.startswith("write")),
            locked=LOCKED if account.get("locked") is True else "",
        )

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
        """One status of the account; Gone if the server has no such one, but has the account."""
        account = self.login().id
        post = read.to_post(self._status(post_id), self._host)
        if post.account != account:
            raise Refused("that is not a post of this account")
        return post

    def reread(self, ids: Sequence[str]) -> dict[str, Post | None]:
        """The statuses with these ids; None where the server shows none to the account."""
        account = self.login().id
        if self.reread_batch == 1:
            return {post_id: self._find_or_none(post_id) for post_id in ids}
        found: dict[str, Post | None] = dict.fromkeys(ids)
        for start in range(0, len(ids), self.reread_batch):
            asked = {"id[]": list(ids[start : start + self.reread_batch])}
            for status in self._listed(self._send("GET", "/api/v1/statuses", params=asked)):
                post = read.to_post(status, self._host)
                if post.id in found and post.account == account:
                    found[post.id] = post
        return found

    def _find_or_none(self, post_id: str) -> Post | None:
        try:
            return self.find(post_id)
        except Gone:
            return None

    def words(self, ref: Ref) -> tuple[Run, ...]:  # noqa: ARG002
        """None: a boost comes with them."""
        return ()

    def resolve(self, handle: str) -> str:
        """The handle itself: mentions are text."""
        return handle

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
        """Publish a status, or boost one; raises Busy while its media are still being processed."""
        account = self.login().id
        if "reblog" in payload:
            return self._boost(payload, account)
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
        return _ref(status, account)

    def update(self, ref: Ref, payload: Mapping[str, Any]) -> Ref:
        """Edit a status; one request, and one more before it where there is a poll.

        Mastodon takes an edit that changes nothing, GoToSocial refuses it: there, what a refusal
        left is looked at.
        """
        account = self._check_own(ref)
        body = dict(payload)
        if "poll" in body:
            body["poll"] = self._with_its_end(ref.id, body["poll"])
        if "media_attributes" in body:
            longest = self.limits.alt_characters  # the server counts code points
            body["media_attributes"] = [
                {**item, "description": item["description"][:longest]}
                for item in body["media_attributes"]
            ]
        try:
            status = self._one("PUT", ref.id, json=body).object()
        except Gone:
            raise
        except Refused as refusal:
            self._raise_if_processing(body, refusal)
            if not self._stands(ref.id, body):
                raise
            return ref
        if read.native_id(status.get("id")) != ref.id or not isinstance(status.get("content"), str):
            raise Uncertain("the server took an edit but answered with something else than a post")
        return _ref(status, account)

    def delete(self, ref: Ref) -> None:
        """Delete a status with its media; one request."""
        self._check_own(ref)
        try:
            status = self._one("DELETE", ref.id, params={"delete_media": "true"}).object()
        except Gone:
            return
        # older servers answer with nothing
        if status and read.native_id(status.get("id")) != ref.id:
            raise Uncertain("the server answered to a deletion with something else than the post")

    def _check_own(self, ref: Ref) -> str:
        """The identity of the account, which must be that of the post."""
        account = self.login().id
        if ref.account not in ("", account):
            raise Refused("that is not a post of this account")
        return account

    def _with_its_end(self, post_id: str, poll: Mapping[str, Any]) -> Mapping[str, Any]:
        """A poll that ends when the one that stands does: its votes stay if its options do.

        An edit sets the end anew, and a server takes none that is nearer than its shortest poll.
        """
        standing = read.to_post(self._status(post_id), self._host).poll
        if standing is None or standing.ends_at is None:
            return poll
        left = (standing.ends_at - self._now()).total_seconds()
        if standing.closed or left <= 0:
            raise Refused("the poll in this post is over, and an edit would open it again")
        return {**poll, "expires_in": max(math.ceil(left), self._instance.poll_shortest)}

    def _stands(self, post_id: str, body: Mapping[str, Any]) -> bool:
        """Whether a status is already as an edit would make it."""
        source = self._one("GET", post_id, "/source").object()
        if not isinstance(source.get("text"), str):
            raise Unreachable("the server answered with something else than a post's source")
        media = self._status(post_id).get("media_attachments")
        ids = [read.native_id(item.get("id")) for item in media or ()]
        said = source["text"], source.get("spoiler_text"), ids
        return said == (body["status"], body["spoiler_text"], body.get("media_ids", []))

    def _status(self, post_id: str) -> dict[str, Any]:
        """A status as the server shows it."""
        status = self._one("GET", post_id).object()
        if not read.native_id(status.get("id")):
            raise Unreachable("the server answered with something else than a post")
        return status

    def _boost(self, payload: Mapping[str, Any], account: str) -> Ref:
        """Boost a status: Mastodon answers with the boost, the same one if there was one before."""
        path = f"/api/v1/statuses/{quote(payload['reblog'], safe='')}/reblog"
        boost = self._send("POST", path, json={"visibility": payload["visibility"]}).object()
        boosted, post_id = boost.get("reblog"), read.native_id(boost.get("id"))
        shown = read.native_id(boosted.get("id")) if isinstance(boosted, dict) else ""
        if not post_id or shown != payload["reblog"]:
            raise Uncertain("the server took a boost but answered with something else than that")
        url = boost.get("url") or boost.get("uri")
        return Ref(post_id, account, url if isinstance(url, str) else "")

    def _raise_if_processing(self, payload: Mapping[str, Any], refusal: Refused) -> None:
        """Media that are not ready are refused in words of any language: so ask about each.

        206 means still at work (Mastodon documentation, methods/media).
        """
        for media_id in payload.get("media_ids", ()):
            try:
                answer = self._send("GET", f"/api/v1/media/{media_id}")
            except Refused:
                continue  # one that a status has already, or that is gone
            if answer.status == 206:
                at = self._now() + MEDIA_WAIT
                raise Busy("the server still processes an image", at) from refusal
            if not read.native_id(answer.object().get("id")):
                raise Unreachable("the server answered with something else than an image")

    def _page(self, **params: Any) -> list[dict[str, Any]]:
        """A page of the account's statuses, newest first, each with an id."""
        account_id = self.login().id.rpartition("/")[2]
        path = f"/api/v1/accounts/{account_id}/statuses"
        return self._listed(self._send("GET", path, params=params))

    def _listed(self, answer: wire.Answer) -> list[dict[str, Any]]:
        """The statuses in an answer, each with an id."""
        page = answer.json()
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

    def _one(self, method: str, post_id: str, part: str = "", **more: Any) -> wire.Answer:
        """One request about one status. Raises Gone if the API says that there is none.

        What says so must know the account: a server that was set up anew, or another one behind
        the same name, knows none of its posts.
        """
        path = f"/api/v1/statuses/{quote(post_id, safe='')}{part}"
        answer = self._request(method, path, **more)
        if answer.status == 404 and read.is_error(_json(answer)):
            self._check_account()
            raise Gone(f"the server has no such post ({answer.detail()})")
        if not answer.ok:
            raise self._rejection(answer)
        return answer

    def _check_account(self) -> None:
        """Raise unless the server knows the account, by its token, as the one that logged in."""
        account = self._send("GET", "/api/v1/accounts/verify_credentials").object()
        if read.identity_id(self._host, account.get("id")) != self.login().id:
            raise Unreachable("the server does not know the account any more")

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
        case "DELETE", _:
            return ("deletes",)
        case "POST", path if path.endswith("/reblog"):  # counts as a post
            return ("/api/v1/statuses",)
    return ("pages",) if params.keys() & {"max_id", "min_id", "since_id"} else ()


def _ref(status: Mapping[str, Any], account: str) -> Ref:
    """A reference to a status that was published or edited."""
    url = status.get("url") or status.get("uri")
    return Ref(read.native_id(status.get("id")), account, url if isinstance(url, str) else "")


def _json(answer: wire.Answer) -> Any:
    """The body as JSON; None if it is none, whatever the server calls it."""
    try:
        return answer.json()
    except ClientError:
        return None


def _reset(answer: wire.Answer) -> datetime | None:
    """When the rate limit ends: ISO 8601 on Mastodon, Unix seconds on GoToSocial."""
    value = answer.headers.get("x-ratelimit-reset", "")
    try:
        return datetime.fromtimestamp(int(value), UTC) if value.isdecimal() else utc(value)
    except (ValueError, OverflowError, OSError):
        return None
