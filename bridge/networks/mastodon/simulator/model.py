"""What the simulator's server holds and the rules that it keeps: accounts, statuses, media.

Rules are those of the Mastodon documentation (methods/statuses, methods/accounts, methods/media);
where GoToSocial or Takahe were seen to differ, `Flavour` says how.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from bridge import text
from bridge.networks.mastodon.simulator import entities, polls
from bridge.networks.mastodon.simulator.files import Rejected, looked_at
from bridge.networks.mastodon.simulator.flavours import (
    ALT_CHARACTERS,
    VIDEO_BYTES,
    Flavour,
)
from bridge.networks.mastodon.simulator.markup import Markup, mark_up
from bridge.simulation import STILL

#: the most statuses that one request can name (Mastodon's code)
SEVERAL = 20
KEY_LIFE = timedelta(hours=1)
VISIBILITIES = ("public", "unlisted", "private", "direct")
NOT_READY = "Cannot attach files that have not finished processing. Try again in a moment!"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Refusal(Exception):
    """The server declines: a status code and its words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(slots=True)
class Status:
    """A status: its entity as served, and what the entity does not show."""

    key: Any
    account: Account
    entity: dict[str, Any]
    source: str = ""
    links: tuple[str, ...] = ()
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Account:
    """An account, its own statuses oldest first, and beside them the keys that cut pages."""

    name: str
    entity: dict[str, Any]
    statuses: list[Status] = field(default_factory=list)
    order: list[Any] = field(default_factory=list)
    keys: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    boosts: dict[str, Status] = field(default_factory=dict)


@dataclass(slots=True)
class Attachment:
    """An uploaded file before and after a status refers to it."""

    account: Account
    entity: dict[str, Any]
    ready_at: datetime
    attached: bool = False
    #: whether it turns out that the server cannot process it
    failed: bool = False


class Server:
    """All state. `note(account, action, id, **more)` writes the journal."""

    def __init__(
        self,
        flavour: Flavour,
        characters: int,
        processing: timedelta,
        now: Callable[[], datetime],
        note: Callable[..., None],
    ) -> None:
        self.flavour = flavour
        self.characters = characters
        self.processing = processing
        #: the largest video or sound, in bytes
        self.video_bytes = VIDEO_BYTES
        #: whether what is not ready at once fails in the end
        self.processing_fails = False
        self.now = now
        self.note = note
        self.url = ""
        self.accounts: dict[str, Account] = {}
        self.accounts_by_id: dict[str, Account] = {}
        self.statuses: dict[str, Status] = {}
        self.by_url: dict[str, Status] = {}
        self.media: dict[str, Attachment] = {}
        self.files: dict[str, tuple[bytes, str]] = {}
        self._last = 0

    # Ids: snowflakes, or ULIDs, which compare as text.

    def _new_id(self) -> str:
        number = max(self._last + 1, int(self.now().timestamp() * 1000) << 16)
        self._last = number
        if self.flavour.name != "gotosocial":
            return str(number)
        value = (number >> 16) << 80 | (number & 0xFFFF)
        return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))

    def key(self, post_id: str) -> Any:
        """What an id is ordered by."""
        if self.flavour.name == "gotosocial":
            return post_id
        if not post_id.isdecimal() and self.flavour.name == "takahe":
            raise Refusal(500, "Server Error")
        return int(post_id) if post_id.isdecimal() else 0

    # Accounts.

    def account(self, name: str) -> Account:
        """The local account of a name, made if needed."""
        if name not in self.accounts:
            account = Account(name, self._account_entity(name, name, f"{self.url}/@{name}"))
            self.accounts[name] = account
            self.accounts_by_id[account.entity["id"]] = account
        return self.accounts[name]

    def _account_entity(self, username: str, acct: str, url: str) -> dict[str, Any]:
        return entities.account(self._new_id(), username, acct, url, self.url, self.now())

    def _find(self, handle: str) -> Mapping[str, Any] | None:
        """The entity of a mentioned account; every account of another server is taken to exist."""
        name, _, host = handle.partition("@")
        if not host or host == urlsplit(self.url).netloc:
            account = self.accounts.get(name)
            return account.entity if account else None
        url = f"https://{host}/@{name}"
        return {"id": "0", "username": name, "acct": handle, "url": url}

    # Reading.

    def visible(self, status: Status, viewer: Account | None) -> bool:
        """Whether `viewer` (None: anybody) may see a status."""
        return status.account is viewer or status.entity["visibility"] in ("public", "unlisted")

    def seen(self, post_id: str, viewer: Account | None) -> Status:
        """The status of an id, if the viewer may see it."""
        status = self.statuses.get(post_id)
        if status is None or not self.visible(status, viewer):
            self.key(post_id)
            raise Refusal(404, "Record not found")
        return status

    def own(self, post_id: str, account: Account) -> Status:
        """The account's own status of an id."""
        status = self.seen(post_id, account)
        if status.account is not account:
            raise Refusal(404, "Record not found")
        return status

    def several(self, ids: list[str], viewer: Account) -> list[dict[str, Any]]:
        """The statuses of some ids, those left out that the viewer may not see."""
        if len(set(ids)) > SEVERAL:
            raise Refusal(422, "Validation failed")
        found = (self.statuses.get(post_id) for post_id in dict.fromkeys(ids))
        return [status.entity for status in found if status and self.visible(status, viewer)]

    def page(
        self, of: Account, viewer: Account | None, asked: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        """A page of an account's statuses, newest first.

        `min_id` gives those immediately newer, `since_id` the newest of the newer, `max_id` older.
        """
        limit = min(int(asked.get("limit") or 20), 40)
        low, high = 0, len(of.statuses)
        after = asked.get("min_id") or asked.get("since_id")
        if after:
            low = bisect_right(of.order, self.key(after))
        if asked.get("max_id"):
            high = bisect_left(of.order, self.key(asked["max_id"]))
        upwards = bool(asked.get("min_id"))
        found: list[dict[str, Any]] = []
        for index in range(low, high) if upwards else range(high - 1, low - 1, -1):
            if len(found) == limit:
                break
            status = of.statuses[index]
            if self.visible(status, viewer) and not entities.excluded(status.entity, asked):
                found.append(status.entity)
        return found[::-1] if upwards else found

    # Media.

    def upload(self, account: Account, data: bytes, alt: str, focus: str = "") -> Attachment:
        """Take a file; `processing` later it is ready (GoToSocial: at once)."""
        try:
            kind, shown, meta = looked_at(data, self.video_bytes)
        except Rejected as error:
            raise Refusal(422, f"Validation failed: {error}") from None
        if len(alt) > ALT_CHARACTERS:
            raise Refusal(422, "Validation failed: Description is too long")
        media_id = self._new_id()
        path = f"/media/{media_id}.{kind.rpartition('/')[2]}"
        self.files[path] = (data, kind)
        preview = path
        if shown != "image":
            preview = f"/media/{media_id}-preview.png"
            self.files[preview] = (STILL, "image/png")
        entity: dict[str, Any] = {
            "id": media_id,
            "type": shown,
            "url": self.url + path,
            "preview_url": None if shown == "audio" else self.url + preview,
            "remote_url": None,
            "description": alt or None,
            "meta": {"original": meta},
        }
        if focus:
            entity["meta"] |= {"focus": entities.focus(focus)}
        at_once = self.flavour.name == "gotosocial"
        ready_at = self.now() + (timedelta(0) if at_once else self.processing)
        fails = self.processing_fails and ready_at > self.now()
        self.media[media_id] = Attachment(account, entity, ready_at, failed=fails)
        return self.media[media_id]

    def ready(self, attachment: Attachment) -> bool:
        """Whether an upload has been processed."""
        return self.now() >= attachment.ready_at

    def _attach(self, account: Account, ids: list[Any], keep: tuple[str, ...] = ()) -> list[Any]:
        """The entities of media for a status, checked."""
        if len(ids) > self.flavour.images:
            message = f"Cannot attach more than {self.flavour.images} files"
            raise Refusal(self.flavour.invalid, f"Validation failed: {message}")
        chosen = [self.media.get(str(media_id)) for media_id in ids]
        for media_id, item in zip(ids, chosen, strict=True):
            if item is None or item.account is not account:
                raise Refusal(self.flavour.invalid, f"Media {media_id} not found")
            if item.attached and str(media_id) not in keep:
                message = f"Media {media_id} not found or already attached to another post"
                raise Refusal(self.flavour.invalid, f"Validation failed: {message}")
            if not self.ready(item):
                raise Refusal(422, f"Validation failed: {NOT_READY}")
        if len(ids) > 1 and any(item.entity["type"] != "image" for item in chosen if item):
            message = "Cannot attach a video to a post that already contains images"
            raise Refusal(self.flavour.invalid, f"Validation failed: {message}")
        return [item for item in chosen if item]

    # Writing.

    def publish(
        self, account: Account, application: str, asked: Mapping[str, Any], key: str
    ) -> Status:
        """Post a status. Mastodon gives the earlier one for a key of the last hour."""
        keeps = bool(key) and self.flavour.name == "mastodon"
        if keeps and key in account.keys:
            post_id, at = account.keys[key]
            if self.now() - at < KEY_LIFE:
                return self.own(post_id, account)
        words, warning = asked.get("status") or "", asked.get("spoiler_text") or ""
        media = self._attach(account, asked.get("media_ids") or [])
        poll = asked.get("poll")
        self._check_text(words, warning, has_more=bool(media or poll))
        visibility = asked.get("visibility") or self.flavour.visibility
        if visibility not in VISIBILITIES:
            raise Refusal(self.flavour.invalid, "Validation failed: Visibility is not included")
        parent_id = asked.get("in_reply_to_id")
        parent = self.seen(str(parent_id), account) if parent_id else None
        quoted = self._quoted(asked, account)
        status = self._new(
            account,
            visibility=visibility,
            in_reply_to_id=parent.entity["id"] if parent else None,
            in_reply_to_account_id=parent.account.entity["id"] if parent else None,
            application={"name": application, "website": None},
            poll=self._poll(poll, has_media=bool(media)),
        )
        if quoted:
            status.entity["quote"] = {"state": "accepted", "quoted_status": quoted.entity}
        self._write(status, words, warning, asked, media)
        self._add(status)
        if keeps:
            account.keys[key] = (status.entity["id"], self.now())
        self._note("publish", status, key)
        return status

    def _quoted(self, asked: Mapping[str, Any], account: Account) -> Status | None:
        """The status to be quoted; other software knows no quotes and ignores them."""
        post_id = str(asked.get("quoted_status_id") or "")
        if not post_id or not self.flavour.api:
            return None
        try:
            status = self.seen(post_id, account)
        except Refusal:
            status = None
        if status is None or status.entity["visibility"] == "direct":
            # in the words of its own app/controllers/api/v1/statuses_controller.rb
            raise Refusal(404, "The post you are trying to quote does not appear to exist.")
        boosted = status.entity["reblog"]
        return self.statuses[boosted["id"]] if boosted else status

    def _poll(
        self, asked: Any, had: Mapping[str, Any] | None = None, *, has_media: bool = False
    ) -> dict[str, Any] | None:
        """A poll, checked, in place of one that the status had."""
        if not asked:
            return None
        wrong = polls.flaw(asked, is_new=had is None)
        if has_media or wrong:
            message = f"Validation failed: {wrong or 'Poll is invalid'}"
            raise Refusal(self.flavour.invalid, message)
        end = self.now() + timedelta(seconds=int(asked["expires_in"]))
        return polls.poll_entity(self._new_id(), asked, entities.iso(end), had)

    def _check_text(self, words: str, warning: str, *, has_more: bool) -> None:
        if not words.strip() and not has_more:
            raise Refusal(self.flavour.invalid, "Validation failed: Text can't be blank")
        if self.flavour.name == "mastodon":
            length = text.mastodon_length(words, warning)
        else:
            length = len(words) + len(warning)
        if length > self.characters:
            message = f"Validation failed: Text character limit of {self.characters} exceeded"
            raise Refusal(self.flavour.invalid, message)

    def _new(self, account: Account, **more: Any) -> Status:
        post_id = self._new_id()
        entity = entities.status(post_id, account.name, account.entity, self.url, self.now())
        return Status(self.key(post_id), account, entity | more)

    def _write(
        self,
        status: Status,
        words: str,
        warning: str,
        asked: Mapping[str, Any],
        media: list[Attachment],
    ) -> None:
        """Put text and what comes with it into a status's entity."""
        marked: Markup = mark_up(words, self.url, self._find)
        language = asked.get("language") or self.flavour.language
        status.source, status.links = words, marked.links
        for item in media:
            item.attached = True
        content, quote = marked.html, status.entity["quote"]
        if quote:
            url = quote["quoted_status"]["url"]
            content = f'<p class="quote-inline">RE: <a href="{url}">{url}</a></p>{content}'
        status.entity.update(
            content=content,
            spoiler_text=warning,
            sensitive=bool(asked.get("sensitive")) or bool(warning),
            language=None if self.flavour.name == "takahe" else language,
            mentions=list(marked.mentions),
            tags=list(marked.tags),
            media_attachments=[item.entity for item in media],
        )

    def _add(self, status: Status) -> None:
        status.account.statuses.append(status)
        status.account.order.append(status.key)
        self.statuses[status.entity["id"]] = status
        self.by_url[status.entity["url"]] = status

    def edit(self, status: Status, asked: Mapping[str, Any]) -> Status:
        """Change a status. What is left out is dropped: media, warning, poll."""
        words, warning = asked.get("status") or "", asked.get("spoiler_text") or ""
        before = status.entity
        had = tuple(item["id"] for item in before["media_attachments"])
        media = self._attach(status.account, asked.get("media_ids") or [], keep=had)
        self._check_text(words, warning, has_more=bool(media))
        poll = self._poll(asked.get("poll"), before["poll"], has_media=bool(media))
        if self.flavour.name == "mastodon":
            asked = {**asked, "language": asked.get("language") or before["language"]}
        was = entities.content(before), before["poll"]
        status.entity = {**before, "poll": poll}
        self._write(status, words, warning, asked, media)
        for item in asked.get("media_attributes") or ():
            self._describe(status, item)
        if (entities.content(status.entity), poll) == was:
            status.entity = before
            if self.flavour.name == "gotosocial":
                raise Refusal(422, "status was not changed")
            return status
        status.history = status.history or [entities.version(before)]
        status.entity["edited_at"] = entities.iso(self.now())
        status.history.append(entities.version(status.entity))
        self._renew_boosts(status)
        self._note("edit", status)
        return status

    def _describe(self, status: Status, asked: Mapping[str, Any]) -> None:
        """Give an attachment of a status another description or focus."""
        attached = status.entity["media_attachments"]
        for index, entity in enumerate(attached):
            if entity["id"] == str(asked.get("id")):
                changed = dict(entity)
                if "description" in asked:
                    changed["description"] = asked["description"] or None
                if asked.get("focus"):
                    changed["meta"] = entity["meta"] | {"focus": entities.focus(asked["focus"])}
                attached[index] = self.media[entity["id"]].entity = changed

    def set_visibility(self, post_id: str, visibility: str) -> None:
        """Show a status to others than before, as some servers' own apps can."""
        status = self.statuses[post_id]
        status.entity = status.entity | {"visibility": visibility}
        self._renew_boosts(status)
        self._note("edit", status)

    def _renew_boosts(self, status: Status) -> None:
        """Boosts show a status as it is now."""
        for other in self.accounts.values():
            wrapper = other.boosts.get(status.entity["id"])
            if wrapper:
                wrapper.entity["reblog"] = status.entity

    def delete(self, status: Status, *, delete_media: bool = False) -> dict[str, Any]:
        """Take a status away; boosts of it go too. Its media may be attached anew, unless they
        are deleted with it.
        """
        for item in status.entity["media_attachments"]:
            self.media[item["id"]].attached = False
            if delete_media and self.flavour.name == "mastodon":
                del self.media[item["id"]]
                self.files.pop(urlsplit(item["url"]).path, None)
        account, post_id = status.account, status.entity["id"]
        for other in self.accounts.values():
            wrapper = other.boosts.pop(post_id, None)
            if wrapper:
                self.delete(wrapper)
        index = bisect_left(account.order, status.key)
        del account.order[index], account.statuses[index]
        del self.statuses[post_id]
        self.by_url.pop(status.entity["url"], None)
        self._note("delete", status)
        return status.entity | {"text": status.source}

    def boost(self, status: Status, account: Account, visibility: str) -> Status:
        """Boost a status: the same wrapper again, or on GoToSocial another."""
        if status.entity["reblog"]:
            status = self.statuses.get(status.entity["reblog"]["id"], status)
        post_id = status.entity["id"]
        if status.entity["visibility"] == "direct":
            raise Refusal(403, "This action is not allowed")
        again = account.boosts.get(post_id)
        if again and self.flavour.name != "gotosocial":
            return again
        if status.entity["visibility"] == "private":
            visibility = "private"
        wrapper = self._new(
            account,
            visibility=visibility,
            reblog=status.entity,
            content=status.entity["content"],
            language=status.entity["language"],
        )
        wrapper.entity["url"] = wrapper.entity["uri"] = f"{wrapper.entity['uri']}/activity"
        self._add(wrapper)
        account.boosts[post_id] = wrapper
        self._note("publish", wrapper, boost_of=post_id)
        return wrapper

    def unboost(self, status: Status, account: Account) -> Status:
        """Take a boost back."""
        wrapper = account.boosts.pop(status.entity["id"], None)
        if wrapper:
            self.delete(wrapper)
        return status

    def remote(self, url: str) -> Status:
        """A status of another server, made up so that it can be boosted or quoted."""
        host = urlsplit(url).netloc
        stranger = self._account_entity("stranger", f"stranger@{host}", f"https://{host}/@stranger")
        status = self._new(Account(stranger["acct"], stranger), url=url, uri=url)
        self._write(status, "Somewhere else", "", {}, [])
        self.statuses[status.entity["id"]] = self.by_url[url] = status
        return status

    def _note(self, action: str, status: Status, key: str = "", boost_of: str = "") -> None:
        entity = status.entity
        self.note(
            status.account.name,
            action,
            entity["id"],
            text=status.source,
            reply_to=entity["in_reply_to_id"] or "",
            boost_of=boost_of,
            quote_of=(entity["quote"] or {}).get("quoted_status", {}).get("id", ""),
            warning=entity["spoiler_text"],
            visibility=entity["visibility"],
            languages=(entity["language"],) if entity["language"] else (),
            links=status.links,
            alts=tuple(item["description"] or "" for item in entity["media_attachments"]),
            poll=tuple(option["title"] for option in (entity["poll"] or {}).get("options", ())),
            key=key,
            raw=entity,
        )
