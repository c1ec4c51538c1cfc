"""Effects of a trial's arms within subgroups, and tests that they differ between these.

The tests are a family of their own, corrected by Holm (1979): the probability that any covariate is
said to change an effect, if none does, is at most α. So are the intervals, corrected by Bonferroni:
all of them hold the truth at once in 1 − α of trials.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import product

import numpy as np

from retain.campaign.readout.arm_effects import ArmComparison, standardise_columns
from retain.campaign.readout.effects import normal_quantile
from retain.campaign.readout.looks import Monitor
from retain.campaign.trial.covariates import Encoded
from retain.campaign.trial.subgroups import CovariateSplit, split_customers
from retain.campaign.trial.trial import Trial
from retain.record.estimates import Estimate
from retain.record.subgroups_document import InteractionTest, SubgroupRow, TrialSubgroups
from retain.verdict.paired import holm


def estimate_subgroups(
    trial: Trial, encoded: Encoded, monitor: Monitor, dates: Collection[str] = ()
) -> TrialSubgroups:
    """Return the effect of each arm on the primary outcome by subgroup, and where it differs.

    Everybody counts in the arm that they were assigned to, and is compared with the control
    customers of the same subgroup as all customers are (``estimate_arm_effects``). Looks are
    counted as ``monitor`` says, as if each subgroup had the whole trial's share of information.
    ``dates`` are covariates in days since 1970.
    """
    splits, beyond = split_customers(trial.covariates, dates)
    pairs = list(product(splits, range(1, len(trial.arms))))
    n_rows = sum(len(split.names) for split, _ in pairs)
    monitor = monitor.at_any_look
    level = monitor.divide(n_rows).level
    families = [
        list(_compare_subgroups(trial, encoded.matrix, split, arm, level)) for split, arm in pairs
    ]
    tests = [
        compare_subgroup_effects(split.covariate, trial.arms[arm], rows, level, monitor)
        for (split, arm), rows in zip(pairs, families, strict=True)
    ]
    rows = tuple(row for family in families for row in family)
    return TrialSubgroups(tests=_correct(tests, monitor.alpha), rows=rows, beyond=beyond)


def _compare_subgroups(
    trial: Trial, matrix: np.ndarray, split: CovariateSplit, arm: int, level: float
) -> Iterator[SubgroupRow]:
    """Yield the effect of an arm in each subgroup, with an interval of 1 − ``level``."""
    for index, name in enumerate(split.names):
        rows = split.code == index
        part = trial.take(rows)
        covariates = standardise_columns(matrix[rows])
        if part.outcome.kind == "binary":  # whose differences are not adjusted
            covariates = covariates[:, :0]
        comparison = ArmComparison(part, covariates, level)
        found = comparison.compare("primary", arm, 0, part.outcome, robust=False)
        yield SubgroupRow(
            covariate=split.covariate,
            subgroup=name.text,
            kind=name.kind,
            arm=found.arm,
            n_arm=found.n_arm,
            n_versus=found.n_versus,
            arm_mean=found.arm_mean,
            versus_mean=found.versus_mean,
            difference=found.tested_difference,
            basis=found.basis,
        )


def compare_subgroup_effects(
    covariate: str, arm: str, rows: Sequence[SubgroupRow], level: float, monitor: Monitor
) -> InteractionTest:
    """Return Cochran's (1954) Q of effects whose errors are read off intervals of 1 − ``level``.

    The distance of an effect from the mean is taken in units of the interval's reach to that side
    (the variance recovered from the limits: Zou & Donner 2008), so that the test is as right for
    few events and for skewed money as the intervals are.
    """
    gaps = [row.difference for row in rows if row.difference is not None]
    test = InteractionTest(
        covariate=covariate,
        arm=arm,
        q=None,
        df=max(len(gaps) - 1, 0),
        p=None,
        p_adjusted=None,
        is_shown=False,
    )
    if len(gaps) < 2:
        return test
    q = _find_q(gaps, normal_quantile(level))
    return test.model_copy(update={"q": q, "p": monitor.correct_chi2(q, test.df)})


def _find_q(gaps: Sequence[Estimate], z: float) -> float:
    value, low, high = (
        np.array([getattr(gap, end) for gap in gaps]) for end in ("value", "low", "high")
    )
    weight = 1 / (high - low) ** 2
    deviation = value - weight @ value / weight.sum()
    reach = np.where(deviation > 0, value - low, high - value) / z
    differs = np.abs(deviation) > 1e-12 * np.abs(value)
    return float(((deviation[differs] / reach[differs]) ** 2).sum())


def _correct(tests: Sequence[InteractionTest], alpha: float) -> tuple[InteractionTest, ...]:
    """Return the tests with Holm's p, and whether they show a difference."""
    adjusted = iter(holm(np.array([test.p for test in tests if test.p is not None])))
    p_adjusted = [None if test.p is None else float(next(adjusted)) for test in tests]
    return tuple(
        test.model_copy(update={"p_adjusted": p, "is_shown": p is not None and p < alpha})
        for test, p in zip(tests, p_adjusted, strict=True)
    )
