"""What X's answers mean where they are not 2xx."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge import wire
from bridge.network import Busy, ClientError, LoginNeeded, OverBudget, Refused
from bridge.networks.twitter import rates

#: out of credits: somebody has to pay first
WAIT_FOR_CREDITS = timedelta(hours=6)
#: what a 403 says when a person must act: permissions of the app, or the account's own state
LOGIN_SIGNS = (
    "scope",
    "client-forbidden",
    "oauth1 app permissions",
    "temporarily locked",
    "is suspended",
)


def error_of(answer: wire.Answer, now: datetime) -> ClientError:
    """The error for an answer that is not 2xx (X API, response codes and errors)."""
    says = answer.detail()
    words = answer.body[:2000].decode("utf-8", "replace").lower()
    if answer.status == 402:
        until = now + WAIT_FOR_CREDITS
        return OverBudget(f"the app's credits at X are used up ({says})", until)
    if answer.status in (403, 429) and "usage-capped" in words:
        reset = rates.exhausted_until(answer.headers, now) or now + WAIT_FOR_CREDITS
        return Busy(f"the app's monthly quota at X is used up ({says})", reset)
    if answer.status == 401:
        return LoginNeeded(
            f"X does not accept the account's keys ({says}): renew "
            "them, and check this machine's clock"
        )
    if answer.status == 403 and any(sign in words for sign in LOGIN_SIGNS):
        return LoginNeeded(
            f"X does not let this app or account do that ({says}): see to the account at "
            "x.com, or the app's permissions at developer.x.com, and renew the access token"
        )
    if answer.status == 403 and "duplicate" in words:
        return Refused(f"X refused duplicate content: the account posted this before ({says})")
    return wire.rejection(answer, now, rates.exhausted_until(answer.headers, now))
