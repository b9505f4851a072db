"""The demo itself, and that its judge would notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge import demo
from bridge.demo import posts
from bridge.demo.second_act import SecondAct
from bridge.simulation import Simulator
from tests.waiting import HANGS


def shown(folder: Path) -> tuple[int, str]:
    lines: list[str] = []
    code = demo.show(folder, lines.append)
    return code, "\n".join(lines)


@pytest.mark.slow
def test_the_demo_mirrors_everything_once_and_leaves_its_state(tmp_path: Path) -> None:
    for _ in range(2):
        code, told = shown(tmp_path / "demo")
        assert code == 0, told
        assert "Nothing is missing, nothing is doubled, nothing leaked." in told
        assert (tmp_path / "demo" / "tribridge.db").exists()


@pytest.mark.parametrize("wrong", ["doubled", "leaked", "missing"])
def test_the_judge_sees_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    hello = posts.Said(
        posts.M, "A single word of greeting from the night desk", {posts.B: 1, posts.X: 1}
    )
    secret = posts.Said(
        posts.M, "Followers alone may read this", {}, more={"visibility": "private"}
    )
    monkeypatch.setattr(demo, "POSTS", (hello, secret))
    monkeypatch.setattr(demo, "REST", 0.3)
    rest = demo._rest
    at_rest: list[Any] = []

    def interfere(stage: Any) -> None:
        rest(stage)
        if at_rest:
            return
        at_rest.append(stage)
        simulator, name, _ = stage.people[posts.B]
        speak: Any = simulator
        if wrong == "doubled":
            speak.say(name, hello.text)
        elif wrong == "leaked":
            speak.say(name, secret.text)
        else:
            network: Simulator = simulator
            network.journal[:] = [e for e in network.journal if e.text != hello.text]

    monkeypatch.setattr(demo, "_rest", interfere)
    # the bots go on with what was interfered with, and the second act has a test of its own
    monkeypatch.setattr(SecondAct, "problems", lambda _: [])
    code, told = shown(tmp_path / "demo")
    assert code == 1
    assert told.count("WRONG: ") == 1


@pytest.mark.parametrize("wrong", ["unseen", "doubled"])
def test_the_judge_sees_what_is_wrong_with_edits_and_deletions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    said = posts.Said(posts.M, "Open until five on weekdays", {posts.B: 1, posts.X: 1})
    gone = posts.Said(posts.M, "Closed for ever, they say", {posts.B: 1, posts.X: 1})
    reply = {posts.B: posts.CORRECTED, posts.X: posts.CORRECTED}
    deleted = {posts.B: posts.DELETED, posts.X: posts.DELETED}
    mended = (posts.Mended(0, "Open until six on weekdays", reply), posts.Mended(1, "", deleted))
    monkeypatch.setattr(demo, "POSTS", (said, gone))
    monkeypatch.setattr(demo, "MENDED", mended)
    monkeypatch.setattr(demo, "REST", 0.3)
    play = SecondAct.play

    def interfere(act: Any, clock: Any, engine: Any, wait: Any) -> None:
        if wrong == "unseen":
            monkeypatch.setattr(engine, "follow_all", lambda: None)
        play(act, clock, engine, (lambda _: None) if wrong == "unseen" else wait)
        if wrong == "doubled":
            assert engine.lanes.stop(HANGS)  # else the bots would mirror it
            speak: Any = act._stage.people[posts.B][0]
            speak.say(act._stage.people[posts.B][1], "Correction: Open until six on weekdays")

    monkeypatch.setattr(SecondAct, "play", interfere)
    code, told = shown(tmp_path / "demo")
    assert code == 1
    assert told.count("WRONG: ") == (6 if wrong == "unseen" else 1)


def test_the_demo_never_empties_what_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "novel.txt").write_text("chapter one")
    code, told = shown(tmp_path)
    assert code == 1
    assert "not an earlier demo's" in told
    assert (tmp_path / "novel.txt").read_text() == "chapter one"
