"""Terminal output of a verification. Computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from retain.cli.terminal.console import literal

if TYPE_CHECKING:
    from retain.workflows.verification.verify import VerificationDocument


def print_verification(console: Console, document: VerificationDocument) -> None:
    """Print what agrees, what could not be verified and why, and what does not agree."""
    lines = [f"  {part.n_checked:>9,}  {part.name}" for part in document.verified]
    for line in ["These agree, files and values:", *lines] if lines else ():
        console.print(literal(line), soft_wrap=True, highlight=False)
    if document.not_verified:
        console.print("Not verified, but for their bytes:")
    for left in document.not_verified:
        console.print(literal(f"  {left.name}: {left.reason}"), soft_wrap=True, highlight=False)
    if document.disagreement is not None:
        found = literal(document.disagreement)
        console.print(f"[red]Does not agree:[/] {found}", soft_wrap=True, highlight=False)
        return
    total = sum(part.n_checked for part in document.verified)
    console.print(f"[bold]All {total:,} agree.[/]", highlight=False)
