"""Covariates of a trial one by one: differences between the arms, and what was known too late."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from scipy import special

from retain.campaign.trial.covariates import Encoded
from retain.campaign.trial.trial import Outcome, Trial
from retain.customers.checks.univariate_auc import UnivariateAuc, category_auc, number_auc
from retain.record.trial_document import CovariateBalance

LATE_AUC = 0.95
"""ROC-AUC at which a covariate alone tells an outcome: no customer's past does."""
LATE_WORDS = ("after", "outcome", "после")
"""Words that an outcome and a covariate share if both were known only later."""


def describe_balance(trial: Trial, encoded: Encoded) -> Iterator[CovariateBalance]:
    """Yield the difference of each column of covariates between each arm and the control arm.

    Within strata, in standard deviations of the control arm and the arm together; p is of a z-test.
    """
    for arm in range(1, len(trial.arms)):
        rows = (trial.arm == arm) | (trial.arm == 0)
        treated, values = trial.arm[rows] == arm, encoded.matrix[rows]
        stratum = np.unique(trial.stratum[rows], return_inverse=True)[1]
        weight = _overlap_weights(treated, stratum)
        means = [_weighted_means(values[one], weight[one]) for one in (treated, ~treated)]
        spread = np.sqrt(sum(values[one].var(axis=0) for one in (treated, ~treated)) / 2)
        error = np.sqrt(
            sum(
                (weight[one] ** 2) @ (values[one] - mean) ** 2 / weight[one].sum() ** 2
                for one, mean in zip((treated, ~treated), means, strict=True)
            )
        )
        gap = means[0] - means[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            standardised = np.where(spread > 0, gap / spread, 0.0)
            p = np.where(error > 0, 2 * special.ndtr(-np.abs(gap) / error), 1.0)
        for index, name in enumerate(encoded.covariate):
            yield CovariateBalance(
                covariate=name,
                level=encoded.level[index],
                arm=trial.arms[arm],
                arm_mean=float(means[0][index]),
                control_mean=float(means[1][index]),
                standardised_difference=float(standardised[index]),
                p=float(p[index]),
            )


def _overlap_weights(treated: np.ndarray, stratum: np.ndarray) -> np.ndarray:
    """Return weights by which both arms have the same strata, shape (n,)."""
    share = (np.bincount(stratum, treated) / np.bincount(stratum))[stratum]
    return np.asarray(np.where(treated, 1 - share, share))


def _weighted_means(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    total = weight.sum()
    return np.asarray(weight @ values / total) if total > 0 else np.zeros(values.shape[1])


def find_late_covariates(trial: Trial, labels: Mapping[str, str]) -> dict[str, str]:
    """Return covariates that were known only after the campaign, with the reason.

    They tell an outcome alone, or share a word such as "after" with the name of one.
    """
    late: dict[str, str] = {}
    words = {word for name in trial.outcomes for word in _words(name) & {*LATE_WORDS}}
    happened = {name: _happened(outcome) for name, outcome in trial.outcomes.items()}
    for name, cells in trial.covariates.items():
        shared = _words(labels[str(name)]) & words
        if shared:
            late[str(name)] = f"its name has the word {min(shared)!r}, as that of an outcome"
            continue
        for outcome, (rows, target) in happened.items():
            auc = _separation(cells[rows], target)
            if auc.exceeds(LATE_AUC):
                late[str(name)] = f"it alone tells {outcome} (ROC-AUC {auc.separation:.3f})"
    return late


def _words(name: str) -> set[str]:
    return set(re.findall(r"[^\W_\d]+", name.casefold()))


def _happened(outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
    """Return the customers with an outcome, and whether it is not 0, or is above its median."""
    rows = np.isfinite(outcome.values)
    values = np.compress(rows, outcome.values)
    is_zero = values == 0
    happened = ~is_zero if is_zero.any() else values > np.median(values)
    return rows, happened.astype(np.int64)


def _separation(cells: pd.Series, target: np.ndarray) -> UnivariateAuc:
    if pd.api.types.is_numeric_dtype(cells):
        return number_auc(cells.reset_index(drop=True), target)
    return category_auc(cells.reset_index(drop=True), target)
