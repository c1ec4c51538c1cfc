"""Terminal output about snapshots: label variants, and the winner by snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD

from retain.cli.terminal.console import Table, literal
from retain.report.text.label import label_sentences
from retain.report.text.words import words
from retain.wording import format_interval

if TYPE_CHECKING:
    from retain.record.comparison_document import SnapshotScore
    from retain.record.document import VariantCounts
    from retain.record.label import LabelQuality


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
