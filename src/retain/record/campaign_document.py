"""``campaign.json``: the plan in numbers, for programs and for the page, which adds none."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from retain.record.approval_document import (
    ApprovalRow,
    CareInfo,
    KeptCustomers,
    KnownClass,
    Policies,
    SegmentOffersInfo,
)
from retain.record.control_group import ControlGroup
from retain.record.documents import CautionInfo, Identity, Sha256, optional
from retain.record.effects_document import PlanEffectsInfo
from retain.record.estimates import DisplayName, Estimate
from retain.record.exploration_info import ExplorationInfo
from retain.record.plan_scenarios import (
    BudgetPoint,
    EmpcInfo,
    PowerInfo,
    ProfitCurve,
    Sensitivity,
    ShadowPrices,
)
from retain.record.segments_document import CalibrationCheck, RecalibrationInfo
from retain.schema.parsing import Config
from retain.schema.scoring import CampaignSettings

CAMPAIGN_SCHEMA: Final = 3
"""Of ``campaign.json``; counts up when the meaning of a key changes."""


class NamedAssumption(Config):
    """An assumption of the plan with its range."""

    name: str
    value: float
    low: float
    high: float


class Concentration(Config):
    """The share of the profit at risk of the first ``n_first`` customers, and what is much."""

    n_first: int
    share: float
    limit: float


class BetaEstimate(Config):
    """A Beta distribution on ``minimum`` to 1, with its mean and interval."""

    alpha: float
    beta: float
    minimum: float
    value: float
    low: float
    high: float


class OfferInfo(Config):
    """An offer of the catalogue, and the customers it is for.

    Attributes
    ----------
    n_chosen
        Customers chosen for it: ``n_treated`` and ``n_control``.
    expected_cost, expected_saved, expected_net
        Of the treated.
    shadow_price
        The gain from one more place; None without a capacity, or where another limit binds.
    break_even_save_rate, break_even_contact_cost
        At which the offer to the treated brings nothing.
    """

    name: str
    label: DisplayName
    channel: str
    needs_consent: bool
    n_eligible: int
    n_chosen: int
    n_treated: int
    n_control: int
    expected_cost: float
    expected_saved: float
    expected_net: Estimate
    capacity: int | None
    shadow_price: float | None
    save_rate: BetaEstimate
    break_even_save_rate: float | None
    break_even_contact_cost: float | None


class UnmetMinimum(Config):
    """A segment whose minimum needs more customers than an offer pays for."""

    segment: str
    minimum: int
    n_paying: int
    n_treated: int


class PlanTotals(Config):
    """The totals of the plan.

    ``relative_gap`` is that to the best possible plan, as a share of it. In a learning campaign
    ``method`` is ``random``, and neither it nor ``is_optimal`` says anything. ``segment_offers`` is
    None for a free plan, ``kept`` unless each customer counts as one.
    """

    segment_offers: SegmentOffersInfo | None
    kept: KeptCustomers | None
    n_chosen: int
    n_treated: int
    n_control: int
    n_paying: int
    expected_cost: float
    budget: float | None
    max_contacts: int | None
    unmet_minimums: tuple[UnmetMinimum, ...]
    expected_saved: float
    expected_net: Estimate
    relative_gap: float
    method: str
    is_optimal: bool


class ChannelInfo(Config):
    """The contacts of a channel, and their cost."""

    channel: str
    n_treated: int
    expected_cost: float


class RiskByProfit(Config):
    """Counts and profit at risk in cells of risk and profit.

    Attributes
    ----------
    risk_edges, profit_edges
        Bounds of the columns and of the rows; a cell holds its lower bound.
    n_customers, profit_at_risk
        One row per fifth of profit, lowest first, with one number per column of risk.
    n_high, high_share
        Customers who are more likely to decline than not, and their share of the profit at risk.
    """

    risk_edges: tuple[float, ...]
    profit_edges: tuple[float, ...]
    n_customers: tuple[tuple[int, ...], ...]
    profit_at_risk: tuple[tuple[float, ...], ...]
    n_high: int
    high_share: float


class OverviewInfo(Config):
    """The numbers of the page's first screen.

    Attributes
    ----------
    n_declined
        Customers labelled as declined; None if nobody knows.
    expected_declines
        The sum of all risks.
    at_risk_share
        The profit at risk as a share of what all customers would bring in that time.
    net_share
        The net value of the plan as a share of the profit of all in one month.
    channels
        Most contacts first.
    """

    n_declined: int | None
    expected_declines: Estimate
    at_risk_share: float | None
    net_share: float | None
    channels: tuple[ChannelInfo, ...]
    risk_by_profit: RiskByProfit


class CampaignDocument(Config):
    """The content of ``campaign.json``, and ``campaign`` of ``verdict.json`` with fewer keys.

    Attributes
    ----------
    id
        Hash of all the rest.
    seed
        Seed of the control group and of the simulation.
    n_customers, n_contactable
        All customers, and those who agreed to be contacted.
    consent
        Who says that customers agreed.
    ranking
        Whether the ranking is shown to beat chance.
    free_offers
        Offers without any cost, which ``offers.costs=accept`` lets pass.
    objective
        Where no profit is known, each customer counts as one.
    profit_unit
        Unit of all money, in words or in words by language; ``customers`` if these are counted.
    is_turnover
        True if money is turnover, because no margin is typed.
    basis
        Where costs and save rates come from, as the catalogue says.
    approval, known_classes
        The plan by segment and by known class; None if nobody knows the class.
    calibration_check
        Observed beside expected declines; None for customers without outcomes.
    expected_profit_at_risk, observed_profit_at_risk
        Of all customers; of those who declined, None for customers without outcomes.
    profit_concentration
        How much of it the first customer or the first 1 % carries.
    n_missing_profit
        Customers whose profit is missing and counts as 0.
    n_simulations
        Of the Monte Carlo.
    profit_curve, empc, shadow_prices, sensitivity, budget_curve
        Further plans: at other numbers of customers, under other limits and assumptions, and at
        budgets from small to saturation; None or empty where they were not computed.
    effects
        The effects of offers measured in earlier campaigns; None if all are assumed.
    exploration
        The customers whose offer was drawn at random; left out if nobody was asked to explore.
    files
        SHA-256 of the tables beside ``campaign.json``.
    settings
        Segmentation, assumptions, offers and campaign as they were configured.
    """

    id: Identity | None = optional()
    schema_: Literal[3] | None = optional(alias="schema")
    seed: int
    n_customers: int
    n_contactable: int
    consent: Literal["from_data", "assume_given", "not_stated"]
    ranking: Literal["shown", "not_shown", "not_tested"]
    free_offers: tuple[str, ...]
    objective: Literal["profit", "customers"]
    profit_unit: str | DisplayName
    basis: DisplayName | None
    policies: Policies
    care: tuple[CareInfo, ...]
    approval: tuple[ApprovalRow, ...] = ()
    known_classes: tuple[KnownClass, ...] | None = None
    is_turnover: bool = False
    assumptions: tuple[NamedAssumption, ...]
    recalibration: RecalibrationInfo
    calibration_check: CalibrationCheck | None
    expected_profit_at_risk: Estimate
    observed_profit_at_risk: Estimate | None
    profit_concentration: Concentration
    n_missing_profit: int
    n_simulations: int
    offers: tuple[OfferInfo, ...]
    plan: PlanTotals
    control_group: ControlGroup
    power: PowerInfo
    overview: OverviewInfo
    profit_curve: ProfitCurve | None = None
    empc: EmpcInfo | None = None
    shadow_prices: ShadowPrices | None = None
    sensitivity: Sensitivity | None = None
    budget_curve: tuple[BudgetPoint, ...] = ()
    effects: PlanEffectsInfo | None = None
    exploration: ExplorationInfo | None = optional()
    cautions: tuple[CautionInfo, ...] = ()
    files: dict[str, Sha256] | None = optional()
    settings: CampaignSettings | None = optional()

    @property
    def is_learning(self) -> bool:
        """True for a learning campaign: customers and offers are drawn at random."""
        return self.exploration is not None and self.exploration.is_learning


class NoCampaignInfo(Config):
    """The reason why no campaign was planned.

    ``overrides`` are what to type instead, one of these lines; empty if nothing helps.
    """

    reason: Annotated[str, Field(min_length=1)]
    code: str
    overrides: tuple[str, ...]
