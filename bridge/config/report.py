"""What `tribridge check` says: as text with the lines, as JSON, and as GitHub's annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from bridge.config.excerpt import excerpt
from bridge.config.yaml_reader import Problem, Source

Severity = Literal["error", "warning"]
Finding = tuple[Severity, Problem]

#: findings that are shown with their line; a file of nothing but mistakes has more
EXCERPTS = 200


def as_text(findings: Sequence[Finding], sources: Mapping[str, Source]) -> str:
    """Each finding on a line, `file:line:column: message`, and below it the line with a caret."""
    lines = []
    for number, (severity, problem) in enumerate(findings):
        at, message = f"{problem.file}:{problem.line}:{problem.column}", problem.message
        lines.append(f"{at}: {'warning: ' if severity == 'warning' else ''}{message}")
        source = sources.get(problem.file) if number < EXCERPTS else None
        if source and (shown := excerpt(problem, source)):
            lines.append(shown)
    return "\n".join(lines)


def as_object(findings: Sequence[Finding]) -> dict[str, Any]:
    """One object: how many errors and warnings, and each with its place."""
    severities = [severity for severity, _ in findings]
    return {
        "errors": severities.count("error"),
        "warnings": severities.count("warning"),
        "findings": [
            {
                "severity": severity,
                "file": problem.file,
                "line": problem.line,
                "column": problem.column,
                "message": problem.message,
            }
            for severity, problem in findings
        ],
    }


def as_github(findings: Sequence[Finding]) -> str:
    """Workflow commands, one a line (GitHub Actions, "Workflow commands": error and warning)."""
    return "\n".join(
        f"::{severity} file={_property(problem.file)},line={problem.line},col={problem.column}"
        f"::{_data(problem.message)}"
        for severity, problem in findings
    )


def _data(text: str) -> str:
    """Escaped as GitHub's own toolkit does (actions/toolkit, core/src/command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
