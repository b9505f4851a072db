"""A YAML file as nodes that know their place, whatever the file holds.

PyYAML's parser does the reading; composing its events here rather than there keeps every place,
sees duplicate keys, and bounds depth and size before anything is built.
"""

from __future__ import annotations

import codecs
import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import yaml
from yaml.resolver import Resolver

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 100_000  # aliases counted as often as they are used

#: YAML 1.2, section 5.1: what a file may not hold; the line and paragraph separators are let in
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RESOLVER = Resolver()


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong at a place; line and column count from 1. `see` is where to read about it."""

    file: str
    line: int
    column: int
    message: str
    see: str = field(default="", compare=False)

    def __str__(self) -> str:
        """`file:line:column: message`, as compilers write."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; `problems` are all that was found, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(slots=True)
class Node:
    """Anything in a file, and where it begins: line and column from 1."""

    source: Source
    line: int
    column: int


@dataclass(slots=True)
class Scalar(Node):
    """One value as written. `type` is what YAML takes it for: str, int, bool, null and so on."""

    text: str
    type: str


@dataclass(slots=True)
class Sequence(Node):
    """A list."""

    items: list[Node]


@dataclass(slots=True)
class Map(Node):
    """A map: each key's text, with the key and its value."""

    pairs: dict[str, tuple[Scalar, Node]]


@dataclass(slots=True)
class Broken(Node):
    """Stands where something was that has been reported already."""


@dataclass
class Source:
    """A file: its name as shown to people, and its text."""

    name: str
    text: str = ""

    @property
    def start(self) -> Node:
        """The place for problems of the whole file."""
        return Node(self, 1, 1)

    def rest_of_line(self, line: int, column: int) -> str:
        """What stands in a line from a column on; both count from 1."""
        return self.lines[line - 1][column - 1 :] if line <= len(self.lines) else ""

    @cached_property
    def lines(self) -> list[str]:
        """The text by lines."""
        return self.text.splitlines()


class Wrong(Exception):
    """A value that cannot be used: where, and what to say."""

    def __init__(self, node: Node, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(node.source.name, node.line, node.column, message)


@dataclass(slots=True)
class Problems:
    """Collects what is wrong, so that all of it is told at once."""

    found: list[Problem] = field(default_factory=list)
    #: what to take for the content of some files
    instead: Mapping[Path, bytes] = field(default_factory=dict)
    #: every file that was read, by its name for people
    sources: dict[str, Source] = field(default_factory=dict)

    def add(self, node: Node, message: str) -> None:
        """Note a problem at a node."""
        self.found.append(Wrong(node, message).problem)

    def suggest(self, word: str, names: Iterable[str]) -> str:
        """`; did you mean 'name'?`, or nothing."""
        # Comparing is slow: a file of nothing but mistakes must still be answered at once.
        return "" if len(self.found) > 200 else suggestion(word, names)


#: what people write who know other programs, and names of ours that may be meant
_OTHER_WORDS = {
    "exclude": ("skip",),
    "include": ("only",),
    "instance": ("server",),
    "interval": ("every",),
    "keywords": ("words",),
    "lang": ("languages", "language"),
    "length": ("longer_than",),
    "pattern": ("matching",),
    "regex": ("matching",),
    "regexp": ("matching",),
    "schedule": ("cron",),
    "source": ("from",),
    "tags": ("hashtags",),
    "target": ("to",),
    "token": ("access_token",),
    "username": ("handle",),
}


def suggestion(word: str, names: Iterable[str]) -> str:
    """`; did you mean 'name'?`, or nothing."""
    if len(word) > 60:
        return ""
    names = set(names)
    for other in _OTHER_WORDS.get(word.lower(), ()):
        if other in names:
            return f"; did you mean {other!r}?"
    by_lower = {name.lower(): name for name in sorted(names)}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""


def place(node: Node) -> str:
    """`file:line:column` of a node."""
    return f"{node.source.name}:{node.line}:{node.column}"


def source_of(path: Path) -> Source:
    """The file's name for people, from the current folder if it is below it; no text yet."""
    full = Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow links
    here = Path.cwd()
    shown = full.relative_to(here) if full.is_relative_to(here) else full
    return Source(os.fsencode(shown).decode("utf-8", "replace"))


def read(path: Path, problems: Problems) -> Node | None:
    """The file's one document, or None when it cannot be read; what is wrong goes to `problems`."""
    source = source_of(path)
    problems.sources[source.name] = source
    try:
        data = problems.instead.get(path)
        source.text = _decode(_read_bytes(path, source) if data is None else data, source)
        return compose(source, problems)
    except Wrong as wrong:
        problems.found.append(wrong.problem)
        return None


def compose(source: Source, problems: Problems) -> Node:
    """The one document of a text. Wrong if there is none; lesser mistakes go to `problems`."""
    return _Composer(source, problems).compose()


def _read_bytes(path: Path, source: Source) -> bytes:
    try:
        if path.is_dir():
            raise Wrong(source.start, "this is a folder; give the path of the file in it")
        if path.exists() and not path.is_file():
            raise Wrong(source.start, "this is not an ordinary file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        message = "there is no such file; `tribridge init` writes one, --config names another"
        raise Wrong(source.start, message) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Wrong(source.start, f"the file cannot be read: {reason}") from None
    return data


def _decode(data: bytes, source: Source) -> str:
    if len(data) > MAX_BYTES:
        raise Wrong(source.start, "the file is larger than 1 MiB; put bots into files in bots/")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        message = "this byte is not UTF-8; save the file as UTF-8"
        raise Wrong(_after(before, source), message) from None
    if found := _UNPRINTABLE.search(text):
        message = f"the control character U+{ord(found[0]):04X} stands here; remove it"
        raise Wrong(_after(text[: found.start()], source), message)
    return text


def _after(text: str, source: Source) -> Node:
    """The place just after `text` at the beginning of a file."""
    return Node(source, text.count("\n") + 1, len(text) - text.rfind("\n"))


_Collection: TypeAlias = yaml.SequenceStartEvent | yaml.MappingStartEvent


def _where(event: yaml.Event) -> tuple[int, int]:
    """Line and column of an event, from 1; PyYAML counts from 0."""
    mark = event.start_mark
    assert mark is not None
    return mark.line + 1, mark.column + 1


class _Composer:
    """Builds nodes from the events of one file."""

    def __init__(self, source: Source, problems: Problems) -> None:
        self.source = source
        self.problems = problems
        self.events: Iterator[yaml.Event] = iter(())
        self.count = 0
        #: nodes by anchor, with their expanded size; None while they are being read
        self.anchors: dict[str, tuple[Node, int] | None] = {}

    def compose(self) -> Node:
        self.events = yaml.parse(self.source.text, Loader=yaml.CSafeLoader)
        try:
            next(self.events)  # the beginning of the stream
            if isinstance(next(self.events), yaml.StreamEndEvent):
                raise Wrong(self.source.start, "the file is empty; `tribridge init` shows one")
            node = self.node(next(self.events), depth=1)
            next(self.events)  # the end of the document
            after = next(self.events)
            if not isinstance(after, yaml.StreamEndEvent):
                message = "a second document begins here; a file holds one: remove the line `---`"
                raise Wrong(self.at(after), message)
        except yaml.YAMLError as error:
            raise _explained(error, self.source) from None
        return node

    def at(self, event: yaml.Event) -> Node:
        return Node(self.source, *_where(event))

    def broken(self, event: yaml.Event, message: str) -> Broken:
        self.problems.add(self.at(event), message)
        return Broken(self.source, *_where(event))

    def add(self, event: yaml.Event, nodes: int) -> None:
        self.count += nodes
        if self.count > MAX_NODES:
            message = f"more than {MAX_NODES:,} values, aliases expanded; put bots into bots/"
            raise Wrong(self.at(event), message)

    def node(self, event: yaml.Event, depth: int) -> Node:
        """The node that begins with `event`; all its events are consumed."""
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        assert isinstance(event, yaml.ScalarEvent | _Collection)
        if depth > MAX_DEPTH:
            raise Wrong(self.at(event), f"nested deeper than {MAX_DEPTH} levels")
        before = self.count
        self.add(event, 1)
        if event.anchor:
            self.anchors[event.anchor] = None
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(event, depth)
        else:
            node = self.map(event, depth)
        if event.tag not in (None, "!"):
            message = "tags (words with !) are not used here; put the value in quotes"
            node = self.broken(event, message)
        if event.anchor:
            self.anchors[event.anchor] = node, self.count - before
        return node

    def alias(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self.anchors:
            message = "a value that begins with * must be in quotes (an alias would need an anchor)"
            return self.broken(event, message)
        found = self.anchors[event.anchor]
        if found is None:
            return self.broken(event, "this alias stands inside the value that it repeats")
        self.add(event, found[1])
        return found[0]

    def scalar(self, event: yaml.ScalarEvent) -> Node:
        text = event.value
        if _UNPRINTABLE.search(text):
            return self.broken(event, "this value holds a control character; remove it")
        kind = "str"
        if event.implicit[0]:  # neither quotes nor a tag
            tag = str(_RESOLVER.resolve(yaml.ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]
            kind = tag.removeprefix("tag:yaml.org,2002:")
        return Scalar(self.source, *_where(event), text, kind)

    def sequence(self, start: yaml.SequenceStartEvent, depth: int) -> Node:
        items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return Sequence(self.source, *_where(start), items)

    def map(self, start: yaml.MappingStartEvent, depth: int) -> Node:
        pairs: dict[str, tuple[Scalar, Node]] = {}
        broken = None
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, depth + 1)
            value = self.node(next(self.events), depth + 1)
            if isinstance(key, Broken) or (broken and not isinstance(key, Scalar)):
                continue
            if not isinstance(key, Scalar):
                hint = "put a value with {{ }} in quotes"
                message = hint if start.flow_style else "a map or list cannot be a name here"
                broken = self.broken(start, message)
            elif key.type == "merge":
                self.problems.add(key, "`<<` is not supported; use `defaults`, or write it out")
            elif key.text in pairs:
                first = place(pairs[key.text][0])
                self.problems.add(key, f"{key.text[:60]!r} stands twice; first at {first}")
            else:
                if isinstance(value, Scalar) and value.type == "null" and not value.text:
                    value = Scalar(self.source, key.line, key.column, "", "null")
                pairs[key.text] = key, value
        return broken or Map(self.source, *_where(start), pairs)


def _explained(error: yaml.YAMLError, source: Source) -> Wrong:
    """What a person should know of a syntax error; nothing of the file's text is repeated."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return Wrong(source.start, "this is not YAML")
    problem = str(getattr(error, "problem", ""))
    context = str(getattr(error, "context", None) or "")
    opened = getattr(error, "context_mark", None) or mark
    here = Node(source, mark.line + 1, mark.column + 1)
    began = Node(source, opened.line + 1, opened.column + 1)
    first = source.rest_of_line(here.line, here.column)[:1]
    if "{{" in source.rest_of_line(here.line, 1):
        return Wrong(here, "put a value with {{ }} in quotes")
    if "flow mapping" in context and "${" in source.rest_of_line(here.line, 1):
        return Wrong(here, "inside { } put ${NAME} in quotes, or on a line of its own")
    if "tab character" in problem or first == "\t":
        return Wrong(here, "a tab stands here; indent with spaces")
    if "cannot start any token" in problem:
        return Wrong(here, f"put a value that begins with {first} in quotes")
    if "unexpected end of stream" in problem and "quoted" in context:
        return Wrong(began, "the quote that opens here is never closed")
    if "mapping values are not allowed" in problem and (above := _above(here)):
        return above
    if "flow node" in context and (comment := _comment_in_list(here)):
        return comment
    if "did not find expected key" in problem:
        before = source.rest_of_line(here.line, 1)[: here.column - 1]
        if re.search("[\"']", before):
            return Wrong(
                here, 'a quote ends before this; a text with \' in it goes between " and "'
            )
    for words, node, message in _SYNTAX:
        if words in problem or words in context:
            return Wrong(began if node == "began" else here, message)
    return Wrong(here, f"this is not YAML: {problem} {context}".rstrip())


def _above(here: Node) -> Wrong | None:
    """What the line above lacks, if it is no setting: YAML complains of the next one only."""
    line = here.source.rest_of_line(here.line - 1, 1) if here.line > 1 else ""
    start = len(line) - len(line.lstrip())
    node = Node(here.source, here.line - 1, start + 1)
    if re.match(r"\s*[\w-]+:[^\s:/]", line):
        return Wrong(node, "a space is missing after the colon of this line")
    if re.match(r"\s*\w", line) and ":" not in line:
        return Wrong(node, "a colon and a space are missing in this line: name: value")
    return None


def _comment_in_list(here: Node) -> Wrong | None:
    """A # near above that makes a comment of the end of a list."""
    for number in range(here.line, max(0, here.line - 5), -1):
        line = here.source.rest_of_line(number, 1)
        if found := re.search(r"[\[{,]\s*(?=#)", line):
            return Wrong(
                Node(here.source, number, found.end() + 1),
                "# begins a comment, so this list or map has no end; put the value in quotes",
            )
    return None


_SYNTAX: tuple[tuple[str, str, str], ...] = (
    ("scanning an alias", "began", "put a value that begins with * in quotes"),
    ("scanning an anchor", "began", "put a value that begins with & in quotes"),
    ("scanning a tag", "began", "put a value that begins with ! in quotes"),
    ("scanning a directive", "began", "put a value that begins with % in quotes"),
    (
        "mapping values are not allowed",
        "here",
        "a colon stands inside a value, or this line is indented wrongly; put the value in quotes",
    ),
    (
        "unknown escape character",
        "here",
        "between double quotes \\ begins a sign of its own; put the value between single quotes",
    ),
    ("could not find expected ':'", "began", "a colon, or a space after the -, is missing here"),
    ("did not find expected key", "here", "this line is indented unlike those that it belongs to"),
    ("expected '-' indicator", "here", "this line is indented unlike those that it belongs to"),
    (
        "expected <document start>",
        "here",
        "the document ended before this line; remove what ended it, such as ... or a bracket",
    ),
    ("expected ',' or ']'", "began", "a comma or ] is missing in the list that opens here"),
    ("expected ',' or '}'", "began", "a comma or } is missing in the map that opens here"),
)


def no_value(node: Scalar) -> str:
    """Why a value is empty, for a message."""
    rest = node.source.rest_of_line(node.line, node.column)
    if re.search(r"(?:^|\s)#", rest):
        return "has no value, for # begins a comment; put the value in quotes"
    return "has no value; give it one, or remove the line"
