"""What comes of a post on a target, in the words of a test; beside what is expected. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from bridge.network import Network
from bridge.post import Card, Draft, Skip

#: what comes of a post: the values of `config.trials.EXPECTED` by name, `parts` for `text`
Outcome = Mapping[str, Any]


def of_skip(skip: Skip) -> Outcome:
    """Why there is no copy."""
    return {"skipped": skip.reason}


def of_drafts(drafts: tuple[Draft, ...], target: Network) -> Outcome:
    """All that a test can ask of a copy."""
    first = drafts[0]
    card = next((draft.card for draft in drafts if draft.card is not None), None)
    poll = next((draft.poll for draft in drafts if draft.poll is not None), None)
    quote = next((draft.quote for draft in drafts if draft.quote is not None), None)
    return {
        "parts": () if first.boost else tuple(_ended(draft.lead + draft.text) for draft in drafts),
        "boost": first.boost.url if first.boost else "",
        "quote": quote.url if quote else "",
        "card": _card(card),
        "media": [{"kind": m.kind, "alt": m.alt} for draft in drafts for m in draft.media],
        "poll": poll.options if poll else (),
        "language": target.declared(first.languages) if target.languages else (),
        "content_warning": first.content_warning,
        "visibility": first.visibility if target.visibilities else "public",
        "sensitive": first.sensitive,
        "labels": first.labels,
        "losses": tuple(f"{loss.what}: {loss.detail}" for loss in first.losses),
    }


def _card(card: Card | None) -> dict[str, str]:
    if card is None:
        return {}
    said = {"url": card.url, "title": card.title, "description": card.description}
    return {name: value for name, value in said.items() if value}


def _ended(text: str) -> str:
    """A text as a block of YAML gives it, whether that keeps its last line break or not."""
    return text.rstrip("\n")


def compared(wanted: Outcome, found: Outcome) -> tuple[Any, Any]:
    """What is expected and what came of it, alike where that is met, both as they are written.

    Of what came of it only that is shown which is expected, or all where that is of another kind.
    """
    if "mirrored" in wanted:
        return "mirrored", shown(found) if "skipped" in found else "mirrored"
    if "skipped" in wanted:
        reason = wanted["skipped"]
        if "skipped" not in found:
            return {"skipped": reason} if reason else "skipped", filled(found)
        return ({"skipped": reason}, shown(found)) if reason else ("skipped", "skipped")
    if "skipped" in found:
        return shown(wanted), shown(found)
    same = {name: _restricted(value, found[name]) for name, value in wanted.items()}
    if found["boost"] and same.get("parts") == ():
        same["boost"] = found["boost"]
    return shown(wanted), shown(same)


def _restricted(wanted: Any, found: Any) -> Any:
    """What came of it, as far as something is expected of it."""
    if isinstance(wanted, dict) and wanted and found:
        return {name: found.get(name, "") for name in wanted}
    if isinstance(wanted, tuple) and isinstance(found, list):  # of media
        pairs = zip(wanted, found, strict=False)
        rest = found[len(wanted) :]
        return [_restricted(one, item) for one, item in pairs] + rest
    return found


def filled(found: Outcome) -> dict[str, Any]:
    """What a test may expect: all that the copy has, and its losses though there be none."""
    if "skipped" in found:
        return dict(found)
    kept = {name: v for name, v in found.items() if (v and v != "public") or name == "losses"}
    return shown(kept)


def shown(values: Outcome) -> dict[str, Any]:
    """Values as they are written: one part as `text`, lists as such, `none` for no card."""
    written: dict[str, Any] = {}
    for name, value in values.items():
        if name == "parts" and len(value) == 1:
            written["text"] = _ended(value[0])
        elif name == "parts":
            written["parts"] = [_ended(part) for part in value]
        elif name == "card":
            written["card"] = value["url"] if list(value) == ["url"] else value or "none"
        elif name == "language" and len(value) == 1:
            written["language"] = value[0]
        else:
            written[name] = list(value) if isinstance(value, tuple) else value
    return written


# How it is written


class _Dumper(yaml.SafeDumper):
    """Writes lines of text as lines, and lists a step further in."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # PyYAML takes these for line breaks, which it folds
    folded = any(sign in text for sign in "\x85\u2028\u2029")
    style = '"' if folded else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _string)


def written(value: Any) -> str:
    """A value as YAML that reads well, texts of several lines as blocks; ends with a line break."""
    text: str = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10**6)
    return text.removesuffix("...\n")


def difference(expected: str, actual: str) -> Iterator[str]:
    """The lines of a unified diff, all in one piece."""
    lines = difflib.unified_diff(
        expected.splitlines(),
        actual.splitlines(),
        "expected",
        "what comes of it",
        lineterm="",
        n=10**6,
    )
    return (line for line in lines if not line.startswith("@@"))
