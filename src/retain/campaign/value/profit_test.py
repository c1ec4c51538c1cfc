"""The test whether profit tells more of the decline than the score does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import stats

from retain.campaign.value.calibration_map import ProfitScale, basis_design, place_knots
from retain.campaign.value.calibration_rows import CalibrationRows
from retain.campaign.value.logistic import fit_logistic
from retain.record.segments_document import ProfitTest

FLAT = 1e-6
"""A smaller standard deviation of the logarithm of profit counts as 0."""
WEAK_PRECISION = 0.01
"""Precision of the normal prior of coefficients, of standardised columns."""
MIN_TO_TEST = 50
"""Number of customers of each class from which profit is tested."""
FEW_MISSING = 20
"""Number of missing profits from which they have a coefficient of their own; fewer are the mean."""
EXTREMES = (0.01, 0.99)
"""Quantiles of profit beyond which risk no longer changes."""
PROFIT_LEVEL = 0.2
"""Level of the test of profit: leaving out a true link costs more than estimating an idle one."""


def assess_profit(rows: CalibrationRows) -> tuple[ProfitTest | None, ProfitScale | None]:
    """Return the test of profit beyond a spline of the score, and how profit enters.

    One customer of each duplicate group is tested. None below ``MIN_TO_TEST`` customers of either
    class, or where profits do not differ.
    """
    scale = None if rows.profit is None else _fit_scale(rows.profit)
    if scale is None or rows.smaller_class < MIN_TO_TEST:
        return None, None
    first = np.zeros(len(rows.x), dtype=bool)
    first[np.unique(rows.cluster, return_index=True)[1]] = True
    one = rows.at(first).with_profit(scale)
    knots = place_knots(one.x)
    without = basis_design("spline" if knots else "constant", one.x, knots)
    columns = scale.design(np.asarray(one.z))
    fits = [
        fit_logistic(design, one.target, one.weight, ridge=WEAK_PRECISION)
        for design in (without, np.column_stack([without, columns]))
    ]
    statistic = max(2 * (fits[1].log_likelihood - fits[0].log_likelihood), 0.0)
    degrees = columns.shape[1]
    p = float(stats.chi2.sf(statistic, degrees))
    odds_ratio = float(np.exp(fits[1].coefficients[without.shape[1]]))
    test = ProfitTest(
        statistic=statistic,
        degrees=degrees,
        p=p,
        level=PROFIT_LEVEL,
        odds_ratio=odds_ratio,
        is_used=p < PROFIT_LEVEL,
    )
    return test, scale


def _fit_scale(profit: np.ndarray) -> ProfitScale | None:
    """Return the scale of profits; None if they do not differ."""
    known = profit[np.isfinite(profit)]
    if len(known) < MIN_TO_TEST:
        return None
    positive = known[known > 0]
    unit = float(np.median(positive if len(positive) else np.abs(known)))
    has_missing = len(profit) - len(known) >= FEW_MISSING
    raw = ProfitScale(unit if unit > 0 else 1.0, 0.0, 1.0, -np.inf, np.inf, has_missing)
    signed = raw.standardise(known)
    if signed.std() <= FLAT:
        return None
    centre, spread = float(signed.mean()), float(signed.std())
    low, high = ((np.quantile(signed, EXTREMES) - centre) / spread).tolist()
    return replace(raw, centre=centre, spread=spread, low=low, high=high)
