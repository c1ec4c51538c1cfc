"""Effect of other limits and other assumptions on the plan."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np

from retain.campaign.allocation.allocate import Allocation, Problem, allocate
from retain.campaign.audience import Audience, CampaignSettings
from retain.campaign.offers.offers import (
    OfferMatrix,
    evaluate_offers,
    reprice_offers,
    scale_catalogue_costs,
)
from retain.campaign.offers.save_rate import save_rate_quantiles
from retain.campaign.planning.plan import CampaignPlan, build_problem
from retain.errors import RetainError
from retain.schema.campaign import Assumption, Beta, Catalogue

MIN_BUDGET_SHARE = 0.02
"""Smallest budget of the curve, as a share of the largest."""


class BudgetPoint(TypedDict):
    """A budget, the number of customers chosen within it, and their net value."""

    budget: float
    chosen: int
    net: float


def compute_budget_curve(problem: Problem, n_points: int = 12) -> list[BudgetPoint]:
    """Return plans at ``n_points`` budgets up to saturation, with all other limits unchanged.

    Saturation is the cost of the plan without a budget. Small budgets lie closer together, since
    the curve bends there. Plans come from prices and repair alone, without HiGHS. A budget that
    cannot meet a minimum is left out. Net value never falls. If nothing costs anything, there is
    one point.

    >>> net = np.array([[3.0], [2.0], [1.0], [-1.0]])
    >>> [point["net"] for point in compute_budget_curve(Problem(net, np.ones(1)), n_points=3)]
    [0.0, 0.0, 6.0]
    """
    free = allocate(replace(problem, budget=None), exact_up_to=0)
    points: list[BudgetPoint] = []
    shares = np.linspace(MIN_BUDGET_SHARE**0.5, 1.0, n_points) ** 2 if free.cost > 0 else np.ones(1)
    for share in shares:
        budget = float(share * free.cost)
        plan = free if share == 1.0 else _allocate_or_none(replace(problem, budget=budget))
        if plan is None:
            continue
        point = BudgetPoint(budget=budget, chosen=_count_chosen(plan), net=plan.objective)
        if points and points[-1]["net"] > point["net"]:  # a plan for less money is possible too
            point = BudgetPoint(budget=budget, chosen=points[-1]["chosen"], net=points[-1]["net"])
        points.append(point)
    return points


def _allocate_or_none(problem: Problem) -> Allocation | None:
    """Return the plan, or None if the budget is too small for the segments' minimums."""
    try:
        return allocate(problem, exact_up_to=0)
    except RetainError:
        return None


def compute_shadow_prices(
    plan: CampaignPlan, audience: Audience, settings: CampaignSettings
) -> dict[str, Any]:
    """Return the expected net value that limits, missing consent and the control group cost.

    Returns
    -------
    dict
        ``budget``: the gain from one more unit (``price``), and from a ``step`` of a round number
        of units (``gain``) while the price holds; ``contact``: the gain from one more contact;
        ``consent``: the number of customers without it, and the ``gain`` if all gave it;
        ``control_group``: its size, and its ``cost``. None without such a limit.
    """
    allocation, planning = plan.allocation, settings.planning
    budget, control = planning.budget, plan.control.is_control
    return {
        "budget": None if budget is None else _budget_price(allocation.budget_price, budget),
        "contact": None if planning.max_contacts is None else allocation.contact_price,
        "consent": _consent_gain(plan, audience, settings),
        "control_group": {
            "n_customers": int(control.sum()),
            "cost": float(plan.select_chosen(plan.offers.net)[control].sum()),
        },
    }


def _budget_price(price: float, budget: float) -> dict[str, float]:
    """Return the price of one unit, and of a step of about a tenth of the budget.

    >>> _budget_price(0.5, 3000.0)
    {'price': 0.5, 'step': 100.0, 'gain': 50.0}
    """
    step = 10.0 ** math.floor(math.log10(budget / 10)) if budget > 0 else 1.0
    return {"price": price, "step": step, "gain": price * step}


def _consent_gain(
    plan: CampaignPlan, audience: Audience, settings: CampaignSettings
) -> dict[str, float] | None:
    """Return the gain if all customers without consent gave it; None if there are none."""
    n_without = int((~audience.table["contactable"]).sum())
    if n_without == 0:
        return None
    planning = settings.planning
    consenting = replace(audience, table=audience.table.assign(contactable=True))
    offers = evaluate_offers(settings.catalogue, consenting, settings.assumptions)
    free = allocate(build_problem(consenting, offers, planning), exact_up_to=0)
    now = allocate(build_problem(audience, plan.offers, planning), exact_up_to=0)
    gain = max(free.objective - now.objective, 0.0) * (1 - planning.control_share)
    return {"n_customers": n_without, "gain": gain}


SAVE_RATE_QUANTILES = (0.1, 0.9)
"""Range of each offer's save rate."""
N_BISECTIONS = 6
"""Bisections of a range to find where the plan changes."""
MAX_STABILITY_CUSTOMERS = 20_000
"""Number of customers up to which the stable range is computed."""


@dataclass(frozen=True)
class Scenario:
    """Customers, offers and settings of a plan; eligibility in ``offers`` never changes."""

    offers: OfferMatrix
    audience: Audience
    settings: CampaignSettings

    def allocate(self) -> Allocation:
        """Return the plan by the dual alone, so that all scenarios are solved alike."""
        catalogue, assumptions = self.settings.catalogue, self.settings.assumptions
        offers = reprice_offers(self.offers, catalogue, self.audience, assumptions)
        problem = build_problem(self.audience, offers, self.settings.planning)
        return allocate(problem, exact_up_to=0)

    def expected_net(self, allocation: Allocation) -> float:
        """Return the expected net value of the treated, a random part of those chosen."""
        return allocation.objective * (1 - self.settings.planning.control_share)


def analyse_sensitivity(scenario: Scenario) -> dict[str, Any]:
    """Return expected net value and size of the plan at both ends of each assumption's range.

    Returns
    -------
    dict
        ``expected_net`` (of the treated) and ``n_chosen`` under the assumptions as they are;
        ``rows``, largest change first: ``name, low, value, high``, the plan's ``expected_net_*``
        and ``n_chosen_*`` at both ends, and the range in which the plan does not change
        (``stable_from, stable_to``; None above ``MAX_STABILITY_CUSTOMERS``).
    """
    base = scenario.allocate()
    rows = [_summarise_assumption(varied, base) for varied in _iter_assumptions(scenario)]
    rows.sort(key=lambda row: -abs(row["expected_net_high"] - row["expected_net_low"]))
    return {
        "expected_net": scenario.expected_net(base),
        "n_chosen": _count_chosen(base),
        "rows": rows,
    }


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

    def allocate_at(self, position: float) -> Allocation:
        if self.name == "save_rate":
            catalogue = _shift_save_rates(self.scenario.settings.catalogue, position)
            settings = replace(self.scenario.settings, catalogue=catalogue)
            return replace(self.scenario, settings=settings).allocate()
        return _change_assumption(self.scenario, self.name, self.value_at(position)).allocate()


def _interpolate(low: float, value: float, high: float, position: float) -> float:
    return value + position * ((high - value) if position > 0 else (value - low))


def _iter_assumptions(scenario: Scenario) -> Iterator[_VariedAssumption]:
    for name in ("horizon", "loss_fraction", "margin", "cost_multiplier"):
        assumption: Assumption = getattr(scenario.settings.assumptions, name)
        low, value, high = assumption.low, assumption.value, assumption.high
        yield _VariedAssumption(name, low, value, high, scenario)
    offers = scenario.settings.catalogue.offers.values()
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
        catalogue = scale_catalogue_costs(settings.catalogue, factor)
        return replace(scenario, settings=replace(settings, catalogue=catalogue))
    after = before.model_copy(update={"value": value})
    assumptions = settings.assumptions.model_copy(update={name: after})
    table = scenario.audience.table
    money = {key: table[key] * factor for key in ("value_at_stake", "profit_at_risk")}
    audience = replace(scenario.audience, table=table.assign(**money))
    return replace(scenario, audience=audience, settings=replace(settings, assumptions=assumptions))


def _summarise_assumption(varied: _VariedAssumption, base: Allocation) -> dict[str, Any]:
    scenario = varied.scenario
    low, high = varied.allocate_at(-1), varied.allocate_at(1)
    is_small = len(scenario.audience) <= MAX_STABILITY_CUSTOMERS
    return {
        "name": varied.name,
        "low": varied.low,
        "value": varied.value,
        "high": varied.high,
        "expected_net_low": scenario.expected_net(low),
        "expected_net_high": scenario.expected_net(high),
        "n_chosen_low": _count_chosen(low),
        "n_chosen_high": _count_chosen(high),
        "stable_from": _find_stable_end(varied, base, low, -1) if is_small else None,
        "stable_to": _find_stable_end(varied, base, high, 1) if is_small else None,
    }


def _find_stable_end(
    varied: _VariedAssumption, base: Allocation, end: Allocation, position: float
) -> float:
    """Return the value nearest to an end of the range at which the plan is still the same."""
    if np.array_equal(base.offer_index, end.offer_index):
        return varied.value_at(position)
    inside, outside = 0.0, position
    for _ in range(N_BISECTIONS):
        middle = (inside + outside) / 2
        if np.array_equal(base.offer_index, varied.allocate_at(middle).offer_index):
            inside = middle
        else:
            outside = middle
    return varied.value_at(inside)


def _count_chosen(allocation: Allocation) -> int:
    return int((allocation.offer_index >= 0).sum())
