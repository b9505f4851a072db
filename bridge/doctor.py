"""What `tribridge doctor` looks at: a list of small functions, each of which says what it found.

To add a check, write a function from `Patient` to findings and put it into `HERE`, or into `AWAY`
if it asks a network.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from bridge import wire
from bridge.network import ClientError
from bridge.pulse import fell_behind
from bridge.registry import NETWORKS
from bridge.schema import Config
from bridge.store import DOUBTED, StateError, Store
from bridge.store.health import integrity
from bridge.store.trouble import is_there

Level = Literal["fine", "warning", "problem"]

#: bytes that should be free on the state's disk, and that must be
SHOULD_BE_FREE, MUST_BE_FREE = 256 * 1024 * 1024, 16 * 1024 * 1024
#: how far this machine's clock may be from a server's
MOST_SKEW = timedelta(minutes=5)
#: seconds that a server may take to answer
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says: of what, how bad it is, and what to do ("" if nothing)."""

    check: str
    level: Level
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at; `store` is None if there is no state yet, or none that can be read."""

    config: Config
    store: Store | None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def file(self) -> Path:
        """The state file."""
        return self.config.state.file


Check = Callable[[Patient], Iterable[Finding]]


def examine(config: Config, *, away: bool = True) -> list[Finding]:
    """All findings, in the order of the checks; those `away` ask each server for one page."""
    findings = []
    try:
        store = Store.open_for_reading(config.state.file)
    except StateError as error:
        store = None
        findings.append(Finding("state", "problem", str(error)))
    try:
        patient = Patient(config, store)
        for check in (*HERE, *(AWAY if away else ())):
            try:
                findings += check(patient)
            except StateError as error:
                findings.append(Finding("state", "problem", str(error)))
    finally:
        if store is not None:
            store.close()
    # a broken file is found by many checks, in the same words
    return list(dict.fromkeys(findings))


# The state


def _integrity(patient: Patient) -> Iterator[Finding]:
    if not is_there(patient.file):
        yield Finding("state", "fine", f"{patient.file}: there is none yet")
        return
    found = integrity(patient.file)
    for words in found:
        yield Finding(
            "state",
            "problem",
            f"{patient.file}: is damaged: {words}",
            "stop the daemon, keep a copy of the folder, and restore a backup",
        )
    if not found:
        yield Finding("state", "fine", f"{patient.file}: is whole")


def _schema(patient: Patient) -> Iterator[Finding]:
    if patient.store is None:
        return
    if patient.store.file is None:
        what = "of an earlier version: the next start brings it up to date"
    else:
        what = f"is of this version ({patient.store.schema()})"
    yield Finding("schema", "fine", f"{patient.file}: {what}")


def _rows(patient: Patient) -> Iterator[Finding]:
    if patient.store is None:
        return
    found = patient.store.impossible()
    for number, what, then in found:
        yield Finding("rows", "problem", f"{number} {what}", then)
    if not found:
        yield Finding("rows", "fine", "everything refers to something that there is")


def _age(patient: Patient) -> Iterator[Finding]:
    """Whether it is the state of the last run, and not an older one, or a new one."""
    if patient.store is None:
        return
    if patient.store.fact(DOUBTED) or fell_behind(patient.store, patient.file):
        yield Finding(
            "age",
            "problem",
            f"{patient.file}: was lost, or is older than the last run: what is not known may be"
            " posted twice, so it is held",
            "stop the daemon, and `tribridge relink`",
        )
    else:
        yield Finding("age", "fine", f"{patient.file}: is that of the last run")


def _future(patient: Patient) -> Iterator[Finding]:
    """Times that have not come yet: the clock was ahead when they were written."""
    if patient.store is None:
        return
    limit = patient.now() + MOST_SKEW
    ahead = sum(
        draft.attempted_at is not None and draft.attempted_at > limit
        for draft in patient.store.unsent()
    )
    if ahead:
        yield Finding(
            "times",
            "warning",
            f"{ahead} drafts were attempted later than now: the clock has been set back",
            "see that it is right; what is in doubt among them is settled by looking alone",
        )


# Where it is


def _space(patient: Patient) -> Iterator[Finding]:
    folder = next(p for p in (patient.file.parent, *patient.file.parents) if _exists(p))
    free = shutil.disk_usage(folder).free
    level: Level = (
        "problem" if free < MUST_BE_FREE else "warning" if free < SHOULD_BE_FREE else "fine"
    )
    remedy = "" if level == "fine" else "make room: on a full disk nothing is posted"
    yield Finding("space", level, f"{folder}: {free // (1024 * 1024)} MB are free", remedy)


def _rights(patient: Patient) -> Iterator[Finding]:
    """Who may read what holds secrets, and who owns the state."""
    config = patient.config
    names = [patient.file.name + end for end in ("", "-wal", "-shm")]
    state = [path for name in names if _exists(path := patient.file.with_name(name))]
    bad = []
    for path, holds in (
        *((path, "the sessions of accounts") for path in state),
        *((path, "a secret in clear text") for path in sorted(config.literal_secrets)),
        *((path, "a secret") for path in sorted(config.secret_files)),
    ):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            # a group is often on purpose: root's file that the service's group may read
            level: Level = "problem" if mode & 0o027 or path in state else "warning"
            who = "everybody" if mode & 0o007 else "its group"
            may = "read or change" if mode & 0o022 else "read"
            bad.append(
                Finding(
                    "rights",
                    level,
                    f"{path}: holds {holds}, and {who} may {may} it ({mode:03o})",
                    f"chmod 600 {path}",
                )
            )
    for path in (*state, *([patient.file.parent] if state else [])):
        owner = path.stat().st_uid
        if owner != os.geteuid():
            bad.append(
                Finding(
                    "rights",
                    "warning",
                    f"{path}: belongs to user {owner}, and this is user {os.geteuid()}",
                    "use one user for the daemon and for commands",
                )
            )
    yield from bad
    if not bad:
        yield Finding("rights", "fine", "secrets are for their owner alone")


def _exists(path: Path) -> bool:
    """Whether there is a file or folder that we can see; the name may be impossible."""
    return os.path.exists(path)  # noqa: PTH110 - that of pathlib raises


# The networks


def _servers(patient: Patient) -> Iterator[Finding]:
    """Whether each server answers at all, and how far its clock is from ours."""
    urls = {
        account.settings[setting.name]
        for account in patient.config.accounts.values()
        for setting in NETWORKS[account.network].settings
        if setting.kind == "url"
    }
    for url in sorted(urls):
        yield from _server(url, patient.now)


def _server(url: str, now: Callable[[], datetime]) -> Iterator[Finding]:
    host = urlsplit(url).netloc
    try:
        answer = wire.send("HEAD", f"{url}/", write=False, seconds=PATIENCE)
    except ClientError as error:
        yield Finding("servers", "problem", str(error), f"check the network, and {url}")
        return
    if answer.status >= 500:
        yield Finding(
            "servers", "warning", f"{host}: answers with {answer.status}", "look again later"
        )
    else:
        yield Finding("servers", "fine", f"{host}: answers")
    skew = _skew(answer, now())
    if skew is None:
        yield Finding("clock", "warning", f"{host}: does not tell its time")
    elif abs(skew) > MOST_SKEW:
        minutes = abs(skew) // timedelta(minutes=1)
        which = "ahead of" if skew > timedelta(0) else "behind"
        yield Finding(
            "clock",
            "problem",
            f"this machine's clock is {minutes} minutes {which} {host}'s",
            "set it, and have it kept right: `timedatectl set-ntp true`",
        )
    else:
        yield Finding("clock", "fine", f"{host}: has the same time")


def _skew(answer: wire.Answer, now: datetime) -> timedelta | None:
    """How far our clock is ahead of the one that an answer's Date (RFC 9110, 6.6.1) was read on."""
    try:
        return now - parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


HERE: tuple[Check, ...] = (_integrity, _schema, _rows, _age, _future, _space, _rights)
AWAY: tuple[Check, ...] = (_servers,)


# Telling


def as_data(findings: Iterable[Finding]) -> dict[str, Any]:
    """The findings as one JSON object (see docs/reference/commands.md)."""
    told = [
        {"check": f.check, "level": f.level, "what": f.what, "remedy": f.remedy} for f in findings
    ]
    return {"fine": is_fine(findings), "findings": told}


def as_text(findings: Iterable[Finding]) -> str:
    """The findings for people: one line each, and one for what to do."""
    lines = []
    for f in findings:
        lines.append(f"{f.level:<8} {f.check:<9} {f.what}")
        if f.remedy:
            lines.append(f"{'':<18} {f.remedy}")
    return "\n".join(lines)


def is_fine(findings: Iterable[Finding]) -> bool:
    """Whether there is no problem; warnings are none."""
    return all(finding.level != "problem" for finding in findings)
