"""What becomes of the plan where an assumption is another one within its range."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np
from scipy import stats

from retain.campaign.allocation.allocate import Allocation, Problem, allocate
from retain.campaign.audience import Audience, Settings
from retain.campaign.offers.offers import (
    OfferMatrix,
    evaluate_offers,
    reprice_offers,
    scale_catalogue_costs,
)
from retain.campaign.planning.plan import CampaignPlan, build_problem
from retain.errors import RetainError
from retain.schema import Assumption, Beta, Catalogue, Planning, Value

MIN_BUDGET_SHARE = 0.02
"""Share of the largest budget that the curve begins with."""


class BudgetPoint(TypedDict):
    """A budget, how many are contacted with it, and what net value that brings."""

    budget: float
    chosen: int
    net: float


def compute_budget_curve(problem: Problem, n_points: int = 12) -> list[BudgetPoint]:
    """Plans at ``n_points`` budgets up to saturation, all other limits as they are.

    Saturation is what the plan without a budget costs: more is not spent. Budgets lie closer where
    they are small, where the curve bends. Plans are made by prices and repair alone, without
    HiGHS; a minimum that a small budget cannot meet leaves that budget out. Net value never falls.
    Where nothing costs anything there is one point.

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
        point = BudgetPoint(
            budget=budget, chosen=int((plan.offer_index >= 0).sum()), net=plan.objective
        )
        if points and points[-1]["net"] > point["net"]:  # what less money does, more does too
            point = BudgetPoint(budget=budget, chosen=points[-1]["chosen"], net=points[-1]["net"])
        points.append(point)
    return points


def _allocate_or_none(problem: Problem) -> Allocation | None:
    """The plan, or None where the budget is too small for the segments' minimums."""
    try:
        return allocate(problem, exact_up_to=0)
    except RetainError:
        return None


def compute_shadow_prices(
    plan: CampaignPlan, audience: Audience, settings: Settings
) -> dict[str, Any]:
    """What limits, consent and control group cost in expected net value.

    Returns
    -------
    dict
        ``budget``: what one more unit is worth (``price``), and a ``step`` of a round number of
        units (``worth``), as long as the price holds; ``contacts``: one more customer; ``consent``:
        how many gave none and may so be offered less, and what it would be ``worth`` if all did;
        ``control``: how many are held out, and what they ``cost``. None where there is none.
    """
    found, planning = plan.allocation, settings.planning
    return {
        "budget": None
        if planning.budget is None
        else _budget_price(found.budget_price, planning.budget),
        "contacts": None if planning.contacts is None else found.contact_price,
        "consent": _consent_gain(plan, audience, settings),
        "control": {
            "customers": int(plan.control.is_control.sum()),
            "cost": float(plan.select_chosen(plan.offers.net)[plan.control.is_control].sum()),
        },
    }


def _budget_price(price: float, budget: float) -> dict[str, float]:
    """The price of one unit, and of a step of about a tenth of the budget.

    >>> _budget_price(0.5, 3000.0)
    {'price': 0.5, 'step': 100.0, 'worth': 50.0}
    """
    step = 10.0 ** math.floor(math.log10(budget / 10)) if budget > 0 else 1.0
    return {"price": price, "step": step, "worth": price * step}


def _consent_gain(
    plan: CampaignPlan, audience: Audience, settings: Settings
) -> dict[str, float] | None:
    """What it would be worth if all who gave no consent did; None where nobody's is missing."""
    silent = int((~audience.table["contactable"]).sum())
    if silent == 0:
        return None
    asked = replace(audience, table=audience.table.assign(contactable=True))
    free = build_problem(
        asked, evaluate_offers(settings.catalogue, asked, settings.value), settings.planning
    )
    now = build_problem(audience, plan.offers, settings.planning)
    gain = allocate(free, exact_up_to=0).objective - allocate(now, exact_up_to=0).objective
    return {"customers": silent, "worth": max(gain, 0.0) * (1 - settings.planning.control)}


SAVE_RATE_QUANTILES = (0.1, 0.9)
"""Quantiles of each offer's save rate that count as its range."""
N_BISECTIONS = 6
"""How often a range is halved to find where the plan becomes another one."""
MAX_STABILITY_CUSTOMERS = 20_000
"""Customers up to which that is looked for."""


@dataclass(frozen=True)
class Scenario:
    """What a campaign rests on; who may have which of ``offers`` stays the same throughout."""

    offers: OfferMatrix
    audience: Audience
    catalogue: Catalogue
    value: Value
    planning: Planning

    def allocate(self) -> Allocation:
        """The plan in this setting, by the dual, so that plans are compared like with like."""
        offers = reprice_offers(self.offers, self.catalogue, self.audience, self.value)
        return allocate(build_problem(self.audience, offers, self.planning), exact_up_to=0)


def analyse_sensitivity(setting: Scenario) -> dict[str, Any]:
    """Expected net value and size of the plan at both ends of each assumption's range.

    Returns
    -------
    dict
        ``net`` (expected of those treated) and ``chosen`` as things are; ``rows``, what moves
        most first: ``name, low, value, high``, the plan's ``net_*`` and ``chosen_*`` at both ends,
        and from where to where it stays the same plan (``same_from, same_to``; None where too
        many customers make it too long to look).
    """
    base = setting.allocate()
    rows = [_summarise_assumption(axis, base) for axis in _iter_assumptions(setting)]
    rows.sort(key=lambda row: -abs(row["net_high"] - row["net_low"]))
    return {"net": _expected_net(base, setting), "chosen": _count_chosen(base), "rows": rows}


@dataclass(frozen=True)
class _VariedAssumption:
    """One assumption that goes from −1, its lowest, by 0, as it is, to 1, its highest."""

    name: str
    numbers: tuple[float, float, float]
    setting: Scenario

    def value_at(self, at: float) -> float:
        """Its value there."""
        low, value, high = self.numbers
        return value + at * ((high - value) if at > 0 else (value - low))

    def allocate_at(self, at: float) -> Allocation:
        """The plan there."""
        if self.name == "save_rate":
            return replace(
                self.setting, catalogue=_shift_save_rates(self.setting.catalogue, at)
            ).allocate()
        return _change_assumption(self.setting, self.name, self.value_at(at)).allocate()


def _iter_assumptions(setting: Scenario) -> Iterator[_VariedAssumption]:
    for name in ("horizon", "share_lost", "margin", "cost"):
        found: Assumption = getattr(setting.value, name)
        yield _VariedAssumption(name, (found.low, found.value, found.high), setting)
    rates = [_save_rate_range(offer.save_rate) for offer in setting.catalogue.offers.values()]
    low, value, high = np.mean(rates, axis=0)
    yield _VariedAssumption("save_rate", (float(low), float(value), float(high)), setting)


def _save_rate_range(beta: Beta) -> tuple[float, float, float]:
    """A save rate's lower end, mean and upper end."""
    low, high = stats.beta.ppf(SAVE_RATE_QUANTILES, beta.alpha, beta.beta)
    return float(min(low, beta.mean)), beta.mean, float(max(high, beta.mean))


def _shift_save_rates(catalogue: Catalogue, at: float) -> Catalogue:
    """The catalogue with every save rate so far towards an end of its range."""
    offers = {}
    for name, offer in catalogue.offers.items():
        low, mean, high = _save_rate_range(offer.save_rate)
        rate = mean + at * ((high - mean) if at > 0 else (mean - low))
        total = offer.save_rate.alpha + offer.save_rate.beta
        kept = min(max(rate, 1e-9), 1 - 1e-9) * total
        beta = Beta(alpha=kept, beta=total - kept)
        offers[name] = offer.model_copy(update={"save_rate": beta})
    return catalogue.model_copy(update={"offers": offers})


def _change_assumption(setting: Scenario, name: str, number: float) -> Scenario:
    """The setting with an assumption changed, and what customers have at stake with it."""
    before: Assumption = getattr(setting.value, name)
    scale = number / before.value if before.value else 1.0
    if name == "cost":
        return replace(setting, catalogue=scale_catalogue_costs(setting.catalogue, scale))
    value = setting.value.model_copy(update={name: before.model_copy(update={"value": number})})
    table = setting.audience.table
    money = {key: table[key] * scale for key in ("at_stake", "profit_at_risk")}
    audience = replace(setting.audience, table=table.assign(**money))
    return replace(setting, audience=audience, value=value)


def _summarise_assumption(axis: _VariedAssumption, base: Allocation) -> dict[str, Any]:
    low, high = axis.allocate_at(-1), axis.allocate_at(1)
    few = len(axis.setting.audience) <= MAX_STABILITY_CUSTOMERS
    return {
        "name": axis.name,
        "low": axis.numbers[0],
        "value": axis.numbers[1],
        "high": axis.numbers[2],
        "net_low": _expected_net(low, axis.setting),
        "net_high": _expected_net(high, axis.setting),
        "chosen_low": _count_chosen(low),
        "chosen_high": _count_chosen(high),
        "same_from": axis.value_at(_find_stable_end(axis, base, low, -1)) if few else None,
        "same_to": axis.value_at(_find_stable_end(axis, base, high, 1)) if few else None,
    }


def _find_stable_end(
    axis: _VariedAssumption, base: Allocation, end: Allocation, at: float
) -> float:
    """How far towards an end the plan is still the same one."""
    if np.array_equal(base.offer_index, end.offer_index):
        return at
    inside, outside = 0.0, at
    for _ in range(N_BISECTIONS):
        middle = (inside + outside) / 2
        if np.array_equal(base.offer_index, axis.allocate_at(middle).offer_index):
            inside = middle
        else:
            outside = middle
    return inside


def _expected_net(allocation: Allocation, setting: Scenario) -> float:
    """What those who get an offer are expected to bring, whoever of the chosen they are."""
    return allocation.objective * (1 - setting.planning.control)


def _count_chosen(allocation: Allocation) -> int:
    return int((allocation.offer_index >= 0).sum())
