#!/usr/bin/env python3
"""Draws throughput against size from what `cargo bench --bench codec -- sizes 1000` prints.

    TMPDIR=/dev/shm cargo bench --bench codec -- sizes 1000 > sizes.csv
    benches/pictures.py sizes.csv

Makes docs/throughput-pack.svg and docs/throughput-unpack.svg; the same lines give the same bytes. Greys and colours
are such that they show on a light page and on a dark one.
"""

import csv
import math
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"

WIDTH, HEIGHT = 790, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 180, 44, 56
INK, GRID = "#808080", "#80808040"
COLOURS = {"des-md5": "#d2691e", "age": "#3a87c8"}
DASHES = {"1": "6 4", "2": "none"}
UNITS = [(10**9, "GB"), (10**6, "MB"), (10**3, "KB")]


def size_name(size: float) -> str:
    unit, name = next(pair for pair in UNITS if size >= pair[0])
    return f"{size / unit:g} {name}"


class Scale:
    """A logarithmic axis from `low` to `high`, laid on the pixels from `start` to `end`."""

    def __init__(self, low: float, high: float, start: float, end: float):
        self.low, self.high = math.log10(low), math.log10(high)
        self.start, self.end = start, end

    def at(self, value: float) -> float:
        share = (math.log10(value) - self.low) / max(self.high - self.low, 1e-9)
        return self.start + share * (self.end - self.start)


def text(x: float, y: float, words: str, anchor: str = "start", colour: str = INK, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{more}>{words}</text>'


def rule(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "none", width: float = 1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}" '
        f'stroke-dasharray="{dash}"/>'
    )


def axes(x: Scale, y: Scale, sizes: list[float]) -> list[str]:
    drawn = []
    for size in sizes:
        drawn.append(rule(x.at(size), y.start, x.at(size), y.end, GRID))
        drawn.append(text(x.at(size), y.start + 18, size_name(size), "middle"))
    for exponent in range(round(y.low), round(y.high) + 1):
        speed = 10**exponent
        drawn.append(rule(x.start, y.at(speed), x.end, y.at(speed), GRID))
        drawn.append(text(x.start - 8, y.at(speed) + 4, f"{speed:g}", "end"))
    drawn.append(text((x.start + x.end) / 2, HEIGHT - 14, "size of the claim (bytes, logarithmic)", "middle"))
    middle = (y.start + y.end) / 2
    turned = f' transform="rotate(-90 18 {middle:.1f})"'
    drawn.append(text(18, middle, "throughput (MB/s, logarithmic)", "middle", more=turned))
    return drawn


def picture(verb: str, rows: list[dict[str, str]]) -> str:
    """The lines of one verb: a colour for each suite, dashes for one thread, a full line for two."""
    sizes = sorted({float(row["bytes"]) for row in rows})
    speeds = [float(row["MB/s"]) for row in rows]
    x = Scale(sizes[0], sizes[-1], LEFT, WIDTH - RIGHT)
    low, high = math.floor(math.log10(min(speeds))), math.ceil(math.log10(max(speeds)))
    y = Scale(10**low, 10 ** max(high, low + 1), HEIGHT - BOTTOM, TOP)
    drawn = axes(x, y, sizes)
    legend = TOP + 10
    for suite, colour in COLOURS.items():
        for threads, dash in DASHES.items():
            line = [row for row in rows if row["suite"] == suite and row["threads"] == threads]
            points = [(x.at(float(row["bytes"])), y.at(float(row["MB/s"]))) for row in line]
            if not points:
                continue
            joined = " ".join(f"{across:.1f},{up:.1f}" for across, up in points)
            drawn.append(
                f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
            )
            drawn += [f'<circle cx="{across:.1f}" cy="{up:.1f}" r="3" fill="{colour}"/>' for across, up in points]
            start = WIDTH - RIGHT + 12
            drawn.append(rule(start, legend - 4, start + 28, legend - 4, colour, dash, 2))
            words = f"{suite}, {threads} thread{'s' if threads != '1' else ''}"
            drawn.append(text(start + 34, legend, words))
            legend += 20
    title = text(LEFT, 24, f"{verb}: throughput against size", more=' font-size="15" font-weight="bold"')
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{verb}: throughput against size" font-family="sans-serif" font-size="12">'
    )
    return "\n".join([head, title, *drawn, "</svg>", ""])


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lines = [line for line in Path(sys.argv[1]).read_text().splitlines() if line and not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    for verb in ("pack", "unpack"):
        chosen = [row for row in rows if row["verb"] == verb]
        (DOCS / f"throughput-{verb}.svg").write_text(picture(verb, chosen))


if __name__ == "__main__":
    main()
