from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bridge.post import Draft, Loss, Media, Ref, Run, idempotency_key, replace_in_runs

LINK = Run("lenke", "link", "https://a.example/")


def test_replacing_plain_text_leaves_links_alone() -> None:
    runs = (Run("se "), LINK, Run(" nå"))
    assert replace_in_runs(runs, 0, 2, "les") == (Run("les "), LINK, Run(" nå"))
    assert replace_in_runs(runs, 11, 11, "!") == (Run("se "), LINK, Run(" nå!"))


def test_a_link_that_is_covered_whole_goes_and_one_that_is_cut_keeps_its_target() -> None:
    runs = (Run("se "), LINK, Run(" nå"))
    assert replace_in_runs(runs, 3, 8, "x") == (Run("se x nå"),)
    cut = replace_in_runs(runs, 2, 5, "-")
    assert [r.text for r in cut] == ["se-", "nke", " nå"]
    assert cut[1].target == LINK.target


@given(
    st.lists(st.tuples(st.text(max_size=5), st.booleans()), max_size=5),
    st.integers(0, 30),
    st.integers(0, 30),
    st.text(max_size=5),
)
def test_replacing_changes_the_text_as_it_would_change_a_string(
    pieces: list[tuple[str, bool]], start: int, length: int, new: str
) -> None:
    runs = tuple(Run(t, "link", "https://x.example") if link else Run(t) for t, link in pieces)
    text = "".join(run.text for run in runs)
    start = min(start, len(text))
    end = min(start + length, len(text))
    changed = replace_in_runs(runs, start, end, new)
    assert "".join(run.text for run in changed) == text[:start] + new + text[end:]


def test_a_draft_survives_json() -> None:
    draft = Draft(
        (Run("مرحبا "), Run("#x", "hashtag", "x")),
        datetime(2026, 11, 22, 1, 2, 3, 4000, tzinfo=UTC),
        part=2,
        parts=3,
        languages=("ar",),
        content_warning="w",
        media=(Media("image", "https://a.example/i", "alt", width=3, height=4),),
        reply_to=Ref("1", uri="at://x"),
        losses=(Loss("poll", "gone"),),
    )
    assert Draft.from_json(draft.to_json()) == draft


def test_keys_are_derived_and_differ_by_every_ingredient() -> None:
    base = ("t", "s", "1", 1, 0)
    others = [("u", "s", "1", 1, 0), ("t", "r", "1", 1, 0), ("t", "s", "2", 1, 0)]
    others += [("t", "s", "1", 2, 0), ("t", "s", "1", 1, 1), ("ts", "", "1", 1, 0)]
    assert idempotency_key(*base) == idempotency_key(*base)
    assert len({idempotency_key(*x) for x in [base, *others]}) == 7
