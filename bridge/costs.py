"""What `costs` tells: plain data for `--json`, and the same as text for people."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from bridge.registry import NETWORKS
from bridge.schema import Config
from bridge.store import Spent, Store

#: the days, today among them, whose average the forecast goes on with
WINDOW = 30


def costs(config: Config, store: Store | None, today: date) -> dict[str, Any]:
    """What each account spent this month (UTC), as one JSON object.

    With every account of a network that charges stands whatever else has spent something: accounts
    that are not in the config any more, under their identity.
    """
    first = min(today.replace(day=1), today - timedelta(days=WINDOW - 1))
    rows = store.spent_since(first) if store else []
    known = store.accounts() if store else {}
    found = []
    for account in config.accounts.values():
        if NETWORKS[account.network].paid:
            identity = known.get(account.name, {}).get("identity")
            own = [r for r in rows if r.identity in (identity, f"name:{account.name}")]
            rows = [row for row in rows if row not in own]
            budget = account.settings.get("budget", {}).get("usd_per_month")
            found.append(_account(account.name, identity, budget, own, today))
    for identity in dict.fromkeys(row.identity for row in rows):
        own = [row for row in rows if row.identity == identity]
        found.append(_account(identity, identity, None, own, today))
    return {"month": f"{today:%Y-%m}", "accounts": found}


def _account(
    name: str, identity: str | None, budget: float | None, rows: Sequence[Spent], today: date
) -> dict[str, Any]:
    month = [row for row in rows if (row.day.year, row.day.month) == (today.year, today.month)]
    spent, reserved = _sum(month, "spent"), _sum(month, "reserved")
    left = None if budget is None else round(max(budget - spent - reserved, 0), 6)
    kinds = []
    for kind in sorted({row.kind for row in month}):
        of_kind = [row for row in month if row.kind == kind]
        sums = {"spent": _sum(of_kind, "spent"), "reserved": _sum(of_kind, "reserved")}
        kinds.append({"kind": kind, **sums})
    return {
        "name": name,
        "identity": identity,
        "spent": spent,
        "reserved": reserved,
        "budget": budget,
        "left": left,
        "forecast": round(spent + _a_day(rows, today) * _days_left(today), 6),
        "kinds": kinds,
    }


def _sum(rows: Sequence[Spent], what: str) -> float:
    return float(round(sum(getattr(row, what) for row in rows), 6))


def _a_day(rows: Sequence[Spent], today: date) -> float:
    """What was spent a day in the window, or since the first paid call if that is later."""
    recent = [row for row in rows if (today - row.day).days < WINDOW]
    if not recent:
        return 0.0
    return _sum(recent, "spent") / ((today - min(row.day for row in recent)).days + 1)


def _days_left(today: date) -> int:
    return monthrange(today.year, today.month)[1] - today.day


def costs_text(found: dict[str, Any]) -> str:
    """`costs` for people."""
    if not found["accounts"]:
        return "No account is on a network that charges"
    columns = ("spent", "reserved", "budget", "left", "forecast")
    head = f"{found['month']}, US dollars"
    width = max(len(head), *(len(account["name"]) for account in found["accounts"]))
    lines = [f"{head:<{width}}" + "".join(f"{column:>11}" for column in columns)]
    for account in found["accounts"]:
        sums = "".join(_amount(account[column]) for column in columns)
        lines.append(f"{account['name']:<{width}}{sums}")
        for kind in account["kinds"]:
            sums = _amount(kind["spent"]) + _amount(kind["reserved"])
            lines.append(f"{'  ' + kind['kind']:<{width}}{sums}")
    return "\n".join(lines)


def _amount(usd: float | None) -> str:
    return f"{'-' if usd is None else f'{usd:,.3f}':>11}"
