from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge import steps
from bridge.post import Post, Run, Skip
from bridge.registry import NETWORKS
from bridge.render import render
from bridge.schema import Policy, StepSetting
from tests.test_render import LIMITS

POST = Post(
    "mastodon:a.example/1",
    "7",
    "https://a.example/7",
    datetime(2026, 11, 22, tzinfo=UTC),
    (Run("Hei fra "), Run("#Bergen", "hashtag", "Bergen"), Run(", utkast til noe")),
    languages=("nb-NO",),
)


def test_steps_add_text_and_leave_links_alone() -> None:
    post = replace(POST, runs=(Run("Les "), Run("saken", "link", "https://a.example/x")))
    changed = steps.apply(post, (StepSetting("append", "(slutt)"), StepSetting("prepend", "Nytt:")))
    assert not isinstance(changed, Skip)
    assert changed.text == "Nytt:\n\nLes saken\n\n(slutt)"
    assert [run.target for run in changed.runs if run.kind == "link"] == ["https://a.example/x"]


def test_each_step_shows_the_post_after_it() -> None:
    one, two = StepSetting("append", "slutt"), StepSetting("prepend", "Nytt:")
    done = steps.stages(POST, (one, two))
    assert [setting for setting, _ in done] == [one, two]
    first, last = (post for _, post in done)
    assert isinstance(first, Post)
    assert first.text == f"{POST.text}\n\nslutt"
    assert last == steps.apply(POST, (one, two))
    assert steps.stages(POST, ()) == ()
    assert steps.apply(POST, ()) == POST


def test_the_stages_end_with_the_first_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    no = Skip("no")
    monkeypatch.setattr(steps, "build", lambda setting: lambda _: no if setting.value else POST)
    settings = [StepSetting("append", value) for value in ("", "x", "")]
    assert steps.stages(POST, settings) == ((settings[0], POST), (settings[1], no))
    assert steps.apply(POST, settings) == no


def test_a_step_names_the_original_with_a_link() -> None:
    changed = steps.apply(
        POST, (StepSetting("append", "Mer: {{ url }}."), StepSetting("prepend", "{{url}}"))
    )
    assert not isinstance(changed, Skip)
    links = [run for run in changed.runs if run.kind == "link"]
    assert links == [Run(POST.url, "link", POST.url)] * 2
    assert changed.text == f"{POST.url}\n\n{POST.text}\n\nMer: {POST.url}."


def test_without_an_address_nothing_stands_for_it() -> None:
    changed = steps.apply(replace(POST, url=""), (StepSetting("append", "Mer: {{ url }}"),))
    assert not isinstance(changed, Skip)
    assert changed.text.endswith("Mer: ")


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("{{ url }} og {{url}}", []),
        ("{ url }, }} og {x}", []),
        ("{{ uri }}", ["uri"]),
        ("{{ url", ["{{ url"]),
        ("{{ url | upper }} {{ }}", ["url | upper", ""]),
        ("{{ Url }}", ["Url"]),
    ],
)
def test_only_what_there_is_can_be_named(text: str, unknown: list[str]) -> None:
    assert steps.unknown_names(text) == unknown


def test_a_step_loses_the_target_of_no_link_on_any_network() -> None:
    post = replace(POST, url="https://a.example.org/@news/7", runs=(Run("Hei " * 60),))
    for name, network in NETWORKS.items():
        changed = steps.apply(post, (StepSetting("append", "Mer: {{ url }}"),))
        assert not isinstance(changed, Skip)
        made = render(changed, Policy(), network, LIMITS[name])
        assert not isinstance(made, Skip)
        targets = [run.target for draft in made for run in draft.runs if run.kind == "link"]
        assert targets == [network.spell_url(post.url)]


def test_every_step_that_the_schema_names_is_built() -> None:
    from bridge.schema import STEPS

    for setting in STEPS:
        assert callable(steps.build(StepSetting(setting.name, "x")))
