"""One run of retain by itself, from shell to shell, and where its time goes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from contestants import RETAIN
from measuring import measure
from rounds import Round
from stage import set_up
from works import W1

WALL = "wall, s"
TARGETS = {WALL: "< 3"}
RUNS = 5
ROOT = Path(__file__).resolve().parents[2]


def rounds(folder: Path, count: int = RUNS) -> tuple[str, list[Round]]:
    """Return a description, and the figures of so many runs in fresh folders.

    A run nobody counts comes first, so that the files are in the operating system's memory.
    """
    about, words = _data(folder)
    _run(folder / "warm", words)
    return about, [_round(folder / str(i), words) for i in range(count)]


def _data(folder: Path) -> tuple[str, list[str]]:
    """Return the real files where there are any, else the made-up customers."""
    found = Path(os.environ.get("RETAIN_DATA", ROOT.parent / "shared" / "data")) / "one_click"
    if found.is_dir():
        told = "`retain data=one_click data.dir=PATH model=logreg`: the store's four files"
        return f"{told}, 2 × 5 folds", ["data=one_click", f"data.dir={found}"]
    stage = set_up(W1, folder, 1)
    told = "`retain data=table data.path=FILE … model=logreg`: made-up customers, 2 × 5 folds"
    names = ["data.id=customer_id", "data.target=declined"]
    return told, ["data=table", f"data.path={stage.data}", *names]


def _round(folder: Path, words: list[str]) -> Round:
    seconds, (record,) = _run(folder, words)
    importing = _importing(folder.with_name(f"{folder.name}-imports"), words)
    spent = json.loads(record.read_text(encoding="utf-8"))["seconds"]
    phases = {f"of which {phase}, s": took for phase, took in spent.items()}
    imports = "of which importing, s (by python -X importtime, which slows it)"
    return Round(figures={WALL: seconds, imports: importing, **phases})


def _run(folder: Path, words: list[str]) -> tuple[float, list[Path]]:
    taken = measure([RETAIN, *words, "model=logreg", f"outputs={folder}"], folder)
    return taken.seconds, list(folder.glob("*/*/record.json"))


def _importing(folder: Path, words: list[str]) -> float:
    """Seconds the command's process spends in import statements."""
    python = [sys.executable, "-X", "importtime", "-m", "retain"]
    measure([*python, *words, "model=logreg", f"outputs={folder}"], folder)
    lines = (folder / "output.log").read_text(encoding="utf-8").splitlines()
    own = [line.split(":")[1].split("|")[0] for line in lines if line.startswith("import time:")]
    return sum(int(text) for text in own if text.strip().isdigit()) / 1e6
