"""What `tribridge explain` tells: the whole story of one post, and which stage stopped it.

The state is only read. Filters and steps are asked again, by the configuration of today, of the
post as its network shows it now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.ingest import judge
from bridge.network import Identity
from bridge.offline import opened
from bridge.post import Draft, Post, Ref, Skip, utc
from bridge.pulse import last_runs
from bridge.reasons import address, changes, filters, is_hidden, paused
from bridge.registry import NETWORKS
from bridge.remedies import of_held_post, remedy
from bridge.schema import Bot, Route
from bridge.store import Copy, QueuedDraft, RouteKey, Verdict
from bridge.story import Story, names_of, routes_of

#: what became of a post on the way of a bot to one target
COPIED, WAITS, HELD, DEAD, DROPPED, SKIPPED, NOT_READ, NEVER_SHOWN, DELETED = (
    "copied",
    "waits",
    "held",
    "dead",
    "dropped",
    "skipped",
    "not read yet",
    "never shown",
    "copy deleted",
)


# As one object


def as_object(story: Story) -> dict[str, Any]:
    """The whole story as one JSON object (see docs/reference/commands.md)."""
    post = story.reread.post
    published = post.created_at if post else _published(story)
    seen = min((at for _, at in story.verdicts), default=None)
    return {
        "asked": story.asked,
        "is": story.what,
        "account": story.account,
        "identity": story.source,
        "network": story.source.partition(":")[0],
        "id": story.post_id,
        "url": story.url or None,
        "published": published.isoformat() if published else None,
        "seen": seen,
        "deleted": _iso(story.origin.gone_at) if story.origin else None,
        "missing": _iso(story.origin.missing_at) if story.origin else None,
        "versions": [
            {"version": version, "seen": at}
            for version, at in story.store.revisions(story.source, story.post_id)
        ],
        "now": {
            "asked": post is not None or story.reread.error is not None,
            "there": post is not None,
            "error": story.reread.error,
            "visibility": post.visibility if post else None,
        },
        "refers": list(_refers(story)),
        "ways": [_way(story, bot, target) for bot, target in _ways(story)],
    }


def _iso(when: datetime | None) -> str | None:
    return when.isoformat() if when else None


def _published(story: Story) -> datetime | None:
    firsts = (draft.draft.created_at for draft, _ in story.drafts if "#" not in draft.source_id)
    return next(firsts, None)


def _refers(story: Story) -> Iterator[dict[str, Any]]:
    """What the post answers, quotes or boosts, and where that stands."""
    post: Post | Draft | None = story.reread.post
    if post is None:
        drafts = (draft.draft for draft, _ in story.drafts if draft.draft.part == 1)
        post = next(drafts, None)
    if post is None or (isinstance(post, Post) and is_hidden(post)):
        return
    for word, ref in (("answers", post.reply_to), ("quotes", post.quote), ("boosts", post.boost)):
        if ref is not None:
            yield {"how": word, "post": address(ref, story.store), **_stands(story, ref)}


def _stands(story: Story, ref: Ref) -> dict[str, Any]:
    account = ref.account or story.source
    link = story.store.links(account, [ref.id]).get(ref.id)
    copies = story.store.copies(link.origin, link.origin_id) if link else []
    urls = [copy.ref.url for copy in copies if copy.role == "copy" and copy.part == 1]
    return {"own": account == story.source, "copies": urls}


def _ways(story: Story) -> list[tuple[str, str]]:
    """The bots that did or could take the post, each with a target: an identity, or a name."""
    known = {name: row["identity"] for name, row in story.store.accounts().items()}
    ways = [(v.route.bot, v.route.target) for v, _ in story.verdicts]
    ways += [(draft.bot, draft.target) for draft, _ in story.drafts]
    ways += [
        (bot.name, known.get(route.target, f"name:{route.target}"))
        for bot in story.config.bots.values()
        for route in routes_of(bot, story.account)
    ]
    return list(dict.fromkeys(ways))


#: how reasons begin for which `tribridge mirror` is the remedy: choices of the config, and age
_CHOSEN = ("only:", "skip:", "from before", "boost", "quotes", "reply", "mentions", "by hand")


@dataclass(frozen=True, slots=True)
class _Way:
    """A bot and a target, as they are today."""

    bot: Bot | None
    route: Route | None
    target: str


def _way(story: Story, bot_name: str, target: str) -> dict[str, Any]:
    names = names_of(story.config, story.store)
    name = target.removeprefix("name:") if target.startswith("name:") else names.get(target)
    bot = story.config.bots.get(bot_name)
    routes = (
        [route for route in routes_of(bot, story.account) if route.target == name] if bot else []
    )
    way = _Way(bot, next(iter(routes), None), target)
    verdicts = [
        (v, at) for v, at in story.verdicts if (v.route.bot, v.route.target) == (bot_name, target)
    ]
    drafts = [(d, at) for d, at in story.drafts if (d.bot, d.target) == (bot_name, target)]
    copies = [copy for copy in story.copies if copy.identity == target and drafts]
    outcome, why, todo = _outcome(story, way, verdicts, drafts, copies)
    return {
        "bot": bot_name,
        "mode": bot.mode if bot else None,
        "target": name or target,
        "outcome": outcome,
        "why": why,
        "remedy": todo,
        "verdicts": [
            {"verdict": v.verdict, "reason": v.reason or None, "version": v.revision, "at": at}
            for v, at in verdicts
        ],
        "drafts": [_draft(story, draft, at) for draft, at in drafts],
        "copies": [
            {
                "part": copy.part,
                "id": copy.ref.id,
                "url": copy.ref.url or None,
                "correction": "#" in copy.origin_id,
                "at": copy.at or None,
                "deleted": _iso(copy.gone_at),
            }
            for copy in copies
        ],
        "losses": sorted(
            {f"{loss.what}: {loss.detail}" for draft, _ in drafts for loss in draft.draft.losses}
        ),
        "today": _today(story, way, name),
    }


def _draft(story: Story, draft: QueuedDraft, at: str) -> dict[str, Any]:
    waits = draft.state not in ("sent", "dropped")
    return {
        "id": draft.id,
        "does": {"publish": "post", "update": "edit", "delete": "deletion"}[draft.action]
        if "#" not in draft.source_id or draft.action != "publish"
        else "correction",
        "part": draft.draft.part,
        "parts": draft.draft.parts,
        "generation": draft.generation,
        "state": draft.state,
        "queued": at or None,
        "attempts": draft.attempts,
        "attempted": _iso(draft.attempted_at),
        "not_before": _iso(draft.not_before),
        "code": draft.code or None,
        "reason": draft.error or None,
        "approved": draft.approved,
        "waits_for": _before(story, draft) if draft.code == "parent" else [],
        "remedy": remedy(draft.code, draft.id, draft.bot) if waits else None,
    }


def _before(story: Story, draft: QueuedDraft) -> list[int]:
    """The drafts to the same account that one waits for: earlier parts, and what it refers to."""
    own = story.store.drafts_of(draft.target, draft.source, draft.source_id)
    found = [d for d in own if d.draft.part < draft.draft.part]
    if draft.draft.part == 1:
        content = draft.draft
        for ref in (content.reply_to, content.quote, content.boost):
            if ref is not None:
                account = ref.account or draft.source
                origin = story.store.origin_of(account, ref.id)
                found += story.store.drafts_of(draft.target, *origin)
    return [d.id for d in found if d.state != "sent"]


def _outcome(
    story: Story,
    way: _Way,
    verdicts: Sequence[tuple[Verdict, str]],
    drafts: Sequence[tuple[QueuedDraft, str]],
    copies: Sequence[Copy],
) -> tuple[str, str | None, str | None]:
    """What became of the post on one way, why, and what a person can do about it."""
    latest = max((d.generation for d, _ in drafts if "#" not in d.source_id), default=0)
    own = [d for d, _ in drafts if "#" not in d.source_id and d.generation == latest]
    order = (("dead", DEAD), ("held", HELD), ("sending", WAITS), ("queued", WAITS))
    for state, word in order:
        stuck = next((d for d in own if d.state == state), None)
        if stuck is not None:
            why, todo = stuck.error or _turn(stuck), remedy(stuck.code, stuck.id, stuck.bot)
            if word == WAITS and (rests := _rests(story, way, stuck)):
                why, todo = f"{why}; {rests[0]}", rests[1]
            return word, why, todo
    if own:
        if copies and all(copy.gone_at for copy in copies):
            return DELETED, None, _after_all(story)
        if any(d.state == "dropped" for d in own) and not copies:
            return DROPPED, own[0].error or "a person gave it up", _after_all(story)
        return COPIED, None, None
    if verdicts:
        verdict, _ = verdicts[-1]
        if verdict.verdict == "held":
            return HELD, verdict.reason, of_held_post(verdict.reason, story.url)
        chosen = verdict.reason.startswith(_CHOSEN)
        return SKIPPED, verdict.reason, _after_all(story) if chosen else None
    return _never(story, way)


def _turn(draft: QueuedDraft) -> str:
    if draft.code == "delay":
        return "waits for the bot's delay"
    under_way = draft.state == "sending"
    return "its request left, and no answer is recorded" if under_way else "waits for its turn"


def _rests(story: Story, way: _Way, draft: QueuedDraft) -> tuple[str, str] | None:
    """Whom a draft waits for that was not told so yet, and what to do; None if for nobody."""
    if draft.code in ("paused", "mode"):
        return None
    names = names_of(story.config, story.store)
    if rests := _paused(story, draft.bot, names.get(draft.target, "")):
        return rests
    if way.bot is not None and way.bot.mode in ("dry-run", "disabled"):
        said = f"its bot {draft.bot} has mode {way.bot.mode}"
        return said, remedy("mode", draft.id, draft.bot)
    return None


def _paused(story: Story, bot: str, account: str) -> tuple[str, str] | None:
    """What keeps a bot from an account: that something is paused, and how that ends."""
    for name in paused(story.store, bot, [account]):
        return f"{name or 'everything'} is paused", f"`tribridge resume {name or '--all'}`"
    return None


def _after_all(story: Story) -> str:
    return f"`tribridge mirror {story.url or 'URL'}` mirrors it after all"


def _never(story: Story, way: _Way) -> tuple[str, str, str | None]:
    """Why a bot has no verdict on a post: which stage it never came to."""
    post = story.reread.post
    if way.bot is None or way.route is None:
        return NOT_READ, "the bot does not mirror this way any more", None
    if post is not None and is_hidden(post):
        return SKIPPED, f"visibility {post.visibility}: never mirrored", None
    if story.reread.gone:
        return NEVER_SHOWN, f"it is gone: {story.reread.error}", None
    bot, source = way.bot, way.route.source
    if bot.mode == "disabled":
        return NOT_READ, "the bot has mode disabled: it reads nothing", "set `mode: live`"
    if rests := _paused(story, bot.name, source):
        return NOT_READ, *rests
    if bot.mode == "dry-run":
        why = "the bot has mode dry-run: it posts nothing, and remembers nothing"
        return NOT_READ, why, "set `mode: live`"
    runs, bots = last_runs(story.config.state.file)
    run = runs.get(source, {})
    if error := run.get("read_error") or run.get("open_error"):
        return NOT_READ, f"{source} could not be read: {error}", "`tribridge status`"
    keys = (way.target, f"name:{way.route.target}")
    cursors = [story.store.cursor(RouteKey(bot.name, story.source, key)) for key in keys]
    begun = next(filter(None, cursors), None)
    if begun is None:
        return NOT_READ, f"the bot has had no first run on {source} yet", "`tribridge once`"
    if error := runs.get(way.route.target, {}).get("open_error"):
        why = f"{way.route.target} could not be logged in to: {error}"
        return NOT_READ, f"{why}; it is read for it when that works", "`tribridge status`"
    # an account is read for other bots too, and a bot reads other accounts
    last = min(filter(None, (bots.get(bot.name), run.get("read_at"))), default=None)
    published = post.created_at if post else None
    if published is not None and published < begun[1]:
        why = (
            f"published before the bot's first run on {source}, and its `backfill` did not take it"
        )
        return NOT_READ, why, _after_all(story)
    if last is None or (published is not None and utc(last) < published):
        how = "by its `cron`" if bot.cron else f"every {int(bot.every.total_seconds())} s"
        told = f"{source} was last read {_said(last) if last else 'never'}, before it was published"
        return NOT_READ, f"{told}; the bot reads {how}", "`tribridge once` reads now"
    why = (
        f"{source} was last read {_said(last)}, and did not show it then: it may be private, "
        "deleted, of another account, or from before the bot's first run"
    )
    if post is None:  # it is not known when it was published
        return NEVER_SHOWN, f"{why}, or published since", "`tribridge once` reads now"
    return NEVER_SHOWN, why, _after_all(story)


def _said(at: str) -> str:
    return f"{utc(at):%Y-%m-%d %H:%M:%S} UTC"


# By the configuration of today


def _today(story: Story, way: _Way, name: str | None) -> dict[str, Any] | None:
    """What filters and steps of today say of the post as it is now; None if it cannot be had."""
    post = story.reread.post
    if post is None or way.route is None or name is None:
        return None
    policy = way.route.policy
    ends = (story.source, way.target)
    ruled = list(filters(post, policy, ends, story.store, story.now))
    hidden = is_hidden(post)
    return {
        "filters": ruled,
        "steps": [] if hidden else list(changes(post, policy)),
        "skipped": ruled[0]["reason"] if hidden else _skip(story, way, post, name),
    }


def _skip(story: Story, way: _Way, post: Post, name: str) -> str | None:
    """Why the bot would leave the post alone if it read it now; None if it would not."""
    assert way.route is not None
    assert way.bot is not None
    assert story.account is not None
    rows, config = story.store.accounts(), story.config

    def account(of: str, identity: str) -> Any:
        network = NETWORKS[config.accounts[of].network]
        limits, _ = network.limits(story.store.session(of))
        row: Mapping[str, str] = rows.get(of, {})
        who = Identity(identity, row.get("handle", of), row.get("url", ""))
        return opened(of, network, who, limits)

    source, target = account(story.account, story.source), account(name, way.target)
    verdict = judge(way.bot.name, way.route, source, target, post, story.store, now=story.now)
    return verdict.reason if isinstance(verdict, Skip) else None
