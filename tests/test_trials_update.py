"""`tribridge test --update`: expectations are filled in, and nothing else in a file changes."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.cli import main
from tests.config_files import ACCOUNTS

FILE = Path("bots/b.yaml")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    FILE.parent.mkdir()
    Path("config.yaml").write_text(ACCOUNTS, encoding="utf-8")


def update(*args: str) -> Result:
    return CliRunner().invoke(main, ["test", "--update", *args], catch_exceptions=False)


def updated(text: str) -> str:
    """The bot's file after it was filled in; every test passes then, and a second time writes nothing."""
    FILE.write_bytes(text.encode())
    done = update()
    assert (done.exit_code, "passed" in done.stdout) == (0, True), done.stdout + done.stderr
    new = FILE.read_bytes().decode()
    again = update()
    assert (again.exit_code, again.stderr, FILE.read_bytes().decode()) == (0, "", new)
    assert [file.name for file in FILE.parent.iterdir()] == ["b.yaml"]
    return new


HEAD = "# who:  it\nfrom: masto   # here\nto: [ bsky ]\ntests:\n"
COPY = "bsky:\n        text: Hello\n        losses: []"

#: the test before, and after
REWRITTEN = [
    # missing, empty, null
    ("  - given: {text: Hello}\n", f"  - given: {{text: Hello}}\n    expect:\n      {COPY}\n"),
    ("  - given: {text: Hello}", f"  - given: {{text: Hello}}\n    expect:\n      {COPY}"),
    ("  - given: {text: Hello}  # so\n# end\n", f"  - given: {{text: Hello}}  # so\n    expect:\n      {COPY}\n# end\n"),
    ("  - given: {text: Hello}\n    expect:\n", f"  - given: {{text: Hello}}\n    expect:\n      {COPY}\n"),
    ("  - given: {text: Hello}\n    expect: ~  # so\n", f"  - given: {{text: Hello}}\n    expect:  # so\n      {COPY}\n"),
    ("  - expect:    # so\n    given: {text: Hello}\n", f"  - expect:    # so\n      {COPY}\n    given: {{text: Hello}}\n"),
    ("  - given:\n      text: |\n        Hello\n\n\n# end\n", f"  - given:\n      text: |\n        Hello\n    expect:\n      {COPY}\n\n\n# end\n"),
    # other values
    ("  - given: {text: Hello}\n    expect: skipped   # so\n    name: 'a'\n", f"  - given: {{text: Hello}}\n    expect:   # so\n      {COPY}\n    name: 'a'\n"),
    ("  - given: {text: Hello}\n    expect: {bsky: \"a # b\"}\n", f"  - given: {{text: Hello}}\n    expect:\n      {COPY}\n"),
    (
        "  - given: {text: Hello}\n    expect:   # one\n      # two\n      bsky:  # three\n        text: |\n          # no\n        losses: [  # four\n          a]  # five\n      # six\n  # seven\n",
        f"  - given: {{text: Hello}}\n    expect:   # one\n      # two\n      # three\n      # four\n      # five\n      {COPY}\n      # six\n  # seven\n",
    ),
    ("  - given: {text: Hello}\n    ? expect\n    : skipped\n", f"  - given: {{text: Hello}}\n    ? expect\n    :\n      {COPY}\n"),
    # in braces
    ("  - {given: {text: Hello}, expect: skipped}  # so\n", "  - {given: {text: Hello}, expect: {bsky: {text: Hello, losses: []}}}  # so\n"),
    ("  - {given: {text: Hello},}\n", "  - {given: {text: Hello}, expect: {bsky: {text: Hello, losses: []}},}\n"),
    ("  - {\"expect\":skipped, given: {text: Hello}}\n", "  - {\"expect\": {bsky: {text: Hello, losses: []}}, given: {text: Hello}}\n"),
    ("  [{given: {text: Hello}, expect: }]\n", "  [{given: {text: Hello}, expect: {bsky: {text: Hello, losses: []}} }]\n"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), REWRITTEN)
def test_only_the_expectation_changes(before: str, after: str) -> None:
    assert updated(HEAD + before) == HEAD + after


@pytest.mark.parametrize(("before", "after"), REWRITTEN)
def test_lines_end_as_they_did(before: str, after: str) -> None:
    text = (HEAD + before).replace("\n", "\r\n")
    if "\r\n" in text:
        assert updated(text) == (HEAD + after).replace("\n", "\r\n")


def test_texts_of_several_lines_are_blocks() -> None:
    text = "  - given:\n      text: |-\n        Første linje\n\n        السطر الثاني #no\n      content_warning: '12'\n"
    block = "|-\n          CW: 12\n\n          Første linje\n\n          السطر الثاني #no\n"
    expect = f"    expect:\n      bsky:\n        text: {block}        losses: []\n"
    assert updated(HEAD + text) == HEAD + text + expect


TEXTS = (
    "no", "12", "12:30", "~", "null", "- a", "a: b", "# a", "a #b", "'", '"', "\\", "*a", "&a", "!a", "%a", "@a",
    "{a", "[a", "`a", "| a", "> a", "a\nb", " a", "  a\n b", "a\n\n\nb", "a\n  b\n", "a\tb", "\ta\nb", "a \nb",
    "skipped", "mirrored", "${A}", "$${A}", "日本語\n一行", "مرحبا\nبالعالم", "👩‍👩‍👧\nfamily", "a\u2028b", "é", "= a", "<<: a", "? a", "---", "...",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("style", ["block", "flow"])
def test_whatever_a_text_is_it_is_read_as_it_was_written(text: str, style: str) -> None:
    given = json.dumps(text.replace("${", "$${"), ensure_ascii=False).replace("\u2028", "\\u2028")
    test = f"given: {{text: {given}}}"
    updated(HEAD + (f"  - {test}\n" if style == "block" else f"  - {{{test}}}\n"))


def test_a_bot_in_the_config_and_one_in_a_file_are_both_filled_in() -> None:
    tests = "tests:\n      - given: {text: Hello}\n"
    text = f"bots:\n  a:\n    from: masto\n    to: bsky\n    {tests}  c:\n    from: x\n    to: bsky\n    {tests}"
    Path("config.yaml").write_text(text + ACCOUNTS, encoding="utf-8")
    FILE.write_text(HEAD + "  - given: {text: Hello}\n", encoding="utf-8")
    done = update("a", "b")
    assert done.exit_code == 0
    assert sorted(done.stderr.splitlines()) == [
        "bots/b.yaml: 1 expectation written", "config.yaml: 1 expectation written",
    ]  # fmt: skip
    new = Path("config.yaml").read_text(encoding="utf-8")
    copy = "        expect:\n          bsky:\n            text: Hello\n            losses: []\n"
    assert new == text.replace(tests, tests + copy, 1) + ACCOUNTS


def test_what_passes_stays_as_it_is() -> None:
    good = "  - given: {text: Hello}\n    expect: {bsky: 'Hello'}   # good\n"
    FILE.write_text(
        HEAD + good + "  - given: {text: Ja}\n    expect: skipped\n" + good, encoding="utf-8"
    )
    assert update().stderr == "bots/b.yaml: 1 expectation written\n"
    text = FILE.read_text(encoding="utf-8")
    assert text.startswith(HEAD + good)
    assert text.endswith("        losses: []\n" + good)


#: the expectation, the test, a part of the expectation; and how many tests fail
ALIASES = [
    ("description: &d skipped\ntests:\n  - given: {text: Hello}\n    expect: *d\n", 1),
    ("tests:\n  - &t\n    given: {text: Hello}\n    expect: skipped\n  - *t\n", 2),
    ("tests:\n  - given: {text: Hello}\n    expect: &e skipped\n  - given: {text: Ja}\n    expect: *e\n", 2),
    ("description: &d Hei\ntests:\n  - given: {text: Hello}\n    expect: {bsky: *d}\n", 1),
    ("tests:\n  - given: {text: Hello}\n    expect: {bsky: &d Hei}\n", 1),
]  # fmt: skip


@pytest.mark.parametrize(("text", "count"), ALIASES)
def test_what_comes_through_an_alias_is_left_as_it_is(text: str, count: int) -> None:
    FILE.write_text("from: masto\nto: bsky\n" + text, encoding="utf-8")
    done = update()
    assert done.exit_code == 1
    assert FILE.read_text(encoding="utf-8") == "from: masto\nto: bsky\n" + text
    why = "left as it is: it comes through an anchor or an alias: write it out"
    assert [line.partition(": ")[2] for line in done.stderr.splitlines()] == [why] * count


def test_a_list_of_tests_that_another_bot_shares_is_left_as_it_is() -> None:
    tests = "tests: &t\n      - given: {text: Hello}\n        expect: skipped\n"
    text = (
        f"bots:\n  a:\n    from: masto\n    to: bsky\n    {tests}  c:\n    from: x\n    to: bsky\n"
        "    skip: {words: [hello]}\n    tests: *t\n"
    )
    Path("config.yaml").write_text(text + ACCOUNTS, encoding="utf-8")
    done = update()
    assert (done.exit_code, done.stderr) == (
        1, "config.yaml: left as it is: another expectation would change\n",
    )  # fmt: skip
    assert Path("config.yaml").read_text(encoding="utf-8") == text + ACCOUNTS


def test_a_post_that_comes_through_an_alias_is_no_hindrance() -> None:
    text = "from: masto\nto: bsky\ndescription: &d Hello\ntests:\n  - given: {text: *d}\n"
    assert updated(text) == text + f"    expect:\n      {COPY}\n"


def test_what_would_be_read_otherwise_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = HEAD + "  - given:\n      text: |+\n        Hello\n\n\n"
    FILE.write_text(kept, encoding="utf-8")
    done = update()
    assert "left as it is: what comes of its posts cannot be written so that" in done.stderr
    assert (done.exit_code, FILE.read_text(encoding="utf-8")) == (1, kept)
    monkeypatch.setattr("bridge.trials.update.written", lambda value: "bsky: Goodbye\n")
    text = HEAD + "  - given: {text: Hello}\n"
    FILE.write_text(text, encoding="utf-8")
    done = update()
    assert "left as it is: what comes of its posts cannot be written there" in done.stderr
    assert (done.exit_code, FILE.read_text(encoding="utf-8")) == (1, text)


def test_a_merge_key_is_a_mistake_as_everywhere() -> None:
    text = HEAD + "  - given: {text: Hello}\n    <<: {expect: skipped}\n"
    FILE.write_text(text, encoding="utf-8")
    done = update()
    assert done.exit_code == 78
    assert "`<<` is not supported" in done.stderr
    assert FILE.read_text(encoding="utf-8") == text


def test_what_cannot_be_written_in_yaml_is_left_as_it_is() -> None:
    page = {"data": [{"id": "1900000000000000011", "author_id": "5", "text": "a\x02b"}]}
    Path("bots/p.json").write_text(json.dumps(page), encoding="utf-8")
    text = HEAD.replace("masto", "x") + "  - given: {file: p.json}\n"
    FILE.write_text(text, encoding="utf-8")
    done = update()
    assert done.exit_code == 1
    assert done.stderr == (
        "bots/b.yaml: left as it is: what comes of its posts cannot be written so that it is read as"
        " before\n"
    )
    assert FILE.read_text(encoding="utf-8") == text


def test_the_rights_a_link_and_the_mark_of_the_file_stay() -> None:
    real = Path("elsewhere.yaml")
    real.write_bytes(b"\xef\xbb\xbf" + HEAD.encode() + b"  - given: {text: Hello}\n")
    real.chmod(0o640)
    FILE.symlink_to(Path("..") / real)
    assert update().exit_code == 0
    assert FILE.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_bytes().startswith(b"\xef\xbb\xbf# who")
    assert real.read_text("utf-8").endswith("losses: []\n")


def test_a_file_that_cannot_be_replaced_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    FILE.write_text(HEAD + "  - given: {text: Hello}\n", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    done = update()
    assert (done.exit_code, done.stderr) == (
        1, "bots/b.yaml: cannot be written (No space left on device)\n",
    )  # fmt: skip
    assert FILE.read_text(encoding="utf-8") == HEAD + "  - given: {text: Hello}\n"
    assert [file.name for file in FILE.parent.iterdir()] == ["b.yaml"]


def test_a_file_that_was_changed_meanwhile_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    FILE.write_text(HEAD + "  - given: {text: Hello}\n", encoding="utf-8")
    from bridge.trials import update as module

    check = module._check

    def saved_meanwhile(*args: object) -> None:
        check(*args)  # type: ignore[arg-type]
        FILE.write_text("mine", encoding="utf-8")

    monkeypatch.setattr(module, "_check", saved_meanwhile)
    done = CliRunner().invoke(main, ["test", "--update"])
    assert "bots/b.yaml: left as it is: it was changed meanwhile" in done.stderr
    assert FILE.read_text(encoding="utf-8") == "mine"
