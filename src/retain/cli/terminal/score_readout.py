"""Terminal output of earlier scores held against what came. Computes nothing."""

from __future__ import annotations

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.console import Table, literal
from retain.errors import examples
from retain.record.score_readout_document import (
    ObservedMoney,
    ObservedShare,
    ScoreReadoutDocument,
)
from retain.report.text.numbers import format_number
from retain.wording import describe_count, format_ci, format_interval, format_p

NO_HASH = (
    "score.json is of an earlier version and holds no hash of scores.csv: nobody can tell whether "
    "a score was changed since. To have one, type retain-score again."
)


def print_score_readout(console: Console, document: ScoreReadoutDocument, path: Path) -> None:
    """Print who is observed, the ranking, the calibration, and the money."""
    if document.scores_sha256 is None:
        console.print(literal(NO_HASH), highlight=False)
    lines = [_observed(document), _ranking(document)]
    if document.bands:
        console.print(literal(lines.pop(0)), highlight=False)
        console.print(literal(lines.pop(0)), highlight=False)
        console.print(_bands(document.bands))
    lines.append(_shares(document.overall))
    if document.money is not None:
        lines.append(_money(document.money))
    lines += [check.message for check in document.gate]
    for line in (*lines, f"Readout: {path}"):
        console.print(literal(line), highlight=False)


def _observed(document: ScoreReadoutDocument) -> str:
    said = f"Outcomes of {document.n_observed:,} of {document.n_scored:,} scored customers."
    if document.n_contacted:
        said += (
            f" {describe_count(document.n_contacted, 'customer')} to contact in campaign "
            f"{document.campaign_id} are left out, as it may have changed what they did; the "
            f"{document.n_control:,} of its control group stand for them."
        )
    if document.n_contacted_by_others:
        more = describe_count(document.n_contacted_by_others, "customer")
        said += f" {more} to contact in other campaigns of this horizon are left out likewise."
    if document.unreadable_campaigns:
        names = examples(document.unreadable_campaigns)
        said += f" Nobody knows whom these campaigns contacted, which cannot be read: {names}."
    return said


def _ranking(document: ScoreReadoutDocument) -> str:
    auc = document.roc_auc
    ends = format_ci(auc.low, auc.high, ".3f")
    verdict = "better than chance" if auc.low > 0.5 else "not shown to be better than chance"
    return f"ROC-AUC of the scores {auc.value:.3f} ({ends}): {verdict}."


def _bands(bands: tuple[ObservedShare, ...]) -> Table:
    table = Table(title="Customers by risk: share that declined, %", box=SIMPLE_HEAD)
    for name in ("customers", "expected", "observed", "95 % CI"):
        table.add_column(name, justify="right", no_wrap=True)
    for band in bands:
        found = band.observed
        table.add_row(
            f"{band.n_customers:,}",
            f"{100 * band.expected:.1f}",
            f"{100 * found.value:.1f}",
            format_interval(100 * found.low, 100 * found.high, ".0f"),
        )
    return table


def _shares(overall: ObservedShare) -> str:
    found = overall.observed
    ends = format_interval(100 * found.low, 100 * found.high, ".1f")
    end = "no more than chance explains" if overall.p > 0.05 else "beyond chance"
    return (
        f"{100 * overall.expected:.1f} % were expected to decline, {100 * found.value:.1f} % "
        f"({ends}) did: the difference is {end} (p {format_p(overall.p)})."
    )


def _money(money: ObservedMoney) -> str:
    risk = money.at_risk
    low, high, value, lost = (
        format_number(one, "money", "en") for one in (risk.low, risk.high, risk.value, money.lost)
    )
    unit = f", in {money.unit}" if money.unit else ""
    return (
        f"Profit at risk was {value}{unit}; declines took {lost}, which would lie between {low} "
        f"and {high} in 95 of 100 cases if the risks were right."
    )
