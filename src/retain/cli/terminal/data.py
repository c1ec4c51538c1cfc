"""Terminal output of what was read, and of snapshots. Computes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.console import Table, literal
from retain.record.comparison_document import SnapshotScore
from retain.record.document import ColumnInfo, FunnelStep, VariantCounts
from retain.record.label import LabelQuality
from retain.report.text.label import label_sentences
from retain.report.text.words import words
from retain.wording import format_interval


def print_reading(
    console: Console,
    messages: Sequence[str],
    funnel: Sequence[FunnelStep],
    dropped_examples: Sequence[str],
) -> None:
    """Print the messages of the readers, and the funnel."""
    for line in messages:
        console.print(literal(line), soft_wrap=True, highlight=False)
    for step, left_out in zip(funnel, dropped_examples, strict=True):
        examples = f"; left out: {left_out}" if left_out else ""
        of = "" if step.unit == "customers" else f" {step.unit}"
        message = f"  {step.name} {step.n_before} → {step.n_after}{of}: {step.reason}{examples}"
        console.print(literal(message), soft_wrap=True, highlight=False)


def print_columns(
    console: Console, columns: Sequence[ColumnInfo], max_columns: int | None = None
) -> None:
    """Print what each column was read as."""
    table = Table(title="What was read", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("column", "type"):
        table.add_column(name, overflow="fold")
    table.add_column("missing", justify="right", no_wrap=True)
    table.add_column("examples", overflow="fold")
    shown = columns[:max_columns]
    for column in shown:
        kind = f"{column.type}: {column.detail}" if column.detail else column.type
        missing = f"{column.missing:.1%}" if column.missing else ""
        examples = ", ".join(map(repr, column.examples))
        table.add_row(literal(column.name), literal(kind), missing, literal(examples))
    if len(shown) < len(columns):
        table.caption = f"{len(columns) - len(shown)} more columns: describe=true"
    console.print(table)


def labels_table(others: Sequence[VariantCounts]) -> Table:
    """Return the table of label variants on the same customers."""
    table = Table(title="The label with one parameter changed", box=SIMPLE_HEAD)
    for name in ("parameter", "value", "rows", "declined", "same label"):
        table.add_column(name)
    for one in others:
        shares = (one.decline_rate, one.agreement)
        text = ("—" if share is None else f"{share:.0%}" for share in shares)
        table.add_row(literal(one.parameter), literal(one.value), f"{one.n_rows:,}", *text)
    return table


def label_lines(quality: LabelQuality | None) -> list[str]:
    """Return what the checks of the label found, a sentence a line."""
    return [words("en").plain(one) for one in label_sentences(quality)]


def snapshots_table(snapshots: Sequence[SnapshotScore]) -> Table:
    """Return the winner's ranking at each snapshot."""
    table = Table(title="The winner's ROC-AUC from snapshot to snapshot", box=SIMPLE_HEAD)
    for name in ("snapshot", "customers", "declined", "ROC-AUC", "95 % CI", ""):
        table.add_column(name)
    for one in snapshots:
        auc = one.roc_auc
        table.add_row(
            literal(one.snapshot),
            f"{one.n_rows:,}",
            f"{one.decline_rate:.0%}",
            f"{auc.value:.3f}",
            "—" if auc.low is None or auc.high is None else format_interval(auc.low, auc.high),
            "sealed" if one.is_sealed_test else "",
        )
    return table
