"""The files that `tribridge init` writes, and what it asks for them on a terminal."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from bridge import wire
from bridge.registry import NETWORKS

#: more accounts than these are added by hand
MOST = 9

CONFIG = """\
# Tribridge: the accounts. Every setting: config.example.yaml and `docs/reference/settings.md`.
# Secrets stay outside: ${NAME} is an environment variable, ${file:PATH} the content of a file.

state:
  file: state/tribridge.db

accounts:
  # Mastodon: Preferences, Development, New application named Tribridge, with the scopes
  # read:accounts, read:statuses, write:statuses, write:media; then copy its access token.
  newsroom_mastodon:
    network: mastodon
    server: https://mastodon.example
    access_token: ${MASTODON_TOKEN}

  # Bluesky: Settings, Privacy and security, App passwords.
  newsroom_bluesky:
    network: bluesky
    handle: newsroom.example
    app_password: ${BLUESKY_APP_PASSWORD}

  # Twitter (X): developer portal, your app, Keys and tokens. Remove the leading # to use it.
  # newsroom_twitter:
  #   network: twitter
  #   api_key: ${X_API_KEY}
  #   api_key_secret: ${X_API_KEY_SECRET}
  #   access_token: ${X_TOKEN}
  #   access_token_secret: ${X_TOKEN_SECRET}
  #   budget: {usd_per_month: 5}
"""

#: the end of a bot's file
TESTS = """\

# Posts, and what must come of them: `tribridge test` tries it, and asks no network.
tests:
  - given: {text: "Good morning from the newsroom!", language: en}
    expect: mirrored
  - given: {text: "Only for us here #nobridge"}
    expect: skipped
"""

BOT = f"""\
# A bot is a file; its name is the file's name. This one mirrors new posts one way.
# Both ways, among two accounts or more:  between: [newsroom_mastodon, newsroom_bluesky]
from: newsroom_mastodon
to: newsroom_bluesky
{TESTS}"""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What to write: the config, one bot and its name, and the commands that come next."""

    config: str
    bot: str
    name: str
    next: tuple[str, ...]
    hint: str


def example() -> Beginning:
    """A beginning to fill in."""
    return Beginning(
        CONFIG,
        BOT,
        "newsroom",
        ("check", "once --dry-run", "run"),
        "put your servers and handles into {file}, the tokens that it names into the environment, "
        "then",
    )


# Asking


@dataclass(slots=True)
class NewAccount:
    """An account as its owner describes it: its settings, and how it logs in."""

    network: str
    name: str
    settings: dict[str, str] = field(default_factory=dict)
    by_keys: bool = False


def ask(bots: Path) -> Beginning:
    """Ask on the terminal for networks, accounts and direction; `bots` is the folder of the bots.

    Nothing is written. click.Abort where the owner gives up.
    """
    click.echo("A few questions; Enter takes what stands in brackets, Ctrl-C writes nothing.\n")
    networks = _ask(
        "Networks of your accounts, one for each account (mastodon bluesky twitter)",
        read_networks,
        "mastodon bluesky",
    )

    def free(text: str) -> str:
        name = read_name(text)
        if (bots / f"{name}.yaml").exists():
            raise ValueError(f"{bots / name}.yaml is there already: choose another")
        return name

    name = _ask("A name for the bot, which begins the names of the accounts too", free, "newsroom")
    accounts = [_account(name, network, networks[: at + 1]) for at, network in enumerate(networks)]
    click.echo()
    for number, account in enumerate(accounts, 1):
        click.echo(f"  {number}  {account.name}")
    source = _ask(
        "Mirror from which account, by its number; or `all`: each to all others",
        lambda text: read_direction(text, len(accounts)),
        "1",
    )
    click.echo()
    by_login = [account.name for account in accounts if not account.by_keys]
    return Beginning(
        config_text(accounts),
        bot_text([account.name for account in accounts], source),
        name,
        (f"login {' '.join(by_login)}", "check", "run")
        if by_login
        else ("check", "once --dry-run", "run"),
        "put the keys that {file} names into the environment, then"
        if len(by_login) < len(accounts)
        else "",
    )


def _account(name: str, network: str, so_far: Sequence[str]) -> NewAccount:
    """Ask what an account needs, the last of `so_far`."""
    count = so_far.count(network)
    account = NewAccount(network, f"{name}_{network}" + (f"_{count}" if count > 1 else ""))
    click.echo(f"\n{account.name}:")
    settings = account.settings
    match network:
        case "mastodon":
            settings["server"] = _ask("  Its server, such as mastodon.example", read_server)
        case "bluesky":
            settings["handle"] = _ask("  Its handle, such as newsroom.example", read_handle)
            service = "https://bsky.social"
            settings["service"] = _ask("  Where it logs in", read_server, service)
        case _:
            settings["client_id"] = _ask(
                "  The OAuth 2.0 client id of your app at developer.x.com, or `keys` for an app "
                "with OAuth 1.0a",
                read_client_id,
            )
            account.by_keys = settings["client_id"] == "keys"
            settings["budget"] = _ask("  US dollars that X may charge in a month", read_money, "5")
    return account


def _ask(question: str, read: Callable[[str], object], default: str | None = None) -> Any:
    """The answer to a question, asked again as long as `read` raises ValueError."""

    def value(text: str) -> object:
        try:
            return read(text.strip())
        except ValueError as error:
            raise click.UsageError(str(error)) from None

    return click.prompt(question, default=default, value_proc=value)


def read_networks(text: str) -> list[str]:
    """The networks of accounts: names, or first letters, as often as there are accounts."""
    found = []
    for word in re.split(r"[\s,]+", text.lower()):
        if word == "x":
            found.append("twitter")
        elif named := [network for network in NETWORKS if word and network.startswith(word)]:
            found += named
        else:
            raise ValueError(f"{word!r} is not one of {', '.join(NETWORKS)}")
    if not 2 <= len(found) <= MOST:
        raise ValueError(f"name 2 to {MOST}: mirroring takes at least two accounts")
    return found


def read_name(text: str) -> str:
    """A name for a bot."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}", text):
        raise ValueError("a name holds letters, digits, _ and -, and begins with one of the former")
    return text


def read_server(text: str) -> str:
    """The address of a server, given as address, as host, or as `@name@host`."""
    text = text.rpartition("@")[2].rstrip("/")
    url = text if "://" in text else f"https://{text}"
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not re.fullmatch(r"(https?)://[A-Za-z0-9.:-]+", url) or not (
        wire.is_loopback(host) or re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host)
    ):
        raise ValueError("give the name of a server, such as mastodon.example")
    if parts.scheme == "http" and not wire.is_loopback(host):
        raise ValueError("http is for this machine only: https")
    return url.lower()


def read_handle(text: str) -> str:
    """A handle on Bluesky, or its page."""
    text = text.rstrip("/").rpartition("/")[2].removeprefix("@").lower()
    if "." not in text or not re.fullmatch(NETWORKS["bluesky"].handle, text):
        raise ValueError("a handle on Bluesky is a domain, such as name.bsky.social")
    return text


def read_client_id(text: str) -> str:
    """The id of an app at X, or `keys`."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", text):
        raise ValueError("copy the OAuth 2.0 Client ID as it stands under Keys and tokens")
    return text


def read_money(text: str) -> str:
    """An amount of US dollars."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,2})?", text):
        raise ValueError("a number of dollars, such as 5")
    return text


def read_direction(text: str, count: int) -> int:
    """The number of the account that is mirrored, from 1; 0 for each to all others."""
    if text.lower() == "all":
        return 0
    if text.isdecimal() and 1 <= int(text) <= count:
        return int(text)
    raise ValueError(f"a number from 1 to {count}, or all")


# Writing

_HEAD = """\
# Tribridge: the accounts. Every setting: config.example.yaml and `docs/reference/settings.md`.
# How an account logs in is kept beside the state by `tribridge login NAME`, not here. On a server,
# secrets can stand here as ${NAME}, an environment variable, or ${file:PATH}, a file.

state:
  file: state/tribridge.db

accounts:
"""


def config_text(accounts: Sequence[NewAccount]) -> str:
    """A config with some accounts."""
    return _HEAD + "\n".join(_lines(account) for account in accounts)


def _lines(account: NewAccount) -> str:
    title = NETWORKS[account.network].title
    log_in = f"tribridge login {account.name}"
    lines = [f"  # {title}: `{log_in}`"]
    if account.network == "mastodon":
        lines.append(
            "  # Post nothing else as its application Tribridge: that is taken for a copy."
        )
    elif account.network == "bluesky":
        lines.append("  # with an app password: Settings, Privacy and security, App passwords.")
    elif account.by_keys:
        lines = [f"  # {title}: developer portal, your app, Keys and tokens."]
    else:
        lines.append(
            "  # Its app has the callback URI http://127.0.0.1:8723/, and may read and write."
        )
    lines += [f"  {account.name}:", f"    network: {account.network}"]
    if account.by_keys:
        variable = re.sub("[^A-Z0-9]", "_", account.name.upper())
        variable = f"_{variable}" if variable[0].isdigit() else variable
        for key in NETWORKS[account.network].logins[0]:
            lines.append(f"    {key}: ${{{variable}_{key.upper()}}}")
    for setting, value in account.settings.items():
        if setting == "budget":
            lines += ["    # What X charges; what would cost more waits, or is held."]
            lines += ["    budget:", f"      usd_per_month: {value}"]
        elif not (account.by_keys and setting == "client_id"):
            # quoted: an id may look like a number
            lines.append(f'    {setting}: "{value}"')
    return "\n".join(lines) + "\n"


def bot_text(names: Sequence[str], source: int) -> str:
    """A bot: from the account with a number, from 1, to the others; 0 for each to all others."""
    head = "# A bot is a file; its name is the file's name. A first run takes nothing old.\n"
    if source == 0:
        members = "".join(f"  - {name}\n" for name in names)
        head += "# Each of these accounts is mirrored to all others.\n"
        return f"{head}between:\n{members}{TESTS}"
    to = "".join(f"  - {name}\n" for at, name in enumerate(names, 1) if at != source)
    return f"{head}from: {names[source - 1]}\nto:\n{to}{TESTS}"


def check_absent(file: Path) -> None:
    """Raise FileExistsError if there is such a file; OSError if there can be none."""
    with suppress(FileNotFoundError):
        file.lstat()
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file))


def write(config_file: Path, beginning: Beginning) -> list[Path]:
    """Write the files; returns them. Both or none; FileExistsError if one is there already.

    Raises OSError with the name of the file, or of the folder, that cannot be written.
    """
    bot_file = config_file.parent / "bots" / f"{beginning.name}.yaml"
    files = [(bot_file, beginning.bot), (config_file, beginning.config)]
    for file, _ in files:
        check_absent(file)
    with _undone_on_error() as done:
        for file, text in files:
            for folder in reversed([file.parent, *file.parent.parents]):
                if not folder.exists():
                    folder.mkdir()
                    done.append(folder.rmdir)
            with file.open("x", encoding="utf-8") as out:
                done.append(file.unlink)
                out.write(text)
    return [file for file, _ in reversed(files)]


@contextmanager
def _undone_on_error() -> Iterator[list[Callable[[], None]]]:
    """Undo what was done, the last first, where something fails or the owner gives up."""
    done: list[Callable[[], None]] = []
    try:
        yield done
    except BaseException:
        for undo in reversed(done):
            with suppress(OSError):
                undo()
        raise
