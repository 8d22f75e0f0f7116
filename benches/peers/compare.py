"""One work, everybody in turn: times, memory, and whether the answers agree."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from check import difference
from measure import Failed, Outcome, call, run
from peers import DUCKDB, HERE, SEGQL, Place, Work
from prepare import say, warm

# Processes of some milliseconds vary by as much.
SHORT_FACTOR = 7


@dataclass
class Column:
    """What one peer needed for one work."""

    seconds: list[float] = field(default_factory=list)
    peak_mib: list[float] = field(default_factory=list)
    fault: str | None = None
    answer: Any = None

    @property
    def is_fine(self) -> bool:
        return self.fault is None and bool(self.seconds)


@dataclass
class Row:
    """What everybody needed for one work."""

    work: Work
    columns: dict[str, Column]
    disagreement: str | None = None

    def ratios(self, peer: str = DUCKDB) -> list[float]:
        """segql's time over the peer's, run by run."""
        ours, theirs = self.columns.get(SEGQL), self.columns.get(peer)
        if not (ours and theirs and ours.is_fine and theirs.is_fine):
            return []
        return [a / b for a, b in zip(ours.seconds, theirs.seconds)]


def members(place: Place, files: dict[str, Any]) -> list[list[Any]]:
    """The answer that lies in files."""
    missing = [name for name, path in files.items() if not path.exists()]
    if missing:
        raise Failed(f"no file for {missing[0]}")
    task = json.dumps({name: str(path) for name, path in files.items()})
    said = call([str(place.python), str(HERE / "members.py"), task], place.work)
    return json.loads(said)


def once(work: Work, peer: str, place: Place, limit: float) -> Outcome:
    """One measurement with its answer."""
    command = work.peers[peer](place)
    outcome = run(command, limit)
    if outcome.fault is None and command.files:
        try:
            outcome.answer = members(place, command.files)
        except Failed as failed:
            outcome.fault = f"answer: {failed}"
    return outcome


def note(column: Column, outcome: Outcome, tolerance: float) -> None:
    """Adds a measurement; a peer that fails once is not asked again."""
    if outcome.fault:
        column.fault = outcome.fault
        return
    if column.answer is None:
        column.answer = outcome.answer
    differs = difference(column.answer, outcome.answer, tolerance)
    if differs:
        column.fault = f"answers otherwise on another run: {differs}"
        return
    column.seconds.append(outcome.seconds)
    column.peak_mib.append(outcome.peak_mib)


def disagreement(row: Row) -> str | None:
    """The first peer whose answer is not that of the others."""
    given = {peer: it.answer for peer, it in row.columns.items() if it.is_fine}
    reference = DUCKDB if DUCKDB in given else next(iter(given), SEGQL)
    for peer, answer in given.items():
        differs = difference(given[reference], answer, row.work.tolerance)
        if differs:
            return f"{reference} and {peer}: {differs}"
    return None


def compare(work: Work, place: Place, repeat: int, limit: float) -> Row:
    """Everybody in turn, another one first each time, so that noise hits all alike."""
    row = Row(work, {peer: Column() for peer in work.peers})
    for path in (place.orders, *(getattr(place, name) for name in work.beside)):
        warm(path)
    peers = list(work.peers)
    for at in range(repeat * SHORT_FACTOR if work.is_short else repeat):
        turn = at % len(peers)
        for peer in peers[turn:] + peers[:turn]:
            column = row.columns[peer]
            if column.fault is None:
                note(column, once(work, peer, place, limit), work.tolerance)
    row.disagreement = disagreement(row)
    say(f"{work.name}: {progress(row)}")
    return row


def progress(row: Row) -> str:
    """The row in a line."""
    said = [
        f"{peer} {it.fault or f'{median(it.seconds):.3f} s'}" for peer, it in row.columns.items()
    ]
    return ", ".join(said) + (f"; DIFFERENT: {row.disagreement}" if row.disagreement else "")
