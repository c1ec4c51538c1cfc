"""Times sweeps of retain against three peers that do the same work, in the same call.

    python experiments/benchmarks/sweep.py [--work W1 W2 W3 W4] [--rounds 3]

The contestants take turns, so that the ratios within a round are fair where others use the cores
too. A section of README.md is rewritten when its work was done whole: all contestants, three
rounds or more, no --customers, --runs or --workers.

b needs a plugin: pip install -e '.[bench]'
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

WORKERS = 2
FEWEST = 3
"""Rounds whose medians are worth writing down."""


def main() -> None:
    """Time the works asked for, one after the other, and tell each as soon as it is done."""
    args = _arguments()
    if "b" in args.only:
        _refuse_without_plugin()
    for name in args.work:
        text = _timed(name, args)
        print(f"\n{name}\n\n{text}\n", flush=True)
        if args.rounds >= FEWEST and _whole(args):
            from report import rewrite

            rewrite(name, text)
        else:
            print("README.md stays as it is: this was not the whole work, three times.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    works, everybody = ("W1", "W2", "W3", "W4"), ("retain", "L", "a", "b")
    parser.add_argument("--work", nargs="+", choices=works, default=works)
    parser.add_argument("--rounds", type=int, default=FEWEST)
    parser.add_argument("--only", nargs="+", choices=everybody, default=everybody)
    parser.add_argument("--customers", type=int, help="fewer or more, to try the script")
    parser.add_argument("--runs", type=int, help="about so many, to try the script")
    parser.add_argument("--workers", type=int, default=WORKERS, help="of retain, L and b")
    return parser.parse_args()


def _refuse_without_plugin() -> None:
    name = "hydra-joblib-launcher"
    try:
        version(name)
    except PackageNotFoundError:
        sys.exit(f"{name} is missing: pip install -e '.[bench]'")


def _whole(args: argparse.Namespace) -> bool:
    trial = args.customers or args.runs or args.workers != WORKERS
    return not trial and set(args.only) == {"retain", "L", "a", "b"}


def _timed(name: str, args: argparse.Namespace) -> str:
    from rounds import one_round
    from stage import set_up
    from works import WORKS

    from report import told

    work = WORKS[name].smaller(args.customers, args.runs)
    with TemporaryDirectory(prefix="retain-benchmark-") as folder:
        stage = set_up(work, Path(folder), args.workers)
        done = []
        for number in range(1, args.rounds + 1):
            print(f"{name}, {len(work.runs)} runs, round {number} of {args.rounds}", flush=True)
            done.append(one_round(stage, Path(folder, str(number)), args.only))
        return told(work, done)


if __name__ == "__main__":
    main()
