"""When everything last ran, and how far the state had come: a small file beside the state."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.post import utc
from bridge.store import STATE_ID, StateError, Store


class Pulse:
    """When each account and bot last ran, kept in a small file beside the state.

    It is apart from the database so that a poll with nothing new writes nothing there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._changed = False
        self.reading_failed = False
        self._accounts: dict[str, dict[str, Any]] = {}
        self._bots: dict[str, str] = {}

    def read(
        self,
        source: str,
        bots: Iterable[str],
        asked: Iterable[str],
        now: datetime,
        errors: Mapping[str, Exception],
    ) -> None:
        """Note that a source was read for some bots, with the accounts that were `asked` for it.

        Of the others it says only whether they could be opened, and nothing if it did not come to
        that because the source failed.
        """
        with self._lock:
            self._changed = True
            self.reading_failed |= bool(errors)
            for bot in bots:
                self._bots[bot] = now.isoformat()
            self._accounts.setdefault(source, {})["read_at"] = now.isoformat()
            for account in asked:
                if account == source:
                    self._note(account, "read", errors.get(account))
                elif account in errors or source not in errors:
                    self._note(account, "open", errors.get(account))

    def delivered(self, target: str, now: datetime, error: Exception | None) -> None:
        """Note that an account was delivered to."""
        with self._lock:
            self._changed = True
            self._accounts.setdefault(target, {})["delivered_at"] = now.isoformat()
            self._note(target, "delivery", error)

    def _note(self, account: str, what: str, error: Exception | None) -> None:
        """Keep the last outcome of a kind of work for an account: its words, and its kind."""
        run = self._accounts.setdefault(account, {})
        run[f"{what}_error"] = str(error) if error else ""
        run[f"{what}_kind"] = type(error).__name__ if error else ""

    def accounts(self) -> dict[str, dict[str, Any]]:
        """What is known of each account, by name."""
        with self._lock:
            return {name: dict(run) for name, run in self._accounts.items()}

    def save(self, state_file: Path, state: Callable[[], Mapping[str, Any]] = dict) -> None:
        """Write the file if anything changed; `state` says how far the database has come.

        On a full disk that is done some other time.
        """
        with self._saving:
            with self._lock:
                if not self._changed:
                    return
                self._changed = False
                data = {"accounts": self._accounts, "bots": self._bots}
            path = pulse_file(state_file)
            fresh = path.with_name(path.name + ".new")
            try:
                text = json.dumps({**data, "state": state()}, ensure_ascii=False, indent=1)
                fresh.write_text(text, encoding="utf-8")
                fresh.replace(path)
            except (OSError, StateError):
                self._changed = True

    def latest(self) -> datetime | None:
        """The last time that is noted."""
        with self._lock:
            runs = self._accounts.values()
            times = [
                utc(run[name])
                for run in runs
                for name in ("read_at", "delivered_at")
                if name in run
            ]
        return max(times, default=None)

    def load(self, state_file: Path) -> None:
        """Go on from what an earlier process noted; a missing or broken file is none."""
        accounts, bots = last_runs(state_file)
        with self._lock:
            self._accounts, self._bots = accounts, bots
            self._changed = True


def pulse_file(state_file: Path) -> Path:
    """Where the last runs stand."""
    return state_file.with_name(state_file.name + ".runs.json")


def last_runs(state_file: Path) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """What is known of accounts and bots from the file; nothing if it cannot be read."""
    try:
        data = json.loads(pulse_file(state_file).read_text(encoding="utf-8"))
        accounts = {
            name: {what: text for what, text in run.items() if _is_sound(what, text)}
            for name, run in data["accounts"].items()
        }
        return accounts, {name: at for name, at in data["bots"].items() if _is_sound("_at", at)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, {}


def _is_sound(what: str, text: object) -> bool:
    """Whether an entry is as we write it: all are texts, and those named `..._at` times."""
    try:
        return isinstance(text, str) and bool(not what.endswith("_at") or utc(text))
    except (ValueError, OverflowError):
        return False


def state_of(store: Store) -> dict[str, Any]:
    """How far the database has come."""
    drafts, links = store.growth()
    return {"id": store.fact(STATE_ID), "drafts": drafts, "links": links}


def name_state(store: Store) -> None:
    """Give a new database a number of its own."""
    if not store.fact(STATE_ID):
        store.set_fact(STATE_ID, secrets.token_hex(8))


def trust_state(store: Store) -> None:
    """Take the database as it is for the one to go on with."""
    assert store.file is not None
    name_state(store)
    pulse = Pulse()
    pulse.load(store.file)
    pulse.save(store.file, lambda: state_of(store))


def fell_behind(store: Store, state_file: Path) -> bool:
    """Whether the database is another one, or an older one, than that of the last run."""
    try:
        then = json.loads(pulse_file(state_file).read_text(encoding="utf-8"))["state"]
        drafts, links = store.growth()
        same = then["id"] == store.fact(STATE_ID)
        return not same or drafts < then["drafts"] or links < then["links"]
    except (OSError, ValueError, KeyError, TypeError):
        return False  # no run is on record
