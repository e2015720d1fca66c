#!/usr/bin/env python3
"""Runs the codec and its peers over one corpus, interleaved, and prints their ratios as a Markdown table.

    benches/peers/run.py                          everything, five times; about ten minutes on two cores
    benches/peers/run.py --repetitions 1 --size 20
    benches/peers/run.py --rows des-pack kernel   some rows only: des-pack, des-unpack, age-pack, age-unpack, kernel,
                                                  memory
    benches/peers/run.py --record                 also puts the tables into docs/performance.md

The corpus and what is made of it lie in /dev/shm, so that no disk is measured, or in the directory of `--directory`;
that takes seven times the corpus. Missing peers are installed (Debian) or compiled. What every peer made is opened
again and compared with the corpus once.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import tables
import tools
from measure import Cost, Job, interleaved, run
from workload import Workload

ROWS = ["des-pack", "des-unpack", "age-pack", "age-unpack", "kernel", "memory"]


def openssl_speed(direction: list[str]) -> float:
    """MB/s of DES in CBC mode, by the processor's time as `openssl speed` takes it."""
    providers = ["-provider", "legacy", "-provider", "default"]
    command = ["openssl", "speed", "-mr", "-seconds", "1", "-bytes", str(64 << 20), "-evp", "des-cbc"]
    said = tools.said_by(*command, *direction, *providers)
    found = re.search(r"^\+F:\d+:DES-CBC:([0-9.]+)", said, re.MULTILINE)
    if not found:
        sys.exit(f"openssl speed said no figure: {said}")
    return float(found.group(1)) / 1e6


def our_speed(program: str, kernel: str, level: str | None) -> float:
    environment = {**os.environ, **({"CLAIMWIRE_SIMD": level} if level else {})}
    command = [program, "kernels", kernel]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1].split()[2])


def kernels(program: str, repetitions: int) -> list[tables.Kernel]:
    """One chain on one core: OpenSSL beside us, at each level that this processor has."""
    flags = tools.machine()[2].split()
    levels = ["portable", *(["neon"] if "asimd" in flags else [])]
    levels += [level for level, flag in [("sse2", "sse2"), ("avx2", "avx2"), ("avx512", "avx512bw")] if flag in flags]
    rows = []
    for kernel, direction in [("des-md5-encrypt", []), ("des-md5-decrypt", ["-decrypt"])]:
        ours: dict[str, list[float]] = {level: [] for level in levels}
        theirs: list[float] = []
        for _ in range(repetitions):
            theirs.append(openssl_speed(direction))
            for level in levels:
                ours[level].append(our_speed(program, kernel, level))
        rows += [tables.Kernel.of(kernel, level, speeds, theirs) for level, speeds in ours.items()]
    return rows


def peaks(workload: Workload, costs: dict[str, Cost]) -> dict[str, Cost]:
    """Our own rows of `costs`, and pack and unpack of one compressible document of the size of the corpus, once."""
    found = {name: cost for name, cost in costs.items() if "claimwire" in name}
    for job in workload.one_document():
        found[job.name] = run(job)
        if job.product.is_dir():
            workload.check(job)
    return found


def measure(options: argparse.Namespace, directory: Path, programs: dict[str, str]) -> str:
    workload = Workload(directory, programs, options.size)
    jobs: list[Job] = [job for row in options.rows for job in workload.jobs(row)]
    parts = [tables.about(tools.machine(), tools.versions(), workload, options.repetitions)]
    costs = {}
    if jobs:
        jobs.append(workload.floor())
        workload.prepare(jobs)
        costs = interleaved(jobs, options.repetitions, workload.check)
        parts += [tables.ratios(costs), tables.figures(costs)]
    if "kernel" in options.rows:
        parts.append(tables.kernels(kernels(programs["bench"], options.repetitions)))
    if "memory" in options.rows:
        parts.append(tables.memory(peaks(workload, costs)))
    return "\n\n".join(parts)


def record(text: str) -> None:
    """Puts the tables between the marks in docs/performance.md."""
    path = tools.ROOT / "docs" / "performance.md"
    begin, end = "<!-- benches/peers/run.py: begin -->", "<!-- end -->"
    before, rest = path.read_text().split(begin)
    after = rest.split(end, 1)[1]
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS, metavar="ROW")
    parser.add_argument("--size", type=int, metavar="MB", help="of the corpus; 252.7 MB without it")
    parser.add_argument("--directory", type=Path, default=Path("/dev/shm"))
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    tools.install()
    programs = tools.build()
    with tempfile.TemporaryDirectory(prefix="claimwire-peers-", dir=options.directory) as directory:
        text = measure(options, Path(directory), programs)
    print(text)
    if options.record:
        record(text)


if __name__ == "__main__":
    main()
