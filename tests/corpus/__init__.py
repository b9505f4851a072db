"""Golden cases: a post as its network's own JSON, and what each other network is sent of it.

A case is one file, `cases/FEATURE--VARIANT.SOURCE.yaml`:

    about     what is to be seen
    input     the post, as JSON of its network; only what differs from `base/SOURCE.yaml`
    settings  the bot's settings, where they are not the built-in ones
    people    handles of people by network, as at the top of a configuration; on Bluesky each is found
    server    what a target that speaks Mastodon's API says of itself, where it is not the base's
    mirrored  ids of posts of the account that stand on the targets already
    to        what comes of it, by target: parts, or `skipped`; written by the program

A part is the body of the request that publishes it (`post`), without the keys that are derived from
hashes; the attachments that are uploaded before (`media`); and, since bytes are hard to count by
eye, the words of a Bluesky record that its facets make live (`live`). `losses` are what people are
told of. `python -m tests.corpus --update` writes `to` anew, everything above it stays as it is.
"""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from bridge import config
from bridge.accounts import Opened
from bridge.ingest import judge
from bridge.network import Identity, Limits, Network, Parents
from bridge.networks.bluesky import client as bluesky
from bridge.networks.bluesky import read as bluesky_read
from bridge.networks.bluesky.write import MARK, VIDEO
from bridge.networks.mastodon import read as mastodon_read
from bridge.networks.mastodon import samples as mastodon_samples
from bridge.networks.twitter import client as twitter
from bridge.networks.twitter import read as twitter_read
from bridge.offline import memory, opened
from bridge.people import identified, unknown_handles
from bridge.post import Draft, Media, Post, Ref, Skip
from bridge.registry import NETWORKS
from bridge.render import to_copy
from bridge.schema import Route

HERE = Path(__file__).parent
CASES = HERE / "cases"
#: kinds of source: software that speaks Mastodon's API, X in both families of names, Bluesky
SOURCES = {
    "mastodon": "mastodon",
    "gotosocial": "mastodon",
    "pleroma": "mastodon",
    "misskey": "mastodon",
    "twitter": "twitter",
    "twitter-old": "twitter",
    "bluesky": "bluesky",
}
#: later than any post of the corpus
NOW = datetime(2026, 12, 1, tzinfo=UTC)
IDENTITIES = {
    "mastodon": Identity(
        "mastodon:avis.example/7", "avis@avis.example", "https://avis.example/@avis"
    ),
    "bluesky": Identity(
        "bluesky:did:plc:avis", "@avis.example", "https://bsky.app/profile/avis.example"
    ),
    "twitter": Identity("twitter:7", "@avis", "https://x.com/avis"),
}
_ACCOUNTS = {
    "mastodon": {"network": "mastodon", "server": "https://avis.example", "access_token": "t"},
    "bluesky": {"network": "bluesky", "handle": "avis.example", "app_password": "p"},
    "twitter": {
        "network": "twitter",
        "api_key": "a",
        "api_key_secret": "b",
        "access_token": "c",
        "access_token_secret": "d",
        "budget": {"usd_per_month": 30},
    },
}


@dataclass(frozen=True)
class Case:
    """One file of the corpus, read."""

    file: Path
    feature: str
    variant: str
    #: one of SOURCES
    source: str
    about: str
    input: Any
    settings: Mapping[str, Any]
    people: Mapping[str, Any]
    server: Mapping[str, Any]
    mirrored: tuple[str, ...]
    #: what the file expects, by target
    to: Mapping[str, Any]

    @property
    def network(self) -> str:
        return SOURCES[self.source]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(name for name in NETWORKS if name != self.network)


def load(file: Path) -> Case:
    """The case that a file holds. ValueError if its name or what stands in it is no case."""
    feature, _, rest = file.stem.partition("--")
    variant, _, source = rest.partition(".")
    if source not in SOURCES or not (feature and variant):
        raise ValueError(f"{file.name}: not named FEATURE--VARIANT.SOURCE.yaml")
    data = yaml.safe_load(file.read_text("utf-8"))
    unknown = set(data) - {"about", "input", "settings", "people", "server", "mirrored", "to"}
    if unknown or not data.get("about") or "input" not in data:
        raise ValueError(f"{file.name}: needs about and input, knows no {unknown or 'more'}")
    return Case(
        file,
        feature,
        variant,
        source,
        data["about"],
        _merged(_base(source), data["input"]),
        data.get("settings") or {},
        data.get("people") or {},
        data.get("server") or {},
        tuple(map(str, data.get("mirrored", ()))),
        data.get("to") or {},
    )


def cases() -> Iterator[Case]:
    """Every case, by name."""
    return map(load, sorted(CASES.glob("*.yaml")))


def outcome(case: Case) -> dict[str, Any]:
    """What comes of a case now, by target, in the form that its file has."""
    return {target: _at(case, target) for target in case.targets}


def read(case: Case) -> Post:
    """The post of a case, as the client of its network reads it."""
    return read_post(case.network, case.input)


def read_post(network: str, data: Any) -> Post:
    """A status of Mastodon, a page of X with one post, or an item of Bluesky's list, as a post."""
    if network == "mastodon":
        return mastodon_read.to_post(data, "avis.example")
    if network == "twitter":
        user = twitter_read.User("7", "avis", protected=False)
        (post,) = twitter_read.to_posts(data, twitter_read.author(data, user))
        return post
    owner = bluesky_read.Owner("did:plc:avis", "avis.example", "https://pds.example")
    found = bluesky_read.to_post(data, owner)
    assert found is not None, "a record without an address"
    return found


def limits(target: str, server: Mapping[str, Any]) -> Limits:
    """The limits of a target; `server` is what a Mastodon server says of itself."""
    if target == "mastodon":
        return mastodon_read.to_limits(
            mastodon_read.to_instance(_merged(mastodon_samples.INSTANCE, server))
        )
    return {"bluesky": bluesky.LIMITS, "twitter": twitter.LIMITS}[target]


def drafts(case: Case, target: str, post: Post) -> tuple[Draft, ...] | Skip:
    """What a bot that reads the post queues for a target."""
    source, there = _opened(case.network, case.server), _opened(target, case.server)
    route = _routes(case.network, json.dumps([case.settings, case.people]))[target]
    # what can be converted on a machine must not decide what stands in the corpus
    return judge("bot", route, source, there, post, memory(case.mirrored), converts=False)


def payloads(
    target: str, parts: tuple[Draft, ...], server: Mapping[str, Any] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """The bodies of the requests that publish drafts one after the other."""
    at_most = limits(target, server)
    network = NETWORKS[target]
    made = []
    above: Ref | None = _copy(target, "parent") if parts[0].reply_to else None
    root = above
    for draft in parts:
        uploads = tuple(_uploaded(target, item, at) for at, item in enumerate(draft.media, 1))
        shows = _copy(target, "shown") if draft.boost or draft.quote else None
        content = to_copy(draft, shows, at_most) if shows else draft
        content = addressed(content, network)
        if not (at_most.quotes or draft.boost):
            shows = None
        if draft.alone:
            above = root = None
        parents = Parents(above, root, shows) if above or shows else None
        made.append(network.to_payload(content, f"key-{draft.part}", uploads, parents, NOW))
        above = _copy(target, f"part-{draft.part}")
        root = root or above
    return made


def _at(case: Case, target: str) -> dict[str, Any]:
    found = drafts(case, target, read(case))
    if isinstance(found, Skip):
        return {"skipped": found.reason}
    parts = []
    for draft, payload in zip(found, payloads(target, found, case.server), strict=True):
        part: dict[str, Any] = {"post": _without_keys(payload)}
        live = _live(part["post"])
        if live:
            part["live"] = live
        if draft.card:
            part["card"] = draft.card.image or "without a picture"
        if draft.media:
            part["media"] = [{"kind": m.kind, "url": m.url, "alt": m.alt} for m in draft.media]
        parts.append(part)
    told = [f"{loss.what}: {loss.detail}" for loss in found[0].losses]
    return {"parts": parts, "losses": told} if told else {"parts": parts}


def _without_keys(payload: Mapping[str, Any]) -> Any:
    if "record" not in payload:
        return dict(payload)
    return {name: value for name, value in payload["record"].items() if name != MARK}


def _live(payload: Mapping[str, Any]) -> list[str]:
    raw = str(payload.get("text", "")).encode()
    told = []
    for facet in payload.get("facets", ()):
        (feature,) = facet["features"]
        words = raw[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode()
        told.append(f"{words} -> {feature.get('uri') or feature.get('did') or feature.get('tag')}")
    return told


def _uploaded(target: str, item: Media, at: int) -> dict[str, Any]:
    """What the client of a target returns of an attachment."""
    if target != "bluesky":
        return {"id": str(at)}
    mime = "video/mp4" if item.plays else "image/jpeg"
    blob = {"$type": "blob", "ref": {"$link": f"bafkrei{at}"}, "mimeType": mime, "size": 1}
    shape = {"width": item.width, "height": item.height}
    found: dict[str, Any] = {"alt": item.alt, "image": blob}
    if item.plays:
        found = {"$type": VIDEO, "video": blob} | ({"alt": item.alt} if item.alt else {})
        found |= {"presentation": "gif"} if item.kind == "gif" else {}
    return {**found, "aspectRatio": shape} if all(shape.values()) else found


def addressed(draft: Draft, network: Network) -> Draft:
    """A draft whose mentions name identities where its network wants them: each is found."""
    if network.live_mentions != "identity":
        return draft
    dids = {handle: f"did:plc:{handle.split('.')[0]}" for handle in unknown_handles(draft)}
    return identified(draft, dids, network)


def _copy(target: str, name: str) -> Ref:
    uri = f"at://did:plc:avis/app.bsky.feed.post/{name}" if target == "bluesky" else ""
    url = (
        f"https://x.com/avis/status/{name}"
        if target == "twitter"
        else f"https://avis.example/@avis/{name}"
    )
    return Ref(name, IDENTITIES[target].id, url, uri, f"cid-{name}" if uri else "")


def _opened(network: str, server: Mapping[str, Any]) -> Opened:
    return opened(network, NETWORKS[network], IDENTITIES[network], limits(network, server))


@functools.cache
def _routes(source: str, settings: str) -> dict[str, Route]:
    """The ways of a bot to both other networks, by target."""
    bot = {"from": source, "to": [name for name in NETWORKS if name != source]}
    bot["cards"] = "source"  # others are made when a post goes out, of pages that are not here
    own, people = json.loads(settings)
    bot |= own
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        written = {"accounts": _ACCOUNTS, "people": people, "bots": {"bot": bot}}
        file.write_text(yaml.safe_dump(written), "utf-8")
        return {route.target: route for route in config.load(file, {}).bots["bot"].routes}


@functools.cache
def _base(source: str) -> Any:
    return yaml.safe_load((HERE / "base" / f"{source}.yaml").read_text("utf-8"))


def _merged(base: Any, over: Any) -> Any:
    """`over` laid on `base`, map by map; lists and all else replace, `~` included.

    A page of X holds one post: what a case says of `data` is laid on that.
    """
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: _merged(base.get(key), value) for key, value in over.items()}}
    if isinstance(base, list) and len(base) == 1 and isinstance(over, dict):
        return [_merged(base[0], over)]
    return over
