"""Terminal output of a sweep. Computes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from retain.cli.terminal.console import Table, literal
from retain.cli.terminal.data import label_lines, labels_table, print_columns, print_reading
from retain.cli.terminal.output import clean_line
from retain.cli.terminal.progress import (
    MARKS,
    format_best,
    format_counts,
    format_ended,
    format_tuning,
    render_progress,
)
from retain.execution.progress import SweepProgress
from retain.execution.status import StatusWriter
from retain.record.document import Record
from retain.wording import describe_count

if TYPE_CHECKING:
    from retain.execution.plan import SweepPlan
    from retain.execution.scheduling import CostModel
    from retain.execution.task import RungResult, Task


MAX_COLUMNS = 40
"""Maximum number of columns at launch; ``describe=true`` prints all of them."""
REFRESH = 4
"""Maximum number of updates of the terminal per second."""


class SweepView:
    """Progress of a sweep: a bar in a terminal, otherwise a line for each run.

    A context manager, which also writes ``status.json``. Thread-safe. Add a record to ``costs``
    before ``on_end``.
    """

    def __init__(
        self, console: Console, plan: SweepPlan, costs: CostModel, workers: int = 1
    ) -> None:
        self.console = console
        self.progress = SweepProgress(plan, costs, workers)
        self._status = StatusWriter(plan.study.status, self.progress.status, self._warn)
        self._live = Live(
            get_renderable=lambda: render_progress(self.progress),
            console=console,
            refresh_per_second=REFRESH,
        )
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self._status)
        if self.console.is_terminal:
            self._open.enter_context(self._live)
        elif self.progress.best is not None:
            self._print(Text(f"{format_best(self.progress.best)} (done before)"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)
        if self.progress.best is not None and not self.console.is_terminal:
            self._print(Text(format_best(self.progress.best)))

    def on_start(self, task: Task) -> None:
        """Show that a run started."""
        self.progress.record_start(task)
        self._status.request_update()

    def on_pause(self, result: RungResult) -> None:
        """Show that a run waits for others of its race."""
        self.progress.record_pause(result)
        self._status.request_update()

    def on_end(self, record: Record) -> None:
        """Show that a run ended."""
        best = self.progress.record_end(record)
        self._status.request_update()
        if not self.console.is_terminal:
            self._print(format_ended(self.progress, record, best=best))

    def on_stopping(self, n_running: int) -> None:
        """Print that unfinished runs are being ended."""
        under_way = describe_count(n_running, "run")
        self.console.print(f"finishing {under_way} under way; Ctrl-C again stops them")

    def on_interrupt(self) -> None:
        """Print the counts of an interrupted sweep."""
        counts = format_counts(self.progress)
        self.console.print(f"stopped: {counts}. The same command continues with the rest.")

    def _warn(self, text: str) -> None:
        self._print(Text(clean_line(text), "yellow"))

    def _print(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True, highlight=False)


def print_sources(console: Console, plan: SweepPlan) -> None:
    """Print the reading, the funnel and the audit of each source."""
    for source in plan.sources:
        print_reading(console, source.messages, source.data.funnel, source.dropped_examples)
        if source.data.columns:
            print_columns(console, source.data.columns, MAX_COLUMNS)
        if source.data.label is not None and source.data.label.variants:
            console.print(labels_table(source.data.label.variants))
            for line in label_lines(source.data.label.quality):
                console.print(f"  {literal(line)}", soft_wrap=True, highlight=False)
        for check in source.checks:
            if check.outcome in ("mitigated", "caution", "failed"):
                message = f"  audit {check.outcome} {check.code}: {check.message}"
                console.print(literal(message), soft_wrap=True, highlight=False)


def print_plan(console: Console, plan: SweepPlan) -> None:
    """Print the runs and their states, for ``dry_run=true``."""
    title = f"{describe_count(len(plan.runs), 'run')} of study {literal(plan.study.path.name)}"
    table = Table("run", "id", "state", title=title)
    for planned in plan.runs:
        table.add_row(
            literal(plan.format_name(planned.task)),
            literal(planned.task.id),
            literal(planned.state),
        )
    console.print(table)


def print_summary(
    console: Console, plan: SweepPlan, records: Sequence[Record], skipped: int
) -> None:
    """Print counts, the result of tuning, failures and runs that are not applicable."""
    counts = Counter(record.state for record in records)
    console.print(
        f"{counts['done']} done, {counts['failed']} failed, "
        f"{counts['not_applicable']} not applicable, {skipped} done before and skipped  "
        f"→ {literal(plan.study.path)}",
        soft_wrap=True,
    )
    _print_eliminated(console, records)
    tasks = {planned.task.id: planned.task for planned in plan.runs}
    for record in records:
        if record.tuning is not None:
            message = (
                f"  tuned {plan.format_name(tasks[record.id])}: {format_tuning(record.tuning)}"
            )
            console.print(literal(message), soft_wrap=True, highlight=False)
        if record.state != "done":
            reason = (record.reason or "").strip().splitlines() or [""]
            message = literal(f"{plan.format_name(tasks[record.id])}: {reason[0]}")
            console.print(f"  {MARKS[record.state]} {message}", soft_wrap=True)
            if record.state == "failed":
                log = literal(tasks[record.id].directory.log)
                console.print(f"      log: {log}", soft_wrap=True)


def _print_eliminated(console: Console, records: Sequence[Record]) -> None:
    """Print the number of runs stopped early, and the time saved."""
    stopped = [record for record in records if record.stopped_early]
    if not stopped:
        return
    fits = sum(record.split.fits for record in records if record.state == "done")
    saved = sum(record.split.fits - record.folds for record in stopped)
    console.print(
        f"Early stopping ended {describe_count(len(stopped), 'run')} worse than the leader "
        f"(one-sided corrected resampled t-test, p < 0.05) and saved {saved:,} of {fits:,} fits.",
        soft_wrap=True,
        highlight=False,
    )
