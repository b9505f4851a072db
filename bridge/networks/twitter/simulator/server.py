"""The simulated X itself: people, requests, rules and prices.

Where X documents nothing, the choice made here stands in a comment.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bridge.networks.twitter.read import EPOCH
from bridge.networks.twitter.simulator import compose, oauth, oauth2, pages, rules
from bridge.networks.twitter.simulator.files import Files
from bridge.networks.twitter.simulator.model import (
    Account,
    Post,
    Problem,
    invalid,
    not_permitted,
    problem,
    unavailable,
)
from bridge.simulation import Request, Response, Simulator

#: what X charges, in dollars (X API pricing, August 2026)
PRICES = {
    "create": 0.015,
    "create with URL": 0.2,
    "repost": 0.015,
    "unrepost": 0.01,
    # X names no price for this; its "Interaction: Delete" is the one that comes near
    "delete": 0.01,
    "media metadata": 0.005,
    "owned read": 0.001,
    "post read": 0.005,
    "user read": 0.01,
}
#: requests in 15 minutes (X API, rate limits); 900 for what is not named
RATES = {
    "POST /2/tweets": 100,
    "DELETE /2/tweets/:id": 50,
    "POST /2/users/:id/retweets": 50,
    "DELETE /2/users/:id/retweets/:id": 50,
    "GET /2/users/me": 75,
    "POST /2/media/upload/initialize": 1875,
    "POST /2/media/upload/:id/append": 1875,
    "POST /2/media/upload/:id/finalize": 1875,
    "POST /2/media/metadata": 500,
}
WINDOW = timedelta(minutes=15)
#: posts in one look-up (X API, Get Posts by IDs)
LOOK_UP = 100
#: posts that an app may create in 24 hours
APP_DAILY = 10_000

_NUMBER = re.compile(r"(?<=\w)/[0-9]+(?=/|$)")


class TwitterSimulator(Simulator):
    """X. `family` says which names it takes, `limits` whether rate limits hold, `self_replies`
    whether an app may answer its account's own posts, `names_reposts` whether the answer to a
    repost names it (X documents these neither way).

    `paid` counts what costs money, by kind; `spent` is the sum in dollars. Once it has reached
    `credits`, every request is answered with 402, as far as is known of X.
    """

    def __init__(
        self,
        *,
        limits: bool = True,
        family: Literal["post", "tweet", "both"] = "both",
        self_replies: bool = True,
        names_reposts: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(now=now)
        self.limits = limits
        self.self_replies = self_replies
        self.names_reposts = names_reposts
        self.families: tuple[pages.Family, ...] = (
            ("post", "tweet") if family == "both" else (family,)
        )
        self.paid: Counter[str] = Counter()
        self.credits: float | None = None
        #: what all keys may do, by X's word for it
        self.access_level = "read-write"
        self._paid_today: set[tuple[str, str, str]] = set()
        self._accounts: dict[str, Account] = {}
        self._by_id: dict[str, Account] = {}
        self._tokens: dict[str, tuple[Account, oauth.Keys]] = {}
        self._guard = oauth.Guard()
        self.oauth2 = oauth2.Tokens(now)
        self._posts: dict[str, Post] = {}
        self._files = Files(now)
        self._windows: dict[tuple[str, str], tuple[datetime, int]] = {}
        self._last_id = 0

    @property
    def spent(self) -> float:
        """Dollars that everything so far would have cost."""
        return round(sum(PRICES[kind] * count for kind, count in self.paid.items()), 6)

    # What people do, in X's own apps.

    def account(
        self,
        name: str,
        application: str = "Web",
        *,
        premium: bool = False,
        protected: bool = False,
    ) -> dict[str, str]:
        """Make the account if need be; returns its settings in the config."""
        with self.lock:
            account = self._person(name)
            account.premium |= premium
            account.protected |= protected
            app = hashlib.sha256(application.encode()).hexdigest()
            user = hashlib.sha256(f"{application}\n{name}".encode()).hexdigest()
            keys = oauth.Keys(app[:25], app[:50], f"{account.id}-{user[:40]}", user[:45])
            self._tokens[keys.token] = account, keys
        return {
            "api_key": keys.key,
            "api_key_secret": keys.key_secret,
            "access_token": keys.token,
            "access_token_secret": keys.token_secret,
            "api": self.url,
        }

    def app(self, redirect_uri: str, *, confidential: bool = False) -> dict[str, str]:
        """A new app with OAuth 2.0; returns its settings in the config."""
        with self.lock:
            app = self.oauth2.register(redirect_uri, confidential=confidential)
        return {**app, "api": self.url}

    def identity(self, name: str) -> str:
        """The identity id of an account."""
        return f"twitter:{self._person(name).id}"

    def protect(self, name: str, *, protected: bool = True) -> None:
        """Show an account's posts to its followers only, or to everyone again."""
        with self.lock:
            self._person(name).protected = protected

    def say(
        self,
        name: str,
        text: str,
        *,
        language: str = "",
        warning: str = "",
        visibility: str = "public",
        images: Sequence[tuple[bytes, str]] = (),
        reply_to: str = "",
        quote: str = "",
        poll: Sequence[str] = (),
        films: Sequence[tuple[bytes, str]] = (),
        sensitive: bool = False,
    ) -> str:
        """Publish as a person would; returns the id.

        X has no content warnings: one becomes the first line, as people write it. It has no
        visibility of single posts either: anything but public raises ValueError; see `protect`.
        """
        if visibility != "public":
            raise ValueError("X has no visibility of single posts: use protect()")
        text = f"CW: {warning}\n\n{text}" if warning else text
        body: dict[str, Any] = {"text": f"{text} https://x.com/i/status/{quote}" if quote else text}
        extra = {"lang": language or "und", "possibly_sensitive": sensitive}
        with self.lock:
            account = self._person(name)
            files = [(data, "image/jpeg", alt) for data, alt in images]
            files += [(data, "video/mp4", alt) for data, alt in films]
            added = [self._files.add(account.id, mime, data, alt) for data, mime, alt in files]
            if added:
                body["media"] = {"media_ids": [file.id for file in added]}
            if reply_to:
                body["reply"] = {"in_reply_to_tweet_id": reply_to}
            if poll:
                body["poll"] = {"options": list(poll), "duration_minutes": 1440}
            return self._natively(account, body, extra)

    def edit(self, name: str, post_id: str, text: str) -> str:
        """Edit a post; returns the id of the new version."""
        with self.lock:
            newest = self._found(self._found(post_id).versions[-1])
            body = {**newest.body, "text": text, "edit_options": {"previous_post_id": post_id}}
            extra = {name: newest.data[name] for name in ("lang", "possibly_sensitive")}
            return self._natively(self._person(name), body, extra)

    def delete(self, name: str, post_id: str) -> None:
        """Delete a post, all versions of it."""
        with self.lock:
            self._delete(self._person(name), post_id)

    def boost(self, name: str, post_id: str) -> str:
        """Repost; returns the id of the repost."""
        with self.lock:
            return str(self._repost(self._person(name), post_id).id)

    def _natively(self, account: Account, body: Mapping[str, Any], extra: dict[str, Any]) -> str:
        try:
            return str(self._create(account, body, extra, native=True).id)
        except Problem as refusal:
            raise RuntimeError(f"X refused: {refusal.response.body}") from refusal

    def _person(self, name: str) -> Account:
        if name not in self._accounts:
            digest = int(hashlib.sha256(name.encode()).hexdigest(), 16)
            account = Account(str(10**17 + digest % 10**17), name)
            self._accounts[name] = self._by_id[account.id] = account
        return self._accounts[name]

    # Requests.

    def kind_of(self, request: Request) -> str:
        """The request's method and path, with `:id` for every id."""
        return f"{request.method} {_NUMBER.sub('/:id', request.path)}"

    def handle(self, request: Request) -> Response:
        """Answer as X does: signature, then rate limit, then the request itself."""
        if request.path.startswith("/media/"):
            media_id = request.path.removeprefix("/media/")
            return self._files.serve(media_id, still=request.url.endswith("?still"))
        if answer := self.oauth2.answer(request, list(self._accounts)):
            return answer
        headers: dict[str, str] = {}
        try:
            account, app = self._signed_in(request)
            kind = self.kind_of(request)
            if self.credits is not None and self.spent >= self.credits:
                raise problem(402, "The app has no credits left.", "CreditsDepleted")
            if self.limits:
                headers = self._use("x-rate-limit", f"{account.id} {kind}", RATES.get(kind, 900))
                if kind == "POST /2/tweets":
                    day = timedelta(days=1)
                    headers |= self._use("x-app-limit-24hour", app, APP_DAILY, day)
            response = self._route(account, kind, request)
        except Problem as refusal:
            response = refusal.response
        headers["x-access-level"] = self.access_level
        return Response(response.status, response.body, {**headers, **response.headers})

    def _signed_in(self, request: Request) -> tuple[Account, str]:
        if request.headers.get("authorization", "").startswith("Bearer "):
            return self._bearer(request)
        params = oauth.authorization(request)
        known = self._tokens.get(params.get("oauth_token", ""))
        if known is None:
            raise problem(401, "Unauthorized")
        account, keys = known
        flaw = self._guard.flaw(request, params, keys, self.now())
        if flaw:
            raise problem(401, flaw)
        return account, keys.key

    def _bearer(self, request: Request) -> tuple[Account, str]:
        """The account and app of an OAuth 2.0 access token."""
        grant = self.oauth2.grant_of(request.headers["authorization"].partition(" ")[2])
        if grant is None:
            raise problem(401, "Unauthorized")
        wanted = oauth2.scopes_for(request.method, request.path)
        if not {*grant.scopes} >= wanted:
            raise problem(403, f"Missing required scopes: {' '.join(sorted(wanted))}")
        return self._accounts[grant.person], grant.app.client_id

    def _use(self, name: str, who: str, limit: int, window: timedelta = WINDOW) -> dict[str, str]:
        """Count a request against a limit; returns the headers, or raises the 429."""
        now = self.now()
        end, used = self._windows.get((name, who), (now, 0))
        if end <= now:
            end, used = now + window, 0
        headers = {
            f"{name}-limit": str(limit),
            f"{name}-remaining": str(max(0, limit - used - 1)),
            f"{name}-reset": str(int(end.timestamp()) + 1),
        }
        if used >= limit:
            raise Problem(Response(429, problem(429, "Too Many Requests").response.body, headers))
        self._windows[(name, who)] = end, used + 1
        return headers

    def _route(self, account: Account, kind: str, request: Request) -> Response:
        part = request.path.split("/")
        match kind:
            case "GET /2/users/me":
                self._pay("user read", account.id)
                wanted = {"id", "name", "username", *request.get("user.fields").split(",")}
                return Response(200, {"data": pages.user_body(account, wanted)})
            case "GET /2/users/:id/tweets":
                return Response(200, self._timeline(account, part[3], request))
            case "GET /2/tweets/:id":
                family = pages.family_of(request, self.families)
                post = self._found(part[3], account)
                self._pay("post read", part[3])
                body = pages.page_body([post], request, family, self.url, self._pay)
                return Response(200, {**body, "data": body["data"][0]})
            case "POST /2/tweets":
                post = self._create(account, _body(request), {"lang": "und"})
                self._pay("create with URL" if post.links else "create")
                data = {name: post.data[name] for name in ("id", "text", "edit_history_post_ids")}
                return Response(201, {"data": pages.named(data, self.families[0])})
            case "GET /2/tweets":
                return Response(200, self._several(account, request))
            case "DELETE /2/tweets/:id":
                self._delete(account, part[3])
                self._pay("delete")
                return Response(200, {"data": {"deleted": True}})
            case "POST /2/users/:id/retweets" if part[3] == account.id:
                post = self._repost(account, str(_body(request).get("tweet_id")))
                self._pay("repost")
                told = {"id": str(post.id)} if self.names_reposts else {}
                return Response(200, {"data": {**told, "retweeted": True}})
            case "DELETE /2/users/:id/retweets/:id" if part[3] == account.id:
                for post in account.posts[:]:
                    if post.boosted and part[5] in post.boosted.versions:
                        self._delete(account, str(post.id))
                self._pay("unrepost")
                return Response(200, {"data": {"retweeted": False}})
        if request.path.startswith("/2/media/"):
            is_json = request.content_type == "application/json"
            answer = self._files.answer(
                account.id, kind, request, _body(request) if is_json else {}
            )
            if kind == "POST /2/media/metadata":
                self._pay("media metadata")
            return answer
        raise problem(404, "Not Found")

    def _several(self, account: Account, request: Request) -> dict[str, Any]:
        """Posts by their ids, and a problem for each that cannot be shown."""
        family = pages.family_of(request, self.families)
        ids = request.get("ids").split(",")
        if not 1 <= len(ids) <= LOOK_UP or not all(each.isdecimal() for each in ids):
            raise invalid("ids", request.get("ids"), "The `ids` query parameter value is not valid")
        found, errors = [], []
        for post_id in dict.fromkeys(ids):
            try:
                found.append(self._found(post_id, account))
            except Problem as refusal:
                errors.append({**refusal.response.body, "parameter": "ids"})
        for post in found:
            self._pay("post read", str(post.id))
        body = pages.page_body(found, request, family, self.url, self._pay) if found else {}
        return {**body, "errors": errors} if errors else body

    def _timeline(self, account: Account, owner_id: str, request: Request) -> dict[str, Any]:
        family = pages.family_of(request, self.families)
        owner = self._by_id.get(owner_id)
        if owner is None or (owner.protected and owner is not account):
            title = "Not Found Error" if owner is None else "Authorization Error"
            return {"errors": [{"title": title, "detail": f"User [{owner_id}] is not available."}]}
        found, token = pages.select(owner, request)
        if not found:
            return {"meta": {"result_count": 0}}
        for post in found:
            # X charges less where the app belongs to the account; here it always does.
            self._pay("owned read" if owner is account else "post read", str(post.id))
        body = pages.page_body(found, request, family, self.url, self._pay)
        meta = {
            "result_count": len(found),
            "newest_id": str(found[0].id),
            "oldest_id": str(found[-1].id),
        }
        return {**body, "meta": {**meta, "next_token": token} if token else meta}

    def _pay(self, kind: str, resource: str = "") -> None:
        """Charge for a call; a resource that is read costs once per UTC day."""
        if resource:
            once = self.now().date().isoformat(), kind, resource
            if once in self._paid_today:
                return
            self._paid_today.add(once)
        self.paid[kind] += 1

    # Posts.

    def _found(self, post_id: str, reader: Account | None = None) -> Post:
        post = self._posts.get(post_id)
        if post is None:
            raise unavailable(post_id, "not-found")
        if reader and post.account.protected and post.account is not reader:
            raise unavailable(post_id, "not-authorized")
        return post

    def _create(
        self,
        account: Account,
        body: Mapping[str, Any],
        extra: Mapping[str, Any],
        *,
        native: bool = False,
    ) -> Post:
        """Publish a post, or a new version of one, if every rule allows it."""
        text = rules.text_of(body)
        previous = rules.edited_by(account, body, self._posts, self.now(), native=native)
        parent = rules.parent_of(
            account, body, self._posts, native=native, self_replies=self.self_replies
        )
        media = self._files.attached(account.id, body)
        is_long = rules.check(account, text, body, native=native)
        if previous is None and not media:
            rules.check_duplicate(account, text, self.now())
        versions = previous.versions if previous else []
        post = self._add(account, text, body, versions)
        account.sent[text] = (post.at, post.id)
        post.media, post.parent = media, parent
        post.quoted = self._posts.get(compose.quoted_id(text))
        url = f"https://x.com/{account.name}/status/{post.id}"
        whole = compose.compose(text, str(post.id), media, url)
        post.links = whole.links
        post.data |= {**extra, "text": whole.text}
        if is_long:
            post.data |= compose.note(text, str(post.id), media, url)
        elif whole.entities:
            post.data["entities"] = whole.entities
        if media:
            post.data["attachments"] = {"media_keys": [file.key for file in media]}
        if "poll" in body:
            options = enumerate(body["poll"]["options"], 1)
            labels = [{"position": n, "label": label, "votes": 0} for n, label in options]
            end = self.now() + timedelta(minutes=body["poll"]["duration_minutes"])
            post.poll = {
                **body["poll"],
                "id": str(post.id + 1),
                "options": labels,
                "end_datetime": end.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z",
                "voting_status": "open",
            }
            post.data["attachments"] = {"poll_ids": [post.poll["id"]]}
        if parent:
            post.data["in_reply_to_user_id"] = parent.account.id
        self._refer(post, replied_to=parent, quoted=post.quoted)
        if previous:
            account.remove(previous)
        self._journal(post, "edit" if previous else "publish")
        return post

    def _add(
        self, account: Account, text: str, body: Mapping[str, Any], versions: list[str]
    ) -> Post:
        """A new post on the account's timeline, bare."""
        now = self.now()
        milliseconds = int(now.timestamp() * 1000) - EPOCH
        self._last_id = max(self._last_id + 1, milliseconds << 22)
        versions.append(str(self._last_id))
        data: dict[str, Any] = {
            "id": str(self._last_id),
            "text": text,
            "author_id": account.id,
            "created_at": now.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z",
            "edit_history_post_ids": versions,
            "lang": "und",
            "possibly_sensitive": False,
            "reply_settings": body.get("reply_settings", "everyone"),
        }
        post = Post(self._last_id, account, now, text, data, versions, dict(body))
        self._posts[str(post.id)] = post
        account.ids.append(post.id)
        account.posts.append(post)
        return post

    def _refer(self, post: Post, **others: Post | None) -> None:
        found = [{"type": kind, "id": str(p.id)} for kind, p in others.items() if p]
        if found:
            post.data["referenced_posts"] = found

    def _repost(self, account: Account, post_id: str) -> Post:
        target = self._found(post_id, account)
        target = target.boosted or target
        for post in account.posts:
            if post.boosted is target:
                return post
        text = f"RT @{target.account.name}: {target.text}"[:140]
        post = self._add(account, text, {}, [])
        post.boosted = target
        self._refer(post, retweeted=target)
        self.note(account.name, "publish", str(post.id), boost_of=post_id, raw=dict(post.data))
        return post

    def _delete(self, account: Account, post_id: str) -> None:
        post = self._found(post_id)
        if post.account is not account:
            raise not_permitted()
        for other in [each for each in self._posts.values() if each.boosted is post]:
            self._delete(other.account, str(other.id))
        for version in post.versions:
            gone = self._posts.pop(version)
            account.remove(gone)
            if account.sent.get(gone.text, (None, 0))[1] == gone.id:
                del account.sent[gone.text]
        self.note(account.name, "delete", post.versions[0])

    def _journal(self, post: Post, action: Literal["publish", "edit"]) -> None:
        language = post.data["lang"]
        self.note(
            post.account.name,
            action,
            str(post.id),
            text=post.text,
            reply_to=str(post.parent.id) if post.parent else "",
            quote_of=str(post.quoted.id) if post.quoted else "",
            visibility="private" if post.account.protected else "public",
            languages=() if language == "und" else (language,),
            links=post.links,
            alts=tuple(file.alt for file in post.media),
            poll=tuple(option["label"] for option in (post.poll or {}).get("options", ())),
            raw={**post.data, "edit_history_post_ids": [*post.versions]},
        )


def _body(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise problem(400, "Request body is not valid JSON")
    return body
