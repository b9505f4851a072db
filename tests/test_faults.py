"""Every kind of request with every fault comes out as docs/reference/faults.md says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.faults.deliveries import WAYS, Delivery
from tests.faults.requests import KINDS, Rig, try_out
from tests.faults.trouble import FAULTS
from tests.pages import code, rows, section, text_of

PAGE = text_of("docs/reference/faults.md")
#: kind of request -> the column in which its outcomes stand
GROUPS = {kind: group for kind, group, _ in rows(PAGE, "## Kinds of request")}

Table = Mapping[tuple[str, str], str]


def table(heading: str, groups: Mapping[str, str]) -> Table:
    """What a table says, by fault and kind."""
    text = section(PAGE, heading)
    head = next(line for line in text.split("\n") if line.startswith("| Fault"))
    columns = [cell.strip() for cell in head.strip("|").split(" | ")][1:]
    found = {}
    for fault, *cells in rows(PAGE, f"## {heading}"):
        by_group = dict(zip(columns, cells, strict=True))
        for kind, group in groups.items():
            found[fault, kind] = outcome(by_group[group], kind)
    return found


def outcome(cell: str, kind: str) -> str:
    """What a cell says of one kind: the exception for it or for its network, else the rule."""
    rule, *exceptions = cell.replace("`", "").split("; ")
    told = dict(exception.split(": ") for exception in exceptions)
    return told.get(kind) or told.get(kind.split(" ", maxsplit=1)[0]) or rule


COLUMNS = {"renewal": "login", "boost": "post"}
WAY_GROUPS = {way: COLUMNS.get(kind := way.split(" ")[-1], kind) for way in WAYS}
OUTCOMES = table("Outcomes", GROUPS)
FATES = table("What becomes of the post", WAY_GROUPS)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Delivery]]:
    """The world of a way, made when it is first asked for."""
    made: dict[str, Delivery] = {}

    def of(way: str) -> Delivery:
        if way not in made:
            folder: Path = tmp_path_factory.mktemp("way")
            made[way] = Delivery(folder, WAYS[way])
        return made[way]

    yield of
    for each in made.values():
        each.close()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_on_a_request_comes_out_as_the_page_says(rig: Rig, kind: str, fault: str) -> None:
    with_it, after_it, struck = try_out(rig, KINDS[kind], FAULTS[fault])
    assert struck
    assert with_it.word == OUTCOMES[fault, kind], with_it.text
    assert not [secret for secret in rig.secrets() if secret in with_it.text]
    assert not rig.elsewhere.requests
    assert after_it.word == "ok", after_it.text


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("way", WAYS)
def test_a_post_that_meets_a_fault_ends_as_the_page_says(
    delivery: Callable[[str], Delivery], way: str, fault: str
) -> None:
    fate, struck = delivery(way).fate(FAULTS[fault])
    assert struck
    assert fate == FATES[fault, way]


def test_the_page_is_complete() -> None:
    assert set(GROUPS) == set(KINDS)
    assert {(fault, kind) for fault in FAULTS for kind in KINDS} == set(OUTCOMES)
    assert {(fault, way) for fault in FAULTS for way in WAYS} == set(FATES)
    for kind, _, request in rows(PAGE, "## Kinds of request"):
        assert code(request)[0] == KINDS[kind].match
    combinations = len(OUTCOMES) + len(FATES)
    print(f"{combinations} combinations of a request and a fault")
    assert f"{combinations}\ncombinations" in PAGE


@pytest.mark.parametrize(
    ("kind", "said"),
    [("twitter post", "Busy"), ("bluesky renewal", "ok"), ("bluesky post", "Refused")],
)
def test_exceptions_in_a_cell_are_read(kind: str, said: Any) -> None:
    assert outcome("`Refused`; twitter: `Busy`; bluesky renewal: ok", kind) == said
