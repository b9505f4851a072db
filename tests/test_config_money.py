"""Budgets and prices of accounts in the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config_files import complaints, load_text


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


KEYS = "network: twitter, api_key: a, api_key_secret: b, access_token: c, access_token_secret: d"
OTHER = "  m: {network: mastodon, server: https://m.example, access_token: t}\n"


def with_x(more: str = "", bots: str = "") -> str:
    """A configuration whose account x stands at 2:3; `more` begins at 3:5."""
    keys = KEYS.replace(", ", "\n    ")
    return f"accounts:\n  x:\n    {more}\n    {keys}\n{OTHER}{bots}"


TARGET = "bots: {news: {from: m, to: x}, more: {from: m, to: x}}\n"


def test_a_target_on_twitter_needs_a_budget() -> None:
    assert complaints(with_x(bots=TARGET)) == [
        "2:3: account 'x' needs budget, because bot 'news' posts to it: "
        "what X may charge: write budget: {usd_per_month: 30}"
    ]


def test_a_budget_is_needed_of_targets_on_twitter_alone() -> None:
    source = load_text(with_x(bots="bots: {news: {from: x, to: m}}\n"))
    assert "budget" not in source.accounts["x"].settings
    assert load_text(with_x()).accounts


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("budget: {}", ["3:13: 'budget' needs usd_per_month: US dollars in a calendar month, UTC; what would cost more is held"]),
        ("budget: 30", ["3:13: 'budget' takes a map of settings, not a single value"]),
        ("budget:", ["3:5: 'budget' has no value; give it one, or remove the line"]),
        (
            "budget: {usd_per_mont: 30}",
            [
                "3:13: 'budget' needs usd_per_month: US dollars in a calendar month, UTC; what would cost more is held",
                "3:14: unknown setting 'usd_per_mont'; did you mean 'usd_per_month'?",
            ],
        ),
        ("budget: {usd_per_month: lots}", ["3:29: 'usd_per_month' takes US dollars, such as 30 or 0.015, not 'lots'"]),
        ("budget: {usd_per_month: -1}", ["3:29: 'usd_per_month' takes US dollars, such as 30 or 0.015, not '-1'"]),
        ("budget: {usd_per_month: 1e3}", ["3:29: 'usd_per_month' takes US dollars, such as 30 or 0.015, not '1e3'"]),
        ("budget: {usd_per_month: .inf}", ["3:29: 'usd_per_month' takes US dollars, such as 30 or 0.015, not '.inf'"]),
        ("budget: {usd_per_month: 012}", ["3:29: 'usd_per_month' takes US dollars, such as 30 or 0.015, not '012'"]),
        ("budget: {usd_per_month: [1]}", ["3:29: 'usd_per_month' takes US dollars, such as 30 or 0.015, not a list"]),
        ("budget: {usd_per_month: true}", ["3:29: 'usd_per_month' takes US dollars, such as 30 or 0.015, not 'true'"]),
        (
            "budget: {usd_per_month: 3}\n    prices: {post_with_link: 1}",
            ["4:14: unknown setting 'post_with_link'; did you mean 'post_with_url'?"],
        ),
        (
            "budget: {usd_per_month: 3}\n    prices: {post: free}",
            ["4:20: 'post' takes US dollars, such as 30 or 0.015, not 'free'"],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_money_is_told_with_its_place(more: str, told: list[str]) -> None:
    assert complaints(with_x(more, TARGET)) == told


def test_no_other_network_knows_a_budget() -> None:
    text = with_x().replace("access_token: t}", "access_token: t, budget: {usd_per_month: 1}}")
    assert complaints(text) == ["9:70: unknown setting 'budget'"]


def test_prices_that_are_not_given_are_those_of_the_list() -> None:
    more = 'budget: {usd_per_month: "${USD}"}\n    prices: {post: 0.02}'
    settings = load_text(with_x(more, TARGET), {"USD": "12.50"}).accounts["x"].settings
    assert settings["budget"] == {"usd_per_month": 12.5}
    assert settings["prices"] == {
        "post": 0.02,
        "post_with_url": 0.2,
        "delete": 0.01,
        "repost": 0.015,
        "media_metadata": 0.005,
        "owned_read": 0.001,
        "post_read": 0.005,
        "user_read": 0.01,
    }
