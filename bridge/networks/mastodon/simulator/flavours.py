"""The server software that the simulator can pass for, and what each says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

IMAGE_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
PLAYED_TYPES = (
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
)
VIDEO_BYTES = 103_809_024
IMAGE_BYTES = 16_777_216
IMAGE_PIXELS = 33_177_600
ALT_CHARACTERS = 1500
POLLS = {
    "max_options": 4,
    "max_characters_per_option": 50,
    "min_expiration": 300,
    "max_expiration": 2_629_746,
}

FlavourName = Literal["mastodon", "gotosocial", "takahe"]


@dataclass(frozen=True, slots=True)
class Flavour:
    """How one server software differs from another."""

    name: FlavourName
    version: str
    source_url: str
    characters: int = 500
    images: int = 4
    url_characters: int = 23
    #: status of a refusal for the content of a post
    invalid: int = 422
    bad_token: int = 401
    visibility: str = "public"
    language: str | None = None
    #: the version of the API that only Mastodon tells; from 7 on a post can quote another
    api: int = 0


FLAVOURS: Mapping[FlavourName, Flavour] = {
    "mastodon": Flavour("mastodon", "4.5.2", "https://github.com/mastodon/mastodon", api=7),
    "gotosocial": Flavour(
        "gotosocial",
        "0.20.0-rc1+git-0000000",
        "https://codeberg.org/superseriousbusiness/gotosocial",
        characters=5000,
        images=6,
        url_characters=25,
        invalid=400,
        visibility="unlisted",
        language="en",
    ),
    "takahe": Flavour("takahe", "takahe/0.11.0", "https://jointakahe.org/", bad_token=400),
}


def instance(
    flavour: Flavour, version: str, url: str, characters: int, video_bytes: int = VIDEO_BYTES
) -> dict[str, Any]:
    """The instance entity, `version` v1 or v2 (Mastodon documentation, entities/Instance)."""
    host = urlsplit(url).netloc
    media: dict[str, Any] = {
        "supported_mime_types": [*IMAGE_TYPES.values(), *PLAYED_TYPES],
        "image_size_limit": IMAGE_BYTES,
        "image_matrix_limit": IMAGE_PIXELS,
        "video_size_limit": video_bytes,
    }
    statuses = {
        "max_characters": characters,
        "max_media_attachments": flavour.images,
        "characters_reserved_per_url": flavour.url_characters,
    }
    configuration: dict[str, Any] = {"statuses": statuses, "media_attachments": media}
    if flavour.name != "takahe":
        configuration["polls"] = POLLS
    answer: dict[str, Any] = {"title": "Sandbox", "version": flavour.version}
    if version == "v1":
        return answer | {"uri": host, "configuration": configuration}
    media["description_limit"] = ALT_CHARACTERS
    configuration["urls"] = {"streaming": f"wss://{host}"}
    if flavour.api:
        answer["api_versions"] = {"mastodon": flavour.api}
    more = {"domain": host, "source_url": flavour.source_url, "configuration": configuration}
    return answer | more
