"""Rereading and deleting, what they cost, and who may say that a post is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bridge.network import Busy, Gone, LoginNeeded, OverBudget, Refused, Uncertain, Unreachable
from bridge.networks.twitter.client import TwitterClient
from bridge.networks.twitter.simulator import TwitterSimulator
from bridge.post import Ref
from bridge.simulation import Fault
from tests.networks.twitter.conftest import Clock, Memory

Connect = Callable[[str], TwitterClient]
ONE = "GET /2/tweets/:id"
SEVERAL = "GET /2/tweets"
DELETE = "DELETE /2/tweets/:id"


def say(x: TwitterSimulator, clock: Clock, text: str) -> str:
    clock.forward(seconds=1)
    return x.say("kari", text)


def reread(client: TwitterClient, ids: list[str]) -> list[str | None]:
    found = client.reread(ids)
    assert list(found) == ids
    return [post.text if post else None for post in found.values()]


def problem(kind: str, post_id: str, **more: Any) -> dict[str, Any]:
    about = {"title": "Not Found Error", "detail": f"Could not find tweet with id: [{post_id}]."}
    kind = f"https://api.twitter.com/2/problems/{kind}"
    return {**about, "type": kind, "resource_id": post_id, "value": post_id, **more}


class Counting:
    """A ledger that allows so much and remembers."""

    def __init__(self, allowed: float = 100) -> None:
        self.allowed = allowed
        self.kept = 0.0
        self.spent: dict[str, float] = {}

    def reserve(self, kind: str, usd: float) -> Callable[[float], None]:
        def settle(spent: float) -> None:
            self.spent[kind] = round(self.spent.get(kind, 0) + spent, 6)

        if usd > self.allowed:
            raise OverBudget("too dear", Clock().at)
        return settle

    def keep(self, kind: str, usd: float) -> None:
        if usd > self.allowed:
            raise OverBudget("too dear", Clock().at)
        self.kept = max(self.kept, usd)

    def spend(self, costs: Mapping[str, float]) -> None:
        for kind, usd in costs.items():
            self.spent[kind] = round(self.spent.get(kind, 0) + usd, 6)


def paying(x: TwitterSimulator, clock: Clock, ledger: Counting) -> TwitterClient:
    client = TwitterClient(x.account("kari"), Memory(), clock, ledger)
    client.login()
    ledger.spent.clear()
    return client


# Rereading.


def test_a_hundred_are_reread_in_one_request(
    x: TwitterSimulator, connect: Connect, clock: Clock
) -> None:
    posts = [say(x, clock, f"Nummer {number}") for number in range(101)]
    x.delete("kari", posts[1])
    client = connect("kari")
    assert client.reread_batch == 100
    assert reread(client, posts)[:3] == ["Nummer 0", None, "Nummer 2"]
    assert (x.requests[SEVERAL], x.requests[ONE]) == (2, 0)
    assert reread(client, []) == []
    assert x.requests[SEVERAL] == 2


@pytest.mark.parametrize("family", ["post", "tweet"])
def test_an_edited_post_gives_its_newest_version_under_its_first_id(
    clock: Clock, family: Any
) -> None:
    x = TwitterSimulator(now=clock, family=family)
    x.start()
    try:
        client = TwitterClient(x.account("kari"), Memory(), clock)
        client.login()
        first, other = say(x, clock, "en fiel"), say(x, clock, "noe annet")
        x.edit("kari", first, "en feil til")
        newest = x.edit("kari", first, "en feil")
        found = client.reread([first, other])
        edited = found[first]
        assert edited is not None
        assert (edited.id, edited.revision, edited.text) == (first, newest, "en feil")
        assert reread(client, [other]) == ["noe annet"]
        x.delete("kari", newest)
        assert reread(client, [first, other]) == [None, "noe annet"]
    finally:
        x.stop()


def test_nothing_shown_at_all_is_no_fault(
    x: TwitterSimulator, connect: Connect, clock: Clock
) -> None:
    post_id = say(x, clock, "Bort")
    x.delete("kari", post_id)
    assert reread(connect("kari"), [post_id]) == [None]


def test_a_post_that_became_protected_says_so(
    x: TwitterSimulator, connect: Connect, clock: Clock
) -> None:
    client = connect("kari")
    post_id = say(x, clock, "For alle")
    x.protect("kari")
    (post,) = client.reread([post_id]).values()
    assert post is not None
    assert post.visibility == "private"


def test_a_stranger_s_post_is_none_of_the_account(x: TwitterSimulator, connect: Connect) -> None:
    post_id = x.say("ola", "Mitt")
    client = connect("kari")
    assert reread(client, [post_id]) == [None]
    with pytest.raises(Refused) as caught:
        client.find(post_id)
    assert not isinstance(caught.value, Gone)


@pytest.mark.parametrize("body", ["{}", "[]", '{"data": {}}', '{"meta": {}}', '{"errors": []}'])
def test_an_answer_of_something_else_says_of_nothing_that_it_is_gone(
    x: TwitterSimulator, connect: Connect, clock: Clock, body: str
) -> None:
    client = connect("kari")
    post_id = say(x, clock, "Står")
    x.faults.append(Fault("answer", SEVERAL, status=200, body=body))
    with pytest.raises(Unreachable):
        client.reread([post_id])


def test_rereading_is_paid_for_as_x_charges_it(x: TwitterSimulator, clock: Clock) -> None:
    ledger = Counting()
    client = paying(x, clock, ledger)
    posts = [say(x, clock, f"Nummer {number}") for number in range(20)]
    before = x.spent
    client.reread(posts)
    assert ledger.kept == pytest.approx(20 * 0.005 + 0.01)
    assert sum(ledger.spent.values()) == pytest.approx(x.spent - before)
    spent = dict(ledger.spent)
    client.reread(posts)
    assert ledger.spent == spent  # once a day


def test_what_the_budget_does_not_allow_is_not_asked(x: TwitterSimulator, clock: Clock) -> None:
    client = paying(x, clock, Counting(allowed=0.02))
    posts = [say(x, clock, f"Nummer {number}") for number in range(20)]
    with pytest.raises(Busy):
        client.reread(posts)
    assert x.requests[SEVERAL] == 0
    assert reread(client, posts[:1]) == ["Nummer 0"]


# Who may say that a post is gone.


def test_a_deleted_post_is_gone(x: TwitterSimulator, connect: Connect, clock: Clock) -> None:
    post_id = say(x, clock, "Bort")
    x.delete("kari", post_id)
    with pytest.raises(Gone):
        connect("kari").find(post_id)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"errors": [problem("resource-not-found", "POST")]}, Gone),
        (404, problem("resource-not-found", "POST"), Gone),
        (404, {"errors": [problem("resource-not-found", "POST")]}, Gone),
        (404, problem("resource-not-found", "7"), Refused),
        (404, {"title": "Not Found", "type": "about:blank", "status": 404}, Refused),
        (404, {"error": "Not Found"}, Refused),
        (404, "<h1>404 Not Found</h1>", Unreachable),
        (404, "404 page not found", Refused),
        (503, problem("resource-not-found", "POST"), Unreachable),
        (401, problem("resource-not-found", "POST"), LoginNeeded),
        (403, problem("not-authorized-for-resource", "POST"), Refused),
        (200, {"errors": [problem("not-authorized-for-resource", "POST")]}, Refused),
        (200, {"errors": [problem("resource-not-found", "7")]}, Unreachable),
        (200, {"errors": "resource-not-found"}, Unreachable),
    ],
)
def test_only_x_itself_can_say_of_a_post_that_it_is_gone(
    x: TwitterSimulator, connect: Connect, clock: Clock, status: int, body: Any, kind: type
) -> None:
    client = connect("kari")
    post_id = say(x, clock, "Står")
    text = body if isinstance(body, str) else json.dumps(body).replace("POST", post_id)
    x.faults.append(Fault("answer", ONE, status=status, body=text))
    with pytest.raises(kind) as caught:
        client.find(post_id)
    assert isinstance(caught.value, Gone) == (kind is Gone)
    assert client.find(post_id).text == "Står"


# Deleting, and that there is no editing in place.


def test_a_deletion_takes_all_versions_and_can_be_repeated(
    x: TwitterSimulator, clock: Clock
) -> None:
    ledger = Counting()
    client = paying(x, clock, ledger)
    first = say(x, clock, "en fiel")
    newest = x.edit("kari", first, "en feil")
    ref = Ref(first, client.login().id)
    client.delete(ref)
    assert ledger.spent == {"delete": 0.01}
    client.delete(ref)
    assert ledger.spent == {"delete": 0.01}
    for version in (first, newest):
        with pytest.raises(Gone):
            client.find(version)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop_before", DELETE),
        Fault("drop_after", DELETE),
        Fault("answer", DELETE, status=503, body="<h1>503</h1>"),
        Fault("answer", DELETE, status=200, body='{"ok": true}'),
        Fault("answer", DELETE, status=200, body='{"data": {"deleted": "yes"}}'),
        Fault("answer", DELETE, status=200, body=""),
    ],
)
def test_a_deletion_without_a_trustworthy_answer_is_uncertain_and_may_have_cost(
    x: TwitterSimulator, clock: Clock, fault: Fault
) -> None:
    ledger = Counting()
    client = paying(x, clock, ledger)
    ref = Ref(say(x, clock, "Bort"), client.login().id)
    x.faults.append(fault)
    with pytest.raises(Uncertain):
        client.delete(ref)
    assert "delete" not in ledger.spent  # it stays reserved
    client.delete(ref)
    with pytest.raises(Gone):
        client.find(ref.id)


def test_what_is_refused_is_looked_up_before_it_counts_as_gone(
    x: TwitterSimulator, connect: Connect, clock: Clock
) -> None:
    client = connect("kari")
    ref = Ref(say(x, clock, "Bort"), client.login().id)
    bare = Fault(
        "answer", DELETE, status=404, body='{"title": "Not Found", "status": 404}', times=2
    )
    x.faults.append(bare)
    with pytest.raises(Refused):
        client.delete(ref)
    assert client.find(ref.id).text == "Bort"
    x.delete("kari", ref.id)
    client.delete(ref)


def test_another_account_s_post_is_left_alone(x: TwitterSimulator, connect: Connect) -> None:
    client = connect("kari")
    post_id = x.say("ola", "Mitt")
    for account in (x.identity("ola"), ""):
        with pytest.raises(Refused):
            client.delete(Ref(post_id, account))
    assert x.journal[-1].action == "publish"


def test_no_post_is_edited_in_place(connect: Connect) -> None:
    with pytest.raises(Refused):
        connect("kari").update(Ref("20", ""), {})
