"""The fit of a recalibration: its basis, whether profit enters, and cross-fitted risks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import special, stats

from retain.campaign.value.calibration_map import (
    CalibrationMap,
    ProfitScale,
    basis_design,
    place_knots,
)
from retain.campaign.value.calibration_rows import (
    FOLDS,
    CalibrationRows,
    calibration_tables,
    iter_folds,
)
from retain.campaign.value.logistic import fit_logistic
from retain.campaign.value.recalibration import Line, Recalibration
from retain.customers.customers import Customers
from retain.learning.scores import COLUMNS, Scores
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

FLAT = 1e-6
"""A smaller spread of logits, or gain in fit, counts as 0."""
SLOPE_PRECISION = 1.0
"""Precision of the normal prior of the slope about 1, used if scores separate the classes."""
WEAK_PRECISION = 0.01
"""Precision of the prior of the other coefficients, of standardised columns."""
MIN_TO_CHOOSE = 50
"""Number of customers of each class from which a basis is chosen."""
MAX_TO_CHOOSE = 20_000
"""Number of duplicate groups on which a basis is chosen; of more, a sample."""


def fit_recalibration(scores: Scores, customers: Customers) -> Recalibration:
    """Fit the calibration maps of out-of-fold scores, choosing their basis and use of profit.

    The basis with the lowest log-loss in five-fold cross-validation over customers is taken, or
    the simplest within one standard error of it. Below 50 customers of either class it is the
    two-parameter line. If scores are constant or higher for stayers, risk does not depend on them;
    if they separate the classes, the line's slope gets a normal prior about 1.

    Risk depends on profit where ``assess_profit`` shows it. Elsewhere it does not, but the
    covariance holds the mean square error of leaving profit out: a link not shown may be there.

    Raises
    ------
    ValueError
        A customer has no target.
    """
    averaged, repeated = (
        CalibrationRows.of(table, customers) for table in calibration_tables(scores)
    )
    test, scale = assess_profit(averaged)
    is_used = test is not None and test.is_used
    maps, losses = {}, {}
    for name, one in (("out_of_fold", averaged), ("single_model", repeated)):
        if one is averaged or len(repeated.x) > len(averaged.x):
            rows = one.with_profit(scale)
            chosen, losses[name] = _choose(rows, scale if is_used else None)
            maps[name] = _allow_for_profit(chosen, rows, scale)
    return Recalibration(
        out_of_fold=maps["out_of_fold"],
        single_model=maps.get("single_model", maps["out_of_fold"]),
        customers=len(averaged.x),
        events=int(averaged.target.sum()),
        line=_line(averaged),
        log_loss={name: by_basis for name, by_basis in losses.items() if by_basis},
        profit_test=test,
    )


def cross_fit_risk(scores: Scores, customers: Customers, fitted: Recalibration) -> Scores:
    """Return the risk of each customer by a map fitted without it, as one repeat of scores.

    Maps of the basis of ``fitted.out_of_fold`` are fitted in five folds that keep duplicates
    together. Below ten customers of either class the risk is by ``fitted`` itself.
    """
    one, test = fitted.out_of_fold, fitted.profit_test
    profit = one.profit if test is not None and test.is_used else None
    rows = CalibrationRows.of(calibration_tables(scores)[0], customers).with_profit(one.profit)
    risk = special.expit(one.design(rows.x, rows.z) @ one.coefficients)
    if rows.smaller_class >= 2 * FOLDS:
        for fold in iter_folds(rows):
            held = _fit_map(rows.at(~fold), one.basis, one.knots, profit)
            part = rows.at(fold)
            risk[fold] = special.expit(held.design(part.x, part.z) @ held.coefficients)
    columns = (rows.ids, 0, 0, rows.target.astype(int), np.clip(risk, 0, 1))
    return Scores(pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))), "out_of_fold")


# --- the basis -----------------------------------------------------------------------------------


def _choose(
    rows: CalibrationRows, profit: ProfitScale | None
) -> tuple[CalibrationMap, dict[str, float]]:
    """Return the map of the chosen basis, and the cross-validated log-loss of each."""
    share = np.average(rows.target, weights=rows.weight)
    if share in (0.0, 1.0):
        return _overall_share(rows), {}
    lean = np.average((rows.target - share) * (rows.x - rows.x.mean()), weights=rows.weight)
    if np.ptp(rows.x) <= FLAT or lean <= FLAT**2:
        return _fit_map(rows, "constant", (), profit), {}
    if rows.x[rows.target == 0].max() <= rows.x[rows.target == 1].min():
        return _fit_separated(rows), {}
    if rows.smaller_class < MIN_TO_CHOOSE:
        return _fit_map(rows, "logit", (), profit), {}
    knots = place_knots(rows.x)
    candidates = {"logit": (), "beta": (), **({"spline": knots} if knots else {})}
    losses = _cross_validate(_sample(rows), candidates, profit)
    best = min(candidates, key=lambda one: losses[one].mean())
    within = (one for one in candidates if _is_within(losses[one] - losses[best]))
    name = next(within)
    means = {one: float(loss.mean()) for one, loss in losses.items()}
    return _fit_map(rows, name, candidates[name], profit), means


def _cross_validate(
    rows: CalibrationRows, candidates: dict[str, tuple[float, ...]], profit: ProfitScale | None
) -> dict[str, np.ndarray]:
    """Return the log-loss by duplicate group of each candidate, and of the scores as they are."""
    eta = {"identity": rows.x.copy(), **{one: np.empty_like(rows.x) for one in candidates}}
    for test in iter_folds(rows):
        train, part = rows.at(~test), rows.at(test)
        for name, knots in candidates.items():
            one = _fit_map(train, name, knots, profit)
            eta[name][test] = one.design(part.x, part.z) @ one.coefficients
    each = {name: rows.weight * _log_loss(one, rows.target) for name, one in eta.items()}
    count = np.bincount(rows.cluster, rows.weight)
    scale = len(count) / count.sum()
    return {name: scale * np.bincount(rows.cluster, one) for name, one in each.items()}


def _log_loss(eta: np.ndarray, target: np.ndarray) -> np.ndarray:
    return np.asarray(np.logaddexp(0, eta) - target * eta)


def _is_within(above: np.ndarray) -> bool:
    """Return whether a loss is at most one standard error above the lowest, by paired values."""
    return bool(above.mean() <= above.std(ddof=1) / np.sqrt(len(above)))


def _sample(rows: CalibrationRows) -> CalibrationRows:
    """Return the rows of at most ``MAX_TO_CHOOSE`` duplicate groups."""
    count = int(rows.cluster.max()) + 1
    if count <= MAX_TO_CHOOSE:
        return rows
    chosen = np.zeros(count, dtype=bool)
    chosen[np.random.default_rng(0).choice(count, MAX_TO_CHOOSE, replace=False)] = True
    return rows.at(chosen[rows.cluster])


# --- fits ----------------------------------------------------------------------------------------


def _fit_map(
    rows: CalibrationRows, basis: str, knots: tuple[float, ...], profit: ProfitScale | None
) -> CalibrationMap:
    empty = CalibrationMap(basis, np.zeros(0), np.zeros((0, 0)), knots, profit)
    design = empty.design(rows.x, rows.z)
    n_profit = 0 if profit is None else profit.width
    is_line = basis in ("constant", "logit") and not n_profit
    found = fit_logistic(
        design,
        rows.target,
        rows.weight,
        nonnegative=range(1, design.shape[1] - n_profit),
        ridge=0.0 if is_line else WEAK_PRECISION,
        clusters=rows.clusters,
    )
    return replace(empty, coefficients=found.coefficients, covariance=found.covariance)


def _allow_for_profit(
    one: CalibrationMap, rows: CalibrationRows, scale: ProfitScale | None
) -> CalibrationMap:
    """Return a map without profit with the mean square error of leaving it out."""
    if scale is None or one.profit is not None:
        return one
    whole = _fit_map(rows, one.basis, one.knots, scale)
    n_profit = len(whole.coefficients) - len(one.coefficients)
    left_out = np.append(np.zeros_like(one.coefficients), whole.coefficients[-n_profit:])
    return replace(
        whole,
        coefficients=np.append(one.coefficients, np.zeros(n_profit)),
        covariance=whole.covariance + np.outer(left_out, left_out),
    )


def _fit_separated(rows: CalibrationRows) -> CalibrationMap:
    """Return the line of scores that separate the classes, whose likelihood has no maximum."""
    design = np.column_stack([np.ones_like(rows.x), rows.x])
    precision = SLOPE_PRECISION / rows.x.std() ** 2
    prior = np.array([0.0, 1.0])
    found = fit_logistic(design, rows.target, rows.weight, ridge=precision, prior=prior)
    return CalibrationMap("logit", found.coefficients, found.covariance)


def _overall_share(rows: CalibrationRows) -> CalibrationMap:
    """Return Jeffreys' estimate of a constant risk where one class is missing."""
    customers = rows.weight.sum()
    share = (rows.weight @ rows.target + 0.5) / (customers + 1)
    variance = 1 / ((customers + 1) * share * (1 - share))
    return CalibrationMap("constant", np.array([special.logit(share)]), np.array([[variance]]))


def _line(rows: CalibrationRows) -> Line:
    """Return the two-parameter calibration; slope 0 if the scores tell nothing."""
    share = rows.target.mean()
    lean = np.mean((rows.target - share) * (rows.x - rows.x.mean()))
    if share in (0.0, 1.0) or np.ptp(rows.x) <= FLAT or lean <= FLAT**2:
        return Line(float(_overall_share(rows).coefficients[0]), 0.0, 0.0, 0.0)
    separated = rows.x[rows.target == 0].max() <= rows.x[rows.target == 1].min()
    one = _fit_separated(rows) if separated else _fit_map(rows, "logit", (), None)
    intercept, slope = map(float, one.coefficients)
    reach = float(special.ndtri(0.975) * np.sqrt(one.covariance[1, 1]))
    return Line(intercept, slope, slope - reach, slope + reach)


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
