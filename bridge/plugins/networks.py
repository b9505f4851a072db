"""Networks of one's own: a class that posts, and the manifest that `network` makes of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bridge.network import (
    Access,
    Backfill,
    Busy,
    Client,
    ClientError,
    Exchange,
    Film,
    Identity,
    Ledger,
    Limits,
    LoginNeeded,
    Measure,
    Network,
    Page,
    Parents,
    Refused,
    Session,
    Uncertain,
    Unreachable,
    Upload,
)
from bridge.plugins.errors import PluginError, describe, ends_program
from bridge.plugins.steps import NAME
from bridge.post import Draft, Media, Post, Ref, Run
from bridge.schema import Setting
from bridge.text import (
    Span,
    comparable,
    escape_url,
    graphemes,
    mastodon_entities,
)

logger = logging.getLogger(__name__)


def text_limits(characters: int) -> Limits:
    """The limits of a network of texts alone, of so many characters as a reader counts them."""
    measure = Measure("characters", characters, lambda text, _warning: graphemes(text))
    return Limits((measure,), 0, 0, 0, frozenset(), 0)


class PostingClient:
    """An account of a network that is posted to and never read: the least that a client can do.

    A subclass has `login` and `publish`, and whatever else its network can. Methods raise the five
    kinds of error of `bridge.network`; anything else counts as a request that may have arrived.
    """

    #: what a post may hold
    LIMITS = text_limits(500)
    #: whether publishing the same payload under the same key again is always harmless
    repeatable = False
    keeps_keys = False
    reread_batch = 1

    def __init__(
        self, settings: Mapping[str, Any], session: Session, now: Callable[[], datetime]
    ) -> None:
        self.settings = settings
        self.session = session
        self.now = now

    @property
    def limits(self) -> Limits:
        """The limits of the account's server."""
        return self.LIMITS

    def login(self) -> Identity:
        """Who this account is: an id that begins with the network's name and `:`."""
        raise NotImplementedError

    def publish(self, payload: Mapping[str, Any], key: str) -> Ref:
        """Publish what `Network.to_payload` made: `text`, `content_warning`, `language` and others.

        `key` is the same whenever the same post is tried.
        """
        raise NotImplementedError

    def access(self) -> Access:
        """What the login is good for."""
        return Access()

    def newest(self) -> str:
        """The cursor after everything that the account has posted: there is none."""
        return ""

    def begin(self, take: Backfill) -> Page:  # noqa: ARG002 - a protocol
        """Where a first run starts; Refused, for the account cannot be read."""
        raise Refused("posts of this network cannot be read: it can only be a target")

    def fetch(self, cursor: str) -> Page:  # noqa: ARG002
        """The account's own posts after `cursor`; Refused as `begin`."""
        raise Refused("posts of this network cannot be read: it can only be a target")

    def find(self, post_id: str) -> Post:  # noqa: ARG002
        """One post of the account; Refused as `begin`."""
        raise Refused("posts of this network cannot be read: it can only be a target")

    def reread(self, ids: Sequence[str]) -> dict[str, Post | None]:
        """The account's posts with these ids; the answer has none of them."""
        return dict.fromkeys(ids)

    def words(self, ref: Ref) -> tuple[Run, ...]:  # noqa: ARG002
        """The words of a post of anybody: not told."""
        return ()

    def resolve(self, handle: str) -> str:
        """The identity of a person by the handle."""
        return handle

    def upload(self, media: Upload) -> dict[str, Any]:  # noqa: ARG002
        """Upload an image; Refused."""
        raise Refused("this network takes no images")

    def upload_film(self, film: Film) -> dict[str, Any]:  # noqa: ARG002
        """Upload a video or a sound; Refused."""
        raise Refused("this network takes no videos")

    def processed(self, upload: Mapping[str, Any]) -> dict[str, Any]:
        """What became of an upload that was pending."""
        return dict(upload)

    def update(self, ref: Ref, payload: Mapping[str, Any]) -> Ref:  # noqa: ARG002
        """Change a post of the account in place; Refused."""
        raise Refused("this network shows no edits")

    def delete(self, ref: Ref) -> None:  # noqa: ARG002
        """Delete a post of the account; Refused."""
        raise Refused("posts of this network cannot be deleted")


@dataclass(frozen=True, slots=True)
class _OwnNetwork(Network):
    """A network whose client is a class, and whose posts are written in the plainest way."""

    make: Callable[..., Any] = PostingClient

    def connect(
        self,
        settings: Mapping[str, Any],
        session: Session,
        now: Callable[[], datetime],
        ledger: Ledger | None = None,  # noqa: ARG002 - it is as with other networks
        exchange: Exchange | None = None,  # noqa: ARG002
    ) -> Client:
        made: Any = _Guarded(self, lambda: self.make(settings, session, now))
        client: Client = made
        return client

    def limits(self, saved: str | None = None) -> tuple[Limits, bool]:  # noqa: ARG002
        found: Limits = getattr(self.make, "LIMITS", PostingClient.LIMITS)
        return found, True

    def samples(self) -> Any:
        return _Samples(self)

    def to_payload(
        self,
        draft: Draft,
        key: str,  # noqa: ARG002
        uploads: tuple[dict[str, Any], ...],
        parents: Parents | None,
        now: datetime,  # noqa: ARG002
    ) -> dict[str, Any]:
        return {
            "text": draft.lead + draft.text,
            "content_warning": draft.content_warning,
            "language": draft.languages[0] if draft.languages else "",
            "created_at": draft.created_at.isoformat(),
            "reply_to": parents.parent.id if parents and parents.parent else "",
            "media": list(uploads),
        }

    def unsent(self, media: Upload | Media, number: int) -> dict[str, Any]:
        return {"id": str(number), "alt": media.alt}

    def spell_url(self, url: str) -> str:
        return escape_url(url)

    def locate(self, url: str, identity: Identity) -> str:  # noqa: ARG002
        return ""

    def handles(self, mention: Run, account: str) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def matches(self, payload: Mapping[str, Any], key: str, post: Post) -> bool:  # noqa: ARG002
        return comparable(str(payload.get("text", ""))) == comparable(post.text)


@dataclass(frozen=True, slots=True)
class _Samples:
    """What makes posts of the network as examples."""

    network: Network

    @staticmethod
    def entities(text: str) -> list[Span]:
        return mastodon_entities(text)

    def identity(self, name: str) -> Identity:
        return Identity(f"{self.network.name}:{name}", name, self.profile(name))

    def profile(self, name: str) -> str:
        return f"https://{self.network.name}.example/{name}"

    def page(self, name: str, post_id: str) -> str:
        return f"{self.profile(name)}/{post_id}"

    def limits(self) -> Limits:
        return self.network.limits()[0]

    def from_json(self, data: Any) -> Post:  # noqa: ARG002 - as other networks have it
        raise ValueError(f"cannot be read: posts of {self.network.title} have no form of their own")


#: calls of a client after which something may stand
_WRITES = ("publish", "update", "delete", "upload", "upload_film")


#: what calls of a client give, as far as others take it apart
_GIVES: Mapping[str, type] = {"begin": Page, "fetch": Page, "find": Post, "reread": dict}


def _typed(name: str, value: Any) -> Any:
    """What a call gave; TypeError if it is nothing of the kind."""
    if name in _GIVES and not isinstance(value, _GIVES[name]):
        raise TypeError(f"{name} returned {type(value).__name__}, no {_GIVES[name].__name__}")
    return value


class _Guarded:
    """A client of a plugin, from which only the five kinds of error come."""

    def __init__(self, network: Network, make: Callable[[], Any]) -> None:
        self._network = network
        self._client = self._tried("connect", make)
        self._identity = ""
        self._limits: Limits | None = None

    def login(self) -> Identity:
        # a client may lack the method itself
        identity = self._tried("login", lambda: self._client.login())  # noqa: PLW0108
        if (
            not isinstance(identity, Identity)
            or not all(isinstance(text, str) for text in (identity.id, identity.handle))
            or not identity.id.startswith(f"{self._network.name}:")
        ):
            raise self._wrong(
                f"login gives an Identity with a handle, whose id begins with {self._network.name}:"
            )
        self._limits = self._asked_limits()
        self._identity = identity.id
        return identity

    @property
    def limits(self) -> Limits:
        """The limits as they were at the login: what fails over them is this account's alone."""
        if self._limits is None:
            self._limits = self._asked_limits()
        return self._limits

    def _asked_limits(self) -> Limits:
        limits = self._tried("limits", lambda: self._client.limits)
        if not isinstance(limits, Limits):
            raise self._wrong("its limits are no Limits")
        self._tried("limits", lambda: [limits.fits(text, text) for text in ("", "Å 👩‍👩‍👧")])
        return limits

    def _wrong(self, what: str) -> LoginNeeded:
        return LoginNeeded(f"the plugin of {self._network.title} is wrong: {what}")

    def publish(self, payload: Mapping[str, Any], key: str) -> Ref:
        return self._ref("publish", lambda: self._client.publish(payload, key))

    def update(self, ref: Ref, payload: Mapping[str, Any]) -> Ref:
        return self._ref("update", lambda: self._client.update(ref, payload))

    def _ref(self, name: str, write: Callable[[], Any]) -> Ref:
        """What stands then, as a post of this account."""

        def call() -> Ref:
            ref = write()
            if not isinstance(ref, Ref) or not ref.id:
                raise TypeError(f"{name} returned no Ref with an id")
            texts = {each: str(getattr(ref, each) or "") for each in ("id", "url", "uri", "cid")}
            return replace(ref, account=self._identity, **texts)

        found: Ref = self._tried(name, call)
        return found

    def __getattr__(self, name: str) -> Any:
        value = self._tried(name, lambda: getattr(self._client, name))
        if not callable(value):
            return value
        return lambda *args, **more: self._tried(name, lambda: _typed(name, value(*args, **more)))

    def _tried(self, name: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Busy as error:
            at: Any = error.retry_at
            if isinstance(at, datetime):
                error.retry_at = at if at.tzinfo else at.replace(tzinfo=UTC)
                raise
            raise Unreachable(str(error)) from None
        except ClientError:
            raise
        except BaseException as error:  # whatever a person's code may raise
            if ends_program(error):
                raise
            words = f"the plugin of {self._network.title} failed: {describe(error)}"
            logger.error("%s: %s", name, words)  # noqa: TRY400
            kind = Uncertain if name in _WRITES else Unreachable
            raise kind(words) from None


def network(
    name: str,
    title: str,
    client: type[PostingClient],
    settings: tuple[Setting, ...] = (),
    **more: Any,
) -> Network:
    """The manifest of a network whose client is a class; `more` are fields of `Network`.

    Its posts are plain text in which `@name` may address people, unless `more` says otherwise.
    PluginError if its name or a setting cannot be.
    """
    if not NAME.fullmatch(name):
        raise PluginError(f"the network {name!r} needs a name of small letters, digits and _")
    if any(setting.name in ("network", "language", "limits") for setting in settings):
        raise PluginError(f"the settings network, language and limits of {name!r} are taken")
    if not isinstance(getattr(client, "LIMITS", PostingClient.LIMITS), Limits):
        raise PluginError(f"LIMITS of the client of {name!r} are no Limits")
    plain: dict[str, Any] = {
        "policy": {},
        "content_warnings": False,
        "visibilities": False,
        "rich_links": False,
        "mentions_in_text": True,
        "absence_is_telling": False,
        "package": client.__module__,
        "client": client.__qualname__,
        "logins": ((),),
        "asks": "",
        "sources": getattr(client, "fetch", None) is not PostingClient.fetch,
    }
    return _OwnNetwork(name=name, title=title, settings=settings, make=client, **(plain | more))
