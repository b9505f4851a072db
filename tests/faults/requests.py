"""The kinds of request, and each with a fault."""

from __future__ import annotations

import io
import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from PIL import Image

from bridge import images, media, video
from bridge.network import Client, ClientError, Film, Gone, Parents, Upload
from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.bluesky.simulator.lexicon import record_cid
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.twitter.client import LIMITS
from bridge.networks.twitter.simulator import TwitterSimulator
from bridge.post import Draft, Media, Poll, Ref, Run
from bridge.registry import NETWORKS
from bridge.simulation import Simulator
from tests.faults.trouble import Elsewhere, Trouble, troubled
from tests.film_files import mp4
from tests.world import Clock


class Memory:
    """A session that lives as long as the test."""

    def __init__(self) -> None:
        self.data: str | None = None

    def load(self) -> str | None:
        return self.data

    def save(self, identity: str, data: str) -> None:
        self.data = data


class Rig:
    """The networks, without rate limits, on one clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.mastodon = MastodonSimulator(now=self.clock, limits=False)
        #: a server that is never done with an image at once
        self.slow = MastodonSimulator(
            now=self.clock, limits=False, processing=timedelta(seconds=30)
        )
        #: a server that cannot tell of itself in the newer form
        self.older = MastodonSimulator(now=self.clock, limits=False, flavour="takahe")
        #: a server that refuses an edit that changes nothing
        self.strict = MastodonSimulator(now=self.clock, limits=False, flavour="gotosocial")
        self.bluesky = BlueskySimulator(now=self.clock, limits=False)
        self.twitter = TwitterSimulator(now=self.clock, limits=False, names_reposts=True)
        self.elsewhere = Elsewhere()
        self._running: list[Simulator] = [
            self.mastodon,
            self.slow,
            self.older,
            self.strict,
            self.bluesky,
            self.twitter,
            self.elsewhere,
        ]
        for simulator in self._running:
            simulator.start()
        self.settings: dict[str, dict[str, str]] = {
            "mastodon": self.mastodon.account("anna"),
            "slow": self.slow.account("anna"),
            "older": self.older.account("anna"),
            "strict": self.strict.account("anna"),
            "bluesky": self.bluesky.account("anna.test"),
            "twitter": self.twitter.account("anna"),
        }
        self.numbers = count(1)
        self.session = Memory()

    def close(self) -> None:
        for simulator in self._running:
            simulator.stop()

    def secrets(self) -> set[str]:
        """Every secret in use: settings and tokens."""
        public = {"server", "handle", "service", "api"}
        found = {
            value
            for settings in self.settings.values()
            for name, value in settings.items()
            if name not in public
        }
        saved = json.loads(self.session.data or "{}")
        return found | {saved[name] for name in ("access", "refresh") if name in saved}

    def connect(self, name: str) -> Client:
        """A client of a new process without a session."""
        memory = Memory()
        self.session = memory
        network = NETWORKS[network_of(name)]
        client = network.connect(self.settings[name], memory, self.clock)
        client.login()
        return client

    def boost(self, name: str, client: Client) -> str:
        """A boost of a post of another that was never boosted before; returns its id."""
        number, at = next(self.numbers), self.settings[name].get("handle", "")
        simulator: Any = getattr(self, name)
        said = simulator.say("berit.test" if at else "berit", f"Nummer {number}: ferja er full")
        uri = f"at://{simulator.made('berit.test').did}/app.bsky.feed.post/{said}" if at else ""
        parents = Parents(shows=Ref(said, uri=uri, cid=record_cid({"n": number}) if at else ""))
        draft = Draft((), self.clock(), boost=Ref(said))
        key = f"{number:064x}"
        network = NETWORKS[network_of(name)]
        return client.publish(network.to_payload(draft, key, (), parents, self.clock()), key).id

    def publish(self, name: str, client: Client, uploads: tuple[Any, ...] = ()) -> str:
        """A post that was never published before; returns its id."""
        return self.send(name, client, self.draft(), uploads).id

    def draft(self, **more: Any) -> Draft:
        """A draft that was never published before."""
        return Draft((Run(f"Nummer {next(self.numbers)}: ferja går"),), self.clock(), **more)

    def send(self, name: str, client: Client, draft: Draft, uploads: tuple[Any, ...] = ()) -> Ref:
        """Publish a draft."""
        network = NETWORKS[network_of(name)]
        key = f"{next(self.numbers):064x}"
        payload = network.to_payload(draft, key, uploads, None, self.clock())
        return client.publish(payload, key)


def network_of(server: str) -> str:
    """The network of one of the rig's servers."""
    return "mastodon" if server in ("slow", "older", "strict") else server


def picture() -> bytes:
    """A small image."""
    out = io.BytesIO()
    Image.new("RGB", (4, 3), "teal").save(out, "PNG")
    return out.getvalue()


def _upload() -> Upload:
    return Upload(picture(), "image/png", "en rød flate", 4, 3)


def _film() -> Film:
    data = mp4()
    return Film(io.BytesIO(data), len(data), "video/mp4", "video", "en foss", 64, 36)


# What each kind of request is made by: called with the rig, gives what makes the request.

Act = Callable[[], object]


def _login(name: str) -> Callable[[Rig], Act]:
    return lambda rig: lambda: rig.connect(name)


def _fetch(name: str, cursor: str) -> Callable[[Rig], Act]:
    def prepare(rig: Rig) -> Act:
        client = rig.connect(name)
        return lambda: client.fetch(cursor)

    return prepare


def _find(name: str) -> Callable[[Rig], Act]:
    def prepare(rig: Rig) -> Act:
        client = rig.connect(name)
        post_id = rig.publish(name, client)
        return lambda: client.find(post_id)

    return prepare


def _resolving(rig: Rig) -> Act:
    client = rig.connect("bluesky")
    return lambda: client.resolve("anna.test")


def _rereading(name: str) -> Callable[[Rig], Act]:
    def prepare(rig: Rig) -> Act:
        client = rig.connect(name)
        post_id = rig.publish(name, client)

        def act() -> None:
            assert client.reread([post_id])[post_id] is not None

        return act

    return prepare


def _missing(name: str) -> Callable[[Rig], Act]:
    """Before a post counts as gone, the client asks for the account that it was of."""

    def prepare(rig: Rig) -> Act:
        client = rig.connect(name)
        ref = rig.send(name, client, rig.draft())
        client.delete(ref)

        def act() -> None:
            try:
                client.find(ref.id)
            except Gone:
                return
            raise AssertionError("it was deleted")

        return act

    return prepare


def _editing(name: str, poll: Poll | None = None, *, same: bool = False) -> Callable[[Rig], Act]:
    """An edit, of a post with a poll, or one that changes nothing."""

    def prepare(rig: Rig) -> Act:
        client = rig.connect(name)
        draft = rig.draft(poll=poll)
        ref = rig.send(name, client, draft)
        to = draft if same else rig.draft(poll=poll)
        payload = NETWORKS[network_of(name)].to_update(to, (), rig.clock())
        return lambda: client.update(ref, payload)

    return prepare


def _deleting(name: str) -> Callable[[Rig], Act]:
    def prepare(rig: Rig) -> Act:
        client = rig.connect(name)
        ref = rig.send(name, client, rig.draft())
        return lambda: client.delete(ref)

    return prepare


def _uploading(name: str) -> Callable[[Rig], Act]:
    def prepare(rig: Rig) -> Act:
        client = rig.connect(name)
        return lambda: client.upload(_upload())

    return prepare


def _uploading_film(name: str) -> Callable[[Rig], Act]:
    def prepare(rig: Rig) -> Act:
        client = rig.connect(name)
        return lambda: client.upload_film(_film())

    return prepare


def _film_state(name: str) -> Callable[[Rig], Act]:
    """Whether a video is processed."""

    def prepare(rig: Rig) -> Act:
        client = rig.connect(name)
        rig.twitter._files.processing = timedelta(seconds=30)
        upload = client.upload_film(_film())
        rig.twitter._files.processing = timedelta(0)
        assert upload.pop("pending") > 0
        return lambda: client.processed(upload)

    return prepare


def _publishing(name: str) -> Callable[[Rig], Act]:
    def prepare(rig: Rig) -> Act:
        client = rig.connect(name)
        return lambda: rig.publish(name, client)

    return prepare


def _boosting(name: str) -> Callable[[Rig], Act]:
    def prepare(rig: Rig) -> Act:
        client = rig.connect(name)
        return lambda: rig.boost(name, client)

    return prepare


def _media_status(rig: Rig) -> Act:
    """A post whose image is not ready makes the client ask about it."""
    client = rig.connect("slow")
    ready = [client.upload(_upload())]
    # asked a second time, the image has been worked on for long enough
    return lambda: rig.publish("slow", client, (ready[0],))


def _renewal(rig: Rig) -> Act:
    client = rig.connect("bluesky")

    def act() -> None:
        rig.clock.advance(hours=3)
        rig.publish("bluesky", client)

    return act


def _standing(rig: Rig) -> Act:
    """Where another's record stands under a key, the client reads it."""
    client = rig.connect("bluesky")

    def act() -> None:
        draft = Draft((Run(f"Nummer {next(rig.numbers)}"),), rig.clock())
        key = f"{next(rig.numbers):064x}"
        payload = NETWORKS["bluesky"].to_payload(draft, key, (), None, rig.clock())
        record = {**payload["record"], "text": "En annens", "tribridgeKey": "0"}
        rig.bluesky.faults, kept = [], rig.bluesky.faults
        client.publish({**payload, "record": record}, "0")
        rig.bluesky.faults = kept
        client.publish(payload, key)

    return act


def _download(rig: Rig) -> Act:
    with rig.mastodon.lock:
        owner = rig.mastodon._server.account("anna")
        url = rig.mastodon._server.upload(owner, picture(), "").entity["url"]
    item = Media("image", url)
    host = url.split("/")[2]
    return lambda: images.fit(item, media.fetch(item, own_host=host), LIMITS)


def _film_download(rig: Rig) -> Act:
    with rig.mastodon.lock:
        owner = rig.mastodon._server.account("anna")
        url = rig.mastodon._server.upload(owner, mp4(), "").entity["url"]
    host, folder = url.split("/")[2], Path(gettempdir())

    def act() -> None:
        with video.ready(Media("video", url), LIMITS, own_host=host, folder=folder):
            pass

    return act


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: the simulator that answers it, and how it is made."""

    at: str
    match: str
    prepare: Callable[[Rig], Act]

    @property
    def network(self) -> str:
        return network_of(self.at)


_POLL = Poll(("Ja", "Nei"), shortest=7200, longest=86400)
_XRPC = "/xrpc/com.atproto"
#: by the names that they have in the page
KINDS: Mapping[str, Kind] = {
    "mastodon login": Kind(
        "mastodon", "GET /api/v1/accounts/verify_credentials", _login("mastodon")
    ),
    "mastodon server": Kind("mastodon", "GET /api/v2/instance", _login("mastodon")),
    "mastodon old server": Kind("older", "GET /api/v1/instance", _login("older")),
    "mastodon posts": Kind("mastodon", "GET /api/v1/accounts/:id/statuses", _fetch("mastodon", "")),
    "mastodon single post": Kind("mastodon", "GET /api/v1/statuses/:id", _find("mastodon")),
    "mastodon posts again": Kind("mastodon", "GET /api/v1/statuses", _rereading("mastodon")),
    "mastodon poll again": Kind(
        "mastodon", "GET /api/v1/statuses/:id", _editing("mastodon", _POLL)
    ),
    "mastodon account": Kind(
        "mastodon", "GET /api/v1/accounts/verify_credentials", _missing("mastodon")
    ),
    "mastodon source": Kind(
        "strict", "GET /api/v1/statuses/:id/source", _editing("strict", same=True)
    ),
    "mastodon image": Kind("mastodon", "POST /api/v2/media", _uploading("mastodon")),
    "mastodon image state": Kind("slow", "GET /api/v1/media/:id", _media_status),
    "mastodon video": Kind("mastodon", "POST /api/v2/media", _uploading_film("mastodon")),
    "mastodon video state": Kind("slow", "GET /api/v1/media/:id", _film_state("slow")),
    "mastodon post": Kind("mastodon", "POST /api/v1/statuses", _publishing("mastodon")),
    "mastodon edit": Kind("mastodon", "PUT /api/v1/statuses/:id", _editing("mastodon")),
    "mastodon deletion": Kind("mastodon", "DELETE /api/v1/statuses/:id", _deleting("mastodon")),
    "mastodon boost": Kind("mastodon", "POST /api/v1/statuses/:id/reblog", _boosting("mastodon")),
    "bluesky login": Kind("bluesky", f"POST {_XRPC}.server.createSession", _login("bluesky")),
    "bluesky renewal": Kind("bluesky", f"POST {_XRPC}.server.refreshSession", _renewal),
    "bluesky revision": Kind(
        "bluesky", f"GET {_XRPC}.sync.getLatestCommit", _fetch("bluesky", "{}")
    ),
    "bluesky posts": Kind("bluesky", f"GET {_XRPC}.repo.listRecords", _fetch("bluesky", "{}")),
    "bluesky single post": Kind("bluesky", f"GET {_XRPC}.repo.getRecord", _find("bluesky")),
    "bluesky standing post": Kind("bluesky", f"GET {_XRPC}.repo.getRecord", _standing),
    "bluesky handle": Kind("bluesky", "GET /xrpc/com.atproto.identity.resolveHandle", _resolving),
    "bluesky posts again": Kind("bluesky", f"GET {_XRPC}.repo.listRecords", _rereading("bluesky")),
    "bluesky repository": Kind("bluesky", f"GET {_XRPC}.sync.getLatestCommit", _missing("bluesky")),
    "bluesky image": Kind("bluesky", f"POST {_XRPC}.repo.uploadBlob", _uploading("bluesky")),
    "bluesky video": Kind("bluesky", f"POST {_XRPC}.repo.uploadBlob", _uploading_film("bluesky")),
    "bluesky post": Kind("bluesky", f"POST {_XRPC}.repo.putRecord", _publishing("bluesky")),
    "bluesky deletion": Kind("bluesky", f"POST {_XRPC}.repo.deleteRecord", _deleting("bluesky")),
    "bluesky boost": Kind("bluesky", f"POST {_XRPC}.repo.putRecord", _boosting("bluesky")),
    "twitter login": Kind("twitter", "GET /2/users/me", _login("twitter")),
    "twitter posts": Kind("twitter", "GET /2/users/:id/tweets", _fetch("twitter", "")),
    "twitter single post": Kind("twitter", "GET /2/tweets/:id", _find("twitter")),
    "twitter posts again": Kind("twitter", "GET /2/tweets", _rereading("twitter")),
    "twitter image begun": Kind(
        "twitter", "POST /2/media/upload/initialize", _uploading("twitter")
    ),
    "twitter image part": Kind("twitter", "POST /2/media/upload/:id/append", _uploading("twitter")),
    "twitter image end": Kind(
        "twitter", "POST /2/media/upload/:id/finalize", _uploading("twitter")
    ),
    "twitter alt text": Kind("twitter", "POST /2/media/metadata", _uploading("twitter")),
    "twitter video": Kind(
        "twitter", "POST /2/media/upload/:id/finalize", _uploading_film("twitter")
    ),
    "twitter video state": Kind("twitter", "GET /2/media/upload", _film_state("twitter")),
    "twitter post": Kind("twitter", "POST /2/tweets", _publishing("twitter")),
    "twitter deletion": Kind("twitter", "DELETE /2/tweets/:id", _deleting("twitter")),
    "twitter boost": Kind("twitter", "POST /2/users/:id/retweets", _boosting("twitter")),
    "download": Kind("mastodon", "GET /media/", _download),
    "video download": Kind("mastodon", "GET /media/", _film_download),
}


@dataclass(slots=True)
class Outcome:
    """What came of a request: "ok" or the kind of error, and all that the error says."""

    word: str
    text: str = ""
    retry_at: datetime | None = None


def outcome_of(act: Act) -> Outcome:
    """Make a request. What is none of the five kinds of error is a defect: it is raised."""
    try:
        act()
    except ClientError as error:
        said = "".join(traceback.format_exception(error))
        kind = next(k for k in ClientError.__subclasses__() if isinstance(error, k))
        return Outcome(kind.__name__, f"{error}\n{said}", getattr(error, "retry_at", None))
    return Outcome("ok")


def try_out(rig: Rig, kind: Kind, trouble: Trouble) -> tuple[Outcome, Outcome, bool]:
    """The outcome with the trouble, the outcome of the same when it is over, whether it struck."""
    simulator: Simulator = getattr(rig, kind.at)
    act = kind.prepare(rig)
    rig.elsewhere.requests.clear()
    with troubled(
        trouble, simulator, kind.network, kind.match, rig.elsewhere.url, rig.clock
    ) as struck:
        with_it = outcome_of(act)
        hit = struck()
    simulator.release_late()
    # what is being processed is ready by then
    rig.clock.at = max(with_it.retry_at or rig.clock.at, rig.clock.at + timedelta(minutes=1))
    return with_it, outcome_of(act), hit
