"""The logins that `tribridge login` made: a file beside the state, for its owner alone.

A file of its own, and not the state: a login is there before any state is, the configuration is
read without opening one, and a token that was exchanged for another must be kept by a dry run too,
which works on a copy of the state. Backups of the state are without it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bridge import secrecy

log = logging.getLogger("tribridge")

END = ".logins.json"


class CredentialsError(Exception):
    """The file cannot be read or written; the text says which, and what to do."""


def file_of(state_file: Path) -> Path:
    """Where the logins of the accounts of a state stand."""
    return state_file.with_name(state_file.name + END)


def read(file: Path) -> dict[str, dict[str, Any]]:
    """Every login by the name of its account; {} if there is no file.

    Its secrets are blotted out of what this process says from now on. Raises CredentialsError.
    """
    try:
        if not file.is_file() and file.exists():  # a pipe would be waited for
            raise _damaged(file)
        data = file.read_bytes()
    except ValueError:  # a name that no file can have
        return {}
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            return {}
        raise CredentialsError(
            f"{file}: the stored logins cannot be read ({error.strerror}): make it readable for "
            "the user that tribridge runs as"
        ) from None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise _damaged(file) from None
    if not isinstance(found, dict) or not all(map(_is_entry, found.values())):
        raise _damaged(file)
    secrecy.keep(_secrets(found))
    return found


def _is_entry(entry: Any) -> bool:
    """Whether something in the file is made as the login of an account is."""
    return isinstance(entry, dict) and all(
        isinstance(entry.get(part, {}), dict) for part in ("for", "secrets", "app", "tokens")
    )


def _damaged(file: Path) -> CredentialsError:
    return CredentialsError(
        f"{file}: is damaged: remove it, and log in again with `tribridge login`"
    )


def _secrets(found: Any) -> Iterator[str]:
    """The texts in a part of the file that are secret: those under the names of secrets."""
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _secrets(value)
        elif isinstance(value, str) and name.endswith(("token", "secret", "password")):
            yield value


def save(file: Path, account: str, entry: Mapping[str, Any]) -> None:
    """Keep the login of an account, durably, in place of one that was there.

    Raises CredentialsError.
    """
    with _changing(file) as found:
        found[account] = dict(entry)


def forget(file: Path, account: str) -> None:
    """Keep the login of an account no longer. Raises CredentialsError."""
    with _changing(file) as found:
        found.pop(account, None)


def exchange(
    file: Path,
    account: str,
    network: str,
    renew: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Replace the rotating tokens of an account; returns those that `renew` made of the old ones.

    No other process does the same meanwhile, and what is returned is stored. On a full disk it is
    returned all the same, since the old ones may be worth nothing any more. Raises what `renew`
    raises, and CredentialsError if the file cannot be read.
    """
    made: Mapping[str, Any] = {}
    try:
        with _changing(file) as found:
            entry = found.get(account, {})
            made = renew(entry.get("tokens", {}))
            secrecy.keep(_secrets(made))
            found[account] = {"network": network, **entry, "tokens": dict(made)}
    except CredentialsError as error:
        if not made:
            raise
        log.error(  # noqa: TRY400 - a sentence says it
            "%s: its new tokens are not stored (%s): make room, or log in again with "
            "`tribridge login %s` after a restart",
            *(account, error, account),
        )
    return made


@contextmanager
def _changing(file: Path) -> Iterator[dict[str, dict[str, Any]]]:
    """The content of the file, alone among processes; what is made of it is stored at the end."""
    with _locked(file):
        before = read(file)
        found = json.loads(json.dumps(before))
        yield found
        if found != before:
            _write(file, found)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        path = file.with_name(file.name + ".lock")
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _unwritable(file, error) from None
    try:
        # closing any other handle of the file keeps it: locks of flock belong to this one
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(file: Path, found: Mapping[str, Any]) -> None:
    """Replace the file as a whole: a crash leaves the old one or the new one."""
    fresh = file.with_name(file.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(found, out, ensure_ascii=False, indent=1)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise _unwritable(file, error) from None


def _unwritable(file: Path, error: OSError) -> CredentialsError:
    return CredentialsError(
        f"{file}: the login cannot be stored ({error.strerror}): make its folder writable, "
        "set state.file, or use `tribridge login --print`"
    )
