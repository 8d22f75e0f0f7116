"""segql beside DuckDB, Polars and ClickHouse: python3 benches/peers/run.py [--quick].

Needs Python 3.10 and, unless --segql names a binary, a Rust toolchain. Installs the peers,
makes the data, builds segql, checks that all answers agree, and writes a table.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import growth
import report
from compare import Row, compare
from measure import Failed
from peers import SEGQL, Work
from prepare import REPOSITORY, place, say
from works import GROWING, WORKS

QUICK_ORDERS = 200_000
GROWTH_ORDERS = (1_000_000, 10_000_000, 100_000_000)


def whole(text: str) -> int:
    """A number such as 10e6."""
    return int(float(text))


def arguments() -> argparse.Namespace:
    """What was typed."""
    known = ", ".join(work.name for work in WORKS)
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--orders", type=whole, default=10_000_000, help="how many orders (10e6)")
    add("--data", type=Path, help="a folder with orders.parquet of as many orders")
    add("--segql", type=Path, help="a binary instead of building one")
    add("--work", type=Path, default=REPOSITORY / "target" / "peers", help="where files go")
    add("--output", type=Path, help="the table (WORK/peers.md), with JSON beside it")
    add("--repeat", type=int, default=5, help="measurements of each (5)")
    add("--limit", type=float, default=300, help="seconds for one measurement (300)")
    add("--threads", type=int, default=os.cpu_count(), help="of everybody (all cores)")
    add("--only", nargs="+", metavar="WORK", help=f"of {known}")
    add("--quick", action="store_true", help="200,000 orders, once, to see that all works")
    add("--growth", action="store_true", help="1, 10 and 100 million orders, with exponents")
    add("--readme", action="store_true", help="puts the table into README.md as well")
    return parser.parse_args()


def chosen(names: list[str] | None, default: tuple[str, ...]) -> list[Work]:
    """The works of these names, in the order of the table."""
    known = [work.name for work in WORKS]
    for name in names or []:
        if name not in known:
            raise Failed(f"no work '{name}'; there are {', '.join(known)}")
    return [work for work in WORKS if work.name in (names or default or known)]


def compared(typed: argparse.Namespace) -> list[Row]:
    """All works at one size."""
    orders = QUICK_ORDERS if typed.quick else typed.orders
    repeat = 1 if typed.quick else typed.repeat
    works = chosen(typed.only, ())
    at = place(typed, orders, works)
    header = report.header(at, f"{orders:,} orders", repeat)
    path = typed.output or typed.work / "peers.md"
    rows: list[Row] = []
    for work in works:
        rows.append(compare(work, at, repeat, typed.limit))
        # After each, so that what was measured outlives an interruption.
        lines = header + report.table(rows)
        report.save(path, lines, at, {"orders": orders, "works": report.record(rows)})
    show(lines, "peers", typed.readme)
    return rows


def grown(typed: argparse.Namespace) -> list[Row]:
    """Some works at all sizes."""
    works = chosen(typed.only, GROWING)
    sizes: growth.Sizes = {}
    for orders in GROWTH_ORDERS:
        at = place(typed, orders, works)
        sizes[orders] = [compare(work, at, typed.repeat, typed.limit) for work in works]
    lines = report.header(at, "orders as named", typed.repeat) + growth.table(sizes)
    details = {str(orders): report.record(rows) for orders, rows in sizes.items()}
    report.save(typed.output or typed.work / "growth.md", lines, at, {"sizes": details})
    show(lines, "growth", typed.readme)
    return [row for rows in sizes.values() for row in rows]


def show(lines: list[str], block: str, readme: bool) -> None:
    """To the terminal, and where asked to the README."""
    print("\n".join(lines))
    if readme:
        report.into_readme(REPOSITORY / "README.md", block, lines)


def main() -> int:
    """0 where all answers agree and segql did everything."""
    typed = arguments()
    try:
        rows = grown(typed) if typed.growth else compared(typed)
    except Failed as failed:
        say(f"error: {failed}")
        return 2
    wrong = [row for row in rows if row.disagreement or not row.columns[SEGQL].is_fine]
    for row in wrong:
        say(f"{row.work.name}: {row.disagreement or row.columns[SEGQL].fault}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
