"""One simulated network in a process of its own, quotas off: `python -m tests.bench.serve NAME N`.

Prints one JSON line, a list of the settings of N accounts, and runs until its stdin closes.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.twitter.simulator import TwitterSimulator

KINDS: dict[str, Any] = {
    "mastodon": MastodonSimulator,
    "bluesky": BlueskySimulator,
    "twitter": TwitterSimulator,
}


def main(network: str, count: int) -> None:
    """Serve until stdin closes."""
    simulator = KINDS[network](limits=False)
    simulator.start()
    names = [f"person{n}.test" if network == "bluesky" else f"person{n}" for n in range(count)]
    print(json.dumps([simulator.account(name) for name in names]), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        for text in request["say"]:
            simulator.say(names[request["account"]], text)
        print(json.dumps({"said": len(request["say"])}), flush=True)
    simulator.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
