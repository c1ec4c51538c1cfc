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
    if campaign["plan"]["chosen"]:
        said += [_control(campaign), promise(campaign)]
    said += [message(f"campaign.consent.{campaign['consent']}", **_agreed(campaign))]
    return [*said, message("campaign.hypotheses", command=code(READOUT))]


def _plan(campaign: Tree) -> Message:
    plan, everybody = campaign["plan"], customers(campaign["customers"])
    if not plan["chosen"]:
        return message("campaign.nobody", customers=everybody)
    return message(
        "campaign.plan",
        treated=Number(plan["treated"], "count"),
        customers=everybody,
        cost=money(plan["cost"]),
        saved=money(plan["saved"]),
        net=money(plan["net"]["value"]),
        range=interval(plan["net"]["low"], plan["net"]["high"], "money"),
    )


def _control(campaign: Tree) -> Message:
    held = campaign["plan"]["control"]
    if not held:
        return message("campaign.control_none")
    share = Number(campaign["control"]["share"], "share")
    return message("campaign.control", n=Number(held, "count"), share=share)


def promise(campaign: Tree) -> Message:
    """Return whether the campaign can detect the expected effect, as a message."""
    power = campaign["power"]
    found = power["overall"]
    if found["detectable"] is None:
        return message("campaign.undetectable")
    told = {
        "hoped": Number(found["hoped"], "points"),
        "detectable": Number(found["detectable"], "points"),
        "power": Number(power["power"], "share"),
        "alpha": Number(power["alpha"], "plain"),
    }
    if found["promised"]:
        return message("campaign.promised", **told)
    if found["needed"] is None:
        return message("campaign.unpromised", **told)
    return message("campaign.unpromised_needed", n=Number(found["needed"], "count"), **told)


def _agreed(campaign: Tree) -> dict[str, Any]:
    """Return the number of customers who agreed, where the source has consent."""
    if campaign["consent"] != "from_data":
        return {}
    return {
        "contactable": Number(campaign["contactable"], "count"),
        "customers": customers(campaign["customers"]),
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
    return _slope(tree["campaign"]["calibration"])


def _may_lose(tree: Tree) -> dict[str, Any]:
    return {"low": money(tree["campaign"]["plan"]["net"]["low"])}


_PUT: dict[str, Callable[[Tree], dict[str, Any]]] = {
    "calibration_poor": _poor_calibration,
    "may_lose": _may_lose,
}
"""What is put into the texts of cautions, by their code."""


def limits(campaign: Tree) -> list[Message]:
    """Return the value of each limit: budget, contacts, consent, control group, capacity."""
    if campaign["prices"] is None:
        return []
    messages = [_budget(campaign), _contacts(campaign), _consent(campaign), _price(campaign)]
    return [*(one for one in messages if one is not None), *_places(campaign)]


def _budget(campaign: Tree) -> Message | None:
    """Of the budget; where more of it would buy nothing, what buys all that pays."""
    found, plan = campaign["prices"]["budget"], campaign["plan"]
    if found is not None and found["price"] > 0:
        return message("prices.budget", step=money(found["step"]), worth=money(found["worth"]))
    return message("prices.budget_spare", cost=money(plan["cost"])) if plan["chosen"] else None


def _contacts(campaign: Tree) -> Message | None:
    price = campaign["prices"]["contacts"]
    return message("prices.contacts", worth=money(price)) if price else None


def _consent(campaign: Tree) -> Message | None:
    found = campaign["prices"]["consent"]
    if found is None or not found["customers"]:
        return None
    count = Number(found["customers"], "count")
    return message("prices.consent", n=count, worth=money(found["worth"]))


def _price(campaign: Tree) -> Message | None:
    """Return the cost of the control group."""
    found = campaign["prices"]["control"]
    if found is None or not found["customers"]:
        return None
    count = Number(found["customers"], "count")
    return message("prices.control", n=count, cost=money(found["cost"]))


def _places(campaign: Tree) -> list[Message]:
    return [
        message("prices.place", offer=offer_label(campaign, one["name"]), worth=money(one["price"]))
        for one in campaign["offers"]
        if one["price"]
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
        draws=Number(campaign["draws"], "count"),
        value=money(found["value"]),
        range=interval(found["low"], found["high"], "money"),
    )


def _calibrated(campaign: Tree) -> Message | None:
    """Slope and intercept, and what the slope's interval says of the scores before."""
    found = campaign["calibration"]
    if found is None:
        return None
    key = f"trust.calibrated.{_spread(found)}"
    return message(key, customers=customers(found["customers"]), **_slope(found))


def _slope(found: Tree) -> dict[str, Any]:
    """Return slope and intercept of the recalibration, by the names the phrases use."""
    return {
        "slope": Number(found["slope"], "times"),
        "range": interval(found["slope_low"], found["slope_high"], "times"),
        "intercept": Number(found["intercept"], "times"),
    }


def _spread(calibration: Tree) -> str:
    """Return whether scores were spread rightly, too widely, or too little.

    >>> [_spread({"slope_low": low, "slope_high": low + 0.3}) for low in (0.6, 0.9, 1.1)]
    ['sure', 'fine', 'timid']
    """
    if calibration["slope_high"] is not None and calibration["slope_high"] < 1:
        return "sure"
    return "timid" if (calibration["slope_low"] or 0) > 1 else "fine"


def _certificate(plan: Tree) -> Message:
    """Return that no plan is better, or how much better one might at most be."""
    told = {"value": money(plan["value"]), "method": message(f"trust.method.{plan['method']}")}
    if plan["proven"]:
        return message("trust.certificate.proven", **told)
    ends = {"bound": money(plan["bound"]), "gap": Number(plan["gap"], "share")}
    return message("trust.certificate.bounded", **told, **ends)


def _stable_assumptions(rows: Sequence[Tree]) -> list[Message]:
    """Over which assumptions' whole range the plan stays what it is, and over which it does not."""
    known = [row for row in rows if row["same_from"] is not None and row["same_to"] is not None]
    stays = [
        row for row in known if row["same_from"] <= row["low"] and row["high"] <= row["same_to"]
    ]
    changes = [row for row in known if row not in stays]
    told = (("trust.stays", stays), ("trust.changes", changes))
    return [message(key, names=list(map(_range_message, found))) for key, found in told if found]


def _range_message(row: Tree) -> Message:
    return message("trust.quoted", name=assumption(row))


def assumptions(campaign: Tree) -> list[Tree]:
    """All that is assumed, and within which values of it the plan stays what it is."""
    unknown = {"same_from": None, "same_to": None}
    tried = {row["name"]: row for row in (campaign["sensitivity"] or {"rows": []})["rows"]}
    stated = {one["name"]: {**unknown, **one} for one in campaign["assumptions"]}
    return list({**stated, **tried}.values())


def fixed_assumptions(row: Tree) -> bool:
    """Return whether the plan changes with any shift of the assumption shown."""
    ends = {format_number(row[end], "value", "en") for end in ("same_from", "value", "same_to")}
    return len(ends) == 1


def assumption(row: Tree) -> Message:
    """Return an assumption as a message."""
    return message(f"assumption.{row['name']}")


def sampled_assumptions(campaign: Tree) -> Message:
    """Return how to assign the same control group again."""
    draws = Number(campaign["control"]["draws"], "count")
    return message("trust.drawn", n=draws, seed=Number(campaign["seed"], "plain"))
