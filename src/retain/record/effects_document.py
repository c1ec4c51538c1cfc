"""The content of ``effects.json``: effects learned from campaigns, and plans judged by them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from retain.record.documents import CautionInfo, Sha256
from retain.record.estimates import Estimate
from retain.schema.parsing import Config

EFFECTS_SCHEMA: Literal[1] = 1


class ArmEffectInfo(Config):
    """The effect of an arm, and the evidence that it differs between customers.

    Attributes
    ----------
    mean
        In the unit of the outcome; all arms' intervals hold together.
    shrinkage
        Factor on the learned differences from the mean: 0 where none are shown, at most 1.
    slope, p
        Of the calibration test: 1 if the predicted differences are right; one-sided p of no
        heterogeneity, corrected for the number of arms. None with one effect for everybody.
    autoc, autoc_p
        The area under the targeting curve, and its p value likewise.
    """

    arm: str
    mean: Estimate
    shrinkage: float
    slope: Estimate | None
    p: float | None
    autoc: Estimate | None
    autoc_p: float | None


class EffectSource(Config):
    """A campaign from which effects were learned: its name, and the hash of its customers."""

    name: str
    sha256: Sha256
    n_customers: int


class MeasuredOfferInfo(Config):
    """An offer whose measured effect takes the place of the assumed save rate.

    Attributes
    ----------
    effect
        Its mean on the customers it was tried on.
    p, shrinkage
        Of no heterogeneity, None with one effect for everybody; factor on the differences that were
        learned, 0 where none are shown.
    n_customers
        Customers who could get it, with an outcome.
    n_unlike
        Customers of this plan who are unlike these, and do not get it.
    n_harmed
        Customers like these on whom its effect is not above 0, and who do not get it.
    """

    offer: str
    effect: Estimate
    p: float | None
    shrinkage: float
    n_customers: int
    n_unlike: int
    n_harmed: int

    @property
    def is_harm_shown(self) -> bool:
        """True if effects are shown to differ, or their mean is shown to be below 0."""
        return self.shrinkage > 0 or self.effect.high < 0


class PlanEffectsInfo(Config):
    """The measured effects of a plan, and where they come from.

    Attributes
    ----------
    unit
        Of effects: ``declines`` is a fall of the decline rate, ``money`` is per customer.
    is_heterogeneous
        Whether effects are shown to differ between customers.
    prior_offers
        Offers of the catalogue that nobody tried, which keep their assumed save rate.
    small_offers
        Offers that were tried on too few customers to learn from, and keep it too.
    unknown_arms
        Arms of the campaigns that are no offer of the catalogue.
    unshared_covariates
        What is known in some of the campaigns only, and not learned from.
    """

    learner: Literal["mean", "t_learner", "dr_learner"]
    outcome: str
    unit: Literal["declines", "money"]
    is_heterogeneous: bool
    sources: tuple[EffectSource, ...]
    offers: tuple[MeasuredOfferInfo, ...]
    prior_offers: tuple[str, ...]
    small_offers: tuple[str, ...] = ()
    unknown_arms: tuple[str, ...]
    unshared_covariates: tuple[str, ...]


class CalibrationBand(Config):
    """A fifth of the customers by predicted effect, and the effect on them, intervals together.

    ``predicted`` is the mean of effects out of fold, after shrinkage.
    """

    arm: str
    band: int
    n: int
    predicted: float
    effect: Estimate


class SubgroupEffectInfo(Config):
    """The mean effect of an arm on the ``n`` customers of a subgroup; intervals hold together."""

    subgroup: str
    arm: str
    n: int
    effect: Estimate


class PolicyRow(Config):
    """The value of a policy beyond contacting nobody, a head and in all."""

    policy: str
    value: Estimate
    total: Estimate
    contacted_share: float
    cost: float
    is_tied: bool


class PolicyDifferenceInfo(Config):
    """Net value a head of the first policy less the second's."""

    first: str
    second: str
    value: Estimate


class ShareCurvePoint(Config):
    """Net value a head of contacting a share of the customers, in the order of a ranking.

    ``band`` holds the whole of all curves together.
    """

    ranking: str
    share: float
    value: Estimate
    band: Estimate


class NextArmInfo(Config):
    """Customers of the next campaign who get an arm."""

    arm: str
    n_customers: int


class NextCampaignInfo(Config):
    """The plan of the next campaign.

    Attributes
    ----------
    policy
        The policy that was chosen by the trial.
    n_unlike
        Customers unlike those of the trial, who get no arm.
    n_no_consent
        Customers who did not agree to be contacted.
    n_left_out
        Customers of the file beside these, whose cells cannot be read.
    arms
        Every arm but the control.
    cost, net
        Of all customers, in the unit of the policies' values: the net value is that of a contact by
        this policy in the trial.
    """

    file: str
    policy: str
    n_customers: int
    n_unlike: int
    n_no_consent: int
    arms: tuple[NextArmInfo, ...]
    cost: float
    net: Estimate
    n_left_out: int = 0


class EffectsDocument(Config):
    """The content of ``effects.json``.

    Attributes
    ----------
    outcome
        The outcome whose effects were learned.
    n_customers
        With an observed outcome.
    is_heterogeneous
        Whether effects are shown to differ between customers at level ``alpha``.
    calibration
        Of the arms whose predicted effects differ; empty without any.
    unit
        Of net values and costs; None for the outcome's own.
    chosen
        The simplest of the policies tied with the best.
    next_campaign
        Its plan for other customers; None without any.
    """

    schema_: Literal[1] = Field(default=EFFECTS_SCHEMA, alias="schema")
    learner: Literal["mean", "t_learner", "dr_learner"]
    outcome: str
    unit: str | None
    alpha: float
    seed: int
    n_folds: int
    n_customers: int
    control: str
    arms: tuple[ArmEffectInfo, ...]
    is_heterogeneous: bool
    calibration: tuple[CalibrationBand, ...]
    subgroups: tuple[SubgroupEffectInfo, ...]
    policies: tuple[PolicyRow, ...]
    differences: tuple[PolicyDifferenceInfo, ...]
    chosen: str
    curve: tuple[ShareCurvePoint, ...]
    next_campaign: NextCampaignInfo | None = None
    cautions: tuple[CautionInfo, ...] = ()
