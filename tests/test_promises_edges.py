"""What is promised at the edges: odd answers, odd addresses, odd arguments, odd files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bridge import ratelimit, secrecy, wire
from bridge.alerts import Watch
from bridge.cli import main
from bridge.network import ClientError, Identity, Refused
from bridge.pulse import Pulse, pulse_file
from bridge.registry import NETWORKS
from bridge.simulation import Fault, Request, Response, Simulator
from bridge.store import Recording, RouteKey, Verdict
from bridge.workers import Engine
from tests.world import World, world

BOTS = "one: {from: m, to: b}"


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, BOTS) as made:
        made.turn()
        yield made


# Orders


@pytest.mark.parametrize("command", ["retry", "drop", "approve"])
def test_a_number_that_no_draft_can_have_is_no_draft(w: World, command: str) -> None:
    told = w.command("outbox", command, str(2**64))
    assert (told.exit_code, type(told.exception)) == (1, SystemExit)
    assert "there is no draft 18446744073709551616" in told.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("outbox", "sent", str(2**64), "https://bsky.app/profile/anna.test/post/3k"),
        ("mirror", "http://["),
        ("skip", "https://[1/@anna/1"),
        ("mirror", ""),
    ],
)
def test_an_order_that_makes_no_sense_is_answered_and_is_over(
    w: World, words: tuple[str, ...]
) -> None:
    told = w.command(*words)
    assert (told.exit_code, type(told.exception)) == (1, SystemExit)
    assert "not the address of a post" in told.stderr or "there is no such draft" in told.stderr
    assert w.store.open_orders() == []


def test_an_order_that_meets_a_defect_is_answered_and_not_tried_for_ever(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("bridge.orders.carry_out", broken)
    told = w.command("mirror", w.settings["m"]["server"] + "/@anna/1")
    assert told.exit_code == 1
    assert "ZeroDivisionError" in told.stderr
    assert w.store.open_orders() == []


def test_an_address_of_no_characters_is_wrong_usage(w: World) -> None:
    told = w.command("mirror", "https://x.com/\udcff")
    assert told.exit_code == 2
    assert w.store.open_orders() == []


# Answers


class Odd(Simulator):
    """Answers with what it is given, and notes the cookies that it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.headers: dict[str, str] = {}
        self.cookies: list[str] = []

    def handle(self, request: Request) -> Response:
        self.cookies.append(request.headers.get("cookie", ""))
        return Response(200, "{}", self.headers)


@pytest.fixture
def odd() -> Iterator[Odd]:
    server = Odd()
    server.start()
    yield server
    server.stop()


def test_no_account_is_given_the_cookies_of_another(odd: Odd) -> None:
    odd.headers = {"Set-Cookie": "_session_id=hers; Path=/"}
    wire.send("GET", f"{odd.url}/a", headers={"Authorization": "Bearer hers"})
    wire.send("GET", f"{odd.url}/a", headers={"Authorization": "Bearer his"})
    assert odd.cookies == ["", ""]


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example", "..."])
@pytest.mark.parametrize("public_only", [True, False])
def test_a_host_that_the_resolver_does_not_take_is_refused(host: str, *, public_only: bool) -> None:
    with pytest.raises(Refused, match="not an address that can be asked"):
        wire.send("GET", f"http://{host}/bilde.png", public_only=public_only)


def test_a_token_that_no_header_can_carry_is_said_to_be_one_and_is_not_shown() -> None:
    with pytest.raises(Refused, match="a key or token, holds a character") as raised:
        wire.send("GET", "http://127.0.0.1:1/", headers={"Authorization": "Bearer hemmelig-é"})
    assert "xe9" not in str(raised.value)


@pytest.mark.parametrize("said", ["halv \\ud83d", "\\u001b[2Jborte", "a\\nb", "nul\\u0000"])
def test_what_a_server_says_is_one_line_that_the_state_and_a_terminal_take(said: str) -> None:
    answer = wire.Answer(422, {}, f'{{"error": "{said}"}}'.encode(), write=True)
    assert answer.detail()
    assert answer.detail().isprintable()
    answer.detail().encode()


@pytest.mark.parametrize("account", ["m", "b", "x"])
@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (400, {}, "[" * 200_000),
        (400, {}, '{"error": "\\ud800"}'),
        (
            429,
            {
                f"{name}{what}": value
                for name in ("ratelimit-", "x-ratelimit-", "x-rate-limit-")
                for what, value in (("remaining", "9" * 5000), ("reset", "1800000000"))
            },
            "{}",
        ),
    ],
)
def test_no_answer_to_a_post_escapes_the_five_kinds(
    w: World, account: str, status: int, headers: dict[str, str], body: str
) -> None:
    client = w.accounts.open(account).client
    kinds = {"m": "/api/v1/statuses", "b": "com.atproto.repo.putRecord", "x": "/2/tweets"}
    w.simulator(account).faults = [
        Fault(
            "answer",
            f"POST {'/xrpc/' * (account == 'b')}{kinds[account]}",
            status=status,
            headers=headers,
            body=body,
        )
    ]
    record = {"createdAt": "2026-11-22T12:00:00Z", "text": "Hei"}
    payload: dict[str, Any] = {
        "m": {"status": "Hei"},
        "x": {"text": "Hei"},
        "b": {"rkey": "3k", "record": record},
    }
    with pytest.raises(ClientError) as raised:
        client.publish(payload[account], "key")
    str(raised.value).encode()


@pytest.mark.parametrize(
    "address",
    [
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "fec0::1",
        "64:ff9b:1::7f00:1",
        "5f00::1",
        "4000::1",
        "2002:7f00:1::",
        "::ffff:10.0.0.1",
    ],
)
def test_no_form_of_an_inner_address_is_public(address: str) -> None:
    assert not wire.is_public(address)


def test_public_addresses_stay_public() -> None:
    assert all(map(wire.is_public, ["2606:4700::1111", "1.1.1.1", "64:ff9b::101:101"]))


# Addresses of posts

ANNA = {
    "mastodon": Identity(
        "mastodon:masto.example/7", "anna@masto.example", "https://s.example/@anna"
    ),
    "bluesky": Identity("bluesky:did:plc:abc", "anna.test", "https://bsky.app/profile/anna.test"),
    "twitter": Identity("twitter:7", "@anna", "https://x.com/anna"),
}


@pytest.mark.parametrize(
    ("network", "url", "post_id"),
    [
        ("mastodon", "https://masto.example/@anna/123", "123"),
        ("mastodon", "https://s.example/users/ANNA/statuses/123/", "123"),
        ("mastodon", "https://masto.example/@anna/01JD#replies", "01JD"),
        ("bluesky", "https://bsky.app/profile/anna.test/post/3k", "3k"),
        ("bluesky", "https://bsky.app/profile/did:plc:abc/post/3k?ref=share", "3k"),
        ("bluesky", "at://did:plc:abc/app.bsky.feed.post/3k", "3k"),
        ("twitter", "https://x.com/Anna/status/12?s=20", "12"),
        ("twitter", "https://mobile.twitter.com/anna/status/12/photo/1", "12"),
        ("mastodon", "https://masto.example@evil.example/@anna/123", ""),
        ("mastodon", "https://evil.example/https://masto.example/@anna/123", ""),
        ("mastodon", "https://masto.example.evil.example/@anna/123", ""),
        ("mastodon", "https://ｍasto.example/@anna/123", ""),
        ("mastodon", "https://masto.example/@eva/../@anna/123", ""),
        ("mastodon", "https://masto.example/@anna@evil.example/123", ""),
        ("mastodon", "ftp://masto.example/@anna/123", ""),
        ("mastodon", "/@anna/123", ""),
        ("mastodon", "https://masto.example/@anna/followers", ""),
        ("mastodon", "https://masto.example/users/anna/statuses", ""),
        ("mastodon", "https://[masto.example/@anna/123", ""),
        ("bluesky", "https://bsky.app/profile/anna.test.evil/post/3k", ""),
        ("bluesky", "https://bsky.app@evil.example/profile/anna.test/post/3k", ""),
        ("bluesky", "https://bsky.app/profile/eva.test/post/3k?/profile/anna.test/post/3k", ""),
        ("twitter", "https://x.com/anna/status/12x", ""),
        ("twitter", "https://x.com/anna/status/" + "1" * 5000, ""),
        ("twitter", "https://x.com/eva/status/12?/anna/status/12", ""),
        ("twitter", "https://x.com@evil.example/anna/status/12", ""),
        ("twitter", "https://xx.com/anna/status/12", ""),
        ("twitter", "https://x.com/annabel/status/12", ""),
    ],
)
def test_only_pages_of_the_account_are_its_posts(network: str, url: str, post_id: str) -> None:
    assert NETWORKS[network].locate(url, ANNA[network]) == post_id


def test_an_address_without_a_name_is_not_taken_for_the_first_of_two_accounts(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "one: {from: [x, x2], to: b}") as w:
        w.turn()
        post_id = w.say("x2", "Berits innlegg")
        told = w.command("skip", f"https://x.com/i/status/{post_id}")
        assert told.exit_code == 1
        assert "may be a post of x or x2" in told.stderr
        told = w.command("skip", f"https://x.com/berit/status/{post_id}")
        assert (told.exit_code, told.stdout) == (0, "b: left out\n")
        w.rest()
        assert w.texts("b") == []


def test_an_account_that_cannot_be_opened_does_not_keep_orders_for_others_back(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "one: {from: m, to: x}") as w:
        w.simulator("b").faults = [Fault("answer", "POST ", status=401, times=99)]
        post_id = w.say("m", "Hei")
        told = w.command("mirror", f"{w.settings['m']['server']}/@anna/{post_id}")
        assert told.exit_code == 0, told.stderr
        assert w.texts("x") == ["Hei"]


# Waiting


@pytest.mark.parametrize("account", ["m", "b", "x"])
@pytest.mark.parametrize("status", [401, 429])
def test_a_login_refused_while_the_clock_was_a_year_ahead_is_tried_when_it_is_right_again(
    tmp_path: Path, account: str, status: int
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        right = w.clock.at
        w.clock.advance(days=365)
        w.simulator(account).faults = [
            Fault("answer", status=status, headers={"retry-after": "3600"})
        ]
        with pytest.raises(ClientError):
            w.accounts.open(account)
        w.restart()
        w.clock.at = right
        w.accounts.open(account)


@pytest.mark.parametrize("status", [401, 429])
def test_a_renewal_refused_while_the_clock_was_a_year_ahead_is_tried_when_it_is_right_again(
    tmp_path: Path, status: int
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        right = w.clock.at
        w.clock.advance(days=365)
        w.simulator("b").faults = [
            Fault("answer", f"POST /xrpc/com.atproto.server.{name}", status=status, times=9)
            for name in ("refreshSession", "createSession")
        ]
        w.say("m", "Hei")
        w.turn()
        assert w.texts("b") == []
        w.simulator("b").faults = []
        w.restart()
        w.clock.at = right + timedelta(hours=12)
        w.store.forget_waits()
        w.turn()
        assert w.texts("b") == ["Hei"]


def test_rate_limits_are_forgotten_when_the_clock_was_set_back(w: World) -> None:
    claim = ratelimit.Claim("pages")
    ratelimit.SHARED.heard([claim], 0, w.clock() + timedelta(hours=23), w.clock())
    engine = Engine(w.config, w.store, w.accounts, report=lambda *_: None)
    w.clock.advance(days=-365)
    engine.clock_was_set(timedelta(days=-365))
    ratelimit.SHARED.claim([claim], w.clock())


# Dates


@pytest.mark.parametrize("since", ["0001-01-01", "9999-12-31"])
def test_relink_takes_any_date(tmp_path: Path, since: str) -> None:
    with world(tmp_path, "one: {from: b, to: m}\ntwo: {from: m, to: b}") as w:
        w.turn()
        told = w.command("relink", "--since", since)
        assert (told.exit_code, told.stderr) == (0, "")


@pytest.mark.parametrize("since", ["0001-01-01", "9999-12-31"])
def test_a_backfill_takes_any_date(tmp_path: Path, since: str) -> None:
    with world(tmp_path, f"one: {{from: b, to: m, backfill: {{since: {since}}}}}") as w:
        w.say("b", "Gammelt")
        w.rest()
        assert w.texts("m") == (["Gammelt"] if since < "2026" else [])


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"])
def test_a_time_that_its_author_made_up_stops_nothing(tmp_path: Path, said: str) -> None:
    with world(tmp_path, "one: {from: b, to: [m, b2]}") as w:
        w.turn()
        w.say("b", "Utenfor tiden", createdAt=said)
        w.say("b", "Etterpå")
        w.rest()
        assert w.texts("m") == w.texts("b2") == ["Utenfor tiden", "Etterpå"]
        assert w.command("relink").exit_code == 0


# Files


@pytest.mark.parametrize(
    "words",
    [
        "status",
        "outbox",
        "links",
        "costs",
        "doctor --offline",
        "backup copy.db",
        "once",
        "relink",
        "pause one",
        "outbox retry 1",
        "mirror https://x.com/anna/status/1",
    ],
)
@pytest.mark.parametrize(
    ("file", "says"), [("n" * 300, "its name is too long"), ("bots", "it is a folder")]
)
def test_a_state_file_that_cannot_be_is_one_sentence_for_every_command(
    tmp_path: Path, words: str, file: str, says: str
) -> None:
    accounts = "m: {network: mastodon, server: http://127.0.0.1:1, access_token: abcdef}"
    bsky = "b: {network: bluesky, handle: a.test, app_password: abcdef}"
    config = tmp_path / "config.yaml"
    config.write_text(
        f"state: {{file: {file}}}\naccounts:\n  {accounts}\n  {bsky}\nbots:\n  {BOTS}\n"
    )
    (tmp_path / "bots").mkdir()
    told = CliRunner().invoke(main, [*words.split(), "--config", str(config)])
    assert isinstance(told.exception, SystemExit), told.exception
    assert told.exit_code == 1
    assert says in told.output


def test_names_that_cannot_be_are_refused(w: World) -> None:
    name = "n" * 300
    for words in (["backup", name], ["backup", "nowhere/copy.db"]):
        told = w.command(*words)
        assert (told.exit_code, len(told.stderr.splitlines())) == (1, 1)
        assert "too long" in told.stderr or "no such folder" in told.stderr
    told = CliRunner().invoke(main, ["init", "--config", name])
    assert (told.exit_code, type(told.exception)) == (1, SystemExit)
    told = CliRunner().invoke(main, ["demo", "--folder", name])
    assert (told.exit_code, type(told.exception)) == (1, SystemExit)


def test_a_note_of_the_last_run_that_somebody_edited_stops_nothing(w: World) -> None:
    noted = {
        "accounts": {"m": {"read_at": "never", "read_error": 3}, "b": {"delivered_at": None}},
        "bots": {"one": 5, "two": "soon"},
    }
    for text in (json.dumps(noted), '{"accounts": {"m": 1}, "bots": {}}', "[]", "{", '"\\ud800"'):
        pulse_file(w.config.state.file).write_text(text)
        assert w.command("status").exit_code == 0
        pulse = Pulse()
        pulse.load(w.config.state.file)
        assert pulse.latest() is None
        Watch(w.config, w.store, w.clock).check(pulse.accounts())


def test_a_secret_that_begins_with_another_is_blotted_out_whole() -> None:
    secrets = ["hemmelig", "hemmelig-og-mer", "hemmelig-og"]
    secrecy.keep(secrets)
    try:
        assert secrecy.redact("token hemmelig-og-mer, hemmelig") == "token [secret], [secret]"
    finally:
        secrecy.forget(secrets)


# What people see


def test_status_says_what_is_paused(w: World) -> None:
    w.command("pause", "one")
    w.command("pause", "m2")
    told = w.command("status")
    assert told.exit_code == 0
    assert told.stdout.startswith("paused: m2 (`tribridge resume m2`)\npaused: one (")
    found = json.loads(w.command("status", "--json").stdout)
    assert {"kind": "bot", "name": "one"} in found["paused"]


def test_a_post_that_may_be_our_own_copy_is_held_for_every_command(w: World) -> None:
    url = f"{w.settings['m']['server']}/@anna/9"
    key = RouteKey("one", "mastodon:1", "bluesky:1")
    held = Verdict(key, "9", "", "held", "may be our own copy", url)
    w.store.record(Recording(verdicts=[held]), w.clock())
    for command in ("status", "outbox"):
        told = w.command(command)
        assert (told.exit_code, url in told.stdout) == (75, True)
    assert json.loads(w.command("status", "--json").stdout)["posts"][0]["post"] == url
    assert "`tribridge outbox`" in w.command("status").stdout
    assert w.command("once").exit_code == 75


def test_a_post_is_left_out_by_the_address_of_its_edited_version(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: x, to: b}") as w:
        w.turn()
        first = w.say("x", "Skrivefeil")
        edited = w.networks["twitter"].edit("anna", first, "Rettet")
        w.read("x")
        told = w.command("skip", f"https://x.com/anna/status/{edited}")
        assert (told.exit_code, told.stdout) == (0, "b: left out\n")
        w.rest()
        assert w.texts("b") == []


@pytest.mark.parametrize("host", ["m..example", "m" * 64 + ".example", ".example"])
@pytest.mark.parametrize("setting", ["server", "webhook"])
def test_a_host_that_cannot_be_is_found_by_check(w: World, setting: str, host: str) -> None:
    text = w.file.read_text()
    if setting == "server":
        text = text.replace(w.settings["m"]["server"], f"https://{host}")
    else:
        text = f"alerts: {{webhook: 'https://{host}/hook'}}\n{text}"
    w.file.write_text(text)
    told = w.command("check")
    assert (told.exit_code, f"'{setting}' takes " in told.stdout) == (78, True)
