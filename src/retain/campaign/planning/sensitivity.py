"""Effect of other limits and other assumptions on the plan."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from retain.campaign.allocation.allocate import Problem, allocate
from retain.campaign.audience import Audience
from retain.campaign.offers.offers import (
    OfferMatrix,
    evaluate_offers,
    reprice_offers,
    scale_catalogue_costs,
)
from retain.campaign.offers.save_rate import save_rate_quantiles
from retain.campaign.planning.budget_curve import TreatedShares, allocate_or_none, count_chosen
from retain.campaign.planning.exploration import Exploration
from retain.campaign.planning.plan import CampaignPlan, build_problem
from retain.record.plan_scenarios import (
    BudgetPrice,
    ConsentPrice,
    ControlPrice,
    Sensitivity,
    SensitivityRow,
    ShadowPrices,
)
from retain.schema.campaign import Assumption, Beta, Catalogue
from retain.schema.scoring import CampaignSettings


def compute_shadow_prices(
    plan: CampaignPlan, audience: Audience, settings: CampaignSettings
) -> ShadowPrices:
    """Return the expected net value that limits, missing consent and the control group cost."""
    planning, control = settings.campaign, plan.control.is_control
    return ShadowPrices(
        budget=None if planning.budget is None else _price_budget(plan, planning.budget),
        contact=None if planning.max_contacts is None else _price_contact(plan),
        consent=_consent_gain(plan, audience, settings),
        control_group=ControlPrice(
            n_customers=int(control.sum()),
            cost=plan.control_cost if control.any() else 0.0,
        ),
    )


def price_capacity(plan: CampaignPlan, index: int) -> float | None:
    """Return the gain from one more place of an offer; None if the first place adds nothing."""
    capacity = np.array(plan.problem.capacity, dtype=float)
    if capacity[index] > 0:
        return float(plan.allocation.capacity_prices[index])
    capacity[index] = 1
    return _gain_of_first(plan, replace(plan.problem, capacity=capacity))


def _price_contact(plan: CampaignPlan) -> float | None:
    if plan.problem.max_contacts:
        return plan.allocation.contact_price
    return _gain_of_first(plan, replace(plan.problem, max_contacts=1))


def _price_budget(plan: CampaignPlan, budget: float) -> BudgetPrice:
    """Return the price of one unit, and of a step of about a tenth of the budget.

    Of a budget that pays for nobody the step is a power of ten that pays for somebody.
    """
    offers, price = plan.offers, plan.allocation.budget_price
    cheapest = offers.cost[offers.pays & (offers.cost > 0)].min(initial=np.inf)
    if cheapest <= budget or not np.isfinite(cheapest):
        step = 10.0 ** math.floor(math.log10(budget / 10)) if budget > 0 else 1.0
        return BudgetPrice(price=price, step=step, gain=price * step)
    step = 10.0 ** math.ceil(math.log10(cheapest))
    gain = _gain_of_first(plan, replace(plan.problem, budget=step))
    return BudgetPrice(price=None if gain is None else gain / step, step=step, gain=gain)


def _gain_of_first(plan: CampaignPlan, looser: Problem) -> float | None:
    """Return what a looser limit adds to the plan; None if nothing."""
    other = allocate_or_none(looser)
    gain = 0.0 if other is None else other.objective - plan.allocation.objective
    return gain if gain > 0 else None


def _consent_gain(
    plan: CampaignPlan, audience: Audience, settings: CampaignSettings
) -> ConsentPrice | None:
    """Return the gain if all customers without consent gave it; None if there are none."""
    n_without = int((~audience.table["contactable"]).sum())
    if n_without == 0:
        return None
    planning = settings.campaign
    consenting = replace(audience, table=audience.table.assign(contactable=True))
    offers = evaluate_offers(
        settings.offers, consenting, settings.assumptions, planning, plan.offers.measured
    )
    if plan.segment_offers is not None:
        offers = replace(offers, eligible=plan.segment_offers.restrict(offers.eligible))
    free, now = (
        allocate(plan.exploration.leave(build_problem(people, each, planning)), exact_up_to=0)
        for people, each in ((consenting, offers), (audience, plan.offers))
    )
    gain = max(free.objective - now.objective, 0.0) * (1 - planning.control_share)
    return ConsentPrice(n_customers=n_without, gain=gain)


SAVE_RATE_QUANTILES = (0.1, 0.9)
"""Range of each offer's save rate."""
N_BISECTIONS = 6
"""Bisections of a range to find where the plan changes."""
MAX_STABILITY_CUSTOMERS = 20_000
"""Number of customers up to which the stable range is computed."""


@dataclass(frozen=True)
class Alternative:
    """The offers of a plan under other assumptions, and the net value of its treated."""

    offer_index: np.ndarray
    net: np.ndarray

    @property
    def n_chosen(self) -> int:
        """Number of customers chosen, control group included."""
        return count_chosen(self.offer_index)


@dataclass(frozen=True)
class Scenario:
    """Customers, offers and settings of a plan; eligibility in ``offers`` never changes.

    Nor do the customers who explore.
    """

    offers: OfferMatrix
    audience: Audience
    settings: CampaignSettings
    exploration: Exploration

    def solve(self) -> Alternative:
        """Return the plan by the dual alone, so that all scenarios are solved alike.

        Minimums that the limits do not allow under these assumptions are dropped.
        """
        catalogue, assumptions = self.settings.offers, self.settings.assumptions
        offers = reprice_offers(self.offers, catalogue, self.audience, assumptions)
        problem = build_problem(self.audience, offers, self.settings.campaign)
        problem = self.exploration.leave(problem)
        allocation = allocate_or_none(problem)
        if allocation is None:
            allocation = allocate(replace(problem, segment=None, min_contacts=None), exact_up_to=0)
        return Alternative(self.exploration.join(allocation.offer_index), offers.net)


def analyse_sensitivity(plan: CampaignPlan, scenario: Scenario) -> Sensitivity:
    """Return the plan at both ends of each assumption's range, largest change first."""
    base = Base(plan, scenario.solve(), scenario.settings.campaign.control_share)
    rows = [_summarise_assumption(varied, base) for varied in _iter_assumptions(scenario)]
    rows.sort(key=lambda row: -abs(row.expected_net_high - row.expected_net_low))
    return Sensitivity(
        expected_net=plan.expected_net,
        n_chosen=count_chosen(plan.offer_index),
        rows=tuple(rows),
    )


@dataclass(frozen=True)
class Base:
    """The plan, and the plan by the dual alone, with which alternatives are compared."""

    plan: CampaignPlan
    dual: Alternative
    control_share: float

    def is_same(self, other: Alternative) -> bool:
        """Return whether an alternative makes the same offers to the same customers."""
        return np.array_equal(self.dual.offer_index, other.offer_index)

    def expected_net(self, other: Alternative) -> float:
        """Return the expected net value of an alternative's treated."""
        offer_index = self.plan.offer_index if self.is_same(other) else other.offer_index
        shares = TreatedShares.of(self.plan, self.control_share)
        return shares.expected_net(offer_index, other.net)


@dataclass(frozen=True)
class _VariedAssumption:
    """One assumption at positions from −1 (its low end) over 0 (its value) to 1 (its high end)."""

    name: str
    low: float
    value: float
    high: float
    scenario: Scenario

    def value_at(self, position: float) -> float:
        return _interpolate(self.low, self.value, self.high, position)

    def solve_at(self, position: float) -> Alternative:
        if self.name == "save_rate":
            offers = _shift_save_rates(self.scenario.settings.offers, position)
            settings = self.scenario.settings.model_copy(update={"offers": offers})
            return replace(self.scenario, settings=settings).solve()
        return _change_assumption(self.scenario, self.name, self.value_at(position)).solve()


def _interpolate(low: float, value: float, high: float, position: float) -> float:
    return value + position * ((high - value) if position > 0 else (value - low))


def _iter_assumptions(scenario: Scenario) -> Iterator[_VariedAssumption]:
    for name in ("horizon", "loss_fraction", "margin", "cost_multiplier"):
        assumption: Assumption = getattr(scenario.settings.assumptions, name)
        low, value, high = assumption.low, assumption.value, assumption.high
        yield _VariedAssumption(name, low, value, high, scenario)
    offers = scenario.settings.offers.offers.values()
    low, value, high = np.mean([_save_rate_range(offer.save_rate) for offer in offers], axis=0)
    yield _VariedAssumption("save_rate", float(low), float(value), float(high), scenario)


def _save_rate_range(beta: Beta) -> tuple[float, float, float]:
    """Return lower end, mean and upper end of a save rate."""
    low, high = save_rate_quantiles(beta, SAVE_RATE_QUANTILES)
    return min(low, beta.mean), beta.mean, max(high, beta.mean)


def _shift_save_rates(catalogue: Catalogue, position: float) -> Catalogue:
    """Return the catalogue with every save rate moved to a position in its range."""
    offers = {}
    for name, offer in catalogue.offers.items():
        prior = offer.save_rate
        rate = _interpolate(*_save_rate_range(prior), position)
        share = min(max((rate - prior.minimum) / (1 - prior.minimum), 1e-9), 1 - 1e-9)
        total = prior.alpha + prior.beta
        beta = Beta(alpha=share * total, beta=(1 - share) * total, minimum=prior.minimum)
        offers[name] = offer.model_copy(update={"save_rate": beta})
    return catalogue.model_copy(update={"offers": offers})


def _change_assumption(scenario: Scenario, name: str, value: float) -> Scenario:
    """Return the scenario with one assumption changed, and the value at stake with it."""
    settings = scenario.settings
    before: Assumption = getattr(settings.assumptions, name)
    factor = value / before.value if before.value else 1.0
    if name == "cost_multiplier":
        offers = scale_catalogue_costs(settings.offers, factor)
        return replace(scenario, settings=settings.model_copy(update={"offers": offers}))
    after = before.model_copy(update={"value": value})
    assumptions = settings.assumptions.model_copy(update={name: after})
    table = scenario.audience.table
    money = {key: table[key] * factor for key in ("value_at_stake", "profit_at_risk")}
    audience = replace(scenario.audience, table=table.assign(**money))
    settings = settings.model_copy(update={"assumptions": assumptions})
    return replace(scenario, audience=audience, settings=settings)


def _summarise_assumption(varied: _VariedAssumption, base: Base) -> SensitivityRow:
    low, high = varied.solve_at(-1), varied.solve_at(1)
    is_small = len(varied.scenario.audience) <= MAX_STABILITY_CUSTOMERS
    return SensitivityRow(
        name=varied.name,
        low=varied.low,
        value=varied.value,
        high=varied.high,
        expected_net_low=base.expected_net(low),
        expected_net_high=base.expected_net(high),
        n_chosen_low=low.n_chosen,
        n_chosen_high=high.n_chosen,
        stable_from=_find_stable_end(varied, base, low, -1) if is_small else None,
        stable_to=_find_stable_end(varied, base, high, 1) if is_small else None,
    )


def _find_stable_end(
    varied: _VariedAssumption, base: Base, end: Alternative, position: float
) -> float:
    """Return the value nearest to an end of the range at which the plan is still the same."""
    if base.is_same(end):
        return varied.value_at(position)
    inside, outside = 0.0, position
    for _ in range(N_BISECTIONS):
        middle = (inside + outside) / 2
        if base.is_same(varied.solve_at(middle)):
            inside = middle
        else:
            outside = middle
    return varied.value_at(inside)
