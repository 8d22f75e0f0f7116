"""What has to be there before anything is measured: peers, segql, data."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import venv
from argparse import Namespace
from pathlib import Path

from measure import Failed, call
from peers import HERE, Place, Work

REPOSITORY = HERE.parent.parent


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def environment(work: Path) -> Path:
    """The Python of an environment with the pinned peers, made where it is missing."""
    wanted = (HERE / "requirements.txt").read_bytes()
    folder = work / f"venv-{hashlib.sha256(wanted).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return python
    say("installing the peers")
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    call([str(python), "-m", "pip", "install", "-q", "-r", str(HERE / "requirements.txt")], work)
    (folder / "complete").touch()
    return python


def program(given: Path | None) -> Path:
    """segql as given, else built from this repository."""
    if given:
        return given.resolve()
    say("building segql")
    call(["cargo", "build", "--release", "--locked", "--bin", "segql"], REPOSITORY)
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    return target / "release" / "segql"


def knows(segql: Path, work: Path) -> frozenset[str]:
    """The commands and functions that are used where they exist."""
    commands = call([str(segql), "--help"], work)
    found = {"replay"} if "\n  replay " in commands else set()
    try:
        call([str(segql), "functions", "segment_overlap"], work)
        found.add("segment_overlap")
    except Failed:
        pass
    return frozenset(found)


def data(python: Path, work: Path, given: Path | None, orders: int, beside: set[str]) -> Path:
    """The folder with the orders; what is missing beside them goes into `derived`."""
    source = given.resolve() if given else work / f"data-{orders}"
    say(f"data of {orders:,} orders")
    argv = [python, HERE / "data.py", orders, source, derived(work, source), *sorted(beside)]
    call([str(it) for it in argv], work)
    return source


def derived(work: Path, source: Path) -> Path:
    return work / f"derived-{source.name}"


def place(typed: Namespace, orders: int, works: list[Work]) -> Place:
    """Everything made that these works need; whatever is there is used as it is."""
    work = typed.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    python = environment(work)
    segql = program(typed.segql)
    given = None if typed.growth else typed.data
    source = data(python, work, given, orders, {name for it in works for name in it.beside})
    return Place(
        work=work,
        orders=source / "orders.parquet",
        derived=derived(work, source),
        segql=segql,
        python=python,
        threads=typed.threads,
        knows=knows(segql, work),
    )


def warm(path: Path) -> None:
    """Reads a file, so that everybody finds it in the page cache."""
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        with file.open("rb", buffering=0) as opened:
            while opened.read(1 << 22):
                pass
