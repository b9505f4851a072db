"""Logins that failed, remembered over restarts: networks count logins, and a crash loop makes many.

A refusal stands until its time is over, or until the account is configured in another way. One
that was noted later than now stands for nothing: the clock was ahead, which X refuses logins for.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from bridge.network import Busy, ClientError, LoginNeeded, OverBudget
from bridge.post import utc
from bridge.schema import Account
from bridge.store import Store


def standing(account: Account, store: Store, now: datetime) -> tuple[datetime, ClientError] | None:
    """Until when an account's login need not be tried, and the error that it gave; else None."""
    try:
        noted = json.loads(store.fact(_name(account)) or "{}")
        since, until = utc(noted["since"]), utc(noted["until"])
        text = str(noted["text"])
        if noted["settings"] != _fingerprint(account) or not since <= now < until:
            return None
    except (ValueError, KeyError, TypeError):
        return None
    return until, Busy(text, until) if noted.get("busy") else LoginNeeded(text)


def note(
    account: Account, store: Store, error: ClientError, now: datetime, until: datetime
) -> None:
    """Remember that a login failed. Where no login was made, the network has counted none."""
    if not isinstance(error, Busy | LoginNeeded) or isinstance(error, OverBudget):
        return
    noted = {
        "settings": _fingerprint(account),
        "since": now.isoformat(),
        "until": until.isoformat(),
        "text": str(error),
        "busy": isinstance(error, Busy),
    }
    store.set_fact(_name(account), json.dumps(noted))


def forget(account: Account, store: Store) -> None:
    """The login works: forget that it once did not."""
    if store.fact(_name(account)):
        store.set_fact(_name(account), "")


def _name(account: Account) -> str:
    return f"refused login: {account.name}"


def _fingerprint(account: Account) -> str:
    """What stands for an account's settings, secrets among them, and does not give them away."""
    settings = json.dumps([account.network, account.settings], sort_keys=True, default=str)
    return hashlib.sha256(settings.encode()).hexdigest()
