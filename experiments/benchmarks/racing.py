"""Holds a race to the same study in full: half the fits, and a winner that is tied there.

    python experiments/benchmarks/racing.py [--customers PATH] [--models logreg,svc] [--repeats 2]

One study on the store's four files, models × samplers × feature groups, swept twice: every run in
full, and raced. Prints what each spent in fits, both winners, and whether the raced one is among
those that the full sweep cannot tell from its own. README.md's section is rewritten when the study
was the whole one, as it is without options.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import measure

from retain.record.document import Record
from retain.record.study import StudyDirectory

MODELS = ("logreg", "svc", "knn", "random_forest", "lightgbm", "hist_gradient_boosting")
SAMPLERS = ("none", "random_over", "smote")
SWITCHED = ("communication", "product", "site")
"""Feature groups that are on and off; purchases are always there."""
REPEATS = 3
"""Of the five folds; the default is two."""
SECTION = "racing"


@dataclass(frozen=True)
class Sweep:
    """The result of a sweep: records by id, and wall seconds from shell to shell."""

    records: Mapping[str, Record]
    seconds: float

    @property
    def fit(self) -> float:
        """Seconds in fits, all runs together."""
        return sum(record.seconds["fit"] for record in self.records.values())

    @property
    def fits(self) -> int:
        """The number of fits of a model."""
        return sum(record.folds for record in self.records.values())

    @property
    def winner(self) -> Record:
        """The highest mean ROC-AUC of those that were not stopped."""
        whole = [record for record in self.records.values() if not record.stopped_early]
        return max(whole, key=lambda record: record.metrics["roc_auc"].value)


def main() -> None:
    """Sweep twice, tell what came of it."""
    args = _arguments()
    if not args.customers.is_dir():
        sys.exit(f"the store's files are not in {args.customers}: add --customers PATH")
    with TemporaryDirectory(prefix="retain-benchmark-") as folder:
        full, raced = (
            swept(Path(folder, name), args, racing=name == "raced") for name in ("full", "raced")
        )
    text = told(full, raced)
    print(text, flush=True)
    if (args.models, args.repeats) == (MODELS, REPEATS):
        from report import rewrite

        rewrite(SECTION, text)


def _arguments() -> argparse.Namespace:
    shared = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=Path, default=shared / "one_click")
    parser.add_argument("--models", type=lambda text: tuple(text.split(",")), default=MODELS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    return parser.parse_args()


def swept(folder: Path, args: argparse.Namespace, *, racing: bool) -> Sweep:
    """Return the study in a new folder, two runs at a time."""
    words = [
        f"model={','.join(args.models)}",
        f"sampler={','.join(SAMPLERS)}",
        *(f"features.{group}=true,false" for group in SWITCHED),
        "data=one_click",
        f"data.dir={args.customers}",
        "study.name=raced",
        "workers=2",
        f"validation.repeats={args.repeats}",
        f"validation.early_stopping={str(racing).lower()}",
        f"outputs={folder}",
    ]
    taken = measure([sys.executable, "-m", "retain", "-m", *words], folder)
    runs = StudyDirectory(folder / "raced").runs()
    records = [record for run in runs if (record := run.read()) is not None]
    return Sweep({record.id: record for record in records}, taken.seconds)


def told(full: Sweep, raced: Sweep) -> str:
    """Return the cost of both sweeps, and the raced winner's rank in the full one."""
    from orders import ORDERS, board, table

    from report import machine

    standing = board(full.records)
    chosen = standing.loc[raced.winner.id]
    about = (
        f"{len(full.records)} runs: models × {len(SAMPLERS)} samplers × {2 ** len(SWITCHED)} sets "
        f"of features, {full.fits // len(full.records)} folds, the store's four files. One round. "
        f"{machine()}."
    )
    found = (
        f"In the full sweep {standing['tied'].sum()} runs are tied, the best included. The raced "
        f"winner is rank {chosen['rank']} there, {chosen['difference']:+.4f} from the best "
        f"(p = {chosen['p']:.2g}, corrected {chosen['p_adjusted']:.2g}): "
        f"{'tied' if chosen['tied'] else 'NOT tied'}."
    )
    others = (
        f"The same on the full sweep's records with the folds in {ORDERS} random orders, and with "
        "another rule:"
    )
    return "\n\n".join([about, _table(full, raced), found, others, table(full.records)])


def _table(full: Sweep, raced: Sweep) -> str:
    by_fold = sum(
        record.seconds["fit"] * raced.records[id_].folds / record.folds
        for id_, record in full.records.items()
    )
    ends = sum(not record.stopped_early for record in raced.records.values())
    rows = [
        ("", "in full", "raced", "ratio", "target"),
        ("---",) * 5,
        _ratio("fit, s", full.fit, raced.fit, "≤ 0.50"),
        _ratio("fit, s, by what the full sweep's took", full.fit, by_fold),
        _ratio("wall, s", full.seconds, raced.seconds),
        ("fits", full.fits, raced.fits, f"{raced.fits / full.fits:.2f}", ""),
        ("runs to the end", len(full.records), ends, "", ""),
        ("winner", name(full.winner), name(raced.winner), "", "tied"),
    ]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def _ratio(what: str, full: float, raced: float, target: str = "") -> tuple[str, ...]:
    return what, f"{full:.1f}", f"{raced:.1f}", f"{raced / full:.2f}", target


def name(record: Record) -> str:
    """Return a run by its model, sampler and the features it does without."""
    config = record.config
    off = [f"no {group}" for group in SWITCHED if not config["features"][group]]
    return ", ".join([f"{config['model']['name']} {config['sampler']['name']}", *off])


if __name__ == "__main__":
    main()
