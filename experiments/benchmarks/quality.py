"""Holds the ranking that `study=quick` finds to AutoGluon's, on rows that neither has seen.

    python experiments/benchmarks/quality.py --autogluon PYTHON [--tables store artea] [--folds 5]

Each table is cut into outer folds. Of each fold, retain is given the other rows as a CSV file and
typed three commands (sweep, compare, score; its sealed test is a part of the rows it is given);
AutoGluon is given the same file. Both rank the hidden rows. Differences in ROC-AUC are paired by
fold, their intervals corrected for the rows that folds share. PYTHON is one that has
`autogluon.tabular` with LightGBM, CatBoost and XGBoost. README.md's section is rewritten when all
tables were tried.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from drivers import _command
from measuring import measure
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from report import machine, rewrite
from retain.library.source import read_store
from retain.verdict.paired import compare_paired

SECTION = "quality"
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
TARGET = "declines"
PEERS = {
    "AutoGluon best_quality, 120 s": ("best_quality", 120.0),
    "AutoGluon best_quality, 12 s": ("best_quality", 12.0),
    "AutoGluon medium_quality, 120 s": ("medium_quality", 120.0),
}
"""Presets, and the seconds that AutoGluon may take."""
PEER = Path(__file__).with_name("peers") / "autogluon_table.py"


def read_one_click(data: Path) -> pd.DataFrame:
    """Return the store's regular customers with the features that retain makes of its files."""
    people = read_store(data / "one_click")
    return people.features.reset_index(drop=True).assign(**{TARGET: people.y.to_numpy()})


def read_artea(data: Path) -> pd.DataFrame:
    """Return the customers of a trial, of whom some bought afterwards (5,000)."""
    rows = pd.read_csv(data / "experiments" / "artea-a_b-experiment.csv", encoding="utf-8-sig")
    bought = (rows["trans_after"] > 0).astype(int)
    return rows.drop(columns=["id", "trans_after", "revenue_after"]).assign(**{TARGET: bought})


def read_hillstrom(data: Path) -> pd.DataFrame:
    """Return 5,000 customers of an e-mail campaign, of whom some visited the site."""
    rows = pd.read_csv(data / "experiments" / "hillstrom.csv").sample(5000, random_state=0)
    visited = rows.pop("visit")
    return rows.drop(columns=["conversion", "spend"]).assign(**{TARGET: visited})


def read_starbucks(data: Path) -> pd.DataFrame:
    """Return 20,000 customers of a promotion, of whom one in eighty bought."""
    rows = pd.read_csv(data / "experiments" / "starbucks_training.csv")
    rows = rows.sample(20000, random_state=0)
    bought = rows.pop("purchase")
    return rows.drop(columns="ID").assign(**{TARGET: bought})


TABLES: Mapping[str, Callable[[Path], pd.DataFrame]] = {
    "store": read_one_click,
    "artea": read_artea,
    "hillstrom": read_hillstrom,
    "starbucks": read_starbucks,
}


@dataclass(frozen=True)
class Ranked:
    """What a contestant reached on a table: ROC-AUC on the hidden rows and seconds, by fold."""

    roc_auc: list[float]
    seconds: list[float]


def main() -> None:
    """Rank each table by each contestant and tell it."""
    args = _arguments()
    parts = []
    for name in args.tables:
        table = TABLES[name](args.data)
        table.insert(0, "id", np.arange(1, len(table) + 1))
        with TemporaryDirectory(prefix="retain-benchmark-") as folder:
            found = rank(table, Path(folder), args)
        parts.append(told(name, table, found, args.folds))
        print(parts[-1], flush=True)
    text = "\n\n".join([*parts, f"{machine()}."])
    if args.tables == list(TABLES):
        rewrite(SECTION, text)
    else:
        print("README.md stays as it is: not all tables were tried.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--autogluon", metavar="PYTHON", help="without it retain is alone")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=SHARED)
    return parser.parse_args()


def rank(table: pd.DataFrame, folder: Path, args: argparse.Namespace) -> dict[str, Ranked]:
    """Return what each contestant reaches on each outer fold; they take turns."""
    found = {"retain": Ranked([], [])}
    found |= {name: Ranked([], []) for name in PEERS if args.autogluon}
    outer = StratifiedKFold(args.folds, shuffle=True, random_state=0)
    for number, (train, hidden) in enumerate(outer.split(table, table[TARGET])):
        here = folder / str(number)
        here.mkdir()
        table.iloc[train].to_csv(here / "train.csv", index=False)
        table.iloc[hidden].drop(columns=TARGET).to_csv(here / "hidden.csv", index=False)
        answers = table.iloc[hidden].set_index("id")[TARGET]
        for name, one in found.items():
            if name == "retain":
                seconds, scores = by_retain(here)
            else:
                seconds, scores = by_autogluon(args.autogluon, here, *PEERS[name])
            one.seconds.append(seconds)
            one.roc_auc.append(float(roc_auc_score(answers, scores.loc[answers.index])))
    return found


def by_retain(here: Path) -> tuple[float, pd.Series]:
    """Return the seconds of the commands a user types, and the score of each hidden row."""
    outputs = f"outputs={here / 'outputs'}"
    verdict = here / "outputs" / "quick" / "verdict"
    scored = here / "scored"
    given = ("data=table", f"data.path={here / 'train.csv'}", "data.id=id", f"data.target={TARGET}")
    new = (f"data.path={here / 'hidden.csv'}", f"output_dir={scored}")
    lines = (
        [_command("retain"), "-m", "study=quick", *given, outputs],
        [_command("retain-compare"), "study=quick", "explain=none", outputs],
        [_command("retain-score"), f"verdict={verdict}", *new],
    )
    taken = [measure(line, here / f"command-{step}") for step, line in enumerate(lines)]
    (path,) = scored.glob("scores/*/scores.csv")
    scores = pd.read_csv(path, encoding="utf-8-sig").set_index("customer_id")["score"]
    return sum(one.seconds for one in taken), scores


def by_autogluon(python: str, here: Path, presets: str, limit: float) -> tuple[float, pd.Series]:
    """Return the seconds of AutoGluon in its own process, and the score of each hidden row."""
    out = here / f"{presets}-{limit:g}.csv"
    tables = (str(here / "train.csv"), str(here / "hidden.csv"))
    line = [python, str(PEER), *tables, str(out), TARGET, presets, str(limit)]
    taken = measure(line, here / out.stem)
    return taken.seconds, pd.read_csv(out).set_index("id")["score"]


def told(name: str, table: pd.DataFrame, found: Mapping[str, Ranked], folds: int) -> str:
    """Return a table's contestants, and how far retain is from each."""
    ours = np.array(found["retain"].roc_auc)
    about = (
        f"**{name}**: {len(table):,} rows, {table.shape[1] - 2} features, "
        f"{table[TARGET].mean():.1%} to be found; {folds} outer folds."
    )
    rows = [
        about,
        "",
        "| | mean ROC-AUC | retain against it | seconds a fold, median | each fold |",
        "|---|---|---|---|---|",
    ]
    for contestant, one in found.items():
        against = ""
        if contestant != "retain":
            pair = compare_paired((ours - np.array(one.roc_auc))[None], 1 / (folds - 1))
            against = f"{pair.mean[0]:+.4f} [{pair.low[0]:+.4f}, {pair.high[0]:+.4f}]"
        each = ", ".join(f"{value:.3f}" for value in one.roc_auc)
        rows.append(
            f"| {contestant} | {fmean(one.roc_auc):.4f} | {against} | {median(one.seconds):.1f} | "
            f"{each} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
