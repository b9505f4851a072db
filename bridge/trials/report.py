"""What `tribridge test` says: for people, as JSON, and as JUnit's XML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from bridge.config.trials import Trial
from bridge.config.yaml_reader import Node, place
from bridge.readable import shown
from bridge.trials import Failure, Result
from bridge.trials.outcome import difference

#: XML 1.0, section 2.2: what no document may hold
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: characters of a text that stand for it
_SHORT = 50


def title(trial: Trial) -> str:
    """The name of a test; where it has none, how its post begins."""
    if trial.name:
        return trial.name
    given = trial.given
    text = str(given.get("text") or (given["file"].name if "file" in given else ", ".join(given)))
    line = " ".join(text.split())
    return line if len(line) <= _SHORT else line[: _SHORT - 1] + "…"


def about(result: Result, failure: Failure) -> str:
    """One line on a failure, without its place."""
    where = f", to {failure.target}" if failure.target else ""
    line = f"{result.bot}: {shown(title(result.trial))}{where}"
    if result.trial.expected is None:
        line += ": expects nothing yet; `tribridge test --update` fills it in"
    return line


def lines(results: Sequence[Result], bots: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What people see, line by line, each with what it is: place, out, in, or nothing special."""
    for result in results:
        yield from _failures(result)
    tests = Counter(result.bot for result in results)
    failed = Counter(result.bot for result in results if result.failures)
    for bot in (bot for bot in bots if tests[bot]):
        said = f"{failed[bot]} failed" if failed[bot] else "passed"
        yield "out" if failed[bot] else "", f"{bot}: {many(tests[bot], 'test')}, {said}"
    if without := [bot for bot in bots if not tests[bot]]:
        has = "has" if len(without) == 1 else "have"
        yield "", f"{many(len(without), 'bot')} {has} no tests: {', '.join(without)}"


def _failures(result: Result) -> Iterator[tuple[str, str]]:
    for failure in result.failures:
        yield "place", f"{place(failure.node)}: {about(result, failure)}"
        for number, line in enumerate(difference(failure.expected, failure.actual)):
            kind = {"-": "out", "+": "in"}.get(line[0], "")
            yield kind if number > 1 else "", line
        yield "", ""


def many(number: int, what: str) -> str:
    """A number of things."""
    return f"{number} {what}{'s' * (number != 1)}"


def as_object(results: Sequence[Result], bots: Sequence[str]) -> dict[str, Any]:
    """The same for programs."""
    tested = {result.bot for result in results}
    return {
        "passed": sum(not result.failures for result in results),
        "failed": sum(bool(result.failures) for result in results),
        "without_tests": [bot for bot in bots if bot not in tested],
        "tests": [
            {
                "bot": result.bot,
                "name": title(result.trial),
                **_at(result.trial.node),
                "passed": not result.failures,
                "failures": [
                    {
                        "target": failure.target,
                        **_at(failure.node),
                        "expected": failure.expected,
                        "actual": failure.actual,
                    }
                    for failure in result.failures
                ],
            }
            for result in results
        ],
    }


def _at(node: Node) -> dict[str, Any]:
    return {"file": node.source.name, "line": node.line, "column": node.column}


def as_junit(results: Iterable[Result]) -> bytes:
    """A document of JUnit's XML: a suite for each bot, a case for each of its tests."""
    root = ET.Element("testsuites", name="tribridge")
    suites: dict[str, ET.Element] = {}
    for result in results:
        suite = suites.get(result.bot)
        if suite is None:
            suite = suites[result.bot] = ET.SubElement(root, "testsuite", name=result.bot)
        case = ET.SubElement(
            suite,
            "testcase",
            name=_clean(title(result.trial)),
            classname=result.bot,
            file=_clean(result.trial.node.source.name),
            line=str(result.trial.node.line),
        )
        if result.failures:
            first = result.failures[0]
            text = "\n".join(
                "\n".join(
                    [f"{place(f.node)}: {about(result, f)}", *difference(f.expected, f.actual)]
                )
                for f in result.failures
            )
            message = _clean(about(result, first))
            ET.SubElement(case, "failure", type="expectation", message=message).text = _clean(text)
    for element in (root, *suites.values()):
        element.set("tests", str(len(list(element.iter("testcase")))))
        element.set("failures", str(len(list(element.iter("failure")))))
        element.set("errors", "0")
        element.set("skipped", "0")
    ET.indent(root)
    document: str = ET.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}\n'.encode()


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
