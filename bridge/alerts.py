"""Telling people what is stuck: what is so now, what of it is news, and one POST for all of it.

What is so is computed from data; `Watch` alone reads the state, writes the table `alerts`, and
calls the webhook. An alert is told once when it begins and once when it is over.
"""

from __future__ import annotations

import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from bridge import __version__, wire
from bridge.network import ClientError
from bridge.outcome import backoff
from bridge.remedies import REMEDIES, of_held_post, remedy
from bridge.schema import Config
from bridge.store import Alert, Code, HeldPost, Store, TroubledCopy

log = logging.getLogger("tribridge")

#: seconds that the webhook has for its answer
DEADLINE = 10.0
#: how many alerts of each list a POST carries; the rest are counted
MOST = 50
#: how many alerts of each list its text names
MOST_IN_TEXT = 5
#: characters of a reason in its text
LONGEST_REASON = 300

Kind = Literal["held", "dead", "stuck", "logged_out", "over_budget"]
WORDS: Mapping[str, str] = {
    "held": "held",
    "dead": "dead",
    "stuck": "stuck",
    "logged_out": "logged out",
    "over_budget": "over budget",
}
#: what the last error of an account means for it; the others concern one post
_CODES: Mapping[str, Code] = {
    "LoginNeeded": "login",
    "Busy": "busy",
    "OverBudget": "budget",
    "Unreachable": "unreachable",
    "Uncertain": "unreachable",
}
#: codes of drafts that concern their whole account
_OF_ACCOUNTS: Mapping[Code, Kind] = {
    "login": "logged_out",
    "budget": "over_budget",
    "busy": "stuck",
    "unreachable": "stuck",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is stuck now. `subject` stays the same as long as it is the same thing.

    `original` is the address of the post, "" where it is about an account; `bot` may be "" too.
    """

    kind: Kind
    subject: str
    account: str
    reason: str
    remedy: str
    bot: str = ""
    original: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is stuck, and the accounts that are just being tried again: theirs is not over yet."""

    conditions: tuple[Condition, ...]
    tried: frozenset[str] = frozenset()


def find(
    config: Config,
    copies: Iterable[TroubledCopy],
    posts: Iterable[HeldPost],
    runs: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, str],
    waiting: Iterable[str],
) -> Findings:
    """What is stuck.

    `runs` is what `Pulse` knows of each account, `names` gives the accounts' names by identity,
    `waiting` are the identities that have drafts waiting.
    """
    found: dict[tuple[str, str], Condition] = {}
    tried = set()
    routes = [r for bot in config.bots.values() if bot.mode != "disabled" for r in bot.routes]
    targets = {route.target for route in routes}
    used = {"open": targets, "read": {route.source for route in routes}}
    for condition in _accounts(runs, used):
        found.setdefault((condition.kind, condition.subject), condition)
    for copy in copies:
        account = names.get(copy.target, copy.target)
        if copy.state == "sending" and not copy.code:
            tried.add(account)
            continue
        condition = _copy(copy, account)
        found.setdefault((condition.kind, condition.subject), condition)
    # what could not be delivered may have been let go since, or says itself what keeps it waiting
    telling = {c.account for c in found.values() if c.kind not in ("held", "dead")}
    undelivered = targets & {names.get(who, who) for who in waiting} - telling
    for condition in _accounts(runs, {"delivery": undelivered}):
        found.setdefault((condition.kind, condition.subject), condition)
    for post in posts:
        account = names.get(post.source, post.source)
        subject = f"post {post.source} {post.post_id}"
        bots = ", ".join(post.bots)
        todo = of_held_post(post.reason, post.url)
        found["held", subject] = Condition(
            "held", subject, account, post.reason, todo, bots, post.url
        )
    for kind, subject in list(found):
        if kind == "logged_out":  # says why nothing can be read or sent
            found.pop(("stuck", subject), None)
    return Findings(tuple(found.values()), frozenset(tried))


def _accounts(
    runs: Mapping[str, Mapping[str, Any]], matters: Mapping[str, set[str]]
) -> Iterable[Condition]:
    """Accounts that cannot be opened, read, or delivered to, of those for which that `matters`."""
    for account, run in runs.items():
        for what, used in matters.items():
            code = _CODES.get(run.get(f"{what}_kind", ""))
            if code is None and what != "delivery" and run.get(f"{what}_error"):
                code = "unreachable"
            if code is not None and account in used:
                yield _account(_OF_ACCOUNTS[code], account, code, run[f"{what}_error"])


def _account(kind: Kind, account: str, code: Code, reason: str, bot: str = "") -> Condition:
    return Condition(kind, account, account, reason, remedy(code, 0, bot or "BOT"), bot)


def _copy(copy: TroubledCopy, account: str) -> Condition:
    if copy.code in _OF_ACCOUNTS and copy.state != "dead":
        return _account(_OF_ACCOUNTS[copy.code], account, copy.code, copy.error, copy.bot)
    kind: Kind = "dead" if copy.state == "dead" else "held" if copy.state == "held" else "stuck"
    subject = f"copy {copy.target} {copy.source} {copy.source_id}"
    if copy.generation:
        subject += f" {copy.generation}"
    what = remedy(copy.code, copy.id, copy.bot) if copy.code in REMEDIES else ""
    return Condition(kind, subject, account, copy.error, what, copy.bot, copy.source_url)


@dataclass(frozen=True, slots=True)
class News:
    """What is new, what is `dropped` untold, and what is told: that it `began`, that it `ended`."""

    new: tuple[Alert, ...]
    dropped: tuple[Alert, ...]
    began: tuple[Alert, ...]
    ended: tuple[Alert, ...]


def compare(found: Findings, known: Sequence[Alert], now: datetime, after: timedelta) -> News:
    """What is news, given the alerts that had begun before.

    What begins and ends before it was told is not told.
    """
    keys = {(alert.kind, alert.subject) for alert in known}
    holding = {(c.kind, c.subject) for c in found.conditions}
    new = tuple(
        Alert(c.kind, c.subject, _as_json(c), now)
        for c in found.conditions
        if (c.kind, c.subject) not in keys
    )
    still: list[Alert] = []
    over: list[Alert] = []
    for alert in known:
        holds = (alert.kind, alert.subject) in holding
        (still if holds or details(alert)["account"] in found.tried else over).append(alert)
    return News(
        new,
        tuple(alert for alert in over if alert.told_at is None),
        tuple(a for a in (*still, *new) if a.told_at is None and is_due(a, now, after)),
        tuple(alert for alert in over if alert.told_at is not None),
    )


def is_due(alert: Alert, now: datetime, after: timedelta) -> bool:
    """Whether people should know of an alert: at once, but `after` a while for what may pass."""
    return alert.told_at is not None or alert.kind != "stuck" or now - alert.began_at >= after


def _as_json(condition: Condition) -> str:
    fields = {
        "account": condition.account,
        "bot": condition.bot or None,
        "original": condition.original or None,
        "reason": condition.reason,
        "remedy": condition.remedy,
    }
    return json.dumps(fields, ensure_ascii=False)


def details(alert: Alert) -> dict[str, Any]:
    """An alert as one JSON object, as the webhook and `status --json` show it."""
    return {
        "kind": alert.kind,
        "subject": alert.subject,
        **json.loads(alert.text),
        "since": alert.began_at.isoformat(),
    }


# What is sent


def message(began: Sequence[Alert], ended: Sequence[Alert], now: datetime) -> dict[str, Any]:
    """The JSON object of one POST."""
    return {
        "tribridge": __version__,
        "at": now.isoformat(),
        "text": _text(began, ended),
        "began": [details(alert) for alert in began[:MOST]],
        "began_total": len(began),
        "ended": [details(alert) for alert in ended[:MOST]],
        "ended_total": len(ended),
    }


def _text(began: Sequence[Alert], ended: Sequence[Alert]) -> str:
    """The same for people: a line with the numbers, then a line for each of the first."""
    heads = [f"{number} {word}" for word, number in _count(began)]
    heads += [f"{number} no longer {word}" for word, number in _count(ended)]
    lines = [f"Tribridge: {', '.join(heads)}"]
    lines += [line_of(details(alert)) for alert in began[:MOST_IN_TEXT]]
    lines += ["no longer " + line_of(details(alert)) for alert in ended[:MOST_IN_TEXT]]
    more = sum(max(len(alerts) - MOST_IN_TEXT, 0) for alerts in (began, ended))
    return "\n".join([*lines, f"and {more} more: see `tribridge status`"] if more else lines)


def _count(alerts: Iterable[Alert]) -> Iterable[tuple[str, int]]:
    return Counter(WORDS[alert.kind] for alert in alerts).items()


def line_of(told: Mapping[str, Any]) -> str:
    """One line about an alert."""
    where = f"{told['original']} -> {told['account']}" if told["original"] else told["account"]
    if str(told["subject"]).startswith("post "):
        where = told["original"]
    reason = told["reason"]
    if len(reason) > LONGEST_REASON:
        reason = reason[: LONGEST_REASON - 1] + "…"
    return f"{WORDS[told['kind']]}: {where}: {reason}"


def send(webhook: str, body: Mapping[str, Any]) -> str:
    """POST one message; returns "" if it was taken, else what went wrong, without the address."""
    try:
        answer = wire.send(
            "POST", webhook, json=body, headers={"Connection": "close"}, seconds=DEADLINE
        )
    except ClientError as error:
        return str(error)
    if answer.ok:
        return ""
    if 300 <= answer.status < 400:
        return f"the webhook answered {answer.status}: redirects are not followed"
    return f"the webhook answered {answer.status}"


def try_out(config: Config, now: datetime) -> str:
    """Send a test message; returns "" if it was taken, else what went wrong and what to do."""
    if not config.alerts.webhook:
        return (
            "there is no webhook: set alerts.webhook in the configuration to the address that "
            "gets the alerts, best as ${ALERT_URL}, with the address in the environment"
        )
    text = "Tribridge: a test of alerts; nothing is wrong"
    wrong = send(config.alerts.webhook, message((), (), now) | {"text": text})
    return f"{wrong}; check alerts.webhook" if wrong else ""


class Watch:
    """Checks from time to time what is stuck, and tells people what is news."""

    def __init__(
        self,
        config: Config,
        store: Store,
        now: Callable[[], datetime],
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._config = config
        self._store = store
        self._now = now
        self._jitter = jitter
        self._failures = 0
        self._rests_until: datetime | None = None

    def check(self, runs: Mapping[str, Mapping[str, Any]]) -> None:
        """One check; `runs` is what `Pulse` knows of each account. Writes only what changed."""
        now, store, wanted = self._now(), self._store, self._config.alerts
        names = {
            row["identity"]: name
            for name, row in store.accounts().items()
            if name in self._config.accounts
        }
        found = find(
            self._config,
            store.troubled_copies(),
            store.held_posts(),
            runs,
            names,
            store.waiting_targets(),
        )
        news = compare(found, store.alerts(), now, wanted.after)
        if not wanted.webhook:
            store.save_alerts(news.new, (*news.dropped, *news.ended))
            return
        store.save_alerts(news.new, news.dropped)
        if (news.began or news.ended) and self._may_send(now):
            wrong = send(wanted.webhook, message(news.began, news.ended, now))
            self._note(wrong, now)
            if not wrong:
                log.info("alerts: told that %s", _summary(news))
                told = [replace(alert, told_at=now) for alert in news.began]
                store.save_alerts(told, news.ended)

    def _may_send(self, now: datetime) -> bool:
        return self._rests_until is None or now >= self._rests_until

    def _note(self, wrong: str, now: datetime) -> None:
        """Let a webhook that fails rest, longer each time; logged once."""
        if not wrong:
            self._failures, self._rests_until = 0, None
            return
        self._failures += 1
        self._rests_until = now + backoff(self._failures, self._jitter())
        if self._failures == 1:
            log.warning("alerts: %s; what it was to say is kept and tried again", wrong)


def _summary(news: News) -> str:
    return f"{len(news.began)} began and {len(news.ended)} ended"
