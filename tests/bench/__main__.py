"""`make bench`: how fast posts go, how much they cost, and what an idle daemon weighs.

Every round is a process of its own; ours and the bare reference take turns, so that a machine whose
speed drifts slows both. Results go to stdout and to docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
NETWORKS = ("mastodon", "bluesky", "twitter")
TICKS = os.sysconf("SC_CLK_TCK")
TRIBRIDGE = [sys.executable, "-m", "bridge"]


class Served:
    """A simulated network in its own process."""

    def __init__(self, network: str, accounts: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.serve", network, str(accounts)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self.process.stdout is not None
        self.accounts: list[dict[str, str]] = json.loads(self.process.stdout.readline())
        place = ("server", "service", "api")
        self.url = next(v for k, v in self.accounts[0].items() if k in place)

    def say(self, account: int, texts: list[str]) -> None:
        """Publish as a person would, outside what is measured."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"account": account, "say": texts}) + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def requests(self) -> int:
        """How many requests it has answered."""
        return sum(httpx.get(self.url + "/_simulator/requests").json().values())

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        return cpu_of(self.process.pid)

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_of(pid: int) -> float:
    """MiB that a process has in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def networks(*names: str, accounts: int = 2) -> Iterator[dict[str, Served]]:
    served = {name: Served(name, accounts) for name in names}
    try:
        yield served
    finally:
        for each in served.values():
            each.stop()


def measure(kind: str, source: str, target: str, posts: int) -> dict[str, float]:
    """One round in one direction on fresh networks."""
    with networks(*{source, target}) as served, tempfile.TemporaryDirectory() as folder:
        task = {
            "kind": kind,
            "from": source,
            "to": target,
            "source": served[source].accounts[0],
            "target": served[target].accounts[1],
            "folder": folder,
        }
        client = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.client"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert client.stdin is not None
        assert client.stdout is not None
        print(json.dumps(task), file=client.stdin, flush=True)
        assert client.stdout.readline() == "ready\n"
        served[source].say(0, [f"Post number {n}, a text of middling length" for n in range(posts)])
        busy = sum(each.cpu() for each in served.values())
        print("go", file=client.stdin, flush=True)
        figures: dict[str, float] = json.loads(client.stdout.readline())
        busy = sum(each.cpu() for each in served.values()) - busy
        client.wait()
        if figures["posts"] != posts:
            raise SystemExit(f"{kind} {source} to {target}: {figures['posts']} of {posts} arrived")
        calls = sum(each.requests() for each in served.values())
        return {
            "rate": posts / figures["seconds"],
            "cpu": 1000 * figures["cpu"] / posts,
            "rss": figures["rss"],
            "calls": calls / posts,
            "servers": busy / figures["seconds"],
        }


def directions(rounds: int, posts: int) -> list[str]:
    """A table line for each direction, medians of the rounds."""
    lines = [
        "| direction | posts/s | bare | ratio | CPU ms a post | bare | ratio | calls a post "
        "| peak RSS MiB | bare | servers' share of a core |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for source in NETWORKS:
        for target in NETWORKS:
            if source == target:
                continue
            taken: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
            for _ in range(rounds):
                for kind, figures in taken.items():
                    figures.append(measure(kind, source, target, posts))
            lines.append(line(f"{source} to {target}", taken))
            print(lines[-1], flush=True)
    return lines


def line(name: str, taken: dict[str, list[dict[str, float]]]) -> str:
    def median(kind: str, figure: str) -> float:
        return statistics.median(each[figure] for each in taken[kind])

    def ratio(figure: str) -> float:
        pairs = zip(taken["ours"], taken["bare"], strict=True)
        return statistics.median(one[figure] / other[figure] for one, other in pairs)

    return (
        f"| {name} | {median('ours', 'rate'):.0f} | {median('bare', 'rate'):.0f}"
        f" | {ratio('rate'):.2f} | {median('ours', 'cpu'):.2f} | {median('bare', 'cpu'):.2f}"
        f" | {ratio('cpu'):.2f} | {median('ours', 'calls'):.3f} | {median('ours', 'rss'):.0f}"
        f" | {median('bare', 'rss'):.0f} | {median('ours', 'servers'):.0%} |"
    )


def idle(seconds: float) -> list[str]:
    """What a daemon weighs with one bot and with 1,000, each with a source of its own."""
    lines = ["| idle bots | RSS MiB | CPU % of a core |", "| ---: | ---: | ---: |"]
    weights = []
    for count in (1, 1000):
        with (
            networks("mastodon", accounts=count) as many,
            networks("bluesky", accounts=1) as one,
            tempfile.TemporaryDirectory() as folder,
        ):
            config = Path(folder) / "config.yaml"
            config.write_text(many_bots(many["mastodon"].accounts, one["bluesky"].accounts[0]))
            with (Path(folder) / "log").open("w") as log:
                daemon = subprocess.Popen(
                    [*TRIBRIDGE, "run", "--config", str(config)], cwd=ROOT, stderr=log
                )
                while (Path(folder) / "log").read_text().count("first run") < count:
                    time.sleep(0.5)
                time.sleep(5)
                cpu = cpu_of(daemon.pid)
                time.sleep(seconds)
                cpu = (cpu_of(daemon.pid) - cpu) / seconds
                weights.append(rss_of(daemon.pid))
                daemon.terminate()
                daemon.wait()
            lines.append(f"| {count:,} | {weights[-1]:.0f} | {100 * cpu:.1f} |")
            print(lines[-1], flush=True)
    lines += ["", f"1,000 bots weigh {weights[1] - weights[0]:.0f} MiB more than one."]
    return lines


def many_bots(sources: list[dict[str, str]], target: dict[str, str]) -> str:
    """A config with a bot for each source."""
    accounts = {f"s{n}": {"network": "mastodon", **s} for n, s in enumerate(sources)}
    tests = [{"given": {"text": "Hello #a"}, "expect": "mirrored"}]
    bots = {f"bot{n}": {"from": f"s{n}", "to": "t", "tests": tests} for n in range(len(sources))}
    accounts["t"] = {"network": "bluesky", **target}
    return json.dumps({"accounts": accounts, "bots": bots}, indent=1)


def starts(rounds: int) -> list[str]:
    """How long the first words take."""
    lines = ["| command | seconds |", "| --- | ---: |"]
    with tempfile.TemporaryDirectory() as folder:
        account = {"server": "http://127.0.0.1:9", "access_token": "t"}
        target = {"handle": "a.test", "app_password": "p", "service": "http://127.0.0.1:9"}
        for count in (1, 1000):
            sources = [{**account, "access_token": f"t{n}"} for n in range(count)]
            Path(folder, f"{count}.yaml").write_text(many_bots(sources, target))
        for name, command in (
            ("python -c pass", [sys.executable, "-c", "pass"]),
            ("python -c 'import bridge.cli'", [sys.executable, "-c", "import bridge.cli"]),
            ("tribridge --version", [*TRIBRIDGE, "--version"]),
            ("tribridge check, 1 bot", [*TRIBRIDGE, "check", "--config", f"{folder}/1.yaml"]),
            (
                "tribridge check, 1,000 bots",
                [*TRIBRIDGE, "check", "--config", f"{folder}/1000.yaml"],
            ),
            (
                "tribridge test, 1,000 bots with one test each",
                [*TRIBRIDGE, "test", "--config", f"{folder}/1000.yaml"],
            ),
            (
                "tribridge preview --text",
                [*TRIBRIDGE, "preview", "bot0", "--text", "Hello", "--config", f"{folder}/1.yaml"],
            ),
        ):
            taken = []
            for _ in range(rounds + 1):
                began = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
                taken.append(time.perf_counter() - began)
            lines.append(f"| `{name}` | {statistics.median(taken[1:]):.2f} |")
            print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Run everything and write docs/performance.md."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--posts", type=int, default=500)
    options.add_argument(
        "--idle", type=float, default=132, help="seconds an idle daemon is watched"
    )
    options.add_argument("--write", type=Path, default=ROOT / "docs" / "performance.md")
    args = options.parse_args()
    began = datetime.now(UTC)
    parts = {
        "Mirroring": directions(args.rounds, args.posts),
        "Idle bots": idle(args.idle),
        "Start-up": starts(args.rounds),
    }
    model = next(
        (
            x.split(":")[1].strip()
            for x in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in x
        ),
        platform.machine(),
    )
    head = HEAD.format(
        date=f"{began:%Y-%m-%d}",
        machine=f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}",
        rounds=args.rounds,
        posts=args.posts,
        idle=args.idle,
    )
    text = head + "".join(f"\n## {k}\n\n" + "\n".join(v) + "\n" for k, v in parts.items())
    args.write.write_text(text, encoding="utf-8")
    print(f"\nwritten to {args.write}")


HEAD = """# Performance

Measured on {date} by `make bench`: {machine}. Medians of {rounds} rounds of {posts} text posts.

The networks are the simulators, each in a process of its own on the same machine, with quotas and
delays off, so these figures say what the program costs and not how fast a network lets it post.
"Bare" is the same calls made with httpx, with two SQLite commits a post at the same durability
(`process`), and nothing else; both take turns in one run, and ratios are the median of the pairs.
Calls a post count everything that the program asked of both networks, logins and readings included;
the servers' share is the processor time that both simulators used, as a share of the time that
passed. Idle bots are watched for {idle:.0f} s, each bot with a Mastodon account of its own as source, polled
every two minutes.
"""

if __name__ == "__main__":
    main()
