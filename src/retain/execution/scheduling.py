"""The expected cost of runs, learned from records, and the order to start them in."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from heapq import heapify, heappop
from typing import TYPE_CHECKING, NamedTuple

from retain.record.document import Record

if TYPE_CHECKING:
    from retain.execution.task import Task


class CostGroup(NamedTuple):
    """The properties that determine the cost of a run.

    ``rows`` is the number of customers, ``fits`` that of folds over all repeats, ``trials`` that of
    tuning in each fold. ``is_cut`` if its scores are cut from the fits of a longer run.
    """

    model: str
    sampler: str
    calibration: str
    rows: int
    fits: int
    trials: int = 0
    is_cut: bool = False

    @classmethod
    def of(cls, run: Task | Record) -> CostGroup:
        """Return the group of a task or a record."""
        config = run.config
        model, sampler, calibration = (
            config[part]["name"] for part in ("model", "sampler", "calibration")
        )
        trials = config.get("tuning", {}).get("trials") or 0  # older records lack it
        rows, fits = run.data.n_rows, run.split.fits
        return cls(model, sampler, calibration, rows, fits, trials, run.is_cut)

    @property
    def similarity_keys(self) -> tuple[Hashable, ...]:
        """Keys that similar runs share, from most to least similar.

        >>> CostGroup("svc", "smote", "none", rows=1300, fits=10).similarity_keys[1:]
        (('svc', 0, False, 1300, 10), ('svc', 0, False))
        """
        model = self.model, self.trials, self.is_cut
        return self, (*model, self.rows, self.fits), model


class CostModel:
    """The expected cost of runs, in seconds of one worker.

    The cost of a run is the sum of its record's phases. Look-ups are single reads of a dict, so
    threads may look up while one of them adds.

    >>> costs = CostModel()
    >>> svc = CostGroup("svc", "none", "none", rows=1300, fits=10)
    >>> for id_, seconds in (("0a", 2.0), ("0b", 3.0), ("0c", 9.0)):
    ...     costs.learn(id_, svc, seconds)
    >>> costs.similar_cost(svc), costs.similar_cost(svc._replace(sampler="smote"))
    (3.0, 3.0)
    >>> costs.similar_cost(svc._replace(model="tree")) is None
    True
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._own: dict[str, float] = {}
        self._samples: dict[Hashable, list[float]] = {}
        self._medians: dict[Hashable, float] = {}
        self._sum, self._count = 0.0, 0
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Add the cost of a record, scaled to all folds if a race stopped it early."""
        if record.seconds:
            share = record.folds / record.split.fits if record.stopped_early else 1.0
            self.learn(record.id, CostGroup.of(record), sum(record.seconds.values()) / share)

    def learn(self, id_: str, group: CostGroup, seconds: float) -> None:
        """Add the cost of the run ``id_``."""
        self._own[id_] = seconds
        self._sum, self._count = self._sum + seconds, self._count + 1
        for key in group.similarity_keys:
            sample = self._samples.setdefault(key, [])
            insort(sample, seconds)
            # Median, since a worker's first run of a group also pays for imports.
            self._medians[key] = (sample[(len(sample) - 1) // 2] + sample[len(sample) // 2]) / 2

    @property
    def mean_seconds(self) -> float | None:
        """Mean over all measured runs, the fallback where no similar run was measured."""
        return self._sum / self._count if self._count else None

    def is_measured(self, key: Hashable) -> bool:
        """Return whether any run with this similarity key was measured."""
        return key in self._medians

    def own_cost(self, task: Task) -> float | None:
        """Return the earlier cost of the same run, None if unknown."""
        return self._own.get(task.id)

    def similar_cost(self, group: CostGroup) -> float | None:
        """Return the median cost of the most similar runs, None if the model was never measured."""
        medians = (self._medians.get(key) for key in group.similarity_keys)
        return next((seconds for seconds in medians if seconds is not None), None)

    def expected_cost(self, task: Task) -> float | None:
        """Return the expected seconds: of the same run, else of similar runs, else None."""
        own_cost = self.own_cost(task)
        return self.similar_cost(CostGroup.of(task)) if own_cost is None else own_cost

    def estimate_remaining(
        self, tasks: Iterable[Task], workers: int, done_shares: Mapping[str, float] | None = None
    ) -> float | None:
        """Return the seconds until ``workers`` have done all tasks, None if no run was measured.

        ``done_shares`` maps the id of a started task to the share of it that is done.
        """
        done = done_shares or {}
        expected = [(self.expected_cost(task), 1 - done.get(task.id, 0.0)) for task in tasks]
        mean = self.mean_seconds
        if mean is None:
            return None if expected else 0.0
        return sum((mean if cost is None else cost) * left for cost, left in expected) / workers

    def make_queue(self, tasks: Iterable[Task]) -> TaskQueue:
        """Return a queue of the tasks, whose order follows the costs learned meanwhile."""
        return TaskQueue(self, tasks)


class TaskQueue:
    """Tasks to start: those never measured first, then the most expensive.

    First one run of each model and then of each group that was never measured, so that the other
    costs are known early; then longest processing time first (Graham, 1969, Bounds on
    multiprocessing timing anomalies), so that no long run is left for the end, when the other
    workers idle. Ties keep the order typed.

    Tasks of a group have the same expected cost, so each pick compares groups, not tasks. Tasks
    whose own cost is known are in a heap. One thread at a time may pop, while records are added.

    A task whose scores are cut from the fits of another in the queue waits until that has ended,
    and then goes first: it takes a moment, and what was cut is removed.
    """

    def __init__(self, costs: CostModel, tasks: Iterable[Task]) -> None:
        self._costs = costs
        self._started: set[Hashable] = set()
        self._measured: list[tuple[float, int, Task]] = []
        self._groups: dict[CostGroup, deque[tuple[int, Task]]] = {}
        self._waiting: dict[str, list[Task]] = {}
        self._released: deque[Task] = deque()
        tasks = list(tasks)
        ids = {task.id for task in tasks}
        for position, task in enumerate(tasks):
            if task.cut_from in ids:
                self._waiting.setdefault(str(task.cut_from), []).append(task)
                continue
            own_cost = costs.own_cost(task)
            if own_cost is None:
                self._groups.setdefault(CostGroup.of(task), deque()).append((position, task))
            else:
                self._measured.append((-own_cost, position, task))
        heapify(self._measured)

    def __len__(self) -> int:
        return self.n_ready + sum(map(len, self._waiting.values()))

    @property
    def n_ready(self) -> int:
        """Number of tasks that wait for no other."""
        return len(self._released) + len(self._measured) + sum(map(len, self._groups.values()))

    def pop(self) -> Task:
        """Remove and return the next task to start.

        Raises
        ------
        IndexError
            If no task is ready.
        """
        if not self.n_ready:
            raise IndexError("pop from an empty queue")
        task = self._next()
        self._started.update(CostGroup.of(task).similarity_keys)
        return task

    def release(self, id_: str) -> None:
        """Let the tasks start that wait for the task ``id_``, which has ended in whatever way."""
        self._released.extend(self._waiting.pop(id_, ()))

    def clear(self) -> None:
        """Remove all tasks."""
        self._waiting.clear()
        self._released.clear()
        self._measured.clear()
        self._groups.clear()

    def _next(self) -> Task:
        if self._released:
            return self._released.popleft()
        ranks = ((*self._rank(group, line[0][0]), group) for group, line in self._groups.items())
        first = min(ranks, default=None)
        if first is None or (self._measured and (2, *self._measured[0][:2]) < first[:3]):
            return heappop(self._measured)[-1]
        group = first[-1]
        _, task = self._groups[group].popleft()
        if not self._groups[group]:
            del self._groups[group]
        return task

    def _rank(self, group: CostGroup, position: int) -> tuple[int, float, int]:
        """Return a sort key: never measured groups first, then by expected cost, then as typed."""
        same, _, same_model = map(self._is_known, group.similarity_keys)
        expected = self._costs.similar_cost(group) or self._costs.mean_seconds or 0.0
        return same + same_model, -expected, position

    def _is_known(self, key: Hashable) -> bool:
        """Return whether a run with this similarity key was measured or is being measured."""
        return key in self._started or self._costs.is_measured(key)
