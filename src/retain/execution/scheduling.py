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


class Kind(NamedTuple):
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
    def of(cls, run: Task | Record) -> Kind:
        """The kind of a run that is to be done or has ended."""
        config = run.config if isinstance(run, Record) else run.tree
        model, sampler, calibration = (
            config[part]["name"] for part in ("model", "sampler", "calibration")
        )
        trials = config.get("tuning", {}).get("trials") or 0  # older records lack it
        return cls(model, sampler, calibration, run.data.n_rows, run.split.fits, trials)

    @property
    def likenesses(self) -> tuple[Hashable, ...]:
        """What to be like, from nearest to farthest.

        >>> Kind("svc", "smote", "none", rows=1300, fits=10).likenesses[1:]
        (('svc', 0, 1300, 10), ('svc', 0))
        """
        model = self.model, self.trials
        return self, (*model, self.rows, self.fits), model


class CostModel:
    """What runs are expected to cost, in seconds of one worker.

    A run costs what its record's phases sum to. Look-ups are single reads of a dict, so threads
    may ask while one of them adds.

    >>> costs = CostModel()
    >>> svc = Kind("svc", "none", "none", rows=1300, fits=10)
    >>> for id_, seconds in (("0a", 2.0), ("0b", 3.0), ("0c", 9.0)):
    ...     costs.learn(id_, svc, seconds)
    >>> costs.alike(svc), costs.alike(svc._replace(sampler="smote"))
    (3.0, 3.0)
    >>> costs.alike(svc._replace(model="tree")) is None
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
            share = record.folds / record.split.fits if record.stopped_early else 1.0
            self.learn(record.id, Kind.of(record), sum(record.seconds.values()) / share)

    def learn(self, id_: str, kind: Kind, seconds: float) -> None:
        """Learn what the run ``id_`` cost."""
        self._own[id_] = seconds
        self._sum, self._count = self._sum + seconds, self._count + 1
        for likeness in kind.likenesses:
            seen = self._seen.setdefault(likeness, [])
            insort(seen, seconds)
            # A worker's first run of a kind pays for imports, which a mean would charge to all.
            self._medians[likeness] = (seen[(len(seen) - 1) // 2] + seen[len(seen) // 2]) / 2

    @property
    def mean(self) -> float | None:
        """Mean over all runs measured, which stands in where nothing alike was."""
        return self._sum / self._count if self._count else None

    def measured(self, likeness: Hashable) -> bool:
        """Whether any run of this likeness was measured."""
        return likeness in self._medians

    def own(self, task: Task) -> float | None:
        """What this very run cost before, or None."""
        return self._own.get(task.id)

    def alike(self, kind: Kind) -> float | None:
        """The median of the nearest runs alike, or None where the model was never measured."""
        found = (self._medians.get(likeness) for likeness in kind.likenesses)
        return next((seconds for seconds in found if seconds is not None), None)

    def expected(self, task: Task) -> float | None:
        """Seconds a worker will need: what this very run cost, else runs alike, else None."""
        own = self.own(task)
        return self.alike(Kind.of(task)) if own is None else own

    def to_go(
        self, tasks: Iterable[Task], workers: int, ahead: Mapping[str, float] | None = None
    ) -> float | None:
        """Seconds until ``workers`` have done all tasks, or None before any was measured.

        ``ahead`` maps the id of a task that was begun to the share of it that is done.
        """
        begun = ahead or {}
        expected = [(self.expected(task), 1 - begun.get(task.id, 0.0)) for task in tasks]
        if self.mean is None:
            return None if expected else 0.0
        return sum((self.mean if e is None else e) * left for e, left in expected) / workers

    def queue(self, tasks: Iterable[Task]) -> Queue:
        """The tasks in the order to start them, which follows what is learnt meanwhile."""
        return Queue(self, tasks)


class Queue:
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
        self._begun: set[Hashable] = set()
        self._measured: list[tuple[float, int, Task]] = []
        self._kinds: dict[Kind, deque[tuple[int, Task]]] = {}
        for place, task in enumerate(tasks):
            own = costs.own(task)
            if own is None:
                self._kinds.setdefault(Kind.of(task), deque()).append((place, task))
            else:
                self._measured.append((-own, place, task))
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
        self._begun.update(Kind.of(task).likenesses)
        return task

    def clear(self) -> None:
        """Leave nothing to start."""
        self._measured.clear()
        self._kinds.clear()

    def _next(self) -> Task:
        ranks = ((*self._rank(kind, line[0][0]), kind) for kind, line in self._kinds.items())
        first = min(ranks, default=None)
        if first is None or (self._measured and (2, *self._measured[0][:2]) < first[:3]):
            return heappop(self._measured)[-1]
        kind = first[-1]
        _, task = self._kinds[kind].popleft()
        if not self._kinds[kind]:
            del self._kinds[kind]
        return task

    def _rank(self, kind: Kind, place: int) -> tuple[int, float, int]:
        """Lower starts sooner: what is to be found out, the expected cost, the order typed."""
        same, _, same_model = map(self._known, kind.likenesses)
        expected = self._costs.alike(kind) or self._costs.mean or 0.0
        return same + same_model, -expected, place

    def _known(self, likeness: Hashable) -> bool:
        """Whether a run of this likeness was measured, or is being measured."""
        return likeness in self._begun or self._costs.measured(likeness)
