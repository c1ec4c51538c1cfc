"""What becomes of the plan where an assumption is another one within its range.

May import: schema; campaign.allocation, campaign.audience, campaign.offering.offers,
campaign.planning.planned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from retain.campaign.allocation import Allocation, allocate
from retain.campaign.audience import Audience
from retain.campaign.offering.economics import priced
from retain.campaign.offering.offers import Offers, again
from retain.campaign.planning.planned import problem_of
from retain.schema import Assumption, Beta, Catalogue, Planning, Value

ENDS = (0.1, 0.9)
"""Quantiles of each offer's save rate that count as its range."""
HALVINGS = 6
"""How often a range is halved to find where the plan becomes another one."""
FEW = 20_000
"""Customers up to which that is looked for."""


@dataclass(frozen=True)
class Setting:
    """What a campaign rests on; who may have which of ``offers`` stays the same throughout."""

    offers: Offers
    audience: Audience
    catalogue: Catalogue
    value: Value
    planning: Planning

    def solved(self) -> Allocation:
        """The plan in this setting, by the dual, so that plans are compared like with like."""
        offers = again(self.offers, self.catalogue, self.audience, self.value)
        return allocate(problem_of(self.audience, offers, self.planning), exact_cells=0)


def sensitivity(setting: Setting) -> dict[str, Any]:
    """Expected net value and size of the plan at both ends of each assumption's range.

    Returns
    -------
    dict
        ``net`` (expected of those treated) and ``chosen`` as things are; ``rows``, what moves
        most first: ``name, low, value, high``, the plan's ``net_*`` and ``chosen_*`` at both ends,
        and from where to where it stays the same plan (``same_from, same_to``; None where too
        many customers make it too long to look).
    """
    base = setting.solved()
    rows = [_row(axis, base) for axis in _axes(setting)]
    rows.sort(key=lambda row: -abs(row["net_high"] - row["net_low"]))
    return {"net": _net(base, setting), "chosen": _size(base), "rows": rows}


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
    for name in ("horizon", "share_lost", "margin", "cost"):
        found: Assumption = getattr(setting.value, name)
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
    before: Assumption = getattr(setting.value, name)
    scale = number / before.value if before.value else 1.0
    if name == "cost":
        return replace(setting, catalogue=priced(setting.catalogue, scale))
    value = setting.value.model_copy(update={name: before.model_copy(update={"value": number})})
    table = setting.audience.table
    money = {key: table[key] * scale for key in ("at_stake", "profit_at_risk")}
    audience = replace(setting.audience, table=table.assign(**money))
    return replace(setting, audience=audience, value=value)


def _row(axis: _Axis, base: Allocation) -> dict[str, Any]:
    low, high = axis.solved(-1), axis.solved(1)
    few = len(axis.setting.audience) <= FEW
    return {
        "name": axis.name,
        "low": axis.numbers[0],
        "value": axis.numbers[1],
        "high": axis.numbers[2],
        "net_low": _net(low, axis.setting),
        "net_high": _net(high, axis.setting),
        "chosen_low": _size(low),
        "chosen_high": _size(high),
        "same_from": axis.number(_same(axis, base, low, -1)) if few else None,
        "same_to": axis.number(_same(axis, base, high, 1)) if few else None,
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
    return allocation.value * (1 - setting.planning.control)


def _size(allocation: Allocation) -> int:
    return int((allocation.chosen >= 0).sum())
