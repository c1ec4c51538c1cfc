"""Terminal output of a readout. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.console import Table, literal
from retain.cli.terminal.exploration import print_explored
from retain.cli.terminal.looks import describe_looks
from retain.cli.terminal.outcome_scale import OutcomeScale
from retain.cli.terminal.readout_cautions import name_money, say_caution
from retain.record.estimates import Estimate
from retain.record.qini_info import QiniInfo
from retain.record.readout_document import (
    CampaignMoney,
    ComplierEffect,
    EffectRow,
    ReadoutDocument,
    SaveRateRow,
)
from retain.wording import format_interval, format_p, format_signed, money_digits, to_frequency

WORDS = {
    "helped": "[green]helped[/]",
    "harmed": "[red]harmed[/]",
    "inconclusive": "not significant",
    "not_tested": "not tested apart",
    "not_compared": "too few outcomes",
}
PAID = {
    "paid": "[green]it paid[/]",
    "lost": "[red]it cost more than it brought[/]",
    "inconclusive": "the difference from zero is not significant",
}
NO_CURVE = {
    "declined": "No Qini curve: the outcomes do not say who declined.",
    "no_variation": "No Qini curve: in one of the groups all customers declined, or none did.",
    "too_few": "No Qini curve: at least 100 observed customers are needed in each group.",
}
NO_RATIO = {
    "too_few": "The plan hardly changed who was contacted, so the effect of a contact is not "
    "estimated.",
    "as_planned": "All customers were contacted or not contacted as planned.",
}


def print_readout(
    console: Console, document: ReadoutDocument, folder: Path, next_plan: str | None
) -> None:
    """Print effects, money, Qini, save rates, cautions, what to type next, and the files' path."""
    level = _level(document)
    console.print(_title(document))
    for message in _looks(document):
        console.print(literal(message))
    for outcome in ("declined", "profit"):
        rows = [row for row in document.effects if row.outcome == outcome]
        if rows:
            scale = _find_scale(rows)
            console.print(_effects(rows, document, level, scale))
            console.print(literal(name_money(_sentence(rows[0], document, scale), document)))
            for message in _heterogeneity(rows, document):
                console.print(literal(message))
    print_explored(console, document.explored or (), level)
    if document.attrition.bounds is not None:
        bounds = document.attrition.bounds
        low, high = (format_signed(100 * end, "+.1f") for end in (bounds.low, bounds.high))
        ends = f"the difference lies between {low} and {high} points."
        console.print(f"Whatever the missing outcomes are, {ends}")
    if document.compliance is not None:
        console.print(_complier(document.compliance.complier_effect, level))
    console.print(_money(document.money, document.profit_unit, level))
    console.print(literal(_qini(document.qini, level)))
    for caution in document.cautions:
        console.print(f"[yellow]{literal(name_money(say_caution(caution), document))}[/]")
    if document.catalogue is not None:
        console.print(_save_rates(document.save_rates, level.removesuffix(" CI")))
    if next_plan is not None:
        message = f"To plan the next campaign with them: {next_plan}"
        console.print(literal(message), soft_wrap=True, highlight=False)
    console.print(f"Readout: {literal(folder)}", soft_wrap=True, highlight=False)


def _level(document: ReadoutDocument) -> str:
    return f"{100 * (1 - document.alpha):g} % CI"


def _title(document: ReadoutDocument) -> str:
    planned, observed = document.n_planned, document.n_observed
    treated = f"{observed.treatment:,} of {planned.treatment:,} to contact"
    control = f"{observed.control:,} of {planned.control:,} in the control group"
    seen = f"outcomes observed for {treated} and {control}"
    return f"[bold]Campaign {literal(document.campaign_id)}: {seen}[/]"


def _looks(document: ReadoutDocument) -> Iterator[str]:
    """Yield how the intervals allow for other looks, and how long to wait."""
    correction = document.look_correction
    yield from describe_looks(document.looks, correction)
    found, total = to_frequency(document.power)
    if document.looks[-1].method != "once" and correction.n_more:
        yield (
            f"With outcomes of {correction.n_more:,} more customers, the fall of declines that the "
            f"plan expects would be seen in {found} of {total} such campaigns."
        )


def _find_scale(rows: Sequence[EffectRow]) -> OutcomeScale:
    """Return the scale of the effects on one outcome; amounts of a column have equal decimals."""
    if rows[0].outcome == "declined":
        return OutcomeScale(100, " points", ".1f", ".1f", ".0f")
    means = money_digits(mean for row in rows for mean in (row.treated_mean, row.control_mean))
    gaps = [row.difference for row in rows if row.difference is not None]
    differences = money_digits(end for gap in gaps for end in (gap.value, gap.low, gap.high))
    return OutcomeScale(1, "", f",.{means}f", f",.{differences}f", f",.{differences}f")


def _effects(
    rows: Sequence[EffectRow], document: ReadoutDocument, level: str, scale: OutcomeScale
) -> Table:
    declined = rows[0].outcome == "declined"
    title = "Share that declined, %"
    if not declined:
        title = f"{name_money('Profit', document)} per customer, {document.profit_unit}"
    table = Table(title=literal(title), box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold", max_width=26)
    is_adjusted = any(row.is_adjusted for row in rows)
    if is_adjusted:
        table.caption = "Δ adj.: compared among customers whom the plan expected to be alike"
    for name in ("contacted", "control", "Δ adj." if is_adjusted else "Δ", level, "p adj."):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for row in rows:
        named = row.name if row.name is not None else "all"
        if row.scope != rows[max(rows.index(row) - 1, 0)].scope:
            table.add_section()
        table.add_row(literal(named), *_cells(row, scale), WORDS[row.conclusion])
    return table


def _cells(row: EffectRow, scale: OutcomeScale) -> list[str]:
    cells = scale.cells((row.treated_mean, row.control_mean), row.difference)
    return [*cells, "" if row.p_adjusted is None else format_p(row.p_adjusted)]


def _sentence(row: EffectRow, document: ReadoutDocument, scale: OutcomeScale) -> str:
    """Return the conclusion about the whole campaign as a sentence."""
    if row.difference is None:
        return "Too few customers are observed to compare the two groups."
    messages = [f"Overall: {_effect_words(row, scale)}"]
    if row.customers_saved is not None and row.conclusion != "inconclusive":
        saved = row.customers_saved
        low, high = sorted((abs(saved.low), abs(saved.high)))
        word = "saved" if row.conclusion == "helped" else "lost"
        count = document.n_planned.treatment
        messages.append(
            f"about {abs(saved.value):,.0f} of {count:,} customers {word} "
            f"({_level(document)} {format_interval(low, high, ',.0f')})"
        )
    if row.conclusion == "inconclusive":
        effect = row.minimum_detectable_effect
        seen = effect and format_signed(effect * scale.times, scale.difference)
        found, total = to_frequency(document.power)
        messages.append(
            f"an effect of {seen}{scale.unit} would have been seen in {found} of {total} such "
            "campaigns"
            if seen
            else "the groups are too small to see any effect"
        )
    return f"{'; '.join(messages)}."


def _heterogeneity(rows: Sequence[EffectRow], document: ReadoutDocument) -> Iterator[str]:
    """Yield whether segments and offers differ, and why they are not tested apart."""
    if rows[0].conclusion not in ("helped", "harmed"):
        if len(rows) > 1 and rows[0].conclusion == "inconclusive":
            yield "No part is tested apart, since the whole campaign has no significant effect."
        return
    for test in document.heterogeneity:
        if test.outcome != rows[0].outcome:
            continue
        tested = any(row.p_adjusted for row in rows if row.scope == test.scope)
        found = "differ" if tested else "do not differ significantly and are not tested apart"
        yield (
            f"The effects of {test.scope}s {found} "
            f"(Cochran's Q {test.q:.1f}, {test.df} df, p {format_p(test.p)})."
        )


def _effect_words(row: EffectRow, scale: OutcomeScale) -> str:
    value = 0.0 if row.difference is None else row.difference.value
    size = format_signed(abs(value) * scale.times, scale.difference) + scale.unit
    good = (value < 0) == (row.outcome == "declined")
    what = "fewer declined" if good else "more declined"
    if row.outcome == "profit":
        what = "more profit" if good else "less profit"
    word = {"helped": "it helped", "harmed": "it harmed", "inconclusive": "no significant effect"}
    adjusted = " (adjusted)" if row.is_adjusted else ""
    return f"{word[row.conclusion]}: {size} {what} among the customers to contact{adjusted}"


def _complier(text: ComplierEffect, level: str) -> str:
    if text.reason is not None:
        return NO_RATIO[text.reason]
    declined = text.outcome == "declined"
    times, unit = (100, " points") if declined else (1, "")
    amounts = [times * (end or 0.0) for end in (text.value, text.low, text.high)]
    form = "+.1f" if declined else f"+,.{money_digits(amounts)}f"
    value, low, high = (format_signed(one, form) for one in amounts)
    return (
        f"Effect of a contact on those contacted because of the plan: {value}{unit} ({level} {low} "
        f"to {high})."
    )


def _money(money: CampaignMoney | None, unit: str, level: str) -> str:
    if money is None:
        return "Too few customers are observed to compute what the campaign brought."
    gain, net = money.gain, money.net
    assumed = ", at the cost of a decline that the plan assumed"
    basis = "" if money.basis == "observed" else assumed
    amounts = [end for one in (gain, net) for end in (one.value, one.low, one.high)]
    form = f",.{money_digits([*amounts, money.cost, money.expected_net])}f"
    cost = format_signed(money.cost, form)
    stated = "" if money.cost_basis == "stated" else " expected"
    return (
        f"Gain {_estimate(gain, level, form)}{basis}, cost {cost}{stated}: "
        f"net value {_estimate(net, level, form)}, expected by the plan "
        f"{format_signed(money.expected_net, form)}: {PAID[money.conclusion]}. "
        f"Amounts in {literal(unit)}."
    )


def _estimate(one: Estimate, level: str, form: str) -> str:
    return f"{format_signed(one.value, form)} ({level} {format_interval(one.low, one.high, form)})"


def _qini(qini: QiniInfo, level: str) -> str:
    if qini.reason is not None:
        return NO_CURVE[qini.reason]
    messages = []
    for order, found in qini.rankings.items():
        area = found.qini
        value, interval = format_signed(area.value), format_interval(area.low, area.high, "+.3f")
        messages.append(f"{order.replace('_', ' ')} {value} ({level} {interval})")
    return f"Qini coefficient of the ranking by {'; by '.join(messages)}; 0 is a random ranking."


def _save_rates(rows: Sequence[SaveRateRow], level: str) -> Table:
    title = f"Save rate of each offer, % ({level} interval)"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("offer", overflow="fold", max_width=22)
    for name in ("contacted", "control", "before", "interval", "now", "interval", "catalogue"):
        table.add_column(name, justify="right", no_wrap=True)
    table.caption = "catalogue: interval of the Beta with the same mean and variance that is stored"
    measured = [row for row in rows if row.n_treated or row.n_control]
    if unmeasured := ", ".join(row.offer for row in rows if row not in measured):
        table.caption += f"; kept as they were, for nobody got them: {unmeasured}"
    for row in measured:
        cells = [f"{row.n_treated:,}", f"{row.n_control:,}"]
        for text in (row.prior, row.posterior, row.catalogue):
            interval = format_interval(100 * text.low, 100 * text.high, ".0f")
            cells += [format_signed(100 * text.value, ".1f"), interval]
        del cells[-2]  # the mean of the catalogue's Beta is that of the posterior
        table.add_row(literal(row.offer), *cells)
    return table
