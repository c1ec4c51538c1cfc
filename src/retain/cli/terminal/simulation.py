"""Terminal output of invented outcomes and the truth behind them. Computes nothing."""

from __future__ import annotations

import os
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.console import Table, literal
from retain.errors import type_value
from retain.record.truth_document import OfferValue, PlanValue, Truth
from retain.wording import format_signed, money_digits
from retain.workflows.simulate import Simulation

DIFFERENCES = {
    "none": "for all customers",
    "risk": "{more} for customers of more than median risk, {less} for others",
    "value": "{more} for customers with more than the median at stake, {less} for others",
    "segment": "{more} in segments drawn by chance, {less} in others",
}


def print_simulation(console: Console, simulation: Simulation, campaign: Path) -> None:
    """Print that outcomes are invented and by what truth, the plan's true value, and the files."""
    document = simulation.document
    title = f"Outcomes of campaign {document.plan.campaign_id} are invented, not observed."
    console.print(f"[bold]{literal(title)}[/] {literal(_describe(document.truth))}")
    console.print(_values(document.plan, document.truth))
    console.print(literal(_compare(document.plan, document.earlier)))
    folder = Path(os.path.relpath(simulation.directory.path))
    words = (
        type_value("campaign", campaign),
        type_value("outcomes", folder / simulation.directory.outcomes.name),
    )
    for text in (
        f"Outcomes and truth: {folder}",
        f"To read them out: {' '.join(['retain-readout', *words])}",
    ):
        console.print(literal(text), soft_wrap=True, highlight=False)


def _describe(truth: Truth) -> str:
    """Return the truth in words."""
    risk = "the stored risks are right"
    if truth.risk_odds != 1:
        risk = f"the odds of a decline are {truth.risk_odds:g} × those of the stored risks"
    more, less = (format_signed(sign * truth.strength, "+.2g") for sign in (1, -1))
    differs = DIFFERENCES[truth.heterogeneity].format(more=more, less=less)
    reached = f"; {truth.noncompliance:.0%} are not reached" if truth.noncompliance else ""
    return f"The truth: {risk}; the save rates are those of the table, {differs}{reached}."


def _values(plan: PlanValue, truth: Truth) -> Table:
    """Return the true result of each offer in a table."""
    table = Table(title="What the plan is truly worth", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("offer", no_wrap=True)
    for name in ("save rate", "contacted", "declines, points", "cost", "net", "net as planned"):
        table.add_column(name, justify="right")
    table.caption = literal(f"cost and net value in {plan.unit}, of those contacted")
    digits = money_digits([plan.total.saved, plan.total.cost, plan.total.net])
    for offer in plan.offers:
        rate = format_signed(truth.save_rates[offer.name], ".2f")
        table.add_row(literal(offer.name), rate, *_cells(offer, digits))
    table.add_row("[bold]all[/]", "", *_cells(plan.total, digits))
    return table


def _cells(row: OfferValue, digits: int) -> tuple[str, ...]:
    money = (row.cost, row.net, row.expected_net)
    points = format_signed(100 * row.effect, "+.1f")
    return (f"{row.n_treated:,}", points, *(format_signed(x, f",.{digits}f") for x in money))


def _compare(plan: PlanValue, earlier: PlanValue | None) -> str:
    """Return the true net value in a sentence, beside that of the earlier plan."""
    values = [one.total.net for one in (plan, earlier) if one is not None]
    digits = money_digits(values)
    net, *others = (format_signed(value, f",.{digits}f") for value in values)
    sentence = f"True net value of this plan: {net}"
    if earlier is None:
        return f"{sentence}."
    return f"{sentence}; of that of campaign {earlier.campaign_id}, by the same truth: {others[0]}."
