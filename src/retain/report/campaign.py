"""The campaign in sentences, each generated from the verdict's numbers and no wider than they.

An offer is a hypothesis: nothing here says that it works, and where the campaign could not see
the effect hoped for, nothing is promised. May import: report.campaign_captions, report.contents,
report.names, report.numbers, report.words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retain.report.campaign_captions import offer_label
from retain.report.names import Tree, code
from retain.report.numbers import Number
from retain.report.words import Phrase, phrase

CONSENT = "campaign.consent=given"
"""What the store types to vouch for everybody's consent."""
READOUT = "retain-readout"


def money(value: float | None) -> Number:
    """A sum, in the unit of profit."""
    return Number(value, "money")


def customers(count: int) -> Phrase:
    """So many customers."""
    return phrase("campaign.customers", n=Number(count, "count"))


def summary(campaign: Tree) -> list[Phrase]:
    """Who is offered something and what it costs, who is held out, what is promised, consent."""
    said = [_plan(campaign)]
    if campaign["plan"]["chosen"]:
        said += [_control(campaign), promise(campaign)]
    said += [phrase(f"campaign.consent.{campaign['consent']}", **_agreed(campaign))]
    return [*said, phrase("campaign.hypotheses", command=code(READOUT))]


def _plan(campaign: Tree) -> Phrase:
    plan, everybody = campaign["plan"], customers(campaign["customers"])
    if not plan["chosen"]:
        return phrase("campaign.nobody", customers=everybody)
    return phrase(
        "campaign.plan",
        treated=Number(plan["treated"], "count"),
        customers=everybody,
        cost=money(plan["cost"]),
        saved=money(plan["saved"]),
        net=money(plan["net"]["value"]),
        low=money(plan["net"]["low"]),
        high=money(plan["net"]["high"]),
    )


def _control(campaign: Tree) -> Phrase:
    held = campaign["plan"]["control"]
    if not held:
        return phrase("campaign.control_none")
    share = Number(campaign["control"]["share"], "share")
    return phrase("campaign.control", n=Number(held, "count"), share=share)


def promise(campaign: Tree) -> Phrase:
    """Whether the effect hoped for is one the campaign could see; if not, nothing is promised."""
    power = campaign["power"]
    found = power["overall"]
    if found["detectable"] is None:
        return phrase("campaign.undetectable")
    told = {
        "hoped": Number(found["hoped"], "points"),
        "detectable": Number(found["detectable"], "points"),
        "power": Number(power["power"], "share"),
        "alpha": Number(power["alpha"], "plain"),
    }
    if found["promised"]:
        return phrase("campaign.promised", **told)
    if found["needed"] is None:
        return phrase("campaign.unpromised", **told)
    return phrase("campaign.unpromised_needed", n=Number(found["needed"], "count"), **told)


def _agreed(campaign: Tree) -> dict[str, Any]:
    """Who agreed to be contacted, where the source says so."""
    if campaign["consent"] != "stated":
        return {}
    return {
        "contactable": Number(campaign["contactable"], "count"),
        "customers": customers(campaign["customers"]),
    }


def cautions(tree: Tree) -> list[Phrase]:
    """What a reader of the campaign should know before believing it.

    Raises
    ------
    KeyError
        For a caution that has no text: whoever gives one has to write both.
    """
    found = tree["campaign"]["cautions"]
    return [
        phrase(f"caution.{one['code']}", **_PUT.get(one["code"], _nothing)(tree)) for one in found
    ]


def _nothing(_: Tree) -> dict[str, Any]:
    return {}


def _bent(tree: Tree) -> dict[str, Any]:
    found = tree["campaign"]["calibration"]
    names = {"intercept": "intercept", "slope": "slope", "low": "slope_low", "high": "slope_high"}
    return {name: Number(found[at], "times") for name, at in names.items()}


def _lost(tree: Tree) -> dict[str, Any]:
    return {"low": money(tree["campaign"]["plan"]["net"]["low"])}


_PUT: dict[str, Callable[[Tree], dict[str, Any]]] = {
    "calibration_poor": _bent,
    "may_lose": _lost,
}
"""What is put into the texts of cautions, by their code."""


def limits(campaign: Tree) -> list[Phrase]:
    """What each limit of the plan is worth: budget, contacts, consent, control group, places."""
    if campaign["prices"] is None:
        return []
    told = [_budget(campaign), _contacts(campaign), _consent(campaign), _price(campaign)]
    return [*(one for one in told if one is not None), *_places(campaign)]


def _budget(campaign: Tree) -> Phrase | None:
    """Of the budget; where more of it would buy nothing, what buys all that pays."""
    found, plan = campaign["prices"]["budget"], campaign["plan"]
    if found is not None and found["price"] > 0:
        return phrase("prices.budget", step=money(found["step"]), worth=money(found["worth"]))
    return phrase("prices.budget_spare", cost=money(plan["cost"])) if plan["chosen"] else None


def _contacts(campaign: Tree) -> Phrase | None:
    price = campaign["prices"]["contacts"]
    return phrase("prices.contacts", worth=money(price)) if price else None


def _consent(campaign: Tree) -> Phrase | None:
    found = campaign["prices"]["consent"]
    if found is None or not found["customers"]:
        return None
    count = Number(found["customers"], "count")
    return phrase("prices.consent", n=count, worth=money(found["worth"]))


def _price(campaign: Tree) -> Phrase | None:
    """What the control group costs."""
    found = campaign["prices"]["control"]
    if found is None or not found["customers"]:
        return None
    count = Number(found["customers"], "count")
    return phrase("prices.control", n=count, cost=money(found["cost"]))


def _places(campaign: Tree) -> list[Phrase]:
    return [
        phrase("prices.place", offer=offer_label(campaign, one["name"]), worth=money(one["price"]))
        for one in campaign["offers"]
        if one["price"]
    ]
