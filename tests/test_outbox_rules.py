"""What follows a failure is a value: these are its tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.network import (
    Busy,
    ClientError,
    LoginNeeded,
    OverBudget,
    Refused,
    Uncertain,
    Unreachable,
)
from bridge.outcome import (
    FIRST_WAIT,
    KEY_LIFE,
    LAST_FAILURE,
    LONGEST_WAIT,
    Resend,
    Settle,
    Stop,
    Wait,
    after,
    after_search,
    backoff,
)
from bridge.post import Draft, Post, Run
from bridge.store import QueuedDraft

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def in_doubt(**more: Any) -> QueuedDraft:
    values: dict[str, Any] = {
        "id": 1,
        "bot": "b",
        "target": "t",
        "source": "s",
        "source_id": "1",
        "source_url": "https://a.example/1",
        "generation": 0,
        "key": "k",
        "draft": Draft((Run("x"),), NOW),
        "backfill": False,
        "state": "sending",
        "attempts": 0,
        "attempted_at": NOW,
        "doubted_at": NOW,
        "newest": "0",
        "absences": 0,
        "uploads": (),
        "uploaded_at": None,
        "payload": {},
        "not_before": None,
        "error": "",
        "code": "",
        "approved": False,
    }
    return QueuedDraft(**{**values, **more})


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Busy("slow", NOW + 90 * SECOND), Wait(NOW + 90 * SECOND, "slow", "busy", "account")),
        (Busy("slow", NOW - 90 * SECOND), Wait(NOW + SECOND, "slow", "busy", "account")),
        (OverBudget("spent", NOW + 90 * SECOND), Stop("held", "spent", "budget")),
        (Unreachable("down"), Wait(NOW + 15 * SECOND, "down", "unreachable", "account")),
        (Refused("no"), Stop("dead", "no", "refused")),
        (LoginNeeded("token"), Wait(NOW + 3600 * SECOND, "token", "login", "login")),
        (Uncertain("cut"), Settle(NOW, "cut")),
        (ClientError("odd"), Wait(NOW + 15 * SECOND, "odd", "defect", "account")),
    ],
)
def test_what_becomes_of_a_draft(error: ClientError, outcome: object) -> None:
    assert after(error, 1, NOW, 0.5) == outcome


def test_what_fails_oddly_again_and_again_is_for_a_person() -> None:
    assert after(ClientError("odd"), LAST_FAILURE, NOW, 0.5) == Stop("held", "odd", "defect")


def test_a_refusal_in_doubt_says_nothing_of_what_stands_there() -> None:
    outcome = after(Refused("no"), 1, NOW, 0.5, in_doubt=True)
    assert isinstance(outcome, Stop)
    assert outcome.state == "held"


def test_pictures_without_words_are_never_taken_for_the_copy() -> None:
    silent = in_doubt(draft=Draft((), NOW))
    outcome = after_search(silent, [found("9")], NOW, keeps_keys=False)
    assert isinstance(outcome, Stop)
    assert outcome.state == "held"
    marked = replace(found("9"), mark="k")
    assert after_search(silent, [marked], NOW, keeps_keys=False) is marked


def test_a_server_that_stays_uncertain_is_left_alone_for_a_while() -> None:
    assert after(Uncertain("cut"), 1, NOW, 0.5, in_doubt=True) == Settle(NOW + 15 * SECOND, "cut")
    assert after(Uncertain("cut"), 3, NOW, 0.5, in_doubt=True) == Settle(NOW + 60 * SECOND, "cut")


@given(st.integers(0, 10_000), st.floats(0, 0.999))
def test_waits_grow_to_their_ceiling_and_no_further(failures: int, jitter: float) -> None:
    wait = backoff(failures, jitter)
    assert FIRST_WAIT * 0.875 <= wait <= LONGEST_WAIT * 1.125
    assert wait <= backoff(failures + 1, jitter)


def found(post_id: str) -> Post:
    return Post("t", post_id, f"https://t.example/{post_id}", NOW, (Run("x"),))


def test_one_match_is_the_copy() -> None:
    match = found("9")
    for keeps_keys in (True, False):
        assert after_search(in_doubt(), [match], NOW, keeps_keys=keeps_keys) is match


def test_several_matches_are_for_a_person() -> None:
    outcome = after_search(in_doubt(), [found("8"), found("9")], NOW, keeps_keys=False)
    assert isinstance(outcome, Stop)
    assert outcome.state == "held"
    assert "https://t.example/8, https://t.example/9" in outcome.reason


def test_where_keys_are_kept_the_key_tells_which_of_several_it_is() -> None:
    both = [found("8"), found("9")]
    assert isinstance(after_search(in_doubt(), both, NOW, keeps_keys=True), Wait)
    assert after_search(in_doubt(), both, NOW + 60 * SECOND, keeps_keys=True) == Resend()


def test_where_keys_are_kept_an_absent_draft_is_sent_again_after_a_minute() -> None:
    early = after_search(in_doubt(), [], NOW + 10 * SECOND, keeps_keys=True)
    assert isinstance(early, Wait)
    assert early.until == NOW + 60 * SECOND
    assert after_search(in_doubt(), [], NOW + 60 * SECOND, keeps_keys=True) == Resend()


def test_a_key_older_than_its_life_is_not_relied_on() -> None:
    late = NOW + KEY_LIFE
    draft = in_doubt(attempted_at=late - 90 * SECOND)
    assert isinstance(after_search(draft, [], late, keeps_keys=True), Wait)
    draft = in_doubt(attempted_at=late - 90 * SECOND, absences=1)
    assert isinstance(after_search(draft, [], late, keeps_keys=True), Stop)


def test_where_no_keys_are_kept_two_readings_without_it_leave_it_to_a_person() -> None:
    first = after_search(in_doubt(), [], NOW, keeps_keys=False)
    assert isinstance(first, Wait)
    assert (first.until, first.absent, first.blocks) == (NOW + 30 * SECOND, True, "account")
    second = after_search(in_doubt(absences=1), [], NOW + 30 * SECOND, keeps_keys=False)
    assert isinstance(second, Stop)
    assert second.state == "held"


def test_a_text_that_may_be_sent_again_is_so_once() -> None:
    absent_twice = in_doubt(absences=1)
    assert after_search(absent_twice, [], NOW, keeps_keys=False, may_resend=True) == Resend()
    first = after_search(in_doubt(), [], NOW, keeps_keys=False, may_resend=True)
    assert isinstance(first, Wait)
    resent = in_doubt(absences=1, attempted_at=NOW + 60 * SECOND)
    assert isinstance(
        after_search(resent, [], NOW + 90 * SECOND, keeps_keys=False, may_resend=True), Stop
    )
