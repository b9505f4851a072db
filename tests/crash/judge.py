"""The verdict: the journals of the networks against what was said.

The program's own tables are asked for one thing only: what it holds, and why.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from bridge.simulation import Entry
from tests.crash.networks import Networks
from tests.crash.story import (
    NAMES,
    TARGETS,
    Original,
    handle_of,
    network_of,
    number_of,
    sentences,
)

#: what a kill can explain; a draft may also be held since what it answers is
_KILLED = ("in doubt", "may be our own copy of")
_FOLLOWS = (
    "the part before it is held",
    "the post that it answers is held",
    "the post that it boosts is held",
    "the post that it quotes is held",
)


#: added to the reason of what was sent more than once before it was held
AGAIN = " (and sent again)"


@dataclass(slots=True)
class Verdict:
    """What stands: pairs (original, target) and held ones by network, and everything wrong."""

    pairs: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def doubled(originals: list[Original], networks: Networks) -> list[str]:
    """What stands twice, or where it should not stand at all; true at any time."""
    journals = _journals(networks, originals)
    said = {(o.account, o.id) for o in originals}
    wrong = []
    for account, entries in journals.items():
        seen: set[tuple[int, int]] = set()
        for entry in entries:
            number = number_of(entry)
            if (account, entry.id) in said:
                continue
            if number < 0 or account not in TARGETS[originals[number].account]:
                wrong.append(f"STRAY on {account}: {_show(entry)}")
                continue
            marks = {(number, sentence) for sentence in sentences(entry)}
            if marks & seen:
                wrong.append(f"DOUBLED on {account}: {_show(entry)}; {originals[number]}")
            seen |= marks
    return wrong


def judge(originals: list[Original], networks: Networks, state: Path, *, late: bool) -> Verdict:
    """The verdict at the end of a round; `late` says that servers may have acted late in it."""
    verdict = Verdict(wrong=doubled(originals, networks))
    journals = _journals(networks, originals)
    held = _held(state, originals)
    # on servers without quotes they are posts like any other
    quoting = {(account, e.id) for account in NAMES for e in journals[account] if e.quote_of}
    for original in originals:
        for target in TARGETS[original.account]:
            verdict.pairs[network_of(target)] += 1
            copies = [e for e in journals[target] if number_of(e) == original.number]
            complete = _incomplete(original, copies) == ""
            reason = held.get((original.number, target), "")
            if not reason and not complete:
                reason = _through_ancestor(original, target, originals, held)
            if reason:
                verdict.held[network_of(target)] += 1
                verdict.told.append(f"held on {target}: {original}: {reason}")
                first = reason.split(":")[0]
                verdict.reasons[f"{first} ({'stands' if complete else 'stands not'})"] += 1
                if not _is_needed(original, target, reason, complete=complete, late=late):
                    verdict.wrong.append(
                        f"HELD without need on {target}: {original}: {reason};"
                        f" {_told(state, original)}"
                    )
                continue
            problem = _incomplete(original, copies) or _misplaced(
                original, target, copies, journals[target], originals
            )
            if not problem and (original.account, original.id) in quoting:
                problem = _quotes_another(original, copies, journals[target])
            if problem:
                verdict.wrong.append(f"{problem} on {target}: {original}: {_told(state, original)}")
    if not late:
        verdict.wrong += _overtaken(originals, journals)
    return verdict


def _overtaken(originals: list[Original], journals: dict[str, list[Entry]]) -> list[str]:
    """Posts that stand before earlier ones of the same account.

    Those with pictures, and what answers another post, may wait for these and be overtaken.
    """
    wrong = []
    for account, targets in TARGETS.items():
        plain = [
            o.number
            for o in originals
            if o.account == account and not o.images and o.parent is None and o.shows is None
        ]
        for target in targets:
            found = [number_of(entry) for entry in journals[target]]
            copied = list(dict.fromkeys(number for number in found if number in set(plain)))
            if copied != sorted(copied):
                wrong.append(f"OUT OF ORDER on {target}: {copied}")
    return wrong


def _is_needed(original: Original, target: str, reason: str, *, complete: bool, late: bool) -> bool:
    """Whether a kill explains that a copy is held, and no rule could have settled it.

    What stands can be found, except pictures without words. Where a server keeps keys, or a post
    is text on X, what does not stand can be sent again: once on X, unless a kill met that too.
    """
    if reason.startswith(_FOLLOWS):
        return True
    if not reason.startswith(_KILLED):
        return False
    if original.wordless or late:
        return True
    sent_again = AGAIN in reason
    return not complete and (network_of(target) != "twitter" or bool(original.images) or sent_again)


def _journals(networks: Networks, originals: list[Original]) -> dict[str, list[Entry]]:
    """What stands on each account; a boost of what is mirrored bears the number of its own."""
    boosts = {o.shows: o.number for o in originals if o.boost and o.shows is not None}
    return {
        account: [_numbered(entry, entries, boosts) for entry in entries]
        for account, entries in _entries(networks).items()
    }


def _numbered(entry: Entry, journal: list[Entry], boosts: dict[int, int]) -> Entry:
    boosted = next((e for e in journal if entry.boost_of and e.id == entry.boost_of), None)
    number = boosts.get(number_of(boosted)) if boosted else None
    return entry if number is None else replace(entry, text=f"q{number}s1")


def _entries(networks: Networks) -> dict[str, list[Entry]]:
    whole = {name: networks.journal(name) for name in ("mastodon", "bluesky", "twitter")}
    return {
        account: [
            e
            for e in whole[network_of(account)]
            if e.account == handle_of(account) and e.action == "publish"
        ]
        for account in NAMES
    }


def _incomplete(original: Original, copies: list[Entry]) -> str:
    found = [sentence for copy in copies for sentence in sentences(copy)]
    if len(found) < original.sentences:
        return "LOST"
    if found != sorted(found):
        return "OUT OF ORDER"
    if sum(len(copy.alts) for copy in copies) != original.images:
        return "IMAGES LOST"
    return ""


def _misplaced(
    original: Original,
    target: str,
    copies: list[Entry],
    journal: list[Entry],
    originals: list[Original],
) -> str:
    """What is wrong with the thread of a complete copy, if anything is."""
    parent = ""
    if original.parent is not None:
        stands = [e for e in journal if number_of(e) == original.parent]
        parent = stands[-1].id if stands else "nothing"
    for copy in copies:
        if copy.reply_to != parent:
            return f"THREAD BROKEN (answers {copy.reply_to or 'nothing'}, not {parent})"
        parent = copy.id
        if copy.raw:
            by_id = {e.id: e for e in journal}
            root = copy
            while root.reply_to:
                root = by_id[root.reply_to]
            if copy.raw != root.id:
                return f"THREAD BROKEN (its root is {copy.raw}, not {root.id})"
    return ""


def _quotes_another(original: Original, copies: list[Entry], journal: list[Entry]) -> str:
    """What is wrong if a copy neither quotes nor links the copy of what its original quotes."""
    shown = [e.id for e in journal if number_of(e) == original.shows]
    linked = " ".join((*copies[-1].links, copies[0].quote_of))
    if not shown or any(post_id in linked for post_id in shown):
        return ""
    return f"QUOTES {copies[0].quote_of or 'nothing'}, not {shown}"


def _through_ancestor(
    original: Original, target: str, originals: list[Original], held: dict[tuple[int, str], str]
) -> str:
    """Why nothing was queued: what is said in answer to a copy that is held is not attached."""
    at = original
    while (follows := at.shows if at.boost else at.parent) is not None:
        said_on, at = at.account, originals[follows]
        if (at.number, target) in held or (at.number, said_on) in held:
            return "the post that it answers is held"
    return ""


def _held(state: Path, originals: list[Original]) -> dict[tuple[int, str], str]:
    """Why the program holds a copy, by original and target."""
    numbers = {(o.account, o.id): o.number for o in originals}
    found: dict[tuple[int, str], str] = {}
    with closing(sqlite3.connect(state)) as db:
        names = dict(db.execute("SELECT identity, name FROM accounts"))
        rows = db.execute(
            "SELECT source, source_id, target,"
            f" error || iif(attempted_at > doubted_at, '{AGAIN}', '')"
            " FROM drafts WHERE state='held'"
            " UNION ALL SELECT source, post_id, target, reason FROM seen WHERE verdict='held'"
        )
        for source, post_id, target, reason in rows:
            number = numbers.get((names[source], post_id))
            if number is not None:
                found.setdefault((number, names[target]), reason)
    return found


def _told(state: Path, original: Original) -> str:
    """What the program thinks of an original, for a person who looks into a failure."""
    with closing(sqlite3.connect(state)) as db:
        drafts = db.execute(
            "SELECT target, part, state, attempts, absences, error FROM drafts WHERE source_id=?",
            (original.id,),
        ).fetchall()
        seen = db.execute(
            "SELECT bot, target, verdict, reason FROM seen WHERE post_id=?", (original.id,)
        ).fetchall()
    return f"drafts {drafts}, verdicts {seen}"


def _show(entry: Entry) -> str:
    return f"{entry.at} {entry.id} {entry.text[:40]!r} answers {entry.reply_to or 'nothing'}"
