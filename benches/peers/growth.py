"""How cost grows: the same works at several sizes, and the exponent that fits.

A least-squares line through the logarithms: work that is linear in the rows has 1.
"""

from __future__ import annotations

import math
from statistics import median

from compare import Row
from peers import SEGQL
from report import PEERS, memory, seconds

Sizes = dict[int, list[Row]]


def exponent(points: list[tuple[float, float]]) -> float | None:
    """The slope of log(cost) over log(size)."""
    logs = [(math.log(x), math.log(y)) for x, y in points if y > 0]
    if len(logs) < 2:
        return None
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    spread = sum((x - mean_x) ** 2 for x, _ in logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / spread


def points(sizes: Sizes, work: str, peer: str) -> list[tuple[int, float, float]]:
    """Size, median seconds and highest memory where it worked."""
    found = []
    for size, rows in sizes.items():
        for row in rows:
            column = row.columns.get(peer)
            if row.work.name == work and column and column.is_fine:
                found.append((size, median(column.seconds), max(column.peak_mib)))
    return found


def cells(sizes: Sizes, work: str, peer: str) -> list[str]:
    """Cost at each size and the exponents of time and memory."""
    found = {size: (time, mib) for size, time, mib in points(sizes, work, peer)}
    said = []
    for size in sizes:
        cost = found.get(size)
        said.append(f"{seconds(cost[0])}, {memory(cost[1])}" if cost else "failed")
    for part in (0, 1):
        slope = exponent([(size, cost[part]) for size, cost in found.items()])
        said.append("" if slope is None else f"{slope:.2f}")
    return said


def table(sizes: Sizes) -> list[str]:
    """One line a work and peer."""
    named = [f"{size / 1e6:g} M orders" for size in sizes]
    lines = [
        f"| work | | {' | '.join(named)} | time grows as n^ | memory as n^ |",
        "|---" * (len(sizes) + 4) + "|",
    ]
    for row in next(iter(sizes.values())):
        for peer in PEERS:
            if peer in row.columns:
                title = row.work.title if peer == SEGQL else ""
                line = cells(sizes, row.work.name, peer)
                lines.append(f"| {title} | {peer} | {' | '.join(line)} |")
    return lines
