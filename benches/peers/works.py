"""All works, in the order of the table."""

from __future__ import annotations

from pathlib import Path

import projects
import works_members
import works_queries
import works_segments
from dialects import DuckDB
from measure import Command
from peers import DUCKDB, SEGQL, Place, Work, segql_plain
from projects import KEPT

# From PyPI, its version may be behind that of the library.
SHELL_NOTE = "`duckdb-cli`"


def duckdb_shell(place: Place, *arguments: object) -> Command:
    argv = [place.python.parent / "duckdb", "-json", *arguments]
    return Command([str(it) for it in argv], place.work)


def segql_start(place: Place) -> Command:
    return segql_plain(place, "-c", "select 1 as one", "--format", "json")


def segql_ready(place: Place) -> Command:
    """In the folder of a project, so that all of it is loaded."""
    folder = place.work / "projects" / "many"
    projects.write(folder, place.orders, projects.many())
    return segql_plain(place, "-c", "select 1 as one", "--format", "json", cwd=folder)


def duckdb_ready(place: Place) -> Command:
    """As many views over the same file, from a script."""
    base = DuckDB().scores(DuckDB().table(place.orders), later=True)
    views = [f"CREATE VIEW base AS {base};"] + [
        f"CREATE VIEW s{at:03} AS SELECT {KEPT} FROM base WHERE {condition};"
        for at, condition in enumerate(projects.conditions())
    ]
    script: Path = place.work / "projects" / "many.sql"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text("\n".join([*views, "select 1 as one;"]))
    return duckdb_shell(place, "-f", script)


STARTS = [
    Work(
        "start",
        "`-c 'select 1'`",
        {
            SEGQL: segql_start,
            DUCKDB: lambda place: duckdb_shell(place, "-c", "select 1 as one"),
        },
        is_short=True,
        notes={DUCKDB: SHELL_NOTE},
    ),
    Work(
        "ready",
        "a project of 200 segments ready (DuckDB: 200 views made)",
        {SEGQL: segql_ready, DUCKDB: duckdb_ready},
        is_short=True,
        notes={DUCKDB: SHELL_NOTE},
    ),
]

WORKS = [
    *works_queries.WORKS[:4],
    *works_segments.WORKS,
    *works_members.WORKS,
    *works_queries.WORKS[4:],
    *STARTS,
]

# Those whose cost is followed over sizes.
GROWING = ("scan", "features", "scores")
