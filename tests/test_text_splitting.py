from collections.abc import Callable
from itertools import pairwise

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.post import Run
from bridge.text import graphemes, mastodon_length, split_runs, truncate_runs, weighted_length

many = settings(deadline=None, derandomize=True, max_examples=300)

pieces = st.sampled_from(
    [
        "hei", "på ", "deg. ", "\n", "\n\n", " ", "\r\n", "東京", "駅。", "สวัสดี",
        "👨‍👩‍👧", "e\u0301", "\u0301", "a\u00a0b",
        "لنا؟ ", "https://nrk.no/abc", "ord-ord", "!", "(", "langtordutenmellomrom",
    ]
)  # fmt: skip
texts = st.lists(pieces, max_size=25).map("".join)
runs_strategy = st.lists(
    st.one_of(
        texts.map(Run),
        st.builds(Run, st.sampled_from(["nrk.no/sak", "a b", "🇳🇴x"]), st.just("link")),
        st.builds(Run, st.sampled_from(["@kari", "@ola@s.no"]), st.just("mention")),
        st.builds(Run, st.sampled_from(["#Oslo", "#東京"]), st.just("hashtag")),
    ),
    max_size=8,
).map(tuple)  # fmt: skip


def text_of(runs: tuple[Run, ...]) -> str:
    return "".join(run.text for run in runs)


def split(text: str, limit: int) -> list[str]:
    return [text_of(part) for part in split_runs((Run(text),), up_to(limit))]


def up_to(limit: int) -> Callable[[str], bool]:
    return lambda text: graphemes(text) <= limit


def without_space(text: str) -> str:
    return "".join(text.split())


@many
@given(runs_strategy, st.integers(1, 40))
def test_every_part_fits_and_nothing_is_lost(runs: tuple[Run, ...], limit: int) -> None:
    fits = up_to(limit)
    parts = split_runs(runs, fits)
    for part in parts:
        assert fits(text_of(part))
        assert text_of(part).strip()
    assert without_space("".join(map(text_of, parts))) == without_space(text_of(runs))
    whole = [run for run in runs if run.kind != "text" and fits(run.text)]
    assert [run for part in parts for run in part if run.kind != "text"] == whole


@many
@given(texts, st.integers(1, 20))
def test_no_grapheme_is_cut(text: str, limit: int) -> None:
    def clusters(of: str) -> list[str]:
        return [c for c in regex.findall(r"\X", of) if not c.isspace()]

    assert [c for part in split(text, limit) for c in clusters(part)] == clusters(text)


@many
@given(runs_strategy, st.integers(1, 40))
def test_a_truncated_text_fits_and_is_a_start_of_the_whole(
    runs: tuple[Run, ...], limit: int
) -> None:
    fits = up_to(limit)
    short = truncate_runs(runs, fits)
    assert fits(text_of(short))
    if fits(text_of(runs)):
        assert short == runs
    else:
        assert short[-1].text.endswith("…")
        start = without_space(text_of(short).removesuffix("…"))
        assert without_space(text_of(runs)).startswith(start)


@pytest.mark.parametrize(("count", "limit"), [(weighted_length, 280), (mastodon_length, 500)])
def test_ten_thousand_characters_with_links_are_split_by_the_networks_rules(
    count: Callable[[str], int], limit: int
) -> None:
    def fits(text: str) -> bool:
        return count(text) <= limit

    # A URL counts 23 from the moment that it is one: the measure is not quite monotone here.
    text = (
        "Dette skjer i dag. Les mer på nrk.no/sak/1 eller https://www.dr.dk/nyheder/2 🎉!\n\n" * 125
    )
    parts = split_runs((Run(text),), fits)
    assert all(fits(text_of(part)) for part in parts)
    assert without_space("".join(map(text_of, parts))) == without_space(text)
    assert all(text_of(part).endswith("!") for part in parts)


def test_a_measure_that_shrinks_as_text_grows_is_never_exceeded() -> None:
    text = "se nrk.nope.nrk.no/sak og nrk.notto " * 20
    for limit in range(26, 60, 5):

        def fits(text: str, limit: int = limit) -> bool:
            return weighted_length(text) <= limit

        assert all(fits(text_of(part)) for part in split_runs((Run(text),), fits))


def test_a_better_place_that_does_not_fit_after_all_is_passed_over() -> None:
    def fits(text: str) -> bool:
        return len(text) <= 10 and text != "en to"

    assert split_runs((Run("en to trefire fem"),), fits) == [
        (Run("en to tref"),),
        (Run("ire fem"),),
    ]


def test_a_text_that_fits_is_one_part_as_it_is() -> None:
    runs = (Run("Takk, "), Run("@kari", "mention"), Run("!\n\nHilsen Ola"))
    assert split_runs(runs, up_to(100)) == [runs]
    assert split_runs((), up_to(10)) == []
    assert split_runs((Run(" \n "),), up_to(10)) == []


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("En to.\n\nTre fire. Fem seks", 20, ["En to.\n\nTre fire.", "Fem seks"]),
        ("En to tre fire.\n\nFem. Seks sju", 20, ["En to tre fire.", "Fem. Seks sju"]),
        ("En to tre fire\nfem. Seks sju", 22, ["En to tre fire", "fem. Seks sju"]),
        ("En to tre fire! Fem seks sju", 20, ["En to tre fire!", "Fem seks sju"]),
        ("Ja. En setning som er altfor lang", 20, ["Ja. En setning som", "er altfor lang"]),
        ("Er det slik؟ نعم بالتأكيد", 16, ["Er det slik؟", "نعم بالتأكيد"]),
        ("今日は晴れ。明日は雨です", 9, ["今日は晴れ。", "明日は雨です"]),
        ("彼は「行く。」と言った", 9, ["彼は「行く。」", "と言った"]),
        ("Ny 東京駅の新しい建物です", 10, ["Ny 東京駅の新しい", "建物です"]),
        ("langtordutenmellomrom", 10, ["langtordut", "enmellomro", "m"]),
        ("en https://avis.example/sak/1", 26, ["en", "https://avis.example/sak/1"]),
        ("pris 100\u00a0kr nå", 10, ["pris", "100\u00a0kr nå"]),
    ],
)  # fmt: skip
def test_a_part_ends_at_the_best_place(text: str, limit: int, parts: list[str]) -> None:
    assert split(text, limit) == parts


def test_links_mentions_and_hashtags_stay_whole() -> None:
    link = Run("avis.example/en lang sak", "link", "https://avis.example/en-lang-sak")
    tag = Run("#Oslo", "hashtag", "Oslo")
    parts = split_runs((Run("Les mer her: "), link, Run(" "), tag), up_to(25))
    assert parts == [(Run("Les mer her:"),), (link,), (tag,)]


def test_a_link_too_long_for_any_part_is_cut_as_text() -> None:
    parts = split_runs((Run("a" * 25, "link", "https://a.no"),), up_to(10))
    assert parts == [(Run("a" * 10),), (Run("a" * 10),), (Run("a" * 5),)]


def test_a_limit_below_one_grapheme_is_an_error() -> None:
    with pytest.raises(ValueError, match="fits the limit"):
        split_runs((Run("hei"),), up_to(0))
    with pytest.raises(ValueError, match="ending"):
        truncate_runs((Run("hei"),), up_to(0))


def test_parts_are_filled_as_far_as_words_allow() -> None:
    parts = split("ord " * 200, 50)
    assert all(len(one) + 1 + len("ord") > 50 for one, _ in pairwise(parts))


def test_truncation_ends_after_a_word() -> None:
    assert truncate_runs((Run("Blåbærsyltetøy på skiva"),), up_to(20)) == (
        Run("Blåbærsyltetøy på…"),
    )
    assert truncate_runs((Run("Blåbærsyltetøy"),), up_to(5)) == (Run("Blåb…"),)
    assert truncate_runs((Run("東京駅の新しい"),), up_to(5)) == (Run("東京駅の…"),)
    assert truncate_runs((Run("hei"),), up_to(1)) == (Run("…"),)


def test_the_ending_does_not_become_part_of_a_link() -> None:
    link = Run("nrk.no/sak", "link", "https://nrk.no/sak")
    runs = (Run("Les "), link, Run(" med en gang"))
    assert truncate_runs(runs, up_to(16)) == (Run("Les "), link, Run(" …"))
    assert truncate_runs(runs, up_to(15)) == (Run("Les…"),)
    more = (Run(" … "), Run("a.no", "link", "https://a.no"))
    assert truncate_runs(runs, up_to(12), more) == (Run("Les … "), more[1])


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("א ב \u2066one two\u2069 ג", 9, ["א ב", "\u2066one two\u2069", "ג"]),
        # one that is too long by itself, or is never closed, is text like any other
        ("\u2067one two three\u2069", 9, ["\u2067one two", "three\u2069"]),
        ("a \u2068one two three", 9, ["a \u2068one", "two three"]),
        # one within another
        ("a \u2066b \u2067c d\u2069 e\u2069 f", 11, ["a", "\u2066b \u2067c d\u2069 e\u2069", "f"]),
        # a vowel of Thai that is written first stays with its consonant, and one after it too
        ("กกเกา", 3, ["กก", "เกา"]),
        # small kana and marks of repetition begin no part
        ("だっただった", 4, ["だった", "だった"]),
        ("なになに人々は", 5, ["なになに", "人々は"]),
        # signs of ASCII end a sentence before a language without spaces
        ("はい!明日は雨です", 8, ["はい!明日は雨で", "す"]),
        ("今日は晴れ!明日は雨", 9, ["今日は晴れ!", "明日は雨"]),
    ],
)
def test_what_belongs_together_is_not_parted(text: str, limit: int, parts: list[str]) -> None:
    assert split(text, limit) == parts
