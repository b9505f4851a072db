"""The commands `login` and `logout`."""

from __future__ import annotations

import getpass
import os
import sys
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import click

from bridge.console import FAILURE, config_option, fail, load, no_such

if TYPE_CHECKING:
    from bridge.network import Identity, Network
    from bridge.oauth import Authorization, Login
    from bridge.schema import Account, Config

#: seconds in which the owner has to come back from the browser
PATIENCE = 300.0


@click.command()
@config_option
@click.argument("accounts", metavar="ACCOUNT...", nargs=-1, required=True)
@click.option(
    "--print",
    "print_wanted",
    is_flag=True,
    help="Store nothing: print lines for a file of environment variables.",
)
@click.option(
    "--no-browser",
    is_flag=True,
    help="Open no browser: log in on any machine, and paste what it shows.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="The port of this machine that the browser comes back to; 8723 for X, else any.",
)
def login(
    config_file: Path,
    accounts: tuple[str, ...],
    *,
    print_wanted: bool,
    no_browser: bool,
    port: int | None,
) -> None:
    """Log accounts in, one after the other, and store what it takes beside the state.

    Mastodon and X by a browser, Bluesky by an app password, which is asked for. The accounts stand
    in the configuration without their secrets. Exits with 1 at the first login that does not work.

    Example: tribridge login newsroom_mastodon newsroom_bluesky
    """
    for account in accounts:
        _log_in(config_file, account, port, print_wanted=print_wanted, open_browser=not no_browser)
    if not print_wanted:
        _say("A `tribridge run` that is running uses it after a restart.")


def _log_in(
    config_file: Path, account: str, port: int | None, *, print_wanted: bool, open_browser: bool
) -> None:
    """Log one account in; ends the program if that fails."""
    from bridge import secrecy
    from bridge.network import ClientError

    config, chosen, network = _account(config_file, account)
    logs_in = import_module(f"{network.package}.login")
    try:
        if network.asks == "password":
            made = logs_in.check(chosen.settings, _password(logs_in, chosen), _now())
        else:
            made = _by_browser(logs_in, chosen, port, open_browser=open_browser)
        identity = _who(config, chosen, network, made, keep=not print_wanted)
    except ClientError as error:
        fail(f"{account}: {error}", FAILURE)
    except OSError as error:
        fail(secrecy.redact(f"{account}: {error}"), FAILURE)
    who = f" as {identity.handle}" if identity else ""
    if made.lacks:
        _say(f"{account}: was not given {' '.join(made.lacks)}: what needs that will fail")
    if print_wanted:
        _print_lines(config, chosen, made)
        _say(f"{account}: logged in{who}; nothing is stored")
        return
    click.echo(f"{account}: logged in{who}")
    written = [name for name in made.secrets if name in chosen.written]
    if written:
        _say(
            f"{config.file}: remove {', '.join(written)} of {account}: it counts before this login"
        )


@click.command()
@config_option
@click.argument("account", metavar="ACCOUNT")
@click.option("--forget", is_flag=True, help="Forget it even if the network cannot be asked.")
def logout(config_file: Path, account: str, *, forget: bool) -> None:
    """Revoke the login of an account at its network, and forget it.

    Exits with 1 if there is none, or if the network cannot be asked: it is kept then.

    Example: tribridge logout newsroom_mastodon
    """
    from bridge import credentials
    from bridge.network import ClientError
    from bridge.store import Store
    from bridge.store.trouble import is_there

    config, chosen, network = _account(config_file, account)
    file = credentials.file_of(config.state.file)
    try:
        entry = credentials.read(file).get(account)
    except credentials.CredentialsError as error:
        fail(str(error), FAILURE)
    if entry is None:
        fail(f"{account}: no login is stored for it in {file}", FAILURE)
    if entry.get("network") != network.name:
        fail(f"{account}: its stored login is for another network: {entry.get('network')}", FAILURE)
    logs_in = import_module(f"{network.package}.login")
    settings = {**chosen.settings, **entry.get("for", {})}
    store = Store.open(config.state.file) if is_there(config.state.file) else None
    try:
        logs_in.revoke(settings, entry, store.session(account) if store else None, _now())
    except ClientError as error:
        if not forget:
            fail(f"{account}: still logged in: {error}: try again, or use --forget", FAILURE)
        _say(f"{account}: not revoked: {error}")
    if store is not None:
        row = store.accounts().get(account)
        if row and store.session(account):
            store.save_session(row["identity"], "")
        store.close()
    try:
        credentials.forget(file, account)
    except credentials.CredentialsError as error:
        fail(str(error), FAILURE)
    click.echo(f"{account}: logged out")
    if left := logs_in.after_logout(settings):
        _say(f"To end it for good, {left}.")


COMMANDS = (login, logout)


def _now() -> datetime:
    from bridge.console import now

    return now()


def _say(words: str) -> None:
    """Tell people something that is not the result."""
    click.echo(words, err=True)


def _account(config_file: Path, name: str) -> tuple[Config, Account, Network]:
    """The account, without the secrets that log it in; ends the program if it is not there."""
    from bridge.registry import NETWORKS

    config = load(config_file, logging_in=True)
    if name not in config.accounts:
        no_such("account", name, config.accounts, config_file)
    chosen = config.accounts[name]
    network = NETWORKS[chosen.network]
    if not network.asks:
        fail(f"{name}: accounts of {network.title} need no login", FAILURE)
    return config, chosen, network


def _password(logs_in: Any, account: Account) -> str:
    """The app password: asked without echo, or a line of standard input."""
    asks = logs_in.ASKS.format(handle=account.settings["handle"])
    if sys.stdin.isatty():
        try:
            return getpass.getpass(asks)
        except (EOFError, KeyboardInterrupt):
            raise click.Abort from None
    return _typed()


def _typed() -> str:
    """A line of standard input."""
    from bridge.network import LoginNeeded

    try:
        line = sys.stdin.readline()
        line.encode()
    except UnicodeError:
        raise LoginNeeded("what was typed is no text") from None
    return line


# By a browser


def _by_browser(logs_in: Any, account: Account, port: int | None, *, open_browser: bool) -> Login:
    """A login by the network's page, on this machine or on another."""
    from bridge.loopback import HOST

    chosen_port = logs_in.PORT if port is None else port
    if open_browser and _has_browser():
        return _by_loopback(logs_in, account.settings, chosen_port)
    address = logs_in.PASTED or f"http://{HOST}:{chosen_port}/"
    begun = logs_in.begin(account.settings, address, _now())
    _say(f"Open this page, on any machine:\n\n  {begun.url}\n")
    return _finish(logs_in, account.settings, begun, _pasted(logs_in, begun))


def _by_loopback(logs_in: Any, settings: Mapping[str, Any], port: int) -> Login:
    """A login by a browser of this machine, which is sent back to a port of it."""
    from bridge import oauth
    from bridge.loopback import Loopback

    begun: Authorization | None = None

    def judge(address: str) -> str | None:
        return oauth.code_in(address, begun) if begun else None

    try:
        loopback = Loopback(port, judge)
    except OSError as error:
        raise OSError(
            f"port {port} of this machine cannot be used ({error.strerror}): choose another with "
            "--port, which X must know as callback URI, or use --no-browser"
        ) from None
    with loopback:
        begun = logs_in.begin(settings, loopback.address, _now())
        _say(
            f"Your browser should open. If not, open this page on this machine:\n\n  {begun.url}\n"
        )
        with _stdout_kept():
            # some browsers run in the foreground
            Thread(target=webbrowser.open, args=(begun.url,), daemon=True).start()
            try:
                code = loopback.wait(PATIENCE)
            except TimeoutError:
                raise OSError(
                    f"nobody came back within {PATIENCE:g} seconds: try again, or with --no-browser"
                ) from None
    return _finish(logs_in, settings, begun, code)


@contextmanager
def _stdout_kept() -> Iterator[None]:
    """What a browser prints goes to stderr: stdout is for the result."""
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _has_browser() -> bool:
    """Whether there is a browser with a window; one of text would take the terminal."""
    return bool(
        os.environ.get("BROWSER")
        or os.environ.get("DISPLAY")
        or os.environ.get("WAYLAND_DISPLAY")
        or sys.platform in ("darwin", "win32")
    )


def _pasted(logs_in: Any, begun: Authorization) -> str:
    """The code that the owner pastes, or the one in the address that the owner pastes."""
    from bridge import oauth
    from bridge.network import LoginNeeded

    click.echo(f"Paste {logs_in.PASTE}: ", err=True, nl=False)
    text = _typed().strip()
    if not text:
        raise LoginNeeded("nothing was pasted")
    if logs_in.PASTED and "://" not in text:
        return text
    code = oauth.code_in(text, begun)
    if code is None:
        raise LoginNeeded(f"that is not of this login: paste {logs_in.PASTE}")
    return code


def _finish(logs_in: Any, settings: Mapping[str, Any], begun: Authorization, code: str) -> Login:
    from bridge import secrecy

    secrecy.keep([code])
    made: Login = logs_in.finish(settings, begun, code, _now())
    return made


# What becomes of it


class _Kept:
    """What the client of an account saves while it is asked who it is."""

    def __init__(self, login: Login) -> None:
        self.data: str | None = login.session or None

    def load(self) -> str | None:
        return self.data

    def save(self, identity: str, data: str) -> None:  # noqa: ARG002 - told by `login`
        self.data = data


def _who(
    config: Config, account: Account, network: Network, made: Login, *, keep: bool
) -> Identity | None:
    """Store a login if it is to be kept, and ask whom it is of; None if that cannot be told now.

    It is stored first: the tokens of X are lost if what comes after fails. One that does not work
    is forgotten again. What is not kept is not asked for where that costs money. Raises any of the
    kinds of error.
    """
    from bridge import credentials
    from bridge.config.logins import place_of
    from bridge.network import Busy, LoginNeeded, Unreachable

    if not keep:
        settings = {**account.settings, **made.secrets}
        return None if network.paid else network.connect(settings, _Kept(made), _now).login()
    file = credentials.file_of(config.state.file)
    entry = {
        "network": network.name,
        "for": place_of(network, account.settings),
        "secrets": dict(made.secrets),
        "app": dict(made.app),
        "tokens": dict(made.tokens),
    }
    try:
        before = credentials.read(file).get(account.name)
        credentials.save(file, account.name, entry)
        try:
            return _introduce(config, account, network, made)
        except LoginNeeded:
            if before is None:
                credentials.forget(file, account.name)
            else:
                credentials.save(file, account.name, before)
            raise
        except (Busy, Unreachable) as error:
            _say(f"{account.name}: whose it is will be seen when it is used: {error}")
            return None
    except credentials.CredentialsError as error:
        raise LoginNeeded(str(error)) from None


def _introduce(config: Config, account: Account, network: Network, made: Login) -> Identity:
    """Ask whom a stored login is of, as its client will, and remember the answer in the state."""
    from bridge import credentials, logins
    from bridge.ledger import AccountLedger
    from bridge.store import Store

    file = credentials.file_of(config.state.file)

    def exchange(renew: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Mapping[str, Any]:
        return credentials.exchange(file, account.name, network.name, renew)

    store = Store.open(config.state.file, durability=config.state.durability)
    with closing(store):
        row = store.accounts().get(account.name)
        ledger = AccountLedger(store, account, row["identity"] if row else None, _now)
        settings, kept = {**account.settings, **made.secrets}, _Kept(made)
        found = network.connect(settings, kept, _now, ledger, exchange).login()
        store.know_account(account.name, network.name, found.id, found.handle, found.url)
        ledger.belongs_to(found.id)
        if kept.data:
            store.save_session(found.id, kept.data)
        logins.forget(account, store)
    if row and row["identity"] != found.id:
        _say(
            f"{account.name}: was {row['handle']} until now: what its bots have done stays with "
            "that account"
        )
    return found


def _print_lines(config: Config, account: Account, made: Login) -> None:
    """Print each secret as a variable, and say what the config should hold."""
    lines = []
    for setting, value in made.secrets.items():
        variable = f"{account.name}_{setting}".upper()
        variable = "".join(c if c.isalnum() else "_" for c in variable)
        variable = f"_{variable}" if variable[0].isdigit() else variable
        click.echo(f"{variable}={value}")
        lines.append(f"    {setting}: ${{{variable}}}")
    _say(f"In {config.file}, under {account.name}:\n" + "\n".join(lines))
