"""The progress of a sweep: counts, the best run, the remaining time. Prints and writes nothing."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from retain.execution.status import BestRun, State, Status
from retain.execution.task import Task, now

if TYPE_CHECKING:
    from retain.execution.plan import SweepPlan
    from retain.execution.scheduling import CostModel
    from retain.execution.task import RungResult
    from retain.record.document import Record


ESTIMATE_SECONDS = 1.0
"""Seconds between two estimates at least, since each looks at all remaining runs."""


class SweepProgress:
    """The progress of the runs of a plan; safe to use from several threads.

    Parameters
    ----------
    plan
        All runs; those done before are skipped, and may be the best.
    costs
        Costs of runs, updated by the caller.
    workers
        Number of runs done at a time.
    """

    def __init__(self, plan: SweepPlan, costs: CostModel, workers: int) -> None:
        self.study = plan.study.path.name
        self.names = {planned.task.id: plan.format_name(planned.task) for planned in plan.runs}
        self.n_pending = len(plan.pending)
        self.n_skipped = len(plan.runs) - self.n_pending
        self.state_counts: Counter[str] = Counter()
        self.n_stopped_early = 0
        self.best: BestRun | None = None
        self._costs, self._workers = costs, workers
        self._left = {task.id: task for task in plan.pending}
        self._running: dict[str, str] = {}
        self._done_shares: dict[str, float] = {}
        self._lock = threading.RLock()
        self._started, self._monotonic_start = now(), time.monotonic()
        self._expected_end: float | None = None
        self._last_estimate: float | None = None
        self._is_stale = True
        for planned in plan.runs:
            if planned.pending_reason is None and planned.record is not None:
                self._update_best(planned.record)

    @property
    def n_left(self) -> int:
        """Number of runs that have not ended, running ones included."""
        return len(self._left)

    @property
    def n_ended(self) -> float:
        """Number of runs that have ended, plus the done shares of those that wait in a race."""
        with self._lock:
            shares = sum(self._done_shares.get(id_, 0.0) for id_ in self._left)
            return self.n_pending - self.n_left + shares

    @property
    def seconds_elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._monotonic_start

    def record_start(self, task: Task) -> None:
        """Record that a worker started a run."""
        with self._lock:
            self._running[task.id] = self.names[task.id]

    def record_pause(self, result: RungResult) -> None:
        """Record that a run in a race has done its rung and waits for the others."""
        with self._lock:
            fits = self._left[result.id].split.fits
            self._running.pop(result.id, None)
            self._done_shares[result.id] = len(result.roc_auc) / fits
            self._is_stale = True

    def record_end(self, record: Record) -> bool:
        """Record that a run ended, and return whether it is the best so far."""
        with self._lock:
            self.state_counts[record.state] += 1
            self.n_stopped_early += record.stopped_early
            self._running.pop(record.id, None)
            self._left.pop(record.id, None)
            self._is_stale = True
            return self._update_best(record)

    def estimate_remaining(self) -> float | None:
        """Return the seconds until all runs have ended, None while it is unknown.

        Counts down between estimates. In a race it is too long until the race has stopped runs.
        """
        with self._lock:
            time_now, last = time.monotonic(), self._last_estimate
            is_due = last is None or time_now - last > ESTIMATE_SECONDS
            if self._is_stale and (is_due or self._expected_end is None):
                seconds = self._costs.estimate_remaining(
                    self._left.values(), self._workers, self._done_shares
                )
                self._expected_end = None if seconds is None else time_now + seconds
                self._last_estimate, self._is_stale = time_now, False
            return None if self._expected_end is None else max(self._expected_end - time_now, 0.0)

    def status(self, state: State) -> Status:
        """Return the progress as plain values."""
        with self._lock:
            seconds = self.estimate_remaining() if self.n_left else 0.0
            if state == "interrupted":
                seconds = None
            return Status(
                study=self.study,
                state=state,
                started_at=self._started,
                updated_at=now(),
                n_runs=self.n_pending + self.n_skipped,
                n_done=self.state_counts["done"],
                n_stopped_early=self.n_stopped_early,
                n_failed=self.state_counts["failed"],
                n_not_applicable=self.state_counts["not_applicable"],
                n_skipped=self.n_skipped,
                n_left=self.n_left,
                running=tuple(self._running.values()) if state == "running" else (),
                eta_seconds=None if seconds is None else round(seconds, 1),
                best=self.best,
            )

    def _update_best(self, record: Record) -> bool:
        roc_auc = None if record.stopped_early else record.metrics.get("roc_auc")
        if roc_auc is None or (self.best is not None and roc_auc.value <= self.best.value):
            return False
        self.best = BestRun(
            id=record.id,
            name=self.names[record.id],
            metric="roc_auc",
            value=roc_auc.value,
            low=roc_auc.low,
            high=roc_auc.high,
        )
        return True
