"""A race: the runs of a sweep fold by fold, those worse than the leader stopped on the way.

Every run gets ``validation.min_folds`` folds, then those still in it one at a time. Who is stopped
is asked only when all have the same folds, so that it depends on their scores alone: neither on
the number of workers, nor on who is quicker, nor on a launch that was killed in between.
Imports nothing heavy: a worker compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from retain.execution.plan import SweepPlan
from retain.execution.pool import RunPool
from retain.execution.scheduling import CostGroup, CostModel, TaskQueue
from retain.execution.task import Rung, RungResult, Task
from retain.record import Record

ComparisonKey = tuple[str, str]
"""Fingerprints of customers and splits: only runs that share them can be compared."""


class Race:
    """The runs of a plan that are to be done, against each other and those done before.

    Parameters
    ----------
    planned
        All runs. A record that still holds takes part with the folds it has.
    min_folds
        Folds that each has before any is stopped.
    costs
        What runs cost, to which every leg adds.
    paused
        Hears how far a run is when it waits for the others.
    """

    def __init__(
        self,
        plan: SweepPlan,
        min_folds: int,
        costs: CostModel,
        on_pause: Callable[[RungResult], None],
    ) -> None:
        self._costs, self._on_pause = costs, on_pause
        self._tasks = {task.id: task for task in plan.pending}
        self._all_tasks = {one.task.id: one.task for one in plan.runs}
        self._max_folds = max(task.split.fits for task in self._all_tasks.values())
        self._min_folds = min(min_folds, self._max_folds)
        self._scores: dict[str, tuple[float, ...]] = {}
        self._eliminated: set[str] = set()
        for one in plan.runs:
            if one.record is not None and one.pending_reason is None:
                self._record_scores(one.record)

    def records(self, pool: RunPool) -> Iterator[Record]:
        """The record of each run, as they end or are stopped."""
        for folds in range(self._min_folds, self._max_folds + 1):
            for result in pool.results(self._make_queue(folds)):
                if isinstance(result, Record):
                    self._record_end(result)
                    yield result
                else:
                    self._record_pause(result)
            if pool.n_cancelled:
                return
            self._eliminated = (
                self._find_eliminated(pool, folds) if folds < self._max_folds else set()
            )

    def _make_queue(self, folds: int) -> TaskQueue:
        """The next leg of every run left; the last one of those that were stopped."""
        legs = []
        for task in self._tasks.values():
            final = task.id in self._eliminated
            goal = folds - 1 if final else min(folds, task.split.fits)
            legs.append(replace(task, rung=Rung(goal, final, task.seconds_spent)))
        return self._costs.make_queue(legs)

    def _record_pause(self, result: RungResult) -> None:
        task, folds = self._tasks[result.id], len(result.roc_auc)
        self._scores[result.id] = result.roc_auc
        self._tasks[result.id] = replace(task, rung=Rung(folds, seconds_spent=result.seconds_spent))
        self._costs.learn(task.id, CostGroup.of(task), result.seconds * task.split.fits / folds)
        self._on_pause(result)

    def _record_end(self, record: Record) -> None:
        del self._tasks[record.id]
        self._scores.pop(record.id, None)  # one that failed leads no more
        self._record_scores(record)

    def _record_scores(self, record: Record) -> None:
        found = record.metrics.get("roc_auc")
        if found is not None:
            self._scores[record.id] = found.folds

    def _find_eliminated(self, pool: RunPool, folds: int) -> set[str]:
        """Which of the runs left are worse than the leader of their field."""
        fields: dict[ComparisonKey, list[Task]] = {}
        for task in self._all_tasks.values():
            if task.id in self._scores:
                key = task.data.fingerprint, task.split.fingerprint
                fields.setdefault(key, []).append(task)
        found: set[str] = set()
        for tasks in fields.values():
            if any(task.id in self._tasks for task in tasks):
                scores = {task.id: self._scores[task.id] for task in tasks}
                found |= pool.run_job("eliminate", scores, folds, tasks[0].split.test_to_train)
        return found & self._tasks.keys()
