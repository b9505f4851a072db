"""Texts without their links."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.post import Run
from bridge.text import defuse_links, drop_links, has_link, x_entities

URL = "https://ferje.example.com/rute"


def link(words: str = URL) -> Run:
    return Run(words, "link", URL)


def text_of(runs: tuple[Run, ...]) -> str:
    return "".join(run.text for run in runs)


@pytest.mark.parametrize(
    ("runs", "left"),
    [
        ((Run("Les mer på "), link(), Run(" #Ferje")), "Les mer på #Ferje"),
        ((Run("Les mer: "), link("ferje.example.com/ru…")), "Les mer:"),
        ((Run("Tittel\n\n"), link(), Run("\n\nMehr dazu")), "Tittel\n\nMehr dazu"),
        ((Run("Tittel "), link(), Run("\n\nMehr dazu")), "Tittel\n\nMehr dazu"),
        ((Run("Rutene ("), link(), Run(") er nye")), "Rutene er nye"),
        ((Run("Se "), link(), Run(". Hilsen oss")), "Se. Hilsen oss"),
        ((link(), Run(" er den nye siden")), "er den nye siden"),
        ((Run("Se "), link("hele tabellen"), Run(" her")), "Se hele tabellen her"),
        ((Run(f"Se {URL} og http://b.example nå"),), "Se og nå"),
        ((Run("Skriv til post@ferje.example.com"),), "Skriv til post@ferje.example.com"),
        ((Run("Takk til "), Run("Kari", "mention", "https://b.example/@kari", "Kari")), "Takk til Kari"),
        ((link(),), ""),
    ],
)  # fmt: skip
def test_urls_are_left_out_and_words_stay(runs: tuple[Run, ...], left: str) -> None:
    dropped = drop_links(runs)
    assert text_of(dropped) == left
    assert all(run.kind != "link" for run in dropped)


def test_other_runs_keep_their_kind() -> None:
    tag = Run("#Ferje", "hashtag", "Ferje")
    assert drop_links((Run("Nytt "), link(), Run(" "), tag)) == (Run("Nytt "), tag)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Se ferje.example.com i dag", "Se ferje(.)example(.)com i dag"),
        ("example.com/a.b?c=www.test.no", "example(.)com/a.b?c=www(.)test(.)no"),
        ("東京はexample.jpで", "東京はexample(.)jpで"),
        ("post@example.com, kl. 12.30", "post@example.com, kl. 12.30"),
        ("Ingen lenke.", "Ingen lenke."),
    ],
)
def test_names_of_sites_are_spelled_so_that_x_sees_no_link(text: str, spelled: str) -> None:
    assert text_of(defuse_links((Run(text),))) == spelled


PIECES = st.sampled_from(
    [*"./@#( )\n-:_", "www.", "com", "no", "example.com", "https://", "a", "東京", "é", "co.uk", "?b=", "x.io"]
)  # fmt: skip


@given(st.lists(st.tuples(st.lists(PIECES, max_size=6).map("".join), st.booleans()), max_size=6))
def test_whatever_the_text_x_finds_no_link_in_what_is_left(words: list[tuple[str, bool]]) -> None:
    runs = tuple(Run(text, "link", URL) if is_link else Run(text) for text, is_link in words)
    left = defuse_links(drop_links(runs))
    assert [span for span in x_entities(text_of(left)) if span.kind == "link"] == []
    assert not has_link(left)


@pytest.mark.parametrize(
    ("runs", "has"),
    [
        ((Run("Hei"),), False),
        ((Run("Hei fra example.com"),), True),
        ((Run("Hei fra "), Run("oss", "link", URL)), True),
        ((Run("exam"), Run("ple.com")), True),
        ((Run("post@example.com"),), False),
    ],
)
def test_what_has_a_link(runs: tuple[Run, ...], has: bool) -> None:
    assert has_link(runs) is has
