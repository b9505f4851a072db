"""One measured round in a process of its own, told on stdin and answered on stdout as JSON.

`ours` runs the program's own passes; `bare` makes the same calls with httpx and two commits a post
at the same durability, and does nothing else.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml


def main() -> None:
    """Prepare, say `ready`, wait for a line, run, print the figures."""
    task = json.loads(sys.stdin.readline())
    run = {"ours": ours, "bare": bare}[task["kind"]](task)
    print("ready", flush=True)
    sys.stdin.readline()
    wall, cpu = time.perf_counter(), time.process_time()
    done = run()
    figures = {
        "posts": done,
        "seconds": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(figures), flush=True)


def ours(task: dict[str, Any]) -> Callable[[], int]:
    """The program: its first run is made, then everything new is read and delivered."""
    from bridge import config, daemon
    from bridge.accounts import Accounts
    from bridge.store import Store
    from bridge.workers import Engine

    folder = Path(task["folder"])
    content: dict[str, Any] = {
        "state": {"file": "state.db", "durability": "process"},
        "accounts": {
            "source": {"network": task["from"], **task["source"]},
            "target": {
                "network": task["to"],
                **task["target"],
                "limits": {"posts_per_hour": 100_000_000},
            },
        },
        "bots": {"bench": {"from": "source", "to": "target", "delay": "0s", "cards": "source"}},
    }
    if task["to"] == "twitter":
        content["accounts"]["target"]["budget"] = {"usd_per_month": 1_000_000}
    (folder / "config.yaml").write_text(yaml.safe_dump(content))
    loaded = config.load(folder / "config.yaml")
    store = Store.open(loaded.state.file, durability=loaded.state.durability)
    engine = Engine(loaded, store, Accounts(loaded, store), report=lambda *_: None)
    daemon.once(engine, store)

    def run() -> int:
        daemon.once(engine, store)
        return sum(n for _, state, n in store.counts() if state == "sent")

    return run


def bare(task: dict[str, Any]) -> Callable[[], int]:
    """The same calls, as short as they can be written."""
    client = httpx.Client(timeout=30)
    reader = READERS[task["from"]](client, task["source"])
    write = WRITERS[task["to"]](client, task["target"])
    db = sqlite3.connect(Path(task["folder"]) / "bare.db")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("CREATE TABLE posts (id TEXT PRIMARY KEY, copy TEXT)")
    db.commit()

    def run() -> int:
        count = 0
        for post_id, text in reader():
            db.execute("INSERT INTO posts VALUES (?, NULL)", (post_id,))
            db.commit()
            copy = write(text, count)
            db.execute("UPDATE posts SET copy=? WHERE id=?", (copy, post_id))
            db.commit()
            count += 1
        return count

    return run


Reader = Callable[[], Iterator[tuple[str, str]]]


def read_mastodon(client: httpx.Client, settings: dict[str, str]) -> Reader:
    head = {"Authorization": f"Bearer {settings['access_token']}"}
    base = settings["server"] + "/api/v1/accounts"
    me = client.get(f"{base}/verify_credentials", headers=head).json()["id"]

    def read() -> Iterator[tuple[str, str]]:
        cursor = "0"
        while page := client.get(
            f"{base}/{me}/statuses", params={"min_id": cursor, "limit": 40}, headers=head
        ).json():
            cursor = page[0]["id"]
            for status in reversed(page):
                yield status["id"], status["content"][3:-4]

    return read


def read_bluesky(client: httpx.Client, settings: dict[str, str]) -> Reader:
    base = settings["service"] + "/xrpc/"
    session = client.post(
        base + "com.atproto.server.createSession",
        json={"identifier": settings["handle"], "password": settings["app_password"]},
    ).json()
    query = {"repo": session["did"], "collection": "app.bsky.feed.post", "limit": 100}

    def read() -> Iterator[tuple[str, str]]:
        client.get(base + "com.atproto.sync.getLatestCommit", params={"did": session["did"]})
        pages: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = client.get(
                base + "com.atproto.repo.listRecords", params={**query, **cursor}
            ).json()
            pages += page["records"]
            if not page.get("cursor") or not page["records"]:
                break
            cursor = {"cursor": page["cursor"]}
        for record in reversed(pages):
            yield record["uri"], record["value"]["text"]

    return read


def read_twitter(client: httpx.Client, settings: dict[str, str]) -> Reader:
    sign = signer(settings)
    url = settings["api"] + "/2/users/me"
    me = client.get(url, headers=sign("GET", url)).json()["data"]["id"]

    def read() -> Iterator[tuple[str, str]]:
        posts, token = [], ""
        while True:
            url = f"{settings['api']}/2/users/{me}/tweets?max_results=100{token}"
            page = client.get(url, headers=sign("GET", url)).json()
            posts += page.get("data", [])
            if "next_token" not in page["meta"]:
                break
            token = "&pagination_token=" + page["meta"]["next_token"]
        for post in reversed(posts):
            yield post["id"], post["text"]

    return read


def signer(settings: dict[str, str]) -> Callable[[str, str], dict[str, str]]:
    from oauthlib.oauth1 import Client

    client: Any = Client(
        settings["api_key"],
        settings["api_key_secret"],
        settings["access_token"],
        settings["access_token_secret"],
    )
    return lambda method, url: client.sign(url, method)[1]


def write_mastodon(client: httpx.Client, settings: dict[str, str]) -> Callable[[str, int], str]:
    head = {"Authorization": f"Bearer {settings['access_token']}"}
    url = settings["server"] + "/api/v1/statuses"

    def write(text: str, number: int) -> str:
        body = {"status": text, "visibility": "public", "sensitive": False}
        key = {"Idempotency-Key": str(number)}
        answer = client.post(url, json=body, headers={**head, **key}).json()
        return str(answer["id"])

    return write


def write_bluesky(client: httpx.Client, settings: dict[str, str]) -> Callable[[str, int], str]:
    base = settings["service"] + "/xrpc/com.atproto."
    session = client.post(
        base + "server.createSession",
        json={"identifier": settings["handle"], "password": settings["app_password"]},
    ).json()
    head = {"Authorization": f"Bearer {session['accessJwt']}"}
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def write(text: str, number: int) -> str:
        record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": at}
        body = {
            "repo": session["did"],
            "collection": "app.bsky.feed.post",
            "rkey": tid(number),
            "record": record,
            "swapRecord": None,
        }
        answer = client.post(base + "repo.putRecord", json=body, headers=head).json()
        return str(answer["uri"])

    return write


def tid(number: int) -> str:
    value, out = (1_700_000_000_000_000 + number) << 10, ""
    for _ in range(13):
        value, digit = divmod(value, 32)
        out = "234567abcdefghijklmnopqrstuvwxyz"[digit] + out
    return out


def write_twitter(client: httpx.Client, settings: dict[str, str]) -> Callable[[str, int], str]:
    sign = signer(settings)
    url = settings["api"] + "/2/tweets"

    def write(text: str, number: int) -> str:
        answer = client.post(url, json={"text": text}, headers=sign("POST", url)).json()
        return str(answer["data"]["id"])

    return write


READERS = {"mastodon": read_mastodon, "bluesky": read_bluesky, "twitter": read_twitter}
WRITERS = {"mastodon": write_mastodon, "bluesky": write_bluesky, "twitter": write_twitter}

if __name__ == "__main__":
    main()
