"""The progress of a sweep, for a terminal or as lines. Computes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from retain.cli.terminal.output import clean_line, write_progress
from retain.record import CategoricalAgreement
from retain.wording import format_ci, format_signed

if TYPE_CHECKING:
    from retain.execution.progress import SweepProgress
    from retain.execution.status import BestRun
    from retain.record import MetricSummary, NumericAgreement, Record, TuningInfo


MARKS = {"done": "[green]done[/]", "failed": "[red]failed[/]"}
MARKS["not_applicable"] = "[yellow]not applicable[/]"


def render_progress(progress: SweepProgress) -> Group:
    """Three lines for a terminal: the bar, the counts, the best run so far."""
    best = Text("" if progress.best is None else format_best(progress.best))
    lines = (_counts_drawn(progress), best)
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(_bar(progress), *lines)


def format_ended(progress: SweepProgress, record: Record, *, best: bool) -> Text:
    """One line for a run that ended, the counts and the time to go after it."""
    told = Text.from_markup(MARKS[record.state]).append(f" {clean_line(progress.names[record.id])}")
    if "roc_auc" in record.metrics:
        told.append(f"  ROC-AUC {_interval(record.metrics['roc_auc'])}")
    if record.stopped_early:
        told.append(f", stopped after {record.folds} of {record.split.fits} folds")
    if best and len(progress.names) > 1:
        told.append(", best so far")
    return told.append(f"  ({'; '.join([format_counts(progress), *_to_go(progress)])})")


def format_counts(progress: SweepProgress) -> str:
    """Return the counts in few words, without those of nothing."""
    return " · ".join(text for text, count, _ in _counts(progress) if count or "left" in text)


def format_best(best: BestRun) -> str:
    """Return the best run, its name last, where a narrow terminal may cut it."""
    return f"best ROC-AUC {_interval(best)} {clean_line(best.name)}"


def format_tuning(found: TuningInfo) -> str:
    """Return the optimism of tuning, and the parameters chosen by folds."""
    optimism = found.optimism
    return (
        f"ROC-AUC in the search {found.inner_score:.3f}, in cross-validation "
        f"{found.outer_score:.3f}, optimism {format_signed(optimism.value)} "
        f"({format_ci(optimism.low, optimism.high, '+.3f')}); "
        "chosen in the folds: "
        + ", ".join(f"{name} {_chosen(facts)}" for name, facts in found.agreement.items())
    )


def _chosen(found: NumericAgreement | CategoricalAgreement) -> str:
    if isinstance(found, CategoricalAgreement):
        return f"{found.mode} ({found.share:.0%} of them)"
    return f"{found.min:.3g} to {found.max:.3g} (median {found.median:.3g})"


def _bar(progress: SweepProgress) -> Table:
    ended = progress.n_pending - progress.n_left
    bar = Table.grid(padding=(0, 2, 0, 0), expand=True)
    bar.add_column(no_wrap=True, overflow="ellipsis", max_width=20)
    bar.add_column(ratio=1)
    bar.add_row(
        Text(clean_line(progress.study), "bold"),
        ProgressBar(total=progress.n_pending, completed=progress.n_ended),
        f"{ended}/{progress.n_pending}",
        _clock(progress.seconds_elapsed),
        "".join(_to_go(progress)) or ("-:--:-- to go" if progress.n_left else ""),
    )
    return bar


def _counts_drawn(progress: SweepProgress) -> Text:
    """Every count, so that each keeps its place; those of nothing are dim."""
    counts = _counts(progress)
    return Text(" · ").join(Text(text, style if n else "dim") for text, n, style in counts)


def _counts(progress: SweepProgress) -> list[tuple[str, int, str]]:
    """Each count as text, as number, and its colour."""
    named = (
        ("done", progress.state_counts["done"], "green"),
        ("failed", progress.state_counts["failed"], "red"),
        ("not applicable", progress.state_counts["not_applicable"], "yellow"),
        ("skipped", progress.n_skipped, ""),
        ("left", progress.n_left, ""),
    )
    return [(f"{count} {name}", count, style) for name, count, style in named]


def _to_go(progress: SweepProgress) -> list[str]:
    seconds = progress.estimate_remaining() if progress.n_left else None
    return [] if seconds is None else [f"{_clock(seconds)} to go"]


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _interval(found: MetricSummary | BestRun) -> str:
    return f"{found.value:.3f} ({format_ci(found.low, found.high)})"


def show_progress(done: int, of: int) -> None:
    """Tell a terminal how many parts are done; a file or a pipe is told nothing."""
    write_progress(f"evaluating the winner: step {done} of {of}" if done < of else "")
