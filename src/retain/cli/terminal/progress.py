"""The progress of a sweep, for a terminal or as lines. Computes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from retain.cli.terminal.output import clean_line, write_progress
from retain.record.tuning import CategoricalAgreement
from retain.wording import format_ci, format_signed, format_significant

if TYPE_CHECKING:
    from retain.execution.progress import SweepProgress
    from retain.execution.status import BestRun
    from retain.record.document import MetricSummary, Record
    from retain.record.tuning import NumericAgreement, TuningInfo


MARKS = {"done": "[green]done[/]", "failed": "[red]failed[/]"}
MARKS["not_applicable"] = "[yellow]not applicable[/]"


def render_progress(progress: SweepProgress) -> Group:
    """Return three lines for a terminal: the bar, the counts, the best run so far."""
    best = Text("" if progress.best is None else format_best(progress.best))
    lines = (_render_counts(progress), best)
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(_render_bar(progress), *lines)


def format_ended(progress: SweepProgress, record: Record, *, best: bool) -> Text:
    """Return a line about a run that ended, with the counts and the remaining time."""
    line = Text.from_markup(MARKS[record.state]).append(f" {clean_line(progress.names[record.id])}")
    if "roc_auc" in record.metrics:
        line.append(f"  ROC-AUC {_interval(record.metrics['roc_auc'])}")
    if record.stopped_early:
        line.append(f", stopped after {record.folds} of {record.split.fits} folds")
    if best and len(progress.names) > 1:
        line.append(", best so far")
    return line.append(f"  ({'; '.join([format_counts(progress), *_eta(progress)])})")


def format_counts(progress: SweepProgress) -> str:
    """Return the nonzero counts."""
    return " · ".join(text for text, count, _ in _counts(progress) if count or "left" in text)


def format_best(best: BestRun) -> str:
    """Return the best run, its name last because a narrow terminal truncates it."""
    return f"best ROC-AUC {_interval(best)} {clean_line(best.name)}"


def format_tuning(tuning: TuningInfo) -> str:
    """Return the optimism of tuning, and the parameters chosen by folds."""
    optimism = tuning.optimism
    return (
        f"ROC-AUC in the search {tuning.inner_score:.3f}, in cross-validation "
        f"{tuning.outer_score:.3f}, optimism {format_signed(optimism.value)} "
        f"({format_ci(optimism.low, optimism.high, '+.3f')}); "
        "chosen in the folds: "
        + ", ".join(f"{name} {_format_choice(facts)}" for name, facts in tuning.agreement.items())
    )


def _format_choice(agreement: NumericAgreement | CategoricalAgreement) -> str:
    if isinstance(agreement, CategoricalAgreement):
        return f"{agreement.mode} ({agreement.share:.0%} of them)"
    low, high, median = map(format_significant, (agreement.min, agreement.max, agreement.median))
    return f"{low} to {high} (median {median})"


def _render_bar(progress: SweepProgress) -> Table:
    ended = progress.n_pending - progress.n_left
    bar = Table.grid(padding=(0, 2, 0, 0), expand=True)
    bar.add_column(no_wrap=True, overflow="ellipsis", max_width=20)
    bar.add_column(ratio=1)
    bar.add_row(
        Text(clean_line(progress.study), "bold"),
        ProgressBar(total=progress.n_pending, completed=progress.n_ended),
        f"{ended}/{progress.n_pending}",
        _clock(progress.seconds_elapsed),
        "".join(_eta(progress)) or ("-:--:-- to go" if progress.n_left else ""),
    )
    return bar


def _render_counts(progress: SweepProgress) -> Text:
    """Return every count at its fixed position, zeros dim."""
    counts = _counts(progress)
    return Text(" · ").join(Text(text, style if n else "dim") for text, n, style in counts)


def _counts(progress: SweepProgress) -> list[tuple[str, int, str]]:
    """Return each count as text, number and colour."""
    named = (
        ("done", progress.state_counts["done"], "green"),
        ("failed", progress.state_counts["failed"], "red"),
        ("not applicable", progress.state_counts["not_applicable"], "yellow"),
        ("skipped", progress.n_skipped, ""),
        ("left", progress.n_left, ""),
    )
    return [(f"{count} {name}", count, style) for name, count, style in named]


def _eta(progress: SweepProgress) -> list[str]:
    seconds = progress.estimate_remaining() if progress.n_left else None
    return [] if seconds is None else [f"{_clock(seconds)} to go"]


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _interval(estimate: MetricSummary | BestRun) -> str:
    return f"{estimate.value:.3f} ({format_ci(estimate.low, estimate.high)})"


def show_progress(done: int, of: int) -> None:
    """Show the number of parts done in a terminal, nothing in a file or a pipe."""
    write_progress(f"evaluating the winner: step {done} of {of}" if done < of else "")
