"""From the HTML of Mastodon and its relatives to runs."""

from collections.abc import Collection, Iterator, Mapping

import regex
from selectolax.lexbor import LexborHTMLParser, LexborNode

from bridge.post import Run, join_runs
from bridge.text.entities import plain_name
from bridge.text.folding import tag_key

_PARAGRAPH = regex.compile("p|blockquote|pre|ul|ol|dl|table|figure|hr|h[1-6]")
_LINE = regex.compile("div|li|tr|td|th|dt|dd|section|article|header|footer|main|aside|nav")
_DROPPED = frozenset(["script", "style", "head", "title", "template", "noscript", "-comment"])
_SPACES = regex.compile(r"\s+")
_LINE_END = regex.compile(r"[ \t]*[\r\n\f][ \t\r\n\f]*|\t+")


def html_to_runs(
    html: str, mentions: Mapping[str, str] = {}, tags: Collection[str] = ()
) -> tuple[Run, ...]:
    """The text of a post as runs; any string is accepted.

    Paragraphs are parted by a blank line; lists become lines with "- " or "1. ", quotations lines
    with "> "; a link keeps the text that a reader sees, and its real target. `mentions` maps the
    address of a profile to the account (`alice@example.social`), `tags` names the post's hashtags;
    both as the Mastodon API gives them beside the HTML (Mastodon documentation, entities/Status).
    """
    tree = LexborHTMLParser(html)
    root = tree.body or tree.root
    if root is None:
        return ()
    reader = _Reader(mentions, {tag_key(tag) for tag in tags})
    for node, entering in _walk(root):
        (reader.enter if entering else reader.leave)(node)
    return reader.finish()


def _walk(root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """Every node on the way in and on the way out, without recursion: nesting has no limit."""
    stack = [(root, True)]
    while stack:
        node, entering = stack.pop()
        if entering and _is_dropped(node):
            continue
        yield node, entering
        if entering:
            stack.append((node, False))
            if node.tag != "a" or node is root:
                children = list(node.iter(include_text=True))
                stack.extend((child, True) for child in reversed(children))


def _is_dropped(node: LexborNode) -> bool:
    # Servers with quotes put "RE: link" before the text, for software that knows none.
    return node.tag in _DROPPED or "quote-inline" in _words(node, "class")


def _is_block(tag: str) -> bool:
    return bool(_PARAGRAPH.fullmatch(tag) or _LINE.fullmatch(tag))


def _words(node: LexborNode, attribute: str) -> list[str]:
    return (node.attributes.get(attribute) or "").split()


class _Reader:
    """Collects runs; newlines, quotation marks and list signs wait for the text that follows."""

    def __init__(self, mentions: Mapping[str, str], tags: Collection[str]) -> None:
        self.mentions = mentions
        self.tags = tags
        self.runs: list[Run] = []
        self.newlines = 0
        self.quotes = 0
        self.quotes_written = 0
        self.numbers: list[int | None] = []
        self.sign = ""
        self.preformatted = 0

    def enter(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag == "-text":
            self.text(node.text_content or "")
        elif tag == "a":
            self.link(node)
        elif tag == "br":
            self.newlines += 1
        elif tag == "img":
            self.text(node.attributes.get("alt") or "")
        self.part(tag)
        if tag == "blockquote":
            self.quotes += 1
        elif tag == "pre":
            self.preformatted += 1
        elif tag in {"ul", "ol"}:
            first = node.attributes.get("start") or "1"
            number = int(first) if regex.fullmatch("[0-9]{1,9}", first) else 1
            self.numbers.append(number if tag == "ol" else None)
        elif tag == "li":
            self.item()

    def leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag == "blockquote":
            self.quotes -= 1
        elif tag == "pre":
            self.preformatted -= 1
            self.newlines = 0
        elif tag in {"ul", "ol"}:
            self.numbers.pop()
        self.part(tag)

    def part(self, tag: str) -> None:
        if _PARAGRAPH.fullmatch(tag) and not self.numbers:
            self.newlines = max(self.newlines, 2)
        elif _is_block(tag):
            self.newlines = max(self.newlines, 1)

    def item(self) -> None:
        number = self.numbers[-1] if self.numbers else None
        self.sign = "  " * (len(self.numbers) - 1) + ("- " if number is None else f"{number}. ")
        if number is not None:
            self.numbers[-1] = number + 1

    def text(self, text: str) -> None:
        if self.preformatted:
            # newlines at the end wait for what follows: after a block's last line is nothing
            lines = text.rstrip("\n")
            after = len(text) - len(lines)
            if lines:
                self.put(Run(lines.replace("\n", "\n" + "> " * self.quotes)))
            self.newlines += after
            return
        text = _LINE_END.sub(" ", text)
        if self.newlines or not self.runs:
            text = text.lstrip(" ")
        if text:
            self.put(Run(text))

    def link(self, node: LexborNode) -> None:
        """A link; white space at the ends of its words stands outside of it."""
        visible = _visible(node)
        shown = visible.strip()
        if visible[:1] == " ":
            self.space()
        if not shown:
            return
        self.linked(node, shown)
        if visible[-1] == " ":
            self.space()

    def space(self) -> None:
        if self.runs and not self.newlines and not self.runs[-1].text.endswith(" "):
            self.put(Run(" "))

    def linked(self, node: LexborNode, shown: str) -> None:
        target = (node.attributes.get("href") or "").strip()
        classes, sign = _words(node, "class"), shown[0] in "#＃"
        name = shown.lstrip("#＃")
        if name and (
            "hashtag" in classes
            or (sign and "tag" in _words(node, "rel"))
            or (tag_key(name) in self.tags and (sign or self.ends_with("#")))
        ):
            self.put_signed("#", Run("#" + name, "hashtag", target=name))
        elif not regex.match(r"https?://", target, regex.IGNORECASE):
            self.text(shown)
        elif target in self.mentions or "mention" in classes:
            account = self.mentions.get(target) or shown.lstrip("@＠")
            self.put_signed("@", Run("@" + account, "mention", target, plain_name(account)))
        else:
            self.put(Run(shown, "link", target=target))

    def ends_with(self, sign: str) -> bool:
        last = self.runs[-1] if self.runs and not self.newlines else Run("")
        return last.kind == "text" and last.text.endswith(sign)

    def put_signed(self, sign: str, run: Run) -> None:
        """Some servers write the sign before the link: #<a>tag</a>."""
        if self.runs and not self.newlines and self.runs[-1].kind == "text":
            self.runs[-1] = Run(self.runs[-1].text.removesuffix(sign))
        self.put(run)

    def put(self, run: Run) -> None:
        begins = not self.runs
        if begins or self.newlines:
            between = "> " * min(self.quotes, self.quotes_written)
            self.trim()
            breaks = "" if begins else ("\n" + between.rstrip()) * (self.newlines - 1) + "\n"
            self.runs.append(Run(breaks + "> " * self.quotes + self.sign))
            self.newlines = 0
            self.sign = ""
            self.quotes_written = self.quotes
        self.runs.append(run)

    def trim(self) -> None:
        if self.runs and self.runs[-1].kind == "text":
            self.runs[-1] = Run(self.runs[-1].text.rstrip())

    def finish(self) -> tuple[Run, ...]:
        runs = list(join_runs(self.runs))
        if runs and runs[-1].kind == "text":
            runs[-1] = Run(runs[-1].text.rstrip())
        return join_runs(runs)


def _visible(link: LexborNode) -> str:
    """The text of a link as a reader sees it: without hidden parts, with the dots of a cut one.

    White space is single spaces, at the ends too.
    """
    shown: list[str] = []
    hidden = 0
    for node, entering in _walk(link):
        classes = _words(node, "class")
        if "invisible" in classes:
            hidden += 1 if entering else -1
        elif hidden:
            continue
        elif node.tag == "-text" and entering:
            shown.append(node.text_content or "")
        elif node.tag == "img" and entering:
            shown.append(node.attributes.get("alt") or "")
        elif node.tag == "br" or _is_block(node.tag or ""):
            shown.append(" ")
        elif "ellipsis" in classes and not entering:
            shown.append("…")
    return _SPACES.sub(" ", "".join(shown))
