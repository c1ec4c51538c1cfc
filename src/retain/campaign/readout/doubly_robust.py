"""The comparison of two arms to which customers had different chances to be assigned."""

from __future__ import annotations

import numpy as np
from scipy import special

from retain.campaign.readout.means import MeanDifference
from retain.campaign.trial.trial import Outcome, Trial

N_FOLDS = 5
MIN_ROWS_PER_COVARIATE = 10
"""Customers of an arm per covariate below which its mean stands for the regression."""
RIDGE = 1e-3


def compare_weighted(
    trial: Trial,
    outcome: Outcome,
    arms: tuple[int, int],
    alpha: float,
    covariates: np.ndarray | None = None,
) -> MeanDifference | None:
    """Return the first arm − the second, in all who could get both, weighted by 1 ÷ propensity.

    With covariates, shape (n, p), by augmented inverse propensity weighting with linear regressions
    cross-fitted by arm (Robins, Rotnitzky & Zhao 1994; Chernozhukov et al. 2018); without, by
    normalised weights (Hájek 1971). Propensities are known by design, so that both are consistent
    whatever the outcomes depend on. None if a covariate is asked for and there is none, or if the
    values are all alike, which tells no error.
    """
    if covariates is not None and covariates.shape[1] == 0:
        return None
    possible = (trial.propensity[:, arms] > 0).all(axis=1)
    rows = possible & np.isfinite(outcome.values)
    values, assigned = np.compress(rows, outcome.values), trial.arm[rows]
    scores = []
    for one in arms:
        weight = (assigned == one) / trial.propensity[rows, one]
        if covariates is None:
            mean = weight @ values / weight.sum()
            scores.append(mean + weight * (values - mean) / weight.mean())
        else:
            predicted = _predict_across(covariates[rows], values, assigned == one)
            scores.append(predicted + weight * (values - predicted))
    gap = scores[0] - scores[1]
    value, error = float(gap.mean()), float(gap.std(ddof=1) / len(gap) ** 0.5)
    if error == 0:
        return None
    freedom = min(int((assigned == one).sum()) for one in arms) - 1
    reach = error * float(special.stdtrit(freedom, 1 - alpha / 2))
    p = 2 * float(special.stdtr(freedom, -abs(value / error)))
    return MeanDifference(value, value - reach, value + reach, p, error)


def _predict_across(covariates: np.ndarray, values: np.ndarray, in_arm: np.ndarray) -> np.ndarray:
    """Return what is expected of each customer in an arm, by customers of other folds."""
    fold = np.random.default_rng(0).permutation(len(values)) % N_FOLDS
    predicted = np.empty(len(values))
    for one in range(N_FOLDS):
        train, apply = in_arm & (fold != one), fold == one
        if train.sum() < MIN_ROWS_PER_COVARIATE * covariates.shape[1]:
            predicted[apply] = values[train].mean() if train.any() else 0.0
            continue
        mean = covariates[train].mean(axis=0)
        centred = covariates[train] - mean
        gram = centred.T @ centred + RIDGE * train.sum() * np.eye(covariates.shape[1])
        slope = np.linalg.solve(gram, centred.T @ (values[train] - values[train].mean()))
        predicted[apply] = values[train].mean() + (covariates[apply] - mean) @ slope
    return predicted
