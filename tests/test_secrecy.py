from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge import secrecy
from bridge.network import Busy, Refused
from tests.world import Clock

SECRET = 'a"b/c d-e'


@pytest.fixture(autouse=True)
def _kept() -> Iterator[None]:
    secrecy.keep([SECRET, "kort"])
    yield
    secrecy.forget([SECRET])


@pytest.mark.parametrize("said", ['a"b/c d-e', 'a\\"b/c d-e', "a%22b%2Fc%20d-e"])
def test_a_secret_is_blotted_out_however_it_is_written(said: str) -> None:
    assert secrecy.redact(f"not {said}!") == "not [secret]!"


def test_what_is_too_short_to_be_a_secret_stays() -> None:
    assert secrecy.redact("kort sagt") == "kort sagt"


def test_no_error_passes_on_a_secret_that_a_server_repeats() -> None:
    assert str(Refused(f"bad token {SECRET}")) == "bad token [secret]"
    assert str(Busy(f"slow down, {SECRET}", Clock()())) == "slow down, [secret]"


def test_what_was_exchanged_is_secret_no_more() -> None:
    secrecy.forget([SECRET])
    assert secrecy.redact(SECRET) == SECRET
