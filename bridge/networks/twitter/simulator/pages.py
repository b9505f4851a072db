"""Timelines and look-ups: which posts, which of their fields, and what comes along."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from bridge.networks.twitter.simulator.model import Account, Post, invalid
from bridge.simulation import Request

Family = Literal["post", "tweet"]

#: how far back a timeline goes
TIMELINE = 3200
#: names in the newer family that the older spells otherwise
OLD_NAMES = {
    "edit_history_post_ids": "edit_history_tweet_ids",
    "referenced_posts": "referenced_tweets",
    "note_post": "note_tweet",
}
_PLAIN = frozenset(
    ["id", "text", "attachments", "created_at", "entities", "lang", "possibly_sensitive"]
)
_PLAIN_EXPANSIONS = frozenset(
    ["author_id", "in_reply_to_user_id", "attachments.media_keys", "attachments.poll_ids"]
)
#: what `post.fields` and `tweet.fields` may name; the newer family has made four an expansion
FIELDS: Mapping[Family, frozenset[str]] = {
    "post": _PLAIN | {"note_post", "reply_settings"},
    "tweet": _PLAIN
    | {"note_tweet", "reply_settings", "author_id", "in_reply_to_user_id", "referenced_tweets"}
    | {"edit_history_tweet_ids"},
}
EXPANSIONS: Mapping[Family, frozenset[str]] = {
    "post": _PLAIN_EXPANSIONS | {"referenced_posts", "edit_history_post_ids"},
    "tweet": _PLAIN_EXPANSIONS | {"referenced_tweets.id", "edit_history_tweet_ids"},
}


def family_of(request: Request, known: Sequence[Family]) -> Family:
    """The family of names that a request uses, checked; a 400 names a parameter that is wrong."""
    family = known[0]
    for name in ("post", "tweet"):
        value = request.get(f"{name}.fields")
        if value and name not in known:
            message = f"The query parameter [{name}.fields] is not one of the known parameters"
            raise invalid(f"{name}.fields", value, message)
        if value:
            family = name
    asked = (f"{family}.fields", FIELDS[family]), ("expansions", EXPANSIONS[family])
    for parameter, allowed in asked:
        for value in _listed(request, parameter):
            if value not in allowed:
                message = f"The `{parameter}` query parameter value [{value}] is not known"
                raise invalid(parameter, value, message)
    return family


def named(data: Mapping[str, Any], family: Family) -> dict[str, Any]:
    """A post's fields under the names of a family."""
    if family == "post":
        return dict(data)
    return {OLD_NAMES.get(name, name): value for name, value in data.items()}


def select(account: Account, request: Request) -> tuple[list[Post], str]:
    """The posts of one page, newest first, and the token of the next page ("" if none)."""
    posts, ids = account.posts, account.ids
    low, high = max(0, len(ids) - TIMELINE), len(ids)
    excluded = set(_listed(request, "exclude"))
    size = _number(request, "max_results", 10)
    if not 5 <= size <= 100:
        message = f"The `max_results` query parameter value [{size}] is not between 5 and 100"
        raise invalid("max_results", str(size), message)
    if request.get("since_id"):
        low = max(low, bisect_right(ids, _number(request, "since_id", 0)))
    if request.get("until_id"):
        high = min(high, bisect_left(ids, _number(request, "until_id", 0)))
    token = request.get("pagination_token")
    if token:
        if not token.startswith("t") or not token[1:].isdecimal():
            raise invalid("pagination_token", token, "The pagination token is not valid")
        high = min(high, bisect_left(ids, int(token[1:])))
    page: list[Post] = []
    while high > low and len(page) < size:
        high -= 1
        post = posts[high]
        is_reply = post.parent is not None and "replies" in excluded
        if not is_reply and not (post.boosted and "retweets" in excluded):
            page.append(post)
    return page, f"t{page[-1].id}" if page and high > low else ""


def page_body(
    posts: Sequence[Post],
    request: Request,
    family: Family,
    server: str,
    pay: Callable[[str, str], None],
) -> dict[str, Any]:
    """`data` and `includes`. Every included post and user is paid for like one asked for; X does
    not say so, but this is the side to err on.
    """
    expansions = set(_listed(request, "expansions"))
    wanted = {"id", "text"} | set(_listed(request, f"{family}.fields"))
    wanted |= {name.removesuffix(".id") for name in expansions}
    if family == "tweet":
        wanted.add("edit_history_tweet_ids")
    if expansions & {"attachments.media_keys", "attachments.poll_ids"}:
        wanted.add("attachments")

    def shown(post: Post) -> dict[str, Any]:
        return {k: v for k, v in named(post.data, family).items() if k in wanted}

    users: dict[str, Account] = {}
    others: dict[int, Post] = {}
    for post in posts:
        if "author_id" in expansions:
            users[post.account.id] = post.account
        if "in_reply_to_user_id" in expansions and post.parent:
            users[post.parent.account.id] = post.parent.account
        if expansions & {"referenced_posts", "referenced_tweets.id"}:
            found = (post.parent, post.quoted, post.boosted)
            others |= {each.id: each for each in found if each}
    for user_id in users:
        pay("user read", user_id)
    for post_id in others:
        pay("post read", str(post_id))
    user_fields = {"id", "name", "username", *_listed(request, "user.fields")}
    includes: dict[str, list[dict[str, Any]]] = {
        "users": [user_body(user, user_fields) for user in users.values()],
        f"{family}s": [shown(post) for post in others.values()],
    }
    if "attachments.media_keys" in expansions:
        media_fields = {"media_key", "type", *_listed(request, "media.fields")}
        files = {file.key: file for post in posts for file in post.media}
        includes["media"] = [
            {k: v for k, v in file.json(server).items() if k in media_fields}
            for file in files.values()
        ]
    if "attachments.poll_ids" in expansions:
        includes["polls"] = [post.poll for post in posts if post.poll]
    includes = {name: found for name, found in includes.items() if found}
    body: dict[str, Any] = {"data": [shown(post) for post in posts]}
    return {**body, "includes": includes} if includes else body


def user_body(account: Account, wanted: set[str]) -> dict[str, Any]:
    """An account with the fields asked for."""
    return {k: v for k, v in account.json().items() if k in wanted}


def _listed(request: Request, name: str) -> list[str]:
    return [value for value in request.get(name).split(",") if value]


def _number(request: Request, name: str, default: int) -> int:
    value = request.get(name) or str(default)
    if not value.isdecimal() or len(value) > 19:
        raise invalid(name, value, f"The `{name}` query parameter value [{value}] is not valid")
    return int(value)
