"""Projects of segql, written from the one list of segments."""

from __future__ import annotations

import shutil
from pathlib import Path

from dialects import Segql
from queries import SEGMENTS

KEY = "WITH (key = 'customer_id')"
KEPT = "customer_id, rs, fs, ms"
VIEWS = f"""
CREATE VIEW features AS {Segql().features("orders")};
CREATE VIEW base AS {Segql().scores_of("features")};
"""


def source(files: object) -> str:
    """The orders as a source that knows when they happened."""
    return f"""CREATE SOURCE orders FROM '{files}'
        WITH (key = 'order_id', event_time = 'ordered_at');"""


def over_views() -> str:
    """Twenty segments over one view."""
    segments = [
        f"CREATE SEGMENT {name} {KEY} AS SELECT {KEPT} FROM base WHERE {condition};"
        for name, condition in SEGMENTS.items()
    ]
    return VIEWS + "\n".join(segments)


def over_ctes() -> str:
    """Twenty segments, each with features and scores of its own in a WITH clause."""
    segments = [
        f"""CREATE SEGMENT {name} {KEY} AS
        WITH features AS ({Segql().features("orders")}),
          base AS ({Segql().scores_of("features")})
        SELECT {KEPT} FROM base WHERE {condition};"""
        for name, condition in SEGMENTS.items()
    ]
    return "\n".join(segments)


def scores_only() -> str:
    """Key and scores of everyone, to be looked at month by month."""
    return f"{VIEWS} CREATE SEGMENT everyone {KEY} AS SELECT {KEPT} FROM base;"


def conditions(count: int = 200) -> list[str]:
    """Conditions of as many segments as a large project has."""
    given = list(SEGMENTS.values())
    return [f"({given[at % len(given)]}) AND f > {at // len(given)}" for at in range(count)]


def many() -> str:
    """A project of 200 segments."""
    segments = [
        f"CREATE SEGMENT s{at:03} {KEY} AS SELECT {KEPT} FROM base WHERE {condition};"
        for at, condition in enumerate(conditions())
    ]
    return VIEWS + "\n".join(segments)


DEFINITIONS = {"views": over_views, "ctes": over_ctes, "replay": scores_only, "many": many}


def write(folder: Path, files: object, definitions: str) -> Path:
    """The folder of a project, made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "sql").mkdir(parents=True)
    (folder / "segql.toml").write_text('name = "peers"\n')
    (folder / "sql" / "all.sql").write_text(f"{source(files)}\n{definitions}\n")
    return folder
