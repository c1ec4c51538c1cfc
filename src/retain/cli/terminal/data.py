"""Terminal output of what was read. Computes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.console import Table, literal
from retain.record.document import ColumnInfo, FunnelStep


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
