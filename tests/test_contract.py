"""What every network's client must do, by the same assertions on every server that there is.

The servers are the simulators, two of servers that are Mastodon only by API among them, and the
official Bluesky PDS. Where a server and its simulator differ, the simulator is wrong.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from bridge.network import (
    Backfill,
    Client,
    Film,
    Gone,
    LoginNeeded,
    Network,
    Page,
    Parents,
    Refused,
    Uncertain,
    Unreachable,
    Upload,
)
from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.twitter.simulator import TwitterSimulator
from bridge.post import Draft, Media, Poll, Post, Ref, Run, idempotency_key
from bridge.registry import NETWORKS
from tests.film_files import mp4
from tests.servers.pds import Pds
from tests.world import Clock


class Memory:
    """A session store that lives as long as the test."""

    def __init__(self) -> None:
        self.data: str | None = None

    def load(self) -> str | None:
        return self.data

    def save(self, identity: str, data: str) -> None:
        self.data = data


@dataclass
class Server:
    """A server under the contract, with an account that the test may use."""

    name: str
    network: Network
    settings: dict[str, str]
    say: Callable[..., str]
    now: Callable[[], datetime]
    later: Callable[[float], None]
    #: what its owner does with a post: another text, no post any more, not for everyone any more
    edit: Callable[[str, str], object]
    delete: Callable[[str], object]
    hide: Callable[[str], object]
    requests: Callable[[], int] | None
    session: Memory = field(default_factory=Memory)

    def client(self, **settings: str) -> Client:
        """A client as a new process would make it."""
        return self.network.connect({**self.settings, **settings}, self.session, self.now)


def simulated(name: str) -> Iterator[Server]:
    clock = Clock()
    simulator: Any
    if name == "bluesky":
        simulator = BlueskySimulator(now=clock)
    elif name == "twitter":
        simulator = TwitterSimulator(now=clock)
    else:
        flavour: Any = name
        simulator = MastodonSimulator(now=clock, flavour=flavour)
    simulator.start()
    person = "vigdis.test" if name == "bluesky" else "vigdis"
    network = NETWORKS["mastodon" if name in ("gotosocial", "takahe") else name]
    settings = simulator.account(person)

    def say(text: str, **more: Any) -> str:
        clock.advance(seconds=1)
        return str(simulator.say(person, text, **more))

    yield Server(
        name,
        network,
        settings,
        say,
        clock,
        lambda seconds: clock.advance(seconds=seconds),
        lambda post_id, text: simulator.edit(person, post_id, text),
        lambda post_id: simulator.delete(person, post_id),
        lambda post_id: hide(simulator, person, post_id),
        lambda: sum(simulator.requests.values()),
    )
    simulator.stop()


def hide(simulator: Any, person: str, post_id: str) -> None:
    """X hides an account, the others a post."""
    match simulator:
        case TwitterSimulator():
            simulator.protect(person)
        case BlueskySimulator():
            simulator.hide(person, post_id)
        case _:
            simulator.set_visibility(post_id, "private")


def real(pds: Pds) -> Iterator[Server]:
    person = pds.account()
    ahead = [0.0]

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=ahead[0])

    def later(seconds: float) -> None:
        ahead[0] += seconds

    def say(text: str, **more: Any) -> str:
        later(1)
        return str(person.say(text, created_at=now(), **more))

    yield Server(
        "pds",
        NETWORKS["bluesky"],
        person.settings,
        say,
        now,
        later,
        person.edit,
        person.delete,
        person.hide,
        None,
    )


SIMULATORS = ("mastodon", "gotosocial", "takahe", "bluesky", "twitter")


@pytest.fixture(params=[*SIMULATORS, pytest.param("pds", marks=pytest.mark.pds)])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "pds":
        yield from real(request.getfixturevalue("pds"))
    else:
        yield from simulated(request.param)


def a_draft(server: Server, text: str = "Hei på deg", **more: Any) -> Draft:
    return Draft((Run(text),), server.now(), languages=("nb",), **more)


def a_key(draft: Draft, number: int = 1) -> str:
    return idempotency_key("target", "source", draft.text, number, 0)


def publish(
    server: Server,
    client: Client,
    draft: Draft,
    *,
    key: str | None = None,
    uploads: tuple[dict[str, Any], ...] = (),
    parents: Parents | None = None,
) -> tuple[dict[str, Any], Ref]:
    key = key or a_key(draft)
    payload = server.network.to_payload(draft, key, uploads, parents, server.now())
    assert json.loads(json.dumps(payload)) == payload
    server.later(1)
    return payload, client.publish(payload, key)


def read_all(client: Client, begin: Page) -> list[Post]:
    """Every post after a start, but those that it named as older."""
    old = {post.id for post in begin.posts}
    posts: list[Post] = []
    cursor, more = begin.cursor, True
    while more:
        page = client.fetch(cursor)
        posts += [post for post in page.posts if post.id not in old]
        cursor, more = page.cursor, page.more
    return posts


def start(client: Client, take: Backfill = Backfill()) -> Page:  # noqa: B008 - it is frozen
    """Where everything new is read from."""
    client.login()
    return client.begin(take)


def test_a_login_tells_who_it_is_and_a_restart_need_not_ask_again(server: Server) -> None:
    identity = server.client().login()
    assert identity.id.startswith(f"{server.network.name}:")
    assert "vigdis" in identity.handle
    before = server.requests() if server.requests else 0
    restarted = server.client()
    assert restarted.login() == identity
    assert restarted.limits.fits("hei")
    if server.requests:
        assert server.requests() == before


def test_a_login_tells_what_it_is_good_for(server: Server) -> None:
    client = server.client()
    client.login()
    access = client.access()
    assert access.lacks_to_read == access.lacks_to_post == ()
    assert (access.excess, access.locked) == ("", "")


def test_a_wrong_secret_needs_a_login_and_is_not_shown(server: Server) -> None:
    secrets = [s.name for s in server.network.settings if s.kind == "secret"]
    with pytest.raises(LoginNeeded) as caught:
        server.client(**dict.fromkeys(secrets, "wrong-secret-4711")).login()
    assert "wrong-secret-4711" not in str(caught.value)


def test_what_is_published_is_read_back(server: Server) -> None:
    client = server.client()
    begin = start(client)
    text = "Bok & blyant, 3 < 5 – «sitat» 👩‍👩‍👧 مرحبا"
    url = "https://example.com/en/sti?a=1&b=2#del"
    runs = (Run(f"{text} "), Run(url, "link", url), Run(" "), Run("#Bok", "hashtag", "Bok"))
    draft = replace(a_draft(server), runs=runs)
    _, ref = publish(server, client, draft)
    (post,) = read_all(client, begin)
    assert post.id == ref.id
    assert post.account == client.login().id
    assert post.text.startswith(text)
    assert [run.target for run in post.runs if run.kind == "link"] == [url]
    assert [run.target for run in post.runs if run.kind == "hashtag"] == ["Bok"]
    assert post.visibility == "public"
    if server.name in ("mastodon", "gotosocial", "bluesky", "pds"):
        assert post.languages == ("nb",)
    assert abs(post.created_at - draft.created_at) < timedelta(seconds=5)


def test_paragraphs_and_line_breaks_survive(server: Server) -> None:
    client = server.client()
    begin = start(client)
    text = "Første avsnitt\nmed to linjer\n\nAndre avsnitt"
    publish(server, client, a_draft(server, text))
    assert [post.text for post in read_all(client, begin)] == [text]


def test_nothing_new_is_an_empty_page_and_one_request(server: Server) -> None:
    client = server.client()
    server.say("Gammelt")
    begin = start(client)
    cursor = client.fetch(begin.cursor).cursor
    before = server.requests() if server.requests else 0
    page = client.fetch(cursor)
    assert (page.posts, page.cursor, page.more) == ((), cursor, False)
    if server.requests:
        assert server.requests() == before + 1


def test_catching_up_is_gap_free_and_in_order_over_many_pages(server: Server) -> None:
    client = server.client()
    server.say("Før alt")
    begin = start(client)
    server.later(7200)
    said = [f"Innlegg {number}" for number in range(125)]
    for text in said:
        server.say(text)
    read = read_all(client, begin)
    assert [post.text for post in read] == said
    assert [post.text for post in read_all(client, begin)] == said
    assert len({post.id for post in read}) == len(said)


def test_a_first_run_starts_where_it_is_told(server: Server) -> None:
    client = server.client()
    client.login()
    for text in ("en", "to", "tre", "fire"):
        server.say(text)
        server.later(7200)
    middle = server.now() - timedelta(seconds=3 * 7201 + 60)

    def taken(take: Backfill) -> list[str]:
        return [post.text for post in read_all(client, start(client, take))]

    assert taken(Backfill()) == []
    assert taken(Backfill(last=2)) == ["tre", "fire"]
    assert taken(Backfill(last=99)) == ["en", "to", "tre", "fire"]
    assert taken(Backfill(since=middle)) == ["to", "tre", "fire"]
    assert taken(Backfill(everything=True)) == ["en", "to", "tre", "fire"]
    server.say("fem")
    assert taken(Backfill(last=2)) == ["fire", "fem"]


def test_a_repeated_send_makes_no_second_post_or_can_be_recognised(server: Server) -> None:
    client = server.client()
    begin = start(client)
    draft = a_draft(server, "Bare én gang, takk")
    payload, ref = publish(server, client, draft)
    if client.repeatable or client.keeps_keys:
        assert client.publish(payload, a_key(draft)).id == ref.id
    posts = read_all(client, begin)
    assert [post.id for post in posts] == [ref.id]
    assert server.network.matches(payload, a_key(draft), posts[0])


def test_a_different_value_under_a_used_key_is_refused_not_overwritten(server: Server) -> None:
    client = server.client()
    begin = start(client)
    key = a_key(a_draft(server))
    first, ref = publish(server, client, a_draft(server, "Den første"), key=key)
    if client.repeatable:
        if server.name == "pds":
            stands = client.publish(first, key)
            assert stands == ref
        stranger = {**first, "record": {**first["record"], "text": "En annen", "tribridgeKey": "0"}}
        other = client.publish(stranger, "0")
        assert other.id != ref.id
    elif client.keeps_keys:
        assert publish(server, client, a_draft(server, "En annen"), key=key)[1].id == ref.id
    texts = {post.id: post.text for post in read_all(client, begin)}
    assert texts[ref.id] == "Den første"


def test_another_post_is_not_taken_for_the_copy(server: Server) -> None:
    client = server.client()
    begin = start(client)
    draft = a_draft(server, "Været i dag: sol")
    payload = server.network.to_payload(draft, a_key(draft), (), None, server.now())
    server.say("Været i dag: regn")
    (post,) = read_all(client, begin)
    assert not server.network.matches(payload, a_key(draft), post)


def test_replies_attach_to_their_parents(server: Server) -> None:
    client = server.client()
    begin = start(client)
    _, first = publish(server, client, a_draft(server, "Rot"))
    _, second = publish(server, client, a_draft(server, "Svar"), parents=Parents(first, first))
    publish(server, client, a_draft(server, "Svar på svar"), parents=Parents(second, first))
    me = client.login().id
    answered = [
        (post.reply_to.account, post.reply_to.id) if post.reply_to else None
        for post in read_all(client, begin)
    ]
    assert answered == [None, (me, first.id), (me, second.id)]


def test_a_quote_shows_the_post_where_the_server_can(server: Server) -> None:
    client = server.client()
    begin = start(client)
    if not client.limits.quotes:
        assert server.name in ("gotosocial", "takahe", "twitter")
        return
    _, first = publish(server, client, a_draft(server, "Fjellet er åpent"))
    draft = a_draft(server, "Nå også for biler", quote=Ref("1"))
    payload, ref = publish(server, client, draft, parents=Parents(shows=first))
    _, post = read_all(client, begin)
    assert (post.id, post.text) == (ref.id, "Nå også for biler")
    assert post.quote is not None
    assert (post.quote.account, post.quote.id) == (client.login().id, first.id)
    assert server.network.matches(payload, a_key(draft), post)


def test_a_boost_is_read_back_and_stands_once_however_often_it_is_asked_for(
    server: Server,
) -> None:
    client = server.client()
    begin = start(client)
    _, first = publish(server, client, a_draft(server, "Fjellet er stengt"))
    draft = Draft((), server.now(), boost=Ref("1"))
    payload = server.network.to_payload(draft, a_key(draft), (), Parents(shows=first), server.now())
    answers = []
    server.later(1)
    for _ in range(1 if server.name == "gotosocial" else 2):
        try:
            answers.append(client.publish(payload, a_key(draft)).id)
        except Uncertain:  # X need not name the repost
            assert server.name == "twitter"
    _, *boosts = read_all(client, begin)
    (post,) = boosts
    assert set(answers) <= {post.id}
    assert answers or server.name == "twitter"
    assert post.boost is not None
    assert (post.boost.account, post.boost.id) == (client.login().id, first.id)
    assert server.network.matches(payload, a_key(draft), post)
    other = {**payload, "reblog": "2", "tweet_id": "2"}
    assert server.network.matches(other, a_key(draft, 2), post) is False


def test_what_is_gone_is_not_boosted(server: Server) -> None:
    client = server.client()
    client.login()
    if server.network.name == "bluesky":  # whose servers take any reference
        return
    gone = Ref("01JD9ZQ3B7YVX5N0W8H2K4M6PR" if server.name == "gotosocial" else "1")
    draft = Draft((), server.now(), boost=gone)
    with pytest.raises(Refused):
        publish(server, client, draft, parents=Parents(shows=gone))
    if client.limits.quotes:
        with pytest.raises(Refused):
            publish(server, client, a_draft(server), parents=Parents(shows=gone))


def test_the_longest_text_is_taken_and_one_more_is_refused(server: Server) -> None:
    client = server.client()
    client.login()
    measure = client.limits.measures[0]
    longest = "æ" * measure.maximum
    assert client.limits.fits(longest)
    assert not client.limits.fits(longest + "æ")
    publish(server, client, a_draft(server, longest))
    with pytest.raises(Refused):
        publish(server, client, a_draft(server, longest + "æ"))


def test_images_go_with_their_alt_texts(server: Server) -> None:
    client = server.client()
    begin = start(client)
    uploads = []
    for color, alt in (("red", "Et rødt hus"), ("blue", "بيت أزرق")):
        out = io.BytesIO()
        Image.new("RGB", (64, 48), color).save(out, "PNG")
        uploads.append(client.upload(Upload(out.getvalue(), "image/png", alt, 64, 48)))
    publish(server, client, a_draft(server, "To hus"), uploads=tuple(uploads))
    (post,) = read_all(client, begin)
    assert [media.kind for media in post.media] == ["image", "image"]
    assert [media.alt for media in post.media] == ["Et rødt hus", "بيت أزرق"]
    assert all(media.url.startswith("http") for media in post.media)


def test_a_video_goes_with_its_alt_text_when_it_is_processed(server: Server) -> None:
    client = server.client()
    begin = start(client)
    data = mp4(4, (640, 360))
    film = Film(io.BytesIO(data), len(data), "video/mp4", "video", "عبّارة", 640, 360)
    upload = client.upload_film(film)
    while upload.get("pending"):
        server.later(upload["pending"])
        upload = client.processed({n: v for n, v in upload.items() if n != "pending"})
    assert json.loads(json.dumps(upload)) == upload
    publish(server, client, a_draft(server, "En ferje"), uploads=(upload,))
    (post,) = read_all(client, begin)
    (media,) = post.media
    assert (media.kind, media.alt) == ("video", "عبّارة")
    assert (media.width, media.height) == (640, 360)
    assert media.url.startswith("http")


def test_videos_of_people_are_read_with_all_that_is_told_of_them(server: Server) -> None:
    client = server.client()
    begin = start(client)
    server.say("Fossen", films=[(mp4(4), "Vann")])
    (post,) = read_all(client, begin)
    (media,) = post.media
    assert (media.kind, media.alt) == ("video", "Vann")
    if server.network.name == "bluesky":
        assert media.bytes == len(mp4(4))
    else:
        assert media.duration == 4
        assert media.poster.startswith("http")


def test_posts_of_people_are_read_with_what_they_carry(server: Server) -> None:
    client = server.client()
    begin = start(client)
    server.say("Ser på https://example.com/langt/nok/til/aa/bli/forkortet/av/nettverket #Vær")
    (post,) = read_all(client, begin)
    links = [run.target for run in post.runs if run.kind == "link"]
    assert links == ["https://example.com/langt/nok/til/aa/bli/forkortet/av/nettverket"]
    assert [run.target for run in post.runs if run.kind == "hashtag"] == ["Vær"]
    assert post.mark == ""


def texts(found: Mapping[str, Post | None]) -> list[str | None]:
    return [post.text if post else None for post in found.values()]


def test_posts_are_reread_as_they_are_now(server: Server) -> None:
    client = server.client()
    client.login()
    posts = [server.say(text) for text in ("Står", "Fiel", "Bort")]
    first = client.reread(posts)
    assert texts(first) == ["Står", "Fiel", "Bort"]
    server.later(60)
    server.edit(posts[1], "Feil")
    server.delete(posts[2])
    before = server.requests() if server.requests else 0
    again = client.reread(posts)
    assert list(again) == posts
    assert texts(again) == ["Står", "Feil", None]
    assert again[posts[0]] == first[posts[0]]
    edited, was = again[posts[1]], first[posts[1]]
    assert edited is not None
    assert was is not None
    assert (edited.id, edited.account, edited.created_at) == (was.id, was.account, was.created_at)
    assert (edited.revision, edited.cid) != (was.revision, was.cid)
    if server.requests:
        # on X an edit is looked up under an id of its own; where each is asked for by itself, what
        # is gone must be so by a server that knows the account
        requests = 4 if client.reread_batch == 1 else 2 if server.network.name == "twitter" else 1
        assert server.requests() == before + requests


def test_as_many_are_reread_as_are_asked_for(server: Server) -> None:
    client = server.client()
    client.login()
    posts = [server.say(f"Innlegg {number}") for number in range(103)]
    asked = posts[::-2]
    assert texts(client.reread(asked)) == [f"Innlegg {number}" for number in range(102, -1, -2)]
    assert client.reread([]) == {}


def test_a_post_that_is_not_for_everyone_any_more_says_so(server: Server) -> None:
    client = server.client()
    client.login()
    post_id = server.say("For alle")
    server.hide(post_id)
    (post,) = client.reread([post_id]).values()
    assert post is not None
    assert post.visibility == "private"
    assert client.find(post_id) == post


def test_a_post_that_is_gone_is_told_from_one_that_stands(server: Server) -> None:
    client = server.client()
    client.login()
    posts = [server.say("Står"), server.say("Bort")]
    assert client.find(posts[0]).text == "Står"
    server.delete(posts[1])
    with pytest.raises(Gone):
        client.find(posts[1])
    assert client.find(posts[0]).text == "Står"


def test_a_copy_is_deleted_once_however_often_that_is_asked(server: Server) -> None:
    client = server.client()
    begin = start(client)
    _, kept = publish(server, client, a_draft(server, "Står"))
    _, ref = publish(server, client, a_draft(server, "Bort"))
    client.delete(ref)
    client.delete(ref)
    with pytest.raises(Gone):
        client.find(ref.id)
    assert [post.id for post in read_all(client, begin)] == [kept.id]


def test_a_record_that_was_changed_by_hand_is_no_copy_any_more(server: Server) -> None:
    client = server.client()
    client.login()
    _, ref = publish(server, client, a_draft(server, "Vår versjon"))
    server.edit(ref.id, "En annen versjon")
    if ref.cid:
        with pytest.raises(Refused):
            client.delete(ref)
        assert client.find(ref.id).text == "En annen versjon"
    client.delete(replace(ref, cid=""))
    with pytest.raises(Gone):
        client.find(ref.id)


def test_a_copy_is_changed_in_place_where_the_network_shows_that(server: Server) -> None:
    client = server.client()
    begin = start(client)
    _, ref = publish(server, client, a_draft(server, "Fiel i teksten"))
    if not server.network.edits:
        with pytest.raises(Refused):
            client.update(ref, {})
        return
    to = a_draft(server, "Feil i teksten", content_warning="Språk")
    payload = server.network.to_update(to, (), server.now())
    assert json.loads(json.dumps(payload)) == payload
    for _ in range(2):
        server.later(60)
        assert client.update(ref, payload).id == ref.id
    (post,) = read_all(client, begin)
    assert (post.id, post.text, post.content_warning) == (ref.id, "Feil i teksten", "Språk")
    assert post.visibility == "public"
    assert post.revision
    client.delete(ref)
    with pytest.raises(Gone):
        client.update(ref, payload)


def test_an_edit_keeps_images_and_the_poll(server: Server) -> None:
    if not server.network.edits:
        return
    client = server.client()
    client.login()
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "PNG")
    upload = client.upload(Upload(out.getvalue(), "image/png", "Et hus", 64, 48))
    media = (Media("image", "u", "Et rødt hus"),)
    draft = a_draft(server, "Hus", media=media)
    _, ref = publish(server, client, draft, uploads=(upload,))
    to = replace(draft, runs=(Run("Huset"),))
    client.update(ref, server.network.to_update(to, (upload,), server.now()))
    post = client.find(ref.id)
    assert (post.text, [item.alt for item in post.media]) == ("Huset", ["Et rødt hus"])
    if client.limits.polls is None:
        return
    poll = Poll(("Ja", "Nei"), shortest=3600, longest=3600)
    _, ref = publish(server, client, a_draft(server, "Sol", poll=poll))
    ends_at = client.find(ref.id).poll
    server.later(60)
    to = a_draft(server, "Sol?", poll=poll)
    client.update(ref, server.network.to_update(to, (), server.now()))
    post = client.find(ref.id)
    assert post.text == "Sol?"
    assert post.poll == ends_at


def test_a_server_that_is_not_there_is_unreachable(server: Server) -> None:
    url = next(s.name for s in server.network.settings if s.kind == "url")
    client = server.client(**{url: "http://127.0.0.1:9"})
    with pytest.raises(Unreachable):
        client.login()


def test_every_manifest_names_a_client_that_is_one() -> None:
    from bridge.networks.bluesky.client import BlueskyClient
    from bridge.networks.mastodon.client import MastodonClient
    from bridge.networks.twitter.client import TwitterClient

    kinds: dict[str, Callable[..., Client]] = {
        "bluesky": BlueskyClient,
        "mastodon": MastodonClient,
        "twitter": TwitterClient,
    }
    assert kinds.keys() == NETWORKS.keys()
    for name, kind in kinds.items():
        assert getattr(kind, "__name__", "") == NETWORKS[name].client
