"""What stands on an account, by original and version: journals played from the beginning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bridge.simulation import Entry

#: of a sentence: its original, its number there, and the version of the text
MARK = re.compile(r"\bq(\d+)s(\d+)v(\d+)\b")
#: how corrections begin, by the setting's default, after a content warning if there is one
CORRECTION = "Correction:"


@dataclass(frozen=True, slots=True)
class Part:
    """A post that is, or copies a part of, a version of an original."""

    entry: Entry
    number: int
    version: int
    correction: bool = False

    @property
    def id(self) -> str:
        """The post's native id."""
        return self.entry.id

    @property
    def sentences(self) -> list[int]:
        """The sentences in it."""
        return [int(mark[1]) for mark in MARK.findall(words_of(self.entry))]


@dataclass(frozen=True, slots=True)
class Account:
    """The posts of an account: as they were last, in the order of publication, and what stands."""

    entries: tuple[Entry, ...]
    ever: Mapping[str, Part]
    standing: Mapping[str, Part]

    def of(self, number: int) -> list[Part]:
        """The parts of an original, or of its copy, that stand; without corrections."""
        return [p for p in self.standing.values() if p.number == number and not p.correction]

    def corrections(self, number: int) -> list[Part]:
        """The corrections of the copy of an original that stand."""
        return [p for p in self.standing.values() if p.number == number and p.correction]


def words_of(entry: Entry) -> str:
    """Where a post shows marks: in text and poll, its images' descriptions, or what it leads to."""
    text = " ".join((entry.text, *entry.poll))
    shown = (text, " ".join(entry.alts), " ".join(entry.links))
    return next((words for words in shown if MARK.search(words)), "")


def part_of(entry: Entry, before: Mapping[str, Part], boosts: Mapping[int, int]) -> Part:
    """What a post is; its number is -1 if nothing tells.

    `before` are the account's posts before it; `boosts` the numbers of boosts, by what they boost.
    """
    boosted = before.get(entry.boost_of)
    if boosted is not None and boosted.number in boosts:
        entry = replace(entry, text=f"q{boosts[boosted.number]}s1v1")
    found = MARK.search(words_of(entry))
    number, version = (int(found[1]), int(found[3])) if found else (-1, 0)
    answered = before.get(entry.reply_to)
    told = CORRECTION in entry.text or (
        answered is not None
        and answered.correction
        and (answered.number, answered.version) == (number, version)
    )
    return Part(entry, number, version, told)


def play(entries: Iterable[Entry], boosts: Mapping[int, int]) -> Account:
    """An account's journal, played to its end."""
    whole = tuple(entries)
    ever: dict[str, Part] = {}
    gone: set[str] = set()
    for entry in whole:
        if entry.action == "delete":
            gone.add(entry.id)
        else:
            ever[entry.id] = part_of(entry, ever, boosts)
            gone.discard(entry.id)
    return Account(whole, ever, {i: p for i, p in ever.items() if i not in gone})


@dataclass(frozen=True, slots=True)
class Said:
    """What became of an original: how many sentences each of its versions has, and its end."""

    counts: Mapping[int, int]
    gone: bool

    @property
    def last(self) -> int:
        """The number of the last version."""
        return max(self.counts)


def said(post_id: str, account: Account) -> Said:
    """The history of an original, by the journal of the account that said it."""
    counts: dict[int, int] = {}
    for entry in account.entries:
        if entry.id == post_id and entry.action != "delete":
            found = MARK.findall(words_of(entry))
            if found:
                counts[int(found[0][2])] = len(found)
    return Said(counts or {1: 1}, post_id not in account.standing)
