"""The official PDS takes everything that the corpus sends to Bluesky. Run by `make pds`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from bridge.network import Client, Film, Parents, Upload
from bridge.networks.bluesky import NETWORK
from bridge.post import Draft, Media, Run, Skip, idempotency_key
from tests import corpus
from tests.film_files import mp4
from tests.servers.pds import Pds, Person

pytestmark = pytest.mark.pds
PARENT = Draft((Run("Det som blir besvart"),), corpus.NOW)


class Memory:
    """A session for one test."""

    def load(self) -> str | None:
        return None

    def save(self, identity: str, data: str) -> None:
        pass


@pytest.fixture(scope="module")
def person(pds: Pds) -> Person:
    return pds.account("korpus")


@pytest.fixture(scope="module")
def client(person: Person) -> Client:
    made = NETWORK.connect(person.settings, Memory(), lambda: corpus.NOW)
    made.login()
    return made


def sent() -> Iterator[tuple[str, tuple[Draft, ...]]]:
    """What the corpus sends to Bluesky: the name of the case, its drafts."""
    for case in corpus.cases():
        if "bluesky" in case.targets:
            found = corpus.drafts(case, "bluesky", corpus.read(case))
            if not isinstance(found, Skip):
                yield case.file.stem, tuple(corpus.addressed(draft, NETWORK) for draft in found)


def upload(client: Client, media: Media, number: int) -> dict[str, Any]:
    """A picture, or a video, in the place of the case's own, with its words and its shape."""
    if media.plays:
        content = mp4()
        film = Film(io.BytesIO(content), len(content), "video/mp4", media.kind, media.alt)
        return client.upload_film(film)
    data = io.BytesIO()
    size = (max(1, min(media.width or 16, 64)), max(1, min(media.height or 9, 64)))
    Image.new("RGB", size, (number % 256, number // 256, 7)).save(data, "JPEG")
    shape = (media.width or size[0], media.height or size[1])
    return client.upload(Upload(data.getvalue(), "image/jpeg", media.alt, *shape))


def _payload(
    draft: Draft,
    name: str,
    number: int,
    uploads: tuple[dict[str, Any], ...] = (),
    parents: Parents | None = None,
) -> tuple[dict[str, Any], str]:
    key = idempotency_key("t", name, str(number), draft.part, 0)
    return NETWORK.to_payload(draft, key, uploads, parents, corpus.NOW), key


def test_the_official_server_takes_every_payload_of_the_corpus(
    client: Client, person: Person, record_property: Any
) -> None:
    published, kinds = 0, set()
    for number, (name, drafts) in enumerate(sent()):
        above = root = None
        if drafts[0].reply_to is not None:
            above = root = client.publish(*_payload(PARENT, "parent", number))
        shows = None
        if drafts[0].boost is not None or drafts[0].quote is not None:
            shows = client.publish(*_payload(PARENT, "shown", number))
        for draft in drafts:
            shown = draft.media
            if draft.card is not None and draft.card.image:
                shown = (Media("image", draft.card.image),)
            uploads = tuple(upload(client, media, number) for media in shown)
            parents = Parents(above, root, shows if draft.boost or draft.quote else None)
            payload, key = _payload(draft, name, number, uploads, parents)
            record = payload["record"]
            # this says what is wrong with it, where `putRecord` without it may be lenient
            kind = record["$type"]
            person.write("createRecord", collection=kind, record=record, validate=True)
            ref = client.publish(payload, key)
            if draft.boost is None:
                assert person.record(ref.id)["value"]["text"] == draft.text, name
            if "embed" in record:
                kinds.add(record["embed"]["$type"])
            above, root = ref, root or ref
            published += 1
    record_property("published", published)
    print(f"{published} records, with {', '.join(sorted(kinds))}")
    assert published > 250
    assert {f"app.bsky.embed.{kind}" for kind in ("images", "gallery", "external", "video")} | {
        "app.bsky.embed.record"
    } <= kinds
