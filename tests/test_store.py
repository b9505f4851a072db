from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.post import Draft, Ref, Run, idempotency_key
from bridge.store import (
    AlreadyRunning,
    Closed,
    NewDraft,
    Recording,
    RouteKey,
    StateError,
    Store,
    Verdict,
)
from tests.waiting import HANGS

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROUTE = RouteKey("newsroom", "mastodon:a.example/1", "bluesky:did:plc:b")


def draft(text: str = "hei", part: int = 1, parts: int = 1, reply_to: Ref | None = None) -> Draft:
    return Draft((Run(text),), NOW, part=part, parts=parts, reply_to=reply_to)


def new(source_id: str, one: Draft | None = None, route: RouteKey = ROUTE) -> NewDraft:
    one = one or draft()
    key = idempotency_key(route.target, route.source, source_id, one.part, 0)
    origin = Ref(source_id, route.source, f"https://a.example/{source_id}")
    return NewDraft(route, origin, None, key, one)


def queue(store: Store, *drafts: NewDraft) -> None:
    store.record(Recording(drafts=list(drafts)), NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.open(tmp_path / "state" / "tribridge.db")) as opened:
        yield opened


def test_a_page_is_recorded_whole_or_not_at_all(store: Store) -> None:
    page = Recording(
        verdicts=[Verdict(ROUTE, "7", "", "queued")], drafts=[new("7")], cursors={ROUTE: "7"}
    )
    broken = Recording(drafts=[new("8")], cursors={ROUTE: None})  # type: ignore[dict-item]
    broken.cursors[ROUTE] = object()  # type: ignore[assignment]
    store.record(page, NOW)
    with pytest.raises(sqlite3.Error):
        store.record(broken, NOW)
    assert store.cursor(ROUTE) == ("7", NOW)
    assert [d.source_id for d in store.drafts_of(ROUTE.target, ROUTE.source, "7")] == ["7"]
    assert store.drafts_of(ROUTE.target, ROUTE.source, "8") == []
    assert store.seen(ROUTE, ["7", "8"]) == {"7": {""}}


def test_a_cursor_keeps_the_time_of_the_first_run(store: Store) -> None:
    store.record(Recording(cursors={ROUTE: "1"}), NOW)
    store.record(Recording(cursors={ROUTE: "2"}), NOW + timedelta(hours=1))
    assert store.cursor(ROUTE) == ("2", NOW)


def test_the_second_bot_that_wants_a_copy_is_told_who_was_first(store: Store) -> None:
    other = RouteKey("archive", ROUTE.source, ROUTE.target)
    for route in (ROUTE, other):
        store.record(
            Recording(verdicts=[Verdict(route, "7", "", "queued")], drafts=[new("7", route=route)]),
            NOW,
        )
    assert [(v.route.bot, v.verdict, v.reason) for v in store.verdicts()] == [
        ("newsroom", "queued", ""),
        ("archive", "skipped", "already queued by newsroom"),
    ]
    assert len(store.drafts_of(ROUTE.target, ROUTE.source, "7")) == 1


def test_drafts_come_out_in_order_and_one_in_doubt_first(store: Store) -> None:
    queue(store, new("1"), new("2"))
    first = store.next_draft(ROUTE.target, NOW)
    assert first is not None
    assert first.source_id == "1"
    store.put_off(first, NOW + timedelta(seconds=5), "no picture yet", code="media", state="queued")
    second = store.next_draft(ROUTE.target, NOW)
    assert second is not None
    assert second.source_id == "2"
    store.sending(second, {"text": "x"}, "", NOW)
    again = store.next_draft(ROUTE.target, NOW + timedelta(seconds=6))
    assert again is not None
    assert (again.source_id, again.state, again.payload) == ("2", "sending", {"text": "x"})


def test_nothing_overtakes_a_draft_that_blocks_its_account(store: Store) -> None:
    queue(store, new("1"), new("2"))
    first = store.next_draft(ROUTE.target, NOW)
    assert first is not None
    later = NOW + timedelta(minutes=5)
    store.put_off(first, later, "slow down", code="", state="queued", blocks="account", failed=True)
    assert store.next_draft(ROUTE.target, NOW) is None
    assert store.next_time(ROUTE.target) == later
    due = store.next_draft(ROUTE.target, later)
    assert due is not None
    assert (due.source_id, due.attempts, due.error) == ("1", 1, "slow down")


def test_a_start_tries_again_what_waited_for_a_login_but_nothing_else(store: Store) -> None:
    queue(store, new("1"))
    found = store.next_draft(ROUTE.target, NOW)
    assert found is not None
    later = NOW + timedelta(hours=1)
    store.put_off(found, later, "token expired", code="", state="queued", blocks="login")
    store.forget_login_waits()
    assert store.next_draft(ROUTE.target, NOW) is not None
    store.put_off(found, later, "slow down", code="", state="queued", blocks="account")
    store.forget_login_waits()
    assert store.next_draft(ROUTE.target, NOW) is None


def test_a_copy_and_its_link_are_recorded_together(store: Store) -> None:
    queue(store, new("7"))
    found = store.next_draft(ROUTE.target, NOW)
    assert found is not None
    store.sending(found, {}, "", NOW)
    root = Ref("r", uri="at://root", cid="c0")
    store.sent(found, Ref("3k", ROUTE.target, "https://b.example/3k", "at://x", "c1"), root, NOW)
    assert store.next_draft(ROUTE.target, NOW) is None
    copies = store.copies(ROUTE.source, "7")
    assert {(c.role, c.ref.id) for c in copies} == {("origin", "7"), ("copy", "3k")}
    link = store.links(ROUTE.target, ["3k", "unknown"])
    assert link["3k"].origin_id == "7"
    assert link["3k"].root == Ref("r", uri="at://root", cid="c0")
    assert list(link) == ["3k"]


def test_the_time_of_doubt_is_that_of_the_first_uncertain_attempt(store: Store) -> None:
    queue(store, new("7"))
    found = store.next_draft(ROUTE.target, NOW)
    assert found is not None
    store.sending(found, {}, "100", NOW)
    later = NOW + timedelta(minutes=2)
    doubtful = store.next_draft(ROUTE.target, later)
    assert doubtful is not None
    store.sending(doubtful, {}, "105", later)
    again = store.next_draft(ROUTE.target, later)
    assert again is not None
    assert (again.doubted_at, again.attempted_at, again.newest) == (NOW, later, "100")


def test_drafts_that_may_stand_are_those_on_their_way_or_attempted(store: Store) -> None:
    queue(store, new("sending"), new("held"), new("fresh"), new("old"))
    for name in ("sending", "held", "old"):
        (found,) = store.drafts_of(ROUTE.target, ROUTE.source, name)
        at = NOW - timedelta(days=9) if name == "old" else NOW
        store.sending(found, {}, "", at)
        if name != "sending":
            store.stop(found, "held", "in doubt", "doubt")
    doubtful = store.doubtful(ROUTE.target, NOW - timedelta(days=7))
    assert [d.source_id for d in doubtful] == ["sending", "held"]


def test_a_renamed_bot_keeps_its_memory(store: Store) -> None:
    store.record(Recording([Verdict(ROUTE, "7", "", "queued")], [new("7")], {ROUTE: "7"}), NOW)
    assert store.rename_bot("newsroom", "desk")
    moved = RouteKey("desk", ROUTE.source, ROUTE.target)
    assert store.cursor(moved) == ("7", NOW)
    assert store.seen(moved, ["7"]) == {"7": {""}}
    assert store.drafts_of(ROUTE.target, ROUTE.source, "7")[0].bot == "desk"
    assert not store.rename_bot("newsroom", "desk")


def test_four_threads_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "t.db", durability="process")
    failures: list[BaseException] = []

    def write(worker: int) -> None:
        try:
            for number in range(50):
                route = RouteKey(f"bot{worker}", ROUTE.source, ROUTE.target)
                queue(store, new(f"{worker}-{number}", route=route))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.counts() == [(ROUTE.target, "queued", 200)]
    store.close()


def _under_way(store: Store, use: Callable[[Callable[[], None]], object]) -> list[object]:
    """What comes of a use in a thread within which `close` is called, and whether it was first."""
    found: list[object] = []
    begun = threading.Event()

    def wait_for_close() -> None:
        begun.set()
        while not store._closed:
            threading.Event().wait(0.001)

    thread = threading.Thread(target=lambda: found.append(use(wait_for_close)))
    thread.start()
    assert begun.wait(HANGS)
    store.close()
    found.append("closed")
    thread.join()
    return found


def test_a_read_that_is_under_way_ends_before_the_state_closes(store: Store) -> None:
    # SQLite's connection must not go from under a thread that reads: the process would end
    def read(wait: Callable[[], None]) -> object:
        store._db().conn.create_function("waited", 1, lambda number: wait() or number)
        return store._rows("SELECT waited(value) FROM json_each('[7, 8, 9]')")

    assert _under_way(store, read) == [[(7,), (8,), (9,)], "closed"]


def test_a_transaction_that_is_under_way_ends_too_with_what_it_reads(
    store: Store, tmp_path: Path
) -> None:
    def write(wait: Callable[[], None]) -> object:
        with store.write() as db:
            wait()
            db.conn.execute("PRAGMA user_version=7")
            return store.verdicts()

    assert _under_way(store, write) == [[], "closed"]
    with closing(sqlite3.connect(tmp_path / "state" / "tribridge.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (7,)


def test_what_comes_after_the_end_is_told_and_opens_nothing(store: Store) -> None:
    changed = store.watch()
    store.close()
    for late in (
        store.verdicts,
        store.watch,
        changed,
        lambda: queue(store, new("7")),
        store.schema,
    ):
        with pytest.raises(Closed, match="is closed, since the program ends"):
            late()
    assert store._connections == []


@pytest.mark.slow
@pytest.mark.parametrize("durability", ["power-loss", "process"])
def test_four_workers_writing_for_a_minute_are_never_locked_out(
    tmp_path: Path, durability: str
) -> None:
    store = Store.open(tmp_path / "t.db", durability=durability)
    end = time.monotonic() + 60
    written: list[int] = []
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        target = f"bluesky:{worker}"
        route = RouteKey(f"bot{worker}", ROUTE.source, target)
        number = 0
        try:
            while time.monotonic() < end:
                queue(store, new(f"{worker}-{number}", route=route))
                found = store.next_draft(target, NOW)
                assert found is not None
                store.sending(found, {}, "", NOW)
                store.sent(found, Ref(f"c{worker}-{number}", target), None, NOW)
                number += 1
        except BaseException as error:
            failures.append(error)
        written.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert min(written) > 10
    assert sum(n for _, state, n in store.counts() if state == "sent") == sum(written)
    print(f"{durability}: {sum(written)} posts")
    store.close()


def test_a_second_process_is_refused_and_told_who_was_first(tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    store = Store.open(file)
    store.own("run")
    code = (
        "import sys; from pathlib import Path; from bridge.store import *\n"
        "s = Store.open(Path(sys.argv[1]))\n"
        "try: s.own('once')\n"
        "except AlreadyRunning as e: print(e)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    ).stdout
    assert "`tribridge run`, process" in told
    store.close()
    second = Store.open(file)
    second.own("once")
    with (
        closing(Store.open(file)) as third,
        pytest.raises(AlreadyRunning, match="`tribridge once`"),
    ):
        third.own("run")
    second.close()


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    Store.open(file).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('bridge.store', 'm999_future', '2030-01-01')"
        )
    before = file.read_bytes()
    for opening in (Store.open, Store.open_for_reading, Store.in_memory):
        with pytest.raises(StateError, match="newer version of tribridge"):
            opening(file)
    assert file.read_bytes() == before


def test_a_file_that_is_something_else_is_named_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    file.write_bytes(b"these are somebody's holiday notes, not a database" * 50)
    before = file.read_bytes()
    with pytest.raises(StateError, match="no state file of tribridge"):
        Store.open(file)
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StateError, match="cannot make the state folder"):
        Store.open(tmp_path / "file" / "t.db")


def test_a_copy_in_memory_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    store = Store.open(file)
    queue(store, new("7"))
    store.close()
    before = file.read_bytes()
    copy = Store.in_memory(file)
    assert len(copy.drafts_of(ROUTE.target, ROUTE.source, "7")) == 1
    queue(copy, new("8"))
    assert copy.drafts_of(ROUTE.target, ROUTE.source, "8")
    copy.close()
    assert file.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.db", "t.db.lock"]


def test_reading_makes_no_file(tmp_path: Path) -> None:
    assert Store.open_for_reading(tmp_path / "none.db") is None
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_for_its_owner_only(store: Store) -> None:
    assert store.file is not None
    assert store.file.stat().st_mode & 0o777 == 0o600


def test_sessions_are_found_by_the_name_of_the_account(store: Store) -> None:
    assert store.session("masto") is None
    store.save_session("mastodon:a.example/1", "secret")
    store.know_account("masto", "mastodon", "mastodon:a.example/1", "@a", "https://a.example/@a")
    assert store.session("masto") == "secret"
