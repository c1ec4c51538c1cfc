"""Races over the records of a full sweep, its folds in many orders: nothing is fitted again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import yaml

from retain.record.document import Record
from retain.schema.compare import ComparisonConfig
from retain.schema.parsing import parse
from retain.storage.paths import conf_dir
from retain.verdict.elimination import eliminated_runs
from retain.verdict.leaderboard import leaderboard

ORDERS = 100
BURN_IN = 3
RULES = {"one-sided p < .05, as it is": 0.05, "two-sided p < .05": 0.025}


@dataclass(frozen=True)
class Raced:
    """The result of a race: its share of the fit seconds, and its winner's full rank.

    ``lost`` is how far its winner's mean ROC-AUC lies below the best; ``ties`` counts the tied
    runs that came to the end.
    """

    share: float
    tied: bool
    lost: float
    ties: int


def board(records: Mapping[str, Record]) -> pd.DataFrame:
    """Return the leaderboard by id, judged as a comparison does unless it is told otherwise."""
    shipped = yaml.safe_load((conf_dir() / "compare.yaml").read_text(encoding="utf-8"))
    judging = parse(ComparisonConfig, shipped["selection"], "selection")
    return leaderboard(list(records.values()), judging).set_index("id")


def tried(records: Mapping[str, Record], alpha: float, seed: int = 0) -> list[Raced]:
    """Return a race for each of so many random orders of the folds."""
    full = board(records)
    folds = records[full.index[0]].folds
    random = np.random.default_rng(seed)
    races = []
    for _ in range(ORDERS):
        order = random.permutation(folds)
        had = _folds_had(records, order, alpha)
        ends = [id_ for id_ in full.index if had[id_] == folds]
        fit = {id_: record.seconds["fit"] for id_, record in records.items()}
        share = sum(fit[id_] * had[id_] / folds for id_ in records) / sum(fit.values())
        winner = full.loc[ends[0]]
        races.append(Raced(share, winner["tied"], -winner["difference"], full.tied[ends].sum()))
    return races


def _folds_had(records: Mapping[str, Record], order: np.ndarray, alpha: float) -> dict[str, int]:
    """Return the number of folds each run has when it is stopped, or in the end."""
    scores = {
        id_: np.take(run.metrics["roc_auc"].fold_values, order) for id_, run in records.items()
    }
    ratio = next(iter(records.values())).split.test_to_train
    had = dict.fromkeys(scores, len(order))
    for folds in range(BURN_IN, len(order)):
        racing = {id_: list(scores[id_]) for id_ in scores if had[id_] == len(order)}
        had |= dict.fromkeys(eliminated_runs(racing, folds, ratio, alpha), folds)
    return had


def table(records: Mapping[str, Record]) -> str:
    """Return the cost and the findings of the rule, and of another."""
    rows = [
        ("", "share of fit seconds, median (5–95 %)", "winner tied", "ROC-AUC lost", "ties kept"),
        ("---",) * 5,
        *(_row(rule, tried(records, alpha)) for rule, alpha in RULES.items()),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(rule: str, races: list[Raced]) -> tuple[str, ...]:
    low, middle, high = np.percentile([race.share for race in races], [5, 50, 95])
    return (
        rule,
        f"{middle:.2f} ({low:.2f}–{high:.2f})",
        f"{sum(race.tied for race in races)} of {len(races)}",
        f"at most {max(race.lost for race in races):.4f}",
        f"{np.mean([race.ties for race in races]):.0f}",
    )
