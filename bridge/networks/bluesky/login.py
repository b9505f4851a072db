"""Logging in at Bluesky by app password (lexicon com.atproto.server, create- and deleteSession).

Its OAuth wants a page on the web that describes the program, which a program of one's own has not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bridge import oauth, secrecy, wire
from bridge.network import LoginNeeded, Refused
from bridge.networks.bluesky import session

WHERE = "Settings, Privacy and security, App passwords"
ASKS = f"App password of {{handle}} ({WHERE}): "
#: what an access token may do that was made with the account's own password (official PDS)
EVERYTHING = "com.atproto.access"


def check(settings: Mapping[str, Any], password: str, now: datetime) -> oauth.Login:
    """The login of an app password.

    Raises LoginNeeded if it is none, saying what it is; Busy or Unreachable without an answer.
    """
    service, handle = settings["service"].rstrip("/"), settings["handle"].removeprefix("@")
    password = password.strip()
    secrecy.keep([password])
    if not password:
        raise LoginNeeded("no app password was given")
    made = session.create(service, handle, password, lambda _headers: None)
    if isinstance(made, wire.Answer):
        raise _why(made, service, handle, now)
    secrecy.keep([made.access, made.refresh])
    if made.claims().get("scope") == EVERYTHING:
        session.delete(made)
        raise LoginNeeded(
            f"that is the password of the account {handle} itself, which can do everything: make "
            f"an app password under {WHERE}, and give that"
        )
    return oauth.Login({"app_password": password}, session=made.to_json())


def _why(answer: wire.Answer, service: str, handle: str, now: datetime) -> Exception:
    """What is wrong with a login (official PDS, createSession)."""
    try:
        error = answer.object().get("error")
    except Exception:  # noqa: BLE001 - whatever it is, it names no error
        error = None
    if error == "AuthFactorTokenRequired":
        return LoginNeeded(
            "that is the password of the account itself, for which the network wants a code by "
            f"e-mail as well: make an app password under {WHERE}, which needs none"
        )
    if error in ("AccountTakedown", "AccountDeactivated", "AccountSuspended"):
        return LoginNeeded(f"the account {handle} is {str(error).removeprefix('Account').lower()}")
    if answer.status == 401:
        return LoginNeeded(
            f"{service} knows no {handle} with that password: check `handle`, and `service` if the "
            "account is on a server of its own; an app password looks like abcd-efgh-ijkl-mnop, "
            "and stops working when it is deleted"
        )
    rejection = wire.rejection(answer, now)
    if isinstance(rejection, Refused):
        return LoginNeeded(f"{rejection}: check `service` and `handle`")
    return rejection


def revoke(
    settings: Mapping[str, Any], entry: Mapping[str, Any], saved: str | None, now: datetime
) -> None:
    """End the session that was saved. The app password itself only its owner can delete."""
    service, handle = settings["service"].rstrip("/"), settings["handle"].removeprefix("@")
    password = entry.get("secrets", {}).get("app_password", "")
    mark = session.fingerprint(service, handle, password)
    tokens = session.Tokens.from_json(saved, mark)
    if tokens is None:
        return
    secrecy.keep([tokens.access, tokens.refresh])
    answer = session.delete(tokens)
    if answer.status == 429 or answer.status >= 500:
        raise wire.rejection(answer, now)


def after_logout(settings: Mapping[str, Any]) -> str:
    """What is left for the owner to do after a logout; "" if nothing is."""
    return f"delete the app password of {settings['handle']} under {WHERE}"
