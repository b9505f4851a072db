"""Bringing a video, an animation or a sound to an account: uploaded, awaited, or replaced.

Awaiting is no sleep: the draft is put off, with what is known of its upload, and others go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bridge import ffmpeg, films, images, video
from bridge.accounts import Accounts, Opened
from bridge.network import Refused, Uncertain, Unreachable, Upload
from bridge.outcome import UPLOAD_LIFE, Stop, Wait, after_media
from bridge.post import Loss, Media, utc
from bridge.render import without_film
from bridge.schema import Policy
from bridge.store import QueuedDraft, Store

#: how long a network may work on an upload before its draft is left to a person
LONGEST_PROCESSING = timedelta(hours=1)


def upload(
    draft: QueuedDraft, target: Opened, policy: Policy, accounts: Accounts, store: Store
) -> QueuedDraft | Wait | Stop:
    """The draft with its video uploaded; what an earlier attempt uploaded is used again.

    Where the target does not take it, the draft is changed to have its poster and a link instead,
    and comes up again at once.
    """
    (item,) = draft.draft.media
    word, now = films.WORDS[item.kind], accounts.now()
    draft = _fresh(draft, store, now)
    made: Mapping[str, Any]
    try:
        if draft.uploads:
            made = draft.uploads[0]
            if not made.get("pending"):
                return replace(draft, uploads=(_bare(made),))
            made = {**made, **_asked(made, target), "at": now.isoformat()}
        else:
            draft, sent = _sent_up(draft, target, accounts, store)
            made = {**sent, "since": now.isoformat(), "at": now.isoformat()}
    except video.Unfit as error:
        return _instead(draft, str(error), target, policy, accounts, store)
    except Refused as error:
        return Stop("held", str(error), "media")
    except (Unreachable, Uncertain) as error:
        return after_media(error, draft.attempts, now)
    store.uploaded(draft, [made], now)
    if not made.get("pending"):
        return replace(draft, uploads=(_bare(made),))
    if now - utc(made["since"]) > LONGEST_PROCESSING:
        store.forget_uploads(draft)
        minutes = LONGEST_PROCESSING.total_seconds() / 60
        why = f"{target.network.title} still processes the {word} after {minutes:.0f} minutes"
        return Stop("held", why, "media")
    until = now + timedelta(seconds=made["pending"])
    return Wait(until, f"{target.network.title} processes the {word}", "media")


def _fresh(draft: QueuedDraft, store: Store, now: datetime) -> QueuedDraft:
    """The draft without an upload that its network may have forgotten."""
    made = draft.uploads[0] if draft.uploads else {}
    old = made and not made.get("pending") and now - utc(made["at"]) > UPLOAD_LIFE
    return store.forget_uploads(draft) if old else draft


def _bare(made: Mapping[str, Any]) -> dict[str, Any]:
    """An upload as its network's client returned it."""
    return {name: value for name, value in made.items() if name not in ("at", "since", "pending")}


def _asked(made: Mapping[str, Any], target: Opened) -> dict[str, Any]:
    """What has become of an upload; Unfit if its network could not process it."""
    try:
        found = target.client.processed(_bare(made))
    except Refused as error:
        raise video.Unfit(str(error)) from None
    return {"pending": 0.0, **found}


def _sent_up(
    draft: QueuedDraft, target: Opened, accounts: Accounts, store: Store
) -> tuple[QueuedDraft, dict[str, Any]]:
    """Download, make fit, upload; the draft has its losses. Unfit if the target refuses it."""
    (item,) = draft.draft.media
    host, folder = accounts.host_of(draft.source), _folder(store)
    with video.ready(item, target.client.limits, own_host=host, folder=folder) as (film, losses):
        draft = store.lost(draft, losses)
        try:
            return draft, target.client.upload_film(film)
        except Refused as error:
            raise video.Unfit(str(error)) from None


def _folder(store: Store) -> Path:
    assert store.file is not None, "what is delivered is remembered in a file"
    return store.file.parent


def _instead(
    draft: QueuedDraft,
    why: str,
    target: Opened,
    policy: Policy,
    accounts: Accounts,
    store: Store,
) -> Wait | Stop:
    """Let the draft go out without its video; held where an attempt to post it was made already."""
    (item,) = draft.draft.media
    if draft.attempted_at is not None:
        return Stop("held", why, "media")
    content = without_film(
        draft.draft, why, draft.source_url, policy, target.network, target.client.limits
    )
    if content is None:
        return Stop("held", f"{why}; without it nothing is left of the post", "media")
    if draft.uploads:
        draft = store.forget_uploads(draft)
    store.amend(draft, content)
    word = films.WORDS[item.kind]
    return Wait(accounts.now(), f"goes out without its {word}: {why}", "media")


def without_poster(
    draft: QueuedDraft, item: Media, accounts: Accounts, store: Store
) -> Wait | None:
    """Let a draft go out without the poster that cannot be had; None if it is another image.

    None too if nothing would be left, or an attempt to post it was made already.
    """
    content = draft.draft
    if not films.is_poster(item) or not content.text.strip() or draft.attempted_at is not None:
        return None
    if draft.uploads:
        draft = store.forget_uploads(draft)
    kept = tuple(each for each in content.media if each != item)
    lost = Loss("media", "the poster of a video could not be had")
    store.amend(draft, replace(content, media=kept, losses=(*content.losses, lost)))
    return Wait(accounts.now(), "goes out without the poster of its video", "media")


def as_film(
    draft: QueuedDraft, image: Upload, target: Opened, accounts: Accounts, store: Store
) -> Wait | None:
    """Let an animated image that would stand still go out as a video; None if it cannot.

    That needs ffmpeg, and no other image beside it. Where it fails, the image is its poster.
    """
    (item, *others) = draft.draft.media
    if others or images.STILL not in image.losses or draft.attempted_at is not None:
        return None
    if films.is_poster(item):
        return None
    if target.client.limits.video is None or not ffmpeg.is_installed():
        return None
    film = replace(item, kind="gif", mime="image/gif", poster=item.url)
    store.amend(draft, replace(draft.draft, media=(film,)))
    return Wait(accounts.now(), "goes out as a video", "media")
