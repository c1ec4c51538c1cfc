"""Terminal output of a scoring. Computes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console

from retain.cli.terminal.campaign import print_campaign, print_campaign_path, print_segments
from retain.cli.terminal.console import Table, literal
from retain.wording import describe_count, format_p
from retain.workflows.score import list_cautions

if TYPE_CHECKING:
    from retain.record.directory import ScoreDirectory
    from retain.record.study import StudyDirectory
    from retain.workflows.score import ScoreResult


MAX_DRIFT_ROWS = 8
"""Maximum number of rows of drift; the file has all of them."""
MAX_REASONS = 5
"""Maximum number of reasons to leave out customers or rows; the files have all of them."""
DRIFT_COLOURS = {"strong": "red", "moderate": "yellow"}


def print_scoring(
    console: Console, study: StudyDirectory, home: ScoreDirectory, result: ScoreResult
) -> None:
    """Print counts of scored and unscored customers, drift, segments, and the paths."""
    for line in result.customers.messages:
        console.print(literal(line), soft_wrap=True, highlight=False)
    winner = result.winner.winner
    console.print(
        f"[bold]{describe_count(len(result.customers.table), 'customer')} scored by "
        f"{literal(winner.name)} ({literal(winner.id)}).[/]",
        highlight=False,
    )
    not_scored = result.customers.list_not_scored()["reason"]
    _left_out(console, "customer", "not scored, see not_scored.csv", list(not_scored))
    dropped = [row.reason for row in result.customers.customers.reading.dropped_rows]
    _left_out(console, "row", "left out, see dropped_rows.csv", dropped)
    console.print(_drift(result))
    results = result.campaign.results
    print_segments(console, results)
    if results.campaign is not None:
        print_campaign(console, results.campaign)
    for caution in list_cautions(result):
        console.print(f"[yellow]{literal(caution)}[/]", highlight=False)
    print_campaign_path(console, study, results.campaign)
    console.print(f"Written: {literal(home.path)}", soft_wrap=True)


def _left_out(console: Console, noun: str, what: str, reasons: Collection[str]) -> None:
    """Print how many customers or rows were left out, and how many for each reason."""
    if not reasons:
        return
    console.print(f"{describe_count(len(reasons), noun)} {what}:", highlight=False)
    for reason, count in Counter(reasons).most_common(MAX_REASONS):
        console.print(literal(f"  {count:,}: {reason}"), highlight=False)


def _drift(result: ScoreResult) -> Table:
    """Return the table of the largest shifts."""
    then = result.winner.reference.n_training_customers
    title = f"Drift compared with {describe_count(then, 'training customer')}"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold")
    for name in ("PSI", "PSI by chance", "p Holm", "shift"):
        table.add_column(name, justify="left" if name == "shift" else "right", no_wrap=True)
    table.add_column("largest change", overflow="fold")
    for row in result.drift.head(MAX_DRIFT_ROWS).to_dict("records"):
        shift = str(row["shift"])
        table.add_row(
            literal(row["name"]),
            f"{row['psi']:.2f}",
            f"< {row['psi_null_quantile']:.2f}",
            format_p(row["p_holm"]),
            "" if shift == "none" else literal(shift),
            literal(f"{row['bin']}: {row['share_training']:.0%} → {row['share_new']:.0%}"),
            style=DRIFT_COLOURS.get(shift),
        )
    more = len(result.drift) - MAX_DRIFT_ROWS
    rest = f"{more} more in drift.csv; " if more > 0 else ""
    table.caption = f"{rest}by convention PSI ≥ 0.1 is a moderate shift, PSI ≥ 0.25 a strong one"
    return table
