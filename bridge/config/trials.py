"""The tests of a bot: a post that is given, and what is expected of it, by target."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bridge.config.values import NOTHING, Context, attempt, either, read_settings, shorten
from bridge.config.yaml_reader import Broken, Map, Node, Scalar, Sequence
from bridge.schema import Setting

_KINDS = ("image", "video", "gif", "audio")
_CARD = (
    Setting("url", "string", "the address of the page", required=True),
    Setting("title", "string", "the page's title"),
    Setting("description", "string", "the page's description"),
)
#: a post that is given
GIVEN = (
    Setting(
        "text",
        "string",
        "the text; its links, hashtags and mentions are found as the network would",
    ),
    Setting("language", "languages", "the language that the post declares, or several"),
    Setting("content_warning", "string", "its content warning"),
    Setting("sensitive", "flag", "its media are marked as sensitive", False),
    Setting(
        "visibility",
        "choice",
        "who may see it",
        "public",
        choices=("public", "unlisted", "private", "direct"),
    ),
    Setting(
        "media",
        "sections",
        "its attachments, each with what follows",
        settings=(
            Setting("kind", "choice", "what it is", "image", choices=_KINDS),
            Setting("alt", "text", "its description", ""),
            Setting("duration", "duration", "how long a video or a sound is"),
            Setting("bytes", "count", "the size of a video or a sound"),
        ),
    ),
    Setting(
        "poll",
        "section",
        "its poll",
        settings=(
            Setting("options", "strings", "what can be chosen", required=True),
            Setting("multiple", "flag", "several can be chosen", False),
            Setting("lasts", "duration", "how long one can vote", "1d"),
        ),
    ),
    Setting("card", "section", "the card of a link in it", settings=_CARD),
    Setting("labels", "strings", "its self-labels, as on Bluesky"),
    Setting(
        "reply",
        "choice",
        "what it answers: a post of the account's own that was mirrored, or somebody else's",
        choices=("own", "other"),
    ),
    Setting(
        "quote",
        "string",
        "what it quotes: `own`, a post that was mirrored, or an address of another",
    ),
    Setting("boost", "string", "what it boosts, likewise; `text` is what that says"),
    Setting("app", "string", "the program that it was written in"),
    Setting("at", "time", "when it was published; without a zone it is UTC", "2026-01-05T12:00"),
    Setting("from", "string", "the account that wrote it; else the first that the bot reads"),
    Setting(
        "file",
        "path",
        "instead of all that: a file of JSON as the network gives it, beside the bot's file",
    ),
    Setting(
        "mirrored", "strings", "ids of the account's posts that were mirrored, for a post in a file"
    ),
)
#: what is expected on one target
EXPECTED = (
    Setting("text", "text", "the text of a copy of one part"),
    Setting("parts", "texts", "the texts of all parts"),
    Setting("card", "card", "the card of a link: `none`, its address, or a map", settings=_CARD),
    Setting(
        "media",
        "sections",
        "the attachments of all parts, in order",
        settings=(
            Setting("kind", "choice", "what it is", choices=_KINDS),
            Setting("alt", "text", "its description"),
        ),
    ),
    Setting("poll", "strings", "the options of the poll"),
    Setting("quote", "text", "the address of the original of what is quoted"),
    Setting("boost", "text", "the address of the original of what is boosted"),
    Setting("language", "languages", "what the copy declares"),
    Setting("content_warning", "text", "in the field for it"),
    Setting(
        "visibility",
        "choice",
        "who may see the copy",
        choices=("public", "unlisted", "private"),
    ),
    Setting("sensitive", "flag", "the media are marked as sensitive"),
    Setting("labels", "strings", "the self-labels"),
    Setting("losses", "strings", "what the copy could not carry"),
    Setting("skipped", "string", "why there is no copy; it stands alone"),
)
TEST = (
    Setting("name", "string", "what the test shows"),
    Setting("given", "section", "a post", required=True, settings=GIVEN),
    Setting(
        "expect",
        "expectation",
        "`mirrored`, `skipped`, `skipped: why`, or what is expected by target",
        settings=EXPECTED,
    ),
)
#: the setting of a bot
TESTS = Setting(
    "tests",
    "tests",
    "posts, and what must come of each: `tribridge test` tries them, offline",
    [],
    settings=TEST,
)

_TEST = {setting.name: setting for setting in TEST}
_EXPECTED = {setting.name: setting for setting in EXPECTED}
_GIVEN = {setting.name for setting in GIVEN}
#: goes along with a file
_BESIDE_FILE = ("file", "from", "mirrored")
#: any of these makes a post
_CONTENT = ("file", "text", "media", "poll", "quote", "boost", "content_warning")
_TAKES = "'expect' takes mirrored, skipped, or a map of targets, such as {bsky: text}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is expected on one target: only what `values` names is compared.

    By name, as in EXPECTED; `parts` in place of `text`. `skipped` is "" where any reason will do,
    and `mirrored` says that there is a copy, whatever it holds.
    """

    values: Mapping[str, Any]
    node: Node = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Trial:
    """A test of a bot. `given` is typed as in GIVEN; `source` is the account that wrote the post.

    `expected` is by target, None where the test says nothing yet; `word` is the one that stands
    there for all targets.
    """

    name: str
    source: str
    given: Mapping[str, Any]
    expected: Mapping[str, Wanted] | None = field(compare=False)
    #: where the test begins, and the post
    node: Node = field(compare=False, repr=False)
    given_node: Map = field(compare=False, repr=False)


def read_trials(
    context: Context, folder: Path, node: Sequence, ways: Iterable[tuple[str, str]]
) -> tuple[Trial, ...]:
    """The tests of a bot; what is wrong with them is reported.

    Paths start in `folder`; `ways` are the bot's sources with their targets.
    """
    targets: dict[str, list[str]] = {}
    for source, target in ways:
        targets.setdefault(source, []).append(target)
    context = replace(context, folder=folder)
    found = (_trial(context, item, targets) for item in node.items)
    return tuple(trial for trial in found if trial is not None)


def _trial(context: Context, node: Node, targets: Mapping[str, list[str]]) -> Trial | None:
    if not isinstance(node, Map):
        if not isinstance(node, Broken):
            context.problems.add(node, "a test is a map with given and expect")
        return None
    pairs = node.pairs
    expect = pairs["expect"][1] if "expect" in pairs else None
    if isinstance(expect, Scalar) and expect.type == "null":  # nothing yet
        expect = None
    said = {name: pair for name, pair in pairs.items() if name != "expect"}
    values = read_settings(context, replace(node, pairs=said), _TEST)
    if "given" not in pairs:
        context.problems.add(node, "a test needs given: a post, such as {text: Hello}")
    if "given" not in values or not targets:
        return None
    given, given_node = values["given"], pairs["given"][1]
    assert isinstance(given_node, Map)
    source = _check_given(context, given, given_node, targets)
    expected = None if expect is None else _expectations(context, expect, source, targets[source])
    return Trial(values.get("name", ""), source, given, expected, node, given_node)


def _check_given(
    context: Context, given: Mapping[str, Any], node: Map, targets: Mapping[str, list[str]]
) -> str:
    """The account that wrote the post, after what only all of it together shows."""
    add = context.problems.add
    # an unknown name is told already
    if not any(name in _CONTENT or name not in _GIVEN for name in node.pairs):
        add(node, "'given' has nothing of a post: write text, or file")
    for name, (key, _) in node.pairs.items():
        if "file" in node.pairs and name in _GIVEN and name not in _BESIDE_FILE:
            add(key, f"{name!r} is of a post that is written here; remove it, or file")
    for name in ("quote", "boost"):
        value = given.get(name, "own")
        if value != "own" and not value.startswith(("https://", "http://")):
            add(node.pairs[name][1], f"{name!r} takes own, or the address of a post")
    if "quote" in node.pairs and "boost" in node.pairs:
        add(node.pairs["boost"][0], "'quote' and 'boost' exclude each other; keep one")
    source = given.get("from", next(iter(targets)))
    if source not in targets:
        hint = context.problems.suggest(source, targets) or f"; write {either(targets)}"
        add(node.pairs["from"][1], f"{shorten(source)} is no source of this bot{hint}")
        return next(iter(targets))
    return str(source)


def _expectations(
    context: Context, node: Node, source: str, targets: Collection[str]
) -> dict[str, Wanted]:
    """What is expected, by target; a word stands for each of them."""
    if isinstance(node, Scalar):
        word, _, reason = node.text.partition(":")
        if node.text in ("mirrored", "skipped") or (word == "skipped" and reason.strip()):
            wanted = _word(word, reason.strip(), node)
            return dict.fromkeys(targets, wanted)
        hint = context.problems.suggest(node.text, ("mirrored", "skipped"))
        context.problems.add(node, _TAKES + (hint or f", not {shorten(node.text)}"))
        return {}
    if not isinstance(node, Map):
        context.problems.add(node, f"{_TAKES}, not a list")
        return {}
    if "skipped" in node.pairs and "skipped" not in targets:
        found = _fields(context, node)
        return dict.fromkeys(targets, found) if found else {}
    if not node.pairs:
        context.problems.add(
            node, "'expect' names no target; a word for all is mirrored or skipped"
        )
    expected = {}
    for target, (key, value) in node.pairs.items():
        if target in targets:
            if found := _wanted(context, target, value):
                expected[target] = found
            continue
        hint = context.problems.suggest(target, targets) or f"; write {either(targets)}"
        said = f"{shorten(target)} is no target of posts from {shorten(source)}{hint}"
        context.problems.add(key, said)
    return expected


def _word(word: str, reason: str, node: Node) -> Wanted:
    return Wanted({word: True} if word == "mirrored" else {word: reason}, node)


def _wanted(context: Context, target: str, node: Node) -> Wanted | None:
    if isinstance(node, Scalar) and node.text in ("mirrored", "skipped"):
        return _word(node.text, "", node)
    if isinstance(node, Map):
        return _fields(context, node)
    kind = _EXPECTED["parts" if isinstance(node, Sequence) else "text"]
    value = attempt(context, replace(kind, name=target), node)
    if value is NOTHING:
        return None
    return Wanted({"parts": value if isinstance(value, tuple) else (value,)}, node)


def _fields(context: Context, node: Map) -> Wanted | None:
    add = context.problems.add
    if not node.pairs:
        add(node, "nothing is expected here; write mirrored, if any copy will do")
        return None
    values = read_settings(context, node, _EXPECTED)
    if "text" in node.pairs and "parts" in node.pairs:
        add(node.pairs["parts"][0], "'text' and 'parts' exclude each other; keep one")
    if "skipped" in node.pairs and len(node.pairs) > 1:
        add(node.pairs["skipped"][0], "'skipped' stands alone: what is skipped has no copy")
    parts = {"parts": (values["text"],)} if "text" in values else {}
    return Wanted({("parts" if k == "text" else k): v for k, v in values.items()} | parts, node)
