"""The configured accounts while the program runs: one client and one identity for each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bridge import credentials, logins, secrecy
from bridge.config import secrets_of
from bridge.ledger import AccountLedger
from bridge.network import (
    Busy,
    Client,
    ClientError,
    Exchange,
    Identity,
    LoginNeeded,
    Network,
    Unreachable,
)
from bridge.post import Ref
from bridge.registry import NETWORKS
from bridge.schema import Account, Config
from bridge.store import Store


@dataclass(frozen=True, slots=True)
class Opened:
    """An account that is logged in."""

    name: str
    network: Network
    identity: Identity
    client: Client


@dataclass(frozen=True, slots=True)
class _Session:
    """What one client may store."""

    store: Store
    name: str

    def load(self) -> str | None:
        return self.store.session(self.name)

    def save(self, identity: str, data: str) -> None:
        self.store.save_session(identity, data)


def _wait(error: ClientError, now: datetime) -> timedelta:
    """How long a failed login is left alone: networks count logins (Bluesky: 100 a day)."""
    match error:
        case Busy():
            return max(error.retry_at - now, timedelta(seconds=1))
        case Unreachable():
            return timedelta(seconds=30)
        case _:
            return timedelta(hours=1)


def exchange_of(logins: Path, account: Account) -> Exchange:
    """How tokens of an account that rotate are replaced in the file of stored logins."""

    def exchange(renew: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Mapping[str, Any]:
        try:
            return credentials.exchange(logins, account.name, account.network, renew)
        except credentials.CredentialsError as error:
            raise LoginNeeded(str(error)) from None

    return exchange


class Accounts:
    """Opens accounts when they are first needed. Safe to use from several threads."""

    def __init__(
        self,
        config: Config,
        store: Store,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.now = now
        secrecy.keep(secrets_of(config))
        self._configured = config.accounts
        self._logins = credentials.file_of(config.state.file)
        self._store = store
        self._clients: dict[str, Client] = {}
        self._ledgers: dict[str, AccountLedger] = {}
        self._opened: dict[str, Opened] = {}
        self._failed: dict[str, tuple[datetime, ClientError]] = {}
        self._newest: dict[str, str] = {}
        self._fresh: set[str] = set()
        self._lock = threading.Lock()
        self._opening: dict[str, threading.Lock] = {}

    def open(self, name: str) -> Opened:
        """The account, logged in; the network is asked at most once in a process.

        Raises any of the five kinds of error; LoginNeeded also if another configured account has
        the same identity, since two names for one account would mirror in circles. After a failure
        the same error is raised again, without asking, until `retry_at`; a refused login stays
        refused over restarts too, unless the account's settings change.
        """
        with self._lock:
            if name in self._opened:
                return self._opened[name]
            opening = self._opening.setdefault(name, threading.Lock())
        with opening:
            if name in self._opened:
                return self._opened[name]
            settings = self._configured[name]
            failed = self._failed.get(name) or logins.standing(settings, self._store, self.now())
            if failed is not None and self.now() < failed[0]:
                self._failed[name] = failed
                raise failed[1]
            try:
                account = self._log_in(settings)
                with self._lock:
                    for other in self._opened.values():
                        if other.identity.id == account.identity.id:
                            raise LoginNeeded(
                                f"accounts {other.name} and {name} are both "
                                f"{account.identity.handle}: remove one of them from the config"
                            )
                    who = account.identity
                    self._store.know_account(
                        name, account.network.name, who.id, who.handle, who.url
                    )
                    self._ledgers[name].belongs_to(who.id)
                    self._opened[name] = account
                    self._fresh.add(name)
            except ClientError as error:
                self._failed[name] = (self.now() + _wait(error, self.now()), error)
                raise
            return self._opened[name]

    def posts_per_hour(self, name: str) -> int:
        """How many posts may go out to an account in an hour."""
        limit: int = self._configured[name].settings["limits"]["posts_per_hour"]
        return limit

    def deletes_per_hour(self, name: str) -> int:
        """How many copies on an account may be deleted in an hour because their originals were."""
        limit: int = self._configured[name].settings["limits"]["deletes_per_hour"]
        return limit

    def retry_at(self, name: str) -> datetime | None:
        """When an account that could not be opened is worth another try."""
        return self._failed[name][0] if name in self._failed else None

    def forget_failures(self) -> None:
        """Try again at once what failed before: by a clock that was set its time never comes."""
        self._failed.clear()

    def newest(self, account: Opened) -> str:
        """The id of the newest post on an account, as far as this process knows.

        One request, the first time; after that the posts that we put there tell.
        """
        known = self._newest.get(account.identity.id)
        if known is None:
            known = self._newest[account.identity.id] = account.client.newest()
        return known

    def published(self, account: Opened, ref: Ref) -> None:
        """Note the newest post on an account."""
        self._newest[account.identity.id] = ref.id

    def _log_in(self, account: Account) -> Opened:
        """Open an account; whether its network refused that is remembered."""
        try:
            opened = self._open(account)
        except ClientError as error:
            now = self.now()
            logins.note(account, self._store, error, now, now + _wait(error, now))
            raise
        logins.forget(account, self._store)
        return opened

    def _open(self, account: Account) -> Opened:
        network = NETWORKS[account.network]
        client = self._clients.get(account.name)
        if client is None:
            session = _Session(self._store, account.name)
            known = self.known_identity(account.name)
            ledger = AccountLedger(self._store, account, known, self.now)
            exchange = exchange_of(self._logins, account)
            client = network.connect(account.settings, session, self.now, ledger, exchange)
            self._clients[account.name], self._ledgers[account.name] = client, ledger
        identity = client.login()
        return Opened(account.name, network, identity, client)

    def host_of(self, identity: str) -> str:
        """The host, with its port, of the service of a configured account; "" if it has none."""
        name = self.name_of(identity)
        if name is None:
            return ""
        account = self._configured[name]
        urls = (s.name for s in NETWORKS[account.network].settings if s.kind == "url")
        url = next((account.settings[each] for each in urls if each in account.settings), "")
        return urlsplit(url).netloc

    def name_of(self, identity: str) -> str | None:
        """The name of the configured account with an identity; those that are open first."""
        with self._lock:
            for account in self._opened.values():
                if account.identity.id == identity:
                    return account.name
        return self.names_of([identity]).get(identity)

    def known_identity(self, name: str) -> str | None:
        """The identity of an account from an earlier login, without asking anybody."""
        row = self._store.accounts().get(name)
        return row["identity"] if row else None

    def newly_opened(self) -> set[str]:
        """The accounts that were opened since this was asked last."""
        with self._lock:
            fresh, self._fresh = self._fresh, set()
        return fresh

    def names_of(self, identities: Iterable[str]) -> dict[str, str]:
        """The names of the configured accounts that have these identities, as far as known."""
        known = {
            row["identity"]: name
            for name, row in self._store.accounts().items()
            if name in self._configured
        }
        return {identity: known[identity] for identity in identities if identity in known}
