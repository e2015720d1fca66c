#!/usr/bin/env python3
"""Counts the instructions of the codec's kernels under callgrind and compares them with `benches/counts.txt`.

    benches/counts.py             compare; above 2 percent more or less it fails
    benches/counts.py record      write down what is counted now
    benches/counts.py print       only print

Valgrind shows every program the same processor whatever the machine has (AVX2, no AVX-512, no SHA extensions), and
counting two runs and one run and taking the difference leaves out what came before them. Another compiler makes other
instructions, so that a comparison needs the one that is written down.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "benches" / "counts.txt"
TOLERANCE = 0.02
# Which kernels have code for several levels, and the levels that valgrind can run.
LEVELS = {
    "des-md5-encrypt": ["portable", "avx2"],
    "des-md5-batch": ["portable", "avx2"],
    "des-md5-derive": ["portable", "sse2", "avx2"],
    "des-md5-decrypt": ["portable", "sse2", "avx2"],
}
ANEW = "after a change that is meant, or of the compiler, record them anew: benches/counts.py record"


def said_by(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def build() -> str:
    """The path of the program that runs a kernel."""
    said = said_by(
        "cargo", "build", "--quiet", "--profile", "counts", "--package", "claimwire-counts", "--message-format", "json"
    )
    return re.findall(r'"executable":"([^"]*claimwire-counts[^"]*)"', said)[-1]


def instructions(program: str, kernel: str, level: str, runs: int) -> int:
    environment = {**os.environ, "CLAIMWIRE_SIMD": level, "LC_ALL": "C"}
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, kernel, str(runs)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    counted = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not counted:
        raise SystemExit(f"{kernel} cannot be counted: {done.stderr.strip()}")
    return int(counted.group(1))


def count(program: str, kernel: str, level: str) -> int:
    return instructions(program, kernel, level, 2) - instructions(program, kernel, level, 1)


def count_all() -> dict[str, int]:
    program = build()
    kernels = [
        (kernel, level) for kernel in said_by(program).split() for level in LEVELS.get(kernel, ["avx2"])
    ]
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        counts = workers.map(lambda each: count(program, *each), kernels)
        return {f"{kernel} {level}": counted for (kernel, level), counted in zip(kernels, counts)}


def toolchain() -> str:
    about = dict(re.findall(r"^(release|host): (.+)$", said_by("rustc", "-vV"), re.MULTILINE))
    return f"rustc {about['release']} {about['host']}"


def recorded() -> tuple[str, dict[str, int]]:
    first, *lines = RECORD.read_text().splitlines()
    rows = (line.rsplit(maxsplit=1) for line in lines if line.strip())
    return first.removeprefix("# "), {" ".join(name.split()): int(number) for name, number in rows}


def compare(counts: dict[str, int]) -> None:
    before = recorded()[1]
    changed = False
    for name in sorted(counts.keys() | before.keys()):
        old, new = before.get(name), counts.get(name)
        if old is None or new is None:
            print(f"{name:<28} {'is new' if old is None else 'is gone'}")
            changed = True
            continue
        change = new / old - 1
        verdict = "" if abs(change) <= TOLERANCE else "  OUTSIDE 2 percent"
        print(f"{name:<28} {old:>14} {new:>14} {change:>+8.2%}{verdict}")
        changed |= bool(verdict)
    if changed:
        raise SystemExit(f"the kernels' instruction counts are not those recorded; {ANEW}")


def main() -> None:
    mode = sys.argv[1] if len(sys.argv) == 2 else "compare" if len(sys.argv) == 1 else ""
    if mode == "compare":
        if not RECORD.exists():
            raise SystemExit(f"nothing is recorded to compare with; {ANEW}")
        compiler = recorded()[0]
        if compiler != toolchain():
            raise SystemExit(f"the counts were recorded with {compiler}, this is {toolchain()}; {ANEW}")
        compare(count_all())
    elif mode in ("record", "print"):
        lines = [f"{name:<28} {counted:>14}" for name, counted in count_all().items()]
        text = "\n".join([f"# {toolchain()}", *lines, ""])
        RECORD.write_text(text) if mode == "record" else print(text, end="")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
