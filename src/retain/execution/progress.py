"""How far a sweep is: counts, the best run, time to go. Draws nothing, writes nothing."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from retain.execution.status import Best, State, Status
from retain.execution.task import Task, now

if TYPE_CHECKING:
    from retain.execution.plan import Plan
    from retain.execution.scheduling import CostModel
    from retain.execution.task import RungResult
    from retain.record import Record


FRESH = 1.0
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

    def __init__(self, plan: Plan, costs: CostModel, workers: int) -> None:
        self.study = plan.study.path.name
        self.names = {planned.task.id: plan.name(planned.task) for planned in plan.runs}
        self.to_do = len(plan.to_do)
        self.skipped = len(plan.runs) - self.to_do
        self.counts: Counter[str] = Counter()
        self.n_stopped_early = 0
        self.best: Best | None = None
        self._costs, self._workers = costs, workers
        self._left = {task.id: task for task in plan.to_do}
        self._running: dict[str, str] = {}
        self._ahead: dict[str, float] = {}
        self._lock = threading.RLock()
        self._started, self._began = now(), time.monotonic()
        self._ends: float | None = None
        self._estimated: float | None = None
        self._changed = True
        for planned in plan.runs:
            if planned.why is None and planned.record is not None:
                self._compare(planned.record)

    @property
    def left(self) -> int:
        """Runs that have not ended yet, running ones included."""
        return len(self._left)

    @property
    def progress(self) -> float:
        """Runs that have ended, and what is done of those that wait in a race."""
        with self._lock:
            return self.to_do - self.left + sum(self._ahead.get(id_, 0.0) for id_ in self._left)

    @property
    def seconds(self) -> float:
        """Time spent."""
        return time.monotonic() - self._began

    def started(self, task: Task) -> None:
        """A worker took a run."""
        with self._lock:
            self._running[task.id] = self.names[task.id]

    def paused(self, progress: RungResult) -> None:
        """A run in a race has the folds it was to have, and waits for the others."""
        with self._lock:
            fits = self._left[progress.id].split.fits
            self._running.pop(progress.id, None)
            self._ahead[progress.id] = len(progress.roc_auc) / fits
            self._changed = True

    def ended(self, record: Record) -> bool:
        """Whether a run that ended is the best so far."""
        with self._lock:
            self.counts[record.state] += 1
            self.n_stopped_early += record.stopped_early
            self._running.pop(record.id, None)
            self._left.pop(record.id, None)
            self._changed = True
            return self._compare(record)

    def to_go(self) -> float | None:
        """Seconds until all have ended, or None while nobody knows.

        Runs on between estimates, by a clock that does not jump. Those that a race will stop are
        nobody's to foretell, so that its estimate is too long until they are.
        """
        with self._lock:
            at = time.monotonic()
            old = self._estimated is None or self._ends is None or at - self._estimated > FRESH
            if self._changed and old:
                seconds = self._costs.to_go(self._left.values(), self._workers, self._ahead)
                self._ends = None if seconds is None else at + seconds
                self._estimated, self._changed = at, False
            return None if self._ends is None else max(self._ends - at, 0.0)

    def status(self, state: State) -> Status:
        """All of it in plain values."""
        with self._lock:
            to_go = None if state == "interrupted" else self.to_go() if self.left else 0.0
            return Status(
                study=self.study,
                state=state,
                started_at=self._started,
                updated_at=now(),
                n_runs=self.to_do + self.skipped,
                n_done=self.counts["done"],
                n_stopped_early=self.n_stopped_early,
                n_failed=self.counts["failed"],
                n_not_applicable=self.counts["not_applicable"],
                n_skipped=self.skipped,
                n_left=self.left,
                running=tuple(self._running.values()) if state == "running" else (),
                eta_seconds=None if to_go is None else round(to_go, 1),
                best=self.best,
            )

    def _compare(self, record: Record) -> bool:
        found = None if record.stopped_early else record.metrics.get("roc_auc")
        if found is None or (self.best is not None and found.value <= self.best.value):
            return False
        self.best = Best(
            id=record.id,
            name=self.names[record.id],
            metric="roc_auc",
            value=found.value,
            low=found.low,
            high=found.high,
        )
        return True
