"""Delivering what is queued to one account, exactly once.

What a failure means for a draft is a value that `after` and `after_search` return; `deliver` only
carries it out. A draft is committed as `sending`, with its payload, before its request leaves; one
found in that state is settled first: sent again where that is harmless, else looked for on the
account.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from bridge import media
from bridge.accounts import Accounts, Opened
from bridge.likeness import is_telling, may_be_copy
from bridge.network import (
    Busy,
    ClientError,
    LoginNeeded,
    Parents,
    Refused,
    Uncertain,
    Unreachable,
)
from bridge.post import Post, Ref, ref_to
from bridge.schema import Bot
from bridge.store import SEVERAL, Blocks, Copy, QueuedDraft, Store

log = logging.getLogger("tribridge")

FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=30)
#: a request whose answer was lost may still be at work on the server for a while
SERVER_MAY_ACT = timedelta(seconds=60)
#: Mastodon remembers an idempotency key for an hour; less, for clocks that differ
KEY_LIFE = timedelta(minutes=50)
#: between two readings that must both miss a draft
BETWEEN_READINGS = timedelta(seconds=30)
#: how often a draft looks whether the copy that it answers stands
PARENT_WAIT = timedelta(seconds=30)
#: how often a login that does not work is tried again while the daemon runs
LOGIN_WAIT = timedelta(hours=1)
#: how often a draft looks whether its bot is live again
BOT_WAIT = timedelta(minutes=10)
#: failures of a kind that should not happen after which a draft is left to a person
LAST_FAILURE = 8
#: how long a draft in doubt may keep later ones waiting
LONGEST_DOUBT = timedelta(hours=6)
#: how long X refuses a text that it has seen before, as far as is known
TWIN_LIFE = timedelta(hours=24)
#: how long servers are trusted to keep an image that no post shows yet
UPLOAD_LIFE = timedelta(minutes=30)
#: failed downloads or uploads of an image after which its draft is left to a person
LAST_MEDIA_FAILURE = 60


@dataclass(frozen=True, slots=True)
class Sent:
    """The draft stands on the account."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again at `until`.

    `blocks` says what else waits: nothing, or everything for the account, until then or until its
    login works. `absent` says that a reading of the account did not find the draft, `failed` that
    an attempt was made.
    """

    until: datetime
    reason: str
    blocks: Blocks = ""
    absent: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Over: `held` until a person decides, or `dead`."""

    state: Literal["held", "dead"]
    reason: str


@dataclass(frozen=True, slots=True)
class Settle:
    """The draft may stand: find out at `until`, before anything else goes to the account."""

    until: datetime
    reason: str


def backoff(failures: int, jitter: float) -> timedelta:
    """How long to wait after so many failures; `jitter` in [0, 1) spreads it by a quarter."""
    wait = min(FIRST_WAIT * (1 << min(max(failures - 1, 0), 16)), LONGEST_WAIT)
    return wait * (0.875 + jitter / 4)


def after(
    error: ClientError, failures: int, now: datetime, jitter: float, *, in_doubt: bool = False
) -> Wait | Stop | Settle:
    """What becomes of a draft after an attempt that failed, the `failures`-th.

    A draft that was `in_doubt` already is not looked for again at once, so that a server in trouble
    is left alone.
    """
    match error:
        case Busy():
            return Wait(max(error.retry_at, now + timedelta(seconds=1)), str(error), "account")
        case Unreachable():
            return Wait(now + backoff(failures, jitter), str(error), "account")
        case Uncertain():
            return Settle(now + backoff(failures, jitter) if in_doubt else now, str(error))
        case LoginNeeded():
            return Wait(now + LOGIN_WAIT, str(error), "login")
        case Refused() if in_doubt:
            return Stop("held", f"in doubt, and refused when it was sent again: {error}")
        case Refused():
            return Stop("dead", str(error))
        case _ if failures >= LAST_FAILURE:
            return Stop("held", str(error))
        case _:
            return Wait(now + backoff(failures, jitter), str(error), "account")


@dataclass(frozen=True, slots=True)
class Resend:
    """Sending the draft again is safe, whether it stands or not."""


def after_search(
    draft: QueuedDraft,
    matches: list[Post],
    now: datetime,
    *,
    keeps_keys: bool,
    may_resend: bool = False,
) -> Post | Wait | Resend | Stop:
    """What a reading of the account tells about a draft in doubt: its copy, or what to do.

    Where the server keeps keys, a resend with the same key inside their life is harmless, and names
    the right one among posts that look alike. Where it does not, absence in two readings still
    leaves a doubt that only a person can settle, unless `may_resend` says that the network's
    absence is telling and nothing else went out like it.
    """
    if len(matches) == 1 and is_telling(draft, matches[0]):
        return matches[0]
    attempted, doubted = draft.attempted_at or now, draft.doubted_at or now
    if keeps_keys:
        if now - attempted < SERVER_MAY_ACT:
            again = attempted + SERVER_MAY_ACT
            return Wait(again, "in doubt: looking once more before sending again", "account")
        if now - doubted < KEY_LIFE:
            return Resend()
    if matches:
        urls = ", ".join(post.url for post in matches)
        return Stop("held", f"in doubt: what stands there may be this copy or not ({urls})")
    if draft.absences == 0:
        again = now + BETWEEN_READINGS
        return Wait(again, "in doubt: not found, looking once more", "account", absent=True)
    if may_resend and draft.attempted_at == draft.doubted_at:
        return Resend()
    return Stop(
        "held",
        "in doubt: no answer came when it was sent, and it was not found on the account since: "
        "look whether it stands there",
    )


@dataclass(slots=True)
class Delivery:
    """What a round of deliveries to one account did, and when to come again (None: no need)."""

    sent: int = 0
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
    while not stopping():
        draft = store.next_draft(target.identity.id, accounts.now())
        if draft is None:
            break
        done.error = None
        outcome: Sent | Wait | Stop | Settle
        try:
            outcome = courier.handle(draft)
        except ClientError as error:
            done.error = error
        except Exception as error:  # noqa: BLE001 - an odd draft must not stop the others
            done.error = _defect(error, draft, store)
        if done.error is not None:
            failures, doubt = draft.attempts + 1, draft.state == "sending"
            outcome = after(done.error, failures, accounts.now(), jitter(), in_doubt=doubt)
        # being asked to wait is no failure
        failed = done.error is not None and not isinstance(done.error, Busy)
        _note(store, draft, outcome, failed=failed)
        done.sent += isinstance(outcome, Sent)
        if isinstance(outcome, Stop):
            done.stopped.append(f"{draft.source_url} is {outcome.state}: {outcome.reason}")
    done.next_at = store.next_time(target.identity.id)
    return done


def _defect(error: Exception, draft: QueuedDraft, store: Store) -> ClientError:
    """An error that should not happen, as one of the kinds: after a request has left, a doubt."""
    log.error("%s: sending a copy of %s failed", draft.target, draft.source_url, exc_info=error)
    said = f"failed unexpectedly: {type(error).__name__}"
    return Uncertain(said) if store.is_sending(draft) else ClientError(said)


def _note(
    store: Store, draft: QueuedDraft, outcome: Sent | Wait | Stop | Settle, *, failed: bool
) -> None:
    """Write down what became of a draft. One that is in doubt stays so while it waits."""
    match outcome:
        case Sent():
            pass
        case Stop():
            store.stop(draft, outcome.state, outcome.reason)
        case Settle():
            until, reason = outcome.until, outcome.reason
            store.put_off(draft, until, reason, state="sending", blocks="account", failed=failed)
        case Wait():
            store.put_off(
                draft,
                outcome.until,
                outcome.reason,
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

    def handle(self, draft: QueuedDraft) -> Sent | Wait | Stop:
        """Bring one draft a step further."""
        blocked = self._bot_says_no(draft)
        if blocked is not None:
            return blocked
        if draft.state == "sending":
            return self._settle(draft)
        parents = self._parents(draft)
        if isinstance(parents, Wait | Stop):
            return parents
        if draft.uploaded_at and self.accounts.now() - draft.uploaded_at > UPLOAD_LIFE:
            draft = self.store.forget_uploads(draft)
        uploaded = self._upload(draft)
        if isinstance(uploaded, Wait | Stop):
            return uploaded
        payload = draft.payload or self.target.network.to_payload(
            draft.draft, draft.key, uploaded, parents, self.accounts.now()
        )
        try:
            return self._publish(draft, payload, parents)
        except Refused as error:
            if not draft.uploads:
                raise
            # the server may have forgotten images of an earlier attempt: once more, with new ones
            self.store.forget_uploads(draft)
            return Wait(self.accounts.now() + FIRST_WAIT, str(error), "account", failed=True)

    def _publish(
        self, draft: QueuedDraft, payload: Mapping[str, Any], parents: Parents | None
    ) -> Sent:
        """One write request, committed as `sending` before it leaves."""
        client = self.target.client
        newest = "" if client.repeatable else _read(lambda: self.accounts.newest(self.target))
        self.store.sending(draft, payload, newest, self.accounts.now())
        ref = client.publish(payload, draft.key)
        self.accounts.published(self.target, ref)
        return self._stands(draft, ref, parents)

    def _stands(self, draft: QueuedDraft, ref: Ref, parents: Parents | None) -> Sent:
        root = parents.root if parents else None
        self.store.sent(draft, ref, root, self.accounts.now())
        return Sent()

    def _settle(self, draft: QueuedDraft) -> Sent | Wait | Stop:
        """Find out whether a draft stands, and see that it does."""
        assert draft.payload is not None
        parents = self._parents(draft)
        if isinstance(parents, Wait | Stop):
            return parents
        client = self.target.client
        if client.repeatable:
            now = self.accounts.now()
            lasted = now - (draft.doubted_at or now)
            if lasted > LONGEST_DOUBT and draft.attempts >= SEVERAL:
                return Stop("held", "in doubt for too long: the server keeps failing on it")
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
                return self._publish(draft, draft.payload, parents)
            case _:
                return verdict

    def _search(self, draft: QueuedDraft) -> list[Post]:
        """Posts on the account since the attempt that may be this draft's copy."""
        found: list[Post] = []
        cursor, more = draft.newest, True
        while more:
            page = _read(lambda at=cursor: self.target.client.fetch(at))  # type: ignore[misc]
            linked = self.store.links(self.target.identity.id, [post.id for post in page.posts])
            found += [
                post
                for post in page.posts
                if post.id not in linked and may_be_copy(self.target.network, draft, post)
            ]
            more = page.more and page.cursor != cursor
            cursor = page.cursor
        return found

    def _may_resend(self, draft: QueuedDraft, now: datetime) -> bool:
        """Whether the draft is a text, on a network whose silence is telling, without a twin."""
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
            return Stop("held", f"its bot {draft.bot} is not in the config any more")
        if bot.mode != "live":
            return Wait(now + BOT_WAIT, f"its bot {bot.name} has mode {bot.mode}")
        source = self.accounts.name_of(draft.source)
        limit = next(
            (
                route.policy.max_age
                for route in bot.routes
                if route.target == self.target.name and route.source == source
            ),
            None,
        )
        if limit is None:
            return Stop("held", f"its bot {bot.name} does not mirror this way any more")
        begun = draft.draft.part > 1 or draft.attempted_at is not None
        if draft.backfill or begun or now - draft.draft.created_at <= limit:
            return None
        return Stop("held", "older than the bot's max_age before it could be sent")

    def _parents(self, draft: QueuedDraft) -> Parents | Wait | Stop | None:
        """The copies that a draft answers, or what keeps it from being sent."""
        if draft.draft.part > 1:
            origin, part = (draft.source, draft.source_id), draft.draft.part - 1
            return self._standing(origin, part, "the part before it")
        if draft.draft.reply_to is None:
            return None
        answered = draft.draft.reply_to.id
        link = self.store.links(draft.source, [answered]).get(answered)
        origin = (link.origin, link.origin_id) if link else (draft.source, answered)
        return self._standing(origin, None, "the post that it answers")

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
        stopped = next((d for d in waiting if d.state in ("held", "dead")), None)
        if stopped is not None:
            return Stop("held", f"{what} is {stopped.state}: {stopped.error}")
        if waiting:
            return Wait(self.accounts.now() + PARENT_WAIT, f"waits for {what}")
        if not here:
            return Stop("held", f"{what} has no copy here")
        copy: Copy = here[-1]
        return Parents(copy.ref, copy.root or copy.ref)

    def _upload(self, draft: QueuedDraft) -> tuple[dict[str, Any], ...] | Wait | Stop:
        """References to the draft's uploaded images; those of earlier attempts are used again."""
        uploads = list(draft.uploads)
        for item in draft.draft.media[len(uploads) :]:
            try:
                data = media.fetch(item, own_host=self.accounts.host_of(draft.source))
                image = media.fit(item, data, self.target.client.limits)
                uploads.append(self.target.client.upload(image))
            except (Unreachable, Uncertain) as error:
                # nothing that anyone sees came of it: it can simply be repeated
                if draft.attempts >= LAST_MEDIA_FAILURE:
                    return Stop("held", str(error))
                until = self.accounts.now() + backoff(draft.attempts + 1, 0.5)
                return Wait(until, str(error), failed=True)
            except Refused as error:
                return Stop("held", str(error))
            self.store.uploaded(draft, uploads, self.accounts.now())
        return tuple(uploads)


T = TypeVar("T")


def _read(call: Callable[[], T]) -> T:
    """What a reading gives. That reading is refused says nothing about the post to be sent."""
    try:
        return call()
    except Refused as error:
        raise Unreachable(str(error)) from error
