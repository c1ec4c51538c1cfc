"""Holds a race against the same study in full: does it find a winner that is tied, for half the fits?

    python experiments/benchmarks/racing.py [--customers PATH] [--models logreg,svc …]

One study on the store's four files, models × samplers × feature groups, swept twice: every run in
full, and raced. Prints what each spent in fits, both winners, and whether the raced one is among
those that the full sweep cannot tell from its own. README.md's section is rewritten when the study
was the whole one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import measure

from retain.record import Record, StudyDirectory
from retain.verdict.leaderboard import leaderboard

MODELS = ("logreg", "svc", "knn", "random_forest", "lightgbm", "hist_gradient_boosting")
SAMPLERS = ("none", "random_over", "smote")
SWITCHED = ("communication", "product", "site")
"""Feature groups that are on and off; purchases are always there."""
SECTION = "racing"


@dataclass(frozen=True)
class Sweep:
    """What a sweep left: records by id, and wall seconds from the shell to the shell."""

    records: Mapping[str, Record]
    seconds: float

    @property
    def fit(self) -> float:
        """Seconds in fits, all runs together."""
        return sum(record.seconds["fit"] for record in self.records.values())

    @property
    def fits(self) -> int:
        """How often a model was fitted."""
        return sum(record.folds for record in self.records.values())

    @property
    def winner(self) -> Record:
        """The highest mean ROC-AUC of those that were not stopped."""
        whole = [record for record in self.records.values() if record.stopped is None]
        return max(whole, key=lambda record: record.metrics["roc_auc"].mean)


def main() -> None:
    """Sweep twice, tell what came of it."""
    args = _arguments()
    if not args.customers.is_dir():
        sys.exit(f"the store's files are not in {args.customers}: add --customers PATH")
    with TemporaryDirectory(prefix="retain-benchmark-") as folder:
        full, raced = (
            swept(Path(folder, name), args.customers, args.models, racing=name == "raced")
            for name in ("full", "raced")
        )
    text = told(full, raced)
    print(text, flush=True)
    if args.models == MODELS:
        from report import rewrite

        rewrite(SECTION, text)


def _arguments() -> argparse.Namespace:
    shared = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=Path, default=shared / "one_click")
    parser.add_argument("--models", type=lambda text: tuple(text.split(",")), default=MODELS)
    return parser.parse_args()


def swept(folder: Path, customers: Path, models: tuple[str, ...], *, racing: bool) -> Sweep:
    """The study in a new folder, two runs at a time."""
    words = [
        f"model={','.join(models)}",
        f"sampler={','.join(SAMPLERS)}",
        *(f"features.{group}=true,false" for group in SWITCHED),
        "data=one_click",
        f"data.dir={customers}",
        "study.name=raced",
        "launcher.workers=2",
        f"validation.racing={str(racing).lower()}",
        f"outputs={folder}",
    ]
    taken = measure([sys.executable, "-m", "retain", "-m", *words], folder)
    runs = StudyDirectory(folder / "raced").runs()
    records = [record for run in runs if (record := run.read()) is not None]
    return Sweep({record.id: record for record in records}, taken.seconds)


def told(full: Sweep, raced: Sweep) -> str:
    """What both sweeps spent, and how the raced winner stands in the full one."""
    from report import machine

    board = leaderboard(list(full.records.values())).set_index("id")
    chosen = board.loc[raced.winner.id]
    by_fold = sum(
        record.seconds["fit"] * raced.records[id_].folds / record.folds
        for id_, record in full.records.items()
    )
    stopped = sum(record.stopped is not None for record in raced.records.values())
    rows = [
        ("", "in full", "raced", "ratio", "target"),
        ("---",) * 5,
        ("fit, s", f"{full.fit:.1f}", f"{raced.fit:.1f}", f"{raced.fit / full.fit:.2f}", "≤ 0.50"),
        ("the same by the full sweep's seconds", "", "", f"{by_fold / full.fit:.2f}", ""),
        ("fits", f"{full.fits:,}", f"{raced.fits:,}", f"{raced.fits / full.fits:.2f}", ""),
        (
            "wall, s",
            f"{full.seconds:.1f}",
            f"{raced.seconds:.1f}",
            f"{raced.seconds / full.seconds:.2f}",
            "",
        ),
        ("runs to the end", len(full.records), len(raced.records) - stopped, "", ""),
        ("winner", name(full.winner), name(raced.winner), "", "tied"),
    ]
    table = "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)
    return (
        f"{len(full.records)} runs: {len(MODELS)} models × {len(SAMPLERS)} samplers × "
        f"{2 ** len(SWITCHED)} sets of features, 2 × 5 folds, the store's four files. One round. "
        f"{machine()}.\n\n{table}\n\nIn the full sweep {int(board['tied'].sum())} runs are tied "
        f"with the winner; the raced winner is rank {chosen['rank']} there, "
        f"{chosen['difference']:+.4f} from the best (p = {chosen['p']:.2g}): "
        f"{'tied' if chosen['tied'] else 'NOT tied'}."
    )


def name(record: Record) -> str:
    """A run by its model, sampler and the features it does without."""
    config = record.config
    off = [f"no {group}" for group in SWITCHED if not config["features"][group]]
    return ", ".join([f"{config['model']['name']} {config['sampler']['name']}", *off])


if __name__ == "__main__":
    main()
