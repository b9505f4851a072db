"""Bluesky on loopback: a PDS, and people who use it with the official app.

It answers as the official PDS does, as far as Tribridge and its tests need it; there is no feed, no
profile and no directory of DIDs.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any, Literal

from bridge import atoms
from bridge.networks.bluesky.simulator import lexicon
from bridge.networks.bluesky.simulator.app import to_record
from bridge.networks.bluesky.simulator.pds import Account, Pds, app_password
from bridge.networks.bluesky.write import COLLECTION, REPOSTS, VIDEO


def _shape(film: bytes) -> dict[str, Any]:
    found = atoms.nature(io.BytesIO(film))
    return {"aspectRatio": {"width": found.width, "height": found.height}} if found.width else {}


class BlueskySimulator(Pds):
    """What people do on the PDS."""

    def account(self, name: str, application: str = "Web") -> dict[str, str]:
        """The account settings of the handle `name`; makes the account if needed.

        `application` makes an app password of its own and has no other effect.
        """
        with self.lock:
            password = app_password(name, application)
            self.made(name).passwords.add(password)
        return {"handle": name, "app_password": password, "service": self.url}

    def own_password(self, name: str, password: str, *, second_factor: bool = False) -> None:
        """Give the account itself a password; with `second_factor` that alone is not enough."""
        with self.lock:
            account = self.made(name)
            account.password, account.second_factor = password, second_factor

    def identity(self, name: str) -> str:
        """The identity of an account, as the client reports it."""
        with self.lock:
            return f"bluesky:{self.made(name).did}"

    def say(
        self,
        name: str,
        text: str,
        *,
        language: str = "",
        warning: str = "",
        visibility: str = "public",
        images: Iterable[tuple[bytes, str]] = (),
        films: Iterable[tuple[bytes, str]] = (),
        reply_to: str = "",
        quote: str = "",
        **native: Any,
    ) -> str:
        """Publish as the official app does; returns the record key.

        `warning` is a self-label such as graphic-media; `quote` a record key, or the at:// URI of
        anyone's post; `native` are further fields of the record.
        """
        assert visibility == "public", "Bluesky has no other visibility"
        with self.lock:
            account = self.made(name)
            shown = [
                {"alt": alt, "image": self.stored(account, data, "application/octet-stream")}
                for data, alt in images
            ]
            for data, alt in films:
                video = {"video": self.stored(account, data, "video/mp4"), "alt": alt}
                native = {"embed": {"$type": VIDEO, **video, **_shape(data)}, **native}
            said = to_record(
                text,
                self.now(),
                self._find,
                language=language,
                label=warning,
                images=shown,
                reply=self._reply(account, reply_to) if reply_to else None,
                quote=self._strong(account, quote) if quote else None,
            )
            body = {
                "repo": account.did,
                "collection": COLLECTION,
                "rkey": self.next_key(account),
                "record": {**said, **native},
            }
            self._as(account, "createRecord", body)
            return str(body["rkey"])

    def edit(
        self,
        name: str,
        id: str,  # noqa: A002 - as networks call it
        text: str | None = None,
        **native: Any,
    ) -> None:
        """Put another text into a record, as some clients can; `native` are further fields."""
        with self.lock:
            account = self.made(name)
            record = dict(account.collections[COLLECTION].records[id].value)
            if text is not None:
                new = to_record(text, self.now(), self._find)
                record.pop("facets", None)
                record |= {k: v for k, v in new.items() if k != "createdAt"}
            record |= native
            body = {"repo": account.did, "collection": COLLECTION, "rkey": id, "record": record}
            self._as(account, "putRecord", body)

    def hide(self, name: str, id: str) -> None:  # noqa: A002 - as networks call it
        """Ask that a post is not shown to who is not logged in."""
        values = [{"val": "!no-unauthenticated"}]
        labels = {"$type": "com.atproto.label.defs#selfLabels", "values": values}
        self.edit(name, id, labels=labels)

    def delete(self, name: str, id: str, collection: str = COLLECTION) -> None:  # noqa: A002
        """Delete a post, or a record of another collection."""
        with self.lock:
            account = self.made(name)
            body = {"repo": account.did, "collection": collection, "rkey": id}
            self._as(account, "deleteRecord", body)

    def boost(self, name: str, post: str) -> str:
        """Repost by record key or at:// URI, one of another server too; returns the key."""
        with self.lock:
            account = self.made(name)
            stamp = self.now().astimezone(UTC).isoformat(timespec="milliseconds")
            record = {
                "$type": REPOSTS,
                "subject": self._strong(account, post),
                "createdAt": stamp.replace("+00:00", "Z"),
            }
            rkey = self.next_key(account)
            body = {"repo": account.did, "collection": REPOSTS, "rkey": rkey, "record": record}
            self._as(account, "createRecord", body)
            return rkey

    def unboost(self, name: str, rkey: str) -> None:
        """Take back the repost with a record key."""
        self.delete(name, rkey, REPOSTS)

    def record(self, name: str, rkey: str, collection: str = COLLECTION) -> dict[str, Any]:
        """A record as it stands; KeyError if there is none."""
        with self.lock:
            return self.made(name).collections[collection].records[rkey].value

    def lock_out(
        self, name: str, error: Literal["", "AccountTakedown", "AccountDeactivated"]
    ) -> None:
        """Take an account down, deactivate it, or ("") bring it back."""
        with self.lock:
            self.made(name).locked = error

    def revoke(self, name: str) -> None:
        """Make every refresh token that an account has dead."""
        with self.lock:
            account = self.made(name)
            account.revoked = {f"{n}" for n in range(account.tokens + 1)}

    def forget_blobs(self, name: str) -> None:
        """Drop the uploads that no record refers to, as a PDS does after some hours."""
        with self.lock:
            account = self.made(name)
            account.blobs = {k: v for k, v in account.blobs.items() if k in account.shown}

    def _as(self, account: Account, method: str, body: Mapping[str, Any]) -> None:
        headers = {"authorization": f"Bearer {self.token(account, 'access', 0)}"}
        headers["x-ratelimit-bypass"] = "people"
        self.call("POST", f"/xrpc/com.atproto.repo.{method}", json_body=body, headers=headers)

    def _find(self, handle: str) -> str | None:
        account = self.accounts.get(handle)
        return account.did if account else None

    def _reply(self, account: Account, rkey: str) -> dict[str, Any]:
        """Parent and root; `rkey` may be an at:// URI of anyone's post."""
        parent = self._strong(account, rkey)
        did, _, key = parent["uri"].removeprefix("at://").rpartition(f"/{COLLECTION}/")
        answered = self.dids[did].collections[COLLECTION].records[key].value
        return {"root": answered.get("reply", {}).get("root", parent), "parent": parent}

    def _strong(self, account: Account, rkey: str) -> dict[str, str]:
        """A reference to an own post by its key, or to anyone's by its at:// URI."""
        did, _, key = rkey.removeprefix("at://").rpartition(f"/{COLLECTION}/")
        owner = self.dids.get(did) if did else account
        if owner is None:  # on another server
            return {"uri": rkey, "cid": lexicon.blob_cid(rkey.encode())}
        record = owner.collections[COLLECTION].records[key]
        return {"uri": f"at://{owner.did}/{COLLECTION}/{key}", "cid": record.cid}
