from __future__ import annotations

import re
from typing import get_args

from bridge.remedies import REMEDIES, remedy
from bridge.store import Code
from tests.make_reference import every_command


def test_every_reason_has_its_remedy() -> None:
    assert set(REMEDIES) == set(get_args(Code))


def test_remedies_name_commands_that_there_are() -> None:
    named = [c for words in REMEDIES.values() for c in re.findall(r"`tribridge ([a-z ]+)", words)]
    assert len(named) > 10
    assert {command.strip() for command in named} <= set(every_command())


def test_a_remedy_names_the_draft_and_its_bot() -> None:
    assert remedy("doubt", 12, "newsroom").endswith("else `tribridge outbox retry 12`")
    assert "--bot newsroom`" in remedy("breaker", 12, "newsroom")
