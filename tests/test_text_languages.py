"""Language tags: what each network can declare of those that a post has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.network import Network
from bridge.text import is_language_tag, language_code
from tests.config_files import complaints, load_text
from tests.test_render import BLUESKY, MASTODON, POST, TWITTER, one


@pytest.mark.parametrize(
    "tag",
    [
        "nb", "gsw", "en-GB", "zh-Hant-TW", "sr-Cyrl", "es-419", "zh-yue-HK", "de-1996", "ca-valencia",
        "sl-rozaj-biske-1994", "de-DE-u-co-phonebk", "en-x-us", "en-a-bbb-x-a-ccc", "xx-tull",
    ],
)  # fmt: skip
def test_what_is_well_formed(tag: str) -> None:
    assert is_language_tag(tag)


@pytest.mark.parametrize(
    "tag",
    [
        "", "n", "norsk språk", "norsk", "nb_NO", "nb-", "-nb", "en-a", "de-1", "en-u", "en-GB-US",
        "nb-NO-Latn", "en-GB-12", "en-x", "en-abcdefghi", "ab12", "en--GB", "en-X-us", "nb\n",
    ],
)  # fmt: skip
def test_what_is_not_and_would_be_refused(tag: str) -> None:
    assert not is_language_tag(tag)


@pytest.mark.parametrize(
    ("tag", "code"),
    [("nb-NO", "nb"), ("EN", "en"), ("zh_TW", "zh"), ("und", ""), ("mul-x-a", ""), ("norsk", "")],
)
def test_the_code_that_a_tag_begins_with(tag: str, code: str) -> None:
    assert language_code(tag) == code


@pytest.mark.parametrize(
    ("languages", "target", "declared", "lost"),
    [
        (("de-1", "nb-NO"), BLUESKY, ["nb-NO"], "de-1"),
        (("en-a", "nb", "de", "fr", "es"), BLUESKY, ["nb", "de", "fr"], "en-a, es"),
        (("und", "nb-NO", "de"), MASTODON, "nb", "und, de"),
        (("norsk språk", "EN-gb"), MASTODON, "en", "norsk språk"),
        (("zxx",), MASTODON, None, "zxx"),
        (("nb",), MASTODON, "nb", ""),
        (("nb", "de"), TWITTER, None, ""),
    ],
)
def test_what_can_be_declared_is_and_the_rest_is_told(
    languages: tuple[str, ...], target: Network, declared: object, lost: str
) -> None:
    draft = one(replace(POST, languages=languages), target)
    payload = target.to_payload(draft, "key", (), None, draft.created_at)
    assert payload.get("record", payload).get("langs", payload.get("language")) == declared
    told = [loss.detail for loss in draft.losses]
    assert told == ([f"not declared on the copy: {lost}"] if lost else [])


# A default by account

ACCOUNTS = """
accounts:
  masto: {network: mastodon, server: https://mastodon.example, access_token: m, language: nb}
  bsky: {network: bluesky, handle: newsroom.example, app_password: b}
"""


@pytest.mark.parametrize(
    ("settings", "there", "back"),
    [
        ("", "nb", ""),
        (", language: de", "de", "de"),
        (", language: keep", "", ""),
        (", for: {bsky: {language: fr}}", "fr", ""),
        (", for: {mastodon: {language: fr}}", "nb", "fr"),
    ],
)
def test_an_account_has_a_language_unless_its_bots_say_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, there: str, back: str
) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_text(f"bots:\n  b: {{between: [masto, bsky]{settings}}}\n" + ACCOUNTS)
    found = {route.source: route.policy.language for route in config.bots["b"].routes}
    assert found == {"masto": there, "bsky": back}
    defaults = load_text(
        f"defaults: {{language: es}}\nbots:\n  b: {{from: masto, to: bsky}}{ACCOUNTS}"
    )
    assert defaults.bots["b"].routes[0].policy.language == "es"


def test_a_language_that_is_none_is_said_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (problem,) = complaints(ACCOUNTS.replace("language: nb", "language: norsk"))
    assert problem == "3:91: 'norsk' is not a language tag such as nb, en or en-GB"
