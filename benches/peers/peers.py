"""How each peer is called: what the works have in common."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measure import Command
from queries import AS_OF

HERE = Path(__file__).resolve().parent

SEGQL = "segql"
DUCKDB = "DuckDB"
POLARS = "Polars"
CLICKHOUSE = "ClickHouse"


@dataclass(frozen=True)
class Place:
    """Where everything is, and what is there."""

    work: Path
    orders: Path
    derived: Path
    segql: Path
    # The environment with the peers.
    python: Path
    threads: int
    # Commands and functions that this segql has.
    knows: frozenset[str] = frozenset()

    def out(self, work: str, peer: str) -> Path:
        """The folder a work of a peer writes to."""
        return self.work / "out" / work / peer

    @property
    def references(self) -> Path:
        return self.derived / "references.parquet"

    @property
    def parts(self) -> Path:
        return self.derived / "parts"


@dataclass(frozen=True)
class Work:
    """A row of the table."""

    name: str
    title: str
    peers: dict[str, Callable[[Place], Command]]
    # What it reads beside the orders: the names of `data.py`.
    beside: tuple[str, ...] = ()
    # Share by which floats in the answers may differ.
    tolerance: float = 0
    # Too short to be told from noise by a few runs.
    is_short: bool = False
    # Programs that are told of in the table beside their name.
    notes: dict[str, str] = field(default_factory=dict)


def python(place: Place, program: str, task: dict[str, Any], **more: Any) -> Command:
    """A child of ours in the environment of the peers."""
    argv = [str(place.python), str(HERE / program), json.dumps(task, default=str)]
    return Command(argv, place.work, is_child=True, **more)


def sql(
    place: Place,
    engine: str,
    timed: list[str],
    before: list[str] | None = None,
    memory: str | None = None,
    **more: Any,
) -> Command:
    """Statements of DuckDB or ClickHouse, the last of which answers."""
    task = {
        "engine": engine,
        "threads": place.threads,
        "memory": memory,
        "before": before or [],
        "timed": timed,
    }
    return python(place, "sql_child.py", task, **more)


def polars(place: Place, name: str, task: dict[str, Any] | None = None, **more: Any) -> Command:
    """A function of `polars_child`."""
    known = {"name": name, "orders": place.orders, "references": place.references}
    env = {"POLARS_MAX_THREADS": str(place.threads)}
    return python(place, "polars_child.py", {**known, **(task or {})}, env=env, **more)


def segql(place: Place, *arguments: object, **more: Any) -> Command:
    """segql at the date of all works."""
    common = ["--as-of", AS_OF, "--threads", place.threads, "--quiet"]
    return segql_plain(place, *arguments, *common, **more)


def segql_plain(place: Place, *arguments: object, cwd: Path | None = None, **more: Any) -> Command:
    """segql with nothing but these arguments."""
    argv = [str(place.segql), *map(str, arguments)]
    return Command(argv, cwd or place.work, **more)


def segql_query(place: Place, query: str, *arguments: object, **more: Any) -> Command:
    """Rows of a query to segql."""
    return segql(place, "-c", query, "--format", "json", *arguments, **more)
