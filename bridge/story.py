"""Finding one post, by whatever names it, and all that the state has of it. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.network import ClientError, Gone
from bridge.orders import known_accounts, places
from bridge.post import Post
from bridge.rehearsal import Stage
from bridge.schema import Bot, Config, Route
from bridge.store import Copy, QueuedDraft, Store, Verdict, original_id


class Unknown(Exception):
    """Nothing is known of what was asked for; the text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Reread:
    """A post as its network shows it now, or why it cannot be had; all None if nobody was asked."""

    post: Post | None = None
    error: str | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of one post: who wrote it, and what is told of it by the state."""

    config: Config
    store: Store
    now: datetime
    #: what was asked for, and what that is
    asked: str
    what: str
    source: str
    post_id: str
    url: str
    #: the name of its account in the configuration, if it is there
    account: str | None
    verdicts: Sequence[tuple[Verdict, str]]
    drafts: Sequence[tuple[QueuedDraft, str]]
    copies: Sequence[Copy]
    origin: Copy | None
    reread: Reread


def tell(
    word: str,
    config: Config,
    store: Store,
    now: Callable[[], datetime],
    scratch: Callable[[], Store] | None,
) -> Story:
    """The story of what an address, an id, or the number of a draft names.

    `scratch` makes a copy of the state in memory, for asking the post's network; None asks nobody.
    Raises Unknown.
    """
    what, source, post_id = _found(word, config, store)
    account = names_of(config, store).get(source)
    verdicts = store.verdicts_on(source, post_id)
    drafts = store.every_draft(source, post_id)
    origin = store.links(source, [post_id]).get(post_id)
    urls = (
        *(draft.source_url for draft, _ in drafts),
        *(verdict.url for verdict, _ in verdicts),
        origin.ref.url if origin else "",
        word if "://" in word and what == "original" else "",
    )
    reread = Reread()
    if scratch is not None and account is not None:
        reread = _ask(config, account, post_id, scratch, now)
    return Story(
        config=config,
        store=store,
        now=now(),
        asked=word,
        what=what,
        source=source,
        post_id=post_id,
        url=next(filter(None, urls), reread.post.url if reread.post else ""),
        account=account,
        verdicts=verdicts,
        drafts=drafts,
        copies=store.all_copies(source, post_id),
        origin=origin if origin and origin.role == "origin" else None,
        reread=reread,
    )


def names_of(config: Config, store: Store) -> dict[str, str]:
    """The configured accounts by identity, as far as they are known."""
    return {who.id: name for name, who in known_accounts(config, store).items()}


def _found(word: str, config: Config, store: Store) -> tuple[str, str, str]:
    """What a word names, and the original's account and id."""
    is_number = word.isascii() and word.isdecimal() and len(word) < 20
    if is_number and (draft := store.draft(int(word))) is not None:
        return f"draft {draft.id}", draft.source, original_id(draft.source_id)
    known = known_accounts(config, store)
    at = places(word, known, config) if "://" in word else []
    posts = [(known[place.account].id, place.post_id) for place in at]
    firsts = [(identity, store.first_id(identity, post_id)) for identity, post_id in posts]
    origins = [store.origin_of(*post) for post in firsts]
    found = {post for post in origins if _is_known(post, store)} | set(store.named(word))
    if not found:
        found = set(origins[:1])
        _check_mirrored(word, [place.account for place in at[:1]], config)
    if not found:
        raise Unknown(_nothing(word, config, store))
    if len(found) > 1:
        names = names_of(config, store)
        which = ", ".join(f"{post} of {names.get(who, who)}" for who, post in sorted(found))
        raise Unknown(f"{word}: may be {which}: give the address of the one that you mean")
    ((source, post_id),) = found
    what = "original" if _is_own(word, source, post_id, firsts, store) else "copy"
    return what, source, post_id


def _is_known(post: tuple[str, str], store: Store) -> bool:
    """Whether the state has anything of a post."""
    return bool(store.verdicts_on(*post) or store.every_draft(*post) or store.copies(*post))


def _is_own(
    word: str, source: str, post_id: str, posts: Sequence[tuple[str, str]], store: Store
) -> bool:
    """Whether a word names the original itself, or a version of it, rather than a copy."""
    if word == post_id or (source, post_id) in posts:
        return True
    verdicts = [verdict for verdict, _ in store.verdicts_on(source, post_id)]
    own = {verdict.url for verdict in verdicts} | {verdict.revision for verdict in verdicts}
    return word in own


def _check_mirrored(word: str, accounts: Sequence[str], config: Config) -> None:
    """Raise Unknown for a post of an account that no bot reads."""
    for name in accounts:
        if not any(routes_of(bot, name) for bot in config.bots.values()):
            raise Unknown(f"{word}: a post of {name}, which no bot mirrors")


def _nothing(word: str, config: Config, store: Store) -> str:
    """Why nothing can be known of a word, and what to try."""
    used = set(store.accounts())
    fresh = [name for name in config.accounts if name not in used]
    if "://" in word:
        said = f"{word}: not the address of a post of {_either(used & config.accounts.keys())}"
        said += (
            ", nor of a copy that is known: give the address of its page, as the network shows it"
        )
    elif word.isdecimal():
        said = f"{word}: no draft and no post has this number: give the post's address"
    else:
        said = f"{word}: no post has this id: give the post's address"
    if fresh:
        said += f" (never logged in yet: {', '.join(fresh)}; `tribridge once` does)"
    return said


def _either(names: Iterable[str]) -> str:
    return " or ".join(sorted(names)) or "any account"


def routes_of(bot: Bot, source: str | None) -> list[Route]:
    return [route for route in bot.routes if route.source == source]


def _ask(
    config: Config,
    account: str,
    post_id: str,
    scratch: Callable[[], Store],
    now: Callable[[], datetime],
) -> Reread:
    """The post as its network shows it now."""
    store = scratch()
    try:
        return Reread(Stage(config, store, now).open(account).client.find(post_id))
    except Gone as error:
        return Reread(error=str(error), gone=True)
    except ClientError as error:
        return Reread(error=str(error))
    finally:
        store.close()
