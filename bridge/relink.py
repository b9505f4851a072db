"""Finding what stands already, after the state was lost or an old one was restored.

Every original of a bot's sources is rendered as it would be now, and looked for on its targets: by
its key where copies bear it, else by likeness, and only one that is younger and alone will do. What
is found becomes known as sent; what is not goes out as usual; what cannot be told is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bridge import ingest
from bridge.accounts import Accounts, Opened
from bridge.likeness import CLOCK_SKEW
from bridge.network import Backfill, Parents
from bridge.post import Draft, Post, Ref, Skip, idempotency_key, ref_to, utc
from bridge.render import by_itself, to_copy
from bridge.schema import Config, Policy, Route
from bridge.store import Copy, NewDraft, QueuedDraft, Recording, RouteKey, Store, Verdict

#: how far back it is looked, unless a bot's backfill goes further
REACH = timedelta(days=30)
#: how far the clocks of two servers may differ: a copy is never older than its original
SERVERS_DIFFER = timedelta(minutes=1)
#: before it there are no posts, and counting back from the calendar's first days fails
EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(slots=True)
class Found:
    """What was found: copies that stand, originals without one, and those that cannot be told.

    `forgotten` are drafts that were held until now, (bot, target, source, post id), and when their
    posts were published.
    """

    forgotten: dict[tuple[str, str, str, str], str]
    told: Callable[[str], None]
    linked: int = 0
    missing: int = 0
    unsure: int = 0


def relink(
    config: Config,
    accounts: Accounts,
    store: Store,
    *,
    since: datetime | None = None,
    told: Callable[[str], None] = lambda _line: None,
) -> Found:
    """Learn which copies stand on every target of every live bot; then nothing is doubted any more.

    `since` bounds how far back is looked (30 days unless said, and as far as a backfill goes).
    Raises the five kinds of error; what was found until then is kept.
    """
    ways = [
        (bot.name, route, accounts.open(route.source), accounts.open(route.target))
        for bot in config.bots.values()
        if bot.mode in ("live", "approve")
        for route in bot.routes
    ]
    keys = [RouteKey(bot, source.identity.id, to.identity.id) for bot, _, source, to in ways]
    found = Found(told=told, forgotten=store.forget_doubted(keys))
    begin = max(since or accounts.now() - REACH, EARLIEST)
    work: list[tuple[Post, _Matching]] = []
    read: dict[tuple[str, Backfill], list[Post]] = {}
    free: dict[str, list[Post]] = {}
    # what waited is looked for, however old it is
    begin = min([begin, *(utc(at) for at in found.forgotten.values())])
    for bot, route, source, target in ways:
        reach = _reach(route.policy, begin)
        if (route.source, reach) not in read:
            posts = list(_posts(source, reach))
            if reach.last and not any(post.created_at <= begin for post in posts):
                posts = list(_posts(source, Backfill(since=begin)))
            read[route.source, reach] = posts
        matching = _Matching(
            bot, route, source, target, store, accounts, found, free.setdefault(route.target, [])
        )
        work += [(post, matching) for post in read[route.source, reach]]
    oldest = min((post.created_at for post, _ in work), default=begin)
    for name, unknown in free.items():
        target = accounts.open(name)
        if not target.network.sources:
            continue  # nobody can tell what stands there
        standing = list(_posts(target, Backfill(since=oldest - CLOCK_SKEW)))
        linked = store.links(target.identity.id, [post.id for post in standing])
        unknown += [post for post in standing if post.id not in linked]
    # the oldest of posts that are alike is the original, whatever account it is on
    for original, matching in sorted(work, key=lambda each: each[0].created_at):
        matching.look_for(original)
    store.trust(keys)
    return found


def _reach(policy: Policy, start: datetime) -> Backfill:
    """Which posts may have gone out: those since `start`, and what the backfill chose."""
    chosen = policy.backfill
    if chosen.everything or chosen.last:
        return Backfill(last=chosen.last, everything=chosen.everything)
    return Backfill(since=max(min(start, utc(chosen.since)), EARLIEST) if chosen.since else start)


def _posts(account: Opened, reach: Backfill) -> Iterator[Post]:
    """An account's posts, oldest first."""
    cursor, more = account.client.begin(reach).cursor, True
    while more:
        page = account.client.fetch(cursor)
        yield from page.posts
        more = page.more and page.cursor != cursor
        cursor = page.cursor


@dataclass(slots=True)
class _Matching:
    """Looks for the copies of one route."""

    bot: str
    route: Route
    source: Opened
    target: Opened
    store: Store
    accounts: Accounts
    found: Found
    #: posts on the target that are not known; what is found is taken out
    free: list[Post]

    def look_for(self, original: Post) -> None:
        """Link an original to what stands of it."""
        drafts = self._drafts(original)
        if drafts:
            self._match(original, drafts)

    def _drafts(self, original: Post) -> tuple[Draft, ...]:
        """What the route makes of a post now; nothing if it has all its copies, or takes none."""
        known = self.store.drafts_of(self.target.identity.id, self.source.identity.id, original.id)
        if known and all(draft.state in ("sent", "dropped") for draft in known):
            return ()
        if known:
            return tuple(draft.draft for draft in known)
        made = ingest.judge(self.bot, self.route, self.source, self.target, original, self.store)
        return () if isinstance(made, Skip) else made

    def _match(self, original: Post, drafts: tuple[Draft, ...]) -> None:
        parents = self._parents(original)
        standing: list[tuple[Draft, Post]] = []
        unsure = ""
        for draft in drafts:
            shown = self._shown(draft)
            if draft.boost is not None and shown is None:
                break
            at = replace(parents or Parents(), shows=shown) if parents or shown else None
            matches = self._matches(original, draft, at)
            if not matches:
                break
            telling = bool(draft.text.strip() or matches[0].mark) or draft.boost is not None
            if len(matches) > 1 or not telling:
                unsure = ", ".join(post.url for post in matches)
                break
            standing.append((draft, matches[0]))
            root = parents.root if parents else ref_to(matches[0])
            parents = Parents(ref_to(matches[0]), root)
        for _, post in standing:
            self.free.remove(post)
        source, target = self.source.identity.id, self.target.identity.id
        waited = (self.bot, target, source, original.id) in self.found.forgotten
        if not (standing or unsure):
            unsure = self._may_stand(original, waited=waited)
        if standing or unsure or waited:
            self._record(original, drafts, standing, unsure)
        self.found.missing += not (standing or unsure)

    def _matches(self, original: Post, draft: Draft, parents: Parents | None) -> list[Post]:
        """What may be a draft's copy: as it is, else by itself where it was not let answer."""
        found = [post for post in self.free if self._is_copy(original, draft, parents, post)]
        if found or self.target.network.threads:
            return found
        alone = by_itself(draft, self.target.network, self.target.client.limits)
        return [post for post in self.free if self._is_copy(original, alone, parents, post)]

    def _is_copy(self, original: Post, draft: Draft, parents: Parents | None, post: Post) -> bool:
        key = self._key(original, draft)
        if post.mark:
            return post.mark == key
        network = self.target.network
        uploads = tuple({"id": str(n)} for n in range(len(draft.media)))
        limits = self.target.client.limits
        if parents is not None and parents.shows and not (limits.quotes or draft.boost):
            draft = to_copy(draft, parents.shows, limits)
            parents = replace(parents, shows=None)
        if parents is not None and draft.alone:
            parents = Parents(shows=parents.shows)
        payload = network.to_payload(draft, key, uploads, parents, self.accounts.now())
        return post.created_at >= original.created_at - SERVERS_DIFFER and network.matches(
            payload, key, post
        )

    def _may_stand(self, original: Post, *, waited: bool) -> str:
        """Why a copy may stand that is not found, where another would be sent; "" if none may."""
        network = self.target.network
        is_edited = original.revision not in ("", original.id)
        if self.target.client.repeatable or not (is_edited or not network.sources):
            return ""
        key = RouteKey(self.bot, self.source.identity.id, self.target.identity.id)
        chosen = self.route.policy.backfill
        starts = bool(chosen.everything or chosen.last or chosen.since)
        will_be_read = starts or self.store.cursor(key) is not None
        if not (waited or (will_be_read and not self.store.seen(key, [original.id]))):
            return ""
        if network.sources:
            return "the original was edited since"
        return f"posts of {network.title} cannot be read"

    def _key(self, original: Post, draft: Draft) -> str:
        return idempotency_key(
            self.target.identity.id, self.source.identity.id, original.id, draft.part, 0
        )

    def _parents(self, original: Post) -> Parents | None:
        """The copy of what an original answers, if it is known."""
        if original.reply_to is None:
            return None
        here = self._standing(self.source.identity.id, original.reply_to.id)
        return Parents(here[-1].ref, here[-1].root or here[-1].ref) if here else None

    def _shown(self, draft: Draft) -> Ref | None:
        """The copy of what a draft quotes or boosts, if it is known."""
        shown = draft.boost or draft.quote
        here = self._standing(shown.account or self.source.identity.id, shown.id) if shown else []
        return here[0].ref if here else None

    def _standing(self, account: str, post_id: str) -> list[Copy]:
        """What is known to stand on the target of the group of a post, by part."""
        known = self.store.links(account, [post_id]).get(post_id)
        origin = (known.origin, known.origin_id) if known else (account, post_id)
        return [c for c in self.store.copies(*origin) if c.identity == self.target.identity.id]

    def _record(
        self,
        original: Post,
        drafts: tuple[Draft, ...],
        standing: list[tuple[Draft, Post]],
        unsure: str,
    ) -> None:
        """Write down the parts that stand, and hold the rest where it cannot be told."""
        now = self.accounts.now()
        key = RouteKey(self.bot, self.source.identity.id, self.target.identity.id)
        verdict = Verdict(key, original.id, original.revision, "queued", "found", original.url)
        new = [
            NewDraft(
                key,
                ref_to(original),
                original.root,
                self._key(original, draft),
                draft,
                backfill=True,
            )
            for draft in drafts
        ]
        known = {d.draft.part: d for d in self._queued(original)}
        missing = [each for each in new if each.draft.part not in known]
        self.store.record(Recording([verdict], missing, {}, overrule=True), now)
        queued = {d.draft.part: d for d in self._queued(original)}
        first = None
        for draft, post in standing:
            self.store.sent(queued[draft.part], ref_to(post), first, now)
            first = first or ref_to(post)
        self.found.linked += len(standing)
        if unsure:
            self.found.unsure += 1
            self.found.told(f"{original.url} may stand on {self.target.name} already: {unsure}")
            rest = queued[len(standing) + 1]
            said = f"in doubt: what stands there may be this copy or not ({unsure})"
            self.store.stop(replace(rest), "held", said, "doubt")

    def _queued(self, original: Post) -> list[QueuedDraft]:
        return self.store.drafts_of(self.target.identity.id, self.source.identity.id, original.id)
