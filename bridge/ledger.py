"""The budget of an account: paid calls are reserved before they are made, and settled after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from bridge.network import OverBudget
from bridge.schema import Account
from bridge.store import Store


class AccountLedger:
    """What one account spends, and may spend in a calendar month (UTC). A `network.Ledger`."""

    def __init__(
        self, store: Store, account: Account, identity: str | None, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._name = account.name
        self._limit: float | None = account.settings.get("budget", {}).get("usd_per_month")
        # the first login costs something before it tells whose account it is
        self._spender = identity or f"name:{account.name}"
        self._now = now

    def belongs_to(self, identity: str) -> None:
        """Say whose account it is; what was spent to find out moves along."""
        self._spender = identity
        self._store.name_spender(f"name:{self._name}", identity)

    def reserve(self, kind: str, usd: float) -> Callable[[float], None]:
        """See `network.Ledger`."""
        spender, day = self._spender, self._today()
        if not self._store.reserve(spender, day, kind, usd, self._limit):
            raise self._over_budget(usd)
        return lambda spent: self._store.settle(spender, day, kind, usd, spent)

    def keep(self, kind: str, usd: float) -> None:
        """See `network.Ledger`."""
        if not self._store.keep_reserved(self._spender, self._today(), kind, usd, self._limit):
            raise self._over_budget(usd)

    def spend(self, costs: Mapping[str, float]) -> None:
        """See `network.Ledger`."""
        self._store.spend(self._spender, self._today(), costs)

    def _today(self) -> date:
        return self._now().astimezone(UTC).date()

    def _over_budget(self, usd: float) -> OverBudget:
        total = self._store.month_total(self._spender, self._today())
        again = next_month(self._today())
        return OverBudget(
            f"the budget of {self._name} is spent: {total:.2f} of {self._limit:.2f} USD are used or"
            f" reserved this month, and the next call may cost {usd:.3f}",
            datetime(again.year, again.month, 1, tzinfo=UTC),
        )


def next_month(day: date) -> date:
    """The first day of the month after that of a day."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
