"""Does contacting those ranked first save more? Qini curve and its areas (Radcliffe 2007)."""

from __future__ import annotations

from typing import Any

import numpy as np

from retain.campaign.assignment import Assignment
from retain.campaign.readout.means import BootstrapSettings
from retain.campaign.readout.outcomes import Outcomes

MIN_CUSTOMERS_PER_ARM = 100
"""Observed customers in either arm without whom no curve is drawn."""
RANKINGS = ("expected_net", "risk")
MAX_SCORE_GROUPS = 1000
"""Groups of like rank that stand for more different scores than these."""
N_CURVE_POINTS = 101
"""Points of the curve that are written down."""
CHUNK_RESAMPLES = 200
"""Resamples in memory at once."""


def compute_qini(
    assignment: Assignment, outcomes: Outcomes, draws: BootstrapSettings
) -> dict[str, Any]:
    """For each of ``RANKINGS``, best first: ``qini``, ``auuc`` with intervals, and the ``curve``.

    Or ``reason``: ``declined`` where nobody knows who declined, ``too_few`` where an arm has
    fewer than ``MIN_CUSTOMERS_PER_ARM``.
    """
    if outcomes.declined is None:
        return {"reason": "declined"}
    rows = np.isfinite(outcomes.declined)
    treated, stayed = assignment.treated[rows], outcomes.declined[rows] == 0
    if min(treated.sum(), (~treated).sum()) < MIN_CUSTOMERS_PER_ARM:
        return {"reason": "too_few", "min_customers": MIN_CUSTOMERS_PER_ARM}
    table = assignment.table.loc[rows]
    return {
        order: _summarise_ranking(group_by_rank(table[order].to_numpy(), treated, stayed), draws)
        for order in RANKINGS
    }


def group_by_rank(score: np.ndarray, treated: np.ndarray, stayed: np.ndarray) -> np.ndarray:
    """Customers by rank of score, highest first: shape (groups, 4).

    Columns: treated who stayed, treated who declined, the same of the control group. Equal scores
    are one group: their order would be chance.

    >>> contacted = np.array([True, True, False])
    >>> group_by_rank(np.array([0.9, 0.1, 0.9]), contacted, np.ones(3, bool)).tolist()
    [[1, 0, 1, 0], [1, 0, 0, 0]]
    """
    distinct, place = np.unique(-score, return_inverse=True)
    if len(distinct) > MAX_SCORE_GROUPS:
        before = np.searchsorted(np.sort(-score), distinct)
        place = (before * MAX_SCORE_GROUPS // len(score))[place]
        place = np.unique(place, return_inverse=True)[1]
    column = 2 * ~treated + ~stayed
    size = int(place.max()) + 1
    return np.bincount(4 * place + column, minlength=4 * size).reshape(size, 4)


def compute_curve(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share contacted, and what that saves, as shares of the treated; both begin at 0.

    ``cells`` as ``group_by_rank`` makes them, shape (…, groups, 4). The saved are the treated who
    stayed less those who would have: the control group's, scaled to as many (Radcliffe 2007).
    """
    counted = np.cumsum(cells, axis=-2, dtype=float)
    stayed, control_stayed = counted[..., 0], counted[..., 2]
    treated = stayed + counted[..., 1]
    control = control_stayed + counted[..., 3]
    share = np.divide(control_stayed, control, out=np.zeros_like(control), where=control > 0)
    saved = np.where(control > 0, stayed - share * treated, 0.0) / treated[..., -1:]
    share_of_all = (treated + control) / (treated + control)[..., -1:]
    return _prepend_zero(share_of_all), _prepend_zero(saved)


def compute_areas(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Area under the curve (AUUC), and that between it and a random order (Qini): over (…, n).

    >>> x, y = np.array([0, 0.5, 1]), np.array([0, 0.1, 0.1])
    >>> [round(float(area), 3) for area in compute_areas(x, y)]
    [0.075, 0.025]
    """
    under = np.trapezoid(y, x, axis=-1)
    return under, under - y[..., -1] / 2


def _summarise_ranking(cells: np.ndarray, draws: BootstrapSettings) -> dict[str, Any]:
    x, y = compute_curve(cells)
    auuc, above = compute_areas(x, y)
    drawn = _resample_areas(cells, draws.n_resamples, np.random.default_rng(draws.seed))
    ends = np.quantile(drawn, (draws.alpha / 2, 1 - draws.alpha / 2), axis=0)
    points = np.linspace(0, 1, N_CURVE_POINTS)
    return {
        "auuc": _to_interval(auuc, ends[:, 0]),
        "qini": _to_interval(above, ends[:, 1]),
        "curve": {
            "contacted_share": points.tolist(),
            "saved_share": np.interp(points, x, y).tolist(),
        },
    }


def _resample_areas(cells: np.ndarray, resamples: int, random: np.random.Generator) -> np.ndarray:
    """AUUC and Qini of resamples of the customers, each arm keeping its size: (resamples, 2)."""
    arms = cells[:, :2], cells[:, 2:]
    drawn = []
    for start in range(0, resamples, CHUNK_RESAMPLES):
        size = min(CHUNK_RESAMPLES, resamples - start)
        counted = [
            random.multinomial(arm.sum(), arm.ravel() / arm.sum(), size).reshape(size, -1, 2)
            for arm in arms
        ]
        drawn.append(
            np.stack(compute_areas(*compute_curve(np.concatenate(counted, axis=-1))), axis=-1)
        )
    return np.concatenate(drawn)


def _to_interval(value: np.ndarray, ends: np.ndarray) -> dict[str, float]:
    return {"value": float(value), "low": float(ends[0]), "high": float(ends[1])}


def _prepend_zero(values: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(values[..., :1]), values], axis=-1)
