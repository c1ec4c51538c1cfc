"""Terminal output of segments and campaign. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.cautions import AT_HEAD, print_cautions, print_overrides
from retain.cli.terminal.console import Table, literal
from retain.cli.terminal.control_group import describe_power, describe_saving, format_value
from retain.cli.terminal.exploration import print_exploration
from retain.cli.terminal.offer_effects import describe_offer_effects
from retain.record.approval_document import Policies, type_unsent
from retain.record.campaign_document import CampaignDocument, NoCampaignInfo
from retain.record.estimates import DisplayName, Estimate, PartialEstimate
from retain.record.plan_scenarios import ShadowPrices
from retain.record.segments_document import ContrastInfo, SegmentInfo
from retain.record.verdict_document import CampaignOrReason
from retain.wording import (
    describe_count,
    format_interval,
    format_signed,
    money_digits,
)

if TYPE_CHECKING:
    from retain.record.study import StudyDirectory
    from retain.record.verdict_document import CustomerResults


ORIGINS = {"out_of_fold": "in cross-validation", "sealed_test": "in the sealed test"}
"""The origins of customers' scores."""


def print_segments(console: Console, tree: CustomerResults) -> None:
    """Print the segments, their bands, and their contrasts if there are any."""
    segments = tree.segments
    console.print(_segments(segments, tree.n_scored, _money_noun(tree.campaign)))
    if (risk := tree.fitted_thresholds.segmentation.risk) is not None:
        begins = ", ".join(f"{name} from {begin:.1%}" for name, begin in risk.bands.items())
        console.print(literal(f"  Bands of risk: {begins}"), soft_wrap=True, highlight=False)
    if (dominant := tree.dominant_segment) is not None:
        message = (
            f"{dominant.share:.1%} of the customers are in {dominant.name!r}: these bounds hardly "
            "tell customers apart. Choose other ones: see the keys of segmentation."
        )
        console.print(f"[yellow]{literal(message)}[/]", soft_wrap=True)
    if not any(one.contrasts for one in segments):
        return
    for one in segments:
        differs = "; ".join(map(_contrast, one.contrasts)) or "no significant differences"
        small = " (few customers)" if one.is_small else ""
        message = f"  {one.segment}{small}: {differs}"
        console.print(literal(message), soft_wrap=True, highlight=False)


def _money_noun(campaign: CampaignOrReason | None) -> str:
    return (
        "turnover" if isinstance(campaign, CampaignDocument) and campaign.is_turnover else "profit"
    )


def _segments(segments: Sequence[SegmentInfo], scored: Mapping[str, int], money: str) -> Table:
    origins = ", ".join(f"{n:,} {ORIGINS.get(origin, origin)}" for origin, n in scored.items())
    title = f"Segments of {describe_count(sum(scored.values()), 'customer')} ({literal(origins)})"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    observed = any(one.observed_profit_at_risk is not None for one in segments)
    expected = any(one.expected_profit_at_risk is not None for one in segments)
    key = "observed_profit_at_risk" if observed else "expected_profit_at_risk"
    sums: tuple[str, ...] = ()
    form = _money_format((), (getattr(one, key) for one in segments))
    if expected:
        at_risk = [one.expected_profit_at_risk for one in segments]
        whole = sum(one.value or 0.0 for one in at_risk if one is not None)
        total = format_signed(whole, form)
        what = "observed, that of customers who declined" if observed else "expected"
        table.caption = (
            f"{money.capitalize()} at risk is {what}; expected of all customers: {total}"
        )
        sums = ("at risk", "95 % interval")
    table.add_column("segment")
    for name in ("customers", "risk", "95 % CI", "expected", *sums):
        table.add_column(name, justify="right", no_wrap=True)
    for one in segments:
        cells = [
            f"{one.n_customers:,}",
            *_risk(one),
            f"{one.expected_risk:.2f}{'!' if one.is_miscalibrated else ''}",
        ]
        if expected:
            cells += _at_risk(getattr(one, key), form)
        table.add_row(literal(one.segment), *cells)
    return table


def _at_risk(estimate: PartialEstimate | None, form: str) -> tuple[str, str]:
    """Return an amount and its interval, which few customers have not."""
    if estimate is None:
        return "", "too few"
    amount = format_signed(estimate.value or 0.0, form)
    if estimate.low is None or estimate.high is None:
        return amount, "too few"
    return amount, format_interval(estimate.low, estimate.high, form)


def _risk(one: SegmentInfo) -> tuple[str, str]:
    """Return the risk and its interval; with too few customers the number of decliners."""
    risk, declined = one.risk, one.n_declined
    if risk is not None:
        return f"{risk.value:.2f}", format_interval(risk.low, risk.high, ".2f")
    return "" if declined is None else f"{declined} of {one.n_customers}", "too few"


def _contrast(one: ContrastInfo) -> str:
    what = one.feature if one.level is None else f"{one.feature} = {one.level}"
    sides = (one.in_segment, one.elsewhere)
    values = [_short(side, share=one.level is not None) for side in sides]
    return f"{what} {values[0]} (others {values[1]})"


def _short(number: float, *, share: bool) -> str:
    """Return a share in per cent, or a number with three significant digits."""
    if share:
        return f"{number:.0%}"
    return format_value(number)


def print_campaign(console: Console, campaign: CampaignDocument | NoCampaignInfo) -> None:
    """Print offers, costs, limits, and whether the effect can be measured."""
    if isinstance(campaign, NoCampaignInfo):
        _print_no_campaign(console, campaign)
        return
    cautions, about_turnover = campaign.cautions, campaign.is_turnover
    at_head = [one for one in cautions if one.code in AT_HEAD]
    print_cautions(console, at_head, about_turnover=about_turnover)
    console.print(_offers(campaign))
    print_exploration(console, campaign)
    limits = None if campaign.shadow_prices is None else _limits(campaign, campaign.shadow_prices)
    lines = (
        _plan(campaign),
        _left_alone(campaign.policies),
        limits,
        describe_power(campaign),
        describe_saving(campaign),
    )
    for line in filter(None, lines):
        console.print(literal(line), highlight=False)
    if campaign.effects is not None:
        for line in describe_offer_effects(campaign.effects):
            console.print(literal(line), highlight=False)
    said = (*AT_HEAD, "effects_measured")
    later = [one for one in cautions if one.code not in said]
    print_cautions(console, later, about_turnover=about_turnover)


def _print_no_campaign(console: Console, campaign: NoCampaignInfo) -> None:
    """Print the reason for no campaign, and what to type instead, one word per line."""
    overrides = campaign.overrides
    stop = ":" if overrides else "."
    console.print(f"[yellow]No campaign: {literal(campaign.reason)}{stop}[/]", soft_wrap=True)
    print_overrides(console, overrides)


def print_campaign_path(
    console: Console, study: StudyDirectory, campaign: CampaignOrReason | None
) -> None:
    """Print the path of the campaign, if one was planned."""
    if isinstance(campaign, CampaignDocument) and campaign.id is not None:
        path = literal(study.campaign(campaign.id).path)
        console.print(f"Campaign: {path}", soft_wrap=True, highlight=False)


def _offers(campaign: CampaignDocument) -> Table:
    unit = literal(DisplayName.of(campaign.profit_unit).en)
    counted = campaign.objective == "customers"
    kept = "kept: customers expected to be kept; each counts as one"
    caption = kept if counted else f"cost and net value in {unit}"
    title = "Offers, drawn at random in a learning campaign" if campaign.is_learning else "Offers"
    table = Table(title=title, caption=caption, box=SIMPLE_HEAD)
    table.padding = (0, 1, 0, 0)
    table.add_column("offer", overflow="fold")
    net_column = "kept" if counted else "net"
    for name in ("eligible", "contacted", "control", "cost", net_column, "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    chosen = [one for one in campaign.offers if one.n_chosen]
    nets = [one.expected_net for one in chosen]
    form = _money_format((one.expected_cost for one in chosen), nets)
    if unchosen := [one.name for one in campaign.offers if not one.n_chosen]:
        table.caption = f"{caption}; for nobody: {literal(', '.join(unchosen))}"
    for one, net in zip(chosen, nets, strict=True):
        table.add_row(
            literal(one.name),
            f"{one.n_eligible:,}",
            f"{one.n_treated:,}",
            f"{one.n_control:,}",
            format_signed(one.expected_cost, form),
            format_signed(net.value, form),
            _span(net, form),
        )
    return table


def _span(estimate: Estimate, form: str) -> str:
    return format_interval(estimate.low, estimate.high, form)


def _money_format(amounts: Iterable[float], estimates: Iterable[PartialEstimate | None]) -> str:
    """Return the format of amounts that stand together, and of estimates of amounts."""
    given = (one for one in estimates if one is not None)
    known = (end for one in given for end in (one.value, one.low, one.high))
    return f",.{money_digits([*amounts, *(end for end in known if end is not None)])}f"


def _plan(campaign: CampaignDocument) -> str:
    plan, net = campaign.plan, campaign.plan.expected_net
    cost, saved = plan.expected_cost, plan.expected_saved
    form = _money_format((cost, saved), [net])
    best = (
        "proven optimal under these assumptions"
        if plan.is_optimal
        else f"at most {plan.relative_gap:.1%} below the best one under these assumptions"
    )
    how_good = "" if campaign.is_learning else f" The plan is {best}."
    customers = describe_count(campaign.n_customers, "customer")
    if (kept := plan.kept) is not None:
        rate = "" if kept.per_cost is None else f", {format_value(kept.per_cost)} per unit of cost"
        return (
            f"Each customer counts as one: {plan.n_treated:,} of {customers} get an offer, "
            f"{format_signed(kept.value, form)} are expected to be kept (95 % interval "
            f"{_span(net, form)}), {format_value(kept.per_contact or 0.0)} per contact{rate}."
            f"{how_good}"
        )
    return (
        f"{plan.n_treated:,} of {customers} get an offer "
        f"({campaign.n_contactable:,} agreed to be contacted). Expected cost: "
        f"{format_signed(cost, form)}; expected {_money_noun(campaign)} saved: "
        f"{format_signed(saved, form)}; expected net value: "
        f"{format_signed(net.value, form)} (95 % interval {_span(net, form)})."
        f"{how_good}"
    )


def _left_alone(policies: Policies) -> str | None:
    """Return who is in no campaign, in another one, or at rest after one; None if nobody."""
    groups = []
    if n_permanent := policies.n_permanent_control:
        groups.append(f"{describe_count(n_permanent, 'customer')} in the permanent control group")
    groups += [
        f"{describe_count(one.n_customers, 'customer')} in campaign {one.id}, which is open (if it "
        f"was never sent: {type_unsent(one.id)})"
        for one in policies.open_campaigns
    ]
    groups += [
        f"{describe_count(one.n_customers, 'customer')} at rest, contacted by campaign {one.id} "
        f"less than {policies.rest_days} days apart (if it was never sent: {type_unsent(one.id)})"
        for one in policies.rested_after
    ]
    return f"Left alone: {'; '.join(groups)}." if groups else None


def _limits(campaign: CampaignDocument, prices: ShadowPrices) -> str:
    """Return the net value, or number of customers kept, that looser limits would add."""
    message = []
    if (budget := prices.budget) is not None:
        step, gain = budget.step, budget.gain
        message.append(
            "a larger budget alone would add nothing"
            if not gain
            else f"each further {format_value(step)} of budget would add {format_value(gain)}"
        )
    if prices.contact:
        message.append(f"one more contact would add {format_value(prices.contact)}")
    if (consent := prices.consent) is not None:
        more = describe_count(consent.n_customers, "more customer")
        message.append(f"the consent of {more} would add up to {format_value(consent.gain)}")
    control = prices.control_group
    group = describe_count(control.n_customers, "customer")
    message.append(f"the control group ({group}) costs {format_value(control.cost)}")
    what = "customers kept" if campaign.objective == "customers" else "net value"
    return f"In {what}, {'; '.join(message)}."
