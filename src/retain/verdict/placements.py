"""The out-of-fold scores of many runs as placements, of which ROC-AUC is the mean.

The placement of a decliner is the share of the stayers of the same fold that score lower, that of a
stayer the share of decliners that score higher, ties counted half (DeLong, DeLong & Clarke-Pearson
1988). Within folds, since scores of different models are not on one scale. Means of placements
under bootstrap weights are the ROC-AUC of a resample up to terms of the order 1/n.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Placements:
    """The placements of all customers by the runs whose scores were read.

    Attributes
    ----------
    ids
        Ids of the runs, one per column.
    values
        Mean placement over repeats, shape (n_customers, n_runs).
    declined
        Whether each customer declined, shape (n_customers,).
    """

    ids: tuple[str, ...]
    values: np.ndarray
    declined: np.ndarray

    def average(self, candidates: Iterable[tuple[str, Sequence[str]]]) -> Placements:
        """Return the placements of candidates, each the mean of its runs that were read.

        ``candidates`` are pairs of a new id and the ids of its runs; one of no run is left out.
        """
        column = {id_: index for index, id_ in enumerate(self.ids)}
        found = [(new, [column[id_] for id_ in ids if id_ in column]) for new, ids in candidates]
        found = [(new, columns) for new, columns in found if columns]
        values = np.empty((len(self.declined), len(found)), self.values.dtype)
        for index, (_, columns) in enumerate(found):
            values[:, index] = self.values[:, columns].mean(axis=1)
        return Placements(tuple(new for new, _ in found), values, self.declined)

    def class_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of decliners and of stayers, centred by run and class."""
        declined, stayed = self.values[self.declined], self.values[~self.declined]
        return declined - declined.mean(axis=0), stayed - stayed.mean(axis=0)

    def covariance(self) -> np.ndarray:
        """Return the covariance of the runs' ROC-AUC by customers, shape (n_runs, n_runs).

        DeLong et al. (1988): S₁/n₁ + S₀/n₀ of the placements.
        """
        parts = [rows.T @ rows / len(rows) / (len(rows) - 1) for rows in self.class_rows()]
        return np.asarray(parts[0] + parts[1], dtype=float)


def placement_values(declined: np.ndarray, score: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return the placement of each row among the other class of its fold, shape (n,).

    >>> declined, score = np.array([False, False, True, True]), np.array([0.1, 0.4, 0.35, 0.8])
    >>> placement_values(declined, score, np.zeros(4, int)).tolist()
    [1.0, 0.5, 0.5, 1.0]
    """
    order = np.argsort(score)
    few = fold.max() <= np.iinfo(np.int16).max  # a radix sort, ten times as fast
    order = order[np.argsort(fold[order].astype(np.int16 if few else np.int64), kind="stable")]
    sorted_fold, sorted_score, hit = fold[order], score[order], declined[order].astype(float)
    new_fold = np.diff(sorted_fold, prepend=sorted_fold[0] - 1) != 0
    starts = np.flatnonzero(new_fold | (np.diff(sorted_score, prepend=np.nan) != 0))
    sizes = np.diff(starts, append=len(order))
    hits = np.add.reduceat(hit, starts)
    firsts = np.flatnonzero(new_fold[starts])
    of_fold = np.cumsum(new_fold[starts]) - 1
    over = _share_below(sizes - hits, firsts, of_fold)
    under = 1 - _share_below(hits, firsts, of_fold)
    values = np.empty(len(order))
    values[order] = np.where(hit == 1, np.repeat(over, sizes), np.repeat(under, sizes))
    return values


def _share_below(counts: np.ndarray, firsts: np.ndarray, of_fold: np.ndarray) -> np.ndarray:
    """Return the share of a fold's ``counts`` below each of its scores, ties counted half."""
    before = np.cumsum(counts) - counts
    total = np.add.reduceat(counts, firsts)
    below = before - before[firsts][of_fold] + counts / 2
    return np.asarray(below / np.maximum(total, 1)[of_fold])
