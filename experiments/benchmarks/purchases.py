"""Times label and features of a purchase log, from its Parquet file to the table, against a scan.

    python experiments/benchmarks/purchases.py [--rows 1000000 10000000] [--rounds 3]

G is a bare DuckDB scan of the same file with GROUP BY customer and seven aggregates, with the same
settings: the least that any answer must do. pandas makes the same table from the same file, and the
tables are held against each other. Everything is a process of its own, and they take turns; a ratio
is taken within a turn. ``--rows 100000000`` needs 5 GB of disk and is given 8 GB. README.md's
section is rewritten after the usual work.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
from measuring import measure
from purchase_log import invent

from report import machine, rewrite

SECTION = "purchases"
CONTESTANTS = Path(__file__).resolve().with_name("purchase_contestants.py")
ROWS, ROUNDS = (1_000_000, 10_000_000), 3
GREAT = 100_000_000
LIMITS = {"retain": "1GB", "retain in 600 MB": "600MB"}
TARGETS = {
    "retain, s in process, 1000000": "≤ 0.9",
    "retain by G, 1000000": "≤ 8",
    "retain, MiB, 1000000": "≤ 286 (300 MB)",
    "retain by G, 10000000": "≤ 8, stretch 5",
    "retain, MiB, 10000000": "≤ 1049 (1.1 GB)",
    "computed amounts and a filter by G, 10000000": "≤ 8",
    "computed amounts and a filter, MiB, 10000000": "≤ 1049 (1.1 GB)",
    "retain in 600 MB by retain, 10000000": "≤ 2",
    "pandas by retain, 10000000": "≥ 2",
    "MiB of pandas by that of retain, 10000000": "≥ 3",
    "retain by G, 100000000": "≤ 8",
    "retain, MiB, 100000000": "≤ 7629 (8 GB)",
}
Figures = dict[str, float]


def main() -> None:
    """Measure logs of each length and tell it."""
    args = _arguments()
    rows = []
    for count in args.rows:
        with TemporaryDirectory(prefix="retain-benchmark-", dir=args.folder) as name:
            folder = Path(name)
            invent(count, folder / "log.parquet")
            done = [_round(count, folder, n) for n in range(1 if count >= GREAT else args.rounds)]
            rows += list(_told(count, done))
            rows.append(_agreement(count, folder))
    head = ("|  | median | each round | target |", "|---|---|---|---|")
    text = "\n".join([f"{_versions()}.", "", *head, *rows])
    print(f"\n{text}\n")
    if (tuple(args.rows), args.rounds) == (ROWS, ROUNDS):
        rewrite(SECTION, text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--folder", help="where the logs are written; the system's otherwise")
    return parser.parse_args()


# --- measuring ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Taken:
    """Seconds in process, of the clock and of processors, and MiB of the process."""

    wall: float
    cpu: float
    peak: float


def _round(count: int, folder: Path, number: int) -> Mapping[str, Taken]:
    """Every contestant in turn."""
    limits = {"G": "1GB", **LIMITS, "lines": "1GB", "pandas": "1GB"}
    if count >= GREAT:
        limits = {"G": "8GB", "retain": "8GB"}
    elif count < max(ROWS):
        del limits["retain in 600 MB"]
    taken = {}
    for name, limit in limits.items():
        out = folder / f"{name} {number}.parquet"
        words = ["--log", str(folder / "log.parquet"), "--out", str(out), "--limit", limit]
        script = [sys.executable, str(CONTESTANTS), name.split(" in ")[0], *words]
        peak = measure(script, folder / f"{name} {number}", memory=True).peak or 0.0
        told = json.loads(Path(f"{out}.json").read_text(encoding="utf-8"))
        taken[name] = Taken(told["wall"], told["cpu"], peak)
        print(f"  {count:,}, {name}: {taken[name]}", flush=True)
    return taken


def _figures(count: int, taken: Mapping[str, Taken]) -> Figures:
    ours = taken["retain"]
    found = {
        "G, s": taken["G"].wall,
        "retain, s in process": ours.wall,
        "retain by G": ours.wall / taken["G"].wall,
        "the same in CPU seconds": ours.cpu / taken["G"].cpu,
        "retain, MiB": ours.peak,
    }
    if "lines" in taken:
        found["computed amounts and a filter by G"] = taken["lines"].wall / taken["G"].wall
        found["computed amounts and a filter, MiB"] = taken["lines"].peak
    if "retain in 600 MB" in taken:
        found["retain in 600 MB by retain"] = taken["retain in 600 MB"].wall / ours.wall
        found["retain in 600 MB, MiB"] = taken["retain in 600 MB"].peak
    if "pandas" in taken:
        found["pandas by retain"] = taken["pandas"].wall / ours.wall
        found["MiB of pandas by that of retain"] = taken["pandas"].peak / ours.peak
    return {f"{name}, {count}": value for name, value in found.items()}


def _told(count: int, rounds: Iterable[Mapping[str, Taken]]) -> Iterable[str]:
    figures = [_figures(count, one) for one in rounds]
    for name in figures[0]:
        each = [one[name] for one in figures]
        listed = ", ".join(f"{value:.3g}" for value in each)
        shown = f"{name.rsplit(', ', 1)[0]}, {count:,} purchases"
        yield f"| {shown} | {median(each):.3g} | {listed} | {TARGETS.get(name, '')} |"


def _agreement(count: int, folder: Path) -> str:
    """Return whether two runs, and pandas, give the same table; and how large it is."""
    from agreement import same_bits, same_cells

    ours = sorted(folder.glob("retain*.parquet"))
    rows = pq.read_metadata(ours[0])
    said = [f"{rows.num_rows:,} rows, {rows.num_columns} columns"]
    if len(ours) > 1:
        said.append(f"runs of identical bits: {all(same_bits(ours[0], one) for one in ours[1:])}")
    for one in sorted(folder.glob("pandas*.parquet"))[:1]:
        same = same_cells(ours[0], one, folder / "log.parquet")
        said.append(f"equal to pandas in every cell: {same}")
    return f"| table, {count:,} purchases | {'; '.join(said)} |  | both true |"


def _versions() -> str:
    from importlib import metadata

    return f"{machine()}, duckdb {metadata.version('duckdb')}, pandas {metadata.version('pandas')}"


if __name__ == "__main__":
    main()
