"""`tribridge preview`: what a bot would make of posts, over real HTTP, and nothing of it is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge import readable, registry, wire
from bridge.post import Draft
from bridge.simulation import Fault
from tests.film_files import mp4
from tests.test_media import encoded, noise
from tests.world import World

CONFIG = """
accounts:
  masto: {network: mastodon, server: https://social.example.com, access_token: "${NO_TOKEN}"}
  bsky: {network: bluesky, handle: newsroom.example, app_password: "${NO_PASSWORD}"}
  x:
    network: twitter
    api_key: ${NO_A}
    api_key_secret: ${NO_B}
    access_token: ${NO_C}
    access_token_secret: ${NO_D}
    budget: {usd_per_month: 5}
bots:
  newsroom:
    from: masto
    to: [bsky, x]
    skip: {words: [draft]}
    steps: [{append: "(via {{ url }})"}]
  back: {from: bsky, to: masto}
"""


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, "one: {from: m, to: [b, x]}\ntwo: {between: [m, b]}\n")
    yield made
    made.close()


def previewed(w: World, *words: str) -> dict[str, Any]:
    done = w.command("preview", *words, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def target(found: dict[str, Any], name: str, post: int = 0) -> dict[str, Any]:
    (one,) = [t for t in found["posts"][post]["targets"] if t["target"] == name]
    assert isinstance(one, dict)
    return one


# A text


def typed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, list[Path]]:
    """The exit code, what is printed, and the files, of a preview where no network may be asked."""
    from click.testing import CliRunner

    from bridge.cli import main

    def asked(*_: Any, **__: Any) -> Any:
        raise AssertionError("a network was asked")

    monkeypatch.setattr(wire, "send", asked)
    file = folder / "config.yaml"
    if not file.exists():
        file.write_text(CONFIG)
    done = CliRunner().invoke(main, ["preview", *words, "--config", str(file)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output, sorted(folder.rglob("*"))


def test_a_text_needs_no_network_no_login_no_state_and_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "God morgen, #Oslo! https://oslo.example.com/a"
    code, out, files = typed(tmp_path, monkeypatch, "newsroom", "--text", words)
    assert code == 0
    assert files == [tmp_path / "config.yaml"]
    assert "-> bsky: 1 post" in out
    assert "-> x: 1 post, 0.200 USD" in out
    assert "   | God morgen, #Oslo! https://oslo.example.com/a" in out
    assert "limits: those of Bluesky" in out
    assert max(map(len, out.splitlines())) <= readable.WIDTH


def test_a_text_needs_nothing_that_only_networks_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = CONFIG.replace("https://social.example.com", '"${NO_SERVER}"')
    (tmp_path / "config.yaml").write_text('alerts: {webhook: "${NO_WEBHOOK}"}\n' + bare)
    code, out, _ = typed(tmp_path, monkeypatch, "newsroom", "--text", "Hei!")
    assert code == 0, out
    assert "   | Hei!" in out


def test_the_counts_are_those_of_the_target_and_the_payload_is_a_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "👩‍👩‍👧 hilser @kari@sted.example"
    code, out, _ = typed(tmp_path, monkeypatch, "newsroom", "--text", words, "--json")
    assert code == 0
    bsky, x = json.loads(out)["posts"][0]["targets"]
    (part,) = bsky["parts"]
    text = "👩‍👩‍👧 hilser kari\n\n(via social.example.com/@masto/100…)"
    assert part["text"] == text
    assert [c["count"] for c in part["counts"]] == [51, len(text.encode())]
    assert Draft.from_json(part["payload"]).text == text
    assert part["request"]["record"]["text"] == text
    assert x["parts"][0]["cost"] == {"usd": 0.2, "calls": ["post_with_url"]}
    assert x["parts"][0]["request"] == {"text": x["parts"][0]["text"]}


def test_a_text_is_judged_by_filters_and_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = typed(tmp_path, monkeypatch, "newsroom", "--text", "A draft", "--json")
    assert code == 0
    (bsky, _) = json.loads(out)["posts"][0]["targets"]
    assert bsky["skipped"] == "skip: word draft"
    assert {f["filter"]: f["passes"] for f in bsky["filters"]} == {
        "visibility": True,
        "only.visibility": True,
        "skip.hashtags": True,
        "skip.words": False,
    }
    assert bsky["parts"] == bsky["steps"] == []
    _, people, _ = typed(tmp_path, monkeypatch, "newsroom", "--text", "A draft")
    assert "-> bsky: skipped: skip: word draft" in people
    assert "stopped by skip.words (draft)" in people
    _, out, _ = typed(tmp_path, monkeypatch, "newsroom", "--text", "Done", "--json")
    (step,) = json.loads(out)["posts"][0]["targets"][0]["steps"]
    assert (step["step"], step["changes"]) == ("append", ["text"])
    assert step["text"]["after"].startswith("Done\n\n(via ")


def test_a_long_text_shows_every_part_with_its_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "Setning nummer en. " * 30
    _, out, _ = typed(tmp_path, monkeypatch, "newsroom", "--text", words, "--json")
    bsky, x = json.loads(out)["posts"][0]["targets"]
    first, second, *_ = bsky["parts"]
    assert all(c["count"] <= c["maximum"] for p in bsky["parts"] for c in p["counts"])
    assert "reply" not in first["request"]["record"]
    assert second["request"]["record"]["reply"]["parent"] == {"uri": "copy-1", "cid": "copy-1"}
    assert x["parts"][1]["request"]["reply"] == {"in_reply_to_tweet_id": "copy-1"}
    assert x["usd"] == pytest.approx(0.015 * (len(x["parts"]) - 1) + 0.2)


def test_a_card_that_is_still_to_be_made_of_its_page_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "Les https://oslo.example.com/sak"
    _, out, _ = typed(tmp_path, monkeypatch, "newsroom", "--text", words, "--json")
    (part,) = json.loads(out)["posts"][0]["targets"][0]["parts"]
    assert part["card"] == {
        "url": "https://oslo.example.com/sak", "title": None, "description": None, "picture": None
    }  # fmt: skip
    assert part["request"] is None
    assert part["kept"][0]["reason"].startswith("the card is made of https://oslo.example.com/sak")


def test_the_limits_are_those_that_the_server_told_at_the_last_login(w: World) -> None:
    w.networks["mastodon"]._server.characters = 40
    words = "Førti tegn er ikke nok for denne setningen, dessverre"
    found = previewed(w, "two", "--from", "b", "--text", words)
    limits = target(found, "m")["limits"]
    assert limits == "those of Mastodon as it comes: its server was never asked"
    assert len(target(found, "m")["parts"]) == 1
    w.turn()
    found = previewed(w, "two", "--from", "b", "--text", words)
    assert target(found, "m")["limits"] == "those that the server told at the last login"
    assert target(found, "m")["parts"][0]["counts"][0]["maximum"] == 40
    assert len(target(found, "m")["parts"]) == 2


def test_letters_that_run_leftwards_do_not_mix_with_what_stands_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "שלום עולם (123)\nand two\nمرحبا \u2069x"
    _, out, _ = typed(tmp_path, monkeypatch, "back", "--text", words)
    lines = out.splitlines()
    assert "   | \u2068שלום עולם (123)\u2069" in lines
    assert "   | and two" in lines
    assert "   | \u2068مرحبا x\u2069" in lines


def test_what_a_terminal_would_obey_is_shown_and_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out, _ = typed(tmp_path, monkeypatch, "back", "--text", "red \x1b[31malert\x07")
    assert "\x1b" not in out
    assert "   | red �[31malert�" in out


def test_wrong_words_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(*words: str) -> tuple[int, str]:
        code, out, _ = typed(tmp_path, monkeypatch, *words)
        return code, out.splitlines()[-1]

    assert told("newsrom", "--text", "x") == (
        2, f"there is no bot 'newsrom' in {tmp_path}/config.yaml; did you mean 'newsroom'?"
    )  # fmt: skip
    assert told("newsroom", "--text", "x", "--from", "x") == (
        1, "newsroom does not mirror 'x'; it mirrors masto"
    )  # fmt: skip
    assert told("newsroom", "--text", "x", "--last", "2")[0] == 2
    assert told("newsroom", "--text", " ")[0] == 2
    assert told("newsroom", "--last", "0")[0] == 2
    assert told("newsroom")[0] == 78  # only a text does without secrets


FOLDER = """
from bridge.plugins import Identity, PostingClient, Ref, Setting, network, text_limits

class Folder(PostingClient):
    LIMITS = text_limits(100)

    def login(self):
        raise AssertionError("nobody logs in for a text")

NETWORK = network("files", "Files", Folder, (Setting("folder", "string", "where", required=True),))
"""


def test_a_network_of_a_plugin_is_previewed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "files.py").write_text(FOLDER)
    text = "plugins: [files.py]" + CONFIG.replace(
        "bots:", "  f: {network: files, folder: out}\nbots:"
    )
    (tmp_path / "config.yaml").write_text(text + "  out: {from: masto, to: f, link_back: never}\n")
    try:
        code, out, _ = typed(tmp_path, monkeypatch, "out", "--text", "Ord " * 30, "--json")
        assert code == 0, out
        (files,) = json.loads(out)["posts"][0]["targets"]
        assert [c["maximum"] for part in files["parts"] for c in part["counts"]] == [100, 100]
        assert files["parts"][1]["request"]["reply_to"] == "copy-1"
        assert files["usd"] is None
    finally:
        registry.leave("files")


# Posts that stand on a network


def everything(w: World) -> dict[str, Any]:
    """All bytes in the folder of config and state, and all that stands on the networks."""
    folder = w.file.parent
    files: dict[Any, Any] = {
        path: path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    return {**files, **{name: list(network.journal) for name, network in w.networks.items()}}


def writes(w: World) -> dict[str, int]:
    """How many requests of each kind there were that may change something."""
    return {
        f"{name} {kind}": number
        for name, network in w.networks.items()
        for kind, number in network.requests.items()
        if not kind.startswith("GET ")
    }


def test_the_last_posts_are_shown_as_the_next_pass_would_post_them(w: World) -> None:
    w.turn()
    first = w.say("m", "Første del", language="no")
    w.say("m", "Andre del, som svar", reply_to=first)
    found = previewed(w, "one", "--last", "2")
    assert [target(found, "b", n)["parts"][0]["text"] for n in (0, 1)] == [
        "Første del", "Andre del, som svar"
    ]  # fmt: skip
    second = target(found, "b", 1)["parts"][0]
    assert second["answers"] == found["posts"][0]["url"]
    assert second["request"]["record"]["reply"]["root"]["uri"] == "copy-1"
    assert second["languages"] == []
    assert target(found, "b")["parts"][0]["languages"] == ["no"]
    queued: list[str] = []
    w.read("m")
    for draft in w.store.unsent():
        queued.append(draft.draft.to_json())
    shown = [p["payload"] for post in found["posts"] for t in post["targets"] for p in t["parts"]]
    assert sorted(shown) == sorted(queued)


def test_media_are_shown_as_they_would_be_uploaded(w: World) -> None:
    w.turn()
    picture = encoded("PNG", (3000, 1000), pnginfo=None)
    w.say("m", "Med bilde", images=[(picture, "Et rødt hus"), (noise((1400, 1200)), "")])
    found = previewed(w, "one")
    (part,) = target(found, "b")["parts"]
    fitted, heavy = part["media"]
    size = (fitted["type"], fitted["width"], fitted["height"], fitted["bytes"])
    assert size == ("image/png", 3000, 1000, len(picture))
    assert fitted["alt"] == "Et rødt hus"
    assert heavy["type"] == "image/jpeg"
    assert heavy["bytes"] <= 2_000_000
    assert part["losses"][0]["detail"].startswith("an image was sent as JPEG of 1400 x 1200")
    first, second = part["request"]["record"]["embed"]["images"]
    assert (first["alt"], first["image"]["size"]) == ("Et rødt hus", len(picture))
    assert second["image"]["ref"] == {"$link": "upload-2"}
    (paid,) = target(found, "x")["parts"]
    assert paid["cost"] == {"usd": 0.02, "calls": ["media_metadata", "post"]}
    out = w.command("preview", "one").stdout
    assert f'image: image/png, 3000 x 1000, {len(picture):,} bytes, alt "Et rødt hus"' in out
    assert "no alt text" in out
    assert "costs 0.020 USD (media_metadata, post)" in out


def test_a_video_is_told_of_and_not_downloaded(w: World) -> None:
    w.turn()
    w.say("m", "Film", films=[(mp4(), "En båt")])
    before = w.requests("mastodon")
    found = previewed(w, "one")
    (part,) = target(found, "b")["parts"]
    (film,) = part["media"]
    assert (film["kind"], film["alt"], film["converted"]) == ("video", "En båt", False)
    assert part["request"]["record"]["embed"]["$type"] == "app.bsky.embed.video"
    files = [kind for kind in w.requests("mastodon") if "media" in kind and kind not in before]
    assert files == []


def test_what_stands_already_or_keeps_a_post_back_is_told(w: World) -> None:
    w.turn()
    w.say("m", "Står der alt")
    w.turn()
    (copy,) = w.copies("b")
    found = previewed(w, "one")
    assert target(found, "b")["earlier"].startswith("stands there already: https://bsky.app/")
    assert target(found, "b")["earlier"].endswith(copy.id)
    assert target(found, "b")["parts"][0]["kept"] == []
    w.say("m", "Gammelt")
    w.clock.advance(days=3)
    (kept,) = target(previewed(w, "one"), "b")["parts"][0]["kept"]
    assert kept["reason"] == "older than the bot's max_age before it could be sent"
    w.configure("one: {from: m, to: [b, x], mode: approve, links: hold, delay: 5m}")
    w.command("pause", "x")
    w.say("m", "Til godkjenning https://oslo.example.com")
    found = previewed(w, "one")
    assert found["notes"] == ["x is paused"]
    (part,) = target(found, "x")["parts"]
    assert [kept["reason"] for kept in part["kept"]] == [
        "waits for the bot's delay", "waits for approval"
    ]  # fmt: skip
    assert part["request"] == {"text": "Til godkjenning https://oslo.example.com"}
    w.configure("one: {from: m, to: [b, x], mode: disabled, links: hold}")
    found = previewed(w, "one")
    assert found["notes"][0] == "the bot has mode disabled: nothing of it is posted"
    (part,) = target(found, "x")["parts"]
    assert part["kept"][0]["reason"] == "it has a link, and the bot holds posts with links"


def test_what_would_be_too_many_within_an_hour_is_told_and_shown(w: World) -> None:
    w.settings["b"]["limits"] = {"posts_per_hour": 1}
    w.configure("one: {from: m, to: b}")
    w.turn()
    w.say("m", "En")
    w.say("m", "To")
    found = previewed(w, "one", "--last", "2")
    assert target(found, "b", 0)["parts"][0]["kept"] == []
    (second,) = target(found, "b", 1)["parts"]
    (kept,) = second["kept"]
    assert (kept["held"], kept["reason"]) == (
        True, "more than 1 posts within an hour for this account"
    )  # fmt: skip
    assert second["request"]["record"]["text"] == "To"


def test_steps_show_the_lines_that_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CONFIG.replace('{append: "(via {{ url }})"}', "{append: slutt}")
    (tmp_path / "config.yaml").write_text(text)
    _, out, _ = typed(tmp_path, monkeypatch, "newsroom", "--text", "--- a\n+++ b")
    assert "   step append: changes text\n     + \n     + slutt\n   18 of 300" in out


def test_nothing_of_a_private_post_is_shown(w: World) -> None:
    w.turn()
    post = w.say("m", "Til Berit alene @berit", visibility="private", warning="hemmelig")
    url = f"{w.simulator('m').url}/@anna/{post}"
    for words in (("--post", url), ("--last", "1")):
        for form in ((), ("--json",)):
            out = w.command("preview", "one", *words, *form).output
            assert "visibility private: never mirrored" in out
            assert "erit" not in out
            assert "emmelig" not in out
    shown = target(previewed(w, "one", "--post", url), "b")
    assert [f["filter"] for f in shown["filters"]] == ["visibility"]
    assert shown["parts"] == shown["steps"] == []


def test_nothing_is_written_anywhere(w: World) -> None:
    w.turn()
    picture = encoded("PNG")
    first = w.say("m", "En", images=[(picture, "Et bilde")])
    w.turn()
    w.say("m", "To", reply_to=first)
    w.say("m", "Uten noe ved seg")
    post = w.say("m", "Tre med bilde", images=[(picture, "")])
    w.say("x", "Fra X")
    w.store.close()
    w.command("status")  # settles the log that SQLite writes ahead
    before, asked = everything(w), writes(w)
    url = f"{w.simulator('m').url}/@anna/{post}"
    runs = (
        ("one", "--last", "4"),
        ("one", "--post", url),
        ("one", "--text", "Fire"),
        ("two", "--from", "b", "--last", "5"),
        ("two", "--from", "b", "--text", "Fem"),
    )
    for words in runs:
        done = w.command("preview", *words)
        assert done.exit_code == 0, done.output
        assert "-> " in done.stdout
        assert everything(w) == before
        assert writes(w) == asked


def test_without_a_state_none_is_made(w: World) -> None:
    w.say("m", "Før første kjøring")
    w.store.close()
    for path in w.config.state.file.parent.iterdir():
        path.unlink()
    w.config.state.file.parent.rmdir()
    before = everything(w)
    found = previewed(w, "one")
    assert target(found, "b")["parts"][0]["text"] == "Før første kjøring"
    assert everything(w) == before
    assert not w.config.state.file.parent.exists()


def test_readings_of_x_are_not_counted_as_in_a_dry_run(w: World) -> None:
    w.configure("one: {from: x, to: b}")
    w.turn()
    w.say("x", "Betalt lesing")
    spent = w.store.spent_since(w.clock().date())
    assert target(previewed(w, "one"), "b")["parts"][0]["text"] == "Betalt lesing"
    assert w.store.spent_since(w.clock().date()) == spent


def test_a_target_that_is_away_does_not_hide_the_others(w: World) -> None:
    w.say("m", "Hei")
    w.simulator("x").faults = [Fault("answer", status=401, body="{}", times=9)]
    done = w.command("preview", "one", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert target(found, "b")["parts"][0]["text"] == "Hei"
    ((error,),) = [found["errors"]]
    assert (error["target"], "keys" in error["reason"]) == ("x", True)
    assert "-> x: cannot be shown: " in w.command("preview", "one").stdout


def test_whose_post_an_address_is_is_known_without_logging_in_to_others(w: World) -> None:
    w.configure("one: {from: [m, b], to: x}")
    w.turn()
    post = w.say("b", "Hei fra Bluesky")
    w.clock.advance(days=2)  # what the server of m told is believed for a day
    before = w.requests("mastodon")
    found = previewed(w, "one", "--post", f"https://bsky.app/profile/anna.test/post/{post}")
    assert found["source"] == "b"
    assert target(found, "x")["parts"][0]["text"] == "Hei fra Bluesky"
    assert w.requests("mastodon") == before


def test_what_cannot_be_had_is_one_sentence(w: World) -> None:
    w.turn()
    for words, told in (
        (("one",), "m has no posts yet"),
        (("one", "--post", "https://elsewhere.example/1"), "not the address of a post of m"),
        (
            ("one", "--post", f"{w.simulator('m').url}/@anna/99"),
            f"{w.simulator('m').url}/@anna/99: the server has no such post",
        ),
    ):
        done = w.command("preview", *words)
        assert (done.exit_code, done.stdout) == (1, "")
        assert told in done.stderr
    w.simulator("m").stop()
    done = w.command("preview", "one")
    assert (done.exit_code, done.stderr[:25]) == (1, "m: cannot reach 127.0.0.1")


def test_of_a_copy_its_original_is_named(w: World) -> None:
    w.turn()
    post = w.say("m", "Har en kopi")
    w.turn()
    url = f"https://bsky.app/profile/anna.test/post/{w.copies('b')[0].id}"
    done = w.command("preview", "one", "--post", url)
    original = f"{w.simulator('m').url}/@anna/{post}"
    told = f"{url}: a copy: give the address of its original, {original}\n"
    assert (done.exit_code, done.stderr) == (1, told)
    w.configure("other: {from: m2, to: b}\none: {from: m, to: b}")
    done = w.command("preview", "other", "--post", original)
    assert done.stderr.startswith(f"{original}: not the address of a post of m2: ")


def test_a_picture_that_is_gone_is_told_where_it_would_be_held(w: World) -> None:
    w.turn()
    w.say("m", "Bildet er borte", images=[(encoded("PNG"), "")])
    w.simulator("m").faults = [Fault("answer", "GET /media", status=404, times=9)]
    (part,) = target(previewed(w, "one"), "b")["parts"]
    assert part["request"] is None
    assert part["kept"][0] == {
        "held": True, "reason": "the image is gone from its network (404)", "until": None
    }  # fmt: skip
