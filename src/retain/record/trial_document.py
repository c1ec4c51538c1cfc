"""``trial.json``: a randomised campaign in a table, the checks of it, and what it did."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from retain.record.documents import CautionInfo, Identity, SavedFile, optional
from retain.record.estimates import Estimate
from retain.record.looks_document import Look, LookCorrection
from retain.record.subgroups_document import TrialSubgroups
from retain.schema.parsing import Config

TRIAL_SCHEMA: Final = 2
"""Of ``trial.json``; counts up when the meaning of a key changes."""
CheckOutcome = Literal["passed", "caution", "not_tested"]


class ArmInfo(Config):
    """An arm: its customers, those whom each outcome lacks, and its cost a head.

    Attributes
    ----------
    share
        Mean planned share; the one found where none was typed.
    n_missing
        Customers without the outcome, by outcome.
    n_contacted
        Customers who were really contacted; left out if unknown.
    """

    name: str
    n_customers: int
    share: float
    cost: float
    n_missing: dict[str, int]
    n_contacted: int | None = optional()


class TrialOutcome(Config):
    """An outcome, of which more is better; ``value`` is the money that one is worth.

    ``is_reversed`` is true if less of what was observed is better, and it was turned round.
    """

    name: str
    kind: Literal["binary", "count", "money"]
    value: float | None
    is_reversed: bool = False


class SampleRatioCheck(Config):
    """The test that arms have their planned shares; ``equal`` ones where none were typed."""

    outcome: CheckOutcome
    against: Literal["typed", "equal"]
    p: float


class CovariateBalance(Config):
    """The difference of a covariate, or of the share of a level, between an arm and the control.

    ``standardised_difference`` is in standard deviations; ``p`` is not corrected for the number of
    covariates.
    """

    covariate: str
    level: str
    arm: str
    arm_mean: float
    control_mean: float
    standardised_difference: float
    p: float


class BalanceCheck(Config):
    """The test that covariates do not tell the arm, and the covariates that differ most.

    ``auc`` is that of the arm that is best told apart, on customers to whom the model was not
    fitted.
    """

    outcome: CheckOutcome
    n_covariates: int
    p: float | None
    auc: float | None
    largest: tuple[CovariateBalance, ...]


class MissingCheck(Config):
    """The test that equal shares of all arms lack the primary outcome; None if nobody does."""

    outcome: CheckOutcome
    p: float | None


class TrialChecks(Config):
    """The checks that were passed, or gave a caution; a trial that fails one has no document."""

    sample_ratio: SampleRatioCheck
    balance: BalanceCheck
    missing: MissingCheck


class RobustDifference(Config):
    """The same comparison on scales that few large values do not decide.

    Attributes
    ----------
    capped, cap
        With values above the cap counted as the cap, the 99th percentile of those above 0.
    log1p
        Of log(1 + value); left out where a value is negative.
    above_zero
        Of the share of customers with a value above 0, such as buyers.
    largest_share
        Share of the variance that the customer with the largest value makes.
    """

    capped: Estimate
    cap: float
    log1p: Estimate | None
    above_zero: Estimate
    above_zero_p: float
    largest_share: float


class ArmEffect(Config):
    """The effect of being assigned to an arm rather than to another, on an outcome.

    Attributes
    ----------
    role
        ``primary`` against the control arm on the first outcome; ``between`` two arms on it;
        ``secondary`` on another outcome.
    difference
        Arm − other, within strata.
    adjusted
        The same with covariates; left out without any or with too few customers.
    basis
        The one of these that is tested: the difference of shares, and else the adjusted one where
        there is one.
    minimum_detectable_effect
        With the power asked for at these sizes.
    p_adjusted
        For the number of tests; left out where it is not tested.
    """

    role: Literal["primary", "between", "secondary"]
    arm: str
    versus: str
    outcome: str
    n_arm: int
    n_versus: int
    arm_mean: float | None
    versus_mean: float | None
    difference: Estimate | None = optional()
    adjusted: Estimate | None = optional()
    basis: Literal["difference", "adjusted"] | None = optional()
    p: float | None = optional()
    standard_error: float | None = optional()
    minimum_detectable_effect: float | None = optional()
    robust: RobustDifference | None = optional()
    p_adjusted: float | None = optional()
    conclusion: Literal["helped", "harmed", "inconclusive", "not_tested", "not_compared"] = (
        "not_compared"
    )

    @property
    def tested_difference(self) -> Estimate | None:
        """The difference that is tested."""
        return self.adjusted if self.basis == "adjusted" else self.difference

    @property
    def is_shown(self) -> bool:
        """True if it is concluded that there is an effect."""
        return self.conclusion in {"helped", "harmed"}


class ArmNet(Config):
    """Money of an arm against the control arm, less its cost: a head, and of all in the arm."""

    arm: str
    gain: Estimate
    cost: float
    net: Estimate
    n_customers: int
    total_net: Estimate
    conclusion: Literal["paid", "lost", "inconclusive"]


class TrialDocument(Config):
    """The content of ``trial.json``.

    Attributes
    ----------
    id
        The hash of all else, by which a changed document is known.
    table
        The customers: ids, arms, outcomes and covariates.
    arms
        The control arm first.
    small_arms
        Offers of a campaign that are left out, as few customers were assigned to them.
    outcomes
        The primary one first.
    estimator
        ``stratified``, or ``doubly_robust`` where the probability of an arm varies.
    n_planned
        Customers planned in all, by which the information of a look is measured.
    n_looks, looks
        Readouts with other outcomes under this name, this one last.
    expected_effect
        The effect on the primary outcome that is hoped for, to which ``n_more`` of
        ``look_correction`` belongs; None if nobody said.
    effects
        One row per arm and outcome, and per two arms for the primary outcome.
    net
        None if it is not known what the primary outcome is worth.
    subgroups
        The effects on the primary outcome by subgroups of what was known of the customers.
    """

    schema_: Literal[2] = Field(default=TRIAL_SCHEMA, alias="schema")
    id: Identity | None = None
    name: str
    table: SavedFile
    treatment: str
    n_customers: int
    n_without_arm: int
    small_arms: tuple[str, ...] = ()
    arms: tuple[ArmInfo, ...] = Field(min_length=2)
    outcomes: tuple[TrialOutcome, ...] = Field(min_length=1)
    covariates: dict[str, str]
    alpha: float
    power: float
    n_planned: int = Field(ge=1)
    n_looks: int
    looks: tuple[Look, ...] = Field(min_length=1)
    look_correction: LookCorrection
    expected_effect: float | None
    estimator: Literal["stratified", "doubly_robust"]
    checks: TrialChecks
    effects: tuple[ArmEffect, ...]
    net: tuple[ArmNet, ...] | None
    subgroups: TrialSubgroups = TrialSubgroups()
    cautions: tuple[CautionInfo, ...] = ()

    @property
    def is_adjusted(self) -> bool:
        """True if a difference that is tested is adjusted by the covariates."""
        return any(row.basis == "adjusted" for row in self.effects)
