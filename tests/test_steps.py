from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import filters, steps
from bridge.post import Card, Post, Ref, Run, Skip, join_runs
from bridge.registry import NETWORKS
from bridge.render import render
from bridge.schema import Policy, StepSetting
from bridge.steps.changing import StripTracking
from bridge.steps.weaving import Loom
from bridge.text import mastodon_entities, to_runs, x_entities
from tests.config_files import ACCOUNTS, load_text
from tests.test_render import LIMITS
from tests.test_text_properties import many, posts


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


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


# Each step


def typed(text: str, **more: Any) -> Post:
    return replace(POST, runs=to_runs(text), **more)


def made(post: Post, *written: str) -> Post | Skip:
    """What steps, as they are written in a list, make of a post."""
    listed = "\n".join(f"      - {step}" for step in written)
    config = load_text(
        f"bots:\n  b:\n    from: masto\n    to: bsky\n    steps:\n{listed}\n{ACCOUNTS}"
    )
    return steps.apply(post, config.bots["b"].routes[0].policy.steps)


def changed(post: Post, *written: str) -> Post:
    result = made(post, *written)
    assert not isinstance(result, Skip), result
    return result


def links(post: Post) -> list[str]:
    return [run.target for run in post.runs if run.kind == "link"]


def tags(post: Post) -> list[str]:
    return [run.target for run in post.runs if run.kind == "hashtag"]


@pytest.mark.parametrize("name", steps.KINDS)
def test_the_example_of_each_step_is_true(name: str) -> None:
    example = steps.KINDS[name].example
    assert example is not None
    post = typed(example.before["text"], url=example.before.get("url", POST.url))
    after = changed(post, example.written)
    found = {
        "text": after.text,
        "content_warning": after.content_warning,
        "language": ", ".join(after.languages),
        "link": ", ".join(links(after)),
    }
    assert {field: found[field] for field in example.after} == example.after
    assert after != post


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        ("{text: Oslo, by: Bergen}", "Oslo, oslo og Oslofjord", "Bergen, oslo og Bergenfjord"),
        ("{text: '.', by: '\\1'}", "a.b", "a\\1b"),  # nothing in it is an expression
        (
            "{matching: '(?i)\\boslo\\b', by: Bergen}",
            "Oslo, oslo og Oslofjord",
            "Bergen, Bergen og Oslofjord",
        ),
        ("{matching: '(?P<day>\\d+)/(\\d+)', by: '\\2.\\g<day>.'}", "24/12", "12.24."),
        ("{matching: '\\s+#\\w+$', by: ''}", "Snø #vær", "Snø #vær"),  # a hashtag is one sign
        ("{text: ' her', by: ''}", "Les her", "Les"),
        ("{matching: '^', by: 'Nytt: '}", "雪", "Nytt: 雪"),
        ("{text: vær, by: weather}", "#vær og vær", "#vær og weather"),
        (
            "{text: city, by: town}",
            "city https://city.example/city",
            "town https://city.example/city",
        ),
    ],
)
def test_replace(step: str, before: str, after: str) -> None:
    post = changed(typed(before), f"replace: {step}")
    assert post.text == after
    assert (links(post), tags(post)) == (links(typed(before)), tags(typed(before)))


def test_replace_changes_the_words_of_a_link_and_never_loses_it() -> None:
    link = Run("saken om Oslo", "link", "https://a.example/Oslo")
    mention = Run("@oslo", "mention", "https://a.example/@oslo", "oslo")
    post = replace(POST, runs=(Run("Les "), link, Run(" av "), mention))
    after = changed(post, "replace: {matching: '(?i)oslo', by: Bergen}")
    assert after.runs == (Run("Les "), replace(link, text="saken om Bergen"), Run(" av "), mention)
    # one whose words would be gone keeps them
    assert changed(post, "replace: {matching: '.*Oslo', by: ''}").runs == post.runs
    moved = changed(post, "replace: {matching: '^Les (.*) av (.*)$', by: '\\2: \\1'}")
    assert moved.runs == (mention, Run(": "), link)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ("{matching: '[^\\w\\s]', by: ''}", "Sø #vær @ola og https://a.example/x Slutt"),
        ("{matching: '\\W+', by: ' '}", "Sø #vær @ola og https://a.example/x Slutt "),
        ("{matching: '\\p{C}', by: ''}", "Sø, #vær: @ola og https://a.example/x. Slutt!"),
        ("{matching: '(?s).*', by: ''}", "#vær @ola https://a.example/x"),
        ("{matching: ' og .*\\. ', by: '…'}", "Sø, #vær: @ola… https://a.example/x Slutt!"),
    ],
)
def test_an_expression_that_finds_everything_takes_no_link_along(step: str, text: str) -> None:
    mention = Run("@ola", "mention", "https://a.example/@ola", "ola")
    link = Run("https://a.example/x", "link", "https://a.example/x")
    tag = Run("#vær", "hashtag", "vær")
    runs = (Run("Sø, "), tag, Run(": "), mention, Run(" og "), link, Run(". Slutt!"))
    after = changed(replace(POST, runs=runs), f"replace: {step}")
    assert after.text == text
    assert more_than_text(after.runs) == [tag, mention, link]


@pytest.mark.parametrize(
    "step",
    [
        "replace: {matching: '☺', by: '\\ud83d\\ude00\\ud800'}",
        """template: "{{ '\\\\ud83d\\\\ude00\\\\ud800' }}{{ text[1:] }}" """,
    ],
)
def test_half_characters_that_a_step_spells_are_none_in_the_post(step: str) -> None:
    link = Run("☺", "link", "https://a.example")
    after = changed(replace(POST, runs=(Run("☺ "), link)), step)
    assert after.text.startswith("😀\ufffd ")
    after.text.encode()


def test_signs_that_stand_for_links_may_be_the_authors_own() -> None:
    post = typed("\U00100000 og https://a.example \U00100001 \U0010fffd")
    after = changed(post, "replace: {text: og, by: and}")
    assert after.text == "\U00100000 and https://a.example \U00100001 \U0010fffd"
    assert links(after) == ["https://a.example"]


@pytest.mark.parametrize(
    ("step", "text", "why"),
    [
        (
            "{matching: '(a|aa)+$', by: x}",
            "a" * 40 + "b",
            "replace: the expression took over 0.05 s",
        ),
        (
            f"{{text: a, by: {'b' * 9000}}}",
            "a" * 12,
            "replace: the text would have over 100,000 characters",
        ),
        (
            f"{{matching: '(.*)', by: '{chr(92)}1{(chr(92) + '1') * 4000}'}}",
            "a" * 5000,
            "replace: the text would have over 100,000 characters",
        ),
    ],
)
def test_a_replacement_that_runs_away_keeps_the_post_at_home(
    step: str, text: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "REGEX_TIMEOUT", 0.05)
    assert made(typed(text), f"replace: {step}") == Skip(why, held=True)


def test_no_step_knows_more_links_than_there_are_signs() -> None:
    post = replace(POST, runs=(Run("a", "link", "https://a.example"),) * 70_000)
    assert isinstance(made(post, "replace: {text: a, by: b}"), Skip)


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        ("add: [vær]", "Snø", "Snø\n\n#vær"),
        ("add: ['#Vær', vær]", "Snø. #VÆR", "Snø. #VÆR"),
        ("add: [vær, by]", "Snø\n\n#oslo", "Snø\n\n#oslo #vær #by"),
        ("remove: [B]", "Snø. #a #b #c", "Snø. #a #c"),
        ("remove: [a, c]", "Snø. #a #b #c", "Snø. #b"),
        ("remove: [a]", "#a #b\nSnø", "#b\nSnø"),
        ("remove: [b]", "Snø i #b i dag", "Snø i b i dag"),
        ("remove: [a, b]", "Snø\n\n#a #b", "Snø"),
        ("rename: {osloby: Oslo}", "I #OsloBy nå", "I #Oslo nå"),
        ("rename: {a: b}, remove: [a], add: [a]", "Snø. #a", "Snø.\n\n#a"),
        ("rename: {a: b}, add: [b]", "Snø. #a", "Snø. #b"),
    ],
)
def test_hashtags(step: str, before: str, after: str) -> None:
    post = changed(typed(before), f"hashtags: {{{step}}}")
    assert post.text == after
    assert post.runs == to_runs(after)


def test_hashtags_beside_the_text_are_removed_and_renamed_too() -> None:
    post = typed("Snø", tags=("Oslo", "vær", "snø"))
    after = changed(post, "hashtags: {remove: [VÆR], rename: {oslo: Bergen}, add: [snø]}")
    assert (after.text, after.tags) == ("Snø", ("Bergen", "snø"))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["NFC", "NFD"])
def test_a_letter_with_a_sign_is_one_or_two_characters_and_the_same(
    form: Any, written: Any
) -> None:
    def as_posted(text: str) -> str:
        return unicodedata.normalize(form, text)

    def as_written(text: str) -> str:
        return unicodedata.normalize(written, text)

    post = replace(typed(as_posted("Snø på #Ålesund, før #båt og #tåke")), tags=(as_posted("båt"),))
    step = "hashtags: {remove: [båt], rename: {ålesund: by}, add: [TÅKE]}"
    after = changed(post, as_written(step))
    assert (tags(after), after.tags) == (["by", as_posted("tåke")], ())
    swapped = changed(post, as_written("replace: {text: på, by: ved}"))
    assert swapped.text.startswith("Snø ved #")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://a.example/?utm_source=x", "https://a.example/"),
        (
            "https://a.example/?a=1&UTM_Medium=x&b=%20&fbclid=y#del",
            "https://a.example/?a=1&b=%20#del",
        ),
        ("https://a.example/?a&&b", "https://a.example/?a&&b"),
        ("https://a.example/?ref=1", "https://a.example/"),
        ("https://a.example/?preference=1", "https://a.example/?preference=1"),
        ("https://a.example/?q=utm_source", "https://a.example/?q=utm_source"),
        (
            "https://a.example/utm_source=1#?utm_source=1",
            "https://a.example/utm_source=1#?utm_source=1",
        ),
        ("https://a.example/?gclid", "https://a.example/"),
    ],
)
def test_strip_tracking(before: str, after: str) -> None:
    shown = Run(before, "link", before)
    words, cut = replace(shown, text="her"), replace(shown, text=f"{before[8:20]}…")
    post = replace(POST, runs=(shown, Run(" "), words, Run(" "), cut), card=Card(before, "T"))
    result = changed(post, "strip_tracking: {also: [REF]}")
    assert links(result) == [after] * 3
    assert result.text == f"{after} her {cut.text}"
    assert result.card == Card(after, "T")


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("Valget er mandag", "Politikk"),
        ("Oppskrift på #valget-kake", "Politikk, Mat"),
        ("Oppskrifter", ""),
    ],
)
def test_content_warning(text: str, warning: str) -> None:
    step = "content_warning: {Politikk: [valg, valget], Mat: oppskrift}"
    assert changed(typed(text), step).content_warning == warning
    own = typed(text, content_warning="Eget")
    assert changed(own, step) == own


def test_language() -> None:
    assert changed(POST, "language: [nn, en]").languages == ("nn", "en")


@pytest.mark.parametrize(
    ("account", "url", "line"),
    [
        ("mastodon:a.example/1", "https://a.example/@anna/7", "anna on Mastodon: {}"),
        ("mastodon:a.example/1", "https://a.example/users/anna/statuses/7", "anna on Mastodon: {}"),
        ("mastodon:a.example/1", "https://a.example/notice/7", "On Mastodon: {}"),
        ("twitter:1", "https://x.com/anna/status/7", "anna on Twitter (X): {}"),
        ("twitter:1", "https://x.com/i/status/7", "On Twitter (X): {}"),
        (
            "bluesky:did:plc:a",
            "https://bsky.app/profile/anna.example/post/7",
            "anna on Bluesky: {}",
        ),
        ("bluesky:did:plc:a", "https://bsky.app/profile/did:plc:a/post/7", "On Bluesky: {}"),
        ("mastodon:a.example/1", "", "On Mastodon"),
    ],
)
def test_attribution(account: str, url: str, line: str) -> None:
    post = typed("Snø", account=account, url=url)
    after = changed(post, "attribution")
    assert after.text == f"Snø\n\n{line.format(url)}"
    assert links(after) == ([url] if url else [])


def test_attribution_by_words_of_ones_own_names_who_wrote_what_is_boosted() -> None:
    boost = typed("Snø", boost=Ref("9", author="berit"))
    assert changed(boost, 'attribution: "Av {{author}}"').text == "Snø\n\nAv berit"


def test_addresses_and_hashtags_that_a_step_adds_are_live() -> None:
    after = changed(POST, "append: 'Les https://b.example #vær'")
    assert (links(after), tags(after)) == (["https://b.example"], ["Bergen", "vær"])


@pytest.mark.parametrize(
    "step",
    [
        "append: 'Følg @avis og @avis@a.example'",
        "prepend: '@'",
        "replace: {text: x, by: '@'}",
        "attribution: '@{{ author }}'",
    ],
)
def test_no_step_notifies_anybody(step: str) -> None:
    for text in ("x", "xavis", "@x avis", "axavis"):
        post = typed(text, url="https://a.example/@anna/7")
        for name, network in NETWORKS.items():
            drafts = render(changed(post, step), Policy(), network, LIMITS[name])
            assert not isinstance(drafts, Skip)
            for draft in drafts:
                assert [run for run in draft.runs if run.kind == "mention"] == []
                if network.mentions_in_text:
                    spans = [*x_entities(draft.text), *mastodon_entities(draft.text)]
                    assert [span for span in spans if span.kind == "mention"] == []


# Whatever stands in a post


def more_than_text(runs: tuple[Run, ...]) -> list[Run]:
    return [run for run in runs if run.kind != "text"]


@many
@given(posts)
def test_signs_for_links_are_taken_back_whatever_stands_around_them(runs: tuple[Run, ...]) -> None:
    loom = Loom()
    assert loom.unweave(loom.weave(runs)) == join_runs(runs)


@many
@given(posts, st.text(max_size=3), st.text(max_size=5))
def test_no_step_loses_a_link_whatever_it_replaces(
    runs: tuple[Run, ...], old: str, new: str
) -> None:
    post = replace(POST, runs=runs, tags=())
    whole = more_than_text(join_runs(runs))
    steps_of = (
        StepSetting("replace", (("text", old or "a"), ("by", new))),
        StepSetting("strip_tracking", ()),
        StepSetting("template", "{{ text | upper }}{{ text }}"),
        StepSetting("attribution", None),
    )
    after = steps.apply(post, steps_of)
    assert isinstance(after, Post)
    kept = [(run.kind, run.target) for run in more_than_text(after.runs)]
    for run in whole:
        assert (run.kind, StripTracking()._clean(run.target)) in kept or (
            run.kind,
            run.target,
        ) in kept
