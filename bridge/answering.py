"""The commands that answer what a bot would do with a post, and what became of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge import console
from bridge.console import (
    FAILURE,
    as_json,
    config_option,
    fail,
    json_option,
    load,
    load_offline,
    no_such,
    state_for_reading,
)

if TYPE_CHECKING:
    from bridge.preview import Preview
    from bridge.schema import Bot, Config

#: the most posts that `preview` shows at once
MOST = 100


@click.command()
@config_option
@json_option
@click.option("--post", "url", metavar="URL", help="A post of one of the bot's sources.")
@click.option(
    "--last",
    "count",
    metavar="N",
    type=click.IntRange(1, MOST),
    help="The last N posts of the source; 1 if nothing is said.",
)
@click.option("--text", help="What the source would post; asks no network.")
@click.option(
    "--from", "source", metavar="ACCOUNT", help="The source; the bot's first if nothing is said."
)
@click.argument("bot_name", metavar="BOT")
def preview(
    config_file: Path,
    bot_name: str,
    url: str | None,
    count: int | None,
    text: str | None,
    source: str | None,
    *,
    json_wanted: bool,
) -> None:
    """Show what BOT would post, part by part, and why it would not.

    Writes nothing anywhere. X charges for what is read, as in a dry run.

    Example: tribridge preview newsroom --text "Hello from the newsroom"
    """
    from bridge.preview_text import as_text

    if sum(given is not None for given in (url, count, text)) > 1:
        raise click.UsageError("--post, --last and --text are three ways to say which posts")
    if text is not None and not _is_text(text):
        raise click.UsageError("--text is empty, or holds what is no text")
    config = load(config_file) if text is None else load_offline(config_file)[0]
    bot = _bot(config, bot_name)
    found = _previewed(config, bot, url, count or 1, text, source)
    if json_wanted:
        from bridge.preview import as_object

        click.echo(as_json(as_object(found)))
    else:
        click.echo(as_text(found))
    if found.errors:
        raise SystemExit(FAILURE)


def _is_text(text: str) -> bool:
    """Whether an argument says something, and holds no bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return bool(text.strip()) and "\0" not in text


def _bot(config: Config, name: str) -> Bot:
    if name not in config.bots:
        no_such("bot", name, config.bots, config.file)
    return config.bots[name]


def _previewed(
    config: Config, bot: Bot, url: str | None, count: int, text: str | None, source: str | None
) -> Preview:
    from bridge import preview as told
    from bridge.network import ClientError
    from bridge.store import StateError, Store

    sources = told.sources_of(bot)
    if source is not None and source not in sources:
        fail(f"{bot.name} does not mirror {source!r}; it mirrors {', '.join(sources)}", FAILURE)
    first = source or sources[0]
    try:
        if text is not None:
            return told.of_text(config, bot, first, text, state_for_reading(config), console.now)
        store = Store.in_memory(config.state.file)
        click.get_current_context().call_on_close(store.close)
        if url is not None:
            named = (source,) if source else sources
            return told.of_url(config, bot, named, url, store, console.now)
        return told.of_newest(config, bot, first, count, store, console.now)
    except ClientError as error:
        fail(f"{url or first}: {error}", FAILURE)
    except (StateError, told.NothingToShow) as error:
        fail(str(error), FAILURE)


@click.command()
@config_option
@json_option
@click.option("--offline", is_flag=True, help="Ask no network; needs no secrets.")
@click.argument("what", metavar="URL|ID")
def explain(config_file: Path, what: str, *, json_wanted: bool, offline: bool) -> None:
    """Tell the whole story of one post: what became of it for each target, and why.

    URL is the page of the original or of any copy; an ID is that of either on its network, or the
    number of a draft, as `tribridge outbox` shows it. Writes nothing. The post is read again from
    its network; X charges for that.

    Example: tribridge explain https://mastodon.example/@newsroom/111
    """
    from bridge.explain import as_object
    from bridge.explain_text import as_text
    from bridge.store import Store
    from bridge.story import Unknown, tell

    if not _is_text(what):
        raise click.UsageError("URL|ID is empty, or holds what is no text")
    config = load(config_file, logging_in=offline)
    store = state_for_reading(config)
    if store is None:
        fail(
            f"{what}: nothing is known of any post yet: `tribridge once` or `tribridge run` reads "
            "the accounts",
            FAILURE,
        )
    click.get_current_context().call_on_close(store.close)
    try:
        scratch = None if offline else lambda: Store.in_memory(config.state.file)
        found = tell(what, config, store, console.now, scratch)
    except Unknown as error:
        fail(str(error), FAILURE)
    told = as_object(found)
    click.echo(as_json(told) if json_wanted else as_text(told, config.timezone))


COMMANDS = (preview, explain)
