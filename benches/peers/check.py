"""Whether answers agree: whole numbers and decimals exactly, floats where a work says so."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

Cell = Any


def cell(value: Any) -> Cell:
    """Numbers as numbers whatever their spelling, moments without T and empty fractions."""
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    try:
        return Decimal(text)
    except InvalidOperation:
        return re.sub(r"^(\d+-\d+-\d+)[T ](\d+:\d+:\d+)(\.0+)?$", r"\1 \2", text)


def rows(answer: list[list[Any]]) -> list[list[Cell]]:
    """The answer in one spelling."""
    return [[cell(value) for value in row] for row in answer]


def close(one: Cell, other: Cell, tolerance: float) -> bool:
    """Whether two cells agree, to a share of the larger one."""
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return abs(one - other) <= Decimal(tolerance) * max(abs(one), abs(other))
    return one == other


def difference(one: list[Any], other: list[Any], tolerance: float = 0) -> str | None:
    """Where two answers first differ; nothing where they agree."""
    one, other = rows(one), rows(other)
    if len(one) != len(other):
        return f"{len(one)} rows and {len(other)}"
    for at, (left, right) in enumerate(zip(one, other)):
        same = len(left) == len(right) and all(close(a, b, tolerance) for a, b in zip(left, right))
        if not same:
            return f"row {at + 1}: {show(left)} and {show(right)}"
    return None


def show(row: list[Cell]) -> str:
    """A row for people."""
    return "(" + ", ".join(map(str, row)) + ")"
