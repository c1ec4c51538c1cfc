"""Qini curve of a ranking of customers, and the areas below it (Radcliffe 2007)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.assignment import Assignment
from retain.campaign.readout.outcomes import Outcomes
from retain.record.estimates import Estimate
from retain.record.qini_info import QiniCurve, QiniInfo, RankingQini

MIN_CUSTOMERS_PER_ARM = 100
"""Observed customers in either arm below which there is no curve."""
RANKINGS = ("expected_net", "risk")
MAX_SCORE_GROUPS = 1000
"""Most groups of customers; more distinct scores are grouped by rank."""
N_CURVE_POINTS = 101
"""Points of the curve in the document."""
CHUNK_RESAMPLES = 200
"""Resamples in memory at once."""


@dataclass(frozen=True)
class BootstrapSettings:
    """Number of resamples and seed of intervals of level 1 − ``alpha``."""

    alpha: float
    n_resamples: int
    seed: int


def compute_qini(
    assignment: Assignment, outcomes: Outcomes, settings: BootstrapSettings
) -> QiniInfo:
    """Return areas and curve of each of ``RANKINGS``, or the reason for none."""
    if outcomes.declined is None:
        return QiniInfo(reason="declined")
    rows = np.isfinite(outcomes.declined)
    treated, stayed = assignment.is_treated[rows], outcomes.declined[rows] == 0
    if min(treated.sum(), (~treated).sum()) < MIN_CUSTOMERS_PER_ARM:
        return QiniInfo(reason="too_few", min_customers=MIN_CUSTOMERS_PER_ARM)
    if len(set(stayed[treated])) < 2 or len(set(stayed[~treated])) < 2:
        return QiniInfo(reason="no_variation")
    table, weight = assignment.table.loc[rows], assignment.weight[rows]
    expected_net, risk = (
        _summarise_ranking(
            WeightedCounts.of(table[order].to_numpy(), treated, stayed, weight), settings
        )
        for order in RANKINGS
    )
    return QiniInfo(expected_net=expected_net, risk=risk)


def group_by_rank(
    score: np.ndarray,
    treated: np.ndarray,
    stayed: np.ndarray,
    counted: np.ndarray | None = None,
) -> np.ndarray:
    """Count customers, or those ``counted``, by rank of score, highest first: shape (groups, 4).

    Columns: treated who stayed, treated who declined, the same of the control group. Equal scores
    form one group, since their order would be random.

    >>> contacted = np.array([True, True, False])
    >>> group_by_rank(np.array([0.9, 0.1, 0.9]), contacted, np.ones(3, bool)).tolist()
    [[1, 0, 1, 0], [1, 0, 0, 0]]
    """
    values, group = np.unique(-score, return_inverse=True)
    if len(values) > MAX_SCORE_GROUPS:
        rank = np.searchsorted(np.sort(-score), values)
        group = (rank * MAX_SCORE_GROUPS // len(score))[group]
        group = np.unique(group, return_inverse=True)[1]
    column = 2 * ~treated + ~stayed
    size = int(group.max()) + 1
    index = 4 * group + column
    return np.bincount(index if counted is None else index[counted], minlength=4 * size).reshape(
        size, 4
    )


@dataclass(frozen=True)
class WeightedCounts:
    """Counts by rank of customers of like weight.

    Attributes
    ----------
    counts
        As of ``group_by_rank``, shape (levels, groups, 4).
    weight
        Weight of the customers of each level, shape (levels,).
    """

    counts: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(
        cls, score: np.ndarray, treated: np.ndarray, stayed: np.ndarray, weight: np.ndarray
    ) -> WeightedCounts:
        """Count customers by weight and by rank of score."""
        levels = np.unique(weight)
        counts = [group_by_rank(score, treated, stayed, weight == level) for level in levels]
        return cls(np.stack(counts), levels)

    @property
    def total(self) -> np.ndarray:
        """The weighted counts of all levels, shape (groups, 4)."""
        return np.asarray(np.tensordot(self.weight, self.counts, 1))

    def resample(self, size: int, random: np.random.Generator) -> np.ndarray:
        """Return weighted counts of resampled customers, arm sizes fixed: (size, groups, 4)."""
        total = np.zeros((size, *self.counts.shape[1:]))
        for counts, weight in zip(self.counts, self.weight, strict=True):
            for arm in (slice(0, 2), slice(2, 4)):
                one = counts[:, arm]
                if one.any():
                    found = random.multinomial(one.sum(), one.ravel() / one.sum(), size)
                    total[..., arm] += weight * found.reshape(size, -1, 2)
        return total


def compute_curve(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share contacted and the share of the treated saved by it; both start at 0.

    ``counts`` as of ``group_by_rank``, shape (…, groups, 4). The saved are the treated who stayed
    less those who would have: the control group's, scaled to the same number (Radcliffe 2007).
    """
    cumulative = np.cumsum(counts, axis=-2, dtype=float)
    stayed, control_stayed = cumulative[..., 0], cumulative[..., 2]
    treated = stayed + cumulative[..., 1]
    control = control_stayed + cumulative[..., 3]
    share = np.divide(control_stayed, control, out=np.zeros_like(control), where=control > 0)
    saved = np.where(control > 0, stayed - share * treated, 0.0) / treated[..., -1:]
    share_of_all = (treated + control) / (treated + control)[..., -1:]
    return _prepend_zero(share_of_all), _prepend_zero(saved)


def compute_areas(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the area under the curve (AUUC), and above a random order (Qini), over (…, n).

    >>> x, y = np.array([0, 0.5, 1]), np.array([0, 0.1, 0.1])
    >>> [round(float(area), 3) for area in compute_areas(x, y)]
    [0.075, 0.025]
    """
    under = np.trapezoid(y, x, axis=-1)
    return under, under - y[..., -1] / 2


def _summarise_ranking(counts: WeightedCounts, settings: BootstrapSettings) -> RankingQini:
    x, y = compute_curve(counts.total)
    auuc, above = compute_areas(x, y)
    samples = _resample_areas(counts, settings.n_resamples, np.random.default_rng(settings.seed))
    bounds = np.quantile(samples, (settings.alpha / 2, 1 - settings.alpha / 2), axis=0)
    points = np.linspace(0, 1, N_CURVE_POINTS)
    return RankingQini(
        auuc=_to_estimate(auuc, bounds[:, 0]),
        qini=_to_estimate(above, bounds[:, 1]),
        curve=QiniCurve(
            contacted_share=tuple(points.tolist()),
            saved_share=tuple(np.interp(points, x, y).tolist()),
        ),
    )


def _resample_areas(
    counts: WeightedCounts, resamples: int, random: np.random.Generator
) -> np.ndarray:
    """Return AUUC and Qini of resampled customers, arm sizes fixed: (resamples, 2)."""
    samples = []
    for start in range(0, resamples, CHUNK_RESAMPLES):
        size = min(CHUNK_RESAMPLES, resamples - start)
        areas = compute_areas(*compute_curve(counts.resample(size, random)))
        samples.append(np.stack(areas, axis=-1))
    return np.concatenate(samples)


def _to_estimate(value: np.ndarray, bounds: np.ndarray) -> Estimate:
    return Estimate(float(value), float(bounds[0]), float(bounds[1]))


def _prepend_zero(values: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(values[..., :1]), values], axis=-1)
