"""Names and tags against the AT Protocol's own cases of syntax."""

from __future__ import annotations

import re
from collections.abc import Callable

from bridge.networks.bluesky import NETWORK
from bridge.networks.bluesky.write import declared, tid_micros
from tests.test_text_length import cases

#: sound by the specification, and in no post's language: these are not declared
OLD_FORMS = {"sgn-BE-NL", "i-default", "i-navajo", "X-fr-CH", "de-X-foo"}
#: longer than the 253 characters of a handle, which a config that names it learns from the network
TOO_LONG = 253


def is_handle(text: str) -> bool:
    return re.fullmatch(NETWORK.handle, text.casefold()) is not None


CHECKS: dict[str, Callable[[str], bool]] = {
    "language": lambda tag: declared((tag,)) == (tag,),
    "language_parse": lambda tag: declared((tag,)) == (tag,),
    "tid": lambda key: tid_micros(key) is not None,
    "handle": is_handle,
}


def test_the_syntax_of_names_and_tags_agrees_with_the_protocols_own_cases() -> None:
    agree = apart = 0
    for case in cases("atproto_syntax.json"):
        check, value = CHECKS.get(case["kind"]), case["value"]
        if check is None:
            continue
        if value in OLD_FORMS or (case["kind"] == "handle" and len(value) > TOO_LONG):
            apart += 1
            continue
        assert check(value) == case["valid"], case
        agree += 1
    print(f"{agree} cases of syntax agree, {apart} left out")
    assert (agree, apart) == (156, 6)


def test_the_first_part_of_a_language_is_declared_in_lower_case() -> None:
    assert declared(("NB-no", "JA", "en-a-foo-a-bar")) == ("nb-no", "ja")
