"""Following originals: their final version after a delay, their edits, their deletions.

A pass looks at what is due of one account. A post is looked at again after waits that grow with its
age, so that a mistake that is mended at once is seen at once, and an old post costs little.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from bridge.accounts import Accounts, Opened
from bridge.changes import deleted, edited
from bridge.ingest import way_of
from bridge.network import ClientError, Gone, Refused, Unreachable
from bridge.post import Post
from bridge.registry import NETWORKS
from bridge.schema import Bot, Policy, Route
from bridge.store import Change, Copy, RouteKey, StateError, Store, Watched

log = logging.getLogger("tribridge")

#: how long edits and deletions are looked for, where nothing else is set and reading is free
FOLLOW_FOR = timedelta(days=7)
#: the shortest and the longest wait between two looks at a post, and the part of its age between
SOONEST, LATEST, PART_OF_AGE = timedelta(minutes=2), timedelta(hours=3), 1 / 8
#: the longest while a copy has not gone out: what is taken back meanwhile should not
WHILE_IT_WAITS = timedelta(minutes=10)
#: between the two requests that must both say that a post is gone
BETWEEN_LOOKS = timedelta(minutes=1)
#: after a pass that failed
AFTER_FAILURE = timedelta(minutes=5)
#: how long a post whose delay is over waits for an account that cannot be read
LONGEST_DELAY = timedelta(hours=1)
#: within which deletions are counted
HOUR = timedelta(hours=1)
#: visibilities that a copy may have been made of
_OPEN = ("public", "unlisted")
#: how often a change is thought over again because its drafts moved on meanwhile
_TRIES = 5


@dataclass(slots=True)
class Followed:
    """What a pass did: who has something to send, what changed, and when to come again."""

    targets: set[str] = field(default_factory=set)
    edits: int = 0
    deletions: int = 0
    held: int = 0
    next_at: datetime | None = None
    error: ClientError | None = None


def followed_for(policy: Policy, source: str) -> timedelta:
    """How long originals of an account (by identity) are watched for a route."""
    if policy.follow_for is not None:
        return policy.follow_for
    return timedelta() if _is_paid(source) else FOLLOW_FOR


def follow(
    source_name: str,
    bots: Mapping[str, Bot],
    accounts: Accounts,
    store: Store,
    looked_at: dict[str, datetime],
) -> Followed:
    """Look at what is due of an account's originals, and queue what that means for their copies.

    `looked_at` is when each post was looked at last, kept by the caller. Errors of the network end
    the pass and are returned; what was not looked at stays due.
    """
    done = Followed()
    identity = accounts.known_identity(source_name)
    if identity is None:
        return done
    follower = _Follower(source_name, identity, bots, accounts, store, looked_at, done)
    try:
        follower.run()
    except ClientError as error:
        done.error = error
        follower.give_up_waiting()
    done.next_at = follower.next_at()
    return done


def _is_paid(identity: str) -> bool:
    return NETWORKS[identity.partition(":")[0]].paid


@dataclass(slots=True)
class _Follower:
    name: str
    identity: str
    bots: Mapping[str, Bot]
    accounts: Accounts
    store: Store
    looked_at: dict[str, datetime]
    done: Followed
    gone: list[str] = field(default_factory=list)
    delayed: set[str] = field(default_factory=set)
    published: dict[str, datetime] = field(default_factory=dict)

    def run(self) -> None:
        """One pass."""
        now = self.accounts.now()
        self.delayed = {
            post_id
            for post_id, at in self.store.delays(self.identity).items()
            if self._again(post_id, at) <= now
        }
        if _is_paid(self.identity) and not self._horizon():
            self._let_go(self.delayed)
            return
        ids = list(dict.fromkeys((*self.delayed, *self._due(now))))
        if not ids:
            return
        source = self.accounts.open(self.name)
        batch = source.client.reread_batch
        for at in range(0, len(ids), batch):
            chunk = ids[at : at + batch]
            found = source.client.reread(chunk)
            there = {post_id for post_id in chunk if self._look(source, post_id, found)}
            self._let_go(there & self.delayed)
        self._delete()

    def _look(self, source: Opened, post_id: str, found: Mapping[str, Post | None]) -> bool:
        """Take in how a post is now; whether it is there, to be seen by everyone."""
        now = self.accounts.now()
        self.looked_at[post_id] = now
        if post_id not in found:
            return False
        try:
            post = found[post_id] or self._ask(source, post_id)
        except Refused:  # which says nothing about whether it is there
            return False
        known = self.store.original(self.identity, post_id)
        if post is None:
            self._miss(post_id, known, now)
            return False
        if known is not None and known.missing_at is not None:
            self.store.missed(self.identity, post_id, None)
        if post.visibility not in _OPEN:
            self._conceal(post)
            return False
        for key, route in self._ways(post_id):
            if post.revision not in self.store.seen(key, [post_id]).get(post_id, ()):
                way = way_of(key, route, self.accounts, self.store)
                try:
                    self._write(key, partial(edited, way, post, self.store, now))
                except ClientError:  # its target cannot be opened: seen again at the next look
                    continue
                except StateError:
                    raise
                except Exception:  # an odd post must not keep others from being followed
                    log.exception("%s: an edit of %s cannot be taken in", self.name, post.url)
                    continue
                self.done.edits += 1
        return True

    def _ask(self, source: Opened, post_id: str) -> Post | None:
        """A post by a request of its own; None if the network says that there is none."""
        try:
            return source.client.find(post_id)
        except Gone:
            return None

    def _miss(self, post_id: str, known: Copy | None, now: datetime) -> None:
        """The network says that a post is gone: believe it the second time."""
        if known is None:
            return
        if known.missing_at is None or known.missing_at > now:
            self.store.missed(self.identity, post_id, now)
        elif now - known.missing_at >= BETWEEN_LOOKS:
            self.gone.append(post_id)

    def _conceal(self, post: Post) -> None:
        """A post that is not public any more: what waits is dropped, copies are held."""
        now = self.accounts.now()
        hold = f"the original's visibility is {post.visibility} now"
        revision = f"{post.revision} {post.visibility}"
        for key, route in self._ways(post.id):
            if revision in self.store.seen(key, [post.id]).get(post.id, ()):
                continue
            way = way_of(key, route, self.accounts, self.store)
            think = partial(deleted, way, post.id, self.store, now, hold=hold, revision=revision)
            self._write(key, think)

    def _delete(self) -> None:
        """What the originals that are gone mean; more than a target's limit are held, all of them.

        So are all that come after, until a person has decided: an account that deletes its past a
        little at a time would else take that of its copies along.
        """
        now = self.accounts.now()
        ways = {post_id: self._ways(post_id) for post_id in self.gone}
        held: dict[str, str] = {}
        for target in {key.target for found in ways.values() for key, _ in found}:
            standing = sum(
                bool(self.store.standing(target, self.identity, post_id))
                for post_id, found in ways.items()
                if any(key.target == target for key, _ in found)
            )
            name = self.accounts.name_of(target)
            limit = self.accounts.deletes_per_hour(name) if name else 0
            if standing + self.store.deletions_since(target, now - HOUR) > limit:
                held[target] = f"more than {limit} deletions within an hour for this account"
            elif self.store.holds_deletions(target):
                held[target] = "other deletions for this account are held"
        for post_id, found in ways.items():
            for key, route in found:
                way = way_of(key, route, self.accounts, self.store)
                hold = held.get(key.target, "")
                think = partial(deleted, way, post_id, self.store, now, hold=hold, code="purge")
                self._write(key, think)
            self.store.original_gone(self.identity, post_id, now)
            self.done.deletions += 1

    def _write(self, key: RouteKey, think: Callable[[], Change]) -> None:
        """Write a change, thought over again while its drafts move on."""
        for _ in range(_TRIES):
            change = think()
            if self.store.change(change, self.accounts.now()):
                self.done.held += sum(new.held for new in change.new)
                if change.new or change.amended:
                    self._send(key.target)
                return
        raise Unreachable("its drafts kept moving on")

    def _send(self, target: str) -> None:
        name = self.accounts.name_of(target)
        if name is not None:
            self.done.targets.add(name)

    def _let_go(self, ids: Iterable[str]) -> None:
        for target in self.store.end_delay(self.identity, ids, self.accounts.now()):
            self._send(target)

    def give_up_waiting(self) -> None:
        """Let posts go as they were read, where their account cannot be read for too long."""
        end = self.accounts.now() - LONGEST_DELAY
        self._let_go({i for i, at in self.store.delays(self.identity).items() if at <= end})

    def _ways(self, post_id: str) -> list[tuple[RouteKey, Route]]:
        """The routes on which a post went, or is to go, that still watch it."""
        found = []
        for target, name in self.store.wanted(self.identity, post_id).items():
            bot = self.bots.get(name)
            account = self.accounts.name_of(target)
            if bot is None or bot.mode not in ("live", "approve"):
                continue
            for route in bot.routes:
                if (route.source, route.target) == (self.name, account) and (
                    post_id in self.delayed or self._is_watched(post_id, route)
                ):
                    found.append((RouteKey(name, self.identity, target), route))
        return found

    def _is_watched(self, post_id: str, route: Route) -> bool:
        end = self.accounts.now() - followed_for(route.policy, self.identity)
        return post_id in self.published and self.published[post_id] >= end

    def _horizon(self) -> timedelta:
        """How long any route watches this account's posts."""
        routes = [r for bot in self.bots.values() for r in bot.routes if r.source == self.name]
        return max((followed_for(r.policy, self.identity) for r in routes), default=timedelta())

    def _watched(self, now: datetime) -> list[Watched]:
        horizon = self._horizon()
        return self.store.followed(self.identity, now - horizon) if horizon else []

    def _due(self, now: datetime) -> list[str]:
        """The posts that should be looked at now, and those that soon should, to share requests."""
        watched = self._watched(now)
        self.published = {post.post_id: post.created_at for post in watched}
        for post_id in self.looked_at.keys() - self.published.keys() - self.delayed:
            del self.looked_at[post_id]
        if not any(self._next_look(post, now) <= now for post in watched):
            return []
        return [p.post_id for p in watched if self._next_look(p, now) <= now + _between(p, now) / 2]

    def _next_look(self, post: Watched, now: datetime) -> datetime:
        looked_at = self.looked_at.get(post.post_id)
        return now if looked_at is None or looked_at > now else looked_at + _between(post, now)

    def _again(self, post_id: str, at: datetime) -> datetime:
        """When a post whose delay is over at a time is to be looked at: not twice in a moment."""
        looked_at = self.looked_at.get(post_id)
        return at if looked_at is None else max(at, looked_at + BETWEEN_LOOKS)

    def next_at(self) -> datetime | None:
        """When something is due again; None if nothing is watched."""
        now = self.accounts.now()
        if self.done.error is not None:
            retry_at = getattr(self.done.error, "retry_at", now)
            return max(retry_at, now + AFTER_FAILURE)
        looks = [self._next_look(post, now) for post in self._watched(now)]
        delays = [self._again(i, at) for i, at in self.store.delays(self.identity).items()]
        return min((*looks, *delays), default=None)


def _between(post: Watched, now: datetime) -> timedelta:
    """How long between two looks at a post."""
    if post.missing_at is not None:
        return BETWEEN_LOOKS
    longest = WHILE_IT_WAITS if post.waits else LATEST
    return min(max((now - post.created_at) * PART_OF_AGE, SOONEST), longest)
