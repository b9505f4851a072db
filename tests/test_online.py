"""`tribridge check --online`: who each account is, what its login may do, and what is hardly meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.world import World, world

ALL = "a: {between: [m, b, x]}\nb: {from: m2, to: [b2, x2]}"


def test_each_account_is_shown_with_what_its_network_says(tmp_path: Path) -> None:
    with world(tmp_path, ALL) as w:
        done = w.command("check", "--online")
        assert done.exit_code == 0, done.stdout
        host = w.networks["mastodon"].url.removeprefix("http://")
        text = done.stdout
        assert f"m: anna@{host} on Mastodon, {w.networks['mastodon'].identity('anna')}\n" in text
        assert "  scopes: read:accounts, read:statuses, write:statuses, write:media\n" in text
        assert (
            "  takes: 500 characters, 4 images of up to 16 MiB, a video of up to 99 MiB\n" in text
        )
        assert "b: anna.test on Bluesky, bluesky:did:plc:" in text
        assert "  scopes: com.atproto.appPass\n" in text
        assert "x: @anna on Twitter (X), twitter:" in text
        assert "  scopes: read-write\n" in text
        assert text.endswith("config.yaml: 6 accounts, 2 bots: fine, with 12 warnings\n")


def test_the_form_for_programs(tmp_path: Path) -> None:
    with world(tmp_path, ALL) as w:
        found = json.loads(w.command("check", "--online", "--format", "json").stdout)
        by_name = {account["name"]: account for account in found["accounts"]}
        assert list(by_name) == sorted(w.settings)
        masto = by_name["m"]
        assert masto["identity"] == w.networks["mastodon"].identity("anna")
        assert masto["limits"]["text"] == [{"unit": "characters", "maximum": 500}]
        # two requests to log in, four to see what the token may do
        assert [(left["what"], left["quota"], left["left"]) for left in masto["left"]] == [
            ("requests", 300, 294)
        ]
        assert masto["left"][0]["until"] == "2026-11-22T12:05:00+00:00"
        assert by_name["b"]["left"][0]["what"] == "logins"
        assert by_name["x"]["scopes"] == ["read-write"]
        assert all(account["error"] is None for account in by_name.values())
        assert not any(account["locked"] for account in by_name.values())


def test_nothing_is_kept_but_what_x_charges(tmp_path: Path) -> None:
    with world(tmp_path, "b: {from: x, to: b}") as w:
        before = {network: w.requests(network) for network in w.networks}
        found = json.loads(w.command("check", "--online", "--format", "json").stdout)
        assert w.store.accounts() == {}
        assert w.store.session("b") is None
        left = {account["name"]: account["left_usd"] for account in found["accounts"]}
        assert left["x"] == left["x2"] == 1000 - 0.01
        assert left["m"] is None
        assert w.networks["twitter"].spent == 0.02
        costs = json.loads(w.command("costs", "--json").stdout)["accounts"]
        assert sum(account["spent"] for account in costs) == pytest.approx(0.02)
        assert before["twitter"] == {}
        assert w.requests("twitter") == {"GET /2/users/me": 2}
        assert not any(simulator.journal for simulator in w.networks.values())


def told(w: World, code: int = 0) -> list[str]:
    """What is wrong or surprising, but for the secrets that a world writes as they are."""
    done = w.command("check", "--online", "--format", "json")
    assert done.exit_code == code, done.stdout
    return [
        f"{f['severity']} {f['line']}: {f['message']}"
        for f in json.loads(done.stdout)["findings"]
        if not f["message"].startswith("the secret")
    ]


def line(w: World, begin: str) -> int:
    lines = w.file.read_text(encoding="utf-8").splitlines()
    return next(n for n, text in enumerate(lines, start=1) if text.startswith(begin))


def test_a_mirror_of_a_locked_account_is_a_surprise(tmp_path: Path) -> None:
    with world(tmp_path, "mirror: {from: [m, x], to: b}\nback: {from: b2, to: m2}") as w:
        assert told(w) == []
        w.networks["mastodon"].approve_followers("anna")
        w.networks["mastodon"].approve_followers("berit")  # is only posted to
        w.networks["twitter"].protect("anna")
        at = f"warning {line(w, '  mirror:')}: the bot 'mirror' mirrors"
        assert told(w) == [
            f"{at} 'm', which approves its followers: copies of its public posts have readers whom"
            " it never approved",
            f"{at} 'x', which is protected: none of its posts is public, so none is mirrored",
        ]


def test_a_login_that_may_do_too_little_for_its_bots_is_wrong(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: [m2, x]}") as w:
        mastodon = w.networks["mastodon"]
        mastodon.narrow("anna", "write:statuses", "write:media")  # is only read
        mastodon.narrow("berit", "read:statuses", "write:media")
        w.networks["twitter"].access_level = "read"
        lacks = "lacks what the bot 'a' needs"
        assert told(w, 78) == [
            f"error {line(w, '  m2:')}: the login of 'm2' {lacks}: write:media; make one that has it",
            f"error {line(w, '  x:')}: the login of 'x' {lacks}: write; make one that has it",
        ]
        mastodon.narrow("anna", "read:statuses")
        assert told(w, 78)[0] == (
            f"error {line(w, '  m:')}: the login of 'm' {lacks}: read:statuses; make one that has it"
        )


def test_a_password_that_may_do_too_much_is_a_surprise(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b}") as w:
        pds = w.networks["bluesky"]
        pds.accounts["anna.test"].scope = "access"
        pds.accounts["berit.test"].scope = "appPassPrivileged"
        assert told(w) == [
            f"warning {line(w, '  b:')}: the account 'b': this is the password of the account itself:"
            " create an app password instead",
            f"warning {line(w, '  b2:')}: the account 'b2': this app password may read direct"
            " messages: create one that may not",
        ]


def test_a_login_that_is_refused_is_wrong_though_the_state_has_an_older_one(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b}") as w:
        w.turn()
        w.networks["mastodon"].revoke("anna")
        w.networks["bluesky"].accounts["anna.test"].passwords.clear()
        first, second = told(w, 78)
        assert first.startswith(f"error {line(w, '  b:')}: the account 'b' cannot log in: ")
        assert "create a new app password" in first
        assert second.startswith(f"error {line(w, '  m:')}: the account 'm' cannot log in: ")


def test_a_server_that_cannot_be_reached_is_no_mistake_of_the_configuration(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b}") as w:
        w.networks["bluesky"].stop()
        first, second = told(w, 1)
        assert first.startswith(f"error {line(w, '  b:')}: the account 'b' cannot log in: ")
        assert second.startswith(f"error {line(w, '  b2:')}: the account 'b2' cannot log in: ")
        shown = w.command("check", "--online").stdout
        assert "\nm: anna@" in shown
        assert "\nb: " not in shown
        w.networks["mastodon"].revoke("anna")
        assert len(told(w, 78)) == 3


def test_two_names_for_one_account_are_wrong(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b}") as w:
        w.settings["m2"] |= w.networks["mastodon"].account("anna", "another app")
        w.configure("a: {from: m, to: b}")
        host = w.networks["mastodon"].url.removeprefix("http://")
        assert told(w, 78) == [
            f"error {line(w, '  m2:')}: the accounts 'm' and 'm2' are both anna@{host}"
        ]


def test_text_is_measured_by_what_the_server_takes(tmp_path: Path) -> None:
    bots = "a: {from: b, to: [m, m2], for: {m: {steps: [{append: %s}]}}}" % ("ord " * 100)
    with world(tmp_path, bots) as w:
        assert told(w) == []
        w.networks["mastodon"]._server.characters = 300
        assert [message.partition(": ")[2] for message in told(w)] == [
            "the text that steps add has 399 characters, and Mastodon takes 300: every copy becomes"
            " a thread"
        ]


def test_without_a_state_none_is_made(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: x, to: b}") as w:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        w.file = w.file.rename(elsewhere / "config.yaml")
        found = json.loads(w.command("check", "--online", "--format", "json").stdout)
        assert [account["left_usd"] for account in found["accounts"]] == [None] * 6
        assert [path.name for path in elsewhere.iterdir()] == ["config.yaml"]


def test_nobody_is_asked_where_the_configuration_is_wrong_or_a_file_is_named(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "a: {from: m, to: b}") as w:
        done = w.command("check", str(w.file), "--online")
        assert done.exit_code == 2
        assert "leave out FILE" in done.stderr
        w.file.write_text(w.file.read_text(encoding="utf-8") + "\n  c: {}\n", encoding="utf-8")
        done = w.command("check", "--online", "--format", "json")
        assert done.exit_code == 78
        assert "accounts" not in json.loads(done.stdout)
        assert not any(map(w.requests, w.networks))


def test_no_secret_is_shown(tmp_path: Path) -> None:
    with world(tmp_path, "a: {between: [m, b, x]}") as w:
        names = ("access_token", "access_token_secret", "api_key", "api_key_secret", "app_password")
        secrets = [v for account in w.settings.values() for k, v in account.items() if k in names]
        assert len(secrets) == 12
        for form in ("text", "json", "github"):
            shown = w.command("check", "--online", "--format", form).output
            assert not [secret for secret in secrets if secret in shown]
