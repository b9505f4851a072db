"""Every golden case, through the functions that the daemon uses."""

from __future__ import annotations

import pytest

from tests import corpus
from tests.corpus import matrix
from tests.corpus.form import difference

CASES = list(corpus.cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file.stem)
def test_case(case: corpus.Case) -> None:
    found = corpus.outcome(case)
    assert found == case.to, f"{case.about}\n{difference(case, found)}"


def test_every_cell_of_the_matrix_has_a_case() -> None:
    empty = matrix.without_case(CASES)
    print(f"{len(CASES)} cases, {len(empty)} cells without one")
    assert empty == []


def test_the_page_of_the_matrix_is_current() -> None:
    assert matrix.PAGE.read_text("utf-8") == matrix.page(CASES), "python -m tests.corpus --update"


def test_every_case_has_a_row_and_every_cell_says_what_happens() -> None:
    rows = matrix.rows()
    assert {case.feature for case in CASES} == set(rows)
    assert [
        (name, *way) for name, row in rows.items() for way in matrix.DIRECTIONS
        if not matrix.cell(row, *way)
    ] == []  # fmt: skip


def test_the_settings_of_a_row_are_those_that_its_cases_change() -> None:
    for name, row in matrix.rows().items():
        used = set().union(*(matrix.settings_of(c) for c in CASES if c.feature == name))
        assert used == set(row.get("settings", ())), name
