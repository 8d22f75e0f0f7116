"""A synthetic shop, made with DuckDB: the orders, and what single works need beside them.

Every value is a hash of the row's number, so that the same number of orders gives the same
rows everywhere. Customers are drawn as `n * u^2`: few buy often, many once.

Called as a program it makes what is missing: data.py ORDERS DATA DERIVED [references] [parts]
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import duckdb

# One order in ten belongs to a customer of its own on average.
ORDERS_PER_CUSTOMER = 10
# The last part is the 1 % of new orders.
PARTS = 100
FIRST_DAY = "2024-01-01"
DAYS = 730
SPREAD = 97


def unit(row: str, prime: int) -> str:
    """A number from 0 to 1 out of a hash."""
    return f"(hash({row}) % {prime}) / {prime}.0"


def orders_query(orders: int) -> str:
    """All orders: two years, an amount from a sum of three uniform draws, 2 % cancelled."""
    customers = orders // ORDERS_PER_CUSTOMER
    draws = " + ".join(unit(row, 10007) for row in ("i*13+7", "i*17+9", "i*19+2"))
    return f"""
        SELECT i AS order_id,
          floor({customers} * pow({unit("i*7+1", 1000003)}, 2))::BIGINT
            + (hash(i*3+5) % {SPREAD})::BIGINT AS customer_id,
          TIMESTAMP '{FIRST_DAY}'
            + to_seconds((hash(i*11+3) % {DAYS * 86400})::BIGINT) AS ordered_at,
          round(exp(({draws}) * 1.8) + 2, 2)::DECIMAL(12,2) AS amount,
          ['sport', 'elegant', 'kids', 'pets', 'home', 'beauty', 'garden', 'toys', 'books',
           'auto'][1 + (hash(i*23+1) % 10)::INT] AS category,
          ['web', 'app', 'store', 'phone'][1 + (hash(i*29+4) % 4)::INT] AS channel,
          CASE WHEN hash(i*31) % 50 = 0 THEN 'cancelled' ELSE 'completed' END AS status
        FROM range({orders}) AS t(i)"""


def write(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Writes a file that is there whole or not at all."""
    unfinished = path.with_suffix(".unfinished")
    con.execute(
        f"COPY ({query}) TO '{unfinished}' "
        "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 1000000)"
    )
    unfinished.rename(path)


def make_orders(con: duckdb.DuckDBPyConnection, orders: int, path: Path) -> None:
    """The orders, unless they are there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write(con, orders_query(orders), path)


def make_references(con: duckdb.DuckDBPyConnection, orders: Path, path: Path) -> None:
    """The orders with numbers as a shop system gives them: text."""
    if path.exists():
        return
    query = f"""
        SELECT customer_id, 'ORD-' || lpad(order_id::VARCHAR, 10, '0') AS order_ref, status
        FROM '{orders}'"""
    write(con, query, path)


def make_parts(con: duckdb.DuckDBPyConnection, orders: Path, folder: Path) -> None:
    """The orders in files of about a week each, as a nightly export leaves them."""
    if folder.exists():
        return
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    seconds = DAYS * 86400 // PARTS
    query = f"""
        SELECT *, least({PARTS - 1},
            epoch(ordered_at - TIMESTAMP '{FIRST_DAY}')::BIGINT // {seconds}) AS part
        FROM '{orders}'"""
    con.execute(
        f"COPY ({query}) TO '{unfinished}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (part))"
    )
    for number in range(PARTS):
        for at, file in enumerate(sorted((unfinished / f"part={number}").iterdir())):
            file.rename(unfinished / f"p{number:02}-{at}.parquet")
        (unfinished / f"part={number}").rmdir()
    unfinished.rename(folder)


def main(orders: int, data: Path, derived: Path, beside: list[str]) -> None:
    """Makes what is missing, the orders and what is named beside them."""
    derived.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute("SET preserve_insertion_order = false")
    con.execute("SET partitioned_write_max_open_files = 200")
    make_orders(con, orders, data / "orders.parquet")
    if "references" in beside:
        make_references(con, data / "orders.parquet", derived / "references.parquet")
    if "parts" in beside:
        make_parts(con, data / "orders.parquet", derived / "parts")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
