"""What to do about a draft that waits, is held or is dead: a sentence for each code. Pure data."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.store import Code

#: by the code of the draft; ID stands for its number in the outbox
REMEDIES: Mapping[Code, str] = {
    "": "nothing: it goes out when its turn comes",
    "alt": "add the alt text on the original's network; what is held goes out, with what is there "
    "by then, on `tribridge outbox retry ID`",
    "approve": "`tribridge outbox approve ID` sends it, `tribridge outbox drop ID` does not",
    "bot": "`tribridge outbox drop ID`, or put the bot back into the config (`was:` if it has "
    "another name now) and `tribridge outbox retry ID`",
    "breaker": "look at the source: if its posts are real, `tribridge outbox retry --bot BOT`, "
    "else `tribridge outbox drop --bot BOT`; `limits.posts_per_hour` sets how many are too many",
    "budget": "raise `budget.usd_per_month` or wait for the next month, then "
    "`tribridge outbox retry --bot BOT`",
    "busy": "nothing: it goes on when the network says",
    "defect": "report it with the log; then `tribridge outbox retry ID`",
    "delay": "nothing: it goes out when its bot's `delay` is over",
    "deletes": "the original is gone: `tribridge outbox approve ID` deletes the copy too, "
    "`tribridge outbox drop ID` keeps it; `--bot BOT` decides for all of the bot",
    "doubt": "look at the account: if it stands there, `tribridge outbox sent ID URL`, else "
    "`tribridge outbox retry ID`",
    "edit": "look at the original: `tribridge outbox approve ID` brings the change to the copy, "
    "`tribridge outbox drop ID` leaves the copy as it is",
    "late": "`tribridge outbox retry ID` if it is still worth posting, else "
    "`tribridge outbox drop ID`",
    "links": "`tribridge outbox retry ID` posts it at the higher price, `tribridge outbox drop ID` "
    "does not",
    "login": "renew the login: what is new in the config is tried at the next start, the same "
    "login every hour",
    "media": "`tribridge outbox retry ID` once the image can be had, or post it by hand and "
    "`tribridge outbox sent ID URL`",
    "mode": "set `mode: live` when the bot may post",
    "parent": "see to the post that it follows; it goes on with that one",
    "paused": "`tribridge resume BOT`",
    "purge": "look at the source: `tribridge outbox approve --bot BOT` deletes the copies too, "
    "`tribridge outbox drop --bot BOT` keeps them; `limits.deletes_per_hour` sets how many are too "
    "many",
    "refused": "post it by hand in another form and `tribridge outbox sent ID URL`, or "
    "`tribridge outbox drop ID`",
    "state": "`tribridge relink`, so that what stands is known; then it goes on by itself",
    "unreachable": "nothing, if the server is down; else check its address in the config",
}

#: how a reason begins that a post is held for: it may be our own copy
OUR_OWN = "may be our own copy"
#: about such a post; URL stands for its page
_MAY_BE_OURS = (
    "look at the account: if it is a copy, delete it or `tribridge skip URL`; if its author wrote "
    "it, `tribridge mirror URL`"
)


#: about a post that a step failed on
_FAILED = (
    "mend the step and restart what runs the bots; then `tribridge mirror URL`, or"
    " `tribridge skip URL`"
)


def of_held_post(reason: str, url: str) -> str:
    """What to do about a post that is neither mirrored nor skipped."""
    return (_MAY_BE_OURS if reason.startswith(OUR_OWN) else _FAILED).replace("URL", url)


def remedy(code: Code, draft_id: int, bot: str) -> str:
    """What to do about a draft, with its own number and bot in it."""
    words = REMEDIES[code].replace(" ID", f" {draft_id}")
    return words.replace("BOT", bot)
