"""What `tribridge check --online` finds: who each account is, and what its network lets it do.

Each account logs in by what the configuration says, whatever an earlier login left, and nothing is
remembered of it. Only what X charges for that is written down, if there is a state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge import credentials, ratelimit, secrecy
from bridge.accounts import exchange_of
from bridge.config import Files, secrets_of
from bridge.config.report import Finding
from bridge.config.surprises import key_of
from bridge.config.values import shorten
from bridge.config.yaml_reader import Map, Node, Problems
from bridge.ledger import AccountLedger
from bridge.network import Access, ClientError, Identity, Limits, LoginNeeded
from bridge.ratelimit import Window
from bridge.registry import NETWORKS
from bridge.schema import Account, Config
from bridge.store import Store


@dataclass(slots=True)
class Visit:
    """What came of one account: how far it got, and the error that ended it, if one did.

    `left_usd` is what its budget for this month has left, None where it has none or nobody counts.
    """

    account: Account
    identity: Identity | None = None
    access: Access | None = None
    limits: Limits | None = None
    windows: Sequence[Window] = ()
    left_usd: float | None = None
    error: ClientError | None = None


@dataclass(frozen=True, slots=True)
class Visited:
    """All accounts of a configuration, as their networks see them."""

    visits: Sequence[Visit]

    @property
    def limits(self) -> dict[str, Limits]:
        """The limits of the servers of accounts, by the accounts' names, where they are known."""
        return {v.account.name: v.limits for v in self.visits if v.limits is not None}

    @property
    def unreached(self) -> int:
        """How many accounts could not be judged, and may be right."""
        return sum(
            visit.error is not None and not isinstance(visit.error, LoginNeeded)
            for visit in self.visits
        )

    def as_text(self) -> str:
        """Each account with what is known of it, for people; "" if that is nothing."""
        return "\n".join(filter(None, map(_as_text, self.visits)))

    def as_object(self) -> list[dict[str, Any]]:
        """The same for programs."""
        return [_object(visit) for visit in self.visits]


@dataclass(slots=True)
class _Forgetful:
    """A session that is not kept."""

    saved: str | None = field(default=None, repr=False)

    def load(self) -> str | None:
        return self.saved

    def save(self, identity: str, data: str) -> None:  # noqa: ARG002 - a protocol
        self.saved = data


def visit_all(config: Config, store: Store | None, now: Callable[[], datetime]) -> Visited:
    """Log in with every account, one after the other. `store` is where paid calls are counted."""
    secrecy.keep(secrets_of(config))
    stored = credentials.file_of(config.state.file)
    return Visited([_visit(account, stored, store, now) for account in config.accounts.values()])


def _visit(
    account: Account, stored: Path, store: Store | None, now: Callable[[], datetime]
) -> Visit:
    network = NETWORKS[account.network]
    visit = Visit(account)
    ledger = None
    if store is not None and network.paid:
        row = store.accounts().get(account.name)
        ledger = AccountLedger(store, account, row["identity"] if row else None, now)
    ratelimit.SHARED.forget()  # so that what is known afterwards is what this account was told
    try:
        client = network.connect(
            account.settings, _Forgetful(), now, ledger, exchange_of(stored, account)
        )
        visit.identity = client.login()
        visit.limits = client.limits
        if ledger is not None:
            ledger.belongs_to(visit.identity.id)
        visit.access = client.access()
    except ClientError as error:
        visit.error = error
    visit.windows = ratelimit.SHARED.told(now())
    budget = account.settings.get("budget", {}).get("usd_per_month")
    if ledger is not None and store is not None and visit.identity and budget is not None:
        visit.left_usd = max(budget - store.month_total(visit.identity.id, now().date()), 0)
    return visit


# What is wrong, and what is surprising


def findings(visited: Visited, files: Files) -> list[Finding]:
    """What the networks said that is wrong, or hardly meant, where account or bot stands."""
    wrong, odd = Problems(), Problems()
    assert files.config is not None
    reading, posting = _uses(files.config)
    first: dict[str, str] = {}
    for visit in visited.visits:
        name, at = visit.account.name, _key(files, visit.account.name)
        if visit.error is not None:
            what = "cannot log in" if visit.identity is None else "cannot be looked at"
            wrong.add(at, f"the account {shorten(name)} {what}: {visit.error}")
        if visit.identity is not None:
            other = first.setdefault(visit.identity.id, name)
            if other != name:
                who = visit.identity.handle
                wrong.add(at, f"the accounts {shorten(other)} and {shorten(name)} are both {who}")
        if visit.access is not None:
            _judge(visit.access, name, at, reading, posting, wrong, odd)
            if visit.access.locked:
                for bot in reading.get(name, ()):
                    message = f"the bot {shorten(bot)} mirrors {shorten(name)}, which"
                    odd.add(key_of(files, bot), f"{message} {visit.access.locked}")
    found: list[Finding] = [("error", problem) for problem in sorted(wrong.found)]
    return found + [("warning", problem) for problem in sorted(odd.found)]


def _judge(
    access: Access,
    name: str,
    at: Node,
    reading: dict[str, list[str]],
    posting: dict[str, list[str]],
    wrong: Problems,
    odd: Problems,
) -> None:
    lacks = [
        *(access.lacks_to_read if name in reading else ()),
        *(access.lacks_to_post if name in posting else ()),
    ]
    if lacks:
        bot = (reading | posting)[name][0]
        wrong.add(
            at,
            f"the login of {shorten(name)} lacks what the bot {shorten(bot)} needs:"
            f" {', '.join(lacks)}; make one that has it",
        )
    if access.excess:
        odd.add(at, f"the account {shorten(name)}: {access.excess}")


def _uses(config: Config) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The bots that read each account, and those that post to it."""
    reading: dict[str, list[str]] = {}
    posting: dict[str, list[str]] = {}
    for bot in config.bots.values():
        if bot.mode != "disabled":
            for route in bot.routes:
                for uses, name in ((reading, route.source), (posting, route.target)):
                    if bot.name not in uses.setdefault(name, []):
                        uses[name].append(bot.name)
    return reading, posting


def _key(files: Files, account: str) -> Node:
    """Where an account is named."""
    assert isinstance(files.root, Map)
    accounts = files.root.pairs["accounts"][1]
    assert isinstance(accounts, Map)
    return accounts.pairs[account][0]


# What is shown


def _as_text(visit: Visit) -> str:
    if visit.identity is None:
        return ""
    network = NETWORKS[visit.account.network]
    who = f"{visit.identity.handle} on {network.title}, {visit.identity.id}"
    told = (f"  {name}: {what}" for name, what in _told(visit) if what)
    return "\n".join([f"{visit.account.name}: {who}", *told])


def _told(visit: Visit) -> list[tuple[str, str]]:
    access = visit.access or Access()
    own = visit.account.settings["limits"]
    left = [
        f"{window.left:,}{f' of {window.quota:,}' if window.quota else ''} {access.counted}"
        f" until {window.end:%H:%M} UTC"
        for window in visit.windows
    ]
    budget = visit.account.settings.get("budget", {}).get("usd_per_month")
    money = f"of {budget:.2f} USD a month" if budget is not None else ""
    return [
        (
            "scopes",
            ", ".join(access.scopes) or (visit.access and "the network does not tell") or "",
        ),
        ("takes", _taken(visit.limits) if visit.limits else ""),
        ("left", "; ".join(left)),
        (
            "own limits",
            f"{own['posts_per_hour']} posts, {own['deletes_per_hour']} deletions an hour",
        ),
        (
            "budget",
            f"{visit.left_usd:.2f} {money} are left" if visit.left_usd is not None else money,
        ),
    ]


def _taken(limits: Limits) -> str:
    parts = [f"{measure.maximum:,} {measure.unit}" for measure in limits.measures]
    parts.append(f"{limits.images} images of up to {_size(limits.image_bytes)}")
    if limits.video:
        parts.append(f"a video of up to {_size(limits.video.bytes)}")
    return ", ".join(parts)


def _size(count: int) -> str:
    return f"{count / 1024 / 1024:.3g} MiB" if count >= 1024 * 1024 else f"{count / 1024:.3g} KiB"


def _object(visit: Visit) -> dict[str, Any]:
    who, access, limits = visit.identity, visit.access, visit.limits
    return {
        "name": visit.account.name,
        "network": visit.account.network,
        "identity": who.id if who else None,
        "handle": who.handle if who else None,
        "url": who.url if who else None,
        "scopes": list(access.scopes) if access else None,
        "locked": bool(access.locked) if access else None,
        "limits": _limits(limits) if limits else None,
        "left": [
            {
                "what": access.counted if access else None,
                "quota": window.quota or None,
                "left": window.left,
                "until": window.end.isoformat(),
            }
            for window in visit.windows
        ],
        "left_usd": visit.left_usd,
        "error": str(visit.error) if visit.error else None,
    }


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        "text": [{"unit": m.unit, "maximum": m.maximum} for m in limits.measures],
        "images": limits.images,
        "image_bytes": limits.image_bytes,
        "alt_characters": limits.alt_characters,
        "video_bytes": limits.video.bytes if limits.video else None,
    }
