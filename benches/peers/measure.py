"""One command in a process of its own: how long, how much memory, and what it said."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any


class Failed(Exception):
    """What is needed before the measurement did not work."""


@dataclass(frozen=True)
class Command:
    """What is run, and what has to be so before."""

    argv: list[str]
    cwd: Path
    # A child reports its own seconds and rows; of other programs the whole process is timed.
    is_child: bool = False
    env: dict[str, str] = field(default_factory=dict)
    # Folders that are empty when it starts.
    fresh: list[Path] = field(default_factory=list)
    # Called untimed, after that.
    prepare: Callable[[], object] | None = None
    # The members that it leaves, by the name of the set; else its rows are the answer.
    files: dict[str, Path] = field(default_factory=dict)


@dataclass
class Outcome:
    """What one run came to. Without `fault` it has an answer."""

    seconds: float
    peak_mib: float
    fault: str | None = None
    answer: Any = None


def run(command: Command, limit: float) -> Outcome:
    """Runs the command; what goes wrong is part of the outcome."""
    try:
        for folder in command.fresh:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        if command.prepare:
            command.prepare()
    except Failed as failed:
        return Outcome(0, 0, f"preparation: {failed}")
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        return observe(command, limit, out, err)


def observe(command: Command, limit: float, out: IO[bytes], err: IO[bytes]) -> Outcome:
    """Times the process, kills it with its children when its time is up."""
    env = {**os.environ, **command.env}
    late = threading.Event()
    started = time.perf_counter()
    process = subprocess.Popen(
        command.argv, stdout=out, stderr=err, cwd=command.cwd, env=env, start_new_session=True
    )

    def stop() -> None:
        late.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(limit, stop)
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    # Kibibytes, but bytes on macOS.
    peak = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    outcome = Outcome(seconds, peak)
    outcome.fault = fault(process.returncode, late.is_set(), limit, err)
    if outcome.fault is None:
        read_answer(command, out, outcome)
    return outcome


def fault(code: int, late: bool, limit: float, err: IO[bytes]) -> str | None:
    """In a few words what went wrong."""
    if late:
        return f"over {limit:g} s"
    if code == -signal.SIGKILL:
        return "killed (out of memory?)"
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    if code == 0:
        return None
    err.seek(0)
    lines = err.read().decode(errors="replace").strip().splitlines()
    telling = [line for line in lines if "rror" in line] or lines or [f"exit {code}"]
    return telling[-1][:160]


def read_answer(command: Command, out: IO[bytes], outcome: Outcome) -> None:
    """The rows on standard output; segql and DuckDB's shell print objects."""
    out.seek(0)
    text = out.read().decode()
    if command.is_child:
        said = json.loads(text.splitlines()[-1], parse_float=str)
        outcome.seconds = float(said["seconds"])
        outcome.answer = said["answer"]
    elif command.files:
        outcome.answer = []
    else:
        rows = json.loads(text, parse_float=str)
        outcome.answer = [list(row.values()) for row in rows]


def call(argv: list[str], cwd: Path, env: dict[str, str] | None = None) -> str:
    """Runs what is not measured, and gives its output."""
    ran = subprocess.run(
        argv, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True
    )
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines() or ["no message"]
        raise Failed(f"{Path(argv[0]).name}: {said[-1][:300]}")
    return ran.stdout
