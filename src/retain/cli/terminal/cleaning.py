"""Terminal output of a cleaning. Computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.filesize import decimal

from retain.cli.terminal.console import Table, literal

if TYPE_CHECKING:
    from retain.workflows.cleaning.clean import CleaningDocument

MAX_STAYING = 20
"""Rows of what stays that are printed."""


def print_cleaning(console: Console, document: CleaningDocument, command: str) -> None:
    """Print what can go or went, what stays and why, and the command that removes."""
    if document.going:
        console.print(_going_table(document))
    if document.staying:
        console.print("These stay:")
    for one in document.staying[:MAX_STAYING]:
        text = literal(f"  {one.n:>9,}  {one.name}: {one.reason}")
        console.print(text, soft_wrap=True, highlight=False)
    if len(document.staying) > MAX_STAYING:
        console.print(f"  and {len(document.staying) - MAX_STAYING:,} more, see --json")
    if document.n_foreign:
        console.print(f"{document.n_foreign:,} entries are not retain's, and were left alone.")
    total = sum(len(part.paths) for part in document.going)
    size = decimal(sum(part.n_bytes for part in document.going))
    if document.is_removed:
        console.print(f"[bold]{total:,} removed, {size}.[/]", highlight=False)
        return
    console.print(f"[bold]{total:,} can go, {size}.[/]", highlight=False)
    if document.busy is not None:
        text = literal(f"Nothing can be removed now: {document.busy}.")
        console.print(text, soft_wrap=True, highlight=False)
    elif total:
        console.print(literal(f"To remove them: {command}"), soft_wrap=True, highlight=False)


def _going_table(document: CleaningDocument) -> Table:
    table = Table("category", "what", "why", box=None, pad_edge=False)
    table.add_column("how many", justify="right")
    table.add_column("size", justify="right")
    for part in document.going:
        count, size = f"{len(part.paths):,}", decimal(part.n_bytes)
        table.add_row(part.category, part.name, part.reason, count, size)
    return table
