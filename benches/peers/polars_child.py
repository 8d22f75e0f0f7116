"""One measurement of Polars in a process of its own.

Reads a task as JSON, {"name", …paths}, and prints {"seconds", "answer"} as `sql_child` does.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from queries import AS_OF, SEGMENTS, SHARES, month_ends

Task = dict[str, Any]
MEASURES = ("r", "f", "m")
KEPT = ("customer_id", "rs", "fs", "ms")


def features(orders: str, as_of: str = AS_OF, later: bool = False) -> pl.LazyFrame:
    """Recency, frequency, money and age of everyone who bought."""
    day = date.fromisoformat(as_of)
    frame = pl.scan_parquet(orders).filter(pl.col("status") == "completed")
    if later:
        end = datetime.combine(day, datetime.min.time()) + timedelta(days=1)
        frame = frame.filter(pl.col("ordered_at") < end)
    at = pl.col("ordered_at")
    return frame.group_by("customer_id").agg(
        (pl.lit(day) - at.max().dt.date()).dt.total_days().alias("r"),
        pl.len().cast(pl.Int64).alias("f"),
        pl.col("amount").sum().alias("m"),
        (pl.lit(day) - at.min().dt.date()).dt.total_days().alias("age"),
    )


def scores(orders: str, as_of: str = AS_OF, later: bool = False) -> pl.DataFrame:
    """The features with quintiles by value."""
    people = features(orders, as_of, later).collect(engine="streaming")

    def above(measure: str) -> pl.Expr:
        value = pl.col(measure).cast(pl.Float64)
        cuts = [value.quantile(share, interpolation="linear") for share in SHARES]
        return sum((value > cut).cast(pl.Int32) for cut in cuts)

    return people.with_columns(
        (5 - above("r")).alias("rs"),
        (1 + above("f")).alias("fs"),
        (1 + above("m")).alias("ms"),
    )


def scan(task: Task) -> pl.DataFrame:
    return (
        pl.scan_parquet(task["orders"])
        .select(pl.col("ordered_at").max(), pl.col("amount").sum(), pl.col("customer_id").max())
        .collect(engine="streaming")
    )


def features_total(task: Task) -> pl.DataFrame:
    total = features(task["orders"]).select(pl.len(), *(pl.col(it).sum() for it in MEASURES))
    return total.collect(engine="streaming")


def cells(task: Task) -> pl.DataFrame:
    keys = ["rs", "fs", "ms"]
    return scores(task["orders"]).group_by(keys).len().sort(keys)


def segments(task: Task) -> None:
    people = scores(task["orders"], later=True)
    for name, condition in SEGMENTS.items():
        members = people.filter(pl.sql_expr(condition)).select(KEPT)
        members.write_parquet(Path(task["out"]) / f"{name}.parquet", compression="zstd")


def overlap(task: Task) -> pl.DataFrame:
    files = [pl.scan_parquet(Path(task["files"]) / f"{name}.parquet") for name in SEGMENTS]
    members = pl.concat(
        file.select("customer_id", pl.lit(name).alias("segment"))
        for name, file in zip(SEGMENTS, files)
    )
    keys = ["segment", "segment_right"]
    pairs = members.join(members, on="customer_id").filter(
        pl.col("segment") < pl.col("segment_right")
    )
    return pairs.group_by(keys).len().sort(keys).collect(engine="streaming")


def replay(task: Task) -> None:
    for day in month_ends(task["months"]):
        people = scores(task["orders"], day, later=True).select(KEPT)
        people.write_parquet(Path(task["out"]) / f"{day}.parquet", compression="zstd")


def distinct_references(task: Task) -> pl.DataFrame:
    people = pl.scan_parquet(task["references"]).filter(pl.col("status") == "completed")
    people = people.group_by("customer_id").agg(pl.col("order_ref").n_unique().alias("f"))
    return people.select(pl.len(), pl.col("f").sum()).collect(engine="streaming")


def distinct_days(task: Task) -> pl.DataFrame:
    people = pl.scan_parquet(task["orders"]).filter(pl.col("status") == "completed")
    people = people.group_by("customer_id").agg(
        pl.col("ordered_at").dt.date().n_unique().alias("days"),
        pl.col("amount").cast(pl.Float64).mean().alias("basket"),
    )
    total = people.select(pl.len(), pl.col("days").sum(), pl.col("basket").sum())
    return total.collect(engine="streaming")


WORKS = {
    "scan": scan,
    "features": features_total,
    "scores": cells,
    "segments": segments,
    "overlap": overlap,
    "replay": replay,
    "distinct_text": distinct_references,
    "distinct_days": distinct_days,
}


def main(task: Task) -> None:
    """Runs the task."""
    started = time.perf_counter()
    frame = WORKS[task["name"]](task)
    seconds = time.perf_counter() - started
    answer = [] if frame is None else frame.rows()
    print(json.dumps({"seconds": seconds, "answer": answer}, default=str))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
