"""The neutral model of a post: what every network reads into and is written from. Pure data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

RunKind = Literal["text", "link", "mention", "hashtag"]
Visibility = Literal["public", "unlisted", "private", "direct", "unknown"]
MediaKind = Literal["image", "video", "gif", "audio", "unknown"]


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text of one kind. Runs joined give the text of the post.

    `text` is what a reader sees. `target` is a link's real URL, a mention's profile URL, or a
    hashtag without its `#`. `name` is a mention's plain name: no `@`, no domain.
    """

    text: str
    kind: RunKind = "text"
    target: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """An attachment. `url` is where its bytes can be fetched; sizes are pixels, 0 if unknown.

    `focus` is the point that must stay in view where an image is cropped, from -1 to 1 rightwards
    and upwards, (0, 0) being the middle; None where the network does not tell. Of a video, an
    animation or a sound, `duration` is seconds and `bytes` its size, 0 if untold; `poster` is the
    URL of an image that stands for it, and `others` are URLs of the same in less quality, best
    first.
    """

    kind: MediaKind
    url: str
    alt: str = ""
    mime: str = ""
    width: int = 0
    height: int = 0
    focus: tuple[float, float] | None = None
    duration: float = 0.0
    bytes: int = 0
    poster: str = ""
    others: tuple[str, ...] = ()

    @property
    def plays(self) -> bool:
        """Whether it is a video, an animation or a sound rather than an image."""
        return self.kind in ("video", "gif", "audio")


@dataclass(frozen=True, slots=True)
class Ref:
    """Another post, as far as it is known.

    `id` is the remote id that the network's own API takes (Mastodon status id, X post id, Bluesky
    record key); `account` the author's identity; `uri` and `cid` Bluesky's strong reference; `url`
    a page that people can open; `author` a name of its author to show: no `@`, no domain.
    """

    id: str
    account: str = ""
    url: str = ""
    uri: str = ""
    cid: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll: its options, how many chose each (empty if untold), and until when one can vote, UTC.

    `closed` says that the votes are the result. On a draft `shortest` and `longest` are the seconds
    that a poll may last on its target.
    """

    options: tuple[str, ...]
    votes: tuple[int, ...] = ()
    multiple: bool = False
    ends_at: datetime | None = None
    closed: bool = False
    shortest: int = 0
    longest: int = 0

    def seconds_left(self, now: datetime) -> int:
        """How long the copy of a poll lasts: what is left of the original's time, within bounds."""
        left = 7 * 86400.0 if self.ends_at is None else (self.ends_at - now).total_seconds()
        return max(self.shortest, min(int(left), self.longest))


@dataclass(frozen=True, slots=True)
class Card:
    """What stands for a link below a post: the page's title and description, a picture's address.

    One without a title is still to be made of the page.
    """

    url: str
    title: str = ""
    description: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """A post as read from a network.

    `account` is the identity of its author, `id` its remote id (for an edited X post the id of its
    first version), `revision` what changes when it is edited ("" if the network shows no edits),
    `versions` the ids of all its versions where each has one. `created_at` is UTC. `uri` and `cid`
    are Bluesky's strong reference to the post itself, `root` the first post of its thread where the
    network tells. The `runs` of a boost are the words of the boosted post, where the network
    repeats them. `tags` are hashtags that do not stand in the text, `labels` Bluesky's
    self-labels. `mark` is the idempotency key that a copy
    made by Tribridge bears on networks that can carry it; `application` the name of the program
    that made the post, where the network tells.
    """

    account: str
    id: str
    url: str
    created_at: datetime
    runs: tuple[Run, ...]
    revision: str = ""
    versions: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    content_warning: str = ""
    sensitive: bool = False
    visibility: Visibility = "public"
    media: tuple[Media, ...] = ()
    reply_to: Ref | None = None
    root: Ref | None = None
    uri: str = ""
    cid: str = ""
    quote: Ref | None = None
    boost: Ref | None = None
    poll: Poll | None = None
    tags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    card: Card | None = None
    application: str = ""
    mark: str = ""

    @property
    def text(self) -> str:
        """The text as a reader sees it."""
        return "".join(run.text for run in self.runs)

    def replace(self, start: int, end: int, new: str) -> Post:
        """The post with characters [start, end) of its text replaced by plain text.

        A link, mention or hashtag that the range touches without covering it whole keeps its
        target, and its text changes; one that is covered whole is dropped.
        """
        return replace(self, runs=replace_in_runs(self.runs, start, end, new))


def replace_in_runs(runs: tuple[Run, ...], start: int, end: int, new: str) -> tuple[Run, ...]:
    """Runs with characters [start, end) of their joined text replaced by plain text `new`."""
    out: list[Run] = []
    at = 0
    placed = False
    for run in runs:
        stop = at + len(run.text)
        if stop <= start or at >= end:
            if at >= end and not placed:
                out.append(Run(new))
                placed = True
            out.append(run)
        else:
            before, after = run.text[: max(0, start - at)], run.text[max(0, end - at) :]
            if run.kind == "text":
                out.append(replace(run, text=before))
                if not placed:
                    out.append(Run(new))
                out.append(replace(run, text=after))
            else:
                if before:
                    out.append(replace(run, text=before))
                if not placed:
                    out.append(Run(new))
                if after:
                    out.append(replace(run, text=after))
            placed = True
        at = stop
    if not placed:
        out.append(Run(new))
    return join_runs(out)


def join_runs(runs: list[Run] | tuple[Run, ...]) -> tuple[Run, ...]:
    """The same runs, empty ones dropped and neighbouring plain ones made one."""
    out: list[Run] = []
    for run in runs:
        if not run.text:
            continue
        if out and out[-1].kind == run.kind == "text":
            out[-1] = Run(out[-1].text + run.text)
        else:
            out.append(run)
    return tuple(out)


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that the copy could not carry: a short name, and a sentence for people."""

    what: str
    detail: str


def ref_to(post: Post) -> Ref:
    """A reference to a post that was read."""
    return Ref(post.id, post.account, post.url, post.uri, post.cid)


@dataclass(frozen=True, slots=True)
class Draft:
    """One frozen post to one target: part `part` (from 1) of `parts`.

    `runs` are as the target shows them. `reply_to` is the post on the *source* that the original
    answers, `quote` and `boost` the one that it quotes or boosts, whose `account` may be another;
    their copies on the target are looked up when the draft is sent. Where the target has no quotes,
    a link in `runs` to `quote.url` is made to lead to the copy. A boost has no text. `tags` are
    hashtags beside the text. One that is `alone` answers no post, though it goes out after the part
    before it or the post that the original answers, and begins with `lead`, such as "(2/3) ".
    `created_at` is the original's time, UTC.
    """

    runs: tuple[Run, ...]
    created_at: datetime
    part: int = 1
    parts: int = 1
    languages: tuple[str, ...] = ()
    content_warning: str = ""
    sensitive: bool = False
    visibility: Visibility = "public"
    media: tuple[Media, ...] = ()
    reply_to: Ref | None = None
    losses: tuple[Loss, ...] = field(default=())
    labels: tuple[str, ...] = ()
    poll: Poll | None = None
    quote: Ref | None = None
    boost: Ref | None = None
    card: Card | None = None
    tags: tuple[str, ...] = ()
    alone: bool = False
    lead: str = ""

    @property
    def text(self) -> str:
        """The text as the target shows it, without `lead`."""
        return "".join(run.text for run in self.runs)

    def to_json(self) -> str:
        """The draft as one JSON object; `from_json` gives it back."""
        return json.dumps(
            asdict(self), ensure_ascii=False, separators=(",", ":"), default=datetime.isoformat
        )

    @classmethod
    def from_json(cls, text: str) -> Draft:
        """The draft that `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        data["created_at"] = datetime.fromisoformat(data["created_at"])
        data["runs"] = tuple(Run(**run) for run in data["runs"])
        data["media"] = tuple(_media(media) for media in data["media"])
        data["losses"] = tuple(Loss(**loss) for loss in data["losses"])
        data["languages"] = tuple(data["languages"])
        data["labels"] = tuple(data.get("labels", ()))
        data["tags"] = tuple(data.get("tags", ()))
        data["poll"] = _poll(data["poll"]) if data.get("poll") else None
        data["card"] = Card(**data["card"]) if data.get("card") else None
        for name in ("reply_to", "quote", "boost"):
            data[name] = Ref(**data[name]) if data.get(name) else None
        return cls(**data)


def _media(data: dict[str, Any]) -> Media:
    focus = data.get("focus")
    others = tuple(data.get("others", ()))
    return Media(**{**data, "focus": tuple(focus) if focus else None, "others": others})


def _poll(data: dict[str, Any]) -> Poll:
    ends_at = datetime.fromisoformat(data["ends_at"]) if data["ends_at"] else None
    lists = {name: tuple(data[name]) for name in ("options", "votes")}
    return Poll(**{**data, **lists, "ends_at": ends_at})


@dataclass(frozen=True, slots=True)
class Skip:
    """A post that a bot leaves alone, and why; `held` if a person should decide."""

    reason: str
    held: bool = False


def idempotency_key(target: str, source: str, source_id: str, part: int, generation: int) -> str:
    """The key of a draft: 64 hexadecimal characters derived from what it is a copy of.

    Derived, not drawn: a lost state file makes the same keys again.
    """
    name = json.dumps([target, source, source_id, part, generation], ensure_ascii=False)
    return hashlib.sha256(name.encode()).hexdigest()


def utc(text: str) -> datetime:
    """An ISO 8601 time as UTC; a time without zone is taken as UTC. ValueError if it is none."""
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
