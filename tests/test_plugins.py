"""Steps and networks of one's own, from files beside the configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from bridge import registry, secrecy, steps
from bridge.accounts import Accounts
from bridge.cli import main
from bridge.config import examine
from bridge.network import Uncertain, Unreachable
from bridge.post import Post, Run, Skip
from bridge.schema import Config
from tests.config_files import ACCOUNTS, complaints, load_text
from tests.test_relink import command, lose, outbox, run_once
from tests.test_steps import POST, typed
from tests.world import World

SHOUT = '''\
from bridge.plugins import Post, step


@step
def shout(post: Post, marks: str = "!", times: int = 1, loud: bool = False):
    """Marks at the end."""
    end = len(post.text)
    return post.replace(end, end, marks * times + ("!!!" if loud else ""))
'''

FILES = """\
from pathlib import Path
from bridge.plugins import Identity, PostingClient, Ref, Setting, network, text_limits


class Folder(PostingClient):
    LIMITS = text_limits(100)
    repeatable = True

    def login(self):
        return Identity("files:" + self.settings["folder"], self.settings["folder"])

    def publish(self, payload, key):
        Path(self.settings["folder"], key[:8] + ".txt").write_text(payload["text"])
        return Ref(key[:8], url="https://files.example/" + key[:8])

    def delete(self, ref):
        Path(self.settings["folder"], ref.id + ".txt").unlink(missing_ok=True)


NETWORK = network("files", "Files", Folder, (Setting("folder", "string", "where", required=True),))
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


BOT = "bots:\n  b:\n    from: masto\n    to: bsky\n    steps:\n      - {}\n"


def loaded(source: str, step: str = "shout", name: str = "mine.py") -> Config:
    text = f"plugins: [steps/{name}]\n" + BOT.format(step) + ACCOUNTS
    return load_text(text, files={f"steps/{name}": source})


def made(source: str, post: Post, step: str = "shout") -> Post | Skip:
    return steps.apply(post, loaded(source, step).bots["b"].routes[0].policy.steps)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ("shout", "Snø!"),
        ("shout: {marks: '?', times: 3}", "Snø???"),
        ("shout: {times: 0, loud: true}", "Snø!!!"),
        ("shout: {marks: ''}", "Snø"),
    ],
)
def test_a_step_is_a_function(step: str, text: str) -> None:
    post = made(SHOUT, typed("Snø"), step)
    assert isinstance(post, Post)
    assert post.text == text


def test_a_changed_file_is_read_anew_and_nothing_is_written_beside_it(tmp_path: Path) -> None:
    assert made(SHOUT, typed("a")) != made(SHOUT.replace('"!"', '"?"'), typed("a"))
    assert [file.name for file in (tmp_path / "steps").iterdir()] == ["mine.py"]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("shout: {mark: x}", "7:17: unknown setting 'mark'; did you mean 'marks'?"),
        ("shout: {times: -1}", "7:24: 'times' takes a whole number, 0 or more, not '-1'"),
        ("shout: {loud: 1}", "7:23: 'loud' takes true or false, without quotes"),
        ("shout: x", "7:16: 'shout' takes a map of settings, not a single value"),
        ("shuot", "7:9: 'steps' takes steps of one name each, such as append: text"),
        ("shuot: {}", "7:9: unknown step 'shuot'; did you mean 'shout'?"),
    ],
)
def test_its_settings_are_checked(step: str, told: str) -> None:
    text = "plugins: mine.py\n" + BOT.format(step) + ACCOUNTS
    assert complaints(text, files={"mine.py": SHOUT}) == [told]


HEAD = "from bridge.plugins import Skip, network, step\n"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def f(:\n", "line 1: invalid syntax"),
        ("\0", "line 1: source code string cannot contain null bytes"),
        ("x = 1\n", "it has no step and no network"),
        (
            "import nothing_such\n",
            "ModuleNotFoundError: No module named 'nothing_such' (mine.py, line 1)",
        ),
        ("a = 1\nb = a / 0\n", "ZeroDivisionError: division by zero (mine.py, line 2)"),
        ("raise SystemExit(3)\n", "SystemExit: 3 (mine.py, line 1)"),
        ("raise GeneratorExit\n", "GeneratorExit (mine.py, line 1)"),
        ("x = " + "(" * 9000 + ")" * 9000, "nested"),
        (
            HEAD + "@step\ndef append(post):\n    'x'\n",
            "there is a step 'append' already; give it another name",
        ),
        (
            HEAD + "@step\ndef f(post):\n    return post\n",
            "the step 'f' needs a docstring that says what it does",
        ),
        (HEAD + "@step\ndef f():\n    'x'\n", "the step 'f' needs a parameter for the post"),
        (
            HEAD + "@step(name='A b')\ndef f(post):\n    'x'\n",
            "the step 'A b' needs a name of small letters, digits and _",
        ),
        (
            HEAD + "@step\ndef f(post, a: float):\n    'x'\n",
            "the parameter 'a' of the step 'f' must be str, int, bool or tuple[str, ...]",
        ),
        (
            HEAD + "@step\ndef f(*, post):\n    'x'\n",
            "the step 'f' needs a parameter for the post",
        ),
        (
            HEAD + "@step\ndef f(post, a, /):\n    'x'\n",
            "the parameter 'a' of the step 'f' must be str, int, bool or tuple[str, ...]",
        ),
        (
            HEAD + "@step\ndef f(post, a: [str]):\n    'x'\n",
            "the parameter 'a' of the step 'f' must be str, int, bool or tuple[str, ...]",
        ),
        (
            HEAD + "@step\ndef f(post, a: int = 'x'):\n    'x'\n",
            "the default of 'a' of the step 'f' is no value that it may have",
        ),
        (
            HEAD + "@step\ndef f(post, a: bool = None):\n    'x'\n",
            "the default of 'a' of the step 'f' is no value that it may have",
        ),
        (
            HEAD + "@step\ndef f(post):\n    'x'\n@step(name='f')\ndef g(post):\n    'x'\n",
            "it has two steps 'f'",
        ),
        (
            "class E(Exception):\n    def __str__(self):\n        return 1 / 0\nraise E\n",
            "E (mine.py, line 4)",
        ),
        (
            "class G:\n    def __getattr__(self, name):\n        return 1 / 0\ng = G()\n",
            "it has no step and no network",
        ),
        (
            HEAD + "class C:\n    LIMITS = 500\nn = network('b', 'B', C)\n",
            "LIMITS of the client of 'b' are no Limits",
        ),
        (HEAD + "network('bluesky', 'B', object)\n", "it has no step and no network"),
        (
            HEAD + "n = network('bluesky', 'B', object)\n",
            "there is a network 'bluesky' already; give it another name",
        ),
        (
            HEAD + "n = network('B', 'B', object)\n",
            "the network 'B' needs a name of small letters, digits and _",
        ),
    ],
)
def test_a_plugin_that_cannot_be_used_is_told_with_its_place(source: str, told: str) -> None:
    (found,) = complaints("plugins:\n  - mine.py\n" + ACCOUNTS, files={"mine.py": source})
    assert found.startswith("2:5: this plugin cannot be used: "), found
    assert told in found.replace(str(Path.cwd()) + "/", "")


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ("[nope.py]", ["1:11: this plugin cannot be used: there is no such file"]),
        ("[.]", ["1:11: this plugin cannot be used: this is not an ordinary file"]),
        ("nope.py", ["1:10: this plugin cannot be used: there is no such file"]),
        ("[a.py, b.py]", ["1:17: this plugin has a step 'shout', as another has"]),
        ("[a.py, 1]", ['1:17: without quotes YAML takes 1 for a number; write "1"']),
        ("{a: b}", ["1:10: 'plugins' takes a text, not a map"]),
    ],
)
def test_what_plugins_may_list(listed: str, told: list[str]) -> None:
    files = {"a.py": SHOUT, "b.py": SHOUT}
    assert complaints(f"plugins: {listed}\n" + ACCOUNTS, files=files) == told


# What a step may do


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return post.text[999]", "IndexError: string index out of range (mine.py, line 5)"),
        ("return None", "TypeError: it returned NoneType, no Post or Skip"),
        ("return 'x'", "TypeError: it returned str, no Post or Skip"),
        (
            "return post.replace(0, 0, 'a' * 100_001)",
            "ValueError: the text has over 100,000 characters",
        ),
        ("return post.replace(0, 0, 7)", "TypeError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise type('E', (Exception,), {'__str__': lambda _: 1 / 0})", "E (mine.py, line 5)"),
        ("raise __import__('asyncio').CancelledError", "CancelledError"),
        ("return replace(post, runs=None)", "TypeError"),
        ("return replace(post, runs=['x'])", "TypeError: in runs is 'x', no Run"),
        ("return replace(post, runs=[Run('x', 'bold')])", "TypeError: in runs is \"Run(text='x'"),
        (
            "return replace(post, runs=[Run('x', 'link', 'x y')])",
            "ValueError: a link leads to 'x y', no address of a page",
        ),
        ("return replace(post, runs=[Run('x', 'hashtag', 7)])", "TypeError: '7' is no text"),
        ("return replace(post, runs=[Run('\\ud800')])", "UnicodeEncodeError"),
        ("return replace(post, content_warning=None)", "TypeError: 'None' is no text"),
        ("return replace(post, sensitive='no')", "TypeError: sensitive is true or false"),
        ("return replace(post, languages='en')", "ValueError: 'e' is not a language tag"),
        ("return replace(post, languages=None)", "TypeError"),
        ("return replace(post, tags=[1])", "TypeError: '1' is no text"),
        ("return replace(post, labels=[None])", "TypeError: 'None' is no text"),
    ],
)
def test_a_step_that_fails_holds_the_post(
    body: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    head = "from dataclasses import replace; from bridge.plugins import Run, step\n"
    source = f"{head}@step\ndef f(post):\n    'x'\n    {body}\n"
    result = made(source, POST, "f")
    assert isinstance(result, Skip)
    assert result.held
    assert result.reason.replace("steps/", "").startswith(f"the step f failed: {reason}")
    assert [record.getMessage() for record in caplog.records] == [
        f"{POST.url}: held: {result.reason}"
    ]
    assert caplog.records[0].exc_info is None


def test_what_a_step_says_when_it_fails_is_one_line_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(secrecy, "redact", lambda text: text.replace("hemmelig", "***"))
    body = "raise ValueError('hemmelig\\n' + 'x' * 9999)"
    result = made(f"{HEAD}@step\ndef f(post):\n    'x'\n    {body}\n", POST, "f")
    assert isinstance(result, Skip)
    assert result.reason.startswith("the step f failed: ValueError: *** xxx")
    assert len(result.reason) < 700
    assert "\n" not in result.reason


@pytest.mark.parametrize("error", ["SystemExit", "KeyboardInterrupt", "GeneratorExit"])
def test_a_step_of_ones_own_ends_no_thread_of_the_program(tmp_path: Path, error: str) -> None:
    body = f"@step\ndef f(post):\n    'x'\n    raise {error}\n"
    (tmp_path / "mine.py").write_text(HEAD + body)
    w = World(tmp_path, "one: {from: m, to: b, steps: [f]}", top={"plugins": ["mine.py"]})
    w.read("m")
    w.say("m", "Snø")
    thread = Thread(target=w.read, args=("m",))
    thread.start()
    thread.join()
    assert [held.reason[:24] for held in w.store.held_posts()] == [
        f"the step f failed: {error}"[:24]
    ]
    w.close()


def test_ctrl_c_within_a_step_ends_the_command() -> None:
    source = f"{HEAD}@step\ndef f(post):\n    'x'\n    raise KeyboardInterrupt\n"
    with pytest.raises(KeyboardInterrupt):
        made(source, POST, "f")


def test_a_step_may_skip() -> None:
    source = f"{HEAD}@step\ndef f(post):\n    'x'\n    return Skip('not this one')\n"
    assert made(source, POST, "f") == Skip("not this one")
    made_up = source.replace("'not this one'", "['a\\n', None]")
    assert made(made_up, POST, "f") == Skip("['a\\n', None]")
    assert made(source.replace("not this one", ""), POST, "f") == Skip("the step f")


def test_a_step_changes_what_a_post_says_and_not_whose_it_is_or_who_sees_it() -> None:
    source = (
        "from dataclasses import replace\nfrom bridge.plugins import Run, step\n@step\ndef f(post):\n    'x'\n"
        "    object.__setattr__(post, 'visibility', 'public')\n"
        "    return replace(post, visibility='public', account='x', id='y', url='z', content_warning='w',"
        " runs=(*post.runs, Run('@b', 'mention', 'https://b.example/@b', 'b')))\n"
    )
    own = Run("@a", "mention", "https://a.example/@a", "a")
    post = replace(POST, visibility="unlisted", runs=(own,))
    after = made(source, post, "f")
    assert isinstance(after, Post)
    assert (after.visibility, after.account, after.id, after.url) == (
        "unlisted",
        post.account,
        post.id,
        post.url,
    )
    assert after.content_warning == "w"
    assert after.runs == (own, Run("@b"))


# Commands


def invoke(*words: str) -> Any:
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


def test_what_a_plugin_prints_is_no_part_of_a_result() -> None:
    source = SHOUT + "\n\nprint('hei')\nold = shout\n\n\n"
    source += "@step(name='loud')\ndef loud(post):\n    'x'\n    print('hopp')\n    return post\n"
    tests = "\n    tests: [{name: x, given: {text: Hei}, expect: {bsky: {text: Hei}}}]\n"
    text = "plugins: [mine.py]\n" + BOT.format("loud").rstrip() + tests + ACCOUNTS
    load_text(text, files={"mine.py": source})
    done = CliRunner().invoke(main, ["test", "--json"])
    assert done.exit_code == 0, done.output
    json.loads(done.stdout)
    assert {"hei", "hopp"} & set(done.stderr.split())


def test_check_show_and_schema_know_it() -> None:
    loaded(SHOUT, "shout: {times: 2}")
    told = invoke("check", "--format", "json")
    assert (told.exit_code, json.loads(told.stdout)["errors"]) == (0, 0)
    assert "steps: [{shout: {times: 2}}]  # config.yaml:7:7" in invoke("show", "b").stdout
    schema = json.loads(invoke("schema").stdout)
    (found,) = (
        kind for kind in schema["$defs"]["step"]["anyOf"] if "shout" in kind.get("properties", ())
    )
    assert found["properties"]["shout"]["properties"]["marks"] == {
        "description": "marks",
        "default": "!",
        "type": "string",
    }
    valid = Draft202012Validator(schema).is_valid
    assert valid({"bots": {"b": {"from": "a", "to": "c", "steps": ["shout"]}}})
    assert not valid({"bots": {"b": {"from": "a", "to": "c", "steps": ["shuot"]}}})


# Networks


def with_files(folder: Path, **settings: str) -> World:
    """A world with a bot from Mastodon to the network in mine.py."""
    made = World(folder, "one: {from: m, to: b}", top={"plugins": ["mine.py"]})
    made.settings["f"] = {"network": "files", "folder": str(folder / "out")}
    more = "".join(f", {name}: {value}" for name, value in settings.items())
    made.configure(f"one: {{from: m, to: f{more}}}")
    made.accounts = Accounts(made.config, made.store, made.clock)
    made.read("m")
    return made


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "mine.py").write_text(FILES)
    (tmp_path / "out").mkdir()
    made = with_files(tmp_path)
    yield made
    made.close()


def test_a_post_that_a_step_failed_on_is_held_until_it_is_mended(tmp_path: Path) -> None:
    failing = HEAD + "@step\ndef f(post):\n    'x'\n    return post.replace(0, 0, 1 / 0)\n"
    (tmp_path / "mine.py").write_text(failing)
    bots = "one: {from: m, to: b, steps: [f]}"
    w = World(tmp_path, bots, top={"plugins": ["mine.py"]})
    w.read("m")
    w.say("m", "Snø")
    w.turn()
    assert w.texts("b") == []
    told = w.command("status").stdout
    assert "the step f failed: ZeroDivisionError: division by zero" in told
    (address,) = {v.url for v in w.store.verdicts() if v.verdict == "held"}
    (tmp_path / "mine.py").write_text(failing.replace("1 / 0", "'!'"))
    w.configure(bots)
    assert w.command("mirror", address).exit_code == 0
    w.restart()
    w.deliver("b")
    assert w.texts("b") == ["!Snø"]
    w.close()


def test_an_edit_that_a_step_fails_on_leaves_the_copy_and_is_held(tmp_path: Path) -> None:
    failing = HEAD + "@step\ndef f(post):\n    'x'\n    return post.replace(0, 0, post.text[3])\n"
    (tmp_path / "mine.py").write_text(failing)
    w = World(tmp_path, "one: {from: m, to: m2, steps: [f]}", top={"plugins": ["mine.py"]})
    w.read("m")
    post = w.say("m", "Snø!")
    w.turn()
    w.clock.advance(hours=1)
    w.change("m", post, "Å")
    w.follow("m")
    w.deliver("m2")
    assert [copy.text for copy in w.standing("m2")] == ["!Snø!"]
    (held,) = w.store.held_posts()
    assert held.reason.startswith("the step f failed: IndexError")
    told = w.command("outbox").stdout
    assert "mend the step and restart what runs the bots; then `tribridge mirror http" in told
    w.close()


def test_an_edit_that_a_step_cannot_tell_is_held(tmp_path: Path) -> None:
    failing = HEAD + "@step\ndef f(post):\n    'x'\n"
    failing += "    return post.replace(0, 0, 1 / 0) if 'Correction' in post.text else post\n"
    (tmp_path / "mine.py").write_text(failing)
    bots = "one: {from: m, to: b, steps: [f], edits: correct}"
    w = World(tmp_path, bots, top={"plugins": ["mine.py"]})
    w.read("m")
    post = w.say("m", "Snø")
    w.turn()
    w.clock.advance(hours=1)
    w.change("m", post, "Sol")
    w.follow("m")
    w.rest()
    assert w.texts("b") == ["Snø"]
    assert [held.reason[:17] for held in w.store.held_posts()] == ["the step f failed"]
    w.close()


def test_a_waiting_post_is_not_let_out_as_it_was_if_a_step_fails_on_its_edit(
    tmp_path: Path,
) -> None:
    failing = HEAD + "@step\ndef f(post):\n    'x'\n    return post.replace(0, 0, post.text[3])\n"
    (tmp_path / "mine.py").write_text(failing)
    bots = "one: {from: m, to: m2, steps: [f], delay: 5m}"
    w = World(tmp_path, bots, top={"plugins": ["mine.py"]})
    w.read("m")
    post = w.say("m", "Feil")
    w.turn()
    w.change("m", post, "Å")
    w.clock.advance(minutes=6)
    w.follow("m")
    w.rest()
    assert w.texts("m2") == []
    assert [held.reason[:17] for held in w.store.held_posts()] == ["the step f failed"]
    w.close()


def out(w: World) -> list[str]:
    return sorted(file.read_text() for file in (w.file.parent / "out").iterdir())


def test_a_network_of_ones_own_gets_copies(w: World) -> None:
    w.say("m", "Snø på fjellet")
    w.turn()
    assert out(w) == ["Snø på fjellet"]
    w.say("m", "Snø " * 30)
    w.rest()
    assert len(out(w)) == 3  # a thread of two, within its limits


def test_what_is_deleted_is_deleted_there(w: World) -> None:
    post = w.say("m", "Snø på fjellet")
    w.turn()
    w.remove("m", post)
    for _ in range(4):
        w.clock.advance(minutes=5)
        w.follow("m")
        w.deliver("f")
    assert out(w) == []


def test_what_is_in_doubt_where_nobody_can_read_is_held_and_the_next_goes_on(
    tmp_path: Path,
) -> None:
    source = FILES.replace("repeatable = True", "repeatable = False").replace(
        "return Ref(key", "assert 'sikker' in payload['text'], 'no answer'\n        return Ref(key"
    )
    (tmp_path / "mine.py").write_text(source)
    (tmp_path / "out").mkdir()
    w = with_files(tmp_path)
    w.say("m", "Usikker?".upper())
    w.say("m", "Helt sikker")
    for _ in range(20):
        w.turn()
        w.clock.advance(minutes=30)
    assert out(w) == ["Helt sikker", "USIKKER?"]  # the answer of the latter was lost
    told = w.command("outbox").stdout
    assert "in doubt" in told
    assert w.command("status").exit_code == 75
    w.close()


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_lost_state_doubles_nothing_where_nobody_can_read(
    tmp_path: Path, repeatable: bool
) -> None:
    source = FILES.replace("repeatable = True", f"repeatable = {repeatable}")
    # each time that a post goes out is a file of its own
    source = source.replace('key[:8] + ".txt").write', "str(self.now().timestamp())).write")
    (tmp_path / "mine.py").write_text(source)
    (tmp_path / "out").mkdir()
    w = with_files(tmp_path, backfill="all")
    w.say("m", "Snø")
    run_once(w)
    assert out(w) == ["Snø"]
    lose(w)
    run_once(w)
    assert (out(w) == ["Snø"]) is not repeatable  # where it is, that changes nothing
    before = out(w)
    done = command(w, "relink")
    assert done.exit_code == 0, done.stderr
    run_once(w)
    assert out(w) == before
    reasons = [draft["reason"] for draft in outbox(w)]
    assert reasons == ([] if repeatable else [reasons[0]])
    assert repeatable or "posts of Files cannot be read" in reasons[0]
    w.close()


def test_a_network_that_cannot_be_read_is_no_source() -> None:
    text = (
        "plugins: mine.py\nbots:\n  a: {from: [masto, f], to: bsky}\n  b: {between: [masto, f]}\n"
        "  c: {from: all, to: bsky}\n  d: {from: masto, to: all2}\n"
        "groups: {all: [f, masto], all2: [f]}\n"
    )
    own = "  f: {network: files, folder: x}\n"
    assert complaints(text + ACCOUNTS + own, files={"mine.py": FILES}) == [
        "3:21: posts of Files cannot be read: 'f' is no source",
        "4:24: posts of Files cannot be read: 'f' is no source",
        "5:13: posts of Files cannot be read: 'f' is no source",
    ]
    readable = FILES.replace(
        "    def delete", "    def fetch(self, cursor):\n        pass\n\n    def delete"
    )
    load_text(text + ACCOUNTS + own, files={"mine.py": readable})


def test_what_a_client_raises_is_one_of_the_five_kinds(tmp_path: Path) -> None:
    source = FILES.replace("return Identity(", "raise OSError('no disk')\n        return Identity(")
    text = "plugins: mine.py\naccounts: {f: {network: files, folder: x}}\n"
    config = load_text(text, files={"mine.py": source})
    network = registry.NETWORKS["files"]
    session: Any = None
    client = network.connect(config.accounts["f"].settings, session, lambda: POST.created_at)
    with pytest.raises(
        Unreachable, match=r"the plugin of Files failed: OSError: no disk \(.*, line 10\)"
    ):
        client.login()
    with pytest.raises(Uncertain, match=r"FileNotFoundError.*\(mine.py, line 14\)"):
        client.publish({"text": "a"}, "b")


def test_a_client_that_ends_the_program_does_not(tmp_path: Path) -> None:
    source = FILES + "\n\nFolder.publish = lambda *_: exit(1)\n"
    (tmp_path / "mine.py").write_text(source)
    (tmp_path / "out").mkdir()
    w = with_files(tmp_path)
    with pytest.raises(Uncertain, match="SystemExit: 1"):
        w.accounts.open("f").client.publish({}, "k")
    w.close()


@pytest.mark.parametrize(
    "wrong",
    [
        "login = lambda _: None",
        "login = lambda _: Identity(7, 'x')",
        "login = lambda _: Identity('files:x', None)",
        "login = None",
        "limits = None",
        "limits = property(lambda _: 1 / 0)",
        "LIMITS = Limits((Measure('x', 9, lambda *_: 1 / 0),), 0, 0, 0, frozenset(), 0)",
    ],
)
def test_a_client_that_cannot_be_used_holds_up_nobody_else(tmp_path: Path, wrong: str) -> None:
    source = "from bridge.network import Limits, Measure\n" + FILES + f"\n\nFolder.{wrong}\n"
    (tmp_path / "mine.py").write_text(source)
    w = with_files(tmp_path)
    w.configure("one: {from: m, to: [f, b]}")
    w.accounts = Accounts(w.config, w.store, w.clock)
    w.read("m")
    w.say("m", "Snø")
    w.turn()
    assert w.texts("b") == ["Snø"]
    w.close()


@pytest.mark.parametrize("at", ["None", "datetime(2026, 11, 23)"])
def test_a_client_may_be_busy_until_a_time_of_any_kind(tmp_path: Path, at: str) -> None:
    source = "from datetime import datetime\nfrom bridge.network import Busy\n" + FILES
    source += f"\n\ndef busy(*_):\n    raise Busy('wait', {at})\n\n\nFolder.publish = busy\n"
    (tmp_path / "mine.py").write_text(source)
    (tmp_path / "out").mkdir()
    w = with_files(tmp_path)
    w.say("m", "Snø")
    w.turn()
    (tmp_path / "mine.py").write_text(FILES)
    w.configure("one: {from: m, to: f}")
    w.clock.advance(days=2)
    w.restart()
    w.turn()
    assert out(w) == ["Snø"]
    w.close()


@pytest.mark.parametrize("name", ["begin", "fetch", "find", "reread"])
def test_a_reading_that_gives_nothing_of_the_kind_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.py").write_text(FILES + f"\n\nFolder.{name} = lambda *_: None\n")
    w = with_files(tmp_path)
    with pytest.raises(Unreachable, match=f"{name} returned NoneType, no "):
        getattr(w.accounts.open("f").client, name)("1")
    w.close()


def test_what_a_client_says_of_a_copy_is_text(tmp_path: Path) -> None:
    source = FILES + "\n\nFolder.publish = lambda *_: Ref(7, url=None)\n"
    (tmp_path / "mine.py").write_text(source)
    w = with_files(tmp_path)
    w.say("m", "Snø")
    w.turn()
    found = w.accounts.open("f").client.publish({}, "k")
    assert (found.id, found.url) == ("7", "")
    w.close()


def test_accounts_of_it_are_checked_and_need_no_login() -> None:
    text = "plugins: mine.py\naccounts: {f: {network: files}, g: {network: fles}}\n"
    assert complaints(text, files={"mine.py": FILES}) == [
        "2:12: account 'f' needs folder: where",
        "2:46: 'network' takes twitter, mastodon, bluesky or files, not 'fles'; did you mean 'files'?",
    ]
    load_text("plugins: mine.py\naccounts: {f: {network: files, folder: x}}\n")
    told = invoke("login", "f")
    assert (told.exit_code, told.stderr) == (1, "f: accounts of Files need no login\n")
    schema = json.loads(invoke("schema").stdout)
    assert "account-files" in schema["$defs"]
    assert examine(Path("config.yaml")).config is not None


TESTED = """\
plugins: [shout.py, files.py]
bots:
  b:
    from: masto
    to: [bsky, f]
    steps: [shout]
    tests:
      - given: {text: Snø}
"""


def test_a_bot_with_a_step_and_a_network_of_ones_own_is_tested_and_filled_in() -> None:
    text = TESTED + ACCOUNTS + "  f: {network: files, folder: '${NOWHERE}'}\n"
    for name, content in {"shout.py": SHOUT, "files.py": FILES, "config.yaml": text}.items():
        Path(name).write_text(content, encoding="utf-8")
    done = CliRunner().invoke(main, ["test", "--update"], catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (0, "b: 1 test, passed\n"), done.stderr
    copy = "{}:\n            text: Snø!\n            losses: []\n"
    written = (
        TESTED + f"        expect:\n          {copy.format('bsky')}          {copy.format('f')}"
    )
    assert Path("config.yaml").read_text("utf-8") == text.replace(TESTED, written)


def test_bots_of_it_are_tested_and_previewed() -> None:
    bots = (
        "bots:\n  b:\n    from: masto\n    to: [bsky, g]\n    steps: [shout]\n    tests:\n"
        "      - given: {text: Snø, from: masto}\n        expect: {g: Snø!, bsky: Snø!}\n"
    )
    own = "  f: {network: files, folder: x}\n  g: {network: files, folder: y}\n"
    text = "plugins: [shout.py, files.py]\n" + bots + ACCOUNTS.replace("  x:", f"{own}  x:")
    load_text(text, files={"shout.py": SHOUT, "files.py": FILES})
    told = invoke("test")
    assert told.exit_code == 0, told.stdout
    shown = invoke("preview", "b", "--text", "Snø")
    assert shown.exit_code == 0, shown.stdout
    assert "4 of 100 characters" in shown.stdout
