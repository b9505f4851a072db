"""What `status` and `links` tell: plain data for `--json`, and the same as text for people."""

from __future__ import annotations

from typing import Any

from bridge.schema import Config
from bridge.store import Copy, Store
from bridge.workers import last_runs


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
                "error": run.get("delivery_error") or run.get("read_error") or None,
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
    }


def status_text(found: dict[str, Any]) -> str:
    """`status` for people."""
    lines = ["Accounts"]
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
    lines += _drafts("Held, dead or overdue", overdue) or ["Nothing is held, dead or overdue"]
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
        }

    found = []
    for group in store.groups():
        origin = next((copy for copy in group if copy.role == "origin"), None)
        if origin is None:
            continue
        losses = {
            (names.get(draft.target, draft.target), loss.what, loss.detail)
            for target in {copy.identity for copy in group if copy.role == "copy"}
            for draft in store.drafts_of(target, origin.origin, origin.origin_id)
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
        lines.append(f"{original['account']}: {original['url']}")
        lines += [f"  -> {copy['account']}: {copy['url']}" for copy in link["copies"]]
        lines += [
            f"     {loss['account']} lost {loss['what']}: {loss['detail']}"
            for loss in link["losses"]
        ]
    return "\n".join(lines)
