"""What a failure, or a look at the account, means for a draft: values, computed by pure functions.

`outbox` only carries them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bridge.likeness import is_telling
from bridge.network import (
    Busy,
    ClientError,
    LoginNeeded,
    OverBudget,
    Refused,
    Uncertain,
    Unreachable,
)
from bridge.post import Post
from bridge.store import Blocks, Code, QueuedDraft

FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=30)
#: a request whose answer was lost may still be at work on the server for a while
SERVER_MAY_ACT = timedelta(seconds=60)
#: Mastodon remembers an idempotency key for an hour; less, for clocks that differ
KEY_LIFE = timedelta(minutes=50)
#: between two readings that must both miss a draft
BETWEEN_READINGS = timedelta(seconds=30)
#: how often a draft looks what became of the copy that it answers; once that stands, it goes on
PARENT_WAIT = timedelta(minutes=10)
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
class Dropped:
    """A person has dropped the draft meanwhile."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again at `until`.

    `blocks` says what else waits: nothing, or everything for the account, until then or until its
    login works. `absent` says that a reading of the account did not find the draft, `failed` that
    an attempt was made.
    """

    until: datetime
    reason: str
    code: Code
    blocks: Blocks = ""
    absent: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Over: `held` until a person decides, or `dead`."""

    state: Literal["held", "dead"]
    reason: str
    code: Code


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
        case OverBudget() if in_doubt:
            return Stop("held", f"in doubt, and not to be settled for now: {error}", "doubt")
        case OverBudget():
            return Stop("held", str(error), "budget")
        case Busy():
            until = max(error.retry_at, now + timedelta(seconds=1))
            return Wait(until, str(error), "busy", "account")
        case Unreachable():
            return Wait(now + backoff(failures, jitter), str(error), "unreachable", "account")
        case Uncertain():
            return Settle(now + backoff(failures, jitter) if in_doubt else now, str(error))
        case LoginNeeded():
            return Wait(now + LOGIN_WAIT, str(error), "login", "login")
        case Refused() if in_doubt:
            return Stop("held", f"in doubt, and refused when it was sent again: {error}", "doubt")
        case Refused():
            return Stop("dead", str(error), "refused")
        case _ if failures >= LAST_FAILURE:
            return Stop("held", str(error), "defect")
        case _:
            return Wait(now + backoff(failures, jitter), str(error), "defect", "account")


def after_media(error: Unreachable | Uncertain, failures: int, now: datetime) -> Wait | Stop:
    """What becomes of a draft whose media could not be had or uploaded, before anything was posted.

    Nothing that anyone sees came of it, so it can simply be repeated.
    """
    if failures >= LAST_MEDIA_FAILURE:
        return Stop("held", str(error), "media")
    return Wait(now + backoff(failures + 1, 0.5), str(error), "media", failed=True)


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
    # where the clock has been set back meanwhile, nobody knows how old the key is
    if keeps_keys and attempted <= now and doubted <= now:
        if now - attempted < SERVER_MAY_ACT:
            again = attempted + SERVER_MAY_ACT
            return Wait(
                again, "in doubt: looking once more before sending again", "doubt", "account"
            )
        if now - doubted < KEY_LIFE:
            return Resend()
    if matches:
        urls = ", ".join(post.url for post in matches)
        return Stop(
            "held", f"in doubt: what stands there may be this copy or not ({urls})", "doubt"
        )
    if draft.absences == 0:
        again = now + BETWEEN_READINGS
        return Wait(
            again, "in doubt: not found, looking once more", "doubt", "account", absent=True
        )
    if may_resend and draft.attempted_at == draft.doubted_at:
        return Resend()
    return Stop(
        "held",
        "in doubt: no answer came when it was sent, and it was not found on the account since: "
        "look whether it stands there",
        "doubt",
    )
