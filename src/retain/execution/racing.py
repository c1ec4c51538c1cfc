"""A race: the runs of a sweep fold by fold, those worse than the leader stopped on the way.

Every run gets ``validation.min_folds`` folds, then those still in it one at a time. Who is stopped
is asked only when all have the same folds, so that it depends on their scores alone: neither on
the number of workers, nor on who is quicker, nor on a launch that was killed in between.
Imports nothing heavy: a worker compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from retain.execution.plan import Plan
from retain.execution.pool import RunPool
from retain.execution.scheduling import CostModel, Kind, Queue
from retain.execution.task import Rung, RungResult, Task
from retain.record import Record

Field = tuple[str, str]
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
        self, planned: Plan, min_folds: int, costs: CostModel, paused: Callable[[RungResult], None]
    ) -> None:
        self._costs, self._paused_told = costs, paused
        self._tasks = {task.id: task for task in planned.to_do}
        self._all = {one.task.id: one.task for one in planned.runs}
        self._most = max(task.split.fits for task in self._all.values())
        self._min_folds = min(min_folds, self._most)
        self._scores: dict[str, tuple[float, ...]] = {}
        self._stopped: set[str] = set()
        for one in planned.runs:
            if one.record is not None and one.why is None:
                self._note(one.record)

    def records(self, crew: RunPool) -> Iterator[Record]:
        """The record of each run, as they end or are stopped."""
        for folds in range(self._min_folds, self._most + 1):
            for result in crew.results(self._queue(folds)):
                if isinstance(result, Record):
                    self._ended(result)
                    yield result
                else:
                    self._paused(result)
            if crew.given_up:
                return
            self._stopped = self._worse(crew, folds) if folds < self._most else set()

    def _queue(self, folds: int) -> Queue:
        """The next leg of every run left; the last one of those that were stopped."""
        legs = []
        for task in self._tasks.values():
            final = task.id in self._stopped
            goal = folds - 1 if final else min(folds, task.split.fits)
            legs.append(replace(task, leg=Rung(goal, final, task.spent)))
        return self._costs.queue(legs)

    def _paused(self, progress: RungResult) -> None:
        task, folds = self._tasks[progress.id], len(progress.roc_auc)
        self._scores[progress.id] = progress.roc_auc
        self._tasks[progress.id] = replace(task, leg=Rung(folds, spent=progress.spent))
        self._costs.learn(task.id, Kind.of(task), progress.seconds * task.split.fits / folds)
        self._paused_told(progress)

    def _ended(self, record: Record) -> None:
        del self._tasks[record.id]
        self._scores.pop(record.id, None)  # one that failed leads no more
        self._note(record)

    def _note(self, record: Record) -> None:
        found = record.metrics.get("roc_auc")
        if found is not None:
            self._scores[record.id] = found.fold_values

    def _worse(self, crew: RunPool, folds: int) -> set[str]:
        """Which of the runs left are worse than the leader of their field."""
        fields: dict[Field, list[Task]] = {}
        for task in self._all.values():
            if task.id in self._scores:
                key = task.data.fingerprint, task.split.fingerprint
                fields.setdefault(key, []).append(task)
        found: set[str] = set()
        for tasks in fields.values():
            if any(task.id in self._tasks for task in tasks):
                scores = {task.id: self._scores[task.id] for task in tasks}
                found |= crew.ask("judge", scores, folds, tasks[0].split.test_to_train)
        return found & self._tasks.keys()
