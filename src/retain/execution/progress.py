"""How far a sweep is: counts, the best run, time to go. Draws nothing, writes nothing."""

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
    from retain.record import Record


ESTIMATE_SECONDS = 1.0
"""Seconds for which an estimate holds however many runs end: it looks at every run left."""


class SweepProgress:
    """The runs of a plan as they start and end. Threads may tell it and ask it.

    Parameters
    ----------
    plan
        All runs; those done before are skipped, and may be the best.
    costs
        What runs cost, to which somebody else adds.
    workers
        How many runs are done at a time.
    """

    def __init__(self, plan: SweepPlan, costs: CostModel, workers: int) -> None:
        self.study = plan.study.path.name
        self.names = {planned.task.id: plan.format_name(planned.task) for planned in plan.runs}
        self.n_pending = len(plan.pending)
        self.n_skipped = len(plan.runs) - self.n_pending
        self.state_counts: Counter[str] = Counter()
        self.n_raced = 0
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
        """Runs that have not ended yet, running ones included."""
        return len(self._left)

    @property
    def n_ended(self) -> float:
        """Runs that have ended, and what is done of those that wait in a race."""
        with self._lock:
            return (
                self.n_pending
                - self.n_left
                + sum(self._done_shares.get(id_, 0.0) for id_ in self._left)
            )

    @property
    def seconds_elapsed(self) -> float:
        """Time spent."""
        return time.monotonic() - self._monotonic_start

    def record_start(self, task: Task) -> None:
        """A worker took a run."""
        with self._lock:
            self._running[task.id] = self.names[task.id]

    def record_pause(self, progress: RungResult) -> None:
        """A run in a race has the folds it was to have, and waits for the others."""
        with self._lock:
            fits = self._left[progress.id].split.fits
            self._running.pop(progress.id, None)
            self._done_shares[progress.id] = len(progress.roc_auc) / fits
            self._is_stale = True

    def record_end(self, record: Record) -> bool:
        """Whether a run that ended is the best so far."""
        with self._lock:
            self.state_counts[record.state] += 1
            self.n_raced += record.stopped is not None
            self._running.pop(record.id, None)
            self._left.pop(record.id, None)
            self._is_stale = True
            return self._update_best(record)

    def estimate_remaining(self) -> float | None:
        """Seconds until all have ended, or None while nobody knows.

        Runs on between estimates, by a clock that does not jump. Those that a race will stop are
        nobody's to foretell, so that its estimate is too long until they are.
        """
        with self._lock:
            at = time.monotonic()
            old = (
                self._last_estimate is None
                or self._expected_end is None
                or at - self._last_estimate > ESTIMATE_SECONDS
            )
            if self._is_stale and old:
                seconds = self._costs.estimate_remaining(
                    self._left.values(), self._workers, self._done_shares
                )
                self._expected_end = None if seconds is None else at + seconds
                self._last_estimate, self._is_stale = at, False
            return None if self._expected_end is None else max(self._expected_end - at, 0.0)

    def status(self, state: State) -> Status:
        """All of it in plain values."""
        with self._lock:
            to_go = (
                None
                if state == "interrupted"
                else self.estimate_remaining()
                if self.n_left
                else 0.0
            )
            return Status(
                study=self.study,
                state=state,
                started=self._started,
                updated=now(),
                total=self.n_pending + self.n_skipped,
                done=self.state_counts["done"],
                raced=self.n_raced,
                failed=self.state_counts["failed"],
                not_applicable=self.state_counts["not_applicable"],
                skipped=self.n_skipped,
                left=self.n_left,
                running=tuple(self._running.values()) if state == "running" else (),
                seconds_to_go=None if to_go is None else round(to_go, 1),
                best=self.best,
            )

    def _update_best(self, record: Record) -> bool:
        found = None if record.stopped else record.metrics.get("roc_auc")
        if found is None or (self.best is not None and found.mean <= self.best.mean):
            return False
        self.best = BestRun(
            id=record.id,
            name=self.names[record.id],
            metric="roc_auc",
            mean=found.mean,
            low=found.low,
            high=found.high,
        )
        return True
