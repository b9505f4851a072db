"""Every command that the documentation shows runs, as people would run it.

```sh blocks run here against the sandbox, but for those that install or call make.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click

from bridge import starter
from bridge.cli import main
from bridge.sandbox import Sandbox
from tests.pages import FOLLOWED, PAGES, ROOT, blocks, section, text_of
from tests.receiver import Receiver
from tests.test_login import BROWSER
from tests.waiting import HANGS


def commands(block: str) -> list[str]:
    return [line for line in block.splitlines() if line.strip()]


INSTALLING = ("make ", "pip install .", "python -m tests.make_reference")
#: blocks that run below, as (page, section)
SESSIONS = [
    ("README.md", "A bot is tested before it posts"),
    ("README.md", "With your own accounts"),
    ("README.md", "Try it by hand"),
    ("docs/how-to/operate.md", "As a service"),
    ("docs/how-to/operate.md", "Backups"),
    ("docs/how-to/operate.md", "When the state is lost"),
    ("docs/how-to/operate.md", "What is wrong, or will be"),
    ("docs/how-to/operate.md", "Watching it"),
    ("docs/how-to/operate.md", "What X costs"),
    ("docs/how-to/operate.md", "Alerts"),
    ("docs/how-to/preview-and-explain.md", "Before it is posted"),
    ("docs/how-to/preview-and-explain.md", "After it was posted, or was not"),
    ("docs/how-to/test-a-bot.md", ""),
    ("docs/how-to/wrong.md", "Say it"),
    ("docs/how-to/wrong.md", "Take it back"),
    ("docs/how-to/wrong.md", "Know what was out, and when"),
]
#: waits until a post stands on the two other accounts
ARRIVED = """
for _ in $(seq 600); do
  if [ "$(tribridge links | grep -c -- '->')" = 2 ]; then break; fi; sleep 0.1
done
"""


def test_every_command_of_the_pages_is_tried_or_installs_something_that_there_is() -> None:
    targets = set(re.findall(r"^(\w+):", text_of("Makefile"), re.MULTILINE))
    tried = {block for page, name in SESSIONS for block in to_run(page, name)}
    assert len(tried) >= 10
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        followed = str(page.relative_to(ROOT)) in FOLLOWED
        for block in blocks(text, "sh"):
            for line in [] if followed or block in tried else commands(block):
                assert line.startswith(INSTALLING), f"{page.name}: nothing tries {line!r}"
        for target in re.findall(r"(?:`|^)make (?:PYTHON=\S+ )?(\w+)", text, re.MULTILINE):
            assert target in targets
        for words in re.findall(r"`tribridge ([a-z]+(?: [a-z]+)*)", text):
            assert_is_command(words.split())


def assert_is_command(words: list[str]) -> None:
    """Words name a command, or one of a group; the rest are its arguments."""
    command: click.Command = main
    for word in words:
        if not isinstance(command, click.Group):
            break
        assert word in command.commands, words
        command = command.commands[word]


def to_run(page: str, name: str) -> list[str]:
    found = blocks(section(text_of(page), name) if name else text_of(page), "sh")
    return [b for b in found if not all(line.startswith(INSTALLING) for line in commands(b))]


#: stands in for curl where there is none: the options that the pages use
CURL = """\
#!{python}
import sys
from urllib.request import Request, urlopen
from urllib.parse import quote
words = [word for word in sys.argv[1:] if word != "-s"]
headers, data = {{}}, None
while "-H" in words:
    at = words.index("-H")
    name, value = words[at + 1].split(": ", 1)
    headers[name] = value
    del words[at : at + 2]
if "-d" in words:
    at = words.index("-d")
    data = quote(words[at + 1], safe="=&").encode()
    del words[at : at + 2]
(url,) = words
print(urlopen(Request(url, data, headers)).read().decode())
"""

#: waits for words in a file, at most a minute
UNTIL = """
until_in() {
  for _ in $(seq 600); do if grep -q "$1" "$2"; then return; fi; sleep 0.1; done
  cat "$2" >&2; exit 99
}
stop_all() { kill $(jobs -p) 2>/dev/null || true; }
trap stop_all EXIT
"""


def shell(folder: Path, script: str, *, real_curl: bool = True, **environ: str) -> str:
    """What a script prints that runs as people would run it, with `tribridge` and `curl` on the path."""
    bin_folder = folder.parent / f"{folder.name}-bin"
    bin_folder.mkdir(exist_ok=True)
    tools = {"tribridge": f'#!/bin/sh\nexec "{sys.executable}" -m bridge "$@"\n'}
    tools["python3"] = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
    if not real_curl or shutil.which("curl") is None:
        tools["curl"] = CURL.format(python=sys.executable)
    for name, text in tools.items():
        (bin_folder / name).write_text(text)
        (bin_folder / name).chmod(0o755)
    env = {"PATH": f"{bin_folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), **environ}
    done = subprocess.run(
        ["bash", "-euc", UNTIL + script],
        cwd=folder,
        env=env,
        text=True,
        capture_output=True,
        check=False,
        timeout=HANGS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_stand_in_for_curl_can_do_what_the_pages_ask_of_it(tmp_path: Path) -> None:
    sandbox = Sandbox()
    printed = sandbox.start()
    *_, post, _, _ = to_run("README.md", "Try it by hand")
    token = printed["mastodon"]["accounts"]["newsroom"]["access_token"]
    where = {"MASTODON_SERVER": printed["mastodon"]["server"], "MASTODON_TOKEN": token}
    out = shell(tmp_path, post, real_curl=False, **where)
    assert json.loads(out)["content"] == "<p>Hello from curl</p>"
    sandbox.stop()


def test_trying_it_by_hand_as_the_readme_says_mirrors_a_post(tmp_path: Path) -> None:
    here = section(text_of("README.md"), "Try it by hand")
    (settings,) = blocks(here, "yaml")
    (tmp_path / "config.yaml").write_text(settings)
    keys, start, post, look, end = to_run("README.md", "Try it by hand")
    run = start.replace("tribridge run &", "tribridge run 2> run.log &\nuntil_in running run.log")
    assert run != start
    out = shell(tmp_path, keys + run + post + ARRIVED + look + end)
    assert "config.yaml: 3 accounts, 1 bot: fine" in out
    page, _ = json.JSONDecoder().raw_decode(out[out.index('{"cursor"') :])
    assert [record["value"]["text"] for record in page["records"]] == ["Hello from curl"]
    assert out.count("  -> newsroom_") == 2
    assert "Nothing is held, dead or overdue" in out
    assert sorted(f.name for f in tmp_path.iterdir()) == ["config.yaml", "run.log"]


def test_what_is_wrong_is_put_right_by_the_three_commands(tmp_path: Path) -> None:
    here = section(text_of("README.md"), "Try it by hand")
    (tmp_path / "config.yaml").write_text(blocks(here, "yaml")[0])
    keys, start, post, *_ = to_run("README.md", "Try it by hand")
    page = "docs/how-to/wrong.md"
    (say,), (take,) = to_run(page, "Say it"), to_run(page, "Take it back")
    (know,) = to_run(page, "Know what was out, and when")
    assert (" URL " in say, take.endswith(" URL\n")) == (True, True)
    address = "URL=$(tribridge links | head -1 | sed 's/.*: //')\n"
    with_url = say.replace(" URL ", ' "$URL" ') + "yes | " + take.replace(" URL", ' "$URL"')
    run = start.replace("tribridge run &", "tribridge run 2> run.log &\nuntil_in running run.log")
    end = "kill %1 %2\nwait\nrm -r sandbox.env state\n"
    out = shell(tmp_path, keys + run + post + ARRIVED + address + with_url + know + end)
    (shown,) = blocks(section(text_of(page), "Say it"), "text")
    told = shown.splitlines()
    assert [line for line in told if line not in out] == []
    assert out.count("deletion: done") == 4
    (table,) = tmp_path.glob("*.csv")
    assert table.read_text().count("Hello from curl") == 4


def test_ones_own_accounts_are_logged_in_as_the_readme_says(tmp_path: Path) -> None:
    sandbox = Sandbox()
    printed = sandbox.start()
    masto = starter.NewAccount("mastodon", "newsroom_mastodon", {"server": sandbox.mastodon.url})
    bsky = starter.NewAccount("bluesky", "newsroom_bluesky", {"handle": "newsroom.test"})
    bsky.settings["service"] = sandbox.bluesky.url
    (tmp_path / "config.yaml").write_text(starter.config_text([masto, bsky]))
    (tmp_path / "bots").mkdir()
    bot = starter.bot_text([masto.name, bsky.name], 1)
    (tmp_path / "bots" / "newsroom.yaml").write_text(bot)
    browser = tmp_path.parent / f"{tmp_path.name}-browser"
    browser.write_text(BROWSER.format(python=sys.executable))
    browser.chmod(0o755)
    _, logins, _, go = to_run("README.md", "With your own accounts")
    password = printed["bluesky"]["accounts"]["newsroom.test"]["app_password"]
    asks = "tribridge login newsroom_mastodon newsroom_bluesky"
    logins = logins.replace(asks, f'echo "$TYPED" | {asks}')
    go = go.removesuffix("tribridge run\n")
    environ = {"BROWSER": str(browser), "PERSON": "as=newsroom", "TYPED": password}
    out = shell(tmp_path, logins + go, **environ)
    sandbox.stop()
    assert "newsroom_mastodon: logged in as newsroom@127.0.0.1" in out
    assert "newsroom_bluesky: logged in as newsroom.test" in out
    assert "config.yaml: 2 accounts, 1 bot: fine" in out


def test_ones_own_accounts_and_the_commands_of_an_operator_as_the_pages_say(tmp_path: Path) -> None:
    sandbox = Sandbox()
    printed = sandbox.start()
    begin, logins, keys_by_hand, go = to_run("README.md", "With your own accounts")
    assert logins.count("tribridge login newsroom_") == 1  # in a test of its own
    go = keys_by_hand + go
    shell(tmp_path, begin)
    text = (tmp_path / "config.yaml").read_text()
    for old, new in (
        ("server: https://mastodon.example", f"server: {printed['mastodon']['server']}"),
        (
            "handle: newsroom.example",
            f"handle: newsroom.test\n    service: {printed['bluesky']['service']}",
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    receiver = Receiver()
    receiver.start()
    (tmp_path / "config.yaml").write_text(text + "\nalerts:\n  webhook: ${ALERT_URL}\n")
    keys = {
        "your token": printed["mastodon"]["accounts"]["newsroom"]["access_token"],
        "your app password": printed["bluesky"]["accounts"]["newsroom.test"]["app_password"],
    }
    for old, new in keys.items():
        assert f"'{old}'" in go
        go = go.replace(f"'{old}'", new)
    assert go.endswith("tribridge run\n")
    go = go.removesuffix("tribridge run\n")
    daemon = "tribridge run --log json 2> run.log &\nuntil_in 'from here on' run.log\n"
    operate = "docs/how-to/operate.md"
    at_work = "".join(
        block
        for name in (
            *("As a service", "Watching it", "What X costs", "Alerts"),
            *("Backups", "What is wrong, or will be"),
        )
        for block in to_run(operate, name)
    )
    out = shell(
        tmp_path,
        go
        + daemon
        + at_work
        + "kill %1\nwait %1\n"
        + "".join(to_run(operate, "When the state is lost")),
        ALERT_URL=receiver.webhook,
    )
    sandbox.stop()
    receiver.stop()
    assert "the webhook took the test message" in out
    (told,) = receiver.messages
    assert "a test" in told["text"]
    assert out.count("config.yaml: 2 accounts, 1 bot: fine") == 2
    assert '"troubled": []' in out
    assert (tmp_path / "backup.db").stat().st_mode & 0o777 == 0o600
    assert out.count("has the same time") == 2
    (line,) = blocks(section(text_of(operate), "The log"), "json")
    logged = json.loads((tmp_path / "run.log").read_text().splitlines()[0])
    assert json.loads(line).keys() == logged.keys()


def test_a_post_is_previewed_and_explained_as_the_page_says(tmp_path: Path) -> None:
    here = section(text_of("README.md"), "Try it by hand")
    (tmp_path / "config.yaml").write_text(blocks(here, "yaml")[0])
    keys, start, post, *_ = to_run("README.md", "Try it by hand")
    page = "docs/how-to/preview-and-explain.md"
    text, standing = to_run(page, "Before it is posted")
    (why,) = to_run(page, "After it was posted, or was not")
    # no network is there yet, nor a secret, nor a state
    printed = shell(
        tmp_path,
        text,
        MASTODON_SERVER="https://mastodon.example",
        BLUESKY_SERVICE="https://bluesky.example",
        X_API="https://x.example",
    )
    assert printed == blocks(section(text_of(page), "Before it is posted"), "text")[0]
    address = "URL=$(tribridge links | head -1 | sed 's/.*: //')\n"
    run = start.replace("tribridge run &", "tribridge run 2> run.log &\nuntil_in running run.log")
    end = "kill %1 %2\nwait\nrm -r sandbox.env state\n"
    out = shell(
        tmp_path,
        keys + run + post + ARRIVED + address + standing + why.replace("URL", '"$URL"') + end,
    )
    assert "| Hello from curl" in out
    assert '"skipped": "copy of a post of mastodon:' in out
    assert out.count("(bot newsroom): copied") == 2
    assert "it is taken" in out


def test_a_bot_is_tested_as_the_page_says(tmp_path: Path) -> None:
    page = text_of("docs/how-to/test-a-bot.md")
    (bot,), (passed, failed) = blocks(page, "yaml"), blocks(page, "text")
    run, fill_in, in_ci = to_run("docs/how-to/test-a-bot.md", "")
    file = tmp_path / "bots" / "alerts.yaml"
    file.parent.mkdir()
    file.write_text(bot)
    example = text_of("config.example.yaml")
    (tmp_path / "config.yaml").write_text(example[: example.index("\nbots:") + 1])
    assert shell(tmp_path, run) == passed
    dropped = bot.replace("skip:\n", "links: drop\nskip:\n")
    file.write_text(dropped)
    lines = failed.replace(":20:9:", ":21:9:")  # one more stands above
    assert shell(tmp_path, f"{run.strip()} || [ $? = 1 ]") == lines
    assert shell(tmp_path, fill_in) == passed
    kept = dropped[: dropped.index("losses: []")]
    text = '"Brua er open att: avis.example/bru"'
    assert file.read_text().startswith(kept.replace(text, "'Brua er open att:'"))
    assert file.read_text().endswith(bot[bot.index("  - name: what breaks") :])
    assert shell(tmp_path, in_ci) == passed
    assert "<testsuites" in (tmp_path / "tests.xml").read_text()


def test_the_bots_that_come_along_are_tested_as_the_readme_says() -> None:
    name = "A bot is tested before it posts"
    (run,) = to_run("README.md", name)
    (printed,) = blocks(section(text_of("README.md"), name), "text")
    assert shell(ROOT, run) == printed
