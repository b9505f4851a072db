"""`${NAME}` and `${file:PATH}` in a value. A secret's text never stands in a message."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from pathlib import Path

from bridge.config.yaml_reader import Node, Scalar, Wrong

MAX_SECRET_BYTES = 64 * 1024

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}\n]*)\}|\$\{")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Missing(Wrong):
    """A variable or a file that a value names is not there."""


def expand(node: Scalar, environ: Mapping[str, str], folder: Path) -> str:
    """The text with each `${NAME}` and `${file:PATH}` replaced, and `$${` standing for `${`.

    Paths start in `folder`. Wrong if a variable or file is missing, empty or of several lines.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if found[0] == "$${":
            return "${"
        if name and name.startswith("file:"):
            return _from_file(folder, node, name.removeprefix("file:").strip())
        if name and _VARIABLE.fullmatch(name):
            return _from_environment(environ, node, name)
        raise Wrong(node, "write ${NAME} or ${file:PATH}; for the signs themselves write $${")

    return _REFERENCE.sub(value, node.text) if "${" in node.text else node.text


def files_in(node: Scalar, folder: Path) -> set[Path]:
    """The files that a value names with `${file:PATH}`, whether they are there or not."""
    names = (found[1] or "" for found in _REFERENCE.finditer(node.text))
    return {
        folder / name.removeprefix("file:").strip() for name in names if name.startswith("file:")
    }


def _from_environment(environ: Mapping[str, str], node: Node, name: str) -> str:
    what = f"the environment variable {name}"
    if name not in environ:
        raise Missing(node, f"{what} is not set; set it before starting, or use ${{file:PATH}}")
    return _usable(environ[name], node, what)


def _from_file(folder: Path, node: Node, name: str) -> str:
    path = folder / name
    what = f"the file {name}"
    try:
        # Opening a pipe or a device could wait for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise Wrong(node, f"{what} is not an ordinary file")
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_BYTES + 1)
        if len(data) > MAX_SECRET_BYTES:
            raise Wrong(node, f"{what} is larger than 64 KiB; it should hold one value")
        return _usable(data.decode().rstrip("\r\n"), node, what)
    except UnicodeDecodeError:
        raise Wrong(node, f"{what} is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is no file name"
        raise Missing(
            node, f"{what} cannot be read: {reason}; write it, or correct its name"
        ) from None


def _usable(text: str, node: Node, what: str) -> str:
    if not text:
        raise Missing(node, f"{what} is empty; give it a value")
    if _UNUSABLE.search(text):
        raise Wrong(
            node, f"{what} holds a line break or control character; it should hold one line"
        )
    return text
