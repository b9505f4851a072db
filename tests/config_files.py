"""What the tests of the configuration share: texts as files in the current folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bridge.config import ConfigError, load
from bridge.schema import Config

# Stands after the text of a case, so that places are those of the case.
ACCOUNTS = """
accounts:
  masto: {network: mastodon, server: https://mastodon.example, access_token: m}
  bsky: {network: bluesky, handle: newsroom.example, app_password: b}
  x: {network: twitter, api_key: a, api_key_secret: b, access_token: c, access_token_secret: d,
    budget: {usd_per_month: 30}}
"""


def bot(settings: str) -> str:
    """A configuration with one bot of two targets; its own settings begin at 2:35."""
    return f"bots:\n  b: {{from: masto, to: [bsky, x], {settings}}}\n" + ACCOUNTS


def load_text(
    text: str, environ: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None
) -> Config:
    """The configuration that a text is, with other files beside it."""
    for name, content in {"config.yaml": text, **(files or {})}.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(content, encoding="utf-8")
    return load(Path("config.yaml"), environ or {})


def complaints(
    text: str, environ: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None
) -> list[str]:
    """What is wrong with a text; the name config.yaml is left out."""
    with pytest.raises(ConfigError) as caught:
        load_text(text, environ, files)
    return [str(problem).removeprefix("config.yaml:") for problem in caught.value.problems]
