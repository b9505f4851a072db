"""Configurations that nobody would write: `python -m tests.mutants --number 10000 --seed 1`.

Each is the example, or a bot's file beside it, changed at random, and checked whole, as `tribridge
check` does; where nothing is wrong, its tests are tried. It must end in a configuration or in
problems with places: no exception, 2 seconds of this processor at most, and 200 MB for the process.
Prints how to run one again that does not.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bridge import trials
from bridge.config.checking import Checked, check_all
from bridge.config.report import as_text

ROOT = Path(__file__).parents[1]
SECONDS = 2.0
MEGABYTES = 200

EXAMPLE = (ROOT / "config.example.yaml").read_bytes()
ENVIRON = {
    name: "https://a.example/b" if name.endswith("_URL") else name
    for name in re.findall(r"\$\{([A-Z_]+)\}", EXAMPLE.decode())
}
#: a configuration with its bots in files
FILES = {
    "config.yaml": EXAMPLE[: EXAMPLE.index(b"\nbots:") + 1],
    **{f"bots/{file.name}": file.read_bytes() for file in sorted((ROOT / "bots").glob("*.yaml"))},
}

NASTY = (
    b"\0", b"\xff", b"\xe2\x80\xa8", "\u202e\u200f".encode(), b"\t", b"\r", b"\n", b"#", b": ", b"- ",
    b"[", b"]", b"{", b"}", b"{{", b"&a ", b"*a", b"<<: ", b"!!set ", b"? ", b"| ", b">-\n", b"'",
    b'"', b'"\\ud800"', b"---\n", b"...\n", b"%YAML 1.1\n", b"${", b"${file:", b"${file:/etc}", b"$${",
    b"~", b"no", b"12:30", b"0x1F", b".nan", b"9" * 5000, b"2026-13-45", b"0001-01-01T00:00:00+23:59",
    b"((", b"https://[", b"@", b"=", b"for:", b"bots:", b"[]", b"{}", b"1" + b"0" * 20 + b"d",
)  # fmt: skip

#: values that are long to read, compile, count or look for
VALUES = (
    b"9" * 4000, b"1e999999999", b"-0", b"0x" + b"f" * 3000, b"1_0", b"9" * 9 + b"d", b"99999999999999999999",
    b"'(a+)+$'", b"'(a|a)*b'", b"'" + b"(" * 4000 + b"a" + b")*" * 1900 + b"'", b"'(?:a{1,999}){1,999}'",
    b"'((((((a{99}){99}){99}){99}){99}){99})'", b"'[" + b"a-z" * 3000 + b"]'", b"'(?P<a>x)(?P=a)*'",
    b"'\\p{L}{5000000}'", b"'" + b"a?" * 4000 + b"a" * 1000 + b"'", b"'(?r)(?i)" + "ß".encode() * 900 + b"'",
    b"'" + b"{{ url }}" * 4000 + b"'", b"'{{ " + b"{{ " * 3000 + b"'", b"'" + b"${A}" * 4000 + b"'",
    b"0 0 29 2 *", b"*/1 * * * mon", b"59 23 31 2 mon", b"* * * * " + b"mon," * 2000 + b"tue",
    b"'" + "ø".encode() * 20000 + b"'", b"Europe/" + b"../" * 900, b"${file:/dev/zero}", b"${file:../..}",
    b"https://" + b"a." * 2000 + b"example", b"xn--" + b"a" * 300 + b".example", b"@" * 3000,
    b"'{{ " + b"(" * 3000 + b"1" + b")" * 3000 + b" }}'", b"'{{ 9 ** 9 ** 9 }}'", b"'{{ text * 99999999 }}'",
    b"'{% for a in tags %}" + b"{% for b in tags %}" * 300 + b"'", b"'" + b"{{ plain }}" * 800 + b"'",
    b"'{{ plain" + b" | upper" * 900 + b" }}'", b"'{% if 1 %}" + b"{% if 1 %}" * 800 + b"{% endif %}" * 801 + b"'",
    b"'{{ " + b"9" * 4000 + b" }}'", b"'{{ text.__class__ }}'", b"'{{ " + b"not " * 2000 + b"1 }}'", b"'{%'",
    b"'" + b"\\1" * 4000 + b"'", b"'\\g<" + b"a" * 4000 + b">'", b"'\\999999999'",
    b"[/dev/zero, ., bots/city.yaml]", b"23:59-0:00", b"[" + b"1-2, " * 3000 + b"2-1]", b"mon-" * 2000 + b"sun", b"99:99-24:00",
    b"[" + b"[" * 70 + b"]" * 71, b"[" + b"a, " * 3000 + b"a]", b"{" + b"a: {" * 80 + b"}" * 81,
)  # fmt: skip

_VALUE = re.compile(rb"(?m)^( *(?:- )?[\w-]+:)[ \t]+\S.*$")


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A file with one to four pieces changed, doubled, removed, or replaced by nasty ones."""
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(data) or 1), chance.choice((0, 1, 2, 10, 200))
        piece = data[at : at + length]
        new = chance.choice((b"", chance.choice(NASTY), piece * 2, chance.randbytes(2)))
        data = data[:at] + new + data[at + length :]
    return data


def revalued(data: bytes, chance: random.Random) -> bytes:
    """A file in which up to three settings have other values."""
    for _ in range(chance.randint(1, 3)):
        found = list(_VALUE.finditer(data))
        if found:
            heavy = (b"matching:", b"template:", b"by:")
            patterns = [place for place in found if place[1].endswith(heavy)]
            wanted = patterns if patterns and chance.random() < 0.3 else found
            place = chance.choice(wanted)
            value = chance.choice((*VALUES, *NASTY))
            data = data[: place.end(1)] + b" " + value + data[place.end() :]
    return data


def shuffled(data: bytes, chance: random.Random) -> bytes:
    """A file with lines elsewhere, or indented otherwise."""
    lines = data.splitlines(keepends=True)
    for _ in range(chance.randint(1, 4)):
        line = lines.pop(chance.randrange(len(lines))) if lines else b""
        line = chance.choice((line, b" " * chance.randrange(9) + line.lstrip(), line * 2))
        lines.insert(chance.randrange(len(lines) + 1), line)
    return b"".join(lines)


def bomb(data: bytes, chance: random.Random) -> bytes:
    """A file with aliases of aliases, deep nesting, or very much of something."""
    size = chance.choice((8, 12, 60, 400))
    aliases = b"".join(
        b"b%d: &b%d [%s]\n" % (n + 1, n + 1, b", ".join([b"*b%d" % n] * 9)) for n in range(size)
    )
    piece: bytes = chance.choice(
        (
            b"b0: &b0 [x]\n" + aliases,
            b"only: &o {words: &w [*w, *o]}\n",
            b"skip: " + b"[" * size * 9 + b"]" * size * 9 + b"\n",
            b"skip: " + b"{a: " * size * 9 + b"}" * size * 9 + b"\n",
            b"".join(b" " * n + b"a%d:\n" % n for n in range(size)),
            b"- " * size * 20 + b"\n",
            b"".join(b"setting%d: 1\n" % n for n in range(size * 20)),
            b"steps:\n" + b"  - append: text\n" * size * 10,
            b"steps:\n" + b"  - template: '{% for t in tags %}{{ t }}{% endfor %}'\n" * size * 3,
            b"steps:\n" + b"  - replace: {matching: '(a|aa)+$', by: '\\1\\1'}\n" * size * 3,
            b"steps:\n  - template: |\n" + b"      {% if text %}\n" * size * 5,
            b"".join(b"x%d: *nothing\n" % n for n in range(size)),
            b"? " * size + b"\n",
            b"description: " + b"long " * size * 200 + b"\n",
            b"\xef\xbb\xbf",
            b"%TAG ! tag:x,2026:\n---\n",
        )
    )
    at = chance.choice((0, len(data), *(m.end() for m in re.finditer(rb"\n", data))))
    return data[:at] + piece + data[at:]


KINDS: tuple[Callable[[bytes, random.Random], bytes], ...] = (mutated, revalued, shuffled, bomb)


def mutant(seed: int, number: int) -> tuple[str, dict[str, bytes]]:
    """The kind of a mutant, and its files: the same for the same numbers."""
    chance = random.Random(f"{seed} {number}")
    files = dict(FILES) if chance.random() < 0.5 else {"config.yaml": EXAMPLE}
    if chance.random() < 0.5:
        for name, data in files.items():
            files[name] = re.sub(rb"(?m)^ *#.*\n| +# .*$", b"", data)
    name = chance.choice(list(files))
    change = chance.choice(KINDS)
    files[name] = change(files[name], chance)
    if chance.random() < 0.2:
        files[name] = mutated(files[name], chance)
    return change.__name__, files


class TooSlow(BaseException):
    """A mutant took more than its time; nothing that catches exceptions catches it."""


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Put files into a folder that has those of another mutant."""
    (folder / "bots").mkdir(exist_ok=True)
    for file in folder.rglob("*.yaml"):
        file.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def judge(checked: Checked, told: str, folder: Path, files: dict[str, bytes]) -> str:
    """How checking ended: "fine" or "problems". Raises AssertionError if a problem has no place."""
    lines = {
        f"{folder}/{name}": len(data.decode(errors="replace").splitlines())
        for name, data in files.items()
    }
    said = [line for line in told.splitlines() if not line.startswith("  ")]
    assert len(said) == len(checked.findings)
    for (_, problem), line in zip(checked.findings, said, strict=True):
        assert line.startswith(f"{problem.file}:{problem.line}:{problem.column}: "), problem
        assert 1 <= problem.line <= lines[problem.file] + 1, problem
        assert problem.column >= 1, problem
        assert problem.message.strip(), problem
    assert (checked.config is None) == bool(checked.errors)
    return "problems" if checked.errors else "fine"


def _too_slow(_signal: int, _frame: object) -> None:
    raise TooSlow(f"more than {SECONDS:g} seconds")


def _peak() -> float:
    """The most memory that this program had, in MB; what getrusage says is its parent's too."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1000 if found else 0.0


def run(seed: int, numbers: range) -> int:
    """Check mutants under the limits; 1 if one of them fails."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES * 10**6, MEGABYTES * 10**6))
    signal.signal(signal.SIGPROF, _too_slow)
    ends: Counter[str] = Counter()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            kind, files = mutant(seed, number)
            write(Path(folder), files)
            try:
                signal.setitimer(signal.ITIMER_PROF, SECONDS)
                checked = check_all(Path(folder, "config.yaml"), ENVIRON)
                told = as_text(checked.findings, checked.sources)
                if checked.files and checked.config:
                    trials.run(checked.files, checked.files.trials)
                signal.setitimer(signal.ITIMER_PROF, 0)
                ends[f"{kind}: {judge(checked, told, Path(folder), files)}"] += 1
            except (Exception, TooSlow):
                failed += 1
                signal.setitimer(signal.ITIMER_PROF, 0)
                traceback.print_exc(limit=-4)
                print(f"again: python -m tests.mutants --seed {seed} --only {number}")
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
    peak = _peak()
    found = ", ".join(f"{end} {count}" for end, count in sorted(ends.items()))
    print(f"{len(numbers)} mutants, seed {seed}: {failed} failed; {found}; {peak:.0f} MB at most")
    return int(failed > 0 or peak > MEGABYTES)


def main() -> int:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", type=int, help="the one mutant to check")
    args = parser.parse_args()
    numbers = range(args.number) if args.only is None else range(args.only, args.only + 1)
    return run(args.seed, numbers)


if __name__ == "__main__":
    sys.exit(main())
