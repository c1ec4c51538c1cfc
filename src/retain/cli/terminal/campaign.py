"""What a comparison prints of segments and campaign. Draws, decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from retain.cli.terminal.console import literal

if TYPE_CHECKING:
    from retain.record import StudyDirectory


Tree = Mapping[str, Any]


def print_segments(console: Console, segments: Sequence[Tree], scored: Mapping[str, int]) -> None:
    """Print the segments, and what tells each from all other customers where that was asked."""
    console.print(_segments(segments, scored))
    if not any(one["contrasts"] for one in segments):
        return
    for one in segments:
        differs = "; ".join(map(_contrast, one["contrasts"])) or "differs from nobody"
        small = " (few customers)" if one["is_small"] else ""
        message = f"  {one['segment']}{small}: {differs}"
        console.print(literal(message), soft_wrap=True, highlight=False)


def _segments(segments: Sequence[Tree], scored: Mapping[str, int]) -> Table:
    origins = ", ".join(f"{n} {origin.replace('_', ' ')}" for origin, n in scored.items())
    title = f"Segments of {sum(scored.values())} customers ({literal(origins)})"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    money = any(one["profit_at_risk"] is not None for one in segments)
    table.add_column("segment")
    for name in ("customers", "risk", "95 %", *(("at risk", "95 %") if money else ())):
        table.add_column(name, justify="right", no_wrap=True)
    for one in segments:
        cells = [
            f"{one['n_customers']:,}",
            f"{one['risk']['value']:.2f}",
            f"{one['risk']['low']:.2f}–{one['risk']['high']:.2f}",
        ]
        if money:
            at_risk = one["profit_at_risk"]
            cells += [f"{at_risk['value']:,.0f}", f"{at_risk['low']:,.0f}–{at_risk['high']:,.0f}"]
        table.add_row(literal(one["segment"]), *cells)
    return table


def _contrast(one: Tree) -> str:
    what = one["feature"] if one["level"] is None else f"{one['feature']} = {one['level']}"
    values = [
        _short(one[side], share=one["level"] is not None) for side in ("in_segment", "elsewhere")
    ]
    return f"{what} {values[0]} against {values[1]}"


def _short(number: float, *, share: bool) -> str:
    """Three digits that matter, without an exponent."""
    if share:
        return f"{number:.0%}"
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def print_campaign(console: Console, campaign: Tree) -> None:
    """Print who is offered what, at what cost, and what can be promised."""
    if "reason" in campaign:
        console.print(f"[yellow]No campaign: {literal(campaign['reason'])}[/]", soft_wrap=True)
        return
    console.print(_offers(campaign))
    limits = None if campaign["shadow_prices"] is None else _limits(campaign)
    for line in filter(None, (_plan(campaign), limits, _promise(campaign))):
        console.print(literal(line), highlight=False)
    for code in (one["code"] for one in campaign["cautions"]):
        console.print(f"[yellow]{literal(CAUTIONS[code])}[/]")


def print_campaign_path(console: Console, study: StudyDirectory, campaign: Tree | None) -> None:
    """Print where the campaign lies, where one was planned."""
    if campaign is not None and "id" in campaign:
        path = literal(study.campaign(campaign["id"]).path)
        console.print(f"Campaign: {path}", soft_wrap=True, highlight=False)


CAUTIONS = {
    "no_consent_column": "The source does not say who agreed to be contacted, so nobody is: "
    "data.consent=COLUMN, or campaign.consent=assume_given where you vouch for all.",
    "nothing_pays": "No offer is expected to bring more than it costs.",
    "control_none": "Without a control group nobody will know what the campaign did: "
    "campaign.control_share=0.2",
    "calibration_poor": "The scores were no probabilities; they were recalibrated.",
    "may_lose": "Within the ranges assumed, the campaign may cost more than it saves.",
}
"""What each caution says in the terminal."""


def _offers(campaign: Tree) -> Table:
    unit = literal(campaign["profit_unit"])
    table = Table(title="Offers", caption=f"money in {unit}", box=SIMPLE_HEAD)
    table.padding = (0, 1, 0, 0)
    table.add_column("offer", overflow="fold")
    for name in ("may", "get", "held out", "cost", "net", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in campaign["offers"]:
        net = one["expected_net"]
        table.add_row(
            literal(one["name"]),
            f"{one['n_eligible']:,}",
            f"{one['n_treated']:,}",
            f"{one['n_control']:,}",
            f"{one['expected_cost']:,.0f}",
            f"{net['value']:,.0f}",
            f"{net['low']:,.0f}–{net['high']:,.0f}",
        )
    return table


def _plan(campaign: Tree) -> str:
    plan, net = campaign["plan"], campaign["plan"]["expected_net"]
    certain = (
        "proven best" if plan["is_optimal"] else f"within {plan['relative_gap']:.1g} of the best"
    )
    return (
        f"{plan['n_treated']:,} of {campaign['n_customers']:,} customers are offered something "
        f"({campaign['n_contactable']:,} agreed to be contacted), at an expected cost of "
        f"{plan['expected_cost']:,.0f}; expected to save {plan['expected_saved']:,.0f}, so "
        f"{net['value']:,.0f} [{net['low']:,.0f}, {net['high']:,.0f}] in all; "
        f"the plan is {certain}."
    )


def _limits(campaign: Tree) -> str:
    """What one more of what is short would be worth."""
    prices, said = campaign["shadow_prices"], []
    if (budget := prices["budget"]) is not None:
        said.append(f"{budget['step']:,.6g} more of budget would bring {budget['gain']:,.3g}")
    if (consent := prices["consent"]) is not None:
        said.append(
            f"consent of the {consent['n_customers']:,} who gave none would bring "
            f"{consent['gain']:,.3g}"
        )
    control = prices["control_group"]
    said.append(f"holding out {control['n_customers']:,} costs {control['cost']:,.3g}")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def _promise(campaign: Tree) -> str:
    power = campaign["power"]["overall"]
    hoped = 100 * power["expected"]
    arms = "" if power["required_n"] is None else f"; it would take {power['required_n']:,} a group"
    if not power["n_control"]:
        return "Nothing is promised: without a control group no effect can be seen."
    if power["minimum_detectable_effect"] is None:
        return (
            f"Nothing is promised: {power['n_treated']:,} treated and {power['n_control']:,} held "
            f"out are too few to tell any fall from chance{arms}."
        )
    seen = 100 * power["minimum_detectable_effect"]
    if power["claimable"]:
        return (
            f"{hoped:.1f} points fewer declines are hoped for; from {seen:.1f} on it will be seen."
        )
    return (
        f"Nothing is promised: the {hoped:.1f} points fewer declines hoped for are below the "
        f"{seen:.1f} that {power['n_treated']:,} treated and {power['n_control']:,} held out can "
        f"show{arms}."
    )
