"""What is in the files of members that a work wrote: one row a set, made with DuckDB.

Called as a program with JSON {set: file}; prints how many members, and sums and a checksum
over keys and scores in which every member counts.
"""

from __future__ import annotations

import json
import sys

import duckdb

# Types differ from writer to writer, numbers do not.
COLUMNS = ", ".join(f"{name}::BIGINT" for name in ("customer_id", "rs", "fs", "ms"))


def main(files: dict[str, str]) -> None:
    """Prints the rows."""
    con = duckdb.connect()
    rows = []
    for name, path in files.items():
        summary = con.execute(
            f"""SELECT count(*), count(DISTINCT customer_id), sum(customer_id),
            sum(rs * 100 + fs * 10 + ms), bit_xor(hash({COLUMNS})) FROM '{path}'"""
        )
        rows.append([name, *summary.fetchone()])
    print(json.dumps(rows, default=str))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
