"""Times ``retain-compare`` over finished runs against pandas reading one record after the other.

    python experiments/benchmarks/comparison.py [--runs 10000] [--rounds 3]

The runs are invented (finished.py) in a temporary folder. Both are timed from shell to shell in a
process of their own, in turns; both must rank every run and agree on the best. The section of
README.md is rewritten when all the runs were compared, three times or more.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from finished import finish
from measuring import Measured, measure
from rounds import Round
from stage import PEERS

from report import figures, machine, rewrite
from retain.record.study import StudyDirectory

RUNS, ROUNDS = 10_000, 3
RETAIN, PANDAS = "retain-compare", "pandas, one by one"
RATIO = "wall of pandas by that of retain-compare"
TARGETS = {f"{RETAIN}: wall, s": "< 10", f"{RETAIN}: peak memory, MiB": "< 954 (1 GB)"}


def main() -> None:
    """Invent the runs, compare them in rounds, and tell both."""
    args = _arguments()
    with TemporaryDirectory(prefix="retain-benchmark-") as folder:
        study = StudyDirectory(Path(folder, "invented"))
        begun = time.perf_counter()
        finish(study, args.runs)
        print(f"{args.runs:,} runs written in {time.perf_counter() - begun:.0f} s", flush=True)
        done = [
            one_round(study, Path(folder, str(number)), args.runs) for number in range(args.rounds)
        ]
    text = told(args.runs, done)
    print(f"\n{text}\n")
    if args.rounds >= ROUNDS and args.runs == RUNS:
        rewrite("comparison", text)
    else:
        print("README.md stays as it is: this was not the whole work, three times.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS, help="finished runs to compare, ≥ 2")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    return parser.parse_args()


def one_round(study: StudyDirectory, folder: Path, runs: int) -> Round:
    """Time both, in turn.

    Raises
    ------
    RuntimeError
        When one fails, has not ranked every run, or finds another best than the other.
    """
    command = str(Path(sys.executable).with_name(RETAIN))
    ours = _timed([command, f"runs={study.path}", "explain=none"], folder / "ours")
    table = folder / "peer" / "leaderboard.csv"
    peer = [sys.executable, str(PEERS / "one_by_one.py"), str(study.path), str(table)]
    theirs = _timed(peer, folder / "peer")
    refuse_other_work(study.leaderboard, table, runs)
    return Round({RETAIN: ours, PANDAS: theirs}, _figures(ours, theirs))


def refuse_other_work(ours: Path, theirs: Path, runs: int) -> None:
    """Hold two leaderboards against each other.

    Raises
    ------
    RuntimeError
        When one has not ranked every run, or finds another best than the other.
    """
    found = _ranked(ours), _ranked(theirs)
    if found[0] != found[1] or found[0][0] != runs:
        raise RuntimeError(f"not the same work: rows and best run are {found} of {runs} runs.")


def _timed(command: Sequence[str], folder: Path) -> Measured:
    taken = measure(command, folder, memory=True)
    print(f"  {Path(command[0]).name}: {taken.seconds:.1f} s, {taken.peak:.0f} MiB", flush=True)
    return taken


def _ranked(path: Path) -> tuple[int, str]:
    """Return the number of runs a leaderboard has, and the id of the best."""
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    return len(ids), ids[0]


def _figures(ours: Measured, theirs: Measured) -> dict[str, float]:
    taken = {RETAIN: ours, PANDAS: theirs}
    walls = {f"{name}: wall, s": one.seconds for name, one in taken.items()}
    peaks = {f"{name}: peak memory, MiB": one.peak or 0.0 for name, one in taken.items()}
    return {**walls, **peaks, RATIO: theirs.seconds / ours.seconds}


def told(runs: int, rounds: Sequence[Round]) -> str:
    """Return the section of the comparison."""
    times = "One round" if len(rounds) == 1 else f"Medians of {len(rounds)} rounds"
    about = f"{runs:,} finished runs of an invented study, 10 folds and 11 metrics each"
    return f"{about}. {times}. {machine()}.\n\n{figures(rounds, TARGETS)}"


if __name__ == "__main__":
    main()
