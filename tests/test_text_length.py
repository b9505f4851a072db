import json
from pathlib import Path
from typing import Any

import pytest

from bridge.text import byte_length, graphemes, mastodon_length, weighted_length

CONFORMANCE = Path(__file__).resolve().parents[2] / "shared" / "conformance"

FAMILY = "👨‍👩‍👧‍👦"


def cases(name: str) -> list[dict[str, Any]]:
    path = CONFORMANCE / name
    if not path.exists():
        pytest.skip(f"the conformance data {name} is not beside this repository")
    return list(json.loads(path.read_text("utf-8"))["cases"])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Hei på deg", 10),
        ("linje\r\nlinje", 11),
        (FAMILY, 1),
        ("🇳🇴🇩🇰", 2),
        ("e\u0301te\u0301", 3),
        ("مرحبا", 5),
    ],
)
def test_graphemes_are_what_a_reader_takes_for_characters(text: str, count: int) -> None:
    assert graphemes(text) == count


def test_bytes_are_those_of_utf8_even_for_half_a_surrogate_pair() -> None:
    assert byte_length("blåbær") == 8
    assert byte_length(FAMILY) == 25
    assert byte_length("\ud800") == 3


def test_atproto_counts_agree() -> None:
    data = cases("atproto_grapheme_length.json")
    for case in data:
        assert graphemes(case["text"]) == case["graphemes"], case
        assert byte_length(case["text"]) == case["utf8_bytes"], case
    print(f"{len(data)} atproto lengths agree")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Les mer: https://avis.example/en/ganske/lang/adresse/som/er/lang", 9 + 23),
        ("kort https://a.no", 5 + 23),
        ("uten skjema avis.example/sak", 28),
        ("hei @kari@sosial.example!", 10),
        ("hei @kari!", 10),
        ("skriv til post@avis.example", 27),
        (f"familie {FAMILY}", 9),
        ("(se https://no.wikipedia.org/wiki/Oslo_(by))", 4 + 23 + 1),
    ],
)
def test_mastodon_counts_a_url_as_23_and_a_mention_without_its_server(
    text: str, count: int
) -> None:
    assert mastodon_length(text) == count


def test_mastodon_counts_the_content_warning_and_the_servers_own_url_length() -> None:
    assert mastodon_length("abc", "mat 🍕") == 8
    assert mastodon_length("https://avis.example", url_length=30) == 30


def test_mastodon_length_of_a_post_with_everything() -> None:
    text = f"hi https://example.com/{'a' * 99} @bob@example.social 👨‍👩‍👧"
    assert mastodon_length(text, "cw") == 35


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("Grüße aus Köln", 14),
        ("مرحبا", 5),
        ("漢字", 4),
        ("Hi http://test.co", 26),
        ("se nrk.no og dr.dk/nyheder", 3 + 23 + 4 + 23),
        ("ikke@nrk.no", 11),
        ("v1.2 og fil.txt", 15),
        (FAMILY, 2),
        ("🙋🏽👨‍🎤", 4),
        ("🇳🇴", 2),
        ("1⃣ #️⃣", 5),
        ("❤️‍🔥", 2),
        ("🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", 2),
        ("© 2026", 6),
        ("A\u0301", 1),
        ("“sitat” – slutt", 15),
    ],
)
def test_x_weighs(text: str, weight: int) -> None:
    assert weighted_length(text) == weight


def test_every_weight_of_twitter_text_agrees() -> None:
    data = cases("twitter_weighted_length.json")
    for case in data:
        same = case["config"] == "v3" or case["holds_for_v3"]
        expected = case["expected"]["weightedLength"] if same else case["v3_weightedLength"]
        assert weighted_length(case["text"]) == expected, case["id"]
    print(f"{len(data)} weights agree")
