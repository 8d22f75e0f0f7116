"""The table as Markdown, and everything as JSON beside it."""

from __future__ import annotations

import json
import os
import platform
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any

from compare import SHORT_FACTOR, Column, Row
from measure import call
from peers import CLICKHOUSE, DUCKDB, POLARS, SEGQL, Place

PEERS = (SEGQL, DUCKDB, POLARS, CLICKHOUSE)
PACKAGES = {
    DUCKDB: "duckdb",
    "its shell": "duckdb-cli",
    POLARS: "polars",
    "ClickHouse in chdb": "chdb",
}


def seconds(value: float) -> str:
    """Three digits, in milliseconds below a tenth."""
    if value < 0.1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def memory(mib: float) -> str:
    return f"{mib:.0f} MiB" if mib < 1024 else f"{mib / 1024:.1f} GiB"


def cell(column: Column | None) -> str:
    """Median and range of the times, and the highest memory."""
    if column is None:
        return ""
    if column.fault or not column.seconds:
        return column.fault or "not run"
    low, high = min(column.seconds), max(column.seconds)
    span = f" ({seconds(low)}–{seconds(high)})" if len(column.seconds) > 1 else ""
    return f"**{seconds(median(column.seconds))}**{span}, {memory(max(column.peak_mib))}"


def ratio(row: Row) -> str:
    """segql over DuckDB in pairs."""
    found = row.ratios()
    if not found:
        return ""
    span = f" ({min(found):.2f}–{max(found):.2f})" if len(found) > 1 else ""
    return f"{median(found):.2f}{span}"


def answers(row: Row) -> str:
    if row.disagreement:
        return f"DIFFERENT: {row.disagreement}"
    return "agree" if sum(it.is_fine for it in row.columns.values()) > 1 else "not compared"


def machine() -> dict[str, Any]:
    """What it ran on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":", 1)[1].strip() if names else cpu
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gib": round(pages / (1 << 30), 1)}


def versions(place: Place) -> dict[str, str]:
    """Of everybody, as installed."""
    code = "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))"
    found = call([str(place.python), "-c", code, *PACKAGES.values()], place.work).split()
    own = call([str(place.segql), "--version"], place.work).split()[-1]
    return {SEGQL: own, **dict(zip(PACKAGES, found))}


def header(place: Place, orders: str, repeat: int) -> list[str]:
    """When, where, with what, and how to read it."""
    its = machine()
    named = ", ".join(f"{name} {version}" for name, version in versions(place).items())
    day = datetime.now(timezone.utc).date()
    return [
        f"{day}: {orders}; {its['cores']} cores ({its['cpu']}), {its['memory_gib']} GiB; {named}.",
        "",
        f"Median of {repeat} (range; of the last two works of {repeat * SHORT_FACTOR}), and the highest memory of the process; everybody in turn, "
        f"each time a new process, {place.threads} threads, files in the page cache. Of segql and "
        "DuckDB's shell the whole process is timed, of the others the query without the start of "
        "Python. The ratio is that of segql to DuckDB in pairs, less than 1 is faster.",
        "",
    ]


def table(rows: list[Row]) -> list[str]:
    """One line a work."""
    lines = [
        f"| work | {' | '.join(PEERS)} | segql / DuckDB | answers |",
        "|---" * (len(PEERS) + 3) + "|",
    ]
    for row in rows:
        cells = []
        for peer in PEERS:
            noted = row.work.notes.get(peer)
            cells.append(cell(row.columns.get(peer)) + (f" ({noted})" if noted else ""))
        lines.append(f"| {row.work.title} | {' | '.join(cells)} | {ratio(row)} | {answers(row)} |")
    return lines


def record(rows: list[Row]) -> list[dict[str, Any]]:
    """The rows with every measurement."""
    return [
        {
            "work": row.work.name,
            "disagreement": row.disagreement,
            "ratios": row.ratios(),
            "peers": {
                peer: {"seconds": it.seconds, "peak_mib": it.peak_mib, "fault": it.fault}
                for peer, it in row.columns.items()
            },
        }
        for row in rows
    ]


def save(path: Path, lines: list[str], place: Place, details: dict[str, Any]) -> None:
    """Writes the Markdown, and the JSON beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    whole = {"at": now, "machine": machine(), "versions": versions(place), **details}
    path.with_suffix(".json").write_text(json.dumps(whole, indent=1) + "\n")


def into_readme(path: Path, block: str, lines: list[str]) -> None:
    """Replaces what stands between the markers of a block."""
    text = path.read_text()
    opening = text.index(f"<!-- {block}:")
    start = text.index("\n", opening) + 1
    end = text.index(f"<!-- /{block} -->", start)
    path.write_text(text[:start] + "\n" + "\n".join(lines) + "\n\n" + text[end:])
