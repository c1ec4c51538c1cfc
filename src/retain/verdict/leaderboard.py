"""The leaderboard: settings, metrics, and comparison with the best, one row per finished run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from retain.record.document import Record
from retain.schema.compare import ComparisonConfig
from retain.verdict.config_keys import differing_keys
from retain.verdict.paired import METRIC, compare_paired, fold_scores, holm
from retain.verdict.placements import Placements
from retain.verdict.selection import confidence_set_p, variance_factor

COMPARISON_COLUMNS = (
    "rank",
    "id",
    "difference",
    "difference_low",
    "difference_high",
    "p",
    "p_adjusted",
    "prob_worse",
    "prob_equivalent",
    "prob_better",
    "tied",
    "stopped_early",
    "n_folds",
    "n_seeds",
    "seed_sd",
    "fit_seconds",
)
"""Columns that are neither a config key nor a metric."""


def leaderboard(
    records: Sequence[Record], comparison: ComparisonConfig, placements: Placements | None = None
) -> pd.DataFrame:
    """Return one row per run, best mean ROC-AUC first, equal ones by Brier score.

    Runs stopped early come last, nearest to the best first, since means over fewer folds are not
    comparable.

    Returns
    -------
    DataFrame
        ``rank, id``; one column for each config key that differs; against the best, on the folds
        both have, ``difference, difference_low, difference_high`` (95 %), ``p`` (corrected
        resampled t-test), ``p_adjusted`` (model confidence set over ``placements``; for runs
        without them that test, with Holm's correction),
        ``prob_worse, prob_equivalent, prob_better`` (Bayesian correlated t-test: probabilities that
        it is below, within and above ± ``comparison.rope``), ``tied`` (not distinguishable from
        the best: p_adjusted ≥ α),
        ``stopped_early, n_folds``; for every metric ``NAME, NAME_low, NAME_high``; ``fit_seconds``.
    """
    best = min(range(len(records)), key=lambda i: (records[i].stopped_early, _order(records[i])))
    standing = _compare_with_best(records, best, comparison, placements)
    front = pd.DataFrame({"id": [record.id for record in records]})
    keys = pd.DataFrame(differing_keys([record.config for record in records]), dtype=object)
    table = pd.concat([front, keys, standing, _metrics(records)], axis=1)
    order = sorted(range(len(records)), key=lambda i: _sort_key(records[i], standing, i))
    table = table.iloc[order].reset_index(drop=True)
    table.insert(0, "rank", range(1, len(table) + 1))
    return table


def _sort_key(record: Record, standing: pd.DataFrame, row: int) -> tuple[Any, ...]:
    if not record.stopped_early:
        return 0, *_order(record)
    return 1, -standing["difference"].iloc[row], 0.0, record.id


def _order(record: Record) -> tuple[float, float, str]:
    """Return the sort key of a run: recalibration changes ROC-AUC in its last bits only."""
    brier = record.metrics.get("brier")
    return -round(record.metrics[METRIC].value, 9), 0.0 if brier is None else brier.value, record.id


def _compare_with_best(
    records: Sequence[Record],
    best: int,
    comparison: ComparisonConfig,
    placements: Placements | None,
) -> pd.DataFrame:
    """Compare each run with the best: fold by fold, and customer by customer where possible."""
    scores = fold_scores(records)
    gaps = scores - scores[best]
    tests = compare_paired(gaps, records[best].split.test_to_train, rope=comparison.rope)
    other = np.arange(len(records)) != best
    adjusted = np.ones(len(records))
    adjusted[other] = holm(tests.p[other])
    if placements is not None and records[best].id in placements.ids:
        _adjust_by_customers(adjusted, records, placements)
    stopped = np.array([record.stopped_early for record in records])
    return pd.DataFrame(
        {
            "difference": tests.mean,
            "difference_low": tests.low,
            "difference_high": tests.high,
            "p": tests.p,
            "p_adjusted": adjusted,
            "prob_worse": tests.worse,
            "prob_equivalent": tests.equivalent,
            "prob_better": tests.better,
            "tied": (adjusted >= comparison.alpha) & ~stopped,
            "stopped_early": stopped,
            "n_folds": np.isfinite(gaps).sum(axis=1),
        }
    )


def _adjust_by_customers(
    adjusted: np.ndarray, records: Sequence[Record], placements: Placements
) -> None:
    """Replace p of the runs with placements by that of the model confidence set."""
    index = {record.id: row for row, record in enumerate(records)}
    rows = [index[id_] for id_ in placements.ids]
    means = np.array([records[row].metrics[METRIC].value for row in rows])
    factor = variance_factor(records[rows[0]].split.test_to_train)
    covariance = factor * placements.covariance()
    adjusted[rows] = confidence_set_p(means, covariance, placements.degrees_of_freedom)


def _metrics(records: Sequence[Record]) -> pd.DataFrame:
    columns: dict[str, list[float]] = {}
    for name in records[0].metrics:
        summaries = [record.metrics[name] for record in records]
        columns[name] = [metric.value for metric in summaries]
        columns[f"{name}_low"] = [metric.low for metric in summaries]
        columns[f"{name}_high"] = [metric.high for metric in summaries]
    columns["fit_seconds"] = [record.seconds.get("fit", 0.0) for record in records]
    return pd.DataFrame(columns)


def keys_of(table: pd.DataFrame, metrics: Sequence[str]) -> list[str]:
    """Return the columns of settings of a leaderboard."""
    fixed_columns = {
        *COMPARISON_COLUMNS,
        *(f"{name}{end}" for name in metrics for end in ("", "_low", "_high")),
    }
    return [str(column) for column in table if column not in fixed_columns]
