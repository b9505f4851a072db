"""Every setting, described once: its name, kind, default and meaning.

The dataclasses here are both the typed settings that the program uses and the description that
`config.py` checks files against. A setting exists from the day it works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from bridge.post import Visibility

Kind = Literal[
    "string",  # text
    "words",  # text, which may be empty
    "named",  # text in which {{ url }} and others of `steps.NAMES` are filled in
    "template",  # text by Jinja2, checked by its step
    "secret",  # text that never reaches logs, errors or pages
    "url",  # https, or http on loopback only
    "webhook",  # an address with all that follows, which never reaches logs, errors or pages
    "flag",  # true or false
    "choice",  # one of `choices`
    "strings",  # a list of texts, or one text
    "choices",  # a list out of `choices`, or one of them
    "subset",  # the same; an empty list takes back what `defaults` say
    "number",  # a whole number, 0 or more
    "hours",  # a span of the day such as 7:00-22:00, or a list of such
    "weekdays",  # a list of weekdays by name, and of spans of them such as mon-fri
    "duration",  # 30s, 5m, 2h, 7d
    "count",  # a whole number, 1 or more
    "money",  # US dollars, 0 or more
    "regex",
    "language",  # a BCP 47 tag, or `keep`
    "languages",  # a list of BCP 47 tags, or one of them
    "path",
    "timezone",
    "crontab",  # five fields, weekdays by name
    "backfill",  # none, all, {last: N}, {since: DATE}
    "account",  # the name of an account or a group, or a list of names
    "accounts",  # the same, of two accounts or more
    "steps",
    "tag_map",  # a map from hashtags to hashtags
    "warnings",  # a map from content warnings to lists of words
    "section",  # a map of settings of its own
    "map",  # a map whose keys are names
    "text",  # text that may be empty
    "texts",  # a list of such
    "time",  # a date, or a date and a time
    "card",  # none, an address, or a map with it
    "sections",  # a list of maps of settings
    "tests",
    "expectation",
]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `default` is written as in YAML; None means that there is none."""

    name: str
    kind: Kind
    doc: str
    default: Any = None
    choices: tuple[str, ...] = ()
    required: bool = False
    #: of an account: required where a bot posts to it
    required_of_targets: bool = False
    #: for a section, what stands in it
    settings: tuple[Setting, ...] = ()


def _field(kind: Kind, doc: str, default: Any, value: Any, **more: Any) -> Any:
    """A dataclass field: `default` as written in YAML, `value` the typed default."""
    meta = {"kind": kind, "doc": doc, "default": default, **more}
    return field(default=value, metadata=meta, repr=kind not in ("secret", "webhook"))


def settings_of(cls: type) -> tuple[Setting, ...]:
    """The settings that a dataclass of this module describes, in order."""
    found = []
    for f in fields(cls):
        if not f.metadata:
            continue
        meta: dict[str, Any] = dict(f.metadata)
        section = meta.pop("section", None)
        name = meta.pop("name", f.name)
        nested = settings_of(section) if section else ()
        found.append(Setting(name=name, settings=nested, **meta))
    return tuple(found)


#: what may travel at all; anything narrower never does
VISIBILITIES: tuple[Visibility, ...] = ("public", "unlisted")
#: what `kinds` of a filter may list
KINDS_OF_POSTS = ("reply", "boost", "quote")
#: what `has` of a filter may list
PARTS_OF_POSTS = (
    "text",
    "link",
    "image",
    "video",
    "animation",
    "audio",
    "media",
    "poll",
    "content_warning",
)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Filter:
    """What `only` demands or `skip` refuses. Unset parts say nothing."""

    hashtags: tuple[str, ...] = _field(
        "strings", "any of these hashtags; `#` and case do not matter", None, ()
    )
    words: tuple[str, ...] = _field(
        "strings", "any of these words or phrases; case does not matter", None, ()
    )
    matching: str = _field("regex", "a regular expression found in the text", None, "")
    languages: tuple[str, ...] = _field(
        "languages", "any of these language tags; `en` covers `en-GB`", None, ()
    )
    kinds: tuple[str, ...] = _field(
        "subset",
        "any of these kinds of posts; replies are those of the account to itself",
        None,
        (),
        choices=KINDS_OF_POSTS,
    )
    has: tuple[str, ...] = _field(
        "subset",
        "any of these in it or below it; media are images, videos, animations and audio",
        None,
        (),
        choices=PARTS_OF_POSTS,
    )
    longer_than: int = _field(
        "number", "a text of more characters than this, as a reader counts them", None, 0
    )
    shorter_than: int = _field("number", "a text of fewer characters than this", None, 0)
    apps: tuple[str, ...] = _field(
        "strings",
        "written with any of these programs, which only Mastodon names; case does not matter",
        None,
        (),
    )
    hours: tuple[tuple[int, int], ...] = _field(
        "hours", "published in any of these spans of the day, such as 22:00-6:30", None, ()
    )
    weekdays: tuple[str, ...] = _field(
        "weekdays", "published on any of these days, such as [mon-thu, sun]", None, ()
    )
    older_than: timedelta = _field(
        "duration",
        "published longer ago than this when the bot first reads it; 0s for any age",
        None,
        timedelta(),
    )
    visibility: tuple[Visibility, ...] = _field(
        "choices", "any of these visibilities", None, (), choices=VISIBILITIES
    )


Label = Literal["none", "graphic-media", "nudity", "sexual", "porn"]
_GRAPHIC = ("blood", "corpse", "gore", "graphic", "injury", "violence")
_NUDITY = ("naked", "nude", "nudity")
_SEXUAL = ("erotic", "lewd", "sexual", "suggestive")
_PORN = ("nsfw", "porn", "pornography")


@dataclass(frozen=True, slots=True)
class Labels:
    """Which self-labels a post gets on Bluesky, by words of its content warning and hashtags."""

    sensitive: Label = _field(
        "choice",
        "of media marked as sensitive, where no word tells more; or none",
        "graphic-media",
        "graphic-media",
        choices=("graphic-media", "nudity", "sexual", "porn", "none"),
    )
    graphic_media: tuple[str, ...] = _field(
        "strings", "words for the label graphic-media; case does not matter", [*_GRAPHIC], _GRAPHIC
    )
    nudity: tuple[str, ...] = _field("strings", "words for the label nudity", [*_NUDITY], _NUDITY)
    sexual: tuple[str, ...] = _field(
        "strings", "words for the label sexual: suggestive", [*_SEXUAL], _SEXUAL
    )
    porn: tuple[str, ...] = _field("strings", "words for the label porn", [*_PORN], _PORN)


@dataclass(frozen=True, slots=True)
class Person:
    """One person's handles, without `@` before them, by network."""

    name: str
    handles: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StepSetting:
    """One step as configured: its name and its argument.

    The argument of a step with several settings is their names and values, in pairs; None where
    the name stands alone. `zone` is that of clock times.
    """

    name: str
    value: Any
    zone: ZoneInfo | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BackfillSetting:
    """`last` posts, those `since` a date (ISO 8601, as written), or `everything`."""

    last: int = 0
    since: str = ""
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """How posts go from one source to one target: all that `for:` can change by target."""

    only: Filter = _field(
        "section",
        "mirror only posts that meet each of these",
        {"visibility": ["public"]},
        Filter(visibility=("public",)),
        section=Filter,
    )
    skip: Filter = _field(
        "section",
        "leave out posts that meet any of these",
        {"hashtags": ["nobridge"]},
        Filter(hashtags=("nobridge",)),
        section=Filter,
    )
    unlisted_in_threads: bool = _field(
        "flag", "unlisted parts of a thread that began public go along", True, True
    )
    replies: Literal["threads", "skip"] = _field(
        "choice",
        "the account's replies to itself are kept as threads, or skipped",
        "threads",
        "threads",
        choices=("threads", "skip"),
    )
    boosts: Literal["skip", "link", "quote"] = _field(
        "choice",
        "boosts of what has no copy on the target: skipped, posted as a link with the author's"
        " name, or as its text with name and link. What has a copy there is boosted",
        "skip",
        "skip",
        choices=("skip", "link", "quote"),
    )
    quotes: Literal["skip", "link"] = _field(
        "choice",
        "posts that quote what has no copy on the target, or one on X, where bots may not quote:"
        " skipped, or posted with a link to it. Elsewhere the copy is quoted",
        "link",
        "link",
        choices=("skip", "link"),
    )
    mentions: Literal["text", "link", "skip"] = _field(
        "choice",
        "people mentioned: plain name, link to the profile, or skip the post; nobody is notified"
        " but those in `people`",
        "text",
        "text",
        choices=("text", "link", "skip"),
    )
    hashtags: Literal["keep", "move", "strip"] = _field(
        "choice",
        "keep, move to the end of the text, or strip; one that is a word of a sentence stays there"
        " as a word",
        "keep",
        "keep",
        choices=("keep", "move", "strip"),
    )
    hashtag_map: tuple[tuple[str, str], ...] = _field(
        "tag_map",
        "hashtags that are other ones on the copy, such as {osloby: Oslo}; case does not matter",
        {},
        (),
    )
    links: Literal["keep", "drop", "hold"] = _field(
        "choice",
        "keep, drop from the copy, or hold posts that have any: a URL makes a post dear on Twitter",
        "keep",
        "keep",
        choices=("keep", "drop", "hold"),
    )
    cards: Literal["fetch", "source", "none"] = _field(
        "choice",
        "a card of the first link, on Bluesky: the original's, or made of the page (fetch); the"
        " original's alone (source); or none",
        "fetch",
        "fetch",
        choices=("fetch", "source", "none"),
    )
    content_warning: Literal["text", "skip"] = _field(
        "choice",
        "where the target has no field for it: as first line, or skip the post",
        "text",
        "text",
        choices=("text", "skip"),
    )
    labels: Labels = _field(
        "section",
        "self-labels of copies on Bluesky, for posts with a content warning or sensitive media",
        {},
        Labels(),
        section=Labels,
    )
    long: Literal["thread", "truncate", "first_and_link", "numbered", "skip"] = _field(
        "choice",
        "a text over the target's limit: thread, numbered thread (on Twitter single posts that"
        " answer nothing), cut with a link, the thread's first part with a link, or skipped",
        "thread",
        "thread",
        choices=("thread", "truncate", "first_and_link", "numbered", "skip"),
    )
    link_back: Literal["truncated", "always", "never"] = _field(
        "choice",
        "when the original's URL is added (default on Twitter: never)",
        "truncated",
        "truncated",
        choices=("truncated", "always", "never"),
    )
    visibility: Literal["same", "public", "unlisted", "private"] = _field(
        "choice",
        "of the copy, on Mastodon; never wider than the original",
        "same",
        "same",
        choices=("same", "public", "unlisted", "private"),
    )
    language: str = _field(
        "language",
        "keep, or a language tag for posts that declare none (default: that of the account)",
        "keep",
        "",
    )
    alt_text: Literal["optional", "required"] = _field(
        "choice",
        "required: a post waits until each of its images has one, and is held after `max_age`",
        "optional",
        "optional",
        choices=("optional", "required"),
    )
    many_images: Literal["thread", "link", "gallery"] = _field(
        "choice",
        "more images than one post takes: in further posts of a thread, left out with a link to the"
        " original, or as a gallery of up to 10 on Bluesky, which older apps do not show",
        "thread",
        "thread",
        choices=("thread", "link", "gallery"),
    )
    steps: tuple[StepSetting, ...] = _field("steps", "changes to each post, in order", [], ())
    backfill: BackfillSetting = _field(
        "backfill",
        "what a first run takes: none, all, {last: N} or {since: DATE}",
        "none",
        BackfillSetting(),
    )
    max_age: timedelta = _field(
        "duration",
        "a post that would go out later than this after publication and `delay` is held",
        "2d",
        timedelta(days=2),
    )
    delay: timedelta = _field(
        "duration",
        "a post waits this long after publication, then its final version goes out",
        "2m",
        timedelta(minutes=2),
    )
    edits: Literal["update", "correct", "replace", "hold", "ignore"] = _field(
        "choice",
        "where the original is edited: the copy is too, in place, on networks that show edits;"
        " elsewhere the edit is held (update), told in a reply to the copy (correct), or the copy"
        " deleted and posted anew (replace); hold or ignore everywhere",
        "update",
        "update",
        choices=("update", "correct", "replace", "hold", "ignore"),
    )
    deletes: Literal["follow", "hold", "ignore"] = _field(
        "choice",
        "where the original is deleted: the copy is too, or that is held for you, or it stays",
        "follow",
        "follow",
        choices=("follow", "hold", "ignore"),
    )
    follow_for: timedelta | None = _field(
        "duration",
        "how long after publication edits and deletions are looked for; 0s is never, the default"
        " where the source is on Twitter, which charges for it",
        "7d",
        None,
    )
    correction: str = _field(
        "string", "how a reply begins that corrects a copy", "Correction:", "Correction:"
    )
    in_doubt: Literal["hold", "resend"] = _field(
        "choice",
        "a copy whose answer was lost, where no key and no reading tells whether it stands: held"
        " for you, or sent once more",
        "hold",
        "hold",
        choices=("hold", "resend"),
    )
    #: whom mentions may be live of: no setting of a bot, the same in all of a configuration
    people: tuple[Person, ...] = field(default=(), compare=False)
    #: in which clock times are told: likewise
    zone: ZoneInfo | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Route:
    """One direction of a bot: posts of `source` go to `target` (names of accounts)."""

    source: str
    target: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot as the program uses it; `routes` are all its directions."""

    name: str
    routes: tuple[Route, ...]
    description: str = _field("string", "what the bot is for", None, "")
    was: str = _field("string", "the bot's former name: its memory moves along", None, "")
    mode: Literal["live", "approve", "dry-run", "disabled"] = _field(
        "choice",
        "live, approve (each post waits in the outbox), dry-run (shows, never posts) or disabled",
        "live",
        "live",
        choices=("live", "approve", "dry-run", "disabled"),
    )
    every: timedelta = _field(
        "duration", "how often the sources are read, with jitter", "2m", timedelta(minutes=2)
    )
    cron: str = _field("crontab", "instead of `every`: five fields, weekdays by name", None, "")


#: the settings of a bot that only a file can hold: they become `Bot.routes`
ROUTING: tuple[Setting, ...] = (
    Setting("from", "account", "the accounts, or groups, whose posts are mirrored"),
    Setting("to", "account", "the accounts, or groups, that receive the copies"),
    Setting("between", "accounts", "accounts, or groups, that all mirror each other"),
    Setting("for", "map", "other settings for some targets: an account, a group or a network"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account: its settings are those of its network, secrets resolved.

    The values are typed by the kind of the setting; a section is a map, whole with its defaults.
    """

    name: str
    network: str
    settings: Mapping[str, Any] = field(repr=False)
    #: the names of the settings that stand in the config itself
    written: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """Where the memory is, and what it survives."""

    file: Path = _field("path", "the SQLite file, beside the config", "state/tribridge.db", Path())
    durability: Literal["power-loss", "process"] = _field(
        "choice",
        "power-loss survives a power cut; process survives kills only, and is faster",
        "power-loss",
        "power-loss",
        choices=("power-loss", "process"),
    )


@dataclass(frozen=True, slots=True)
class Alerts:
    """Who is told of what is stuck, and when."""

    webhook: str = _field(
        "webhook", "gets a POST of JSON when something is stuck, and when it is over", None, ""
    )
    after: timedelta = _field(
        "duration",
        "how long deliveries or an account must have failed before that is told; "
        "the rest is told at once",
        "15m",
        timedelta(minutes=15),
    )


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration. `file` is where it was read from."""

    file: Path
    accounts: Mapping[str, Account]
    bots: Mapping[str, Bot]
    state: State
    timezone: ZoneInfo | None = None
    alerts: Alerts = Alerts()
    #: files that a value was taken from with `${file:PATH}`
    secret_files: frozenset[Path] = frozenset()
    #: files of the configuration in which a secret stands as it is
    literal_secrets: frozenset[Path] = frozenset()
    #: the accounts of each group
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


#: what every account can have, whatever its network
OF_ACCOUNTS: tuple[Setting, ...] = (
    Setting(
        "language",
        "language",
        "a language tag for its posts that declare none, where a bot does not say otherwise",
    ),
    Setting(
        "limits",
        "section",
        "how much may go out to the account",
        settings=(
            Setting(
                "posts_per_hour",
                "count",
                "more posts than this, published in an hour, are held; what was published over a"
                " longer time goes out at this pace; a thread counts once",
                default=60,
            ),
            Setting(
                "deletes_per_hour",
                "count",
                "more copies than this, deleted within an hour as their originals were, are held",
                default=10,
            ),
        ),
    ),
)


#: what may stand at the top of a file
TOP: tuple[Setting, ...] = (
    Setting(
        "timezone",
        "timezone",
        "zone of clock times; required where `cron`, `hours` or `weekdays` are used",
    ),
    Setting("state", "section", "the memory", {}, settings=settings_of(State)),
    Setting("alerts", "section", "telling people what is stuck", {}, settings=settings_of(Alerts)),
    Setting("accounts", "map", "the accounts, by names of your own"),
    Setting(
        "groups",
        "map",
        "names for lists of accounts, to be used wherever accounts are listed",
    ),
    Setting(
        "people",
        "map",
        "one person's handles by network: a mention of that person stays one on Mastodon and"
        " Bluesky",
    ),
    Setting("defaults", "map", "any setting of a bot, for all bots"),
    Setting("bots", "map", "the bots, by name; or one file each in bots/"),
)
