"""Works that are one query."""

from __future__ import annotations

from collections.abc import Callable

import queries
from dialects import ClickHouse, DuckDB, Segql
from measure import Command
from peers import CLICKHOUSE, DUCKDB, POLARS, SEGQL, Place, Work, polars, segql_query, sql

Dialect = DuckDB | ClickHouse | Segql
Text = Callable[[Dialect, Place], str]


def everywhere(name: str, text: Text) -> dict[str, Callable[[Place], Command]]:
    """The same query of each engine."""
    return {
        SEGQL: lambda place: segql_query(place, text(Segql(), place)),
        DUCKDB: lambda place: sql(place, "duckdb", [text(DuckDB(), place)]),
        POLARS: lambda place: polars(place, name),
        CLICKHOUSE: lambda place: sql(place, "clickhouse", [text(ClickHouse(), place)]),
    }


def scan(dialect: Dialect, place: Place) -> str:
    return queries.scan(dialect.table(place.orders))


def features(dialect: Dialect, place: Place) -> str:
    return queries.total(dialect.features(dialect.table(place.orders)))


def scores(dialect: Dialect, place: Place) -> str:
    return queries.cells(dialect.scores(dialect.table(place.orders)))


def distinct_text(dialect: Dialect, place: Place) -> str:
    return queries.distinct_references(dialect.table(place.references))


def distinct_days(dialect: Dialect, place: Place) -> str:
    return queries.distinct_days(dialect.table(place.orders))


def scores_in(memory: str) -> dict[str, Callable[[Place], Command]]:
    """Scores by those that promise to keep to a limit and go on."""
    return {
        SEGQL: lambda place: segql_query(place, scores(Segql(), place), "--memory-limit", memory),
        DUCKDB: lambda place: sql(place, "duckdb", [scores(DuckDB(), place)], memory=memory),
    }


WORKS = [
    Work("scan", "scan of three columns", everywhere("scan", scan)),
    Work("features", "RFM features per customer", everywhere("features", features)),
    Work("scores", "… and quintile scores", everywhere("scores", scores)),
    Work("scores_1gb", "the same under a limit of 1 GB", scores_in("1GB")),
    Work(
        "distinct_text",
        "`count(DISTINCT order_ref)` per customer, text",
        everywhere("distinct_text", distinct_text),
        beside=("references",),
    ),
    Work(
        "distinct_days",
        "`count(DISTINCT day)` and `avg` per customer",
        everywhere("distinct_days", distinct_days),
        # A mean is DECIMAL here and DOUBLE there.
        tolerance=1e-7,
    ),
]
