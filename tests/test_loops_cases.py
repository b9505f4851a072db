"""Loops, case by case: who answers, boosts and quotes what, and other bridges on the same accounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world import world

# Threads that several bots share


@pytest.mark.parametrize("first", ["news", "rest"])
def test_a_thread_goes_on_although_another_bot_took_its_beginning(
    tmp_path: Path, first: str
) -> None:
    bots = {
        "news": "{from: m, to: b, only: {hashtags: [news]}}",
        "rest": "{from: m, to: b, skip: {hashtags: [news]}}",
    }
    order = sorted(bots, key=lambda name: name != first)
    with world(tmp_path, "\n".join(f"{name}: {bots[name]}" for name in order)) as w:
        w.turn()
        start = w.say("m", "Broen er stengt #news")
        w.say("m", "Den åpner igjen mandag", reply_to=start)
        w.rest(3)
        copies = w.copies("b")
        assert [c.text for c in copies] == ["Broen er stengt #news", "Den åpner igjen mandag"]
        assert copies[1].reply_to == copies[0].id
