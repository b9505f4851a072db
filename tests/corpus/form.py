"""How what comes of a case is written: YAML that reads well, texts as blocks."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml

from tests.corpus import Case


class _Dumper(yaml.SafeDumper):
    """Writes lines of text as lines, and lists a step further in."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _string)


def written(value: Any) -> str:
    """A value as YAML."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10**6)


def rewrite(file: Path, outcome: dict[str, Any]) -> None:
    """Replace what a case expects; what stands above stays as it is."""
    above = file.read_text("utf-8").partition("\nto:\n")[0].rstrip("\n")
    file.write_text(f"{above}\n{written({'to': outcome})}", "utf-8")


def difference(case: Case, outcome: dict[str, Any]) -> str:
    """What a case expects beside what comes of it, line by line."""
    lines = difflib.unified_diff(
        written(case.to).splitlines(),
        written(outcome).splitlines(),
        f"{case.file.name}: expected",
        "what comes of it",
        lineterm="",
    )
    return "\n".join(lines)
