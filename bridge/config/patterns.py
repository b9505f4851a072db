"""How long a regular expression is with its counts written out: `(ab{3}){2}` is `abbbabbb`.

The module `regex` writes them out while it compiles, so a short pattern may take all the memory
there is. Nothing is compiled here.
"""

from __future__ import annotations

import re

#: a piece of a pattern: an escape, a set, a group's ends, a count, or one character
_PIECE = re.compile(
    r"\\(?:[pPNgkxuU]\{[^}]*\}|.)"
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]?"
    r"|(?P<open>\()"
    r"|(?P<close>\))"
    r"|\{(?P<least>[0-9]*)(?:,[0-9]*)?\}"
    r"|.",
    re.DOTALL,
)


def length(pattern: str) -> int:
    """The number of pieces, each as often as it must stand there at least."""
    open_groups: list[list[int]] = [[0]]  # the lengths of what stands in each, the outermost first
    for piece in _PIECE.finditer(pattern):
        here = open_groups[-1]
        if piece["open"]:
            open_groups.append([0])
        elif piece["close"]:
            if len(open_groups) > 1:
                open_groups.pop()
                open_groups[-1].append(sum(here))
        elif piece["least"] is not None:
            digits = piece["least"] or "1"
            here[-1] *= max(int(digits) if len(digits) < 10 else 10**9, 1)
        else:
            here.append(1)
    return sum(map(sum, open_groups))
