"""A trial run of posts through all that the daemon does with them, on a memory that is thrown away.

Judging, rendering, queueing and delivering are those of the daemon. Only the last step is played: a
stand-in takes the place of each target's client, reads through it, and keeps what would be uploaded
and posted to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from bridge import ingest, outbox
from bridge.accounts import Accounts, Opened
from bridge.network import Client, ClientError, Film, Identity, Limits, Network, Upload
from bridge.outcome import Dropped, Sent, Stop, Wait
from bridge.people import unknown_handles
from bridge.post import Draft, Media, Post, Ref, Skip
from bridge.registry import NETWORKS
from bridge.schema import Bot, Config, Route
from bridge.store import Code, QueuedDraft, Store

#: steps that one draft may take until it is known what comes of it
STEPS = 8
#: codes of drafts that a person, or time, lets go: what would go out then is shown too
PASSABLE: frozenset[Code] = frozenset({"alt", "approve", "breaker", "late", "links", "state"})


@dataclass(frozen=True, slots=True)
class Kept:
    """Why a draft would not go out at once, as the outbox would say it: `held`, or it waits."""

    held: bool
    code: Code
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a copy.

    `column` is what stands in the outbox for it, `content` what it is when it goes out, `request`
    the body of the request that publishes it, None if it does not come to that. `uploads` are its
    attachments as they are uploaded: images as they were made to fit, videos as their network tells
    of them; `picture` is that of its card. `kept` is what would keep it back for now.
    """

    column: str
    content: Draft
    request: Mapping[str, Any] | None
    uploads: tuple[Upload | Media, ...] = ()
    picture: Upload | None = None
    kept: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What one route makes of one post: parts, or why there are none."""

    bot: str
    route: Route
    source: Opened
    target: Opened
    post: Post
    verdict: Skip | tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """An upload that was not made."""

    reference: Mapping[str, Any]
    content: Upload | Media


class StandIn:
    """In the place of a client: reads through it, keeps what is written, and asks nobody without.

    Ids of what was not posted are `copy-1` and so on, those of uploads `upload-1`.
    """

    def __init__(self, network: Network, identity: Identity, limits: Limits, real: Client | None):
        self.limits = limits
        self.repeatable = real.repeatable if real else True
        self.keeps_keys = real.keeps_keys if real else True
        #: whether there is nobody to ask
        self.is_alone = real is None
        self.made: list[_Made] = []
        self.published: list[Mapping[str, Any]] = []
        self._network = network
        self._identity = identity
        self._real = real
        self._copies = 0

    def __getattr__(self, name: str) -> Any:
        """Whatever only reads."""
        if self._real is None:
            raise ClientError(f"nothing is asked of {self._network.title} here")
        return getattr(self._real, name)

    def newest(self) -> str:
        """Nothing: it is only for finding again what was posted, and reading costs."""
        return ""

    def upload(self, media: Upload) -> dict[str, Any]:
        """Keep an image that would be uploaded."""
        return self.keep(media)

    def upload_film(self, film: Film) -> dict[str, Any]:
        """Never called: videos are told of, not downloaded."""
        raise NotImplementedError(film.mime)

    def keep(self, media: Upload | Media) -> dict[str, Any]:
        """The reference of an upload that is not made."""
        reference = self._network.unsent(media, len(self.made) + 1)
        self.made.append(_Made(reference, media))
        return reference

    def publish(self, payload: Mapping[str, Any], key: str) -> Ref:  # noqa: ARG002 - a protocol
        """Keep what would be published."""
        self.published.append(payload)
        self._copies += 1
        name = f"copy-{self._copies}"
        return Ref(name, self._identity.id, uri=name, cid=name)

    def update(self, ref: Ref, payload: Mapping[str, Any]) -> Ref:
        """Never called: only first copies are rehearsed."""
        raise NotImplementedError(ref.id, payload)

    def delete(self, ref: Ref) -> None:
        """Never called."""
        raise NotImplementedError(ref.id)


class Stage(Accounts):
    """The accounts of a configuration, logged in, with stand-ins for their clients."""

    def __init__(self, config: Config, store: Store, now: Callable[[], datetime]) -> None:
        super().__init__(config, store, now)
        self._staged: dict[str, Opened] = {}

    def open(self, name: str) -> Opened:
        """The account, whose client writes nothing. Raises the five kinds of error."""
        if name not in self._staged:
            opened = super().open(name)
            client = opened.client
            stand_in = StandIn(opened.network, opened.identity, client.limits, client)
            self._staged[name] = replace(opened, client=cast("Client", stand_in))
        return self._staged[name]


class Offline(Accounts):
    """The accounts of a configuration as far as they are known without asking anybody.

    `known` are those whose identity and limits an earlier login left; others are nobody yet.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        now: Callable[[], datetime],
        known: Mapping[str, tuple[Identity, Limits]],
    ) -> None:
        super().__init__(config, store, now)
        self._staged: dict[str, Opened] = {}
        for name, account in config.accounts.items():
            network = NETWORKS[account.network]
            who, limits = known[name]
            store.know_account(name, network.name, who.id, who.handle, who.url)
            stand_in = cast("Client", StandIn(network, who, limits, None))
            self._staged[name] = Opened(name, network, who, stand_in)

    def open(self, name: str) -> Opened:
        """The account."""
        return self._staged[name]


@dataclass(slots=True)
class _Reports:
    """What the judge says, in its order."""

    found: list[tuple[str, Opened, Post, Skip | tuple[Draft, ...]]] = field(default_factory=list)

    def __call__(self, bot: str, _source: Opened, target: Opened, post: Post, verdict: Any) -> None:
        self.found.append((bot, target, post, verdict))


def rehearse(
    bot: Bot,
    routes: Sequence[Route],
    source: Opened,
    posts: Iterable[Post],
    accounts: Accounts,
    store: Store,
) -> list[Rehearsed]:
    """What a bot would make of posts of one account, and post, post by post and target by target.

    Targets must open. `store` is in memory, and full of what did not happen afterwards.
    """
    targets = {route.target: (route, accounts.open(route.target)) for route in routes}
    ways = [(bot.name, route, target) for route, target in targets.values()]
    reports = _Reports()
    for kind, name in store.pauses():
        store.resume(kind, name)
    ingest.rehearse(source, posts, ways, accounts, store, reports)
    acting = replace(bot, mode="approve" if bot.mode == "approve" else "live")
    found = []
    for name, target, post, verdict in reports.found:
        parts: Skip | tuple[Part, ...]
        if isinstance(verdict, Skip):
            parts = verdict
        else:
            drafts = store.drafts_of(target.identity.id, source.identity.id, post.id)
            parts = _played(drafts, target, accounts, store, acting)
        route, _ = targets[target.name]
        found.append(Rehearsed(name, route, source, target, post, parts))
    return found


def _played(
    drafts: Sequence[QueuedDraft], target: Opened, accounts: Accounts, store: Store, bot: Bot
) -> tuple[Part, ...]:
    """The parts of a copy on their way out, until one does not go."""
    parts: list[Part] = []
    for draft in drafts:
        if parts and parts[-1].request is None:  # what follows waits for it, and that is no news
            parts.append(Part(draft.draft.to_json(), draft.draft, None))
        else:
            parts.append(_part(draft, target, accounts, store, bot))
    return tuple(parts)


def _part(queued: QueuedDraft, target: Opened, accounts: Accounts, store: Store, bot: Bot) -> Part:
    """One draft on its way out, as far as it comes."""
    stand_in = cast("StandIn", target.client)
    kept: list[Kept] = []
    if queued.code == "delay":
        kept.append(Kept(False, "delay", "waits for the bot's delay", queued.not_before))
    elif queued.state == "held":
        kept.append(Kept(True, queued.code, queued.error))
        store.release([queued])
    before = len(stand_in.published)
    for _ in range(STEPS):
        if not _goes_on(_current(queued, store), target, accounts, store, bot, kept):
            break
    draft = _current(queued, store)
    references = [_bare(upload) for upload in draft.uploads]
    uploads = tuple(made.content for made in stand_in.made if made.reference in references)
    picture = uploads[0] if draft.draft.card is not None and uploads else None
    return Part(
        column=queued.draft.to_json(),
        content=draft.draft,
        request=stand_in.published[-1] if len(stand_in.published) > before else None,
        uploads=() if picture else uploads,
        picture=picture if isinstance(picture, Upload) else None,
        kept=tuple(dict.fromkeys(kept)),
    )


def _bare(upload: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in upload.items() if name != "at"}


def _current(draft: QueuedDraft, store: Store) -> QueuedDraft:
    found = store.draft(draft.id)
    assert found is not None
    return found


def _goes_on(
    draft: QueuedDraft,
    target: Opened,
    accounts: Accounts,
    store: Store,
    bot: Bot,
    kept: list[Kept],
) -> bool:
    """Take one step with a draft; whether another one is worth it."""
    stand_in = cast("StandIn", target.client)
    if stand_in.is_alone and (unknown := _unknown(draft.draft)):
        kept.append(Kept(False, "", unknown))
        return False
    if any(item.plays for item in draft.draft.media) and not draft.uploads:
        (item,) = draft.draft.media
        reference = stand_in.keep(item)
        store.uploaded(draft, [{**reference, "at": accounts.now().isoformat()}], accounts.now())
        draft = _current(draft, store)
    try:
        outcome = outbox.step(draft, target, accounts, store, {bot.name: bot})
    except ClientError as error:
        kept.append(Kept(False, "unreachable", str(error)))
        return False
    match outcome:
        case Sent():
            return False
        case Dropped():  # or it got other content on its way: it comes up again
            return _current(draft, store).state == "queued"
        case Stop():
            kept.append(Kept(True, outcome.code, outcome.reason))
        case Wait():
            if outcome.until <= accounts.now():
                return True
            kept.append(Kept(False, outcome.code, outcome.reason, outcome.until))
    if outcome.code not in PASSABLE:
        return False
    store.release([draft])
    return True


def _unknown(part: Draft) -> str:
    """What only the networks can tell of a part before it goes out; "" if nothing."""
    if part.card is not None and not part.card.title.strip():
        return f"the card is made of {part.card.url} when the post goes out"
    if handles := unknown_handles(part):
        return f"who {', '.join(handles)} is, is asked when the post goes out"
    return ""
