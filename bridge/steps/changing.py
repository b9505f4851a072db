"""The steps that come along, each with its settings and an example that the tests run."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import regex

from bridge import filters
from bridge.hashtags import at_end, is_hashtag, renamed, without
from bridge.post import Card, Post, Run, Skip, join_runs
from bridge.schema import Setting
from bridge.steps.kinds import MAX_TEXT, BadStep, Example, StepKind
from bridge.steps.naming import author, filled, network
from bridge.steps.weaving import Loom, TooMany, whole
from bridge.text import shows_url, tag_key


@dataclass(frozen=True)
class Append:
    """Adds text at the end, after an empty line."""

    text: str

    def __call__(self, post: Post) -> Post:
        gap = Run("\n\n" if post.runs else "")
        return replace(post, runs=join_runs((*post.runs, gap, *filled(self.text, post))))


@dataclass(frozen=True)
class Prepend:
    """Adds text at the beginning, before an empty line."""

    text: str

    def __call__(self, post: Post) -> Post:
        gap = Run("\n\n" if post.runs else "")
        return replace(post, runs=join_runs((*filled(self.text, post), gap, *post.runs)))


@dataclass(frozen=True)
class Attribution:
    """Adds a line at the end that says whose the original is, and where."""

    wording: str = ""

    def __call__(self, post: Post) -> Post:
        text = self.wording
        if not text:
            where = f"{author(post)} on {network(post)}" if author(post) else f"On {network(post)}"
            text = f"{where}: {{{{ url }}}}" if post.url else where
        return Append(text)(post)


class _TooLong(Exception):
    """A text would grow beyond MAX_TEXT."""


@dataclass(frozen=True)
class Replace:
    """Puts other words in the place of some.

    Addresses, mentions and hashtags are left alone, and so are the targets of links; the words of a
    link change. Those within what is replaced stand behind what comes for it.
    """

    by: str
    text: str = ""
    matching: str = ""

    def __post_init__(self) -> None:
        if bool(self.text) == bool(self.matching):
            raise BadStep("'replace' needs either text or matching, and by")
        if self.matching:
            _check_groups(self.matching, self.by)

    @cached_property
    def _pattern(self) -> regex.Pattern[str]:
        if self.matching:
            return regex.compile(self.matching)
        # é may be written in either way
        spellings = {
            self.text,
            *(unicodedata.normalize(form, self.text) for form in ("NFC", "NFD")),
        }
        return regex.compile("|".join(map(regex.escape, sorted(spellings))))

    def __call__(self, post: Post) -> Post | Skip:
        try:
            loom = Loom()
            text = self._replaced(loom.weave(post.runs), loom)
            loom.signed = [self._reworded(run) for run in loom.signed]
            return replace(post, runs=loom.unweave(text))
        except TimeoutError:
            return Skip(f"replace: the expression took over {filters.REGEX_TIMEOUT:g} s", held=True)
        except (_TooLong, TooMany):
            return Skip(f"replace: the text would have over {MAX_TEXT:,} characters", held=True)

    def _reworded(self, run: Run) -> Run:
        """A link by other words, unless none are left."""
        if run.kind != "link" or shows_url(run):
            return run
        words = whole(self._replaced(run.text))
        return replace(run, text=words) if words.strip() else run

    def _replaced(self, text: str, loom: Loom | None = None) -> str:
        """A text with the words in their places; of one with signs, the `loom` that made them."""
        room = MAX_TEXT - len(text)

        def new(found: regex.Match[str]) -> str:
            nonlocal room
            signs = loom.signs_in(found[0]) if loom else []
            if signs and len(signs) == len(found[0]):
                return found[0]
            words = self._expanded(found)
            kept = set(words)
            if lost := [sign for sign in signs if sign not in kept]:
                before = words[-1:] or text[max(found.start() - 1, 0) : found.start()]
                words += _apart(before, lost, text[found.end() : found.end() + 1])
            room -= len(words)
            if room < 0:
                raise _TooLong
            return words

        return self._pattern.sub(new, text, timeout=filters.REGEX_TIMEOUT)

    def _expanded(self, found: regex.Match[str]) -> str:
        if not self.matching or "\\" not in self.by:
            return self.by
        longest = max(len(group or "") for group in (found[0], *found.groups()))
        if self.by.count("\\") * longest > 10 * MAX_TEXT:
            raise _TooLong
        expanded: str = found.expand(self.by)
        return expanded


def _apart(before: str, signs: list[str], after: str) -> str:
    """Signs that no word touches which stands before or after them."""
    gap = " " if before and not before.isspace() else ""
    end = " " if after.isalnum() or after == "_" else ""
    return f"{gap}{' '.join(signs)}{end}"


def _check_groups(pattern: str, by: str) -> None:
    """Raise BadStep if `by` names groups that a pattern does not have."""
    try:
        # finds nothing, and has the pattern's groups
        found = regex.compile(f"(?:{pattern}\n)|").match("")
    except regex.error:
        return
    try:
        if found is not None:
            found.expand(by)
    except IndexError:
        raise BadStep("'by' names a group that 'matching' does not have", "by") from None
    except (regex.error, ValueError, OverflowError) as error:
        raise BadStep(f"'by' cannot be used: {error}; write \\\\ for \\", "by") from None


@dataclass(frozen=True)
class Hashtags:
    """Removes, renames and adds hashtags, in this order."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not (self.add or self.remove or self.rename):
            raise BadStep("'hashtags' needs add, remove or rename")
        for part in ("add", "remove"):
            for tag in getattr(self, part):
                if not is_hashtag(tag.lstrip("#")):
                    raise BadStep(f"{tag!r} is no hashtag: letters, digits and _ only", part)

    def __call__(self, post: Post) -> Post:
        gone = {tag_key(tag) for tag in self.remove}
        names = dict(self.rename)
        runs = without(post.runs, gone) if gone else post.runs
        runs = tuple(renamed(run, names) for run in runs)
        beside = [tag for tag in post.tags if tag_key(tag) not in gone]
        beside = [names.get(tag_key(tag), tag) for tag in beside]
        there = {tag_key(run.target) for run in runs if run.kind == "hashtag"}
        there |= {tag_key(tag) for tag in beside}
        new = {tag_key(tag): tag.lstrip("#") for tag in self.add}
        added = [tag for folded, tag in new.items() if folded not in there]
        return replace(post, runs=at_end(runs, added), tags=tuple(beside))


#: parameters that tell who followed a link, and nothing about the page; documented by those who add
#: them: Google (Analytics: utm_; Ads: gclid and its like), Meta, Microsoft, X, TikTok, LinkedIn,
#: Pinterest, Yandex, Mailchimp, HubSpot, Marketo, Vero, Instagram
_TRACKING = regex.compile(
    r"utm_\w+|gclid|gclsrc|dclid|gbraid|wbraid|srsltid|_ga|_gl|fbclid|fb_action_ids|fb_source"
    r"|msclkid|twclid|ref_src|ref_url|ttclid|li_fat_id|epik|yclid|ymclid|mc_cid|mc_eid"
    r"|_hsenc|_hsmi|__hs\w+|hsctatracking|mkt_tok|vero_id|vero_conv|igshid?|oly_anon_id|oly_enc_id",
    regex.IGNORECASE,
)


@dataclass(frozen=True)
class StripTracking:
    """Takes parameters that tell who followed a link out of every address."""

    also: tuple[str, ...] = ()

    def __call__(self, post: Post) -> Post:
        runs = tuple(self._stripped(run) if run.kind == "link" else run for run in post.runs)
        return replace(post, runs=join_runs(runs), card=self._of_card(post.card))

    def _of_card(self, card: Card | None) -> Card | None:
        return replace(card, url=self._clean(card.url)) if card else None

    def _stripped(self, run: Run) -> Run:
        """A link whose words are its address shows the new one."""
        target = self._clean(run.target)
        if target == run.target or not shows_url(run):
            return replace(run, target=target)
        words = run.text.strip()
        if words.endswith(("…", "...")):
            return replace(run, target=target)
        before, _, after = run.text.partition(words)
        return replace(run, text=f"{before}{self._clean(words)}{after}", target=target)

    def _clean(self, url: str) -> str:
        head, mark, fragment = url.partition("#")
        page, question, query = head.partition("?")
        if not question:
            return url
        kept = [each for each in query.split("&") if not self._tracks(each.partition("=")[0])]
        if len(kept) == query.count("&") + 1:
            return url
        return page + ("?" if kept else "") + "&".join(kept) + mark + fragment

    def _tracks(self, name: str) -> bool:
        also = (each.casefold() for each in self.also)
        return bool(_TRACKING.fullmatch(name)) or name.casefold() in also


@dataclass(frozen=True)
class ContentWarning:
    """Warns of posts with any of some words; of several warnings in the order of the config."""

    warnings: tuple[tuple[str, tuple[str, ...]], ...]

    def __call__(self, post: Post) -> Post:
        if post.content_warning:
            return post
        found = [warning for warning, words in self.warnings if filters.has_word(post, words)]
        return replace(post, content_warning=", ".join(found))


@dataclass(frozen=True)
class Language:
    """Declares the languages of a post, whatever it declares itself."""

    tags: tuple[str, ...]

    def __call__(self, post: Post) -> Post:
        return replace(post, languages=self.tags)


def _section(name: str, doc: str, *settings: Setting) -> Setting:
    return Setting(name, "section", doc, settings=settings)


def _text(text: str) -> Mapping[str, str]:
    return {"text": text}


def kinds() -> Iterator[StepKind]:
    """The steps of this module."""
    yield StepKind(
        Setting(
            "append",
            "named",
            "text added at the end, after an empty line; in it {{ url }} is a link to the original,"
            " which stays where `long` cuts the end off, {{ author }} who wrote it, {{ network }}"
            " where it stands",
        ),
        Append,
        Example(
            'append: "(first on {{ network }}: {{ url }})"',
            {"text": "Snow on the pass", "url": "https://city.example/@city/7"},
            _text("Snow on the pass\n\n(first on Mastodon: https://city.example/@city/7)"),
        ),
    )
    yield StepKind(
        Setting("prepend", "named", "text added at the beginning, before an empty line; as above"),
        Prepend,
        Example(
            'prepend: "From the city:"',
            _text("Snow on the pass"),
            _text("From the city:\n\nSnow on the pass"),
        ),
    )
    yield StepKind(
        _section(
            "replace",
            "other words in the place of some; addresses, mentions and hashtags stay as they are",
            Setting("text", "string", "the words to replace, as they are spelled"),
            Setting("matching", "regex", "instead of text: what a regular expression finds"),
            Setting(
                "by",
                "words",
                'what stands there then, "" for nothing; \\1 and \\g<name> are groups of matching',
                required=True,
            ),
        ),
        Replace,
        Example(
            r"replace: {matching: '(\d+) kr\b', by: 'NOK \1'}",
            _text("Now 200 kr, before 250 kr"),
            _text("Now NOK 200, before NOK 250"),
        ),
        rules={"oneOf": [{"required": ["text"]}, {"required": ["matching"]}]},
    )
    yield StepKind(
        _section(
            "hashtags",
            "hashtags that are removed, renamed and added; one that is a word of a sentence stays"
            " as a word",
            Setting("add", "strings", "hashtags that stand at the end if they are not there yet"),
            Setting("remove", "strings", "hashtags that are not to be there"),
            Setting("rename", "tag_map", "hashtags by other names, such as {osloby: Oslo}"),
        ),
        Hashtags,
        Example(
            "hashtags: {add: [city], remove: [internal], rename: {vær: weather}}",
            _text("Snow on the pass. #vær #internal"),
            _text("Snow on the pass. #weather\n\n#city"),
        ),
        rules={"minProperties": 1},
    )
    yield StepKind(
        _section(
            "strip_tracking",
            "links without the parameters that tell who followed them: utm_source, fbclid, gclid"
            " and their like",
            Setting("also", "strings", "other parameters to leave out"),
        ),
        StripTracking,
        Example(
            "strip_tracking",
            _text("https://city.example/snow?id=7&utm_source=feed"),
            {"text": "https://city.example/snow?id=7", "link": "https://city.example/snow?id=7"},
        ),
        bare=True,
    )
    yield StepKind(
        Setting(
            "content_warning",
            "warnings",
            "content warnings, each with the words that call for it, for posts that have none",
        ),
        ContentWarning,
        Example(
            "content_warning: {Politics: [election, ballot], Food: [recipe]}",
            _text("The Election is on Monday"),
            {"text": "The Election is on Monday", "content_warning": "Politics"},
        ),
    )
    yield StepKind(
        Setting("language", "languages", "the language of the text, whatever the post declares"),
        Language,
        Example("language: nn", _text("Snø på fjellet"), {"language": "nn"}),
    )
    yield StepKind(
        Setting(
            "attribution",
            "named",
            "a last line that says whose the original is, and where; by words of your own as in"
            " append, or of the program's",
        ),
        Attribution,
        Example(
            "attribution",
            {"text": "Snow on the pass", "url": "https://city.example/@city/7"},
            _text("Snow on the pass\n\ncity on Mastodon: https://city.example/@city/7"),
        ),
        bare=True,
    )
