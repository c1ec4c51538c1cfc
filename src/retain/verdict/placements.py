"""The out-of-fold scores of many runs as placements, of which ROC-AUC is the mean.

The placement of a decliner is the share of the stayers of the same fold that score lower, that of a
stayer the share of decliners that score higher, ties counted half (DeLong, DeLong & Clarke-Pearson
1988). Within folds, since scores of different models are not on one scale. Means of placements
under bootstrap weights are the ROC-AUC of a resample up to terms of the order 1/n.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from retain.verdict.statistics import Z95, wilson_bounds


@dataclass(frozen=True)
class ClassSums:
    """The customers of one class in duplicate groups.

    ``sums`` are their placements less the class mean, shape (n_groups, n_runs), ``counts`` their
    numbers, shape (n_groups,).
    """

    sums: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True)
class Stratum:
    """Duplicate groups with members of the same classes; a class without members is None."""

    n_groups: int
    declined: ClassSums | None
    stayed: ClassSums | None


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
    groups
        Code of each customer's duplicate group, shape (n_customers,); None if nobody has copies.
    """

    ids: tuple[str, ...]
    values: np.ndarray
    declined: np.ndarray
    groups: np.ndarray | None = None

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
        return replace(self, ids=tuple(new for new, _ in found), values=values)

    def strata(self) -> list[Stratum]:
        """Return the duplicate groups of decliners, of stayers, and of both, as far as there are.

        The members of a group say the same again, so groups are what is independent.
        """
        centred = np.empty_like(self.values)
        for label in (True, False):
            rows = self.values[self.declined == label]
            centred[self.declined == label] = rows - rows.mean(axis=0)
        groups = np.arange(len(self.declined)) if self.groups is None else self.groups
        has = [np.bincount(groups, self.declined == label) > 0 for label in (True, False)]
        kinds = (has[0] & ~has[1], has[1] & ~has[0], has[0] & has[1])
        return [
            Stratum(int(kind.sum()), *self._sum_by_group(centred, groups, kind, has))
            for kind in kinds
            if kind.any()
        ]

    def _sum_by_group(
        self, centred: np.ndarray, groups: np.ndarray, kind: np.ndarray, has: list[np.ndarray]
    ) -> Iterator[ClassSums | None]:
        """Yield the sums of decliners and of stayers in the groups where ``kind`` is True."""
        for label, of_class in zip((True, False), has, strict=True):
            if not (kind & of_class).any():
                yield None
                continue
            rows = np.flatnonzero(kind[groups] & (self.declined == label))
            rows = rows[np.argsort(groups[rows], kind="stable")]
            starts = np.flatnonzero(np.diff(groups[rows], prepend=-1))
            counts = np.diff(starts, append=len(rows))
            yield ClassSums(np.add.reduceat(centred[rows], starts), counts)

    def covariance(self) -> np.ndarray:
        """Return the covariance of the runs' ROC-AUC by customers, shape (n_runs, n_runs).

        DeLong et al. (1988): S₁/n₁ + S₀/n₀ of the placements, summed over duplicate groups
        (Obuchowski 1997), which adds a covariance of both classes where a group has both. A
        perfect ranking, which has no variance, gets that of its interval (see ``delong``).
        """
        strata = self.strata()
        n_groups = sum(one.n_groups for one in strata)
        declined = [one.declined for one in strata if one.declined is not None]
        stayed = [one.stayed for one in strata if one.stayed is not None]
        total = _class_covariance(declined) + _class_covariance(stayed)
        n_declined, n_stayed = int(self.declined.sum()), int((~self.declined).sum())
        for one in strata:
            if one.declined is not None and one.stayed is not None:
                cross = one.declined.sums.T @ one.stayed.sums / n_declined / n_stayed
                total += (cross + cross.T) * (n_groups / max(n_groups - 1, 1))
        covariance = np.asarray(total, dtype=float)
        area = self.values[self.declined].mean(axis=0)
        perfect = (np.diag(covariance) <= 0) & (np.abs(area - 0.5) > 0.49)
        low, _ = wilson_bounds(1.0, self.degrees_of_freedom + 1)
        covariance[perfect, perfect] = ((1 - low) / Z95) ** 2
        return covariance

    @property
    def degrees_of_freedom(self) -> int:
        """The number of duplicate groups of the smaller class, less one; at least 1."""
        strata = self.strata()
        declined = sum(one.n_groups for one in strata if one.declined is not None)
        stayed = sum(one.n_groups for one in strata if one.stayed is not None)
        return max(min(declined, stayed) - 1, 1)


def _class_covariance(parts: Sequence[ClassSums]) -> np.ndarray:
    n_groups = sum(len(part.counts) for part in parts)
    n = sum(int(part.counts.sum()) for part in parts)
    squares = [part.sums.T @ part.sums for part in parts]
    return np.asarray(sum(squares[1:], squares[0]) / n / (n * max(n_groups - 1, 1) / n_groups))


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
