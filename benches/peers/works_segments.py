"""Twenty segments to files: over one base, over views, and again after new orders."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import projects
from dialects import ClickHouse, DuckDB
from measure import Command, call
from peers import CLICKHOUSE, DUCKDB, POLARS, SEGQL, Place, Work, polars, segql, sql
from projects import KEPT
from queries import AS_OF, SEGMENTS

# The day before the last part of the orders begins.
EARLIER = "2025-12-22"
PARTS = 100


def parquet(folder: Path, names: list[str] | None = None) -> dict[str, Path]:
    """One file a set."""
    return {name: folder / f"{name}.parquet" for name in names or SEGMENTS}


def snapshots(store: Path, day: str = AS_OF) -> dict[str, Path]:
    """The files of segql's store."""
    return {name: store / name / f"as_of={day}" / "members.parquet" for name in SEGMENTS}


def duckdb_copy(query: str, path: Path) -> str:
    return f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"


def duckdb_segments(place: Place, work: str, made: str, orders: object | None = None) -> Command:
    """Twenty files from a base that is a temporary table or a view."""
    out = place.out(work, DUCKDB)
    base = DuckDB().scores(DuckDB().table(orders or place.orders), later=True)
    copies = [
        duckdb_copy(f"SELECT {KEPT} FROM base WHERE {condition}", out / f"{name}.parquet")
        for name, condition in SEGMENTS.items()
    ]
    timed = [f"CREATE {made} base AS {base}", *copies]
    return sql(place, "duckdb", timed, fresh=[out], files=parquet(out))


def clickhouse_segments(place: Place) -> Command:
    out = place.out("segments", CLICKHOUSE)
    base = ClickHouse().scores(ClickHouse().table(place.orders), later=True)
    copies = [
        f"INSERT INTO FUNCTION file('{out / name}.parquet', Parquet) "
        f"SELECT {KEPT} FROM base WHERE {condition}"
        for name, condition in SEGMENTS.items()
    ]
    timed = [f"CREATE TEMPORARY TABLE base ENGINE = Memory AS {base}", *copies]
    return sql(place, "clickhouse", timed, fresh=[out], files=parquet(out))


def polars_segments(place: Place) -> Command:
    out = place.out("segments", POLARS)
    return polars(place, "segments", {"out": out}, fresh=[out], files=parquet(out))


def segql_run(place: Place, work: str, project: str) -> Command:
    """A project run into an empty store."""
    folder = projects.write(
        place.work / "projects" / project, place.orders, projects.DEFINITIONS[project]()
    )
    store = place.out(work, SEGQL)
    return segql(
        place, "run", "--project", folder, "--store", store,
        fresh=[store], files=snapshots(store),
    )  # fmt: skip


def daily(place: Place, parts: int) -> Path:
    """A project over a folder with the first of the files."""
    folder = place.work / "projects" / "daily"
    files = folder / "orders"
    projects.write(folder, f"{files}/*.parquet", projects.over_views())
    files.mkdir()
    add(place, range(parts))
    return folder


def add(place: Place, parts: range) -> None:
    """Puts files into the folder, without copying."""
    for part in parts:
        for file in place.parts.glob(f"p{part:02}-*.parquet"):
            (place.work / "projects" / "daily" / "orders" / file.name).hardlink_to(file)


def segql_full(place: Place) -> Command:
    """All files, nothing known."""
    store = place.out("full", SEGQL)
    folder = place.work / "projects" / "daily"
    return segql(
        place, "run", "--project", folder, "--store", store,
        fresh=[store], files=snapshots(store), prepare=partial(daily, place, PARTS),
    )  # fmt: skip


def segql_again(place: Place) -> Command:
    """Run at an earlier day over all files but the last; then the last came."""
    store = place.out("again", SEGQL)
    folder = place.work / "projects" / "daily"
    argv = segql(place, "run", "--project", folder, "--store", store).argv

    def earlier() -> None:
        daily(place, PARTS - 1)
        call([EARLIER if it == AS_OF else it for it in argv], place.work)
        add(place, range(PARTS - 1, PARTS))

    return Command(argv, place.work, fresh=[store], files=snapshots(store), prepare=earlier)


def duckdb_full(place: Place, work: str) -> Command:
    """DuckDB has nothing to start from: all of it each time."""
    return duckdb_segments(place, work, "TEMP TABLE", place.parts / "*.parquet")


WORKS = [
    Work(
        "segments",
        "20 segments over one base, to Parquet",
        {
            SEGQL: lambda place: segql_run(place, "segments", "views"),
            DUCKDB: lambda place: duckdb_segments(place, "segments", "TEMP TABLE"),
            POLARS: polars_segments,
            CLICKHOUSE: clickhouse_segments,
        },
    ),
    Work(
        "segments_views",
        "20 segments, each with its own features (segql: CTEs; DuckDB: a view)",
        {
            SEGQL: lambda place: segql_run(place, "segments_views", "ctes"),
            DUCKDB: lambda place: duckdb_segments(place, "segments_views", "VIEW"),
        },
    ),
    Work(
        "full",
        "20 segments over 100 files, first run",
        {SEGQL: segql_full, DUCKDB: lambda place: duckdb_full(place, "full")},
        beside=("parts",),
    ),
    Work(
        "again",
        "… run again after 1 % new orders (DuckDB: all of it)",
        {SEGQL: segql_again, DUCKDB: lambda place: duckdb_full(place, "again")},
        beside=("parts",),
    ),
]
