"""Texts by a template of Jinja2; what one may hold is in `sandbox`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bridge.filters import by_clock
from bridge.post import Media, Post, Ref, Run, Skip
from bridge.schema import Setting
from bridge.steps.kinds import MAX_TEXT, BadStep, Example, StepKind
from bridge.steps.naming import author, network
from bridge.steps.sandbox import SPENT, TooMuch, compiled, failures, line_of
from bridge.steps.weaving import Loom, TooMany
from bridge.text import to_runs

#: items of a list that are gone through
_ITEMS = 100


@dataclass(frozen=True)
class Template:
    """Puts what a template makes of a post in the place of its text."""

    source: str
    zone: ZoneInfo | None = None

    def __post_init__(self) -> None:
        compiled(self.source, self.zone is not None)
        failed = [failure for post in _SAMPLES if (failure := self._failure(post))]
        if len(failed) == len(_SAMPLES):
            line, reason = failed[0]
            raise BadStep(f"this template fails on every post: {reason}", line=line)

    def __call__(self, post: Post) -> Post | Skip:
        try:
            return replace(post, runs=self._runs(post))
        except (TooMuch, TooMany):
            return Skip(f"template: the text would have over {MAX_TEXT:,} characters", held=True)
        except failures() as error:
            return Skip(f"template: it fails on this post: {error}", held=True)

    def _failure(self, post: Post) -> tuple[int, str] | None:
        """The line at which the template fails on a post, and why; None if it does not."""
        try:
            self._runs(post)
        except TooMuch:
            return 0, f"the text would have over {MAX_TEXT:,} characters"
        except failures() as error:
            return line_of(error), str(error)
        return None

    def _runs(self, post: Post) -> tuple[Run, ...]:
        loom = Loom()
        template = compiled(self.source, self.zone is not None)
        values = _values(post, loom, self.zone)
        pieces: list[str] = []
        room = MAX_TEXT
        for piece in template.generate(values, **{SPENT: [0]}):
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                raise TooMuch
        return loom.unweave("".join(pieces).strip(), to_runs)


def _values(post: Post, loom: Loom, zone: ZoneInfo | None) -> dict[str, Any]:
    at = by_clock(post.created_at, zone)
    tags = [run.target for run in post.runs if run.kind == "hashtag"]
    return {
        "text": loom.weave(post.runs),
        "plain": post.text,
        "url": loom.sign(Run(post.url, "link", post.url)) if post.url else "",
        "author": author(post),
        "network": network(post),
        "language": post.languages[0] if post.languages else "",
        "languages": list(post.languages[:_ITEMS]),
        "tags": list(dict.fromkeys((*tags, *post.tags)))[:_ITEMS],
        "alts": [media.alt for media in post.media if media.alt][:_ITEMS],
        "content_warning": post.content_warning,
        "date": f"{at:%Y-%m-%d}",
        "time": f"{at:%H:%M}",
    }


_SAMPLES = (
    Post("mastodon:a.example/1", "1", "", datetime(2026, 1, 31, tzinfo=UTC), ()),
    Post(
        "mastodon:a.example/1",
        "1",
        "https://a.example/@a/1",
        datetime(2026, 1, 31, tzinfo=UTC),
        (Run("text "), Run("#tag", "hashtag", "tag"), Run("@b", "mention", "", "b")),
        languages=("en",),
        content_warning="warning",
        media=(Media("image", "", alt="description"),),
        boost=Ref("2", author="b"),
    ),
)


def kinds() -> Iterator[StepKind]:
    """The step `template`."""
    yield StepKind(
        Setting("template", "template", "a text by a template of Jinja2, in the place of the text"),
        Template,
        Example(
            'template: "{% if content_warning %}⚠ {% endif %}{{ text }}'
            ' {% for tag in tags %}[{{ tag | upper }}]{% endfor %}"',
            {"text": "Snow on the pass #weather"},
            {"text": "Snow on the pass #weather [WEATHER]"},
        ),
        zoned=True,
    )
