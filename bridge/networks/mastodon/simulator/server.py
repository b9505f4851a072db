"""A loopback server that behaves as Mastodon does, or as GoToSocial or Takahe do.

Here is its HTTP: logins, quotas, routes. What it holds and by which rules is in `simulated`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from bridge.networks.mastodon.simulator.flavours import FLAVOURS, POLLS, FlavourName, instance
from bridge.networks.mastodon.simulator.model import Account, Attachment, Refusal, Server
from bridge.oauth_server import App, AuthorizationServer, OAuthError, fields
from bridge.simulation import Request, Response, Simulator

#: requests allowed, and seconds (Mastodon documentation, api/rate-limits; statuses: its code)
QUOTAS = {
    "all": (300, 300),
    "pages": (300, 900),
    "media": (30, 1800),
    "deletes": (30, 1800),
    "statuses": (300, 10800),
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class MastodonSimulator(Simulator):
    """`flavour` chooses the software; `limits=False` lifts the rate limits.

    `characters` overrides the flavour's limit on a text; `processing` is how long an uploaded image
    is not ready.
    """

    def __init__(
        self,
        *,
        flavour: FlavourName = "mastodon",
        limits: bool = True,
        characters: int = 0,
        processing: timedelta = timedelta(0),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(now=now)
        self.flavour = FLAVOURS[flavour]
        self.limits = limits
        self._server = Server(
            self.flavour, characters or self.flavour.characters, processing, now, self.note
        )
        self._tokens: dict[str, tuple[Account, str]] = {}
        self._used: dict[tuple[str, str, int], int] = {}
        self._lacks: dict[str, set[str]] = {}
        self.oauth = AuthorizationServer(now, life=timedelta(minutes=10))
        self._granted: dict[str, App] = {}

    def start(self, port: int = 0) -> str:
        """Serve on 127.0.0.1 in a thread of its own; returns the URL, without a slash."""
        self._server.url = super().start(port)
        return self.url

    # What people do.

    def account(self, name: str, application: str = "Web") -> dict[str, str]:
        """The account settings of `name` as used by `application`; makes the account if needed."""
        with self.lock:
            token = hashlib.sha256(f"{name} {application}".encode()).hexdigest()[:43]
            self._tokens[token] = (self._server.account(name), application)
        return {"server": self.url, "access_token": token}

    def revoke(self, name: str) -> None:
        """Make every token of an account invalid, until `account` is asked for it again."""
        with self.lock:
            owner = self._server.accounts[name]
            self._tokens = {k: v for k, v in self._tokens.items() if v[0] is not owner}

    def narrow(self, name: str, *scopes: str) -> None:
        """Take these scopes from all tokens of an account."""
        with self.lock:
            self._lacks[name] = set(scopes)

    def approve_followers(self, name: str) -> None:
        """Let an account choose its followers: it is locked, as Mastodon calls that."""
        with self.lock:
            self._server.account(name).entity["locked"] = True

    def identity(self, name: str) -> str:
        """The identity of an account, as the client reports it."""
        account_id = self._server.accounts[name].entity["id"]
        return f"mastodon:{urlsplit(self.url).netloc}/{account_id}"

    def say(
        self,
        name: str,
        text: str,
        *,
        language: str = "",
        warning: str = "",
        visibility: str = "public",
        images: Iterable[tuple[bytes, str]] = (),
        films: Iterable[tuple[bytes, str]] = (),
        reply_to: str = "",
        card: Mapping[str, Any] | None = None,
        **native: Any,
    ) -> str:
        """Publish as a person does; returns the status's id. `native` goes into the request.

        `images` and `films`, videos or sounds, are files with their descriptions; `card` is what
        the server makes of a page that is linked (Mastodon documentation, entities/PreviewCard).
        """
        with self.lock:
            account = self._server.account(name)
            uploads = [self._server.upload(account, data, alt) for data, alt in (*images, *films)]
            for upload in uploads:
                upload.ready_at, upload.failed = self.now(), False  # people's apps wait
        body = {"status": text, "visibility": visibility, **native}
        more = {
            "language": language,
            "spoiler_text": warning,
            "in_reply_to_id": reply_to,
            "media_ids": [upload.entity["id"] for upload in uploads],
        }
        body |= {field: value for field, value in more.items() if value}
        post_id = str(self._as(name, "POST", "/api/v1/statuses", body)["id"])
        if card is not None:
            with self.lock:
                status = self._server.statuses[post_id]
                status.entity = status.entity | {"card": {"type": "link", **card}}
        return post_id

    def edit(
        self,
        name: str,
        id: str,  # noqa: A002 - as networks call it
        text: str | None = None,
        *,
        warning: str | None = None,
        images: Iterable[tuple[bytes, str]] | None = None,
        **native: Any,
    ) -> None:
        """Change a status as a person does; what is not given stays, its poll and votes too.

        `native` goes into the request, such as `language` or `media_attributes`.
        """
        with self.lock:
            status = self._server.statuses[id]
            old, account = status.entity, status.account
            media_ids = [item["id"] for item in old["media_attachments"]]
            if images is not None:
                uploads = [self._server.upload(account, data, alt) for data, alt in images]
                for upload in uploads:
                    upload.ready_at = self.now()  # people's apps wait
                media_ids = [upload.entity["id"] for upload in uploads]
        body = {
            "status": status.source if text is None else text,
            "spoiler_text": old["spoiler_text"] if warning is None else warning,
            "sensitive": old["sensitive"],
            "media_ids": media_ids,
            "language": old["language"],
        }
        if poll := old["poll"]:
            left = datetime.fromisoformat(poll["expires_at"]) - self.now()
            options = [option["title"] for option in poll["options"]]
            seconds = max(int(left.total_seconds()), POLLS["min_expiration"])
            body["poll"] = {"options": options, "expires_in": seconds, "multiple": poll["multiple"]}
        self._as(name, "PUT", f"/api/v1/statuses/{id}", body | native)

    def set_visibility(self, id: str, visibility: str) -> None:  # noqa: A002
        """Show a status to others than before, which no request of Mastodon's API can."""
        with self.lock:
            self._server.set_visibility(id, visibility)

    def vote(self, id: str, choice: int, votes: int = 1) -> None:  # noqa: A002
        """Let people vote for an option, counted from 0, of a status's poll."""
        with self.lock:
            poll = self._server.statuses[id].entity["poll"]
            poll["options"][choice]["votes_count"] += votes
            poll["votes_count"] += votes

    def delete(self, name: str, id: str) -> None:  # noqa: A002
        """Delete a status as a person does."""
        self._as(name, "DELETE", f"/api/v1/statuses/{id}")

    def boost(self, name: str, url_or_id: str, visibility: str = "public") -> str:
        """Boost a status, one of another server too; returns the id of the boost."""
        path = f"/api/v1/statuses/{self._resolve(url_or_id)}/reblog"
        return str(self._as(name, "POST", path, {"visibility": visibility})["id"])

    def unboost(self, name: str, url_or_id: str) -> None:
        """Take a boost back."""
        self._as(name, "POST", f"/api/v1/statuses/{self._resolve(url_or_id)}/unreblog", {})

    def _resolve(self, url_or_id: str) -> str:
        with self.lock:
            server = self._server
            known = server.statuses.get(url_or_id) or server.by_url.get(url_or_id)
            return str((known or server.remote(url_or_id)).entity["id"])

    def _as(self, name: str, method: str, path: str, body: Any = None) -> Any:
        """A request of the person's own app."""
        token = self.account(name)["access_token"]
        head = {"Authorization": f"Bearer {token}", "User-Agent": "web", "X-Unmetered": "1"}
        return self.call(method, path, json_body=body, headers=head)

    # Answering.

    def kind_of(self, request: Request) -> str:
        """Method and path, ids left out."""
        path = re.sub(r"/(\d+|[0-9A-HJKMNP-TV-Z]{26})(?=/|$)", "/:id", request.path)
        return f"{request.method} {path}"

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        headers: dict[str, str] = {}
        try:
            if request.path == "/api/v1/apps" or request.path.startswith(("/oauth/", "/.well-")):
                return self._oauth(request)
            if not request.path.startswith("/api/"):
                return self._page_or_file(request)
            self._check_headers(request)
            account, application = self._login(request)
            self._count(request, account, headers)
            answer = self._route(request, account, application)
        except Refusal as refusal:
            html = refusal.status == 500
            body: Any = f"<h1>{refusal}</h1>" if html else {"error": refusal.message}
            return Response(refusal.status, body, headers)
        if isinstance(answer, Response):
            return Response(answer.status, answer.body, headers)
        return Response(200, answer, headers)

    def _oauth(self, request: Request) -> Response:
        """Apps and tokens (Mastodon documentation, methods/apps and methods/oauth)."""
        try:
            return self._oauth_request(request)
        except OAuthError as refusal:
            return Response(refusal.status, {"error": refusal.error})

    def _oauth_request(self, request: Request) -> Response:
        match (request.method, request.path):
            case ("GET", "/.well-known/oauth-authorization-server"):
                if self.flavour.name == "mastodon":
                    return Response(200, {"code_challenge_methods_supported": ["S256"]})
            case ("GET", "/oauth/authorize"):
                return self.oauth.authorize(request, list(self._server.accounts))
            case ("POST", "/api/v1/apps"):
                form = fields(request)
                uris, scopes = form["redirect_uris"].split(), form.get("scopes", "read")
                app = self.oauth.register(form["client_name"], uris, scopes.split())
                told = {"name": app.name, "client_id": app.client_id}
                return Response(200, {**told, "client_secret": app.client_secret})
            case ("POST", "/oauth/token"):
                form = fields(request)
                grant = self.oauth.redeem(self.oauth.client(request, form), form)
                token = self.oauth.issue("access token")
                self._tokens[token] = self._server.account(grant.person), grant.app.name
                self._granted[token] = grant.app
                given = {"access_token": token, "token_type": "Bearer"}
                at = int(self.now().timestamp())
                return Response(200, {**given, "scope": " ".join(grant.scopes), "created_at": at})
            case ("POST", "/oauth/revoke"):
                form = fields(request)
                app = self.oauth.client(request, form)
                if self._granted.get(form.get("token", "")) != app:
                    raise OAuthError("unauthorized_client", 403)
                del self._tokens[form["token"]], self._granted[form["token"]]
                return Response(200, {})
        return Response(404, {"error": "Not Found"})

    def _check_headers(self, request: Request) -> None:
        """GoToSocial wants to know who asks, and to be asked for JSON."""
        if self.flavour.name != "gotosocial":
            return
        if not request.headers.get("user-agent"):
            raise Refusal(418, "I'm a teapot: no user-agent sent with request")
        accept = request.headers.get("accept", "*/*")
        if not any(kind in accept for kind in ("*/*", "application/*", "application/json")):
            raise Refusal(406, "Not Acceptable: only application/json")

    def _login(self, request: Request) -> tuple[Account | None, str]:
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if token in self._tokens:
            return self._tokens[token]
        public = request.path in ("/api/v1/instance", "/api/v2/instance")
        if token or (self.flavour.name == "gotosocial" and not public):
            raise Refusal(self.flavour.bad_token, "The access token is invalid")
        return None, ""

    def _count(self, request: Request, account: Account | None, headers: dict[str, str]) -> None:
        """Count a request against its quotas, and say in `headers` what is left of one of them.

        Of the tightest; but a new status tells of the quota on statuses (Mastodon's own code).
        """
        if not self.limits or account is None or "x-unmetered" in request.headers:
            return
        now = int(self.now().timestamp())
        for kind in _quotas(request):
            allowed, seconds = QUOTAS[kind]
            use = (account.name, kind, now // seconds)
            self._used[use] = self._used.get(use, 0) + 1
            end = (now // seconds + 1) * seconds
            iso = datetime.fromtimestamp(end, UTC).isoformat()
            left = max(allowed - self._used[use], 0)
            tightest = left < int(headers.get("X-RateLimit-Remaining", allowed + 1))
            if not tightest and kind != "statuses":
                continue
            headers |= {
                "X-RateLimit-Limit": str(allowed),
                "X-RateLimit-Remaining": str(left),
                "X-RateLimit-Reset": str(end) if self.flavour.name == "gotosocial" else iso,
            }
            if self._used[use] > allowed:
                raise Refusal(429, "Too many requests")

    def _route(self, request: Request, account: Account | None, application: str) -> Any:
        server = self._server
        match (request.method, *request.path.strip("/").split("/")[1:]):
            case ("GET", "v1" | "v2" as version, "instance"):
                if version == "v2" and self.flavour.name == "takahe":
                    raise Refusal(500, "Server Error")
                return instance(
                    self.flavour, version, self.url, server.characters, server.video_bytes
                )
            case ("GET", "v1", "accounts", "lookup"):
                return self._account(server.accounts, request.get("acct").split("@")[0]).entity
            case _ if account is None:
                raise Refusal(401, "The access token is invalid")
            case _ if _scope(request) in self._lacks.get(account.name, ()):
                raise Refusal(403, "This action is outside the authorized scopes")
            case ("GET", "v1", "accounts", "verify_credentials"):
                return account.entity | {"source": {"privacy": "public", "language": None}}
            case ("GET", "v1", "accounts", of, "statuses"):
                owner = self._account(server.accounts_by_id, of)
                return server.page(owner, account, dict(request.query))
            case ("GET", "v1", "accounts", of):
                return self._account(server.accounts_by_id, of).entity
            case ("POST", "v2", "media"):
                return self._upload(request, account)
            case ("GET", "v1", "media", media_id):
                attachment = server.media.get(media_id)
                # Mastodon shows it here until a status has it
                taken = attachment and attachment.attached and self.flavour.name == "mastodon"
                if attachment is None or attachment.account is not account or taken:
                    raise Refusal(404, "Record not found")
                return self._attachment(attachment, working=206)
            case (_, "v1", "statuses", *rest):
                return self._statuses(request, account, application, rest)
        raise Refusal(404, "Not Found")

    def _statuses(
        self, request: Request, account: Account, application: str, rest: list[str]
    ) -> Any:
        server = self._server
        match (request.method, *rest):
            case ("POST",):
                key = request.headers.get("idempotency-key", "")
                return server.publish(account, application, self._asked(request), key).entity
            case ("GET",) if self.flavour.name == "mastodon":
                return server.several(request.all("id[]"), account)
            case ("GET", post_id):
                return server.seen(post_id, account).entity
            case ("GET", post_id, "source"):
                status = server.own(post_id, account)
                warning = status.entity["spoiler_text"]
                return {"id": post_id, "text": status.source, "spoiler_text": warning}
            case ("GET", post_id, "history"):
                return server.seen(post_id, account).history
            case ("PUT", post_id):
                return server.edit(server.own(post_id, account), self._asked(request)).entity
            case ("DELETE", post_id):
                delete_media = request.get("delete_media") == "true"
                return server.delete(server.own(post_id, account), delete_media=delete_media)
            case ("POST", post_id, "reblog"):
                visibility = self._asked(request).get("visibility") or "public"
                return server.boost(server.seen(post_id, account), account, visibility).entity
            case ("POST", post_id, "unreblog"):
                return server.unboost(server.seen(post_id, account), account).entity
        raise Refusal(404, "Not Found")

    def _account(self, where: Mapping[str, Account], name: str) -> Account:
        if name not in where:
            raise Refusal(404, "Record not found")
        return where[name]

    def _page_or_file(self, request: Request) -> Response:
        """An uploaded file, or the page of a public status, as a browser gets it."""
        server = self._server
        if request.path in server.files:
            data, kind = server.files[request.path]
            return Response(200, data, {"Content-Type": kind})
        status = server.by_url.get(self.url + request.path)
        if status is None or not server.visible(status, None):
            return Response(404, "<h1>Not found</h1>")
        head = f"<!doctype html><title>{status.account.name}</title>"
        return Response(200, head + status.entity["content"])

    def _upload(self, request: Request, account: Account) -> Response:
        fields = dict(request.form())
        if "file" not in fields:
            raise Refusal(422, "Validation failed: File can't be blank")
        alt = fields["description"].text if "description" in fields else ""
        focus = fields["focus"].text if "focus" in fields else ""
        return self._attachment(self._server.upload(account, fields["file"].data, alt, focus), 202)

    def _attachment(self, attachment: Attachment, working: int) -> Response:
        """An attachment; while the server still works on it, without URL and with that status."""
        if self._server.ready(attachment):
            if attachment.failed:
                raise Refusal(422, "Error processing thumbnail for uploaded media")
            return Response(200, attachment.entity)
        return Response(working, attachment.entity | {"url": None})

    def _asked(self, request: Request) -> dict[str, Any]:
        """The fields of a request, from JSON or a form; GoToSocial insists on their types."""
        if request.content_type == "application/json":
            try:
                asked = request.json()
            except ValueError:
                raise Refusal(400, "invalid JSON") from None
            if not isinstance(asked, dict):
                raise Refusal(400, "a JSON object is needed")
            if self.flavour.name == "gotosocial":
                _insist(asked)
            return asked
        asked = {}
        for name, part in request.form():
            if name.endswith("[]"):
                asked.setdefault(name[:-2], []).append(part.text)
            else:
                asked[name] = part.text not in ("false", "0") if name == "sensitive" else part.text
        return asked


def _scope(request: Request) -> str:
    """The scope that a request needs (Mastodon documentation, api/oauth-scopes)."""
    parts = request.path.split("/")
    what = "statuses" if parts[-1] == "statuses" else parts[3]
    return f"{'read' if request.method == 'GET' else 'write'}:{what}"


def _quotas(request: Request) -> list[str]:
    """The quotas that a request counts against."""
    kinds = ["all"]
    if any(request.get(name) for name in ("max_id", "min_id", "since_id")):
        kinds.append("pages")
    if request.method == "DELETE" or request.path.endswith("/unreblog"):
        kinds.append("deletes")
    if request.method == "POST" and request.path == "/api/v2/media":
        kinds.append("media")
    posts = request.path == "/api/v1/statuses" or request.path.endswith("/reblog")
    if request.method == "POST" and posts:
        kinds.append("statuses")
    return kinds


def _insist(asked: Mapping[str, Any]) -> None:
    """GoToSocial: JSON fields of the right type, and a language that is a tag."""
    types: dict[str, type] = {
        "status": str,
        "spoiler_text": str,
        "sensitive": bool,
        "visibility": str,
        "language": str,
        "in_reply_to_id": str,
        "media_ids": list,
    }
    for name, kind in types.items():
        if asked.get(name) is not None and not isinstance(asked[name], kind):
            raise Refusal(400, f"Bad Request: {name} has the wrong type")
    if asked.get("language") and not _LANGUAGE.fullmatch(asked["language"]):
        raise Refusal(400, f"Bad Request: could not parse language {asked['language']}")
