"""The journals of the networks against the model.

The program's own tables are asked for one thing only: what it holds, and why.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bridge.simulation import Entry
from bridge.store import QueuedDraft, Store
from tests.loops.graph import Graph
from tests.loops.model import Model, is_over, quotes
from tests.loops.networks import Networks, network_of, server_of
from tests.loops.story import Original, marks

#: reasons that follow from what became of another draft
FOLLOWS = (
    "the post that it answers is ",
    "the post that it boosts is ",
    "the post that it quotes is ",
    "the part before it is ",
)
DOUBTS = ("in doubt", "may be our own copy of ")
#: where a doubt can be left: elsewhere keys settle every one
DOUBTFUL = ("gotosocial", "twitter")


@dataclass
class Verdict:
    """What is wrong, and how much was looked at."""

    copies: int = 0
    held: Counter[str] = field(default_factory=Counter)
    unclear: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Judge:
    """Judges one graph at rest; `faulty` are the servers where a post went wrong."""

    graph: Graph
    networks: Networks
    originals: list[Original]
    store: Store
    faulty: set[str]

    def verdict(self) -> Verdict:
        """The verdict."""
        self.model = Model(self.graph)
        self.found = Verdict()
        self.stopped = self._stopped()
        self.doubtful = self._doubtful_posts()
        for account in self.graph.accounts:
            self._account(account)
        return self.found

    def _account(self, account: str) -> None:
        said = {o.id for o in self.originals if o.account == account}
        entries = [e for e in self.networks.journal(account) if e.id not in said]
        due: dict[str, list[Original]] = {}
        boosts: list[Original] = []
        for original in self.originals:
            if original.account == account or not self.model.copied_by(original, account):
                continue
            if original.boost and self.model.shows_there(original, account):
                boosts.append(original)
            else:
                due.setdefault(original.key, []).append(original)
        self._boosts(account, boosts, [e for e in entries if e.boost_of])
        copies: dict[str, list[Entry]] = {}
        for entry in entries:
            if entry.boost_of:
                continue
            key = self._key(entry)
            if key not in due:
                self._say(f"STRAY on {account}: {entry.text!r} {entry.links} (key {key or '?'})")
            copies.setdefault(key, []).append(entry)
        for key, originals in due.items():
            self.found.copies += len(originals)
            self._group(account, originals, copies.get(key, []))

    def _boosts(self, account: str, due: list[Original], entries: list[Entry]) -> None:
        """Boosts of what stands on an account: one for each group, by whomever.

        Where the server makes more of them, there are no more than were asked for.
        """
        by_group: dict[str, list[Original]] = {}
        for original in due:
            assert original.boost is not None
            assert original.boost.group is not None
            by_group.setdefault(original.boost.group.key, []).append(original)
        said = {o.id: o.key for o in self.originals if o.account == account}
        standing = {e.id: said.get(e.id) or self._key(e) for e in self.networks.journal(account)}
        by_hand = {
            o.boost.group.key
            for o in self.originals
            if o.account == account and o.boost and o.boost.group
        }
        found = Counter(standing.get(entry.boost_of, "") for entry in entries)
        for key in found.keys() - by_group.keys():
            self._say(f"STRAY BOOST on {account}: of {key or 'what is not known'}")
        for key, originals in by_group.items():
            self.found.copies += 1
            firm = [o for o in originals if not self._is_excused(o, account)]
            least = bool(firm) and key not in by_hand
            once = server_of(account) in ("mastodon", "twitter")
            if not least <= found[key] <= (1 if once else len(originals)):
                what = "DOUBLED" if found[key] > 1 else "MISSING"
                self._say(
                    f"{what} BOOST on {account}: {key} is boosted {found[key]} times for "
                    + "; ".join(f"{o} {self._told(o, account)}" for o in originals)
                )

    def _key(self, entry: Entry) -> str:
        """What a copy copies, by its marks, or else by the address that it shows."""
        found = marks(entry)
        if found:
            return found[0][0]
        shown = " ".join((entry.text, *entry.links))
        keys = {o.key for o in self.originals if o.key in shown and not o.key.startswith("q")}
        return next(iter(keys), "")

    def _group(self, account: str, originals: list[Original], copies: list[Entry]) -> None:
        """The copies of one text (of several originals, if they are twins) on one account."""
        firm = [o for o in originals if not self._is_excused(o, account)]
        counts = Counter(number for copy in copies for number in self._sentences(copy))
        for sentence in range(1, max(o.sentences for o in originals) + 1):
            least = sum(sentence == 1 or not self._is_cut(o, account) for o in firm)
            if not least <= counts[sentence] <= len(originals):
                what = "DOUBLED" if counts[sentence] > len(originals) else "MISSING"
                self._say(
                    f"{what} on {account}: sentence {sentence} stands {counts[sentence]} times,"
                    f" {least} to {len(originals)} are due: "
                    + "; ".join(f"{o} {self._told(o, account)}" for o in originals)
                )
                return
        if len(firm) == len(originals):
            self._steps(account, originals, copies)
            self._places(account, originals, copies)

    @staticmethod
    def _sentences(copy: Entry) -> list[int]:
        return [number for _, number in marks(copy)] or [1]

    def _is_cut(self, original: Original, account: str) -> bool:
        bot = self.model.copied_by(original, account)
        assert bot is not None
        return bot.rules_for(account).long == "truncate" and is_over(original, account)

    def _stand_alone(self, original: Original, account: str) -> bool:
        """Whether the parts of a copy bear numbers instead of hanging together: on X, if asked."""
        bot = self.model.copied_by(original, account)
        numbered = bot is not None and bot.rules_for(account).long == "numbered"
        return numbered and network_of(account) == "twitter"

    def _steps(self, account: str, originals: list[Original], copies: list[Entry]) -> None:
        """Each copy was made by the bot that the model names: its step shows."""
        expected: Counter[str] = Counter()
        for original in originals:
            bot = self.model.copied_by(original, account)
            if bot and bot.mark and not (bot.step == "append" and self._is_cut(original, account)):
                expected[bot.mark] += not original.boost
        shown = Counter(
            bot.mark
            for bot in self.graph.bots
            for copy in copies
            if bot.mark and bot.mark in copy.text
        )
        if shown != expected:
            self._say(f"WRONG BOT on {account}: {originals[0]}: {shown} instead of {expected}")

    def _places(self, account: str, originals: list[Original], copies: list[Entry]) -> None:
        """Parts hang together, and answers hang on the group's own post on the account."""
        ids = {copy.id for copy in copies}
        for copy in copies:
            if self._sentences(copy)[0] != 1:
                alone = all(self._stand_alone(original, account) for original in originals)
                if copy.reply_to not in ids and not (alone and not copy.reply_to):
                    self._say(f"LOOSE PART on {account}: {copy.text!r} of {originals[0]}")
                continue
            self._quotes(account, originals, copy)
            places = {place for o in originals for place in self._answered(o, account)}
            if places and copy.reply_to not in places:
                self._say(
                    f"MISPLACED on {account}: {copy.text!r} answers {copy.reply_to or 'nothing'}"
                    f" instead of one of {places}: {originals[0]}"
                )

    def _quotes(self, account: str, originals: list[Original], copy: Entry) -> None:
        """A copy quotes the group's own post, where there are quotes."""
        (first, *twins) = originals
        if twins or first.quote is None or not quotes(account):
            return
        wanted = {""}
        if self.model.shows_there(first, account):
            assert first.quote.group is not None
            key = first.quote.group.key
            said = {o.id: o.key for o in self.originals if o.account == account}
            journal = self.networks.journal(account)
            wanted = {e.id for e in journal if (said.get(e.id) or self._key(e)) == key}
        if copy.quote_of not in wanted:
            self._say(f"QUOTES {copy.quote_of or 'nothing'} on {account}, not {wanted}: {first}")

    def _answered(self, original: Original, account: str) -> set[str]:
        """The posts on an account that a copy may answer; {""} if it should answer none."""
        if original.parent is None:
            return {""}
        if original.parent.account == account:
            return {original.parent.id}
        if self._is_excused(original.parent, account):
            return set()
        key, last = original.parent.key, original.parent.sentences
        entries = [e for e in self.networks.journal(account) if self._key(e) == key]
        ends = {e.id for e in entries if last in self._sentences(e)}
        return ends or {e.id for e in entries}

    # What need not be there.

    def _stopped(self) -> dict[tuple[str, str], QueuedDraft]:
        """The first draft that was given up, by post id and target; each with a reason to be."""
        names = {self.networks.identity(name): name for name in self.graph.accounts}
        found: dict[tuple[str, str], QueuedDraft] = {}
        for draft in self.store.troubled():
            key = draft.source_id, names[draft.target]
            if draft.state not in ("held", "dead"):
                self._say(
                    f"NOT AT REST: {draft.source_url} to {names[draft.target]}: {draft.error}"
                )
            elif key not in found:
                found[key] = draft
                self.found.held[draft.error.split(":")[0]] += 1
        for (post_id, target), draft in found.items():
            if not self._is_allowed(draft, target):
                original = next((o for o in self.originals if o.id == post_id), draft.source_url)
                self._say(
                    f"{draft.state.upper()} without need on {target}: {original}: {draft.error}"
                )
        return found

    def _is_allowed(self, draft: QueuedDraft, target: str) -> bool:
        server = server_of(target)
        if draft.error.startswith(FOLLOWS):
            return True
        if "duplicate content" in draft.error:
            texts = [e.text for e in self.networks.journal(target)]
            return server == "twitter" and draft.draft.text.strip() in texts
        return draft.error.startswith(DOUBTS) and server in DOUBTFUL and server in self.faulty

    def _doubtful_posts(self) -> set[int]:
        """Originals that nobody can tell from a copy: equal, on an account where one is in doubt."""
        found = set()
        for original in self.originals:
            if server_of(original.account) not in self.faulty:
                continue
            others = [
                o
                for o in self.originals
                if (o.key == original.key or (o.wordless and original.wordless))
                and o.account != original.account
                and self.model.copied_by(o, original.account)
            ]
            if others and server_of(original.account) != "bluesky":
                found |= {original.number, *(o.number for o in others)}
        self.found.unclear = len(found)
        return found

    def _is_excused(self, original: Original, account: str) -> bool:
        """Whether a copy that is due may be missing: given up, or unclear, or following such."""
        if (original.id, account) in self.stopped or original.number in self.doubtful:
            return True
        pointer = original.boost or original.quote
        if pointer and pointer.group and self._is_excused(pointer.group, account):
            return True
        if original.parent is None:
            return False
        is_copy = original.parent.account != original.account
        if is_copy and original.parent.wordless and server_of(original.account) in self.faulty:
            return True  # images prove nothing: what is answered may have been in doubt when read
        # an answer to a copy that nobody knows as one, or one whose parent is missing here
        places = {original.account, account} - {original.parent.account}
        return any(self._is_excused(original.parent, place) for place in places)

    def _told(self, original: Original, account: str) -> str:
        """What the program says about it."""
        target = self.networks.identity(account)
        told = [
            f"[{v.route.bot}: {v.verdict} {v.reason}]"
            for v in self.store.verdicts()
            if (v.post_id, v.route.target) == (original.id, target)
        ]
        return " ".join(told) or "[not seen]"

    def _say(self, wrong: str) -> None:
        self.found.wrong.append(wrong)
