"""A state that was lost, or an old one that was restored: noticed, held, and mended."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

from bridge import daemon
from bridge.workers import Engine
from tests.world import World, world

BOTS = """
three: {between: [m, b, x], backfill: all}
one: {from: m2, to: [b2, x2], backfill: all}
"""


@pytest.fixture(params=["mastodon", "gotosocial"])
def w(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    with world(tmp_path, BOTS, flavour=request.param) as made:
        run_once(made)
        yield made


def run_once(w: World, times: int = 4) -> None:
    """What `tribridge once` does, in this process, with the clock of the world."""
    for _ in range(times):
        engine = Engine(w.config, w.store, w.accounts, report=lambda *_: None)
        daemon.once(engine, w.store)
        w.clock.advance(minutes=2)


def command(w: World, *words: str) -> Result:
    w.store.close()
    done = w.command(*words)
    w.restart()
    return done


def picture() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(data, "PNG")
    return data.getvalue()


def speak(w: World) -> None:
    """Some posts of every kind, mirrored in every direction."""
    first = w.say("m", "Én: isen ligger på fjorden")
    w.say("b", "Zwei: die Fähre fährt wieder")
    w.say("x", "Three: the market opens at nine")
    w.say("m", "Fire: " + " ".join(["ord"] * 110))
    w.say("m2", "خمسة: وصلت السفينة", images=[(picture(), "سفينة")])
    run_once(w)
    w.say("m", "Seks: og den blir liggende", reply_to=first)
    run_once(w)


def standing(w: World) -> dict[str, list[str]]:
    return {name: [entry.text for entry in w.journal(name)] for name in ("m", "b", "x", "b2", "x2")}


def lose(w: World) -> None:
    """The state file is gone; what stands beside it is not."""
    w.store.close()
    for end in ("", "-wal", "-shm"):
        w.config.state.file.with_name(w.config.state.file.name + end).unlink(missing_ok=True)
    w.restart()


def outbox(w: World) -> list[dict[str, Any]]:
    drafts: list[dict[str, Any]] = json.loads(command(w, "outbox", "--json").stdout)["drafts"]
    return drafts


def test_a_lost_state_doubles_nothing(w: World) -> None:
    speak(w)
    before = standing(w)
    assert [len(texts) for texts in before.values()] == [5, 6, 6, 1, 1]
    lose(w)
    run_once(w)
    assert standing(w) == before  # on Bluesky every resend changes nothing
    assert {d["code"] for d in outbox(w)} <= {"state", "parent"}
    assert "`tribridge relink`" in command(w, "outbox").stdout
    done = command(w, "relink")
    assert done.exit_code == 0, done.stderr
    run_once(w)
    assert standing(w) == before
    assert outbox(w) == []
    w.say("m", "Sju: alt er som før")
    run_once(w)
    assert [len(texts) for texts in standing(w).values()] == [6, 7, 7, 1, 1]


def test_relink_before_the_next_run_knows_everything_at_once(w: World) -> None:
    speak(w)
    before = standing(w)
    lose(w)
    done = command(w, "relink")
    assert done.stdout.startswith("14 copies found; 0 originals without one; 0 that"), done.stderr
    run_once(w)
    assert standing(w) == before
    assert outbox(w) == []


def test_an_old_state_that_was_restored_doubles_nothing(w: World, tmp_path: Path) -> None:
    w.say("m", "Før kopien")
    run_once(w)
    w.store.close()
    copy = tmp_path / "backup"
    shutil.copytree(w.config.state.file.parent, copy)
    w.restart()
    speak(w)
    before = standing(w)
    w.store.close()
    for name in ("tribridge.db", "tribridge.db-wal", "tribridge.db-shm"):
        (w.config.state.file.parent / name).unlink(missing_ok=True)
        if (copy / name).exists():
            shutil.copy(copy / name, w.config.state.file.parent / name)
    w.restart()
    run_once(w)
    assert standing(w) == before
    assert any(d["code"] == "state" for d in outbox(w))
    assert command(w, "relink").exit_code == 0
    run_once(w)
    assert standing(w) == before
    assert outbox(w) == []


def test_what_had_not_gone_out_when_the_state_was_lost_goes_out_after_relink(w: World) -> None:
    speak(w)
    w.say("m", "Åtte: sagt mens maskinen var nede")
    lose(w)
    run_once(w)
    held = [d["original"] for d in outbox(w) if d["code"] == "state"]
    assert w.journal("m")[-1].id in " ".join(held)
    assert command(w, "relink").exit_code == 0
    run_once(w)
    assert [t for t in standing(w)["x"] if "Åtte" in t] == ["Åtte: sagt mens maskinen var nede"]
    assert outbox(w) == []


def test_posts_from_after_the_loss_are_not_held(w: World) -> None:
    speak(w)
    lose(w)
    run_once(w)
    w.say("m", "Ni: ny melding")
    run_once(w)
    assert standing(w)["x"][-1] == "Ni: ny melding"


def test_two_equal_texts_are_told_apart_by_a_person(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: x, backfill: all}") as w:
        run_once(w)
        w.say("m", "God morgen")
        run_once(w)
        w.clock.advance(days=2)
        w.say("m", "God morgen")
        run_once(w)
        assert w.texts("x") == ["God morgen"] * 2
        lose(w)
        done = command(w, "relink")
        assert "1 that cannot be told" in done.stdout
        assert "may stand on x already" in done.stdout
        run_once(w)
        assert w.texts("x") == ["God morgen"] * 2


def test_a_state_that_another_process_uses_is_not_relinked(w: World) -> None:
    w.store.own("run")
    done = w.command("relink")
    assert done.exit_code == 1
    assert "already in use by `tribridge run`" in done.stderr
