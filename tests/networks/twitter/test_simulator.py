from typing import Any

import pytest
from oauthlib import oauth1

from bridge import wire
from bridge.networks.twitter.client import TwitterClient
from bridge.networks.twitter.simulator import TwitterSimulator
from bridge.networks.twitter.simulator.oauth import Keys, signature
from tests.networks.twitter.conftest import Clock, Memory, picture


class Caller:
    """Requests as an app would make them, signed."""

    def __init__(self, x: TwitterSimulator, name: str, clock: Clock) -> None:
        keys = x.account(name)
        self.url = keys["api"]
        self.signer = oauth1.Client(
            keys["api_key"],
            keys["api_key_secret"],
            keys["access_token"],
            keys["access_token_secret"],
            timestamp=str(int(clock().timestamp())),
        )

    def __call__(self, method: Any, path: str, body: Any = None) -> wire.Answer:
        url, headers, _ = self.signer.sign(self.url + path, method)
        return wire.send(method, url, headers=headers, json=body)


@pytest.fixture
def kari(x: TwitterSimulator, clock: Clock) -> Caller:
    return Caller(x, "kari", clock)


def status(caller: Caller, **body: Any) -> int:
    return caller("POST", "/2/tweets", body).status


def test_the_signature_agrees_with_that_of_a_library() -> None:
    keys = Keys("k&y", "s=cret", "tok en", "ünder~cover")
    client = oauth1.Client(keys.key, keys.key_secret, keys.token, keys.token_secret)
    client.nonce, client.timestamp = "n", "1700000000"
    url = "https://api.x.com/2/users/7/tweets?b=%20x&a=1&a=0&post.fields=a%2Cb"
    _, headers, _ = client.sign(url, "GET")
    params = [
        ("oauth_nonce", "n"),
        ("oauth_timestamp", "1700000000"),
        ("oauth_version", "1.0"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_consumer_key", keys.key),
        ("oauth_token", keys.token),
        *[("b", " x"), ("a", "1"), ("a", "0"), ("post.fields", "a,b")],
    ]
    from urllib.parse import quote

    assert quote(signature("GET", url, params, keys), "") in headers["Authorization"]


def test_a_request_is_valid_once_and_only_as_it_was_signed(
    x: TwitterSimulator, kari: Caller
) -> None:
    url, headers, _ = kari.signer.sign(f"{x.url}/2/users/me", "GET")
    assert wire.send("GET", f"{url}?user.fields=protected", headers=headers).status == 401
    assert wire.send("GET", url, headers=headers).status == 200
    assert wire.send("GET", url, headers=headers).status == 401
    assert wire.send("GET", url).status == 401


def test_an_old_signature_is_refused(x: TwitterSimulator, kari: Caller, clock: Clock) -> None:
    clock.forward(minutes=6)
    assert kari("GET", "/2/users/me").status == 401


def test_links_are_wrapped_and_weigh_23(x: TwitterSimulator, kari: Caller) -> None:
    text = "Se example.com og https://example.org/" + "x" * 300
    answer = kari("POST", "/2/tweets", {"text": text})
    shown = answer.object()["data"]["text"]
    assert len(shown) == len("Se  og ") + 2 * 23
    assert x.journal[0].text == text
    assert x.journal[0].links == ("http://example.com", "https://example.org/" + "x" * 300)
    assert x.paid["create with URL"] == 1
    assert status(kari, text="a" * 281) == 403
    assert status(kari, text="a" * 257 + " example.com") == 403
    assert status(kari, text="a" * 256 + " example.com") == 201


def test_entities_count_code_points_of_the_escaped_text(x: TwitterSimulator, kari: Caller) -> None:
    x.say("kari", "👩‍🚀 & @ola <3 #Tromsø $AB example.com", images=[(picture(), "")])
    fields = "post.fields=entities&expansions=attachments.media_keys"
    data = kari("GET", f"/2/users/{x.identity('kari')[8:]}/tweets?{fields}").object()["data"][0]
    text = data["text"]
    cut = {
        group: [text[entity["start"] : entity["end"]] for entity in found]
        for group, found in data["entities"].items()
    }
    assert "&amp; @ola &lt;3" in text
    assert cut["mentions"] == ["@ola"]
    assert cut["hashtags"] == ["#Tromsø"]
    assert cut["cashtags"] == ["$AB"]
    assert cut["urls"] == [entity["url"] for entity in data["entities"]["urls"]]
    assert text.endswith(cut["urls"][-1])


def test_the_same_text_is_a_duplicate_for_a_day(kari: Caller, clock: Clock) -> None:
    assert status(kari, text="igjen") == 201
    assert status(kari, text="igjen ") == 403
    clock.forward(hours=25)
    kari.signer.timestamp = str(int(clock().timestamp()))
    assert status(kari, text="igjen") == 201


def test_a_deleted_text_may_go_out_again(x: TwitterSimulator, kari: Caller) -> None:
    post_id = x.say("kari", "angret")
    assert kari("DELETE", f"/2/tweets/{post_id}").object() == {"data": {"deleted": True}}
    assert kari("DELETE", f"/2/tweets/{post_id}").status == 404
    assert status(kari, text="angret") == 201


def test_apps_may_answer_only_themselves_and_who_called_them(
    x: TwitterSimulator, kari: Caller
) -> None:
    def reply(parent: str, text: str) -> int:
        return status(kari, text=text, reply={"in_reply_to_tweet_id": parent})

    assert reply(x.say("kari", "1"), "a") == 201
    assert reply(x.say("ola", "hei"), "b") == 403
    assert reply(x.say("ola", "hei @kari"), "c") == 201
    assert reply("99", "d") == 403
    x.self_replies = False
    assert reply(x.say("kari", "2"), "e") == 403


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, 400),
        ({"text": "  "}, 400),
        ({"text": 3}, 400),
        ({"text": "x", "lang": "no"}, 400),
        ({"text": "x", "reply": "5"}, 400),
        ({"text": "x", "media": {"media_ids": ["5"]}}, 400),
        ({"text": "x", "quote_tweet_id": "5"}, 403),
        ({"text": "$AB $CD"}, 403),
        ({"text": "x", "poll": {"options": ["a"], "duration_minutes": 5}}, 400),
        ({"text": "x", "poll": {"options": ["a", "b"], "duration_minutes": 5}}, 201),
        (["x"], 400),
    ],
)
def test_create_is_checked(kari: Caller, body: Any, expected: int) -> None:
    assert kari("POST", "/2/tweets", body).status == expected


@pytest.mark.parametrize(
    "query",
    ["max_results=4", "max_results=101", "since_id=x", "pagination_token=x", "post.fields=lang,x"],
)
def test_a_wrong_parameter_is_named(x: TwitterSimulator, kari: Caller, query: str) -> None:
    answer = kari("GET", f"/2/users/{x.identity('kari')[8:]}/tweets?{query.replace(',', '%2C')}")
    assert answer.status == 400
    assert query.partition("=")[0] in answer.body.decode()


def test_a_timeline_ends_after_3200_posts(x: TwitterSimulator, connect: Any) -> None:
    for n in range(3205):
        x.say("kari", f"nr {n}")
    posts = connect("kari").fetch("").posts
    assert len(posts) == 3200
    assert posts[0].text == "nr 5"


def test_an_edit_replaces_its_post_on_the_timeline_for_an_hour(
    x: TwitterSimulator, connect: Any, clock: Clock
) -> None:
    first = x.say("kari", "versjon 0")
    for n in range(1, 6):
        x.edit("kari", first, f"versjon {n}")
    with pytest.raises(RuntimeError, match="no longer"):
        x.edit("kari", first, "versjon 6")
    assert [post.text for post in connect("kari").fetch("").posts] == ["versjon 5"]
    late = x.say("kari", "for sent")
    clock.forward(minutes=61)
    with pytest.raises(RuntimeError, match="no longer"):
        x.edit("kari", late, "for sent nå")
    x.delete("kari", first)
    assert [post.text for post in connect("kari").fetch("").posts] == ["for sent"]


def test_a_long_post_of_a_premium_account_reads_back_whole(
    x: TwitterSimulator, connect: Any
) -> None:
    text = "Ein langer Satz über " + "sehr " * 80 + "viel, siehe https://example.com/ende"
    with pytest.raises(RuntimeError, match="shorter"):
        x.say("kari", text)
    x.account("kari", premium=True)
    x.say("kari", text)
    assert connect("kari").fetch("").posts[0].text == text


def test_reposting_twice_makes_one_repost(x: TwitterSimulator, kari: Caller) -> None:
    other = x.say("ola", "verdt å dele")
    path = f"/2/users/{x.identity('kari')[8:]}/retweets"
    for _attempt in range(2):
        assert kari("POST", path, {"tweet_id": other}).ok
    assert [entry.boost_of for entry in x.journal if entry.account == "kari"] == [other]
    assert kari("DELETE", f"{path}/{other}").ok
    assert x.journal[-1].action == "delete"


def test_reading_costs_once_a_day(x: TwitterSimulator, connect: Any, clock: Clock) -> None:
    client: TwitterClient = connect("kari")
    x.say("kari", "en")
    x.say("kari", "to")
    x.paid.clear()
    client.fetch("")
    client.fetch("")
    assert x.spent == pytest.approx(2 * 0.001)
    clock.forward(days=1)
    client.fetch("")
    assert x.spent == pytest.approx(4 * 0.001 + 0.01)


def test_a_post_can_be_looked_up_in_both_families(x: TwitterSimulator, kari: Caller) -> None:
    post_id = x.say("kari", "hei", language="no")
    new = kari("GET", f"/2/tweets/{post_id}?post.fields=lang&expansions=edit_history_post_ids")
    old = kari("GET", f"/2/tweets/{post_id}?tweet.fields=lang")
    data = {"id": post_id, "text": "hei", "lang": "no"}
    assert new.object()["data"] == {**data, "edit_history_post_ids": [post_id]}
    assert old.object()["data"] == {**data, "edit_history_tweet_ids": [post_id]}


def test_a_protected_timeline_is_for_its_owner(x: TwitterSimulator, clock: Clock) -> None:
    x.account("kari", protected=True)
    x.say("kari", "hemmelig")
    path = f"/2/users/{x.identity('kari')[8:]}/tweets"
    assert "data" not in Caller(x, "ola", clock)("GET", path).object()
    assert "data" in Caller(x, "kari", clock)("GET", path).object()
    assert x.journal[0].visibility == "private"


def test_two_apps_of_one_person_share_the_account(x: TwitterSimulator, clock: Clock) -> None:
    settings = [x.account("kari", application) for application in ("A", "B")]
    assert settings[0]["access_token"] != settings[1]["access_token"]
    ids = {TwitterClient(keys, Memory(), clock).login().id for keys in settings}
    assert ids == {x.identity("kari")}


def test_limits_can_be_switched_off(clock: Clock) -> None:
    x = TwitterSimulator(limits=False, now=clock)
    x.start()
    try:
        kari = Caller(x, "kari", clock)
        answers = [kari("POST", "/2/tweets", {"text": f"nr {n}"}) for n in range(101)]
        assert {answer.status for answer in answers} == {201}
        assert "x-rate-limit-limit" not in answers[0].headers
    finally:
        x.stop()
