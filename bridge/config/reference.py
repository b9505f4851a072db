"""Which part of the page of settings tells about a place in a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bridge.config.yaml_reader import Map, Node, Problem, Scalar, Sequence, source_of

#: where the package is; a wheel brings the page along in it
PACKAGE = Path(__file__).parents[1]
#: the anchors of the page's headings, by network
OF_NETWORKS = {"twitter": "twitter-x", "mastodon": "mastodon", "bluesky": "bluesky"}
#: sections of the configuration that have a heading of their own
SECTIONS = ("state", "alerts", "accounts", "groups")
#: what else is named: of the top, of a bot, of its filters, of its steps
OTHERS = TOP, BOTS, FILTERS, STEPS, TESTS = (
    "at-the-top-of-configyaml",
    "bots",
    "only-and-skip",
    "steps",
    "tests",
)


def page() -> str:
    """The path of the page, for people: in the wheel it is in the package, else in docs/."""
    packed = PACKAGE / "_shipped" / "settings.md"
    beside = PACKAGE.parent / "docs" / "reference" / "settings.md"
    return source_of(packed if packed.is_file() else beside).name


class Places:
    """What stands where in the files of a configuration; `roots` are their tops, by path."""

    def __init__(self, roots: Iterable[tuple[tuple[str, ...], Node]]) -> None:
        self._page = page()
        self._anchors: dict[tuple[str, int, int], str] = {}
        self._networks: dict[str, str] = {}
        for path, root in roots:
            if not path:
                self._networks = _networks(root)
            self._walk(root, path)

    def see(self, problem: Problem) -> str:
        """The page with the anchor of a heading; "" if the place is no value or setting."""
        found = self._anchors.get((problem.file, problem.line, problem.column))
        return f"{self._page}#{found}" if found else ""

    def _walk(self, node: Node, path: tuple[str, ...]) -> None:
        self._anchors[node.source.name, node.line, node.column] = self._anchor(path)
        if isinstance(node, Map):
            for name, (key, value) in node.pairs.items():
                self._walk(key, (*path, name))
                self._walk(value, (*path, name))
        elif isinstance(node, Sequence):
            for item in node.items:
                self._walk(item, path)

    def _anchor(self, path: tuple[str, ...]) -> str:
        top = path[0] if path else ""
        if top == "accounts" and len(path) > 1 and path[1] in self._networks:
            return self._networks[path[1]]
        if top in SECTIONS:
            return top
        if top not in ("bots", "defaults"):
            return TOP
        if "tests" in path[2:3]:
            return TESTS
        if "only" in path[1:] or "skip" in path[1:]:
            return FILTERS
        return STEPS if "steps" in path[1:] else BOTS


def _networks(root: Node) -> dict[str, str]:
    """The anchor of each account's network, where that is known."""
    found = {}
    accounts = _under(root, "accounts")
    for name, (_, account) in accounts.pairs.items() if isinstance(accounts, Map) else ():
        network = _under(account, "network")
        if isinstance(network, Scalar) and network.text in OF_NETWORKS:
            found[name] = OF_NETWORKS[network.text]
    return found


def _under(node: Node, name: str) -> Node | None:
    """What a map has under a name."""
    return node.pairs[name][1] if isinstance(node, Map) and name in node.pairs else None
