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
from retain.campaign.planning.plan import CampaignPlan, problem_of
from retain.errors import RetainError
from retain.schema import Assumption, Assumptions, Beta, CampaignConfig, Catalogue

SMALLEST = 0.02
"""Share of the largest budget that the curve begins with."""


class Point(TypedDict):
    """A budget, how many are contacted with it, and what net value that brings."""

    budget: float
    chosen: int
    net: float


def budget_curve(problem: Problem, steps: int = 12) -> list[Point]:
    """Plans at ``steps`` budgets up to saturation, all other limits as they are.

    Saturation is what the plan without a budget costs: more is not spent. Budgets lie closer where
    they are small, where the curve bends. Plans are made by prices and repair alone, without
    HiGHS; a minimum that a small budget cannot meet leaves that budget out. Net value never falls.
    Where nothing costs anything there is one point.

    >>> net = np.array([[3.0], [2.0], [1.0], [-1.0]])
    >>> [point["net"] for point in budget_curve(Problem(net, np.ones(1)), steps=3)]
    [0.0, 0.0, 6.0]
    """
    free = allocate(replace(problem, budget=None), exact_up_to=0)
    points: list[Point] = []
    shares = np.linspace(SMALLEST**0.5, 1.0, steps) ** 2 if free.cost > 0 else np.ones(1)
    for share in shares:
        budget = float(share * free.cost)
        plan = free if share == 1.0 else _within(replace(problem, budget=budget))
        if plan is None:
            continue
        point = Point(budget=budget, chosen=int((plan.chosen >= 0).sum()), net=plan.value)
        if points and points[-1]["net"] > point["net"]:  # what less money does, more does too
            point = Point(budget=budget, chosen=points[-1]["chosen"], net=points[-1]["net"])
        points.append(point)
    return points


def _within(problem: Problem) -> Allocation | None:
    """The plan, or None where the budget is too small for the segments' minimums."""
    try:
        return allocate(problem, exact_up_to=0)
    except RetainError:
        return None


def prices(plan: CampaignPlan, audience: Audience, settings: Settings) -> dict[str, Any]:
    """What limits, consent and control group cost in expected net value.

    Returns
    -------
    dict
        ``budget``: the ``price`` of one more unit, and the ``gain`` from a ``step`` of a round
        number of units, as long as the price holds; ``contact``: the price of one more customer;
        ``consent``: how many gave none and may so be offered less, and the ``gain`` if all did;
        ``control_group``: how many are held out, and what they ``cost``. None where there is none.
    """
    found, planning = plan.allocation, settings.planning
    return {
        "budget": None if planning.budget is None else _budget(found.budget_price, planning.budget),
        "contact": None if planning.max_contacts is None else found.contacts_price,
        "consent": _consent(plan, audience, settings),
        "control_group": {
            "n_customers": int(plan.holdout.control.sum()),
            "cost": float(plan.of_chosen(plan.offers.net)[plan.holdout.control].sum()),
        },
    }


def _budget(price: float, budget: float) -> dict[str, float]:
    """The price of one unit, and of a step of about a tenth of the budget.

    >>> _budget(0.5, 3000.0)
    {'price': 0.5, 'step': 100.0, 'gain': 50.0}
    """
    step = 10.0 ** math.floor(math.log10(budget / 10)) if budget > 0 else 1.0
    return {"price": price, "step": step, "gain": price * step}


def _consent(plan: CampaignPlan, audience: Audience, settings: Settings) -> dict[str, float] | None:
    """What it would be worth if all who gave no consent did; None where nobody's is missing."""
    silent = int((~audience.table["contactable"]).sum())
    if silent == 0:
        return None
    asked = replace(audience, table=audience.table.assign(contactable=True))
    free = problem_of(
        asked, evaluate_offers(settings.catalogue, asked, settings.assumptions), settings.planning
    )
    now = problem_of(audience, plan.offers, settings.planning)
    gain = allocate(free, exact_up_to=0).value - allocate(now, exact_up_to=0).value
    return {"n_customers": silent, "gain": max(gain, 0.0) * (1 - settings.planning.control_share)}


ENDS = (0.1, 0.9)
"""Quantiles of each offer's save rate that count as its range."""
HALVINGS = 6
"""How often a range is halved to find where the plan becomes another one."""
FEW = 20_000
"""Customers up to which that is looked for."""


@dataclass(frozen=True)
class Setting:
    """What a campaign rests on; who may have which of ``offers`` stays the same throughout."""

    offers: OfferMatrix
    audience: Audience
    catalogue: Catalogue
    assumptions: Assumptions
    planning: CampaignConfig

    def solved(self) -> Allocation:
        """The plan in this setting, by the dual, so that plans are compared like with like."""
        offers = reprice_offers(self.offers, self.catalogue, self.audience, self.assumptions)
        return allocate(problem_of(self.audience, offers, self.planning), exact_up_to=0)


def sensitivity(setting: Setting) -> dict[str, Any]:
    """Expected net value and size of the plan at both ends of each assumption's range.

    Returns
    -------
    dict
        ``expected_net`` (of those treated) and ``n_chosen`` as things are; ``rows``, the largest
        change first: ``name, low, value, high``, the plan's ``expected_net_*`` and ``n_chosen_*``
        at both ends, and from where to where it stays the same plan (``stable_from, stable_to``;
        None where too many customers make it too long to look).
    """
    base = setting.solved()
    rows = [_row(axis, base) for axis in _axes(setting)]
    rows.sort(key=lambda row: -abs(row["expected_net_high"] - row["expected_net_low"]))
    return {"expected_net": _net(base, setting), "n_chosen": _size(base), "rows": rows}


@dataclass(frozen=True)
class _Axis:
    """One assumption that goes from −1, its lowest, by 0, as it is, to 1, its highest."""

    name: str
    numbers: tuple[float, float, float]
    setting: Setting

    def number(self, at: float) -> float:
        """Its value there."""
        low, value, high = self.numbers
        return value + at * ((high - value) if at > 0 else (value - low))

    def solved(self, at: float) -> Allocation:
        """The plan there."""
        if self.name == "save_rate":
            return replace(self.setting, catalogue=_saving(self.setting.catalogue, at)).solved()
        return _assuming(self.setting, self.name, self.number(at)).solved()


def _axes(setting: Setting) -> Iterator[_Axis]:
    for name in ("horizon", "loss_fraction", "margin", "cost_multiplier"):
        found: Assumption = getattr(setting.assumptions, name)
        yield _Axis(name, (found.low, found.value, found.high), setting)
    rates = [_rates(offer.save_rate) for offer in setting.catalogue.offers.values()]
    low, value, high = np.mean(rates, axis=0)
    yield _Axis("save_rate", (float(low), float(value), float(high)), setting)


def _rates(beta: Beta) -> tuple[float, float, float]:
    """A save rate's lower end, mean and upper end."""
    low, high = stats.beta.ppf(ENDS, beta.alpha, beta.beta)
    return float(min(low, beta.mean)), beta.mean, float(max(high, beta.mean))


def _saving(catalogue: Catalogue, at: float) -> Catalogue:
    """The catalogue with every save rate so far towards an end of its range."""
    offers = {}
    for name, offer in catalogue.offers.items():
        low, mean, high = _rates(offer.save_rate)
        rate = mean + at * ((high - mean) if at > 0 else (mean - low))
        total = offer.save_rate.alpha + offer.save_rate.beta
        kept = min(max(rate, 1e-9), 1 - 1e-9) * total
        beta = Beta(alpha=kept, beta=total - kept)
        offers[name] = offer.model_copy(update={"save_rate": beta})
    return catalogue.model_copy(update={"offers": offers})


def _assuming(setting: Setting, name: str, number: float) -> Setting:
    """The setting with an assumption changed, and what customers have at stake with it."""
    before: Assumption = getattr(setting.assumptions, name)
    scale = number / before.value if before.value else 1.0
    if name == "cost_multiplier":
        return replace(setting, catalogue=scale_catalogue_costs(setting.catalogue, scale))
    changed = before.model_copy(update={"value": number})
    assumptions = setting.assumptions.model_copy(update={name: changed})
    table = setting.audience.table
    money = {key: table[key] * scale for key in ("value_at_stake", "profit_at_risk")}
    audience = replace(setting.audience, table=table.assign(**money))
    return replace(setting, audience=audience, assumptions=assumptions)


def _row(axis: _Axis, base: Allocation) -> dict[str, Any]:
    low, high = axis.solved(-1), axis.solved(1)
    few = len(axis.setting.audience) <= FEW
    return {
        "name": axis.name,
        "low": axis.numbers[0],
        "value": axis.numbers[1],
        "high": axis.numbers[2],
        "expected_net_low": _net(low, axis.setting),
        "expected_net_high": _net(high, axis.setting),
        "n_chosen_low": _size(low),
        "n_chosen_high": _size(high),
        "stable_from": axis.number(_same(axis, base, low, -1)) if few else None,
        "stable_to": axis.number(_same(axis, base, high, 1)) if few else None,
    }


def _same(axis: _Axis, base: Allocation, end: Allocation, at: float) -> float:
    """How far towards an end the plan is still the same one."""
    if np.array_equal(base.chosen, end.chosen):
        return at
    inside, outside = 0.0, at
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        if np.array_equal(base.chosen, axis.solved(middle).chosen):
            inside = middle
        else:
            outside = middle
    return inside


def _net(allocation: Allocation, setting: Setting) -> float:
    """What those who get an offer are expected to bring, whoever of the chosen they are."""
    return allocation.value * (1 - setting.planning.control_share)


def _size(allocation: Allocation) -> int:
    return int((allocation.chosen >= 0).sum())
