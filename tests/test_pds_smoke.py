"""The Bluesky client against the official PDS. Run by `make pds`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from PIL import Image

from bridge.network import Backfill, Client, ClientError, Gone, LoginNeeded, Refused, Upload
from bridge.networks.bluesky import NETWORK
from bridge.networks.bluesky.session import Tokens
from bridge.post import Draft, Run
from tests.servers.pds import Pds, Person
from tests.waiting import HANGS

pytestmark = pytest.mark.pds
KEY = "5a" * 32


class Memory:
    """A session that survives clients, not tests."""

    data: str | None = None

    def load(self) -> str | None:
        return self.data

    def save(self, identity: str, data: str) -> None:
        self.data = data


@pytest.fixture(scope="module")
def pds() -> Iterator[Pds]:
    with Pds() as running:
        yield running


def now() -> datetime:
    return datetime.now(UTC)


def connect(person: Person, memory: Memory) -> Client:
    return NETWORK.connect(person.settings, memory, now)


def payload(
    text: str = "Hei fra prøven", uploads: tuple[dict[str, Any], ...] = ()
) -> dict[str, Any]:
    draft = Draft((Run(text), Run(" her", "link", "https://example.com/ø")), now())
    return NETWORK.to_payload(draft, KEY, uploads, None, now())


def test_a_post_is_published_once_and_read_back(pds: Pds) -> None:
    person, memory = pds.account(), Memory()
    client = connect(person, memory)
    assert client.login().id == person.identity
    cursor = client.begin(Backfill()).cursor
    made = payload()
    ref = client.publish(made, KEY)
    assert client.publish(made, KEY) == ref
    assert connect(person, memory).publish(made, KEY) == ref
    assert person.records() == {ref.id: made["record"]}
    (post,) = client.fetch(cursor).posts
    assert (post.id, post.cid, post.mark) == (ref.id, ref.cid, KEY)
    assert post.runs == (Run("Hei fra prøven"), Run(" her", "link", "https://example.com/ø"))


def test_a_different_record_under_the_key_is_never_overwritten(pds: Pds) -> None:
    person = pds.account()
    client = connect(person, Memory())
    made = payload()
    person.write("putRecord", rkey=made["rkey"], record={**made["record"], "tribridgeKey": "x"})
    ref = client.publish(made, KEY)
    assert ref.id != made["rkey"]
    assert [record["tribridgeKey"] for record in person.records().values()] == ["x", KEY]


def test_our_own_record_under_the_key_is_adopted(pds: Pds) -> None:
    person = pds.account()
    client = connect(person, Memory())
    made = payload()
    ref = client.publish(made, KEY)
    other = {**made, "record": {**made["record"], "text": "Gjengitt på nytt"}}
    assert client.publish(other, KEY) == ref
    assert [record["text"] for record in person.records().values()] == ["Hei fra prøven her"]


def test_an_image_goes_up_and_comes_back(pds: Pds) -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(out, "JPEG")
    client = connect(pds.account(), Memory())
    image = client.upload(Upload(out.getvalue(), "image/jpeg", "Havet", 64, 48))
    client.publish(payload(uploads=(image,)), KEY)
    (media,) = client.fetch("{}").posts[0].media
    assert (media.alt, media.mime, media.width, media.height) == ("Havet", "image/jpeg", 64, 48)
    assert httpx.get(media.url, timeout=HANGS).content == out.getvalue()


def test_an_image_that_was_never_uploaded_is_refused(pds: Pds) -> None:
    link = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    blob = {"$type": "blob", "ref": {"$link": link}, "mimeType": "image/jpeg", "size": 9}
    with pytest.raises(Refused, match="forgotten"):
        connect(pds.account(), Memory()).publish(
            payload(uploads=({"alt": "", "image": blob},)), KEY
        )


def expired(token: str, secret: str) -> str:
    """The same token, validly signed, but of an hour ago."""

    def packed(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    head, body, _ = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims["exp"] = int(now().timestamp()) - 3600
    signed = f"{head}.{packed(json.dumps(claims).encode())}"
    return f"{signed}.{packed(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


@pytest.mark.parametrize("broken", ["expired", "unreadable"])
def test_a_dead_access_token_is_renewed(pds: Pds, broken: str) -> None:
    person, memory = pds.account(), Memory()
    connect(person, memory).login()
    before: Any = Tokens(**json.loads(memory.data or ""))
    dead = expired(before.access, pds.jwt_secret) if broken == "expired" else "not.a.token"
    memory.data = replace(before, access=dead).to_json()
    client = connect(person, memory)
    # as if the token itself did not tell: the server's word is enough
    client._now = lambda: datetime(2020, 1, 1, tzinfo=UTC)  # type: ignore[attr-defined]
    client.publish(payload(), KEY)
    after: Any = Tokens(**json.loads(memory.data or ""))
    assert after.access != dead
    assert after.refresh != before.refresh
    assert len(person.records()) == 1


def test_a_wrong_password_needs_a_person(pds: Pds) -> None:
    person = pds.account()
    person.settings["app_password"] = "wrong-secret-4711"
    with pytest.raises(LoginNeeded) as caught:
        connect(person, Memory()).login()
    assert "4711" not in str(caught.value)


def test_of_a_deactivated_account_no_post_is_gone(pds: Pds) -> None:
    person = pds.account()
    client = connect(person, Memory())
    client.login()
    post_id = person.say("Står")
    token = {"Authorization": f"Bearer {person.token}"}
    shut = pds.http.post("com.atproto.server.deactivateAccount", headers=token, json={})
    assert shut.is_success
    for ask in (lambda: client.find(post_id), lambda: client.reread([post_id])):
        with pytest.raises(ClientError) as caught:
            ask()
        assert not isinstance(caught.value, Gone)
    assert pds.http.post("com.atproto.server.activateAccount", headers=token).is_success
    assert client.find(post_id).text == "Står"
