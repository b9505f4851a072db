"""What `tribridge preview` tells: what a bot would make of posts, and nothing of it is written.

Posts go through all that the daemon does with them (`rehearsal`), on a copy of the state in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bridge.network import Backfill, ClientError, Identity, Limits, Network, Upload
from bridge.orders import known_accounts, places
from bridge.post import Card, Media, Post, Skip
from bridge.reasons import address, changes, filters, is_hidden, paused
from bridge.registry import NETWORKS
from bridge.rehearsal import Offline, Part, Rehearsed, Stage, rehearse
from bridge.schema import Bot, Config, Route
from bridge.store import RouteKey, Store
from bridge.trials.given import nobody, typed

#: as long as ids are: of a text that was never posted
NO_ID = "100000000000000001"


class NothingToShow(Exception):
    """There is no post to preview; the text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What came of it: each post with each target, and targets that could not be reached.

    `limits` says by target where its limits come from, `earlier` what the state knows of a post for
    a target, by the ids of both.
    """

    config: Config
    bot: Bot
    source: str
    found: Sequence[Rehearsed]
    store: Store
    now: datetime
    notes: Sequence[str] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[tuple[str, str], str] = field(default_factory=dict)
    #: whether the posts stand on no network
    typed: bool = False

    @property
    def others(self) -> tuple[str, ...]:
        """The bot's other sources."""
        return tuple(name for name in sources_of(self.bot) if name != self.source)

    def price(self, target: str, kind: str) -> float:
        """What a kind of call costs an account, in US dollars."""
        return float(self.config.accounts[target].settings["prices"][kind])


def of_text(
    config: Config,
    bot: Bot,
    source: str,
    text: str,
    state: Store | None,
    now: Callable[[], datetime],
) -> Preview:
    """What becomes of a text that the account `source` would post now. Asks no network."""
    earlier = known_accounts(config, state) if state else {}
    sessions = {name: state.session(name) for name in earlier} if state else {}
    known: dict[str, tuple[Identity, Limits]] = {}
    told: dict[str, str] = {}
    for name, account in config.accounts.items():
        network = NETWORKS[account.network]
        limits, told[name] = _limits(network, sessions.get(name))
        known[name] = (earlier.get(name) or nobody(network, name), limits)
    store = Store.in_memory()
    accounts = Offline(config, store, now, known)
    opened = accounts.open(source)
    try:
        samples = opened.network.samples()
    except ModuleNotFoundError:
        title = opened.network.title
        raise NothingToShow(
            f"what is typed on {title} is not known: use --last or --post"
        ) from None
    name = opened.identity.handle.lstrip("@").partition("@")[0]

    def here(address: str) -> str:
        """An address on the account's own server, where each has its own."""
        any_server = getattr(samples, "HOST", "")
        own = accounts.host_of(opened.identity.id)
        return address.replace(any_server, own, 1) if any_server and own else address

    post = Post(
        account=opened.identity.id,
        id=NO_ID,
        url=here(samples.page(name, NO_ID)),
        created_at=now(),
        runs=typed(text, samples.entities, lambda handle: here(samples.profile(handle))),
    )
    routes = [route for route in bot.routes if route.source == source]
    found = rehearse(bot, routes, opened, [post], accounts, store)
    notes = _notes(bot, state, routes)
    return Preview(config, bot, source, found, store, now(), notes=notes, limits=told, typed=True)


def _limits(network: Network, saved: str | None) -> tuple[Limits, str]:
    """The limits of a server that is not asked, and whose they are."""
    fixed, certain = network.limits()
    if certain:
        return fixed, f"those of {network.title}"
    found, certain = network.limits(saved)
    if certain:
        return found, "those that the server told at the last login"
    return found, f"those of {network.title} as it comes: its server was never asked"


def of_newest(
    config: Config, bot: Bot, source: str, count: int, store: Store, now: Callable[[], datetime]
) -> Preview:
    """What becomes of the last posts of an account, oldest first. `store` is a copy in memory.

    Raises the five kinds of error if the account cannot be read, NothingToShow if it has no posts.
    """
    accounts = Stage(config, store, now)
    client = accounts.open(source).client
    posts: dict[str, Post] = {}
    page = client.begin(Backfill(last=count))
    more, cursor = True, page.cursor
    while more:
        page = client.fetch(cursor)
        posts |= {post.id: post for post in page.posts}
        more, cursor = page.more and page.cursor != cursor, page.cursor
    if not posts:
        raise NothingToShow(f"{source} has no posts yet")
    newest = sorted(posts.values(), key=lambda post: post.created_at)[-count:]
    return _of_posts(config, bot, source, newest, accounts, store)


def of_url(
    config: Config,
    bot: Bot,
    sources: Sequence[str],
    url: str,
    store: Store,
    now: Callable[[], datetime],
) -> Preview:
    """What becomes of a post of one of a bot's sources. `store` is a copy of the state in memory.

    Raises the five kinds of error if the post cannot be had, NothingToShow if it is of none of the
    accounts.
    """
    accounts = Stage(config, store, now)
    failed: ClientError | None = None
    # those that are known come first: to find out who an account is costs on X
    known = known_accounts(config, store)
    for name in sorted(sources, key=lambda name: name not in known):
        try:
            who = known.get(name) or accounts.open(name).identity
            if found := places(url, {name: who}, config):
                post = accounts.open(name).client.find(found[0].post_id)
                return _of_posts(config, bot, name, [post], accounts, store)
        except ClientError as error:  # it may be a post of another
            failed = failed or error
    if failed is not None:
        raise failed
    for account, post_id in store.named(url):
        origin = store.links(account, [post_id]).get(post_id)
        if origin is not None and origin.ref.url not in ("", url):
            original = origin.ref.url
            raise NothingToShow(f"{url}: a copy: give the address of its original, {original}")
    raise NothingToShow(
        f"{url}: not the address of a post of {' or '.join(sources)}: give the address of its "
        "page, as the network shows it"
    )


def _of_posts(
    config: Config, bot: Bot, source: str, posts: Sequence[Post], accounts: Stage, store: Store
) -> Preview:
    routes, errors = [], {}
    all_routes = [route for route in bot.routes if route.source == source]
    for route in all_routes:
        try:
            accounts.open(route.target)
            routes.append(route)
        except ClientError as error:
            errors[route.target] = str(error)
    opened = accounts.open(source)
    earlier = {
        (post.id, route.target): told
        for post in posts
        for route in routes
        if (told := _earlier(bot, post, accounts.open(route.target).identity.id, store))
    }
    notes = _notes(bot, store, all_routes)  # before what is paused goes on
    found = rehearse(bot, routes, opened, posts, accounts, store)
    return Preview(
        config,
        bot,
        source,
        found,
        store,
        accounts.now(),
        notes=notes,
        errors=errors,
        earlier=earlier,
    )


def _earlier(bot: Bot, post: Post, target: str, store: Store) -> str:
    """What the state knows of a post for a target; "" if nothing."""
    copies = [c for c in store.copies(post.account, post.id) if c.identity == target]
    if copies and copies[0].role == "copy":
        return f"stands there already: {copies[0].ref.url}"
    drafts = store.drafts_of(target, post.account, post.id)
    if drafts:
        why = f": {drafts[0].error}" if drafts[0].error else ""
        return f"was queued already by {drafts[0].bot}, and is {drafts[0].state}{why}"
    key = RouteKey(bot.name, post.account, target)
    return "was read already, and skipped" if store.seen(key, [post.id]) else ""


def sources_of(bot: Bot) -> tuple[str, ...]:
    """The accounts that a bot reads, in the order of its file."""
    return tuple(dict.fromkeys(route.source for route in bot.routes))


def _notes(bot: Bot, state: Store | None, routes: Sequence[Route]) -> list[str]:
    """What keeps the bot as a whole from posting."""
    notes = []
    if bot.mode in ("dry-run", "disabled"):
        notes.append(f"the bot has mode {bot.mode}: nothing of it is posted")
    names = {name for route in routes for name in (route.source, route.target)}
    for name in paused(state, bot.name, names) if state else ():
        notes.append(f"{name or 'everything'} is paused")
    return notes


# As one object


def as_object(preview: Preview) -> dict[str, Any]:
    """The whole of a preview as one JSON object (see docs/reference/commands.md)."""
    posts: dict[str, dict[str, Any]] = {}
    for each in preview.found:
        post = each.post
        told = posts.setdefault(
            post.id,
            {
                "url": None if preview.typed else post.url,
                "published": post.created_at.isoformat(),
                "visibility": post.visibility,
                "targets": [],
            },
        )
        told["targets"].append(_target(preview, each))
    return {
        "bot": preview.bot.name,
        "mode": preview.bot.mode,
        "source": preview.source,
        "notes": list(preview.notes),
        "posts": list(posts.values()),
        "errors": [
            {"target": target, "reason": reason} for target, reason in preview.errors.items()
        ],
    }


def skipped(each: Rehearsed) -> Skip | None:
    """Why a post is left alone: of one that never travels nothing else is told."""
    if is_hidden(each.post):
        return Skip(f"visibility {each.post.visibility}: never mirrored")
    return each.verdict if isinstance(each.verdict, Skip) else None


def _target(preview: Preview, each: Rehearsed) -> dict[str, Any]:
    skip, way = skipped(each), (each.source.identity.id, each.target.identity.id)
    played = () if isinstance(each.verdict, Skip) or skip else each.verdict
    parts = [_part(preview, each, part) for part in played]
    costs = [part["cost"]["usd"] for part in parts if part["cost"]]
    return {
        "target": each.target.name,
        "network": each.target.network.name,
        "limits": preview.limits.get(each.target.name, "those that the server told"),
        "earlier": preview.earlier.get((each.post.id, each.target.name)),
        "skipped": skip.reason if skip else None,
        "held": skip.held if skip else False,
        "filters": list(filters(each.post, each.route.policy, way, preview.store, preview.now)),
        "steps": list(_steps(each, skip)),
        "parts": parts,
        "usd": round(sum(costs), 6) if costs else None,
    }


def _steps(each: Rehearsed, skip: Skip | None) -> Iterator[dict[str, Any]]:
    """What each step makes of a post that came as far."""
    if is_hidden(each.post):
        return
    told = list(changes(each.post, each.route.policy))
    if skip is None or any(step["skips"] == skip.reason for step in told):
        yield from told


def _part(preview: Preview, each: Rehearsed, part: Part) -> dict[str, Any]:
    draft, target, network = part.content, each.target, each.target.network
    words = draft.lead + draft.text
    # what is known already is not too old to be read now, what was never posted waits for nothing
    known = (each.post.id, target.name) in preview.earlier
    idle = ("late",) * known + ("delay",) * preview.typed
    return {
        "part": draft.part,
        "parts": draft.parts,
        "text": words,
        "counts": [
            {
                "unit": measure.unit,
                "count": measure.count(words, draft.content_warning),
                "maximum": measure.maximum,
            }
            for measure in target.client.limits.measures
        ],
        "content_warning": draft.content_warning,
        "languages": list(network.declared(draft.languages)) if network.languages else [],
        "visibility": draft.visibility,
        "sensitive": draft.sensitive,
        "labels": list(draft.labels),
        "tags": list(draft.tags),
        "answers": address(None if draft.alone else draft.reply_to, preview.store),
        "quotes": address(draft.quote, preview.store),
        "boosts": address(draft.boost, preview.store),
        "poll": list(draft.poll.options) if draft.poll else None,
        "card": _card(draft.card, part.picture) if draft.card else None,
        "media": _media(part),
        "losses": [{"what": loss.what, "detail": loss.detail} for loss in draft.losses],
        "cost": _cost(preview, each, part),
        "kept": [
            {
                "held": kept.held,
                "reason": kept.reason,
                "until": kept.until.isoformat() if kept.until else None,
            }
            for kept in part.kept
            if kept.code not in idle
        ],
        "payload": part.column,
        "request": part.request,
    }  # fmt: skip


def _card(card: Card, picture: Upload | None) -> dict[str, Any]:
    return {
        "url": card.url,
        "title": card.title or None,
        "description": card.description or None,
        "picture": _upload(picture) if picture else None,
    }


def _media(part: Part) -> list[dict[str, Any]]:
    """The attachments of a part: as they are uploaded, or else as their network tells of them."""
    told = []
    for at, item in enumerate(part.content.media):
        made = part.uploads[at] if at < len(part.uploads) else item
        if isinstance(made, Upload):
            told.append({"kind": item.kind, "url": item.url, "converted": True, **_upload(made)})
        else:
            told.append({"kind": item.kind, "url": item.url, "converted": False, **_told(made)})
    return told


def _upload(made: Upload) -> dict[str, Any]:
    size = {"width": made.width, "height": made.height, "bytes": len(made.data)}
    return {"type": made.mime, **size, "animated": made.animated, "alt": made.alt}


def _told(item: Media) -> dict[str, Any]:
    return {
        "type": item.mime or None,
        "width": item.width or None,
        "height": item.height or None,
        "bytes": item.bytes or None,
        "seconds": item.duration or None,
        "alt": item.alt,
    }


def _cost(preview: Preview, each: Rehearsed, part: Part) -> dict[str, Any] | None:
    """What the calls cost that publish a part, as they are reserved; None where nothing is paid."""
    if part.request is None or not each.target.network.paid:
        return None
    described = sum(bool(upload.alt) for upload in part.uploads)
    kinds = each.target.network.charges(part.request, described)
    usd = sum(preview.price(each.target.name, kind) for kind in kinds)
    return {"usd": round(usd, 6), "calls": list(kinds)}
