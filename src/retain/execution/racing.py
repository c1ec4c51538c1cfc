"""Racing: the runs of a sweep fold by fold, where those worse than the leader are stopped early.

Every run gets ``validation.min_folds`` folds, then those still in the race one at a time. Runs are
compared only when all have the same folds, so the result depends on their scores alone: not on the
number of workers, the speed of a run, or launches that were killed in between.
Imports nothing heavy: a worker compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from retain.execution.dispatcher import Dispatcher
from retain.execution.families import share_fits
from retain.execution.plan import SweepPlan
from retain.execution.scheduling import CostGroup, CostModel, TaskQueue
from retain.execution.task import Rung, RungResult, Task
from retain.record.document import Record

ComparisonKey = tuple[str, str]
"""Fingerprints of customers and splits, which runs must share to be compared."""


class Race:
    """A race of the pending runs of a plan against each other and against finished runs.

    Parameters
    ----------
    plan
        All runs. A valid record takes part with its folds.
    min_folds
        Number of folds of each run before any is stopped.
    costs
        Costs of runs, to which every rung adds.
    on_pause
        Called with the result of each rung after which a run waits for the others.
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
        self._all_tasks = {planned.task.id: planned.task for planned in plan.runs}
        self._max_folds = max(task.split.fits for task in self._all_tasks.values())
        self._min_folds = min(min_folds, self._max_folds)
        self._scores: dict[str, tuple[float, ...]] = {}
        self._eliminated: set[str] = set()
        for planned in plan.runs:
            if planned.record is not None and planned.pending_reason is None:
                self._record_scores(planned.record)

    def records(self, dispatcher: Dispatcher) -> Iterator[Record]:
        """Yield the record of each run as it ends or is stopped."""
        for folds in range(self._min_folds, self._max_folds + 1):
            for result in dispatcher.results(self._make_queue(folds)):
                if isinstance(result, Record):
                    self._record_end(result)
                    yield result
                else:
                    self._record_pause(result)
            if dispatcher.n_cancelled:
                return
            if folds < self._max_folds:
                self._eliminated = self._find_eliminated(dispatcher, folds)

    def _make_queue(self, folds: int) -> TaskQueue:
        """Return the next rung of every pending run, the last one of those eliminated."""
        tasks = []
        for task in self._tasks.values():
            is_final = task.id in self._eliminated
            n_folds = folds - 1 if is_final else min(folds, task.split.fits)
            tasks.append(replace(task, rung=Rung(n_folds, is_final, task.seconds_spent)))
        return self._costs.make_queue(share_fits(tasks))

    def _record_pause(self, result: RungResult) -> None:
        task, folds = self._tasks[result.id], len(result.roc_auc)
        self._scores[result.id] = result.roc_auc
        self._tasks[result.id] = replace(task, rung=Rung(folds, seconds_spent=result.seconds_spent))
        self._costs.learn(task.id, CostGroup.of(task), result.seconds * task.split.fits / folds)
        self._on_pause(result)

    def _record_end(self, record: Record) -> None:
        del self._tasks[record.id]
        self._scores.pop(record.id, None)  # a failed run no longer leads
        self._record_scores(record)

    def _record_scores(self, record: Record) -> None:
        roc_auc = record.metrics.get("roc_auc")
        if roc_auc is not None:
            self._scores[record.id] = roc_auc.fold_values

    def _find_eliminated(self, dispatcher: Dispatcher, folds: int) -> set[str]:
        """Return the ids of pending runs that are worse than the leader on the same customers."""
        comparable: dict[ComparisonKey, list[Task]] = {}
        for task in self._all_tasks.values():
            if task.id in self._scores:
                key = task.data.fingerprint, task.split.fingerprint
                comparable.setdefault(key, []).append(task)
        worse: set[str] = set()
        for tasks in comparable.values():
            if any(task.id in self._tasks for task in tasks):
                scores = {task.id: self._scores[task.id] for task in tasks}
                arguments = (scores, folds, tasks[0].split.test_to_train)
                worse |= dispatcher.run_job("eliminate", *arguments)
        return worse & self._tasks.keys()
