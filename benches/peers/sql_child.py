"""One measurement of DuckDB or ClickHouse in a process of its own.

Reads a task as JSON, {"engine", "threads", "memory", "before": [SQL], "timed": [SQL]}, and
prints {"seconds", "answer"}: how long the timed statements took, without the start of
Python, and the rows of the last one.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

Run = Callable[[str], list[Any]]


def open_duckdb(task: dict[str, Any]) -> Run:
    """A database in memory."""
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET threads = {task['threads']}")
    if task.get("memory"):
        con.execute(f"SET memory_limit = '{task['memory']}'")

    def run(sql: str) -> list[Any]:
        return con.execute(sql).fetchall()

    return run


def open_clickhouse(task: dict[str, Any]) -> Run:
    """A session of chdb; wall clock times are taken as they are."""
    from chdb import session

    opened = session.Session()
    opened.query(f"SET max_threads = {task['threads']}")
    opened.query("SET session_timezone = 'UTC'")

    def run(sql: str) -> list[Any]:
        if not sql.lstrip().upper().startswith(("SELECT", "WITH")):
            opened.query(sql)
            return []
        text = str(opened.query(sql, "JSONCompact"))
        return json.loads(text, parse_float=str)["data"] if text else []

    return run


ENGINES: dict[str, Callable[[dict[str, Any]], Run]] = {
    "duckdb": open_duckdb,
    "clickhouse": open_clickhouse,
}


def main(task: dict[str, Any]) -> None:
    """Runs the task."""
    run = ENGINES[task["engine"]](task)
    for sql in task.get("before", []):
        run(sql)
    answer: list[Any] = []
    started = time.perf_counter()
    for sql in task["timed"]:
        answer = run(sql)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "answer": answer}, default=str))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
