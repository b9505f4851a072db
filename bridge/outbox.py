"""Delivering what is queued to one account, exactly once.

What a failure means for a draft is a value that functions of `outcome` return; `deliver` only
carries it out. A draft is committed as `sending`, with its payload, before its request leaves; one
found in that state is settled first: sent again where that is harmless, else looked for on the
account.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from bridge import alt_texts, cards, film_uploads, images, media, remaking
from bridge.accounts import Accounts, Opened
from bridge.amending import amend
from bridge.likeness import may_be_copy
from bridge.network import (
    Busy,
    ClientError,
    NoReply,
    OverBudget,
    Parents,
    Refused,
    Uncertain,
    Unreachable,
)
from bridge.outcome import (
    BOT_WAIT,
    FIRST_WAIT,
    LONGEST_DOUBT,
    PARENT_WAIT,
    TWIN_LIFE,
    UPLOAD_LIFE,
    Dropped,
    Resend,
    Sent,
    Settle,
    Stop,
    Wait,
    after,
    after_media,
    after_search,
)
from bridge.pacing import Pacing
from bridge.post import Post, Ref, ref_to, utc
from bridge.schema import Bot, Policy
from bridge.store import (
    DOUBTED,
    SEVERAL,
    Copy,
    QueuedDraft,
    StateError,
    Store,
    is_change,
)
from bridge.text import has_link

log = logging.getLogger("tribridge")

T = TypeVar("T")


@dataclass(slots=True)
class Delivery:
    """What a round of deliveries to one account did, and when to come again (None: no need).

    `rested` says that nothing was tried, since an error of before keeps the account waiting.
    """

    sent: int = 0
    rested: bool = False
    stopped: list[str] = field(default_factory=list)
    next_at: datetime | None = None
    error: ClientError | None = None


def deliver(
    target_name: str,
    accounts: Accounts,
    store: Store,
    bots: Mapping[str, Bot],
    *,
    stopping: Callable[[], bool] = lambda: False,
    jitter: Callable[[], float] = random.random,
) -> Delivery:
    """Send everything that is due to one account, oldest first, until nothing is or `stopping`.

    Errors of the network are put on the drafts and returned, not raised.
    """
    done = Delivery()
    try:
        target = accounts.open(target_name)
    except ClientError as error:
        done.error = error
        done.next_at = accounts.retry_at(target_name)
        return done
    courier = _Courier(target, accounts, store, bots)
    pacing = Pacing(store, target.identity.id, accounts.posts_per_hour(target_name), accounts.now())
    done.rested = store.rests(target.identity.id, accounts.now())
    while not stopping():
        now = accounts.now()
        draft = store.next_draft(
            target.identity.id, now, fresh=pacing.fresh(now), backfill=pacing.backfill(now)
        )
        if draft is None:
            break
        done.error = None
        outcome: Sent | Dropped | Wait | Stop | Settle
        try:
            outcome = courier.handle(draft)
        except ClientError as error:
            done.error = error
        except StateError:
            raise  # nothing can be written down: the draft stays as it is
        except Exception as error:  # noqa: BLE001 - an odd draft must not stop the others
            done.error = _defect(error, draft, store)
        if done.error is not None:
            failures, doubt = draft.attempts + 1, draft.state == "sending"
            outcome = after(done.error, failures, accounts.now(), jitter(), in_doubt=doubt)
        # being asked to wait is no failure
        failed = done.error is not None and not isinstance(done.error, Busy)
        _note(store, draft, outcome, failed=failed)
        if draft.attempted_at is None and not isinstance(outcome, Wait | Stop | Dropped):
            pacing.begun(draft, accounts.now())
        done.sent += isinstance(outcome, Sent)
        if isinstance(outcome, Stop):
            done.stopped.append(f"{draft.source_url} is {outcome.state}: {outcome.reason}")
    done.next_at = _next_at(store, target.identity.id, pacing, accounts.now())
    return done


def step(
    draft: QueuedDraft,
    target: Opened,
    accounts: Accounts,
    store: Store,
    bots: Mapping[str, Bot],
) -> Sent | Dropped | Wait | Stop:
    """Bring one draft a step further, as `deliver` does; what comes of it is returned, not noted.

    Raises the five kinds of error.
    """
    return _Courier(target, accounts, store, bots).handle(draft)


def _next_at(store: Store, target: str, pacing: Pacing, now: datetime) -> datetime | None:
    """When something is due for an account; None if nothing waits."""
    if store.next_time(target) is None:
        return None
    due = store.next_time(target, fresh=pacing.fresh(now), backfill=pacing.backfill(now))
    return min((at for at in (due, pacing.next_at(now)) if at is not None), default=None)


def _defect(error: Exception, draft: QueuedDraft, store: Store) -> ClientError:
    """An error that should not happen, as one of the kinds: after a request has left, a doubt."""
    log.error("%s: sending a copy of %s failed", draft.target, draft.source_url, exc_info=error)
    said = f"failed unexpectedly: {type(error).__name__}"
    return Uncertain(said) if store.is_sending(draft) else ClientError(said)


def _note(
    store: Store,
    draft: QueuedDraft,
    outcome: Sent | Dropped | Wait | Stop | Settle,
    *,
    failed: bool,
) -> None:
    """Write down what became of a draft. One that is in doubt stays so while it waits."""
    match outcome:
        case Sent() | Dropped():
            pass
        case Stop():
            store.stop(draft, outcome.state, outcome.reason, outcome.code)
        case Settle():
            store.put_off(
                draft,
                outcome.until,
                outcome.reason,
                code="doubt",
                state="sending",
                blocks="account",
                failed=failed,
            )
        case Wait():
            store.put_off(
                draft,
                outcome.until,
                outcome.reason,
                code=outcome.code,
                state="sending" if draft.state == "sending" else "queued",
                blocks=outcome.blocks,
                failed=failed or outcome.failed,
                absent=outcome.absent,
            )


@dataclass(frozen=True, slots=True)
class _Courier:
    """Takes drafts to one account."""

    target: Opened
    accounts: Accounts
    store: Store
    bots: Mapping[str, Bot]

    def handle(self, draft: QueuedDraft) -> Sent | Dropped | Wait | Stop:
        """Bring one draft a step further."""
        blocked = self._bot_says_no(draft)
        if blocked is not None:
            return blocked
        if draft.action != "publish":
            return amend(draft, self.target, self.accounts, self.store, self._upload)
        if draft.state == "sending" and draft.payload is not None:
            return self._settle(draft)
        draft = remaking.as_the_part_before(draft, self.target, self.store)
        parents = self._parents(draft)
        if isinstance(parents, Wait | Stop):
            return parents
        draft, parents = remaking.linked_here(draft, parents, self.target, self.store)
        draft = remaking.addressed(draft, self.target, self.store)
        plays = any(item.plays for item in draft.draft.media)
        old = draft.uploaded_at and self.accounts.now() - draft.uploaded_at > UPLOAD_LIFE
        if old and not plays:
            draft = self.store.forget_uploads(draft)
        uploaded_before = bool(draft.uploads)
        carded = cards.prepare(draft, self.target, self.accounts, self.store)
        if isinstance(carded, Wait | Stop):
            return carded
        uploaded = self._upload(carded)
        if isinstance(uploaded, Wait | Stop):
            return uploaded
        draft = uploaded
        payload = draft.payload or self.target.network.to_payload(
            draft.draft, draft.key, draft.uploads, parents, self.accounts.now()
        )
        try:
            return self._publish(draft, payload, parents)
        except Refused as error:
            if isinstance(error, NoReply) and not is_change(draft):
                remaking.by_itself(draft, self.target, self.store)
                return Wait(self.accounts.now(), str(error), "refused", "account")
            if draft.draft.card is not None and not uploaded_before:
                cards.refused(draft, self.store)
                return Wait(self.accounts.now(), str(error), "refused", "account")
            if not uploaded_before or (plays and draft.attempts >= SEVERAL):
                if parents is not None and parents.shows and draft.draft.quote:
                    remaking.without_quote(draft, self.target, self.store)
                    return Wait(self.accounts.now(), str(error), "refused", "account")
                raise
            # the server may have forgotten media of an earlier attempt: once more, with new ones
            self.store.forget_uploads(draft)
            until = self.accounts.now() + FIRST_WAIT
            return Wait(until, str(error), "media", "account", failed=True)

    def _publish(
        self, draft: QueuedDraft, payload: Mapping[str, Any], parents: Parents | None
    ) -> Sent | Dropped:
        """One write request, committed as `sending` before it leaves."""
        client = self.target.client
        newest = "" if client.repeatable else _read(lambda: self.accounts.newest(self.target))
        if not self.store.sending(draft, payload, newest, self.accounts.now()):
            return Dropped()
        try:
            ref = client.publish(payload, draft.key)
        except OverBudget:
            self.store.unsend(draft)
            raise
        self.accounts.published(self.target, ref)
        return self._stands(draft, ref, parents)

    def _stands(self, draft: QueuedDraft, ref: Ref, parents: Parents | None) -> Sent:
        root = parents.root if parents else None
        self.store.sent(draft, ref, root, self.accounts.now())
        return Sent()

    def _settle(self, draft: QueuedDraft) -> Sent | Dropped | Wait | Stop:
        """Find out whether a draft stands, and see that it does."""
        assert draft.payload is not None
        parents = self._parents(draft)
        if isinstance(parents, Wait | Stop):
            return parents
        client = self.target.client
        if client.repeatable:
            now = self.accounts.now()
            lasted = now - (draft.doubted_at or now)
            if lasted > LONGEST_DOUBT and draft.attempts >= SEVERAL and draft.code != "login":
                return Stop(
                    "held", "in doubt for too long: the server keeps failing on it", "doubt"
                )
            return self._publish(draft, draft.payload, parents)
        matches = self._search(draft)
        now = self.accounts.now()
        verdict = after_search(
            draft,
            matches,
            now,
            keeps_keys=client.keeps_keys,
            may_resend=self._may_resend(draft, now),
        )
        match verdict:
            case Post():
                return self._stands(draft, ref_to(verdict), parents)
            case Resend():
                return self._resend(draft, draft.payload, parents)
            case _:
                return verdict

    def _resend(
        self, draft: QueuedDraft, payload: Mapping[str, Any], parents: Parents | None
    ) -> Sent | Dropped | Wait:
        """Send once more what was not found; where no answers are taken none was the first time."""
        try:
            return self._publish(draft, payload, parents)
        except NoReply as error:
            if is_change(draft):
                raise
            remaking.by_itself(draft, self.target, self.store)
            return Wait(self.accounts.now(), str(error), "refused", "account")

    def _search(self, draft: QueuedDraft) -> list[Post]:
        """Posts on the account since the attempt that may be this draft's copy."""
        if not self.target.network.sources:
            return []  # nobody can tell
        found: list[Post] = []
        cursor, more, now = draft.newest, True, self.accounts.now()
        while more:
            page = _read(lambda at=cursor: self.target.client.fetch(at))  # type: ignore[misc]
            linked = self.store.links(self.target.identity.id, [post.id for post in page.posts])
            found += [
                post
                for post in page.posts
                if post.id not in linked and may_be_copy(self.target.network, draft, post, now)
            ]
            more = page.more and page.cursor != cursor
            cursor = page.cursor
        return found

    def _may_resend(self, draft: QueuedDraft, now: datetime) -> bool:
        """Whether what was not found may be sent once more: the bot says so, or it is safe enough.

        That is a text, on a network whose silence is telling, without a twin.
        """
        bot = self.bots.get(draft.bot)
        policy = self._policy(bot, draft) if bot else None
        if policy is not None and policy.in_doubt == "resend":
            return True
        if draft.draft.boost is not None:
            return self.target.network.absence_is_telling  # where boosting again is no change
        return (
            self.target.network.absence_is_telling
            and bool(draft.draft.text.strip())
            and not draft.draft.media
            and not self.store.has_twin(draft, now - TWIN_LIFE)
        )

    def _bot_says_no(self, draft: QueuedDraft) -> Wait | Stop | None:
        """Why the draft's bot does not let it go out now, if it does not."""
        bot, now = self.bots.get(draft.bot), self.accounts.now()
        if bot is None:
            return Stop("held", f"its bot {draft.bot} is not in the config any more", "bot")
        if ("bot", bot.name) in self.store.pauses():
            return Wait(now + BOT_WAIT, f"its bot {bot.name} is paused", "paused")
        if bot.mode in ("dry-run", "disabled"):
            return Wait(now + BOT_WAIT, f"its bot {bot.name} has mode {bot.mode}", "mode")
        policy = self._policy(bot, draft)
        if policy is None:
            return Stop("held", f"its bot {bot.name} does not mirror this way any more", "bot")
        limits = self.target.client.limits
        if draft.action != "publish":
            if bot.mode == "approve" and not draft.approved and draft.attempted_at is None:
                return Stop("held", "waits for approval", "approve")
            return None
        lacking = alt_texts.lacking(draft, policy, limits, self.accounts, self.store)
        if lacking is not None or draft.approved:
            return lacking
        doubted = self._doubted(draft)
        if doubted is not None:
            return doubted
        if draft.draft.part > 1 or draft.attempted_at is not None:
            return None
        if bot.mode == "approve":
            return Stop("held", "waits for approval", "approve")
        if policy.links == "hold" and self._has_link(draft):
            return Stop("held", "it has a link, and the bot holds posts with links", "links")
        in_time = draft.backfill or is_change(draft)
        if not in_time and now - draft.draft.created_at > policy.max_age + policy.delay:
            return Stop("held", "older than the bot's max_age before it could be sent", "late")
        return None

    def _doubted(self, draft: QueuedDraft) -> Stop | None:
        """What keeps a draft that a lost state may have sent: a copy of old, or of a copy.

        Only what is put under the same key again, from an account that nothing is mirrored to, is
        safe. For a correction there is no original by which `relink` could find it.
        """
        since, why = self.store.fact(DOUBTED), "the state was lost or is an old one: this may stand"
        if not since:
            return None
        repeatable = self.target.client.repeatable
        if is_change(draft):
            told_before = draft.attempted_at is None and not repeatable
            return Stop("held", why, "doubt") if told_before else None
        if draft.draft.created_at > utc(since):
            return None
        source = self.accounts.name_of(draft.source)
        mirrored_to = any(r.target == source for bot in self.bots.values() for r in bot.routes)
        return Stop("held", why, "state") if mirrored_to or not repeatable else None

    def _policy(self, bot: Bot, draft: QueuedDraft) -> Policy | None:
        """How a draft's bot mirrors from its source to this target; None if it does not."""
        source = self.accounts.name_of(draft.source)
        ways = (r for r in bot.routes if (r.source, r.target) == (source, self.target.name))
        return next((route.policy for route in ways), None)

    def _has_link(self, draft: QueuedDraft) -> bool:
        """Whether any part of the post that a draft belongs to has a link."""
        parts = self.store.drafts_of(draft.target, draft.source, draft.source_id)
        return any(has_link(part.draft.runs) for part in parts)

    def _parents(self, draft: QueuedDraft) -> Parents | Wait | Stop | None:
        """The copies that a draft refers to, or what keeps it from being sent."""
        answered = self._answered(draft)
        if draft.draft.alone and isinstance(answered, Parents):
            answered = None
        shown = draft.draft.boost or draft.draft.quote
        if shown is None or isinstance(answered, Wait | Stop):
            return answered
        word = "boosts" if draft.draft.boost else "quotes"
        origin = self._group(shown.account or draft.source, shown.id)
        found = self._standing(origin, 1, f"the post that it {word}")
        if isinstance(found, Wait | Stop):
            return found
        return replace(answered or Parents(), shows=found.parent)

    def _answered(self, draft: QueuedDraft) -> Parents | Wait | Stop | None:
        """The copies that a draft answers, or what keeps it from being sent."""
        if draft.draft.part > 1:
            origin, part = (draft.source, draft.source_id), draft.draft.part - 1
            return self._standing(origin, part, "the part before it")
        if draft.draft.reply_to is None:
            return self._until_replaced(draft) if draft.generation > 0 else None
        origin = self._group(draft.source, draft.draft.reply_to.id)
        return self._standing(origin, None, "the post that it answers")

    def _group(self, account: str, post_id: str) -> tuple[str, str]:
        """The original, account and id, of the group that a post belongs to."""
        link = self.store.links(account, [post_id]).get(post_id)
        return (link.origin, link.origin_id) if link else (account, post_id)

    def _until_replaced(self, draft: QueuedDraft) -> Wait | Stop | None:
        """What keeps the successor of a copy from going out: that the old one still stands."""
        standing = self.store.standing(draft.target, draft.source, draft.source_id)
        if not standing:
            return None
        named = tuple(f"#delete-{copy.ref.id}" for copy in standing)
        changes = self.store.changes_of(draft.source, draft.source_id)
        deletions = (change for change in changes if change.source_id.endswith(named))
        stopped = next((d for d in deletions if d.state in ("held", "dead", "dropped")), None)
        if stopped is not None:
            reason = f"the deletion of what it replaces is {stopped.state}: {stopped.error}"
            return Stop("held", reason, "parent")
        return Wait(self.accounts.now() + PARENT_WAIT, "waits until the old copy is gone", "parent")

    def _standing(
        self, origin: tuple[str, str], part: int | None, what: str
    ) -> Parents | Wait | Stop:
        """A part (the last if None) of a group as it stands on the target, with its root."""
        here = [c for c in self.store.copies(*origin) if c.identity == self.target.identity.id]
        waiting = [
            d for d in self.store.drafts_of(self.target.identity.id, *origin) if d.state != "sent"
        ]
        if part is not None:
            here = [copy for copy in here if copy.part == part]
            waiting = [d for d in waiting if d.draft.part <= part]
        elif here:  # parts that an edit took away since are none
            last = here[-1].part
            waiting = [d for d in waiting if d.state != "dropped" or d.draft.part <= last]
        stopped = next((d for d in waiting if d.state in ("held", "dead", "dropped")), None)
        if stopped is not None:
            return Stop("held", f"{what} is {stopped.state}: {stopped.error}", "parent")
        if waiting:
            return Wait(self.accounts.now() + PARENT_WAIT, f"waits for {what}", "parent")
        if not here:
            return Stop("held", f"{what} has no copy here", "parent")
        copy: Copy = here[-1]
        return Parents(copy.ref, copy.root or copy.ref)

    def _upload(self, draft: QueuedDraft) -> QueuedDraft | Wait | Stop:
        """The draft with its media uploaded; what earlier attempts uploaded is used again."""
        policy = self._policy(self.bots[draft.bot], draft)
        if policy is not None and any(item.plays for item in draft.draft.media):
            return film_uploads.upload(draft, self.target, policy, self.accounts, self.store)
        uploads = list(draft.uploads)
        for item in draft.draft.media[len(uploads) :]:
            try:
                data = media.fetch(item, own_host=self.accounts.host_of(draft.source))
                alone = len(draft.draft.media) == 1
                image = images.fit(item, data, self.target.client.limits, alone=alone)
                moving = film_uploads.as_film(draft, image, self.target, self.accounts, self.store)
                if moving is not None:
                    return moving
                draft = self.store.lost(draft, image.losses)
                uploads.append(self.target.client.upload(image))
            except (Unreachable, Uncertain) as error:
                return after_media(error, draft.attempts, self.accounts.now())
            except Refused as error:
                missing = film_uploads.without_poster(draft, item, self.accounts, self.store)
                return missing or Stop("held", str(error), "media")
            self.store.uploaded(draft, uploads, self.accounts.now())
        return replace(draft, uploads=tuple(uploads))


def _read(call: Callable[[], T]) -> T:
    """What a reading gives. That reading is refused says nothing about the post to be sent."""
    try:
        return call()
    except Refused as error:
        raise Unreachable(str(error)) from error
