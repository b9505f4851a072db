"""The post that a test gives: written in neutral words, or in a file as its network gives it."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.config.trials import Trial
from bridge.config.yaml_reader import Wrong
from bridge.network import Identity, Network
from bridge.post import Card, Media, Poll, Post, Ref, Run, join_runs
from bridge.text import Span, plain_name

MAX_BYTES = 1024 * 1024
#: ids: of the post, of one of the account's own that was mirrored, of somebody else's
_POST, _OWN, _OTHER = "2", "1", "9"
#: a Monday, when no daylight is saved
_AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Given:
    """A post, who wrote it, and the ids of posts of the account that stand on every target."""

    post: Post
    identity: Identity
    mirrored: tuple[str, ...]


def nobody(network: Network, name: str) -> Identity:
    """Who an account is of which its name is all that is known."""
    try:
        found: Identity = network.samples().identity(name)
    except ModuleNotFoundError:  # a network of a plugin
        return Identity(f"{network.name}:{name}", name)
    return found


def read(trial: Trial, network: Network) -> Given:
    """The post of a test. Wrong, at its place, if it is in a file that cannot be used."""
    given = trial.given
    try:
        make = network.samples()
    except ModuleNotFoundError:
        said = f"no post of {network.title} can be given: {network.package} has no samples.py"
        raise Wrong(trial.node, said) from None
    mirrored: tuple[str, ...] = given.get("mirrored", ())
    if "file" in given:
        post = _from_file(trial, given["file"], make)
        return Given(post, Identity(post.account, trial.source), mirrored)
    identity: Identity = make.identity(trial.source)
    post = _post(given, trial.source, identity, make, network)
    return Given(post, identity, (*mirrored, _OWN))


def _from_file(trial: Trial, path: Path, make: Any) -> Post:
    node = trial.given_node.pairs["file"][1]
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Wrong(node, f"{path.name} is not an ordinary file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise Wrong(node, f"{path.name} is larger than 1 MiB; it should hold one post")
        read_as = json.loads(data)
    except OSError as error:
        raise Wrong(node, f"{path.name} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):  # ValueError: also of bytes that are no text
        raise Wrong(node, f"{path.name} is no JSON") from None
    try:
        post: Post = make.from_json(read_as)
    except ValueError as error:
        raise Wrong(node, f"{path.name} {error}") from None
    return post


def _post(
    given: Mapping[str, Any], name: str, identity: Identity, make: Any, network: Network
) -> Post:
    at: datetime = given.get("at", _AT)
    own = Ref(_OWN, identity.id, make.page(name, _OWN), author=name)
    other = Ref(_OTHER, f"{network.name}:other", make.page("other", _OTHER), author="other")

    def ref(word: str) -> Ref | None:
        said = given.get(word)
        if said in (None, "own", "other"):
            return {"own": own, "other": other}.get(str(said))
        return Ref(_OTHER, other.account, str(said), author=_author(str(said)))

    return Post(
        account=identity.id,
        id=_POST,
        url=make.page(name, _POST),
        created_at=at,
        runs=typed(given.get("text", ""), make.entities, make.profile),
        languages=given.get("language", ()),
        content_warning=given.get("content_warning", ""),
        sensitive=given.get("sensitive", False),
        visibility=given.get("visibility", "public"),
        media=tuple(_media(n, item) for n, item in enumerate(given.get("media", ()), 1)),
        poll=_poll(given["poll"], at) if "poll" in given else None,
        card=Card(**given["card"]) if "card" in given else None,
        labels=given.get("labels", ()),
        reply_to=ref("reply"),
        quote=ref("quote"),
        boost=ref("boost"),
        application=given.get("app", ""),
    )


def _author(url: str) -> str:
    """The name that Mastodon and X show in the address of a post; "" where there is none."""
    found = re.match(r"https?://[^/]+/(?:@|users/)?(\w+)(?:@[^/]+)?/(?:status|\d)", url)
    return found[1] if found else ""


def _media(number: int, item: Mapping[str, Any]) -> Media:
    kind = item.get("kind", "image")
    url = f"https://files.example/{number}"
    length: timedelta = item.get("duration", timedelta())
    return Media(
        kind,
        url,
        item.get("alt", ""),
        duration=length.total_seconds(),
        bytes=item.get("bytes", 0),
        poster=f"{url}.jpg" if kind in ("video", "gif") else "",
    )


def _poll(poll: Mapping[str, Any], at: datetime) -> Poll:
    ends = at + poll.get("lasts", timedelta(days=1))
    return Poll(poll.get("options", ()), multiple=poll.get("multiple", False), ends_at=ends)


def typed(
    text: str, entities: Callable[[str], list[Span]], profile: Callable[[str], str]
) -> tuple[Run, ...]:
    """A text as the network would have read what a person typed there.

    `entities` says what the network finds in it, `profile` gives the address of a person.
    """
    runs: list[Run] = []
    at = 0
    for span in entities(text):
        if span.start < at or span.kind == "cashtag":
            continue
        words = text[span.start : span.end]
        runs.append(Run(text[at : span.start]))
        if span.kind == "link":
            has_scheme = re.match("https?://", span.value, re.IGNORECASE)
            runs.append(Run(words, "link", span.value if has_scheme else f"https://{span.value}"))
        elif span.kind == "hashtag":
            runs.append(Run(words, "hashtag", span.value))
        else:
            runs.append(Run(words, "mention", profile(span.value), plain_name(words)))
        at = span.end
    return join_runs([*runs, Run(text[at:])])
