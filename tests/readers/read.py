"""Reads members of a store as programs do that do not know segql.

    read.py STORE SECONDS

For so long, every reader in turn reads every segment's files by their glob, with the
date from the folder's name, and checks types, dates, and that no file is of two versions.
Prints a line of JSON: how often each reader read, and what it saw wrong.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from pathlib import Path

import duckdb
import polars
import pyarrow
import pyarrow.compute
import pyarrow.dataset

DAYS = {date(2025, 1, 30), date(2025, 1, 31)}


def check(rows: list[tuple[object, ...]], types: list[str], expected: list[str]) -> str | None:
    """What is wrong with (as_of, version, people, keys, smallest key) by file."""
    if types != expected:
        return f"types {types}, not {expected}"
    if {row[0] for row in rows} != DAYS:
        return f"dates {[row[0] for row in rows]}"
    for row in rows:
        if row[1] != row[2]:
            return f"versions {row[1]} to {row[2]} in one file"
        if row[3] != row[4]:
            return f"{row[3]} rows of {row[4]} people"
    return None


def of_duckdb(glob: str) -> str | None:
    relation = duckdb.sql(f"FROM read_parquet('{glob}', hive_partitioning = true)")
    types = dict(zip(relation.columns, map(str, relation.types)))
    rows = duckdb.sql(
        "SELECT as_of, min(version), max(version), count(*), count(DISTINCT customer_id)"
        f" FROM read_parquet('{glob}', hive_partitioning = true) GROUP BY as_of"
    ).fetchall()
    wanted = ["customer_id", "version", "as_of"]
    return check(rows, [types[name] for name in wanted], ["BIGINT", "BIGINT", "DATE"])


def polars_frame(glob: str) -> polars.DataFrame:
    """Polars looks at a file twice, and fails when it was replaced in between."""
    for _ in range(5):
        try:
            scan = polars.scan_parquet(glob, hive_partitioning=True, try_parse_hive_dates=True)
            return scan.collect()
        except polars.exceptions.ComputeError as error:
            failed = error
    raise failed


def of_polars(glob: str) -> str | None:
    frame = polars_frame(glob)
    grouped = frame.group_by("as_of").agg(
        polars.col("version").min().alias("low"),
        polars.col("version").max().alias("high"),
        polars.len().alias("rows"),
        polars.col("customer_id").n_unique().alias("people"),
    )
    types = [str(frame.schema[name]) for name in ["customer_id", "version", "as_of"]]
    return check(grouped.rows(), types, ["Int64", "Int64", "Date"])


def of_pyarrow(glob: str) -> str | None:
    folder = glob.split("/as_of=")[0]
    by_date = pyarrow.dataset.partitioning(
        pyarrow.schema([("as_of", pyarrow.date32())]), flavor="hive"
    )
    table = pyarrow.dataset.dataset(folder, format="parquet", partitioning=by_date).to_table()
    types = [str(table.schema.field(name).type) for name in ["customer_id", "version", "as_of"]]
    grouped = table.group_by("as_of").aggregate(
        [("version", "min"), ("version", "max"), ("version", "count"), ("customer_id", "count_distinct")]
    )
    names = ["as_of", "version_min", "version_max", "version_count", "customer_id_count_distinct"]
    rows = list(zip(*(grouped[name].to_pylist() for name in names)))
    return check(rows, types, ["int64", "int64", "date32[day]"])


READERS = {"duckdb": of_duckdb, "polars": of_polars, "pyarrow": of_pyarrow}


def main() -> None:
    store, seconds = Path(sys.argv[1]), float(sys.argv[2])
    reads = dict.fromkeys(READERS, 0)
    wrong: list[str] = []
    end = time.monotonic() + seconds
    while True:
        for segment in ["one", "two", "three"]:
            for name, reader in READERS.items():
                glob = f"{store}/{segment}/as_of=*/members.parquet"
                try:
                    problem = reader(glob)
                except Exception as error:  # whatever a reader says is a finding
                    problem = f"{type(error).__name__}: {error}"
                reads[name] += 1
                if problem:
                    wrong.append(f"{name} {segment}: {problem}")
        if time.monotonic() >= end:
            break
    print(json.dumps({"reads": reads, "wrong": wrong}))


main()
