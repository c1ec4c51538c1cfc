"""Terminal output of the comparison of two trees. Computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD

from retain.cli.terminal.console import Table, literal
from retain.report.text.numbers import format_number
from retain.report.text.trees import (
    changed_runs,
    customer_messages,
    run_cells,
    study_sentence,
    table_messages,
    tree_notes,
    unreadable_message,
    verdict_sentences,
)
from retain.report.text.words import TextCatalogue, words

if TYPE_CHECKING:
    from rich.console import Console

    from retain.record.trees_document import StudyChange, TreesDocument

MAX_ROWS = 25
"""Maximum number of rows of a table; ``--json`` has all."""
COLOURS = {"worse": "red", "better": "green", "unclear": "yellow", "incomparable": "yellow"}


def print_trees(console: Console, found: TreesDocument, language: str) -> None:
    """Print the sentence of each study, its runs, customers, verdicts, and what cannot be read."""
    catalogue = words(language)
    for change in found.studies:
        style = f"bold {COLOURS.get(change.conclusion, 'default')}"
        _print_line(console, catalogue.plain(study_sentence(change)), style)
    for note in tree_notes(found):
        _print_line(console, catalogue.plain(note), "yellow")
    for change in found.studies:
        if change.n_changed:
            console.print(_runs_table(change, catalogue))
        if change.largest_changes:
            console.print(_customers_table(change, catalogue))
        for sentence in verdict_sentences(change):
            _print_line(console, f"{change.study}: {catalogue.plain(sentence)}")
        for one in change.unreadable[:MAX_ROWS]:
            _print_line(console, catalogue.plain(unreadable_message(one)), "red")


def _print_line(console: Console, text: str, style: str = "default") -> None:
    console.print(f"[{style}]{literal(text)}[/]", soft_wrap=True, highlight=False)


def _runs_table(change: StudyChange, catalogue: TextCatalogue) -> Table:
    """Return the runs whose results differ, those that moved beyond noise first."""
    (title, *headings), notes = table_messages(change, MAX_ROWS)
    table = Table(title=literal(catalogue.plain(title)), box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(catalogue.plain(heading), overflow="fold")
    for run in changed_runs(change)[:MAX_ROWS]:
        table.add_row(*map(literal, run_cells(run, catalogue)))
    table.caption = "; ".join(map(catalogue.plain, notes))
    return table


def _customers_table(change: StudyChange, catalogue: TextCatalogue) -> Table:
    title, *headings = map(catalogue.plain, customer_messages(change))
    table = Table(*headings, title=literal(title), box=SIMPLE_HEAD)
    for one in change.largest_changes:
        risks = (format_number(risk, "score", catalogue.language) for risk in (one.a, one.b))
        table.add_row(literal(one.customer_id), *risks)
    return table
