"""Effect of being assigned to one arm of a trial rather than to another (intention to treat)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from retain.campaign.proportions import null_error
from retain.campaign.readout.doubly_robust import compare_weighted
from retain.campaign.readout.effects import (
    MIN_CUSTOMERS,
    MIN_PROFITS_PER_ARM,
    compare_arms,
    detectable_standard_errors,
    normal_quantile,
    pool_tiny_strata,
)
from retain.campaign.readout.gatekeeping import conclude_arms
from retain.campaign.readout.means import MeanDifference, estimate_mean_difference
from retain.campaign.readout.strata import count_by_stratum, merge_small_strata
from retain.campaign.readout.trial_looks import TrialMonitor
from retain.campaign.trial.covariates import Encoded
from retain.campaign.trial.trial import Outcome, Trial
from retain.record.estimates import Estimate
from retain.record.trial_document import ArmEffect, RobustDifference

MAX_SHARE_RANGE = 0.02
"""Range of an arm's probability over customers above which they are weighted by it."""
CAP_QUANTILE = 0.99
"""Of the values above 0, at which larger ones are capped."""
Role = Literal["primary", "between", "secondary"]


def estimate_arm_effects(
    trial: Trial, encoded: Encoded, *, alpha: float, power: float
) -> tuple[ArmEffect, ...]:
    """Return the effects of all arms on all outcomes, with conclusions, at one look.

    A binary outcome is compared by Newcombe's interval, within strata by Mantel and Haenszel's; a
    count or money by means within strata, adjusted by the covariates (Lin 2013).
    """
    rows = compare_all_arms(trial, encoded, TrialMonitor.once(trial, alpha), power)
    return conclude_arms(rows, alpha)


def compare_all_arms(
    trial: Trial, encoded: Encoded, monitor: TrialMonitor, power: float
) -> list[ArmEffect]:
    """Return the effects without conclusions; intervals count all looks, p is of this one alone."""
    covariates, rows = standardise_columns(encoded.matrix), []
    for role, arm, versus, outcome in _iter_contrasts(trial):
        one = monitor.of(trial.arms[arm], trial.arms[versus], outcome.name)
        comparison = ArmComparison(trial, covariates, one.level)
        row = comparison.compare(role, arm, versus, outcome, robust=role != "between")
        level = one.divide(len(trial.arms) - 1).level
        errors = detectable_standard_errors(level, power)
        rows.append(_with_detectable_effect(row, errors, outcome))
    return rows


def _iter_contrasts(trial: Trial) -> Iterator[tuple[Role, int, int, Outcome]]:
    primary, *others = trial.outcomes.values()
    arms = range(1, len(trial.arms))
    yield from (("primary", arm, 0, primary) for arm in arms)
    yield from (
        ("between", arm, versus, primary) for arm, versus in itertools.combinations(arms, 2)
    )
    yield from (("secondary", arm, 0, outcome) for outcome in others for arm in arms)


def _with_detectable_effect(row: ArmEffect, errors: float, outcome: Outcome) -> ArmEffect:
    if row.standard_error is None or row.arm_mean == row.versus_mean in (0.0, 1.0):
        return row  # of what never or always happens, the noise is not known
    detectable = errors * row.standard_error
    is_possible = outcome.kind != "binary" or detectable <= 1
    return row.model_copy(update={"minimum_detectable_effect": detectable if is_possible else None})


def standardise_columns(matrix: np.ndarray) -> np.ndarray:
    """Return columns, shape (n, p), with mean 0 and standard deviation 1; constant ones are 0."""
    spread = matrix.std(axis=0)
    return np.asarray((matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def propensity_varies(trial: Trial) -> bool:
    """Return whether those who could get an arm had so different chances that they are weighted."""
    possible = trial.propensity > 0
    low = np.where(possible, trial.propensity, np.inf).min(axis=0)
    return bool((trial.propensity.max(axis=0) - low).max() > MAX_SHARE_RANGE)


@dataclass(frozen=True)
class ArmComparison:
    """Comparisons of two arms of a trial; ``covariates`` are standardised, shape (n, p)."""

    trial: Trial
    covariates: np.ndarray
    alpha: float

    def compare(
        self, role: Role, arm: int, versus: int, outcome: Outcome, *, robust: bool = True
    ) -> ArmEffect:
        """Return the effect of an arm against another one, without a conclusion.

        ``robust`` adds scales that few large values do not decide, for all but binary outcomes.
        """
        possible = (self.trial.propensity[:, [arm, versus]] > 0).all(axis=1)
        rows = possible & np.isin(self.trial.arm, (arm, versus)) & np.isfinite(outcome.values)
        treated, values = self.trial.arm[rows] == arm, np.compress(rows, outcome.values)
        arms = values[treated], values[~treated]
        means = [float(one.mean()) if len(one) else None for one in arms]
        row = ArmEffect(
            role=role,
            arm=self.trial.arms[arm],
            versus=self.trial.arms[versus],
            outcome=outcome.name,
            n_arm=len(arms[0]),
            n_versus=len(arms[1]),
            arm_mean=means[0],
            versus_mean=means[1],
        )
        least = 1 if outcome.kind == "binary" else MIN_PROFITS_PER_ARM
        if len(values) < MIN_CUSTOMERS or min(len(one) for one in arms) < least:
            return row
        stratum = merge_small_strata(self.trial.stratum[rows], treated)
        if propensity_varies(self.trial):
            plain, adjusted = (
                compare_weighted(self.trial, outcome, (arm, versus), self.alpha, covariates)
                for covariates in (None, self.covariates)
            )
        else:
            plain = self._compare_plainly(values, treated, stratum, outcome)
            adjusted = self._adjust(values, treated, stratum, rows)
        other = None
        if robust and outcome.kind != "binary":
            other = compare_robustly(values, treated, stratum, self.alpha)
        return _fill(row, plain, adjusted, other, prefers_plain=self._prefers_plain(outcome))

    def _prefers_plain(self, outcome: Outcome) -> bool:
        return outcome.kind == "binary" and not propensity_varies(self.trial)

    def _compare_plainly(
        self, values: np.ndarray, treated: np.ndarray, stratum: np.ndarray, outcome: Outcome
    ) -> MeanDifference | None:
        if outcome.kind == "binary":
            return compare_shares(values, treated, stratum, self.alpha)
        return estimate_mean_difference(values, treated, stratum, self.alpha)

    def _adjust(
        self, values: np.ndarray, treated: np.ndarray, stratum: np.ndarray, rows: np.ndarray
    ) -> MeanDifference | None:
        covariates = self.covariates[rows]
        if covariates.shape[1] == 0:
            return None
        return estimate_mean_difference(values, treated, stratum, self.alpha, covariates)


def compare_shares(
    events: np.ndarray, treated: np.ndarray, stratum: np.ndarray, alpha: float
) -> MeanDifference:
    """Return the difference of two shares within strata, by Newcombe or Mantel and Haenszel."""
    z = normal_quantile(alpha)
    counts = pool_tiny_strata(count_by_stratum(events, treated, stratum), z)
    value, low, high, p = (float(end) for end in compare_arms(counts, z))
    return MeanDifference(value, low, high, p, float(null_error(*counts)))


def compare_robustly(
    values: np.ndarray, treated: np.ndarray, stratum: np.ndarray, alpha: float
) -> RobustDifference | None:
    """Return the comparison on other scales; None if all values are the same."""
    spread = values - np.where(treated, values[treated].mean(), values[~treated].mean())
    above = values[values > 0]
    if not spread.any() or len(above) == 0:
        return None
    cap = float(np.quantile(above, CAP_QUANTILE))
    capped = estimate_mean_difference(np.minimum(values, cap), treated, stratum, alpha)
    log1p = None
    if values.min() >= 0:
        log1p = estimate_mean_difference(np.log1p(values), treated, stratum, alpha)
    share = compare_shares((values > 0).astype(float), treated, stratum, alpha)
    if capped is None:
        return None
    return RobustDifference(
        capped=_interval(capped),
        cap=cap,
        log1p=None if log1p is None else _interval(log1p),
        above_zero=_interval(share),
        above_zero_p=share.p,
        largest_share=float((spread**2).max() / (spread @ spread)),
    )


def _interval(found: MeanDifference) -> Estimate:
    return Estimate(found.value, found.low, found.high)


def _fill(
    row: ArmEffect,
    plain: MeanDifference | None,
    adjusted: MeanDifference | None,
    robust: RobustDifference | None,
    *,
    prefers_plain: bool,
) -> ArmEffect:
    """Return a row with what was estimated; p is that of the estimate fixed beforehand."""
    if plain is None:
        return row
    tested, basis = plain, "difference"
    if adjusted is not None and not prefers_plain:
        tested, basis = adjusted, "adjusted"
    return row.model_copy(
        update={
            "difference": _interval(plain),
            "adjusted": None if adjusted is None else _interval(adjusted),
            "basis": basis,
            "p": tested.p,
            "standard_error": tested.standard_error,
            "robust": robust,
        }
    )
