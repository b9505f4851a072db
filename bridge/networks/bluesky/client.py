"""One account on a Bluesky PDS: the only file that calls its repository.

Records go in and out as plain JSON: the SDK takes several times as long, and its typed `putRecord`
drops the null that keeps another record from being overwritten. Login is in `session.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from bridge import ratelimit, secrecy, wire
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
    Measure,
    Page,
    PlayLimits,
    Refused,
    Session,
    Uncertain,
    Unreachable,
    Upload,
)
from bridge.networks.bluesky import listing, read, session, write
from bridge.networks.bluesky.write import (
    COLLECTION,
    MARK,
    REPOSTS,
    record_key,
    tid_time,
)
from bridge.post import Post, Ref, Run, utc
from bridge.ratelimit import Claim
from bridge.text import byte_length, graphemes

#: records on a page (lexicon com.atproto.repo.listRecords)
PAGE = 100
#: how far a client's clock may be wrong: so much before the mark is read again
OVERLAP = timedelta(hours=1)
#: how far the mark stays behind where nothing is posted but copies: bounds what is read again
TRAIL = timedelta(days=1)
#: the times that a mark can name, as a record key has them: 53 bits of microseconds since 1970
FIRST, LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2255, 1, 1, tzinfo=UTC)
#: seconds for an upload, slower than other requests
UPLOAD_SECONDS = 120.0
#: seconds for the upload of a video
FILM_SECONDS = 900.0
#: how long a password that was refused is not tried again (the service counts logins)
REFUSED_FOR = timedelta(hours=1)
#: what each write costs of an account's points (official PDS, rate limits)
POINTS = {"com.atproto.repo.putRecord": 2, "com.atproto.repo.deleteRecord": 1}
#: record keys that are tried where others' records stand under ours
KEYS = 5

LIMITS = Limits(
    # lexicon app.bsky.feed.post, `text`: maxGraphemes and maxLength, the latter in bytes
    measures=(
        Measure("characters", 300, lambda text, _: graphemes(text)),
        Measure("bytes", 3000, lambda text, _: byte_length(text)),
    ),
    # lexicon app.bsky.embed.images
    images=4,
    image_bytes=2_000_000,
    # no limit of the network's own; more than its apps ever show
    image_pixels=16_000_000,
    image_types=frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"}),
    # no limit in the lexicon; that of the network's own app
    alt_characters=2000,
    # lexicon app.bsky.embed.gallery: what clients keep to
    gallery=10,
    quotes=True,
    thumb_bytes=1_000_000,  # lexicon app.bsky.embed.external
    # the lexicon app.bsky.embed.video takes more bytes, but not the servers of Bluesky as one blob
    # (its documentation, rate limits); how long a video may be is what the network's app says
    video=PlayLimits(frozenset({"video/mp4"}), 50 * 1024 * 1024, longest=180.0),
)

# Answers of the AT Protocol PDS (its lexicons com.atproto.server.*, and their common errors).
_DEAD_TOKEN = {"ExpiredToken", "InvalidToken"}
_LOCKED = {
    "AccountDeactivated": "the account is deactivated",
    "AccountSuspended": "the account is suspended",
    "AccountTakedown": "the account was taken down",
    "AuthFactorTokenRequired": "the password of the account itself needs a code by e-mail: "
    "create an app password and give it to `tribridge login`, or put it into the config",
    "RepoDeactivated": "the account is deactivated",
    "RepoNotFound": "the account is no longer on its server",
    "RepoSuspended": "the account is suspended",
    "RepoTakendown": "the account was taken down",
}


class BlueskyClient:
    """Implements `bridge.network.Client`."""

    #: a record key is chosen before sending, so sending twice is one record
    repeatable = True
    keeps_keys = True
    limits = LIMITS
    reread_batch = PAGE

    def __init__(
        self, settings: Mapping[str, str], store: Session, now: Callable[[], datetime]
    ) -> None:
        self._service = settings.get("service", "https://bsky.social").rstrip("/")
        self._handle = settings["handle"].removeprefix("@")
        self._password = settings["app_password"]
        self._store = store
        self._now = now
        self._tokens: session.Tokens | None = None

    # What a network must offer.

    def login(self) -> Identity:
        """Who this account is: one request, or none if a session was saved."""
        tokens = self._session()
        name = read.Owner(tokens.did, tokens.handle, tokens.pds).name
        return Identity(f"bluesky:{tokens.did}", tokens.handle, f"{read.APP}/profile/{name}")

    def access(self) -> Access:
        """What the password may do, as the login's token says; no request.

        The official PDS has these scopes (its source, auth-scope.ts); other servers may have none.
        """
        scope = self._session().scope
        excess = ""
        if scope == "com.atproto.access":
            excess = "this is the password of the account itself: create an app password instead"
        elif scope == "com.atproto.appPassPrivileged":
            excess = "this app password may read direct messages: create one that may not"
        return Access(scopes=(scope,) if scope else (), excess=excess, counted="logins")

    def newest(self) -> str:
        """A cursor at the present."""
        return listing.write_cursor(listing.Cursor(self._rev(), self._now()))

    def begin(self, take: Backfill) -> Page:
        """Where to start; the posts are those that clocks running late may bring up again."""
        if take.everything:
            return Page((), "{}")
        if take.last:
            mark = self._before_last(take.last)
        elif take.since:
            mark = min(max(take.since, FIRST), LAST)
        else:
            mark = None
        rev = self._rev()
        found = self._records_since((mark or self._now() - TRAIL) - OVERLAP)
        if mark is None:
            mark = max([self._now() - TRAIL, *self._native_times(found)])
            old = [item for item in found if listing.position(item) >= mark - OVERLAP]
        else:
            rev, old = "", [item for item in found if listing.position(item) < mark]
        return Page(self._posts(old), listing.write_cursor(listing.Cursor(rev, mark)))

    def fetch(self, cursor: str) -> Page:
        """Posts after the cursor, and again those up to an hour before it, oldest first.

        The repository's revision tells in one request whether anything changed. Where it did,
        records are read by their keys, which clients make from their clocks: hence the hour.
        """
        at = listing.read_cursor(cursor, self._now())
        now_at = self._rev()
        if at.rev == now_at:
            return Page((), cursor)
        found = self._records_since(at.mark - OVERLAP if at.mark else None, at.boosts)
        newer = [self._now() - TRAIL, *self._native_times(found), *([at.mark] if at.mark else [])]
        after = listing.Cursor(now_at, max(newer), at.boosts)
        return Page(self._posts(found), listing.write_cursor(after))

    def find(self, post_id: str) -> Post:
        """One post of the account; Gone if its repository is there and holds no such one."""
        try:
            found = self._posts([self._record(post_id)])
        except Gone:
            # of an account that has moved or is deactivated, others say the same
            self._rev()
            raise
        if not found:
            raise Refused("that record is no post that can be read")
        return found[0]

    def reread(self, ids: Sequence[str]) -> dict[str, Post | None]:
        """The posts under these keys; None where there is no record, or none that can be read.

        A page holds whatever lies between two of them, so one request may tell of many.
        """
        found: dict[str, Post | None] = dict.fromkeys(ids)
        left = set(ids)
        while left:
            page = self._page_from(listing.just_above(max(left)))
            for item in page:
                rkey = listing.rkey(item)
                if rkey in left:
                    found[rkey] = next(iter(self._posts([item])), None)
            lowest = min(map(listing.rkey, page), default="")
            left = {rkey for rkey in left if rkey < lowest}
        return found

    def words(self, ref: Ref) -> tuple[Run, ...]:
        """The text of anybody's post; the account's server asks for what it does not have."""
        did = ref.account.partition(":")[2]
        record = listing.value(self._record(ref.id, COLLECTION, did))
        text = record.get("text")
        return read.to_runs(text, record.get("facets")) if isinstance(text, str) else ()

    def resolve(self, handle: str) -> str:
        """The DID that a handle stands for (lexicon com.atproto.identity.resolveHandle)."""
        answer = self._read("com.atproto.identity.resolveHandle", {"handle": handle})
        did = self._object(answer).get("did")
        if not isinstance(did, str) or not did.startswith("did:"):
            raise Unreachable("the server named no identity for a handle")
        return did

    def upload(self, media: Upload) -> dict[str, Any]:
        """An image of the embed: the blob, its description, and its shape.

        A lost answer is Unreachable, not Uncertain: a blob that no record refers to is not seen.
        """
        return write.image(media, self._blob(media.data, media.mime, UPLOAD_SECONDS))

    def upload_film(self, film: Film) -> dict[str, Any]:
        """The embed of a video (lexicon app.bsky.embed.video); its blob is used at once.

        The network's app processes it after it was posted (Bluesky documentation, "Video").
        """
        return write.film(film, self._blob(film.file, film.mime, FILM_SECONDS))

    def processed(self, upload: Mapping[str, Any]) -> dict[str, Any]:
        """What it was: nothing is ever pending here."""
        return dict(upload)

    def _blob(self, content: bytes | IO[bytes], mime: str, seconds: float) -> dict[str, Any]:
        """A blob that the server keeps for a record to come."""
        answer = self._authorized(
            "com.atproto.repo.uploadBlob",
            content=content,
            headers={"Content-Type": mime},
            seconds=seconds,
            write=False,
        )
        blob = self._object(answer).get("blob")
        if not isinstance(blob, dict):
            raise Unreachable("the server took a file but named no blob for it")
        return blob

    def publish(self, payload: Mapping[str, Any], key: str) -> Ref:
        """Put the record where none stands yet; the same record again is no change.

        Where another record stands under its key, the next key derived for it is taken.
        """
        record, rkey = payload["record"], payload["rkey"]
        created = utc(record["createdAt"])
        for attempt in range(1, KEYS + 1):
            answer = self._put(rkey, record)
            if _error(answer) != "InvalidSwap":
                return self._ref(rkey, self._object(answer))
            standing = self._standing(rkey, record.get("$type", COLLECTION))
            if listing.value(standing).get(MARK) == key:
                return self._ref(rkey, standing)
            rkey = record_key(key, created, attempt)
        raise Refused(f"others' records stand under all of the {KEYS} keys tried for this post")

    def update(self, ref: Ref, payload: Mapping[str, Any]) -> Ref:  # noqa: ARG002 - a protocol
        """Refused: its apps go on to show the first version of a record."""
        raise Refused("Bluesky shows no edits of a post")

    def delete(self, ref: Ref) -> None:
        """Delete the record, if it is the one that was put; one request.

        Deleting a record that is gone succeeds (official PDS).
        """
        if ref.account not in ("", self.login().id):
            raise Refused("that is not a post of this account")
        # at://DID/COLLECTION/RKEY: a repost is a record of another collection
        collection = ref.uri.split("/")[3] if ref.uri.count("/") > 3 else COLLECTION
        body = {"repo": self._session().did, "collection": collection, "rkey": ref.id}
        if ref.cid:
            body["swapRecord"] = ref.cid
        answer = self._authorized("com.atproto.repo.deleteRecord", json=body)
        if _error(answer) == "InvalidSwap":
            raise Refused("the post was changed since it was published, so it is left alone")
        if not self._object(answer).keys() <= {"commit"}:
            raise Uncertain("the server answered to a deletion with something else than that")

    # Writing.

    def _put(self, rkey: str, record: Mapping[str, Any]) -> wire.Answer:
        return self._authorized(
            "com.atproto.repo.putRecord",
            json={
                "repo": self._session().did,
                "collection": record.get("$type", COLLECTION),
                "rkey": rkey,
                "record": record,
                "swapRecord": None,
            },
        )

    def _ref(self, rkey: str, answer: Mapping[str, Any]) -> Ref:
        uri, cid = answer.get("uri"), answer.get("cid")
        if not isinstance(uri, str) or not isinstance(cid, str) or not cid:
            raise wire.untrusted("the server took a post but named no record for it", write=True)
        who = self.login()
        page = f"{who.url}/post/{rkey}" if f"/{COLLECTION}/" in uri else uri
        return Ref(rkey, who.id, page, uri, cid)

    # Reading: public, so that no token is spent or renewed for it.

    def _read(self, name: str, params: Mapping[str, Any]) -> wire.Answer:
        pds = self._session().pds
        claims = (_by_address(pds),)
        ratelimit.SHARED.claim(claims, self._now())
        answer = wire.send("GET", f"{pds}/xrpc/{name}", params=params)
        self._heard(claims, answer.headers)
        error = _error(answer)
        if (answer.status == 401 or error in _DEAD_TOKEN) and error not in _LOCKED:
            # nothing that the owner could mend: no login went along
            raise Unreachable(f"the server wants a login for what is public ({answer.detail()})")
        return answer

    def _rev(self) -> str:
        answer = self._read("com.atproto.sync.getLatestCommit", {"did": self._session().did})
        rev = self._object(answer).get("rev")
        if not isinstance(rev, str) or not rev:
            raise Unreachable("the server named no revision of the account's repository")
        return rev

    def _standing(self, rkey: str, collection: str) -> dict[str, Any]:
        """The record that kept another from being put."""
        try:
            return self._record(rkey, collection)
        except Refused as refusal:
            # says nothing about the post that is to be put; mostly, that the record is gone again
            words = "a record stood in the way and cannot be read: to be tried anew"
            raise Unreachable(f"{words} ({refusal})") from None

    def _record(self, rkey: str, collection: str = COLLECTION, repo: str = "") -> dict[str, Any]:
        """A record of the account, or of the DID `repo`: `uri`, `cid` and `value`."""
        repo = repo or self._session().did
        params = {"repo": repo, "collection": collection, "rkey": rkey}
        answer = self._read("com.atproto.repo.getRecord", params)
        if answer.status in (400, 404) and _error(answer) == "RecordNotFound":
            raise Gone("the account has no such post")
        record = self._object(answer)
        if not isinstance(record.get("value"), dict) or listing.rkey(record) != rkey:
            raise Unreachable("the server answered with something else than a record")
        return record

    def _records(self, collection: str = COLLECTION) -> Iterator[list[dict[str, Any]]]:
        """Pages of records, newest key first."""
        at = ""
        while True:
            answer = self._list(at, collection)
            yield answer["records"]
            cursor = answer.get("cursor")
            if not answer["records"] or not isinstance(cursor, str) or cursor == at:
                return
            at = cursor

    def _page_from(self, cursor: str) -> list[dict[str, Any]]:
        """The records just below a cursor, newest key first."""
        found: list[dict[str, Any]] = self._list(cursor)["records"]
        if not all("" < listing.rkey(item) < cursor for item in found):
            raise Unreachable("the server answered with other records than it was asked for")
        return found

    def _list(self, cursor: str, collection: str = COLLECTION) -> dict[str, Any]:
        """A page as the server gives it; what is no object is left out of its `records`."""
        params = {"repo": self._session().did, "collection": collection, "limit": PAGE}
        more = {"cursor": cursor} if cursor else {}
        answer = self._object(self._read("com.atproto.repo.listRecords", {**params, **more}))
        records = answer.get("records")
        if not isinstance(records, list):
            raise Unreachable("the server answered with something else than a page of records")
        return {**answer, "records": [item for item in records if isinstance(item, dict)]}

    def _records_since(
        self, start: datetime | None, boosts: datetime | None = None
    ) -> list[dict[str, Any]]:
        """Posts and boosts from a time on, newest first; all of them if it is None.

        Boosts only from a time of their own on, if there is one.
        """
        found = [*self._since(COLLECTION, start)]
        reposts = [*self._since(REPOSTS, max(start, boosts) if start and boosts else start)]
        # posts alone keep the order of their keys, whatever those say of the time
        return sorted([*found, *reposts], key=listing.position, reverse=True) if reposts else found

    def _since(self, collection: str, start: datetime | None) -> Iterator[dict[str, Any]]:
        """Records of a collection from a time on, newest key first; all of them if it is None."""
        for page in self._records(collection):
            yield from (item for item in page if start is None or listing.position(item) >= start)
            keys = [when for item in page if (when := tid_time(listing.rkey(item)))]
            if start is not None and keys and min(keys) < start:
                return

    def _native_times(self, items: list[dict[str, Any]]) -> list[datetime]:
        """Times in the keys of posts that are no copies, as far as they are past."""
        times = (tid_time(listing.rkey(item)) for item in items if MARK not in listing.value(item))
        return [when for when in times if when is not None and when <= self._now()]

    def _before_last(self, count: int) -> datetime:
        """The time of the oldest of the last `count` posts that are no copies."""
        times: list[datetime] = []
        for page in self._records():
            times += self._native_times(page)
            if len(times) >= count:
                break
        return min(times[:count], default=self._now())

    def _posts(self, items: list[dict[str, Any]]) -> tuple[Post, ...]:
        tokens = self._session()
        owner = read.Owner(tokens.did, tokens.handle, tokens.pds)
        posts = (read.to_post(item, owner) for item in reversed(items))
        return tuple(post for post in posts if post is not None)

    # Login, and what answers mean.

    def _session(self) -> session.Tokens:
        """The login: remembered, saved, or new."""
        if self._tokens is None:
            mark = session.fingerprint(self._service, self._handle, self._password)
            self._tokens = session.Tokens.from_json(self._store.load(), mark) or self._create()
            secrecy.keep([self._tokens.access, self._tokens.refresh])
        return self._tokens

    def _create(self) -> session.Tokens:
        """A login by the app password."""
        claims = (_by_address(self._service), Claim(f"{self._service} login {self._handle}"))
        ratelimit.SHARED.claim(claims, self._now())
        made = session.create(
            self._service,
            self._handle,
            self._password,
            lambda headers: self._heard(claims, headers),
        )
        if not isinstance(made, wire.Answer):
            return self._save(made)
        error = self._rejection(made)
        if isinstance(error, Refused):
            # not of the post that it was for: `dead` would be the wrong word for that
            error = LoginNeeded(f"{error}: check `service`, `handle` and `app_password`")
        self._remember(error)
        raise error

    def _remember(self, error: ClientError) -> None:
        """Keep a refusal with the login that it was to replace: logins are counted, restarts too.

        Where there was no login yet, whoever opens the account keeps it.
        """
        if self._tokens is None or not isinstance(error, Busy | LoginNeeded):
            return
        busy = isinstance(error, Busy)
        until = error.retry_at if isinstance(error, Busy) else self._now() + REFUSED_FOR
        why = str(error)
        self._save(
            replace(self._tokens, refused_until=until.isoformat(), refused_why=why, busy=busy)
        )

    def _raise_if_refused(self, tokens: session.Tokens) -> None:
        """Raise again, without asking, what the last login was refused with."""
        until = utc(tokens.refused_until) if tokens.refused_until else None
        # no wait is longer: of one that seems so, the clock was ahead when it was noted
        if until is None or not timedelta(0) < until - self._now() <= wire.LONGEST_WAIT:
            return
        if tokens.busy:
            raise Busy(tokens.refused_why, until)
        raise LoginNeeded(tokens.refused_why)

    def _renew(self) -> session.Tokens:
        """New tokens, by the refresh token or, where that is dead, by the app password."""
        self._raise_if_refused(self._session())
        claims = (_by_address(self._service), Claim(f"{self._service} renewal {self._handle}"))
        ratelimit.SHARED.claim(claims, self._now())
        made = session.refresh(
            self._service, self._session(), lambda headers: self._heard(claims, headers)
        )
        if not isinstance(made, wire.Answer):
            return self._save(made)
        error = self._rejection(made)
        dead = made.status == 401 or _error(made) in _DEAD_TOKEN or isinstance(error, Refused)
        if dead and _error(made) not in _LOCKED:
            return self._create()
        self._remember(error)
        raise error

    def _save(self, tokens: session.Tokens) -> session.Tokens:
        if self._tokens is not None:
            secrecy.forget([self._tokens.access, self._tokens.refresh])
        secrecy.keep([tokens.access, tokens.refresh])
        self._store.save(f"bluesky:{tokens.did}", tokens.to_json())
        self._tokens = tokens
        return tokens

    def _authorized(
        self,
        name: str,
        *,
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> wire.Answer:
        """The answer to a POST with the access token, which is renewed once where it is dead."""
        tokens = self._session()
        if tokens.expired(self._now()):
            tokens = self._renew()
        answer = self._post(tokens, name, headers, request)
        if (answer.status == 401 or _error(answer) in _DEAD_TOKEN) and _error(
            answer
        ) not in _LOCKED:
            answer = self._post(self._renew(), name, headers, request)
        return answer

    def _post(
        self,
        tokens: session.Tokens,
        name: str,
        headers: Mapping[str, str] | None,
        request: Mapping[str, Any],
    ) -> wire.Answer:
        authorization = {"Authorization": f"Bearer {tokens.access}", **(headers or {})}
        points = POINTS.get(name)
        # whatever else has a limit of its own, it is one for each method
        own = f"{tokens.did} {'writes' if points else name}"
        claims = (_by_address(tokens.pds), Claim(own, points or 1))
        ratelimit.SHARED.claim(claims, self._now())
        answer = wire.send("POST", f"{tokens.pds}/xrpc/{name}", headers=authorization, **request)
        self._heard(claims, answer.headers)
        return answer

    def _heard(self, claims: Sequence[Claim], headers: Mapping[str, str]) -> None:
        """Note what an answer says is left (headers ratelimit-limit, -remaining and -reset)."""
        left, end = ratelimit.number(headers.get("ratelimit-remaining", "")), _reset(headers)
        quota = ratelimit.number(headers.get("ratelimit-limit", "")) or 0
        if left is not None and end is not None:
            ratelimit.SHARED.heard(claims, left, end, self._now(), quota)

    def _object(self, answer: wire.Answer) -> dict[str, Any]:
        """The JSON object in an answer. Raises what its status means."""
        if not answer.ok:
            raise self._rejection(answer)
        return answer.object()

    def _rejection(self, answer: wire.Answer) -> ClientError:
        error, now = _error(answer), self._now()
        if error in _LOCKED:
            return LoginNeeded(f"{_LOCKED[error]} ({self._handle})")
        if answer.status == 401 or error in _DEAD_TOKEN:
            return LoginNeeded(
                f"{self._handle} cannot log in ({answer.status}: {answer.detail()}): create a new "
                "app password in Bluesky's settings and give it to `tribridge login`, or put it "
                "into the config"
            )
        if error == "BlobNotFound":
            return Refused(
                "the server has forgotten an uploaded image before the post was published"
            )
        if error == "DailyLimitExceeded":
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
            return Busy("the daily limit is reached", midnight + timedelta(days=1))
        return wire.rejection(answer, now, _reset(answer.headers))


def _by_address(server: str) -> Claim:
    """The limit on all requests from this machine, whoever they are for."""
    return Claim(f"{server} by address")


def _reset(headers: Mapping[str, str]) -> datetime | None:
    """When the limit starts anew (header ratelimit-reset, seconds since 1970), UTC."""
    value = headers.get("ratelimit-reset", "")
    try:
        return datetime.fromtimestamp(int(value), UTC) if value.isdecimal() else None
    except (ValueError, OverflowError, OSError):
        return None


def _error(answer: wire.Answer) -> str:
    """The name of the error in an answer (AT Protocol specification, "XRPC"); "" if none."""
    if answer.ok:
        return ""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, str) else ""
