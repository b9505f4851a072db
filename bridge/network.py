"""What a network must offer, and the five kinds of error that it may raise.

ClientError
  Busy          later; nothing was done
    OverBudget  it would cost more than may be spent
  Unreachable   a request never left, or a read failed; nothing was done
  Refused       declined for good
    Gone        the network itself says that there is no such post
    NoReply     declined as an answer to another post; by itself it may stand
  LoginNeeded   token dead, scope missing or account locked; a person must act
  Uncertain     a write left and no trustworthy answer came: settle before sending again
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import IO, Any, Literal, Protocol

from bridge import secrecy
from bridge.post import Draft, Loss, Media, MediaKind, Post, Ref, Run
from bridge.schema import Setting


class ClientError(Exception):
    """The base of the five kinds; its text is a sentence for people and holds no secret."""

    def __init__(self, message: str) -> None:
        super().__init__(secrecy.redact(message))


class Busy(ClientError):
    """The network asks to come back at `retry_at` (UTC); nothing was done."""

    def __init__(self, message: str, retry_at: datetime) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class OverBudget(Busy):
    """A paid call that the account's budget, or its credit at the network, does not allow."""


class Unreachable(ClientError):
    """The request never left, or a read failed; nothing was done."""


class Refused(ClientError):
    """The network declined for good."""


class Gone(Refused):
    """The network itself says that there is no such post.

    Never concluded from what something else than its API may have answered.
    """


class NoReply(Refused):
    """The network does not let the account answer that post, or may have declined for that."""


class LoginNeeded(ClientError):
    """The login does not work; the text says what its owner should do."""


class Uncertain(ClientError):
    """A write left and no trustworthy answer came."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One limit on the text of a post: `count(text, content_warning)` may not exceed `maximum`."""

    unit: str
    maximum: int
    count: Callable[[str, str], int]


@dataclass(frozen=True, slots=True)
class Animation:
    """What a server shows as an animation: image types, bytes, pixels and frames.

    `alone` says that nothing else may be in the post.
    """

    types: frozenset[str]
    bytes: int
    width: int = 1 << 20
    height: int = 1 << 20
    frames: int = 1 << 20
    alone: bool = False


@dataclass(frozen=True, slots=True)
class PollLimits:
    """What a poll on a server can hold: options, the length of each by `count`, seconds."""

    options: int
    characters: int
    shortest: int
    longest: int
    multiple: bool = True
    count: Callable[[str], int] = len


@dataclass(frozen=True, slots=True)
class PlayLimits:
    """What a video, or a sound, on a server may be: its types, bytes, and seconds from and to.

    A post on any of the networks holds one of them, and nothing beside it.
    """

    types: frozenset[str]
    bytes: int
    longest: float = float("inf")
    shortest: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one post on a server can hold. Bytes and pixels bound each image.

    `animation` is None where animations are shown as stills. `gallery` is the number of images that
    a post can show in a form of its own that not every reader knows; 0 if there is none. `polls` is
    None where there are none; a poll excludes images. `quotes` says that a post can quote another
    by reference, which needs no room in its text. `video` and `audio` are None where a server takes
    none; what loops without sound is a video. `thumb_bytes` bounds the picture of a link card.
    """

    measures: tuple[Measure, ...]
    images: int
    image_bytes: int
    image_pixels: int
    image_types: frozenset[str]
    alt_characters: int
    animation: Animation | None = None
    gallery: int = 0
    polls: PollLimits | None = None
    quotes: bool = False
    thumb_bytes: int = 0
    video: PlayLimits | None = None
    audio: PlayLimits | None = None

    def fits(self, text: str, content_warning: str = "") -> bool:
        """Whether a text is within every measure."""
        return all(m.count(text, content_warning) <= m.maximum for m in self.measures)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an account is on its network: `id` outlives handles, names and moves between names.

    `id` begins with the network's name: `mastodon:HOST/ID`, `bluesky:DID`, `twitter:ID`.
    """

    id: str
    handle: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """What the login of an account is good for, and who sees the account's posts.

    `scopes` are in the network's words, () where it does not tell. The next two are what reading,
    and posting, lack; `excess` says what to do where the login may do more than it should; `locked`
    is what follows for mirrors of an account that chooses its followers, with the account as
    subject. The last is what the limits count that the answers told.
    """

    scopes: tuple[str, ...] = ()
    lacks_to_read: tuple[str, ...] = ()
    lacks_to_post: tuple[str, ...] = ()
    excess: str = ""
    locked: str = ""
    counted: str = "requests"


@dataclass(frozen=True, slots=True)
class Backfill:
    """What a first run takes: nothing, the last `last` posts, those since `since`, or all."""

    last: int = 0
    since: datetime | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Posts oldest first, and the cursor that stands after them.

    `more` says that another fetch from `cursor` may bring more at once. A page with no posts and an
    unchanged cursor means that there was nothing new.
    """

    posts: tuple[Post, ...]
    cursor: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """An image ready for its target: at most `Limits.image_bytes`, of one of its types.

    `focus` is as in `Media`; `losses` are what making it fit has cost.
    """

    data: bytes
    mime: str
    alt: str
    width: int
    height: int
    focus: tuple[float, float] | None = None
    animated: bool = False
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class Film:
    """A video, an animation or a sound in a file, ready for its target: within its `PlayLimits`.

    `file` is open for reading, `bytes` long. The other fields are as in `Media`.
    """

    file: IO[bytes]
    bytes: int
    mime: str
    kind: MediaKind
    alt: str = ""
    width: int = 0
    height: int = 0


class Session(Protocol):
    """Where a client keeps what must survive a restart (tokens, identity), as one opaque string."""

    def load(self) -> str | None:
        """What was saved last for this account, or None."""

    def save(self, identity: str, data: str) -> None:
        """Store durably before returning. Rotated tokens are saved before they are used."""


#: Replaces the tokens of an account that work once: it is given what makes new tokens of those that
#: are stored, and returns the new ones. No other process does the same meanwhile, and the new ones
#: are stored when it returns, by a dry run too. What is stored may be made again as it is. Raises
#: what is raised meanwhile.
Exchange = Callable[[Callable[[Mapping[str, Any]], Mapping[str, Any]]], Mapping[str, Any]]


class Ledger(Protocol):
    """Where the client of a network that charges accounts for its paid calls, in US dollars.

    `kind` is a kind of call by the network's own price list.
    """

    def reserve(self, kind: str, usd: float) -> Callable[[float], None]:
        """Set aside what a call costs, durably, before it is made.

        Raises OverBudget if that is more than may be spent. What is returned is called with what
        the call did cost as soon as that is certain; if it never is, the sum stays set aside.
        """

    def keep(self, kind: str, usd: float) -> None:
        """See that a sum is set aside for the readings of this UTC day, and is within the budget.

        For calls whose cost only their answer tells. Writes nothing if the sum is there already.
        Raises OverBudget as `reserve`.
        """

    def spend(self, costs: Mapping[str, float]) -> None:
        """Add what a reading did cost, by kind."""


class NoLedger:
    """A ledger that counts nothing and allows everything."""

    def reserve(self, kind: str, usd: float) -> Callable[[float], None]:  # noqa: ARG002
        """Nothing to settle later."""
        return lambda _spent: None

    def keep(self, kind: str, usd: float) -> None:
        """Nothing to set aside."""

    def spend(self, costs: Mapping[str, float]) -> None:
        """Nothing to add."""


class Client(Protocol):
    """One account on one network. Every method raises only the five kinds of error.

    A client is used by one thread at a time; only `find` may run beside another call where the
    network charges nothing.
    """

    @property
    def limits(self) -> Limits:
        """The limits of the account's server; known after `login`."""

    @property
    def repeatable(self) -> bool:
        """Whether publishing the same payload under the same key again is always harmless."""

    @property
    def keeps_keys(self) -> bool:
        """Whether the server is known to remember idempotency keys (for about an hour)."""

    @property
    def reread_batch(self) -> int:
        """How many ids `reread` asks for in one request; known after `login`."""

    def login(self) -> Identity:
        """Who this account is. Asks the network once; later calls cost nothing."""

    def access(self) -> Access:
        """What the login is good for; after `login` by this client. Few requests, none paid."""

    def newest(self) -> str:
        """The cursor after everything that the account has posted; one read request."""

    def begin(self, take: Backfill) -> Page:
        """Where a first run starts: a cursor, and the posts that a fetch from it could show
        although they are older than the start. They are to be recorded, not mirrored.
        """

    def fetch(self, cursor: str) -> Page:
        """The account's own posts after `cursor`; one request if there is nothing new."""

    def find(self, post_id: str) -> Post:
        """One post of the account by its id; one request.

        Raises Gone if the network says that there is no such post, Refused if it is not one of this
        account, or not to be seen.
        """

    def reread(self, ids: Sequence[str]) -> dict[str, Post | None]:
        """The account's posts with these ids as they are now; None where the answer has none.

        One request for each `reread_batch` ids. That one is missing is no proof that it is gone:
        `find` tells. Visibility is read as in `fetch`.
        """

    def words(self, ref: Ref) -> tuple[Run, ...]:
        """The words of a post of anybody, for a boost that came without; at most one request.

        None where the network repeats them with the boost, or else does not tell.
        """

    def resolve(self, handle: str) -> str:
        """The identity of a person on the network by the handle; one request.

        Raises Refused if there is no such person. Only where the manifest says
        `live_mentions="identity"`; elsewhere a handle is all it takes, and is given back.
        """

    def upload(self, media: Upload) -> dict[str, Any]:
        """Upload an image; what it returns goes into `Network.to_payload` and is JSON."""

    def upload_film(self, film: Film) -> dict[str, Any]:
        """Upload a video or a sound from its file, which is never held in memory as a whole.

        What it returns is JSON. Where it has `pending`, seconds, the network still works on it:
        `processed` is to be asked after so long. Without, it goes into `Network.to_payload`.
        Raises Refused if the network does not take it.
        """

    def processed(self, upload: Mapping[str, Any]) -> dict[str, Any]:
        """What became of an upload that was `pending`; one request. As `upload_film` returns it.

        Raises Refused if the network could not process it.
        """

    def publish(self, payload: Mapping[str, Any], key: str) -> Ref:
        """Publish what `Network.to_payload` made; one request."""

    def update(self, ref: Ref, payload: Mapping[str, Any]) -> Ref:
        """Change a post of the account in place, as `Network.to_update` says. May be repeated.

        Raises Gone if there is no such post, Refused where the network shows no edits.
        """

    def delete(self, ref: Ref) -> None:
        """Delete a post of the account. May be repeated: what is gone already is no error."""


@dataclass(frozen=True, slots=True)
class Parents:
    """The copies that a draft refers to, None where it does not.

    The post just above it and the root of the thread that it answers, and the post that it `shows`:
    quotes by reference, or boosts.
    """

    parent: Ref | None = None
    root: Ref | None = None
    shows: Ref | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """The manifest of a network: plain data; what it names is imported when it is first used."""

    name: str
    title: str
    #: what an account of this network is configured with, `network` aside
    settings: tuple[Setting, ...]
    #: built-in defaults of `schema.Policy` that differ for this network as target, as in YAML
    policy: Mapping[str, Any]
    #: has a field of its own for a content warning
    content_warnings: bool
    #: has a visibility for each post
    visibilities: bool
    #: a link can have a text other than its URL
    rich_links: bool
    #: characters such as `@name` in plain text address people
    mentions_in_text: bool
    #: a text that two readings of the account do not show can be sent once more
    absence_is_telling: bool
    #: the folder, with `client.py` and `write.py` in it, and the class in the former
    package: str
    client: str
    #: the settings that log in; where there are several sets, the first one of another set that is
    #: written chooses that
    logins: tuple[tuple[str, ...], ...]
    #: how `tribridge login` comes by one: functions of `login.py` in the folder; "": not at all
    asks: Literal["browser", "password", ""]
    #: what a handle of a person is without its `@`, as a regular expression, and one such
    handle: str = ""
    handle_example: str = ""
    #: people can be mentioned; with "identity", by an identity that `Client.resolve` finds
    live_mentions: Literal["", "text", "identity"] = ""
    #: has labels that hide a post's media
    labels: bool = False
    #: how many languages a post can declare; 0 where the network finds the language itself
    languages: int = 0
    #: charges for calls: the client is given a `Ledger` too
    paid: bool = False
    #: exchanges tokens for others: the client is given an `Exchange` too
    rotates: bool = False
    #: a post can have hashtags that do not stand in its text
    tags_beside_text: bool = False
    #: promises that an account may answer its own posts through the API
    threads: bool = True
    #: takes at most one cashtag in a post that comes through the API
    one_cashtag: bool = False
    #: shows edits of a post in place
    edits: bool = False
    #: shows a card of a link only if the post brings one along
    cards: bool = False
    #: posts of its accounts can be read, which makes them sources
    sources: bool = True
    #: tells with which program a post was written
    names_apps: bool = False

    def connect(
        self,
        settings: Mapping[str, Any],
        session: Session,
        now: Callable[[], datetime],
        ledger: Ledger | None = None,
        exchange: Exchange | None = None,
    ) -> Client:
        """A client for an account; `now` gives the present as aware UTC."""
        make = getattr(import_module(f"{self.package}.client"), self.client)
        charged = (ledger,) if self.paid and ledger is not None else ()
        kept = {"exchange": exchange} if self.rotates and exchange is not None else {}
        made: Client = make(settings, session, now, *charged, **kept)
        return made

    def limits(self, saved: str | None = None) -> tuple[Limits, bool]:
        """The limits of a server without asking it, and whether they are known to be its own.

        `saved` is what a client saved after a login. Without, they are those of a server as it
        comes.
        """
        client = import_module(f"{self.package}.client")
        if (fixed := getattr(client, "LIMITS", None)) is not None:
            return fixed, True
        found: Limits | None = client.saved_limits(saved) if saved else None
        if found is not None:
            return found, True
        return self.samples().limits(), False

    def samples(self) -> Any:
        """What makes posts of the network as examples: a module `samples`."""
        return import_module(f"{self.package}.samples")

    def to_payload(
        self,
        draft: Draft,
        key: str,
        uploads: tuple[dict[str, Any], ...],
        parents: Parents | None,
        now: datetime,
    ) -> dict[str, Any]:
        """The whole body of the one request that publishes a draft, as JSON. Pure."""
        write = import_module(f"{self.package}.write")
        payload: dict[str, Any] = write.to_payload(draft, key, uploads, parents, now)
        return payload

    def to_update(
        self, draft: Draft, uploads: tuple[dict[str, Any], ...], now: datetime
    ) -> dict[str, Any]:
        """What `Client.update` takes to make a post be as `draft`, as JSON. Pure.

        Only where the manifest says `edits`. `uploads` are those of all its media, in order: of
        the ones that stay and of new ones.
        """
        write = import_module(f"{self.package}.write")
        payload: dict[str, Any] = write.to_update(draft, uploads, now)
        return payload

    def unsent(self, media: Upload | Media, number: int) -> dict[str, Any]:
        """What stands in `to_payload` for an upload that is not made, by a number. Pure."""
        found: dict[str, Any] = import_module(f"{self.package}.write").unsent(media, number)
        return found

    def charges(self, payload: Mapping[str, Any], described: int) -> tuple[str, ...]:
        """The kinds of paid calls that publishing a body takes; none where nothing is paid. Pure.

        `described` is the number of its attachments that have an alt text.
        """
        if not self.paid:
            return ()
        found: tuple[str, ...] = import_module(f"{self.package}.write").charges(payload, described)
        return found

    def spell_url(self, url: str) -> str:
        """A URL as it must stand in plain text to be a link as a whole. Pure."""
        return str(import_module(f"{self.package}.write").spell_url(url))

    def locate(self, url: str, identity: Identity) -> str:
        """The id of a post of an account by its page's address; "" if it is not one. Pure."""
        return str(import_module(f"{self.package}.read").locate(url, identity))

    def declared(self, languages: tuple[str, ...]) -> tuple[str, ...]:
        """Those of a post's languages that its copy declares; all where there is no field. Pure."""
        if not self.languages:
            return languages
        found: tuple[str, ...] = import_module(f"{self.package}.write").declared(languages)
        return found

    def handles(self, mention: Run, account: str) -> tuple[str, ...]:
        """The handles, and identity, of whom a mention in a post of an account means. Pure."""
        found: tuple[str, ...] = import_module(f"{self.package}.read").handles(mention, account)
        return found

    def mention(self, handle: str, name: str) -> Run:
        """A mention of a person; only where the manifest says `live_mentions`. Pure."""
        made: Run = import_module(f"{self.package}.write").mention(handle, name)
        return made

    def matches(self, payload: Mapping[str, Any], key: str, post: Post) -> bool:
        """Whether `post` may be what `payload` became. Pure."""
        return bool(import_module(f"{self.package}.write").matches(payload, key, post))
