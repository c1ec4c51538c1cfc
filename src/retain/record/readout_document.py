"""``readout.json``: what a campaign did."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from retain.record.campaign_document import BetaEstimate
from retain.record.documents import CautionInfo, Identity, Sha256, optional
from retain.record.estimates import Estimate, PartialEstimate
from retain.record.looks_document import Look, LookCorrection
from retain.record.outcomes_log import OutcomesLogInfo
from retain.record.qini_info import QiniInfo
from retain.record.trial_document import ArmEffect
from retain.schema.parsing import Config

READOUT_SCHEMA: Final = 3
"""Of ``readout.json``; counts up when the meaning of a key changes."""
Outcome = Literal["declined", "profit"]


class ByArm(Config):
    """A number of customers in either arm."""

    treatment: int
    control: int


class ArmAttrition(Config):
    """The customers of an arm, and those of them without an outcome."""

    n_customers: int
    n_missing: int


class AttritionBounds(Config):
    """The effect if all missing customers had declined in one arm and none in the other.

    ``interval_low`` and ``interval_high`` are the outer ends of their intervals (Horowitz & Manski
    2000).
    """

    low: float
    high: float
    interval_low: float
    interval_high: float


class Attrition(Config):
    """The chosen customers without an outcome, by arm.

    ``difference`` is that of the missing shares; if it ``is_significant``, the observed arms are no
    longer comparable. ``bounds`` are None where no decline is missing.
    """

    treatment: ArmAttrition
    control: ArmAttrition
    difference: PartialEstimate
    p: float | None
    is_significant: bool
    bounds: AttritionBounds | None


class ContactCounts(Config):
    """The customers of an arm by what the file says of their contact."""

    n_contacted: int
    n_not_contacted: int
    n_unknown: int


class ComplierEffect(Config):
    """The effect of contact on customers whose contact follows the plan; or why there is none.

    ``contact_rate_difference`` is that between the arms. ``reason``: ``as_planned`` if the ratio
    would be the effect itself, ``too_few`` if the plan hardly changed who was contacted.
    """

    outcome: Outcome | None = optional()
    value: float | None = optional()
    low: float | None = optional()
    high: float | None = optional()
    contact_rate_difference: float | None = optional()
    reason: Literal["as_planned", "too_few"] | None = optional()


class Compliance(Config):
    """Contacted, not contacted and unknown by arm, and the effect on compliers."""

    treatment: ContactCounts
    control: ContactCounts
    n_against_plan: int
    complier_effect: ComplierEffect


class EffectRow(Config):
    """The effect of being assigned to treatment, of a subgroup, on an outcome.

    Attributes
    ----------
    difference
        Treatment − control, adjusted by what was planned: below 0 is good for declines, above for
        profit.
    is_adjusted
        Whether that is another than the difference of the means.
    minimum_detectable_effect
        With the campaign's power at these sizes; None if not even all against none would be seen.
    customers_saved
        Among those treated.
    """

    scope: Literal["overall", "segment", "offer"]
    name: str | None
    outcome: Outcome
    n_treated: int
    n_control: int
    treated_mean: float | None
    control_mean: float | None
    difference: Estimate | None = None
    is_adjusted: bool | None = None
    p: float | None = None
    standard_error: float | None = None
    minimum_detectable_effect: float | None = None
    customers_saved: Estimate | None = None
    p_adjusted: float | None = None
    conclusion: Literal["helped", "harmed", "inconclusive", "not_tested", "not_compared"] = (
        "not_compared"
    )


class HeterogeneityTest(Config):
    """The test that an effect is the same in all segments, or with all offers (Cochran 1954)."""

    outcome: Outcome
    scope: Literal["segment", "offer"]
    q: float
    df: int
    p: float


class CampaignMoney(Config):
    """Gain, cost and net value of the campaign in its unit.

    Attributes
    ----------
    basis
        ``observed`` profit (times the plan's margin), or ``assumed``: the profit that the plan
        expected of customers who stay and of those who decline.
    gain
        Of all treated, those without an outcome taken to be like the others.
    cost_basis
        ``stated`` if the file has costs, else ``expected``: the plan's, of those contacted.
    conclusion
        As the interval of ``net`` excludes 0.
    """

    basis: Literal["observed", "assumed"]
    per_customer: Estimate
    n_treated: int
    gain: Estimate
    cost: float
    cost_basis: Literal["stated", "expected"]
    net: Estimate
    expected_net: float
    conclusion: Literal["paid", "lost", "inconclusive"]


class SaveRateRow(Config):
    """The save rate of an offer, before and after the outcomes.

    Attributes
    ----------
    boost
        The mean factor on the save rate among those treated, by the plan.
    contact_rate_difference
        Treated − control, 1 where the file does not say who was contacted.
    prior, posterior, catalogue
        The catalogue's Beta, the mixture, and the Beta that stands for it in the next plan.
    vague_weight
        Posterior weight of the vague component; None where the posterior is the prior.
    is_conflict
        True if the outcomes contradict the prior.
    """

    offer: str
    n_treated: int
    n_control: int
    boost: float
    contact_rate_difference: float
    prior: BetaEstimate
    posterior: Estimate
    catalogue: BetaEstimate
    vague_weight: float | None
    is_conflict: bool


class ReadoutDocument(Config):
    """The content of ``readout.json``.

    Attributes
    ----------
    n_planned, n_observed
        Customers in treatment and control.
    n_unknown
        Customers of the file that are not in the campaign.
    looks
        All readouts of this campaign with other outcomes, this one last.
    heterogeneity
        Tests that the effect is the same in all segments, and with all offers.
    money
        None if too few are observed.
    explored
        The effects of offers that were drawn at random, on those who drew: more is better, for the
        outcomes are that a customer did not decline, and profit. Left out if nobody did, or few.
    catalogue
        Name of the new catalogue; None if declines are unknown.
    log
        The purchase log that the outcomes are of; None for a file of outcomes.
    """

    schema_: Literal[3] = Field(default=READOUT_SCHEMA, alias="schema")
    campaign_id: Identity
    campaign_sha256: Sha256
    profit_unit: str
    is_turnover: bool
    alpha: float
    power: float
    seed: int
    n_resamples: int
    looks: tuple[Look, ...]
    look_correction: LookCorrection
    n_planned: ByArm
    n_observed: ByArm
    n_unknown: int
    attrition: Attrition
    compliance: Compliance | None
    effects: tuple[EffectRow, ...]
    heterogeneity: tuple[HeterogeneityTest, ...]
    money: CampaignMoney | None
    explored: tuple[ArmEffect, ...] | None = optional()
    qini: QiniInfo
    save_rates: tuple[SaveRateRow, ...]
    catalogue: str | None
    cautions: tuple[CautionInfo, ...] = ()
    log: OutcomesLogInfo | None = None
