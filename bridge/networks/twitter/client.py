"""X API v2, signed with OAuth 1.0a user keys. The only file that talks to X.

X takes no idempotency key, so a write that ends in doubt is `Uncertain`, and whoever sent it looks
at the account's posts before sending again.
"""

from __future__ import annotations

import io
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import IO, Any, Literal
from urllib.parse import urlencode

from bridge import ratelimit, wire
from bridge.network import (
    Access,
    Animation,
    Backfill,
    Busy,
    ClientError,
    Exchange,
    Film,
    Gone,
    Identity,
    Ledger,
    Limits,
    LoginNeeded,
    Measure,
    NoLedger,
    NoReply,
    Page,
    PlayLimits,
    PollLimits,
    Refused,
    Session,
    Uncertain,
    Unreachable,
    Upload,
)
from bridge.networks.twitter import answers, auth, fields, rates
from bridge.networks.twitter.prices import PRICES
from bridge.networks.twitter.read import (
    User,
    author,
    number,
    snowflake_time,
    to_posts,
    to_user,
    trouble_with,
    versions,
)
from bridge.networks.twitter.uploads import parts, processing
from bridge.networks.twitter.write import charges
from bridge.post import Post, Ref, Run
from bridge.text import weighted_length

log = logging.getLogger("tribridge")

#: X shows an edit for an hour at most after publication (X API changelog, October 2025)
EDITABLE = timedelta(hours=1)
#: posts in one look-up (X API, Get Posts by IDs)
LOOK_UP = 100
#: a post may not be visible yet to whoever answers it at once
WAIT_FOR_PARENT = timedelta(seconds=5)
#: bytes of one part of an upload (X API, Append Media upload)
SEGMENT = 4 * 1024 * 1024
UPLOAD = "/2/media/upload"

LIMITS = Limits(
    measures=(Measure("weighted characters", 280, lambda text, _warning: weighted_length(text)),),
    images=4,
    image_bytes=5 * 1024 * 1024,
    # X names no limit; larger ones are scaled down by X itself
    image_pixels=8192 * 8192,
    image_types=frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"}),
    alt_characters=1000,
    # X API, Media best practices
    animation=Animation(
        frozenset({"image/gif"}),
        15 * 1024 * 1024,
        width=1280,
        height=1080,
        frames=350,
        alone=True,
    ),
    # X API, Media best practices; of posts by accounts that do not pay for more
    video=PlayLimits(frozenset({"video/mp4"}), 512 * 1024 * 1024, longest=140.0, shortest=0.5),
    # X API, Create Post: one choice only; what counts as a character is not said
    polls=PollLimits(4, 25, 5 * 60, 10_080 * 60, multiple=False, count=weighted_length),
)


class TwitterClient:
    """One account on X. See `bridge.network.Client`."""

    limits = LIMITS
    repeatable = False
    keeps_keys = False
    reread_batch = LOOK_UP

    def __init__(
        self,
        settings: Mapping[str, Any],
        session: Session,
        now: Callable[[], datetime],
        ledger: Ledger | None = None,
        exchange: Exchange | None = None,
    ) -> None:
        with_tokens = "client_id" in settings
        self._auth = auth.Bearer(settings, exchange) if with_tokens else auth.Keys(settings)
        self._api = settings["api"].rstrip("/")
        self._session = session
        self._now = now
        self._ledger = ledger or NoLedger()
        self._prices: Mapping[str, float] = {**PRICES, **settings.get("prices", {})}
        self._billed: tuple[date | None, set[tuple[str, str]]] = (None, set())
        self._family = "post"
        self._known: User | None = None
        self._level = ""
        self._parent_waits: Counter[str] = Counter()
        self._processing: set[str] = set()

    # Who

    def login(self) -> Identity:
        """Who the account is: as saved for these keys, else one paid request."""
        if self._known is None and not self._restore():
            try:
                with self._paying("user_read"):
                    answer = self._send(
                        "GET", "/2/users/me", {"user.fields": fields.COMMON["user.fields"]}
                    )
            except Refused as refusal:
                raise LoginNeeded(f"{refusal}: check `api` and the account's keys") from None
            data = self._part(answer, "data")
            self._level = answer.headers.get("x-access-level", "")
            self._new_today({("user_read", _id(data))})
            # Protected unless X says otherwise: nothing of it travels then.
            user = to_user(data, User(str(number(data)), "", protected=True))
            if number(data) < 0 or not user.name:
                raise Unreachable("X did not say which account the keys belong to")
            self._known = user
            self._save()
        user = self._user
        return Identity(user.identity, f"@{user.name}", f"https://x.com/{user.name}")

    def access(self) -> Access:
        """What the keys may do, as X said at login; no request.

        X tells with each answer (X API, "App permissions": the header x-access-level).
        """
        writes = not self._level or "write" in self._level
        return Access(
            scopes=tuple(self._level.split(" ")) if self._level else (),
            lacks_to_post=() if writes else ("write",),
            locked="is protected: none of its posts is public, so none is mirrored"
            if self._user.protected
            else "",
            counted="requests for who it is",
        )

    @property
    def _user(self) -> User:
        assert self._known is not None, "login comes first"
        return self._known

    def _restore(self) -> bool:
        try:
            saved = json.loads(self._session.load() or "{}")
            if saved["keys"] != self._auth.fingerprint or saved["family"] not in fields.FAMILIES:
                return False
            self._known, self._family = User(**saved["user"]), saved["family"]
        except (ValueError, KeyError, TypeError):
            return False
        return True

    def _save(self) -> None:
        data = {"keys": self._auth.fingerprint, "user": asdict(self._user), "family": self._family}
        self._session.save(self._user.identity, json.dumps(data))

    # Reading

    def newest(self) -> str:
        """The id of the account's newest post; "" if it has none."""
        pages = self._pages({"max_results": "5"})
        return _highest(next(pages), "")

    def begin(self, take: Backfill) -> Page:
        """Where to start, and the older posts that an edit could still bring up again."""
        if take.everything:
            return Page((), "")
        editable = self._now() - EDITABLE
        older: list[Post] = []
        taken = 0
        # No more than needed, for every post that is read costs money; X gives 5 to 100.
        size = 100 if take.since else min(max(take.last + 1, 5), 100)
        for page in self._pages({"max_results": str(size)}):
            for post in self._read(page):
                at = snowflake_time(int(post.revision)) or post.created_at
                is_taken = taken < take.last or (take.since is not None and at >= take.since)
                if is_taken and not older:
                    taken += 1
                else:
                    older.append(post)
            if older and older[-1].created_at < editable:
                break
        older.sort(key=lambda post: int(post.revision))
        cursor = older[-1].revision if older else ""
        return Page(tuple(post for post in older if post.created_at >= editable), cursor)

    def fetch(self, cursor: str) -> Page:
        """Everything after `cursor`, oldest first: X pages from the newest down, so to the end."""
        posts: list[Post] = []
        highest = cursor
        for page in self._pages({"max_results": "100"} | ({"since_id": cursor} if cursor else {})):
            posts += self._read(page)
            highest = _highest(page, highest)
        posts.sort(key=lambda post: int(post.revision))
        return Page(tuple(posts), highest)

    def find(self, post_id: str) -> Post:
        """One post of the account; Gone if X says of it that it cannot be found."""
        answer = self._ask_either(f"/2/tweets/{post_id}", {}, post_id)
        page = {**answer.object(), "data": [self._part(answer, "data")]}
        self._bill(page, "post_read")
        posts = self._read(page)
        if not posts or _author(page["data"][0]) != self._user.id:
            raise Refused("that is not a post of this account")
        return posts[0]

    def reread(self, ids: Sequence[str]) -> dict[str, Post | None]:
        """The newest versions of posts by the ids of their first ones; None where X shows none.

        One request for a hundred, and as many again for those that were edited: asked for a
        version, X gives that version.
        """
        newest = {post_id: post_id for post_id in ids}
        shown = self._look_up(ids, newest)
        later = [version for version in newest.values() if version not in newest]
        if later:
            shown |= self._look_up(later, {})
        return {post_id: shown.get(version) for post_id, version in newest.items()}

    def _look_up(self, ids: Sequence[str], newest: dict[str, str]) -> dict[str, Post]:
        """Posts of the account by the ids asked for; fills in what the newest versions are."""
        shown: dict[str, Post] = {}
        for start in range(0, len(ids), LOOK_UP):
            asked = ids[start : start + LOOK_UP]
            answer = self._ask_either("/2/tweets", {"ids": ",".join(asked)})
            page = answer.object()
            # where none of them is shown, X says why
            if not isinstance(page.get("data"), list) and not _list(page, "errors"):
                raise Unreachable("X's answer has neither posts nor a reason why it has none")
            self._bill(page, "post_read")
            own = [p for p in _list(page, "data") if _author(p) == self._user.id]
            for post in own:
                ids_of_it = versions(post)
                newest.update(dict.fromkeys({*asked} & {*ids_of_it}, ids_of_it[-1]))
            shown |= {post.revision: post for post in self._read({**page, "data": own})}
        return shown

    def words(self, ref: Ref) -> tuple[Run, ...]:  # noqa: ARG002
        """None: a boost comes with them."""
        return ()

    def _read(self, page: Mapping[str, Any]) -> list[Post]:
        try:
            user = author(page, self._user)
            if user != self._user:
                self._known = user
                self._save()
            return to_posts(page, user)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise Unreachable(f"X sent posts of a shape that is not documented: {error}") from error

    def _pages(self, params: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The pages of the account's own timeline, newest first."""
        seen = set()
        token = ""
        while True:
            page = self._page({**params, **({"pagination_token": token} if token else {})})
            yield page
            token = page["meta"].get("next_token") or ""
            if not token:
                return
            if not isinstance(token, str) or token in seen:
                raise Unreachable("X's pages do not end: it names the same next page again")
            seen.add(token)

    def _page(self, params: Mapping[str, str]) -> dict[str, Any]:
        answer = self._ask_either(f"/2/users/{self._user.id}/tweets", params)
        page = answer.object()
        # A page with nothing new still has `meta`; one that only has errors is no page.
        if not isinstance(page.get("meta"), dict) or not isinstance(page.get("data", []), list):
            raise Unreachable(f"X sent no posts: {answer.detail() or 'no reason given'}")
        self._bill(page)
        return page

    def _ask_either(self, path: str, params: Mapping[str, str], post_id: str = "") -> wire.Answer:
        """The answer to a request for posts, in the family of names that the API takes.

        Raises Gone if X says that the one post that was asked for cannot be found.
        """
        self._ledger.keep("owned_read", self._price_of(params))
        answer = self._ask(path, params, self._family)
        if fields.refuses_names(answer):
            other = "tweet" if self._family == "post" else "post"
            answer = self._ask(path, params, other)
            if answer.ok:
                self._family = other
                self._save()
        self._check_found(answer, post_id)
        self._check(answer)
        return answer

    def _price_of(self, params: Mapping[str, str]) -> float:
        """What a request for posts costs if its answer is full, in US dollars."""
        if size := int(params.get("max_results", "0")):
            posts = size * self._prices["owned_read"]
        else:
            posts = (params.get("ids", "").count(",") + 1) * self._prices["post_read"]
        return round(posts + self._prices["user_read"], 6)

    def _check_found(self, answer: wire.Answer, post_id: str) -> None:
        """Raise what X says of a single post that it does not show, with a 200 or a 404."""
        problem = trouble_with(_json(answer), post_id) if post_id else ""
        if answer.status in (200, 404) and problem == "resource-not-found":
            raise Gone(f"X has no such post ({answer.detail()})")
        if answer.ok and problem:
            raise Refused(f"X does not show this post ({answer.detail()})")

    def _ask(self, path: str, params: Mapping[str, str], family: str) -> wire.Answer:
        return self._request(
            "GET", path, params={**params, **fields.FAMILIES[family], **fields.COMMON}
        )

    # Writing

    def resolve(self, handle: str) -> str:
        """The handle itself: mentions are never made."""
        return handle

    def upload(self, media: Upload) -> dict[str, Any]:
        """Upload an image with its description; returns {"id": the media id}.

        To repeat any of it harms nothing, so no failure here is Uncertain.
        """
        category = "tweet_gif" if media.animated else "tweet_image"
        media_id, done = self._in_parts(
            io.BytesIO(media.data), len(media.data), media.mime, category
        )
        state = processing(done)[0]
        if state == "failed":
            raise Refused("X could not process the image")
        if state != "succeeded":
            self._processing.add(media_id)
        if media.alt:
            self._describe(media_id, media.alt)
        return {"id": media_id}

    def upload_film(self, film: Film) -> dict[str, Any]:
        """Upload a video in parts, read one by one; `{"id": ...}`, with `pending` as X tells it."""
        media_id, done = self._in_parts(film.file, film.bytes, film.mime, "tweet_video")
        return self._film_state({"id": media_id, "alt": film.alt}, done)

    def processed(self, upload: Mapping[str, Any]) -> dict[str, Any]:
        """The state of a video's processing; its description goes with it when it is ready."""
        asked = {"media_id": upload["id"], "command": "STATUS"}
        return self._film_state(upload, self._part(self._send("GET", UPLOAD, asked), "data"))

    def _film_state(self, upload: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
        state, seconds, why = processing(said)
        if state == "failed":
            raise Refused(f"X could not process the video ({why or 'no reason given'})")
        if state != "succeeded":
            return {**upload, "pending": seconds}
        if upload.get("alt"):
            try:
                self._describe(upload["id"], upload["alt"])
            except Refused as refusal:
                # a video without its description is better than none
                log.warning("X takes no description of a video: %s", refusal)
        return {"id": upload["id"]}

    def _in_parts(
        self, file: IO[bytes], size: int, mime: str, category: str
    ) -> tuple[str, dict[str, Any]]:
        """Upload a file part by part; its id, and what X says at the end."""
        plan = {"media_type": mime, "media_category": category, "total_bytes": size}
        started = self._send("POST", f"{UPLOAD}/initialize", body=plan, write=False)
        media_id = _text(self._part(started, "data"), "id")
        if not media_id.isalnum():
            raise Unreachable("X began an upload without naming it")
        for index, part in enumerate(parts(file, size, SEGMENT)):
            answer = self._request(
                "POST",
                f"{UPLOAD}/{media_id}/append",
                data={"segment_index": str(index)},
                files={"media": ("media", part, mime)},
                write=False,
            )
            self._done(answer)
        ended = self._send("POST", f"{UPLOAD}/{media_id}/finalize", write=False)
        return media_id, self._part(ended, "data")

    def _describe(self, media_id: str, words: str) -> None:
        alt = {"id": media_id, "metadata": {"alt_text": {"text": words}}}
        with self._paying("media_metadata"):
            answer = self._send("POST", "/2/media/metadata", body=alt, write=False)
        self._done(answer)

    def publish(self, payload: Mapping[str, Any], key: str) -> Ref:  # noqa: ARG002
        """Create a post, which X answers with 201, or repost one; one request."""
        if "tweet_id" in payload:
            return self._repost(payload)
        (kind,) = charges(payload, 0)
        with self._paying(kind):
            answer = self._request("POST", "/2/tweets", json=dict(payload))
            if not answer.ok:
                raise self._refusal(answer, payload)
            post_id = _text(self._part(answer, "data"), "id")
            if not post_id.isdecimal():
                raise wire.untrusted("X answered without the id of the new post", write=True)
        url = f"https://x.com/{self._user.name}/status/{post_id}"
        return Ref(post_id, self._user.identity, url)

    def update(self, ref: Ref, payload: Mapping[str, Any]) -> Ref:  # noqa: ARG002 - a protocol
        """Refused: an edit on X is another post, for an hour, and for some accounts only."""
        raise Refused("X shows no edit of a post in place")

    def delete(self, ref: Ref) -> None:
        """Delete a post, all versions of it; one paid request.

        What X refuses is looked up: it may be gone already.
        """
        if ref.account not in ("", self._user.identity):
            raise Refused("that is not a post of this account")
        try:
            with self._paying("delete"):
                answer = self._request("DELETE", f"/2/tweets/{ref.id}")
                self._check_found(answer, ref.id)
                self._check(answer)
                if self._part(answer, "data").get("deleted") is not True:
                    raise wire.untrusted("X did not say that the post is deleted", write=True)
        except Gone:
            return
        except Refused:
            if not self._is_gone(ref.id):
                raise

    def _is_gone(self, post_id: str) -> bool:
        try:
            self.find(post_id)
        except Gone:
            return True
        return False

    def _repost(self, payload: Mapping[str, Any]) -> Ref:
        """Repost a post; again is no change.

        X promises to say that it is done, not the id that the repost has (X API, Repost Post):
        where that is missing, one or two readings of the account tell it.
        """
        with self._paying("repost"):
            path = f"/2/users/{self._user.id}/retweets"
            answer = self._send("POST", path, body={"tweet_id": payload["tweet_id"]})
            data = self._part(answer, "data")
            if data.get("retweeted") is not True:
                raise wire.untrusted("X did not say that it reposted", write=True)
        post_id = _text(data, "id") or _text(data, "rest_id")
        if not post_id.isdecimal() or post_id == payload["tweet_id"]:
            post_id = self._repost_of(payload["tweet_id"])
        url = f"https://x.com/{self._user.name}/status/{post_id}"
        return Ref(post_id, self._user.identity, url)

    def _repost_of(self, post_id: str) -> str:
        """The id of the account's repost of a post, which stands there."""
        try:
            for size in ("5", "100"):
                page = self._page({"max_results": size, "since_id": post_id})
                for post in self._read(page):
                    if post.boost is not None and post.boost.id == post_id:
                        return post.id
        except ClientError as error:
            raise Uncertain(f"X reposted without naming the repost, and then: {error}") from None
        raise Uncertain("X reposted without naming the repost, and does not show it yet")

    def _refusal(self, answer: wire.Answer, payload: Mapping[str, Any]) -> ClientError:
        """The error for a post that was not created, as far as posting has rules of its own."""
        says = answer.detail()
        soon = self._now() + WAIT_FOR_PARENT
        parent = payload.get("reply", {}).get("in_reply_to_tweet_id", "")
        if answer.status == 403 and "deleted or not visible" in says:
            self._parent_waits[parent] += 1
            if self._parent_waits[parent] <= 2:
                return Busy(f"X does not show the post that this one answers yet ({says})", soon)
            return Refused(f"X does not show the post that this one answers ({says})")
        media = payload.get("media", {}).get("media_ids", [])
        if answer.status == 400 and not self._processing.isdisjoint(media):
            self._processing.difference_update(media)
            return Busy(f"X is still processing an image ({says})", soon)
        error = answers.error_of(answer, self._now())
        if answer.status == 403 and parent and type(error) is Refused and "duplicate" not in says:
            return NoReply(f"X refused an answer to an own post ({says})")
        return error

    # Money

    @contextmanager
    def _paying(self, kind: str) -> Iterator[None]:
        """Reserve what a call costs, and settle it by how the call ends.

        What nobody knows the end of stays reserved: X may have charged for it.
        """
        usd = self._prices[kind]
        settle = self._ledger.reserve(kind, usd)
        try:
            yield
        except Uncertain:
            raise
        except ClientError:
            settle(0)
            raise
        settle(usd)

    def _bill(self, page: Mapping[str, Any], kind: str = "owned_read") -> None:
        """Account for all posts and users on a page.

        That X charges for what comes along it does not say; here it counts.
        """
        others = page.get("includes")
        others = others if isinstance(others, dict) else {}
        found = {(kind, _id(post)) for post in _list(page, "data")}
        for name in ("posts", "tweets"):
            found |= {("post_read", _id(post)) for post in _list(others, name)}
        found |= {("user_read", _id(user)) for user in _list(others, "users")}
        if new := Counter(kind for kind, _ in self._new_today(found)):
            self._ledger.spend({kind: round(n * self._prices[kind], 6) for kind, n in new.items()})

    def _new_today(self, resources: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of some (kind, id) that were not read before in this UTC day.

        X charges for each resource once a day (X API, pricing).
        """
        today = self._now().date()
        known = self._billed[1] if self._billed[0] == today else set()
        self._billed = (today, known | resources)
        return resources - known

    # Requests

    def _send(
        self,
        method: Literal["GET", "POST"],
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        body: Any = None,
        write: bool | None = None,
    ) -> wire.Answer:
        answer = self._request(method, path, params=params, json=body, write=write)
        self._check(answer)
        return answer

    def _request(
        self,
        method: auth.Method,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        **more: Any,
    ) -> wire.Answer:
        url = f"{self._api}{path}" + (f"?{urlencode(params)}" if params else "")
        answer = self._asked_once(method, url, path, more)
        # whom X does not know it does nothing for, so this repeats no write
        if answer.status == 401 and self._auth.renew(self._now()):
            answer = self._asked_once(method, url, path, more)
        return answer

    def _asked_once(
        self, method: auth.Method, url: str, path: str, more: Mapping[str, Any]
    ) -> wire.Answer:
        headers = self._auth.headers(method, url, self._now())
        claims = rates.claims(self._api + path, method, self._auth.user, self._auth.app)
        ratelimit.SHARED.claim(list(claims.values()), self._now())
        answer = wire.send(method, url, headers=headers, **more)
        for name, left, end in rates.told(answer.headers):
            ratelimit.SHARED.heard([claims[name]], left, end, self._now())
        return answer

    def _check(self, answer: wire.Answer) -> None:
        if not answer.ok:
            raise answers.error_of(answer, self._now())

    def _done(self, answer: wire.Answer) -> None:
        """A step of an upload was taken: whoever else answers does so with something not JSON."""
        self._check(answer)
        if answer.body.strip():
            answer.object()

    def _part(self, answer: wire.Answer, name: str) -> dict[str, Any]:
        part = answer.object().get(name)
        if isinstance(part, dict):
            return part
        raise wire.untrusted(
            f"X's answer lacks {name!r} ({answer.detail() or 'no reason given'})",
            write=answer.write,
        )


def _highest(page: Mapping[str, Any], cursor: str) -> str:
    """The highest id on a page, or `cursor` if that is higher; ids of X grow with time."""
    posts = [post for post in page.get("data", []) if isinstance(post, dict)]
    newest = max((number(post) for post in posts), default=-1)
    return str(newest) if newest > int(cursor or -1) else cursor


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    found = data.get(name)
    return found if isinstance(found, list) else []


def _id(resource: Any) -> str:
    return str(resource.get("id")) if isinstance(resource, dict) else ""


def _json(answer: wire.Answer) -> Any:
    """The body as JSON; None if it is none."""
    try:
        return answer.json()
    except ClientError:
        return None


def _author(post: Any) -> str:
    return _text(post, "author_id") if isinstance(post, dict) else ""


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
