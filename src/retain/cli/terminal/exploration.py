"""Offers drawn at random, in the terminal: what they will show, and what they showed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.console import Table, literal
from retain.cli.terminal.control_group import format_value
from retain.record.campaign_document import CampaignDocument
from retain.record.exploration_info import ExplorationInfo, ExploredOffer
from retain.record.trial_document import ArmEffect
from retain.wording import describe_count, format_interval, format_p, format_signed, to_frequency


def print_exploration(console: Console, campaign: CampaignDocument) -> None:
    """Print who explores, what that costs, and what it will show of each offer."""
    info = campaign.exploration
    if info is None:
        return
    for line in _describe(info, campaign):
        console.print(literal(line), highlight=False)
    if info.offers:
        console.print(_show(info))


def _describe(info: ExplorationInfo, campaign: CampaignDocument) -> Iterator[str]:
    who = describe_count(info.n_customers, "customer")
    many = f"{info.n_treated:,} contacted and {info.n_control:,} in the control group"
    if info.is_learning and info.because == "ranking_not_shown":
        yield (
            "A learning campaign: the sealed test does not show that the model ranks customers "
            "better than chance, so who is contacted, and with which offer, is drawn at random."
        )
    elif info.is_learning:
        yield "A learning campaign: who is contacted, and with which offer, is drawn at random."
    yield (
        f"{who} of {info.n_eligible:,} eligible explore ({many}): each gets an offer drawn at "
        f"random from those possible. Expected cost: {format_value(info.expected_cost)}."
    )
    if info.given_up is not None:
        lost = info.given_up
        what = "customers kept" if campaign.objective == "customers" else "net value"
        yield (
            f"The plan without them is expected to bring {format_value(lost.value)} more of {what} "
            f"(95 % interval {format_value(lost.low)} to {format_value(lost.high)})."
        )


def _show(info: ExplorationInfo) -> Table:
    seen, total = to_frequency(info.power)
    table = Table(title="What each offer will show", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.caption = (
        "fall of the share that declines, in percentage points, that would be seen in "
        f"{seen} of {total} such campaigns; expected: as the catalogue assumes"
    )
    table.add_column("offer", overflow="fold")
    for name in ("contacted", "control", "expected", "against control", "against the next offer"):
        table.add_column(name, justify="right")
    for one in info.offers:
        table.add_row(literal(one.name), *_cells(one))
    return table


def _cells(one: ExploredOffer) -> tuple[str, ...]:
    last = "" if one.next_offer is None else _points(one.detectable_from_next)
    least = _points(one.minimum_detectable_effect)
    return f"{one.n_treated:,}", f"{one.n_control:,}", f"{100 * one.expected:.1f}", least, last


def _points(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f}"


CONCLUSIONS = {
    "helped": "[green]better[/]",
    "harmed": "[red]worse[/]",
    "inconclusive": "not significant",
    "not_tested": "not tested apart",
    "not_compared": "too few outcomes",
}


def print_explored(console: Console, rows: Sequence[ArmEffect], level: str) -> None:
    """Print what offers that were drawn at random did against no offer, and which pairs differ."""
    against_none = [row for row in rows if row.role == "primary"]
    if not against_none:
        return
    pairs = [row for row in rows if row.role == "between"]
    differing = [row for row in pairs if row.conclusion in ("helped", "harmed")]
    times = 1 if against_none[0].outcome == "profit" else 100
    title = "Profit per customer" if times == 1 else "Share that did not decline, %"
    table = Table(title=f"Offers drawn at random. {title}", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold", max_width=30)
    for name in ("difference", level, "p adj."):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for row in [*against_none, *differing]:
        label = literal(f"{row.arm} − {row.versus}")
        table.add_row(label, *_effect_cells(row, times), CONCLUSIONS[row.conclusion])
    console.print(table)
    if pairs and not differing:
        console.print("That two of these offers differ is not shown; readout.json has all pairs.")


def _effect_cells(row: ArmEffect, times: int) -> list[str]:
    gap = row.tested_difference
    if gap is None:
        return ["", "", ""]
    value, low, high = (times * end for end in (gap.value, gap.low, gap.high))
    p = "" if row.p_adjusted is None else format_p(row.p_adjusted)
    return [format_signed(value, "+.1f"), format_interval(low, high, "+.1f"), p]
