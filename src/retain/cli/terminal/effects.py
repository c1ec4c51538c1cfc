"""Terminal output of effects that were learned, and of plans judged by them. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.console import Table, literal
from retain.errors import NotApplicable
from retain.record.effects_document import EffectsDocument, NextCampaignInfo, PolicyRow
from retain.record.estimates import Estimate
from retain.wording import describe_count, format_interval, format_p, format_signed, money_digits

PLANS = {
    "nobody": "nobody",
    "everybody": "everybody",
    "by_risk": "those of whom least is expected",
    "by_value_at_risk": "those with most value at risk",
    "by_baseline": "those of whom most is expected",
    "by_response": "those likeliest to respond",
    "learned": "each by the effects learned",
}


def print_effects(console: Console, document: EffectsDocument | NotApplicable) -> None:
    """Print whether effects differ between customers, what plans would have earned, the choice."""
    if isinstance(document, NotApplicable):
        console.print(literal(f"No effects were learned: {document}."))
        return
    for message in _evidence(document):
        console.print(literal(message))
    console.print(_policies(document))
    console.print(literal(_choice(document)))
    if document.next_campaign is not None:
        console.print(literal(_next_campaign(document.next_campaign, document)))


def _evidence(document: EffectsDocument) -> Iterator[str]:
    """Yield for each arm whether its effect differs between customers."""
    for arm in document.arms:
        if arm.p is None:
            continue
        if arm.shrinkage > 0:
            yield (
                f"The effect of {arm.arm} differs between customers (p {format_p(arm.p)}): "
                f"{arm.shrinkage:.0%} of the differences that were learned are believed."
            )
        else:
            yield (
                f"That the effect of {arm.arm} differs between customers is not shown (p "
                f"{format_p(arm.p)}): it is taken to be the same for all."
            )


def _policies(document: EffectsDocument) -> Table:
    level = f"{100 * (1 - document.alpha):g} % CI"
    unit = document.unit or document.outcome
    title = f"Net value of plans for these customers, beyond nobody, {unit}"
    table = Table(title=literal(title), box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("contacted", overflow="fold", max_width=34, min_width=24)
    has_cost = any(row.cost for row in document.policies)
    for name in ("%", *(("cost",) if has_cost else ()), "each", level, "in all"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    table.caption = (
        "%: of customers contacted; cost and each: a customer, contacted or not. Plans are learned "
        "from some customers and judged on others; all intervals hold together. Values rest on "
        "models of the outcome, and may differ from the effects of arms by chance."
    )
    ends = [end for row in document.policies for end in (row.value.low, row.value.high)]
    form = f",.{money_digits(ends)}f"
    for row in document.policies:
        share, cost, *others = _cells(row, form)
        cells = [share, cost, *others] if has_cost else [share, *others]
        table.add_row(literal(_name(row.policy)), *cells, _mark(row, document))
    return table


def _cells(row: PolicyRow, form: str) -> list[str]:
    value = row.value
    return [
        f"{100 * row.contacted_share:.0f}",
        format_signed(row.cost, form),
        format_signed(value.value, f"+{form}"),
        format_interval(value.low, value.high, f"+{form}"),
        format_signed(row.total.value, "+,.0f"),
    ]


def _mark(row: PolicyRow, document: EffectsDocument) -> str:
    if row.policy == document.chosen:
        return "[green]chosen[/]"
    return "tied" if row.is_tied else ""


def _name(policy: str) -> str:
    """Return a plan in words.

    >>> _name("everybody: letter"), _name("learned")
    ('everybody: letter', 'each by the effects learned')
    """
    kind, colon, offer = policy.partition(": ")
    return f"{PLANS[kind]}{colon}{offer}"


def _choice(document: EffectsDocument) -> str:
    """Return the simplest of the best plans, and what a personal plan would add."""
    message = f"The simplest of the best plans: {_name(document.chosen)}."
    if document.chosen == "learned":
        return f"{message} Each customer gets what earns most by the effects learned, or nothing."
    gain = _difference(document, "learned", document.chosen)
    form = f"+,.{max(money_digits((gain.value, gain.low, gain.high)), 2)}f"
    interval = format_interval(gain.low, gain.high, form)
    tied = "is tied with it" if gain.low <= 0 <= gain.high else "earns less"
    return f"{message} A personal plan {tied}: {format_signed(gain.value, form)} ({interval})."


def _next_campaign(plan: NextCampaignInfo, document: EffectsDocument) -> str:
    """Return who gets an arm in the next campaign, and what that costs and is expected to bring."""
    lead = f"Next campaign ({plan.file}, {describe_count(plan.n_customers, 'customer')}): "
    left = ""
    if plan.n_unlike:
        left += f" {plan.n_unlike:,} are unlike the customers of the trial and get none."
    if plan.n_no_consent:
        left += f" {plan.n_no_consent:,} did not agree to be contacted."
    if plan.n_left_out:
        left += f" {plan.n_left_out:,} more of the file cannot be read, see next_left_out.csv."
    arms = ", ".join(f"{one.arm} {one.n_customers:,}" for one in plan.arms if one.n_customers)
    if not arms:
        why = "no plan is shown to earn more"
        if plan.policy != "nobody":
            why = "nobody may be within these limits"
        return f"{lead}nobody is contacted, as {why}.{left}"
    unit, net = document.unit or document.outcome, plan.net
    form = f",.{money_digits((plan.cost, net.value, net.low, net.high))}f"
    value = format_signed(net.value, f"+{form}")
    interval = format_interval(net.low, net.high, f"+{form}")
    cost = f"cost {format_signed(plan.cost, form)}, " if plan.cost else ""
    return f"{lead}{arms}; {cost}expected net {value} {unit} (95 % CI {interval}).{left}"


def _difference(document: EffectsDocument, first: str, second: str) -> Estimate:
    """Return the net value a customer of one plan less another's."""
    for one in document.differences:
        if (one.first, one.second) == (first, second):
            return one.value
        if (one.first, one.second) == (second, first):
            value = one.value
            return Estimate(0.0 - value.value, 0.0 - value.high, 0.0 - value.low)
    return Estimate(0.0, 0.0, 0.0)
