"""What runs cost, learnt from records, and which to start next for it."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from heapq import heapify, heappop
from typing import TYPE_CHECKING, NamedTuple

from retain.record import Record

if TYPE_CHECKING:
    from retain.execution.task import Task


class CostGroup(NamedTuple):
    """What runs have in common that cost about the same.

    ``rows`` counts customers, ``fits`` the folds of all repeats, and ``trials`` what tuning
    tries in each of them.
    """

    model: str
    sampler: str
    calibration: str
    rows: int
    fits: int
    trials: int = 0

    @classmethod
    def of(cls, run: Task | Record) -> CostGroup:
        """The kind of a run that is to be done or has ended."""
        config = run.config
        model, sampler, calibration = (
            config[part]["name"] for part in ("model", "sampler", "calibration")
        )
        trials = config.get("tuning", {}).get("trials") or 0  # older records lack it
        return cls(model, sampler, calibration, run.data.rows, run.split.fits, trials)

    @property
    def similarity_keys(self) -> tuple[Hashable, ...]:
        """What to be like, from nearest to farthest.

        >>> CostGroup("svc", "smote", "none", rows=1300, fits=10).similarity_keys[1:]
        (('svc', 0, 1300, 10), ('svc', 0))
        """
        model = self.model, self.trials
        return self, (*model, self.rows, self.fits), model


class CostModel:
    """What runs are expected to cost, in seconds of one worker.

    A run costs what its record's phases sum to. Look-ups are single reads of a dict, so threads
    may ask while one of them adds.

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
        self._seen: dict[Hashable, list[float]] = {}
        self._medians: dict[Hashable, float] = {}
        self._sum, self._count = 0.0, 0
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Learn what a run cost, if its record tells; all of it, where a race stopped it early."""
        if record.seconds:
            share = record.folds / record.split.fits if record.stopped else 1.0
            self.learn(record.id, CostGroup.of(record), sum(record.seconds.values()) / share)

    def learn(self, id_: str, group: CostGroup, seconds: float) -> None:
        """Learn what the run ``id_`` cost."""
        self._own[id_] = seconds
        self._sum, self._count = self._sum + seconds, self._count + 1
        for key in group.similarity_keys:
            seen = self._seen.setdefault(key, [])
            insort(seen, seconds)
            # A worker's first run of a kind pays for imports, which a mean would charge to all.
            self._medians[key] = (seen[(len(seen) - 1) // 2] + seen[len(seen) // 2]) / 2

    @property
    def mean_seconds(self) -> float | None:
        """Mean over all runs measured, which stands in where nothing alike was."""
        return self._sum / self._count if self._count else None

    def is_measured(self, key: Hashable) -> bool:
        """Whether any run of this likeness was measured."""
        return key in self._medians

    def own_cost(self, task: Task) -> float | None:
        """What this very run cost before, or None."""
        return self._own.get(task.id)

    def similar_cost(self, group: CostGroup) -> float | None:
        """The median of the nearest runs alike, or None where the model was never measured."""
        found = (self._medians.get(key) for key in group.similarity_keys)
        return next((seconds for seconds in found if seconds is not None), None)

    def expected_cost(self, task: Task) -> float | None:
        """Seconds a worker will need: what this very run cost, else runs alike, else None."""
        own_cost = self.own_cost(task)
        return self.similar_cost(CostGroup.of(task)) if own_cost is None else own_cost

    def estimate_remaining(
        self, tasks: Iterable[Task], workers: int, done_shares: Mapping[str, float] | None = None
    ) -> float | None:
        """Seconds until ``workers`` have done all tasks, or None before any was measured.

        ``done_shares`` maps the id of a task that was begun to the share of it that is done.
        """
        begun = done_shares or {}
        expected = [(self.expected_cost(task), 1 - begun.get(task.id, 0.0)) for task in tasks]
        if self.mean_seconds is None:
            return None if expected else 0.0
        return sum((self.mean_seconds if e is None else e) * left for e, left in expected) / workers

    def make_queue(self, tasks: Iterable[Task]) -> TaskQueue:
        """The tasks in the order to start them, which follows what is learnt meanwhile."""
        return TaskQueue(self, tasks)


class TaskQueue:
    """Tasks to be started: what was never measured first, then the most expensive.

    First one run of each model and then of each kind that was never measured, so that the costs
    of the rest are known early; then longest processing time first (Graham, 1969, Bounds on
    multiprocessing timing anomalies), so that no long run is left for the end, when the other
    workers idle. Ties go in the order typed.

    Tasks of a kind share an expectation, so kinds are compared, not tasks: a pick looks at every
    kind once. Only those whose own cost is known stand in a heap of their own. One thread at a
    time may pop; records may be added to the costs meanwhile.
    """

    def __init__(self, costs: CostModel, tasks: Iterable[Task]) -> None:
        self._costs = costs
        self._started: set[Hashable] = set()
        self._measured: list[tuple[float, int, Task]] = []
        self._kinds: dict[CostGroup, deque[tuple[int, Task]]] = {}
        for position, task in enumerate(tasks):
            own_cost = costs.own_cost(task)
            if own_cost is None:
                self._kinds.setdefault(CostGroup.of(task), deque()).append((position, task))
            else:
                self._measured.append((-own_cost, position, task))
        heapify(self._measured)

    def __len__(self) -> int:
        return len(self._measured) + sum(map(len, self._kinds.values()))

    def pop(self) -> Task:
        """The next task to start, which leaves the queue.

        Raises
        ------
        IndexError
            When no task is left.
        """
        if not len(self):
            raise IndexError("pop from an empty queue")
        task = self._next()
        self._started.update(CostGroup.of(task).similarity_keys)
        return task

    def clear(self) -> None:
        """Leave nothing to start."""
        self._measured.clear()
        self._kinds.clear()

    def _next(self) -> Task:
        ranks = ((*self._rank(group, line[0][0]), group) for group, line in self._kinds.items())
        first_run = min(ranks, default=None)
        if first_run is None or (self._measured and (2, *self._measured[0][:2]) < first_run[:3]):
            return heappop(self._measured)[-1]
        group = first_run[-1]
        _, task = self._kinds[group].popleft()
        if not self._kinds[group]:
            del self._kinds[group]
        return task

    def _rank(self, group: CostGroup, position: int) -> tuple[int, float, int]:
        """Lower starts sooner: what is to be found out, the expected cost, the order typed."""
        same, _, same_model = map(self._is_known, group.similarity_keys)
        expected = self._costs.similar_cost(group) or self._costs.mean_seconds or 0.0
        return same + same_model, -expected, position

    def _is_known(self, key: Hashable) -> bool:
        """Whether a run of this likeness was measured, or is being measured."""
        return key in self._started or self._costs.is_measured(key)
