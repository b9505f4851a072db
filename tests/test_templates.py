"""The step `template`: what it can do, and that nothing in it can grow, last or get out."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from bridge import steps
from bridge.post import Media, Post, Run, Skip
from bridge.registry import NETWORKS
from bridge.render import render
from bridge.schema import Policy, StepSetting
from bridge.steps import sandbox
from bridge.text import mastodon_entities, x_entities
from tests.config_files import ACCOUNTS, complaints, load_text
from tests.test_render import LIMITS
from tests.test_steps import POST, links, tags, typed


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def made(source: str, post: Post) -> Post | Skip:
    return steps.apply(post, [StepSetting("template", source)])


def changed(source: str, post: Post = POST) -> Post:
    result = made(source, post)
    assert not isinstance(result, Skip), result
    return result


def reason(source: str, post: Post) -> str:
    result = made(source, post)
    assert isinstance(result, Skip)
    return result.reason


LINK = Run("saken", "link", "https://b.example/x")
MENTION = Run("@berit", "mention", "https://a.example/@berit", "berit")
RICH = replace(
    POST,
    url="https://a.example/@anna/7",
    runs=(Run("Les "), LINK, Run(" av "), MENTION, Run(" #Vær")),
    tags=("oslo",),
    content_warning="Snø",
    media=(Media("image", "", alt="Et fjell"), Media("image", "")),
)


def test_the_text_keeps_its_links_mentions_and_hashtags() -> None:
    post = changed("{{ text }} / {{ text | upper }}", RICH)
    assert post.text == "Les saken av @berit #Vær / LES saken AV @berit #VÆR"
    assert [run for run in post.runs if run.kind in ("link", "mention")] == [LINK, MENTION] * 2


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ author }} ({{ network }})", "anna (Mastodon)"),
        ("{{ language }} {{ languages | join }}", "nb-NO nb-NO"),
        ("{{ content_warning }}", "Snø"),
        (
            "{% for tag in tags %}{{ loop.index }}{{ tag }}{{ '' if loop.last else ' ' }}{% endfor %}",
            "1oslo",
        ),
        ("{% for alt in alts %}[{{ alt }}]{% else %}none{% endfor %}", "[Et fjell]"),
        ("{% if 'saken' in plain and tags %}ja{% else %}nei{% endif %}", "ja"),
        ("{{ plain | length }} {{ tags | length }}", "23 1"),
        ("{{ text | truncate(6) }}", "Les saken…"),
        ("{{ plain | truncate(9) }}", "Les sake…"),
        ("{{ plain | replace('saken', 'boka') | lower }}", "les boka av berit #vær"),
        ("{{ 'å' | capitalize }}{{ ' x ' | trim }}", "Åx"),
        ("{{ tags[5] }}{{ plain[:3] }}{{ plain[-3:] }}{{ '' | default('x') }}", "LesVærx"),
        ("{{ 2 * 3 + 7 // 2 - 1 }}", "8"),
        ("{{ url }}", "https://a.example/@anna/7"),
        ("{# a comment #}{% raw %}{{ }}{% endraw %}", "{{ }}"),
        ("a\n{% if true %}\nb\n{% endif %}\nc\n", "a\nb\nc"),
    ],
)
def test_what_a_template_can_say(source: str, text: str) -> None:
    post = changed(
        source, replace(RICH, runs=(*RICH.runs[:3], replace(MENTION, text="berit"), RICH.runs[4]))
    )
    assert post.text == text


def test_addresses_and_hashtags_of_a_template_are_live() -> None:
    post = changed("{{ url }} https://c.example {% for tag in tags %}#{{ tag }} {% endfor %}", RICH)
    assert links(post) == [RICH.url, "https://c.example"]
    assert tags(post) == ["oslo"]


def test_a_template_that_makes_nothing_leaves_nothing() -> None:
    assert changed("  {% if false %}x{% endif %}\n").runs == ()
    post = made("{{ url }}", replace(POST, url=""))
    assert isinstance(post, Post)
    assert post.runs == ()


def test_no_template_notifies_anybody() -> None:
    for source in (
        "@{{ author }}",
        "@{{ text }}",
        "{{ plain }} @a@b.example",
        "@{{ tags[0] }}@{{ plain }}",
    ):
        for text in ("avis", "@avis", "#vær avis"):
            post = changed(source, typed(text, url=RICH.url))
            for name, network in NETWORKS.items():
                drafts = render(post, Policy(), network, LIMITS[name])
                assert not isinstance(drafts, Skip)
                for draft in drafts:
                    assert [run for run in draft.runs if run.kind == "mention"] == []
                    spans = [*x_entities(draft.text), *mastodon_entities(draft.text)]
                    if network.mentions_in_text:
                        assert [span for span in spans if span.kind == "mention"] == []


# What is refused when the configuration is read

BOMBS = [
    ("{{ 'a' * 999999999 }}", "* is for small numbers only"),
    ("{{ 9 ** 9 ** 9 }}", "a template may not hold **"),
    ("{{ 999999999 * 999999999 * 999999999 }}", "* is for small numbers only"),
    ("{{ '%099999999d' % 1 }}", "% is for small numbers only"),
    ("{{ 'a' + 'b' }}", "+ is for small numbers only"),
    ("{{ -plain }}", "- is for small numbers only"),
    ("{{ " + "9" * 5000 + " }}", "a number in this template is too large"),
    ("{% for x in range(10) %}{% endfor %}", "a loop goes through one of the post's lists"),
    ("{% for x in plain %}{% endfor %}", "a loop goes through one of the post's lists"),
    ("{% for x in [1, 2] %}{% endfor %}", "a loop goes through one of the post's lists"),
    ("{% for a in tags %}{% for b in tags %}{% endfor %}{% endfor %}", "a loop within a loop"),
    ("{% for a in tags recursive %}{{ loop(tags) }}{% endfor %}", "a loop within a loop"),
    ("{% for a, b in tags %}{% endfor %}", "a loop gives its items one name"),
    ("{% set a = plain %}", "a template may not hold set"),
    ("{% set a %}x{% endset %}", "a template may not hold set"),
    ("{% macro a() %}{{ a() }}{% endmacro %}", "a template may not hold macro"),
    ("{% include '/etc/passwd' %}", "a template may not hold include"),
    ("{% import 'a' as b %}", "a template may not hold import"),
    ("{% extends 'a' %}", "a template may not hold extends"),
    ("{% block a %}{% endblock %}", "a template may not hold block"),
    ("{% with a = plain %}{% endwith %}", "a template may not hold with"),
    ("{% filter upper %}x{% endfilter %}", "a template may not hold filterblock"),
    ("{{ plain ~ plain }}", "a template may not hold ~"),
    ("{{ plain.upper() }}", "a template may not hold a call"),
    ("{{ plain.format(plain) }}", "a template may not hold a call"),
    ("{{ ''.__class__.__mro__ }}", "there is no .__mro__"),
    ("{{ plain['__class__'] }}", "between [ ] there may only be numbers"),
    ("{{ plain[tags] }}", "between [ ] there may only be numbers"),
    ("{{ loop }}", "'loop' stands for nothing"),
    ("{% for a in tags %}{{ loop.cycle }}{% endfor %}", "there is no .cycle"),
    ("{% for a in tags %}{{ loop.__init__ }}{% endfor %}", "there is no .__init__"),
    ("{{ self }}", "'self' stands for nothing"),
    ("{{ range }}", "'range' stands for nothing"),
    ("{{ 0spent }}", "this template is wrong"),
    ("{{ plain | attr('upper') }}", "there is no filter 'attr'"),
    ("{{ plain | center(999999999) }}", "there is no filter 'center'"),
    ("{{ plain | format }}", "there is no filter 'format'"),
    ("{{ plain | truncate(length=3) }}", "takes values without names"),
    ("{{ plain | truncate(*tags) }}", "takes values without names"),
    ("{{ plain | truncate(0) }}", "truncate takes a number of characters, 1 or more"),
    ("{{ plain | replace('', 'a') }}", "replace takes two texts, of which the first is not empty"),
    ("{{ plain | upper(1) }}", "fails on every post"),
    ("{{ plain is callable }}", "there is no test 'callable'"),
    ("{{ (" * 60 + "1" + ") }}" * 60, "nested too deep"),
    ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nested too deep"),
    ("{{ " + "not " * 500 + "1 }}", "nested too deep"),
    ("{{ 1" + " + 1" * 100 + " }}", "nested too deep"),
    ("{{ plain" + " | upper" * 100 + " }}", "nested too deep"),
    ("{% if true %}" * 200 + "{% endif %}" * 200, "nested too deep"),
    ("{{ plain }}" * 1000, "longer than 10,000 characters"),
]


@pytest.mark.parametrize(("source", "why"), BOMBS, ids=range(len(BOMBS)))
def test_what_could_grow_last_or_get_out_is_refused(source: str, why: str) -> None:
    with pytest.raises(steps.BadStep) as caught:
        steps.build(StepSetting("template", source))
    assert why in str(caught.value)


def in_a_file(lines: str) -> list[str]:
    """What is wrong with a bot whose steps begin at line 5."""
    return complaints(
        f"bots:\n  b:\n    from: masto\n    to: bsky\n    steps:\n{lines}\n{ACCOUNTS}"
    )


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            "      - template: '{{ text }} {{ autor }}'",
            "6:34: 'autor' stands for nothing; did you mean 'author'?",
        ),
        (
            "      - template: |\n          {{ text }}\n\n          By {{ user }}\n",
            "9:17: 'user' stands for nothing; there is ",
        ),
        (
            "      - template: |\n          {% if tags %}\n          {{ text }}\n",
            "8:11: this template is wrong: Unexpected end of template. Jinja was looking for",
        ),
        (
            "      - template: '{{ text | uper }}'",
            "6:30: there is no filter 'uper'; did you mean 'upper'?",
        ),
        (
            "      - template: >-\n          {{ text }}\n          {% endfor %}\n",
            "6:19: this template is wrong: Encountered unknown tag 'endfor'",
        ),
        (
            "      - template: |\n          {{ text }}\n          {{ 'a' * 5 }}\n",
            "8:11: this template fails on every post: * is for small numbers only",
        ),
        (
            "      - template: '{{ date }}'",
            "6:20: 'date' needs a time zone: set timezone in config.yaml, such as Europe/Oslo",
        ),
        ("      - template: {{ text }}", "6:19: put a value with {{ }} in quotes"),
        ("      - template: ''", "6:19: 'template' is empty; give it a value, or remove the line"),
        (
            "      - template: '{{ text }'",
            "6:20: this template is wrong: unexpected '}'",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(lines: str, told: str) -> None:
    (found,) = in_a_file(lines)
    assert found.startswith(told), found


def test_dates_are_those_of_the_time_zone() -> None:
    text = (
        "timezone: Europe/Oslo\nbots:\n  b:\n    from: masto\n    to: bsky\n"
        "    steps:\n      - template: '{{ date }} {{ time }}'\n"
    )
    config = load_text(text + ACCOUNTS)
    late = replace(POST, created_at=POST.created_at.replace(month=6, day=30, hour=22, minute=5))
    after = steps.apply(late, config.bots["b"].routes[0].policy.steps)
    assert isinstance(after, Post)
    assert after.text == "2026-07-01 00:05"


# What fails on a post


@pytest.mark.parametrize(
    ("source", "post", "why"),
    [
        (
            "{{ 8 // (alts | length) }}",
            POST,
            "template: it fails on this post: integer division or modulo by zero",
        ),
        (
            "{{ plain }}" * 200,
            typed("å" * 1000),
            "template: the text would have over 100,000 characters",
        ),
        (
            "{{ plain | replace('a', 'bbbbbbbbbb') | replace('b', 'cccccccccc') | replace('c', 'dddddddddd') }}",
            typed("a" * 1000),
            "template: the text would have over 100,000 characters",
        ),
        (
            "{% for tag in tags %}" + "{{ plain | upper | length }}" * 300 + "{% endfor %}",
            typed(" ".join(f"#a{n}" for n in range(200)) + "b" * 5000),
            "template: the text would have over 100,000 characters",
        ),
    ],
)
def test_a_template_that_fails_on_a_post_keeps_it_at_home(
    source: str, post: Post, why: str
) -> None:
    assert reason(source, post) == why


def test_what_is_handled_is_counted_even_where_nothing_comes_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handled = 0
    upper = str.upper

    def counted(text: str) -> str:
        nonlocal handled
        handled += len(text)
        return upper(text)

    monkeypatch.setitem(sandbox._OF_TEXTS, "upper", counted)
    sandbox._environment.cache_clear()
    sandbox.compiled.cache_clear()
    source = (
        "{% for tag in tags %}"
        + "{% if (plain | upper) == 'x' %}{% endif %}" * 200
        + "{% endfor %}"
    )
    post = typed(" ".join(f"#a{n}" for n in range(200)) + "b" * 50_000)
    assert isinstance(made(source, post), Skip)
    assert handled <= sandbox._WORK
    sandbox._environment.cache_clear()
    sandbox.compiled.cache_clear()


@pytest.mark.parametrize(
    "source",
    [
        "{{ [text, " + "text, " * 900 + "] }}",
        "{{ [text, " + "text, " * 900 + "] | upper }}",
        "{{ [text, " + "text, " * 900 + "] | length }}",
        "{{ [0, " + "0, " * 900 + "] | join(text) }}",
        "{{ (0, " + "0, " * 900 + ") | join(text) }}",
    ],
    ids=range(5),
)
def test_no_list_makes_a_text_that_fills_the_memory(source: str) -> None:
    post = typed("a b " * 20_000)
    changed(source, typed("a"))
    tracemalloc.start()
    try:
        assert reason(source, post) == "template: the text would have over 100,000 characters"
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 20_000_000


def test_loops_go_through_a_hundred_items_at_most() -> None:
    post = typed(" ".join(f"#a{n}" for n in range(200)))
    assert (
        changed("{{ tags | length }}{% for t in tags %}x{% endfor %}", post).text
        == "100" + "x" * 100
    )


def test_jinja_is_loaded_only_where_a_template_is() -> None:
    code = (
        "import sys, bridge.cli, bridge.ingest, bridge.config\n"
        "assert 'jinja2' not in sys.modules\n"
        "from bridge import steps\n"
        "steps.build(steps.StepSetting('template', 'x'))\n"
        "assert 'jinja2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
