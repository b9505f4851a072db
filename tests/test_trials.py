"""`tribridge test`: posts that are given, what comes of them, and how that is told."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from bridge.cli import main
from bridge.config import examine
from bridge.config.checking import check_all
from bridge.config.trials import EXPECTED, GIVEN
from bridge.network import Network
from bridge.trials import outcome, run

#: no variable of it is set
ACCOUNTS = """\
alerts:
  webhook: ${ALERT_URL}
accounts:
  masto:
    network: mastodon
    server: ${MASTODON_SERVER}
    access_token: ${MASTODON_TOKEN}
  bsky:
    network: bluesky
    handle: newsroom.example
    app_password: ${file:/nowhere/bsky}
  x:
    network: twitter
    api_key: ${X_API_KEY}
    api_key_secret: ${X_API_KEY_SECRET}
    access_token: ${X_TOKEN}
    access_token_secret: ${X_TOKEN_SECRET}
    budget:
      usd_per_month: ${X_BUDGET}
state:
  file: ${STATE}
people:
  mayor: {mastodon: mayor@city.example, bluesky: mayor.city.example}
"""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, no variable, no network, and nothing but the files of the test."""
    monkeypatch.chdir(tmp_path)
    for name in ("ALERT_URL", "MASTODON_SERVER", "MASTODON_TOKEN", "STATE", "X_BUDGET"):
        monkeypatch.delenv(name, raising=False)

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    Path("bots").mkdir()
    Path("config.yaml").write_text(ACCOUNTS, encoding="utf-8")


def tribridge(*args: str) -> Result:
    return CliRunner().invoke(main, ["test", *args], catch_exceptions=False)


def write(text: str, name: str = "b") -> None:
    Path("bots", f"{name}.yaml").write_text(text, encoding="utf-8")


def actual(
    given: str, settings: str = "", head: str = "from: masto\nto: [bsky, x]"
) -> outcome.Outcome:
    """What comes of one post, by target, as a test may expect it."""
    write(f"{head}\n{settings}\ntests:\n  - given: {given}\n")
    files = examine(Path("config.yaml"), {}, offline=True)
    assert files.problems == ()
    (found,), problems = run(files, ["b"])
    assert problems == []
    return {target: outcome.filled(each) for target, each in found.outcomes.items()}


# What comes of a post


def test_links_hashtags_and_mentions_are_found_as_the_network_would() -> None:
    text = "Strøm #borte https://city.example/en/side?x=1 @mayor@city.example @eva"
    found = actual(f"{{text: '{text}', language: nb}}")
    assert found == {
        "bsky": {
            "text": "Strøm #borte city.example/en/side?x=1 @mayor.city.example eva",
            "card": "https://city.example/en/side?x=1",
            "language": "nb",
            "losses": [],
        },
        "x": {
            "text": "Strøm #borte https://city.example/en/side?x=1 mayor eva",
            "losses": [],
        },
    }
    from_x = actual("{text: 'By @eva: example.com/a $CITY'}", head="from: x\nto: [masto, bsky]")
    assert from_x["masto"]["text"] == "By eva: https://example.com/a $CITY"
    assert from_x["bsky"]["card"] == "https://example.com/a"
    paid = actual("{text: 'Kjøp $CITY!'}", "mentions: skip", head="from: x\nto: masto")
    assert paid["masto"]["text"] == "Kjøp $CITY!"
    from_bsky = actual(
        "{text: 'Fra @mayor.city.example på example.com'}", head="from: bsky\nto: masto"
    )
    assert from_bsky["masto"]["text"] == "Fra @mayor@city.example på https://example.com"


@pytest.mark.parametrize("network", ["masto", "bsky", "x"])
def test_every_part_of_a_post_can_be_given(network: str) -> None:
    others = [name for name in ("masto", "bsky", "x") if name != network]
    for given, shown in (
        ("{media: [{alt: Ei bru}, {}]}", [{"kind": "image", "alt": "Ei bru"}, {"kind": "image", "alt": ""}]),
        ("{text: Film, media: [{kind: video, alt: Elva, duration: 30s}]}", [{"kind": "video", "alt": "Elva"}]),
        ("{text: Film, media: [{kind: video, alt: Elva, duration: 5h}]}", [{"kind": "image", "alt": "Elva"}]),
    ):  # fmt: skip
        found = actual(given, head=f"from: {network}\nto: [{', '.join(others)}]")
        for target in set(others) - {"masto"}:  # which takes what is long
            assert found[target]["media"] == shown, (given, target)


def test_more_of_what_can_be_given() -> None:
    poll = actual("{text: Hvilken?, poll: {options: [Rød, Blå], multiple: true}}")
    assert poll["bsky"]["losses"] == ["poll: the poll became a list of its options"]
    assert actual("{text: Hva?, poll: {options: [Rød, Blå]}}")["x"]["poll"] == ["Rød", "Blå"]
    warned = actual("{text: Uff, content_warning: Blood, sensitive: true, media: [{}]}")
    assert warned["bsky"]["labels"] == ["graphic-media"]
    assert warned["bsky"]["sensitive"] is True
    assert warned["x"]["text"] == "CW: Blood\n\nUff"
    labelled = actual("{text: Ny, labels: [nudity]}", head="from: bsky\nto: masto")
    assert labelled["masto"]["content_warning"] == "Nudity"
    carded = actual(
        "{text: Se https://a.example/b, card: {url: 'https://a.example/b', title: T, description: D}}"
    )
    assert carded["bsky"]["card"] == {
        "url": "https://a.example/b",
        "title": "T",
        "description": "D",
    }
    assert actual("{text: Nei, visibility: private}")["bsky"] == {
        "skipped": "visibility private: never mirrored"
    }
    assert actual("{text: Ja, app: Moa}")["x"] == {"skipped": "made by another bridge: Moa"}
    seen = actual(
        "{text: Ja, visibility: unlisted}", "only: {visibility: [unlisted]}", "from: x\nto: masto"
    )
    assert seen["masto"]["visibility"] == "unlisted"


def test_what_a_post_answers_quotes_and_boosts() -> None:
    assert "text" in actual("{text: Videre, reply: own}")["x"]
    assert actual("{text: Ja!, reply: other}")["x"] == {"skipped": "reply to someone else"}
    own = actual("{boost: own, text: Igjen}")["bsky"]
    assert own == {"boost": "https://mastodon.example/@masto/1", "losses": []}
    assert actual("{boost: 'https://m.example/@eva/12'}")["x"] == {"skipped": "boost"}
    linked = actual("{boost: 'https://m.example/@eva/12', text: Hei}", "boosts: link")["x"]
    assert linked["text"] == "🔁 eva: https://m.example/%40eva/12"
    quoted = actual("{quote: own, text: Som sagt}", head="from: masto\nto: bsky")["bsky"]
    assert quoted["quote"] == "https://mastodon.example/@masto/1"
    other = actual("{quote: 'https://m.example/@eva/12', text: Se}")["bsky"]
    assert other["losses"] == ["quote: it became a link"]


def test_a_long_post_has_parts_and_its_address() -> None:
    parts = actual("{text: '" + "Ei setning som held fram. " * 15 + "'}")["bsky"]["parts"]
    assert len(parts) == 2
    cut = actual("{text: '" + "Ei setning som held fram. " * 15 + "'}", "long: truncate")["bsky"]
    assert cut["text"].endswith("…\n\nmastodon.example/@masto/2")


def test_the_account_that_wrote_it_is_the_first_or_the_one_that_is_named() -> None:
    write(
        "between: [masto, bsky, x]\ntests:\n"
        "  - {given: {text: a}, expect: {bsky: a, x: a}}\n"
        "  - {given: {text: a, from: x}, expect: {masto: a}}\n"
    )
    done = tribridge()
    assert (done.exit_code, done.stdout) == (0, "b: 2 tests, passed\n")


STATUS = {
    "id": "11", "created_at": "2026-03-01T10:00:00Z", "url": "https://m.example/@a/11",
    "account": {"id": "5", "acct": "a"}, "visibility": "public", "language": "ar",
    "content": "<p>صباح الخير من غرفة الأخبار</p>", "in_reply_to_id": "10", "in_reply_to_account_id": "5",
}  # fmt: skip
PAGE = {
    "data": [{"id": "1900000000000000011", "author_id": "5", "text": "Buenos días", "lang": "es"}]
}
RECORD = {
    "uri": "at://did:plc:a/app.bsky.feed.post/3k", "cid": "c",
    "value": {"$type": "app.bsky.feed.post", "text": "Доброе утро", "createdAt": "2026-03-01T10:00:00Z"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "target", "data", "more", "text"),
    [
        ("masto", "bsky", STATUS, ", mirrored: ['10']", "صباح الخير من غرفة الأخبار"),
        ("x", "bsky", PAGE, "", "Buenos días"),
        ("x", "masto", {"data": PAGE["data"][0]}, "", "Buenos días"),
        ("bsky", "masto", RECORD, "", "Доброе утро"),
    ],
)
def test_a_post_can_be_what_its_network_gives(
    source: str, target: str, data: object, more: str, text: str
) -> None:
    Path("bots/tests").mkdir()
    Path("bots/tests/post.json").write_text(json.dumps(data), encoding="utf-8")
    found = actual(f"{{file: tests/post.json{more}}}", head=f"from: {source}\nto: {target}")
    assert found[target]["text"] == text
    if more:
        without = actual("{file: tests/post.json}", head=f"from: {source}\nto: {target}")
        assert without[target] == {"skipped": "reply to a post that was not mirrored"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "post.json cannot be read: No such file or directory"),
        ("{", "post.json is no JSON"),
        ("[" * 100_000, "post.json is no JSON"),
        ("\udcff", "post.json is no JSON"),
        ("9" * 5000, "post.json is no JSON"),
        ("[]", "post.json is no status of Mastodon's API: an object with id and account"),
        ("{}", "post.json is no status of Mastodon's API: an object with id and account"),
        ('{"id": 1, "account": 7}', "post.json is no status of Mastodon's API: an object with id and account"),
        (" " * 1024 * 1024 + "1", "post.json is larger than 1 MiB; it should hold one post"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_post_is_told_at_its_place(content: str | None, told: str) -> None:
    write("from: masto\nto: bsky\ntests:\n  - given:\n      file: post.json\n    expect: skipped\n")
    if content is not None:
        Path("bots/post.json").write_bytes(content.encode(errors="surrogateescape"))
    done = tribridge()
    assert (done.exit_code, done.stdout, done.stderr) == (78, "", f"bots/b.yaml:5:13: {told}\n")


def test_a_folder_or_a_pipe_is_no_post() -> None:
    write("from: masto\nto: bsky\ntests: [{given: {file: ../bots}, expect: skipped}]\n")
    assert "bots is not an ordinary file" in tribridge().stderr


def test_check_warns_of_what_test_would_refuse() -> None:
    names = ("MASTODON_SERVER", "ALERT_URL")
    environ = dict.fromkeys(re.findall(r"\$\{([A-Z_]+)\}", ACCOUNTS), "30")
    environ |= dict.fromkeys(names, "https://a.example")
    Path("config.yaml").write_text(ACCOUNTS.replace("${file:/nowhere/bsky}", "${STATE}"), "utf-8")
    write(
        "from: masto\nto: bsky\ntests:\n  - given: {text: a}\n  - {given: {file: p.json}, expect: skipped}\n"
    )
    checked = check_all(Path("config.yaml"), environ)
    assert [(severity, str(problem)) for severity, problem in checked.findings] == [
        ("warning", "bots/b.yaml:4:5: this test expects nothing yet: `tribridge test --update` fills it in"),
        ("warning", "bots/b.yaml:5:20: there is no file 'p.json' in 'bots'"),
    ]  # fmt: skip
    Path("bots/p.json").write_text(json.dumps(STATUS), encoding="utf-8")
    assert len(check_all(Path("config.yaml"), environ).findings) == 1


def test_the_time_counts_where_the_bot_asks_for_it() -> None:
    text = "timezone: Asia/Tokyo\n" + ACCOUNTS
    Path("config.yaml").write_text(text, encoding="utf-8")
    for at, found in (
        ("2026-03-06T14:59", {"text": "a", "losses": []}),
        ("2026-03-07T00:01+09:00", {"skipped": "skip: published on sat"}),
        ("2026-03-06T15:01", {"skipped": "skip: published on sat"}),
    ):
        assert (
            actual(f"{{text: a, at: {at}}}", "skip: {weekdays: [sat]}\nmax_age: 1d")["x"] == found
        )


def test_a_network_without_samples_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(network: Network) -> None:
        raise ModuleNotFoundError(name=f"{network.package}.samples")

    monkeypatch.setattr("bridge.network.Network.samples", missing)
    write("from: masto\nto: bsky\ntests: [{given: {text: a}}]\n")
    said = "no post of Mastodon can be given: bridge.networks.mastodon has no samples.py"
    assert (tribridge().exit_code, tribridge().stderr) == (78, f"bots/b.yaml:3:9: {said}\n")


# What is compared


WANTED = [
    ("skipped", "", "{text: 'a #nobridge'}"),
    ("'skipped: skip: hashtag nobridge'", "", "{text: 'a #nobridge'}"),
    ("{skipped: 'skip: hashtag nobridge'}", "", "{text: 'a #nobridge'}"),
    ("mirrored", "", "{text: a}"),
    ("{bsky: mirrored}", "", "{text: a}"),
    ("{bsky: a}", "for: {x: {only: {words: [b]}}}", "{text: a}"),
    ("{bsky: a, x: skipped}", "for: {x: {only: {words: [b]}}}", "{text: a}"),
    ("{bsky: a, x: {skipped: 'only: no word b'}}", "for: {x: {only: {words: [b]}}}", "{text: a}"),
    ("{bsky: [a], x: {text: a}}", "", "{text: a}"),
    ('{bsky: {text: "a\\nb\\n"}}', "", '{text: "a\\nb\\n"}'),
    ("{bsky: {losses: [], card: none, media: [], content_warning: '', poll: []}}", "", "{text: a}"),
    ("{bsky: {card: 'https://a.example/b'}}", "", "{text: 'https://a.example/b'}"),
    ("{bsky: {media: [{alt: c}, {kind: image}]}}", "", "{media: [{alt: c}, {alt: d}]}"),
    ("{bsky: {language: [nb, en]}, x: {language: []}}", "", "{text: a, language: [nb, en]}"),
    ("{bsky: {language: nb}}", "", "{text: a, language: nb}"),
    ("{bsky: {sensitive: false, visibility: public, labels: []}}", "", "{text: a}"),
    ("{x: {poll: [b, c]}}", "", "{text: a, poll: {options: [b, c]}}"),
    ("{x: {boost: 'https://mastodon.example/@masto/1'}}", "", "{boost: own}"),
    ("{x: {quote: ''}}", "", "{text: a}"),
]


@pytest.mark.parametrize(("expect", "settings", "given"), WANTED)
def test_an_expectation_that_is_met(expect: str, settings: str, given: str) -> None:
    write(
        f"from: masto\nto: [bsky, x]\n{settings}\ntests:\n  - given: {given}\n    expect: {expect}\n"
    )
    done = tribridge()
    assert (done.exit_code, done.stdout) == (0, "b: 1 test, passed\n")


NOT_MET = [
    ("skipped", "{text: a}", "5:13: b: a, to bsky", ["-skipped", "+text: a", "+losses: []"]),
    ("mirrored", "{text: '#nobridge'}", "5:13: b: #nobridge, to bsky", ["-mirrored", "+skipped: 'skip: hashtag nobridge'"]),
    ("{bsky: b}", "{text: a}", "5:20: b: a, to bsky", ["-text: b", "+text: a"]),
    ("{bsky: {losses: [], text: b}}", "{text: a}", "5:20: b: a, to bsky", [" losses: []", "-text: b", "+text: a"]),
    ("{bsky: [a, b]}", "{text: a}", "5:20: b: a, to bsky", ["-parts:", "-  - a", "-  - b", "+text: a"]),
    ("{bsky: {skipped: no}}", "{text: a}", "", []),
    ("{bsky: {skipped: so}}", "{text: '#nobridge'}", "5:20: b: #nobridge, to bsky", ["-skipped: so", "+skipped: 'skip: hashtag nobridge'"]),
    ("{bsky: {skipped: so}}", "{text: a}", "5:20: b: a, to bsky", ["-skipped: so", "+text: a", "+losses: []"]),
    ("{bsky: {text: a}}", "{boost: own}", "5:20: b: boost, to bsky", ["-text: a", "+parts: []", "+boost: https://mastodon.example/@masto/1"]),
    ("{bsky: {card: none}}", "{text: 'https://a.example'}", "5:20: b: https://a.example, to bsky", ["-card: none", "+card: https://a.example"]),
    ("{bsky: {card: {url: b, title: c}}}", "{text: a}", "5:20: b: a, to bsky", ["-card:", "-  url: b", "-  title: c", "+card: none"]),
    ("{bsky: {media: [{alt: b}]}}", "{media: [{alt: c}]}", "5:20: b: media, to bsky", [" media:", "-  - alt: b", "+  - alt: c"]),
    ("{bsky: {media: [{alt: c}]}}", "{media: [{alt: c}, {}]}", "5:20: b: media, to bsky", [" media:", "   - alt: c", "+  - kind: image", "+    alt: ''"]),
    ("{bsky: {media: [{alt: c}]}}", "{text: a}", "5:20: b: a, to bsky", ["-media:", "-  - alt: c", "+media: []"]),
    ("{bsky: {language: nb}}", "{text: a}", "5:20: b: a, to bsky", ["-language: nb", "+language: []"]),
]  # fmt: skip


@pytest.mark.parametrize(("expect", "given", "at", "shown"), [row for row in NOT_MET if row[2]])
def test_an_expectation_that_is_not_met_is_shown_as_a_diff(
    expect: str, given: str, at: str, shown: list[str]
) -> None:
    write(f"from: masto\nto: bsky\ntests:\n  - given: {given}\n    expect: {expect}\n")
    done = tribridge()
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"bots/b.yaml:{at}", "--- expected", "+++ what comes of it", *shown, "", "b: 1 test, 1 failed",
    ]  # fmt: skip


def test_every_value_that_can_be_expected_is_compared() -> None:
    compared = {name for row in (*WANTED, *NOT_MET) for name in re.findall(r"\w+", str(row[0]))}
    assert {setting.name for setting in EXPECTED} - {"parts"} <= compared
    text = Path(__file__).read_text(encoding="utf-8")
    assert [s.name for s in GIVEN if f"{s.name}: " not in text and s.name != "at"] == []


def test_a_test_that_expects_nothing_fails_with_all_that_comes() -> None:
    write("from: masto\nto: [bsky, x]\ntests:\n  - given: {text: God morgen}\n    expect:\n")
    done = tribridge()
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "bots/b.yaml:4:5: b: God morgen: expects nothing yet; `tribridge test --update` fills it in",
        "--- expected", "+++ what comes of it",
        "+bsky:", "+  text: God morgen", "+  losses: []", "+x:", "+  text: God morgen", "+  losses: []",
        "", "b: 1 test, 1 failed",
    ]  # fmt: skip


# How it is told


def test_a_name_that_runs_leftwards_leaves_the_rest_of_its_line_in_place() -> None:
    write("from: masto\nto: bsky\ntests:\n  - given: {text: مرحبا}\n    expect: skipped\n")
    first = tribridge().stdout.splitlines()[0]
    assert first == "bots/b.yaml:5:13: b: \u2068مرحبا\u2069, to bsky"


def test_bots_without_tests_are_named_and_only_those_that_are_chosen() -> None:
    for name in ("a", "b", "c"):
        write(
            "from: masto\nto: bsky\n"
            + "tests: [{given: {text: a}, expect: mirrored}]\n" * (name == "b"),
            name,
        )
    assert tribridge().stdout == "b: 1 test, passed\n2 bots have no tests: a, c\n"
    assert tribridge("b").stdout == "b: 1 test, passed\n"
    assert tribridge("c").stdout == "1 bot has no tests: c\n"
    unknown = tribridge("d")
    assert unknown.exit_code == 2
    assert "there is no bot 'd' in config.yaml; there are: a, b, c" in unknown.stderr


def test_a_mistake_is_told_with_its_place() -> None:
    write("from: masto\nto: bsky\ntests: [{given: {text: a}, expect: {bksy: a}}]\n")
    done = tribridge()
    assert (done.exit_code, done.stdout) == (78, "")
    said = "'bksy' is no target of posts from 'masto'; did you mean 'bsky'?"
    assert done.stderr == f"bots/b.yaml:3:37: {said}\n"


def test_what_decides_about_posts_must_be_there() -> None:
    for setting in ("steps: [append: '${WORD}']", "correction: ${WORD}", "max_age: ${WORD}"):
        write(f"from: masto\nto: bsky\n{setting}\n")
        done = tribridge()
        assert done.exit_code == 78
        assert "the environment variable WORD is not set" in done.stderr
    write("from: masto\nto: bsky\n")
    text = ACCOUNTS.replace("network: mastodon", "network: mastodon\n    language: ${TONGUE}")
    Path("config.yaml").write_text(text, encoding="utf-8")
    assert "the environment variable TONGUE is not set" in tribridge().stderr


def test_no_account_needs_to_be_logged_in() -> None:
    text = re.sub(r" +(access_token|app_password|api_key)\w*: .*\n", "", ACCOUNTS)
    text = text.replace("network: twitter\n", "network: twitter\n    client_id: abc\n")
    Path("config.yaml").write_text(text.replace("${STATE}", "state.db"), encoding="utf-8")
    Path("state.db.logins.json").write_text("not to be read")
    write("from: masto\nto: [bsky, x]\ntests: [{given: {text: a}, expect: mirrored}]\n")
    assert tribridge().stdout == "b: 1 test, passed\n"


def test_the_same_whatever_the_environment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    before = actual("{text: '" + "Lang. " * 99 + "'}", "link_back: always")
    monkeypatch.setenv("MASTODON_SERVER", "https://other.example")
    assert actual("{text: '" + "Lang. " * 99 + "'}", "link_back: always") == before
    monkeypatch.setattr("bridge.ffmpeg.is_installed", lambda: True)
    sound = "{text: Lyd, media: [{kind: audio}]}"
    heard = actual(sound, head="from: masto\nto: bsky")
    monkeypatch.setattr("bridge.ffmpeg.is_installed", lambda: False)
    assert actual(sound, head="from: masto\nto: bsky") == heard


def test_nothing_is_written() -> None:
    write("from: masto\nto: bsky\ntests: [{given: {text: a}, expect: b}]\n")
    write("from: masto\nto: bsky\ntests: [{given: {text: a}}]\n", "c")
    before = {file: file.read_bytes() for file in Path().rglob("*") if file.is_file()}
    tribridge()
    assert {file: file.read_bytes() for file in Path().rglob("*") if file.is_file()} == before


def test_colours_are_for_terminals() -> None:
    write("from: masto\nto: bsky\ntests: [{given: {text: a}, expect: {bsky: b}}]\n")
    assert "\x1b" not in tribridge().stdout
    shown = CliRunner().invoke(main, ["test"], color=True).stdout
    assert "\x1b[31m-text: b\x1b[0m\n\x1b[32m+text: a\x1b[0m\n" in shown
    assert "\n--- expected\n" in shown


def test_the_form_for_programs() -> None:
    write(
        "from: masto\nto: bsky\ntests:\n"
        "  - {name: en, given: {text: a}, expect: {bsky: a}}\n  - {given: {text: a}, expect: {bsky: b}}\n"
    )
    write("from: masto\nto: bsky\n", "c")
    done = tribridge("--json")
    assert done.exit_code == 1
    at = {"file": "bots/b.yaml", "column": 5}
    failure = {"target": "bsky", "file": "bots/b.yaml", "line": 5, "column": 39}
    assert json.loads(done.stdout) == {
        "passed": 1,
        "failed": 1,
        "without_tests": ["c"],
        "tests": [
            {"bot": "b", "name": "en", **at, "line": 4, "passed": True, "failures": []},
            {"bot": "b", "name": "a", **at, "line": 5, "passed": False,
             "failures": [failure | {"expected": "text: b\n", "actual": "text: a\n"}]},
        ],
    }  # fmt: skip


def test_the_form_of_junit() -> None:
    write(
        "from: masto\nto: bsky\ntests:\n  - {name: '<en> & \"to\"', given: {text: a}, expect: {bsky: b}}\n"
    )
    write("from: masto\nto: bsky\ntests: [{given: {text: a}, expect: mirrored}]\n", "c")
    done = tribridge("--junit", "out.xml")
    assert done.exit_code == 1
    root = ET.parse("out.xml").getroot()
    counts = {"tests": "2", "failures": "1", "errors": "0", "skipped": "0"}
    assert (root.tag, root.attrib) == ("testsuites", {"name": "tribridge", **counts})
    first, second = root
    assert (first.tag, first.attrib) == ("testsuite", {"name": "b", **counts, "tests": "1"})
    assert (second.get("name"), second.get("failures")) == ("c", "0")
    (case,) = first
    assert case.tag == "testcase"
    assert case.attrib == {
        "name": '<en> & "to"', "classname": "b", "file": "bots/b.yaml", "line": "4",
    }  # fmt: skip
    (failure,) = case
    assert (failure.tag, failure.get("message")) == ("failure", 'b: <en> & "to", to bsky')
    assert failure.text is not None
    assert failure.text.splitlines()[-2:] == ["-text: b", "+text: a"]
    assert [len(case) for case in second] == [0]
    nowhere = tribridge("--junit", "nowhere/out.xml")
    assert nowhere.exit_code == 1
    assert "nowhere/out.xml: cannot be written" in nowhere.stderr


def test_what_xml_may_not_hold_does_not_break_it() -> None:
    data = {"id": "1", "account": {"id": "5"}, "content": "a\ud800b\x00c", "visibility": "public"}
    Path("bots/p.json").write_text(json.dumps(data), encoding="utf-8")
    write("from: masto\nto: bsky\ntests: [{given: {file: p.json}, expect: {bsky: b}}]\n")
    assert tribridge("--junit", "out.xml").exit_code == 1
    ET.parse("out.xml")
    Path("bots").rename("a\x01")
    Path("bots").mkdir()
    Path("a\x01/config.yaml").write_text(ACCOUNTS, encoding="utf-8")
    Path("a\x01/bots").mkdir()
    Path("a\x01/bots/b.yaml").write_text(
        "from: masto\nto: bsky\ntests: [{given: {text: a}}]\n", "utf-8"
    )
    assert tribridge("--junit", "out.xml", "--config", "a\x01/config.yaml").exit_code == 1
    (case,) = ET.parse("out.xml").getroot().iter("testcase")
    assert case.get("file") == "a\ufffd/bots/b.yaml"


def test_a_thousand_tests_are_all_tried() -> None:
    texts = "".join(
        f"  - {{given: {{text: Nummer {n}}}, expect: {{bsky: Nummer {n}, x: mirrored}}}}\n"
        for n in range(1000)
    )
    write(f"from: masto\nto: [bsky, x]\ntests:\n{texts}")
    assert tribridge().stdout == "b: 1000 tests, passed\n"
