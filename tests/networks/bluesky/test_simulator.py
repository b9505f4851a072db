"""The simulated PDS, and the official one beside it: what one answers, the other does."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from PIL import Image

from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.bluesky.simulator.lexicon import blob_cid, record_cid
from bridge.networks.bluesky.write import COLLECTION, micros, tid
from tests.networks.bluesky.conftest import NAME, Clock, World
from tests.servers.pds import Pds
from tests.waiting import HANGS

FAMILY = "👨‍👩‍👧‍👦"
RKEY = "3mabcdefgh22a"
Seen = tuple[int, str]


class Raw:
    """An account on some PDS, as bare requests see it."""

    def __init__(self, service: str, handle: str, password: str) -> None:
        self.http = httpx.Client(base_url=f"{service}/xrpc/", timeout=HANGS)
        self.handle, self.password = handle, password
        made = self.login(password).json()
        self.did, self.refresh = made["did"], made["refreshJwt"]
        self.auth = {"Authorization": f"Bearer {made['accessJwt']}"}

    def login(self, password: str) -> httpx.Response:
        body = {"identifier": self.handle, "password": password}
        return self.http.post("com.atproto.server.createSession", json=body)

    def renew(self, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.post("com.atproto.server.refreshSession", headers=headers)

    def call(self, method: str, **body: Any) -> httpx.Response:
        body = {"repo": self.did, "collection": COLLECTION, **body}
        return self.http.post(f"com.atproto.repo.{method}", json=body, headers=self.auth)

    def put(self, record: dict[str, Any], rkey: str = RKEY, **more: Any) -> httpx.Response:
        return self.call("putRecord", rkey=rkey, record=record, **more)

    def get(self, method: str, **params: Any) -> httpx.Response:
        return self.http.get(f"com.atproto.{method}", params=params)

    def head(self) -> Any:
        return self.get("sync.getLatestCommit", did=self.did).json()["rev"]

    def page(self, **params: Any) -> httpx.Response:
        return self.get("repo.listRecords", repo=self.did, collection=COLLECTION, **params)

    def upload(self, data: bytes, mime: str = "image/png") -> httpx.Response:
        headers = {**self.auth, "Content-Type": mime}
        return self.http.post("com.atproto.repo.uploadBlob", content=data, headers=headers)


@pytest.fixture(scope="module")
def official() -> Iterator[Pds]:
    with Pds() as running:
        yield running


@pytest.fixture(params=["simulator", pytest.param("official", marks=pytest.mark.pds)])
def raw(request: pytest.FixtureRequest) -> Iterator[Raw]:
    simulator = BlueskySimulator()
    if request.param == "simulator":
        simulator.start()
        settings = simulator.account(NAME)
    else:
        settings = request.getfixturevalue("official").account().settings
    made = Raw(settings["service"], settings["handle"], settings["app_password"])
    yield made
    made.http.close()
    simulator.stop()


def post(text: str = "Hei", **more: Any) -> dict[str, Any]:
    return {"$type": COLLECTION, "text": text, "createdAt": "2026-01-01T00:00:00.000Z", **more}


def seen(answer: httpx.Response) -> Seen:
    return answer.status_code, "" if answer.is_success else answer.json()["error"]


def test_the_same_value_under_a_key_is_no_change_and_another_is_refused(raw: Raw) -> None:
    first = raw.put(post(), swapRecord=None)
    assert first.json()["uri"] == f"at://{raw.did}/{COLLECTION}/{RKEY}"
    assert first.json()["cid"] == record_cid(post())
    assert "commit" in first.json()
    head = raw.head()
    again = raw.put(post(), swapRecord=None)
    assert (seen(again), again.json()["cid"]) == ((200, ""), first.json()["cid"])
    assert "commit" not in again.json()
    assert raw.head() == head
    assert seen(raw.put(post("Noe annet"), swapRecord=None)) == (400, "InvalidSwap")
    standing = raw.get("repo.getRecord", repo=raw.did, collection=COLLECTION, rkey=RKEY).json()
    assert standing == {"uri": first.json()["uri"], "cid": first.json()["cid"], "value": post()}
    assert raw.head() == head


def test_without_a_swap_another_value_overwrites(raw: Raw) -> None:
    raw.put(post())
    head = raw.head()
    assert seen(raw.put(post("Noe annet"))) == (200, "")
    assert raw.head() > head


def test_a_record_that_is_missing_is_named_so(raw: Raw) -> None:
    answer = raw.get("repo.getRecord", repo=raw.did, collection=COLLECTION, rkey=RKEY)
    assert seen(answer) == (400, "RecordNotFound")


def test_creating_under_a_used_key_fails_as_if_the_server_were_broken(raw: Raw) -> None:
    assert seen(raw.call("createRecord", rkey=RKEY, record=post())) == (200, "")
    assert seen(raw.call("createRecord", rkey=RKEY, record=post())) == (500, "InternalServerError")


def test_deleting_twice_is_no_error_and_frees_the_key(raw: Raw) -> None:
    raw.put(post())
    assert [seen(raw.call("deleteRecord", rkey=RKEY)) for _ in range(2)] == [(200, "")] * 2
    assert seen(raw.put(post("Ny"), swapRecord=None)) == (200, "")


def test_several_writes_are_all_done_or_none(raw: Raw) -> None:
    def writes(*keys: str) -> list[dict[str, Any]]:
        kind = "com.atproto.repo.applyWrites#create"
        return [
            {"$type": kind, "collection": COLLECTION, "rkey": key, "value": post()} for key in keys
        ]

    answer = raw.call("applyWrites", writes=writes("3mabcdefgh23a", "3mabcdefgh23b"))
    assert [made["cid"] for made in answer.json()["results"]] == [record_cid(post())] * 2
    head = raw.head()
    answer = raw.call("applyWrites", writes=writes("3mabcdefgh23c", "3mabcdefgh23b"))
    assert seen(answer) == (500, "InternalServerError")
    assert raw.head() == head


def blob(**more: Any) -> dict[str, Any]:
    link = {"$link": blob_cid(b"never uploaded")}
    return {"$type": "blob", "ref": link, "mimeType": "image/png", "size": 14, **more}


def images(*found: dict[str, Any]) -> dict[str, Any]:
    return {"$type": "app.bsky.embed.images", "images": list(found)}


def card(**more: Any) -> dict[str, Any]:
    external = {"uri": "https://kai.example/", "title": "Kaia", "description": "", **more}
    return {"$type": "app.bsky.embed.external", "external": external}


STRONG = {"uri": f"at://did:plc:x/{COLLECTION}/3mabcdefgh22a", "cid": record_cid({})}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (post("ø" * 300), (200, "")),
        (post("ø" * 301), (400, "InvalidRequest")),
        (post(FAMILY * 120), (200, "")),
        (post(FAMILY * 120 + "x"), (400, "InvalidRequest")),
        (post(""), (200, "")),
        (post(langs=["nb", "de-CH", "ar"]), (200, "")),
        (post(langs=["nb", "de", "da", "ar"]), (400, "InvalidRequest")),
        (post(langs=["not a tag"]), (400, "InvalidRequest")),
        (post(createdAt="i går"), (400, "InvalidRequest")),
        (post(createdAt="2026-01-01"), (400, "InvalidRequest")),
        ({"$type": COLLECTION, "text": "uten tid"}, (400, "InvalidRequest")),
        (post(tribridgeKey="5a" * 32, other={"deep": [1, None]}), (200, "")),
        (post(facets=[{"index": {"byteStart": 5, "byteEnd": 900}, "features": []}]), (200, "")),
        (
            post(facets=[{"index": {"byteStart": -1, "byteEnd": 9}, "features": []}]),
            (400, "InvalidRequest"),
        ),
        (post(reply={"root": STRONG, "parent": STRONG}), (200, "")),
        (post(reply={"root": {"uri": "", "cid": ""}, "parent": STRONG}), (400, "InvalidRequest")),
        (post(embed=images({"alt": "x", "image": blob()})), (400, "BlobNotFound")),
        (post(embed=images({"image": blob()})), (400, "InvalidRequest")),
        (
            post(embed=images({"alt": "x", "image": blob(mimeType="*/*")})),
            (400, "InvalidRequest"),
        ),
        (post(embed=images({"alt": "x", "image": blob(size=2_000_001)})), (400, "InvalidRequest")),
        (post(embed=images(*[{"alt": "x", "image": blob()}] * 5)), (400, "InvalidRequest")),
        (post(embed=card()), (200, "")),
        (post(embed=card(title=None)), (400, "InvalidRequest")),
        (post(embed=card(thumb=blob(size=1_000_000))), (400, "BlobNotFound")),
        (post(embed=card(thumb=blob(size=1_000_001))), (400, "InvalidRequest")),
        (post(embed=card(thumb=blob(mimeType="text/html"))), (400, "InvalidRequest")),
    ],
)
def test_what_a_post_may_hold(raw: Raw, record: dict[str, Any], expected: Seen) -> None:
    assert seen(raw.put(record)) == expected


def test_the_reason_for_a_refusal_is_told(raw: Raw) -> None:
    message = raw.put(post("ø" * 301)).json()["message"]
    assert "grapheme too big (maximum 300, got 301)" in message
    message = raw.put(post(FAMILY * 120 + "x")).json()["message"]
    assert "string too big (maximum 3000, got 3001)" in message


def test_the_key_of_a_post_is_a_tid(raw: Raw) -> None:
    assert seen(raw.put(post(), rkey="not-a-tid")) == (400, "InvalidRequest")


def test_pages_are_newest_first_or_oldest_first_and_their_cursor_excludes(raw: Raw) -> None:
    keys = [tid(micros(datetime(2026, 1, 1, tzinfo=UTC)) + n, 0) for n in range(5)]
    for key in (keys[2], keys[0], keys[4], keys[1], keys[3]):
        raw.put(post(), rkey=key)

    def page(**params: Any) -> tuple[list[int], Any]:
        body = raw.page(**params).json()
        return [keys.index(r["uri"].rpartition("/")[2]) for r in body["records"]], body.get(
            "cursor"
        )

    assert page(limit=2) == ([4, 3], keys[3])
    assert page(limit=2, cursor=keys[3]) == ([2, 1], keys[1])
    assert page(cursor=keys[1]) == ([0], keys[0])
    assert page(cursor=keys[0]) == ([], None)
    assert page(reverse="true", limit=3) == ([0, 1, 2], keys[2])
    assert page(reverse="true", cursor=keys[2]) == ([3, 4], keys[4])
    assert seen(raw.page(limit=101)) == (400, "InvalidRequest")


def test_an_image_is_known_by_its_bytes_and_served_once_a_post_shows_it(raw: Raw) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(out, "PNG")
    made = raw.upload(out.getvalue(), "application/octet-stream").json()["blob"]
    assert made == {
        "$type": "blob",
        "ref": {"$link": blob_cid(out.getvalue())},
        "mimeType": "image/png",
        "size": len(out.getvalue()),
    }
    where = {"did": raw.did, "cid": made["ref"]["$link"]}
    assert not raw.get("sync.getBlob", **where).is_success
    record = post(embed=images({"alt": "Rødt", "image": made}))
    assert raw.put(record).json()["cid"] == record_cid(record)
    served = raw.get("sync.getBlob", **where)
    assert (served.content, served.headers["content-type"]) == (out.getvalue(), "image/png")


def test_logins_and_tokens(raw: Raw) -> None:
    assert seen(raw.login("wrong")) == (401, "AuthenticationRequired")
    assert seen(raw.renew("not.a.token")) == (400, "InvalidToken")
    first, again = raw.renew(raw.refresh), raw.renew(raw.refresh)
    assert (seen(first), seen(again)) == ((200, ""), (200, ""))
    assert first.json()["did"] == raw.did
    access = {"Authorization": f"Bearer {first.json()['accessJwt']}"}
    assert raw.http.get("com.atproto.server.getSession", headers=access).json()["did"] == raw.did
    services = first.json()["didDoc"]["service"]
    assert [service["id"] for service in services] == ["#atproto_pds"]
    raw.auth = {}
    assert seen(raw.put(post())) == (401, "AuthMissing")
    raw.auth = {"Authorization": "Bearer not.a.token"}
    assert seen(raw.put(post())) == (400, "InvalidToken")


NOBODY = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"


def test_what_belongs_to_nobody_is_named_so(raw: Raw) -> None:
    assert seen(raw.put(post(), repo=NOBODY)) == (403, "AccountNotFound")
    assert seen(raw.get("sync.getLatestCommit", did=NOBODY)) == (400, "RepoNotFound")
    page = raw.get("repo.listRecords", repo=NOBODY, collection=COLLECTION)
    assert seen(page) == (400, "InvalidRequest")
    cid = blob_cid(b"never uploaded")
    assert seen(raw.get("sync.getBlob", did=raw.did, cid=cid)) == (400, "InvalidRequest")
    assert seen(raw.get("example.unknown")) == (400, "InvalidRequest")


def test_handles_resolve_and_unknown_ones_are_refused(raw: Raw) -> None:
    assert raw.get("identity.resolveHandle", handle=raw.handle).json() == {"did": raw.did}
    unknown = raw.get("identity.resolveHandle", handle="nobody-here.test")
    assert seen(unknown) == (400, "HandleNotFound")


# Of the simulator alone: what takes hours, and what people do.


def test_tokens_end_by_the_clock_and_a_refresh_token_has_a_time_of_grace(world: World) -> None:
    raw = Raw(world.pds.url, NAME, world.settings["app_password"])
    world.clock.advance(hours=2)
    assert seen(raw.put(post())) == (400, "ExpiredToken")
    successor = raw.renew(raw.refresh).json()["refreshJwt"]
    world.clock.advance(hours=2, seconds=1)
    assert seen(raw.renew(raw.refresh)) == (400, "ExpiredToken")
    assert seen(raw.renew(successor)) == (200, "")
    raw.http.close()


def test_a_used_up_hour_of_writes_is_told_and_passes() -> None:
    clock = Clock()
    pds = BlueskySimulator(now=clock)
    pds.start()
    raw = Raw(pds.url, NAME, pds.account(NAME)["app_password"])
    pds._used["writes", raw.did] = (clock(), 4_999)
    answer = raw.put(post())
    assert seen(answer) == (429, "RateLimitExceeded")
    reset = datetime.fromtimestamp(int(answer.headers["ratelimit-reset"]), UTC)
    assert timedelta() < reset - clock() <= timedelta(hours=1, seconds=1)
    assert raw.page().json()["records"] == []
    clock.time = reset
    assert seen(raw.put(post())) == (200, "")
    raw.http.close()
    pds.stop()


def test_the_repository_of_another_is_closed(world: World) -> None:
    world.pds.account("berit.test")
    raw = Raw(world.pds.url, NAME, world.settings["app_password"])
    assert seen(raw.put(post(), repo="berit.test")) == (401, "AuthenticationRequired")
    raw.http.close()


def test_people_write_as_the_app_does(world: World) -> None:
    world.pds.account("berit.test")
    text = "Hei @berit.test og @nobody.test: https://example.com/langt/nok/til/kort #Vær 🌧"
    key = world.pds.say(
        NAME, text, language="nb", warning="graphic-media", images=[(b"GIF8", "Regn")]
    )
    record = world.pds.record(NAME, key)
    shown = "Hei @berit.test og @nobody.test: example.com/langt/nok/ti... #Vær 🌧"
    assert record["text"] == shown
    features = [facet["features"][0] for facet in record["facets"]]
    assert features[0]["did"] == world.pds.identity("berit.test").removeprefix("bluesky:")
    assert features[1]["uri"] == "https://example.com/langt/nok/til/kort"
    assert features[2]["tag"] == "Vær"
    (entry,) = world.pds.journal
    assert (entry.account, entry.action, entry.id) == (NAME, "publish", key)
    assert (entry.text, entry.languages, entry.alts) == (shown, ("nb",), ("Regn",))
    assert entry.links == ("https://example.com/langt/nok/til/kort",)


def test_people_reply_edit_and_delete(world: World) -> None:
    root = world.say("Rot")
    reply = world.pds.say(NAME, "Svar", reply_to=root)
    last = world.pds.say(NAME, "Svar på svar", reply_to=reply)
    thread = world.pds.record(NAME, last)["reply"]
    assert thread["root"]["uri"].endswith(root)
    assert thread["parent"]["uri"].endswith(reply)
    world.pds.edit(NAME, root, "Rot, rettet")
    world.pds.delete(NAME, last)
    assert [(e.action, e.id, e.reply_to) for e in world.pds.journal] == [
        ("publish", root, ""),
        ("publish", reply, root),
        ("publish", last, reply),
        ("edit", root, ""),
        ("delete", last, ""),
    ]
    assert world.pds.record(NAME, root)["text"] == "Rot, rettet"
    with pytest.raises(KeyError):
        world.pds.record(NAME, last)
