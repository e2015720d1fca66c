"""The Markdown tables: ratios with their targets, the figures behind them, kernels and memory."""

import statistics
from dataclasses import dataclass

from measure import Cost

OPENSSL_PACK = "`zip -6` into `openssl enc -des-cbc`"
OPENSSL_UNPACK = "`openssl enc -d` into `bsdtar`"
RUST = "Rust on the crates `zip`, `des`, `cbc`"
JAVA = "Java 17, java.util.zip and JCE"
SEVEN_ZIP = "7-Zip, zip with AES-256"
AGE_PACK = "`tar` into `zstd -3 -T2` into `age`"
AGE_UNPACK = "`age -d` into `zstd -d` into `tar`"

# Ours, the peer, what the peer is, and how many times faster we are to be.
TARGETS = [
    ("pack claimwire des-md5", "pack openssl", OPENSSL_PACK, 6.0),
    ("pack claimwire des-md5", "pack rust", RUST, 6.5),
    ("pack claimwire des-md5", "pack java", JAVA, 9.0),
    ("unpack claimwire des-md5", "unpack openssl", OPENSSL_UNPACK, 10.0),
    ("unpack claimwire des-md5", "unpack rust", RUST, None),
    ("unpack claimwire des-md5", "unpack java", JAVA, 17.0),
    ("unpack claimwire des-md5", "unpack 7z", SEVEN_ZIP, 6.0),
    ("pack claimwire age", "pack zstd+age", AGE_PACK, 0.9),
    ("pack claimwire age zstd", "pack zstd+age", AGE_PACK, 1.8),
    ("unpack claimwire age", "unpack zstd+age", AGE_UNPACK, 1.3),
    ("unpack claimwire age zstd", "unpack zstd+age", AGE_UNPACK, 1.3),
]

KERNEL_TARGETS = {
    ("des-md5-encrypt", "avx512"): 1.85,
    ("des-md5-encrypt", "avx2"): 1.6,
    ("des-md5-decrypt", "avx512"): 35.0,
    ("des-md5-decrypt", "avx2"): 15.0,
    ("des-md5-decrypt", "sse2"): 7.0,
    ("des-md5-decrypt", "neon"): 7.0,
}

MOST_MIB = {"pack": 48, "unpack": 32}


@dataclass
class Kernel:
    """A kernel at one level: MB/s of ours and of OpenSSL, medians."""

    name: str
    level: str
    ours: float
    theirs: float

    @classmethod
    def of(cls, name: str, level: str, ours: list[float], theirs: list[float]) -> "Kernel":
        return cls(name, level, statistics.median(ours), statistics.median(theirs))


def table(titles: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; all columns but those of words are set to the right."""
    numeric = [all(not row[column] or row[column][0] in "0123456789-+" for row in rows) for column in range(len(titles))]
    rule = ["---:" if right else "---" for right in numeric]
    return "\n".join("|" + "".join(f" {cell} |" if cell else " |" for cell in row) for row in [titles, rule, *rows])


def verdict(ratio: float, target: float | None) -> list[str]:
    if target is None:
        return ["", ""]
    return [f"{target:g}x", "yes" if ratio >= target else "no"]


def about(machine: list[str], versions: list[str], workload, repetitions: int) -> str:
    return (
        f"{workload.documents:,} documents, {workload.bytes / 1e6:.1f} MB; medians of {repetitions} rounds, all programs in "
        f"turn in each. Machine: {'; '.join(machine)}. Measured: {'; '.join(versions)}."
    )


def ratios(costs: dict[str, Cost]) -> str:
    rows = []
    for ours, theirs, peer, target in TARGETS:
        if ours in costs and theirs in costs:
            we, they = costs[ours], costs[theirs]
            ratio = they.wall / we.wall
            wanted, reached = verdict(ratio, target)
            size = f"{we.size / they.size - 1:+.2%}" if ours.startswith("pack") else ""
            what = ours.replace(" claimwire", "")
            processor = f"{they.processor / we.processor:.2f}x" if we.processor else "-"
            rows.append([what, peer, f"{ratio:.2f}x", wanted, reached, processor, size])
    titles = ["what", "against", "times faster", "at least", "reached", "less processor time", "sealed size"]
    return table(titles, rows) if rows else ""


def figures(costs: dict[str, Cost]) -> str:
    rows = [
        [name, f"{cost.wall:.3f}", f"{cost.processor:.2f}", f"{cost.memory / 1024:.1f}", f"{cost.size / 1e6:.1f}"]
        for name, cost in costs.items()
    ]
    return table(["program", "seconds", "processor seconds", "peak MiB", "MB made"], rows)


def kernels(rows: list[Kernel]) -> str:
    lines = []
    for row in rows:
        ratio = row.ours / row.theirs
        wanted, reached = verdict(ratio, KERNEL_TARGETS.get((row.name, row.level)))
        lines.append(
            [row.name, row.level, f"{row.ours:.0f}", f"{row.theirs:.0f}", f"{ratio:.2f}x", wanted, reached]
        )
    titles = ["kernel, one core", "level", "MB/s", "OpenSSL MB/s", "times faster", "at least", "reached"]
    return table(titles, lines)


def memory(costs: dict[str, Cost]) -> str:
    rows = []
    for name, cost in costs.items():
        most = MOST_MIB[name.split()[0]]
        peak = cost.memory / 1024
        rows.append([name.replace(" claimwire", ""), f"{peak:.1f}", f"{most}", "yes" if peak <= most else "no"])
    return table(["what", "peak MiB", "at most", "reached"], rows)
