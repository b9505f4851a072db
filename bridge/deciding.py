"""The commands by which people decide: about drafts in the outbox, pauses, and single posts."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge import console
from bridge.console import (
    FAILURE,
    OVERDUE,
    as_json,
    config_option,
    fail,
    json_option,
    load,
    no_such,
    state_for_reading,
    state_for_writing,
)

if TYPE_CHECKING:
    from bridge.schema import Config
    from bridge.store import PauseKind, QueuedDraft, Store

#: seconds that a running daemon is given to carry out an order
PATIENCE = 60.0

bot_option = click.option("--bot", "bot_name", metavar="BOT", help="All that is stopped of a bot.")
#: codes of drafts that are held for nothing but a person's word
_APPROVABLE = ("approve", "deletes", "edit", "purge")

ids_argument = click.argument("ids", metavar="[ID]...", nargs=-1, type=int)


@click.group(invoke_without_command=True)
@config_option
@json_option
@click.pass_context
def outbox(context: click.Context, config_file: Path, *, json_wanted: bool) -> None:
    """Show what waits, is held or is dead: why, and what to do about it.

    Oldest first; asks no network. With a command: decide about what is shown. Exits with 75 if
    something is overdue, held or dead.

    Example: tribridge outbox --json
    """
    if context.invoked_subcommand:
        return
    from bridge import overview

    config = load(config_file)
    found = overview.outbox(state_for_reading(config))
    click.echo(as_json(found) if json_wanted else overview.outbox_text(found))
    if found["posts"] or any(draft["overdue"] for draft in found["drafts"]):
        context.exit(OVERDUE)


@outbox.command()
@config_option
@ids_argument
@bot_option
def retry(config_file: Path, ids: tuple[int, ...], bot_name: str | None) -> None:
    """Send held, dead or dropped drafts after all, and what they held back.

    Filters of age and number do not hold them again. A draft in doubt is sent once more: look
    first whether it stands.

    Example: tribridge outbox retry 12
    """
    from bridge.store import COPY_DELETED

    store, drafts = _chosen(config_file, ids, bot_name)
    _refuse(drafts, "sent", "is sent already")
    _refuse(drafts, "sending", "is on its way: look again in a minute")
    gone = next((draft for draft in drafts if draft.error == COPY_DELETED), None)
    if gone is not None:
        fail(f"draft {gone.id}: {gone.error}: `tribridge mirror {gone.source_url}`", FAILURE)
    _told(store.release(drafts), "will be sent")


@outbox.command()
@config_option
@ids_argument
@bot_option
def approve(config_file: Path, ids: tuple[int, ...], bot_name: str | None) -> None:
    """Let drafts go out that wait for a person: of a bot with `mode: approve`, and changes.

    Changes are edits and deletions of originals that were held.

    Example: tribridge outbox approve --bot newsroom
    """
    store, drafts = _chosen(config_file, ids, bot_name)
    waiting = [draft for draft in drafts if draft.state == "held" and draft.code in _APPROVABLE]
    if len(waiting) < len(drafts) and not bot_name:
        other = next(draft for draft in drafts if draft not in waiting)
        fail(f"draft {other.id} does not wait for approval: it is {_how(other)}", FAILURE)
    _told(store.release(waiting), "will be sent")


@outbox.command()
@config_option
@ids_argument
@bot_option
def drop(config_file: Path, ids: tuple[int, ...], bot_name: str | None) -> None:
    """Give up drafts for good, with the later parts of the same copy.

    Example: tribridge outbox drop 12
    """
    store, drafts = _chosen(config_file, ids, bot_name)
    _refuse(drafts, "sent", "is sent already: delete it on its network")
    _refuse(drafts, "sending", "is on its way: look again in a minute")
    _told(store.drop(drafts), "will not be sent")


@outbox.command()
@config_option
@click.argument("draft_id", metavar="ID", type=int)
@click.argument("url", metavar="URL")
def sent(config_file: Path, draft_id: int, url: str) -> None:
    """Say that a draft stands on its account already: the address of the post there.

    Example: tribridge outbox sent 12 https://mastodon.example/@newsroom/111
    """
    _order(config_file, "sent", f"{draft_id} {_url(url)}")


def _chosen(
    config_file: Path, ids: tuple[int, ...], bot_name: str | None
) -> tuple[Store, list[QueuedDraft]]:
    """The drafts that a command is about; ends with 1 if there is no such one."""
    config = load(config_file)
    if bool(ids) == bool(bot_name):
        raise click.UsageError("name drafts by their ID, or a bot with --bot")
    store = state_for_writing(config)
    if bot_name:
        found = store.stopped(bot_name)
        if not found:
            fail(f"nothing of the bot {bot_name} is held or dead", FAILURE)
        return store, found
    drafts = []
    for draft_id in ids:
        draft = store.draft(draft_id)
        if draft is None:
            fail(f"there is no draft {draft_id}; see `tribridge outbox`", FAILURE)
        drafts.append(draft)
    return store, drafts


def _refuse(drafts: list[QueuedDraft], state: str, why: str) -> None:
    for draft in drafts:
        if draft.state == state:
            fail(f"draft {draft.id} {why}", FAILURE)


def _how(draft: QueuedDraft) -> str:
    return f"{draft.state} ({draft.error})" if draft.error else draft.state


def _told(number: int, what: str) -> None:
    click.echo(f"{number} draft{'' if number == 1 else 's'} {what}")


@click.command()
@config_option
@click.argument("name", metavar="[BOT|ACCOUNT]", required=False)
@click.option("--all", "everything", is_flag=True, help="Everything.")
def pause(config_file: Path, name: str | None, *, everything: bool) -> None:
    """Pause a bot, an account or everything: nothing is read from it or sent by it.

    A running daemon obeys within two seconds. Nothing is lost: it goes on with `resume`.

    Example: tribridge pause newsroom
    """
    config, kind = _named(config_file, name, everything=everything)
    store = state_for_writing(config)
    fresh = store.pause(kind, name or "", console.now())
    click.echo(f"{name or 'everything'} is paused{'' if fresh else ' already'}")


@click.command()
@config_option
@click.argument("name", metavar="[BOT|ACCOUNT]", required=False)
@click.option("--all", "everything", is_flag=True, help="Everything that is paused.")
def resume(config_file: Path, name: str | None, *, everything: bool) -> None:
    """End a pause.

    Example: tribridge resume newsroom
    """
    config, kind = _named(config_file, name, everything=everything)
    store = state_for_writing(config)
    if not store.resume(kind, name or ""):
        fail(f"{name or 'nothing'} is {'' if everything else 'not '}paused", FAILURE)
    rest = ("all", "") in store.pauses()
    click.echo(
        f"{name or 'everything'} goes on"
        + (", once everything does: `tribridge resume --all`" if rest else "")
    )


def _named(config_file: Path, name: str | None, *, everything: bool) -> tuple[Config, PauseKind]:
    config = load(config_file)
    if bool(name) == everything:
        raise click.UsageError("name a bot or an account, or --all")
    if everything:
        return config, "all"
    if name in config.bots:
        return config, "bot"
    if name not in config.accounts:
        no_such("bot and no account", name or "", (*config.bots, *config.accounts), config_file)
    return config, "account"


@click.command()
@config_option
@click.argument("url", metavar="URL")
def mirror(config_file: Path, url: str) -> None:
    """Mirror one post after all, whatever the filters of its bots say.

    URL is the post's page on its network. Followers-only posts and our own copies stay where they
    are.

    Example: tribridge mirror https://mastodon.example/@newsroom/111
    """
    _order(config_file, "mirror", _url(url))


@click.command()
@config_option
@click.argument("url", metavar="URL")
def skip(config_file: Path, url: str) -> None:
    """Leave out one post that has not gone out yet.

    URL is the post's page on its network.

    Example: tribridge skip https://mastodon.example/@newsroom/111
    """
    _order(config_file, "skip", _url(url))


@click.command()
@config_option
@click.argument("url", metavar="URL")
@click.argument("text", metavar="TEXT")
def correct(config_file: Path, url: str, text: str) -> None:
    """Reply to every copy of a post with TEXT, as it stands.

    URL is the page of the original or of any copy of it.

    Example: tribridge correct https://mastodon.example/@newsroom/111 "Correction: on Friday."
    """
    if not text.strip() or "\0" in text or not _is_text(text):
        raise click.UsageError("TEXT is empty, or holds what is no text")
    _order(config_file, "correct", f"{text} {_url(url)}")
    _tell_what_came(config_file, url)


@click.command()
@config_option
@click.argument("url", metavar="URL")
@click.option("--yes", is_flag=True, help="Do not ask first.")
def delete(config_file: Path, url: str, *, yes: bool) -> None:
    """Delete every copy of a post; the original stays.

    Shows the copies and asks first. URL is the page of the original or of any copy of it. What has
    not gone out yet never will.

    Example: tribridge delete https://mastodon.example/@newsroom/111
    """
    from bridge import orders

    config = load(config_file)
    store = state_for_writing(config)
    origin = orders.look_up(_url(url), config, store)
    if origin is not None and not yes:
        for copy in store.standing_everywhere(origin.origin, origin.origin_id):
            click.echo(copy.ref.url)
        click.confirm(f"Delete these copies of {origin.ref.url} for good?", abort=True, err=True)
    _order(config_file, "delete", url)
    _tell_what_came(config_file, url)


@click.command()
@config_option
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="How far back to look. [default: 30 days, and as far as each bot's backfill]",
)
def relink(config_file: Path, since: datetime | None) -> None:
    """Find the copies that stand already, after the state was lost or an old one restored.

    Reads every source and target; posts nothing. Stop the daemon first. What is found is known
    from then on, and what was held because of the state goes on.

    Example: tribridge relink --since 2026-01-31
    """
    from bridge.accounts import Accounts
    from bridge.network import ClientError
    from bridge.pulse import trust_state
    from bridge.relink import relink as find
    from bridge.store import StateError, Store

    config = load(config_file)
    try:
        store = Store.open(config.state.file, durability=config.state.durability)
        click.get_current_context().call_on_close(store.close)
        store.own("relink")
        found = find(
            config,
            Accounts(config, store, console.now),
            store,
            since=since.replace(tzinfo=UTC) if since else None,
            told=click.echo,
        )
        trust_state(store)
    except (StateError, ClientError) as error:
        fail(str(error), FAILURE)
    click.echo(
        f"{found.linked} copies found; {found.missing} originals without one; "
        f"{found.unsure} that cannot be told, held: see `tribridge outbox`"
    )


def _url(text: str) -> str:
    """An address as given; wrong usage if it holds bytes that are no UTF-8, spaces and the like."""
    if not text.isprintable() or " " in text:
        raise click.UsageError("the URL holds characters that no URL can hold")
    return text


def _is_text(text: str) -> bool:
    """Whether an argument holds no bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _tell_what_came(config_file: Path, url: str) -> None:
    """What became of the changes to the copies of a post: waits a while for those on their way."""
    from bridge import orders, overview

    config = load(config_file)
    store = state_for_writing(config)
    origin = orders.look_up(url, config, store)
    if origin is None:
        return
    name = (origin.origin, origin.origin_id)
    under_way = ("queued", "sending")
    _wait_for(
        lambda: not any(d.state in under_way and not d.error for d in store.changes_of(*name))
    )
    for line in overview.changes(store, *name):
        click.echo(line)


def _order(config_file: Path, kind: Any, argument: str) -> None:
    """Have an order carried out: by the running daemon, or here if there is none.

    What else owns the state, such as `once`, takes no orders: its end is awaited.
    """
    from bridge.accounts import Accounts
    from bridge.store import AlreadyRunning
    from bridge.workers import Engine

    config = load(config_file)
    store = state_for_writing(config)
    number = store.order(kind, argument, console.now())
    owner = ""

    def is_done() -> bool:
        nonlocal owner
        try:
            store.own(kind)
        except AlreadyRunning as error:
            owner = error.owner
            return store.is_done(number)
        engine = Engine(config, store, Accounts(config, store, console.now), report=lambda *_: None)
        engine.obey()
        engine.lanes.wait()
        return True

    if not _wait_for(is_done) and store.withdraw_order(number):
        if owner.startswith("`tribridge run`"):
            fail("the running daemon did not answer within a minute; see its log", FAILURE)
        fail(f"still at work: {owner}: try again when it is done", FAILURE)
    done = store.order_by_id(number)
    assert done is not None
    if not done.ok:
        fail(done.answer, FAILURE)
    click.echo(done.answer)


def _wait_for(condition: Callable[[], bool]) -> bool:
    """Whether a condition came true in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


COMMANDS = (outbox, pause, resume, mirror, skip, correct, delete, relink)
