"""Works over members: what all segments have in common, and how it was month by month."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import projects
import queries
from dialects import DuckDB
from measure import Command, Failed, run
from peers import (
    CLICKHOUSE,
    DUCKDB,
    POLARS,
    SEGQL,
    Place,
    Work,
    polars,
    segql_plain,
    segql_query,
    sql,
)
from projects import KEPT
from queries import AS_OF, SEGMENTS
from works_segments import (
    clickhouse_segments,
    duckdb_copy,
    duckdb_segments,
    parquet,
    polars_segments,
    segql_run,
)

MONTHS = 24
MAKING_SECONDS = 3600


def after(place: Place, command: Command) -> Callable[[], None]:
    """Makes the members that a work starts from, where they are missing."""

    def make() -> None:
        if all(path.exists() for path in command.files.values()):
            return
        fault = run(command, MAKING_SECONDS).fault
        if fault:
            raise Failed(f"the segments: {fault}")

    return make


def segql_overlap(place: Place) -> Command:
    """Of the snapshots that a run over the views left."""
    made = segql_run(place, "segments", "views")
    store = place.out("segments", SEGQL)
    if "segment_overlap" in place.knows:
        query = (
            "SELECT segment_a AS sa, segment_b AS sb, size_both AS both "
            f"FROM segment_overlap(DATE '{AS_OF}') WHERE size_both > 0 ORDER BY sa, sb"
        )
    else:
        members = " UNION ALL ".join(
            f"SELECT '{name}' AS segment, customer_id FROM members('{name}', DATE '{AS_OF}')"
            for name in SEGMENTS
        )
        query = queries.overlap(members)
    project = place.work / "projects" / "views"
    return segql_query(
        place, query, "--project", project, "--store", store, prepare=after(place, made)
    )


def duckdb_overlap(place: Place) -> Command:
    files = parquet(place.out("segments", DUCKDB))
    members = " UNION ALL ".join(
        f"SELECT '{name}' AS segment, customer_id FROM '{path}'" for name, path in files.items()
    )
    before = f"CREATE TEMP TABLE members AS {members}"
    made = duckdb_segments(place, "segments", "TEMP TABLE")
    timed = [before, queries.overlap("SELECT * FROM members")]
    return sql(place, "duckdb", timed, prepare=after(place, made))


def clickhouse_overlap(place: Place) -> Command:
    files = parquet(place.out("segments", CLICKHOUSE))
    members = " UNION ALL ".join(
        f"SELECT '{name}' AS segment, customer_id FROM file('{path}', Parquet)"
        for name, path in files.items()
    )
    before = f"CREATE TEMPORARY TABLE members ENGINE = Memory AS {members}"
    timed = [before, queries.overlap("SELECT * FROM members")]
    return sql(place, "clickhouse", timed, prepare=after(place, clickhouse_segments(place)))


def polars_overlap(place: Place) -> Command:
    task = {"files": place.out("segments", POLARS)}
    return polars(place, "overlap", task, prepare=after(place, polars_segments(place)))


def segql_replay(place: Place) -> Command:
    """By the command that is made for it, or run by run where there is none."""
    folder = projects.write(
        place.work / "projects" / "replay", place.orders, projects.scores_only()
    )
    store = place.out("replay", SEGQL)
    days = queries.month_ends(MONTHS)
    files = {day: store / "everyone" / f"as_of={day}" / "members.parquet" for day in days}
    common = ["--project", folder, "--store", store, "--threads", place.threads, "--quiet"]
    if "replay" in place.knows:
        span = ["--from", days[0], "--to", days[-1], "--every", "month"]
        return segql_plain(place, "replay", *span, *common, fresh=[store], files=files)
    run = shlex.join(map(str, [place.segql, "run", *common]))
    script = f"for day in {' '.join(days)}; do {run} --as-of $day || exit 1; done"
    return Command(["sh", "-c", script], place.work, fresh=[store], files=files)


def duckdb_replay(place: Place) -> Command:
    out = place.out("replay", DUCKDB)
    days = queries.month_ends(MONTHS)
    orders = DuckDB().table(place.orders)
    timed = [
        duckdb_copy(
            f"SELECT {KEPT} FROM ({DuckDB().scores(orders, day, later=True)})",
            out / f"{day}.parquet",
        )
        for day in days
    ]
    return sql(place, "duckdb", timed, fresh=[out], files=parquet(out, days))


def polars_replay(place: Place) -> Command:
    out = place.out("replay", POLARS)
    files = parquet(out, queries.month_ends(MONTHS))
    return polars(place, "replay", {"out": out, "months": MONTHS}, fresh=[out], files=files)


WORKS = [
    Work(
        "overlap",
        "overlap of all pairs of the 20",
        {
            SEGQL: segql_overlap,
            DUCKDB: duckdb_overlap,
            POLARS: polars_overlap,
            CLICKHOUSE: clickhouse_overlap,
        },
    ),
    Work(
        "replay",
        "scores at 24 month ends",
        {SEGQL: segql_replay, DUCKDB: duckdb_replay, POLARS: polars_replay},
    ),
]
