"""Alerts: told once when something begins, once when it is over, and to nobody else."""

from __future__ import annotations

import json
import logging
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bridge import alerts, cli, config, overview
from bridge.alerts import Condition, Findings, Watch, compare
from bridge.cli import main
from bridge.daemon import Daemon, once, run
from bridge.network import LoginNeeded, Unreachable
from bridge.pulse import Pulse
from bridge.simulation import Fault, Request, Response
from bridge.store import Alert, Recording, RouteKey, Store, Verdict
from bridge.workers import Engine
from tests.receiver import Receiver
from tests.waiting import HANGS
from tests.world import World


def down(match: str) -> Fault:
    """A server that fails on some requests until its faults are cleared."""
    return Fault("answer", match, times=999, status=503, body="<html>down</html>")


class Office:
    """A world whose alerts go to a receiver. Each pass is a process of its own: `once`."""

    def __init__(self, folder: Path, bots: str = "one: {from: m, to: b}") -> None:
        self.receiver = Receiver()
        self.receiver.start()
        self.w = World(folder, bots)
        self.configure(bots)
        self.run()  # the first run takes nothing

    def configure(self, bots: str, *, webhook: bool = True, after: str = "15m") -> None:
        self.w.configure(bots)
        hook = f"webhook: {self.receiver.webhook}, " if webhook else ""
        with self.w.file.open("a") as file:
            file.write(f"\nalerts: {{{hook}after: {after}}}\n")
        self.w.config = config.load(self.w.file)
        self.w.restart()

    def run(self, **later: float) -> None:
        """Some time later, one pass in a new process."""
        self.w.clock.advance(**later)
        self.w.restart()
        once(
            Engine(self.w.config, self.w.store, self.w.accounts, report=lambda *_: None), self.store
        )

    @property
    def store(self) -> Store:
        return self.w.store

    def told(self) -> list[dict[str, Any]]:
        """The messages since this was asked last."""
        found, self.receiver.messages[:] = list(self.receiver.messages), []
        return found

    def one(self, which: str) -> dict[str, Any]:
        """The only alert of the only message: what `began`, or what `ended`."""
        (message,) = self.told()
        other = "ended" if which == "began" else "began"
        assert (message[f"{which}_total"], message[f"{other}_total"]) == (1, 0), message
        (alert,) = message[which]
        return dict(alert)

    def hold(self, text: str, **more: Any) -> None:
        """A post whose copy is held."""
        self.w.say("m", text, **more)
        self.w.read("m")
        self.store.hold_waiting("target<>?", ("",), "late", "older than max_age")

    def close(self) -> None:
        self.w.close()
        self.receiver.stop()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.close()


# What is told


def test_a_held_draft_is_told_once_and_once_when_a_person_has_decided(office: Office) -> None:
    office.w.say("m", "Zu spät für heute")
    office.w.read("m")
    office.run(days=3)
    alert = office.one("began")
    (draft,) = office.store.stopped()
    assert alert["kind"] == "held"
    assert (alert["account"], alert["bot"]) == ("b", "one")
    assert alert["original"] == draft.source_url
    assert "older than the bot's max_age" in alert["reason"]
    assert f"`tribridge outbox retry {draft.id}`" in alert["remedy"]
    assert alert["since"] == office.w.clock().isoformat()
    office.run(hours=1)
    office.run(hours=1)
    assert office.told() == []
    office.store.drop([draft])
    office.run(minutes=1)
    over = office.one("ended")
    assert over == alert
    office.run(minutes=1)
    assert office.told() == []
    assert office.store.alerts() == []


def test_a_draft_that_the_network_refuses_is_told_as_dead(office: Office) -> None:
    office.w.say("m", "Ce mot n'est pas permis")
    office.w.simulator("b").faults.append(Fault("answer", "POST ", status=400, body="{}"))
    office.run(minutes=2)
    alert = office.one("began")
    assert (alert["kind"], alert["account"]) == ("dead", "b")
    assert "the server refused (400)" in alert["reason"]
    assert "outbox drop" in alert["remedy"]
    office.run(minutes=2)
    assert office.told() == []


def test_an_account_that_cannot_be_read_is_told_after_a_while_and_once_it_can(
    office: Office,
) -> None:
    office.w.simulator("m").faults.append(down("GET "))
    office.run(minutes=1)
    office.run(minutes=14)
    assert office.told() == []
    office.run(minutes=1)
    alert = office.one("began")
    assert (alert["kind"], alert["account"], alert["bot"]) == ("stuck", "m", None)
    assert "the server failed (503)" in alert["reason"]
    since = datetime.fromisoformat(alert["since"])
    assert office.w.clock() - since == timedelta(minutes=15)
    office.run(hours=1)
    assert office.told() == []
    office.w.simulator("m").faults.clear()
    office.run(minutes=2)
    assert office.one("ended") == alert


def test_what_passes_by_itself_before_that_is_not_told(office: Office) -> None:
    office.w.simulator("m").faults.append(down("GET "))
    office.run(minutes=1)
    office.run(minutes=10)
    assert len(office.store.alerts()) == 1
    office.w.simulator("m").faults.clear()
    office.run(minutes=2)
    office.run(hours=1)
    assert office.told() == []
    assert office.store.alerts() == []


def test_how_long_is_a_setting(office: Office) -> None:
    office.configure("one: {from: m, to: b}", after="2h")
    office.w.simulator("m").faults.append(down("GET "))
    office.run(minutes=1)
    office.run(minutes=119)
    assert office.told() == []
    office.run(minutes=1)
    assert office.one("began")["kind"] == "stuck"


def test_an_account_that_cannot_be_reached_is_told_once_however_much_waits_for_it(
    office: Office,
) -> None:
    office.w.simulator("b").stop()
    for text in ("Én", "To", "Tre"):
        office.w.say("m", text)
        office.run(minutes=1)
    office.run(minutes=20)
    alert = office.one("began")
    assert (alert["kind"], alert["subject"], alert["account"]) == ("stuck", "b", "b")
    assert "cannot reach" in alert["reason"]
    office.w.say("m", "Fire")
    office.run(minutes=20)
    assert office.told() == []
    office.w.simulator("b").start(int(office.w.simulator("b").url.rsplit(":", 1)[1]))
    office.run(minutes=31)
    assert office.one("ended") == alert
    assert office.w.texts("b") == ["Én", "To", "Tre", "Fire"]


def test_a_draft_that_keeps_failing_by_itself_is_told_after_a_while(office: Office) -> None:
    office.w.say("m", "Svaret kom aldri")
    office.w.simulator("b").faults.append(down("POST "))
    office.run(minutes=1)
    assert office.told() == []
    office.run(minutes=15)
    alert = office.one("began")
    assert (alert["kind"], alert["bot"]) == ("stuck", "one")
    assert alert["subject"].startswith("copy ")
    office.w.simulator("b").faults.clear()
    office.run(minutes=31)
    assert office.one("ended") == alert


def test_a_login_that_fails_is_told_at_once_and_when_it_is_mended(office: Office) -> None:
    office.w.simulator("m").faults.append(
        Fault("answer", "GET ", times=999, status=401, body='{"error": "revoked"}')
    )
    office.run(minutes=1)
    alert = office.one("began")
    assert (alert["kind"], alert["account"]) == ("logged_out", "m")
    assert alert["original"] is None
    assert "renew the login" in alert["remedy"]
    for _ in range(3):
        office.run(hours=2)
    assert office.told() == []
    office.w.simulator("m").faults.clear()
    office.run(minutes=1)
    assert office.one("ended") == alert


def test_a_login_that_fails_for_posting_is_told_once_for_all_that_waits(office: Office) -> None:
    office.w.say("m", "Denne venter på innlogging")
    office.w.say("m", "Denne også")
    office.w.read("m")
    office.w.simulator("b").faults.append(
        Fault(
            "answer",
            "POST /xrpc/com.atproto.repo.putRecord",
            times=99,
            status=401,
            body='{"error": "AccountDeactivated"}',
        )
    )
    office.run(minutes=1)
    alert = office.one("began")
    assert (alert["kind"], alert["subject"], alert["bot"]) == ("logged_out", "b", "one")
    office.w.say("m", "Og denne")
    office.run(hours=1)
    assert office.told() == []
    office.w.simulator("b").faults.clear()
    office.run(hours=1)
    assert office.one("ended") == alert
    assert len(office.w.texts("b")) == 3


def test_an_account_over_its_budget_is_told_once_however_many_posts_are_held(
    office: Office,
) -> None:
    for text in ("Dyr", "Dyrere", "Dyrest"):
        office.w.say("m", text)
    office.w.read("m")
    office.store.hold_waiting("target<>?", ("",), "budget", "the budget of 30 USD is spent")
    office.run(minutes=1)
    alert = office.one("began")
    assert (alert["kind"], alert["subject"]) == ("over_budget", "b")
    assert "`budget.usd_per_month`" in alert["remedy"]
    assert "`tribridge outbox retry --bot one`" in alert["remedy"]
    office.store.release(office.store.stopped())
    office.run(minutes=1)
    assert office.one("ended") == alert


def test_a_budget_that_is_spent_is_told_and_that_there_is_more(tmp_path: Path) -> None:
    office = Office(tmp_path, "one: {from: m, to: x}\ntwo: {from: x, to: b}")
    for usd, which in ((0.001, "began"), (30, "ended")):
        office.w.settings["x"]["budget"] = {"usd_per_month": usd}
        office.configure("one: {from: m, to: x}\ntwo: {from: x, to: b}")
        office.store.release(office.store.stopped())
        office.w.say("m", f"Koster {usd}")
        office.run(minutes=2)
        office.run(minutes=20)
        alert = office.one(which)
        assert (alert["kind"], alert["subject"]) == ("over_budget", "x")
        assert "the budget of x is spent" in alert["reason"]
    assert len(office.w.texts("x")) == 2
    office.close()


def test_a_copy_is_one_alert_whatever_its_parts(office: Office) -> None:
    office.hold("Ein Satz, der nicht enden will. " * 14)
    assert len(office.store.stopped()) > 1
    office.run(minutes=1)
    assert office.one("began")["kind"] == "held"


def test_of_a_copy_whose_parts_stopped_for_several_reasons_the_first_is_told(
    office: Office,
) -> None:
    office.w.say("m", "Ein Satz, der nicht enden will. " * 15)
    office.w.read("m")
    first, *rest = office.store.drafts_of(*_way(office))
    office.store.stop(first, "dead", "not like this", "refused")
    for part in rest:
        office.store.stop(part, "held", "the part before it is dead", "parent")
    assert rest
    office.run(minutes=1)
    alert = office.one("began")
    assert (alert["kind"], alert["reason"]) == ("dead", "not like this")


def _way(office: Office) -> tuple[str, str, str]:
    """Target, source and post of the only copy that waits."""
    (copy,) = {
        (draft.target, draft.source, draft.source_id)
        for draft in office.store._drafts("state='queued'", ())
    }
    return copy


def test_a_post_that_may_be_our_own_copy_is_told(office: Office) -> None:
    route = RouteKey("one", "mastodon:host/1", "bluesky:did:plc:2")
    held = Verdict(route, "77", "77", "held", "may be our own copy", "https://host/@anna/77")
    office.store.record(Recording(verdicts=[held]), office.w.clock())
    office.run(minutes=1)
    alert = office.one("began")
    assert (alert["kind"], alert["original"]) == ("held", "https://host/@anna/77")
    assert alert["subject"] == "post mastodon:host/1 77"
    skipped = replace(held, verdict="skipped", reason="by hand")
    office.store.record(Recording(verdicts=[skipped], overrule=True), office.w.clock())
    office.run(minutes=1)
    assert office.one("ended") == alert


def test_posts_that_wait_as_they_should_are_not_told(office: Office) -> None:
    office.w.say("m", "Venter på at roboten blir med igjen")
    office.w.read("m")
    office.configure("one: {from: m, to: b, mode: disabled}")
    office.run(minutes=1)
    (draft,) = office.store.troubled()
    assert draft.code == "mode"
    office.run(hours=2)
    assert office.told() == []


def test_errors_of_accounts_that_no_bot_uses_any_more_are_over(office: Office) -> None:
    office.w.simulator("m").faults.append(Fault("answer", "GET ", times=999, status=401, body="{}"))
    office.run(minutes=1)
    assert office.one("began")["kind"] == "logged_out"
    office.configure("one: {from: m, to: b, mode: disabled}")
    office.run(minutes=1)
    assert office.one("ended")["account"] == "m"


def test_a_thousand_held_drafts_are_one_message(office: Office) -> None:
    for number in range(1000):
        office.w.say("m", f"Nyhet nummer {number}")
    office.w.read("m")
    office.store.hold_waiting("target<>?", ("",), "breaker", "too many posts in an hour")
    assert len(office.store.stopped()) == 1000
    office.run(minutes=1)
    (message,) = office.told()
    assert (message["began_total"], len(message["began"])) == (1000, alerts.MOST)
    assert message["text"].startswith("Tribridge: 1000 held\n")
    assert "and 995 more" in message["text"]
    office.run(minutes=1)
    assert office.told() == []
    office.store.drop(office.store.stopped())
    office.run(minutes=1)
    (message,) = office.told()
    assert (message["began_total"], message["ended_total"]) == (0, 1000)


# When the webhook is away


def held_and_watched(office: Office) -> Watch:
    """A watch that lives long, as the daemon has it, with something to tell."""
    office.hold("Ingen hører dette ennå")
    return Watch(office.w.config, office.store, office.w.clock, jitter=lambda: 0.5)


def test_a_webhook_that_is_away_for_an_hour_is_not_flooded_and_then_told(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tribridge")
    watch = held_and_watched(office)
    office.receiver.status = 500
    for _ in range(240):
        watch.check({})
        office.w.clock.advance(seconds=15)
    assert 5 < sum(office.receiver.requests.values()) < 12
    assert [r.message for r in caplog.records if "webhook" in r.message] == [
        "alerts: the webhook answered 500; what it was to say is kept and tried again"
    ]
    (draft,) = office.store.stopped()
    office.store.drop([draft])  # begun and over before anyone was told
    office.hold("Denne gjelder fremdeles")
    office.receiver.status = 200
    for _ in range(240):
        watch.check({})
        office.w.clock.advance(seconds=15)
    alert = office.one("began")
    assert alert["original"] == office.store.stopped()[0].source_url
    assert "alerts: told that 1 began and 0 ended" in caplog.text


def test_an_end_is_kept_until_the_webhook_has_taken_it(office: Office) -> None:
    watch = held_and_watched(office)
    watch.check({})
    alert = office.one("began")
    office.store.drop(office.store.stopped())
    office.receiver.faults.append(Fault("drop_before"))
    watch.check({})
    assert office.told() == []
    assert len(office.store.alerts()) == 1
    office.run(minutes=1)
    assert office.one("ended") == alert


@pytest.mark.parametrize("status", [302, 307, 404])
def test_only_a_2xx_counts_and_redirects_are_not_followed(office: Office, status: int) -> None:
    watch = held_and_watched(office)
    office.receiver.status = status
    watch.check({})
    assert sum(office.receiver.requests.values()) == 1
    (alert,) = office.store.alerts()
    assert alert.told_at is None


def test_a_check_with_nothing_new_writes_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = held_and_watched(office)
    watch.check({})

    def write(self: Store) -> Any:
        raise AssertionError("nothing is to be written")

    monkeypatch.setattr(Store, "write", write)
    for _ in range(5):
        office.w.clock.advance(seconds=15)
        watch.check({})
    assert len(office.told()) == 1


def test_without_a_webhook_what_is_stuck_is_kept_for_status_and_told_once_there_is_one(
    office: Office,
) -> None:
    office.configure("one: {from: m, to: b}", webhook=False)
    office.hold("Først uten krok")
    office.run(minutes=1)
    assert sum(office.receiver.requests.values()) == 0
    assert [a["told"] for a in overview.status(office.w.config, office.store)["alerts"]] == [None]
    office.configure("one: {from: m, to: b}")
    office.run(minutes=1)
    assert office.one("began")["kind"] == "held"
    office.configure("one: {from: m, to: b}", webhook=False)
    office.store.drop(office.store.stopped())
    office.run(minutes=1)
    assert office.store.alerts() == []


# The daemon: in real time, since its schedule is


class Silent(Receiver):
    """Never answers; says when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.faults.append(Fault("hang", times=999))

    def answer(self, request: Request) -> tuple[Response | None, Fault | None]:
        try:
            return super().answer(request)
        finally:
            self.asked.set()


@pytest.fixture
def silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Office, Daemon, Silent]]:
    monkeypatch.setattr("bridge.daemon.ALERTS_EVERY", 0.05)
    office = Office(tmp_path)
    office.receiver.stop()
    receiver = office.receiver = Silent()
    receiver.start()
    office.configure("one: {from: m, to: b, every: 1s}")
    office.hold("Ingen svarer")
    daemon = Daemon(office.w.config, office.store, office.w.accounts, report=lambda *_: None)
    yield office, daemon, receiver
    receiver.stop()  # cuts the request, so that the thread ends
    daemon._aside.wait()
    office.w.close()


def test_a_webhook_that_hangs_keeps_no_post_waiting(silent: tuple[Office, Daemon, Silent]) -> None:
    office, daemon, receiver = silent
    daemon.start()
    assert receiver.asked.wait(HANGS)
    office.w.say("m", "Kommer frem likevel")
    daemon.engine.read(office.w.config.bots["one"])
    daemon.engine.lanes.wait()
    assert office.w.texts("b") == ["Kommer frem likevel"]
    assert daemon.stop()
    (alert,) = office.store.alerts()
    assert alert.told_at is None


def test_a_webhook_that_hangs_does_not_delay_the_end(
    silent: tuple[Office, Daemon, Silent], caplog: pytest.LogCaptureFixture
) -> None:
    _, daemon, receiver = silent
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def end() -> None:
        assert receiver.asked.wait(HANGS)
        main_thread = threading.main_thread().ident
        assert main_thread is not None
        signal.pthread_kill(main_thread, signal.SIGTERM)  # other threads of the tests take it too

    ending = threading.Thread(target=end)
    left: list[int] = []
    try:
        ending.start()
        run(daemon, leave=left.append)
    finally:
        ending.join()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert left == [0]
    assert "still under way" not in caplog.text


def test_the_daemon_tells_what_is_stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.daemon.ALERTS_EVERY", 0.05)
    office = Office(tmp_path)
    office.hold("Dagen derpå")
    told = threading.Event()
    handle = office.receiver.handle

    def noted(request: Request) -> Response:
        told.set()
        return handle(request)

    monkeypatch.setattr(office.receiver, "handle", noted)
    daemon = Daemon(office.w.config, office.store, office.w.accounts, report=lambda *_: None)
    daemon.start()
    assert told.wait(HANGS)
    assert daemon.stop()
    daemon._aside.wait()
    assert office.one("began")["kind"] == "held"
    office.close()


# Secrets


def secrets_in_use(office: Office) -> list[str]:
    found = config.secrets_of(office.w.config)
    assert len(found) >= 10
    assert any("hemmelig-91" in secret for secret in found)
    return found


def test_no_secret_is_in_a_message_even_if_a_server_repeats_it(office: Office) -> None:
    token = office.w.settings["m"]["access_token"]
    office.hold("Holdt")
    office.w.simulator("m").faults.append(
        Fault("answer", "GET ", times=99, status=401, body=json.dumps({"error": f"not {token}"}))
    )
    office.run(minutes=1)
    told = json.dumps(office.told())
    assert "not [secret]" in told
    assert "older than max_age" in told
    status = json.dumps(overview.status(office.w.config, office.store)["alerts"])
    for secret in secrets_in_use(office):
        assert secret not in told
        assert secret not in status


def test_the_webhook_is_in_no_output_or_repr(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.receiver.status = 404
    office.hold("Holdt")
    office.run(minutes=1)
    office.store.close()
    said = repr(office.w.config) + caplog.text
    for command in (["status"], ["status", "--json"], ["alerts", "test"], ["check"]):
        done = CliRunner().invoke(main, [*command, "--config", str(office.w.file)])
        said += done.output
    assert "hook answered 404" in said
    for part in ("geheimnis-7f3a", "hemmelig-91"):
        assert part not in said


def test_the_webhook_is_blotted_out_of_the_log(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    try:
        cli._log_to_stderr("human", office.w.config)
        logging.getLogger("tribridge").warning("cannot POST %s", office.receiver.webhook)
        path = office.receiver.webhook.removeprefix(office.receiver.url)
        logging.getLogger("tribridge").warning("no such page: %s", path)
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
    said = capsys.readouterr().err
    assert said.count("[secret]") == 2
    assert "hemmelig-91" not in said


# The command


def alerts_test(office: Office) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["alerts", "test", "--config", str(office.w.file)])
    return done.exit_code, done.output


def test_the_webhook_can_be_tried(office: Office) -> None:
    assert alerts_test(office) == (0, "the webhook took the test message\n")
    (message,) = office.told()
    assert "a test of alerts" in message["text"]
    assert (message["began_total"], message["ended_total"]) == (0, 0)
    office.receiver.status = 404
    assert alerts_test(office) == (1, "the webhook answered 404; check alerts.webhook\n")
    office.receiver.stop()
    code, said = alerts_test(office)
    assert (code, "cannot reach 127.0.0.1" in said) == (1, True)


def test_without_a_webhook_the_test_says_how_to_set_one(office: Office) -> None:
    office.configure("one: {from: m, to: b}", webhook=False)
    code, said = alerts_test(office)
    assert (code, "set alerts.webhook" in said) == (1, True)


def test_status_shows_a_line_for_each_alert_that_is_due(office: Office) -> None:
    office.hold("Holdt for alltid")
    office.run(minutes=1)
    text = overview.status_text(overview.status(office.w.config, office.store))
    (line,) = text.split("\nAlerts\n")[1].splitlines()
    (draft,) = office.store.stopped()
    assert line == (
        f"  held: {draft.source_url} -> b: older than max_age (since 2026-11-22 12:01:01 UTC)"
    )


def test_status_does_not_show_what_may_still_pass(office: Office) -> None:
    now = datetime.now(UTC)
    (begun,) = compare(Findings((condition("stuck"),)), [], now, AFTER).new
    office.store.save_alerts([begun], [])
    assert overview.status(office.w.config, office.store)["alerts"] == []


# The functions

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AFTER = timedelta(minutes=15)


def condition(kind: Any, subject: str = "b", account: str = "b") -> Condition:
    return Condition(kind, subject, account, "reason", "remedy")


def known(kind: Any, *, told: bool, ago: int = 0) -> Alert:
    (new,) = compare(Findings((condition(kind),)), [], NOW - timedelta(minutes=ago), AFTER).new
    return Alert(new.kind, new.subject, new.text, new.began_at, NOW if told else None)


@pytest.mark.parametrize(
    ("kind", "ago", "tell"),
    [("held", 0, True), ("dead", 0, True), ("stuck", 14, False), ("stuck", 15, True)],
)
def test_when_a_beginning_is_due(kind: str, ago: int, tell: bool) -> None:
    news = compare(Findings((condition(kind),)), [known(kind, told=False, ago=ago)], NOW, AFTER)
    assert (news.new, news.dropped, news.ended) == ((), (), ())
    assert bool(news.began) == tell


def test_an_account_that_is_just_being_tried_again_is_not_over() -> None:
    """Else one attempt in the moment of a check would tell an end, and the next a beginning."""
    told = known("logged_out", told=True)
    assert compare(Findings((), frozenset("b")), [told], NOW, AFTER).ended == ()
    assert compare(Findings((), frozenset("x")), [told], NOW, AFTER).ended == (told,)


def test_a_draft_that_is_just_being_tried_again_marks_its_account_as_tried(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.w.say("m", "Prøves om igjen")
    office.w.simulator("b").faults.append(
        Fault("answer", "POST ", times=1, status=401, body='{"error": "AccountDeactivated"}')
    )
    office.run(minutes=1)
    assert office.one("began")["kind"] == "logged_out"
    (draft,) = office.store.troubled()
    office.store.sending(draft, {}, "", office.w.clock())
    watch = Watch(office.w.config, office.store, office.w.clock)
    watch.check({})
    assert office.told() == []
    assert len(office.store.alerts()) == 1


def test_reading_for_one_bot_does_not_hide_that_the_account_cannot_be_read_for_another(
    office: Office,
) -> None:
    """An account that is a source of one bot is a target of another: both say how it is."""
    pulse, now = Pulse(), office.w.clock()
    pulse.read("m", ["one"], ["m", "b"], now, {"m": LoginNeeded("revoked")})
    pulse.read("b", ["two"], ["b", "m"], now, {})
    found = alerts.find(office.w.config, [], [], pulse.accounts(), {}, [])
    assert [(c.kind, c.subject) for c in found.conditions] == [("logged_out", "m")]


def test_a_source_that_fails_says_nothing_of_the_accounts_that_were_not_asked_then(
    office: Office,
) -> None:
    pulse, now = Pulse(), office.w.clock()
    pulse.read("m", ["one"], ["m", "b"], now, {"b": LoginNeeded("revoked")})
    pulse.read("m", ["one"], ["m", "b"], now, {"m": Unreachable("cannot reach it")})
    found = alerts.find(office.w.config, [], [], pulse.accounts(), {}, [])
    assert {(c.kind, c.subject) for c in found.conditions} == {("logged_out", "b"), ("stuck", "m")}


def test_an_account_that_is_only_read_does_not_fail_at_what_it_was_used_for_before(
    office: Office,
) -> None:
    pulse, now = Pulse(), office.w.clock()
    pulse.read("b", ["two"], ["b", "m"], now, {"b": Unreachable("down"), "m": LoginNeeded("no")})
    pulse.delivered("m", now, Unreachable("down"))
    assert alerts.find(office.w.config, [], [], pulse.accounts(), {}, ["m"]).conditions == ()


def test_an_account_that_is_logged_out_is_not_stuck_too(office: Office) -> None:
    pulse, now = Pulse(), office.w.clock()
    pulse.read("m", ["one"], ["m"], now, {"m": Unreachable("cannot reach it")})
    pulse.read("b", ["two"], ["b", "m"], now, {"m": LoginNeeded("revoked")})
    office.w.configure("one: {from: m, to: b}\ntwo: {from: b, to: m}")
    found = alerts.find(office.w.config, [], [], pulse.accounts(), {}, [])
    assert [(c.kind, c.subject) for c in found.conditions] == [("logged_out", "m")]


def test_what_could_not_be_delivered_matters_only_while_something_waits(office: Office) -> None:
    pulse, now = Pulse(), office.w.clock()
    pulse.delivered("b", now, Unreachable("cannot reach it"))
    names = {"bluesky:did:plc:1": "b"}
    runs = pulse.accounts()
    assert alerts.find(office.w.config, [], [], runs, names, []).conditions == ()
    (found,) = alerts.find(office.w.config, [], [], runs, names, list(names)).conditions
    assert (found.kind, found.subject) == ("stuck", "b")


# The settings


@pytest.mark.parametrize(
    ("webhook", "says"),
    [
        ("http://hooks.example/geheim", "must begin with https://"),
        ("ftp://hooks.example/geheim", "takes an address such as"),
        ("geheim", "takes an address such as"),
        ("https://anna:geheim@hooks.example/x", "may not hold a user name or password"),
        ("https://hooks.example/ge heim", "there is a space"),
    ],
)
def test_a_webhook_that_is_no_safe_address_is_refused_without_repeating_it(
    office: Office, webhook: str, says: str
) -> None:
    office.w.configure("one: {from: m, to: b}")
    office.w.file.write_text(f"{office.w.file.read_text()}\nalerts:\n  webhook: '{webhook}'\n")
    with pytest.raises(config.ConfigError) as caught:
        config.load(office.w.file)
    assert says in str(caught.value)
    assert "heim" not in str(caught.value)
