"""The leaderboard: settings, metrics, and comparison with the best, one row per finished run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from retain.record.facts import Record
from retain.schema.compare import ComparisonConfig
from retain.verdict.keys import differing_keys
from retain.verdict.paired import METRIC, beats_chance, compare_paired, fold_scores, holm

COMPARISON_COLUMNS = (
    "rank",
    "id",
    "difference",
    "difference_low",
    "difference_high",
    "p",
    "p_holm",
    "prob_worse",
    "prob_equivalent",
    "prob_better",
    "tied",
    "stopped_early",
    "n_folds",
    "fit_seconds",
)
"""Columns that are neither a config key nor a metric."""


def leaderboard(records: Sequence[Record], comparison: ComparisonConfig) -> pd.DataFrame:
    """Return one row per run, best mean ROC-AUC first, equal ones by Brier score.

    Runs stopped early come last, nearest to the best first, since means over fewer folds are not
    comparable.

    Returns
    -------
    DataFrame
        ``rank, id``; one column for each config key that differs; against the best, on the folds
        both have, ``difference, difference_low, difference_high`` (95 %), ``p`` (corrected
        resampled t-test), ``p_holm`` (with Holm's correction for all runs compared),
        ``prob_worse, prob_equivalent, prob_better`` (Bayesian correlated t-test: probabilities that
        it is below, within and above ± ``comparison.rope``), ``tied`` (not distinguishable from
        the best: p_holm ≥ α and, if the best beats chance, prob_worse < 1 − α),
        ``stopped_early, n_folds``; for every metric ``NAME, NAME_low, NAME_high``; ``fit_seconds``.
    """
    best = min(range(len(records)), key=lambda i: (records[i].stopped_early, _order(records[i])))
    standing = _compare_with_best(records, best, comparison)
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
    records: Sequence[Record], best: int, comparison: ComparisonConfig
) -> pd.DataFrame:
    """Compare each run with the best, fold by fold."""
    scores = fold_scores(records)
    gaps = scores - scores[best]
    tests = compare_paired(gaps, records[best].split.test_to_train, rope=comparison.rope)
    other = np.arange(len(records)) != best
    adjusted = np.ones(len(records))
    adjusted[other] = holm(tests.p[other])
    stopped = np.array([record.stopped_early for record in records])
    alike = adjusted >= comparison.alpha
    if beats_chance(scores, best, records[best].split.test_to_train, comparison.alpha):
        alike &= tests.worse < 1 - comparison.alpha
    return pd.DataFrame(
        {
            "difference": tests.mean,
            "difference_low": tests.low,
            "difference_high": tests.high,
            "p": tests.p,
            "p_holm": adjusted,
            "prob_worse": tests.worse,
            "prob_equivalent": tests.equivalent,
            "prob_better": tests.better,
            "tied": alike & ~stopped,
            "stopped_early": stopped,
            "n_folds": np.isfinite(gaps).sum(axis=1),
        }
    )


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
