"""Fills expectations in: in the file as it is, in which nothing else changes.

PyYAML tells where each value begins and ends; what is put there is read again before it is written.
"""

from __future__ import annotations

import codecs
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from bridge.config import Files, examine
from bridge.config.effective import written as on_one_line
from bridge.config.yaml_reader import place
from bridge.trials import Result, run
from bridge.trials.outcome import filled, written

_COMMENT = re.compile(r"(?:(?<=\s)|^)#[^\r\n]*")
_REST_OF_LINE = re.compile(r"([ \t]+#[^\r\n]*)?")
_THROUGH_ALIAS = "it comes through an anchor or an alias: write it out"

_Path: TypeAlias = tuple[str | int, ...]


class Left(Exception):
    """An expectation, or a file, that is left as it is: why."""


@dataclass(slots=True)
class _Piece:
    """A value in a text: its first character, and the one after its last."""

    start: int
    end: int
    flow: bool = False
    alias: bool = False
    anchored: bool = False
    #: of a single value; None for lists and maps
    text: str | None = None
    keys: list[_Piece] = field(default_factory=list)
    #: of a list, or of a map beside its keys
    values: list[_Piece] = field(default_factory=list)

    def pair(self, name: str) -> tuple[_Piece, _Piece] | None:
        """What a map has under a name, with that."""
        pairs = zip(self.keys, self.values, strict=True)
        return next(((k, v) for k, v in pairs if k.text == name), None)

    def walk(self) -> Iterator[_Piece]:
        """The piece and all in it, in order."""
        yield self
        for number, value in enumerate(self.values):
            if self.keys:
                yield from self.keys[number].walk()
            yield from value.walk()


def update(files: Files, config_file: Path, results: Sequence[Result]) -> list[str]:
    """Write what comes of each test that fails into its file; says what was done, and what was not.

    A file is written whole, in place of the old one, or not at all.
    """
    told: list[str] = []
    by_file: dict[Path, list[tuple[_Path, Result]]] = {}
    counted: dict[str, int] = {}
    for result in results:
        number = counted[result.bot] = counted.get(result.bot, -1) + 1
        if result.failures:
            own = result.bot in files.bots
            file = config_file.parent / "bots" / f"{result.bot}.yaml" if own else config_file
            start: _Path = () if own else ("bots", result.bot)
            by_file.setdefault(file, []).append(((*start, "tests", number), result))
    for file, failed in by_file.items():
        source = failed[0][1].trial.node.source
        try:
            text, updated, refused = _updated(source.text, failed)
            told += refused
            if updated:
                _check(files, config_file, file, text, updated)
                _write(file, source.text, text)
                many = f"{len(updated)} expectation{'s' * (len(updated) != 1)}"
                told.append(f"{source.name}: {many} written")
        except Left as why:
            told.append(f"{source.name}: left as it is: {why}")
        except OSError as error:
            told.append(f"{source.name}: cannot be written ({error.strerror})")
    return told


def _updated(
    text: str, failed: Sequence[tuple[_Path, Result]]
) -> tuple[str, list[Result], list[str]]:
    """A text with what comes of each test; those that are in it, and what is told of others."""
    try:
        root = _pieces(text)
    except yaml.YAMLError:
        raise Left("it cannot be told where its values begin and end") from None
    pieces: list[tuple[_Piece, Result]] = []
    refused = []
    for path, result in failed:
        try:
            pieces.append((_writable(_find(root, path)), result))
        except Left as why:
            refused.append(f"{place(result.trial.node)}: left as it is: {why}")
    for piece, result in sorted(pieces, key=lambda pair: -pair[0].start):
        value = {target: filled(found) for target, found in result.outcomes.items()}
        text = _put(text, piece, _escaped(value))
    return text, [result for _, result in pieces], refused


# Where values stand


def _pieces(text: str) -> _Piece:
    events = yaml.parse(text, Loader=yaml.SafeLoader)
    next(events)
    next(events)
    return _piece(next(events), events, text)


def _piece(event: yaml.Event, events: Iterator[yaml.Event], text: str) -> _Piece:
    assert event.start_mark is not None
    assert event.end_mark is not None
    start, end = event.start_mark.index, event.end_mark.index
    if isinstance(event, yaml.AliasEvent):
        return _Piece(start, end, alias=True)
    if isinstance(event, yaml.ScalarEvent):
        # the end of a block is where the next thing begins
        end = start + len(text[start:end].rstrip())
        return _Piece(start, end, anchored=event.anchor is not None, text=event.value)
    assert isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent)
    piece = _Piece(start, end, flow=bool(event.flow_style), anchored=event.anchor is not None)
    is_map = isinstance(event, yaml.MappingStartEvent)
    while not isinstance(inner := next(events), yaml.SequenceEndEvent | yaml.MappingEndEvent):
        if is_map:
            piece.keys.append(_piece(inner, events, text))
            inner = next(events)
        piece.values.append(_piece(inner, events, text))
    assert inner.end_mark is not None
    ends = (part.end for part in (*piece.keys, *piece.values))
    piece.end = inner.end_mark.index if piece.flow else max(ends, default=start)
    return piece


def _find(root: _Piece, path: _Path) -> _Piece:
    """The piece at a path. Left if it is not written there."""
    piece = root
    for step in path:
        if isinstance(step, int):
            piece = piece.values[step]
        elif found := piece.pair(step):
            piece = found[1]
        if piece.alias:
            raise Left(_THROUGH_ALIAS)
    return piece


def _writable(test: _Piece) -> _Piece:
    """A test, if nothing but itself is made of its expectation."""
    old = test.pair("expect")
    if test.anchored or any(
        piece.anchored or piece.alias for piece in (old[1].walk() if old else ())
    ):
        raise Left(_THROUGH_ALIAS)
    return test


# What is put there


def _escaped(value: Any) -> Any:
    """A value in which `${` stands for itself."""
    if isinstance(value, dict):
        return {name: _escaped(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_escaped(inner) for inner in value]
    return value.replace("${", "$${") if isinstance(value, str) else value


def _put(text: str, test: _Piece, value: Mapping[str, Any]) -> str:
    """The text with the expectation of a test, in the style of the test."""
    key, old = test.pair("expect") or (None, None)
    if test.flow:
        new = on_one_line(value)
        if old is None:
            end = test.values[-1].end
            return f"{text[:end]}, expect: {new}{text[end:]}"
        gap = "" if text[old.start - 1].isspace() else " "
        return f"{text[: old.start]}{gap}{new}{text[old.end :]}"
    ending = "\r\n" if "\r\n" in text else "\n"
    first = test.keys[0].start
    column = first - (text.rfind("\n", 0, first) + 1)
    if key is None or old is None:
        end = _end_of_line(text, test.values[-1].end)
        block = _block(value, column, [])
        return _joined(text[:end], f"\n{' ' * column}expect:{block}", text[end:], ending)
    begin = text.index(":", key.end) + 1
    if "\n" in text[begin : old.start]:  # what stands beside the name stays there
        begin = _end_of_line(text, begin)
    end = _end_of_line(text, max(old.end, begin))
    comments = _comments(text, begin, old)
    after = text[max(old.end, begin) : end]
    if "\n" in text[begin : old.end]:
        comments += _COMMENT.findall(after)
        after = ""
    return _joined(text[:begin], after + _block(value, column, comments), text[end:], ending)


def _end_of_line(text: str, at: int) -> int:
    """Where a line ends of which nothing is left but a comment."""
    rest = _REST_OF_LINE.match(text, at)
    assert rest is not None
    return rest.end()


def _joined(before: str, new: str, after: str, ending: str) -> str:
    return before + new.replace("\r\n", "\n").replace("\n", ending) + after


def _comments(text: str, begin: int, value: _Piece) -> list[str]:
    """The comments between a place and the end of a value."""
    found: list[str] = []
    for piece in value.walk():
        if piece.text is not None:
            found += _COMMENT.findall(text[begin : piece.start])
            begin = piece.end
    return found + _COMMENT.findall(text[begin : max(value.end, begin)])


def _block(value: Mapping[str, Any], column: int, comments: Sequence[str]) -> str:
    """Lines that follow a name, a step further in."""
    lines = [*comments, *written(value).splitlines()]
    return "".join(f"\n{' ' * (column + 2)}{line}" if line else "\n" for line in lines)


# Whether it is right


def _check(
    files: Files, config_file: Path, file: Path, text: str, updated: Sequence[Result]
) -> None:
    """Raise Left unless the file reads as before but for these expectations, which are met now."""
    again = examine(config_file, instead={file: text.encode()}, offline=True)
    if again.config is None or again.config != files.config or again.trials != files.trials:
        raise Left("what comes of its posts cannot be written so that it is read as before")
    new = {id(result.trial): result for result in run(again, again.trials)[0]}
    meant = {id(result.trial) for result in updated}
    for bot, trials in files.trials.items():
        for old, trial in zip(trials, again.trials[bot], strict=True):
            here = old.node.source is updated[0].trial.node.source
            if here and id(old) not in meant and old.expected != trial.expected:
                raise Left("another expectation would change")
            if id(old) in meant and new[id(trial)].failures:
                raise Left("what comes of its posts cannot be written there")


def _write(file: Path, before: str, text: str) -> None:
    """Replace a file at once, with the same rights; a link leads to the file still."""
    real = Path(os.path.realpath(file))
    mark = codecs.BOM_UTF8 if real.read_bytes().startswith(codecs.BOM_UTF8) else b""
    if real.read_bytes() != mark + before.encode():
        raise Left("it was changed meanwhile")
    made, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(made, "wb") as out:
            os.fchmod(made, real.stat().st_mode)
            out.write(mark + text.encode())
            out.flush()
            os.fsync(made)
        os.replace(name, real)  # noqa: PTH105  as it is
    except BaseException:
        os.unlink(name)  # noqa: PTH108
        raise
