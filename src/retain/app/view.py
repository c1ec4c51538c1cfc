"""What a person sees while a sweep runs, and after it. Draws, decides nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from retain.app.plan import Plan
from retain.record import Record

MARKS = {"done": "[green]done[/]", "failed": "[red]failed[/]", "not_applicable": "[yellow]no[/]"}


class View:
    """Progress of a sweep: a bar in a terminal, a line for each run where there is none."""

    def __init__(self, console: Console, plan: Plan) -> None:
        self.console = console
        self.plan = plan
        self.names = {planned.task.id: plan.name(planned.task) for planned in plan.runs}
        self.total = len(plan.to_do)
        self.skipped = len(plan.runs) - self.total
        self.counts: Counter[str] = Counter()
        self._started = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            TextColumn("to go"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._bar = self._progress.add_task(
            plan.study.path.name, total=self.total, counts=self.told()
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    @property
    def left(self) -> int:
        """Runs that have not ended yet."""
        return self.total - self.counts.total()

    def told(self) -> str:
        """The counts in one line."""
        done, failed = self.counts["done"], self.counts["failed"]
        no = self.counts["not_applicable"]
        return f"{done} done · {failed} failed · {no} not applicable · {self.left} left"

    def ended(self, record: Record) -> None:
        """Show that a run ended."""
        self.counts[record.state] += 1
        self._progress.update(self._bar, advance=1, counts=self.told())
        if not self.console.is_terminal:
            spent = time.monotonic() - self._started
            to_go = spent / self.counts.total() * self.left
            line = f"{MARKS[record.state]} {escape(self.names[record.id])}{_result(record)}"
            self.console.print(f"{line}  ({self.told()}; {to_go:.0f} s to go)", soft_wrap=True)


def _result(record: Record) -> str:
    metric = record.metrics.get("roc_auc")
    return (
        ""
        if metric is None
        else f"  ROC-AUC {metric.mean:.3f} [{metric.low:.3f}, {metric.high:.3f}]"
    )


def sources_told(console: Console, plan: Plan) -> None:
    """How the customers were read, whom the cleaning left out, and what the audit said."""
    for source in plan.sources:
        for line in source.heard:
            console.print(escape(line), soft_wrap=True, highlight=False)
        for step, left_out in zip(source.data.funnel, source.left_out, strict=True):
            whom = f"; left out {left_out}" if left_out else ""
            told = f"  {step.name} {step.before} → {step.after}: {step.reason}{whom}"
            console.print(escape(told), soft_wrap=True, highlight=False)
        for check in source.checks:
            if check.outcome in ("handled", "failed"):
                told = f"  audit {check.outcome} {check.code}: {check.sentence}"
                console.print(escape(told), soft_wrap=True, highlight=False)


def listed(console: Console, plan: Plan) -> None:
    """The runs of a line and their states, for ``dry_run=true``."""
    table = Table("run", "id", "state", title=f"{len(plan.runs)} runs of {plan.study.path.name}")
    for planned in plan.runs:
        table.add_row(escape(plan.name(planned.task)), planned.task.id, escape(planned.state))
    console.print(table)


def summary(console: Console, plan: Plan, records: Sequence[Record], skipped: int) -> None:
    """What became of a sweep: counts, then every failure and every combination without meaning."""
    counts = Counter(record.state for record in records)
    console.print(
        f"{counts['done']} done, {counts['failed']} failed, "
        f"{counts['not_applicable']} not applicable, {skipped} done before and skipped  "
        f"→ {escape(str(plan.study.path))}",
        soft_wrap=True,
    )
    tasks = {planned.task.id: planned.task for planned in plan.runs}
    for record in records:
        if record.state != "done":
            reason = (record.reason or "").strip().splitlines() or [""]
            told = escape(f"{plan.name(tasks[record.id])}: {reason[0]}")
            console.print(f"  {MARKS[record.state]} {told}", soft_wrap=True)
            if record.state == "failed":
                console.print(f"      log: {tasks[record.id].directory.log}", soft_wrap=True)
