"""What goes into the memory and comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bridge.post import Draft, Ref

State = Literal["queued", "sending", "sent", "held", "dead"]
#: what else waits while a draft waits: nothing, or everything for its account
Blocks = Literal["", "account", "login"]
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
    """A draft to be queued, with what it is a copy of."""

    route: RouteKey
    origin: Ref
    origin_root: Ref | None
    key: str
    draft: Draft
    backfill: bool = False
    generation: int = 0


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
    error: str

    @property
    def overdue(self) -> bool:
        """Whether it needs a look: a person must decide, or it has failed again and again."""
        return self.state in ("held", "dead") or self.attempts >= SEVERAL


@dataclass(frozen=True, slots=True)
class Copy:
    """A row of `links`: one part of an original or of a copy, and the root of its thread."""

    origin: str
    origin_id: str
    identity: str
    part: int
    role: Literal["origin", "copy"]
    ref: Ref
    root: Ref | None


@dataclass(slots=True)
class Recording:
    """Everything that one page of posts changes; written in one transaction by `record`."""

    verdicts: list[Verdict] = field(default_factory=list)
    drafts: list[NewDraft] = field(default_factory=list)
    cursors: dict[RouteKey, str] = field(default_factory=dict)
    adopted: list[tuple[QueuedDraft, Ref, Ref | None]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.verdicts or self.drafts or self.cursors or self.adopted)
