"""Terminal output of the comparison of two trees. Computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD

from retain.cli.terminal.console import Table, literal
from retain.report.text.trees import study_sentence, verdict_sentences
from retain.report.text.words import words
from retain.wording import describe_count, format_interval, format_signed

if TYPE_CHECKING:
    from rich.console import Console

    from retain.record.trees_document import RunChange, StudyChange, TreesDocument, UnreadableRun

MAX_ROWS = 25
"""Maximum number of rows of a table; ``--json`` has all."""
COLOURS = {"worse": "red", "better": "green", "unclear": "yellow", "incomparable": "yellow"}


def print_trees(console: Console, found: TreesDocument, language: str) -> None:
    """Print the sentence of each study, its runs, and what cannot be read."""
    catalogue = words(language)
    for change in found.studies:
        colour = COLOURS.get(change.conclusion, "default")
        sentence = catalogue.plain(study_sentence(change))
        console.print(f"[bold {colour}]{literal(sentence)}[/]", soft_wrap=True, highlight=False)
    for kind, names in (("gone", found.gone_studies), ("new", found.new_studies)):
        if names:
            listed = ", ".join(names[:MAX_ROWS])
            count = describe_count(len(names), "study is", "studies are")
            console.print(literal(f"{count} {kind}: {listed}"), soft_wrap=True, highlight=False)
    for change in found.studies:
        _print_study(console, change, language)
    _print_unreadable(console, found.outside)


def _print_study(console: Console, change: StudyChange, language: str) -> None:
    changed = [run for run in change.runs if not run.is_same]
    if changed:
        console.print(_runs_table(change, changed))
    for sentence in verdict_sentences(change):
        text = literal(f"{change.study}: {words(language).plain(sentence)}")
        console.print(text, soft_wrap=True, highlight=False)
    _print_unreadable(console, change.unreadable)


def _runs_table(change: StudyChange, changed: list[RunChange]) -> Table:
    """Return the runs whose results differ, those that moved beyond noise first."""
    title = f"{literal(change.study)}: {describe_count(len(changed), 'run')} with other results"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("run", overflow="fold", min_width=20)
    for name in ("Δ ROC-AUC", "95 % CI", "beyond noise"):
        table.add_column(name)
    order = sorted(changed, key=lambda run: (-len(run.moves), run.name))
    for run in order[:MAX_ROWS]:
        moved = ", ".join(
            f"{move.metric} {format_signed(move.difference.value)}" for move in run.moves
        )
        difference = run.difference
        cells = (
            ("", "")
            if difference is None
            else (
                format_signed(difference.value),
                format_interval(difference.low, difference.high, "+.3f"),
            )
        )
        states = " → ".join(one.replace("_", " ") for one in run.states)
        table.add_row(literal(run.name), *cells, literal(moved if difference else states))
    notes = [f"{len(order) - MAX_ROWS} more with --json"] if len(order) > MAX_ROWS else []
    notes.append(f"beyond noise: Holm's p < {change.alpha:g} over all metrics and runs")
    table.caption = "; ".join(notes)
    return table


def _print_unreadable(console: Console, unreadable: tuple[UnreadableRun, ...]) -> None:
    for one in unreadable[:MAX_ROWS]:
        text = literal(f"cannot be believed: {one.tree} {one.folder}: {one.reason}")
        console.print(f"[red]{text}[/]", soft_wrap=True, highlight=False)
    if len(unreadable) > MAX_ROWS:
        console.print(f"[red]{len(unreadable) - MAX_ROWS:,} more with --json[/]")
