"""One pass over a source: fetch, recognise own copies, choose, change, render, queue.

Everything that a page of posts leads to (verdicts, drafts, moved cursors) is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

from bridge import bridges, ffmpeg, standing, steps
from bridge.accounts import Accounts, Opened
from bridge.changes import Way as Changing
from bridge.changes import edited
from bridge.likeness import is_telling, may_be_copy
from bridge.network import Backfill, ClientError, Page, Refused
from bridge.post import Draft, Post, Ref, Skip, idempotency_key, ref_to, utc
from bridge.registry import NETWORKS
from bridge.render import render
from bridge.schema import BackfillSetting, Policy, Route
from bridge.store import COPY_DELETED, Copy, NewDraft, Recording, RouteKey, Store, Verdict

#: how long an attempted draft is looked for among the posts of its target
MAY_STAND = timedelta(days=7)
#: called with the bot, source, target, post and verdict
Report = Callable[[str, Opened, Opened, Post, tuple[Draft, ...] | Skip], None]


@dataclass(frozen=True, slots=True)
class _Way:
    """A route whose both ends are open."""

    key: RouteKey
    policy: Policy
    target: Opened
    cursor: str | None
    started_at: datetime
    #: whether videos can be converted; None: if this machine can
    converts: bool | None = None


@dataclass(slots=True)
class Pass:
    """What a pass over one source did.

    `targets` have new drafts, `errors` are by account, `began` are the bots whose first run it was,
    `flood` counts drafts that were held as too many within an hour, `taken` are the ids of posts
    that were queued.
    """

    targets: set[str] = field(default_factory=set)
    began: set[str] = field(default_factory=set)
    queued: int = 0
    skipped: int = 0
    flood: int = 0
    errors: dict[str, ClientError] = field(default_factory=dict)
    posts: int = 0
    taken: set[str] = field(default_factory=set)


def ingest(
    source_name: str,
    routes: Iterable[tuple[str, Route]],
    accounts: Accounts,
    store: Store,
    *,
    report: Report | None = None,
) -> Pass:
    """Read everything new on one account and queue it for each (bot, route) from it.

    Routes that stand at the same cursor share each fetch. Errors of the network end the pass, but
    for a fetch that is refused, which ends it for its own routes; they are returned, not raised:
    cursors stand behind what was recorded, so the next pass goes on.
    """
    done = Pass()
    try:
        source = accounts.open(source_name)
    except ClientError as error:
        done.errors[source_name] = error
        return done
    ways: dict[tuple[str | None, BackfillSetting | None], list[_Way]] = {}
    for bot, route in routes:
        try:
            target = accounts.open(route.target)
        except ClientError as error:
            done.errors[route.target] = error
            _mark_start(bot, route, source, accounts, store, done)
            continue
        key = RouteKey(bot, source.identity.id, target.identity.id)
        at = store.cursor(key)
        if at is None:
            store.name_target(_start_of(bot, source, route), key.target)
            at = store.cursor(key)
        cursor, started = at if at else (None, accounts.now())
        first = route.policy.backfill if cursor is None else None
        way = _Way(key, route.policy, target, cursor, started)
        ways.setdefault((cursor, first), []).append(way)
    for (cursor, backfill), group in ways.items():
        try:
            start = cursor
            if start is None:
                assert backfill is not None
                start = _begin(source, group, backfill, store, accounts.now())
                done.began |= {way.key.bot for way in group}
            _read_on(source, group, start, store, accounts, done, report)
        except ClientError as error:
            done.errors[source_name] = error
            if not isinstance(error, Refused):  # others are of the whole account
                break
    return done


def _start_of(bot: str, source: Opened, route: Route) -> RouteKey:
    """Where a route's start stands as long as the identity of its target is not known."""
    return RouteKey(bot, source.identity.id, f"name:{route.target}")


def _mark_start(
    bot: str, route: Route, source: Opened, accounts: Accounts, store: Store, done: Pass
) -> None:
    """Begin a route although its target cannot be opened: what is posted meanwhile is not lost."""
    known = accounts.known_identity(route.target)
    start = _start_of(bot, source, route)
    if (known and store.cursor(replace(start, target=known))) or store.cursor(start):
        return
    try:
        begin = source.client.begin(_backfill(route.policy.backfill))
    except ClientError as error:
        done.errors[source.name] = error
        return
    old = [_old(start, post) for post in begin.posts]
    store.record(Recording(verdicts=old, cursors={start: begin.cursor}), accounts.now())


def _backfill(setting: BackfillSetting) -> Backfill:
    since = utc(setting.since) if setting.since else None
    return Backfill(setting.last, since, setting.everything)


def _begin(
    source: Opened, ways: list[_Way], backfill: BackfillSetting, store: Store, now: datetime
) -> str:
    """The first run of some routes: where it starts, with older posts recorded as such."""
    start = source.client.begin(_backfill(backfill))
    page = Recording()
    for way in ways:
        page.cursors[way.key] = start.cursor
        page.verdicts += [_old(way.key, post) for post in start.posts]
    store.record(page, now)
    return start.cursor


def _read_on(
    source: Opened,
    ways: list[_Way],
    cursor: str,
    store: Store,
    accounts: Accounts,
    done: Pass,
    report: Report | None,
) -> None:
    """Fetch page after page from a cursor until there is nothing more."""
    more = True
    while more:
        page = source.client.fetch(cursor)
        more = page.more and page.cursor != cursor
        if page.posts or page.cursor != cursor:
            recording = _judge_page(source, ways, page, store, accounts.now(), report)
            done.flood += _record(recording, ways, accounts, store)
            done.targets |= {
                way.target.name
                for way in ways
                if any(new.route == way.key for new in recording.drafts)
            }
            done.posts += len(page.posts)
            done.taken |= {v.post_id for v in recording.verdicts if v.verdict == "queued"}
            done.queued += sum(v.verdict == "queued" for v in recording.verdicts)
            done.skipped += sum(v.verdict != "queued" for v in recording.verdicts)
        cursor = page.cursor


def _record(recording: Recording, ways: list[_Way], accounts: Accounts, store: Store) -> int:
    """Write what a page led to; how many drafts that held as too many within an hour."""
    for way in ways:
        limit = accounts.posts_per_hour(way.target.name)
        recording.posts_per_hour[way.key.target] = limit
    return store.record(recording, accounts.now())


def rehearse(
    source: Opened,
    posts: Iterable[Post],
    routes: Iterable[tuple[str, Route, Opened]],
    accounts: Accounts,
    store: Store,
    report: Report,
) -> None:
    """Judge posts and queue them as if they stood on one page that is read now for the first time.

    `store` is a copy of the state, or an empty one, and forgets what it knew of these posts; no
    cursor moves. With each (bot, route) goes its target.
    """
    page = Page(tuple(posts), "")
    for post in page.posts:
        store.forget_post(source.identity.id, post.id)
    ways = [
        _Way(
            RouteKey(bot, source.identity.id, target.identity.id),
            route.policy,
            target,
            None,
            datetime.min.replace(tzinfo=UTC),
        )
        for bot, route, target in routes
    ]
    recording = _judge_page(source, ways, page, store, accounts.now(), report)
    recording.cursors.clear()
    _record(recording, ways, accounts, store)


def _judge_page(
    source: Opened,
    ways: list[_Way],
    page: Page,
    store: Store,
    now: datetime,
    report: Report | None,
) -> Recording:
    """The verdict of every route on every post of a page.

    Edits of posts that were taken before are written at once: a page that is read again finds them
    done.
    """
    recording = Recording(cursors={way.key: page.cursor for way in ways})
    ids = [post.id for post in page.posts]
    posts = standing.referred_first(_with_first_ids(source, page, store))
    unsure = _find_echoes(source, page, store, now)
    linked = store.links(source.identity.id, ids)
    seen = {way.key: store.seen(way.key, ids) for way in ways}
    # what goes to a target from this page, whichever bot takes it there: threads are shared
    queued: set[tuple[str, str]] = set()
    for post in posts:
        quoting = [way for way in ways if way.policy.boosts == "quote"]
        if any(not seen[way.key].get(post.id) for way in quoting):
            post = _with_words(source, post)  # noqa: PLW2901 - the same post, more of it
        for way in ways:
            revisions = seen[way.key].setdefault(post.id, set())
            if revisions:
                if post.revision not in revisions and report is None:
                    _take_edit(way, post, store, now)
                continue
            verdict = unsure.get(post.id) or _judge(
                way, post, linked.get(post.id), queued, store, now
            )
            if report is not None:
                report(way.key.bot, source, way.target, post, verdict)
            if isinstance(verdict, Skip):
                recording.verdicts.append(_skipped(way, post, verdict))
            else:
                queued.add((way.key.target, post.id))
                recording.verdicts.append(
                    Verdict(way.key, post.id, post.revision, "queued", url=post.url)
                )
                recording.drafts += _new_drafts(way, post, verdict, now, store)
            revisions.add(post.revision)
    return recording


def _with_words(source: Opened, post: Post) -> Post:
    """A boost with the words of the boosted post; as it is if they cannot be had."""
    if post.boost is None or post.runs:
        return post
    try:
        return replace(post, runs=source.client.words(post.boost))
    except ClientError:
        return post


def mirror(
    source: Opened,
    post: Post,
    routes: Iterable[tuple[str, Route]],
    accounts: Accounts,
    store: Store,
) -> dict[str, str]:
    """Queue one post for every (bot, route) from its account, whatever the bots' filters say.

    What never travels (followers-only posts, our own copies) stays where it is. A copy that was
    held, refused or dropped is let go. Returns what became of it, by target. Raises the five kinds
    of error where a target cannot be opened.
    """
    recording = Recording(overrule=True)
    link = store.links(source.identity.id, [post.id]).get(post.id)
    told: dict[str, str] = {}
    taken: set[str] = set()
    for bot, route in routes:
        target = accounts.open(route.target)
        key = RouteKey(bot, source.identity.id, target.identity.id)
        way = _Way(key, route.policy, target, None, accounts.now())
        drafts = store.drafts_of(target.identity.id, source.identity.id, post.id)
        waiting = [draft for draft in drafts if draft.state != "sent"]
        gone = bool(drafts) and all(draft.error == COPY_DELETED for draft in drafts)
        # what was dropped before it ever left may say what the post says no more
        anew = gone or all(d.state == "dropped" and d.attempted_at is None for d in drafts)
        if any(draft.state == "sending" for draft in waiting):
            told[route.target] = "is on its way"
        elif waiting and not anew:
            store.release(waiting)
            told[route.target] = "queued once more"
        elif drafts and not anew:
            told.setdefault(route.target, "stands there already")
        elif route.target not in taken:
            verdict = _force(way, post, link, store)
            if isinstance(verdict, Skip):
                told.setdefault(route.target, f"not mirrored: {verdict.reason}")
                continue
            taken.add(route.target)
            told[route.target] = "queued"
            recording.verdicts.append(
                Verdict(way.key, post.id, post.revision, "queued", "by hand", post.url)
            )
            generation = drafts[0].generation + 1 if drafts else 0
            recording.drafts += [
                replace(new, approved=True)
                for new in _new_drafts(way, post, verdict, accounts.now(), generation=generation)
            ]
    store.record(recording, accounts.now())
    return told


def _force(way: _Way, post: Post, link: Copy | None, store: Store) -> tuple[Draft, ...] | Skip:
    """What a route makes of a post that a person wants mirrored."""
    if link is not None and link.role == "copy":
        return Skip(f"copy of a post of {link.origin}")
    if bridges.maker(post) == bridges.OURS:
        return Skip("made by Tribridge")
    if post.visibility not in ("public", "unlisted"):
        return Skip(f"visibility {post.visibility}: never mirrored")
    if post.reply_to is not None and not (
        post.reply_to.account == post.account
        and standing.stands((way.key.source, post.reply_to.id), way.key.target, store)
    ):
        post = replace(post, reply_to=None)
    return _render(way, post, standing.shown(post, way.key.target, set(), store))


def judge(
    bot: str,
    route: Route,
    source: Opened,
    target: Opened,
    post: Post,
    store: Store,
    *,
    converts: bool | None = None,
    now: datetime | None = None,
) -> tuple[Draft, ...] | Skip:
    """What one route makes of one post by itself, as if it were read now; nothing is written.

    `converts` says that videos can be converted; None: if this machine can. Without `now` the age
    of the post does not count.
    """
    key = RouteKey(bot, source.identity.id, target.identity.id)
    way = _Way(key, route.policy, target, None, post.created_at, converts)
    link = store.links(source.identity.id, [post.id]).get(post.id)
    return _judge(way, post, link, set(), store, now)


def skip(
    source: Opened,
    post_id: str,
    url: str,
    routes: Iterable[tuple[str, Route]],
    accounts: Accounts,
    store: Store,
) -> dict[str, str]:
    """Leave out one post for every (bot, route) from its account; what became of it, by target."""
    recording = Recording(overrule=True)
    told: dict[str, str] = {}
    # the address may be that of an edited version
    post_id = store.first_id(source.identity.id, post_id)
    for bot, route in routes:
        target = accounts.known_identity(route.target) or f"name:{route.target}"
        drafts = store.drafts_of(target, source.identity.id, post_id)
        if not store.drop_whole(drafts):
            told[route.target] = "stands there already, or is on its way"
            continue
        key = RouteKey(bot, source.identity.id, target)
        revisions = store.seen(key, [post_id]).get(post_id, {""})
        recording.verdicts += [
            Verdict(key, post_id, revision, "skipped", "by hand", url) for revision in revisions
        ]
        told[route.target] = "left out"
    store.record(recording, accounts.now())
    return told


def _with_first_ids(source: Opened, page: Page, store: Store) -> list[Post]:
    """The posts of a page, which answer, quote or boost the first version of what they refer to.

    Where an edit gets an id of its own, as on X, a reference names the version that it is to.
    """
    here = {version: post.id for post in page.posts for version in post.versions}
    posts = []
    for post in page.posts:
        refs = [
            replace(ref, id=here.get(ref.id) or store.first_id(source.identity.id, ref.id))
            if ref is not None and ref.account == post.account
            else ref
            for ref in (post.reply_to, post.quote, post.boost)
        ]
        posts.append(replace(post, reply_to=refs[0], quote=refs[1], boost=refs[2]))
    return posts


def _find_echoes(source: Opened, page: Page, store: Store, now: datetime) -> dict[str, Skip]:
    """Recognise posts that are copies of ours which no link knows yet.

    The first post that matches a draft becomes its copy, recorded at once. A further one, or one
    that nothing tells from others, may be ours too: it is left to a person.
    """
    doubtful = store.doubtful(source.identity.id, now - MAY_STAND)
    if not doubtful:
        return {}
    linked = store.links(source.identity.id, [post.id for post in page.posts])
    found = Recording()
    unsure: dict[str, Skip] = {}
    for post in page.posts:
        if post.id in linked:
            continue
        ours = bridges.maker(post) == bridges.OURS  # which is no source, once its draft is settled
        matching = [
            draft
            for draft in doubtful
            if not (ours and draft.state == "sent")
            and may_be_copy(source.network, draft, post, now)
        ]
        known = {draft.id for draft, _, _ in found.adopted}
        free = [d for d in matching if d.state != "sent" and d.id not in known]
        if free and is_telling(free[0], post):
            found.adopted.append((free[0], ref_to(post), post.root))
        elif matching:
            reason = f"may be our own copy of {matching[0].source_url}"
            unsure[post.id] = Skip(reason, held=True)
    store.record(found, now)
    return unsure


def _judge(
    way: _Way,
    post: Post,
    link: Copy | None,
    queued: set[tuple[str, str]],
    store: Store,
    now: datetime | None = None,
) -> tuple[Draft, ...] | Skip:
    """What one route makes of one post; without `now` its age does not count."""
    if link is not None and link.role == "copy":
        return Skip(f"copy of a post of {link.origin}")
    maker = bridges.maker(post)
    if maker == bridges.OURS:
        return Skip("made by Tribridge")
    if maker:
        return Skip(f"made by another bridge: {maker}")
    policy = way.policy
    shown = standing.shown(post, way.key.target, queued, store)
    refused = standing.shows_in_vain(post, shown, way.key.target, policy, store)
    if refused is not None:
        return refused
    in_thread = False
    if post.reply_to is not None:
        if post.reply_to.account != post.account:
            return Skip("reply to someone else")
        if policy.replies == "skip":
            return Skip("reply")
        answered = post.reply_to.id
        in_thread = (way.key.target, answered) in queued or standing.stands(
            (way.key.source, answered), way.key.target, store
        )
        if not in_thread:
            return Skip("reply to a post that was not mirrored")
    skip = steps.choose(post, policy, thread_began_public=in_thread, now=now)
    if skip is not None:
        return skip
    return _render(way, post, shown)


def _new_drafts(
    way: _Way,
    post: Post,
    drafts: tuple[Draft, ...],
    now: datetime,
    store: Store | None = None,
    *,
    generation: int = 0,
) -> list[NewDraft]:
    """The drafts of a post; they wait for the bot's delay if a `store` says what else does."""
    source, target = way.key.source, way.key.target
    # by a clock that is behind, a post may come from the future
    goes_at, waits = min(post.created_at, now) + way.policy.delay, False
    if store is not None and way.policy.delay and post.boost is None:
        # what is read late must not overtake what still waits, whose delay may be over as well
        waits = goes_at > now or store.delays_any(source, target)
    return [
        NewDraft(
            way.key,
            ref_to(post),
            post.root,
            idempotency_key(target, source, post.id, draft.part, generation),
            draft,
            backfill=post.created_at < way.started_at,
            generation=generation,
            code="delay" if waits else "",
            not_before=goes_at if waits else None,
            watched=post.boost is None,
        )
        for draft in drafts
    ]


def _take_edit(way: _Way, post: Post, store: Store, now: datetime) -> None:
    """An edit that a page shows, of a post that was read before."""
    changing = Changing(way.key, way.policy, way.target.network, partial(_rejudge, way, store))
    while not store.change(edited(changing, post, store, now), now):
        pass  # a draft began to go out meanwhile: that can happen once for each


def way_of(key: RouteKey, route: Route, accounts: Accounts, store: Store) -> Changing:
    """A route as `changes` needs it; its target is opened when a post is judged."""

    def judge_again(post: Post) -> tuple[Draft, ...] | Skip:
        target = accounts.open(route.target)
        way = _Way(key, route.policy, target, None, post.created_at)
        return _rejudge(way, store, post)

    network = NETWORKS[key.target.partition(":")[0]]
    return Changing(key, route.policy, network, judge_again)


def _rejudge(way: _Way, store: Store, post: Post) -> tuple[Draft, ...] | Skip:
    """What a route makes of another version of a post that it has taken.

    Filters do not count for what a person wanted mirrored.
    """
    drafts = store.drafts_of(way.key.target, way.key.source, post.id)
    if not any(draft.approved for draft in drafts):
        skip = steps.choose(post, way.policy, thread_began_public=True)
        if skip is not None:
            return skip
    return _render(way, post, standing.shown(post, way.key.target, set(), store))


def _render(way: _Way, post: Post, shown: Ref | None) -> tuple[Draft, ...] | Skip:
    """The drafts of a post; `shown` is what it boosts or quotes, if the target has that."""
    changed = steps.apply(post, way.policy.steps)
    if isinstance(changed, Skip):
        return changed
    return render(
        changed,
        way.policy,
        way.target.network,
        way.target.client.limits,
        shown,
        converts=ffmpeg.is_installed() if way.converts is None else way.converts,
    )


def _old(route: RouteKey, post: Post) -> Verdict:
    reason = "from before the bot's first run"
    return Verdict(route, post.id, post.revision, "skipped", reason, post.url)


def _skipped(way: _Way, post: Post, skip: Skip) -> Verdict:
    word: Literal["skipped", "held"] = "held" if skip.held else "skipped"
    return Verdict(way.key, post.id, post.revision, word, skip.reason, post.url)
