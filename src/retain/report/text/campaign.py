"""The campaign in sentences, generated from the verdict's numbers.

An offer is a hypothesis: no sentence says that it works, and none promises an effect that the
campaign is too small to detect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from retain.campaign.planning.control_design import MAX_COST_SHARE, MIN_CONTROL
from retain.record.approval_document import KeptCustomers
from retain.record.campaign_document import CampaignDocument, NamedAssumption, PlanTotals
from retain.record.plan_scenarios import SensitivityRow, ShadowPrices
from retain.report.text.calibration import calibration_text
from retain.report.text.names import code, offer_label
from retain.report.text.numbers import Number, format_number
from retain.report.text.words import Message, Values, interval, message
from retain.report.tree import present
from retain.wording import to_frequency

CONSENT = "campaign.consent=assume_given"
"""The override with which the store vouches for everybody's consent."""
READOUT = "retain-readout"
ABOUT_PROFIT = ("horizon", "loss_fraction", "margin")
"""Assumptions that only an amount of profit depends on."""


def money(value: float | None) -> Number:
    """Return an amount in the unit of profit."""
    return Number(value, "money")


def customers(count: int) -> Message:
    """Return a number of customers as a message."""
    return message("campaign.customers", n=Number(count, "count"))


def summary(campaign: CampaignDocument) -> list[Message]:
    """Return the summary: offers and cost, control group, detectable effect, consent."""
    messages = [_plan(campaign)]
    if campaign.plan.n_chosen:
        messages += [_control(campaign), promise(campaign)]
    messages += [message(f"campaign.consent.{campaign.consent}", **_consent_counts(campaign))]
    return [*messages, message("campaign.hypotheses", command=code(READOUT))]


def _plan(campaign: CampaignDocument) -> Message:
    plan, everybody = campaign.plan, customers(campaign.n_customers)
    if not plan.n_chosen:
        nobody = "campaign.nobody_eligible" if campaign.is_learning else "campaign.nobody"
        return message(nobody, customers=everybody)
    if plan.kept is not None:
        return _counted(plan, plan.kept, everybody)
    return message(
        "campaign.plan",
        treated=Number(plan.n_treated, "count"),
        customers=everybody,
        cost=money(plan.expected_cost),
        saved=money(plan.expected_saved),
        net=money(plan.expected_net.value),
        range=interval(plan.expected_net.low, plan.expected_net.high, "money"),
    )


def _counted(plan: PlanTotals, kept: KeptCustomers, everybody: Message) -> Message:
    """Return the plan where each customer counts as one; costs may be unknown."""
    net, costs = plan.expected_net, {}
    if kept.per_cost is not None:
        costs = {
            "cost": money(plan.expected_cost),
            "per_cost": Number(kept.per_cost, "value"),
        }
    return message(
        "campaign.counted_cost" if costs else "campaign.counted",
        treated=Number(plan.n_treated, "count"),
        customers=everybody,
        kept=money(kept.value),
        range=interval(net.low, net.high, "money"),
        per_contact=Number(kept.per_contact, "value"),
        **costs,
    )


def _control(campaign: CampaignDocument) -> Message:
    control = campaign.plan.n_control
    if not control:
        return message("campaign.control_none")
    share = Number(campaign.control_group.mean_share, "share")
    return message("campaign.control", n=Number(control, "count"), share=share)


def promise(campaign: CampaignDocument) -> Message:
    """Return whether the campaign can detect the expected effect, as a message."""
    power = campaign.power
    overall = power.overall
    if overall.minimum_detectable_effect is None:
        return message("campaign.undetectable")
    values = {
        "hoped": Number(overall.expected, "points"),
        "detectable": Number(overall.minimum_detectable_effect, "points"),
        **seen_campaigns(campaign),
        "level": Number(power.level, "plain"),
    }
    if overall.claimable:
        return message("campaign.promised", **values)
    if overall.required_n is None:
        return message("campaign.unpromised", **values)
    return message("campaign.unpromised_needed", n=Number(overall.required_n, "count"), **values)


def seen_campaigns(campaign: CampaignDocument) -> dict[str, Number]:
    """Return the power as a number of such campaigns, for managers: 4 of 5."""
    seen, total = to_frequency(campaign.power.power)
    return {"seen": Number(seen, "count"), "total": Number(total, "count")}


def _consent_counts(campaign: CampaignDocument) -> Values:
    """Return the number of customers who agreed, if the source has consent."""
    if campaign.consent != "from_data":
        return {}
    return {
        "contactable": Number(campaign.n_contactable, "count"),
        "customers": customers(campaign.n_customers),
    }


def limits(campaign: CampaignDocument) -> list[Message]:
    """Return the value of each limit: budget, contacts, consent, control group, capacity."""
    if campaign.shadow_prices is None:
        return []
    prices = campaign.shadow_prices
    messages = [_budget(campaign, prices), _contacts(prices), _consent(prices), _price(prices)]
    return [*(one for one in messages if one is not None), *_capacity(campaign)]


def _budget(campaign: CampaignDocument, prices: ShadowPrices) -> Message | None:
    """Return the gain of a larger budget, or why there is none."""
    price, plan = prices.budget, campaign.plan
    if price is not None and price.gain:
        return message("prices.budget", step=money(price.step), worth=money(price.gain))
    if plan.n_chosen:
        return message("prices.budget_spare", cost=money(plan.expected_cost))
    return message("prices.budget_alone") if price is not None and plan.n_paying else None


def _contacts(prices: ShadowPrices) -> Message | None:
    price = prices.contact
    return message("prices.contacts", worth=money(price)) if price else None


def _consent(prices: ShadowPrices) -> Message | None:
    price = prices.consent
    if price is None or not price.n_customers:
        return None
    count = Number(price.n_customers, "count")
    return message("prices.consent", n=count, worth=money(price.gain))


def _price(prices: ShadowPrices) -> Message | None:
    """Return the cost of the control group."""
    price = prices.control_group
    if not price.n_customers:
        return None
    count = Number(price.n_customers, "count")
    return message("prices.control", n=count, cost=money(price.cost))


def _capacity(campaign: CampaignDocument) -> list[Message]:
    return [
        message(
            "prices.place",
            offer=offer_label(campaign, one.name),
            worth=money(one.shadow_price),
        )
        for one in campaign.offers
        if one.shadow_price
    ]


def plan_quality_text(campaign: CampaignDocument) -> list[Message]:
    """Return profit at risk, recalibration, the plan's certificate, and the plan's stability."""
    messages = [
        _at_risk(campaign),
        *calibration_text(campaign),
        None if campaign.is_learning else _certificate(campaign.plan),
    ]
    steady = _stable_assumptions(() if campaign.sensitivity is None else campaign.sensitivity.rows)
    return [*(one for one in messages if one is not None), *steady]


def _at_risk(campaign: CampaignDocument) -> Message:
    expected, observed = campaign.expected_profit_at_risk, campaign.observed_profit_at_risk
    values = {
        "draws": Number(campaign.n_simulations, "count"),
        "value": money(expected.value),
        "range": interval(expected.low, expected.high, "money"),
    }
    if campaign.objective == "customers":
        return message("trust.at_risk.counted", **values)
    if observed is None:
        return message("trust.at_risk.expected", **values)
    return message(
        "trust.at_risk.both",
        observed=money(observed.value),
        observed_range=interval(observed.low, observed.high, "money"),
        **values,
    )


def _certificate(plan: PlanTotals) -> Message:
    """Return that the plan is optimal, or how far it is below the best one at most."""
    method = message(f"trust.method.{plan.method}")
    if plan.is_optimal:
        return message("trust.certificate.proven", method=method)
    gap = Number(plan.relative_gap, "share")
    return message("trust.certificate.bounded", method=method, gap=gap)


def _stable_assumptions(rows: Sequence[SensitivityRow]) -> list[Message]:
    """Return the assumptions over whose whole range the plan is stable, and the others."""
    ends = [(row, row.stable_from, row.stable_to) for row in rows]
    bounded = [(row, first, last) for row, first, last in ends if None not in (first, last)]
    stays: list[SensitivityRow] = []
    changes: list[SensitivityRow] = []
    for row, first, last in bounded:
        is_stable = present(first) <= row.low and row.high <= present(last)
        (stays if is_stable else changes).append(row)
    groups = (("trust.stays", stays), ("trust.changes", changes))
    return [
        message(key, names=list(map(_range_message, members))) for key, members in groups if members
    ]


def _range_message(row: SensitivityRow) -> Message:
    return message("trust.quoted", name=assumption(row))


def assumptions(campaign: CampaignDocument) -> list[NamedAssumption | SensitivityRow]:
    """Return all assumptions, each with the range within which the plan is stable.

    Where each customer counts as one, those about profit are none.
    """
    rows = () if campaign.sensitivity is None else campaign.sensitivity.rows
    by_name: dict[str, NamedAssumption | SensitivityRow] = {
        one.name: one for one in campaign.assumptions
    }
    found = {**by_name, **{row.name: row for row in rows}}
    about_profit = ABOUT_PROFIT if campaign.objective == "customers" else ()
    return [one for name, one in found.items() if name not in about_profit]


def fixed_assumptions(row: SensitivityRow) -> bool:
    """Return whether the plan changes with any shift of the assumption shown."""
    ends = (row.stable_from, row.value, row.stable_to)
    return len({format_number(end, "value", "en") for end in ends}) == 1


def assumption(row: NamedAssumption | SensitivityRow) -> Message:
    """Return an assumption as a message."""
    return message(f"assumption.{row.name}")


def scenario(row: SensitivityRow, end: Literal["low", "high"]) -> Message:
    """Return an assumption at one end of its range as a message."""
    value = Number(row.low if end == "low" else row.high, "value")
    return message("scenarios.setting", assumption=assumption(row), value=value)


def sampled_assumptions(campaign: CampaignDocument) -> Message:
    """Return the seed and number of attempts behind the control group."""
    draws = Number(campaign.control_group.n_attempts, "count")
    return message("trust.drawn", n=draws, seed=Number(campaign.seed, "plain"))


def control_saving(campaign: CampaignDocument) -> Message | None:
    """Return what a control group of other shares costs and saves, or why there is none.

    None if one share for all was asked for.
    """
    group = campaign.control_group
    if group.one_share_because is not None:
        values = {
            "least": Number(MIN_CONTROL, "count"),
            "saving": Number(1 - MAX_COST_SHARE, "share"),
        }
        return message(f"trust.one_share.{group.one_share_because}", **values)
    if group.design == "uniform":
        return None
    return message(
        "trust.saving",
        lowest=Number(group.lowest_share, "share"),
        highest=Number(group.highest_share, "share"),
        share=Number(group.share, "share"),
        cost=money(group.cost),
        other=money(group.uniform_cost),
    )
