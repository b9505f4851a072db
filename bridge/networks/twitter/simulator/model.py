"""What the simulated X holds, and how it says no."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bridge.simulation import Response


@dataclass(slots=True)
class Account:
    """An account; `ids` and `posts` are its timeline, oldest first."""

    id: str
    name: str
    premium: bool = False
    protected: bool = False
    ids: list[int] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    #: when each text last went out, and as which post
    sent: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """The account as X shows it."""
        return {
            "id": self.id,
            "name": self.name.title(),
            "username": self.name,
            "protected": self.protected,
        }

    def remove(self, post: Post) -> None:
        """Take a post off the timeline."""
        at = bisect_left(self.ids, post.id)
        if self.ids[at : at + 1] == [post.id]:
            del self.ids[at], self.posts[at]


@dataclass(slots=True)
class Media:
    """A file that was uploaded."""

    id: str
    owner: str
    mime: str
    size: int
    category: str = ""
    segments: dict[int, bytes] = field(default_factory=dict)
    data: bytes = b""
    alt: str = ""
    width: int = 0
    height: int = 0
    duration: float = 0.0
    #: whether it loops without sound
    animated: bool = False
    #: until when X works on it, and whether that fails
    ready_at: datetime | None = None
    fails: bool = False

    @property
    def key(self) -> str:
        """The name under which posts refer to it."""
        return f"13_{self.id}" if self.mime.startswith("video/") else f"3_{self.id}"

    def json(self, server: str) -> dict[str, Any]:
        """The file as X shows it; `server` is where it can be fetched."""
        url = f"{server}/media/{self.id}"
        data = {"media_key": self.key, "width": self.width, "height": self.height}
        if self.alt:
            data["alt_text"] = self.alt
        if not self.mime.startswith("video/"):
            return {**data, "type": "photo", "url": url}
        data |= {"preview_image_url": f"{url}?still"}
        if self.animated:
            variant = {"content_type": "video/mp4", "bit_rate": 0, "url": url}
            return {**data, "type": "animated_gif", "variants": [variant]}
        variants = [
            {"content_type": "application/x-mpegURL", "url": f"{url}?list"},
            {"content_type": "video/mp4", "bit_rate": 256_000, "url": f"{url}?small"},
            {"content_type": "video/mp4", "bit_rate": 2_176_000, "url": url},
        ]
        return {
            **data,
            "type": "video",
            "duration_ms": round(self.duration * 1000),
            "variants": variants,
        }


@dataclass(slots=True)
class Post:
    """A post, or one version of it. `data` is what the newer family of names shows."""

    id: int
    account: Account
    at: datetime
    text: str
    data: dict[str, Any]
    #: the ids of all versions, oldest first; one list for all of them
    versions: list[str]
    #: the request that made it
    body: Mapping[str, Any]
    links: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    poll: dict[str, Any] | None = None
    parent: Post | None = None
    quoted: Post | None = None
    boosted: Post | None = None


class Problem(Exception):
    """An answer other than 2xx."""

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        self.response = response


def problem(status: int, detail: str, title: str = "", **more: Any) -> Problem:
    """An error as X words it (X API, response codes and errors)."""
    titles = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}
    title = title or titles.get(status, "Invalid Request")
    body = {"title": title, "detail": detail, "type": "about:blank", "status": status, **more}
    return Problem(Response(status, body))


def invalid(parameter: str, value: str, message: str) -> Problem:
    """The 400 for one wrong parameter."""
    return problem(
        400,
        "One or more parameters to your request was invalid.",
        type="https://api.twitter.com/2/problems/invalid-request",
        errors=[{"parameters": {parameter: [value]}, "message": message}],
    )


def unavailable(post_id: str, why: Literal["not-found", "not-authorized"]) -> Problem:
    """The problem with a post that cannot be shown (X API, response codes and errors)."""
    about = {"resource_type": "tweet", "resource_id": post_id, "value": post_id, "parameter": "id"}
    kind = "https://api.x.com/2/problems/"
    if why == "not-found":
        detail = f"Could not find tweet with id: [{post_id}]."
        return problem(404, detail, "Not Found Error", type=f"{kind}resource-not-found", **about)
    detail = f"Sorry, you are not authorized to see the Tweet with id: [{post_id}]."
    kind += "not-authorized-for-resource"
    return problem(403, detail, "Authorization Error", type=kind, **about)


def not_permitted() -> Problem:
    """The 403 that X gives for much that an app or account may not do."""
    return problem(403, "You are not permitted to perform this action.")
