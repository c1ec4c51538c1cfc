"""The metric that decides, by run and fold.

May import: errors, schema, record, customers, learning.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retain.record import Record

METRIC = "roc_auc"
"""What ranks runs."""


def fold_scores(records: Sequence[Record], metric: str = METRIC) -> np.ndarray:
    """A metric by run and fold, shape (n_runs, J); NaN where a run was stopped before a fold."""
    folds = [record.metrics[metric].folds for record in records]
    scores = np.full((len(folds), max(map(len, folds))), np.nan)
    for row, values in zip(scores, folds, strict=True):
        row[: len(values)] = values
    return scores
