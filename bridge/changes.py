"""What an edit or a deletion of an original means for its copies on one target.

Nothing here asks a network or writes: `Store.change` writes a `Change`, all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from bridge.network import Network
from bridge.post import Draft, Loss, Media, Post, Ref, Run, Skip, idempotency_key, join_runs, ref_to
from bridge.schema import Policy
from bridge.store import Change, Code, NewDraft, QueuedDraft, RouteKey, Store, Verdict, change_id

#: what a route makes of a post: see `ingest.judge`
Judge = Callable[[Post], tuple[Draft, ...] | Skip]


@dataclass(frozen=True, slots=True)
class Way:
    """A route, with what its target can show, for one post."""

    key: RouteKey
    policy: Policy
    target: Network
    judge: Judge


def edited(way: Way, post: Post, store: Store, now: datetime) -> Change:
    """What an edited original means for its drafts and copies on one target."""
    drafts = [d for d in _drafts(way, post.id, store) if d.state != "dropped"]
    begun = any(_has_begun(draft) for draft in drafts)
    if not drafts:
        return _nothing(way, post, "edited, but not mirrored here")
    verdict = way.judge(post)
    if isinstance(verdict, Skip) and (verdict.held or not begun):
        # of what is held nothing is known, so that a copy stays as it is
        word: Literal["held", "skipped"] = "held" if verdict.held else "skipped"
        waiting = () if begun else tuple(drafts)
        return Change(way.key, _verdict(way, post, word, verdict.reason), dropped=waiting)
    if not begun:
        assert not isinstance(verdict, Skip)
        return _redrafted(way, post, drafts, verdict)
    if way.policy.edits == "ignore":
        return _nothing(way, post, "an edit, which the bot ignores")
    if isinstance(verdict, Skip):
        reason = f"edited so that it would not be mirrored any more: {verdict.reason}"
        return _removed(way, post, store, now, held=("edit", reason))
    if _same(drafts, verdict):
        return _nothing(way, post, "an edit that changes nothing here")
    in_place = way.target.edits
    if way.policy.edits == "hold":
        held = "edited, and the bot holds edits"
    elif way.policy.edits == "update" and not in_place:
        held = f"edited, and {way.target.title} does not show edits in place"
    else:
        held = ""
    if in_place:
        return _updated(way, post, drafts, verdict, held, store, now)
    if way.policy.edits == "replace" and not held:
        answered = store.is_answered(way.key.target, way.key.source, post.id)
        if not answered and all(draft.state == "sent" for draft in drafts):
            return _replaced(way, post, drafts, verdict, store, now)
    return _corrected(way, post, drafts, held, now)


def deleted(
    way: Way,
    post_id: str,
    store: Store,
    now: datetime,
    *,
    hold: str = "",
    code: Code = "deletes",
    revision: str = "",
) -> Change:
    """What it means for one target that an original is gone, or not public any more.

    `hold` says why a person should decide about copies that stand, `code` the same in a word.
    """
    drafts = [d for d in _drafts(way, post_id, store) if d.state != "dropped"]
    untouched = tuple(draft for draft in drafts if not _has_begun(draft))
    change = Change(way.key, dropped=untouched, supersedes=post_id, end=True)
    if revision:
        reason = hold or "the original is gone"
        change = replace(change, verdict=Verdict(way.key, post_id, revision, "skipped", reason))
    never_left = len(untouched) == len(drafts)
    if never_left or (way.policy.deletes == "follow" and not hold):
        # boosts of it that wait have nothing to boost
        boosts = store.boosts_of(way.key.target, way.key.source, post_id)
        change = replace(change, dropped=(*untouched, *boosts))
    if never_left or way.policy.deletes == "ignore":
        return change
    if way.policy.deletes == "hold":
        hold, code = "the original was deleted, and the bot holds deletions", "deletes"
    return replace(
        change,
        new=tuple(
            deletion(way.key, copy_of, copy_id, url, content, now, held=(code, hold))
            for copy_of, copy_id, url, content in _to_delete(way.key, post_id, drafts, store)
        ),
    )


def removal(key: RouteKey, post_id: str, store: Store, now: datetime) -> Change:
    """The end of every copy of a post on a target, as a person wants it."""
    drafts = store.drafts_of(key.target, key.source, post_id)
    drafts = [draft for draft in drafts if draft.state != "dropped"]
    return Change(
        key,
        dropped=tuple(draft for draft in drafts if not _has_begun(draft)),
        new=tuple(
            deletion(key, copy_of, copy_id, url, content, now, approved=True)
            for copy_of, copy_id, url, content in _to_delete(key, post_id, drafts, store)
        ),
        supersedes=post_id,
        end=True,
    )


def deletion(
    key: RouteKey,
    copy_of: str,
    copy_id: str,
    url: str,
    content: Draft,
    now: datetime,
    *,
    held: tuple[Code, str] = ("", ""),
    approved: bool = False,
) -> NewDraft:
    """The deletion of one part of a copy: of what `copy_of`, a post or a correction, became.

    `copy_id` is its id on the target; "" if it is on its way, so that nobody knows it yet.
    """
    code, reason = held if held[1] else ("", "")
    kept_as = change_id(copy_of, f"delete-{copy_id}")
    return NewDraft(
        key,
        Ref(copy_of, key.source, url),
        None,
        idempotency_key(key.target, key.source, kept_as, content.part, 0),
        replace(content, created_at=now, media=(), losses=(), reply_to=None),
        action="delete",
        id=kept_as,
        held=bool(reason),
        code=code,
        reason=reason,
        approved=approved,
    )


def correction(
    key: RouteKey,
    origin: Ref,
    drafts: tuple[Draft, ...],
    what: str,
    now: datetime,
    *,
    held: str = "",
    approved: bool = False,
) -> tuple[NewDraft, ...]:
    """A reply under the copy of a post, in one or more parts; `what` tells it from others."""
    kept_as = change_id(origin.id, what)
    return tuple(
        NewDraft(
            key,
            origin,
            None,
            idempotency_key(key.target, key.source, kept_as, draft.part, 0),
            replace(
                draft,
                created_at=now,
                reply_to=Ref(origin.id, key.source) if draft.part == 1 else None,
            ),
            id=kept_as,
            held=bool(held),
            code="edit" if held else "",
            reason=held,
            approved=approved,
        )
        for draft in drafts
    )


def _drafts(way: Way, post_id: str, store: Store) -> list[QueuedDraft]:
    return store.drafts_of(way.key.target, way.key.source, post_id)


def _has_begun(draft: QueuedDraft) -> bool:
    """Whether a draft stands, or may."""
    if draft.state == "dead":
        return False
    return draft.state in ("sending", "sent") or draft.attempted_at is not None


def _nothing(way: Way, post: Post, reason: str) -> Change:
    return Change(way.key, _verdict(way, post, "skipped", reason))


def _verdict(
    way: Way, post: Post, word: Literal["queued", "skipped", "held"], reason: str
) -> Verdict:
    return Verdict(way.key, post.id, post.revision, word, reason, post.url)


def _shown(draft: Draft) -> tuple[object, ...]:
    """What readers see of a draft, as far as an edit can change it."""
    poll = draft.poll and (draft.poll.options, draft.poll.multiple)
    return (
        tuple(_as_written(run) for run in draft.runs),
        draft.content_warning,
        draft.sensitive,
        draft.labels,
        draft.languages,
        tuple(_seen(media) for media in draft.media),
        poll,
        draft.quote and draft.quote.id,
    )


def _seen(media: Media) -> tuple[object, ...]:
    return (media.url, media.alt, media.focus)


def _as_written(run: Run) -> Run:
    """A run as before it was looked up whom it mentions."""
    return Run(run.name, "mention") if run.kind == "mention" else run


def _same(drafts: list[QueuedDraft], verdict: tuple[Draft, ...]) -> bool:
    old = [_shown(draft.draft) for draft in drafts]
    return old == [_shown(draft) for draft in verdict]


def _redrafted(
    way: Way, post: Post, drafts: list[QueuedDraft], verdict: tuple[Draft, ...]
) -> Change:
    """Other content for drafts of which nothing has left."""
    first, pairs = drafts[0], list(zip(drafts, verdict, strict=False))
    return Change(
        way.key,
        _verdict(way, post, "queued", "edited before it went out"),
        amended=tuple((old, new) for old, new in pairs),
        dropped=tuple(drafts[len(verdict) :]),
        new=tuple(
            NewDraft(
                way.key,
                ref_to(post),
                post.root,
                idempotency_key(way.key.target, way.key.source, post.id, d.part, first.generation),
                d,
                backfill=first.backfill,
                generation=first.generation,
                approved=first.approved,
                code="delay" if first.code == "delay" else "",
                not_before=first.not_before if first.code == "delay" else None,
            )
            for d in verdict[len(drafts) :]
        ),
    )


def _updated(
    way: Way,
    post: Post,
    drafts: list[QueuedDraft],
    verdict: tuple[Draft, ...],
    held: str,
    store: Store,
    now: datetime,
) -> Change:
    """A copy edited in place: parts that changed, further ones, and those that are too many."""
    amended, new = [], []
    kept_as = change_id(post.id, f"edit-{post.revision}")
    for old, draft in zip(drafts, verdict, strict=False):
        if _shown(old.draft) == _shown(draft):
            continue
        if not _has_begun(old):
            amended.append((old, draft))
            continue
        new.append(
            NewDraft(
                way.key,
                ref_to(post),
                None,
                idempotency_key(way.key.target, way.key.source, kept_as, draft.part, 0),
                draft,
                action="update",
                id=kept_as,
                held=bool(held),
                code="edit" if held else "",
                reason=held,
            )
        )
    generation = drafts[0].generation
    for draft in verdict[len(drafts) :]:
        key = idempotency_key(way.key.target, way.key.source, post.id, draft.part, generation)
        new.append(
            NewDraft(
                way.key,
                ref_to(post),
                None,
                key,
                draft,
                generation=generation,
                backfill=drafts[0].backfill,
                held=bool(held),
                code="edit" if held else "",
                reason=held,
            )
        )
    surplus = drafts[len(verdict) :]
    new += [
        deletion(way.key, copy_of, copy_id, url, content, now, held=("edit", held))
        for copy_of, copy_id, url, content in _to_delete(way.key, post.id, surplus, store)
        if copy_of == post.id and content.part > len(verdict)
    ]
    return Change(
        way.key,
        _verdict(way, post, "queued", held or "edited in place"),
        amended=tuple(amended),
        dropped=tuple(d for d in surplus if not _has_begun(d)),
        new=tuple(new),
        supersedes=post.id,
    )


def _replaced(
    way: Way,
    post: Post,
    drafts: list[QueuedDraft],
    verdict: tuple[Draft, ...],
    store: Store,
    now: datetime,
) -> Change:
    """A copy deleted, and posted anew: its successor waits until it is gone."""
    generation = drafts[0].generation + 1
    gone = tuple(
        deletion(way.key, copy_of, copy_id, url, content, now)
        for copy_of, copy_id, url, content in _to_delete(way.key, post.id, drafts, store)
    )
    fresh = tuple(
        NewDraft(
            way.key,
            ref_to(post),
            post.root,
            idempotency_key(way.key.target, way.key.source, post.id, draft.part, generation),
            draft,
            generation=generation,
        )
        for draft in verdict
    )
    return Change(
        way.key,
        _verdict(way, post, "queued", "edited: the copy is replaced"),
        new=gone + fresh,
        supersedes=post.id,
    )


def _corrected(way: Way, post: Post, drafts: list[QueuedDraft], held: str, now: datetime) -> Change:
    """A reply under the copy that tells what the original says now."""
    old = [_seen(media) for draft in drafts for media in draft.draft.media]
    words = f"{way.policy.correction} " if post.runs else way.policy.correction
    told = replace(
        post,
        runs=join_runs((Run(words), *post.runs)),
        reply_to=ref_to(post),
        quote=None,
        poll=None,
        media=tuple(media for media in post.media if _seen(media) not in old),
    )
    verdict = way.judge(told)
    if isinstance(verdict, Skip) and verdict.held:
        return Change(way.key, _verdict(way, post, "held", verdict.reason))
    if isinstance(verdict, Skip):
        return _nothing(way, post, f"an edit that cannot be told: {verdict.reason}")
    if not held and way.policy.edits == "replace":
        loss = Loss("edit", "told in a reply: the copy has answers, which stay where they are")
        verdict = tuple(replace(draft, losses=(*draft.losses, loss)) for draft in verdict)
    return Change(
        way.key,
        _verdict(way, post, "queued", held or "edited: told in a reply"),
        new=correction(way.key, ref_to(post), verdict, f"edit-{post.revision}", now, held=held),
        supersedes=post.id,
    )


def _removed(
    way: Way, post: Post, store: Store, now: datetime, *, held: tuple[Code, str]
) -> Change:
    drafts = [d for d in _drafts(way, post.id, store) if d.state != "dropped"]
    return Change(
        way.key,
        _verdict(way, post, "queued", held[1]),
        dropped=tuple(draft for draft in drafts if not _has_begun(draft)),
        new=tuple(
            deletion(way.key, copy_of, copy_id, url, content, now, held=held)
            for copy_of, copy_id, url, content in _to_delete(way.key, post.id, drafts, store)
        ),
        supersedes=post.id,
    )


def _to_delete(
    key: RouteKey, post_id: str, drafts: list[QueuedDraft], store: Store
) -> list[tuple[str, str, str, Draft]]:
    """What stands or may stand of a post on the target, the last first: whose copy, and its id.

    With the address of the original and the content, for people to see. `drafts` are those of the
    post itself that are asked about.
    """
    standing = store.standing(key.target, key.source, post_id)
    found = {}
    for copy in standing:
        for draft in store.drafts_of(key.target, key.source, copy.origin_id):
            if draft.draft.part == copy.part:
                found[copy.origin_id, copy.part] = (copy.ref.id, draft)
    told = store.changes_of(key.source, post_id)
    corrections = [d for d in told if d.target == key.target and d.action == "publish"]
    for draft in (*drafts, *corrections):
        if _has_begun(draft) and draft.state not in ("sent", "dropped"):
            found.setdefault((draft.source_id, draft.draft.part), ("", draft))
    return [
        (copy_of, copy_id, draft.source_url, draft.draft)
        for (copy_of, _), (copy_id, draft) in sorted(
            found.items(), key=lambda item: item[0], reverse=True
        )
    ]
