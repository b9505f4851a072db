"""`tribridge login` and `logout` as people run them: a process, a browser, a network."""

from __future__ import annotations

import json
import os
import pty
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.twitter.simulator import TwitterSimulator
from bridge.simulation import Fault
from tests.secret_scan import remember
from tests.test_cli import TRIBRIDGE
from tests.waiting import HANGS

#: a browser whose user follows the link of the account PERSON, or declines
BROWSER = """\
#!{python}
import html, os, re, sys
from urllib.parse import urljoin
from urllib.request import urlopen
print("a browser prints this")
page = urlopen(sys.argv[1]).read().decode()
links = [urljoin(sys.argv[1], html.unescape(link)) for link in re.findall('href="([^"]*)"', page)]
person = os.environ["PERSON"]
(chosen,) = [link for link in links if link.endswith(person)]
if "STRANGER" in os.environ:
    back = re.search("redirect_uri=([^&]*)", chosen)[1]
    from urllib.error import HTTPError
    from urllib.parse import unquote
    try:
        urlopen(unquote(back) + "?code=anothers&state=anothers")
    except HTTPError as error:
        assert error.code == 400, error
assert b"close this page" in urlopen(chosen).read()
"""
PORT = 8723
pytestmark = pytest.mark.xdist_group("the port that browsers come back to")


class Networks:
    """Three networks, a config without secrets, and a browser."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mastodon, self.bluesky = MastodonSimulator(), BlueskySimulator()
        self.twitter = TwitterSimulator()
        for simulator in (self.mastodon, self.bluesky, self.twitter):
            simulator.start()
            simulator.account("anna.test" if simulator is self.bluesky else "anna")
        self.mastodon.account("berit")
        self.password = self.bluesky.account("anna.test")["app_password"]
        self.file = folder / "config.yaml"
        self.logins = folder / "state" / "tribridge.db.logins.json"
        self.browser = folder / "browser"
        self.browser.write_text(BROWSER.format(python=sys.executable))
        self.browser.chmod(0o755)
        self.port = free_port()
        self.app = self.twitter.app(f"http://127.0.0.1:{self.port}/")
        self.configure()

    def configure(self, **more: str) -> None:
        """Write the config; `more` are lines of the accounts, by name."""
        lines = {
            "m": f"network: mastodon, server: {self.mastodon.url}",
            "b": f"network: bluesky, service: {self.bluesky.url}, handle: anna.test",
            "x": f"network: twitter, api: {self.twitter.url}, client_id: {self.app['client_id']},"
            " budget: {usd_per_month: 5}",
        }
        accounts = "".join(f"  {n}: {{{line}{more.get(n, '')}}}\n" for n, line in lines.items())
        self.file.write_text(
            f"accounts:\n{accounts}defaults: {{delay: 0s}}\n"
            "bots:\n  one: {from: m, to: [b, x], backfill: all}\n"
        )

    def run(
        self, *words: str, stdin: str = "", person: str = "as=anna", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """A command with a browser; `stdin` is what is typed."""
        env = {"BROWSER": str(self.browser), "PERSON": person, **environ}
        process = subprocess.Popen(
            [*TRIBRIDGE, *words, "--config", str(self.file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **env},
        )
        out, err = process.communicate(stdin, timeout=HANGS)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def log_in_to_x(self, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.run("login", "x", "--port", str(self.port), **more)

    def stored(self) -> dict[str, Any]:
        """What is stored of logins."""
        found: dict[str, Any] = json.loads(self.logins.read_text())
        return found

    def stop(self) -> None:
        for simulator in (self.mastodon, self.bluesky, self.twitter):
            simulator.stop()


def free_port() -> int:
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


@pytest.fixture
def n(tmp_path: Path) -> Iterator[Networks]:
    made = Networks(tmp_path)
    yield made
    made.stop()


def fine(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_three_logins_are_all_that_a_bot_needs(n: Networks) -> None:
    missing = n.run("check")
    assert missing.returncode == 78
    for name in ("m", "b", "x"):
        assert f"log in with `tribridge login {name}`" in missing.stdout
    assert fine(n.run("login", "m")) == "m: logged in as anna@" + host(n.mastodon.url) + "\n"
    assert fine(n.run("login", "b", stdin=n.password + "\n")) == "b: logged in as anna.test\n"
    assert fine(n.log_in_to_x()) == "x: logged in as @anna\n"
    assert "fine" in fine(n.run("check"))
    assert stat.S_IMODE(n.logins.stat().st_mode) == 0o600
    n.mastodon.say("anna", "Kaffen er klar")
    fine(n.run("once"))
    assert [e.text for e in n.bluesky.journal] == ["Kaffen er klar"]
    assert [e.text for e in n.twitter.journal] == ["Kaffen er klar"]
    assert "rights" in fine(n.run("doctor", "--offline"))
    n.logins.chmod(0o644)
    assert "tribridge.db.logins.json: holds a secret" in n.run("doctor", "--offline").stdout
    n.logins.chmod(0o600)


def host(url: str) -> str:
    return urlsplit(url).netloc


def test_mastodon_is_asked_for_the_least_scopes_under_the_name_that_marks_copies(
    n: Networks,
) -> None:
    fine(n.run("login", "m"))
    (app,) = n.mastodon.oauth._apps.values()
    assert app.name == "Tribridge"
    assert app.scopes == {"read:accounts", "read:statuses", "write:statuses", "write:media"}
    entry = n.stored()["m"]
    assert entry["for"] == {"server": n.mastodon.url}


@pytest.mark.parametrize(("flavour", "proves"), [("mastodon", True), ("gotosocial", False)])
def test_pkce_where_the_server_knows_it_and_state_everywhere(
    tmp_path: Path, flavour: Any, proves: bool
) -> None:
    n = Networks(tmp_path)
    n.mastodon.stop()
    n.mastodon = MastodonSimulator(flavour=flavour)
    n.mastodon.start()
    n.mastodon.account("anna")
    n.configure()
    done = n.run("login", "m", STRANGER="1")
    fine(done)
    (url,) = re.findall(r"http://\S+/oauth/authorize\S+", done.stderr)
    asked = parse_qs(urlsplit(url).query)
    assert ("code_challenge" in asked) == proves
    assert len(asked["state"][0]) > 40
    n.stop()


def test_a_pasted_code_logs_in_on_a_machine_without_a_browser(n: Networks) -> None:
    with pasting(n, "login", "m", "--no-browser") as (process, url):
        page = httpx.get(follow(url, "as=berit"), timeout=HANGS).text
        code = re.search("<code>(.*)</code>", page)[1]  # type: ignore[index]
        out, err = process.communicate(f"{code}\n", timeout=HANGS)
    assert (process.returncode, out) == (0, f"m: logged in as berit@{host(n.mastodon.url)}\n"), err


def test_a_pasted_address_logs_in_to_x(n: Networks) -> None:
    with pasting(n, "login", "x", "--no-browser", "--port", str(n.port)) as (process, url):
        back = httpx.get(follow(url, "as=anna"), timeout=HANGS).headers["location"]
        assert back.startswith(f"http://127.0.0.1:{n.port}/?")
        out, err = process.communicate(f"{back}\n", timeout=HANGS)
    assert (process.returncode, out) == (0, "x: logged in as @anna\n"), err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "nothing was pasted"),
        ("abc", "that is not of this login"),
        ("http://127.0.0.1:1/?code=c&state=anothers", "that is not of this login"),
        ("http://[?code=c&state=s", "that is not of this login"),
    ],
)
def test_an_address_of_another_login_is_not_taken(n: Networks, text: str, told: str) -> None:
    done = n.run("login", "x", "--no-browser", "--port", str(n.port), stdin=text + "\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert not n.logins.exists()


class pasting:  # noqa: N801 - a context
    """A login that waits for what is pasted: the process, and the page that it named."""

    def __init__(self, n: Networks, *words: str) -> None:
        self.process = subprocess.Popen(
            [*TRIBRIDGE, *words, "--config", str(n.file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )

    def __enter__(self) -> tuple[subprocess.Popen[str], str]:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r"http://\S+", line):
                return self.process, found[0]
        raise AssertionError("no page was named")

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def follow(url: str, end: str) -> str:
    """The link on a page of consent that ends in some way."""
    import html
    from urllib.parse import urljoin

    links = re.findall('href="([^"]*)"', httpx.get(url, timeout=HANGS).text)
    (chosen,) = [html.unescape(link) for link in links if html.unescape(link).endswith(end)]
    return urljoin(url, chosen)


def test_who_declines_is_not_logged_in(n: Networks) -> None:
    for done in (n.run("login", "m", person="deny=1"), n.log_in_to_x(person="deny=1")):
        assert (done.returncode, done.stdout) == (1, "")
        assert "did not let tribridge in: it was declined there" in done.stderr
    assert not n.logins.exists()


def test_a_scope_that_was_not_given_is_named(n: Networks) -> None:
    n.mastodon.oauth.withholds = frozenset({"write:media"})
    done = n.run("login", "m")
    fine(done)
    assert "m: was not given write:media" in done.stderr


def test_nobody_coming_back_ends_the_wait(n: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from bridge import logging_in
    from bridge.cli import main

    monkeypatch.setattr(logging_in, "PATIENCE", 0.01)
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    monkeypatch.setenv("BROWSER", "none")
    done = CliRunner().invoke(main, ["login", "m", "--config", str(n.file)])
    assert done.exit_code == 1
    assert "nobody came back within 0.01 seconds" in done.stderr


def test_a_port_that_is_taken_is_told(n: Networks) -> None:
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", n.port))
        held.listen()
        done = n.log_in_to_x()
    assert done.returncode == 1
    assert f"port {n.port} of this machine cannot be used" in done.stderr


# Bluesky


def test_what_is_wrong_with_a_password_is_said(n: Networks) -> None:
    own = "hele kontoens passord"
    remember(own, "password of an account")
    n.bluesky.own_password("anna.test", own)
    done = n.run("login", "b", stdin=own + "\n")
    assert done.returncode == 1
    assert "that is the password of the account anna.test itself" in done.stderr
    assert n.bluesky.requests["POST /xrpc/com.atproto.server.deleteSession"] == 1
    n.bluesky.own_password("anna.test", own, second_factor=True)
    done = n.run("login", "b", stdin=own + "\n")
    assert "wants a code by e-mail as well: make an app password" in done.stderr
    done = n.run("login", "b", stdin="aaaa-bbbb-cccc-dddd\n")
    assert "knows no anna.test with that password" in done.stderr
    done = n.run("login", "b", stdin="\n")
    assert "no app password was given" in done.stderr
    n.bluesky.lock_out("anna.test", "AccountTakedown")
    done = n.run("login", "b", stdin=n.password + "\n")
    assert (done.returncode, "anna.test is takedown" in done.stderr) == (1, True)
    assert not n.logins.exists()


def test_a_password_is_asked_for_without_echo(n: Networks) -> None:
    said, code = on_a_terminal(n, ["login", "b"], "App passwords): ", n.password + "\n")
    assert code == 0
    assert "b: logged in as anna.test" in said
    assert n.password not in said


def on_a_terminal(n: Networks, words: list[str], prompt: str, typed: str) -> tuple[str, int]:
    """What stands on a terminal on which a command asks once and is answered; its exit code."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*TRIBRIDGE, *words, "--config", str(n.file)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        start_new_session=True,
    )
    os.close(follower)
    said = b""
    answered = False
    while True:
        try:
            data = os.read(leader, 4096)
        except OSError:
            break
        if not data:
            break
        said += data
        if not answered and prompt.encode() in said:
            os.write(leader, typed.encode())
            answered = True
    os.close(leader)
    return said.decode(), process.wait()


# X: tokens that rotate


def test_tokens_of_x_are_exchanged_when_their_time_is_over_and_kept(n: Networks) -> None:
    fine(n.log_in_to_x())
    fine(n.run("login", "m"))
    fine(n.run("login", "b", stdin=n.password + "\n"))
    first = n.stored()["x"]
    for text in ("Første", "Andre", "Tredje"):
        n.twitter.oauth2.expire()
        n.mastodon.say("anna", text)
        fine(n.run("once"))
    assert [e.text for e in n.twitter.journal] == ["Første", "Andre", "Tredje"]
    last = n.stored()["x"]
    assert first["secrets"] == last["secrets"]
    assert first["tokens"]["refresh_token"] != last["tokens"]["refresh_token"]


def test_a_dry_run_keeps_the_tokens_that_it_was_given(n: Networks) -> None:
    fine(n.log_in_to_x())
    fine(n.run("login", "m"))
    fine(n.run("login", "b", stdin=n.password + "\n"))
    stale(n)
    n.mastodon.say("anna", "Prøve")
    n.configure()
    n.file.write_text(n.file.read_text().replace("from: m, to: [b, x]", "from: x, to: b"))
    fine(n.run("once", "--dry-run"))
    stale(n)
    fine(n.run("once"))


def test_a_preview_keeps_the_tokens_that_it_was_given_and_writes_nothing_else(n: Networks) -> None:
    fine(n.log_in_to_x())
    fine(n.run("login", "b", stdin=n.password + "\n"))
    fine(n.run("login", "m"))
    n.configure()
    n.file.write_text(n.file.read_text().replace("from: m, to: [b, x]", "from: x, to: b"))
    n.twitter.say("anna", "Prøve")
    state = n.logins.parent
    stale(n)
    before = {file: file.read_bytes() for file in state.iterdir() if file != n.logins}
    first = n.stored()["x"]["tokens"]
    fine(n.run("preview", "one"))
    kept = n.stored()["x"]["tokens"]
    assert kept["refresh_token"] != first["refresh_token"]
    after = {file: file.read_bytes() for file in state.iterdir() if file != n.logins}
    assert after == before
    stale(n)
    fine(n.run("preview", "one"))


def stale(n: Networks) -> None:
    """Let the stored access token seem to be over, and be it."""
    found = n.stored()
    found["x"]["tokens"]["expires_at"] = 0
    n.logins.write_text(json.dumps(found))
    n.twitter.oauth2.expire()


def test_a_login_that_x_has_ended_says_what_to_do(n: Networks) -> None:
    fine(n.log_in_to_x())
    fine(n.run("login", "m"))
    fine(n.run("login", "b", stdin=n.password + "\n"))
    fine(n.run("once"))
    n.twitter.oauth2.end_all()
    n.mastodon.say("anna", "Hei")
    done = n.run("once")
    assert "log in again with `tribridge login`" in done.stderr
    assert [e.text for e in n.bluesky.journal] == ["Hei"]
    fine(n.log_in_to_x())
    fine(n.run("once"))
    assert [e.text for e in n.twitter.journal] == ["Hei"]


def test_a_confidential_client_proves_itself(n: Networks) -> None:
    n.app = n.twitter.app(f"http://127.0.0.1:{n.port}/", confidential=True)
    n.configure()
    done = n.log_in_to_x()
    assert done.returncode == 1
    assert "needs `client_secret` too" in done.stderr
    n.configure(x=", client_secret: '${X_SECRET}'")
    fine(n.log_in_to_x(X_SECRET=n.app["client_secret"]))
    stale(n)
    fine(n.run("logout", "x", X_SECRET=n.app["client_secret"]))


def test_asking_x_who_it_is_counts_in_the_budget(n: Networks) -> None:
    fine(n.log_in_to_x())
    n.configure(m=", access_token: t", b=", app_password: p")
    assert "0.01" in fine(n.run("costs"))
    assert n.twitter.spent == 0.01


def test_without_a_client_id_it_says_where_to_get_one(n: Networks) -> None:
    n.app = {"client_id": "x"}
    n.configure()
    n.file.write_text(n.file.read_text().replace("client_id: x,", ""))
    done = n.log_in_to_x()
    assert done.returncode == 1
    assert f"http://127.0.0.1:{n.port}/ as callback URI" in done.stderr


# Where a login is good for


def test_a_token_is_never_sent_to_another_server(n: Networks) -> None:
    fine(n.run("login", "m"))
    n.configure(b=", app_password: p", x=", refresh_token: r")
    assert "fine" in fine(n.run("check"))
    other = MastodonSimulator()
    other.start()
    n.file.write_text(n.file.read_text().replace(n.mastodon.url, other.url))
    done = n.run("check")
    assert done.returncode == 78
    assert "its stored login is for another server: log in with `tribridge login m`" in done.stdout
    other.stop()


def test_what_is_written_counts_before_a_login_and_that_is_said(n: Networks) -> None:
    n.configure(m=", access_token: '${NOT_SET}'")
    done = n.run("login", "m")
    fine(done)
    assert "remove access_token of m" in done.stderr
    assert "NOT_SET" in n.run("check").stdout


def test_two_ways_to_log_in_to_x_are_one_too_many(n: Networks) -> None:
    n.configure(x=", api_key: k")
    assert "'api_key' and 'client_id' belong to two ways" in n.run("check").stdout


def test_printed_lines_are_an_environment_file_and_nothing_is_stored(n: Networks) -> None:
    out = fine(n.run("login", "m", "--print"))
    out += fine(n.run("login", "b", "--print", stdin=n.password + "\n"))
    out += fine(n.run("login", "x", "--print", "--port", str(n.port)))
    assert not (n.folder / "state").exists()
    environ = dict(line.split("=", 1) for line in out.splitlines())
    assert [*environ] == ["M_ACCESS_TOKEN", "B_APP_PASSWORD", "X_REFRESH_TOKEN"]
    n.configure(
        m=", access_token: '${M_ACCESS_TOKEN}'",
        b=", app_password: '${B_APP_PASSWORD}'",
        x=", refresh_token: '${X_REFRESH_TOKEN}'",
    )
    n.mastodon.say("anna", "Fra miljøet")
    fine(n.run("once", **environ))
    n.twitter.oauth2.expire()
    n.mastodon.say("anna", "Igjen")
    fine(n.run("once", **environ))
    assert [e.text for e in n.twitter.journal] == ["Fra miljøet", "Igjen"]


# Ending it


def test_logout_revokes_and_forgets(n: Networks) -> None:
    fine(n.run("login", "m"))
    fine(n.run("login", "b", stdin=n.password + "\n"))
    fine(n.log_in_to_x())
    before = n.stored()
    assert n.run("logout", "m").stdout == "m: logged out\n"
    done = n.run("logout", "b")
    assert "delete the app password of anna.test" in done.stderr
    fine(n.run("logout", "x"))
    assert n.stored() == {}
    token = before["m"]["secrets"]["access_token"]
    asked = httpx.get(
        f"{n.mastodon.url}/api/v1/accounts/verify_credentials",
        headers={"Authorization": f"Bearer {token}"},
        timeout=HANGS,
    )
    assert asked.status_code == 401
    tokens = before["x"]["tokens"]
    assert n.twitter.oauth2.grant_of(tokens["access_token"]) is None
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    form["client_id"] = n.app["client_id"]
    assert (
        httpx.post(f"{n.twitter.url}/2/oauth2/token", data=form, timeout=HANGS).status_code == 400
    )
    assert n.bluesky.made("anna.test").revoked
    assert n.run("logout", "m").returncode == 1
    assert "log in with `tribridge login m`" in n.run("check").stdout


def test_a_login_is_kept_while_it_cannot_be_revoked(n: Networks) -> None:
    fine(n.run("login", "m"))
    n.mastodon.faults.append(Fault("answer", "POST /oauth/revoke", times=2, status=503))
    done = n.run("logout", "m")
    assert (done.returncode, done.stdout) == (1, "")
    assert "still logged in" in done.stderr
    assert "m" in n.stored()
    assert fine(n.run("logout", "m", "--forget")) == "m: logged out\n"
    assert n.stored() == {}


def test_what_was_revoked_elsewhere_can_be_logged_out(n: Networks) -> None:
    fine(n.run("login", "m"))
    fine(n.log_in_to_x())
    n.mastodon.oauth._apps.clear()
    n.twitter.oauth2.end_all()
    fine(n.run("logout", "m"))
    fine(n.run("logout", "x"))


# Trouble


def test_unknown_accounts_and_missing_configs_are_told(n: Networks) -> None:
    done = n.run("login", "masto")
    assert done.returncode == 2
    assert done.stderr.startswith("there is no account 'masto' in ")
    assert done.stderr.endswith("; there are: m, b, x\n")
    n.file.unlink()
    assert n.run("logout", "m").returncode == 78


def test_a_damaged_file_of_logins_is_a_problem_with_its_place(n: Networks) -> None:
    n.logins.parent.mkdir()
    n.logins.write_text("{")
    done = n.run("check")
    assert done.returncode == 78
    assert "tribridge.db.logins.json:1:1: is damaged: remove it" in done.stdout
    for command in ("login", "logout"):
        done = n.run(command, "m")
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        assert "is damaged" in done.stderr


@pytest.mark.parametrize(
    ("match", "fault"),
    [
        ("POST /api/v1/apps", {"kind": "answer", "status": 500}),
        ("POST /api/v1/apps", {"kind": "answer", "status": 200, "body": "<html>"}),
        ("POST /api/v1/apps", {"kind": "drop_after"}),
        ("POST /oauth/token", {"kind": "answer", "status": 200, "body": "{}"}),
        (
            "POST /oauth/token",
            {"kind": "answer", "status": 400, "body": '{"error":"invalid_grant"}'},
        ),
        ("POST /oauth/token", {"kind": "truncate"}),
    ],
)
def test_a_server_in_trouble_is_told_and_nothing_is_stored(
    n: Networks, match: str, fault: dict[str, Any]
) -> None:
    n.mastodon.faults.append(Fault(match=match, **fault))
    done = n.run("login", "m")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("m: ")
    assert "Traceback" not in done.stderr
    assert not n.logins.exists()


def test_a_login_that_does_not_work_leaves_the_one_before(n: Networks) -> None:
    fine(n.run("login", "m"))
    before = n.stored()
    refused = Fault("answer", "GET /api/v1/accounts/verify_credentials", status=403, body="{}")
    n.mastodon.faults.append(refused)
    assert n.run("login", "m").returncode == 1
    assert n.stored() == before


@pytest.mark.parametrize(("utf8", "io"), [("1", ""), ("0", "utf-8:strict")])
def test_bytes_that_are_no_text_are_no_password(n: Networks, utf8: str, io: str) -> None:
    command = [*TRIBRIDGE, "login", "b", "--config", str(n.file)]
    env = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "PYTHONUTF8": utf8,
        "PYTHONIOENCODING": io,
    }
    done = subprocess.run(
        command, input=b"\xff\xfe\n", capture_output=True, env=env, timeout=HANGS, check=False
    )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"b: what was typed is no text" in done.stderr
    assert not n.logins.exists()
