"""The checks that a trial passes before any effect is measured."""

from __future__ import annotations

import numpy as np
from scipy import special

from retain.campaign.trial.covariate_checks import describe_balance, find_late_covariates
from retain.campaign.trial.covariates import Encoded
from retain.campaign.trial.from_table import TrialTable
from retain.campaign.trial.randomisation import rank_tellers, run_balance_test, sample_ratio_p
from retain.campaign.trial.trial import Trial
from retain.errors import RetainError, type_value
from retain.record.trial_document import (
    BalanceCheck,
    CheckOutcome,
    CovariateBalance,
    MissingCheck,
    SampleRatioCheck,
    TrialChecks,
)
from retain.wording import format_p, format_significant

REFUSED_P, CAUTION_P = 0.001, 0.05
MAX_NAMED = 5
"""Covariates that a message names."""
MAX_LISTED = 10
"""Covariates that the document names."""


def check_trial(table: TrialTable, encoded: Encoded) -> TrialChecks:
    """Return the checks of a trial.

    Raises
    ------
    RetainError
        A covariate was known only after the campaign, the arms have not the planned shares, or
        covariates tell the arm (p < .001).
    """
    if late := find_late_covariates(table.trial, table.labels):
        raise _late_error(late, table)
    checks = run_checks(table, encoded)
    ratio, balance = checks.sample_ratio, checks.balance
    if ratio.against == "typed" and ratio.p < REFUSED_P:
        raise _ratio_error(ratio.p, table.trial)
    if balance.p is not None and balance.p < REFUSED_P:
        raise _balance_error(balance, table, encoded)
    return checks


def run_checks(table: TrialTable, encoded: Encoded) -> TrialChecks:
    """Return the checks of a trial, which refuse nothing."""
    return TrialChecks(
        sample_ratio=check_sample_ratio(table),
        balance=check_balance(table.trial, encoded),
        missing=check_missing(table.trial),
    )


def check_sample_ratio(table: TrialTable) -> SampleRatioCheck:
    """Return the check of the arms' shares.

    Where none were typed they may be equal by design: if they look so, that is said. Other shares
    may be design too, so nothing is concluded from them.
    """
    trial = table.trial
    if table.shares_are_typed:
        p = sample_ratio_p(trial, trial.propensity)
        outcome: CheckOutcome = "caution" if p < CAUTION_P else "passed"
        return SampleRatioCheck(outcome=outcome, against="typed", p=p)
    p = sample_ratio_p(trial, np.full_like(trial.propensity, 1 / len(trial.arms)))
    outcome = "not_tested" if p < CAUTION_P else "passed"
    return SampleRatioCheck(outcome=outcome, against="equal", p=p)


def check_balance(trial: Trial, encoded: Encoded) -> BalanceCheck:
    """Return the check that covariates do not tell the arm."""
    found = run_balance_test(trial, encoded)
    rows = sorted(describe_balance(trial, encoded), key=lambda row: row.p)
    outcome: CheckOutcome = "not_tested"
    if found is not None:
        outcome = "caution" if found.p < CAUTION_P else "passed"
    return BalanceCheck(
        outcome=outcome,
        n_covariates=trial.covariates.shape[1],
        p=None if found is None else found.p,
        auc=None if found is None else found.auc,
        largest=tuple(rows[:MAX_LISTED]),
    )


def check_missing(trial: Trial) -> MissingCheck:
    """Return the test that equal shares of all arms lack the primary outcome (χ²)."""
    missing = ~np.isfinite(trial.outcome.values)
    if not missing.any():
        return MissingCheck(outcome="passed", p=None)
    sizes = np.bincount(trial.arm)
    expected = sizes * missing.mean()
    gap = np.bincount(trial.arm, missing) - expected
    statistic = float((gap**2 / (expected * (1 - missing.mean()))).sum())
    p = float(special.chdtrc(len(sizes) - 1, statistic))
    return MissingCheck(outcome="caution" if p < CAUTION_P else "passed", p=p)


# --- what is refused -----------------------------------------------------------------------------


def _late_error(late: dict[str, str], table: TrialTable) -> RetainError:
    named = [table.labels[name] for name in late]
    listed = "; ".join(f"{table.labels[name]!r}: {reason}" for name, reason in late.items())
    outcomes = [*table.typed_outcomes, *named]
    return RetainError(
        f"columns that were known only after the campaign are no covariates: {listed}. To measure "
        f"the effect on them too: {type_value('outcome', outcomes)}. To leave them out: "
        f"{type_value('data.drop_columns', named)}"
    )


def _ratio_error(p: float, trial: Trial) -> RetainError:
    counts = np.bincount(trial.arm)
    expected = trial.propensity.sum(axis=0)
    listed = ", ".join(
        f"{arm!r} has {count:,} customers, {planned:,.0f} were planned"
        for arm, count, planned in zip(trial.arms, counts, expected, strict=True)
    )
    return RetainError(
        f"the arms have not the planned shares (p {format_p(p)}): {listed}. So customers were lost "
        "or assigned otherwise than said, and no difference between the arms is an effect. Find "
        "those that are lacking; if the shares were others: propensity.ARM=SHARE"
    )


def _balance_error(balance: BalanceCheck, table: TrialTable, encoded: Encoded) -> RetainError:
    named = rank_tellers(table.trial, encoded)[:MAX_NAMED]
    rows = list(describe_balance(table.trial, encoded))
    largest = [min((row for row in rows if row.covariate == one), key=_p) for one in named]
    listed = ", ".join(_describe_difference(row, table) for row in largest)
    drop = type_value("data.drop_columns", [table.labels[name] for name in named])
    return RetainError(
        f"customers were not assigned at random: covariates tell the arm (p "
        f"{format_p(balance.p or 0)}, ROC-AUC {balance.auc:.3f}), most of all {listed}. No "
        f"difference between such arms is an effect. If these were known only after the campaign: "
        f"{drop}. If customers were randomised within groups: strata=[COLUMNS]; with known "
        "chances: propensity.ARM=COLUMN"
    )


def _p(row: CovariateBalance) -> float:
    return row.p


def _describe_difference(row: CovariateBalance, table: TrialTable) -> str:
    level = f" = {row.level!r}" if row.level else ""
    means = format_significant(row.arm_mean), format_significant(row.control_mean)
    text = f"{table.labels[row.covariate]!r}{level} (mean {means[0]} in {row.arm!r}, "
    return f"{text}{means[1]} in {table.trial.arms[0]!r})"
