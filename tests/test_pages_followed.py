"""The tutorial and the pages of common wishes, followed literally.

Each page is turned into one script, block after block: YAML is written to the file that its first
line names, commands are run as they stand, and what a page prints as `text` must have been printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.sandbox import Sandbox
from tests.pages import FENCE, FOLLOWED, ROOT, TUTORIAL, WISHES, blocks, text_of
from tests.test_docs import merged
from tests.test_docs_commands import shell
from tests.test_json_schema import complaints


def script_of(page: str, whole: Any = None) -> str:
    """What a reader of a page does; `whole` is a configuration that its parts are added to."""
    done = []
    for language, body in FENCE.findall(text_of(page)):
        first, _, rest = body.partition("\n")
        if language == "sh":
            done.append(body)
        elif language == "yaml" and first == "# part of config.yaml":
            whole = merged(whole, yaml.safe_load(rest))
            done.append(_writing("config.yaml", yaml.safe_dump(whole, allow_unicode=True)))
        elif language == "yaml" and (name := re.fullmatch(r"# ((?:bots/)?[\w-]+\.yaml)", first)):
            done.append(_writing(name[1], body))
        else:
            assert language == "text", f"{page}: {language} {first!r} is not followed"
    return "".join(done)


def _writing(name: str, text: str) -> str:
    return f"mkdir -p $(dirname {name})\ncat > {name} <<'END OF FILE'\n{text}END OF FILE\n"


def printed_by(page: str) -> Iterator[str]:
    for language, body in FENCE.findall(text_of(page)):
        if language == "text":
            yield from body.splitlines()


def test_the_tutorial_ends_with_a_mirrored_post_in_a_folder_that_was_empty(tmp_path: Path) -> None:
    out = shell(tmp_path, script_of(TUTORIAL))
    assert [line for line in printed_by(TUTORIAL) if line not in out] == []
    records = out[out.index('{"cursor"') :]
    assert '"text": "Snow on the pass tonight #weather"' in records or (
        '"text":"Snow on the pass tonight #weather"' in records
    )
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bots", "config.yaml"]


@pytest.mark.parametrize("name", WISHES)
def test_a_page_of_a_wish_does_what_it_says(name: str, tmp_path: Path) -> None:
    page = f"docs/how-to/{name}.md"
    networks = Sandbox()
    printed = networks.start()
    networks.mastodon.say("newsroom", "Snø på fjellet i natt.")
    config, environ = _example(printed)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    out = shell(tmp_path, script_of(page, config), real_curl=True, **environ)
    networks.stop()
    assert [line for line in printed_by(page) if line not in out] == []
    assert "tribridge test" not in text_of(page) or " passed" in out


def _example(printed: Any) -> tuple[Any, dict[str, str]]:
    """The accounts of the example, on networks of this machine, and its variables."""
    text = text_of("config.example.yaml")
    example = yaml.safe_load(text)
    for section in ("bots", "alerts", "groups", "people"):
        del example[section]
    names = re.findall(
        r"(?<!\$)\$\{(\w+)\}", text + text_of("docs/how-to/languages.md") + "${CLUB_TOKEN}"
    )
    environ = dict.fromkeys(names, "unused")
    for who in ("newsroom", "city"):
        masto, bsky, x = (f"{who}_{network}" for network in ("mastodon", "bluesky", "twitter"))
        accounts = example["accounts"]
        accounts[masto] = {
            "network": "mastodon",
            "server": printed["mastodon"]["server"],
            **printed["mastodon"]["accounts"][who],
        }
        accounts[bsky] = {
            "network": "bluesky",
            "handle": f"{who}.test",
            "service": printed["bluesky"]["service"],
            **printed["bluesky"]["accounts"][f"{who}.test"],
        }
        accounts[x] = {
            "network": "twitter",
            "api": printed["twitter"]["api"],
            "budget": {"usd_per_month": 5},
            **printed["twitter"]["accounts"][who],
        }
    return example, environ


@pytest.mark.parametrize("name", WISHES)
def test_editors_accept_the_bots_of_the_pages(name: str) -> None:
    bots = blocks(text_of(f"docs/how-to/{name}.md"), "yaml")
    for bot in [block for block in bots if block.startswith("# bots/")]:
        assert complaints("bot", bot) == []


def test_there_is_a_page_for_each_of_ten_wishes() -> None:
    assert len(WISHES) == 10
    for page in FOLLOWED:
        assert (ROOT / page).exists()
        assert page in text_of("README.md")
