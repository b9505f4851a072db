"""Print what comes of every kind of request, and of every post, with every fault."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.deliveries import WAYS, Delivery
from tests.faults.requests import KINDS, Rig, try_out
from tests.faults.trouble import FAULTS
from tests.waiting import standing_still


def main() -> None:
    """Print them, fault by fault."""
    out = sys.stdout.write
    rig = Rig()
    with standing_still(), TemporaryDirectory() as folder:
        ways = {}
        for name, way in WAYS.items():
            place = Path(folder) / name
            place.mkdir()
            ways[name] = Delivery(place, way)
        for fault, trouble in FAULTS.items():
            found: dict[str, list[str]] = {}
            for name, kind in KINDS.items():
                found.setdefault(try_out(rig, kind, trouble)[0].word, []).append(name)
            for name, delivery in ways.items():
                found.setdefault(f"the post is {delivery.fate(trouble)[0]}", []).append(name)
            out(f"\n{fault}\n")
            for word, names in found.items():
                out(f"  {word}: {', '.join(names)}\n")
        for delivery in ways.values():
            delivery.close()
    rig.close()
    out(f"\n{len(FAULTS) * (len(KINDS) + len(WAYS))} combinations of a request and a fault\n")


if __name__ == "__main__":
    main()
