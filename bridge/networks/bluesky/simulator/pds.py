"""What the server answers: sessions, one repository for each account, blobs, rate limits."""

from __future__ import annotations

import base64
import bisect
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bridge.networks.bluesky.simulator import lexicon
from bridge.networks.bluesky.write import (
    COLLECTION,
    MARK,
    REPOSTS,
    VIDEO,
    micros,
    tid,
    tid_micros,
)
from bridge.simulation import Request, Response, Simulator

#: lives of tokens in the official PDS
ACCESS_LIFE = timedelta(hours=2)
REFRESH_LIFE = timedelta(days=90)
REFRESH_GRACE = timedelta(hours=2)
#: limits of the official PDS: what is counted, in which time, how much of it
WRITES = (timedelta(hours=1), 5000)
REQUESTS = (timedelta(minutes=5), 3000)
LOGINS = (timedelta(minutes=5), 30)
COSTS = {"create": 3, "update": 2, "delete": 1}
BLOB_LIMIT = 50 * 1024 * 1024

_JSON = {"content-type": "application/json; charset=utf-8"}


class Refusal(Exception):
    """An error answer of XRPC."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error = status, error


@dataclass(slots=True)
class _Record:
    """A record, its address, and the JSON in which pages show it."""

    value: dict[str, Any]
    cid: str
    item: str


@dataclass(slots=True)
class _Collection:
    """Records of one kind, their keys in order."""

    records: dict[str, _Record] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Account:
    """An account with its repository."""

    handle: str
    did: str
    #: app passwords
    passwords: set[str] = field(default_factory=set)
    #: the account's own password, and whether a login by it needs a code too
    password: str = ""
    second_factor: bool = False
    collections: dict[str, _Collection] = field(default_factory=lambda: defaultdict(_Collection))
    blobs: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    rev: str = ""
    last_key: int = 0
    #: refresh tokens by id: when it was first used, and the id that came after it
    refreshed: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    tokens: int = 0
    #: of access tokens: appPass, appPassPrivileged, or access, for the account's own password
    scope: str = "appPass"
    locked: Literal["", "AccountTakedown", "AccountDeactivated"] = ""


@dataclass(frozen=True, slots=True)
class _Write:
    action: Literal["create", "update", "delete"]
    collection: str
    rkey: str
    value: dict[str, Any] | None = None


class Pds(Simulator):
    """The server. `limits` switches rate limits, `did_doc` the address in logins."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        limits: bool = True,
        did_doc: bool = True,
    ) -> None:
        super().__init__(now=now)
        self.limits = limits
        self.did_doc = did_doc
        #: bytes of the largest blob
        self.blob_limit = BLOB_LIMIT
        self.accounts: dict[str, Account] = {}
        self.dids: dict[str, Account] = {}
        self._used: dict[tuple[str, str], tuple[datetime, int]] = {}

    def made(self, name: str) -> Account:
        """The account of a handle, made if needed."""
        account = self.accounts.get(name)
        if account is None:
            digest = base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()
            account = Account(name, f"did:plc:{digest[:24]}")
            self.accounts[name] = self.dids[account.did] = account
            self._commit(account)
        return account

    def next_key(self, account: Account) -> str:
        """A record key for the present, later than any given before."""
        account.last_key = max(micros(self.now()), account.last_key + 1)
        return tid(account.last_key, 7)

    def _commit(self, account: Account) -> None:
        before = tid_micros(account.rev) if account.rev else 0
        account.rev = tid(max(micros(self.now()), (before or 0) + 1), 0)

    def handle(self, request: Request) -> Response:
        """Answer one XRPC request."""
        method = request.path.removeprefix("/xrpc/")
        answer = self._METHODS.get((request.method, method))
        if answer is None:
            return _error(400, "InvalidRequest", f"No service configured for {method}")
        headers: dict[str, str] = {}
        try:
            if request.headers.get("x-ratelimit-bypass") is None:
                headers = self._count("requests", "all", REQUESTS, 1)
            response = answer(self, request)
            return Response(response.status, response.body, {**headers, **response.headers})
        except Refusal as refusal:
            return _error(refusal.status, refusal.error, str(refusal), headers)
        except lexicon.Invalid as invalid:
            return _error(400, invalid.error, str(invalid), headers)
        except _Limited as limited:
            return _error(429, "RateLimitExceeded", "Rate Limit Exceeded", limited.headers)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            return _error(400, "InvalidRequest", f"Input is malformed: {error}", headers)

    def _count(
        self, kind: str, who: str, limit: tuple[timedelta, int], points: int
    ) -> dict[str, str]:
        """Spend points; returns the headers that tell what is left. Raises _Limited."""
        window, most = limit
        now = self.now()
        start, used = self._used.get((kind, who), (now, 0))
        if now >= start + window:
            start, used = now, 0
        if not self.limits:
            return {}
        headers = {
            "ratelimit-limit": str(most),
            "ratelimit-remaining": str(max(most - used - points, 0)),
            "ratelimit-reset": str(int((start + window).timestamp()) + 1),
            "ratelimit-policy": f"{most};w={int(window.total_seconds())}",
        }
        if used + points > most:
            raise _Limited(headers)
        self._used[kind, who] = (start, used + points)
        return headers

    # Sessions.

    def token(self, account: Account, kind: str, number: int) -> str:
        """A token in the form of a JWT: readable, and signed with what only the server knows."""
        life = REFRESH_LIFE if kind == "refresh" else ACCESS_LIFE
        # official PDS: what an app password may not do is told by another scope
        scope = {"access": account.scope, "own": "access"}.get(kind, kind)
        claims = {
            "scope": f"com.atproto.{scope}",
            "sub": account.did,
            "jti": str(number),
            "exp": int((self.now() + life).timestamp()),
        }
        body = f"{_base64({'alg': 'HS256'})}.{_base64(claims)}"
        return f"{body}.{_sign(body)}"

    def _login(self, request: Request, kind: str = "access") -> tuple[Account, str]:
        """Whose token this is, and its id."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            raise Refusal(401, "AuthMissing", "Authentication Required")
        body, _, signature = token.rpartition(".")
        if not body or signature != _sign(body):
            raise Refusal(400, "InvalidToken", "Token could not be verified")
        text = body.rpartition(".")[2]
        claims = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if (claims["scope"] == "com.atproto.refresh") != (kind == "refresh"):
            raise Refusal(400, "InvalidToken", "Bad token scope")
        if claims["exp"] <= self.now().timestamp():
            raise Refusal(400, "ExpiredToken", "Token has expired")
        account = self.dids[claims["sub"]]
        if account.locked and kind == "access":
            raise Refusal(401, account.locked, account.locked)
        return account, claims["jti"]

    def _create_session(self, request: Request) -> Response:
        body = request.json()
        who = str(body["identifier"]).lower()
        headers = self._count("logins", who, LOGINS, 1)
        account = self.accounts.get(who) or self.dids.get(str(body["identifier"]))
        own = account is not None and body["password"] == (account.password or None)
        if account is None or not (own or body["password"] in account.passwords):
            raise Refusal(401, "AuthenticationRequired", "Invalid identifier or password")
        if account.locked == "AccountTakedown":
            raise Refusal(401, "AccountTakedown", "Account has been taken down")
        if own and account.second_factor:
            words = "A sign in code has been sent to your email address"
            raise Refusal(401, "AuthFactorTokenRequired", words)
        account.tokens += 1
        kind = "own" if own else "access"
        return Response(200, self._session(account, account.tokens, kind), headers)

    def _delete_session(self, request: Request) -> Response:
        account, token_id = self._login(request, "refresh")
        account.revoked.add(token_id)
        return Response(200)

    def _refresh_session(self, request: Request) -> Response:
        account, token_id = self._login(request, "refresh")
        if token_id in account.revoked:
            raise Refusal(400, "ExpiredToken", "Token has been revoked")
        if token_id not in account.refreshed:
            account.tokens += 1
            account.refreshed[token_id] = (self.now(), str(account.tokens))
        used, successor = account.refreshed[token_id]
        if self.now() > used + REFRESH_GRACE:
            raise Refusal(400, "ExpiredToken", "Token has been revoked")
        return Response(200, self._session(account, int(successor)))

    def _session(self, account: Account, number: int, kind: str = "access") -> dict[str, Any]:
        session = {
            "did": account.did,
            "handle": account.handle,
            "accessJwt": self.token(account, kind, number),
            "refreshJwt": self.token(account, "refresh", number),
            "active": not account.locked,
        }
        return {**session, "didDoc": self._did_doc(account)} if self.did_doc else session

    def _did_doc(self, account: Account) -> dict[str, Any]:
        pds = {
            "id": "#atproto_pds",
            "type": "AtprotoPersonalDataServer",
            "serviceEndpoint": self.url,
        }
        return {"id": account.did, "alsoKnownAs": [f"at://{account.handle}"], "service": [pds]}

    def _get_session(self, request: Request) -> Response:
        account, _ = self._login(request)
        return Response(200, {"did": account.did, "handle": account.handle, "active": True})

    # Writing.

    def _put_record(self, request: Request) -> Response:
        account, _ = self._login(request)
        body = request.json()
        collection, rkey, value = body["collection"], body["rkey"], body["record"]
        standing = account.collections[collection].records.get(rkey)
        write = _Write("update" if standing else "create", collection, rkey, value)
        self._check(account, body["repo"], write)
        headers = self._spend(request, account, 2)
        if standing and standing.cid == lexicon.record_cid(value):
            uri = f"at://{account.did}/{collection}/{rkey}"
            return Response(200, {"uri": uri, "cid": standing.cid}, headers)
        if "swapRecord" in body:
            present = standing.cid if standing else None
            if body["swapRecord"] != present:
                raise Refusal(400, "InvalidSwap", f"Record was at {present}")
        return Response(200, self._written(account, [write])[0], headers)

    def _create_record(self, request: Request) -> Response:
        account, _ = self._login(request)
        body = request.json()
        rkey = body.get("rkey") or self.next_key(account)
        write = _Write("create", body["collection"], rkey, body["record"])
        self._check(account, body["repo"], write)
        headers = self._spend(request, account, COSTS["create"])
        return Response(200, self._written(account, [write])[0], headers)

    def _delete_record(self, request: Request) -> Response:
        account, _ = self._login(request)
        body = request.json()
        write = _Write("delete", body["collection"], body["rkey"])
        self._check(account, body["repo"], write)
        headers = self._spend(request, account, COSTS["delete"])
        standing = account.collections[write.collection].records.get(write.rkey)
        if standing is None:
            return Response(200, {}, headers)
        if body.get("swapRecord", standing.cid) != standing.cid:
            raise Refusal(400, "InvalidSwap", f"Record was at {standing.cid}")
        self._written(account, [write])
        return Response(200, {"commit": {"cid": "", "rev": account.rev}}, headers)

    def _apply_writes(self, request: Request) -> Response:
        account, _ = self._login(request)
        body = request.json()
        if len(body["writes"]) > 200:
            raise Refusal(400, "InvalidRequest", "Too many writes. Max: 200")
        writes = []
        for each in body["writes"]:
            action = each["$type"].rpartition("#")[2]
            rkey = each.get("rkey") or self.next_key(account)
            writes.append(_Write(action, each["collection"], rkey, each.get("value")))
            self._check(account, body["repo"], writes[-1])
        headers = self._spend(request, account, sum(COSTS[write.action] for write in writes))
        return Response(200, {"results": self._written(account, writes)}, headers)

    def _check(self, account: Account, repo: str, write: _Write) -> None:
        """Raise what a PDS answers to a write that it does not take."""
        if repo not in self.dids and repo not in self.accounts:
            raise Refusal(403, "AccountNotFound", "Account not found")
        if repo not in (account.did, account.handle):
            raise Refusal(401, "AuthenticationRequired", "Authentication Required")
        if write.value is None:
            return
        if write.collection in (COLLECTION, REPOSTS) and tid_micros(write.rkey) is None:
            raise lexicon.Invalid(f"Invalid record key: {write.rkey} is no tid")
        if write.collection == COLLECTION:
            lexicon.check_post(write.value)
        if write.collection == REPOSTS:
            lexicon.check_repost(write.value)
        for cid in lexicon.blobs_in(write.value):
            if cid not in account.blobs:
                raise lexicon.Invalid(f"Could not find blob: {cid}", "BlobNotFound")

    def _spend(self, request: Request, account: Account, points: int) -> dict[str, str]:
        if request.headers.get("x-ratelimit-bypass") is not None:
            return {}
        return self._count("writes", account.did, WRITES, points)

    def _written(self, account: Account, writes: list[_Write]) -> list[dict[str, Any]]:
        """Do all of the writes in one commit, or none."""
        for write in writes:
            stands = write.rkey in account.collections[write.collection].records
            if stands == (write.action == "create"):
                raise Refusal(500, "InternalServerError", "Internal Server Error")
        self._commit(account)
        return [self._write(account, write) for write in writes]

    def _write(self, account: Account, write: _Write) -> dict[str, Any]:
        collection = account.collections[write.collection]
        if write.value is None:
            del collection.records[write.rkey]
            collection.keys.remove(write.rkey)
            self.note(account.handle, "delete", write.rkey)
            return {}
        uri = f"at://{account.did}/{write.collection}/{write.rkey}"
        cid = lexicon.record_cid(write.value)
        item = json.dumps({"uri": uri, "cid": cid, "value": write.value}, ensure_ascii=False)
        collection.records[write.rkey] = _Record(write.value, cid, item)
        account.shown.update(lexicon.blobs_in(write.value))
        if write.action == "create":
            bisect.insort(collection.keys, write.rkey)
        if write.collection in (COLLECTION, REPOSTS):
            action = "publish" if write.action == "create" else "edit"
            self.note(account.handle, action, write.rkey, **_journal(write.value))
        commit = {"cid": lexicon.blob_cid(account.rev.encode()), "rev": account.rev}
        return {"uri": uri, "cid": cid, "commit": commit, "validationStatus": "valid"}

    def _upload_blob(self, request: Request) -> Response:
        account, _ = self._login(request)
        if not request.content_type:
            raise Refusal(400, "InvalidRequest", "Request encoding (Content-Type) required")
        if len(request.body) > self.blob_limit:
            raise Refusal(413, "PayloadTooLarge", "request entity too large")
        return Response(200, {"blob": self.stored(account, request.body, request.content_type)})

    def stored(self, account: Account, data: bytes, declared: str) -> dict[str, Any]:
        """A blob, kept; returns what a record says of it."""
        cid, mime = lexicon.blob_cid(data), lexicon.sniff(data, declared)
        account.blobs[cid] = (data, mime)
        return {"$type": "blob", "ref": {"$link": cid}, "mimeType": mime, "size": len(data)}

    # Reading.

    def _repo(self, request: Request) -> Account:
        """The account whose records are asked for; a locked one has none."""
        who = request.get("repo")
        account = self.dids.get(who) or self.accounts.get(who)
        if account is None or account.locked:
            raise Refusal(400, "InvalidRequest", f"Could not find repo: {who}")
        return account

    def _synced(self, request: Request) -> Account:
        """The account whose repository is asked for as such."""
        account = self.dids.get(request.get("did"))
        if account is None:
            raise Refusal(400, "RepoNotFound", f"Could not find repo for DID: {request.get('did')}")
        if account.locked:
            error = "RepoTakendown" if account.locked == "AccountTakedown" else "RepoDeactivated"
            raise Refusal(400, error, f"Repo is locked: {account.did}")
        return account

    def _get_record(self, request: Request) -> Response:
        rkey = request.get("rkey")
        record = self._repo(request).collections[request.get("collection")].records.get(rkey)
        if record is None:
            raise Refusal(400, "RecordNotFound", f"Could not locate record: {rkey}")
        return Response(200, record.item.encode(), _JSON)

    def _list_records(self, request: Request) -> Response:
        collection = self._repo(request).collections[request.get("collection")]
        limit, cursor = int(request.get("limit", "50")), request.get("cursor")
        if not 1 <= limit <= 100:
            raise Refusal(400, "InvalidRequest", "Params must have a limit from 1 to 100")
        keys = collection.keys
        if request.get("reverse") == "true":
            start = bisect.bisect_right(keys, cursor) if cursor else 0
            page = keys[start : start + limit]
        else:
            end = bisect.bisect_left(keys, cursor) if cursor else len(keys)
            page = keys[max(end - limit, 0) : end][::-1]
        items = ",".join(collection.records[key].item for key in page)
        after = f'"cursor":{json.dumps(page[-1])},' if page else ""
        return Response(200, f'{{{after}"records":[{items}]}}'.encode(), _JSON)

    def _get_latest_commit(self, request: Request) -> Response:
        account = self._synced(request)
        return Response(200, {"cid": lexicon.blob_cid(account.rev.encode()), "rev": account.rev})

    def _get_blob(self, request: Request) -> Response:
        account, cid = self._synced(request), request.get("cid")
        if cid not in account.shown:
            raise Refusal(400, "InvalidRequest", "Blob not found")
        data, mime = account.blobs[cid]
        return Response(200, data, {"content-type": mime})

    def _resolve_handle(self, request: Request) -> Response:
        account = self.accounts.get(request.get("handle"))
        if account is None:
            raise Refusal(400, "HandleNotFound", "Unable to resolve handle")
        return Response(200, {"did": account.did})

    def _describe_server(self, _request: Request) -> Response:
        return Response(200, {"did": "did:web:localhost", "availableUserDomains": [".test"]})

    _METHODS: Mapping[tuple[str, str], Callable[[Pds, Request], Response]] = {
        ("POST", "com.atproto.server.createSession"): _create_session,
        ("POST", "com.atproto.server.refreshSession"): _refresh_session,
        ("POST", "com.atproto.server.deleteSession"): _delete_session,
        ("GET", "com.atproto.server.getSession"): _get_session,
        ("GET", "com.atproto.server.describeServer"): _describe_server,
        ("GET", "com.atproto.identity.resolveHandle"): _resolve_handle,
        ("POST", "com.atproto.repo.putRecord"): _put_record,
        ("POST", "com.atproto.repo.createRecord"): _create_record,
        ("POST", "com.atproto.repo.deleteRecord"): _delete_record,
        ("POST", "com.atproto.repo.applyWrites"): _apply_writes,
        ("POST", "com.atproto.repo.uploadBlob"): _upload_blob,
        ("GET", "com.atproto.repo.getRecord"): _get_record,
        ("GET", "com.atproto.repo.listRecords"): _list_records,
        ("GET", "com.atproto.sync.getLatestCommit"): _get_latest_commit,
        ("GET", "com.atproto.sync.getBlob"): _get_blob,
    }


class _Limited(Exception):
    """A rate limit is used up."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__()
        self.headers = headers


def _error(
    status: int, error: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(status, {"error": error, "message": message}, headers or {})


def app_password(name: str, application: str) -> str:
    """An app password in the usual form, the same for the same names."""
    letters = base64.b32encode(hashlib.sha256(f"{name} {application}".encode()).digest())
    text = letters.decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def _base64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _sign(body: str) -> str:
    return hashlib.sha256(f"only the simulator knows {body}".encode()).hexdigest()[:43]


def _journal(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the journal says of a post or a boost."""
    if record["$type"] == REPOSTS:
        boosted = record["subject"]["uri"].rpartition("/")[2]
        return {"boost_of": boosted, "key": record.get(MARK, ""), "raw": record}
    features = [feature for facet in record.get("facets", []) for feature in facet["features"]]
    embed = record.get("embed", {})
    media = {**embed, **embed.get("media", {})}
    images = [*media.get("images", []), *media.get("items", [])]
    quoted = embed.get("record", {})
    quoted = quoted.get("record", quoted)
    films = (media.get("alt", ""),) if media.get("$type") == VIDEO else ()
    return {
        "text": record["text"],
        "reply_to": record.get("reply", {}).get("parent", {}).get("uri", "").rpartition("/")[2],
        "quote_of": quoted.get("uri", "").rpartition("/")[2],
        "languages": tuple(record.get("langs", ())),
        "links": tuple(feature["uri"] for feature in features if "uri" in feature),
        "alts": tuple(image["alt"] for image in images) + films,
        "key": record.get(MARK, ""),
        "raw": record,
    }
