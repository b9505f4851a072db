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
from bridge.network import Client, ClientError, Film, Upload
from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.twitter.client import LIMITS
from bridge.networks.twitter.simulator import TwitterSimulator
from bridge.post import Draft, Media, Run
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
        self.bluesky = BlueskySimulator(now=self.clock, limits=False)
        self.twitter = TwitterSimulator(now=self.clock, limits=False)
        self.elsewhere = Elsewhere()
        self._running: list[Simulator] = [
            self.mastodon,
            self.slow,
            self.older,
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

    def publish(self, name: str, client: Client, uploads: tuple[Any, ...] = ()) -> str:
        """A post that was never published before; returns its id."""
        number = next(self.numbers)
        draft = Draft((Run(f"Nummer {number}: ferja går"),), self.clock())
        network = NETWORKS[network_of(name)]
        key = f"{number:064x}"
        payload = network.to_payload(draft, key, uploads, None, self.clock())
        return client.publish(payload, key).id


def network_of(server: str) -> str:
    """The network of one of the rig's servers."""
    return "mastodon" if server in ("slow", "older") else server


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
    "mastodon image": Kind("mastodon", "POST /api/v2/media", _uploading("mastodon")),
    "mastodon image state": Kind("slow", "GET /api/v1/media/:id", _media_status),
    "mastodon video": Kind("mastodon", "POST /api/v2/media", _uploading_film("mastodon")),
    "mastodon video state": Kind("slow", "GET /api/v1/media/:id", _film_state("slow")),
    "mastodon post": Kind("mastodon", "POST /api/v1/statuses", _publishing("mastodon")),
    "bluesky login": Kind("bluesky", f"POST {_XRPC}.server.createSession", _login("bluesky")),
    "bluesky renewal": Kind("bluesky", f"POST {_XRPC}.server.refreshSession", _renewal),
    "bluesky revision": Kind(
        "bluesky", f"GET {_XRPC}.sync.getLatestCommit", _fetch("bluesky", "{}")
    ),
    "bluesky posts": Kind("bluesky", f"GET {_XRPC}.repo.listRecords", _fetch("bluesky", "{}")),
    "bluesky single post": Kind("bluesky", f"GET {_XRPC}.repo.getRecord", _find("bluesky")),
    "bluesky standing post": Kind("bluesky", f"GET {_XRPC}.repo.getRecord", _standing),
    "bluesky image": Kind("bluesky", f"POST {_XRPC}.repo.uploadBlob", _uploading("bluesky")),
    "bluesky video": Kind("bluesky", f"POST {_XRPC}.repo.uploadBlob", _uploading_film("bluesky")),
    "bluesky post": Kind("bluesky", f"POST {_XRPC}.repo.putRecord", _publishing("bluesky")),
    "twitter login": Kind("twitter", "GET /2/users/me", _login("twitter")),
    "twitter posts": Kind("twitter", "GET /2/users/:id/tweets", _fetch("twitter", "")),
    "twitter single post": Kind("twitter", "GET /2/tweets/:id", _find("twitter")),
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
