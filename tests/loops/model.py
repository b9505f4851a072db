"""Which copies a graph implies: a few rules, written without a look at the program's own."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.loops.graph import Bot, Graph, Rules
from tests.loops.networks import network_of, server_of
from tests.loops.story import HAS_WARNINGS, Original, Pointer


@dataclass
class Model:
    """Says of an original and a target which bot copies it there, if any does."""

    graph: Graph
    _found: dict[tuple[int, str], Bot | None] = field(default_factory=dict)

    def copied_by(self, original: Original, target: str) -> Bot | None:
        """The first bot, in the order of the config, that goes this way and takes the post."""
        key = (original.number, target)
        if key not in self._found:
            way = (original.account, target)
            self._found[key] = next(
                (
                    bot
                    for bot in self.graph.bots
                    if way in bot.routes and self._takes(bot.rules_for(target), original, target)
                ),
                None,
            )
        return self._found[key]

    def stands(self, group: Original, target: str) -> bool:
        """Whether a group has a post on an account: the original, or a copy."""
        return group.account == target or self.copied_by(group, target) is not None

    def _takes(self, rules: Rules, post: Original, target: str) -> bool:
        if post.made_by or post.to_stranger or post.visibility == "private":
            return False
        there = self.shows_there(post, target)
        if post.boost and not there:
            own = post.boost.account in (post.account, target)
            if rules.boosts == "skip" or own:
                return False
        if post.quote and rules.quotes == "skip" and not (there and quotes(target)):
            return False
        if post.quote and post.wordless and self._is_ours(post, post.quote, target):
            return False
        if post.parent and (rules.replies == "skip" or not self.stands(post.parent, target)):
            return False
        # an unlisted part goes along in a thread
        if post.visibility not in rules.visibility and not post.parent:
            return False
        if rules.only_tags and not set(rules.only_tags) & set(post.tags):
            return False
        if set(rules.skip_tags) & set(post.tags):
            return False
        if post.mention and rules.mentions == "skip":
            return False
        has_field = network_of(target) in HAS_WARNINGS
        if post.warning and rules.warnings == "skip" and not has_field:
            return False
        return not (rules.long == "skip" and is_over(post, target))

    def shows_there(self, post: Original, target: str) -> bool:
        """Whether what a post boosts or quotes has a post of its group on the target.

        An original that nobody mirrors is not known by its page there.
        """
        pointer = post.boost or post.quote
        if pointer is None or pointer.group is None:
            return False
        group = pointer.group
        known = group.account != target or any(
            self.copied_by(group, account) for account in self.graph.accounts if account != target
        )
        return known and self.stands(group, target)

    def _is_ours(self, post: Original, pointer: Pointer, target: str) -> bool:
        """Whether what a post points to is its own account's, or has a place on the target."""
        if pointer.account in (post.account, target):
            return True
        return pointer.group is not None and self.stands(pointer.group, target)


def quotes(target: str) -> bool:
    """Whether a server lets apps quote a post by reference."""
    return server_of(target) in ("mastodon", "bluesky")


def is_over(post: Original, target: str) -> bool:
    """Whether a text is longer than one post on the target: the texts are far from the limits."""
    return post.long and network_of(target) != "mastodon"
