"""A post as it is to stand on a target: drafts within its limits, with what was lost. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from bridge import films
from bridge.hashtags import arrange, one_cashtag
from bridge.labels import labels_of, warning_of
from bridge.network import Limits, Network
from bridge.people import live, set_apart, stands
from bridge.polls import as_text, ballot
from bridge.post import (
    Card,
    Draft,
    Loss,
    Media,
    Post,
    Ref,
    Run,
    Skip,
    Visibility,
    join_runs,
    replace_in_runs,
)
from bridge.schema import Policy
from bridge.text import (
    comparable,
    defuse_links,
    defuse_mentions,
    drop_links,
    ends_sentence,
    mastodon_entities,
    shorten_url,
    shows_other_site,
    shows_url,
    split_runs,
    truncate_runs,
    x_entities,
)

#: from widest to narrowest
_WIDTH: tuple[Visibility, ...] = ("public", "unlisted", "private", "direct")
Runs = tuple[Run, ...]


def render(
    post: Post,
    policy: Policy,
    target: Network,
    limits: Limits,
    standing: Ref | None = None,
    *,
    converts: bool = False,
) -> tuple[Draft, ...] | Skip:
    """The drafts, in order, that mirror a post; or why it cannot be mirrored.

    Every draft fits the target's limits, as far as its attachments are known; `converts` says that
    videos can be converted. Losses stand on the first draft. `standing` is what the post boosts or
    quotes, where that stands on the target or will.
    """
    losses: list[Loss] = []
    if post.boost is not None and standing is not None:
        seen_by = _visibility(post, policy, target)
        return (Draft((), post.created_at, visibility=seen_by, boost=standing),)
    post = _own_part(post, policy, standing, limits)
    if policy.links == "drop":
        post, policy = _without_links(post, policy, losses)
    poll = ballot(post, policy, target, limits, losses)
    if poll is not None:
        post = replace(post, poll=None)
    labels, warning = _warnings(post, policy, target, losses)
    post, hashtags = arrange(post, policy, target)
    runs = _content(post, policy, target, losses)
    if isinstance(runs, Skip):
        return runs
    if target.mentions_in_text:
        warning = defuse_mentions(warning)
    if warning and not target.content_warnings:
        if policy.content_warning == "skip":
            return Skip(f"has a content warning, and {target.title} has no field for it")
        runs, warning = join_runs((Run(f"CW: {warning}" + ("\n\n" if runs else "")), *runs)), ""
    if policy.links == "drop":
        runs = _defused(runs, losses)
    groups, linked = _groups(post, policy, limits, losses, converts=converts)
    if linked or policy.link_back == "always" or (losses and policy.link_back == "truncated"):
        runs = _with_link(runs, post.url, target)
    parts = _parts(runs, warning, post.url, policy, target, limits, losses)
    if isinstance(parts, Skip):
        return parts
    count = max(len(parts), len(groups))
    if count == 0:
        return Skip("nothing in it that can be mirrored")
    losses += [
        *hashtags,
        *_undeclared(post, target),
        *_warned_of(post, target),
        *_unshown(post, policy, standing),
    ]
    shows_card, card = _card(post, policy, target, parts, groups)
    first = Draft(
        runs=(),
        created_at=post.created_at,
        parts=count,
        languages=post.languages or ((policy.language,) if policy.language else ()),
        content_warning=warning,
        sensitive=post.sensitive,
        labels=labels,
        visibility=_visibility(post, policy, target),
    )
    return tuple(
        replace(
            first,
            runs=parts[n] if n < len(parts) else (),
            part=n + 1,
            media=groups[n] if n < len(groups) else (),
            reply_to=post.reply_to if n == 0 else None,
            losses=tuple(losses) if n == 0 else (),
            poll=poll if n == count - 1 else None,
            card=card if n == shows_card else None,
            quote=_quote(standing, n, parts[n] if n < len(parts) else (), target, limits),
            tags=post.tags if n == 0 else (),
            alone=policy.long == "numbered" and not target.threads and 0 < n < len(parts),
        )
        for n in range(count)
    )


def _card(
    post: Post,
    policy: Policy,
    target: Network,
    parts: list[Runs],
    groups: list[tuple[Media, ...]],
) -> tuple[int, Card | None]:
    """The first part that shows a card, which one with media does not; and the card.

    It is the original's if its link stands in the text, else one of the first link.
    """
    if not target.cards or policy.cards == "none":
        return 0, None
    links = [(n, url) for n, part in enumerate(parts) for url in _pages(post, part)]
    card = _original_card(post)
    of_card = [(n, url) for n, url in links if card and comparable(url) == comparable(card.url)]
    if policy.cards == "source" and not (card and of_card and card.title.strip()):
        return 0, None
    for n, url in of_card or links:
        if n >= len(groups) or not groups[n]:
            # of one without a title the page is asked
            return n, card if of_card else Card(url)
    return 0, None


def _pages(post: Post, runs: Runs) -> list[str]:
    """What is linked: not the original's own page, nor the page of a person who is mentioned."""
    linked = {run.target for run in post.runs if run.kind == "link"}
    people = {run.target for run in post.runs if run.kind == "mention"} - linked
    found = (run.target for run in runs if run.kind == "link")
    return [url for url in found if url != post.url and url not in people]


def _original_card(post: Post) -> Card | None:
    """The original's card, with the address of the link that it is of: if that is told apart.

    A page can name another address as its own, and the card has that.
    """
    links = set(_pages(post, post.runs))
    card = post.card
    if card is None or comparable(card.url) in map(comparable, links):
        return card
    return replace(card, url=links.pop()) if len(links) == 1 else None


def _own_part(post: Post, policy: Policy, standing: Ref | None, limits: Limits) -> Post:
    """A post without what is another person's, and without a quote that needs no text."""
    if post.boost is not None:
        # servers repeat all of the boosted post; of it, words may be quoted, with their warning
        post = replace(post, media=(), poll=None, quote=None, sensitive=False, labels=())
        quoted = policy.boosts == "quote"
        return post if quoted else replace(post, runs=(), content_warning="")
    return replace(post, quote=None) if standing is not None and limits.quotes else post


def _unshown(post: Post, policy: Policy, standing: Ref | None) -> list[Loss]:
    """A boost or a quote of what does not stand on the target."""
    if post.boost is not None:
        linked = "" if policy.links == "drop" else " and a link"
        return [Loss("boost", f"it became text{linked}" if post.runs else "it became a link")]
    if post.quote is not None and post.quote.url and standing is None:
        return [Loss("quote", "it became a link")]
    return []


def _quote(quote: Ref | None, at: int, runs: Runs, target: Network, limits: Limits) -> Ref | None:
    """What a part quotes: the first by reference, else whichever has the link in its text."""
    if quote is None or limits.quotes:
        return quote if at == 0 else None
    url = target.spell_url(quote.url)
    linked = any(run.kind == "link" and run.target == url for run in runs)
    return replace(quote, url=url) if linked else None


def _undeclared(post: Post, target: Network) -> list[Loss]:
    """The languages that a copy cannot declare."""
    declared = target.declared(post.languages)
    left = ", ".join(tag for tag in post.languages if tag and tag not in declared)
    return [Loss("languages", f"not declared on the copy: {left}")] if left else []


def _without_links(post: Post, policy: Policy, losses: list[Loss]) -> tuple[Post, Policy]:
    """A post without its links, and a policy that adds none."""
    runs = drop_links(post.runs)
    has_quote = post.quote is not None and policy.quotes == "link"
    if runs != post.runs or has_quote:
        losses.append(Loss("links", "links were left out"))
    mentions: Literal["text", "skip"] = "skip" if policy.mentions == "skip" else "text"
    post = replace(post, runs=runs, quote=None if has_quote else post.quote)
    return post, replace(policy, link_back="never", mentions=mentions)


def _defused(runs: Runs, losses: list[Loss]) -> Runs:
    """Runs without names of sites that are links by themselves."""
    defused = defuse_links(runs)
    if defused != runs:
        losses.append(Loss("links", "names of sites are spelled so that they are no links"))
    return defused


def _content(post: Post, policy: Policy, target: Network, losses: list[Loss]) -> Runs | Skip:
    """The text with mentions, links, quotes, boosts and polls as the target shows them."""
    if post.boost is not None and policy.links == "drop" and not post.runs:
        return Skip("a boost is a link only, and links are dropped")
    runs: list[Run] = []
    for run in post.runs:
        named = _named(run, post, policy, target) if run.kind == "mention" else run
        if named is None:
            return Skip(f"mentions {run.name or run.text}")
        runs.append(named)
    if post.poll is not None:
        runs.append(as_text(post.poll))
        if post.poll.closed:
            losses.append(Loss("poll", "the poll is over: its results became text"))
        else:
            losses.append(Loss("poll", "the poll became a list of its options"))
    if post.boost is not None:
        runs = _attributed(post.boost, runs, linked=policy.links != "drop")
    content = _spell(join_runs(runs), target)
    if post.quote is not None and post.quote.url:
        if policy.quotes == "skip":
            return Skip("quotes another post")
        content = _with_link(content, post.quote.url, target)
    return content


def _named(run: Run, post: Post, policy: Policy, target: Network) -> Run | None:
    """What a mention becomes; None if the post is to be skipped for it."""
    mention = live(run, post, policy.people, target)
    if mention is not None or policy.mentions == "skip":
        return mention
    linked = policy.mentions == "link" and run.target
    return Run(run.name, "link", run.target) if linked else Run(run.name)


def _attributed(boost: Ref, runs: list[Run], *, linked: bool) -> list[Run]:
    """The words of another person, if any, with the name of that person and a link."""
    link = [Run(boost.url, "link", boost.url)] if linked else []
    head = f"🔁 {boost.author}:" if boost.author else "🔁"
    if runs:
        gap = [Run("\n\n")] if link else []
        return [Run(f"{head}\n\n"), *runs, *gap, *link]
    return [Run(f"{head} "), *link] if boost.author else link


def _spell(runs: Runs, target: Network) -> Runs:
    """Runs whose text is what the target shows.

    Links stand in full where the target's links have no text of their own, and no `@name` is left
    that would notify anybody.
    """
    out: list[Run] = []
    for run in runs:
        if run.kind == "link":
            out += _link(run, target)
        elif run.kind == "text" and target.mentions_in_text:
            out.append(Run(defuse_mentions(run.text)))
        else:
            out.append(run)
    spelled = join_runs(out)
    return set_apart(spelled) if target.mentions_in_text else spelled


def silence(runs: Runs) -> Runs:
    """Runs of which nothing notifies anybody, also where one run's end meets another's beginning.

    But for those that are mentions, of whom they should be. URLs are left alone: an `@` in them is
    no mention.
    """
    while True:
        text = "".join(run.text for run in runs)
        if "@" not in text and "＠" not in text:
            return runs
        spans = [s for s in (*x_entities(text), *mastodon_entities(text)) if s.kind == "mention"]
        loose = [
            at
            for span in spans
            for at in range(span.start, span.end)
            if text[at] in "@＠" and not _is_meant(runs, at)
        ]
        if not loose:
            return runs
        runs = replace_in_runs(runs, loose[0], loose[0] + 1, "")


def _is_meant(runs: Runs, at: int) -> bool:
    """Whether the `@` at an index of the text belongs to a URL that is shown, or to a mention."""
    for n, run in enumerate(runs):
        if at < len(run.text):
            return (run.kind == "link" and run.text == run.target) or stands(runs, n)
        at -= len(run.text)
    return False


def _link(run: Run, target: Network) -> list[Run]:
    words = run.text.strip()
    before, _, after = run.text.partition(words) if words else (run.text, "", "")
    return [Run(before), *_worded(replace(run, text=words), target), Run(after)]


def _worded(run: Run, target: Network) -> list[Run]:
    if not target.rich_links:
        url = target.spell_url(run.target)
        link = replace(run, text=url, target=url)
        if shows_url(run):
            return [link]
        return [Run(f"{defuse_mentions(run.text)} ("), link, Run(")")]
    if shows_url(run):
        return [replace(run, text=shorten_url(run.target))]
    if shows_other_site(run):
        return [Run(f"{run.text} ("), replace(run, text=shorten_url(run.target)), Run(")")]
    return [run]


def _with_link(runs: Runs, url: str, target: Network) -> Runs:
    """Runs with a link after an empty line, unless they lead there already."""
    url = target.spell_url(url)
    if not url or _leads_to(url, runs):
        return runs
    text = shorten_url(url) if target.rich_links else url
    return join_runs((*runs, Run("\n\n" if runs else ""), Run(text, "link", url)))


def _warnings(
    post: Post, policy: Policy, target: Network, losses: list[Loss]
) -> tuple[tuple[str, ...], str]:
    """The self-labels and the content warning of the copy."""
    labels = labels_of(post, policy.labels) if target.labels else ()
    warning = post.content_warning if target.labels else warning_of(post)
    if post.sensitive and post.media and not (target.content_warnings or labels):
        losses.append(Loss("label", f"media marked as sensitive are not hidden on {target.title}"))
        warning = warning or ("" if target.labels else "sensitive media")
    return labels, warning


def _warned_of(post: Post, target: Network) -> list[Loss]:
    if post.labels and not (target.labels or post.content_warning):
        return [Loss("label", "self-labels became a content warning")]
    return []


def _groups(
    post: Post, policy: Policy, limits: Limits, losses: list[Loss], *, converts: bool
) -> tuple[list[tuple[Media, ...]], bool]:
    """The media of each part, and whether a link must lead to images that are left out."""
    shown = _shown(post, limits, losses, converts=converts)
    room = (policy.many_images == "gallery" and limits.gallery) or max(limits.images, 1)
    images = [item for item in shown if not item.plays]
    linked = policy.many_images == "link" and len(images) > room
    if linked:
        losses.append(Loss("media", f"{len(images) - room} images beyond {room} were left out"))
        shown = tuple(item for item in shown if item.plays or item in images[:room])
        linked = policy.links != "drop"
    return films.groups(shown, room), linked


def to_copy(draft: Draft, copy: Ref, limits: Limits) -> Draft:
    """A draft whose link to what it quotes leads to the copy of that, if there is room for it."""
    link = Run(copy.url, "link", copy.url)
    if draft.quote is None or limits.quotes or not copy.url:
        return draft
    runs = tuple(
        link if run.kind == "link" and run.target == draft.quote.url else run for run in draft.runs
    )
    changed = replace(draft, runs=runs)
    return changed if _fits(changed, limits) else draft


def _fits(draft: Draft, limits: Limits) -> bool:
    """Whether the text of a draft, as it goes out, is within the limits."""
    return limits.fits(draft.lead + draft.text, draft.content_warning)


def without_quote(draft: Draft, target: Network, limits: Limits) -> Draft:
    """A draft that links what it was to quote, for a server that does not let it."""
    assert draft.quote is not None
    lost = Loss("quote", "the server refused it: it became a link")
    linked = replace(draft, runs=_with_link(draft.runs, draft.quote.url, target), quote=None)
    if not _fits(linked, limits):
        lost = Loss("quote", "the server refused it, and there was no room for a link")
        linked = replace(draft, quote=None)
    return replace(linked, losses=(*draft.losses, lost))


def _shown(post: Post, limits: Limits, losses: list[Loss], *, converts: bool) -> tuple[Media, ...]:
    """What the target can show: of what plays, else its poster; alt texts cut to the limit."""
    shown = []
    for media in post.media:
        item: Media | None = media
        if media.plays:
            why = films.unfit(media, limits, converts=converts)
            if why:
                losses.append(Loss("media", why))
                item = films.poster(media) if limits.images else None
        elif media.kind != "image" or limits.images == 0:
            losses.append(Loss("media", f"an attachment of kind {media.kind} was left out"))
            item = None
        if item is not None:
            shown.append(shorten_alt(item, limits, losses))
    return tuple(shown)


def without_film(
    draft: Draft, why: str, url: str, policy: Policy, target: Network, limits: Limits
) -> Draft | None:
    """A draft whose video turned out not to go: with its poster and a link to the original.

    `why` is what people are told of it, `url` the original's page; there is no link where the bot
    adds none. None if nothing would be left of it.
    """
    (film,) = draft.media
    still = films.poster(film) if limits.images else None
    runs, losses = draft.runs, [Loss("media", why)]
    if policy.links != "drop" and policy.link_back != "never":
        runs = _with_link(runs, url, target)

    def fits(text: str) -> bool:
        return limits.fits(draft.lead + text, draft.content_warning)

    if not fits("".join(run.text for run in runs)):
        ending = _with_link((Run("…"),), url, target)
        try:
            runs = truncate_runs(runs, fits, ending)
            losses.append(Loss("text", "the end was cut off"))
        except ValueError:
            runs = draft.runs
    if target.mentions_in_text:
        runs = silence(runs)
    if still is None and not "".join(run.text for run in runs).strip():
        return None
    losses = [loss for loss in losses if loss not in draft.losses]
    media = () if still is None else (still,)
    return replace(draft, runs=runs, media=media, losses=(*draft.losses, *losses))


def shorten_alt(media: Media, limits: Limits, losses: list[Loss]) -> Media:
    """An attachment whose alt text is within the target's limit: cut after a word, with a mark."""
    if len(media.alt) <= limits.alt_characters:  # code points, as the servers count them
        return media
    losses.append(Loss("alt text", f"cut to {limits.alt_characters} characters"))
    cut = truncate_runs((Run(media.alt),), lambda text: len(text) <= limits.alt_characters)
    return replace(media, alt="".join(run.text for run in cut))


def _visibility(post: Post, policy: Policy, target: Network) -> Visibility:
    """Of the copy: as configured, but never wider than the original."""
    if not target.visibilities:
        return "public"
    wanted: Visibility = post.visibility if policy.visibility == "same" else policy.visibility
    return max(wanted, post.visibility, key=_WIDTH.index)


def _parts(
    runs: Runs,
    warning: str,
    url: str,
    policy: Policy,
    target: Network,
    limits: Limits,
    losses: list[Loss],
) -> list[Runs] | Skip:
    """The parts as `_fit` makes them, where being cut apart made nothing live."""
    parts = _fit(runs, warning, url, policy, target, limits, losses)
    if isinstance(parts, Skip):
        return parts
    if target.one_cashtag:
        words = [one_cashtag(part) for part in parts]
        if words != parts:
            losses.append(Loss("cashtags", f"{target.title} takes one in a post: others are words"))
            parts = words
    if target.mentions_in_text:
        parts = [silence(part) for part in parts]
    if policy.links == "drop":
        parts = [defuse_links(part) for part in parts]
    longer = policy.links == "drop" or target.one_cashtag
    if longer and not all(limits.fits("".join(r.text for r in part), warning) for part in parts):
        return Skip(f"cannot be cut to the limits of {target.title}")
    return parts


def _fit(
    runs: Runs,
    warning: str,
    url: str,
    policy: Policy,
    target: Network,
    limits: Limits,
    losses: list[Loss],
) -> list[Runs] | Skip:
    """The text in parts within the limits, as the bot's `long` says."""

    def fits(text: str) -> bool:
        return limits.fits(text, warning)

    if not "".join(run.text for run in runs).strip():
        return []
    if fits("".join(run.text for run in runs)):
        return [runs]
    try:
        if policy.long == "skip":
            return Skip(f"longer than one post on {target.title}")
        if any(run.kind == "link" and not fits(run.text) for run in runs):
            losses.append(Loss("links", "a link longer than a whole post was cut"))
        if policy.long in ("truncate", "first_and_link"):
            linked = policy.long == "first_and_link" and policy.links != "drop"
            losses.append(Loss("text", "the end was cut off"))
            cut = truncate_runs if policy.long == "truncate" else _first_part
            own = target.spell_url(url)
            if not (linked or policy.link_back != "never"):
                part = cut(runs, fits, (Run("…"),))
                # an address that a step has put there stays
                if _leads_to(own, part) or not _leads_to(own, runs):
                    return [part]
            runs = tuple(run for run in runs if run.target != own)
            return [cut(runs, fits, _with_link((Run("…"),), url, target))]
        if policy.long == "numbered":
            return _numbered(runs, fits)
        # where parts may have to stand by themselves there is room to say which they are
        return split_runs(runs, fits) if target.threads else _split(runs, fits)
    except ValueError:
        return Skip(f"cannot be cut to the limits of {target.title}")


def _leads_to(url: str, runs: Runs) -> bool:
    return any(run.kind == "link" and run.target == url for run in runs)


def _first_part(runs: Runs, fits: Callable[[str], bool], ending: Runs) -> Runs:
    """The first part of a thread if a sentence ends there, else as much as fits; then `ending`.

    `ending` begins with an ellipsis, which is left out after a whole sentence.
    """
    room = "".join(run.text for run in ending)
    part = split_runs(runs, lambda text: fits(text + room))[0]
    if not ends_sentence("".join(run.text for run in part)):
        return truncate_runs(runs, fits, ending)
    return join_runs((*part, *replace_in_runs(ending, 0, 1, "")))


def _numbered(runs: Runs, fits: Callable[[str], bool]) -> list[Runs]:
    """Parts that end in (1/3), (2/3), (3/3)."""
    parts = _split(runs, fits)
    return [join_runs((*part, Run(f" ({n}/{len(parts)})"))) for n, part in enumerate(parts, 1)]


def _split(runs: Runs, fits: Callable[[str], bool]) -> list[Runs]:
    """Parts that all have room for their number, such as (1/3), and a space."""
    digits = 1
    while True:
        room = f" ({'9' * digits}/{'9' * digits})"
        parts = split_runs(runs, lambda text, room=room: fits(text + room))  # type: ignore[misc]
        if len(str(len(parts))) <= digits:
            return parts
        digits += 1


def by_itself(draft: Draft, target: Network, limits: Limits) -> Draft:
    """A draft that answers nothing, for a server that does not let it: it says which part it is."""
    number = f"({draft.part}/{draft.parts})"
    known = draft.parts == 1 or draft.text.endswith(number)
    lead = "" if known else f"{number} " if draft.text else number
    if not limits.fits(lead + draft.text, draft.content_warning):
        lead = ""
    lost = Loss("thread", f"{target.title} takes no answers to own posts: it stands by itself")
    losses = draft.losses if lost in draft.losses else (*draft.losses, lost)
    return replace(draft, alone=True, lead=lead, losses=losses)
