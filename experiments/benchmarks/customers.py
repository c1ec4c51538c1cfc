"""Times a million made-up customers: from four CSV files to a table, and a LightGBM run of them.

    python experiments/benchmarks/customers.py [--customers 1000000] [--rounds 5] [--fits 1]

Reading is held against PyArrow, which reads the same files and checks nothing; the run, from the
shell to the shell, against the fits alone, on rows that were prepared before. Each part has a
process of its own, contestants take turns, and a ratio is taken within a round. ``--fits`` counts
the rounds of the second, 0 leaves it out. README.md's section is rewritten when all was done.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from measuring import measure
from parts import WORDS

from report import machine, rewrite
from retain.customers.demo import write

CUSTOMERS, ROUNDS, FITS = 1_000_000, 5, 1
SECTION = "customers"
READ, RUN = 2.5, 1.25
Told = dict[str, Any]
Pair = tuple[Told, Told]


def main() -> None:
    """Write the files, let the parts take turns, and tell it."""
    args = _arguments()
    with TemporaryDirectory(prefix="retain-benchmark-") as name:
        folder = Path(name)
        write(folder / "files", customers=args.customers, seed=5)
        reads = [(part(folder, "arrow"), part(folder, "read")) for _ in range(args.rounds)]
        text = [head(args), reading(reads)]
        print(*text, sep="\n\n", flush=True)
        if args.fits:
            part(folder, "stage")
            text.append(running([one_run(folder, number) for number in range(args.fits)]))
            print(f"\n{text[-1]}", flush=True)
    if (args.customers, args.fits > 0) == (CUSTOMERS, True):
        rewrite(SECTION, "\n\n".join([*text, f"{machine()}."]))
    else:
        print("README.md stays as it is: this was not the whole work.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--fits", type=int, default=FITS)
    return parser.parse_args()


def part(folder: Path, name: str) -> Told:
    """Return the figures of a part, run in a process of its own."""
    command = [sys.executable, str(Path(__file__).with_name("parts.py")), name, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    told: Told = json.loads(done.stdout.splitlines()[-1])
    print(f"  {name}: {told}", flush=True)
    return told


def one_run(folder: Path, number: int) -> Pair:
    """Time the bare fits and the whole command in turn, and compare their scores."""
    bare = part(folder, "bare")
    out = folder / f"run-{number}"
    words = (*WORDS, f"data.dir={folder / 'files'}", f"outputs={out / 'outputs'}")
    taken = measure([sys.executable, "-m", "retain", *words], out, memory=True)
    (path,) = (out / "outputs").glob("*/*/record.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    run = {"seconds": taken.seconds, "cpu": taken.cpu, "peak": taken.peak, **_differs(folder, path)}
    print(f"  run: {run}, {record['seconds']}", flush=True)
    return bare, {**run, **{f"of which {name}": s for name, s in record["seconds"].items()}}


def _differs(folder: Path, record: Path) -> Told:
    scores = pd.read_parquet(record.with_name("scores.parquet"))
    gaps = [
        np.abs(np.load(folder / f"probability-{fold}.npy") - mine["probability"].to_numpy()).max()
        for fold, mine in scores.groupby("fold")
    ]
    return {"differs": float(max(gaps))}


def ratio(pairs: Sequence[Pair], clock: str = "seconds") -> float:
    """Return the median over rounds of the second of each pair by the first.

    >>> ratio([({"seconds": 2}, {"seconds": 3}), ({"seconds": 2}, {"seconds": 4})])
    1.75
    """
    return median(theirs[clock] / mine[clock] for mine, theirs in pairs)


def head(args: argparse.Namespace) -> str:
    """Return the figures."""
    rounds = f"`customers.py --rounds {args.rounds} --fits {args.fits}`"
    return (
        f"{rounds}. {args.customers:,} made-up customers in four CSV files. "
        "Medians of paired rounds, each part in a process of its own, imports not counted but in "
        "the whole run; others may use the cores as well, so CPU seconds stand beside the clock's."
    )


def reading(pairs: Sequence[Pair]) -> str:
    """Return the table of reading."""
    reads = [one for _, one in pairs]
    rows = [
        _row("PyArrow reads the four files", [one for one, _ in pairs]),
        _row("retain: files to `Customers`", reads, by=_by(pairs), target=READ),
        *(_row(f"retain, apart: {name}", reads, f"{name} ") for name in APART),
    ]
    return "\n".join([TABLE, *rows])


def running(pairs: Sequence[Pair]) -> str:
    """Return the table of the run."""
    runs = [one for _, one in pairs]
    rows = [
        _row("LightGBM, 5 bare fits on prepared rows", [one for one, _ in pairs]),
        _row("retain: the whole command", runs, by=_by(pairs), target=RUN),
    ]
    phases = [name for name in runs[0] if name.startswith("of which")]
    rows += [f"| {name} | {_middle(runs, name):.1f} |  |  |  |  |" for name in phases]
    gap = max(one["differs"] for one in runs)
    return "\n".join([TABLE, *rows, "", f"Largest difference of a score between both: {gap:g}."])


APART = ("twins", "audit", "fingerprint")
TABLE = (
    "|  | seconds | CPU, s | ratio (CPU) | target | peak memory, MiB |\n|---|---|---|---|---|---|"
)


def _row(
    name: str, told: Sequence[Told], prefix: str = "", *, by: str = "", target: float | None = None
) -> str:
    wall, cpu = (_middle(told, f"{prefix}{clock}") for clock in ("seconds", "cpu"))
    peak = "" if prefix else f"{_middle(told, 'peak'):.0f}"
    goal = "" if target is None else f"≤ {target}"
    return f"| {name} | {wall:.2f} | {cpu:.2f} | {by} | {goal} | {peak} |"


def _by(pairs: Sequence[Pair]) -> str:
    return f"{ratio(pairs):.2f} ({ratio(pairs, 'cpu'):.2f})"


def _middle(told: Sequence[Told], name: str) -> float:
    return median(one[name] for one in told)


if __name__ == "__main__":
    main()
