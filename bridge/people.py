"""Mentions that stay live: of people whose handles the configuration names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bridge.network import Network
from bridge.post import Draft, Loss, Post, Run, join_runs
from bridge.registry import NETWORKS
from bridge.schema import Person
from bridge.text import mastodon_entities

Runs = tuple[Run, ...]


def live(run: Run, post: Post, people: tuple[Person, ...], target: Network) -> Run | None:
    """The mention on the target of the person whom a mention of a post means, if there is one.

    None for everybody else, and where the person has no handle or nobody is ever mentioned.
    """
    if not people or not target.live_mentions or post.boost is not None:
        return None  # of a boost, the words are another person's
    source = NETWORKS[post.account.partition(":")[0]]
    meant = {handle.casefold() for handle in source.handles(run, post.account)}
    for person in people:
        handles = dict(person.handles)
        if handles.get(source.name, "").casefold() in meant and target.name in handles:
            return target.mention(handles[target.name], run.name)
    return None


def set_apart(runs: Runs) -> Runs:
    """Runs in which each mention is just the one that it is, whatever stands beside it.

    For networks where the characters of a text are the mention: `@a@b.example` before `.org` would
    be of somebody else. A space is put between.
    """
    out = list(runs)
    at = 0
    while at < len(out):
        if out[at].kind == "mention" and not stands(tuple(out), at):
            if at > 0 and not out[at - 1].text[-1:].isspace():
                out.insert(at, Run(" "))
                at += 1
            if at + 1 < len(out) and not out[at + 1].text[:1].isspace():
                out.insert(at + 1, Run(" "))
        at += 1
    return join_runs(out)


def stands(runs: Runs, at: int) -> bool:
    """Whether the run at an index is a mention, whole and nothing more, of whom it should be."""
    start = sum(len(run.text) for run in runs[:at])
    text = "".join(run.text for run in runs)
    spans = ((s.start, s.end) for s in mastodon_entities(text) if s.kind == "mention")
    return runs[at].kind == "mention" and (start, start + len(runs[at].text)) in spans


def unknown_handles(draft: Draft) -> list[str]:
    """The handles in a draft that a network wants to be told as identities, each once."""
    return list(dict.fromkeys(_handle(run) for run in draft.runs if _is_unknown(run)))


def identified(draft: Draft, found: Mapping[str, str], target: Network) -> Draft:
    """A draft whose mentions name identities: those that handles were found to be.

    Where nothing was found, the plain name stands, and a loss.
    """
    runs, losses = [], list(draft.losses)
    for run in draft.runs:
        if not _is_unknown(run):
            runs.append(run)
        elif did := found.get(_handle(run)):
            runs.append(replace(run, target=f"{run.target.rpartition('/')[0]}/{did}"))
        else:
            # a mention still, which leads nowhere: what it was is to be seen when it is edited
            runs.append(replace(run, text=run.name, target=""))
            losses.append(Loss("mention", f"{_handle(run)} was not found on {target.title}"))
    return replace(draft, runs=tuple(runs), losses=tuple(dict.fromkeys(losses)))


def _is_unknown(run: Run) -> bool:
    return run.kind == "mention" and bool(run.target) and not _handle(run).startswith("did:")


def _handle(run: Run) -> str:
    return run.target.rpartition("/")[2]
