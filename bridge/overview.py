"""What `status` and `links` tell: plain data for `--json`, and the same as text for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bridge.accounts import Opened
from bridge.alerts import details, is_due, line_of
from bridge.post import Draft, Post, Skip
from bridge.pulse import last_runs
from bridge.remedies import of_held_post, remedy
from bridge.schema import Config
from bridge.store import Copy, QueuedDraft, Store


def status(config: Config, store: Store | None) -> dict[str, Any]:
    """Accounts, bots and troubled drafts, as one JSON object (see docs/reference/commands.md)."""
    known = store.accounts() if store else {}
    runs, bots = last_runs(config.state.file)
    counts: dict[str, dict[str, int]] = {}
    for target, state, number in store.counts() if store else []:
        counts.setdefault(target, {})[state] = number
    accounts = []
    for account in config.accounts.values():
        who = known.get(account.name, {})
        run = runs.get(account.name, {})
        drafts = counts.get(who.get("identity", ""), {})
        accounts.append(
            {
                "name": account.name,
                "network": account.network,
                "handle": who.get("handle"),
                "identity": who.get("identity"),
                "last_read": run.get("read_at"),
                "last_delivery": run.get("delivered_at"),
                "error": next((run[key] for key in _ERRORS if run.get(key)), None),
                "drafts": {
                    state: drafts.get(state, 0)
                    for state in ("queued", "sending", "sent", "held", "dead")
                },
            }
        )
    names = {who["identity"]: name for name, who in known.items()}
    return {
        "state": str(config.state.file),
        "accounts": accounts,
        "bots": [
            {
                "name": bot.name,
                "mode": bot.mode,
                "from": sorted({route.source for route in bot.routes}),
                "to": sorted({route.target for route in bot.routes}),
                "last_run": bots.get(bot.name),
            }
            for bot in config.bots.values()
        ],
        "troubled": [
            {
                "id": draft.id,
                "state": draft.state,
                "bot": draft.bot,
                "target": names.get(draft.target, draft.target),
                "original": draft.source_url,
                "part": draft.draft.part,
                "reason": draft.error,
                "overdue": draft.overdue,
            }
            for draft in (store.troubled() if store else [])
        ],
        "posts": _held_posts(store, names) if store else [],
        "paused": _paused(store) if store else [],
        "alerts": [
            details(alert) | {"told": alert.told_at.isoformat() if alert.told_at else None}
            for alert in (store.alerts() if store else [])
            if is_due(alert, datetime.now(UTC), config.alerts.after)
        ],
    }


_ERRORS = ("delivery_error", "read_error", "open_error")


def outbox(store: Store | None) -> dict[str, Any]:
    """Everything that waits or is stopped, oldest first, with what to do about it."""
    if store is None:
        return {"drafts": [], "posts": [], "paused": []}
    names = {who["identity"]: name for name, who in store.accounts().items()}
    return {
        "drafts": [
            {
                "id": draft.id,
                "state": draft.state,
                "code": draft.code,
                "bot": draft.bot,
                "target": names.get(draft.target, draft.target),
                "original": draft.source_url,
                "published": draft.draft.created_at.isoformat(),
                "part": draft.draft.part,
                "parts": draft.draft.parts,
                "reason": draft.error,
                "remedy": remedy(draft.code, draft.id, draft.bot),
                "not_before": draft.not_before.isoformat() if draft.not_before else None,
                "overdue": draft.overdue,
            }
            for draft in store.unsent()
        ],
        "posts": _held_posts(store, names),
        "paused": _paused(store),
    }


def _held_posts(store: Store, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Posts that a person should decide about; `names` gives the accounts' names by identity."""
    return [
        {
            "account": names.get(post.source, post.source),
            "post": post.url,
            "bots": list(post.bots),
            "seen": post.at,
            "reason": post.reason,
            "remedy": of_held_post(post.reason, post.url),
        }
        for post in store.held_posts()
    ]


def _paused(store: Store) -> list[dict[str, Any]]:
    return [{"kind": kind, "name": name or None} for kind, name in sorted(store.pauses())]


def _pauses(found: Mapping[str, Any]) -> list[str]:
    """Lines about what is paused."""
    return [
        f"paused: {pause['name'] or 'everything'} (`tribridge resume {pause['name'] or '--all'}`)"
        for pause in found["paused"]
    ]


def changes(store: Store, source: str, post_id: str) -> list[str]:
    """What became of the changes to the copies of a post, a line each; of the last of a kind."""
    names = {who["identity"]: name for name, who in store.accounts().items()}
    latest: dict[tuple[str, str, int], QueuedDraft] = {}
    for draft in store.changes_of(source, post_id):
        latest[draft.target, draft.source_id, draft.draft.part] = draft
    words = {"publish": "correction", "update": "edit in place", "delete": "deletion"}
    return [
        f"{names.get(d.target, d.target)}: {words[d.action]}"
        f"{f' of part {d.draft.part}' if d.draft.part > 1 else ''}: "
        + ("done" if d.state == "sent" else f"{d.state}: {d.error or 'waits for its turn'}")
        for d in latest.values()
        if d.state != "dropped"
    ]


def outbox_text(found: dict[str, Any]) -> str:
    """`outbox` for people."""
    lines = _pauses(found)
    for draft in found["drafts"]:
        part = f" part {draft['part']} of {draft['parts']}" if draft["parts"] > 1 else ""
        until = f" until {_when(draft['not_before'])}" if draft["not_before"] else ""
        lines += [
            f"{draft['id']:>6} {draft['state']}{until}: {draft['original']}{part} -> "
            f"{draft['target']} (bot {draft['bot']})",
            f"       {draft['reason'] or 'waits for its turn'}",
            f"       {draft['remedy']}",
        ]
    for post in found["posts"]:
        lines += [
            f"  post held: {post['post']} (bots {', '.join(post['bots'])})",
            f"       {post['reason']}",
            f"       {post['remedy']}",
        ]
    return "\n".join(lines) or "Nothing waits, is held or is dead"


def status_text(found: dict[str, Any]) -> str:
    """`status` for people."""
    lines = [*_pauses(found), "Accounts"]
    for account in found["accounts"]:
        drafts = account["drafts"]
        pending = drafts["queued"] + drafts["sending"]
        lines.append(
            f"  {account['name']:<22} {account['network']:<9} {account['handle'] or '(never used)'}"
            f"  read {_when(account['last_read'])}"
            f"  sent {drafts['sent']}, waiting {pending}, held {drafts['held']},"
            f" dead {drafts['dead']}"
        )
        if account["error"]:
            lines.append(f"    last error: {account['error']}")
    lines.append("Bots")
    for bot in found["bots"]:
        mode = "" if bot["mode"] == "live" else f" [{bot['mode']}]"
        lines.append(f"  {bot['name']:<22} {_ways(bot)}{mode}  last run {_when(bot['last_run'])}")
    waiting = [draft for draft in found["troubled"] if not draft["overdue"]]
    overdue = [draft for draft in found["troubled"] if draft["overdue"]]
    lines += _drafts("Waiting", waiting) if waiting else []
    stuck = _drafts("Held, dead or overdue", overdue)
    if found["posts"]:
        stuck = stuck or ["Held, dead or overdue"]
        stuck += [
            f"  held    {post['post']}\n          {post['reason']}" for post in found["posts"]
        ]
    lines += [*stuck, "What to do: `tribridge outbox`"] if stuck else []
    lines += [] if stuck else ["Nothing is held, dead or overdue"]
    lines += ["Alerts"] if found["alerts"] else []
    lines += [f"  {line_of(alert)} (since {_when(alert['since'])})" for alert in found["alerts"]]
    return "\n".join(lines)


def _drafts(title: str, drafts: list[dict[str, Any]]) -> list[str]:
    """Lines about drafts under a title; none if there are none."""
    lines = [title] if drafts else []
    for draft in drafts:
        lines.append(f"  {draft['state']:<7} {draft['original']} -> {draft['target']}")
        lines.append(f"          {draft['reason']}")
    return lines


def _ways(bot: dict[str, Any]) -> str:
    """From where to where a bot mirrors."""
    sources, targets = ", ".join(bot["from"]), ", ".join(bot["to"])
    return f"between {sources}" if sources == targets else f"{sources} -> {targets}"


def _when(at: str | None) -> str:
    return at[:19].replace("T", " ") + " UTC" if at else "never"


def links(store: Store | None) -> dict[str, Any]:
    """Every original with its copies and losses, as one JSON object."""
    if store is None:
        return {"links": []}
    names = {who["identity"]: name for name, who in store.accounts().items()}

    def told(copy: Copy) -> dict[str, Any]:
        return {
            "account": names.get(copy.identity, copy.identity),
            "id": copy.ref.id,
            "url": copy.ref.url,
            "part": copy.part,
            "correction": "#" in copy.origin_id,
            "deleted": copy.gone_at.isoformat() if copy.gone_at else None,
        }

    found = []
    for group in store.groups():
        origin = next((copy for copy in group if copy.role == "origin"), None)
        if origin is None:
            continue
        losses = {
            (names.get(draft.target, draft.target), loss.what, loss.detail)
            for target, copy_of in {(c.identity, c.origin_id) for c in group if c.role == "copy"}
            for draft in store.drafts_of(target, origin.origin, copy_of)
            for loss in draft.draft.losses
        }
        found.append(
            {
                "original": told(origin),
                "copies": [told(copy) for copy in group if copy.role == "copy"],
                "losses": [
                    {"account": account, "what": what, "detail": detail}
                    for account, what, detail in sorted(losses)
                ],
            }
        )
    return {"links": found}


def links_text(found: dict[str, Any]) -> str:
    """`links` for people."""
    if not found["links"]:
        return "Nothing has been mirrored yet"
    lines = []
    for link in found["links"]:
        original = link["original"]
        lines.append(f"{original['account']}: {original['url']}{_ended(original)}")
        lines += [
            f"  -> {copy['account']}: {copy['url']}"
            f"{' (correction)' if copy['correction'] else ''}{_ended(copy)}"
            for copy in link["copies"]
        ]
        lines += [
            f"     {loss['account']} lost {loss['what']}: {loss['detail']}"
            for loss in link["losses"]
        ]
    return "\n".join(lines)


def _ended(post: dict[str, Any]) -> str:
    return f" (deleted {_when(post['deleted'])})" if post["deleted"] else ""


def describe(
    bot: str, source: Opened, target: Opened, post: Post, verdict: tuple[Draft, ...] | Skip
) -> str:
    """What a dry run says of one post: the drafts, or why it is skipped."""
    head = f"{bot}: {source.name} -> {target.name}: {post.url}"
    if isinstance(verdict, Skip):
        return f"{head}\n  skipped: {verdict.reason}"
    lines = [f"{head}\n  would be posted:"]
    for draft in verdict:
        mark = f"{draft.part}/{draft.parts}" if draft.parts > 1 else ""
        if draft.boost:
            lines.append(f"  {mark:>5} | [boost of the copy of {draft.boost.url}]")
        if draft.content_warning:
            lines.append(f"  {mark:>5} | [{draft.content_warning}]")
        lines += [f"  {mark:>5} | {line}" for line in draft.text.splitlines()]
        if draft.quote:
            lines.append(f"  {'':>5} | [quote of the copy of {draft.quote.url}]")
        lines += [f"  {'':>5} | [image: {media.alt or 'no alt text'}]" for media in draft.media]
        lines += [f"  {'':>5}   loses: {loss.what}: {loss.detail}" for loss in draft.losses]
    return "\n".join(lines)
