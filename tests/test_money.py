"""What paid calls cost: reserved before, settled after, within the budget, told to the cent."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bridge.cli import main
from bridge.costs import costs, costs_text
from bridge.ledger import next_month
from bridge.network import OverBudget
from bridge.networks.twitter import prices
from bridge.networks.twitter.client import TwitterClient
from bridge.networks.twitter.simulator import PRICES
from bridge.simulation import Fault
from bridge.workers import Engine
from tests.test_mirroring import png
from tests.world import World, world

OUT = "out: {from: m, to: x}\nfree: {from: m, to: b}"
READ = "in: {from: x, to: b}"
FIRST = date(2026, 1, 1)
#: price of a first login, and what is kept for a small reading and for a full page
LOGIN, SMALL, FULL = 0.01, 0.015, 0.11


def booked(w: World, account: str = "x") -> dict[str, tuple[float, float]]:
    """Every kind of call of an account with what is spent and reserved, over all days."""
    found: dict[str, tuple[float, float]] = {}
    identity = w.store.accounts().get(account, {}).get("identity", f"name:{account}")
    for row in w.store.spent_since(FIRST):
        if row.identity == identity:
            spent, reserved = found.get(row.kind, (0, 0))
            found[row.kind] = (round(spent + row.spent, 6), round(reserved + row.reserved, 6))
    return found


def total(w: World) -> float:
    return round(sum(spent for spent, _ in booked(w).values()), 6)


def budget(w: World, usd: float, account: str = "x", bots: str = OUT, **more: Any) -> None:
    """Another budget, and a start with it."""
    w.settings[account] |= {"budget": {"usd_per_month": usd}, **more}
    w.configure(bots)
    w.restart()


def held(w: World) -> list[tuple[str, str, str]]:
    return [(d.state, d.code, d.draft.text) for d in w.store.troubled()]


# Each kind of call


def test_the_prices_are_those_that_the_simulator_takes() -> None:
    same = {
        "post": "create",
        "post_with_url": "create with URL",
        "delete": "delete",
        "repost": "repost",
        "media_metadata": "media metadata",
        "owned_read": "owned read",
        "post_read": "post read",
        "user_read": "user read",
    }
    assert {ours: PRICES[theirs] for ours, theirs in same.items()} == prices.PRICES
    assert prices.MEANINGS.keys() == prices.PRICES.keys()


@pytest.mark.parametrize(
    ("text", "more", "cost"),
    [
        ("Ferja går igjen", {}, {"post": 0.015}),
        ("Rutetabell: https://ferje.example.com/rute", {}, {"post_with_url": 0.2}),
        ("Rutetabell på ferje.example.com", {}, {"post_with_url": 0.2}),
        ("Skriv til post@ferje.example.com", {}, {"post": 0.015}),
        ("Kaia", {"images": [(png(), "Kaia i sol")]}, {"post": 0.015, "media_metadata": 0.005}),
        ("Kaia", {"images": [(png(), "")]}, {"post": 0.015}),
        ("Lang. " * 60, {}, {"post": 0.03}),
    ],
)
def test_a_copy_is_booked_at_what_x_charges(
    tmp_path: Path, text: str, more: Any, cost: dict[str, float]
) -> None:
    with world(tmp_path, OUT) as w:
        w.turn()
        w.say("m", text, **more)
        w.turn()
        assert len(w.copies("x")) == (2 if len(text) > 280 else 1)
        sums = booked(w)
        assert sums.pop("user_read") == (LOGIN, 0)
        assert sums.pop("owned_read") == (0, SMALL)
        assert sums == {kind: (usd, 0) for kind, usd in cost.items()}
        assert total(w) == w.networks["twitter"].spent


def test_what_is_read_is_booked_post_by_post_once_a_day(tmp_path: Path) -> None:
    with world(tmp_path, READ) as w:
        w.turn()
        assert booked(w) == {"user_read": (LOGIN, 0), "owned_read": (0, FULL)}
        w.say("x", "En")
        other = w.simulator("x").say("kari", "Fra en annen")
        w.say("x", "To, om en annens", quote=other)
        w.turn()
        assert booked(w) == {
            "user_read": (LOGIN, 0),
            "owned_read": (0.002, FULL),
            "post_read": (0.005, 0),
        }
        w.clock.advance(days=1)
        w.say("x", "Tre")
        w.turn()
        # the account comes along and is charged again; what was kept for yesterday is given back
        assert booked(w) == {
            "user_read": (2 * LOGIN, 0),
            "owned_read": (0.003, FULL),
            "post_read": (0.005, 0),
        }
        assert total(w) == w.networks["twitter"].spent


def test_an_empty_poll_writes_once_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, READ) as w:
        w.turn()
        writes: list[int] = []
        write = w.store.write
        monkeypatch.setattr(w.store, "write", lambda: (writes.append(1), write())[1])
        w.rest(3)
        assert writes == []
        w.clock.advance(days=1)
        w.rest(3)
        assert writes == [1]


def test_what_was_kept_for_yesterday_does_not_stand_in_the_way_today(tmp_path: Path) -> None:
    with world(tmp_path, READ) as w:
        budget(w, LOGIN + FULL, bots=READ)
        for _ in range(3):
            assert w.read("x").errors == {}
            w.clock.advance(days=1)
        assert booked(w)["owned_read"] == (0, FULL)


def test_prices_of_an_account_take_the_place_of_the_list(tmp_path: Path) -> None:
    with world(tmp_path, OUT) as w:
        budget(w, 10, prices={"post": 0.5, "user_read": 0})
        w.turn()
        w.say("m", "Til en annen pris")
        w.say("m", "Med https://ferje.example.com")
        w.turn()
        sums = booked(w)
        assert sums["post"] == (0.5, 0)
        assert sums["post_with_url"] == (0.2, 0)
        assert sums["user_read"] == (0, 0)


# Ends of a call


@pytest.mark.parametrize(
    ("fault", "post"),
    [
        (Fault("answer", "POST /2/tweets", status=403, body='{"detail":"No"}'), (0, 0)),
        (Fault("answer", "POST /2/tweets", status=429, body="{}"), (0, 0)),
        (Fault("drop_after", "POST /2/tweets"), (0, 0.015)),
        (Fault("truncate", "POST /2/tweets"), (0, 0.015)),
        (Fault("answer", "POST /2/tweets", status=503, body="{}"), (0, 0.015)),
    ],
)
def test_what_made_nothing_costs_nothing_and_a_doubt_stays_reserved(
    tmp_path: Path, fault: Fault, post: tuple[float, float]
) -> None:
    with world(tmp_path, OUT) as w:
        w.turn()
        w.say("m", "Den første gikk bra")
        w.turn()
        spent, reserved = booked(w)["post"]
        assert (spent, reserved) == (0.015, 0)
        w.simulator("x").faults = [fault]
        w.say("m", "Hvordan gikk det")
        w.read("m")
        # the first attempt alone: what follows a doubt is another call
        w.simulator("x").faults.append(Fault("answer", "GET /2/users", status=503, body="{}"))
        w.deliver("x")
        assert booked(w)["post"] == (spent + post[0], post[1])


def test_a_crash_between_reservation_and_answer_leaves_it_reserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    with world(tmp_path, OUT) as w:
        w.turn()
        w.say("m", "Rett før strømmen gikk")
        w.read("m")
        request = TwitterClient._request

        def killed(self: Any, method: Any, path: str, **more: Any) -> Any:
            if path == "/2/tweets":
                raise Killed
            return request(self, method, path, **more)

        with monkeypatch.context() as patch:
            patch.setattr(TwitterClient, "_request", killed)
            with pytest.raises(Killed):
                w.deliver("x")
        w.restart()
        assert booked(w)["post"] == (0, 0.015)
        identity = w.store.accounts()["x"]["identity"]
        assert w.store.month_total(identity, w.clock().date()) == LOGIN + SMALL + 0.015
        w.rest(3)
        assert w.texts("x") == ["Rett før strømmen gikk"]
        assert booked(w)["post"] == (0.015, 0.015)


def test_a_first_login_that_fails_is_given_back_and_one_that_works_moves_to_its_account(
    tmp_path: Path,
) -> None:
    with world(tmp_path, READ) as w:
        w.simulator("x").faults = [Fault("answer", "GET /2/users/me", status=503, body="{}")]
        w.turn()
        assert booked(w) == {"user_read": (0, 0)}
        w.clock.advance(minutes=5)
        w.turn()
        assert booked(w)["user_read"] == (LOGIN, 0)
        assert {row.identity for row in w.store.spent_since(FIRST)} == {
            w.store.accounts()["x"]["identity"]
        }


# The limit


def test_at_the_limit_drafts_are_held_and_other_accounts_go_on(tmp_path: Path) -> None:
    with world(tmp_path, OUT) as w:
        budget(w, round(LOGIN + SMALL + 2 * 0.015, 6))
        w.turn()
        for text in ("En", "To", "Tre", "Fire"):
            w.say("m", text)
        w.turn()
        assert w.texts("x") == ["En", "To"]
        assert held(w) == [("held", "budget", "Tre"), ("held", "budget", "Fire")]
        (first, _) = w.store.troubled()
        assert first.error == (
            "the budget of x is spent: 0.06 of 0.06 USD are used or reserved this month, "
            "and the next call may cost 0.015"
        )
        assert {(d.attempted_at, d.doubted_at, d.payload) for d in w.store.troubled()} == {
            (None, None, None)
        }
        assert w.texts("b") == ["En", "To", "Tre", "Fire"]
        assert booked(w)["post"] == (0.03, 0)
        requests = w.requests("twitter")
        w.rest(3)
        assert w.requests("twitter") == requests


def test_what_was_held_goes_out_once_a_person_says_so_and_the_budget_allows(tmp_path: Path) -> None:
    with world(tmp_path, OUT) as w:
        budget(w, LOGIN + SMALL)
        w.turn()
        w.say("m", "For dyrt")
        w.turn()
        assert held(w) == [("held", "budget", "For dyrt")]
        budget(w, 1)
        w.rest(2)
        assert w.texts("x") == []
        w.store.release(w.store.stopped())
        w.rest(2)
        assert w.texts("x") == ["For dyrt"]
        assert held(w) == []


def test_reading_rests_until_the_budget_is_raised_and_misses_nothing(tmp_path: Path) -> None:
    with world(tmp_path, READ) as w:
        budget(w, LOGIN + FULL, bots=READ)
        w.turn()
        w.say("x", "Den siste som er betalt")
        w.turn()
        assert w.texts("b") == ["Den siste som er betalt"]
        w.say("x", "Må vente")
        requests = w.requests("twitter")
        error = w.read("x").errors["x"]
        assert isinstance(error, OverBudget)
        assert error.retry_at == datetime(2026, 12, 1, tzinfo=UTC)
        assert w.requests("twitter") == requests
        budget(w, 1, bots=READ)
        w.rest(2)
        assert w.texts("b") == ["Den siste som er betalt", "Må vente"]


def test_the_daemon_leaves_an_account_alone_until_the_month_is_over(tmp_path: Path) -> None:
    with world(tmp_path, READ) as w:
        budget(w, LOGIN, bots=READ)
        engine = Engine(w.config, w.store, w.accounts, report=lambda *_: None)
        (bot,) = w.config.bots.values()
        for _ in range(3):
            engine.read(bot)
            engine.lanes.wait()
            w.clock.advance(days=1)
        assert w.requests("twitter") == {"GET /2/users/me": 1}
        w.clock.at = datetime(2026, 12, 1, tzinfo=UTC)
        engine.read(bot)
        engine.lanes.wait()
        # 0.01 is not enough for a page in December either
        assert w.requests("twitter") == {"GET /2/users/me": 1}
        engine.lanes.stop(5)


def test_a_new_month_has_a_budget_of_its_own(tmp_path: Path) -> None:
    bots = "out: {from: m, to: x, max_age: 30d}"
    with world(tmp_path, bots) as w:
        w.clock.at = datetime(2026, 11, 30, 22, tzinfo=UTC)
        budget(w, LOGIN + SMALL + 0.015, bots=bots)
        w.turn()
        w.say("m", "Siste i november")
        w.say("m", "For mye i november")
        w.turn()
        w.clock.at = datetime(2026, 12, 1, tzinfo=UTC)
        w.say("m", "Første i desember")
        w.rest(2)
        assert w.texts("x") == ["Siste i november", "Første i desember"]
        assert held(w) == [("held", "budget", "For mye i november")]


def test_reading_and_posting_share_one_budget(tmp_path: Path) -> None:
    with world(tmp_path, f"{OUT}\n{READ}") as w:
        # what is kept for a page counts: 0.01 + 0.11 leave nothing for a post
        budget(w, LOGIN + FULL + 0.014, bots=f"{OUT}\n{READ}")
        w.turn()
        w.say("m", "Ett øre for lite")
        w.turn()
        assert held(w) == [("held", "budget", "Ett øre for lite")]
        budget(w, LOGIN + FULL + 0.015, bots=f"{OUT}\n{READ}")
        w.store.release(w.store.stopped())
        w.turn()
        assert w.texts("x") == ["Ett øre for lite"]


def test_a_doubt_that_the_budget_cannot_settle_is_held_as_one(tmp_path: Path) -> None:
    with world(tmp_path, OUT) as w:
        budget(w, LOGIN + SMALL + 0.015)
        w.turn()
        w.simulator("x").faults = [Fault("drop_after", "POST /2/tweets")]
        w.say("m", "Svaret kom aldri fram")
        w.turn()
        (draft,) = w.store.troubled()
        assert (draft.state, draft.code) == ("held", "doubt")
        assert draft.error.startswith("in doubt, and not to be settled for now: the budget of x")
        assert w.texts("x") == ["Svaret kom aldri fram"]


def test_an_image_whose_alt_text_costs_too_much_is_held(tmp_path: Path) -> None:
    with world(tmp_path, OUT) as w:
        budget(w, 0.004)
        w.store.know_account("x", "twitter", w.networks["twitter"].identity("anna"), "@anna", "")
        w.settings["x"]["prices"] = {"user_read": 0, "owned_read": 0}
        budget(w, 0.004)
        w.turn()
        w.say("m", "Kaia", images=[(png(), "Kaia i sol")])
        w.turn()
        assert held(w) == [("held", "budget", "Kaia")]
        assert w.requests("twitter").get("POST /2/media/metadata", 0) == 0


# No credit at X


def test_without_credit_at_x_drafts_are_held_and_reading_waits(tmp_path: Path) -> None:
    bots = f"{OUT}\n{READ}"
    with world(tmp_path, bots) as w:
        w.turn()
        w.networks["twitter"].credits = 0
        w.say("m", "Ingen kreditt")
        w.say("x", "Må vente")
        w.turn()
        assert held(w) == [("held", "budget", "Ingen kreditt")]
        error = w.read("x").errors["x"]
        assert isinstance(error, OverBudget)
        assert str(error).startswith("the app's credits at X are used up (CreditsDepleted")
        assert (error.retry_at - w.clock()).total_seconds() == 6 * 3600
        assert "post" not in booked(w) or booked(w)["post"] == (0, 0)
        w.networks["twitter"].credits = None
        w.store.release(w.store.stopped())
        w.rest(2)
        assert (w.texts("x"), w.texts("b")) == (["Ingen kreditt"], ["Ingen kreditt", "Må vente"])


# Links


def test_drop_makes_a_post_cheap(tmp_path: Path) -> None:
    with world(tmp_path, "out: {from: m, to: x, links: drop}") as w:
        w.turn()
        w.say("m", "Rutetabell: https://ferje.example.com/rute, og på ferje.example.com")
        w.turn()
        assert w.texts("x") == ["Rutetabell:, og på ferje(.)example(.)com"]
        assert booked(w)["post"] == (0.015, 0)


def test_hold_leaves_posts_with_links_to_a_person_and_threads_whole(tmp_path: Path) -> None:
    with world(tmp_path, "out: {from: m, to: x, links: hold}") as w:
        w.turn()
        w.say("m", "Uten lenke")
        w.say("m", "Ord. " * 60 + "https://ferje.example.com")
        w.say("m", "Også uten")
        w.turn()
        assert w.texts("x") == ["Uten lenke", "Også uten"]
        assert [(state, code) for state, code, _ in held(w)] == [
            ("held", "links"),
            ("held", "parent"),
        ]
        assert "post_with_url" not in booked(w)
        w.store.release(w.store.stopped()[:1])
        w.turn()
        assert len(w.texts("x")) == 4
        assert booked(w)["post_with_url"] == (0.2, 0)


# The command


def test_costs_tells_every_sum_and_a_forecast(tmp_path: Path) -> None:
    with world(tmp_path, f"{OUT}\nother: {{from: x2, to: b}}") as w:
        del w.settings["x2"]["budget"]
        budget(w, 30, bots=f"{OUT}\nother: {{from: x2, to: b}}")
        w.clock.at = datetime(2026, 10, 31, 12, tzinfo=UTC)
        w.turn()
        w.say("m", "I oktober")
        w.turn()
        w.clock.at = datetime(2026, 11, 2, 12, tzinfo=UTC)
        w.say("m", "I november, med https://ferje.example.com")
        w.turn()
        w.store.spend("twitter:7", date(2026, 11, 1), {"post": 0.015})
        found = costs(w.config, w.store, w.clock().date())
        identity = {n: w.store.accounts()[n]["identity"] for n in ("x", "x2")}
        reading = {"kind": "owned_read", "spent": 0.0, "reserved": FULL}
        assert found == {
            "month": "2026-11",
            "accounts": [
                {
                    "name": "x",
                    "identity": identity["x"],
                    "spent": 0.2,
                    "reserved": 0.0,
                    "budget": 30.0,
                    "left": 29.8,
                    # 0.01 + 0.015 + 0.2 in three days, and 28 days to go
                    "forecast": pytest.approx(0.2 + 0.225 / 3 * 28),
                    "kinds": [{"kind": "post_with_url", "spent": 0.2, "reserved": 0.0}],
                },
                {
                    "name": "x2",
                    "identity": identity["x2"],
                    "spent": 0.0,
                    "reserved": FULL,
                    "budget": None,
                    "left": None,
                    "forecast": pytest.approx(0.01 / 3 * 28, abs=1e-6),
                    "kinds": [reading],
                },
                {
                    "name": "twitter:7",
                    "identity": "twitter:7",
                    "spent": 0.015,
                    "reserved": 0.0,
                    "budget": None,
                    "left": None,
                    "forecast": pytest.approx(0.015 + 0.0075 * 28),
                    "kinds": [{"kind": "post", "spent": 0.015, "reserved": 0.0}],
                },
            ],
        }
        text = costs_text(found)
        assert "x                        0.200      0.000     30.000     29.800      2.300" in text
        assert "  post_with_url          0.200      0.000" in text


def test_the_command_prints_the_same_as_json(tmp_path: Path) -> None:
    with world(tmp_path, READ) as w:
        w.clock.at = datetime.now(UTC)
        w.turn()
        done = CliRunner().invoke(main, ["costs", "--json", "--config", str(w.file)])
        assert done.exit_code == 0
        assert json.loads(done.output) == costs(w.config, w.store, datetime.now(UTC).date())
        assert json.loads(done.output)["accounts"][0]["spent"] == LOGIN
        shown = CliRunner().invoke(main, ["costs", "--config", str(w.file)]).output
        assert "user_read" in shown


def test_before_the_first_run_nothing_was_spent(tmp_path: Path) -> None:
    with world(tmp_path, READ) as w:
        (x, _) = costs(w.config, None, FIRST)["accounts"]
        assert (x["name"], x["spent"], x["left"], x["forecast"]) == ("x", 0, 1000, 0)


def test_months_end_where_the_calendar_says() -> None:
    assert next_month(date(2026, 11, 30)) == date(2026, 12, 1)
    assert next_month(date(2026, 12, 1)) == date(2027, 1, 1)
