"""Terminal output of the cautions of a campaign."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from retain.cli.terminal.console import literal
from retain.record.documents import CautionInfo
from retain.report.text.amounts import say_turnover

CAUTIONS = {
    "turnover": "All amounts are turnover, not profit, because no margin is typed: a plan may cost "
    "more than it earns. Type what is left of one unit of turnover, such as "
    "assumptions.margin.low=0.2 assumptions.margin.value=0.25 assumptions.margin.high=0.3.",
    "ranking_not_tested": "Whether the model ranks customers better than chance was not tested, so "
    "a campaign aimed by its scores may do no better than one aimed at random.",
    "profit_concentrated": "{share:.0%} of the expected profit at risk (more than {limit:.0%}) is "
    "that of the first {n_first:,} by amount: all sums depend on it, and intervals may be too "
    "short. Check that profit, or plan without it.",
    "no_profit": "No profit is known: each customer counts as one. Name the column of profit:",
    "profit_missing": "Profit is missing for {n_missing:,} of {n_customers:,} customers and counts "
    "as 0: amounts are too low by what they bring, and no offer pays for them.",
    "effects_unlike": "Customers unlike those an offer was tried on, who do not get it: {counts}.",
    "effects_harmed": "Customers who are expected to gain nothing by an offer or to be harmed, and "
    "do not get it: {counts}.",
    "effects_not_positive": "Customers on whom the measured effect of an offer is not above 0, who "
    "do not get it (harm is not shown): {counts}.",
    "effects_prior": "A new offer keeps the save rate that is assumed: {offers}.",
    "effects_small": "Too few customers to learn from, so the save rate that is assumed is kept: "
    "{offers}.",
    "campaigns_unreadable": "Other campaigns that cannot be read: {n:,} ({campaigns}). If one of "
    "them is open, its customers are not spared. Mend the folder or move it away, or name a "
    "campaign that was never sent: campaign.unsent=[ID].",
    "free_offers": "Some offers cost nothing in the catalogue, which the settings accept "
    "(offers.costs=accept): the net value counts no cost for them.",
    "minimums_unmet": "A minimum of contacts (campaign.min_contacts) is not met: no offer pays for "
    "more customers of the segment, and nobody is contacted at a loss.",
    "no_consent_column": "The data do not say who agreed to be contacted, so nobody gets an offer "
    "that needs consent. Type data.consent=COLUMN, or campaign.consent=assume_given if all "
    "customers agreed.",
    "nothing_pays": "No offer is expected to bring more than it costs.",
    "limits_leave_nobody": "Offers would pay, but the limits of the campaign allow none: raise "
    "campaign.budget, campaign.max_contacts or a capacity.",
    "control_none": "Without a control group no effect can be measured: campaign.control_share=0.2",
    "control_large": "{share:.0%} of the chosen are in the control group. Of the same customers a "
    "half would show more, and fewer would go without an offer: campaign.control_share=0.5",
    "calibration_poor": "The scores were not calibrated; amounts of money use recalibrated "
    "probabilities.",
    "risk_miscalibrated": "In some segments or tenths of the risk, observed declines differ from "
    "the expected ones beyond chance (marked ! in the segments). Do not rely on expected risks and "
    "money there.",
    "may_lose": "Within the 95 % interval, the campaign may cost more than it saves.",
}
"""Messages of cautions by code."""
AT_HEAD = ("turnover", "ranking_not_tested", "risk_miscalibrated", "profit_concentrated")
"""Cautions printed before the offers: without them the plan would promise too much."""


def print_cautions(
    console: Console, cautions: Sequence[CautionInfo], *, about_turnover: bool
) -> None:
    """Print each caution, and what to type."""
    for one in cautions:
        values = {name: _join(value) for name, value in one.numbers.items()}
        message = CAUTIONS[one.code].format(**values)
        if about_turnover and one.code != "turnover":
            message = say_turnover(message, "en")
        console.print(f"[yellow]{literal(message)}[/]")
        print_overrides(console, one.numbers.get("overrides", ()))


def _join(value: object) -> object:
    """Return a list of names, or counts by name, as text."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {count:,}" for name, count in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def print_overrides(console: Console, overrides: Sequence[str]) -> None:
    """Print lines to type."""
    for one in overrides:
        console.print(f"  {literal(one)}", soft_wrap=True, highlight=False)
