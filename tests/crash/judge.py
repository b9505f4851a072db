"""The verdict: the journals of the networks against what was said.

The program's own tables are asked for one thing only: what it holds, and why.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bridge.simulation import Entry
from tests.crash.editions import Account, Part, Said, part_of, play, said
from tests.crash.networks import Networks
from tests.crash.story import EDITS, NAMES, TARGETS, Original, handle_of, network_of

#: what a kill can explain; a draft may also be held since what it answers is
_KILLED = ("in doubt", "may be our own copy of")
_FOLLOWS = (
    "the part before it is held",
    "the post that it answers is held",
    "the post that it boosts is held",
    "the post that it quotes is held",
    "the copy that it would change is held",
    "the deletion of what it replaces is held",
)
#: how the reason begins of an edit that is left to a person, as the bot says
_LEFT = "edited, and "


#: added to the reason of what was sent more than once before it was held
AGAIN = " (and sent again)"


@dataclass(slots=True)
class Verdict:
    """What stands: pairs (original, target) and held ones by network, and everything wrong.

    `edits` and `deletions` count the originals that have other versions, or are gone; `own` are
    those held for their own sake, and not since something that they refer to is.
    """

    pairs: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    edits: int = 0
    deletions: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """Why something is held: a copy, or what is to be done about it (`change`)."""

    reason: str
    change: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What was said, what stands, and what is held, by number and account."""

    originals: list[Original]
    accounts: dict[str, Account]
    said: dict[int, Said]

    @classmethod
    def of(cls, originals: list[Original], networks: Networks) -> Scene:
        """Everything as it is now."""
        boosts = {o.shows: o.number for o in originals if o.boost and o.shows is not None}
        accounts = {name: play(entries, boosts) for name, entries in _entries(networks).items()}
        history = {o.number: said(o.id, accounts[o.account]) for o in originals}
        return cls(originals, accounts, history)

    def is_loose(self, original: Original) -> bool:
        """Whether something that it answers, quotes or boosts is gone."""
        above = {original.parent, original.shows} - {None}
        return any(
            number is not None and (self.said[number].gone or self.is_loose(self.originals[number]))
            for number in above
        )


def doubled(originals: list[Original], networks: Networks) -> list[str]:
    """What stood twice, or where it should not, or went though it should not; true at any time."""
    scene = Scene.of(originals, networks)
    boosts = {o.shows: o.number for o in originals if o.boost and o.shows is not None}
    mine = {(o.account, o.id) for o in originals}
    wrong = []
    for name, account in scene.accounts.items():
        ever: dict[str, Part] = {}
        standing: dict[str, Part] = {}
        for entry in account.entries:
            if entry.action == "delete":
                part = standing.pop(entry.id, None)
                if part is not None and not _may_go(part, name, scene):
                    wrong.append(f"DELETED though it should stand on {name}: {_show(part)}")
                continue
            part = ever[entry.id] = part_of(entry, ever, boosts)
            if (name, entry.id) in mine:
                continue
            if part.number < 0 or name not in TARGETS[originals[part.number].account]:
                wrong.append(f"STRAY on {name}: {_show(part)}")
                continue
            others = [p for p in standing.values() if p.number == part.number and p.id != part.id]
            source = originals[part.number].account
            if any(
                p.version == part.version and {*p.sentences} & {*part.sentences} for p in others
            ):
                wrong.append(f"DOUBLED on {name}: {_show(part)}; {originals[part.number]}")
            elif (
                EDITS.get((source, name)) != "update"
                and not part.correction
                and any(p.version != part.version for p in others if not p.correction)
            ):
                wrong.append(f"TWO VERSIONS on {name}: {_show(part)}; {originals[part.number]}")
            standing[entry.id] = part
    return wrong


def _may_go(part: Part, account: str, scene: Scene) -> bool:
    """Whether a copy may be deleted: its original is gone, or an edit asks for it."""
    original = scene.originals[part.number]
    if scene.said[part.number].gone or (original.boost and scene.is_loose(original)):
        return True
    way = EDITS.get((original.account, account))
    answered = scene.accounts[account].ever.get(part.entry.reply_to)
    surplus = answered is not None and answered.number == part.number
    return scene.said[part.number].last > 1 and (way == "replace" or (way == "update" and surplus))


def judge(originals: list[Original], networks: Networks, state: Path, *, late: bool) -> Verdict:
    """The verdict at the end of a round; `late` says that servers may have acted late in it."""
    verdict = Verdict(wrong=doubled(originals, networks))
    scene = Scene.of(originals, networks)
    held = _held(state, originals)
    for original in originals:
        verdict.edits += scene.said[original.number].last > 1
        verdict.deletions += scene.said[original.number].gone
        for target in TARGETS[original.account]:
            reasons = held.get((original.number, target), [])
            if scene.said[original.number].gone:
                problem = _left_over(original, target, scene, reasons, verdict, late=late)
            elif scene.is_loose(original):
                aside = Verdict()  # a copy of it has nowhere to go, or stands where it went
                problem = _judge(original, target, scene, held, aside, late=late)
            else:
                verdict.pairs[network_of(target)] += 1
                problem = _judge(original, target, scene, held, verdict, late=late)
            if problem and scene.is_loose(original) and _is_told(state, original):
                problem = ""
            if problem:
                verdict.wrong.append(f"{problem} on {target}: {original}: {_told(state, original)}")
    if not late:
        verdict.wrong += _overtaken(scene)
    return verdict


def _left_over(
    original: Original,
    target: str,
    scene: Scene,
    reasons: list[Held],
    verdict: Verdict,
    *,
    late: bool,
) -> str:
    """What is wrong where an original is gone: that something stands or is held of it."""
    account = scene.accounts[target]
    stands = account.of(original.number) + account.corrections(original.number)
    for held in reasons:
        verdict.reasons[f"{_short(held.reason)} (the original is gone)"] += 1
        if not held.reason.startswith((*_KILLED, *_FOLLOWS)):
            return f"HELD though the original is gone: {held.reason}"
        if not (late or original.wordless or network_of(target) != "bluesky"):
            return f"HELD without need: {held.reason}"
    if stands and not reasons:
        return f"STANDS though the original is gone ({_show(stands[0])})"
    return ""


def _judge(
    original: Original,
    target: str,
    scene: Scene,
    held: dict[tuple[int, str], list[Held]],
    verdict: Verdict,
    *,
    late: bool,
) -> str:
    """What is wrong with the copy of an original that stands."""
    number, network = original.number, network_of(target)
    history, account = scene.said[number], scene.accounts[target]
    way = EDITS.get((original.account, target))
    reasons = held.get((number, target), [])
    copies, told = account.of(number), account.corrections(number)
    base = copies[0].version if copies else 1
    problem = _incomplete(history.counts[base], original.images, copies)
    complete = not problem
    left = [h for h in reasons if h.change and h.reason.startswith(_LEFT)]
    stopped = [h for h in reasons if h not in left]
    reason = next((h.reason for h in stopped if not h.change), "")
    if not reason and not complete and not stopped:
        reason = _through_ancestor(original, target, scene.originals, held)
    changes = not reason and bool(stopped)
    reason = reason or next((h.reason for h in stopped), "")
    if reason:
        verdict.held[network] += 1
        verdict.own[network] += not reason.startswith(_FOLLOWS)
        verdict.told.append(f"held on {target}: {original}: {reason}")
        how = "a change" if changes else "stands" if complete else "stands not"
        verdict.reasons[f"{_short(reason)} ({how})"] += 1
        if not _is_needed(original, target, reason, complete=complete and not changes, late=late):
            return f"HELD without need ({how}: {reason})"
        return ""
    if not problem:
        problem = _misplaced(original, target, copies, scene)
    if not problem and original.shows is not None and not original.boost:
        problem = _quotes_another(original, copies, scene, target)
    if problem:
        return problem
    versions = [base, *dict.fromkeys(part.version for part in told)]
    if way == "update" and {part.version for part in copies} != {history.last}:
        return f"AN EDIT LOST ({base} stands, not {history.last})"
    if way == "hold":
        if told or bool(left) != (base != history.last):
            return f"AN EDIT LOST OR TOLD (of {history.last}: {versions}, held {left})"
        return ""
    if left or versions != sorted({*versions}) or versions[-1] != history.last:
        return f"AN EDIT LOST OR OUT OF ORDER (of {history.last}: {versions}, held {left})"
    for version in versions[1:]:
        parts = [part for part in told if part.version == version]
        if problem := _incomplete(history.counts[version], 0, parts):
            return f"CORRECTION {problem}"
        if parts[0].entry.reply_to != copies[-1].id:
            return "CORRECTION MISPLACED"
    return ""


def _short(reason: str) -> str:
    return reason.partition(":")[0]


def _overtaken(scene: Scene) -> list[str]:
    """Posts that stand before earlier ones of the same account.

    Those with pictures, what answers another post, and what is edited may wait and be overtaken.
    """
    wrong = []
    for account, targets in TARGETS.items():
        plain = {
            o.number
            for o in scene.originals
            if o.account == account
            and not o.images
            and o.parent is None
            and o.shows is None
            and scene.said[o.number].last == 1
        }
        for target in targets:
            found = [part.number for part in scene.accounts[target].standing.values()]
            copied = list(dict.fromkeys(number for number in found if number in plain))
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


def _entries(networks: Networks) -> dict[str, list[Entry]]:
    whole = {name: networks.journal(name) for name in ("mastodon", "bluesky", "twitter")}
    return {
        account: [e for e in whole[network_of(account)] if e.account == handle_of(account)]
        for account in NAMES
    }


def _incomplete(count: int, images: int, copies: list[Part]) -> str:
    found = [sentence for copy in copies for sentence in copy.sentences]
    if len(found) < count:
        return "LOST"
    if found != [*range(1, count + 1)]:
        return "OUT OF ORDER"
    if sum(len(copy.entry.alts) for copy in copies) != images:
        return "IMAGES LOST"
    return ""


def _misplaced(original: Original, target: str, copies: list[Part], scene: Scene) -> str:
    """What is wrong with the thread of a complete copy, if anything is."""
    account = scene.accounts[target]
    parents = [""]
    if original.parent is not None:
        stands = account.of(original.parent)
        parents = [stands[-1].id if stands else "nothing"]
        if EDITS.get((scene.originals[original.parent].account, target)) == "update":
            # the last part, when it was answered, of what edits have shortened or lengthened since
            parents = [i for i, part in account.ever.items() if part.number == original.parent]
    for copy in copies:
        if copy.entry.reply_to not in parents:
            return f"THREAD BROKEN (answers {copy.entry.reply_to or 'nothing'}, not {parents})"
        parents = [copy.id]
        if copy.entry.raw:
            root = copy
            while root.entry.reply_to:
                root = account.ever[root.entry.reply_to]
            if copy.entry.raw != root.id:
                return f"THREAD BROKEN (its root is {copy.entry.raw}, not {root.id})"
    return ""


def _quotes_another(original: Original, copies: list[Part], scene: Scene, target: str) -> str:
    """What is wrong if a copy neither quotes nor links the copy of what its original quotes."""
    if not scene.accounts[original.account].ever[original.id].entry.quote_of:
        return ""  # on servers without quotes they are posts like any other
    assert original.shows is not None
    shown = [p.id for p in scene.accounts[target].ever.values() if p.number == original.shows]
    linked = " ".join((*copies[-1].entry.links, copies[0].entry.quote_of))
    if not shown or any(post_id in linked for post_id in shown):
        return ""
    return f"QUOTES {copies[0].entry.quote_of or 'nothing'}, not {shown}"


def _through_ancestor(
    original: Original,
    target: str,
    originals: list[Original],
    held: dict[tuple[int, str], list[Held]],
) -> str:
    """Why nothing was queued: what is said in answer to a copy that is held is not attached."""
    at = original
    while (follows := at.shows if at.boost else at.parent) is not None:
        said_on, at = at.account, originals[follows]
        if (at.number, target) in held or (at.number, said_on) in held:
            return "the post that it answers is held"
    return ""


def _held(state: Path, originals: list[Original]) -> dict[tuple[int, str], list[Held]]:
    """Why the program holds a copy, or a change to one, by original and target."""
    numbers = {(o.account, o.id): o.number for o in originals}
    found: dict[tuple[int, str], list[Held]] = {}
    with closing(sqlite3.connect(state)) as db:
        names = dict(db.execute("SELECT identity, name FROM accounts"))
        rows = db.execute(
            "SELECT source, source_id, target,"
            f" error || iif(attempted_at > doubted_at, '{AGAIN}', '')"
            " FROM drafts WHERE state='held'"
            " UNION ALL SELECT source, post_id, target, reason FROM seen WHERE verdict='held'"
        )
        for source, source_id, target, reason in rows:
            post_id, _, change = source_id.partition("#")
            number = numbers.get((names[source], post_id))
            if number is not None:
                held = Held(reason, change=bool(change))
                found.setdefault((number, names[target]), []).append(held)
    return found


def _is_told(state: Path, original: Original) -> bool:
    """Whether the program says of every copy of an original what became of it: held or skipped."""
    with closing(sqlite3.connect(state)) as db:
        (count,) = db.execute(
            "SELECT (SELECT count(*) FROM drafts WHERE source_id=? AND state<>'dropped')"
            " + (SELECT count(*) FROM seen WHERE post_id=? AND verdict='skipped')",
            (original.id, original.id),
        ).fetchone()
    return bool(count)


def _told(state: Path, original: Original) -> str:
    """What the program thinks of an original, for a person who looks into a failure."""
    with closing(sqlite3.connect(state)) as db:
        drafts = db.execute(
            "SELECT target, source_id, generation, part, action, state, attempts, absences, error"
            " FROM drafts WHERE source_id=? OR source_id LIKE ? ORDER BY id",
            (original.id, f"{original.id}#%"),
        ).fetchall()
        seen = db.execute(
            "SELECT bot, target, verdict, reason FROM seen WHERE post_id=?", (original.id,)
        ).fetchall()
    return f"drafts {drafts}, verdicts {seen}"


def _show(part: Part) -> str:
    entry = part.entry
    return f"{entry.at} {entry.id} {entry.text[:40]!r} answers {entry.reply_to or 'nothing'}"
