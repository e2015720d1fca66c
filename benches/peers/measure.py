"""Runs a pipeline of commands and says what it cost: the clock, the processors, the memory, the bytes it made."""

import filecmp
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Cost:
    """One run, or the medians of several. Seconds, KiB and bytes."""

    wall: float
    processor: float
    memory: int
    size: int = 0


@dataclass
class Job:
    """A pipeline that runs in `directory` and makes the file or the directory `product`.

    What the last command writes to its standard output becomes the product, unless the command is given its path.
    `fills` says that the product is a directory which has to be there before.
    """

    name: str
    pipeline: list[list[str]]
    product: Path
    directory: Path | None = None
    fills: bool = False


def median(costs: list[Cost]) -> Cost:
    def middle(field: str):
        return statistics.median(getattr(cost, field) for cost in costs)

    return Cost(middle("wall"), middle("processor"), int(middle("memory")), costs[0].size)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def run(job: Job) -> Cost:
    """Runs `job` once. What it makes replaces what a run before made, which is removed outside the measured time.

    Each command runs under `time`, a program so small that its own pages do not show as its child's peak.
    """
    remove(job.product)
    if job.fills:
        job.product.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        reports = [Path(folder, str(number)) for number in range(len(job.pipeline))]
        running: list[subprocess.Popen] = []
        names_product = any(str(job.product) in word for word in job.pipeline[-1])
        begun = time.perf_counter()
        with open(os.devnull if names_product else job.product, "wb") as output:
            for command, report in zip(job.pipeline, reports):
                is_last = len(running) + 1 == len(job.pipeline)
                process = subprocess.Popen(
                    ["/usr/bin/time", "-o", str(report), "-f", "%U %S %M", *command],
                    stdin=running[-1].stdout if running else subprocess.DEVNULL,
                    stdout=output if is_last else subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd=job.directory,
                )
                if running:
                    # The next command alone holds the reading end, so that the one before learns when it is gone.
                    running[-1].stdout.close()
                running.append(process)
        errors = [process.stderr.read().decode(errors="replace") for process in running]
        codes = [process.wait() for process in running]
        wall = time.perf_counter() - begun
        if any(codes):
            sys.exit(f"{job.name} failed with {codes}: {' '.join(errors).strip()}")
        figures = [report.read_text().split() for report in reports]
    processor = sum(float(user) + float(system) for user, system, _ in figures)
    return Cost(wall, processor, sum(int(memory) for *_, memory in figures), size_of(job.product))


def size_of(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def interleaved(jobs: list[Job], repetitions: int, check) -> dict[str, Cost]:
    """The medians of `repetitions` rounds over all `jobs`, so that all of them meet the same weather.

    `check` is given each job after its first run.
    """
    costs: dict[str, list[Cost]] = {job.name: [] for job in jobs}
    for repetition in range(repetitions):
        for job in jobs:
            cost = run(job)
            print(
                f"{repetition + 1}/{repetitions} {job.name}: {cost.wall:.2f} s, {cost.processor:.2f} s of processor, "
                f"{cost.memory >> 10} MiB",
                file=sys.stderr,
            )
            costs[job.name].append(cost)
            if repetition == 0:
                check(job)
            if job.product.is_dir():
                remove(job.product)
    return {name: median(taken) for name, taken in costs.items()}


def same_tree(one: Path, other: Path) -> None:
    """Ends the run unless the two directories hold the same files, the list of digests aside."""
    names = {str(file.relative_to(one)) for file in one.rglob("*") if file.is_file()}
    others = {str(file.relative_to(other)) for file in other.rglob("*") if file.is_file()}
    if names != others - {"SHA256SUMS"}:
        sys.exit(f"{other} does not hold the files of {one}: {sorted(names ^ others)[:5]}")
    _, different, unread = filecmp.cmpfiles(one, other, sorted(names), shallow=False)
    if different or unread:
        sys.exit(f"{other} differs from {one}: {(different + unread)[:5]}")
