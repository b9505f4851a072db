"""Whether a target takes a video, an animation or a sound, and what stands there instead. Pure."""

from __future__ import annotations

from dataclasses import replace

from bridge.network import Limits, PlayLimits
from bridge.post import Media

#: what each kind is called
WORDS = {"video": "video", "gif": "animation", "audio": "sound"}


def room_for(media: Media, limits: Limits, *, converts: bool) -> PlayLimits | None:
    """The limits under which a target takes an attachment; None if it takes none of the kind.

    A sound can be converted into a video where it is not taken as it is.
    """
    if media.kind == "audio":
        return limits.audio or (limits.video if converts else None)
    return limits.video if media.kind in ("video", "gif") else None


def unfit(media: Media, limits: Limits, *, converts: bool) -> str:
    """Why a target cannot take an attachment, as far as its network tells of it; "" if it can.

    `converts` says that what is too heavy or of another type can be made to fit; what is too long
    cannot.
    """
    word, room = WORDS.get(media.kind, media.kind), room_for(media, limits, converts=converts)
    if room is None:
        return f"no {word} can be sent there"
    wrong = length_unfit(media, room)
    if wrong or converts:
        return wrong
    if media.mime and media.mime not in room.types:
        return f"a {word} of the type {media.mime} cannot be sent there"
    if media.bytes > room.bytes and not media.others:
        return too_heavy(media, media.bytes, room)
    return ""


def length_unfit(media: Media, room: PlayLimits) -> str:
    """Why the length of an attachment does not fit; "" if it does or is not known."""
    word = WORDS.get(media.kind, media.kind)
    if media.duration > room.longest:
        return f"the {word} is longer than {room.longest:.0f} seconds ({media.duration:.0f})"
    if 0 < media.duration < room.shortest:
        return f"the {word} is shorter than {room.shortest:g} seconds"
    return ""


def too_heavy(media: Media, size: int, room: PlayLimits) -> str:
    """That a file of so many bytes, 0 if that is not known, is too heavy."""
    word = WORDS.get(media.kind, media.kind)
    told = f" ({size})" if size else ""
    return f"the {word} has more than {room.bytes} bytes{told}"


def poster(media: Media) -> Media | None:
    """The image that stands for an attachment where that cannot go; None if there is none.

    It names itself as its poster: `is_poster` tells.
    """
    if not media.poster:
        return None
    still = Media("image", media.poster, media.alt, poster=media.poster)
    return replace(still, width=media.width, height=media.height)


def is_poster(media: Media) -> bool:
    """Whether an image stands for a video or a sound."""
    return media.kind == "image" and media.poster == media.url


def groups(media: tuple[Media, ...], room: int) -> list[tuple[Media, ...]]:
    """The attachments of each part: images together, at most `room`, whatever plays by itself.

    What comes first in the post comes first.
    """
    images = [item for item in media if not item.plays]
    stills: list[tuple[Media, ...]] = [
        tuple(images[at : at + room]) for at in range(0, len(images), room)
    ]
    films: list[tuple[Media, ...]] = [(item,) for item in media if item.plays]
    return films + stills if media and media[0].plays else stills + films
