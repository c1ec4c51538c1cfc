"""The campaign in sentences, each generated from the verdict's numbers and no wider than they.

An offer is a hypothesis: nothing here says that it works, and where the campaign could not see
the effect hoped for, nothing is promised. May import: report.campaign_captions, report.contents,
report.names, report.numbers, report.words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from retain.report.text.names import Tree, code, offer_label
from retain.report.text.numbers import Number, format_number
from retain.report.text.words import Message, interval, message

CONSENT = "campaign.consent=assume_given"
"""What the store types to vouch for everybody's consent."""
READOUT = "retain-readout"


def money(value: float | None) -> Number:
    """Return a sum, in the unit of profit."""
    return Number(value, "money")


def customers(count: int) -> Message:
    """So many customers."""
    return message("campaign.customers", n=Number(count, "count"))


def summary(campaign: Tree) -> list[Message]:
    """Return the summary: offers and cost, control group, detectable effect, consent."""
    said = [_plan(campaign)]
    if campaign["plan"]["n_chosen"]:
        said += [_control(campaign), promise(campaign)]
    said += [message(f"campaign.consent.{campaign['consent']}", **_agreed(campaign))]
    return [*said, message("campaign.hypotheses", command=code(READOUT))]


def _plan(campaign: Tree) -> Message:
    plan, everybody = campaign["plan"], customers(campaign["n_customers"])
    if not plan["n_chosen"]:
        return message("campaign.nobody", customers=everybody)
    return message(
        "campaign.plan",
        treated=Number(plan["n_treated"], "count"),
        customers=everybody,
        cost=money(plan["expected_cost"]),
        saved=money(plan["expected_saved"]),
        net=money(plan["expected_net"]["value"]),
        range=interval(plan["expected_net"]["low"], plan["expected_net"]["high"], "money"),
    )


def _control(campaign: Tree) -> Message:
    held = campaign["plan"]["n_control"]
    if not held:
        return message("campaign.control_none")
    share = Number(campaign["control_group"]["share"], "share")
    return message("campaign.control", n=Number(held, "count"), share=share)


def promise(campaign: Tree) -> Message:
    """Return whether the campaign can detect the expected effect, as a message."""
    power = campaign["power"]
    found = power["overall"]
    if found["minimum_detectable_effect"] is None:
        return message("campaign.undetectable")
    told = {
        "hoped": Number(found["expected"], "points"),
        "detectable": Number(found["minimum_detectable_effect"], "points"),
        "power": Number(power["power"], "share"),
        "alpha": Number(power["alpha"], "plain"),
    }
    if found["claimable"]:
        return message("campaign.promised", **told)
    if found["required_n"] is None:
        return message("campaign.unpromised", **told)
    return message("campaign.unpromised_needed", n=Number(found["required_n"], "count"), **told)


def _agreed(campaign: Tree) -> dict[str, Any]:
    """Return the number of customers who agreed, where the source has consent."""
    if campaign["consent"] != "from_data":
        return {}
    return {
        "contactable": Number(campaign["n_contactable"], "count"),
        "customers": customers(campaign["n_customers"]),
    }


def cautions(tree: Tree) -> list[Message]:
    """Return the warnings about a campaign.

    Raises
    ------
    KeyError
        For a caution that has no text: whoever gives one has to write both.
    """
    found = tree["campaign"]["cautions"]
    return [
        message(f"caution.{one['code']}", **_PUT.get(one["code"], _nothing)(tree)) for one in found
    ]


def _nothing(_: Tree) -> dict[str, Any]:
    return {}


def _poor_calibration(tree: Tree) -> dict[str, Any]:
    return _slope(tree["campaign"]["recalibration"])


def _may_lose(tree: Tree) -> dict[str, Any]:
    return {"low": money(tree["campaign"]["plan"]["expected_net"]["low"])}


_PUT: dict[str, Callable[[Tree], dict[str, Any]]] = {
    "calibration_poor": _poor_calibration,
    "may_lose": _may_lose,
}
"""What is put into the texts of cautions, by their code."""


def limits(campaign: Tree) -> list[Message]:
    """Return the value of each limit: budget, contacts, consent, control group, capacity."""
    if campaign["shadow_prices"] is None:
        return []
    messages = [_budget(campaign), _contacts(campaign), _consent(campaign), _price(campaign)]
    return [*(one for one in messages if one is not None), *_places(campaign)]


def _budget(campaign: Tree) -> Message | None:
    """Of the budget; where more of it would buy nothing, what buys all that pays."""
    found, plan = campaign["shadow_prices"]["budget"], campaign["plan"]
    if found is not None and found["price"] > 0:
        return message("prices.budget", step=money(found["step"]), worth=money(found["gain"]))
    return (
        message("prices.budget_spare", cost=money(plan["expected_cost"]))
        if plan["n_chosen"]
        else None
    )


def _contacts(campaign: Tree) -> Message | None:
    price = campaign["shadow_prices"]["contact"]
    return message("prices.contacts", worth=money(price)) if price else None


def _consent(campaign: Tree) -> Message | None:
    found = campaign["shadow_prices"]["consent"]
    if found is None or not found["n_customers"]:
        return None
    count = Number(found["n_customers"], "count")
    return message("prices.consent", n=count, worth=money(found["gain"]))


def _price(campaign: Tree) -> Message | None:
    """Return the cost of the control group."""
    found = campaign["shadow_prices"]["control_group"]
    if found is None or not found["n_customers"]:
        return None
    count = Number(found["n_customers"], "count")
    return message("prices.control", n=count, cost=money(found["cost"]))


def _places(campaign: Tree) -> list[Message]:
    return [
        message(
            "prices.place",
            offer=offer_label(campaign, one["name"]),
            worth=money(one["shadow_price"]),
        )
        for one in campaign["offers"]
        if one["shadow_price"]
    ]


def plan_quality_text(campaign: Tree) -> list[Message]:
    """Profit at risk, recalibration, the certificate of the plan, and how steady the plan is."""
    said = [_at_risk(campaign), _calibrated(campaign), _certificate(campaign["plan"])]
    steady = _stable_assumptions((campaign["sensitivity"] or {"rows": []})["rows"])
    return [*(one for one in said if one is not None), *steady]


def _at_risk(campaign: Tree) -> Message:
    found = campaign["profit_at_risk"]
    return message(
        "trust.at_risk",
        draws=Number(campaign["n_simulations"], "count"),
        value=money(found["value"]),
        range=interval(found["low"], found["high"], "money"),
    )


def _calibrated(campaign: Tree) -> Message | None:
    """Slope and intercept, and what the slope's interval says of the scores before."""
    found = campaign["recalibration"]
    if found is None:
        return None
    key = f"trust.calibrated.{_spread(found)}"
    return message(key, customers=customers(found["n_customers"]), **_slope(found))


def _slope(found: Tree) -> dict[str, Any]:
    """Return slope and intercept of the recalibration, by the names the phrases use."""
    slope = found["slope"]
    return {
        "slope": Number(slope["value"], "times"),
        "range": interval(slope["low"], slope["high"], "times"),
        "intercept": Number(found["intercept"], "times"),
    }


def _spread(recalibration: Tree) -> str:
    """Return whether scores were spread rightly, too widely, or too little.

    >>> [_spread({"slope": {"low": low, "high": low + 0.3}}) for low in (0.6, 0.9, 1.1)]
    ['sure', 'fine', 'timid']
    """
    slope = recalibration["slope"]
    if slope["high"] is not None and slope["high"] < 1:
        return "sure"
    return "timid" if (slope["low"] or 0) > 1 else "fine"


def _certificate(plan: Tree) -> Message:
    """Return that no plan is better, or how much better one might at most be."""
    told = {"value": money(plan["objective"]), "method": message(f"trust.method.{plan['method']}")}
    if plan["is_optimal"]:
        return message("trust.certificate.proven", **told)
    ends = {"bound": money(plan["upper_bound"]), "gap": Number(plan["relative_gap"], "share")}
    return message("trust.certificate.bounded", **told, **ends)


def _stable_assumptions(rows: Sequence[Tree]) -> list[Message]:
    """Over which assumptions' whole range the plan stays what it is, and over which it does not."""
    known = [row for row in rows if row["stable_from"] is not None and row["stable_to"] is not None]
    stays = [
        row for row in known if row["stable_from"] <= row["low"] and row["high"] <= row["stable_to"]
    ]
    changes = [row for row in known if row not in stays]
    told = (("trust.stays", stays), ("trust.changes", changes))
    return [message(key, names=list(map(_range_message, found))) for key, found in told if found]


def _range_message(row: Tree) -> Message:
    return message("trust.quoted", name=assumption(row))


def assumptions(campaign: Tree) -> list[Tree]:
    """All that is assumed, and within which values of it the plan stays what it is."""
    unknown = {"stable_from": None, "stable_to": None}
    tried = {row["name"]: row for row in (campaign["sensitivity"] or {"rows": []})["rows"]}
    stated = {one["name"]: {**unknown, **one} for one in campaign["assumptions"]}
    return list({**stated, **tried}.values())


def fixed_assumptions(row: Tree) -> bool:
    """Return whether the plan changes with any shift of the assumption shown."""
    ends = {format_number(row[end], "value", "en") for end in ("stable_from", "value", "stable_to")}
    return len(ends) == 1


def assumption(row: Tree) -> Message:
    """Return an assumption as a message."""
    return message(f"assumption.{row['name']}")


def sampled_assumptions(campaign: Tree) -> Message:
    """Return how to assign the same control group again."""
    draws = Number(campaign["control_group"]["n_attempts"], "count")
    return message("trust.drawn", n=draws, seed=Number(campaign["seed"], "plain"))
