"""Terminal output of a randomised campaign in a table. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.console import Table, literal
from retain.cli.terminal.data import print_reading
from retain.cli.terminal.effects import print_effects
from retain.cli.terminal.looks import describe_looks
from retain.cli.terminal.outcome_scale import OutcomeScale
from retain.cli.terminal.readout import PAID, WORDS
from retain.cli.terminal.subgroups import print_subgroups
from retain.errors import examples
from retain.record.documents import CautionInfo
from retain.record.estimates import Estimate
from retain.record.trial_document import ArmEffect, ArmNet, TrialDocument, TrialOutcome
from retain.wording import (
    describe_count,
    format_interval,
    format_p,
    format_signed,
    format_significant,
    money_digits,
    to_frequency,
)
from retain.workflows.trial import TrialReadout

CAUTIONS = {
    "looks": "This is look {n_looks} at the outcomes under this name, and not all allow for the "
    "others. One look finds an effect where there is none in {alpha:.2f} of campaigns, these looks "
    "in up to {error_rate:.2f}. While outcomes arrive, type monitoring=always_valid from the first "
    "look on.",
    "monitoring": "These outcomes were read out as {kept} before, which is kept. "
    "{typed} counts from the next outcomes on.",
    "customers_gone": "Customers of the last look who are gone: {n_customers:,} ({ids}). If their "
    "outcome had to do with it, the arms are no longer comparable.",
    "outcomes_changed": "Customers whose outcome was another one at the last look: {n_customers:,} "
    "({ids}). Intervals count looks at outcomes that stay as they are.",
    "stop": "{arm} does worse than the control group by {outcome}, by more than chance explains so "
    "far. Stop it until the reason is known; {share:.0%} of harmless campaigns are stopped by this "
    "rule too.",
    "sample_ratio": "The arms have hardly the planned shares (p {p}): were customers lost, or "
    "assigned twice?",
    "shares_unknown": "The arms have {counts}, which are not equal shares (p {p}). Whether they "
    "are the planned ones was not tested: type propensity=equal or propensity.ARM=SHARE.",
    "balance": "Covariates tell the arm a little (p {p}, ROC-AUC {auc:.3f}). Randomised customers "
    "look so in less than 1 of 20 campaigns: were they assigned at random?",
    "missing_differs": "Customers without {outcome}: {counts}. The shares differ significantly "
    "(p {p}), so those observed may not be comparable.",
    "missing": "Customers without {outcome}: {counts}.",
    "against_plan": "{n_contacted:,} customers of {arm} were contacted. All are analysed as "
    "assigned.",
    "without_arm": "Customers without an arm, who are left out: {n_customers:,}.",
    "no_cost": "No arm has a cost, so whatever brings money pays. Type what a customer of an arm "
    "costs: cost.ARM=AMOUNT.",
    "harm": "{arm} is worse than {versus} by {outcome}. Stop it until the reason is known.",
    "heavy_tail": "{outcome} in {arm}: one customer makes {share:.0%} of the variance, so the mean "
    "rests on few. Look at the other scales too.",
}


NOT_TESTED = (
    "Secondary outcomes, and arms between each other, are tested only if every arm has an effect "
    "on the primary outcome."
)


def print_trial(console: Console, readout: TrialReadout) -> None:
    """Print what was read, checks, effects, money and cautions, and the files' path."""
    document = readout.document
    _print_reading(console, readout)
    console.print(f"[bold]{literal(_title(document))}[/]")
    for message in _checks(document):
        console.print(literal(message))
    _print_effects(console, document)
    if document.net is not None:
        console.print(_net(document.net, _level(document)))
    if readout.effects is not None:
        print_effects(console, readout.effects)
    for caution in document.cautions:
        console.print(f"[yellow]{literal(_caution(caution))}[/]")
    for name, path in (("Page", readout.directory.report), ("Trial", readout.directory.path)):
        console.print(f"{name}: {literal(path)}", soft_wrap=True, highlight=False)


def _print_effects(console: Console, document: TrialDocument) -> None:
    """Print the effects on each outcome, how long to wait, and where effects differ."""
    for outcome in document.outcomes:
        rows = [row for row in document.effects if row.outcome == outcome.name]
        scale = _find_scale(rows, outcome)
        console.print(_effects(rows, outcome, document, scale))
        for message in [*_detectable(rows, document, scale), *_robust(rows)]:
            console.print(literal(message))
    if any(row.conclusion == "not_tested" for row in document.effects):
        console.print(NOT_TESTED)
    primary = [row for row in document.effects if row.role == "primary"]
    scale = _find_scale(primary, document.outcomes[0])
    for message in _wait(document, scale):
        console.print(literal(message))
    print_subgroups(console, document, scale)


def _level(document: TrialDocument) -> str:
    return f"{100 * (1 - document.alpha):g} % CI"


def _print_reading(console: Console, readout: TrialReadout) -> None:
    """Print what the readers said, and whom they left out."""
    for message in readout.messages:
        console.print(literal(message), style="dim", highlight=False)
    dropped = [examples(step.dropped) for step in readout.left_out]
    print_reading(console, (), readout.left_out, dropped)
    if readout.n_dropped_rows:
        are = describe_count(readout.n_dropped_rows, "row is left out", "rows are left out")
        console.print(f"{are}: dropped_rows.csv has the reasons.", highlight=False)


def _title(document: TrialDocument) -> str:
    arms = ", ".join(f"{arm.name} {arm.n_customers:,}" for arm in document.arms)
    customers = describe_count(document.n_customers, "customer")
    return f"Trial {document.name}: {customers}; {arms} (the first is the control group)"


def _checks(document: TrialDocument) -> Iterator[str]:
    """Yield what was read and checked; cautions stand at the end."""
    kinds = ", ".join(f"{outcome.name} ({outcome.kind})" for outcome in document.outcomes)
    yield f"Outcomes, the first is the primary one: {kinds}."
    yield from describe_looks(document.looks, document.look_correction)
    ratio, balance = document.checks.sample_ratio, document.checks.balance
    if ratio.outcome == "passed":
        shares = "the planned shares" if ratio.against == "typed" else "equal shares"
        yield f"Sample ratio: the arms have {shares} up to chance (p {format_p(ratio.p)})."
    if balance.p is None:
        yield "Balance was not tested: there are no covariates, or few customers."
    elif balance.outcome == "passed":
        do = describe_count(balance.n_covariates, "covariate does", "covariates do")
        yield (
            f"Balance: {do} not tell the arm (p {format_p(balance.p)}, ROC-AUC {balance.auc:.3f})."
        )
    if document.estimator == "doubly_robust":
        yield "Customers had different chances of an arm, and are weighted by them."


def _find_scale(rows: Sequence[ArmEffect], outcome: TrialOutcome) -> OutcomeScale:
    if outcome.kind == "binary":
        return OutcomeScale(100, " points", ".2f", ".2f", ".2f")
    means = money_digits(mean for row in rows for mean in (row.arm_mean, row.versus_mean))
    gaps = [row.difference for row in rows if row.difference is not None]
    digits = money_digits(end for gap in gaps for end in (gap.value, gap.low, gap.high))
    return OutcomeScale(1, "", f",.{max(means, 2)}f", f",.{digits}f", f",.{digits}f")


def _effects(
    rows: Sequence[ArmEffect], outcome: TrialOutcome, document: TrialDocument, scale: OutcomeScale
) -> Table:
    is_binary = outcome.kind == "binary"
    title = f"Share with {outcome.name}, %" if is_binary else f"{outcome.name} per customer"
    table = Table(title=literal(title), box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold", max_width=30)
    is_adjusted = any(row.basis == "adjusted" for row in rows)
    if is_adjusted:
        table.caption = "Δ adj.: adjusted by the covariates, beside the plain means"
    delta = "Δ adj." if is_adjusted else "Δ"
    for name in ("arm", "other", delta, _level(document), "p adj."):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for row in rows:
        label = f"{row.arm} − {row.versus}"
        table.add_row(literal(label), *_cells(row, scale), WORDS[row.conclusion])
    return table


def _cells(row: ArmEffect, scale: OutcomeScale) -> list[str]:
    cells = scale.cells((row.arm_mean, row.versus_mean), row.tested_difference)
    return [*cells, "" if row.p_adjusted is None else format_p(row.p_adjusted)]


def _detectable(
    rows: Sequence[ArmEffect], document: TrialDocument, scale: OutcomeScale
) -> Iterator[str]:
    """Yield the effect that would have been found, of the primary outcome."""
    sizes = [
        row.minimum_detectable_effect
        for row in rows
        if row.role == "primary" and row.minimum_detectable_effect is not None
    ]
    if sizes:
        size = format_signed(max(sizes) * scale.times, scale.difference)
        seen, total = to_frequency(document.power)
        yield f"An effect of {size}{scale.unit} would be found in {seen} of {total} such campaigns."


def _wait(document: TrialDocument, scale: OutcomeScale) -> Iterator[str]:
    """Yield how many customers more would show the effect that is hoped for, if one is."""
    effect, n_more = document.expected_effect, document.look_correction.n_more
    if effect is None:
        return
    size = format_signed(effect * scale.times, scale.difference) + scale.unit
    found, total = to_frequency(document.power)
    customers = f"outcomes of {n_more:,} more customers" if n_more else "this many customers"
    often = f"in {found} of {total} such campaigns"
    if n_more is None:
        yield f"However many customers follow, an effect of {size} is not shown {often}."
    else:
        yield f"With {customers}, an effect of {size} is shown {often}."


def _robust(rows: Sequence[ArmEffect]) -> Iterator[str]:
    """Yield the effects on scales that few large values do not decide."""
    for row in rows:
        robust = row.robust
        if robust is None:
            continue
        scales = [f"capped at {format_significant(robust.cap)}: {_estimate(robust.capped)}"]
        if robust.log1p is not None:
            scales.append(f"log(1 + value): {_estimate(robust.log1p)}")
        scales.append(f"share above 0, points: {_estimate(robust.above_zero, 100)}")
        yield f"{row.arm} − {row.versus} on other scales: {'; '.join(scales)}."


def _estimate(one: Estimate, times: int = 1) -> str:
    ends = [times * end for end in (one.value, one.low, one.high)]
    form = f"+,.{money_digits(ends)}f"
    return f"{format_signed(ends[0], form)} ({format_interval(ends[1], ends[2], form)})"


def _net(rows: Sequence[ArmNet], level: str) -> Table:
    title = "Money a customer, against the control group"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold", max_width=22)
    for name in ("gain", "cost", "net", level, "net of the arm"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    digits = money_digits(end for row in rows for end in (row.net.low, row.net.high, row.cost))
    form = f",.{digits}f"
    for row in rows:
        table.add_row(
            literal(row.arm),
            format_signed(row.gain.value, f"+{form}"),
            format_signed(row.cost, form),
            format_signed(row.net.value, f"+{form}"),
            format_interval(row.net.low, row.net.high, f"+{form}"),
            format_signed(row.total_net.value, "+,.0f"),
            PAID[row.conclusion],
        )
    return table


def _caution(caution: CautionInfo) -> str:
    numbers = dict(caution.numbers)
    if caution.code == "more_but_no_money":
        more = ", ".join(f"{name} (p {format_p(p)})" for name, p in numbers["more"].items())
        return (
            f"{numbers['arm']}: more {more}, and no more {numbers['money']}. These p-values are "
            "not corrected for the number of tests. Whoever wants money should not go by them."
        )
    if "p" in numbers:
        numbers["p"] = format_p(numbers["p"])
    if "counts" in numbers:
        counts = numbers["counts"].items()
        numbers["counts"] = ", ".join(f"{name} {count:,}" for name, count in counts)
    return CAUTIONS[caution.code].format(**numbers)
