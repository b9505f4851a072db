"""What goes into the memory and comes out of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bridge.post import Draft, Ref, utc

State = Literal["queued", "sending", "sent", "held", "dead", "dropped"]
#: what else waits while a draft waits: nothing, or everything for its account
Blocks = Literal["", "account", "login"]
#: why a draft waits, is held or is dead; `bridge.remedies` says what to do about each
Code = Literal[
    "",
    "alt",  # an image has no alt text, and the bot asks for one
    "approve",  # the bot asks for approval of each post
    "bot",  # its bot is gone, or does not mirror this way any more
    "breaker",  # the source published more in an hour than its target's limit
    "budget",  # the budget of the target is spent
    "busy",  # the network asked to come back later
    "defect",  # an error that should not happen
    "delay",  # waits for the bot's delay, then for its final version
    "deletes",  # its original is gone, and a person should decide about the copy
    "doubt",  # whether it stands cannot be told
    "edit",  # its original was edited, and a person should decide about the copy
    "late",  # older than max_age
    "links",  # it has a link, and the bot holds such posts
    "login",  # the account's login does not work
    "media",  # an image cannot be had or made to fit
    "mode",  # its bot is not live
    "parent",  # waits for another post, or that is held or dead
    "paused",  # a person paused its bot
    "purge",  # many originals are gone within an hour
    "refused",  # the network declined for good
    "state",  # the state was lost or is an old one
    "unreachable",  # the network could not be reached
]
#: what a draft does: a post of its own, or a change to a copy that stands
Action = Literal["publish", "update", "delete"]
#: facts: the state's own number; since when it may lack what was done before; posts whose drafts
#: were given up because of that and are not looked for yet, as JSON
STATE_ID, DOUBTED, FORGOTTEN = "id", "doubted", "forgotten"
#: the error of a dropped draft whose copy stood and is gone: its key is used up
COPY_DELETED = "its copy was deleted"
#: what can be paused
PauseKind = Literal["bot", "account", "all"]
#: failures after which a waiting draft counts as overdue
SEVERAL = 3


@dataclass(frozen=True, slots=True)
class RouteKey:
    """A bot's direction by identities: what cursors and verdicts hang on."""

    bot: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a bot decided about one post for one target."""

    route: RouteKey
    post_id: str
    revision: str
    verdict: Literal["queued", "skipped", "held"]
    reason: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class NewDraft:
    """A draft to be queued, with what it is a copy of.

    What is done about a copy later (`action`, or a correction) is kept under an `id` of its own:
    see `change_id`. `code` says why it waits until `not_before`, or for a person if it is `held`.
    Edits and deletions of what is not `watched` are not followed.
    """

    route: RouteKey
    origin: Ref
    origin_root: Ref | None
    key: str
    draft: Draft
    backfill: bool = False
    generation: int = 0
    approved: bool = False
    action: Action = "publish"
    id: str = ""
    held: bool = False
    code: Code = ""
    reason: str = ""
    not_before: datetime | None = None
    watched: bool = True

    @property
    def source_id(self) -> str:
        """The id of the post, or that of the change."""
        return self.id or self.origin.id

    @property
    def follows(self) -> bool:
        """Whether it belongs to what went out before, and so neither begins nor floods."""
        return self.draft.part > 1 or self.draft.reply_to is not None or is_change(self)


def change_id(post_id: str, what: str) -> str:
    """The id under which a change to the copies of a post is kept; no network uses `#` in ids."""
    return f"{post_id}#{what}"


def changed_id(source_id: str) -> str:
    """The id of what a change is about: a post, or a correction of one."""
    return source_id.rpartition("#")[0] or source_id


def original_id(source_id: str) -> str:
    """The id of the post that everything under an id belongs to."""
    return source_id.partition("#")[0]


def is_change(draft: NewDraft | QueuedDraft) -> bool:
    """Whether a draft is about a post of which a copy went out before."""
    return draft.action != "publish" or draft.generation > 0 or "#" in draft.source_id


@dataclass(frozen=True, slots=True)
class QueuedDraft:
    """A row of `drafts`."""

    id: int
    bot: str
    target: str
    source: str
    source_id: str
    source_url: str
    generation: int
    key: str
    draft: Draft
    backfill: bool
    state: State
    attempts: int
    attempted_at: datetime | None
    doubted_at: datetime | None
    newest: str
    absences: int
    uploads: tuple[dict[str, Any], ...]
    uploaded_at: datetime | None
    payload: dict[str, Any] | None
    not_before: datetime | None
    error: str
    code: Code
    approved: bool
    action: Action = "publish"
    version: int = 0

    @property
    def follows(self) -> bool:
        """Whether it belongs to a post that went out before: a later part, a reply, a change."""
        return self.draft.part > 1 or self.draft.reply_to is not None or is_change(self)

    @property
    def overdue(self) -> bool:
        """Whether it needs a look: a person must decide, or it has failed again and again."""
        return self.state in ("held", "dead") or self.attempts >= SEVERAL


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post that some bots leave to a person: it may be one of our own copies."""

    source: str
    post_id: str
    url: str
    reason: str
    at: str
    bots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked the process that runs the bots to do, and what came of it."""

    id: int
    kind: str
    argument: str
    answer: str
    done: bool
    ok: bool


@dataclass(frozen=True, slots=True)
class Copy:
    """A row of `links`: one part of an original or of a copy, and the root of its thread.

    `missing_at` is when the network first said that it is gone, `gone_at` when that was certain.
    """

    origin: str
    origin_id: str
    identity: str
    part: int
    role: Literal["origin", "copy"]
    ref: Ref
    root: Ref | None
    at: str = ""
    missing_at: datetime | None = None
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit or a deletion of one original means for one target: all of it, or nothing.

    `amended` get other content and `dropped` are given up: of none of them may anything have left.
    Earlier changes that still wait for the post with the id `supersedes` are dropped with it; of a
    correction that has begun to go out, the rest too if the copy has come to its `end`.
    """

    route: RouteKey
    verdict: Verdict | None = None
    amended: tuple[tuple[QueuedDraft, Draft], ...] = ()
    dropped: tuple[QueuedDraft, ...] = ()
    new: tuple[NewDraft, ...] = ()
    supersedes: str = ""
    end: bool = False


@dataclass(slots=True)
class Recording:
    """Everything that one page of posts changes; written in one transaction by `record`.

    `overrule` says that a person asked for it: earlier verdicts on these posts are replaced.
    `posts_per_hour` are the limits of targets, by identity: more than that is held.
    """

    verdicts: list[Verdict] = field(default_factory=list)
    drafts: list[NewDraft] = field(default_factory=list)
    cursors: dict[RouteKey, str] = field(default_factory=dict)
    adopted: list[tuple[QueuedDraft, Ref, Ref | None]] = field(default_factory=list)
    overrule: bool = False
    posts_per_hour: dict[str, int] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.verdicts or self.drafts or self.cursors or self.adopted)


def ref_json(ref: Ref | None) -> str:
    if ref is None:
        return ""
    values = (ref.id, ref.account, ref.url, ref.uri, ref.cid)
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def ref_from(text: str | None) -> Ref | None:
    return Ref(*json.loads(text)) if text else None


EPOCH = "1970-01-01T00:00:00+00:00"
LINK = (
    "origin, origin_id, identity, part, role, post_id, url, uri, cid, root, at, missing_at, gone_at"
)
DRAFT = (
    "id, bot, target, source, source_id, source_url, generation, key, draft, backfill, state,"
    " attempts, attempted_at, doubted_at, newest, absences, uploads, uploaded_at, payload,"
    " not_before, error, code, approved, action, version"
)


def copy_of(row: Sequence[Any]) -> Copy:
    origin, origin_id, identity, part, role, post_id, url, uri, cid, root, at, *times = row
    ref = Ref(post_id, identity, url, uri, cid)
    missing_at, gone_at = (utc(time) if time else None for time in times)
    return Copy(
        origin, origin_id, identity, part, role, ref, ref_from(root), at, missing_at, gone_at
    )


def draft_of(row: Sequence[Any]) -> QueuedDraft:
    values = dict(zip(DRAFT.replace(" ", "").split(","), row, strict=True))
    values["draft"] = Draft.from_json(values["draft"])
    values["backfill"] = bool(values["backfill"])
    values["approved"] = bool(values["approved"])
    for name in ("attempted_at", "doubted_at", "uploaded_at", "not_before"):
        values[name] = utc(values[name]) if values[name] else None
    values["uploads"] = tuple(json.loads(values["uploads"] or "[]"))
    values["payload"] = json.loads(values["payload"]) if values["payload"] else None
    values["newest"] = values["newest"] or ""
    values["error"] = values["error"] or ""
    return QueuedDraft(**values)
